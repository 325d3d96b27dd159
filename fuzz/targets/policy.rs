//! Policy files as they come: whatever is taken gives every listing a probability.
#![no_main]

mod golden;
mod scanner;

use std::sync::LazyLock;

use golden::LISTING;
use libfuzzer_sys::fuzz_target;
use scanner::scanner;
use touchstone_detectors::{Policy, Scanner};

static EXAMPLE: LazyLock<Scanner> = LazyLock::new(|| scanner("examples/catalog"));

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(policy) = Policy::parse(text) else { return };
    let again = Policy::parse(text).expect("it was a policy before");
    assert_eq!(again.version(), policy.version());
    let rate = policy.base_rate(LISTING.platform.as_str(), LISTING.market.as_str());
    assert!(rate > 0.0 && rate < 1.0, "{rate}");
    let _ = policy.conflict(EXAMPLE.catalog());
    for assessment in EXAMPLE.under(policy).assess(&LISTING, &[], &LISTING.occurred_at) {
        let score = assessment.suspect.score.to_f64();
        assert!((0.0..=1.0).contains(&score), "{score}");
    }
});
