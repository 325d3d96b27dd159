//! The worker from topic to topic, against an embedded broker always and a real one where TOUCHSTONE_TEST_KAFKA names it.

#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

#[path = "../common/mod.rs"]
mod common;

mod brands;
mod broker;
mod catalog;
mod decide;
mod fetching;
mod outage;
mod secured;
mod trying;
mod withdrawals;
mod worker;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use broker::{Broker, Seen};
use common::{catalog, examples, lines, project, succeed, touchstone, without_clock};
use serde_json::{Value, json};
use withdrawals::{assert_exact, taken_back};
use worker::{Worker, get, post};

const LIMIT: Duration = Duration::from_secs(60);
const TRACE: (&str, &str) = ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");

fn key(listing: &Value) -> String {
    ["platform", "market", "listing_id"].map(|k| listing[k].as_str().unwrap_or_default()).join(":")
}

/// What `scan` makes of a file, without the clock, sorted.
fn scanned(catalog: &Path, listings: &Path) -> Vec<String> {
    let text = succeed(touchstone("scan --catalog").arg(catalog).arg("--listings").arg(listings));
    let mut suspects = without_clock(&text);
    suspects.sort();
    suspects
}

fn payloads(seen: &[Seen]) -> Vec<String> {
    let mut all: Vec<String> = seen.iter().flat_map(|s| without_clock(&s.text())).collect();
    all.sort();
    all
}

/// The examples with spoiled lines among them go in; suspects and dead letters come out, and everything tells of it.
fn carries_the_examples(broker: &Broker) {
    let mut worker = Worker::start(broker, &catalog(), "");
    let text = std::fs::read_to_string(examples()).expect("the examples");
    let good = text.lines().map(|line| (key(&serde_json::from_str(line).expect("JSON")), line.as_bytes()));
    let long = vec![b'x'; 1_000_000];
    let spoiled: Vec<(String, &[u8])> =
        vec![("k1".to_owned(), b"{\"event_id\": 7"), ("k2".to_owned(), b"\xff\xfe"), ("k3".to_owned(), &long), ("k4".to_owned(), b"")];
    broker.write(&broker.topic("listings"), good.chain(spoiled), &[TRACE, ("other", "x")]);
    worker.wait_ready();

    let expected = scanned(&catalog(), &examples());
    let expected_suspects = expected.len();
    let back = taken_back(&text, &expected);
    assert_eq!(back, [("ex-057".to_owned(), "nordvale".to_owned())]);
    let seen = broker.read_until(&broker.topic("suspects"), LIMIT, |seen| seen.len() >= expected.len() + back.len());
    assert_exact(&seen, &expected, &text, &worker.log());
    for record in &seen {
        let suspect = record.json();
        assert_eq!(record.key, key(&suspect["listing"]));
        for (header, value) in [
            ("ce_id", suspect["detection_id"].as_str()),
            ("ce_time", suspect["occurred_at"].as_str()),
            ("ce_specversion", Some("1.0")),
            ("ce_type", Some("touchstone.suspect")),
            ("content-type", Some("application/json")),
            (TRACE.0, Some(TRACE.1)),
            ("other", None),
        ] {
            assert_eq!(record.header(header), value, "{header}");
        }
        assert!(record.header("ce_source").is_some() && record.header("ce_dataschema").is_some());
    }
    let own: Vec<Seen> = seen.iter().filter(|s| s.json()["brand_id"] == "kessra-rowe").cloned().collect();
    assert!(!own.is_empty());
    let theirs = broker.read_until(&broker.topic("suspects.kessra-rowe"), LIMIT, |seen| seen.len() >= own.len());
    assert_eq!(payloads(&theirs), payloads(&own), "a brand's own topic has its suspects and no others");

    let dead = broker.read_until(&broker.topic("dead-letters"), LIMIT, |seen| seen.len() >= 4);
    let told: BTreeMap<&str, (&str, usize, &str)> = dead
        .iter()
        .map(|d| (d.key.as_str(), (d.header("reason").expect("a reason"), d.payload.len(), d.header("original-size").expect("a size"))))
        .collect();
    let expected = [
        ("k1", ("not_json", 14, "14")),
        ("k2", ("not_utf8", 2, "2")),
        ("k3", ("not_json", 900 << 10, "1000000")),
        ("k4", ("not_json", 0, "0")),
    ];
    assert_eq!(told, BTreeMap::from(expected));
    for letter in &dead {
        assert_eq!(letter.header("topic"), Some(broker.topic("listings").as_str()));
        assert!(["partition", "offset", "timestamp", "detail", "path", "sha256", "ce_id"].iter().all(|h| letter.header(h).is_some()));
    }
    tells_of_itself(&worker, expected_suspects);
    worker.wait_metric("touchstone_withdrawn_total{because=\"listing_removed\"}", 1.0);
    let (_, shown) = get(&worker.operations, "/config").expect("an answer");
    assert!(!shown.contains(broker.secret()) && !worker.log().contains(broker.secret()));
    let (status, log) = worker.terminate();
    assert!(status.success() && log.contains("everything taken is committed"), "{status}: {log}");
}

