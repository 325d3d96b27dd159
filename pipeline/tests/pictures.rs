//! Pictures: what is found whatever sellers do to it, what a hostile one costs, and catalogs in one file.

mod common;

use std::io::Cursor;
use std::path::Path;

use common::{catalog, examples, lines, succeed, touchstone, without_clock};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};

/// A made-up product on a plain ground: stripes and discs that differ by number.
#[allow(clippy::cast_sign_loss, reason = "shades are made to be positive")]
fn product(number: u32) -> RgbImage {
    let at = |i: u32| f64::from((number * 7919 + i * 104_729) % 1000) / 1000.0;
    RgbImage::from_fn(360, 300, |x, y| {
        let (u, v) = (f64::from(x) / 360.0, f64::from(y) / 300.0);
        let disc = |i: u32| ((u - at(i)).powi(2) + (v - at(i + 1)).powi(2)).sqrt() < 0.12 + 0.2 * at(i + 2);
        let stripe = ((u * (3.0 + 9.0 * at(20)) + v * (2.0 + 7.0 * at(21))) as u32).is_multiple_of(2);
        let shade = u8::from(disc(1)) * 90 + u8::from(disc(4)) * 60 + u8::from(disc(7)) * 40 + u8::from(stripe) * 50;
        Rgb([shade, shade / 2 + (at(30) * 100.0) as u8, 240 - shade])
    })
}

fn encode(image: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(image.clone()).write_to(&mut bytes, format).expect("memory");
    bytes.into_inner()
}

fn framed(image: &RgbImage, frame: u32, colour: [u8; 3]) -> RgbImage {
    let mut framed = RgbImage::from_pixel(image.width() + 2 * frame, image.height() + 2 * frame, Rgb(colour));
    image::imageops::replace(&mut framed, image, i64::from(frame), i64::from(frame));
    framed
}

fn listing(id: &str, images: &Value) -> String {
    json!({"event_id": id, "op": "upsert", "occurred_at": "2026-11-21T08:00:00Z", "platform": "bazaar", "market": "ID", "listing_id": id,
        "revision": 1, "seller": {"id": "s"}, "title": "new arrival", "images": images})
    .to_string()
}

/// A catalog of ten products with a picture each, and of a known fake.
fn write_catalog(folder: &Path) {
    std::fs::write(folder.join("brands.jsonl"), "{\"brand_id\": \"velmora\", \"name\": \"Velmora\"}\n").expect("a file");
    let products = (0..10).map(|i| {
        std::fs::write(folder.join(format!("{i}.jpg")), encode(&product(i), ImageFormat::Jpeg)).expect("a file");
        json!({"product_id": format!("velmora:{i}"), "brand_id": "velmora", "name": format!("Velmora {i}"), "images": [{"path": format!("{i}.jpg")}]}).to_string()
    });
    std::fs::write(folder.join("products.jsonl"), products.collect::<Vec<_>>().join("\n")).expect("a file");
    std::fs::write(folder.join("fake.png"), encode(&product(50), ImageFormat::Png)).expect("a file");
    let fakes = "{\"id\": \"kf-1\", \"brand_id\": \"velmora\", \"path\": \"fake.png\", \"expires_at\": \"2027-01-01T00:00:00Z\"}\n";
    std::fs::write(folder.join("known_fakes.jsonl"), fakes).expect("a file");
}

fn run(command: &str, catalog: &Path, listings: &Path) -> Vec<Value> {
    lines(&succeed(touchstone(command).arg("--catalog").arg(catalog).arg("--listings").arg(listings)))
}

