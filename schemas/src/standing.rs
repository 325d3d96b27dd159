//! Standing: how much, and how accurately, a brand reports.

use std::collections::BTreeMap;

use crate::decode::record;
use crate::forms::{BrandId, Score};
use crate::time::Timestamp;

record! {
    /// Volume and accuracy under one reason code or of one reporter.
    pub struct Shares {
        /// Verdicts and notices given.
        req volume: u64,
        /// Share that ended in a removal.
        opt upheld: Score,
        /// Share that a seller countered with success.
        opt countered: Score,
    }
}

record! {
    /// A brand's standing.
    pub struct Standing {
        /// The brand.
        req brand_id: BrandId,
        /// The tier.
        req tier: String,
        /// Since when.
        req since: Timestamp,
        /// Why, in words.
        list why: String,
        /// Verdicts and notices in the window.
        req volume: u64,
        /// By reason code.
        opt by_reason_code: BTreeMap<String, Shares>,
        /// By reporter.
        opt by_reporter: BTreeMap<String, Shares>,
    }
}
