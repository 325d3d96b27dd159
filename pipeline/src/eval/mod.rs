//! Precision and recall against labels.

mod calibration;
mod labels;
mod measure;
mod table;

pub(crate) use calibration::Calibration;
pub(crate) use labels::{Label, Truth, read_labels};
pub(crate) use measure::{Judged, measure};
pub(crate) use table::table;
