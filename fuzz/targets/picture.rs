//! Pictures of any kind as they come, decoded in full: the same bytes give the same hashes and features, or the same fault.
#![no_main]

mod golden;
mod scanner;

use std::sync::{Arc, LazyLock};

use golden::LISTING;
use libfuzzer_sys::fuzz_target;
use scanner::scanner;
use touchstone_detectors::{Fingerprint, Picture, Scanner};

/// A catalog of one picture, which the seeds show too.
static SHELF: LazyLock<Scanner> = LazyLock::new(|| scanner("fuzz/seeds/shelf"));

fuzz_target!(|bytes: &[u8]| {
    match (Fingerprint::of(bytes), Fingerprint::of(bytes)) {
        (Ok(first), Ok(second)) => {
            // A row is made of all pixels, also where the hash needs but the means of blocks.
            assert_eq!(first.row(), second.row());
            let picture = Picture { sha256: None, fingerprint: Ok(Arc::new(first)), pdq: None };
            for shown in SHELF.match_pictures(&LISTING, &[picture], 4) {
                assert!(shown.place.iter().all(|side| (0.0..=1.0).contains(&side.to_f64())), "{:?}", shown.place);
            }
        }
        (first, second) => assert_eq!(first.err(), second.err()),
    }
});
