//! Names hidden from a plain search: torn apart ("g u c c i"), spelt with digits and signs ("pr4da"), misspelt.

use std::collections::{HashMap, HashSet};

use touchstone_schemas::MatchKind;

use super::document::{Cover, Document, Piece};
use super::lexicon::{Mention, Name, Weakness};
use super::slip::{LONG, SHORTEST as SHORTEST_FUZZY, is_misspelling, shape, shapes};
use super::table::Change;
use super::window::{LONGEST, MOST_WORDS, Window, sign_letter};
use crate::fnv;

/// Words of a description beyond these are not searched for hidden names.
const MOST_TOKENS: usize = 64;
/// Fewest letters that are left of a name when one is hidden behind a sign: "V*ns".
const SHORTEST_STARRED: usize = 3;

/// Shortest name of which two letters may be hidden.
const SHORTEST_STARRED_TWICE: usize = 6;

/// Indexes over the joined names.
pub(crate) struct Hidden {
    /// Names without their spaces.
    joined: HashMap<String, Vec<usize>>,
    /// Names less one letter, by hash, and whole.
    deletes: HashMap<u64, Vec<usize>>,
    /// Names less one or two letters inside, by hash of what stands before and behind.
    starred: HashMap<u64, Vec<usize>>,
    /// Shapes (first letter, last letter, length) of names that may be misspelt: most words leave here.
    shapes: Vec<u64>,
    /// Words that are spelt right, whatever name they resemble.
    ordinary: HashSet<String>,
}

impl Hidden {
    pub(crate) fn new(names: &[Name], ordinary: HashSet<String>) -> Self {
        let mut hidden =
            Self { joined: HashMap::new(), deletes: HashMap::new(), starred: HashMap::new(), shapes: vec![0; 26 * 26], ordinary };
        for (i, name) in names.iter().enumerate().filter(|(_, name)| name.weak < Weakness::Part) {
            let joined = name.spaced.replace(' ', "");
            if !name.spaced.is_ascii() {
                // Han, Hangul, Thai: two letters are a name.
                if joined.chars().count() >= 2 && joined.len() <= LONGEST {
                    hidden.joined.entry(joined).or_default().push(i);
                }
                continue;
            }
            if joined.len() >= 4 && joined.len() <= LONGEST {
                hidden.joined.entry(joined.clone()).or_default().push(i);
                let bytes = joined.as_bytes();
                for letters in 1..=if bytes.len() >= SHORTEST_STARRED_TWICE { 2 } else { 1 } {
                    for from in 1..bytes.len() - letters {
                        hidden.starred.entry(starred(&bytes[..from], &bytes[from + letters..])).or_default().push(i);
                    }
                }
            }
            let misspellable = joined.len() >= SHORTEST_FUZZY && joined.len() <= LONGEST && joined.bytes().all(|b| b.is_ascii_lowercase());
            let told = match name.weak {
                Weakness::None => true,
                // A long word is told from others; its class must go with it all the same.
                Weakness::Word | Weakness::Colour => joined.len() >= LONG,
                _ => false,
            };
            if misspellable && told && !name.nickname {
                let bytes = joined.as_bytes();
                for key in keys(bytes) {
                    let entry = hidden.deletes.entry(key).or_default();
                    if entry.last() != Some(&i) {
                        entry.push(i);
                    }
                }
                for shape in shapes(bytes) {
                    hidden.shapes[shape] |= 0b111 << (bytes.len() - 1).min(61);
                }
            }
        }
        hidden
    }

    /// Adds the hidden names of a document to what a plain search found.
    pub(crate) fn find(&self, document: &Document<'_>, names: &[Name], mentions: &mut Vec<Mention>) {
        let mut scratch = Window::default();
        let plain = Cover::of(mentions.iter().map(|m| m.piece));
        for field in 0..document.fields.len() {
            // A long text is full of ordinary words: misspellings are looked for in what names the goods.
            let fuzzy = document.fields[field].path != "description";
            let most = if fuzzy { usize::MAX } else { MOST_TOKENS };
            let tokens: Vec<Piece> = document.tokens(field).take(most).collect();
            // What stands between two words, and the signs behind one, are looked at from several windows.
            let gaps: Vec<&str> = tokens.windows(2).map(|pair| document.between(pair[0], pair[1])).collect();
            let ends: Vec<&str> = tokens.iter().map(|token| after(document, *token)).collect();
            for i in 0..tokens.len() {
                if !document.text()[tokens[i].range()].is_ascii() {
                    self.torn_syllables(document, names, &tokens[i..], mentions);
                    continue;
                }
                scratch.clear();
                for j in i..tokens.len() {
                    let gap = if j == i { before(document, tokens[i]) } else { gaps[j - 1] };
                    if !scratch.push(document, tokens[j], gap, j == i) {
                        break;
                    }
                    scratch.end(ends[j]);
                    self.torn_or_leet(document, names, &tokens[i..=j], &scratch, mentions);
                    if scratch.torn {
                        self.starred(&gaps[i..j], names, &tokens[i..=j], &scratch.raw, mentions);
                    }
                    if fuzzy && j - i < MOST_WORDS {
                        let window = Piece { start: tokens[i].start, end: tokens[j].end };
                        if !plain.touches(window) {
                            self.misspelt(names, &tokens[i..=j], &scratch.raw, mentions);
                        }
                    }
                }
            }
        }
    }

