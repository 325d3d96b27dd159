//! The names of all brands and the numbers of all models in one automaton: the gate.
//!
//! One pass finds every name as a listing would write it. What is hidden better (torn apart, spelt with digits,
//! misspelt) is looked for by `hidden`.

use std::collections::{HashMap, HashSet};

use daachorse::DoubleArrayAhoCorasick;
use rustc_hash::FxHashSet;
use touchstone_schemas::MatchKind;

use super::document::{Document, Piece};
use super::hidden::Hidden;
use super::negation::is_denied;
use super::normalise::normalise;
use super::table::Change;

/// A name of a brand.
#[derive(Debug, Clone)]
pub(crate) struct Name {
    /// Index of the brand.
    pub(crate) brand: usize,
    /// As the catalog writes it.
    pub(crate) written: String,
    /// Normalised, with spaces.
    pub(crate) spaced: String,
    pub(crate) nickname: bool,
    /// An ordinary word too: it counts with a second anchor only.
    pub(crate) weak: Weakness,
}

/// How little a name says by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weakness {
    /// It says enough.
    None,
    /// An ordinary word: the class of goods, or anything stronger, must go with it.
    Word,
    /// Three letters or fewer and a word: another name of the brand, its field or a product must go with it.
    Short,
    /// A colour too: it must begin the title or be written as a name, or another name of the brand must go with it.
    Colour,
    /// A part of a name: the brand's field or a product must go with it, or a code word.
    Part,
    /// A word that stands in several products of this brand and of no other: a product must go with it, or a plain code word.
    Line,
}

/// What a pattern of the automaton stands for.
#[derive(Debug, Clone, Copy)]
enum Meaning {
    Name(usize),
    Model(usize),
}

/// A name found in a listing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mention {
    pub(crate) brand: usize,
    /// Index into [`Lexicon::names`].
    pub(crate) name: usize,
    pub(crate) kind: MatchKind,
    pub(crate) piece: Piece,
}

/// A model number found in a listing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ModelHit {
    pub(crate) product: usize,
    pub(crate) piece: Piece,
}

/// What the gate found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) mentions: Vec<Mention>,
    pub(crate) models: Vec<ModelHit>,
}

/// All names.
pub(crate) struct Lexicon {
    pub(crate) names: Vec<Name>,
    /// By brand, its names.
    by_brand: Vec<Vec<usize>>,
    automaton: Option<DoubleArrayAhoCorasick<u32>>,
    meanings: Vec<Vec<Meaning>>,
    hidden: Hidden,
    /// Words that sellers glue to names.
    glue: FxHashSet<String>,
}

/// Words that are none of a brand's names.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    /// Class words, which sellers glue to names.
    pub(crate) classes: FxHashSet<String>,
    /// Words of phrases and of several brands' products: no misspelt names.
    pub(crate) ordinary: FxHashSet<String>,
}

impl Lexicon {
    /// `models` are normalised model numbers with the index of their product.
    pub(crate) fn new(names: Vec<Name>, models: impl Iterator<Item = (String, usize)>, words: Vocabulary) -> Result<Self, String> {
        let mut patterns: HashMap<String, Vec<Meaning>> = HashMap::new();
        for (i, name) in names.iter().enumerate() {
            patterns.entry(name.spaced.clone()).or_default().push(Meaning::Name(i));
            let joined = name.spaced.replace(' ', "");
            if joined != name.spaced && joined.chars().count() >= 6 {
                patterns.entry(joined).or_default().push(Meaning::Name(i));
            }
        }
        for (model, product) in models.filter(|(model, _)| tells_a_product(model)) {
            patterns.entry(model).or_default().push(Meaning::Model(product));
        }
        let mut patterns: Vec<(String, Vec<Meaning>)> = patterns.into_iter().collect();
        patterns.sort_by(|a, b| a.0.cmp(&b.0));
        let automaton = match patterns.is_empty() {
            true => None,
            false => Some(
                DoubleArrayAhoCorasick::new(patterns.iter().map(|(p, _)| p)).map_err(|e| format!("the names make no automaton: {e}"))?,
            ),
        };
        let hidden = Hidden::new(&names, words.ordinary);
        let brands = names.iter().map(|name| name.brand + 1).max().unwrap_or(0);
        let mut by_brand = vec![Vec::new(); brands];
        names.iter().enumerate().for_each(|(i, name)| by_brand[name.brand].push(i));
        Ok(Self { names, by_brand, automaton, meanings: patterns.into_iter().map(|(_, m)| m).collect(), hidden, glue: words.classes })
    }

    /// The names of one brand.
    pub(crate) fn of_brand(&self, brand: usize) -> impl Iterator<Item = &Name> {
        self.by_brand.get(brand).into_iter().flatten().map(|name| &self.names[*name])
    }

