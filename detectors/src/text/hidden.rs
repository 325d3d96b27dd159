//! Names hidden from a plain search: torn apart ("g u c c i"), spelt with digits and signs ("pr4da"), misspelt.

use rustc_hash::{FxHashMap, FxHashSet};
use touchstone_schemas::MatchKind;

use super::document::{Cover, Document, Path, Piece};
use super::lexicon::{Mention, Name, Weakness};
use super::normalise::Token;
use super::rolling::{Rolling, Sieve};
use super::sketch::{Ends, Reach, Sketch, are_stars, is_starry};
use super::slip::{LONG, SHORTEST as SHORTEST_FUZZY, is_misspelling, shape, shapes};
use super::table::Change;
use super::window::{LONGEST, MOST_WORDS, Window};
use crate::fnv;

/// Words of a description beyond these are not searched for hidden names.
const MOST_TOKENS: usize = 64;
/// Fewest letters that are left of a name when one is hidden behind a sign: "V*ns".
const SHORTEST_STARRED: usize = 3;

/// Shortest name of which two letters may be hidden.
const SHORTEST_STARRED_TWICE: usize = 6;

/// Indexes over the joined names. Their keys come from the catalog, so that no listing can crowd them.
pub(crate) struct Hidden {
    /// Names without their spaces.
    joined: FxHashMap<String, Vec<usize>>,
    joined_sieve: Sieve,
    ends: Ends,
    /// Names less one letter, by hash, and whole.
    deletes: FxHashMap<u64, Vec<usize>>,
    deletes_sieve: Sieve,
    /// Names less one or two letters inside, by hash of what stands before and behind.
    starred: FxHashMap<u64, Vec<usize>>,
    /// Shapes (first letter, last letter, length) of names that may be misspelt, by their words (any number of these at
    /// first, since all may be written as one): most windows leave here.
    shapes: [Vec<u64>; MOST_WORDS],
    /// Words that are spelt right, whatever name they resemble.
    ordinary: FxHashSet<String>,
}

