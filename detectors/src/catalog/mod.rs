//! The catalog: what brands protect, compiled from a folder that people write or from the catalog topic.

mod check;
mod classes;
mod compiled;
mod faults;
mod folder;
mod fx;
mod open;
mod overlay;
mod pictures;
mod records;
mod rows;
mod snapshot;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use touchstone_schemas::{Brand, Fingerprint, RightsHolder, Timestamp};

pub(crate) use classes::Head;
pub use classes::{Class, Classes};
pub use faults::CatalogFault;
use faults::Faults;
pub use fx::Rates;
pub use open::open;
pub(crate) use overlay::Overlay;
pub use records::{Counts, OVERLAY_KINDS, VERSION_KEY};
pub use rows::{Row, Rows};
pub(crate) use snapshot::{BrandEntry, Reference, Snapshot};

use crate::image::{Hit, Picture, find};

/// The known text nearest to a mistaken one, if it is near enough to be what was meant.
pub fn nearest<'a>(text: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = text.chars().count().div_ceil(3);
    known.map(|k| (edits(text, k), k)).filter(|(distance, _)| *distance <= limit).min().map(|(_, k)| k)
}

/// Levenshtein distance in characters.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

/// A catalog ready to be looked up: a snapshot, and an overlay of what changes from day to day. Immutable; the same rows in
/// any order make the same catalog.
pub struct Catalog {
    version: String,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) overlay: Overlay,
    /// Files of the pictures, by their names in evidence; none of a compiled catalog.
    picture_files: BTreeMap<String, PathBuf>,
    policy: Option<String>,
}

impl Catalog {
    /// Reads and checks a folder or a compiled file: the catalog, or every fault at once. Warnings come with either.
    ///
    /// # Errors
    /// All faults, each with its file and line.
    pub fn load(path: &Path) -> Result<(Self, Vec<CatalogFault>), Vec<CatalogFault>> {
        let (rows, warnings) = Rows::load(path)?;
        match Self::compile(rows) {
            Ok(catalog) => Ok((catalog, warnings)),
            Err(message) => Err(vec![CatalogFault { file: path.to_owned(), line: 0, message, warning: false }]),
        }
    }

    /// Compiles rows that were checked.
    ///
    /// # Errors
    /// Why nothing can be looked up in them.
    pub fn compile(mut rows: Rows) -> Result<Self, String> {
        rows.sort();
        let version = rows.version();
        let (picture_files, policy) = (std::mem::take(&mut rows.picture_files), rows.policy.take());
        let (sellers, offenders, fakes) =
            (std::mem::take(&mut rows.authorised_sellers), std::mem::take(&mut rows.offenders), std::mem::take(&mut rows.known_fakes));
        let snapshot = Arc::new(Snapshot::compile(rows)?);
        let daily = Rows { authorised_sellers: sellers, offenders, known_fakes: fakes, ..Rows::default() };
        let overlay = Overlay::compile(&daily, &snapshot);
        Ok(Self { version, snapshot, overlay, picture_files, policy })
    }

    /// The same brands, products and phrases with other sellers and known fakes: those of `rows`, of which all else is left
    /// alone. Takes time for them only. `place` is what faults name.
    ///
    /// # Errors
    /// All faults of those rows.
    pub fn with_overlay(&self, mut rows: Rows, place: &Path) -> Result<Self, Vec<CatalogFault>> {
        let mut faults = Faults::of(place);
        let brands: BTreeSet<&str> = self.snapshot.brands.iter().map(|b| b.row.brand_id.as_str()).collect();
        faults.check_overlay(&rows, &brands);
        faults.check_fakes_pictures(&rows);
        if !faults.are_warnings() {
            return Err(faults.all);
        }
        rows.sort();
        let version = rows::version(&self.snapshot.version, &rows.overlay_version());
        let overlay = Overlay::compile(&rows, &self.snapshot);
        Ok(Self { version, snapshot: self.snapshot.clone(), overlay, picture_files: BTreeMap::new(), policy: self.policy.clone() })
    }

    /// Hash of the canonical rows.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Number of brands, of products and of pictures.
    pub fn size(&self) -> (usize, usize, usize) {
        let pictures = self.snapshot.pictures.references.len() + self.overlay.fakes.references.len();
        (self.snapshot.brands.len(), self.snapshot.products.len(), pictures)
    }

    /// What it would be wrong to lose by an oversight, and how much there is of it.
    pub fn sizes(&self) -> [(&'static str, usize); 4] {
        let (brands, products, pictures) = self.size();
        [("brands", brands), ("products", products), ("pictures", pictures), ("authorised sellers", self.overlay.authorised_sellers())]
    }

    /// Whether it has any picture to compare with.
    pub fn has_pictures(&self) -> bool {
        !self.snapshot.pictures.is_empty() || !self.overlay.fakes.is_empty()
    }

    /// Every brand's id and name, and whether it has a topic of its own; by id.
    pub fn brands(&self) -> impl Iterator<Item = (&str, &str, bool)> {
        self.snapshot.brands.iter().map(|b| (b.row.brand_id.as_str(), b.row.name.as_str(), b.row.own_topic))
    }

    /// The ids of the brands that have a topic of their own.
    pub fn own_topics(&self) -> Vec<String> {
        self.brands().filter(|(_, _, own)| *own).map(|(id, ..)| id.to_owned()).collect()
    }

    /// The row of a brand.
    pub fn brand(&self, brand_id: &str) -> Option<&Brand> {
        self.snapshot.brand(brand_id).map(|brand| &self.snapshot.brands[brand].row)
    }

    /// Who holds rights, and who acts for them.
    pub fn rights_holders(&self) -> &[RightsHolder] {
        &self.snapshot.rights_holders
    }

    /// Whether a brand has a topic of its own.
    pub fn has_own_topic(&self, brand_id: &str) -> bool {
        self.snapshot.brand(brand_id).is_some_and(|brand| self.snapshot.brands[brand].row.own_topic)
    }

    /// The file of a reference picture, by its name in evidence; nothing for a compiled catalog.
    pub fn picture_file(&self, name: &str) -> Option<&Path> {
        self.picture_files.get(name).map(PathBuf::as_path)
    }

    /// Whether a picture is one of genuine goods that the catalog has.
    pub fn shows_genuine(&self, row: &Fingerprint) -> bool {
        self.snapshot.pictures.has(row)
    }

    /// The policy that comes with it, in TOML.
    pub fn policy(&self) -> Option<&str> {
        self.policy.as_deref()
    }

    /// The pictures of the catalog that a listing's pictures show at a time.
    pub(crate) fn find_pictures(&self, pictures: &[Picture], at: &Timestamp, deep: bool) -> Vec<Hit> {
        find(&[&self.snapshot.pictures, &self.overlay.fakes], pictures, at, deep)
    }

    /// A picture of the catalog, by its number in what was found.
    pub(crate) fn picture(&self, number: usize) -> &crate::image::Reference {
        let genuine = &self.snapshot.pictures.references;
        genuine.get(number).unwrap_or_else(|| &self.overlay.fakes.references[number - genuine.len()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_finds_what_was_meant() {
        let known = ["aliases", "name", "nicknames"];
        assert_eq!(nearest("alias", known.into_iter()), Some("aliases"));
        assert_eq!(nearest("nicknmaes", known.into_iter()), Some("nicknames"));
        assert_eq!(nearest("zzz", known.into_iter()), None);
    }
}
