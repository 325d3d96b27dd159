//! What stands in the catalog topic: the rows of the last set that was closed, and what came after it.

use std::collections::BTreeMap;
use std::path::Path;

use touchstone_detectors::{Catalog, CatalogFault, Counts, OVERLAY_KINDS, Rows};
use touchstone_schemas::{SetVersion, decode};

/// A row as it stands in the topic.
struct Stored {
    /// Its offset, which faults name.
    number: usize,
    payload: Vec<u8>,
}

/// The set, record by record. Only what is closed is ever looked at.
#[derive(Default)]
pub(crate) struct Set {
    rows: BTreeMap<String, Stored>,
    counts: Counts,
    /// Records after the last one that closed a set; nothing for a row that is deleted.
    pending: BTreeMap<String, Option<Stored>>,
    closed: Option<SetVersion>,
    /// Whether more changed than the overlay since a catalog of it was put into use.
    rebuild: bool,
    /// Whether a set since then may have far fewer rows.
    may_shrink: bool,
}

/// Why a set that is closed makes no catalog.
#[derive(Debug)]
pub(crate) struct Refused {
    /// incomplete, invalid, shrunk, policy or panic.
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

impl Refused {
    pub(crate) fn new(reason: &'static str, message: String) -> Self {
        Self { reason, message }
    }
}

impl Set {
    /// Takes a record; tells whether it closed a set.
    ///
    /// # Errors
    /// A closing record that cannot be read: the set stays open.
    pub(crate) fn take(&mut self, key: &str, payload: Option<&[u8]>, number: usize) -> Result<bool, String> {
        if kind(key) == "version" {
            let Some(payload) = payload else { return Ok(false) };
            let closed = decode::<SetVersion>(payload).map_err(|e| format!("the record that closes the set: {e}"))?.value;
            self.may_shrink |= closed.may_shrink;
            self.closed = Some(closed);
            self.close();
            return Ok(true);
        }
        self.pending.insert(key.to_owned(), payload.map(|p| Stored { number, payload: p.to_owned() }));
        Ok(false)
    }

    fn close(&mut self) {
        for (key, stored) in std::mem::take(&mut self.pending) {
            let kind = kind(&key).to_owned();
            self.rebuild |= !OVERLAY_KINDS.contains(&kind.as_str());
            let before = match stored {
                Some(stored) => {
                    *self.counts.entry(kind.clone()).or_default() += 1;
                    self.rows.insert(key, stored)
                }
                None => self.rows.remove(&key),
            };
            if before.is_some() {
                self.counts.entry(kind).and_modify(|count| *count -= 1);
            }
        }
        self.counts.retain(|_, count| *count > 0);
    }

    /// Whether a set was ever closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.is_some()
    }

    /// Whether it is closed under a version, and nothing came after it.
    pub(super) fn is_at(&self, version: &str) -> bool {
        self.pending.is_empty() && self.closed.as_ref().is_some_and(|closed| closed.catalog_version.as_deref() == Some(version))
    }

    /// The rows that stand, by key; those of a set that is not closed yet as well.
    pub(super) fn rows(&self) -> BTreeMap<&str, &[u8]> {
        let closed = self.rows.iter().filter(|(key, _)| !self.pending.contains_key(*key));
        let pending = self.pending.iter().filter_map(|(key, stored)| Some((key, stored.as_ref()?)));
        closed.chain(pending).map(|(key, stored)| (key.as_str(), stored.payload.as_slice())).collect()
    }

    /// Learns that a catalog of it is in use.
    pub(super) fn applied(&mut self) {
        (self.rebuild, self.may_shrink) = (false, false);
    }

    /// The version that the closing record names, where it is not the one that the rows make.
    pub(super) fn other_version(&self, catalog: &Catalog) -> Option<&str> {
        self.closed.as_ref()?.catalog_version.as_deref().filter(|named| *named != catalog.version())
    }

