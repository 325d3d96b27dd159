//! Listings as they come: whatever is decoded is written and decoded again to the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use touchstone_schemas::{Listing, decode};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(first) = decode::<Listing>(bytes) {
        let written = serde_json::to_vec(&first.value).expect("a listing can be written");
        let again = decode::<Listing>(&written).expect("what was written can be read");
        assert!(again.faults.is_empty(), "{:?}", again.faults);
        assert_eq!(again.value, first.value);
    }
});
