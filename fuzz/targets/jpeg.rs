//! Pictures as they come: no panic, no endless work, and the same fault twice.
#![no_main]

use libfuzzer_sys::fuzz_target;
use touchstone_detectors::{Fingerprint, blocks};

fuzz_target!(|bytes: &[u8]| {
    if let Some((width, height, means)) = blocks(bytes) {
        assert_eq!(means.len(), width * height);
        let fault = || Fingerprint::of(bytes).err();
        assert_eq!(fault(), fault());
    }
});
