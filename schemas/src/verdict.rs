//! The verdict event: what a brand says of a suspect.

use crate::decode::{choice, record};
use crate::forms::{BrandId, Market};
use crate::listing::Id;
use crate::time::Timestamp;

choice! {
    /// What the brand says.
    pub enum VerdictKind {
        /// A copy.
        Counterfeit = "counterfeit",
        /// Genuine.
        Genuine = "genuine",
        /// Genuine, from another market.
        Grey = "grey",
        /// Not to be told.
        Unsure = "unsure",
    }
}

choice! {
    /// Who says it.
    pub enum GiverType {
        /// The brand.
        Brand = "brand",
        /// Somebody who acts for it.
        Agent = "agent",
        /// The platform's moderator.
        Moderator = "moderator",
    }
}

choice! {
    /// What proves it.
    pub enum ProofType {
        /// A test purchase.
        TestPurchase = "test_purchase",
        /// A document.
        Document = "document",
    }
}

record! {
    /// Who gave a verdict or a notice.
    pub struct Giver {
        /// In which role.
        req r#type: GiverType,
        /// Their id.
        req id: Id,
    }
}

record! {
    /// A proof.
    pub struct Proof {
        /// What it is.
        req r#type: ProofType,
        /// Where it is kept.
        req r#ref: String,
    }
}

record! {
    /// What a brand says of a suspect.
    pub struct Verdict {
        /// Its id.
        req verdict_id: Id,
        /// The suspect.
        req suspect_id: Id,
        /// The brand.
        req brand_id: BrandId,
        /// The platform.
        req platform: Id,
        /// The market.
        req market: Market,
        /// The listing.
        req listing_id: Id,
        /// What it says.
        req verdict: VerdictKind,
        /// The rights holder's code for the reason.
        opt reason_code: String,
        /// Who says it.
        req by: Giver,
        /// When.
        req at: Timestamp,
        /// In words.
        opt note: String,
        /// What proves it.
        list proof: Proof,
        /// The verdict that this one replaces.
        opt supersedes: String,
    }
}
