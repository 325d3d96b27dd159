//! Reads a catalog folder.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use touchstone_schemas::{Decode, Fx, Schema, decode};

use super::faults::{CatalogFault, Faults};
use super::fx::Rates;
use super::open::open;
use super::rows::{Row, Rows};
use super::{nearest, pictures};

/// Reads the rows of a folder, each picture as its fingerprint, and everything that is wrong with them.
pub(super) fn read(folder: &Path) -> (Rows, Vec<CatalogFault>) {
    let mut reader = Reader { folder, faults: Faults::of(folder) };
    let mut rows = reader.rows();
    let mut faults = reader.faults;
    faults.check(&rows);
    faults.check_pictures(&rows);
    // Hashing takes time: only for rows that are sound.
    if faults.are_warnings() {
        rows.picture_files = pictures::hash_files(&mut rows, folder, &mut faults);
    }
    (rows, faults.all)
}

struct Reader<'a> {
    folder: &'a Path,
    faults: Faults<'a>,
}

impl Reader<'_> {
    fn rows(&mut self) -> Rows {
        if !self.folder.is_dir() {
            self.fault("", 0, "is not a folder: give the folder that holds brands.jsonl".to_owned());
            return Rows::default();
        }
        let brands = self.lines("brands.jsonl");
        if brands.is_empty() && self.faults.all.is_empty() {
            self.fault("brands.jsonl", 0, "no brand: write at least one line like {\"brand_id\": \"acme\", \"name\": \"Acme\"}".to_owned());
        }
        let mut rows = Rows {
            brands,
            products: self.lines("products.jsonl"),
            rights_holders: self.lines("rights_holders.jsonl"),
            authorised_sellers: self.lines("authorised_sellers.jsonl"),
            offenders: self.lines("offenders.jsonl"),
            known_fakes: self.lines("known_fakes.jsonl"),
            category_map: self.lines("category_map.jsonl"),
            ..Rows::default()
        };
        for pack in self.packs() {
            let phrases = self.lines(&format!("phrases/{pack}.jsonl"));
            rows.phrases.insert(pack, phrases);
        }
        rows.fx = self.text("fx.json").and_then(|(file, text)| match decode::<Fx>(text.as_bytes()) {
            Ok(decoded) => {
                decoded.faults.iter().for_each(|fault| self.fault(&file, 0, fault.to_string()));
                Rates::faults(&decoded.value).into_iter().for_each(|fault| self.fault(&file, 0, fault));
                Some(decoded.value)
            }
            Err(fault) => {
                self.fault(&file, 0, fault.to_string());
                None
            }
        });
        rows.policy = self.text("policy.toml").map(|(_, text)| text);
        self.warn_of_strangers();
        rows
    }

    /// A misnamed file would be left out without a word.
    fn warn_of_strangers(&mut self) {
        const KNOWN: [&str; 9] = [
            "brands.jsonl",
            "products.jsonl",
            "rights_holders.jsonl",
            "authorised_sellers.jsonl",
            "offenders.jsonl",
            "known_fakes.jsonl",
            "category_map.jsonl",
            "fx.json",
            "policy.toml",
        ];
        let entries = std::fs::read_dir(self.folder).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.filter(|e| e.path().is_file()).map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        for name in &names {
            let plain = name.trim_end_matches(".gz").trim_end_matches(".zst");
            let is_rows = [".jsonl", ".json", ".toml"].iter().any(|ending| plain.ends_with(ending));
            if is_rows && !KNOWN.contains(&plain) {
                let near = nearest(plain, KNOWN.into_iter()).map(|k| format!(": did you mean {k}?")).unwrap_or_default();
                self.faults.warn(name, 0, format!("is no file of a catalog, and is ignored{near}"));
            } else if plain != name && names.iter().any(|other| other == plain) {
                self.faults.warn(name, 0, format!("is ignored, since {plain} is there too"));
            }
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn fault(&mut self, file: &str, line: usize, message: String) {
        self.faults.fault(file, line, message);
    }

    /// The text of a file or of its compressed form; nothing when there is none.
    fn text(&mut self, name: &str) -> Option<(String, String)> {
        let file = ["", ".gz", ".zst"].iter().map(|ending| format!("{name}{ending}")).find(|file| self.path(file).exists())?;
        let mut bytes = Vec::new();
        if let Err(e) = open(&self.path(&file)).and_then(|mut file| file.read_to_end(&mut bytes)) {
            self.fault(&file, 0, format!("cannot be read: {e}"));
            return None;
        }
        match String::from_utf8(bytes) {
            // Editors of some systems begin a file with this mark.
            Ok(text) => Some((file, text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))),
            Err(e) => {
                let valid = e.utf8_error().valid_up_to();
                let line = e.as_bytes()[..valid].iter().filter(|b| **b == b'\n').count() + 1;
                self.fault(&file, line, "is not UTF-8: save the file as UTF-8".to_owned());
                None
            }
        }
    }

    /// The names of the phrase packs.
    fn packs(&mut self) -> BTreeSet<String> {
        let entries = std::fs::read_dir(self.path("phrases")).into_iter().flatten().flatten();
        let pack = |name: &str| {
            let plain = name.trim_end_matches(".gz").trim_end_matches(".zst");
            plain.strip_suffix(".jsonl").map(str::to_owned)
        };
        entries.filter_map(|e| pack(e.file_name().to_str()?)).collect()
    }

    fn lines<T: Decode + Schema>(&mut self, name: &str) -> Vec<Row<T>> {
        let Some((file, text)) = self.text(name) else { return Vec::new() };
        let known: Vec<String> = T::schema()["properties"].as_object().into_iter().flat_map(|p| p.keys().cloned()).collect();
        let mut rows = Vec::new();
        for (i, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            match decode::<T>(line.as_bytes()) {
                Ok(decoded) => {
                    decoded.faults.iter().for_each(|fault| self.fault(&file, i + 1, fault.to_string()));
                    rows.push(Row { row: decoded.value, line: i + 1 });
                }
                Err(fault) => self.fault(&file, i + 1, fault.to_string()),
            }
            let Ok(object) = serde_json::from_str::<BTreeMap<String, serde::de::IgnoredAny>>(line) else { continue };
            for key in object.keys().filter(|key| !known.contains(key)) {
                let near = nearest(key, known.iter().map(String::as_str)).map(|k| format!(": did you mean {k:?}?")).unwrap_or_default();
                self.faults.warn(name, i + 1, format!("unknown key {key:?} is ignored{near}"));
            }
        }
        rows
    }
}
