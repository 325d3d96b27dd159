//! A stream of made-up listings, honest ones and counterfeits, of which it is known what they are.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::chance::Chance;
use super::draw::{Shape, edited, jpeg, photo};
use super::goods::Product;

/// A listing, and what it is.
pub(super) struct Made {
    pub(super) event_id: String,
    pub(super) key: String,
    pub(super) payload: String,
    /// The brand that it copies; nothing for an honest listing.
    pub(super) copies: Option<String>,
    /// What the seller did.
    pub(super) how: &'static str,
}

/// Makes listings.
pub(super) struct Stream<'a> {
    products: &'a [Product],
    chance: Chance,
    made: u64,
}

/// Market, currency, and units of it for one US dollar.
const MARKETS: [(&str, &str, f64); 6] =
    [("US", "USD", 1.0), ("ID", "IDR", 15_800.0), ("VN", "VND", 25_300.0), ("TH", "THB", 34.0), ("MX", "MXN", 18.0), ("SG", "SGD", 1.34)];
const CODES: [&str; 10] = [
    "replica",
    "1:1 mirror quality",
    "kw super",
    "grade ori",
    "siêu cấp like auth",
    "งานเทียบแท้",
    "미러급",
    "高仿",
    "super clone",
    "calidad espejo",
];
const DENIALS: [&str; 4] = ["not original", "bukan original", "no es original", "hàng nhái"];
const OTHERS: [(&str, &str, f64); 12] = [
    ("Panci anti lengket 24 cm", "Kitchen", 9.0),
    ("Bamboo cutting board set", "Kitchen", 14.0),
    ("Áo mưa trẻ em", "Kids", 6.0),
    ("LED desk lamp with clamp", "Home", 21.0),
    ("หมอนรองคอ เมมโมรี่โฟม", "Home", 8.0),
    ("Yoga mat 6 mm", "Sports", 18.0),
    ("스테인리스 텀블러 500ml", "Kitchen", 12.0),
    ("Cuaderno de espiral A5", "Stationery", 3.0),
    ("Garden hose 15 m", "Garden", 25.0),
    ("Harbor view canvas poster", "Posters", 12.0),
    ("Wooden train set", "Toys", 22.0),
    ("Running socks 5 pairs unbranded", "Socks", 7.0),
];

impl<'a> Stream<'a> {
    pub(super) fn new(products: &'a [Product]) -> Self {
        Self { products, chance: Chance::new(20_261_121), made: 0 }
    }

    /// The next listing: one in eight is a counterfeit.
    pub(super) fn next(&mut self) -> Made {
        let product = &self.products[self.chance.under(self.products.len())];
        let counterfeit = self.chance.under(8) == 0;
        let (how, fields) = if counterfeit { self.counterfeit(product) } else { self.honest(product) };
        self.made += 1;
        let (market, ..) = MARKETS[self.chance.under(MARKETS.len())];
        self.finish(how, fields, market, counterfeit.then(|| product.brand_id.clone()))
    }

    fn finish(&mut self, how: &'static str, fields: Value, market: &str, copies: Option<String>) -> Made {
        let id = self.made;
        let platform = ["bazaar", "plaza"][self.chance.under(2)];
        let rate = MARKETS.iter().find(|(m, ..)| *m == market).map_or((MARKETS[0].1, 1.0), |(_, currency, rate)| (*currency, *rate));
        let mut event = json!({
            "event_id": format!("demo-{id:06}"), "op": "upsert", "platform": platform, "market": market, "listing_id": id.to_string(), "revision": 1,
            "occurred_at": format!("2026-11-21T{:02}:{:02}:{:02}Z", id / 3600 % 24, id / 60 % 60, id % 60),
            "seller": {"id": format!("shop-{}", self.chance.under(900))},
        });
        if let Some(usd) = fields["usd"].as_f64() {
            event["price"] = json!({"amount": format!("{:.2}", usd * rate.1), "currency": rate.0});
        }
        if let (Some(event), Value::Object(fields)) = (event.as_object_mut(), fields) {
            event.extend(fields.into_iter().filter(|(key, _)| key != "usd"));
        }
        let key = format!("{platform}:{market}:{id}");
        Made { event_id: format!("demo-{id:06}"), key, payload: event.to_string(), copies, how }
    }

