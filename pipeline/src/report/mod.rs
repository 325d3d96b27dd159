//! `scan --report`: one self-contained page to look through the suspects.
//!
//! The page holds the suspects as JSON and shows them by itself; pictures are small copies within it. Nothing is fetched.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use touchstone_detectors::{Catalog, Picture, thumbnail};
use touchstone_schemas::{Listing, Suspect};

use crate::failure::Failure;
use crate::pictures;
use crate::summary::Summary;

static PAGE: &str = include_str!("page.html");

/// Suspects on one page; more make a page that no browser opens in a second.
const MOST_SUSPECTS: usize = 2_000;
/// Pictures shown of one listing.
const MOST_PICTURES: usize = 4;
/// The longer side of a small copy, in pixels.
const SIDE: u32 = 280;
/// Bytes of all small copies together.
const MOST_BYTES: usize = 48 << 20;

/// What goes onto the page.
pub(crate) struct Report {
    path: PathBuf,
    suspects: Vec<Value>,
    left_out: u64,
    /// Small copies by SHA-256.
    pictures: BTreeMap<String, String>,
    references: BTreeMap<String, Option<String>>,
    bytes: usize,
}

impl Report {
    /// A report that will be written to a file.
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), suspects: Vec::new(), left_out: 0, pictures: BTreeMap::new(), references: BTreeMap::new(), bytes: 0 }
    }

    /// Adds the suspects of one listing, with its pictures and those of the catalog that it shows.
    pub(crate) fn add(&mut self, listing: &Listing, folder: &Path, seen: &[Picture], suspects: &[Suspect], catalog: &Catalog) {
        for suspect in suspects {
            if self.suspects.len() == MOST_SUSPECTS {
                self.left_out += 1;
                continue;
            }
            let shown: Vec<usize> = suspect.evidence.iter().filter_map(|e| e.image_index).filter_map(|i| usize::try_from(i).ok()).collect();
            let others = 0..listing.images.len().min(MOST_PICTURES);
            for i in shown.into_iter().chain(others) {
                self.add_picture(listing, folder, seen, i);
            }
            for evidence in suspect.evidence.iter().filter(|e| e.image_index.is_some()) {
                self.add_reference(evidence.reference.as_deref().unwrap_or_default(), catalog);
            }
            // Made of strings, numbers and lists: it is always JSON.
            self.suspects.push(serde_json::to_value(suspect).unwrap_or_default());
        }
    }

    fn add_picture(&mut self, listing: &Listing, folder: &Path, seen: &[Picture], index: usize) {
        let Some((image, sum)) = listing.images.get(index).zip(seen.get(index).and_then(|p| p.sha256.clone())) else { return };
        if !self.pictures.contains_key(&sum)
            && let Ok(bytes) = pictures::bytes(image, Some(folder))
            && let Some(copy) = self.small_copy(&bytes)
        {
            self.pictures.insert(sum, copy);
        }
    }

    fn add_reference(&mut self, name: &str, catalog: &Catalog) {
        if !self.references.contains_key(name) {
            let bytes = catalog.picture_file(name).and_then(|path| pictures::read_file(path).ok());
            let copy = bytes.and_then(|bytes| self.small_copy(&bytes));
            self.references.insert(name.to_owned(), copy);
        }
    }

    /// A small copy as a data URI; nothing of what is no picture, or when the page is full.
    fn small_copy(&mut self, bytes: &[u8]) -> Option<String> {
        let jpeg = (self.bytes < MOST_BYTES).then(|| thumbnail(bytes, SIDE))?.ok()?;
        let uri = format!("data:image/jpeg;base64,{}", BASE64_STANDARD.encode(jpeg));
        self.bytes += uri.len();
        Some(uri)
    }

    /// Writes the page.
    pub(crate) fn write(self, catalog: &Catalog, policy_version: &str, files: &[PathBuf], summary: &Summary) -> Result<(), Failure> {
        let references: BTreeMap<String, String> = self.references.into_iter().filter_map(|(name, copy)| Some((name, copy?))).collect();
        let data = json!({
            "engine_version": touchstone_detectors::ENGINE_VERSION,
            "catalog_version": catalog.version(),
            "policy_version": policy_version,
            "files": files.iter().map(|f| f.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned())).collect::<Vec<_>>(),
            "counts": summary.outcomes(),
            "left_out": self.left_out,
            "brands": catalog.brands().map(|(id, name, _)| (id, name)).collect::<BTreeMap<_, _>>(),
            "suspects": self.suspects,
            "pictures": self.pictures,
            "references": references,
        });
        let page = PAGE.replacen("{{DATA}}", &within_html(&data.to_string()), 1);
        std::fs::write(&self.path, page).map_err(|e| Failure::Usage(format!("{}: cannot be written: {e}", self.path.display())))
    }
}

/// JSON that no HTML parser takes for an end of the script, or for anything else: all that could be is escaped.
fn within_html(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_titles_stay_within_the_data() {
        let title = "</script><img src=x onerror=alert(1)> & \u{2028}{{DATA}}";
        let json = json!({ "title": title }).to_string();
        let escaped = within_html(&json);
        assert!(!escaped.contains(['<', '>', '&', '\u{2028}']), "{escaped}");
        assert_eq!(serde_json::from_str::<Value>(&escaped).expect("JSON")["title"], title);
        assert_eq!(PAGE.matches("{{DATA}}").count(), 1);
    }

    #[test]
    fn the_page_fetches_nothing() {
        assert!(PAGE.contains("default-src 'none'"));
        for outside in ["src=\"http", "href=\"http", "url(http", "@import", "innerHTML"] {
            assert!(!PAGE.contains(outside), "{outside}");
        }
    }
}
