//! A suspicion from its finding to its removal, and what is learnt from it, through a worker that scans and decides.

use std::io::Cursor;
use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};
use touchstone_detectors::suspect_id;

use super::broker::{Broker, Seen};
use super::worker::Worker;
use super::{LIMIT, key};
use crate::common::{succeed, touchstone};

/// A picture with something on it, another for each seed.
fn picture(seed: u32, format: ImageFormat) -> Vec<u8> {
    let image = RgbImage::from_fn(360, 300, |x, y| {
        let shade = if (x / (20 + 7 * seed) + y / (30 + 5 * seed)).is_multiple_of(2) { 30 } else { 200 };
        Rgb([shade, u8::try_from((x * seed / 3) % 256).expect("small"), u8::try_from((y * 2 / (seed + 1)) % 256).expect("small")])
    });
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(image).write_to(&mut bytes, format).expect("memory");
    bytes.into_inner()
}

fn write_catalog(folder: &Path) {
    let write = |file: &str, bytes: &[u8]| std::fs::write(folder.join(file), bytes).expect("a file");
    let price = json!({"category": ["bags"], "amount": "500", "currency": "USD"});
    let brand = json!({"brand_id": "velmora", "name": "Velmora", "rights_holder_id": "velmora-sa", "categories": ["bags"], "reference_prices": [price]});
    write("brands.jsonl", brand.to_string().as_bytes());
    let holder = json!({"rights_holder_id": "velmora-sa", "agents": [{"agent_id": "greyfin", "name": "Greyfin IP"}]});
    write("rights_holders.jsonl", holder.to_string().as_bytes());
    write("a.jpg", &picture(1, ImageFormat::Jpeg));
    let product = json!({"product_id": "velmora:1", "brand_id": "velmora", "name": "Velmora Classic", "images": [{"path": "a.jpg"}]});
    write("products.jsonl", product.to_string().as_bytes());
    write("policy.toml", b"[removals]\nmode = \"on\"\n[standing]\nburden = \"word\"\n");
}

fn listing(id: &str, title: &str, picture: Option<Vec<u8>>) -> Value {
    let images: Vec<Value> = picture.into_iter().map(|bytes| json!({"data": BASE64_STANDARD.encode(bytes)})).collect();
    json!({"event_id": format!("e-{id}"), "op": "upsert", "occurred_at": "2026-11-02T08:00:00Z", "platform": "bazaar", "market": "ID",
        "listing_id": id, "revision": 1, "seller": {"id": format!("s-{id}"), "links": [{"kind": "payout", "key": "k1"}]}, "title": title, "images": images})
}

fn verdict(id: &str, listing: &str, says: &str, by: &str) -> Value {
    json!({"verdict_id": id, "suspect_id": suspect_id("bazaar", "ID", listing, "velmora"), "brand_id": "velmora", "platform": "bazaar",
        "market": "ID", "listing_id": listing, "verdict": says, "by": {"type": by, "id": if by == "agent" { "greyfin" } else { "velmora-sa" }},
        "at": "2026-11-03T08:00:00Z"})
}

struct Stage<'a> {
    broker: &'a Broker,
}

impl Stage<'_> {
    /// Writes a record about a listing.
    fn put(&self, topic: &str, listing: &str, value: &Value) {
        let payload = value.to_string();
        self.broker.write(&self.broker.topic(topic), [(format!("bazaar:ID:{listing}"), payload.as_bytes())].into_iter(), &[]);
    }

    /// Waits until a topic has records that are as they must be.
    fn until(&self, topic: &str, worker: &Worker, are_there: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let values = |seen: &[Seen]| -> Vec<Value> { seen.iter().filter(|s| !s.payload.is_empty()).map(Seen::json).collect() };
        let seen = self.broker.read_until(&self.broker.topic(topic), LIMIT, |seen| are_there(&values(seen)));
        let all = values(&seen);
        assert!(are_there(&all), "{topic}: {all:#?}\n{}", worker.log());
        all
    }
}

