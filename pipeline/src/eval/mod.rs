//! Precision and recall against labels.

mod labels;
mod measure;
mod table;

pub(crate) use labels::read_labels;
pub(crate) use measure::{Judged, measure};
pub(crate) use table::table;
