//! Catalogs: compiled bytes as they come, records under a checksum that holds, and the lines of every file of a folder.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};
use touchstone_detectors::Rows;

fuzz_target!(|bytes: &[u8]| {
    let place = std::env::temp_dir().join(format!("touchstone-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(place.join("phrases")).expect("a folder can be made");
    match bytes.split_first() {
        Some((0, records)) => compiled(&place, &sealed(records)),
        Some((1, lines)) => folder(&place, lines),
        _ => compiled(&place, bytes),
    }
});

fn sealed(records: &[u8]) -> Vec<u8> {
    let payload = zstd::encode_all(records, 1).expect("memory");
    let sum: String = Sha256::digest(&payload).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut file = format!("touchstone catalog 1\n{sum}\n").into_bytes();
    file.extend(payload);
    file
}

fn compiled(place: &Path, bytes: &[u8]) {
    let path = place.join("catalog.tsc");
    std::fs::write(&path, bytes).expect("a file can be written");
    let _ = Rows::load(&path);
}

/// Lines that are rows of one file are faults of the others, so that both are met.
fn folder(place: &Path, lines: &[u8]) {
    const FILES: [&str; 10] = [
        "brands.jsonl",
        "products.jsonl",
        "rights_holders.jsonl",
        "authorised_sellers.jsonl",
        "offenders.jsonl",
        "known_fakes.jsonl",
        "category_map.jsonl",
        "phrases/house.jsonl",
        "fx.json",
        "policy.toml",
    ];
    for name in FILES {
        std::fs::write(place.join(name), lines).expect("a file can be written");
    }
    let _ = Rows::load(place);
}
