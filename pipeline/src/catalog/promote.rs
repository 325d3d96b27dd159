//! Puts a policy into use in place of the one that stands, which is kept: in a file, or in the catalog topic.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use rdkafka::error::KafkaError;
use serde_json::json;
use touchstone_detectors::{Catalog, Counts, Policy, VERSION_KEY};

use super::follow::standing;
use super::publish::{Writer, closing};
use crate::config::Config;
use crate::failure::Failure;
use crate::kafka::{self, Names};

/// A policy file is far smaller.
const MOST_BYTES: u64 = 1 << 20;
/// The row of the policy, and the one that keeps the policy before it: no set is made of the latter's kind.
const KEY: &str = "policy:policy";
const KEY_BEFORE: &str = "policy_before:policy";

/// What is put into use.
pub(crate) enum Wanted<'a> {
    /// A policy file.
    File(&'a Path),
    /// What stood before.
    Before,
}

/// What became of it: the versions before and after, which are equal where nothing had to be done, and the place.
pub(crate) struct Promoted {
    pub(crate) place: String,
    pub(crate) before: String,
    pub(crate) after: String,
}

/// Puts a policy into the file that holds one, beside a catalog that it must agree with; whole, or not at all. What stood
/// there goes to the file with `.before` at its end.
///
/// # Errors
/// A policy that is wrong, does not agree with the catalog, or was never replaced; a file that cannot be written.
pub(crate) fn promote_file(place: &Path, catalog: &Catalog, wanted: &Wanted<'_>) -> Result<Promoted, Failure> {
    let packed = [".gz", ".zst"].map(|ending| beside(place, ending));
    if let Some(packed) = packed.iter().find(|file| file.exists()) {
        return Err(Failure::Usage(format!("{}: unpack it first: a policy beside it would be a second one", packed.display())));
    }
    let kept = beside(place, ".before");
    let old = if place.exists() { text(place)? } else { String::new() };
    let (source, new) = match wanted {
        Wanted::File(file) => ((*file).to_owned(), text(file)?),
        Wanted::Before if kept.exists() => (kept.clone(), text(&kept)?),
        Wanted::Before => return Err(Failure::Usage(format!("{}: is not there: no policy was replaced yet", kept.display()))),
    };
    // One that is not sound may be replaced, too.
    let before = agrees(place, &old, None).unwrap_or_else(|_| "that is not sound".to_owned());
    let after = agrees(&source, &new, Some(catalog))?;
    if before != after {
        // The old one first: whatever happens then, it is not lost.
        write_whole(&kept, &old).and_then(|()| write_whole(place, &new)).map_err(|e| cannot_write(place, &e))?;
    }
    Ok(Promoted { place: place.display().to_string(), before, after })
}

/// Puts a policy into the catalog topic, in one transaction with what closes the set.
///
/// # Errors
/// Brokers that cannot be reached, a topic without a catalog, a policy that is wrong or was never replaced.
pub(crate) fn promote_topic(config: &Config, wanted: &Wanted<'_>) -> Result<Promoted, Failure> {
    let topic = Names::new(config).of("catalog");
    let writer = Writer::connect(config).map_err(|e: KafkaError| kafka::unreachable(config, &e))?;
    // Read after whoever else publishes was shut out.
    let set = standing(config)?;
    let catalog = set.catalog(Path::new(&topic), None, 1.0).map_err(|e| Failure::Usage(format!("{topic}: {}", e.message)))?;
    if !set.is_at(catalog.version()) {
        let what = "publish the catalog whole first: `touchstone catalog publish DIR --config FILE`";
        return Err(Failure::Usage(format!(
            "{topic}: holds rows that no set has closed, or that another version of the program wrote: {what}"
        )));
    }
    let rows = set.rows();
    let row = |key: &str| {
        rows.get(key).and_then(|row| serde_json::from_slice::<serde_json::Value>(row).ok()?["toml"].as_str().map(str::to_owned))
    };
    let old = row(KEY).unwrap_or_default();
    let (source, new) = match wanted {
        Wanted::File(file) => ((*file).to_owned(), text(file)?),
        Wanted::Before => {
            let none =
                || Failure::Usage(format!("{topic}: keeps no policy from before: none was promoted since the catalog was published"));
            (PathBuf::from(format!("{topic}, {KEY_BEFORE}")), row(KEY_BEFORE).ok_or_else(none)?)
        }
    };
    let (before, after) = (agrees(Path::new(&topic), &old, None)?, agrees(&source, &new, Some(&catalog))?);
    if before != after {
        let of = |kind: &str, toml: &str| json!({"kind": kind, "toml": toml}).to_string().into_bytes();
        let (new, old) = (of("policy", &new), of("policy_before", &old));
        let changed = [(KEY, new.as_slice()), (KEY_BEFORE, old.as_slice())];
        let closing = closing(catalog.version().to_owned(), counts(&rows, changed.map(|(key, _)| key)), false);
        let records = changed.into_iter().chain([(VERSION_KEY, closing.as_slice())]).map(|(key, payload)| (key, Some(payload)));
        writer.write(records).map_err(|e| Failure::Run(anyhow::anyhow!("kafka: nothing is published: {e}")))?;
    }
    Ok(Promoted { place: topic, before, after })
}

/// Rows by their kind, with those that are written.
fn counts(rows: &BTreeMap<&str, &[u8]>, written: [&str; 2]) -> Counts {
    let mut counts = Counts::new();
    let all = rows.keys().copied().chain(written.into_iter().filter(|key| !rows.contains_key(*key)));
    for key in all {
        *counts.entry(key.split(':').next().unwrap_or_default().to_owned()).or_default() += 1;
    }
    counts
}

