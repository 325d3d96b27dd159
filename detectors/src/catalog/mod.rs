//! The catalog: what brands protect, compiled from a folder that people write.

mod classes;
mod compiled;
mod fx;
mod open;
mod pictures;
mod rows;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use rustc_hash::FxHashSet;
use touchstone_schemas::{
    AuthorisedSeller, Brand, CategoryMapping, Condition, KnownFake, Market, Offender, Phrase, Product, ReferencePrice, Timestamp, decode,
};

pub(crate) use classes::Head;
pub use classes::{Class, Classes};
pub use fx::Rates;
pub use open::open;
pub use rows::{CatalogFault, Row, Rows};

use crate::image::PictureIndex;
use crate::product::{ProductIndex, ProductText, pieces};
use crate::text::{FakeText, Lexicon, Name, Vocabulary, Weakness, Words, lines_of, names_of, normalise};

/// The known text nearest to a mistaken one, if it is near enough to be what was meant.
pub fn nearest<'a>(text: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = text.chars().count().div_ceil(3);
    known.map(|k| (edits(text, k), k)).filter(|(distance, _)| *distance <= limit).min().map(|(_, k)| k)
}

/// Levenshtein distance in characters.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

/// A reference price in US dollars for one piece.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    /// The class of goods; nothing where the row names none.
    pub(crate) class: Option<Class>,
    pub(crate) usd: f64,
    pub(crate) market: Option<Market>,
    pub(crate) condition: Condition,
}

/// A brand, compiled.
#[derive(Debug)]
pub(crate) struct BrandEntry {
    pub(crate) row: Brand,
    /// What the brand makes, sorted.
    pub(crate) classes: Vec<Class>,
    pub(crate) references: Vec<Reference>,
}

/// A product, compiled.
#[derive(Debug)]
pub(crate) struct ProductEntry {
    pub(crate) row: Product,
    pub(crate) brand: usize,
    pub(crate) class: Option<Class>,
    pub(crate) references: Vec<Reference>,
}

/// Platform, market and category of a mapping; nothing stands for all.
type MapKey = (Option<String>, Option<Market>, String);

/// A catalog ready to be looked up. Immutable; the same rows in any order make the same catalog.
pub struct Catalog {
    version: String,
    pub(crate) brands: Vec<BrandEntry>,
    pub(crate) products: Vec<ProductEntry>,
    pub(crate) lexicon: Lexicon,
    pub(crate) words: Words,
    pub(crate) index: ProductIndex,
    pub(crate) pictures: PictureIndex,
    pub(crate) fake_texts: Vec<FakeText>,
    /// Files of the pictures, by their names in evidence; none of a compiled catalog.
    picture_files: BTreeMap<String, PathBuf>,
    pub(crate) rates: Rates,
    pub(crate) classes: std::sync::Arc<Classes>,
    authorised: HashMap<(String, String), Vec<(usize, AuthorisedSeller)>>,
    offenders: HashMap<(String, String), Offender>,
    category_map: HashMap<MapKey, Class>,
    policy: Option<String>,
}

impl Catalog {
    /// Reads and checks a folder or a compiled file: the catalog, or every fault at once. Warnings come with either.
    ///
    /// # Errors
    /// All faults, each with its file and line.
    pub fn load(path: &Path) -> Result<(Self, Vec<CatalogFault>), Vec<CatalogFault>> {
        let (rows, warnings) = Rows::load(path)?;
        match Self::compile(rows) {
            Ok(catalog) => Ok((catalog, warnings)),
            Err(message) => Err(vec![CatalogFault { file: path.to_owned(), line: 0, message, warning: false }]),
        }
    }

