//! How likely a listing is a product, by their words.
//!
//! Six features, each a sentence; a logistic model of them, fitted on pairs of five public sets (groceries to watches, in
//! five languages); and a comparison of the candidates with each other, since a listing is mostly one product. The figures
//! are in benches/QUALITY.md.

use rustc_hash::FxHashMap;

use super::sets::{Grams, Joined, Terms};
use super::shelf::{self, Product};
use super::terms::{Text, Unit, is_colour};
use crate::fnv;
use crate::score::probability;

/// A word of a product index.
pub(super) type Term = u32;

/// A word of a listing.
#[derive(Debug)]
struct Word {
    /// Nothing where no product has it.
    term: Option<Term>,
    text: String,
    hash: u64,
    weight: f64,
}

/// A listing, ready to be compared.
#[derive(Debug)]
pub(crate) struct Query {
    own: Vec<Word>,
    extra: Vec<Word>,
    /// Terms of both.
    all: Terms,
    codes: Vec<String>,
    /// Colours of both; those that no product has, too.
    colours: Vec<Option<Term>>,
    quantities: Vec<(u64, Unit)>,
    glue: String,
    grams: Grams,
    joined: Joined,
    /// Sum of the squares of its own words' weights.
    squares: f64,
    /// Of `all`, those that are no colour and no kind of goods.
    telling: Vec<Term>,
}

/// Words by number, with how much each says.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    numbers: FxHashMap<String, Term>,
    words: Vec<String>,
    /// For each word, in how many products it stands.
    frequency: Vec<u32>,
    /// Inverse document frequencies: rare words say more.
    weights: Vec<f64>,
    /// The same as BM25 counts them.
    rarities: Vec<f32>,
    /// Each word's hash, as joined words have it.
    hashes: Vec<u64>,
    products: u32,
}

/// Words at the beginning of a title that say best what is sold.
const HEAD: usize = 4;
/// Letters from which a model's number is looked for anywhere.
const TELLING_CODE: usize = 5;
/// Letters from which a word may be a part of a joined one.
const PART: usize = 3;

/// Cosine, head, code found, codes that contradict, colours that contradict, quantities that contradict.
const WEIGHTS: [f64; 6] = [2.48, 2.73, 2.23, -2.89, -2.01, -2.59];
const BIAS: f64 = -4.16;
/// Of the final log-odds: the model's, the lead over the second, being the best, and what evens it.
const OF_MODEL: f64 = 0.88;
const OF_LEAD: f64 = 0.37;
const OF_BEST: f64 = 0.84;
const EVEN: f64 = -0.40;
/// The lead counts up to here, over a second that is at least so likely.
const MOST_LEAD: f64 = 6.0;
const LEAST_SECOND: f64 = -4.0;

impl Vocabulary {
    pub(super) fn of(products: &[Text]) -> Self {
        let mut vocabulary = Self { products: products.len() as u32, ..Self::default() };
        for word in products.iter().flat_map(Text::all) {
            let next = vocabulary.words.len() as Term;
            let term = *vocabulary.numbers.entry(word.to_owned()).or_insert(next);
            if term == next {
                vocabulary.frequency.push(0);
                vocabulary.words.push(word.to_owned());
            }
            vocabulary.frequency[term as usize] += 1;
        }
        let products = f64::from(vocabulary.products);
        let weight = |frequency: &u32| libm::log((1.0 + products) / (0.5 + f64::from(*frequency))).max(0.1);
        vocabulary.weights = vocabulary.frequency.iter().map(weight).collect();
        // There are far fewer products than a float holds exactly in this use.
        #[allow(clippy::cast_possible_truncation)]
        let rarity = |frequency: &u32| {
            let (products, frequency) = (products as f32, f64::from(*frequency) as f32);
            libm::logf(1.0 + (products - frequency + 0.5) / (frequency + 0.5))
        };
        vocabulary.rarities = vocabulary.frequency.iter().map(rarity).collect();
        vocabulary.hashes = vocabulary.words.iter().map(|word| fnv(word.bytes())).collect();
        vocabulary
    }

    /// How rare a word is, as BM25 counts it.
    pub(super) fn rarity(&self, term: Term) -> f32 {
        self.rarities[term as usize]
    }

    pub(super) fn weight(&self, term: Term) -> f64 {
        self.weights[term as usize]
    }

    pub(super) fn hash(&self, term: Term) -> u64 {
        self.hashes[term as usize]
    }

    /// What a word says that no product has.
    fn strange_weight(&self) -> f64 {
        0.35 * libm::log(2.0 * (1.0 + f64::from(self.products)))
    }