    /// Every name and model number in a document, in order of place and brand.
    pub(crate) fn find(&self, document: &Document<'_>) -> Found {
        let mut found = Found::default();
        let Some(automaton) = &self.automaton else { return found };
        for hit in automaton.find_overlapping_iter(document.text()) {
            let piece = Piece { start: hit.start(), end: hit.end() };
            let whole = document.is_name(piece);
            if !whole && !self.is_glued(document, piece) {
                continue;
            }
            for meaning in &self.meanings[hit.value() as usize] {
                match *meaning {
                    Meaning::Name(name) if !whole && self.names[name].weak != Weakness::None => {}
                    Meaning::Model(_) if !whole => {}
                    Meaning::Model(product) => found.models.push(ModelHit { product, piece }),
                    Meaning::Name(name) => {
                        let kind = self.kind(name, document, piece);
                        // A word with an accent of its own is another word, unless the name is more than a word.
                        let accented = kind == MatchKind::Folded && document.change(piece) == Change::Folded;
                        if !(accented && self.names[name].weak != Weakness::None && piece.end - piece.start <= SHORT) {
                            found.mentions.push(Mention { brand: self.names[name].brand, name, kind, piece });
                        }
                    }
                }
            }
        }
        self.hidden.find(document, &self.names, &mut found.mentions);
        settle(&mut found.mentions);
        found.mentions.retain(|m| !is_denied(document, m.piece));
        found
    }

    /// Whether a name is glued to a class word or a number: "nordvaleshoes", "2026nordvale".
    fn is_glued(&self, document: &Document<'_>, piece: Piece) -> bool {
        const SHORTEST: usize = 6;
        let text = document.text();
        if piece.end - piece.start < SHORTEST || !text[piece.range()].bytes().all(|b| b.is_ascii_alphanumeric()) {
            return false;
        }
        let edge = |c: char| c == ' ' || c == '\n';
        let before = &text[text[..piece.start].rfind(edge).map_or(0, |i| i + 1)..piece.start];
        let behind = &text[piece.end..text[piece.end..].find(edge).map_or(text.len(), |i| piece.end + i)];
        let known = |part: &str| part.is_empty() || part.bytes().all(|b| b.is_ascii_digit()) || self.glue.contains(part);
        known(before) && known(behind)
    }

    fn kind(&self, name: usize, document: &Document<'_>, piece: Piece) -> MatchKind {
        let name = &self.names[name];
        let original = document.original(piece);
        match document.change(piece) {
            _ if name.nickname => MatchKind::Nickname,
            Change::Torn => MatchKind::Split,
            Change::Confusable => MatchKind::Confusable,
            Change::None | Change::Case if original.to_lowercase() == name.written.to_lowercase() => MatchKind::Exact,
            Change::Folded if original == name.written => MatchKind::Exact,
            Change::Folded if disguised(name, original, document.title().original) => MatchKind::Confusable,
            _ => MatchKind::Folded,
        }
    }
}

/// Whether a Latin name is written in wide letters where nobody else writes in them, or under accents upon accents: "Ｖａｎｓ", "Pûmä".
fn disguised(name: &Name, original: &str, title: &str) -> bool {
    let wide = |c: char| matches!(c as u32, 0xFF01..=0xFF5E);
    let cjk = |c: char| matches!(c as u32, 0x2E80..=0x9FFF | 0xAC00..=0xD7FF);
    let accents = |text: &str| text.chars().filter(|c| !c.is_ascii() && c.is_alphabetic()).count();
    original.chars().filter(|c| wide(*c)).count() > 1 && !title.chars().any(cjk)
        || original.chars().all(|c| (c as u32) < 0x2000) && accents(original) >= accents(&name.written) + 2
}

/// Up to this length an accent more or less makes another word.
pub(super) const SHORT: usize = 4;

/// Numbers shorter than this, and short runs of digits, stand in listings for many things.
fn tells_a_product(model: &str) -> bool {
    let digits = model.bytes().filter(u8::is_ascii_digit).count();
    let letters = model.bytes().filter(u8::is_ascii_alphabetic).count();
    digits >= 2 && digits + letters >= 5 && (letters > 0 || digits >= 7)
}

/// Whether a model number names its product without a brand beside it.
pub(crate) fn stands_alone(model: &str) -> bool {
    let digits = model.bytes().filter(u8::is_ascii_digit).count();
    let letters = model.bytes().filter(u8::is_ascii_alphabetic).count();
    digits >= 3 && letters >= 1 && digits + letters >= 6
}

