//! `replay` and `policy promote`: what another policy would find, why an event was flagged, and putting a policy into use.

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{catalog, examples, lines, succeed, touchstone};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a file");
    path
}

/// The examples' policy with a lowest threshold of its own.
fn lower(folder: &Path) -> PathBuf {
    let own = std::fs::read_to_string(catalog().join("policy.toml")).expect("the policy");
    write(folder, "lower.toml", &format!("[thresholds]\nask_brand = 0.005\n{own}"))
}

fn replay(listings: &Path, more: &[&Path], json: bool) -> String {
    let mut command = touchstone("replay");
    command.arg("--catalog").arg(catalog()).arg("--listings").arg(listings).args(more);
    succeed(if json { command.arg("--json") } else { &mut command })
}

fn report(listings: &Path, more: &[&Path]) -> Value {
    serde_json::from_str(&replay(listings, more, true)).expect("JSON")
}

#[test]
fn the_same_on_both_sides_makes_no_difference() {
    let report = report(&examples(), &[]);
    assert_eq!(report["differences"], json!([]));
    assert_eq!(report["before"], report["after"]);
    let suspects = succeed(touchstone("scan --catalog").arg(catalog()).arg("--listings").arg(examples()));
    assert_eq!(report["after"]["suspects"], suspects.lines().count());
    assert_eq!(
        report["outcomes"]["suspect"].as_u64().expect("a count") + report["outcomes"]["clean"].as_u64().expect("a count"),
        report["compared"]
    );
}

#[test]
fn a_lower_threshold_shows_new_suspects_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let (policy, out) = (lower(folder.path()), folder.path().join("out.jsonl"));
    let report = report(&examples(), &["--policy".as_ref(), &policy, "--out".as_ref(), &out, "--samples".as_ref(), "1".as_ref()]);
    let rows = report["differences"].as_array().expect("rows");
    assert!(!rows.is_empty());
    for row in rows {
        assert_eq!((&row["difference"], &row["to"]), (&json!("new"), &json!("ask_brand")), "{row}");
        let samples = row["samples"].as_array().expect("samples");
        assert_eq!(samples.len(), 1);
        // The scores are those of before: the threshold alone is another.
        assert_eq!(samples[0]["score_before"], samples[0]["score_after"]);
        assert_eq!((&samples[0]["evidence_before"], &samples[0]["evidence_after"]), (&json!([]), &json!([])));
    }
    let count: u64 = rows.iter().map(|row| row["count"].as_u64().expect("a count")).sum();
    let all = lines(&std::fs::read_to_string(&out).expect("the differences"));
    let (was, is) = (&report["before"]["suspects"], &report["after"]["suspects"]);
    assert_eq!((all.len() as u64, is.as_u64().expect("a count") - was.as_u64().expect("a count")), (count, count));
    let table = replay(&examples(), &["--policy".as_ref(), &policy], false);
    assert!(table.contains(&format!("{count} differences")) && table.contains("per million"), "{table}");
    // The other way round they are gone.
    let back = self::report(&examples(), &["--against-policy".as_ref(), &policy]);
    assert!(back["differences"].as_array().expect("rows").iter().all(|row| row["difference"] == "gone"), "{back}");
}

#[test]
fn one_event_is_told_from_what_was_recorded() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorded = succeed(touchstone("scan --catalog").arg(catalog()).arg("--listings").arg(examples()));
    let file = write(folder.path(), "suspects.jsonl", &recorded);
    let policy = lower(folder.path());
    let event = lines(&recorded)[0]["event_id"].as_str().expect("an id").to_owned();
    let again = |more: &[&Path]| {
        let (event, all) = (Path::new(&event), ["--event".as_ref(), Path::new(&event), "--suspects".as_ref(), file.as_path()]);
        let told = lines(&replay(&examples(), &[&all, more].concat(), true));
        assert!(told.iter().all(|one| one["suspect"]["event_id"] == event.to_str().expect("UTF-8")), "{told:?}");
        told[0].clone()
    };
    let same = again(&[]);
    assert_eq!((&same["outcome"], &same["recorded"]), (&json!("same"), &same["suspect"]["detection_id"]), "{same}");
    let other = again(&["--policy".as_ref(), &policy]);
    assert_eq!((&other["outcome"], &other["detection"][0]["part"]), (&json!("differs"), &json!("policy_version")), "{other}");
    assert_eq!(other["fields"], json!(["thresholds"]));
    let output = touchstone("replay --event nobody --catalog")
        .arg(catalog())
        .arg("--listings")
        .arg(examples())
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

