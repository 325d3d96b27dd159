//! Suspicions that are taken back, held to a small model of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use touchstone_schemas::{Suspect, decode};

use super::broker::{Broker, Seen};
use super::worker::Worker;
use super::{LIMIT, key, lines, payloads};
use crate::common::{catalog, examples};

/// What must be taken back, given what `scan` finds: event and brand where the listing's last event that was scanned brought a suspect
/// of the brand and this one does not.
pub(crate) fn taken_back(listings: &str, suspects: &[String]) -> Vec<(String, String)> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let text = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
    for suspect in suspects {
        let row: Value = serde_json::from_str(suspect).expect("JSON");
        found.entry(text(&row, "event_id")).or_default().insert(text(&row, "brand_id"));
    }
    let mut stands: BTreeMap<String, (u64, BTreeSet<String>)> = BTreeMap::new();
    let mut back = Vec::new();
    for listing in lines(listings) {
        let (event, revision) = (text(&listing, "event_id"), listing["revision"].as_u64().expect("a number"));
        let now = found.get(&event).cloned().unwrap_or_default();
        let before = stands.entry(key(&listing)).or_default();
        if before.0 < revision {
            back.extend(before.1.difference(&now).map(|brand| (event.clone(), brand.clone())));
            *before = (revision, now);
        }
    }
    back.sort();
    back
}

/// Holds what was read to what `scan` finds in the listings, and to what must be taken back.
pub(crate) fn assert_exact(seen: &[Seen], expected: &[String], listings: &str, log: &str) {
    let (stand, back): (Vec<Seen>, Vec<Seen>) = seen.iter().cloned().partition(|s| s.json()["op"] == "upsert");
    let got = payloads(&stand);
    let first = got.iter().zip(expected).find(|(a, b)| a != b);
    assert!(got == expected, "{} of {}, first difference {first:?}: {log}", got.len(), expected.len());
    let of = |s: &Seen| ["event_id", "brand_id"].map(|field| s.json()[field].as_str().expect("a text").to_owned()).into();
    let mut told: Vec<(String, String)> = back.iter().map(of).collect();
    told.sort();
    assert_eq!(told, taken_back(listings, expected), "{log}");
}

/// One listing is found, edited, found again and removed; between, the worker may be killed.
fn takes_back(broker: &Broker, worker: &mut Worker, kills: bool) {
    worker.wait_ready();
    let text = std::fs::read_to_string(examples()).expect("the examples");
    let fake = lines(text.lines().nth(1).expect("a suspect")).remove(0);
    let title = fake["title"].as_str().expect("a title").to_owned();
    let write = |revision: u64, change: &dyn Fn(&mut Value)| {
        let mut event = fake.clone();
        (event["revision"], event["event_id"]) = (json!(revision), json!(format!("revision-{revision}")));
        change(&mut event);
        let payload = event.to_string();
        broker.write(&broker.topic("listings"), std::iter::once((key(&event), payload.as_bytes())), &[]);
    };
    let edit = |event: &mut Value| {
        event["title"] = json!("Rak sepatu kayu");
        for field in ["description", "brand"] {
            event.as_object_mut().expect("an object").remove(field);
        }
    };
    let bare = |event: &mut Value| {
        event["op"] = json!("remove");
        event
            .as_object_mut()
            .expect("an object")
            .retain(|field, _| !["title", "description", "brand", "seller", "price"].contains(&&**field));
    };
    let mut await_records = |most: usize| {
        let seen = broker.read_until(&broker.topic("suspects"), LIMIT, |seen| seen.len() >= most);
        assert_eq!(seen.len(), most, "{}", worker.log());
        if kills {
            // At least once shows a record before its offset is committed, and may then show it again.
            std::thread::park_timeout(Duration::from_secs(1));
            worker.kill_and_restart();
            worker.wait_ready();
        }
        seen
    };
    let nothing = |_: &mut Value| {};
    write(1, &nothing);
    await_records(1);
    // The price is no content, and a stale event takes nothing back.
    write(2, &|event: &mut Value| event["price"]["amount"] = json!("186000"));
    await_records(2);
    write(1, &edit);
    write(3, &edit);
    await_records(3);
    write(4, &edit);
    write(5, &nothing);
    await_records(4);
    write(6, &bare);
    let seen = await_records(5);
    let told: Vec<Suspect> = seen.iter().map(|s| decode(&s.payload).expect("a suspect").value).collect();
    let is: Vec<(&str, u64, Option<&str>)> =
        told.iter().map(|s| (s.op.as_str(), s.listing.revision, s.withdrawn_because.map(|because| because.as_str()))).collect();
    let expected = [
        ("upsert", 1, None),
        ("upsert", 2, None),
        ("withdraw", 3, Some("edited")),
        ("upsert", 5, None),
        ("withdraw", 6, Some("listing_removed")),
    ];
    assert_eq!(is, expected);
    for (back, stood) in [(&told[2], &told[1]), (&told[4], &told[3])] {
        assert_eq!(back.supersedes.as_deref(), Some(stood.detection_id.as_str()));
        assert_eq!((&back.suspect_id, back.score, back.band), (&stood.suspect_id, stood.score, stood.band));
        assert_ne!(back.detection_id, stood.detection_id);
        assert_eq!(back.listing.seller.id, stood.listing.seller.id);
    }
    assert_eq!((told[4].listing.title.as_str(), &told[4].content_hash), ("", &told[3].content_hash));
    assert_eq!(told[3].listing.title, title);
    let headers = ["ce_id", "ce_type"].map(|name| seen[2].header(name));
    assert_eq!(headers, [Some(told[2].detection_id.as_str()), Some("touchstone.suspect")]);
}

#[test]
fn what_is_found_no_more_is_taken_back() {
    let broker = Broker::embedded();
    let mut worker = Worker::start(&broker, &catalog(), "");
    takes_back(&broker, &mut worker, false);
    worker.wait_metric("touchstone_withdrawn_total{because=\"edited\"}", 1.0);
    worker.wait_metric("touchstone_withdrawn_total{because=\"listing_removed\"}", 1.0);
}

/// What stands of a listing outlives the worker that found it, whichever way the worker delivers.
#[test]
fn what_is_found_no_more_is_taken_back_by_a_worker_that_did_not_find_it() {
    for delivery in ["exactly_once", "at_least_once"] {
        let Some(broker) = Broker::real() else { return };
        let mut worker = Worker::start(&broker, &catalog(), "");
        let config = std::fs::read_to_string(worker.config()).expect("the configuration");
        std::fs::write(worker.config(), config.replace("[kafka]\n", &format!("[kafka]\ndelivery = {delivery:?}\n"))).expect("a file");
        worker.kill_and_restart();
        takes_back(&broker, &mut worker, true);
    }
}
