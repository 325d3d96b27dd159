//! Pictures that listings only link to, on their way through a worker.

use std::io::{Cursor, Read, Write};
use std::net::TcpListener;
use std::path::Path;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

use super::broker::Broker;
use super::worker::Worker;
use super::{LIMIT, key};

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
}