    fn torn_or_leet(&self, document: &Document<'_>, names: &[Name], tokens: &[Piece], window: &Window, mentions: &mut Vec<Mention>) {
        for (reading, leet) in window.readings() {
            for &name in self.joined.get(reading).into_iter().flatten() {
                let words = names[name].spaced.split(' ').map(str::len);
                let as_written = words.eq(tokens.iter().map(|t| t.end - t.start));
                let kind = match () {
                    () if leet && (as_written || tokens.len() == 1 || window.signs) => MatchKind::Confusable,
                    () if as_written || tokens.len() == 1 => continue,
                    () if names[name].spaced.contains(' ') && names[name].spaced.split(' ').count() >= tokens.len() => continue,
                    () => match tear(document, tokens) {
                        Tear::Letters => MatchKind::Split,
                        // Nobody tears an ordinary word by signs alone.
                        Tear::Signs if reading.len() >= 4 && by_signs_alone(document, tokens) => MatchKind::Split,
                        _ if names[name].weak != Weakness::None || reading.len() < 5 => continue,
                        Tear::Signs => MatchKind::Split,
                        Tear::Words if leet => continue,
                        Tear::Words => MatchKind::Folded,
                    },
                };
                let piece = Piece { start: tokens[0].start, end: tokens[tokens.len() - 1].end };
                let kind = match document.normalised.change(piece.range()) {
                    Change::Torn => kind.max(MatchKind::Split),
                    Change::Confusable => kind.max(MatchKind::Confusable),
                    _ => kind,
                };
                mentions.push(Mention { brand: names[name].brand, name, kind, piece });
            }
        }
    }

    /// Names of scripts without spaces, torn by spaces or signs: "마 로 벨", "퀠.린".
    fn torn_syllables(&self, document: &Document<'_>, names: &[Name], tokens: &[Piece], mentions: &mut Vec<Mention>) {
        const MOST: usize = 5;
        let mut joined = String::new();
        for (n, token) in tokens.iter().take(MOST).enumerate() {
            let word = &document.text()[token.range()];
            joined.push_str(word);
            if word.is_ascii() || joined.len() > LONGEST {
                return;
            }
            for &name in self.joined.get(&joined).filter(|_| n > 0).into_iter().flatten() {
                if !names[name].spaced.contains(' ') {
                    let piece = Piece { start: tokens[0].start, end: token.end };
                    mentions.push(Mention { brand: names[name].brand, name, kind: MatchKind::Split, piece });
                }
            }
        }
    }

    /// Letters hidden behind signs: "m*rovelle", "new bal**ce".
    fn starred(&self, gaps: &[&str], names: &[Name], tokens: &[Piece], raw: &str, mentions: &mut Vec<Mention>) {
        let mut signed = gaps.iter().enumerate().filter(|(_, gap)| !gap.chars().all(char::is_whitespace));
        let (Some((at, gap)), None) = (signed.next(), signed.next()) else { return };
        let stars = gap.chars().all(|c| matches!(c, '*' | '•' | '#' | '●' | '＊' | '×'));
        let other_signs = raw.len() >= SHORTEST_FUZZY - 1 && matches!(*gap, "_" | "." | "+");
        let left: usize = tokens[..=at].iter().map(|t| t.end - t.start).sum();
        if !(stars || other_signs) || raw.len() < SHORTEST_STARRED || !raw.bytes().all(|b| b.is_ascii_lowercase()) {
            return;
        }
        for &name in self.starred.get(&starred(&raw.as_bytes()[..left], &raw.as_bytes()[left..])).into_iter().flatten() {
            // A sign for each letter, or one for two.
            let hidden = names[name].spaced.bytes().filter(|b| *b != b' ').count() - raw.len();
            if gap.chars().count() == hidden || (stars && gap.chars().count() <= 3 && hidden == 2) {
                let piece = Piece { start: tokens[0].start, end: tokens[tokens.len() - 1].end };
                mentions.push(Mention { brand: names[name].brand, name, kind: MatchKind::Confusable, piece });
            }
        }
    }

