//! Product match: candidates from an index by the rarest words, then a comparison.

mod compare;
mod index;
mod pieces;

pub(crate) use index::{ProductIndex, ProductText, Retrieved};
pub(crate) use pieces::pieces;
