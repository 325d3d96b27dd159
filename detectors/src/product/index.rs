//! The products of a catalog, found by the rarest words that a listing shares with them.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use rayon::prelude::*;
use tantivy::schema::{BytesOptions, FAST, Field, IndexRecordOption, Schema};
use tantivy::{DocSet as _, Index, InvertedIndexReader, SegmentReader, TERMINATED, TantivyDocument, TantivyError, Term as IndexTerm};

use super::compare::{Query, Term, Vocabulary, similarities};
use super::shelf::Shelf;
use super::terms::Text;

/// A listing is searched for by at most this many words.
const RAREST: usize = 8;
/// Candidates compared. On five sets of pairs a true product is among so many for 96 to 100 of 100 listings.
const CANDIDATES: usize = 48;
/// Memory of the index writer while it builds.
const WRITER_BYTES: usize = 64 << 20;

/// A product that resembles a listing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Retrieved {
    pub(crate) product: usize,
    /// Log-odds that the listing is the product, whatever other products there are.
    pub(crate) odds: f64,
    /// 0 to 1: the same beside the other candidates.
    pub(crate) similarity: f64,
    /// The listing has more of the product than the name of its brand.
    pub(crate) named: bool,
}

/// What a product is found by, as it was written.
pub(crate) struct ProductText<'a> {
    /// Index of its brand.
    pub(crate) brand: usize,
    pub(crate) brand_name: &'a str,
    /// The names of brand and product.
    pub(crate) name: String,
    /// Its model numbers.
    pub(crate) numbers: &'a [String],
}

/// All products.
pub(crate) struct ProductIndex {
    segments: Vec<Segment>,
    words: Field,
    vocabulary: Vocabulary,
    products: Shelf,
    /// Of each product, what a word of a short text counts more than one of a long text, as BM25 has it.
    brevity: Vec<f32>,
}

/// A part of tantivy's index.
struct Segment {
    postings: Arc<InvertedIndexReader>,
    /// The number of the product that each document is: opening the column takes longer than a search.
    numbers: Vec<u32>,
}

