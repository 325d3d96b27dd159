//! The labels file: labels by event, and brands' verdicts by listing.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use touchstone_detectors::open;
use touchstone_schemas::{Listing, Timestamp, Verdict, VerdictKind, decode};

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

/// What labels are read by.
#[derive(Deserialize)]
struct Head {
    verdict_id: Option<serde::de::IgnoredAny>,
}

/// Labels that no listing has taken yet.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    by_event: HashMap<String, Label>,
    /// Of each listing the last verdict that says something.
    by_listing: HashMap<String, (Timestamp, Label)>,
}

impl Labels {
    /// The label of a listing's event. One by a verdict goes to the first event of the listing.
    pub(crate) fn take(&mut self, listing: &Listing) -> Option<Label> {
        let by_event = self.by_event.remove(listing.event_id.as_str());
        by_event
            .or_else(|| self.by_listing.remove(&listing.key()).map(|(_, label)| Label { event_id: listing.event_id.to_string(), ..label }))
    }

    /// How many are left.
    pub(crate) fn len(&self) -> usize {
        self.by_event.len() + self.by_listing.len()
    }

    fn add_verdict(&mut self, verdict: &Verdict) {
        let label = match verdict.verdict {
            VerdictKind::Counterfeit => Truth::Suspect,
            VerdictKind::Genuine => Truth::Clean,
            // Goods of another market are genuine, and still nothing to fit on; who is not sure says nothing.
            VerdictKind::Grey | VerdictKind::Unsure => return,
        };
        let key = format!("{}:{}:{}", verdict.platform, verdict.market, verdict.listing_id);
        if self.by_listing.get(&key).is_none_or(|(at, _)| *at <= verdict.at) {
            let (brand_id, source) = (Some(verdict.brand_id.to_string()), format!("verdicts of {}", verdict.platform));
            self.by_listing.insert(key, (verdict.at.clone(), Label { event_id: String::new(), label, brand_id, source }));
        }
    }
}

/// Reads labels, and verdicts as they stand in their topic, one a line.
pub(crate) fn read_labels(path: &Path) -> Result<Labels, Failure> {
    let mut text = String::new();
    open(path)
        .and_then(|mut f| f.read_to_string(&mut text))
        .map_err(|e| Failure::Usage(format!("{}: cannot be read: {e}", path.display())))?;
    let mut labels = Labels::default();
    for (i, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let wrong = |e: &dyn std::fmt::Display| Failure::Usage(format!("{}:{}: not a label: {e}", path.display(), i + 1));
        let head: Head = serde_json::from_str(line).map_err(|e| wrong(&e))?;
        if head.verdict_id.is_some() {
            labels.add_verdict(&decode::<Verdict>(line.as_bytes()).map_err(|e| wrong(&e))?.value);
            continue;
        }
        let label: Label = serde_json::from_str(line).map_err(|e| wrong(&e))?;
        let id = label.event_id.clone();
        if labels.by_event.insert(id.clone(), label).is_some() {
            return Err(wrong(&format!("event_id {id:?} has a label already")));
        }
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn verdicts_are_labels_of_their_listings() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let verdict = |listing: &str, says: &str, hour: u64| {
            json!({"verdict_id": format!("v{listing}{hour}"), "suspect_id": "s", "brand_id": "acme", "platform": "bazaar", "market": "ID",
                "listing_id": listing, "verdict": says, "by": {"type": "brand", "id": "b"}, "at": format!("2026-11-02T{hour:02}:00:00Z")})
        };
        let rows = [
            json!({"event_id": "e3", "label": "suspect", "brand_id": "acme", "source": "web"}),
            verdict("1", "counterfeit", 9),
            verdict("1", "genuine", 8),
            verdict("2", "genuine", 9),
            verdict("4", "unsure", 9),
        ];
        let text: String = rows.iter().map(|row| format!("{row}\n")).collect();
        std::fs::write(file.path(), text).expect("a file");
        let mut labels = read_labels(file.path()).expect("labels");
        let mut told = |listing: &str| {
            let text =
                json!({"event_id": format!("e{listing}"), "op": "upsert", "occurred_at": "2026-11-01T00:00:00Z", "platform": "bazaar",
                "market": "ID", "listing_id": listing, "revision": 1, "seller": {"id": "s"}, "title": "t"})
                .to_string();
            let listing = decode::<Listing>(text.as_bytes()).expect("a listing").value;
            labels.take(&listing).map(|label| (label.event_id, label.label, label.source))
        };
        assert_eq!(told("1"), Some(("e1".to_owned(), Truth::Suspect, "verdicts of bazaar".to_owned())), "the last word counts");
        assert_eq!(told("1"), None, "once");
        assert_eq!(told("2").map(|label| label.1), Some(Truth::Clean));
        assert_eq!(told("3"), Some(("e3".to_owned(), Truth::Suspect, "web".to_owned())));
        assert_eq!(told("4"), None);
        assert_eq!(labels.len(), 0);
        std::fs::write(file.path(), "{\"verdict_id\": \"v\"}").expect("a file");
        let fault = read_labels(file.path()).expect_err("a fault").to_string();
        assert!(fault.contains(":1: not a label: "), "{fault}");
    }
}
