//! Brands without access to the brokers: they read their suspects, answer them, and are told of them.

#![allow(clippy::disallowed_types, reason = "waits for a bounded time")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, TopicPartitionList};
use serde_json::{Value, json};

use super::broker::{Broker, PARTITIONS, Seen};
use super::common::{catalog, examples};
use super::withdrawals::taken_back;
use super::worker::{Worker, request};
use super::{LIMIT, key, scanned};

/// A brand with a topic of its own.
const OWN: &str = "kessra-rowe";
const SECRET: &str = "a-secret-of-a-brand";

/// A post as it came.
struct Posted {
    path: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

type Posts = Arc<Mutex<Vec<Posted>>>;

/// Takes posts: 500 for the first to /hook, 200 for the others, 410 for all to /gone. Its port, and what came.
fn server() -> (u16, Posts) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let posts = Posts::default();
    let all = posts.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, all) = (stream.expect("a connection"), all.clone());
            // Ends with the test.
            std::thread::spawn(move || answer(&stream, &all));
        }
    });
    (port, posts)
}

/// One post, and the end of the connection.
fn answer(mut stream: &TcpStream, posts: &Posts) {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let header = |line: &String| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    let headers: BTreeMap<String, String> = lines.iter().filter_map(header).collect();
    let mut body = vec![0; headers["content-length"].parse().expect("a length")];
    reader.read_exact(&mut body).expect("a body");
    let path = lines[0].split(' ').nth(1).expect("a path").to_owned();
    let mut posts = posts.lock().expect("no panic");
    let status = match path.as_str() {
        "/gone" => "410 Gone",
        _ if posts.iter().all(|post| post.path != path) => "500 Internal Server Error",
        _ => "200 OK",
    };
    posts.push(Posted { path, headers, body });
    let _ = stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").as_bytes());
}

fn token(brand: &str) -> String {
    format!("token-of-{brand}")
}

fn ask(worker: &Worker, method: &str, brand: &str, what: &str, body: &[u8]) -> (u16, Value) {
    let head = format!("{method} /v1/brands/{brand}/{what} HTTP/1.1\r\nauthorization: Bearer {}", token(brand));
    let (status, text) = request(&worker.service, &head, body).expect("an answer");
    (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}")))
}

/// All suspects of a brand, three a page, and the last cursor.
fn pages(worker: &Worker, brand: &str) -> (Vec<Value>, String) {
    let (mut all, mut cursor, deadline) = (Vec::new(), String::new(), Instant::now() + LIMIT);
    loop {
        let from = if cursor.is_empty() { String::new() } else { format!("&cursor={cursor}") };
        let (status, page) = ask(worker, "GET", brand, &format!("suspects?limit=3{from}"), b"");
        assert_eq!(status, 200, "{page} {}", worker.log());
        let suspects = page["suspects"].as_array().expect("suspects");
        assert!(suspects.len() <= 3);
        all.extend(suspects.iter().cloned());
        page["cursor"].as_str().expect("a cursor").clone_into(&mut cursor);
        if page["more"] == json!(false) {
            return (all, cursor);
        }
        assert!(Instant::now() < deadline, "it does not end");
    }
}

fn sorted(suspects: impl Iterator<Item = Value>) -> Vec<String> {
    let mut texts: Vec<String> = suspects.map(|s| s.to_string()).collect();
    texts.sort();
    texts
}

