//! Rows as records of the catalog topic, `{"kind": "brand", …row}` under the key `kind:id`; a compiled file holds the same.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};
use touchstone_schemas::{Decode, SetVersion, decode};

use super::faults::{CatalogFault, Faults};
use super::rows::{Row, Rows};

/// Kinds of rows that change from day to day: a catalog that differs in them alone is made anew by
/// [`Catalog::with_overlay`](super::Catalog::with_overlay).
pub const OVERLAY_KINDS: [&str; 3] = ["authorised_seller", "offender", "known_fake"];

/// The key of the record that closes a set.
pub const VERSION_KEY: &str = "version:catalog";

/// How many rows there are of each kind.
pub type Counts = BTreeMap<String, u64>;

impl Rows {
    /// Gives every row of sorted rows as a record, its key and its JSON, in an order that depends on the rows alone.
    ///
    /// # Errors
    /// What `put` says.
    pub fn each_record(&self, mut put: impl FnMut(&str, &str, Vec<u8>) -> io::Result<()>) -> io::Result<Counts> {
        let mut writer = Writer { put: &mut put, counts: Counts::new(), keys: HashSet::new() };
        writer.all("brand", &self.brands, |r| r.brand_id.to_string())?;
        writer.all("product", &self.products, |r| r.product_id.to_string())?;
        writer.all("rights_holder", &self.rights_holders, |r| r.rights_holder_id.to_string())?;
        writer.all("authorised_seller", &self.authorised_sellers, |r| format!("{}:{}:{}", r.brand_id, r.platform, r.seller_id))?;
        writer.all("offender", &self.offenders, |r| format!("{}:{}", r.platform, r.seller_id))?;
        writer.all("known_fake", &self.known_fakes, |r| r.id.to_string())?;
        writer.all("category", &self.category_map, |r| {
            let (platform, market) = (r.platform.as_ref().map(ToString::to_string), r.market.as_ref().map(ToString::to_string));
            let any = || "*".to_owned();
            let category = r.category_id.clone().unwrap_or_else(|| r.path.join("/"));
            format!("{}:{}:{category}", platform.unwrap_or_else(any), market.unwrap_or_else(any))
        })?;
        for (pack, phrases) in &self.phrases {
            for phrase in phrases {
                let mut row = serde_json::to_value(&phrase.row)?;
                row["pack"] = json!(pack);
                writer.one("phrase", &format!("{pack}:{}", phrase.row.phrase), row)?;
            }
        }
        if let Some(fx) = &self.fx {
            writer.one("fx", "rates", serde_json::to_value(fx)?)?;
        }
        if let Some(policy) = &self.policy {
            writer.one("policy", "policy", json!({"toml": policy}))?;
        }
        Ok(writer.counts)
    }

    /// Rows of records, each with its number, which faults name as a line; checked, but for whatever closes the set.
    ///
    /// # Errors
    /// All faults. `place` is what they call the place.
    pub fn of_records<'a>(
        place: &Path,
        records: impl Iterator<Item = (usize, &'a [u8])>,
    ) -> Result<(Self, Vec<CatalogFault>), Vec<CatalogFault>> {
        let (rows, mut faults) = Self::gather(place, records);
        if rows.brands.is_empty() && faults.all.is_empty() {
            faults.fault("", 0, "has no brand".to_owned());
        }
        faults.check(&rows);
        faults.check_pictures(&rows);
        if faults.are_warnings() { Ok((rows, faults.all)) } else { Err(faults.all) }
    }

    /// The same of rows of [`OVERLAY_KINDS`], unchecked: [`Catalog::with_overlay`](super::Catalog::with_overlay) checks them.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn of_overlay_records<'a>(place: &Path, records: impl Iterator<Item = (usize, &'a [u8])>) -> Result<Self, Vec<CatalogFault>> {
        let (rows, faults) = Self::gather(place, records);
        if faults.all.is_empty() { Ok(rows) } else { Err(faults.all) }
    }

    fn gather<'p, 'a>(place: &'p Path, records: impl Iterator<Item = (usize, &'a [u8])>) -> (Self, Faults<'p>) {
        let (mut rows, mut faults) = (Self::default(), Faults::of(place));
        for (number, record) in records {
            if let Err(message) = rows.add(record, number) {
                faults.fault("", number, message);
            }
        }
        (rows, faults)
    }

    /// Takes a record; tells the version that a closing one names.
    pub(super) fn add(&mut self, text: &[u8], number: usize) -> Result<Option<SetVersion>, String> {
        #[derive(serde::Deserialize)]
        struct Head {
            kind: String,
            #[serde(default)]
            pack: String,
            #[serde(default)]
            toml: String,
        }
        fn row<T: Decode>(text: &[u8], line: usize) -> Result<Row<T>, String> {
            let decoded = decode::<T>(text).map_err(|e| e.to_string())?;
            decoded.faults.first().map_or(Ok(Row { row: decoded.value, line }), |fault| Err(fault.to_string()))
        }
        let head: Head = serde_json::from_slice(text).map_err(|e| e.to_string())?;
        match head.kind.as_str() {
            "brand" => self.brands.push(row(text, number)?),
            "product" => self.products.push(row(text, number)?),
            "rights_holder" => self.rights_holders.push(row(text, number)?),
            "authorised_seller" => self.authorised_sellers.push(row(text, number)?),
            "offender" => self.offenders.push(row(text, number)?),
            "known_fake" => self.known_fakes.push(row(text, number)?),
            "category" => self.category_map.push(row(text, number)?),
            "phrase" => self.phrases.entry(head.pack).or_default().push(row(text, number)?),
            "fx" => self.fx = Some(row(text, number)?.row),
            "policy" => self.policy = Some(head.toml),
            "version" => return Ok(Some(row(text, number)?.row)),
            // A later program may write kinds that this one does not know.
            _ => {}
        }
        Ok(None)
    }
}