thread_local! {
    /// A sum for each product, all zero between searches.
    static SUMS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

impl ProductIndex {
    /// The products in order.
    pub(crate) fn new(products: &[ProductText<'_>]) -> Result<Self, TantivyError> {
        let texts: Vec<Text> =
            products.par_iter().map(|p| Text::read(&p.name, &p.numbers.iter().map(String::as_str).collect::<Vec<_>>())).collect();
        let vocabulary = Vocabulary::of(&texts);
        // Thousands of products have one brand.
        let mut brands: HashMap<usize, Text> = HashMap::new();
        let mut shelf = Shelf::default();
        for (product, text) in products.iter().zip(&texts) {
            let brand = brands.entry(product.brand).or_insert_with(|| Text::read(product.brand_name, &[]));
            shelf.push(&vocabulary, text, product.brand, brand);
        }
        let mut schema = Schema::builder();
        let words = schema.add_bytes_field("words", BytesOptions::default().set_indexed());
        let number = schema.add_u64_field("number", FAST);
        let index = Index::create_in_ram(schema.build());
        if !products.is_empty() {
            // One thread, so that the same products always make the same index.
            let mut writer = index.writer_with_num_threads::<TantivyDocument>(1, WRITER_BYTES)?;
            for (i, (product, packed)) in products.iter().zip(shelf.products()).enumerate() {
                let mut document = TantivyDocument::new();
                for term in packed.terms() {
                    document.add_bytes(words, &key(None, term));
                    document.add_bytes(words, &key(Some(product.brand), term));
                }
                document.add_u64(number, i as u64);
                writer.add_document(document)?;
            }
            writer.commit()?;
            writer.wait_merging_threads()?;
        }
        let segments = index.reader()?.searcher().segment_readers().iter().map(|s| Segment::of(s, words)).collect::<Result<_, _>>()?;
        let brevity = brevity(&shelf);
        Ok(Self { segments, words, vocabulary, products: shelf, brevity })
    }

    /// What a listing is searched by: its title, and what the seller says of brand and model.
    pub(crate) fn query(&self, title: &str, beside: &[&str]) -> Query {
        self.vocabulary.query(Text::read(title, beside))
    }

    /// The products that a listing is likeliest, the likeliest first; of one brand, or of all.
    pub(crate) fn find(&self, query: &Query, brand: Option<usize>) -> Vec<Retrieved> {
        let candidates = SUMS.with_borrow_mut(|sums| self.candidates(query, brand, sums)).unwrap_or_default();
        let odds: Vec<f64> = candidates.iter().map(|p| self.vocabulary.log_odds(query, self.products.product(*p))).collect();
        let similar = similarities(&odds);
        let mut retrieved: Vec<Retrieved> = candidates
            .into_iter()
            .zip(odds)
            .zip(similar)
            .map(|((product, odds), similarity)| {
                let named = Vocabulary::names(query, self.products.product(product));
                Retrieved { product, odds, similarity, named }
            })
            .collect();
        retrieved.sort_by(|a, b| b.odds.total_cmp(&a.odds).then(a.product.cmp(&b.product)));
        retrieved
    }

    /// The products that share the rarest words with a listing, those first that share most. Only postings are read: a
    /// search that ranks as it goes costs more than it spares where there are a few hundred of them.
    fn candidates(&self, query: &Query, brand: Option<usize>, sums: &mut Vec<f32>) -> Result<Vec<usize>, std::io::Error> {
        sums.resize(self.products.len(), 0.0);
        let mut touched: Vec<u32> = Vec::new();
        for term in self.vocabulary.rarest(query, RAREST) {
            let weight = self.vocabulary.rarity(term);
            let term = IndexTerm::from_field_bytes(self.words, &key(brand, term));
            for segment in &self.segments {
                let Some(mut postings) = segment.postings.read_postings(&term, IndexRecordOption::Basic)? else { continue };
                while postings.doc() != TERMINATED {
                    let product = segment.numbers[postings.doc() as usize];
                    let sum = &mut sums[product as usize];
                    if *sum == 0.0 {
                        touched.push(product);
                    }
                    *sum += weight;
                    postings.advance();
                }
            }
        }
        let mut score = |product: u32| std::mem::take(&mut sums[product as usize]) * self.brevity[product as usize];
        // The bits of floats above zero are in the order of the floats.
        let mut scored: Vec<(Reverse<u32>, u32)> =
            touched.into_iter().map(|product| (Reverse(score(product).to_bits()), product)).collect();
        if scored.len() > CANDIDATES {
            scored.select_nth_unstable(CANDIDATES);
            scored.truncate(CANDIDATES);
        }
        scored.sort_unstable();
        Ok(scored.into_iter().map(|(_, product)| product as usize).collect())
    }
}

/// What a word is looked up by: of a brand far fewer products have it than of all.
fn key(brand: Option<usize>, word: Term) -> [u8; 8] {
    // Brands are far fewer than four thousand million.
    let brand = brand.map_or(u32::MAX, |brand| brand as u32);
    let mut key = [0; 8];
    key[..4].copy_from_slice(&brand.to_be_bytes());
    key[4..].copy_from_slice(&word.to_be_bytes());
    key
}

/// The part of BM25 that a text's length decides, where each word stands in it once.
fn brevity(products: &Shelf) -> Vec<f32> {
    const K1: f32 = 1.2;
    const B: f32 = 0.75;
    // Words of all products together are far fewer than a float holds exactly in this use.
    #[allow(clippy::cast_precision_loss)]
    let lengths = || products.products().map(|product| product.terms().count() as f32);
    #[allow(clippy::cast_precision_loss)]
    let mean = lengths().map(f64::from).sum::<f64>() as f32 / products.len().max(1) as f32;
    lengths().map(|length| 1.0 / (1.0 + K1 * (1.0 - B + B * length / mean))).collect()
}

impl Segment {
    fn of(segment: &SegmentReader, words: Field) -> Result<Self, TantivyError> {
        let column = segment.fast_fields().u64("number")?;
        // Products are far fewer than four thousand million.
        let numbers = (0..segment.max_doc()).map(|document| column.first(document).unwrap_or_default() as u32).collect();
        Ok(Self { postings: segment.inverted_index(words)?, numbers })
    }
}