impl Hidden {
    pub(crate) fn new(names: &[Name], ordinary: FxHashSet<String>) -> Self {
        let mut joined_names: FxHashMap<String, Vec<usize>> = FxHashMap::default();
        let mut deletes: FxHashMap<u64, Vec<usize>> = FxHashMap::default();
        let mut starred: FxHashMap<u64, Vec<usize>> = FxHashMap::default();
        let mut of_words = [const { Vec::new() }; MOST_WORDS].map(|_: Vec<u64>| vec![0; 26 * 26]);
        for (i, name) in names.iter().enumerate().filter(|(_, name)| name.weak < Weakness::Part) {
            let joined = name.spaced.replace(' ', "");
            if !name.spaced.is_ascii() {
                // Han, Hangul, Thai: two letters are a name.
                if joined.chars().count() >= 2 && joined.len() <= LONGEST {
                    joined_names.entry(joined).or_default().push(i);
                }
                continue;
            }
            if joined.len() >= 4 && joined.len() <= LONGEST {
                joined_names.entry(joined.clone()).or_default().push(i);
                let bytes = joined.as_bytes();
                for letters in 1..=if bytes.len() >= SHORTEST_STARRED_TWICE { 2 } else { 1 } {
                    for from in 1..bytes.len() - letters {
                        starred.entry(around(&bytes[..from], &bytes[from + letters..])).or_default().push(i);
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
                for key in Rolling::of(bytes).less_one(0, bytes.len()) {
                    let entry = deletes.entry(key).or_default();
                    if entry.last() != Some(&i) {
                        entry.push(i);
                    }
                }
                let words = name.spaced.split(' ').count();
                for table in [1, words].into_iter().filter(|words| *words <= MOST_WORDS) {
                    shapes(bytes).into_iter().for_each(|shape| of_words[table - 1][shape] |= 0b111 << (bytes.len() - 1).min(61));
                }
            }
        }
        let hash = |name: &String| Rolling::of(name.as_bytes()).hash(0, name.len());
        let ascii: Vec<&String> = joined_names.keys().filter(|name| name.is_ascii()).collect();
        Self {
            joined_sieve: Sieve::of(ascii.iter().map(|name| hash(name))),
            ends: Ends::of(ascii.iter().map(|name| name.as_bytes())),
            joined: joined_names,
            deletes_sieve: Sieve::of(deletes.keys().copied()),
            deletes,
            starred,
            shapes: of_words,
            ordinary,
        }
    }

    /// Adds the hidden names of a document to what a plain search found.
    pub(crate) fn find(&self, document: &Document<'_>, names: &[Name], mentions: &mut Vec<Mention>) {
        self.search(document, names, mentions, |worth| worth);
    }

    /// `look` is told whether a window is worth spelling out, and says whether it is: a test spells out all.
    fn search(&self, document: &Document<'_>, names: &[Name], mentions: &mut Vec<Mention>, look: impl Fn(bool) -> bool) {
        let plain = Cover::of(mentions.iter().map(|m| m.piece));
        let (mut sketch, mut reach, mut window) = (Sketch::default(), Reach::default(), Window::default());
        for field in 0..document.fields.len() {
            // A long text is full of ordinary words: misspellings are looked for in what names the goods.
            let fuzzy = document.fields[field].path != Path::Description;
            let words = document.words(field);
            let tokens = &words[..if fuzzy { words.len() } else { words.len().min(MOST_TOKENS) }];
            sketch.read(document, field, words, tokens.len());
            for i in 0..tokens.len() {
                if !sketch.is_ascii(i) {
                    self.torn_syllables(document, names, &tokens[i..], mentions);
                    continue;
                }
                reach.clear();
                for j in i..tokens.len() {
                    if !sketch.push(&mut reach, j) {
                        break;
                    }
                    let torn = look(j > i && self.joined_sieve.may_have(sketch.hash(&reach)))
                        || look(sketch.may_be_leet(&reach, (i, j), |hash| self.joined_sieve.may_have(hash), &self.ends));
                    let starred = look(sketch.may_be_starred(&reach)) && reach.torn;
                    let misspelt = fuzzy && j - i < MOST_WORDS && look(self.may_be_misspelt(&sketch, &reach, (i, j)));
                    if !torn && !starred && !misspelt {
                        continue;
                    }
                    let (tokens, gaps) = window.spell(document, field, words, i..j + 1);
                    if torn {
                        self.torn_or_leet(document, names, (&tokens, &gaps), &window, mentions);
                    }
                    if starred {
                        self.starred(&gaps, names, &tokens, &window.raw, mentions);
                    }
                    if misspelt && !plain.touches(Piece { start: tokens[0].start, end: tokens[tokens.len() - 1].end }) {
                        self.misspelt(names, &tokens, &window.raw, mentions);
                    }
                }
            }
        }
    }

    fn may_be_misspelt(&self, sketch: &Sketch, reach: &Reach, (i, j): (usize, usize)) -> bool {
        let Some((first, last, length)) = sketch.letters(reach, (i, j)) else { return false };
        self.shapes[j - i][shape(first, last)] & (1 << length.min(62)) != 0
            && sketch.less_one(reach).any(|hash| self.deletes_sieve.may_have(hash))
    }

    fn torn_or_leet(
        &self,
        document: &Document<'_>,
        names: &[Name],
        (tokens, gaps): (&[Piece], &[&str]),
        window: &Window,
        mentions: &mut Vec<Mention>,
    ) {
        for (reading, leet) in window.readings() {
            for &name in self.joined.get(reading).into_iter().flatten() {
                let words = names[name].spaced.split(' ').map(str::len);
                let as_written = words.eq(tokens.iter().map(|t| t.end - t.start));
                let kind = match () {
                    () if leet && (as_written || tokens.len() == 1 || window.signs) => MatchKind::Confusable,
                    () if as_written || tokens.len() == 1 => continue,
                    () if names[name].spaced.contains(' ') && names[name].spaced.split(' ').count() >= tokens.len() => continue,
                    () => match tear(tokens, gaps) {
                        Tear::Letters => MatchKind::Split,
                        // Nobody tears an ordinary word by signs alone.
                        Tear::Signs if reading.len() >= 4 && by_signs_alone(gaps) => MatchKind::Split,
                        _ if names[name].weak != Weakness::None || reading.len() < 5 => continue,
                        Tear::Signs => MatchKind::Split,
                        Tear::Words if leet => continue,
                        Tear::Words => MatchKind::Folded,
                    },
                };
                let piece = Piece { start: tokens[0].start, end: tokens[tokens.len() - 1].end };
                let kind = match document.change(piece) {
                    Change::Torn => kind.max(MatchKind::Split),
                    Change::Confusable => kind.max(MatchKind::Confusable),
                    _ => kind,
                };
                mentions.push(Mention { brand: names[name].brand, name, kind, piece });
            }
        }
    }

    /// Names of scripts without spaces, torn by spaces or signs: "마 로 벨", "퀠.린".
    fn torn_syllables(&self, document: &Document<'_>, names: &[Name], tokens: &[Token], mentions: &mut Vec<Mention>) {
        const MOST: usize = 5;
        let mut joined = String::new();
        for (n, token) in tokens.iter().map(|token| token.piece).take(MOST).enumerate() {
            let word = &document.text()[token.range()];
            joined.push_str(word);
            if word.is_ascii() || joined.len() > LONGEST {
                return;
            }
            for &name in self.joined.get(&joined).filter(|_| n > 0).into_iter().flatten() {
                if !names[name].spaced.contains(' ') {
                    let piece = Piece { start: tokens[0].piece.start, end: token.end };
                    mentions.push(Mention { brand: names[name].brand, name, kind: MatchKind::Split, piece });
                }
            }
        }
    }

    /// Letters hidden behind signs: "m*rovelle", "new bal**ce".
    fn starred(&self, gaps: &[&str], names: &[Name], tokens: &[Piece], raw: &str, mentions: &mut Vec<Mention>) {
        let mut signed = gaps.iter().enumerate().filter(|(_, gap)| !gap.chars().all(char::is_whitespace));
        let (Some((at, gap)), None) = (signed.next(), signed.next()) else { return };
        let stars = are_stars(gap);
        let other_signs = raw.len() >= SHORTEST_FUZZY - 1 && is_starry(gap);
        let left: usize = tokens[..=at].iter().map(|t| t.end - t.start).sum();
        if !(stars || other_signs) || raw.len() < SHORTEST_STARRED || !raw.bytes().all(|b| b.is_ascii_lowercase()) {
            return;
        }
        for &name in self.starred.get(&around(&raw.as_bytes()[..left], &raw.as_bytes()[left..])).into_iter().flatten() {
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
        if bytes.len() < SHORTEST_FUZZY - 1 || bytes.len() > LONGEST || !bytes.iter().all(u8::is_ascii_lowercase) {
            return;
        }
        if tokens.len() == 1 && self.ordinary.contains(raw) {
            return;
        }
        let rolling = Rolling::of(bytes);
        let keys = rolling.less_one(0, bytes.len());
        let mut candidates: Vec<usize> = keys.filter_map(|key| self.deletes.get(&key)).flatten().copied().collect();
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

/// Whether only signs stand between the words of a window, and no space.
fn by_signs_alone(gaps: &[&str]) -> bool {
    gaps.iter().all(|gap| {
        !gap.is_empty() && !gap.contains(char::is_whitespace) && (gaps.len() > 1 || !matches!(*gap, "-" | "/" | "'" | "’" | "&"))
    })
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

fn tear(tokens: &[Piece], gaps: &[&str]) -> Tear {
    let gaps_are_spaces = gaps.iter().all(|gap| gap.chars().all(char::is_whitespace));
    if tokens.iter().all(|t| t.end - t.start == 1) {
        Tear::Letters
    } else if gaps_are_spaces && tokens.iter().all(|t| t.end - t.start >= 3) {
        Tear::Words
    } else {
        Tear::Signs
    }
}

/// Hash of what stands before and behind hidden letters.
fn around(before: &[u8], behind: &[u8]) -> u64 {
    fnv(before.iter().chain(b"*").chain(behind).copied())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::names_of;

    fn names() -> Vec<Name> {
        let brand = |text: &str| touchstone_schemas::decode(text.as_bytes()).expect("a brand").value;
        let rows = [
            r#"{"brand_id": "nordvale", "name": "Nordvale", "aliases": ["Nord Air 7", "NV 90"], "nicknames": ["노드베일"]}"#,
            r#"{"brand_id": "house", "name": "House of Kessra", "aliases": ["H2 Orel"]}"#,
            r#"{"brand_id": "vins", "name": "Vins", "ambiguous": true}"#,
        ];
        rows.iter().enumerate().flat_map(|(i, row)| names_of(i, &brand(row))).collect()
    }

    proptest! {
        #[test]
        fn no_window_that_hides_a_name_is_passed_over(
            parts in proptest::collection::vec(
                "nordvale|n[o0]r[d|]va[l1]e|nord|vale|n|o|r|d|v|a|l|e|n0rd|7|1|90|nv|h0u|h|ou|[$@]?e of|ke[$s]{2}ra|kesr?a|h2|orel|0rel|v[1i*]n|vin[$s]|노드|베일|a|2 pcs",
                1..9,
            ),
            gaps in proptest::collection::vec(" |  |-|\\.|\\*|_|\\||!|\\$ | @|, |/|\u{200b}|\\*\\*|", 9),
            prose in any::<bool>(),
        ) {
            let text: String = parts.iter().zip(&gaps).flat_map(|(part, gap)| [part.as_str(), gap.as_str()]).collect();
            let field = if prose { "description" } else { "title" };
            let listing = crate::fixture::listing(serde_json::json!({ field: text }));
            let document = Document::of(&listing);
            let names = names();
            let hidden = Hidden::new(&names, FxHashSet::default());
            let (mut sieved, mut all) = (Vec::new(), Vec::new());
            hidden.find(&document, &names, &mut sieved);
            hidden.search(&document, &names, &mut all, |_| true);
            prop_assert_eq!(sieved, all);
        }
    }
}