    pub(super) fn terms<'a>(&self, words: impl Iterator<Item = &'a String>) -> Terms {
        Terms::of(words.filter_map(|word| self.numbers.get(word).copied()).collect())
    }

    pub(super) fn query(&self, text: Text) -> Query {
        let (glue, joined) = (text.glue(), Joined::of(text.joined()));
        let strange = self.strange_weight();
        let word = |text: String| {
            let term = self.numbers.get(&text).copied();
            Word { term, weight: term.map_or(strange, |t| self.weight(t)), hash: fnv(text.bytes()), text }
        };
        let own: Vec<Word> = text.own.into_iter().map(word).collect();
        let extra: Vec<Word> = text.extra.into_iter().map(word).collect();
        let colours = own.iter().chain(&extra).filter(|w| is_colour(&w.text)).map(|w| w.term).collect();
        let all = Terms::of(own.iter().chain(&extra).filter_map(|w| w.term).collect());
        let tells = |term: &Term| !self.words[*term as usize].starts_with(['~', '=']);
        let telling = all.iter().filter(tells).collect();
        let squares = own.iter().map(|w| square(w.weight)).sum();
        let grams = Grams::of(&glue);
        Query { own, extra, all, codes: text.codes, colours, quantities: text.quantities, glue, grams, joined, squares, telling }
    }

    /// The rarest words of a listing that products have, at most so many.
    pub(super) fn rarest(&self, query: &Query, most: usize) -> Vec<Term> {
        let mut rarest = query.all.terms.clone();
        rarest.sort_by_key(|t| (self.frequency[*t as usize], &self.words[*t as usize]));
        rarest.truncate(most);
        rarest
    }

    /// Whether a listing has a word of the product's that is no word of its brand's name, no colour and no kind of goods.
    pub(super) fn names(q: &Query, p: Product<'_>) -> bool {
        q.telling.iter().any(|t| !p.brand().has(*t) && p.has(*t))
    }

    /// Log-odds that a listing is a product, before other candidates are looked at.
    pub(super) fn log_odds(&self, q: &Query, p: Product<'_>) -> f64 {
        let product_has = |word: &&Word| word.term.is_some_and(|term| p.has(term));
        let theirs: Vec<bool> = q.own.iter().map(|word| product_has(&word)).collect();
        // Words beside count where the other side has them.
        let beside_mine = p.extra().iter().filter(|w| q.all.has(w.term)).map(|w| w.square);
        let beside_theirs = q.extra.iter().filter(product_has).map(|w| square(w.weight));
        let all_mine = beside_mine.fold(p.squares(), |sum, square| sum + square);
        let all_theirs = beside_theirs.fold(q.squares, |sum, square| sum + square);
        let open_mine: Vec<&shelf::Word> = p.own().iter().filter(|w| !q.all.has(w.term)).collect();
        let open_theirs = q.own.iter().zip(&theirs).filter(|(_, has)| !**has).map(|(word, _)| word);

        // "Sandisk" and "San Disk": words joined on one side and apart on the other.
        let text = |term: Term| self.words[term as usize].as_str();
        let joined = |w: &&shelf::Word| q.joined.mask & (1 << w.tag) != 0 && q.joined.has(self.hash(w.term));
        let whole_mine: Vec<&str> = open_mine.iter().copied().filter(joined).map(|w| text(w.term)).collect();
        let whole_theirs: Vec<&str> = open_theirs.filter(|w| p.joins(w.hash)).map(|w| w.text.as_str()).collect();
        let none = whole_mine.is_empty() && whole_theirs.is_empty();
        let part_of = |word: &str, whole: &[&str]| word.len() >= PART && whole.iter().any(|w| w.contains(word));
        let had_mine = |word: &shelf::Word| !none && (whole_mine.contains(&text(word.term)) || part_of(text(word.term), &whole_theirs));
        let had_theirs = |word: &str| !none && (whole_theirs.contains(&word) || part_of(word, &whole_mine));

        let open: f64 = open_mine.iter().filter(|w| !had_mine(w)).map(|w| w.square).sum();
        let cosine = ratio(all_mine - open, (all_mine * all_theirs).sqrt());

        let head = || q.own.iter().zip(&theirs).take(HEAD);
        let in_product = |(word, has): &(&Word, &bool)| **has || had_theirs(&word.text);
        let head = ratio(head().filter(in_product).map(|(w, _)| w.weight).sum(), head().map(|(w, _)| w.weight).sum());

        let found = |codes: &[String], glue: &str| codes.iter().any(|c| c.len() >= TELLING_CODE && glue.contains(c.as_str()));
        let code_found = found(p.codes_in(&q.grams), &q.glue);
        let agree = || code_found || found(&q.codes, p.glue()) || p.codes().iter().any(|c| q.codes.contains(c));
        let code_conflict = p.has_codes() && !q.codes.is_empty() && !agree();

        let other_colour = q.colours.iter().any(|c| c.is_none_or(|c| !p.colours().has(c)));
        let colour_conflict = other_colour && p.colours().iter().any(|c| !q.colours.contains(&Some(c)));
        let differs =
            |(quantity, unit): &(u64, Unit)| q.quantities.iter().any(|(_, u)| u == unit) && !q.quantities.contains(&(*quantity, *unit));
        let quantity_conflict = !q.quantities.is_empty() && p.quantities().iter().any(differs);

        let [code_found, code_conflict, colour_conflict, quantity_conflict] =
            [code_found, code_conflict, colour_conflict, quantity_conflict].map(|b| f64::from(u8::from(b)));
        let features = [cosine, head, code_found, code_conflict, colour_conflict, quantity_conflict];
        BIAS + features.iter().zip(WEIGHTS).map(|(feature, weight)| feature * weight).sum::<f64>()
    }
}