/// Metrics, health, configuration and the service of a worker that carried the examples.
#[allow(clippy::cast_precision_loss, reason = "counts of examples")]
fn tells_of_itself(worker: &Worker, suspects: usize) {
    worker.wait_metric("touchstone_listings_total{outcome=\"dead_letter\"}", 4.0);
    worker.wait_metric("touchstone_listings_total{outcome=\"removed\"}", 1.0);
    worker.wait_metric("touchstone_listings_total{outcome=\"stale\"}", 1.0);
    let by_band = ["remove", "report", "ask_brand"].map(|b| worker.metric(&format!("touchstone_suspects_total{{band=\"{b}\"}}")));
    assert_eq!(by_band.iter().sum::<f64>(), suspects as f64);
    worker.wait_metric("touchstone_dead_letters_total{reason=\"not_json\"}", 3.0);
    for histogram in ["batch_seconds", "commit_seconds", "detector_seconds", "end_to_end_seconds"] {
        assert!(worker.metric(&format!("touchstone_{histogram}_count")) >= 1.0);
    }
    for name in
        ["catalog_age_seconds", "catalog_info{version=", "faults_total{reason=", "pictures_total{outcome=", "picture_cache_hits_total"]
    {
        worker.metric(&format!("touchstone_{name}"));
    }
    assert_eq!(get(&worker.operations, "/health/live").expect("an answer").0, 200);
    let (status, config) = get(&worker.operations, "/config").expect("an answer");
    assert_eq!(status, 200);
    assert!(["", "***"].contains(&serde_json::from_str::<Value>(&config).expect("JSON")["kafka"]["password"].as_str().expect("a text")));

    let text = std::fs::read_to_string(examples()).expect("the examples");
    let line = text.lines().nth(1).expect("a line");
    let (status, answer) = post(&worker.service, None, line.as_bytes());
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!((status, answer["suspects"][0]["event_id"].as_str()), (200, Some("ex-002")));
    for (body, expected, path) in [
        (b"{\"event_id\": 7}".as_slice(), (400, "wrong_type"), "event_id"),
        (b"nonsense", (400, "not_json"), ""),
        (&vec![b' '; (1 << 20) + 1], (413, "too_large"), ""),
    ] {
        let (status, answer) = post(&worker.service, None, body);
        let error = serde_json::from_str::<Value>(&answer).expect("JSON")["error"].take();
        assert_eq!(
            (status, error["code"].as_str().expect("a code"), error["path"].as_str()),
            (expected.0, expected.1, Some(path)),
            "{answer}"
        );
    }
}

#[test]
fn the_examples_pass_through_an_embedded_broker() {
    carries_the_examples(&Broker::embedded());
}

#[test]
fn the_examples_pass_through_a_real_kafka() {
    if let Some(broker) = Broker::real() {
        carries_the_examples(&broker);
    }
}

#[test]
fn the_service_asks_for_a_token_where_there_are_any() {
    let broker = Broker::embedded();
    let mut worker = Worker::start(&broker, &catalog(), "");
    // Sections may be given by the environment, too; here the file is changed before the restart.
    let config =
        std::fs::read_to_string(worker.config()).expect("the configuration").replace("[http]\n", "[http]\ntokens = [\"sesame\"]\n");
    std::fs::write(worker.config(), config).expect("a file");
    worker.kill_and_restart();
    worker.wait_ready();
    let statuses = [None, Some("open"), Some("sesame")].map(|token| post(&worker.service, token, b"{}").0);
    assert_eq!(statuses, [401, 401, 400]);
    let (_, shown) = get(&worker.operations, "/config").expect("an answer");
    assert!(!shown.contains("sesame"), "{shown}");
}

