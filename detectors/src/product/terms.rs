//! A text as the words that tell one product from another.

use std::sync::LazyLock;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::fnv;
use crate::text::{is_hangul, normalise, runs_together};

/// Words that mean the same in several languages: word to meaning, as `~black` or `=watch`.
static MEANINGS: LazyLock<FxHashMap<String, &'static str>> = LazyLock::new(|| {
    let mut meanings = FxHashMap::default();
    for line in include_str!("../../defaults/meanings.txt").lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split(' ');
        // The first word names the meaning and has it.
        if let Some(meaning) = words.next() {
            for word in words.chain([&meaning[1..]]) {
                meanings.entry(normalise(word).replace(' ', "")).or_insert(meaning);
            }
        }
    }
    meanings
});

/// Units that tell one size of a product from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unit {
    Bytes,
    Millilitres,
    Grams,
    Millimetres,
    Inches,
    Watts,
    Megapixels,
}

/// What one side of a comparison says.
#[derive(Debug, Default)]
pub(super) struct Text {
    /// The words of name or title in order, each once: colours and kinds of goods as their meanings.
    pub(super) own: Vec<String>,
    /// Words beside them (a declared brand, model numbers): they count where the other side has them.
    pub(super) extra: Vec<String>,
    /// All words, as they stand, with spaces between them.
    raw: String,
    /// Words, and words joined by signs, that look like a model's number.
    pub(super) codes: Vec<String>,
    /// Quantities: number and unit.
    pub(super) quantities: Vec<(u64, Unit)>,
}

impl Text {
    /// Reads a name or title, and what is said beside it; both as they were written.
    pub(super) fn read(main: &str, beside: &[&str]) -> Self {
        let normalised = normalise(main);
        let others: Vec<String> = beside.iter().map(|text| normalise(text)).collect();
        let own = distinct(terms(&normalised).into_iter());
        let mut extra = distinct(others.iter().flat_map(|text| terms(text)));
        extra.retain(|word| !own.contains(word));
        let codes = distinct(std::iter::once(main).chain(beside.iter().copied()).flat_map(codes));
        let mut raw = normalised;
        for other in others {
            raw.push(' ');
            raw.push_str(&other);
        }
        let quantities = quantities(&raw);
        Self { own, extra, raw, codes, quantities }
    }

    /// Every term, its own and those beside.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.own.iter().chain(&self.extra).map(String::as_str)
    }

    /// All words without what divides them.
    pub(super) fn glue(&self) -> String {
        self.raw.replace(' ', "")
    }

    /// Every two neighbouring words as one, hashed.
    pub(super) fn joined(&self) -> Vec<u64> {
        let pairs = self.raw.split(' ').zip(self.raw.split(' ').skip(1));
        let mut joined: Vec<u64> = pairs.map(|(a, b)| fnv(a.bytes().chain(b.bytes()))).collect();
        joined.sort_unstable();
        joined
    }
}

/// Whether a term is a colour.
pub(super) fn is_colour(term: &str) -> bool {
    term.starts_with('~')
}

/// Each word once. Titles have a dozen words; of longer texts a set remembers them.
fn distinct(words: impl Iterator<Item = String>) -> Vec<String> {
    const FEW: usize = 24;
    let mut all: Vec<String> = Vec::new();
    let mut seen: FxHashSet<String> = FxHashSet::default();
    for word in words {
        if all.len() < FEW && all.contains(&word) || all.len() >= FEW && !seen.insert(word.clone()) {
            continue;
        }
        all.push(word);
        if all.len() == FEW {
            seen.extend(all.iter().cloned());
        }
    }
    all
}

/// What looks like a model's number: words, and words joined by signs.
fn codes(text: &str) -> impl Iterator<Item = String> + '_ {
    // Two digits make a code; other signs than ASCII's may be digits, too.
    let may_be = |chunk: &&str| !chunk.is_ascii() || chunk.bytes().filter(u8::is_ascii_digit).count() >= 2;
    text.split_whitespace().filter(may_be).flat_map(|chunk| {
        let words = normalise(chunk);
        let joined = words.replace(' ', "");
        std::iter::once(joined).chain(words.split(' ').map(str::to_owned)).filter(|c| is_code(c)).collect::<Vec<_>>()
    })
}

