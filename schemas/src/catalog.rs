//! The rows of a catalog folder, which are the kinds of the `catalog` topic too.

use std::collections::BTreeMap;

use crate::decode::{choice, record};
use crate::forms::{Amount, BrandId, Currency, Market, Score};
use crate::listing::{Condition, Id};
use crate::time::Timestamp;

record! {
    /// A registered mark.
    pub struct Trademark {
        /// Number of the registration.
        req number: String,
        /// The office that registered it.
        req office: String,
        /// Nice classes covered, 1 to 45.
        list nice_classes: u64,
        /// Markets covered.
        list markets: Market,
        /// Until when.
        opt valid_until: Timestamp,
    }
}

record! {
    /// What something usually costs when new, unless said otherwise.
    pub struct ReferencePrice {
        /// The category, as the platform or the catalog names it.
        list category: String,
        /// Decimal amount for one piece.
        req amount: Amount,
        /// ISO 4217 code.
        req currency: Currency,
        /// The market where it holds; everywhere when absent.
        opt market: Market,
        /// The state of the goods.
        opt condition: Condition,
    }
}

record! {
    /// Thresholds of a brand's own.
    #[derive(Default)]
    pub struct Thresholds {
        /// Lowest score of `remove`.
        opt remove: Score,
        /// Lowest score of `report`.
        opt report: Score,
        /// Lowest score of `ask_brand`.
        opt ask_brand: Score,
    }
}

record! {
    /// A protected brand.
    pub struct Brand {
        /// Its id.
        req brand_id: BrandId,
        /// Its name.
        req name: String,
        /// Other names that it trades under.
        list aliases: String,
        /// Names that buyers and copyists use for it.
        list nicknames: String,
        /// The name is an ordinary word too, and needs a second anchor.
        flag ambiguous: bool,
        /// The brand has a topic of its own.
        flag own_topic: bool,
        /// Who holds the rights.
        opt rights_holder_id: String,
        /// Its marks.
        list trademarks: Trademark,
        /// What it makes.
        list categories: String,
        /// What its goods usually cost.
        list reference_prices: ReferencePrice,
        /// Thresholds of its own.
        opt thresholds: Thresholds,
    }
}

record! {
    /// What a picture was reduced to by `catalog hash`.
    pub struct Fingerprint {
        /// Name and version of the method.
        req algo: String,
        /// The hash, hexadecimal.
        req hex: String,
        /// Local features, base64.
        opt features: String,
    }
}

record! {
    /// A picture of genuine goods, by one of these keys.
    pub struct ReferenceImage {
        /// A file in the catalog folder.
        opt path: String,
        /// Where it can be fetched.
        opt url: String,
        /// What it was reduced to.
        opt fingerprint: Fingerprint,
        /// Its PDQ hash, 64 hexadecimal digits.
        opt pdq: String,
    }
}

record! {
    /// A genuine product.
    pub struct Product {
        /// Its id.
        req product_id: Id,
        /// Its brand.
        req brand_id: BrandId,
        /// Its name.
        req name: String,
        /// Model and style numbers.
        list model_numbers: String,
        /// Global trade item numbers.
        list gtins: String,
        /// Its category.
        list category: String,
        /// How many pieces a package holds.
        opt units: u64,
        /// What it usually costs.
        list reference_prices: ReferencePrice,
        /// Its pictures.
        list images: ReferenceImage,
    }
}

record! {
    /// Somebody who acts for a rights holder.
    pub struct Agent {
        /// The agent's id.
        req agent_id: Id,
        /// The agent's name.
        req name: String,
        /// Brands that the agent acts for.
        list brands: BrandId,
        /// Markets that the agent acts in.
        list markets: Market,
        /// Until when.
        opt valid_until: Timestamp,
    }
}

record! {
    /// Who holds the rights in brands.
    pub struct RightsHolder {
        /// Its id.
        req rights_holder_id: Id,
        /// Its name.
        opt name: String,
        /// Programmes that it takes part in.
        list programmes: String,
        /// Whom to ask.
        opt contact: String,
        /// Who acts for it.
        list agents: Agent,
    }
}

