//! Trying before it bites: a policy in the shadow, over a range of the topic, and put into use by the catalog topic.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::broker::{Broker, Seen};
use super::withdrawals::{assert_exact, taken_back};
use super::worker::{Worker, get};
use super::{LIMIT, key, lines, scanned};
use crate::common::{catalog, examples, succeed, touchstone, without_clock};

/// The examples' policy with a lowest threshold of its own.
fn lower(folder: &Path) -> PathBuf {
    let own = std::fs::read_to_string(catalog().join("policy.toml")).expect("the policy");
    let path = folder.join("lower.toml");
    std::fs::write(&path, format!("[thresholds]\nask_brand = 0.005\n{own}")).expect("a file");
    path
}

fn write_examples(broker: &Broker) {
    let text = std::fs::read_to_string(examples()).expect("the examples");
    let events = text.lines().map(|line| (key(&lines(line)[0]), line.as_bytes()));
    broker.write(&broker.topic("listings"), events, &[]);
}

/// Counts of a report by brand and difference.
fn counts(report: &Value) -> BTreeMap<(String, String), u64> {
    let mut counts = BTreeMap::new();
    for row in report["differences"].as_array().expect("rows") {
        let text = |field: &str| row[field].as_str().expect("a text").to_owned();
        *counts.entry((text("brand_id"), text("difference"))).or_default() += row["count"].as_u64().expect("a count");
    }
    counts
}

/// Holds the suspects of the examples to what `scan` finds, and to what must be taken back.
fn assert_found(broker: &Broker, expected: &[String], worker: &Worker) -> Vec<Seen> {
    let listings = std::fs::read_to_string(examples()).expect("the examples");
    let most = expected.len() + taken_back(&listings, expected).len();
    let seen = broker.read_until(&broker.topic("suspects"), LIMIT, |seen| seen.len() >= most);
    assert_exact(&seen, expected, &listings, &worker.log());
    seen
}

#[test]
#[allow(clippy::cast_precision_loss, reason = "counts of examples")]
fn a_policy_is_tried_in_the_shadow_and_over_the_topic() {
    let broker = Broker::embedded();
    let folder = tempfile::tempdir().expect("a folder");
    let policy = lower(folder.path());
    let replay = |more: &[&Path]| succeed(touchstone("replay --json").args(more));
    let report = |more: &[&Path]| serde_json::from_str::<Value>(&replay(more)).expect("JSON");
    let (listings, own) = (examples(), catalog());
    let tried: [&Path; 2] = ["--policy".as_ref(), &policy];
    let of_files = report(&[&tried[..], &["--listings".as_ref(), &listings, "--catalog".as_ref(), &own]].concat());
    assert!(!counts(&of_files).is_empty());

    let mut worker = Worker::start(&broker, &own, &format!("[shadow]\npolicy = {policy:?}\n"));
    write_examples(&broker);
    worker.wait_ready();
    // What is tried changes nothing that is written.
    let expected = scanned(&own, &listings);
    let seen = assert_found(&broker, &expected, &worker);
    for ((brand, difference), count) in counts(&of_files) {
        worker.wait_metric(&format!("touchstone_shadow_total{{brand=\"{brand}\",difference=\"{difference}\"}}"), count as f64);
    }
    let (status, shown) = get(&worker.operations, "/shadow").expect("an answer");
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!((status, counts(&shown), &shown["listings"]), (200, counts(&of_files), &of_files["compared"]));
    assert_eq!(shown["shadow"]["policy_version"], of_files["after"]["policy_version"]);
    assert!(!shown["samples"].as_array().expect("samples").is_empty());

    let config = worker.config();
    let range: [&Path; 2] = ["--config".as_ref(), &config];
    let of_topic = report(&[&tried[..], &range].concat());
    assert_eq!((counts(&of_topic), &of_topic["compared"]), (counts(&of_files), &of_files["compared"]));
    assert_eq!(report(&range)["differences"], json!([]), "nothing else is tried");
    let nothing = report(&[&tried[..], &range, &["--from".as_ref(), "0:0".as_ref(), "--to".as_ref(), "0:0".as_ref()]].concat());
    assert_eq!(nothing["compared"], 0);
    let event = lines(&expected_line(&seen))[0]["event_id"].as_str().expect("an id").to_owned();
    let again = lines(&replay(&[&range[..], &["--event".as_ref(), event.as_ref()]].concat()));
    assert!(!again.is_empty() && again.iter().all(|one| one["outcome"] == "same"), "{again:?}");
    assert!(worker.terminate().0.success());
}

fn expected_line(seen: &[super::Seen]) -> String {
    seen.first().expect("a suspect").text()
}

#[test]
fn a_policy_is_put_into_use_by_the_catalog_topic_and_taken_back() {
    let Some(broker) = Broker::real() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let policy = lower(folder.path());
    let mut worker = Worker::start(&broker, Path::new(""), "");
    let config = worker.config();
    let promote = |what: &Path| succeed(touchstone("policy promote --config").arg(&config).arg(what));
    succeed(touchstone("catalog publish --config").arg(&config).arg(catalog()));
    worker.wait_ready();
    assert!(promote(&policy).contains(" -> "));
    worker.wait_metric("touchstone_catalogs_total{outcome=\"applied\"}", 2.0);
    assert!(promote(&policy).contains("nothing is changed"));
    write_examples(&broker);
    let text = succeed(touchstone("scan --policy").arg(&policy).arg("--catalog").arg(catalog()).arg("--listings").arg(examples()));
    let mut expected = without_clock(&text);
    expected.sort();
    assert_found(&broker, &expected, &worker);
    promote("--back".as_ref());
    worker.wait_metric("touchstone_catalogs_total{outcome=\"applied\"}", 3.0);
    // The row that kept the policy from before is no part of a catalog that is published.
    assert!(succeed(touchstone("catalog publish --config").arg(&config).arg(catalog())).contains("1 deleted"));
    assert!(worker.terminate().0.success());
}
