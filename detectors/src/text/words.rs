//! Phrases and class words of a listing: what is read once a brand is named.

use std::collections::HashMap;

use daachorse::DoubleArrayAhoCorasick;
use touchstone_schemas::{Phrase, PhraseKind};
use unicode_normalization::UnicodeNormalization;

use super::document::{Cover, Document, Piece};
use super::lexicon::{Mention, SHORT};
use super::normalise::normalise;
use super::table::Change;
use crate::catalog::{Class, Classes, Head};

/// A phrase of a pack, ready to be compared.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) row: Phrase,
    pub(crate) pack: String,
    pub(crate) not_in: Vec<Class>,
    /// Punctuation that must stand in the listing too, such as the colon of 1:1.
    punctuation: String,
    /// A number must stand before it.
    number_before: bool,
    /// A number must stand after it.
    number_after: bool,
}

/// What a hit stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// Index into [`Words::phrases`].
    Phrase(usize),
    Class(Class, Head),
}

/// A phrase or a class word found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hit {
    pub(crate) piece: Piece,
    pub(crate) what: What,
}

/// All phrases and class words.
pub(crate) struct Words {
    pub(crate) phrases: Vec<Entry>,
    automaton: Option<DoubleArrayAhoCorasick<u32>>,
    patterns: Vec<Vec<(What, String)>>,
}

impl Words {
    pub(crate) fn new(packs: impl Iterator<Item = (String, Phrase)>, classes: &Classes) -> Result<Self, String> {
        let mut patterns: HashMap<String, Vec<(What, String)>> = HashMap::new();
        let mut phrases = Vec::new();
        for (pack, row) in packs {
            let (number_before, number_after) = (row.phrase.starts_with("# "), row.phrase.ends_with(" #"));
            let literal = row.phrase.trim_matches(['#', ' ']).to_owned();
            let not_in = row.not_in.iter().filter_map(|c| classes.by_name(c)).collect();
            let telling = |c: &char| {
                !c.is_whitespace() && !c.is_alphanumeric() && !matches!(c, '-' | '\'' | '’' | '.' | ',' | '/') && c.is_ascii_punctuation()
            };
            let punctuation = literal.chars().filter(telling).collect();
            patterns.entry(normalise(&literal)).or_default().push((What::Phrase(phrases.len()), letters(&literal)));
            phrases.push(Entry { row, pack, not_in, punctuation, number_before, number_after });
        }
        for word in classes.words() {
            patterns.entry(normalise(&word.written)).or_default().push((What::Class(word.class, word.head), letters(&word.written)));
        }
        patterns.remove("");
        let mut patterns: Vec<_> = patterns.into_iter().collect();
        patterns.sort_by(|a, b| a.0.cmp(&b.0));
        let automaton = match patterns.is_empty() {
            true => None,
            false => Some(
                DoubleArrayAhoCorasick::new(patterns.iter().map(|(p, _)| p)).map_err(|e| format!("the phrases make no automaton: {e}"))?,
            ),
        };
        Ok(Self { phrases, automaton, patterns: patterns.into_iter().map(|(_, w)| w).collect() })
    }

    /// What a document says besides its brands, in order; the longest reading of a place.
    pub(crate) fn read(&self, document: &Document<'_>, mentions: &[Mention]) -> Vec<Hit> {
        let mut hits = Vec::new();
        let names = Cover::of(mentions.iter().map(|m| m.piece));
        let Some(automaton) = &self.automaton else { return hits };
        for found in automaton.find_overlapping_iter(document.text()) {
            let piece = Piece { start: found.start(), end: found.end() };
            if !document.is_whole(piece) || names.touches(piece) {
                continue;
            }
            let told = self.patterns[found.value() as usize].iter().filter(|(what, written)| self.holds(*what, written, document, piece));
            hits.extend(told.map(|(what, _)| Hit { piece, what: *what }));
        }
        hits.sort_by_key(|hit| (hit.piece.start, std::cmp::Reverse(hit.piece.end)));
        let mut longest = Piece { start: 0, end: 0 };
        hits.retain(|hit| {
            let inside = hit.piece != longest && hit.piece.within(longest);
            if !inside && hit.piece.end > longest.end {
                longest = hit.piece;
            }
            !inside
        });
        hits
    }

    pub(crate) fn phrase(&self, hit: &Hit) -> Option<&Entry> {
        match hit.what {
            What::Phrase(index) => Some(&self.phrases[index]),
            What::Class(..) => None,
        }
    }

    pub(crate) fn is(&self, hit: &Hit, kinds: &[PhraseKind]) -> bool {
        self.phrase(hit).is_some_and(|entry| kinds.contains(&entry.row.says))
    }

    /// The finer conditions of a hit: accents, punctuation, numbers beside it.
    fn holds(&self, what: What, written: &str, document: &Document<'_>, piece: Piece) -> bool {
        let original = document.original(piece);
        // An accent makes another word, but many sellers leave accents out altogether.
        let refolded = document.change(piece) == Change::Folded && !original.is_ascii();
        if refolded && letters(original) != written {
            return false;
        }
        // A short word less its accent is another word: "non" is no hat, "but" no pen.
        if original.is_ascii() && original.len() <= SHORT && !written.is_ascii() {
            return false;
        }
        let What::Phrase(index) = what else { return true };
        let entry = &self.phrases[index];
        if !entry.punctuation.is_empty() {
            let field = document.field_of(piece);
            let range = document.original_range(piece);
            let tail: String = field.original[range.end..].chars().take(2).collect();
            let mut seen = original.nfkc().chain(tail.nfkc());
            if !entry.punctuation.chars().all(|p| seen.any(|c| c == p)) {
                return false;
            }
        }
        let field = document.field_of(piece).range.clone();
        let text = document.text();
        let before = text[field.start..piece.start].trim_end().rsplit(' ').next();
        let after = text[piece.end..field.end].trim_start().split(' ').next();
        let number = |word: Option<&str>| word.is_some_and(|w| !w.is_empty() && w.bytes().all(|b| b.is_ascii_digit()));
        // "0.9 kW" is power, "iPhone 6 kw" a copy.
        if written == "kw" && number(before) && document.decimal_before(piece) {
            return false;
        }
        (!entry.number_before || number(before)) && (!entry.number_after || number(after))
    }
}

/// Letters and digits in lower case with their accents.
fn letters(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric()).collect()
}
