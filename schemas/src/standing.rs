//! Standing: how much, and how accurately, a brand reports.

use std::collections::BTreeMap;

use crate::decode::record;
use crate::forms::{BrandId, Score};
use crate::time::Timestamp;

record! {
    /// Volume and accuracy: of a brand, under one reason code, or of one reporter.
    pub struct Shares {
        /// Filings: verdicts that say counterfeit, and notices.
        req volume: u64,
        /// Filings of which it is not known yet how they end.
        opt open: u64,
        /// Share of the others that ended in a removal.
        opt upheld: Score,
        /// Share of the others that a seller countered with success.
        opt countered: Score,
        /// Share of the others that were refused.
        opt rejected: Score,
        /// Share of answers to questions that came in time.
        opt in_time: Score,
    }
}

record! {
    /// A finding that the brand denies too often: nothing is removed on it alone.
    pub struct Failing {
        /// What it is: kind, phrase or reference.
        req kind: String,
        /// Which one.
        req key: String,
        /// Share of the verdicts that confirm.
        req precision: Score,
        /// Verdicts on suspects that were found by it.
        req verdicts: u64,
    }
}

record! {
    /// A brand's standing.
    pub struct Standing {
        /// The brand.
        req brand_id: BrandId,
        /// The tier: one of the policy's, `standard` or `restricted`.
        req tier: String,
        /// Since when.
        req since: Timestamp,
        /// The day up to which it is counted.
        opt as_of: Timestamp,
        /// Why, in words.
        list why: String,
        /// Filings in the window.
        req volume: u64,
        /// Of all filings.
        opt overall: Shares,
        /// By reason code.
        opt by_reason_code: BTreeMap<String, Shares>,
        /// By reporter.
        opt by_reporter: BTreeMap<String, Shares>,
        /// Findings that the brand denies too often.
        list failing: Failing,
    }
}
