//! A small made-up catalog for the unit tests.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use touchstone_schemas::{Listing, Timestamp, decode};

use crate::{Assessment, Catalog, Fingerprint, Picture, PictureFault, Policy, Scanner};

pub(crate) const BRANDS: &str = r#"
{"brand_id": "nordvale", "name": "Nordvale", "aliases": ["Nordvale Glide", "NV", "노드베일"], "nicknames": ["the fjord"], "categories": ["shoes"], "reference_prices": [{"category": ["shoes"], "amount": "100", "currency": "USD"}, {"category": ["hoodies"], "amount": "80", "currency": "USD"}, {"category": ["tops"], "amount": "30", "currency": "USD"}]}
{"brand_id": "harbor", "name": "Harbor", "aliases": ["Harbor Coast"], "ambiguous": true, "reference_prices": [{"category": ["hoodies"], "amount": "90", "currency": "USD"}, {"category": ["tops"], "amount": "40", "currency": "USD"}]}
{"brand_id": "kessra", "name": "Kessra & Rowe", "aliases": ["Kessra"], "reference_prices": [{"category": ["bags"], "amount": "900", "currency": "USD"}]}
{"brand_id": "oro", "name": "Oro", "ambiguous": true, "aliases": ["Oro Phone"], "reference_prices": [{"category": ["phones"], "amount": "700", "currency": "USD"}]}
"#;

pub(crate) const PRODUCTS: &str = r#"
{"product_id": "nordvale:glide-2", "brand_id": "nordvale", "name": "Nordvale Glide 2 Trail Runner", "model_numbers": ["NV2040-101"], "category": ["shoes"], "reference_prices": [{"amount": "140", "currency": "USD"}]}
{"product_id": "nordvale:socks", "brand_id": "nordvale", "name": "Nordvale Crew Socks 3 Pairs", "category": ["socks"], "reference_prices": [{"amount": "18", "currency": "USD"}]}
{"product_id": "kessra:tote", "brand_id": "kessra", "name": "Kessra Meadow Tote", "model_numbers": ["KR-7781"], "category": ["bags"], "reference_prices": [{"amount": "1200", "currency": "USD"}], "images": [{"path": "tote.jpg"}]}
"#;

const AUTHORISED: &str = r#"
{"brand_id": "nordvale", "platform": "bazaar", "seller_id": "good", "markets": ["ID"], "valid_until": "2027-01-01T00:00:00Z"}
"#;

const OFFENDERS: &str = r#"
{"platform": "bazaar", "seller_id": "bad", "confirmed": 3}
"#;

const FAKES: &str = r#"
{"id": "kf-text", "brand_id": "nordvale", "text": "Sole pressed in one mould, box with a matching label, choose the size and leave the colour in the note, two layers of wrap", "expires_at": "2027-01-01T00:00:00Z"}
"#;

pub(crate) fn write(folder: &Path) {
    for (name, text) in
        [("brands", BRANDS), ("products", PRODUCTS), ("authorised_sellers", AUTHORISED), ("offenders", OFFENDERS), ("known_fakes", FAKES)]
    {
        std::fs::write(folder.join(format!("{name}.jsonl")), text).expect("a temporary folder can be written");
    }
    std::fs::write(folder.join("tote.jpg"), photo(1)).expect("a temporary folder can be written");
}

pub(crate) static SCANNER: LazyLock<Scanner> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(folder.path());
    let (catalog, warnings) = Catalog::load(folder.path()).unwrap_or_else(|faults| panic!("{faults:?}"));
    assert_eq!(warnings, []);
    Scanner::new(Arc::new(catalog), Policy::shipped())
});

/// A made-up product photo, as a JPEG; another for each number.
#[allow(clippy::cast_sign_loss, reason = "shades are made to be positive")]
pub(crate) fn photo(number: u32) -> Vec<u8> {
    let pixel = |x: u32, y: u32| {
        let wave = |a: u32, b: u32| (f64::from(x * a + y * b + number * 977) / 90.0).sin();
        let shade = |v: f64| (127.0 + 120.0 * v) as u8;
        image::Rgb([shade(wave(3 + number, 2)), shade(wave(1, 4 + number) * 0.8), shade(wave(2, 3) * 0.6)])
    };
    let mut jpeg = Vec::new();
    image::RgbImage::from_fn(320, 240, pixel).write_with_encoder(image::codecs::jpeg::JpegEncoder::new(&mut jpeg)).expect("memory");
    jpeg
}

/// A listing's pictures: a product's own, and one that could not be looked at.
pub(crate) fn pictures() -> Vec<Picture> {
    let fingerprint = Fingerprint::of(&photo(1)).map(Arc::new);
    vec![
        Picture { sha256: Some("ab".repeat(32)), fingerprint, pdq: None },
        Picture { sha256: None, fingerprint: Err(PictureFault::Absent), pdq: None },
    ]
}

/// A listing from the fields that differ.
pub(crate) fn listing(fields: serde_json::Value) -> Listing {
    let mut event = serde_json::json!({"event_id": "e1", "op": "upsert", "occurred_at": "2026-11-21T08:00:00Z", "platform": "bazaar", "market": "ID",
        "listing_id": "1", "revision": 1, "seller": {"id": "s1"}, "title": ""});
    let serde_json::Value::Object(fields) = fields else { panic!("an object of fields") };
    event.as_object_mut().expect("an object").extend(fields);
    let decoded = decode::<Listing>(event.to_string().as_bytes()).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(decoded.faults, []);
    decoded.value
}

pub(crate) fn assess(fields: serde_json::Value) -> Vec<Assessment> {
    assess_with(fields, &[])
}

pub(crate) fn assess_with(fields: serde_json::Value, pictures: &[Picture]) -> Vec<Assessment> {
    SCANNER.assess(&listing(fields), pictures, &Timestamp::from_unix_millis(0))
}
