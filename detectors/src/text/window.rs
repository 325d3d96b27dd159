//! Neighbouring words read as one, as names are written that hide: with digits and signs for letters.

use super::document::{Document, Piece};
use super::normalise::Token;

/// Longest hidden name looked for, in bytes.
pub(super) const LONGEST: usize = 26;
/// Words of a name that a misspelling is looked for of.
pub(super) const MOST_WORDS: usize = 5;
/// Pieces of a name that signs tear.
pub(super) const MOST_TORN: usize = 8;
/// Signs in a row that may be letters.
pub(super) const MOST_SIGNS: usize = 3;

/// Some neighbouring words read as one: as they stand, and with digits and signs read as letters.
#[derive(Default)]
pub(super) struct Window {
    pub(super) raw: String,
    /// `1` and `|` read as i, and as l.
    as_i: String,
    as_l: String,
    letters: usize,
    single: bool,
    pub(super) signs: bool,
    /// The window with the sign behind it as its last letter.
    ended: Option<String>,
}

impl Window {
    /// Spells out some words of a field: gives them, and what stands between each two of them.
    pub(super) fn spell<'a>(
        &mut self,
        document: &Document<'a>,
        field: usize,
        words: &[Token],
        window: std::ops::Range<usize>,
    ) -> (Vec<Piece>, Vec<&'a str>) {
        let original = document.fields[field].original;
        self.clear();
        let tokens = &words[window];
        let mut gaps = Vec::with_capacity(tokens.len());
        for (i, token) in tokens.iter().enumerate() {
            let gap = if i == 0 { before(&original[..token.from]) } else { &original[tokens[i - 1].to..token.from] };
            self.push(document, token.piece, gap, i == 0);
            gaps.extend((i > 0).then_some(gap));
        }
        self.end(tokens.last().map_or("", |last| after(&original[last.to..])));
        (tokens.iter().map(|token| token.piece).collect(), gaps)
    }

    fn clear(&mut self) {
        self.raw.clear();
        self.as_i.clear();
        self.as_l.clear();
        self.letters = 0;
        self.single = true;
        self.signs = false;
        self.ended = None;
    }

    /// What stands behind the window.
    fn end(&mut self, signs: &str) {
        let letters: String = signs.chars().take(MOST_SIGNS).filter_map(sign_letter).collect();
        self.ended = (!letters.is_empty()).then(|| format!("{}{letters}", self.as_i));
    }

    fn push(&mut self, document: &Document<'_>, token: Piece, gap: &str, first: bool) {
        let word = &document.text()[token.range()];
        self.single &= word.len() == 1;
        // Signs between words may be letters of either: "h0u$ of".
        let signs: Vec<char> = gap.chars().filter(|c| !c.is_whitespace()).collect();
        let spell = |c: &char| sign_letter(*c).is_some() && (!first || is_edge_letter(*c));
        if !signs.is_empty() && signs.len() <= MOST_SIGNS && signs.iter().all(spell) {
            for letter in signs.iter().filter_map(|c| sign_letter(*c).map(|letter| (*c, letter))) {
                self.as_i.push(letter.1);
                self.as_l.push(if letter.0 == '|' { 'l' } else { letter.1 });
            }
            self.signs = true;
        }
        self.raw.push_str(word);
        // A number between words is a number: "the 7 v1rtues".
        let number = !self.single && word.bytes().all(|b| b.is_ascii_digit());
        for b in word.bytes() {
            self.letters += usize::from(b.is_ascii_lowercase());
            self.as_i.push(char::from(if number { b } else { digit_letter(b, b'i') }));
            self.as_l.push(char::from(if number { b } else { digit_letter(b, b'l') }));
        }
    }

    /// The ways to read the window, and whether digits or signs stand for letters in it. Numbers alone are numbers.
    pub(super) fn readings(&self) -> impl Iterator<Item = (&str, bool)> {
        let leet = self.as_i != self.raw && self.letters >= 2;
        let differs = leet && self.as_l != self.as_i;
        std::iter::once((self.raw.as_str(), false))
            .chain(leet.then_some((self.as_i.as_str(), true)))
            .chain(differs.then_some((self.as_l.as_str(), true)))
            .chain(self.ended.as_deref().map(|reading| (reading, true)))
    }
}

/// The signs drawn like letters at the end of what stands before a word.
fn before(head: &str) -> &str {
    let from = head.char_indices().rev().take_while(|(_, c)| sign_letter(*c).is_some()).last().map_or(head.len(), |(i, _)| i);
    &head[from..]
}

/// The signs right behind a word that stand for last letters: "Van$".
fn after(behind: &str) -> &str {
    let signs = behind.len() - behind.trim_start_matches(is_edge_letter).len();
    let ends = !behind[signs..].starts_with(char::is_alphanumeric);
    if ends { &behind[..signs] } else { "" }
}

/// The letter that a digit is drawn like, given what a one is read as.
pub(super) fn digit_letter(b: u8, one: u8) -> u8 {
    match b {
        b'0' => b'o',
        b'1' => one,
        b'2' => b'z',
        b'3' => b'e',
        b'4' => b'a',
        b'5' => b's',
        b'6' | b'9' => b'g',
        b'7' => b't',
        b'8' => b'b',
        other => other,
    }
}

/// Signs that stand for the first or the last letters of a name: "$aint", "Van$". Others divide words more often.
pub(super) fn is_edge_letter(c: char) -> bool {
    matches!(c, '$' | '€' | '£' | '@')
}

/// The letter that a sign is drawn like.
pub(super) fn sign_letter(c: char) -> Option<char> {
    match c {
        '$' => Some('s'),
        '@' => Some('a'),
        '!' | '|' | '¡' => Some('i'),
        '€' | '£' => Some('e'),
        '¢' => Some('c'),
        '*' | '•' | '°' => Some('o'),
        _ => None,
    }
}