    fn honest(&mut self, product: &Product) -> (&'static str, Value) {
        let full = product.usd * self.chance.between(0.85, 1.1);
        let photo_of = |bytes: Vec<u8>| json!([{"data": BASE64_STANDARD.encode(bytes)}]);
        match self.chance.under(12) {
            0 => ("genuine goods", json!({"title": product.name, "brand": product.brand, "category": product.category, "usd": full})),
            1 => {
                let own = photo_of(jpeg(&product.photo, 80));
                (
                    "genuine goods, brand's photo",
                    json!({"title": format!("{} new in box", product.name), "category": product.category, "usd": full, "images": own}),
                )
            }
            2 => (
                "used goods",
                json!({"title": format!("{} preloved", product.name), "condition": "used", "category": product.category, "usd": product.usd * 0.55}),
            ),
            3 => {
                ("accessory", json!({"title": format!("Storage box compatible with {}", product.name), "category": ["Home"], "usd": 11.0}))
            }
            4 => (
                "about a brand",
                json!({"title": format!("Book about {}: the story of a house", product.brand), "category": ["Books"], "usd": 19.0}),
            ),
            _ => {
                let (title, category, usd) = OTHERS[self.chance.under(OTHERS.len())];
                let own = (self.chance.under(6) == 0).then(|| photo_of(jpeg(&photo(Shape::Gadget, 1_000 + self.made), 75)));
                let usd = usd * self.chance.between(0.7, 1.3);
                ("other goods", json!({"title": title, "category": [category], "usd": usd, "images": own.unwrap_or_else(|| json!([]))}))
            }
        }
    }

    fn counterfeit(&mut self, product: &Product) -> (&'static str, Value) {
        let cheap = product.usd * self.chance.between(0.08, 0.25);
        let category = &product.category;
        let rest = product.name.strip_prefix(product.brand.as_str()).unwrap_or_default().trim().to_owned();
        match self.chance.under(7) {
            0 => (
                "code word",
                json!({"title": format!("{} {}", product.name, self.chance.pick(&CODES)), "category": category, "usd": cheap}),
            ),
            1 => {
                ("denial", json!({"title": format!("{} {}", product.name, self.chance.pick(&DENIALS)), "category": category, "usd": cheap}))
            }
            2 => ("torn name", json!({"title": format!("{} {rest}", torn(&product.brand)), "category": category, "usd": cheap})),
            3 => (
                "look-alike letters",
                json!({"title": format!("{} {rest}", look_alike(&product.brand)), "category": category, "usd": cheap}),
            ),
            4 => ("price alone", json!({"title": product.name, "category": category, "usd": cheap})),
            n => {
                let photo = edited(&product.photo, self.chance.under(6));
                let images = json!([{"data": BASE64_STANDARD.encode(photo)}]);
                let title = if n == 5 {
                    format!("{} {}", product.name, self.chance.pick(&CODES))
                } else {
                    format!("{} style free shipping", product.name)
                };
                ("copied photo", json!({"title": title, "category": category, "usd": cheap, "images": images}))
            }
        }
    }
}

/// "N o r d v a l e"
fn torn(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).map(String::from).collect::<Vec<_>>().join(" ")
}

/// Cyrillic letters and zero-width marks among the Latin ones.
fn look_alike(name: &str) -> String {
    let swap = |(i, c): (usize, char)| match c {
        'a' => "\u{430}".to_owned(),
        'e' => "\u{435}".to_owned(),
        'o' => "\u{43e}".to_owned(),
        c if i == 2 => format!("{c}\u{200b}"),
        c => c.to_string(),
    };
    name.chars().enumerate().map(swap).collect()
}
