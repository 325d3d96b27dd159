//! Pictures that listings only link to, on their way through a worker.

use std::io::{Cursor, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

use super::broker::{Broker, Seen};
use super::worker::Worker;
use super::{LIMIT, TRACE, key};

/// A picture with something on it.
fn picture() -> Vec<u8> {
    let image = RgbImage::from_fn(360, 300, |x, y| {
        let shade = if (x / 40 + y / 60) % 2 == 0 { 30 } else { 200 };
        Rgb([shade, u8::try_from(x / 2).expect("small"), u8::try_from(y / 2).expect("small")])
    });
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(image).write_to(&mut bytes, ImageFormat::Jpeg).expect("memory");
    bytes.into_inner()
}

/// Serves the picture at /picture.jpg and never answers about anything else; its port.
fn serve(picture: Vec<u8>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        let mut silent = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut head = [0; 4096];
            let n = stream.read(&mut head).unwrap_or(0);
            if head[..n].starts_with(b"GET /picture.jpg ") {
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", picture.len());
                let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.write_all(&picture));
            } else {
                silent.push(stream);
            }
        }
    });
    port
}

/// Serves the picture at /late.jpg as soon as it is open, and never answers about anything else; its port.
fn serve_late(picture: Vec<u8>, open: Arc<AtomicBool>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let picture = Arc::new(picture);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, picture, open) = (stream.expect("a connection"), picture.clone(), open.clone());
            // Ends with the test.
            std::thread::spawn(move || {
                let mut head = [0; 4096];
                let n = stream.read(&mut head).unwrap_or(0);
                while !head[..n].starts_with(b"GET /late.jpg ") || !open.load(Ordering::Relaxed) {
                    std::thread::park_timeout(Duration::from_millis(20));
                }
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", picture.len());
                let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.write_all(&picture));
            });
        }
    });
    port
}

fn write_catalog(folder: &Path, picture: &[u8]) {
    std::fs::write(folder.join("brands.jsonl"), "{\"brand_id\": \"velmora\", \"name\": \"Velmora\"}\n").expect("a file");
    std::fs::write(folder.join("a.jpg"), picture).expect("a file");
    let product = json!({"product_id": "velmora:1", "brand_id": "velmora", "name": "Velmora Classic", "images": [{"path": "a.jpg"}]});
    std::fs::write(folder.join("products.jsonl"), product.to_string()).expect("a file");
}

