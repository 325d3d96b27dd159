//! The suspect event: a listing that a brand would probably call counterfeit.

use crate::catalog::Fingerprint;
use crate::decode::{choice, record};
use crate::evidence::Evidence;
use crate::forms::{BrandId, Market, Score};
use crate::listing::{Condition, Id, Price, Seller};
use crate::time::Timestamp;

choice! {
    /// What became of the suspicion.
    pub enum SuspectOp {
        /// It stands, or stands anew.
        Upsert = "upsert",
        /// It is taken back.
        Withdraw = "withdraw",
    }
}

choice! {
    /// Why a suspicion was taken back.
    pub enum WithdrawnBecause {
        /// The seller changed the listing.
        Edited = "edited",
        /// The listing is gone.
        ListingRemoved = "listing_removed",
        /// The catalog changed.
        Catalog = "catalog",
        /// The policy changed.
        Policy = "policy",
        /// The seller is authorised.
        Authorised = "authorised",
    }
}

choice! {
    /// What the score advises, from the weakest to the strongest.
    pub enum Band {
        /// Ask the brand.
        AskBrand = "ask_brand",
        /// Report it.
        Report = "report",
        /// Remove it.
        Remove = "remove",
    }
}

choice! {
    /// What is wrong with the listing.
    pub enum Reason {
        /// The goods are probably copies.
        Counterfeit = "counterfeit",
        /// The brand's name is used for other goods.
        TrademarkMisuse = "trademark_misuse",
        /// The brand's picture is used.
        ImageMisuse = "image_misuse",
        /// Genuine goods from another market.
        GreyMarket = "grey_market",
    }
}

record! {
    /// What lowered the band.
    pub struct Cap {
        /// Name of the rule.
        req rule: String,
        /// The highest band that the rule allows.
        req max_band: Band,
    }
}

record! {
    /// The thresholds that the band was chosen by.
    pub struct BandThresholds {
        /// Lowest score of `remove`.
        req remove: Score,
        /// Lowest score of `report`.
        req report: Score,
        /// Lowest score of `ask_brand`; nothing is emitted under it.
        req ask_brand: Score,
    }
}

record! {
    /// A picture of the listing.
    pub struct ImageExcerpt {
        /// Its index in the listing.
        req index: u64,
        /// Where it can be fetched.
        opt url: String,
        /// SHA-256 of its bytes.
        opt sha256: String,
    }
}

record! {
    /// What the event repeats of the listing.
    pub struct ListingExcerpt {
        /// The platform.
        req platform: Id,
        /// The market.
        req market: Market,
        /// The platform's id of the listing.
        req listing_id: Id,
        /// The revision looked at.
        req revision: u64,
        /// Where it can be seen.
        opt url: String,
        /// The title.
        req title: String,
        /// The first 280 characters of the description.
        opt description_excerpt: String,
        /// The brand as declared.
        opt brand: String,
        /// The platform's category.
        list category: String,
        /// The state of the goods.
        opt condition: Condition,
        /// What it costs.
        opt price: Price,
        /// Who sells.
        req seller: Seller,
        /// Its pictures.
        list images: ImageExcerpt,
    }
}

record! {
    /// A picture that was looked at, or why it was not.
    pub struct ImageSeen {
        /// Its index in the listing.
        req index: u64,
        /// SHA-256 of its bytes.
        opt sha256: String,
        /// What it was reduced to, without local features: a confirmed fake is known again by it.
        opt fingerprint: Fingerprint,
        /// Why it could not be looked at.
        opt error: String,
    }
}

record! {
    /// A suspicion of one brand against one listing.
    pub struct Suspect {
        /// The matter between this brand and this listing, through all revisions.
        req suspect_id: String,
        /// This look at it.
        req detection_id: String,
        /// Whether it stands.
        req op: SuspectOp,
        /// Why it was taken back.
        opt withdrawn_because: WithdrawnBecause,
        /// The listing event's id.
        req event_id: Id,
        /// The listing event's time.
        req occurred_at: Timestamp,
        /// 0, then 1 and up when pictures came late.
        req pass: u64,
        /// The detection that this one replaces.
        opt supersedes: String,
        /// Hash of title, description, brand, seller and pictures: a verdict holds until it changes.
        req content_hash: String,
        /// The listing.
        req listing: ListingExcerpt,
        /// The brand.
        req brand_id: BrandId,
        /// The product, where one was recognised.
        null product_id: String,
        /// Probability that the brand would confirm it, at the policy's base rate.
        req score: Score,
        /// What the score advises.
        req band: Band,
        /// What lowered the band.
        array caps: Cap,
        /// The thresholds in force.
        req thresholds: BandThresholds,
        /// What is wrong.
        req reason: Reason,
        /// The findings; their weights sum to the score's log-odds.
        array evidence: Evidence,
        /// The pictures looked at.
        array images_seen: ImageSeen,
        /// Hash of the catalog.
        req catalog_version: String,
        /// Hash of the policy.
        req policy_version: String,
        /// Version of the program.
        req engine_version: String,
        /// When it was found, by the clock.
        req detected_at: Timestamp,
    }
}
