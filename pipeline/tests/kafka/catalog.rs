//! The catalog over its topic.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::broker::Broker;
use super::withdrawals::{assert_exact, taken_back};
use super::worker::{Worker, get};
use super::{LIMIT, key, lines, scanned};
use crate::common::{catalog, examples, succeed, touchstone};

/// The examples as other listings of a later day.
fn again(folder: &Path, mark: &str) -> (std::path::PathBuf, Vec<Value>) {
    let text = std::fs::read_to_string(examples()).expect("the examples");
    let mut listings = lines(&text);
    for listing in &mut listings {
        for field in ["event_id", "listing_id"] {
            listing[field] = json!(format!("{}-{mark}", listing[field].as_str().expect("a text")));
        }
    }
    let path = folder.join(format!("{mark}.jsonl"));
    let text: String = listings.iter().map(|l| format!("{l}\n")).collect();
    std::fs::write(&path, text).expect("a file");
    (path, listings)
}

/// A catalog reaches a worker over its topic, and a newer one while it works; what cannot be used is refused, and the old one stays.
#[test]
fn a_catalog_comes_over_its_topic_and_is_replaced_at_work() {
    let Some(broker) = Broker::real() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut worker = Worker::start(&broker, Path::new(""), "");
    let config = worker.config();
    let publish = |from: &Path, more: &str| {
        let mut command = touchstone("catalog publish --config");
        command.arg(&config).arg(from).args(more.split(' ').filter(|a| !a.is_empty())).output().expect("the program starts")
    };
    let published = |from: &Path, more: &str| {
        let output = publish(from, more);
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let (version, counts) = text.trim().strip_prefix("version ").and_then(|t| t.split_once(": ")).expect("a version");
        (version.to_owned(), counts.to_owned())
    };
    let in_use = |worker: &Worker, version: &str| worker.wait_metric(&format!("touchstone_catalog_info{{version=\"{version}\"}}"), 1.0);
    let holds = |worker: &Worker, catalog: &Path, mark: &str, before: usize| {
        let (path, listings) = again(folder.path(), mark);
        let events: Vec<(String, String)> = listings.iter().map(|l| (key(l), l.to_string())).collect();
        broker.write(&broker.topic("listings"), events.iter().map(|(key, event)| (key.clone(), event.as_bytes())), &[]);
        let (expected, text) = (scanned(catalog, &path), std::fs::read_to_string(&path).expect("a file"));
        let most = before + expected.len() + taken_back(&text, &expected).len();
        let all = broker.read_until(&broker.topic("suspects"), LIMIT, |seen| seen.len() >= most);
        let own: Vec<_> = all.iter().filter(|s| s.json()["event_id"].as_str().is_some_and(|id| id.ends_with(mark))).cloned().collect();
        assert_exact(&own, &expected, &text, &worker.log());
        all.len()
    };

    std::thread::park_timeout(std::time::Duration::from_secs(2));
    let (status, why) = get(&worker.operations, "/health/ready").expect("an answer");
    assert_eq!((status, why.contains("the catalog is not loaded")), (503, true), "{why}");
    let (first, counts) = published(&catalog(), "");
    assert!(counts.ends_with(" rows written, 0 deleted, 0 as they were"), "{counts}");
    worker.wait_ready();
    in_use(&worker, &first);
    // Whose topic is asked for is known only now.
    assert!(succeed(touchstone("topics create --config").arg(&config)).contains("suspects.kessra-rowe: made"));
    let seen = holds(&worker, &catalog(), "first", 0);
    assert!(published(&catalog(), "").1.starts_with("0 rows written, 0 deleted, "));

    // A seller who was caught: laid over what stands, in use at once.
    let daily = folder.path().join("daily");
    succeed(Command::new("cp").arg("-r").arg(catalog()).arg(&daily));
    let seller = &lines(&std::fs::read_to_string(examples()).expect("the examples"))[1];
    let caught = json!({"platform": seller["platform"], "seller_id": seller["seller"]["id"], "confirmed": 4});
    let offenders = std::fs::read_to_string(daily.join("offenders.jsonl")).expect("a file");
    std::fs::write(daily.join("offenders.jsonl"), format!("{}\n{caught}\n", offenders.trim_end())).expect("a file");
    let (second, counts) = published(&daily, "");
    assert!(counts.starts_with("1 rows written, 0 deleted, "), "{counts}");
    in_use(&worker, &second);
    let seen = holds(&worker, &daily, "second", seen);

    // Somebody else's rows, which make no catalog.
    let stray = br#"{"kind": "product", "product_id": "x", "brand_id": "nobody", "name": "X"}"#.as_slice();
    let rows = [("product:x".to_owned(), stray), ("version:catalog".to_owned(), br#"{"kind": "version"}"#.as_slice())];
    broker.write_to(&broker.topic("catalog"), Some(0), rows.into_iter(), &[]);
    worker.wait_metric("touchstone_catalogs_total{outcome=\"refused\"}", 1.0);
    assert!(worker.log().contains("brand_id \"nobody\" is not in brands.jsonl"), "{}", worker.log());
    in_use(&worker, &second);
    let seen = holds(&worker, &daily, "third", seen);
    let (third, counts) = published(&catalog(), "");
    assert!(third == first && counts.starts_with("0 rows written, 2 deleted, "), "{counts}");
    in_use(&worker, &first);

    // Most of it gone: only where that is meant.
    let small = folder.path().join("small");
    std::fs::create_dir(&small).expect("a folder");
    let brands = std::fs::read_to_string(catalog().join("brands.jsonl")).expect("a file");
    std::fs::write(small.join("brands.jsonl"), brands.lines().next().expect("a brand").replace("rights_holder_id", "formerly"))
        .expect("a file");
    let refused = publish(&small, "");
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("give --may-shrink"), "{refused:?}");
    in_use(&worker, &first);
    let (fourth, _) = published(&small, "--may-shrink");
    in_use(&worker, &fourth);
    worker.kill_and_restart();
    worker.wait_ready();
    in_use(&worker, &fourth);
    holds(&worker, &small, "fourth", seen);
    assert!(worker.terminate().0.success());
}