/// Takes a record's kind, key and JSON.
type Put<'a> = &'a mut dyn FnMut(&str, &str, Vec<u8>) -> io::Result<()>;

/// Gives records one after the other.
struct Writer<'a> {
    put: Put<'a>,
    counts: Counts,
    /// The keys that stand: of some kinds two rows may name the same thing.
    keys: HashSet<String>,
}

impl Writer<'_> {
    fn all<T: Serialize>(&mut self, kind: &str, rows: &[Row<T>], id: impl Fn(&T) -> String) -> io::Result<()> {
        rows.iter().try_for_each(|r| self.one(kind, &id(&r.row), serde_json::to_value(&r.row)?))
    }

    fn one(&mut self, kind: &str, id: &str, mut row: Value) -> io::Result<()> {
        *self.counts.entry(kind.to_owned()).or_default() += 1;
        row["kind"] = json!(kind);
        let plain = format!("{kind}:{id}");
        let mut key = plain.clone();
        let mut times = 1;
        while !self.keys.insert(key.clone()) {
            times += 1;
            key = format!("{plain}#{times}");
        }
        (self.put)(kind, &key, serde_json::to_vec(&row)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn rows_come_back_from_their_records_under_keys_of_their_own() {
        let folder = tempfile::tempdir().expect("a folder");
        fixture::write(folder.path());
        let twice =
            "{\"platform\": \"bazaar\", \"seller_id\": \"bad\"}\n{\"platform\": \"bazaar\", \"seller_id\": \"bad\", \"confirmed\": 2}\n";
        std::fs::write(folder.path().join("offenders.jsonl"), twice).expect("a file");
        let (mut rows, _) = Rows::load(folder.path()).expect("rows without faults");
        rows.sort();
        let mut records = BTreeMap::new();
        let counts = rows
            .each_record(|_, key, payload| {
                assert!(records.insert(key.to_owned(), payload).is_none(), "{key} twice");
                Ok(())
            })
            .expect("records");
        assert_eq!((counts["brand"], counts["offender"]), (4, 2));
        assert!(records.contains_key("offender:bazaar:bad#2") && records.contains_key("product:kessra:tote"));
        let (mut back, warnings) =
            Rows::of_records(Path::new("topic"), records.values().enumerate().map(|(i, r)| (i, r.as_slice()))).expect("rows");
        back.sort();
        assert_eq!((back.version(), warnings), (rows.version(), Vec::new()));
    }

    #[test]
    fn a_fake_whose_picture_is_left_out_makes_no_record() {
        let folder = tempfile::tempdir().expect("a folder");
        fixture::write(folder.path());
        image::RgbImage::from_pixel(320, 240, image::Rgb([9, 9, 9])).save(folder.path().join("plain.png")).expect("a file");
        let fakes = "{\"id\": \"plain\", \"brand_id\": \"oro\", \"path\": \"plain.png\"}\n{\"id\": \"told\", \"brand_id\": \"oro\", \"path\": \"plain.png\", \"text\": \"words\"}\n";
        std::fs::write(folder.path().join("known_fakes.jsonl"), fakes).expect("a file");
        let (rows, warnings) = Rows::load(folder.path()).expect("rows with warnings");
        assert_eq!((rows.known_fakes.len(), warnings.len()), (1, 2), "{warnings:?}");
        let mut records = Vec::new();
        rows.each_record(|_, _, record| {
            records.push(record);
            Ok(())
        })
        .expect("records");
        assert!(Rows::of_records(Path::new("topic"), records.iter().map(Vec::as_slice).enumerate()).is_ok());
    }

    #[test]
    fn what_is_wrong_with_a_record_is_told_with_its_number() {
        let records: [&[u8]; 3] = [
            br#"{"kind": "brand", "brand_id": "acme", "name": "Acme"}"#,
            br#"{"kind": "product", "product_id": "p", "brand_id": "acme", "name": 5}"#,
            br#"{"kind": "known_fake", "id": "k", "brand_id": "nobody", "text": "words"}"#,
        ];
        let faults = Rows::of_records(Path::new("topic"), records.into_iter().enumerate()).map(|_| ()).expect_err("faults");
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|t| t.contains(":1: ") && t.contains("name")), "{told:?}");
        assert!(told.iter().any(|t| t.contains(":2: brand_id \"nobody\"")), "{told:?}");
    }
}
