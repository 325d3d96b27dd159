//! Standing: how much and how accurately each brand reports, and the tier that this puts it in.
//!
//! `docs/life.md` says what is counted. The [`Ledger`] is a pure function of a set of records, whatever their order: of each matter it keeps
//! what was said and ordered, and a record that comes moves what the matter's filings count as from one class to another.

mod counts;
mod explain;
mod key;
mod ledger;
mod lists;
mod matter;
mod measure;
#[cfg(test)]
mod properties;
mod tiers;
#[cfg(test)]
mod tiers_tests;

pub use explain::Explanation;
pub use ledger::{DueAt, Ledger};