/// A brand's word becomes a removal, an objection is heard, and the next upload of the picture by anybody is found at once, until the
/// brand thinks better of it. The worker is killed on the way.
#[test]
fn a_verdict_becomes_a_removal_and_a_known_fake() {
    let Some(broker) = Broker::real() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    write_catalog(folder.path());
    let mut worker = Worker::start_as("all", &broker, Path::new(""), "");
    succeed(touchstone("catalog publish --config").arg(worker.config()).arg(folder.path()));
    worker.wait_ready();
    let stage = Stage { broker: &broker };

    let mut fake = listing("1", "V3lmora bag, mirror quality replica", Some(picture(5, ImageFormat::Jpeg)));
    (fake["price"], fake["category"]) = (json!({"amount": "20", "currency": "USD"}), json!(["Bags"]));
    stage.put("listings", "1", &fake);
    let removals = stage.until("removals", &worker, |all| all.len() == 1);
    assert_eq!((&removals[0]["origin"], &removals[0]["op"]), (&json!("proactive"), &json!("remove")), "{removals:?}");
    assert_eq!(removals[0]["suspect_id"], json!(suspect_id("bazaar", "ID", "1", "velmora")));
    let statement = removals[0]["statement"].as_str().expect("a statement");
    assert!(statement.contains("Velmora") && statement.contains("Listing 1 "), "{statement}");

    // Who may not speak is refused, and nothing is learnt from them.
    let mut foreign = verdict("v0", "1", "counterfeit", "agent");
    foreign["by"]["id"] = json!("somebody");
    stage.put("verdicts", "1", &foreign);
    let letters = broker.read_until(&broker.topic("dead-letters"), LIMIT, |seen| !seen.is_empty());
    assert_eq!((letters[0].header("reason"), letters[0].header("path")), (Some("foreign"), Some("by.id")), "{}", worker.log());

    std::thread::park_timeout(Duration::from_secs(3));
    assert!((worker.metric("touchstone_catalogs_total{outcome=\"applied\"}") - 1.0).abs() < 0.1, "{}", worker.log());

    // What the scanner saw is known to a worker that begins, and that it saw nothing of another listing, too.
    stage.put("listings", "4", &listing("4", "elegant bag for ladies", None));
    worker.wait_metric("touchstone_listings_total{outcome=\"clean\"}", 1.0);
    // Until what says so is taken for good: it must be read back.
    std::thread::park_timeout(Duration::from_secs(3));
    worker.kill_and_restart();
    worker.wait_ready();
    for listing in ["4", "99"] {
        let target = json!({"platform": "bazaar", "market": "ID", "listing_id": listing});
        let notice = json!({"notice_id": format!("n-{listing}"), "brand_id": "velmora", "by": {"type": "agent", "id": "greyfin"}, "target": target,
            "at": "2026-11-03T08:00:00Z"});
        stage.put("notices", listing, &notice);
    }
    let letters = broker.read_until(&broker.topic("dead-letters"), LIMIT, |seen| seen.len() >= 2);
    let letter = letters.iter().find(|letter| letter.json()["notice_id"] == "n-99").expect("a letter");
    assert_eq!(letter.header("reason"), Some("no_such_listing"), "{}", worker.log());
    stage.until("removals", &worker, |all| all.iter().any(|removal| removal["notice_id"] == "n-4"));

    // The picture is known once the brand confirms, whatever size and format it comes in next, and wherever its word comes.
    let confirmed = verdict("v1", "1", "counterfeit", "agent").to_string();
    for partition in [0, 1] {
        let record = [("bazaar:ID:1".to_owned(), confirmed.as_bytes())];
        broker.write_to(&broker.topic("verdicts"), Some(partition), record.into_iter(), &[]);
    }
    worker.wait_metric("touchstone_catalogs_total{outcome=\"applied\"}", 2.0);
    stage.put("listings", "2", &listing("2", "elegant bag for ladies", Some(picture(5, ImageFormat::Png))));
    let suspects = stage.until("suspects", &worker, |all| all.iter().any(|s| s["event_id"] == "e-2"));
    let found = suspects.iter().find(|s| s["event_id"] == "e-2").expect("a suspect");
    let known = found["evidence"].as_array().expect("evidence").iter().find(|e| e["kind"] == "known_fake");
    assert!(known.is_some_and(|e| e["reference"].as_str().is_some_and(|r| r.starts_with("verdict-"))), "{found}");

    // Both sellers are one case, and the brand's standing is counted.
    let cases = stage.until("cases", &worker, |all| all.iter().any(|case| case["sellers"].as_array().is_some_and(|s| s.len() == 2)));
    assert!(cases.iter().any(|case| case["confirmed"] == 1), "{cases:?}");
    let standing = stage.until("standing", &worker, |all| all.iter().any(|row| row["volume"] == 3));
    assert_eq!(standing.last().expect("a standing")["overall"]["upheld"], 0.666667, "{standing:?}");

    // The seller objects, and is right.
    let removal_id = removals[0]["removal_id"].clone();
    for (appeal, outcome) in [("a1", "opened"), ("a2", "won")] {
        stage.put(
            "appeals",
            "1",
            &json!({"appeal_id": appeal, "removal_id": removal_id, "outcome": outcome, "at": "2026-11-04T08:00:00Z"}),
        );
    }
    let removals = stage.until("removals", &worker, |all| all.iter().any(|r| r["reverses"] == removal_id));
    assert!(removals.iter().all(|r| key(r).starts_with("bazaar:ID:")), "{removals:?}");
    stage.until("standing", &worker, |all| all.iter().any(|row| row["overall"]["countered"] == 0.333333));
    worker.wait_metric("touchstone_catalogs_total{outcome=\"applied\"}", 3.0);
    stage.put("listings", "3", &listing("3", "elegant bag for ladies", Some(picture(5, ImageFormat::Png))));
    worker.wait_metric("touchstone_listings_total{outcome=\"clean\"}", 1.0);

    // Catalogs that are published later leave what was learnt alone.
    let again = succeed(touchstone("catalog publish --config").arg(worker.config()).arg(folder.path()));
    assert!(again.contains("0 rows written, 0 deleted"), "{again}");
    assert!(worker.terminate().0.success());
}