fn brands_read_answer_and_are_told(broker: &Broker) {
    let expected = scanned(&catalog(), &examples());
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for suspect in &expected {
        let suspect: Value = serde_json::from_str(suspect).expect("JSON");
        *counts.entry(suspect["brand_id"].as_str().expect("a brand").to_owned()).or_default() += 1;
    }
    let (brand, most) = counts.iter().filter(|(b, _)| *b != OWN).max_by_key(|(_, n)| **n).expect("a brand");
    assert!(*most > 3 && counts[OWN] > 0, "{counts:?}");
    let (port, posts) = server();
    let more = format!(
        "[pictures]\nallow = [\"127.0.0.1\"]\n[brands]\nenabled = true\ntokens = {{{brand} = {:?}, {OWN} = {:?}}}\n\
         webhook_urls = {{{brand} = \"http://127.0.0.1:{port}/hook\", {OWN} = \"http://127.0.0.1:{port}/gone\"}}\n\
         webhook_secrets = {{{brand} = {SECRET:?}, {OWN} = {SECRET:?}}}\n",
        token(brand),
        token(OWN),
    );
    let mut worker = Worker::start(broker, &catalog(), &more);
    worker.wait_ready();
    let text = std::fs::read_to_string(examples()).expect("the examples");
    let events = || text.lines().map(|line| (key(&serde_json::from_str(line).expect("JSON")), line.as_bytes()));
    broker.write(&broker.topic("listings"), events(), &[]);
    let most = expected.len() + taken_back(&text, &expected).len();
    let seen = broker.read_until(&broker.topic("suspects"), LIMIT, |seen| seen.len() >= most);
    assert_eq!(seen.len(), most, "{}", worker.log());

    // Read: nothing lost, nothing doubled, and nothing more from the last cursor.
    let of = |brand: &str| -> Vec<Value> { seen.iter().map(Seen::json).filter(|s| s["brand_id"] == *brand).collect() };
    for brand in [brand.as_str(), OWN] {
        let (all, cursor) = pages(&worker, brand);
        assert_eq!(sorted(all.into_iter()), sorted(of(brand).into_iter()), "{brand}");
        let (_, page) = ask(&worker, "GET", brand, &format!("suspects?cursor={cursor}"), b"");
        assert_eq!((&page["suspects"], &page["more"]), (&json!([]), &json!(false)));
    }
    let (_, cursor) = pages(&worker, OWN);
    let (status, refused) = ask(&worker, "GET", brand, &format!("suspects?cursor={cursor}"), b"");
    assert_eq!((status, refused["error"]["code"].as_str()), (400, Some("bad_cursor")), "a cursor of another topic");

    // Answered.
    let suspect = of(brand).remove(0);
    let listing = &suspect["listing"];
    let verdict = json!({
        "verdict_id": "v1", "suspect_id": suspect["suspect_id"], "brand_id": brand, "platform": listing["platform"],
        "market": listing["market"], "listing_id": listing["listing_id"], "verdict": "counterfeit",
        "by": {"type": "brand", "id": "desk"}, "at": "2026-11-22T08:00:00Z"
    });
    let mut foreign = verdict.clone();
    foreign["suspect_id"] = json!("another");
    let (status, told) = ask(&worker, "POST", brand, "verdicts", json!([foreign, verdict]).to_string().as_bytes());
    assert_eq!((status, &told["accepted"], &told["refused"][0]["code"]), (202, &json!(1), &json!("foreign")), "{told} {}", worker.log());
    let verdicts = broker.read_until(&broker.topic("verdicts"), LIMIT, |seen| !seen.is_empty());
    assert_eq!((verdicts[0].json(), verdicts[0].key.as_str()), (verdict, key(listing).as_str()));

    is_told(&worker, &posts, &of(brand));
    let dead = broker.read_until(&broker.topic("dead-letters"), LIMIT, |seen| seen.len() >= of(OWN).len());
    assert_eq!(sorted(dead.iter().map(Seen::json)), sorted(of(OWN).into_iter()));
    for letter in &dead {
        assert_eq!((letter.header("reason"), letter.header("detail")), (Some("webhook_failed"), Some("status 410")));
        assert_eq!(letter.header("topic"), Some(broker.topic("suspects").as_str()));
    }
    // What is settled is committed.
    if broker.is_embedded() {
        // It forgets what transactions commit, so that the worker would scan all again. It keeps no marks of transactions either: offsets
        // count records.
        let deadline = Instant::now() + LIMIT;
        while usize::try_from(committed(broker)).is_ok_and(|sum| sum < most) {
            assert!(Instant::now() < deadline, "{} of {most}: {}", committed(broker), worker.log());
            std::thread::park_timeout(Duration::from_millis(100));
        }
    } else {
        let before = posts.lock().expect("no panic").len();
        std::thread::park_timeout(Duration::from_secs(2));
        worker.kill_and_restart();
        worker.wait_ready();
        std::thread::park_timeout(Duration::from_secs(12));
        assert_eq!(posts.lock().expect("no panic").len(), before, "{}", worker.log());
    }
    assert!(worker.terminate().0.success());
}

/// Sum of the offsets that the group of the webhooks has committed.
fn committed(broker: &Broker) -> i64 {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &broker.servers).set("group.id", broker.topic("scan-webhooks"));
    let consumer: BaseConsumer = config.create().expect("a consumer");
    let mut asked = TopicPartitionList::new();
    (0..PARTITIONS).for_each(|partition| _ = asked.add_partition(&broker.topic("suspects"), partition));
    let found = consumer.committed_offsets(asked, Duration::from_secs(10)).expect("offsets");
    found.elements().iter().filter_map(|element| element.offset().to_raw()).map(|offset| offset.max(0)).sum()
}

/// Every suspect of the brand is posted and signed, and the one that was answered with 500 comes again.
fn is_told(worker: &Worker, posts: &Posts, suspects: &[Value]) {
    #[allow(clippy::cast_precision_loss, reason = "counts of examples")]
    let count = suspects.len() as f64;
    worker.wait_metric("touchstone_webhooks_total{outcome=\"delivered\"}", count);
    assert!(worker.metric("touchstone_webhooks_total{outcome=\"retried\"}") >= 1.0);
    let posts = posts.lock().expect("no panic");
    let hooked: Vec<&Posted> = posts.iter().filter(|post| post.path == "/hook").collect();
    assert_eq!(hooked.len(), suspects.len() + 1);
    let first = &hooked[0].headers["touchstone-id"];
    assert_eq!(hooked.iter().filter(|post| post.headers["touchstone-id"] == *first).count(), 2, "the first comes again");
    let secret = PKey::hmac(SECRET.as_bytes()).expect("a key");
    let mut ids = BTreeSet::new();
    for post in hooked {
        let mut signer = Signer::new(MessageDigest::sha256(), &secret).expect("a signer");
        signer.update(format!("{}.", post.headers["touchstone-timestamp"]).as_bytes()).expect("memory");
        signer.update(&post.body).expect("memory");
        let hex: String = signer.sign_to_vec().expect("a signature").iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(post.headers["touchstone-signature"], format!("v1={hex}"));
        let suspect: Value = serde_json::from_slice(&post.body).expect("JSON");
        assert_eq!(suspect["detection_id"].as_str(), Some(post.headers["touchstone-id"].as_str()));
        assert!(suspects.contains(&suspect));
        ids.insert(suspect["detection_id"].to_string());
    }
    assert_eq!(ids.len(), suspects.len());
}

#[test]
fn brands_are_answered_and_told_through_an_embedded_broker() {
    brands_read_answer_and_are_told(&Broker::embedded());
}

#[test]
fn brands_are_answered_and_told_through_a_real_kafka() {
    let Some(broker) = Broker::real() else { return };
    brands_read_answer_and_are_told(&broker);
}