/// A listing of the topic only links to its pictures: those of its day come from a bundle.
#[test]
fn pictures_come_from_a_bundle_by_their_hash() {
    let folder = tempfile::tempdir().expect("a folder");
    let (catalog, bundle) = (folder.path().join("catalog"), folder.path().join("bundle"));
    std::fs::create_dir_all(&catalog).and_then(|()| std::fs::create_dir_all(&bundle)).expect("folders");
    // Discs, so that the picture has a hash of its own.
    let picture = image::RgbImage::from_fn(320, 240, |x, y| {
        let disc = |cx: u32, cy: u32, r: u32| x.abs_diff(cx).pow(2) + y.abs_diff(cy).pow(2) < r * r;
        image::Rgb([
            if disc(90, 80, 60) { 220 } else { 20 },
            if disc(220, 150, 70) { 200 } else { 60 },
            if disc(160, 60, 40) { 240 } else { 90 },
        ])
    });
    picture.save(catalog.join("a.png")).expect("a file");
    write(&catalog, "brands.jsonl", "{\"brand_id\": \"velmora\", \"name\": \"Velmora\"}\n");
    write(
        &catalog,
        "products.jsonl",
        "{\"product_id\": \"velmora:a\", \"brand_id\": \"velmora\", \"name\": \"Velmora A\", \"images\": [{\"path\": \"a.png\"}]}\n",
    );
    let file = std::fs::File::open(catalog.join("a.png")).expect("the picture");
    let mut hash = Sha256::new();
    std::io::copy(&mut std::io::BufReader::new(file), &mut Hashing(&mut hash)).expect("the picture");
    let sum: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let listing = json!({"event_id": "e1", "op": "upsert", "occurred_at": "2026-11-21T08:00:00Z", "platform": "bazaar", "market": "ID",
        "listing_id": "1", "revision": 1, "seller": {"id": "s"}, "title": "new arrival", "images": [{"url": "https://shop.example/a.png", "sha256": sum}]});
    let listings = write(folder.path(), "listings.jsonl", &listing.to_string());
    // Any brand that is touched is a suspect.
    let policy = write(folder.path(), "all.toml", "[thresholds]\nask_brand = 0.000001\n");
    let seen = || {
        let mut command = touchstone("replay --event e1 --catalog");
        command.arg(&catalog).arg("--listings").arg(&listings).arg("--policy").arg(&policy).arg("--pictures").arg(&bundle);
        lines(&succeed(&mut command))
    };
    assert!(seen().is_empty(), "without the picture nothing names the brand");
    std::fs::copy(catalog.join("a.png"), bundle.join(&sum)).expect("a file");
    let found = seen();
    assert_eq!(found[0]["images_seen"][0]["sha256"], json!(sum), "{found:?}");
    assert!(found[0]["evidence"].as_array().expect("evidence").iter().any(|e| e["kind"] == "reference_copy"), "{found:?}");
    // What stands there under another's name is not taken for it.
    write(&bundle, &sum, "no picture");
    assert!(seen().is_empty());
}

/// Hashes what is written.
struct Hashing<'a>(&'a mut Sha256);

impl std::io::Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_policy_is_promoted_and_put_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = folder.path().join("catalog");
    succeed(Command::new("cp").arg("-r").arg(catalog()).arg(&own));
    let config = write(folder.path(), "touchstone.toml", &format!("[catalog]\npath = {:?}\n", own.display().to_string()));
    let policy = lower(folder.path());
    let place = own.join("policy.toml");
    let text = |path: &Path| std::fs::read_to_string(path).expect("a file");
    let (old, new) = (text(&place), text(&policy));
    let promote = |what: &Path| {
        let mut command = touchstone("policy promote");
        command.arg(what).arg("--config").arg(&config);
        command
    };
    assert_eq!(promote("--back".as_ref()).output().expect("the program starts").status.code(), Some(2), "nothing is there to put back");
    let told = succeed(&mut promote(&policy));
    assert!(told.contains("policy.toml: policy ") && told.contains(" -> "), "{told}");
    assert_eq!((text(&place), text(&own.join("policy.toml.before"))), (new.clone(), old.clone()));
    assert!(succeed(&mut promote(&policy)).contains("stands already: nothing is changed"));
    // What is promoted is what is scanned under.
    let report: Value = serde_json::from_str(&succeed(
        touchstone("replay --json --catalog").arg(&own).arg("--against-catalog").arg(catalog()).arg("--listings").arg(examples()),
    ))
    .expect("JSON");
    assert!(told.trim().ends_with(report["after"]["policy_version"].as_str().expect("a version")), "{told}");
    succeed(touchstone("catalog check").arg(&own));
    succeed(&mut promote("--back".as_ref()));
    assert_eq!((text(&place), text(&own.join("policy.toml.before"))), (old, new));
    let wrong = write(folder.path(), "wrong.toml", "[thresholds]\nreprot = 0.8\n");
    let output = promote(&wrong).output().expect("the program starts");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("did you mean \"report\"?"), "{output:?}");
}
