//! The part of a catalog that is compiled once: brands, products with their pictures, phrases, rates and classes.

use std::collections::{HashMap, HashSet};

use rustc_hash::FxHashSet;
use touchstone_schemas::{Brand, CategoryMapping, Condition, Market, Phrase, Product, ReferencePrice, RightsHolder, decode};

use super::classes::{Class, Classes};
use super::fx::Rates;
use super::pictures;
use super::rows::{Row, Rows};
use crate::image::PictureIndex;
use crate::product::{ProductIndex, ProductText, pieces};
use crate::text::{Lexicon, Name, Vocabulary, Weakness, Words, lines_of, names_of, normalise};

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

/// What is looked up in, built from the rows of brands, products, phrases, categories and rates. Immutable.
pub(crate) struct Snapshot {
    /// Hash of those rows.
    pub(super) version: String,
    pub(crate) brands: Vec<BrandEntry>,
    pub(crate) rights_holders: Vec<RightsHolder>,
    pub(crate) products: Vec<ProductEntry>,
    pub(crate) lexicon: Lexicon,
    pub(crate) words: Words,
    pub(crate) index: ProductIndex,
    pub(crate) pictures: PictureIndex,
    pub(crate) rates: Rates,
    pub(crate) classes: std::sync::Arc<Classes>,
    category_map: HashMap<MapKey, Class>,
}

impl Snapshot {
    /// Compiles rows that were checked and sorted.
    pub(super) fn compile(rows: Rows) -> Result<Self, String> {
        let version = rows.base_version();
        let classes = Classes::shipped();
        let rates = Rates::new(rows.fx.as_ref());
        let rights_holders = rows.rights_holders.into_iter().map(|holder| holder.row).collect();
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
        let pictures = pictures::of_products(&products);
        let index = ProductIndex::new(&texts).map_err(|e| format!("the products make no index: {e}"))?;
        let words = Words::new(packs.into_iter(), &classes)?;

        let category_map = rows.category_map.into_iter().filter_map(|Row { row, .. }| mapping(&row, &classes)).collect();
        Ok(Self { version, brands, rights_holders, products, lexicon, words, index, pictures, rates, classes, category_map })
    }

    /// The number of a brand.
    pub(super) fn brand(&self, id: &str) -> Option<usize> {
        self.brands.binary_search_by(|brand| brand.row.brand_id.as_str().cmp(id)).ok()
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