/// Sorts, and drops what stands inside a longer name or is a looser reading of the same place.
fn settle(mentions: &mut Vec<Mention>) {
    mentions.sort_by_key(|m| (m.piece, m.brand, m.kind, m.name));
    mentions.dedup_by(|b, a| a.piece == b.piece && a.brand == b.brand);
    let longest = mentions.iter().map(|m| m.piece.end - m.piece.start).max().unwrap_or(0);
    // A plainly written name stands for the shorter names inside it.
    let inside = |a: &Mention, b: &Mention| a.piece != b.piece && a.piece.within(b.piece) && b.kind <= MatchKind::Folded;
    let stays = |(i, m): (usize, &Mention)| {
        // Sorted by place: what overlaps stands near.
        let before = mentions[..i].iter().rev().take_while(|other| other.piece.start + longest > m.piece.start);
        let behind = mentions[i + 1..].iter().take_while(|other| other.piece.start < m.piece.end);
        !before.chain(behind).any(|other| {
            let tighter = m.piece.overlaps(other.piece) && m.brand == other.brand && other.kind < m.kind;
            // "ALEXAND3R MCQUEEN": what hides the whole is not told by the part that it leaves plain.
            let hides = other.piece.within(m.piece) && matches!(m.kind, MatchKind::Confusable | MatchKind::Split);
            inside(m, other) || (tighter && !inside(other, m) && !hides)
        })
    };
    let mut stay = mentions.iter().enumerate().map(stays).collect::<Vec<bool>>().into_iter();
    mentions.retain(|_| stay.next().unwrap_or(true));
}

/// The lines of brands: words of several of a brand's products that no other brand's product has and that are no ordinary words.
pub(crate) fn lines_of<'a>(products: impl Iterator<Item = (usize, &'a str)>, ordinary: &FxHashSet<String>) -> Vec<Name> {
    const SHORTEST: usize = 6;
    const PRODUCTS: usize = 2;
    let mut found: std::collections::BTreeMap<&str, (usize, usize)> = std::collections::BTreeMap::new();
    for (brand, name) in products {
        let words: HashSet<&str> = name.split(' ').filter(|w| w.len() >= SHORTEST && w.bytes().all(|b| b.is_ascii_lowercase())).collect();
        for word in words.into_iter().filter(|w| !ordinary.contains(*w)) {
            found.entry(word).or_insert((brand, 0)).1 += 1;
        }
    }
    let name = |(word, (brand, _)): (&str, (usize, usize))| Name {
        brand,
        written: word.to_owned(),
        spaced: word.to_owned(),
        nickname: false,
        weak: Weakness::Line,
    };
    found.into_iter().filter(|(_, (_, products))| *products >= PRODUCTS).map(name).collect()
}

/// Words of which colours are made.
const COLOURS: &[&str] = &[
    "off", "white", "black", "pink", "red", "blue", "green", "grey", "gray", "orange", "purple", "brown", "beige", "gold", "golden",
    "silver", "rose", "navy", "ivory", "cream", "yellow",
];

/// What sellers make of a name of several words: "Air Force" of "Air Force 1", "Dunk" of "Nike Dunk". It may mean many things.
fn shortened(brand: &str, name: &str) -> Option<String> {
    let mut words: Vec<&str> = name.split(' ').collect();
    let numbered = words.last().is_some_and(|w| w.bytes().all(|b| b.is_ascii_digit()));
    if numbered {
        words.pop();
    } else if words.first() == Some(&brand) {
        words.remove(0);
    } else {
        return None;
    }
    let left = words.join(" ");
    (left.is_ascii() && left.len() >= 4 && left != brand && left != name).then_some(left)
}

/// The names of one brand.
pub(crate) fn names_of(brand: usize, row: &touchstone_schemas::Brand) -> Vec<Name> {
    let own = std::iter::once(&row.name).chain(&row.aliases).map(|n| (n, false));
    let nicknames = row.nicknames.iter().map(|n| (n, true));
    let brand_word = normalise(&row.name);
    let parts = row.aliases.iter().filter_map(|n| shortened(&brand_word, &normalise(n)));
    let known: Vec<String> = own.clone().chain(nicknames.clone()).map(|(n, _)| normalise(n)).collect();
    let parts = parts.filter(|part| !known.contains(part)).map(|part| Name {
        brand,
        written: part.clone(),
        spaced: part,
        nickname: false,
        weak: Weakness::Part,
    });
    let parts: Vec<Name> = parts.collect();
    own.chain(nicknames)
        .map(|(written, nickname)| {
            let spaced = normalise(written);
            let letters = spaced.chars().filter(|c| *c != ' ').count();
            let one_word = !spaced.contains(' ') && spaced.is_ascii();
            // Of an ambiguous brand's names, those of several words mean only it.
            let weak = match letters {
                _ if spaced.split(' ').all(|word| COLOURS.contains(&word)) => Weakness::Colour,
                0..=3 if row.ambiguous && spaced.is_ascii() => Weakness::Short,
                0..=2 if spaced.is_ascii() => Weakness::Word,
                _ if row.ambiguous && one_word => Weakness::Word,
                _ => Weakness::None,
            };
            Name { brand, written: written.clone(), spaced, nickname, weak }
        })
        .filter(|name| !name.spaced.is_empty())
        .chain(parts)
        .collect()
}
