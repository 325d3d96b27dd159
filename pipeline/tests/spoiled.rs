//! Spoiled lines among good ones: each is told of once, with its reason and path, and changes nothing else.

mod common;

use std::collections::BTreeMap;

use common::{catalog, examples, lines, succeed, touchstone, without_clock};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

/// What a spoiled line must end as.
enum End {
    /// A dead letter with this reason and path.
    Dead(&'static str, &'static str),
    /// Scanned, with one fault of this reason in this field.
    Faulty(&'static str, &'static str),
}

/// A sound listing that names no brand.
fn sound(id: usize) -> Value {
    json!({"event_id": format!("spoiled-{id}"), "op": "upsert", "occurred_at": "2026-11-21T08:00:00Z", "platform": "spoiled", "market": "ID",
        "listing_id": id.to_string(), "revision": 1, "seller": {"id": "s"}, "title": "plain cotton towel", "price": {"amount": "95000", "currency": "IDR"}})
}

fn with(id: usize, pointer: &str, value: Value) -> Vec<u8> {
    let mut listing = sound(id);
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    listing.pointer_mut(parent).expect("the parent")[key] = value;
    listing.to_string().into_bytes()
}

fn without(id: usize, key: &str) -> Vec<u8> {
    let mut listing = sound(id);
    listing.as_object_mut().expect("an object").remove(key);
    listing.to_string().into_bytes()
}

/// The line of a kind, for a number.
fn spoil(kind: usize, id: usize) -> (Vec<u8>, End) {
    use End::{Dead, Faulty};
    let text = sound(id).to_string();
    match kind {
        0 => (text.as_bytes()[..10 + id % (text.len() - 10)].to_vec(), Dead("not_json", "")),
        1 => (with(id, "/revision", json!("7")), Dead("wrong_type", "revision")),
        2 => (with(id, "/title", json!(7)), Dead("wrong_type", "title")),
        3 => (without(id, "event_id"), Dead("missing_field", "event_id")),
        4 => (without(id, "seller"), Dead("missing_field", "seller")),
        5 => (with(id, "/seller", json!({})), Dead("missing_field", "seller.id")),
        6 => ([text.as_bytes(), b"\xff\xfe"].concat(), Dead("not_utf8", "")),
        7 => ("[".repeat(200_000).into_bytes(), Dead("not_json", "")),
        8 => (format!("{}{}", "{\"a\":".repeat(200_000), "}".repeat(200_000)).into_bytes(), Dead("too_large", "")),
        9 => (with(id, "/occurred_at", json!("9999-13-01T00:00:00Z")), Dead("wrong_form", "occurred_at")),
        10 => (with(id, "/revision", json!(-1)), Dead("wrong_form", "revision")),
        11 => (with(id, "/market", json!("id")), Dead("wrong_form", "market")),
        12 => (b"null".to_vec(), Dead("wrong_type", "")),
        13 => (b"[1, 2]".to_vec(), Dead("wrong_type", "")),
        14 => (with(id, "/price/amount", json!("1e9999")), Faulty("wrong_form", "price.amount")),
        15 => (with(id, "/price/amount", json!("-5")), Faulty("wrong_form", "price.amount")),
        16 => (with(id, "/price/amount", json!("NaN")), Faulty("wrong_form", "price.amount")),
        17 => (with(id, "/price/amount", json!(5.0)), Faulty("wrong_type", "price.amount")),
        18 => (with(id, "/price/currency", json!("XQZ")), Faulty("unknown_currency", "price.currency")),
        19 => (with(id, "/condition", json!("shiny")), Faulty("wrong_form", "condition")),
        20 => (with(id, "/variants", json!([{"name": 7}])), Faulty("wrong_type", "variants[].name")),
        21 => (with(id, "/images", json!("a.jpg")), Faulty("wrong_type", "images")),
        _ => (with(id, "/title", json!("5 MB ".repeat(1 << 20))), Dead("too_large", "")),
    }
}

const KINDS: usize = 23;
/// Of the 5 MB titles and the brackets fewer, for the sake of time.
const LARGE: [usize; 3] = [7, 8, 22];

