//! Listings of every class of evasion and of honest look-alike, over every brand of a catalog.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::{Map, Value, json};
use touchstone_detectors::{Rates, Rows};
use touchstone_schemas::{Brand, Currency};

use crate::disguise::Disguise;
use crate::words::{LANGUAGES, Language};

/// A listing and what is known of it.
pub struct Made {
    /// The event.
    pub listing: Value,
    /// event_id, label, brand_id, source: the class.
    pub label: Value,
}

/// A brand as the generator needs it.
struct Subject<'a> {
    row: &'a Brand,
    /// Index into [`Language::goods`], where its goods have a name there.
    goods: Option<usize>,
    /// US dollars of its first reference.
    usd: Option<f64>,
    /// Names of its products.
    products: Vec<&'a str>,
    /// Numbers of its products that no other thing has.
    models: Vec<(&'a str, f64)>,
}

/// Makes listings.
pub struct Maker<'a> {
    subjects: Vec<Subject<'a>>,
    rates: Rates,
    rng: Rng,
    made: Vec<Made>,
}

/// What the categories of a catalog are called here.
fn goods_of(category: &[String]) -> Option<usize> {
    let name = category.first()?.to_lowercase();
    let names: [&[&str]; 6] = [
        &["shoes", "footwear", "sneakers"],
        &["tops", "clothing", "hoodies", "apparel"],
        &["bags", "handbags"],
        &["watches"],
        &["fragrance", "perfume", "cosmetics", "beauty", "makeup", "skincare"],
        &["phones"],
    ];
    names.iter().position(|of| of.contains(&name.as_str()))
}

