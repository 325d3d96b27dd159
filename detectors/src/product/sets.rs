//! Small sets of numbers, of which it is told at once that most others are not among them.

use super::compare::Term;

/// Some words, sorted.
#[derive(Debug, Default)]
pub(super) struct Terms {
    pub(super) terms: Vec<Term>,
    mask: u64,
}

impl Terms {
    pub(super) fn of(mut terms: Vec<Term>) -> Self {
        terms.sort_unstable();
        let mask = mask(terms.iter().copied());
        Self { terms, mask }
    }

    pub(super) fn has(&self, term: Term) -> bool {
        self.mask & bit(term) != 0 && self.terms.binary_search(&term).is_ok()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Term> + '_ {
        self.terms.iter().copied()
    }
}

/// The bits of some words.
pub(super) fn mask(terms: impl Iterator<Item = Term>) -> u64 {
    terms.fold(0, |mask, term| mask | bit(term))
}

/// A word's bit.
pub(super) fn bit(term: Term) -> u64 {
    1 << (term.wrapping_mul(0x9E37_79B9) >> 26)
}

/// Hashes of joined words, sorted.
#[derive(Debug, Default)]
pub(super) struct Joined {
    hashes: Vec<u64>,
    pub(super) mask: u64,
}

impl Joined {
    pub(super) fn of(hashes: Vec<u64>) -> Self {
        let mask = hashes.iter().fold(0, |mask, hash| mask | 1 << tag(*hash));
        Self { hashes, mask }
    }

    pub(super) fn has(&self, hash: u64) -> bool {
        self.mask & (1 << tag(hash)) != 0 && self.hashes.binary_search(&hash).is_ok()
    }
}

/// The number of a hash's bit.
pub(super) fn tag(hash: u64) -> u32 {
    (hash >> 58) as u32
}

/// Every four neighbouring bytes of a text, roughly.
#[derive(Debug, Default)]
pub(super) struct Grams([u64; 16]);

impl Grams {
    pub(super) fn of(text: &str) -> Self {
        let mut grams = Self::default();
        for gram in text.as_bytes().windows(4) {
            let place = Self::place(gram);
            grams.0[usize::from(place / 64)] |= 1 << (place % 64);
        }
        grams
    }

    /// The place of a word's first four bytes.
    pub(super) fn of_word(word: &str) -> u16 {
        Self::place(word.as_bytes().first_chunk::<4>().map_or(&[], |gram| &gram[..]))
    }

    fn place(gram: &[u8]) -> u16 {
        let number = gram.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        (number.wrapping_mul(0x9E37_79B9) >> 22) as u16
    }

    pub(super) fn may_have(&self, place: u16) -> bool {
        self.0[usize::from(place / 64)] & (1 << (place % 64)) != 0
    }
}
