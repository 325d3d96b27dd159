//! Texts as they come, scanned whole: every span names its own text, and what is found is an event without a fault.
#![no_main]

mod golden;
mod scanner;

use std::sync::LazyLock;

use golden::LISTING;
use libfuzzer_sys::fuzz_target;
use scanner::scanner;
use touchstone_detectors::Scanner;
use touchstone_schemas::{Listing, Suspect, decode};

static EXAMPLE: LazyLock<Scanner> = LazyLock::new(|| scanner("examples/catalog"));

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (title, description) = text.split_once('\n').unwrap_or((text, text));
    let mut listing = LISTING.clone();
    listing.title = Some(title.to_owned());
    listing.description = Some(description.to_owned());
    // A brand is named here at least, so that no text is passed over.
    listing.image_text = vec![text.to_owned(), "Nordvale".to_owned()];
    for assessment in EXAMPLE.assess(&listing, &[], &listing.occurred_at) {
        let suspect = assessment.suspect;
        for span in suspect.evidence.iter().flat_map(|evidence| evidence.all_spans()) {
            assert!(!span.text.is_empty());
            let named = field(&listing, &span.field).get(span.start as usize..span.end as usize);
            assert_eq!(named, Some(span.text.as_str()), "{}", span.field);
        }
        let event = decode::<Suspect>(&serde_json::to_vec(&suspect).expect("a suspect can be written")).expect("an event");
        assert!(event.faults.is_empty(), "{:?}", event.faults);
        assert_eq!(event.value.evidence.len(), suspect.evidence.len());
    }
});

/// The text that a span's path names.
fn field<'a>(listing: &'a Listing, path: &str) -> &'a str {
    let index = || path.split(['[', ']']).nth(1).and_then(|i| i.parse::<usize>().ok()).expect("an index");
    match path {
        "title" => listing.title(),
        "brand" => listing.brand.as_deref().expect("a brand"),
        "description" => listing.description.as_deref().expect("a description"),
        p if p.starts_with("variants[") => listing.variants[index()].name.as_deref().expect("a name"),
        p if p.starts_with("attributes.") => &listing.attributes.as_ref().expect("attributes")[&p["attributes.".len()..]],
        p if p.starts_with("image_text[") => &listing.image_text[index()],
        other => panic!("no field {other}"),
    }
}