#[test]
fn a_copy_is_found_whatever_was_done_to_it() {
    let folder = tempfile::tempdir().expect("a folder");
    write_catalog(folder.path());
    let original = product(3);
    let beside = {
        let mut both = RgbImage::new(720, 300);
        image::imageops::replace(&mut both, &product(77), 0, 0);
        image::imageops::replace(&mut both, &original, 360, 0);
        both
    };
    let edits = [
        ("same", original.clone(), "whole"),
        ("mirrored", image::imageops::flip_horizontal(&original), "whole, mirrored"),
        ("turned", image::imageops::rotate180(&original), "whole, turned 180"),
        ("quarter", image::imageops::rotate90(&original), "whole, turned 270"),
        ("small", image::imageops::thumbnail(&original, 120, 100), "whole"),
        ("framed", framed(&original, 30, [255, 255, 255]), "whole"),
        ("pasted", beside, "right half"),
        ("cropped", image::imageops::crop_imm(&original, 45, 40, 270, 225).to_image(), "part"),
    ];
    let mut text = String::new();
    for (name, edit, _) in &edits {
        std::fs::write(folder.path().join(format!("{name}.png")), encode(edit, ImageFormat::Png)).expect("a file");
        text += &format!("{}\n", listing(name, &json!([{"path": format!("{name}.png")}])));
    }
    let file = folder.path().join("listings.jsonl");
    std::fs::write(&file, text).expect("a file");
    for (found, (name, _, view)) in run("match", folder.path(), &file).iter().zip(&edits) {
        let pictures = found["pictures"].as_array().expect("pictures");
        assert!(!pictures.is_empty(), "{name}: {found}");
        assert_eq!((pictures[0]["product_id"].as_str(), pictures[0]["view"].as_str()), (Some("velmora:3"), Some(*view)), "{name}");
        assert_eq!(pictures[0]["reference"], "velmora:3#0");
        if *view == "part" {
            assert_eq!((&pictures[0]["method"], &pictures[0]["distance"]), (&json!("keypoints"), &Value::Null));
            assert!(pictures[0]["inliers"].as_u64().expect("inliers") >= 6);
        } else {
            assert_eq!((&pictures[0]["method"], &pictures[0]["bits"]), (&json!("hash"), &json!(192)));
            assert!(pictures[0]["distance"].as_u64().expect("a distance") <= 24);
        }
    }
    let frame = &run("match", folder.path(), &file)[5]["pictures"][0]["box"];
    assert!(
        (frame[0].as_f64().expect("x") - 30.0 / 420.0).abs() < 0.02 && (frame[3].as_f64().expect("height") - 300.0 / 360.0).abs() < 0.02,
        "{frame}"
    );
}

#[test]
fn pdq_hashes_are_compared_with_pdq_hashes_and_name_their_own_product() {
    let folder = tempfile::tempdir().expect("a folder");
    write_catalog(folder.path());
    let pdq = "f8f8f0cce0f4e84a0e370a22028f67f0b36e2ed596623e1d33e6b39c4e9c9b22";
    let row = json!({"product_id": "velmora:z", "brand_id": "velmora", "name": "Velmora Z", "images": [{"pdq": pdq}]});
    let products = std::fs::read_to_string(folder.path().join("products.jsonl")).expect("products");
    std::fs::write(folder.path().join("products.jsonl"), format!("{products}\n{row}\n")).expect("a file");
    let near = format!("0{}", &pdq[1..]);
    let far = "0".repeat(64);
    let file = folder.path().join("listings.jsonl");
    std::fs::write(&file, [listing("near", &json!([{"pdq": near}])), listing("far", &json!([{"pdq": far}]))].join("\n")).expect("a file");
    let found = run("match", folder.path(), &file);
    let picture = &found[0]["pictures"][0];
    assert_eq!((&picture["product_id"], &picture["bits"], &picture["distance"]), (&json!("velmora:z"), &json!(256), &json!(4)));
    assert_eq!(found[1]["pictures"], json!([]));
}

#[test]
fn an_animation_is_looked_at_by_its_first_frame() {
    let folder = tempfile::tempdir().expect("a folder");
    write_catalog(folder.path());
    let mut gif = Vec::new();
    let frames = [3, 4].map(|n| image::Frame::new(DynamicImage::ImageRgb8(product(n)).into_rgba8()));
    image::codecs::gif::GifEncoder::new(&mut gif).encode_frames(frames).expect("memory");
    std::fs::write(folder.path().join("a.gif"), gif).expect("a file");
    let file = folder.path().join("listings.jsonl");
    std::fs::write(&file, listing("1", &json!([{"path": "a.gif"}]))).expect("a file");
    assert_eq!(run("match", folder.path(), &file)[0]["pictures"][0]["product_id"], "velmora:3");
}