    /// The catalog of the set that was closed last. Of what changed since `before`, which was made of it earlier, small things are laid
    /// over it. `largest_shrink` is the share of brands, products, pictures or authorised sellers that may be gone at once.
    pub(crate) fn catalog(&self, place: &Path, before: Option<&Catalog>, largest_shrink: f64) -> Result<Catalog, Refused> {
        let closed = self.closed.as_ref().ok_or_else(|| Refused::new("incomplete", "no set is closed".to_owned()))?;
        if let Some(named) = closed.rows.as_ref().filter(|named| **named != self.counts) {
            let message = format!("the record that closes the set names {named:?} rows, and there are {:?}", self.counts);
            return Err(Refused::new("incomplete", message));
        }
        let invalid = |faults: Vec<CatalogFault>| {
            let n = faults.len();
            let some: Vec<String> = faults.iter().take(3).map(ToString::to_string).collect();
            Refused::new("invalid", format!("{n} faults, the number of a line is the record's offset: {}", some.join("; ")))
        };
        let overlay = |(key, _): &(&String, &Stored)| OVERLAY_KINDS.contains(&kind(key));
        let catalog = match before.filter(|_| !self.rebuild) {
            Some(before) => {
                let changing = self.rows.iter().filter(overlay).map(|(_, stored)| (stored.number, stored.payload.as_slice()));
                let rows = Rows::of_overlay_records(place, changing).map_err(invalid)?;
                before.with_overlay(rows, place).map_err(invalid)?
            }
            None => {
                let all = self.rows.values().map(|stored| (stored.number, stored.payload.as_slice()));
                let (rows, _) = Rows::of_records(place, all).map_err(invalid)?;
                Catalog::compile(rows).map_err(|e| Refused::new("invalid", e))?
            }
        };
        if let Some(gone) = before.filter(|_| !self.may_shrink).and_then(|before| shrinks(before, &catalog, largest_shrink)) {
            return Err(Refused::new("shrunk", format!("{gone}: publish it with --may-shrink if that is meant")));
        }
        Ok(catalog)
    }
}

/// What a catalog has lost more of than it may, where it has.
pub(super) fn shrinks(before: &Catalog, after: &Catalog, largest: f64) -> Option<String> {
    // Sizes of catalogs are far below what a float holds exactly.
    #[allow(clippy::cast_precision_loss)]
    let too_many = |before: usize, after: usize| (after as f64) < before as f64 * (1.0 - largest);
    let mut pairs = before.sizes().into_iter().zip(after.sizes());
    let gone = pairs.find(|((_, before), (_, after))| too_many(*before, *after));
    gone.map(|((what, before), (_, after))| format!("of {before} {what} only {after} would be left"))
}