/// Words with a meaning, in order: no single Latin letters, no zero after a number (4.0 is 4), `v7` is 7. Scripts whose
/// words run together are read two characters at a time.
fn terms(normalised: &str) -> Vec<String> {
    let mut terms = Vec::new();
    let mut before = "";
    for word in normalised.split(' ') {
        let mut characters = word.chars();
        let single = matches!((characters.next(), characters.next()), (Some(c), None) if c.is_ascii_alphabetic());
        let decimal = word == "0" && before.ends_with(|c: char| c.is_ascii_digit());
        before = word;
        if word.is_empty() || single || decimal {
            continue;
        }
        let word = word.strip_prefix('v').filter(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit())).unwrap_or(word);
        let together = !word.is_ascii() && word.chars().count() >= 3 && word.chars().all(|c| runs_together(c) && !is_hangul(c));
        if !together || MEANINGS.contains_key(word) {
            terms.push(meaning(word));
        } else {
            let characters: Vec<char> = word.chars().collect();
            terms.extend(characters.windows(2).map(|pair| meaning(&pair.iter().collect::<String>())));
        }
    }
    terms
}

fn meaning(word: &str) -> String {
    MEANINGS.get(word).map_or_else(|| word.to_owned(), |meaning| (*meaning).to_owned())
}

/// Whether a word looks like a model's number, and not like a size or a rank.
fn is_code(word: &str) -> bool {
    const SIZES: &[&str] = &[
        "mm", "cm", "m", "ft", "gb", "mb", "tb", "ml", "l", "kg", "g", "in", "inch", "w", "mp", "ghz", "mhz", "th", "st", "nd", "rd", "p",
        "x", "hz", "v", "mah", "pcs", "pc", "pack", "oz", "lb", "pin",
    ];
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    if !word.is_ascii() || word.len() < 4 || digits < 2 {
        return false;
    }
    let leading = word.bytes().take_while(u8::is_ascii_digit).count();
    if digits == word.len() { digits >= 5 } else { leading == 0 || !SIZES.contains(&&word[leading..]) }
}

/// Quantities with a unit, in the smallest common unit: `64 gb`, `1tb`, `50 ml`. `3.4 oz` is left out for its fraction.
fn quantities(raw: &str) -> Vec<(u64, Unit)> {
    let mut found = Vec::new();
    let mut words = raw.split(' ').peekable();
    while let Some(word) = words.next() {
        let digits = word.bytes().take_while(u8::is_ascii_digit).count();
        let Ok(n) = word[..digits].parse::<u64>() else { continue };
        let unit = if digits < word.len() { &word[digits..] } else { words.peek().copied().unwrap_or_default() };
        let (scale, unit) = match unit {
            "mb" => (1, Unit::Bytes),
            "gb" => (1_000, Unit::Bytes),
            "tb" => (1_000_000, Unit::Bytes),
            "ml" => (1, Unit::Millilitres),
            "l" | "litre" | "liter" => (1_000, Unit::Millilitres),
            "g" | "gr" | "gram" => (1, Unit::Grams),
            "kg" => (1_000, Unit::Grams),
            "mm" => (1, Unit::Millimetres),
            "cm" => (10, Unit::Millimetres),
            "inch" | "inches" => (1, Unit::Inches),
            "w" | "watt" => (1, Unit::Watts),
            "mp" => (1, Unit::Megapixels),
            _ => continue,
        };
        found.push((n.saturating_mul(scale), unit));
    }
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_several_languages_mean_the_same() {
        for (text, expected) in [
            ("Schwarz v7 4.0 watch", vec!["~black", "7", "4", "=watch"]),
            ("montre noire a b", vec!["=watch", "~black"]),
            ("신발 블랙", vec!["=shoe", "~black"]),
            ("黑色跑步鞋", vec!["~black", "色跑", "跑步", "步鞋"]),
            ("", vec![]),
        ] {
            let terms = terms(&normalise(text));
            assert_eq!(terms, expected, "{text}");
        }
    }

    #[test]
    fn codes_are_told_from_sizes() {
        for (word, expected) in
            [("lds4821ww", true), ("64gb", false), ("2007", false), ("10024", true), ("a1186", true), ("7th", false), ("ga8001aer", true)]
        {
            assert_eq!(is_code(word), expected, "{word}");
        }
        let text = Text::read("G-Shock (GA-800-1AER) 45 mm", &[]);
        assert_eq!(text.codes, ["ga8001aer"]);
        assert_eq!(text.quantities, [(45, Unit::Millimetres)]);
    }

    #[test]
    fn quantities_compare_across_units() {
        let of = |text: &str| Text::read(text, &[]).quantities;
        assert_eq!(of("flash disk 64 gb"), of("flash disk 64gb"));
        assert_eq!(of("1 tb"), of("1000 gb"));
        assert_eq!(of("runner 90"), []);
    }
}
