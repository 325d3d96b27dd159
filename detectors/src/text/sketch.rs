//! What the windows of a field may be read as, told by hashes before anything is spelled out.
//!
//! Hardly any window hides a name. So each word is looked at once, and a window costs a few instructions: its hash as it
//! stands and with digits read as letters, or, where signs stand for letters, its first and last letter and its length.

use super::document::Document;
use super::normalise::Token;
use super::rolling::Rolling;
use super::window::{LONGEST, MOST_SIGNS, MOST_TORN, MOST_WORDS, digit_letter, is_edge_letter, sign_letter};

/// The words of a field as its windows see them.
#[derive(Default)]
pub(super) struct Sketch {
    seen: Vec<Seen>,
    /// Letters as they stand, with digits read as letters and `1` as i, and with `1` as l.
    raw: Rolling,
    as_i: Rolling,
    as_l: Rolling,
}

/// One word.
struct Seen {
    /// Where its letters stand among those of the field.
    from: usize,
    to: usize,
    ascii: bool,
    digits: bool,
    /// Nothing but digits.
    number: bool,
    first: u8,
    last: u8,
    /// Signs right before it or right behind it that are drawn like letters.
    before: bool,
    behind: bool,
    gap: Gap,
}

/// What stands between a word and the one before it.
#[derive(Default, Clone, Copy)]
struct Gap {
    /// Signs, and no space.
    torn: bool,
    /// Not spaces alone.
    signed: bool,
    /// Signs that may hide letters.
    starry: bool,
    /// Signs drawn like letters.
    letters: usize,
}

impl Gap {
    fn of(gap: &str) -> Self {
        if gap == " " || gap == ", " {
            return Self { signed: gap != " ", ..Self::default() };
        }
        let signs = || gap.chars().filter(|c| !c.is_whitespace());
        let spelled = signs().count() <= MOST_SIGNS && signs().all(|c| sign_letter(c).is_some());
        Self {
            torn: !gap.is_empty() && !gap.contains(char::is_whitespace),
            signed: !gap.chars().all(char::is_whitespace),
            starry: is_starry(gap),
            letters: if spelled { signs().count() } else { 0 },
        }
    }
}

/// Whether signs may stand for hidden letters.
pub(super) fn is_starry(gap: &str) -> bool {
    are_stars(gap) || matches!(gap, "_" | "." | "+")
}

pub(super) fn are_stars(gap: &str) -> bool {
    gap.chars().all(|c| matches!(c, '*' | '•' | '#' | '●' | '＊' | '×'))
}

/// A growing window.
#[derive(Default)]
pub(super) struct Reach {
    from: usize,
    to: usize,
    words: usize,
    /// Words of one letter only.
    single: bool,
    /// A number among these was read as letters.
    loose: bool,
    pub(super) torn: bool,
    /// Words with digits that may be letters.
    mixed: bool,
    digits: bool,
    letters: usize,
    signed: usize,
    starry: bool,
}

/// First and last letter, and length, of what windows are compared with.
pub(super) struct Ends(Vec<u32>);

impl Ends {
    const SIDE: usize = 27;

    fn place(first: u8, last: u8) -> usize {
        let class = |b: u8| if b.is_ascii_lowercase() { usize::from(b - b'a') } else { Self::SIDE - 1 };
        class(first) * Self::SIDE + class(last)
    }

    pub(super) fn of<'a>(words: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut ends = vec![0; Self::SIDE * Self::SIDE];
        for word in words.filter(|word| (1..=LONGEST).contains(&word.len())) {
            ends[Self::place(word[0], word[word.len() - 1])] |= 1_u32 << word.len();
        }
        Self(ends)
    }

    fn may_be(&self, first: u8, last: u8, length: usize) -> bool {
        length <= LONGEST && self.0[Self::place(first, last)] & (1 << length) != 0
    }
}

impl Reach {
    pub(super) fn clear(&mut self) {
        *self = Self { single: true, ..Self::default() };
    }
}

