//! `touchstone report`: what a brand and a platform went through together in a period.
//!
//! `tally.rs` gathers what records say, in any order; `reckon.rs` makes the figures of it, `csv.rs` and `html.rs` write them.

mod csv;
mod figures;
mod html;
mod period;
mod reckon;
mod tally;
#[cfg(test)]
mod tests;

pub(crate) use csv::csv;
pub(crate) use html::html;
pub(crate) use period::{Period, moment};
pub(crate) use tally::{Only, TOPICS, Tally};