#[test]
fn linked_pictures_are_fetched_and_neither_slow_nor_inner_ones_hold_up_anybody() {
    let picture = picture();
    let folder = tempfile::tempdir().expect("a folder");
    write_catalog(folder.path(), &picture);
    let port = serve(picture);
    let broker = Broker::embedded();
    let more = "[pictures]\nallow = [\"127.0.0.1/32\"]\npicture_deadline_ms = 700\n";
    let worker = Worker::start(&broker, folder.path(), more);
    let links = [
        format!("http://127.0.0.1:{port}/picture.jpg"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        format!("http://127.0.0.1:{port}/silent.jpg"),
        "ftp://127.0.0.1/a.jpg".to_owned(),
    ];
    let images: Vec<Value> = links.iter().map(|url| json!({"url": url})).collect();
    let listing = json!({"event_id": "e1", "op": "upsert", "occurred_at": "2026-11-21T08:00:00Z", "platform": "bazaar", "market": "ID",
        "listing_id": "1", "revision": 1, "seller": {"id": "s"}, "title": "Velmora Classic 1:1 replica mirror quality", "images": images});
    let text = listing.to_string();
    broker.write(&broker.topic("listings"), std::iter::once((key(&listing), text.as_bytes())), &[]);
    let seen = broker.read_until(&broker.topic("suspects"), LIMIT, |seen| !seen.is_empty());
    let suspect = seen.first().unwrap_or_else(|| panic!("no suspect: {}", worker.log())).json();
    let told: Vec<&str> =
        suspect["images_seen"].as_array().expect("a list").iter().map(|i| i["error"].as_str().unwrap_or("seen")).collect();
    assert_eq!(told, ["seen", "forbidden_address", "late", "not_a_link"], "{suspect}");
    let kinds: Vec<&str> = suspect["evidence"].as_array().expect("a list").iter().filter_map(|e| e["kind"].as_str()).collect();
    assert!(kinds.contains(&"reference_copy"), "{kinds:?}");
    for (outcome, count) in [("looked_at", 1.0), ("forbidden_address", 1.0), ("late", 1.0)] {
        worker.wait_metric(&format!("touchstone_pictures_total{{outcome=\"{outcome}\"}}"), count);
    }
    // There is no topic that the late one could be waited for in, as before there were retries: nothing else suffers.
    worker.wait_metric("touchstone_faults_total{reason=\"missing_topic\"}", 1.0);
    worker.wait_metric("touchstone_retries_total{outcome=\"written\"}", 0.0);
}

/// A listing goes on without a slow picture; once it came, a second pass supersedes the first, though the worker was killed between.
#[test]
fn a_picture_that_comes_late_makes_one_more_pass_unless_the_listing_changed() {
    let Some(broker) = Broker::real() else { return };
    let picture = picture();
    let folder = tempfile::tempdir().expect("a folder");
    write_catalog(folder.path(), &picture);
    let open = Arc::new(AtomicBool::new(false));
    let port = serve_late(picture, open.clone());
    // Long enough that the worker is killed before the second pass is due.
    let more = "[pictures]\nallow = [\"127.0.0.1/32\"]\npicture_deadline_ms = 1000\nretry_after_ms = 6000\nretry_passes = 3\n";
    let mut worker = Worker::start(&broker, folder.path(), more);
    worker.wait_ready();
    let write = |listing_id: &str, revision: u64, path: &str| {
        let images = json!([{"url": format!("http://127.0.0.1:{port}/{path}")}]);
        let listing = json!({"event_id": format!("{listing_id}-{revision}"), "op": "upsert", "occurred_at": "2026-11-21T08:00:00Z",
            "platform": "bazaar", "market": "ID", "listing_id": listing_id, "revision": revision, "seller": {"id": "s"},
            "title": "Velmora Classic 1:1 replica mirror quality", "images": images});
        let text = listing.to_string();
        broker.write(&broker.topic("listings"), std::iter::once((key(&listing), text.as_bytes())), &[TRACE]);
    };
    let suspects = |limit: Duration, most: usize| -> Vec<Seen> { broker.read_until(&broker.topic("suspects"), limit, |s| s.len() >= most) };

    write("1", 1, "late.jpg");
    let first = suspects(LIMIT, 1).first().unwrap_or_else(|| panic!("no suspect: {}", worker.log())).json();
    assert_eq!((&first["pass"], &first["images_seen"][0]["error"]), (&json!(0), &json!("late")), "{first}");
    open.store(true, Ordering::Relaxed);
    worker.kill_and_restart();
    let seen = suspects(LIMIT, 2);
    let second = seen.get(1).unwrap_or_else(|| panic!("no second pass: {}", worker.log()));
    assert_eq!((second.header(TRACE.0), &second.key), (Some(TRACE.1), &seen[0].key));
    let second = second.json();
    assert_eq!((&second["suspect_id"], &second["pass"]), (&first["suspect_id"], &json!(1)), "{second}");
    assert_eq!(second["supersedes"], first["detection_id"]);
    assert_ne!(second["detection_id"], first["detection_id"]);
    assert!(second["images_seen"][0]["sha256"].is_string(), "{second}");
    assert!(second["evidence"].as_array().expect("a list").iter().any(|e| e["kind"] == "reference_copy"), "{second}");
    worker.wait_metric("touchstone_retries_total{outcome=\"found\"}", 1.0);

    write("2", 1, "never.jpg");
    worker.wait_metric("touchstone_retries_total{outcome=\"written\"}", 1.0);
    write("2", 2, "late.jpg");
    worker.wait_metric("touchstone_retries_total{outcome=\"superseded\"}", 1.0);
    // Whatever came too much would be there by now.
    let mut passes: Vec<(String, u64)> = suspects(Duration::from_secs(4), usize::MAX)
        .iter()
        .map(|seen| (seen.json()["event_id"].as_str().expect("an id").to_owned(), seen.json()["pass"].as_u64().expect("a pass")))
        .collect();
    passes.sort();
    let expected = [("1-1", 0), ("1-1", 1), ("2-1", 0), ("2-2", 0)].map(|(event, pass)| (event.to_owned(), pass));
    assert_eq!(passes, expected, "{}", worker.log());
    worker.wait_metric("touchstone_listings_total{outcome=\"suspect\"}", 2.0);
}
