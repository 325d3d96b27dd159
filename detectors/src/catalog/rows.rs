//! The rows of a catalog folder: read, checked all at once, and hashed in canonical form.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use touchstone_schemas::{
    AuthorisedSeller, Brand, CategoryMapping, Decode, Fx, KnownFake, Offender, Phrase, Product, ReferencePrice, RightsHolder, Schema,
    Timestamp, decode,
};

use super::classes::Classes;
use super::fx::Rates;
use super::open::open;
use super::{compiled, nearest, pictures};
use crate::text::normalise;

/// One thing wrong in a catalog folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogFault {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1; 0 for the whole file.
    pub line: usize,
    /// What is wrong, and what to write instead.
    pub message: String,
    /// The catalog can be used all the same.
    pub warning: bool,
}

impl fmt::Display for CatalogFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": {}{}", if self.warning { "warning: " } else { "" }, self.message)
    }
}

/// A row and the line that it stands in.
#[derive(Debug, Clone)]
pub struct Row<T> {
    /// The row.
    pub row: T,
    /// Its line, counted from 1.
    pub line: usize,
}

/// Every row of a catalog folder.
#[derive(Debug, Default)]
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

/// Reads the rows of a folder and everything that is wrong with them.
pub(crate) struct Reader<'a> {
    folder: &'a Path,
    pub(crate) faults: Vec<CatalogFault>,
}

impl<'a> Reader<'a> {
    pub(crate) fn read(folder: &'a Path) -> (Rows, Vec<CatalogFault>) {
        let mut reader = Self { folder, faults: Vec::new() };
        let mut rows = reader.rows();
        reader.check(&rows);
        reader.faults.extend(pictures::check(&rows, folder));
        // Hashing takes time: only for rows that are sound.
        if reader.faults.iter().all(|fault| fault.warning) {
            let (files, faults) = pictures::hash_files(&mut rows, folder);
            rows.picture_files = files;
            reader.faults.extend(faults);
        }
        (rows, reader.faults)
    }