#[test]
fn a_thousand_spoiled_lines_are_told_of_once_each_and_change_nothing_else() {
    let good = std::fs::read_to_string(examples()).expect("the examples");
    let mut good = good.lines().map(|l| l.as_bytes().to_vec());
    let mut spoiled: Vec<(usize, usize)> = (0..1_000).map(|id| (id, if id < 3 { LARGE[id] } else { id % KINDS })).collect();
    for (id, kind) in spoiled.iter_mut().skip(3).filter(|(_, kind)| LARGE.contains(kind)) {
        *kind = *id % 7;
    }
    let order = proptest::strategy::Just(spoiled).prop_shuffle().new_tree(&mut TestRunner::deterministic()).expect("an order").current();
    let (mut text, mut dead, mut faults) = (Vec::new(), Vec::new(), BTreeMap::<String, usize>::new());
    let mut number = 0_u64;
    for (i, (id, kind)) in order.into_iter().enumerate() {
        if i % 17 == 0
            && let Some(line) = good.next()
        {
            text.extend(line);
            text.push(b'\n');
            number += 1;
        }
        let (line, end) = spoil(kind, id);
        text.extend(line);
        text.push(b'\n');
        number += 1;
        match end {
            End::Dead(reason, path) => dead.push((number, reason, path)),
            End::Faulty(reason, path) => *faults.entry(format!("{reason} in {path}")).or_default() += 1,
        }
    }
    for line in good {
        text.extend(line);
        text.push(b'\n');
    }

    let folder = tempfile::tempdir().expect("a folder");
    let (file, letters) = (folder.path().join("mixed.jsonl"), folder.path().join("dead.jsonl"));
    std::fs::write(&file, &text).expect("a file");
    let scan = |listings| {
        let mut command = touchstone("scan --catalog");
        command.arg(catalog()).arg("--listings").arg(listings);
        command
    };
    let output = scan(&file).arg("--dead-letters").arg(&letters).output().expect("the program starts");
    let summary = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{summary}");
    assert_eq!(
        without_clock(&String::from_utf8_lossy(&output.stdout)),
        without_clock(&succeed(&mut scan(&examples()))),
        "the suspects of the good lines"
    );

    let written = lines(&std::fs::read_to_string(&letters).expect("dead letters"));
    let told: Vec<_> = written.iter().map(|d| (d["offset"].as_u64().expect("a line"), d["reason"].as_str(), d["path"].as_str())).collect();
    let expected: Vec<_> = dead.iter().map(|(n, reason, path)| (*n, Some(*reason), Some(*path))).collect();
    assert_eq!(told, expected);
    for letter in &written {
        let payload = letter["payload"].as_str().map_or(0, str::len).max(letter["payload_base64"].as_str().map_or(0, |b| b.len() / 4 * 3));
        assert!(payload <= 900 << 10 && letter["sha256"].as_str().is_some_and(|h| h.len() == 64), "{}", letter["offset"]);
    }
    let line = summary.lines().find_map(|l| l.strip_prefix("faults")).expect("faults are counted").trim();
    let counted: BTreeMap<String, usize> = line
        .split(", ")
        .map(|part| part.split_once(' ').expect("a count and a reason"))
        .map(|(n, reason)| (reason.to_owned(), n.parse().expect("a count")))
        .collect();
    assert_eq!(counted, faults);
}

/// Texts that are worst for a scanner, a megabyte each: none may hold up the others.
#[test]
#[allow(clippy::disallowed_types, reason = "time is what is bounded")]
fn no_text_takes_longer_than_its_share() {
    let long = |text: &str| text.repeat(900_000 / text.len());
    let attributes: serde_json::Map<String, Value> = (0..50_000).map(|i| (format!("k{i}"), json!("v"))).collect();
    let fields = [
        ("description", json!(long("Nordvale "))),
        ("title", json!(long("Nordvale "))),
        ("description", json!(long("nv "))),
        ("description", json!(long("Nordvale kw "))),
        ("title", json!(long("free case for Nordvale kw "))),
        ("title", json!(long("n o r d v a l e "))),
        ("title", json!(long("N$"))),
        ("image_text", json!(vec!["Nordvale"; 80_000])),
        ("variants", json!(vec![json!({"name": "Nordvale kw"}); 30_000])),
        ("attributes", json!(attributes)),
    ];
    let lines: Vec<String> = fields
        .into_iter()
        .enumerate()
        .map(|(i, (field, value))| {
            let mut listing = sound(i);
            listing[field] = value;
            listing.to_string()
        })
        .collect();
    assert!(lines.iter().all(|line| line.len() < 1 << 20), "they are scanned and not dead letters");
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), lines.join("\n")).expect("a file");
    let started = std::time::Instant::now();
    succeed(touchstone("scan --threads 1 --out /dev/null --catalog").arg(catalog()).arg("--listings").arg(file.path()));
    assert!(started.elapsed().as_secs() < 3, "{:?}", started.elapsed());
}
