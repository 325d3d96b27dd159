//! Product match: candidates from an index by the rarest words, then a comparison.

mod compare;
mod index;
mod pieces;
mod sets;
mod shelf;
mod terms;

pub(crate) use compare::Query as ProductQuery;
pub(crate) use index::{ProductIndex, ProductText, Retrieved};
pub(crate) use pieces::pieces;