/// 100,000 listings, with five kills on the way: exactly what `scan` finds, each once.
#[test]
fn killed_five_times_on_the_way_a_real_kafka_has_exactly_what_scan_finds() {
    let Some(broker) = Broker::real() else { return };
    let data = project("../shared/data/listings");
    let (catalog, source) = match data.exists() {
        true => (data.join("catalog"), data.join("listings.jsonl")),
        false => {
            eprintln!("the labelled listings are absent: the examples are repeated instead");
            (catalog(), examples())
        }
    };
    let folder = tempfile::tempdir().expect("a folder");
    let many = folder.path().join("many.jsonl");
    std::fs::write(&many, repeated(&source, 100_000)).expect("a file");
    let expected = scanned(&catalog, &many);
    assert!(!expected.is_empty());

    let mut worker = Worker::start(&broker, &catalog, "[worker]\nbatch_listings = 1000\n");
    let text = std::fs::read_to_string(&many).expect("a file");
    broker.write(&broker.topic("listings"), text.lines().map(|line| (key(&lines(line)[0]), line.as_bytes())), &[]);
    for kill in 1..=5 {
        // Each time a sixth further on.
        let goal = expected.len() * kill / 6;
        let got = broker.read_until(&broker.topic("suspects"), LIMIT, |seen| seen.len() >= goal).len();
        assert!(got >= goal, "{got} of {goal}: {}", worker.log());
        worker.kill_and_restart();
    }
    let most = expected.len() + taken_back(&text, &expected).len();
    let seen = broker.read_until(&broker.topic("suspects"), 2 * LIMIT, |seen| seen.len() >= most);
    // Whatever came too much would come now.
    worker.wait_ready();
    std::thread::park_timeout(Duration::from_secs(3));
    let all = broker.read_until(&broker.topic("suspects"), Duration::from_secs(8), |_| false);
    assert_eq!(seen.len(), all.len(), "each once");
    assert_exact(&all, &expected, &text, &worker.log());
    if broker.is_secured() {
        eprintln!("not read with kcat, which is not told how to prove who it is");
    } else if std::process::Command::new("kcat").arg("-V").output().is_ok_and(|o| o.status.success()) {
        reads_with_kcat(&broker, most);
    } else {
        eprintln!("kcat is absent: not read with it");
    }
    assert!(worker.terminate().0.success());
}

/// A second worker joins, is asked to leave, joins again and is killed: nothing is lost and nothing comes twice.
#[test]
fn workers_that_come_and_go_share_a_real_kafka_without_loss() {
    let Some(broker) = Broker::real() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let many = folder.path().join("many.jsonl");
    std::fs::write(&many, repeated(&examples(), 60_000)).expect("a file");
    let expected = scanned(&catalog(), &many);
    let small = "[worker]\nbatch_listings = 200\n";
    let text = std::fs::read_to_string(&many).expect("a file");
    let mut first = Worker::start(&broker, &catalog(), small);
    broker.write(&broker.topic("listings"), text.lines().map(|line| (key(&lines(line)[0]), line.as_bytes())), &[]);
    let reach = |goal: usize, worker: &Worker| {
        let got = broker.read_until(&broker.topic("suspects"), LIMIT, |seen| seen.len() >= goal).len();
        assert!(got >= goal, "{got} of {goal}: {}", worker.log());
    };
    reach(expected.len() / 8, &first);
    let mut second = Worker::start_named("two", &broker, &catalog(), small);
    second.wait_ready();
    reach(expected.len() / 4, &first);
    assert!(second.terminate().0.success());
    let mut third = Worker::start_named("two", &broker, &catalog(), small);
    third.wait_ready();
    drop(third);
    reach(expected.len() + taken_back(&text, &expected).len(), &first);
    first.wait_ready();
    std::thread::park_timeout(Duration::from_secs(8));
    let all = broker.read_until(&broker.topic("suspects"), Duration::from_secs(6), |_| false);
    assert_exact(&all, &expected, &text, &first.log());
}

/// What was seen of a listing outlives the worker that saw it, whichever way the worker delivers.
#[test]
fn what_was_seen_is_known_after_a_kill() {
    for delivery in ["exactly_once", "at_least_once"] {
        let Some(broker) = Broker::real() else { return };
        let mut worker = Worker::start(&broker, &catalog(), "");
        let config = std::fs::read_to_string(worker.config()).expect("the configuration");
        std::fs::write(worker.config(), config.replace("[kafka]\n", &format!("[kafka]\ndelivery = {delivery:?}\n"))).expect("a file");
        worker.kill_and_restart();
        worker.wait_ready();
        let text = std::fs::read_to_string(examples()).expect("the examples");
        let suspect = lines(text.lines().nth(1).expect("a suspect")).remove(0);
        let write = |revisions: &[u64]| {
            let events: Vec<(String, String)> = revisions
                .iter()
                .map(|revision| {
                    let mut event = suspect.clone();
                    event["revision"] = json!(revision);
                    event["event_id"] = json!(format!("revision-{revision}"));
                    (key(&event), event.to_string())
                })
                .collect();
            broker.write(&broker.topic("listings"), events.iter().map(|(key, event)| (key.clone(), event.as_bytes())), &[]);
        };
        write(&[7]);
        let first = broker.read_until(&broker.topic("suspects"), LIMIT, |seen| !seen.is_empty());
        assert_eq!(first.len(), 1, "{}", worker.log());
        // At least once shows a suspect before its offset is committed, and may then show it again.
        worker.wait_metric("touchstone_listings_total{outcome=\"suspect\"}", 1.0);
        worker.kill_and_restart();
        worker.wait_ready();
        write(&[6, 7, 8]);
        let seen = broker.read_until(&broker.topic("suspects"), LIMIT, |seen| seen.len() >= 2);
        let ids: Vec<String> = seen.iter().map(|s| s.json()["event_id"].as_str().expect("an id").to_owned()).collect();
        assert_eq!(ids, ["revision-7", "revision-8"], "{delivery}: {}", worker.log());
        worker.wait_metric("touchstone_listings_total{outcome=\"stale\"}", 2.0);
    }
}

