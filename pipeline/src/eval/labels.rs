//! The labels file.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use touchstone_detectors::open;

use crate::failure::Failure;

/// What is known of a listing.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Label {
    pub(crate) event_id: String,
    pub(crate) label: Truth,
    pub(crate) brand_id: Option<String>,
    #[serde(default)]
    pub(crate) source: String,
}

/// Whether the listing is suspect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Truth {
    Suspect,
    Clean,
}

/// Reads labels by event id.
pub(crate) fn read_labels(path: &Path) -> Result<HashMap<String, Label>, Failure> {
    let mut text = String::new();
    open(path)
        .and_then(|mut f| f.read_to_string(&mut text))
        .map_err(|e| Failure::Usage(format!("{}: cannot be read: {e}", path.display())))?;
    let mut labels = HashMap::new();
    for (i, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let wrong = |e: &dyn std::fmt::Display| Failure::Usage(format!("{}:{}: not a label: {e}", path.display(), i + 1));
        let label: Label = serde_json::from_str(line).map_err(|e| wrong(&e))?;
        let id = label.event_id.clone();
        if labels.insert(id.clone(), label).is_some() {
            return Err(wrong(&format!("event_id {id:?} has a label already")));
        }
    }
    Ok(labels)
}