impl Sketch {
    /// Looks at the first words of a field.
    pub(super) fn read(&mut self, document: &Document<'_>, field: usize, tokens: &[Token], most: usize) {
        let (original, text) = (document.fields[field].original, document.text());
        self.seen.clear();
        [&mut self.raw, &mut self.as_i, &mut self.as_l].into_iter().for_each(Rolling::clear);
        // Only where digits stand among letters can they be letters.
        let is_mixed = |word: &[u8]| word.iter().any(u8::is_ascii_digit) && !word.iter().all(u8::is_ascii_digit);
        let mixed = tokens.iter().take(most).any(|token| is_mixed(text[token.piece.range()].as_bytes()));
        for (i, token) in tokens.iter().take(most).enumerate() {
            let word = text[token.piece.range()].as_bytes();
            let before = if i == 0 { 0 } else { tokens[i - 1].to };
            let next = tokens.get(i + 1).map_or(original.len(), |next| next.from);
            let (gap, behind) = (&original[before..token.from], &original[token.to..next]);
            let digits = word.iter().filter(|b| b.is_ascii_digit()).count();
            let (ascii, number) = (word.is_ascii(), digits == word.len());
            let from = self.raw.len();
            if ascii {
                self.raw.push(word, |letter| letter);
            }
            if ascii && mixed {
                self.as_i.push(word, |letter| if number { letter } else { digit_letter(letter, b'i') });
                self.as_l.push(word, |letter| if number { letter } else { digit_letter(letter, b'l') });
            }
            self.seen.push(Seen {
                from,
                to: self.raw.len(),
                ascii,
                digits: digits > 0,
                number,
                first: word[0],
                last: word[word.len() - 1],
                before: gap != " " && gap.ends_with(is_edge_letter),
                behind: behind != " " && behind.starts_with(is_edge_letter),
                gap: if i == 0 { Gap::default() } else { Gap::of(gap) },
            });
        }
    }

    pub(super) fn is_ascii(&self, word: usize) -> bool {
        self.seen[word].ascii
    }

    /// Adds a word; false where the window has become too long to be a name.
    pub(super) fn push(&self, reach: &mut Reach, word: usize) -> bool {
        let seen = &self.seen[word];
        let first = reach.words == 0;
        if first {
            reach.from = seen.from;
        } else {
            reach.torn |= seen.gap.torn;
            reach.letters += seen.gap.letters;
            reach.signed += usize::from(seen.gap.signed);
            reach.starry |= seen.gap.signed && seen.gap.starry;
        }
        reach.words += 1;
        reach.single &= seen.to - seen.from == 1;
        reach.loose |= reach.single && seen.number;
        reach.mixed |= seen.digits && !seen.number;
        reach.digits |= seen.digits;
        reach.to = seen.to;
        let most = if reach.torn { MOST_TORN } else { MOST_WORDS };
        seen.ascii && reach.to - reach.from <= LONGEST && (reach.words <= most || reach.single)
    }

    /// Hash of the window as it stands.
    pub(super) fn hash(&self, reach: &Reach) -> u64 {
        self.raw.hash(reach.from, reach.to)
    }

    /// Hashes of the window as it stands and less each letter.
    pub(super) fn less_one(&self, reach: &Reach) -> impl Iterator<Item = u64> + '_ {
        self.raw.less_one(reach.from, reach.to)
    }

    /// First and last letter and the length of a window without digits.
    pub(super) fn letters(&self, reach: &Reach, words: (usize, usize)) -> Option<(u8, u8, usize)> {
        (!reach.digits).then(|| (self.seen[words.0].first, self.seen[words.1].last, reach.to - reach.from))
    }

    /// Whether a window with digits or signs for letters may be one of some words, given their hashes and their ends.
    pub(super) fn may_be_leet(&self, reach: &Reach, (i, j): (usize, usize), has: impl Fn(u64) -> bool, ends: &Ends) -> bool {
        let (first, last) = (&self.seen[i], &self.seen[j]);
        if !(reach.mixed || reach.loose || reach.letters > 0 || first.before || last.behind) {
            return false;
        }
        if first.before || last.behind {
            return true;
        }
        if reach.letters > 0 || reach.loose {
            let length = reach.to - reach.from + reach.letters;
            let read = |letter: u8| [letter, digit_letter(letter, b'i'), digit_letter(letter, b'l')];
            return read(first.first).into_iter().any(|first| read(last.last).into_iter().any(|last| ends.may_be(first, last, length)));
        }
        reach.mixed && (has(self.as_i.hash(reach.from, reach.to)) || has(self.as_l.hash(reach.from, reach.to)))
    }

    /// Whether one sign in a window of letters may hide some.
    pub(super) fn may_be_starred(&self, reach: &Reach) -> bool {
        reach.torn && reach.signed == 1 && reach.starry && !reach.digits
    }
}
