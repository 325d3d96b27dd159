//! Compiled catalogs: bytes as they come, and rows as they come under a checksum that holds.
#![no_main]

use std::io::Write;

use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};
use touchstone_detectors::Rows;

fuzz_target!(|bytes: &[u8]| {
    let path = std::env::temp_dir().join(format!("touchstone-fuzz-{}.tsc", std::process::id()));
    let mut file = std::fs::File::create(&path).expect("a file can be made");
    match bytes.split_first() {
        Some((0, rows)) => {
            let payload = zstd::encode_all(rows, 1).expect("memory");
            let sum: String = Sha256::digest(&payload).iter().map(|byte| format!("{byte:02x}")).collect();
            write!(file, "touchstone catalog 1\n{sum}\n").and_then(|()| file.write_all(&payload)).expect("a file can be written");
        }
        _ => file.write_all(bytes).expect("a file can be written"),
    }
    drop(file);
    let _ = Rows::load(&path);
});
