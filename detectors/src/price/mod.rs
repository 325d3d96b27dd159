//! Price evidence: one piece's price beside what such goods cost.

mod detector;
mod reference;

pub(crate) use detector::PriceDetector;
