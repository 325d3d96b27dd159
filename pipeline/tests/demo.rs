//! The demo checks itself against what is known of its listings.

mod common;

use common::{succeed, touchstone};

#[test]
fn the_demo_finds_its_counterfeits_and_says_so() {
    let shown = succeed(&mut touchstone("demo --once"));
    assert!(shown.contains("2000 listings written, 2000 accounted for"), "{shown}");
    assert!(shown.contains("precision") && shown.contains("kcat -b 127.0.0.1:"), "{shown}");
}