    fn misspelt(&self, names: &[Name], tokens: &[Piece], raw: &str, mentions: &mut Vec<Mention>) {
        let bytes = raw.as_bytes();
        if tokens.len() == 1 && self.ordinary.contains(raw) {
            return;
        }
        if bytes.len() < SHORTEST_FUZZY - 1 || bytes.len() > LONGEST || !bytes.iter().all(u8::is_ascii_lowercase) {
            return;
        }
        if self.shapes[shape(bytes[0], bytes[bytes.len() - 1])] & (1 << bytes.len().min(62)) == 0 {
            return;
        }
        let mut candidates: Vec<usize> = keys(bytes).filter_map(|key| self.deletes.get(&key)).flatten().copied().collect();
        candidates.sort_unstable();
        candidates.dedup();
        for name in candidates {
            let joined = names[name].spaced.replace(' ', "");
            let words = names[name].spaced.split(' ').count();
            if (tokens.len() == 1 || tokens.len() == words) && is_misspelling(bytes, joined.as_bytes()) {
                let piece = Piece { start: tokens[0].start, end: tokens[tokens.len() - 1].end };
                // "Nordvales" is a plural and no slip.
                let plural = bytes.strip_suffix(b"s") == Some(joined.as_bytes());
                let kind = if plural { MatchKind::Folded } else { MatchKind::Fuzzy };
                mentions.push(Mention { brand: names[name].brand, name, kind, piece });
            }
        }
    }
}

/// What stands right before a word, in the original, back to the last space.
fn before<'a>(document: &Document<'a>, piece: Piece) -> &'a str {
    let field = document.field_of(piece);
    let start = document.normalised.original(piece.range()).start;
    let head = &field.original[..start];
    let from = head.char_indices().rev().take_while(|(_, c)| sign_letter(*c).is_some()).last().map_or(start, |(i, _)| i);
    &head[from..]
}

/// The signs right behind a word that stand for last letters: "Van$".
fn after<'a>(document: &Document<'a>, piece: Piece) -> &'a str {
    let field = document.field_of(piece);
    let behind = &field.original[document.normalised.original(piece.range()).end..];
    let signs = behind.len() - behind.trim_start_matches(['$', '@', '€', '£']).len();
    let ends = !behind[signs..].starts_with(char::is_alphanumeric);
    if ends { &behind[..signs] } else { "" }
}

/// Whether only signs stand between the pieces, and no space.
fn by_signs_alone(document: &Document<'_>, tokens: &[Piece]) -> bool {
    let signs = |gap: &str| {
        !gap.is_empty() && !gap.contains(char::is_whitespace) && (tokens.len() > 2 || !matches!(gap, "-" | "/" | "'" | "’" | "&"))
    };
    tokens.windows(2).all(|pair| signs(document.between(pair[0], pair[1])))
}

/// How the pieces of a name were torn apart.
enum Tear {
    /// Into single letters.
    Letters,
    /// By punctuation or signs, or into scraps.
    Signs,
    /// Into parts of three letters and more, by a space.
    Words,
}

fn tear(document: &Document<'_>, tokens: &[Piece]) -> Tear {
    let gaps_are_spaces = tokens.windows(2).all(|pair| document.between(pair[0], pair[1]).chars().all(char::is_whitespace));
    if tokens.iter().all(|t| t.end - t.start == 1) {
        Tear::Letters
    } else if gaps_are_spaces && tokens.iter().all(|t| t.end - t.start >= 3) {
        Tear::Words
    } else {
        Tear::Signs
    }
}

/// Hash of what stands before and behind hidden letters.
fn starred(before: &[u8], behind: &[u8]) -> u64 {
    fnv(before.iter().chain(b"*").chain(behind).copied())
}

/// Hashes of a word and of it less each letter.
fn keys(word: &[u8]) -> impl Iterator<Item = u64> + '_ {
    (0..=word.len()).map(move |left_out| fnv(word.iter().enumerate().filter(|(i, _)| *i != left_out).map(|(_, b)| *b)))
}
