//! What Touchstone is measured with: a generator of evasions and of honest look-alikes. See QUALITY.md for the figures.

pub mod disguise;
pub mod listings;
pub mod words;