/// The kind that a key begins with.
fn kind(key: &str) -> &str {
    key.split(':').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BRAND: &str = r#"{"kind": "brand", "brand_id": "acme", "name": "Acme"}"#;

    fn version(rows: &str) -> String {
        format!(r#"{{"kind": "version", "rows": {rows}}}"#)
    }

    fn catalog(set: &mut Set, before: Option<&Catalog>) -> Result<Catalog, &'static str> {
        set.catalog(Path::new("topic"), before, 0.5).map_err(|e| e.reason)
    }

    #[test]
    fn nothing_counts_before_it_is_closed() {
        let mut set = Set::default();
        assert_eq!(set.take("brand:acme", Some(BRAND.as_bytes()), 0), Ok(false));
        assert_eq!(catalog(&mut set, None).map(|_| ()), Err("incomplete"));
        assert_eq!(set.take("version:catalog", Some(version(r#"{"brand": 1}"#).as_bytes()), 1), Ok(true));
        let first = catalog(&mut set, None).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(first.size(), (1, 0, 0));
        // An offender is laid over what stands; it does not count either before it is closed.
        let offender = r#"{"kind": "offender", "platform": "bazaar", "seller_id": "s"}"#;
        assert_eq!(set.take("offender:bazaar:s", Some(offender.as_bytes()), 2), Ok(false));
        assert_eq!(catalog(&mut set, Some(&first)).map(|c| c.version().to_owned()), Ok(first.version().to_owned()));
        assert_eq!(set.take("version:catalog", Some(version(r#"{"brand": 1, "offender": 1}"#).as_bytes()), 3), Ok(true));
        set.applied();
        let second = catalog(&mut set, Some(&first)).unwrap_or_else(|e| panic!("{e}"));
        assert_ne!(second.version(), first.version());
        // The same rows, read whole, are the same catalog.
        let whole = catalog(&mut set, None).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(second.version(), whole.version());
        // Deleted again, it is the first once more.
        assert_eq!(set.take("offender:bazaar:s", None, 4), Ok(false));
        assert_eq!(set.take("version:catalog", Some(version(r#"{"brand": 1}"#).as_bytes()), 5), Ok(true));
        assert_eq!(catalog(&mut set, Some(&second)).map(|c| c.version().to_owned()), Ok(first.version().to_owned()));
    }

    #[test]
    fn what_stands_is_what_was_written_last_closed_or_not() {
        let mut set = Set::default();
        let mut take = |key: &str, payload: Option<&str>| set.take(key, payload.map(str::as_bytes), 0).expect("a record");
        take("brand:a", Some("1"));
        take("brand:b", Some("2"));
        take("version:catalog", Some(r#"{"kind": "version"}"#));
        take("brand:a", Some("3"));
        take("brand:b", None);
        take("brand:c", Some("4"));
        assert_eq!(set.rows(), BTreeMap::from([("brand:a", &b"3"[..]), ("brand:c", b"4")]));
    }

    #[test]
    fn what_is_lost_wrong_or_shrunk_is_refused() {
        let close = |set: &mut Set, text: &str| set.take("version:catalog", Some(text.as_bytes()), 9).expect("a version");
        let with = |rows: &[(&str, &str)]| {
            let mut set = Set::default();
            for (i, (key, row)) in rows.iter().enumerate() {
                set.take(key, Some(row.as_bytes()), i).expect("a row");
            }
            set
        };
        let mut lost = with(&[("brand:acme", BRAND)]);
        close(&mut lost, &version(r#"{"brand": 2}"#));
        assert_eq!(catalog(&mut lost, None).map(|_| ()), Err("incomplete"));
        let mut wrong = with(&[("brand:acme", BRAND), ("offender:x", r#"{"kind": "offender", "platform": 5}"#)]);
        close(&mut wrong, r#"{"kind": "version"}"#);
        assert_eq!(catalog(&mut wrong, None).map(|_| ()), Err("invalid"));
        let other = |id: &str| format!(r#"{{"kind": "brand", "brand_id": "{id}", "name": "{id}"}}"#);
        let (b, c) = (other("bcd"), other("cde"));
        let mut set = with(&[("brand:acme", BRAND), ("brand:bcd", &b), ("brand:cde", &c)]);
        close(&mut set, r#"{"kind": "version"}"#);
        let three = catalog(&mut set, None).unwrap_or_else(|e| panic!("{e}"));
        set.take("brand:bcd", None, 10).expect("a row");
        set.take("brand:cde", None, 11).expect("a row");
        close(&mut set, r#"{"kind": "version"}"#);
        assert_eq!(catalog(&mut set, Some(&three)).map(|_| ()), Err("shrunk"));
        close(&mut set, r#"{"kind": "version", "may_shrink": true}"#);
        // It holds until the set is in use, whatever is closed meanwhile.
        close(&mut set, r#"{"kind": "version"}"#);
        assert_eq!(catalog(&mut set, Some(&three)).map(|c| c.size()), Ok((1, 0, 0)));
        assert!(set.take("version:catalog", Some(b"nonsense"), 12).is_err());
    }
}