/// The version of a policy that is sound, and agrees with a catalog where one is given.
fn agrees(place: &Path, text: &str, catalog: Option<&Catalog>) -> Result<String, Failure> {
    let wrong = |e: String| Failure::Usage(format!("{}: {e}", place.display()));
    let policy = Policy::parse(text).map_err(wrong)?;
    catalog.and_then(|catalog| policy.conflict(catalog)).map_or_else(|| Ok(policy.version().to_owned()), |e| Err(wrong(e)))
}

fn text(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_string(&mut text));
    read.map_err(|e| Failure::Usage(format!("{}: cannot be read: {e}", path.display())))?;
    Ok(text)
}

/// The file whose name has this at its end.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Writes a file aside and renames it, so that no reader sees a part.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let aside = beside(path, ".part");
    let mut file = File::create(&aside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&aside, path)
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::Usage(format!("{}: cannot be replaced: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog(brand: &str) -> (tempfile::TempDir, Catalog) {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("brands.jsonl"), brand).expect("a file");
        let (catalog, _) = Catalog::load(folder.path()).unwrap_or_else(|e| panic!("{e:?}"));
        (folder, catalog)
    }

    #[test]
    fn a_policy_is_replaced_kept_and_put_back() {
        let (folder, catalog) = catalog(r#"{"brand_id": "acme", "name": "Acme"}"#);
        let (place, file) = (folder.path().join("policy.toml"), folder.path().join("new.toml"));
        std::fs::write(&file, "[thresholds]\nreport = 0.2\n").expect("a file");
        let promote = |wanted: &Wanted<'_>| promote_file(&place, &catalog, wanted).unwrap_or_else(|e| panic!("{e}"));
        assert!(promote_file(&place, &catalog, &Wanted::Before).is_err_and(|e| e.to_string().contains("no policy was replaced yet")));
        let done = promote(&Wanted::File(&file));
        assert_eq!(done.before, Policy::shipped().version());
        assert_ne!(done.after, done.before);
        assert_eq!(std::fs::read_to_string(&place).expect("a file"), "[thresholds]\nreport = 0.2\n");
        // Once more changes nothing, and keeps what was kept.
        let again = promote(&Wanted::File(&file));
        assert_eq!((&again.before, &again.after), (&done.after, &done.after));
        let back = promote(&Wanted::Before);
        assert_eq!((&back.before, &back.after), (&done.after, &done.before));
        assert_eq!(std::fs::read_to_string(&place).expect("a file"), "");
        let forth = promote(&Wanted::Before);
        assert_eq!(forth.after, done.after);
        let names: Vec<_> = std::fs::read_dir(folder.path()).expect("a folder").map(|e| e.expect("an entry").file_name()).collect();
        assert!(names.iter().all(|name| !name.to_string_lossy().ends_with(".part")), "{names:?}");
    }

    #[test]
    fn what_is_wrong_replaces_nothing() {
        let (folder, catalog) = catalog(r#"{"brand_id": "acme", "name": "Acme", "thresholds": {"ask_brand": 0.2}}"#);
        let (place, file) = (folder.path().join("policy.toml"), folder.path().join("new.toml"));
        for (text, expected) in
            [("[thresholds]\nreprot = 0.8", "line 2: unknown key \"reprot\""), ("[thresholds]\nreport = 0.15", "brand acme: ")]
        {
            std::fs::write(&file, text).expect("a file");
            let told = promote_file(&place, &catalog, &Wanted::File(&file)).map(|p| p.after).map_err(|e| e.to_string());
            assert!(told.as_ref().is_err_and(|e| e.contains(expected)), "{told:?}");
            assert!(!place.exists());
        }
    }

    #[test]
    fn the_rows_that_close_a_set_are_counted_by_kind() {
        let rows = |keys: &[&'static str]| keys.iter().map(|key| (*key, &b"{}"[..])).collect::<BTreeMap<_, _>>();
        let counted = |keys: &[&'static str]| counts(&rows(keys), [KEY, KEY_BEFORE]).into_iter().collect::<Vec<_>>();
        let expected = |brands| vec![("brand".to_owned(), brands), ("policy".to_owned(), 1), ("policy_before".to_owned(), 1)];
        assert_eq!(counted(&["brand:a", "brand:b"]), expected(2));
        assert_eq!(counted(&["brand:a", KEY, KEY_BEFORE]), expected(1));
    }

    /// A set with the row that keeps the old policy makes the catalog of the same version.
    #[test]
    fn a_set_with_a_policy_from_before_is_taken() {
        let mut set = super::super::set::Set::default();
        let brand = r#"{"kind": "brand", "brand_id": "acme", "name": "Acme"}"#;
        let take = |set: &mut super::super::set::Set, key: &str, text: &str| set.take(key, Some(text.as_bytes()), 0).expect("a record");
        take(&mut set, "brand:acme", brand);
        take(&mut set, VERSION_KEY, r#"{"kind": "version"}"#);
        let version = set.catalog(Path::new("topic"), None, 1.0).unwrap_or_else(|e| panic!("{e:?}")).version().to_owned();
        take(&mut set, KEY, r#"{"kind": "policy", "toml": "[thresholds]\nreport = 0.2\n"}"#);
        take(&mut set, KEY_BEFORE, r#"{"kind": "policy_before", "toml": ""}"#);
        let rows = counts(&set.rows(), [KEY, KEY_BEFORE]);
        let closing = String::from_utf8(closing(version.clone(), rows, false)).expect("UTF-8");
        take(&mut set, VERSION_KEY, &closing);
        let catalog = set.catalog(Path::new("topic"), None, 1.0).unwrap_or_else(|e| panic!("{e:?}"));
        assert_eq!((catalog.version(), catalog.policy()), (version.as_str(), Some("[thresholds]\nreport = 0.2\n")));
        assert!(set.is_at(&version));
    }
}
