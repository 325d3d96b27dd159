//! The rows of a catalog: gathered, sorted, and hashed in canonical form.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use touchstone_schemas::{AuthorisedSeller, Brand, CategoryMapping, Fx, KnownFake, Offender, Phrase, Product, RightsHolder};

use super::faults::CatalogFault;
use super::{compiled, folder};

/// A row and the line that it stands in.
#[derive(Debug, Clone)]
pub struct Row<T> {
    /// The row.
    pub row: T,
    /// Its line, counted from 1.
    pub line: usize,
}

/// Every row of a catalog folder.
#[derive(Debug, Default, Clone)]
pub struct Rows {
    /// brands.jsonl
    pub brands: Vec<Row<Brand>>,
    /// products.jsonl
    pub products: Vec<Row<Product>>,
    /// rights_holders.jsonl
    pub rights_holders: Vec<Row<RightsHolder>>,
    /// authorised_sellers.jsonl
    pub authorised_sellers: Vec<Row<AuthorisedSeller>>,
    /// offenders.jsonl
    pub offenders: Vec<Row<Offender>>,
    /// known_fakes.jsonl
    pub known_fakes: Vec<Row<KnownFake>>,
    /// category_map.jsonl
    pub category_map: Vec<Row<CategoryMapping>>,
    /// phrases/*.jsonl, by pack.
    pub phrases: BTreeMap<String, Vec<Row<Phrase>>>,
    /// fx.json
    pub fx: Option<Fx>,
    /// policy.toml, as it stands.
    pub policy: Option<String>,
    /// Files of the pictures, by their names in evidence.
    pub(crate) picture_files: BTreeMap<String, PathBuf>,
}

impl Rows {
    /// Reads a catalog folder or a compiled file, and checks it. Pictures come as fingerprints.
    ///
    /// # Errors
    /// All faults, each with its file and line.
    pub fn load(path: &Path) -> Result<(Self, Vec<CatalogFault>), Vec<CatalogFault>> {
        if path.is_file() {
            return compiled::read(path).map(|rows| (rows, Vec::new())).map_err(|fault| vec![fault]);
        }
        let (rows, faults) = folder::read(path);
        if faults.iter().all(|fault| fault.warning) { Ok((rows, faults)) } else { Err(faults) }
    }

    /// Writes one compiled file, and tells the version.
    ///
    /// # Errors
    /// What the system says.
    pub fn build(mut self, path: &Path) -> io::Result<String> {
        self.sort();
        let version = self.version();
        compiled::write(&self, &version, path)?;
        Ok(version)
    }

    /// Writes the rows that hold pictures into a folder, each picture as its fingerprint: the files that differ from the
    /// folder they were read from.
    ///
    /// # Errors
    /// What the system says.
    pub fn write_fingerprints(&self, folder: &Path) -> io::Result<()> {
        fn lines<T: serde::Serialize>(rows: &[Row<T>], path: &Path) -> io::Result<()> {
            let text: Vec<String> = rows.iter().map(|r| canonical(&r.row) + "\n").collect();
            std::fs::write(path, text.concat())
        }
        lines(&self.products, &folder.join("products.jsonl"))?;
        lines(&self.known_fakes, &folder.join("known_fakes.jsonl"))
    }

    /// Sorts the rows, so that nothing depends on the order of the files, and keeps one of each product.
    pub fn sort(&mut self) {
        fn by_text<T: serde::Serialize>(rows: &mut [Row<T>]) {
            rows.sort_by_cached_key(|r| canonical(&r.row));
        }
        self.brands.sort_by(|a, b| a.row.brand_id.cmp(&b.row.brand_id));
        by_text(&mut self.products);
        self.products.sort_by(|a, b| a.row.product_id.cmp(&b.row.product_id));
        self.products.dedup_by(|b, a| a.row.product_id == b.row.product_id);
        by_text(&mut self.rights_holders);
        by_text(&mut self.authorised_sellers);
        by_text(&mut self.offenders);
        by_text(&mut self.known_fakes);
        by_text(&mut self.category_map);
        self.phrases.values_mut().for_each(|phrases| by_text(phrases));
    }

    /// Hash of the canonical rows, whatever their order or file form; the policy is not part of it.
    pub fn version(&self) -> String {
        version(&self.base_version(), &self.overlay_version())
    }

    /// Hash of the rows that a snapshot is compiled from.
    pub(super) fn base_version(&self) -> String {
        let mut all = Vec::new();
        lines("brand", &self.brands, &mut all);
        lines("product", &self.products, &mut all);
        lines("rights_holder", &self.rights_holders, &mut all);
        lines("category", &self.category_map, &mut all);
        self.phrases.iter().for_each(|(pack, phrases)| lines(&format!("phrase {pack}"), phrases, &mut all));
        all.extend(self.fx.iter().map(|fx| format!("fx {}", canonical(fx))));
        hash(all)
    }

    /// Hash of the rows that change from day to day.
    pub(super) fn overlay_version(&self) -> String {
        let mut all = Vec::new();
        lines("authorised_seller", &self.authorised_sellers, &mut all);
        lines("offender", &self.offenders, &mut all);
        lines("known_fake", &self.known_fakes, &mut all);
        hash(all)
    }
}

/// The version of a catalog, of those of its two parts.
pub(super) fn version(base: &str, overlay: &str) -> String {
    hash(vec![format!("base {base}"), format!("overlay {overlay}")])
}

fn lines<T: serde::Serialize>(kind: &str, rows: &[Row<T>], out: &mut Vec<String>) {
    out.extend(rows.iter().map(|r| format!("{kind} {}", canonical(&r.row))));
}

fn hash(mut lines: Vec<String>) -> String {
    lines.sort();
    let mut hash = Sha256::new();
    for line in &lines {
        hash.update(line.as_bytes());
        hash.update(b"\n");
    }
    crate::hex(&hash.finalize()[..16])
}

fn canonical<T: serde::Serialize>(row: &T) -> String {
    // Rows are made of strings, numbers and lists: writing them cannot fail.
    serde_json::to_string(row).unwrap_or_default()
}