record! {
    /// A seller that a brand authorised.
    pub struct AuthorisedSeller {
        /// The brand.
        req brand_id: BrandId,
        /// The platform.
        req platform: Id,
        /// The platform's id of the seller.
        req seller_id: Id,
        /// Markets that it holds in; all when empty.
        list markets: Market,
        /// From when.
        opt valid_from: Timestamp,
        /// Until when.
        opt valid_until: Timestamp,
    }
}

record! {
    /// A seller found with fakes before.
    pub struct Offender {
        /// The platform.
        req platform: Id,
        /// The platform's id of the seller.
        req seller_id: Id,
        /// How many confirmed fakes.
        opt confirmed: u64,
        /// Since when.
        opt since: Timestamp,
    }
}

record! {
    /// A confirmed fake, by its picture or its text.
    pub struct KnownFake {
        /// Its id.
        req id: Id,
        /// The brand that it copies.
        req brand_id: BrandId,
        /// What its picture was reduced to.
        opt fingerprint: Fingerprint,
        /// Its picture, a file in the catalog folder.
        opt path: String,
        /// Its text.
        opt text: String,
        /// The verdict that it came from.
        opt source_verdict: String,
        /// Until when it counts.
        opt expires_at: Timestamp,
    }
}

record! {
    /// A platform's category and the class that it means.
    pub struct CategoryMapping {
        /// The platform; all when absent.
        opt platform: Id,
        /// The market; all when absent.
        opt market: Market,
        /// The platform's id of the category.
        opt category_id: String,
        /// The category's path, from the root down.
        list path: String,
        /// The class, of the closed list.
        req class: String,
    }
}

choice! {
    /// What a phrase says.
    pub enum PhraseKind {
        /// The goods are copies.
        Coded = "coded",
        /// The goods are not genuine, said plainly.
        Denial = "denial",
        /// The goods are genuine, said too loudly.
        Overclaim = "overclaim",
        /// Deal outside the platform.
        OffPlatform = "off_platform",
        /// Goods from another market.
        Grey = "grey",
        /// Before a brand's name: made for it and not by it.
        Relation = "relation",
        /// After a brand's name: made for it and not by it.
        RelationAfter = "relation_after",
        /// Goods that go with other goods.
        Accessory = "accessory",
        /// A part of the goods.
        Part = "part",
        /// Used goods.
        Used = "used",
        /// A sample.
        Sample = "sample",
        /// Packaging without the goods.
        Packaging = "packaging",
        /// About a brand.
        About = "about",
        /// A model of the goods.
        ScaleModel = "scale_model",
        /// Before something given on top.
        FreeGift = "free_gift",
    }
}

record! {
    /// A phrase of a pack.
    pub struct Phrase {
        /// The phrase as sellers write it; `#` stands for any number.
        req phrase: String,
        /// Its language.
        req language: String,
        /// What it says.
        req says: PhraseKind,
        /// How much it says, over 0 to 1.
        req strength: Score,
        /// Classes of goods where it means something else.
        list not_in: String,
        /// Who attested it.
        req attested: String,
    }
}

record! {
    /// Exchange rates.
    pub struct Fx {
        /// The currency that `per_base` counts from.
        opt base: Currency,
        /// The day of the rates.
        req as_of: String,
        /// Units of each currency for one of the base, as decimal strings.
        opt per_base: BTreeMap<String, Amount>,
        /// The same in US dollars and as numbers.
        opt per_usd: BTreeMap<String, f64>,
    }
}

record! {
    /// Closes a set of catalog records.
    pub struct SetVersion {
        /// Hash of the canonical rows, as the program that wrote them reckons it.
        opt catalog_version: String,
        /// How many rows the set has, by kind.
        opt rows: BTreeMap<String, u64>,
        /// When it was published.
        opt published_at: Timestamp,
        /// It may have far fewer rows than the one before.
        flag may_shrink: bool,
    }
}