    /// Compiles rows that were checked.
    fn compile(mut rows: Rows) -> Result<Self, String> {
        rows.sort();
        let version = rows.version();
        let classes = Classes::shipped();
        let rates = Rates::new(rows.fx.as_ref());
        let brand_numbers: HashMap<String, usize> = rows.brands.iter().enumerate().map(|(i, b)| (b.row.brand_id.to_string(), i)).collect();

        let products: Vec<ProductEntry> = rows
            .products
            .into_iter()
            .map(|Row { row, .. }| {
                let class = classes.of_path(&row.category);
                let units = row.units.or_else(|| pieces(&normalise(&row.name))).unwrap_or(1).max(1);
                let references = references(&row.reference_prices, class, &rates, &classes, units);
                ProductEntry { brand: brand_numbers[row.brand_id.as_str()], class, references, row }
            })
            .collect();
        let brands: Vec<BrandEntry> = rows
            .brands
            .into_iter()
            .enumerate()
            .map(|(i, Row { row, .. })| {
                let references = references(&row.reference_prices, None, &rates, &classes, 1);
                let own = row.categories.iter().filter_map(|c| classes.of_name(c));
                let made = products.iter().filter(|p| p.brand == i).filter_map(|p| p.class);
                let mut all: Vec<Class> = own.chain(references.iter().filter_map(|r| r.class)).chain(made).collect();
                all.sort_unstable();
                all.dedup();
                BrandEntry { row, classes: all, references }
            })
            .collect();

        let mut names: Vec<Name> = brands.iter().enumerate().flat_map(|(i, b)| names_of(i, &b.row)).collect();
        let numbers = |p: &ProductEntry| p.row.model_numbers.iter().chain(&p.row.gtins).map(|m| normalise(m)).collect::<Vec<_>>();
        let models = products.iter().enumerate().flat_map(|(i, p)| numbers(p).into_iter().map(move |m| (m, i)));
        let texts: Vec<ProductText<'_>> = products.iter().map(|p| product_text(p, &brands[p.brand].row)).collect();
        let packs: Vec<(String, Phrase)> = shipped_packs()
            .chain(rows.phrases.into_iter().flat_map(|(pack, rows)| rows.into_iter().map(move |r| (pack.clone(), r.row))))
            .collect();
        let normalised: Vec<(usize, String)> = texts.iter().map(|p| (p.brand, normalise(&p.name))).collect();
        let vocabulary = vocabulary(&classes, &packs, &normalised);
        // "Running" of "On Running" is no name.
        names.retain(|name| name.weak != Weakness::Part || !name.spaced.split(' ').all(|word| vocabulary.ordinary.contains(word)));
        let known: HashSet<String> = names.iter().flat_map(|n| n.spaced.split(' ').map(str::to_owned)).collect();
        let lines = lines_of(normalised.iter().map(|(brand, name)| (*brand, name.as_str())), &vocabulary.ordinary);
        names.extend(lines.into_iter().filter(|line| !known.contains(&line.spaced)));
        let lexicon = Lexicon::new(names, models, vocabulary)?;
        let fake_text = |fake: &Row<KnownFake>| FakeText::of(&fake.row, brand_numbers[fake.row.brand_id.as_str()]);
        let fake_texts = rows.known_fakes.iter().filter_map(fake_text).collect();
        let pictures = pictures::index(&products, &rows.known_fakes, &brand_numbers);
        let index = ProductIndex::new(&texts).map_err(|e| format!("the products make no index: {e}"))?;
        let words = Words::new(packs.into_iter(), &classes)?;

        let mut authorised: HashMap<_, Vec<_>> = HashMap::new();
        for Row { row, .. } in rows.authorised_sellers {
            let key = (row.platform.to_string(), row.seller_id.to_string());
            authorised.entry(key).or_default().push((brand_numbers[row.brand_id.as_str()], row));
        }
        // Of several rows for one seller the earliest date holds.
        let mut offenders: HashMap<(String, String), Offender> = HashMap::new();
        for Row { row, .. } in rows.offenders {
            let known = offenders.entry((row.platform.to_string(), row.seller_id.to_string())).or_insert_with(|| row.clone());
            known.since = known.since.take().min(row.since);
        }
        let category_map = rows.category_map.into_iter().filter_map(|Row { row, .. }| mapping(&row, &classes)).collect();
        Ok(Self {
            version,
            brands,
            products,
            lexicon,
            words,
            index,
            pictures,
            fake_texts,
            picture_files: rows.picture_files,
            rates,
            classes,
            authorised,
            offenders,
            category_map,
            policy: rows.policy,
        })
    }

    /// Hash of the canonical rows.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Number of brands, of products and of pictures.
    pub fn size(&self) -> (usize, usize, usize) {
        (self.brands.len(), self.products.len(), self.pictures.references.len())
    }

    /// Whether it has any picture to compare with.
    pub fn has_pictures(&self) -> bool {
        !self.pictures.is_empty()
    }

    /// Every brand's id and name, and whether it has a topic of its own; by id.
    pub fn brands(&self) -> impl Iterator<Item = (&str, &str, bool)> {
        self.brands.iter().map(|b| (b.row.brand_id.as_str(), b.row.name.as_str(), b.row.own_topic))
    }

    /// The file of a reference picture, by its name in evidence; nothing for a compiled catalog.
    pub fn picture_file(&self, name: &str) -> Option<&Path> {
        self.picture_files.get(name).map(PathBuf::as_path)
    }

    /// The folder's policy.toml, as it stands.
    pub fn policy(&self) -> Option<&str> {
        self.policy.as_deref()
    }

    /// The brand's authorisation of a seller that holds at a time and in a market.
    pub(crate) fn authorisation(
        &self,
        brand: usize,
        platform: &str,
        seller: &str,
        market: &Market,
        at: &Timestamp,
    ) -> Option<&AuthorisedSeller> {
        let rows = self.authorised.get(&(platform.to_owned(), seller.to_owned()))?;
        let holds = |row: &AuthorisedSeller| {
            (row.markets.is_empty() || row.markets.iter().any(|m| m == market || m.as_str() == "ZZ"))
                && row.valid_from.as_ref().is_none_or(|from| from <= at)
                && row.valid_until.as_ref().is_none_or(|until| at < until)
        };
        rows.iter().find(|(b, row)| *b == brand && holds(row)).map(|(_, row)| row)
    }