/// Thousands that connect and say nothing cost next to nothing, keep nobody out for long, and are cut.
#[test]
fn idle_connections_are_bounded_and_cut() {
    use std::io::Read;
    let broker = Broker::embedded();
    let mut worker = Worker::start(&broker, &catalog(), "");
    worker.wait_ready();
    let before = worker.resident();
    let mut idle: Vec<std::net::TcpStream> =
        (0..3_000).map(|_| std::net::TcpStream::connect(&worker.service).expect("a connection")).collect();
    let mut cut = 0;
    for stream in &mut idle {
        stream.set_read_timeout(Some(Duration::from_secs(15))).expect("a time-out");
        // Its end or a reset, and no time-out of ours.
        cut += match stream.read(&mut [0; 8]) {
            Ok(n) => usize::from(n == 0),
            Err(e) => usize::from(e.kind() == std::io::ErrorKind::ConnectionReset),
        };
    }
    let grown = worker.resident().saturating_sub(before);
    assert!(cut == idle.len() && grown < 64 << 20, "{cut} cut, {} MiB more", grown >> 20);
    let text = std::fs::read_to_string(examples()).expect("the examples");
    let (status, _) = post(&worker.service, None, text.lines().next().expect("a line").as_bytes());
    assert_eq!(status, 200);
}

/// The doctor names what is missing, and is content once it is there.
#[test]
fn the_doctor_says_what_to_do_until_there_is_nothing() {
    let Some(broker) = Broker::real() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("touchstone.toml");
    let write = |servers: &str| {
        let text = format!(
            "[kafka]\nbrokers = {servers:?}\ntopic_prefix = {:?}\ngroup_id = \"{}scan\"\n{}[catalog]\npath = {:?}\n",
            broker.prefix,
            broker.prefix,
            broker.configuration(folder.path()),
            catalog()
        );
        std::fs::write(&config, text).expect("a file");
    };
    let doctor = || {
        let mut command = touchstone("doctor --config");
        // What shortens its wait for transactions shows elsewhere.
        let output = command.arg(&config).env("TOUCHSTONE__KAFKA__TRANSACTION_TIMEOUT_MS", "1000").output().expect("the program starts");
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!text.contains(broker.secret()), "{text}");
        (output.status.code(), text)
    };
    write(&broker.servers);
    let (code, text) = doctor();
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains(&format!("{} is not there", broker.topic("state"))) && text.contains("to do: touchstone topics create"),
        "{text}"
    );
    succeed(touchstone("topics create --config").arg(&config));
    let (code, text) = doctor();
    assert_eq!(code, Some(0), "{text}");
    for part in [
        "ok   catalog",
        "ok   settings",
        "ok   reading",
        "ok   writing",
        "transaction.timeout.ms=1000 ",
        "ok   transactions",
        "ok   memory",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let nothing = broker.read_until(&broker.topic("suspects"), Duration::from_secs(2), |seen| !seen.is_empty());
    assert!(nothing.is_empty(), "what it tried is aborted");
    let open = broker.leave_open(&broker.topic("state"));
    let (code, text) = doctor();
    assert!(code == Some(1) && text.contains(&format!("in 1 partitions: {} [0] from offset", broker.topic("state"))), "{text}");
    drop(open);
    write("127.0.0.1:1");
    let (code, text) = doctor();
    assert!(code == Some(1) && text.contains("FAIL brokers"), "{text}");
}