    fn rows(&mut self) -> Rows {
        if !self.folder.is_dir() {
            self.fault(self.folder.to_owned(), 0, "is not a folder: give the folder that holds brands.jsonl".to_owned());
            return Rows::default();
        }
        let brands = self.lines("brands.jsonl");
        if brands.is_empty() && self.faults.is_empty() {
            self.fault(
                self.path("brands.jsonl"),
                0,
                "no brand: write at least one line like {\"brand_id\": \"acme\", \"name\": \"Acme\"}".to_owned(),
            );
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
        rows.fx = self.text("fx.json").and_then(|(path, text)| match decode::<Fx>(text.as_bytes()) {
            Ok(decoded) => {
                decoded.faults.iter().for_each(|fault| self.fault(path.clone(), 0, fault.to_string()));
                Rates::faults(&decoded.value).into_iter().for_each(|fault| self.fault(path.clone(), 0, fault));
                Some(decoded.value)
            }
            Err(fault) => {
                self.fault(path, 0, fault.to_string());
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
                self.warn(name, 0, format!("is no file of a catalog, and is ignored{near}"));
            } else if plain != name && names.iter().any(|other| other == plain) {
                self.warn(name, 0, format!("is ignored, since {plain} is there too"));
            }
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn fault(&mut self, file: PathBuf, line: usize, message: String) {
        self.faults.push(CatalogFault { file, line, message, warning: false });
    }

    fn warn(&mut self, name: &str, line: usize, message: String) {
        self.faults.push(CatalogFault { file: self.path(name), line, message, warning: true });
    }

    /// The text of a file or of its compressed form; nothing when there is none.
    fn text(&mut self, name: &str) -> Option<(PathBuf, String)> {
        let path = ["", ".gz", ".zst"].iter().map(|ending| self.path(&format!("{name}{ending}"))).find(|path| path.exists())?;
        let mut bytes = Vec::new();
        if let Err(e) = open(&path).and_then(|mut file| file.read_to_end(&mut bytes)) {
            self.fault(path, 0, format!("cannot be read: {e}"));
            return None;
        }
        match String::from_utf8(bytes) {
            // Editors of some systems begin a file with this mark.
            Ok(text) => Some((path, text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))),
            Err(e) => {
                let valid = e.utf8_error().valid_up_to();
                let line = e.as_bytes()[..valid].iter().filter(|b| **b == b'\n').count() + 1;
                self.fault(path, line, "is not UTF-8: save the file as UTF-8".to_owned());
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
        let Some((path, text)) = self.text(name) else { return Vec::new() };
        let known: Vec<String> = T::schema()["properties"].as_object().into_iter().flat_map(|p| p.keys().cloned()).collect();
        let mut rows = Vec::new();
        for (i, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            match decode::<T>(line.as_bytes()) {
                Ok(decoded) => {
                    decoded.faults.iter().for_each(|fault| self.fault(path.clone(), i + 1, fault.to_string()));
                    rows.push(Row { row: decoded.value, line: i + 1 });
                }
                Err(fault) => self.fault(path.clone(), i + 1, fault.to_string()),
            }
            let Ok(object) = serde_json::from_str::<BTreeMap<String, serde::de::IgnoredAny>>(line) else { continue };
            for key in object.keys().filter(|key| !known.contains(key)) {
                let near = nearest(key, known.iter().map(String::as_str)).map(|k| format!(": did you mean {k:?}?")).unwrap_or_default();
                self.warn(name, i + 1, format!("unknown key {key:?} is ignored{near}"));
            }
        }
        rows
    }

    fn check(&mut self, rows: &Rows) {
        let brands = self.unique("brands.jsonl", "brand_id", &rows.brands, |b| b.brand_id.to_string());
        self.repeated_products(rows);
        self.unique("rights_holders.jsonl", "rights_holder_id", &rows.rights_holders, |r| r.rights_holder_id.to_string());
        self.unique("known_fakes.jsonl", "id", &rows.known_fakes, |k| k.id.to_string());
        let holders: HashMap<String, usize> = rows.rights_holders.iter().map(|r| (r.row.rights_holder_id.to_string(), r.line)).collect();
        let classes = Classes::shipped();
        let rates = Rates::new(rows.fx.as_ref());

        for Row { row, line } in &rows.brands {
            for (what, name) in std::iter::once(("name", &row.name))
                .chain(row.aliases.iter().map(|a| ("alias", a)))
                .chain(row.nicknames.iter().map(|n| ("nickname", n)))
            {
                if normalise(name).is_empty() {
                    self.fault(
                        self.path("brands.jsonl"),
                        *line,
                        format!("{what} {name:?} has no letter or digit: nothing in a listing could match it"),
                    );
                }
            }
            if let Some(holder) = row.rights_holder_id.as_ref().filter(|h| !holders.contains_key(h.as_str())) {
                self.fault(
                    self.path("brands.jsonl"),
                    *line,
                    format!("rights_holder_id {holder:?} is not in rights_holders.jsonl: add it there or leave it out"),
                );
            }
            self.reference_prices("brands.jsonl", *line, &row.reference_prices, &rates, &classes);
            self.categories("brands.jsonl", *line, &row.categories, &classes);
            let thresholds = row.thresholds.clone().unwrap_or_default();
            let order = [thresholds.ask_brand, thresholds.report, thresholds.remove].into_iter().flatten().collect::<Vec<_>>();
            if order.iter().any(|t| t.to_f64() <= 0.0 || t.to_f64() > 1.0) {
                self.fault(self.path("brands.jsonl"), *line, "a threshold must be over 0 and at most 1".to_owned());
            }
            if !order.is_sorted() {
                self.fault(self.path("brands.jsonl"), *line, "thresholds must rise: ask_brand <= report <= remove".to_owned());
            }
        }
        let known = |id: &str| brands.contains_key(id);
        let mut strangers: Vec<(&str, usize, &str)> = Vec::new();
        strangers.extend(rows.products.iter().map(|r| ("products.jsonl", r.line, r.row.brand_id.as_str())));
        strangers.extend(rows.authorised_sellers.iter().map(|r| ("authorised_sellers.jsonl", r.line, r.row.brand_id.as_str())));
        strangers.extend(rows.known_fakes.iter().map(|r| ("known_fakes.jsonl", r.line, r.row.brand_id.as_str())));
        for (file, line, id) in strangers.into_iter().filter(|(_, _, id)| !known(id)) {
            let near = nearest(id, brands.keys().map(String::as_str)).map(|b| format!(": did you mean {b:?}?")).unwrap_or_default();
            self.fault(self.path(file), line, format!("brand_id {id:?} is not in brands.jsonl{near}"));
        }
        for Row { row, line } in &rows.products {
            self.reference_prices("products.jsonl", *line, &row.reference_prices, &rates, &classes);
        }
        for Row { row, line } in &rows.authorised_sellers {
            self.period("authorised_sellers.jsonl", *line, row.valid_from.as_ref(), row.valid_until.as_ref());
        }
        for Row { row, line } in &rows.known_fakes {
            if row.fingerprint.is_none() && row.path.is_none() && row.text.is_none() {
                self.fault(self.path("known_fakes.jsonl"), *line, "needs a fingerprint, a path or a text".to_owned());
            }
        }
        for Row { row, line } in &rows.category_map {
            self.class("category_map.jsonl", *line, &row.class, &classes);
            if row.category_id.is_none() && row.path.is_empty() {
                self.fault(self.path("category_map.jsonl"), *line, "needs a category_id or a path".to_owned());
            }
        }
        for (pack, phrases) in &rows.phrases {
            let file = format!("phrases/{pack}.jsonl");
            for Row { row, line } in phrases {
                if !(0.0..=1.0).contains(&row.strength.to_f64()) || row.strength.to_f64() <= 0.0 {
                    self.fault(self.path(&file), *line, format!("strength {} is not over 0 and at most 1", row.strength.to_f64()));
                }
                if normalise(&row.phrase).is_empty() {
                    self.fault(self.path(&file), *line, format!("phrase {:?} has no letter or digit", row.phrase));
                }
                row.not_in.iter().for_each(|class| self.class(&file, *line, class, &classes));
            }
        }
    }

    fn unique<T>(&mut self, file: &str, key: &str, rows: &[Row<T>], id: impl Fn(&T) -> String) -> HashMap<String, usize> {
        let mut seen = HashMap::with_capacity(rows.len());
        for Row { row, line } in rows {
            let id = id(row);
            if let Some(first) = seen.get(&id) {
                self.fault(self.path(file), *line, format!("{key} {id:?} stands in line {first} already: give each row its own"));
            } else {
                seen.insert(id, *line);
            }
        }
        seen
    }

    /// Exports of shops repeat products: one row is used, the same whatever the order of the file.
    fn repeated_products(&mut self, rows: &Rows) {
        let mut seen: HashMap<&str, usize> = HashMap::with_capacity(rows.products.len());
        let repeated = rows.products.iter().filter(|r| *seen.entry(r.row.product_id.as_str()).or_insert(r.line) != r.line);
        let lines: Vec<usize> = repeated.map(|r| r.line).collect();
        if let Some(first) = lines.first() {
            let text = format!(
                "product_id stands in an earlier line already, here and in {} more lines: one row of each is used",
                lines.len() - 1
            );
            self.warn("products.jsonl", *first, text);
        }
    }

    fn class(&mut self, file: &str, line: usize, name: &str, classes: &Classes) {
        if classes.by_name(name).is_none() {
            let meant = classes.of_name(name).map(|class| classes.name(class));
            let near = meant.or_else(|| nearest(name, classes.names())).map(|c| format!(": did you mean {c:?}?")).unwrap_or_default();
            self.fault(self.path(file), line, format!("class {name:?} is not in the closed list{near}"));
        }
    }

    fn categories(&mut self, file: &str, line: usize, categories: &[String], classes: &Classes) {
        if !categories.is_empty() && classes.of_path(categories).is_none() && categories.iter().all(|c| classes.of_name(c).is_none()) {
            self.warn(
                file,
                line,
                format!("no class is known for category {categories:?}: map it in category_map.jsonl, or use a word like \"shoes\""),
            );
        }
    }

    fn reference_prices(&mut self, file: &str, line: usize, prices: &[ReferencePrice], rates: &Rates, classes: &Classes) {
        for price in prices {
            if !rates.knows(&price.currency) {
                self.fault(
                    self.path(file),
                    line,
                    format!("no exchange rate for {}: add it to fx.json or give the price in another currency", price.currency),
                );
            } else if price.amount.value() == 0.0 {
                self.fault(
                    self.path(file),
                    line,
                    "a reference price of 0 cannot be compared with: write what the goods cost, or leave it out".to_owned(),
                );
            }
            self.categories(file, line, &price.category, classes);
        }
    }

    fn period(&mut self, file: &str, line: usize, from: Option<&Timestamp>, until: Option<&Timestamp>) {
        if let (Some(from), Some(until)) = (from, until)
            && from >= until
        {
            self.fault(self.path(file), line, format!("valid_until {until} is not after valid_from {from}"));
        }
    }
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
        let (rows, faults) = Reader::read(path);
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
    pub(crate) fn sort(&mut self) {
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
    pub(crate) fn version(&self) -> String {
        fn lines<T: serde::Serialize>(kind: &str, rows: &[Row<T>], out: &mut Vec<String>) {
            out.extend(rows.iter().map(|r| format!("{kind} {}", canonical(&r.row))));
        }
        let mut all = Vec::new();
        lines("brand", &self.brands, &mut all);
        lines("product", &self.products, &mut all);
        lines("rights_holder", &self.rights_holders, &mut all);
        lines("authorised_seller", &self.authorised_sellers, &mut all);
        lines("offender", &self.offenders, &mut all);
        lines("known_fake", &self.known_fakes, &mut all);
        lines("category", &self.category_map, &mut all);
        self.phrases.iter().for_each(|(pack, phrases)| lines(&format!("phrase {pack}"), phrases, &mut all));
        all.extend(self.fx.iter().map(|fx| format!("fx {}", canonical(fx))));
        all.sort();
        let mut hash = Sha256::new();
        for line in &all {
            hash.update(line.as_bytes());
            hash.update(b"\n");
        }
        crate::hex(&hash.finalize()[..16])
    }
}

fn canonical<T: serde::Serialize>(row: &T) -> String {
    // Rows are made of strings, numbers and lists: writing them cannot fail.
    serde_json::to_string(row).unwrap_or_default()
}
