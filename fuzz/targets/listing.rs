//! Listings as they come: whatever is decoded is written and decoded again to the same.
#![no_main]

mod round_trip;

use libfuzzer_sys::fuzz_target;
use round_trip::round_trip;
use touchstone_schemas::Listing;

fuzz_target!(|bytes: &[u8]| {
    round_trip::<Listing>(bytes);
});