impl<'a> Maker<'a> {
    /// Of the brands of a catalog; the same seed makes the same listings.
    pub fn new(rows: &'a Rows, seed: u64) -> Self {
        let rates = Rates::new(rows.fx.as_ref());
        let mut products: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for product in &rows.products {
            products.entry(product.row.brand_id.as_str()).or_default().push(&product.row);
        }
        let subject = |row: &'a Brand| {
            let own = products.get(row.brand_id.as_str());
            let reference = row.reference_prices.first();
            let usd_of = |p: &touchstone_schemas::ReferencePrice| Some(p.amount.value() * rates.usd(&p.currency)?);
            let model = |p: &&'a touchstone_schemas::Product| {
                let number = p.model_numbers.iter().find(|m| {
                    m.bytes().filter(u8::is_ascii_digit).count() >= 3 && m.bytes().any(|b| b.is_ascii_alphabetic()) && m.len() >= 8
                })?;
                Some((number.as_str(), usd_of(p.reference_prices.first()?)?))
            };
            Subject {
                row,
                goods: reference.and_then(|r| goods_of(&r.category)),
                usd: reference.and_then(usd_of),
                products: own.into_iter().flatten().map(|p| p.name.as_str()).collect(),
                models: own.into_iter().flatten().filter_map(model).collect(),
            }
        };
        let subjects = rows.brands.iter().map(|b| subject(&b.row)).collect();
        Self { subjects, rates, rng: Rng::with_seed(seed), made: Vec::new() }
    }

    /// All classes, `per_brand` listings of each for every brand that it suits.
    pub fn make(mut self, per_brand: usize) -> Vec<Made> {
        for number in 0..self.subjects.len() {
            for _ in 0..per_brand {
                self.tricks(number);
                self.traps(number);
            }
        }
        self.made
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.rng.usize(..of.len())]
    }

    fn language(&mut self) -> &'static Language {
        &LANGUAGES[self.rng.usize(..LANGUAGES.len())]
    }

    /// Goods, name and the rest in one of the orders that sellers write them in.
    fn title(&mut self, goods: &str, name: &str, rest: &str, language: &Language) -> String {
        let tail = self.pick(language.tails);
        match self.rng.u8(..3) {
            0 => format!("{name} {goods} {rest} {tail}"),
            1 => format!("{goods} {name} {rest} {tail}"),
            _ => format!("{rest} {goods} {name} {tail}"),
        }
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
    }

    /// `share` is low and high of the price's share of the reference.
    fn price(&mut self, usd: f64, share: (f64, f64), language: &Language) -> Option<Value> {
        let currency = Currency::new(language.currency)?;
        let rate = self.rates.usd(&currency)?;
        let amount = usd * (share.0 + (share.1 - share.0) * self.rng.f64()) / rate;
        let amount = if amount >= 100.0 { format!("{amount:.0}") } else { format!("{amount:.2}") };
        Some(json!({"amount": amount, "currency": language.currency}))
    }

    fn push(&mut self, class: &str, suspect: bool, brand: &Brand, language: &Language, fields: Value) {
        let id = format!("{class}-{:06}", self.made.len());
        let mut listing = json!({"event_id": id, "op": "upsert", "occurred_at": "2026-11-01T00:00:00Z", "platform": "bazaar",
            "market": language.market, "listing_id": id, "revision": 1, "seller": {"id": format!("s{}", self.rng.u32(..5000))}});
        let fields: Map<String, Value> = serde_json::from_value(fields).unwrap_or_default();
        listing.as_object_mut().into_iter().for_each(|l| l.extend(fields.clone()));
        let label = if suspect { "suspect" } else { "clean" };
        let brand_id = suspect.then(|| brand.brand_id.as_str());
        self.made.push(Made { listing, label: json!({"event_id": id, "label": label, "brand_id": brand_id, "source": class}) });
    }

    /// Titles with a price, where the brand has a reference.
    fn offer(&mut self, class: &str, suspect: bool, number: usize, share: (f64, f64), title: &str, language: &Language) {
        let Some(usd) = self.subjects[number].usd else { return };
        if let Some(price) = self.price(usd, share, language) {
            self.push(class, suspect, self.subjects[number].row, language, json!({"title": title, "price": price}));
        }
    }

    fn tricks(&mut self, number: usize) {
        let row = self.subjects[number].row;
        let Some(goods) = self.subjects[number].goods else { return };
        let name = row.name.clone();
        for disguise in Disguise::ALL {
            let language = self.language();
            if let Some(hidden) = disguise.of(&name, &mut self.rng) {
                let title = self.title(language.goods[goods], &hidden, "", language);
                self.offer(&format!("trick:{}", disguise.name()), true, number, (0.08, 0.3), &title, language);
            }
        }
        // What is no name without its class is told apart by it, which the title names.
        for language in &LANGUAGES {
            let (coded, denial) = (self.pick(language.coded), self.pick(language.denials));
            let title = self.title(language.goods[goods], &name, coded, language);
            self.offer(&format!("trick:coded_{}", language.code), true, number, (0.15, 0.6), &title, language);
            let title = self.title(language.goods[goods], &name, denial, language);
            self.offer(&format!("trick:denial_{}", language.code), true, number, (0.15, 0.6), &title, language);
        }
        let language = self.language();
        let title = self.title(language.goods[goods], &name, "", language);
        self.offer("trick:low_price", true, number, (0.05, 0.2), &title, language);
        let Some(usd) = self.subjects[number].usd else { return };
        let coded = self.pick(language.coded);
        let price = self.price(usd, (0.1, 0.35), language);
        let plain = self.title(language.goods[goods], "", "", language);
        self.push(
            "trick:in_description",
            true,
            row,
            language,
            json!({"title": plain, "description": format!("{name} {coded}"), "price": price}),
        );
        self.push(
            "trick:in_variants",
            true,
            row,
            language,
            json!({"title": plain, "variants": [{"name": format!("{name} {coded}")}], "price": price}),
        );
        self.push("trick:in_picture_text", true, row, language, json!({"title": title, "image_text": [coded], "price": price}));
        let other = self.rng.usize(..self.subjects.len());
        if other != number && self.subjects[other].goods == Some(goods) {
            let both = format!("{name} {}", self.subjects[other].row.name);
            let title = self.title(language.goods[goods], &both, coded, language);
            self.offer("trick:several_brands", true, number, (0.1, 0.4), &title, language);
        }
        if !self.subjects[number].models.is_empty() {
            let models = self.subjects[number].models.clone();
            let (model, usd) = self.pick(&models);
            let title = self.title(language.goods[goods], model, coded, language);
            let price = self.price(usd, (0.1, 0.4), language);
            self.push("trick:model_number", true, row, language, json!({"title": title, "price": price}));
            // Not caught as yet: the name of a line and nothing else. Shown, and held to no target.
            let products = self.subjects[number].products.clone();
            let line = self.pick(&products).replace(&name, "");
            let title = self.title(language.goods[goods], line.trim(), "", language);
            self.push("hard:line_alone", true, row, language, json!({"title": title, "price": price}));
        }
    }

    fn traps(&mut self, number: usize) {
        let row = self.subjects[number].row;
        let name = row.name.clone();
        let language = self.language();
        for language in &LANGUAGES {
            // What goes with phones is honest beside any phone's name.
            if self.subjects[number].goods == Some(5) {
                let phone = row.aliases.first().unwrap_or(&row.name).clone();
                let title = self.pick(language.accessories).replace("{}", &phone);
                self.offer(&format!("trap:accessory_{}", language.code), false, number, (0.01, 0.04), &title, language);
            }
        }
        let lower = name.to_lowercase();
        let inside = format!("{}{lower}{} garden hose 20 m", self.pick(&["ga", "sto", "be"]), self.pick(&["ra", "lin", "tos"]));
        self.offer("trap:inside_word", false, number, (0.02, 0.3), &inside, language);
        let Some(goods) = self.subjects[number].goods else { return };
        let en = &LANGUAGES[0];
        let made = [
            ("trap:fair_price", (0.85, 1.2), self.title(language.goods[goods], &name, "", language), language),
            ("trap:sale", (0.7, 0.84), self.title(language.goods[goods], &name, "", language), language),
            ("trap:book", (0.05, 0.3), format!("The story of {name}: a history of the brand, hardcover book"), en),
            ("trap:empty_box", (0.02, 0.1), format!("Empty box for {name} {}, box only", en.goods[goods]), en),
            ("trap:negated", (0.1, 0.4), format!("Handmade {}, not {name}", en.goods[goods]), en),
            ("trap:repair", (0.05, 0.3), format!("{name} {} repair service", en.goods[goods]), en),
        ];
        for (class, share, title, language) in made {
            self.offer(class, false, number, share, &title, language);
        }
        let used = self.pick(language.used);
        let title = self.title(language.goods[goods], &name, used, language);
        self.offer("trap:used", false, number, (0.3, 0.7), &title, language);
        if goods == 1 {
            self.offer("trap:replica_jersey", false, number, (0.9, 1.6), &format!("{name} home replica jersey 2026"), en);
        }
        if goods == 4 {
            self.offer("trap:sample", false, number, (0.03, 0.1), &format!("{name} perfume sample vial 2 ml"), en);
        }
        let other = self.pick(&[
            "1:1 scale model of a fox, resin kit",
            "5.5 KW diesel generator",
            "AAA battery, pack of 4",
            "OEM brake pads for a truck",
            "class A audio amplifier",
            "mirror with wooden frame",
        ]);
        self.offer("trap:innocent_codes", false, number, (0.05, 0.5), other, en);
    }
}