/// What could not be used is put back: what is sound goes through, the rest comes back, and nothing is put back twice.
#[test]
fn dead_letters_are_put_back_once_and_counted() {
    let Some(broker) = Broker::real() else { return };
    let mut worker = Worker::start(&broker, &catalog(), "");
    worker.wait_ready();
    let text = std::fs::read_to_string(examples()).expect("the examples");
    let good = text.lines().nth(1).expect("a suspect");
    let (listings, dead) = (broker.topic("listings"), broker.topic("dead-letters"));
    // Dead letters of an older program that did not know better.
    let as_dead = |payload: &[u8], reason: &str, size: usize| {
        let size = size.to_string();
        let headers =
            [("reason", reason), ("topic", &listings), ("partition", "0"), ("offset", "9000000"), ("original-size", &size), TRACE];
        broker.write(&dead, std::iter::once(("k".to_owned(), payload)), &headers);
    };
    as_dead(good.as_bytes(), "wrong_form", good.len());
    as_dead(b"{", "not_json", 1);
    as_dead(b"{\"cut", "not_json", 1_000_000);
    let replay = |more: &str| {
        let mut command = touchstone("dead-letters replay --config");
        succeed(command.arg(worker.config()).args(more.split(' ').filter(|a| !a.is_empty())))
    };
    assert_eq!(replay("--reason wrong_form"), "wrong_form: 1 put back, 1 went through, 0 are dead letters again\n", "{}", worker.log());
    let suspects = broker.read_until(&broker.topic("suspects"), LIMIT, |seen| !seen.is_empty());
    assert_eq!((suspects[0].json()["event_id"].as_str(), suspects[0].header(TRACE.0)), (Some("ex-002"), Some(TRACE.1)));
    assert_eq!(
        replay(""),
        "not_json: 1 put back, 0 went through, 1 are dead letters again; 1 were cut when they were kept, and cannot be put back\n"
    );
    // What came back a dead letter is one more; what went through is not put back again.
    assert_eq!(replay("--reason wrong_form"), "there are no dead letters to put back\n");
    assert_eq!(replay("--reason not_json"), "not_json: 1 put back, 0 went through, 1 are dead letters again\n");
    let wrong = touchstone("dead-letters replay --reason other --config").arg(worker.config()).output().expect("the program starts");
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("known are too_large"), "{wrong:?}");
}

/// A listing whose suspects no topic takes must not hold up the others.
#[test]
fn a_listing_with_half_a_million_pictures_holds_up_nobody() {
    let broker = Broker::embedded();
    let worker = Worker::start(&broker, &catalog(), "");
    let text = std::fs::read_to_string(examples()).expect("the examples");
    let line = text.lines().nth(1).expect("a suspect");
    let swollen = line.replacen("\"ex-002\"", "\"swollen\"", 1).replacen("\"ba70318844\"", "\"swollen\"", 1);
    let swollen = format!("{}, \"images\": [{}0]}}", swollen.trim_end_matches('}'), "0,".repeat(450_000));
    let swollen =
        if serde_json::from_str::<Value>(&swollen).is_ok() { swollen } else { swollen.replacen(", \"images\"", "}, \"images\"", 1) };
    let records = [("a".to_owned(), swollen.as_bytes()), (key(&lines(line)[0]), line.as_bytes())];
    broker.write(&broker.topic("listings"), records.into_iter(), &[]);
    let seen = broker.read_until(&broker.topic("suspects"), LIMIT, |seen| seen.len() >= 2);
    let mut ids: Vec<String> = seen.iter().map(|s| s.json()["event_id"].as_str().expect("an id").to_owned()).collect();
    ids.sort();
    assert_eq!(ids, ["ex-002", "swollen"], "{}", worker.log());
    assert!(seen.iter().all(|s| s.payload.len() < 10_000));
}

/// kcat, as anybody would read along.
fn reads_with_kcat(broker: &Broker, expected: usize) {
    let topic = broker.topic("suspects");
    let mut kcat = std::process::Command::new("kcat");
    kcat.args(["-b", &broker.servers, "-C", "-t", &topic, "-o", "beginning", "-e", "-q", "-X", "isolation.level=read_committed"]);
    assert_eq!(succeed(&mut kcat).lines().count(), expected);
}

/// The listings of a file again and again, each time with new ids.
fn repeated(source: &Path, most: usize) -> String {
    let text = std::fs::read_to_string(source).expect("listings");
    let rows = lines(&text);
    let again = |i: usize| {
        let mut row = rows[i % rows.len()].clone();
        for id in ["event_id", "listing_id"] {
            row[id] = json!(format!("{}-{}", row[id].as_str().unwrap_or_default(), i / rows.len()));
        }
        row.to_string() + "\n"
    };
    (0..most).map(again).collect()
}
