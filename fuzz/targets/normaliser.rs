//! Texts as they come, normalised: each word and each letter knows the bytes that it came from, and these say it again.
//!
//! The detectors keep this to themselves, so their files are taken in here.
#![no_main]

#[allow(dead_code)]
#[path = "../../detectors/src/text/document.rs"]
mod document;
mod golden;
#[allow(dead_code)]
#[path = "../../detectors/src/text/normalise.rs"]
mod normalise;
#[allow(dead_code)]
#[path = "../../detectors/src/text/origin.rs"]
mod origin;
#[allow(dead_code)]
#[path = "../../detectors/src/text/table.rs"]
mod table;

use document::{Document, Field, Piece};
use golden::LISTING;
use libfuzzer_sys::fuzz_target;
use normalise::normalise;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let once = normalise(text);
    assert_eq!(normalise(&once), once);

    let (title, description) = text.split_once('\n').unwrap_or((text, text));
    let mut listing = LISTING.clone();
    listing.title = Some(title.to_owned());
    listing.description = Some(description.to_owned());
    let document = Document::of(&listing);
    for (number, field) in document.fields.iter().enumerate() {
        words(&document, number, field);
        letters(&document, field);
    }
});

/// A word's span is what was normalised to it, and nothing more.
fn words(document: &Document<'_>, number: usize, field: &Field<'_>) {
    for word in document.words(number) {
        let span = document.span(word.piece);
        assert_eq!(span.field, field.path.to_string());
        assert_eq!((span.start, span.end), (word.from as u64, word.to as u64));
        assert_eq!(normalise(&span.text), &document.text()[word.piece.range()]);
    }
}

/// The letters' origins lie in the field on borders of characters, and none goes back behind the one before it.
fn letters(document: &Document<'_>, field: &Field<'_>) {
    let (mut from, mut to) = (0, 0);
    for (at, letter) in document.text()[field.range.clone()].char_indices() {
        let start = field.range.start + at;
        let piece = Piece { start, end: start + letter.len_utf8() };
        let origin = document.original_range(piece);
        assert!(from <= origin.start && to <= origin.end, "{letter:?} at {at}: {origin:?} after {from}..{to}");
        (from, to) = (origin.start, origin.end);
        let original = field.original.get(origin).expect("an origin on borders of characters");
        assert!(!original.is_empty());
        assert!(letter == ' ' || normalise(original).contains(letter), "{letter:?} of {original:?}");
        let _ = document.change(piece);
    }
}
