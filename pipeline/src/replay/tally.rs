//! Counts of differences by brand and band, with the first of each kept. Pure.

use std::collections::BTreeMap;

use serde::Serialize;
use touchstone_detectors::{ENGINE_VERSION, Scanner};
use touchstone_schemas::BrandId;

use super::difference::{Change, Difference};

/// Samples that are kept in all: each is a few kilobytes.
const MOST: usize = 10_000;

/// Differences by brand and what changed.
pub(crate) struct Tally {
    listings: u64,
    before: u64,
    after: u64,
    rows: BTreeMap<(BrandId, Change), Row>,
    /// Samples that are kept of each row.
    of_each: usize,
    kept: usize,
}

#[derive(Default)]
struct Row {
    count: u64,
    samples: Vec<Difference>,
}

impl Tally {
    /// Keeps the first `of_each` samples of each row.
    pub(crate) fn new(of_each: usize) -> Self {
        Self { listings: 0, before: 0, after: 0, rows: BTreeMap::new(), of_each, kept: 0 }
    }

    /// Counts a listing that was looked at, with its suspects before and after, and its differences.
    pub(crate) fn add(&mut self, before: u64, after: u64, differences: Vec<Difference>) {
        self.listings += 1;
        self.before += before;
        self.after += after;
        for difference in differences {
            let row = self.rows.entry((difference.brand_id.clone(), difference.change)).or_default();
            row.count += 1;
            if row.samples.len() < self.of_each && self.kept < MOST {
                self.kept += 1;
                row.samples.push(difference);
            }
        }
    }

    /// All that was counted, by brand and what changed.
    pub(crate) fn report(self, before: &Scanner, after: &Scanner, outcomes: serde_json::Value) -> Report {
        let listings = self.listings;
        let row = |((brand_id, change), row): ((BrandId, Change), Row)| Counted {
            brand_id,
            change,
            count: row.count,
            per_million: per_million(row.count, listings),
            samples: row.samples,
        };
        Report {
            before: Side::of(before, self.before),
            after: Side::of(after, self.after),
            engine_version: ENGINE_VERSION,
            outcomes,
            compared: listings,
            differences: self.rows.into_iter().map(row).collect(),
        }
    }
}

/// What was found under one catalog and one policy.
#[derive(Serialize)]
pub(crate) struct Side {
    pub(super) catalog_version: String,
    pub(super) policy_version: String,
    pub(super) suspects: u64,
}

impl Side {
    fn of(scanner: &Scanner, suspects: u64) -> Self {
        Self { catalog_version: scanner.catalog().version().to_owned(), policy_version: scanner.policy().version().to_owned(), suspects }
    }
}

/// The differences of a range.
#[derive(Serialize)]
pub(crate) struct Report {
    pub(super) before: Side,
    pub(super) after: Side,
    pub(super) engine_version: &'static str,
    /// Inputs by what became of them after.
    pub(super) outcomes: serde_json::Value,
    /// Listings that were scanned under both.
    pub(super) compared: u64,
    pub(super) differences: Vec<Counted>,
}

/// The differences of one brand in which the same changed.
#[derive(Serialize)]
pub(crate) struct Counted {
    pub(super) brand_id: BrandId,
    #[serde(flatten)]
    pub(super) change: Change,
    pub(super) count: u64,
    /// Of a million listings that were compared, to one decimal.
    pub(super) per_million: f64,
    pub(super) samples: Vec<Difference>,
}

/// A count of a million listings, to one decimal; zero of none.
// Counts are far below what a float holds exactly.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn per_million(count: u64, listings: u64) -> f64 {
    (count as f64 * 1e7 / listings.max(1) as f64).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::super::difference::differences;
    use super::super::difference::tests::suspect;
    use super::*;

    #[test]
    fn differences_are_counted_by_row_and_the_first_of_each_are_kept() {
        let mut tally = Tally::new(2);
        for score in [0.61, 0.62, 0.63] {
            tally.add(0, 1, differences(&[], &[suspect("b", score, "ask_brand", &[])]));
        }
        tally.add(1, 0, differences(&[suspect("a", 0.95, "report", &[])], &[]));
        let rows: Vec<_> =
            tally.rows.iter().map(|((brand, change), row)| (brand.as_str(), change.name(), row.count, row.samples.len())).collect();
        assert_eq!(rows, [("a", "gone", 1, 1), ("b", "new", 3, 2)]);
        let (_, kept) = tally.rows.last_key_value().expect("a row");
        assert_eq!(
            kept.samples.iter().filter_map(|s| s.score_after).map(touchstone_schemas::Score::to_f64).collect::<Vec<_>>(),
            [0.61, 0.62]
        );
        assert_eq!((tally.listings, tally.before, tally.after), (4, 1, 3));
    }

    #[test]
    fn shares_are_of_a_million() {
        for (count, listings, expected) in [(0, 0, 0.0), (1, 4, 250_000.0), (1, 3_000_000, 0.3), (2, 3, 666_666.7)] {
            assert!((per_million(count, listings) - expected).abs() < 1e-9, "{count} of {listings}");
        }
    }
}