#[test]
fn pictures_come_by_data_path_or_hash_of_one_seen_before() {
    use base64::Engine;
    let folder = tempfile::tempdir().expect("a folder");
    write_catalog(folder.path());
    let jpeg = encode(&product(3), ImageFormat::Jpeg);
    let sum = touchstone_detectors::hex(&<sha2::Sha256 as sha2::Digest>::digest(&jpeg));
    let data = base64::prelude::BASE64_STANDARD.encode(&jpeg);
    std::fs::write(folder.path().join("fake-again.jpg"), encode(&product(50), ImageFormat::Jpeg)).expect("a file");
    let file = folder.path().join("listings.jsonl");
    let text = [
        listing("data", &json!([{"data": data}])),
        listing("hash", &json!([{"sha256": sum}, {"sha256": "00".repeat(32)}, {"url": "https://cdn.example/a.jpg"}])),
        listing(
            "other",
            &json!([{"data": data, "sha256": "11".repeat(32)}, {"data": "?"}, {"path": "../a.jpg"}, {"path": "/etc/hostname"}]),
        ),
        listing("fake", &json!([{"path": "fake-again.jpg"}])),
    ];
    std::fs::write(&file, text.join("\n")).expect("a file");
    let found = run("match", folder.path(), &file);
    let products: Vec<Vec<Option<&str>>> =
        found.iter().map(|f| f["pictures"].as_array().expect("pictures").iter().map(|p| p["product_id"].as_str()).collect()).collect();
    let nearest: Vec<Option<Option<&str>>> = products.iter().map(|p| p.first().copied()).collect();
    assert_eq!(nearest, [Some(Some("velmora:3")), Some(Some("velmora:3")), None, Some(None)]);
    assert_eq!(found[3]["pictures"][0]["reference"], "kf-1");

    let explained = run("explain", folder.path(), &file);
    let fake = explained.iter().find(|e| e["event_id"] == "fake").expect("the fake");
    let evidence = fake["evidence"].as_array().expect("evidence").iter().find(|e| e["kind"] == "known_fake").expect("known");
    assert!(evidence["weight"].as_f64().expect("a weight") > 0.0 && evidence["box"].as_array().is_some_and(|b| b.len() == 4), "{fake}");
    assert_ne!(fake["band"], "remove", "a picture alone never removes");
    let mut hash = explained.iter().find(|e| e["event_id"] == "hash").expect("the hash").clone();
    let brief = hash["images_seen"][0].as_object_mut().and_then(|seen| seen.remove("fingerprint")).expect("what it was reduced to");
    assert_eq!(brief["hex"].as_str().map(str::len), Some(48));
    assert_eq!(hash["images_seen"], json!([{"index": 0, "sha256": sum}, {"index": 1, "error": "absent"}, {"index": 2, "error": "absent"}]));
}

#[test]
fn a_catalog_in_one_file_or_hashed_gives_the_same_bytes_and_tells_damage() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("catalog")).expect("a folder");
    write_catalog(&path("catalog"));
    std::fs::write(path("a.jpg"), encode(&product(3), ImageFormat::Jpeg)).expect("a file");
    std::fs::write(path("listings.jsonl"), listing("1", &json!([{"path": "a.jpg"}]))).expect("a file");
    succeed(touchstone("catalog build").arg(path("catalog")).arg("-o").arg(path("catalog.tsc")));
    succeed(touchstone("catalog hash").arg(path("catalog")).arg("-o").arg(path("hashed")));
    let explain = |catalog: &str| {
        let text = succeed(touchstone("explain --catalog").arg(path(catalog)).arg("--listings").arg(path("listings.jsonl")));
        lines(&text).into_iter().map(|mut v| (v["detected_at"].take(), v).1).collect::<Vec<Value>>()
    };
    let from_folder = explain("catalog");
    assert!(from_folder[0]["evidence"].as_array().expect("evidence").iter().any(|e| e["kind"] == "reference_copy"));
    assert_eq!(from_folder, explain("catalog.tsc"));
    assert_eq!(from_folder, explain("hashed"));
    let scan = |catalog: &Path| without_clock(&succeed(touchstone("scan --catalog").arg(catalog).arg("--listings").arg(examples())));
    succeed(touchstone("catalog build").arg(catalog()).arg("-o").arg(path("examples.tsc")));
    assert_eq!(scan(&catalog()), scan(&path("examples.tsc")));

    let refused = |name: &str| {
        let output = touchstone("catalog check").arg(path(name)).output().expect("the program starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let mut file = std::fs::OpenOptions::new().read(true).write(true).open(path("catalog.tsc")).expect("a file");
    let length = file.metadata().expect("a file").len();
    std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(length / 2)).expect("a file");
    std::io::Write::write_all(&mut file, b"damage").expect("a file");
    let (code, message) = refused("catalog.tsc");
    assert!(code == Some(2) && message.contains("is damaged: its checksum is wrong"), "{message}");
    file.set_len(length / 2).expect("a file");
    assert!(refused("catalog.tsc").1.contains("is damaged"));
    std::fs::write(path("other"), "hello").expect("a file");
    assert!(refused("other").1.contains("is not a compiled catalog of this version"));
    std::fs::write(path("catalog/3.jpg"), "not a picture").expect("a file");
    let (code, message) = refused("catalog");
    assert!(code == Some(2) && message.contains("products.jsonl:4: picture \"3.jpg\": not_a_picture"), "{message}");
}

