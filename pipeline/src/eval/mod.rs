//! Precision and recall against labels.

mod calibration;
mod labels;
mod measure;
mod share;
mod table;

pub(crate) use calibration::Calibration;
pub(crate) use labels::{Label, Truth, read_labels};
pub(crate) use measure::{Judged, measure};
pub(crate) use share::{Share, at_least, real, recall_at};
pub(crate) use table::table;
