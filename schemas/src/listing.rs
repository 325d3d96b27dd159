//! The listing event: a listing was created, changed or removed.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::decode::{Decode, Decoder, Fault, FaultReason, choice, record};
use crate::forms::{Amount, Currency, Market, PdqHex, Sha256Hex};
use crate::time::Timestamp;

choice! {
    /// What happened to the listing.
    pub enum Op {
        /// It was created or changed.
        Upsert = "upsert",
        /// It is gone.
        Remove = "remove",
    }
}

choice! {
    /// The state of the goods.
    pub enum Condition {
        /// New.
        New = "new",
        /// Used.
        Used = "used",
        /// Used and restored.
        Refurbished = "refurbished",
        /// Not known.
        Unknown = "unknown",
    }
}

choice! {
    /// What the platform knows about a seller.
    pub enum Tier {
        /// The brand's own store.
        Official = "official",
        /// Authorised by the brand, says the platform.
        Authorised = "authorised",
        /// Vetted by the platform.
        Mall = "mall",
        /// Anybody.
        Standard = "standard",
    }
}

choice! {
    /// What two sellers may share.
    pub enum LinkKind {
        /// A payout account.
        Payout = "payout",
        /// A device.
        Device = "device",
        /// A phone number.
        Phone = "phone",
        /// An address.
        Address = "address",
        /// A tax number.
        Tax = "tax",
    }
}

record! {
    /// A price.
    pub struct Price {
        /// Decimal amount in whole units of the currency.
        req amount: Amount,
        /// ISO 4217 code.
        req currency: Currency,
    }
}

record! {
    /// Something that may join a seller to another.
    pub struct SellerLink {
        /// What it is.
        req kind: LinkKind,
        /// An opaque hash of it.
        req key: String,
    }
}

record! {
    /// Who sells.
    #[derive(Default)]
    pub struct Seller {
        /// The platform's id of the seller.
        req id: Id,
        /// The shop's name.
        opt name: String,
        /// What the platform knows about the seller.
        opt tier: Tier,
        /// Country of the seller.
        opt country: Market,
        /// When the seller joined the platform.
        opt joined_at: Timestamp,
        /// What may join the seller to others.
        list links: SellerLink,
    }
}

record! {
    /// One of several goods under a listing.
    #[derive(Default)]
    pub struct Variant {
        /// The platform's id of the variant.
        opt id: String,
        /// The variant's name.
        opt name: String,
        /// What it costs.
        opt price: Price,
        /// What it is said to have cost before.
        opt list_price: Price,
        /// How many pieces one buys.
        opt units: u64,
        /// Further attributes.
        opt attributes: BTreeMap<String, String>,
        /// Which of the listing's pictures show it.
        list image_indexes: u64,
    }
}

record! {
    /// A picture, by any of these keys.
    #[derive(Default)]
    pub struct Image {
        /// Where it can be fetched.
        opt url: String,
        /// SHA-256 of its bytes, hexadecimal.
        opt sha256: Sha256Hex,
        /// A file beside the listings file; in file mode only.
        opt path: String,
        /// Its bytes in base64.
        opt data: String,
        /// Its PDQ hash, 64 hexadecimal digits.
        opt pdq: PdqHex,
    }
}

record! {
    /// How the listing does.
    pub struct Stats {
        /// Pieces sold.
        opt sold: u64,
        /// Mean rating.
        opt rating: f64,
        /// Number of reviews.
        opt reviews: u64,
        /// Pieces in stock.
        opt stock: u64,
    }
}

/// An id that some platform gave: 1 to 256 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize)]
#[serde(transparent)]
pub struct Id(String);

impl Id {
    /// The text as an id, if it has 1 to 256 bytes.
    pub fn new(text: &str) -> Option<Self> {
        (1..=256).contains(&text.len()).then(|| Self(text.to_owned()))
    }

    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Decode for Id {
    fn decode(raw: &RawValue, decoder: &mut Decoder) -> Result<Self, Fault> {
        let text = String::decode(raw, decoder)?;
        if (1..=256).contains(&text.len()) {
            Ok(Self(text))
        } else {
            Err(decoder.fault(FaultReason::WrongForm, format!("expected 1 to 256 bytes, found {}", text.len())))
        }
    }

    fn strict<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::strict::text(deserializer, |text| (1..=256).contains(&text.len()).then(|| Self(text.to_owned())))
    }
}

impl crate::decode::Schema for Id {
    fn schema() -> serde_json::Value {
        serde_json::json!({"type": "string", "minLength": 1, "maxLength": 256})
    }
}

record! {
    /// A listing was created, changed or removed; `title` and `seller` are required on upsert.
    pub struct Listing {
        /// Id of the event; the same id again gives the same output again.
        req event_id: Id,
        /// What happened.
        req op: Op,
        /// When it happened; validity of catalog rows is judged at this time.
        req occurred_at: Timestamp,
        /// The platform that carries the listing.
        req platform: Id,
        /// The market that the listing is offered in.
        req market: Market,
        /// The platform's id of the listing.
        req listing_id: Id,
        /// Grows with every change; what is not above one already seen is stale.
        req revision: u64,
        /// Who sells; required on upsert.
        opt seller: Seller,
        /// The listing's title; required on upsert.
        opt title: String,
        /// The description.
        opt description: String,
        /// Where the listing can be seen.
        opt url: String,
        /// Language of the texts, BCP 47.
        opt language: String,
        /// The brand as the seller declared it.
        opt brand: String,
        /// The state of the goods.
        opt condition: Condition,
        /// The platform's category, from the root down.
        list category: String,
        /// The platform's id of the category.
        opt category_id: String,
        /// What it costs.
        opt price: Price,
        /// What it is said to have cost before.
        opt list_price: Price,
        /// How many pieces one buys.
        opt units: u64,
        /// Several goods under one listing.
        slots variants: Variant,
        /// Further attributes such as gtin and model.
        opt attributes: BTreeMap<String, String>,
        /// How the listing does.
        opt stats: Stats,
        /// Its pictures.
        slots images: Image,
        /// Text that the platform read in the pictures.
        slots image_text: String,
    } check Self::upsert_is_complete
}

impl Listing {
    /// The key of every record about this listing: `platform:market:listing_id`.
    pub fn key(&self) -> String {
        format!("{}:{}:{}", self.platform, self.market, self.listing_id)
    }

    /// The title; empty on remove.
    pub fn title(&self) -> &str {
        self.title.as_deref().unwrap_or_default()
    }

    fn upsert_is_complete(&self, decoder: &mut Decoder) -> Result<(), Fault> {
        match self.op {
            Op::Upsert => decoder.insist(self.seller.is_some(), "seller").and(decoder.insist(self.title.is_some(), "title")),
            Op::Remove => Ok(()),
        }
    }
}