/// Spoiled pictures by kind, with the fault that each must give.
fn hostile(kind: usize, n: usize) -> (Vec<u8>, &'static str) {
    let jpeg = encode(&product(n as u32), ImageFormat::Jpeg);
    let png = encode(&product(n as u32), ImageFormat::Png);
    let cut = |bytes: &[u8]| bytes[..bytes.len() / 3 + n % 50].to_vec();
    let ihdr = |width: u32, height: u32| {
        let mut png = png.clone();
        png[16..20].copy_from_slice(&width.to_be_bytes());
        png[20..24].copy_from_slice(&height.to_be_bytes());
        let mut crc = flate2::Crc::new();
        crc.update(&png[12..29]);
        png[29..33].copy_from_slice(&crc.sum().to_be_bytes());
        png
    };
    match kind {
        0 => (Vec::new(), "not_a_picture"),
        1 => (b"<svg onload=alert(1)>".to_vec(), "not_a_picture"),
        2 => (b"GIF89a".to_vec(), "broken"),
        3 => (cut(&png), "broken"),
        4 => (ihdr(60_000, 1), "too_many_pixels"),
        5 => (ihdr(50_000, 50_000), "too_many_pixels"),
        6 => (ihdr(16_000, 16_000), "too_many_pixels"),
        7 => (encode(&RgbImage::from_pixel(6_000, 6_000, Rgb([9, 9, 9])), ImageFormat::Png), "low_detail"),
        8 => (encode(&RgbImage::from_pixel(300, 300, Rgb([250, 250, 250])), ImageFormat::Jpeg), "low_detail"),
        9 => (encode(&RgbImage::from_pixel(1, 1, Rgb([0, 0, 0])), ImageFormat::Png), "too_small"),
        10 => (encode(&RgbImage::from_pixel(4_000, 20, Rgb([0, 0, 0])), ImageFormat::Png), "too_small"),
        11 => ([b"\xff\xd8\xff\xe0".as_slice(), &vec![0xff; 5_000]].concat(), "broken"),
        12 => ([b"RIFF\xff\xff\xff\xffWEBPVP8 ".as_slice(), &[7; 300]].concat(), "broken"),
        13 => (cut(&jpeg), "broken"),
        14 => (cut(&encode(&product(n as u32), ImageFormat::WebP)), "broken"),
        _ => (jpeg[..20.min(jpeg.len())].to_vec(), "broken"),
    }
}

#[test]
fn five_hundred_hostile_pictures_give_a_fault_each_and_no_stop() {
    const KINDS: usize = 16;
    let folder = tempfile::tempdir().expect("a folder");
    write_catalog(folder.path());
    let mut text = String::new();
    let mut expected = Vec::new();
    for n in 0..500 {
        // The large ones are few, for the sake of time.
        let kind = if n % KINDS == 7 && n > KINDS { 8 } else { n % KINDS };
        let (bytes, fault) = hostile(kind, n);
        std::fs::write(folder.path().join(format!("h{n}")), bytes).expect("a file");
        // Named, so that the listing is explained whatever its picture shows.
        text += &format!("{}\n", listing(&format!("h{n}"), &json!([{"path": format!("h{n}")}])).replace("new arrival", "Velmora thing"));
        expected.push(fault);
    }
    let file = folder.path().join("listings.jsonl");
    std::fs::write(&file, text).expect("a file");
    let explained = run("explain", folder.path(), &file);
    let errors: Vec<_> = explained.iter().map(|e| e["images_seen"][0]["error"].as_str().unwrap_or("none")).collect();
    let wrong: Vec<_> = errors.iter().zip(&expected).enumerate().filter(|(_, (a, b))| a != b).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}
