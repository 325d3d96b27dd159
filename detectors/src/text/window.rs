//! Neighbouring words read as one, as names are written that hide: with digits and signs for letters.

use super::document::{Document, Piece};

/// Longest hidden name looked for, in bytes.
pub(super) const LONGEST: usize = 26;
/// Words of a name that a misspelling is looked for of.
pub(super) const MOST_WORDS: usize = 5;
/// Pieces of a name that signs tear.
const MOST_TORN: usize = 8;
/// Signs in a row that may be letters.
const MOST_SIGNS: usize = 3;

/// Some neighbouring words read as one: as they stand, and with digits and signs read as letters.
#[derive(Default)]
pub(super) struct Window {
    pub(super) raw: String,
    /// `1` and `|` read as i, and as l.
    as_i: String,
    as_l: String,
    letters: usize,
    single: bool,
    /// Signs without a space stand between two words.
    pub(super) torn: bool,
    pub(super) signs: bool,
    tokens: usize,
    /// The window with the sign behind it as its last letter.
    ended: Option<String>,
}

impl Window {
    pub(super) fn clear(&mut self) {
        self.raw.clear();
        self.as_i.clear();
        self.as_l.clear();
        self.letters = 0;
        self.single = true;
        self.torn = false;
        self.signs = false;
        self.tokens = 0;
        self.ended = None;
    }

    /// What stands behind the window.
    pub(super) fn end(&mut self, signs: &str) {
        let letters: String = signs.chars().take(MOST_SIGNS).filter_map(sign_letter).collect();
        self.ended = (!letters.is_empty()).then(|| format!("{}{letters}", self.as_i));
    }

    /// Adds a word; false when the window has become too long to be a name.
    pub(super) fn push(&mut self, document: &Document<'_>, token: Piece, gap: &str, first: bool) -> bool {
        let word = &document.text()[token.range()];
        self.single &= word.len() == 1;
        self.tokens += 1;
        self.torn |= !first && !gap.is_empty() && !gap.contains(char::is_whitespace);
        let most = if self.torn { MOST_TORN } else { MOST_WORDS };
        if !word.is_ascii() || self.raw.len() + word.len() > LONGEST || (self.tokens > most && !self.single) {
            return false;
        }
        // Signs between words may be letters of either: "h0u$ of".
        let signs: Vec<char> = gap.chars().filter(|c| !c.is_whitespace()).collect();
        let spell = |c: &char| sign_letter(*c).is_some() && (!first || matches!(c, '$' | '€' | '£' | '@'));
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
        for c in word.chars() {
            self.letters += usize::from(c.is_ascii_lowercase());
            self.as_i.push(if number { c } else { digit_letter(c, 'i') });
            self.as_l.push(if number { c } else { digit_letter(c, 'l') });
        }
        true
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

fn digit_letter(c: char, one: char) -> char {
    match c {
        '0' => 'o',
        '1' => one,
        '2' => 'z',
        '3' => 'e',
        '4' => 'a',
        '5' => 's',
        '6' | '9' => 'g',
        '7' => 't',
        '8' => 'b',
        other => other,
    }
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