pub(super) fn square(weight: f64) -> f64 {
    weight * weight
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// Similarities, 0 to 1, from the log-odds of all candidates of one listing. All equal best ones are best, with no lead.
pub(super) fn similarities(odds: &[f64]) -> Vec<f64> {
    let mut sorted = odds.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let best = sorted.first().copied().unwrap_or_default();
    let second = sorted.get(1).copied().unwrap_or(LEAST_SECOND).max(LEAST_SECOND);
    let similarity = |odds: &f64| {
        let compared = if *odds == best { OF_LEAD * (odds - second).clamp(0.0, MOST_LEAD) + OF_BEST } else { 0.0 };
        probability(OF_MODEL * odds + compared + EVEN)
    };
    odds.iter().map(similarity).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::shelf::Shelf;

    fn text(name: &str, numbers: &[&str]) -> Text {
        Text::read(name, numbers)
    }

    fn shelf(vocabulary: &Vocabulary, products: &[Text], brand: &Text) -> Shelf {
        let mut shelf = Shelf::default();
        products.iter().for_each(|product| shelf.push(vocabulary, product, 0, brand));
        shelf
    }

    #[test]
    fn the_product_itself_is_likelier_than_its_sisters() {
        let names = [
            ("Nordvale Runner 90 black", "NV2040-101"),
            ("Nordvale Runner 90 white", "NV2040-102"),
            ("Nordvale Runner 95", "NV2090-001"),
            ("Kessra flash disk 64 GB", "KS64"),
            ("Kessra flash disk 32 GB", "KS32"),
            ("Orel dive watch", "OR-1186"),
        ];
        let texts: Vec<Text> = names.iter().map(|(name, number)| text(name, &[number])).collect();
        let vocabulary = Vocabulary::of(&texts);
        let shelf = shelf(&vocabulary, &texts, &Text::default());
        let best = |title: &str| {
            let query = vocabulary.query(text(title, &[]));
            let odds: Vec<f64> = shelf.products().map(|p| vocabulary.log_odds(&query, p)).collect();
            let similar = similarities(&odds);
            let best = (0..similar.len()).max_by(|a, b| similar[*a].total_cmp(&similar[*b])).expect("products");
            (names[best].0, similar[best] > 0.5)
        };
        for (title, expected, sure) in [
            ("Nordvale runner 90 noir", "Nordvale Runner 90 black", true),
            ("chaussures Nordvale Runner 90 blanc", "Nordvale Runner 90 white", true),
            ("Kessra Flashdisk 32GB", "Kessra flash disk 32 GB", true),
            ("NV2090001 shoes", "Nordvale Runner 95", true),
            ("montre Orel OR1186", "Orel dive watch", true),
            ("garden hose", "Nordvale Runner 90 black", false),
        ] {
            let (name, is_sure) = best(title);
            assert!(name == expected || !sure, "{title}: {name}");
            assert_eq!(is_sure, sure, "{title}");
        }
    }

    #[test]
    fn numbers_colours_and_sizes_that_contradict_speak_against_a_product() {
        let product = text("Kessra drive KS640 black 64 GB", &[]);
        let vocabulary = Vocabulary::of(std::slice::from_ref(&product));
        let shelf = shelf(&vocabulary, std::slice::from_ref(&product), &Text::default());
        let odds = |title: &str| vocabulary.log_odds(&vocabulary.query(text(title, &[])), shelf.product(0));
        for (agrees, silent, contradicts) in [
            ("Kessra drive KS640", "Kessra drive stick", "Kessra drive KS720"),
            ("Kessra drive negro", "Kessra drive stick", "Kessra drive rojo"),
            ("Kessra drive 64GB", "Kessra drive stick", "Kessra drive 32GB"),
        ] {
            let [agrees, silent, contradicts] = [agrees, silent, contradicts].map(odds);
            assert!(agrees > silent && silent > contradicts + 1.5, "{agrees} {silent} {contradicts}");
        }
    }

    #[test]
    fn a_product_is_named_by_more_than_its_brand_and_a_colour() {
        let product = text("Kessra drive black", &["KS640"]);
        let vocabulary = Vocabulary::of(std::slice::from_ref(&product));
        let shelf = shelf(&vocabulary, std::slice::from_ref(&product), &text("Kessra", &[]));
        for (title, expected) in [("Kessra drive", true), ("KS640", true), ("Kessra noir", false), ("Kessra 2026", false)] {
            assert_eq!(Vocabulary::names(&vocabulary.query(text(title, &[])), shelf.product(0)), expected, "{title}");
        }
    }

    #[test]
    fn equal_candidates_share_the_place() {
        let similar = similarities(&[1.0, 1.0, -3.0]);
        assert_eq!(similar[0], similar[1]);
        assert!(similar[0] < similarities(&[1.0, -3.0])[0] && similar[2] < 0.1);
        assert!(similarities(&[]).is_empty());
    }
}