    pub(crate) fn offender(&self, platform: &str, seller: &str) -> Option<&Offender> {
        self.offenders.get(&(platform.to_owned(), seller.to_owned()))
    }

    /// The class that a platform's category stands for: by the catalog's map, else by the words of its name.
    pub(crate) fn class_of(&self, platform: &str, market: &Market, category_id: Option<&str>, path: &[String]) -> Option<Class> {
        let keys =
            category_id.map(|id| format!("id {id}")).into_iter().chain((!path.is_empty()).then(|| format!("path {}", path.join("\u{1f}"))));
        for key in keys {
            for (p, m) in [(true, true), (true, false), (false, true), (false, false)] {
                if let Some(class) = self.category_map.get(&(p.then(|| platform.to_owned()), m.then(|| market.clone()), key.clone())) {
                    return Some(*class);
                }
            }
        }
        self.classes.of_path(path)
    }
}

/// The words that are none of a brand's names: those of classes and phrases, and those in which two brands' products agree.
fn vocabulary(classes: &Classes, packs: &[(String, Phrase)], products: &[(usize, String)]) -> Vocabulary {
    let written = classes.words().iter().map(|w| normalise(&w.written));
    let phrases = packs.iter().map(|(_, phrase)| normalise(&phrase.phrase));
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let mut ordinary: FxHashSet<String> = written.clone().chain(phrases).flat_map(|text| words(&text)).collect();
    let mut brand_of: HashMap<&str, usize> = HashMap::new();
    for (brand, word) in products.iter().flat_map(|(brand, name)| name.split(' ').map(move |word| (*brand, word))) {
        if *brand_of.entry(word).or_insert(brand) != brand {
            ordinary.insert(word.to_owned());
        }
    }
    Vocabulary { classes: written.filter(|w| w.len() > 2).collect(), ordinary }
}

fn mapping(row: &CategoryMapping, classes: &Classes) -> Option<(MapKey, Class)> {
    let key = row.category_id.as_ref().map_or_else(|| format!("path {}", row.path.join("\u{1f}")), |id| format!("id {id}"));
    Some(((row.platform.as_ref().map(ToString::to_string), row.market.clone(), key), classes.by_name(&row.class)?))
}

fn references(rows: &[ReferencePrice], class: Option<Class>, rates: &Rates, classes: &Classes, units: u64) -> Vec<Reference> {
    // Pieces of a package are counted in hundreds at most.
    #[allow(clippy::cast_precision_loss)]
    let units = units as f64;
    rows.iter()
        .filter_map(|row| {
            Some(Reference {
                class: classes.of_path(&row.category).or(class),
                usd: row.amount.value() * rates.usd(&row.currency)? / units,
                market: row.market.clone(),
                condition: row.condition.unwrap_or(Condition::New),
            })
        })
        .filter(|r| r.usd > 0.0)
        .collect()
}

fn product_text<'a>(product: &'a ProductEntry, brand: &'a Brand) -> ProductText<'a> {
    ProductText {
        brand: product.brand,
        brand_name: &brand.name,
        name: format!("{} {}", brand.name, product.row.name),
        numbers: &product.row.model_numbers,
    }
}

fn shipped_packs() -> impl Iterator<Item = (String, Phrase)> {
    macro_rules! packs {
        ($($pack:literal),*) => { [$(($pack, include_str!(concat!("../../defaults/phrases/", $pack, ".jsonl")))),*] };
    }
    packs!["en", "es", "fil", "id", "ko", "ms", "pt", "th", "vi", "zh"].into_iter().flat_map(|(pack, text)| {
        text.lines().map(move |line| {
            let row = decode::<Phrase>(line.as_bytes()).unwrap_or_else(|e| unreachable!("shipped phrases {pack}: {e}: {line}"));
            (pack.to_owned(), row.value)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_finds_what_was_meant() {
        let known = ["aliases", "name", "nicknames"];
        assert_eq!(nearest("alias", known.into_iter()), Some("aliases"));
        assert_eq!(nearest("nicknmaes", known.into_iter()), Some("nicknames"));
        assert_eq!(nearest("zzz", known.into_iter()), None);
    }

    #[test]
    fn a_code_word_of_several_languages_means_something_else_in_the_same_classes() {
        let mut exclusions: HashMap<String, std::collections::BTreeSet<String>> = HashMap::new();
        let coded = || shipped_packs().filter(|(_, p)| p.says == touchstone_schemas::PhraseKind::Coded);
        for (_, phrase) in coded() {
            exclusions.entry(phrase.phrase.to_lowercase()).or_default().extend(phrase.not_in);
        }
        for (pack, phrase) in coded() {
            let own = phrase.not_in.iter().cloned().collect();
            assert_eq!(exclusions[&phrase.phrase.to_lowercase()], own, "{pack}: {}", phrase.phrase);
        }
    }
}
