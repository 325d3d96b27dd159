//! What Touchstone is measured with: a generator of evasions and of honest look-alikes, whose figures QUALITY.md has, and one of load.

pub mod disguise;
pub mod listings;
pub mod load;
pub mod words;
