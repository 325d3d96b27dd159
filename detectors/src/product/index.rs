//! The products of a catalog, found by the rarest words that a listing shares with them.

use std::collections::HashMap;

use rayon::prelude::*;
use tantivy::collector::TopDocs;
use tantivy::query::{BooleanQuery, Occur, Query as IndexQuery, TermQuery};
use tantivy::schema::{FAST, Field, IndexRecordOption, STRING, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{TextAnalyzer, WhitespaceTokenizer};
use tantivy::{DocAddress, Index, Searcher, SegmentReader, TantivyDocument, TantivyError, Term as IndexTerm};

use super::compare::{Product, Query, Vocabulary, similarities};
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
    searcher: Option<Searcher>,
    /// For each segment, the number of the product that each document is: opening the column takes longer than the search.
    numbers: Vec<Vec<u32>>,
    words: Field,
    brand: Field,
    vocabulary: Vocabulary,
    products: Vec<Product>,
}

impl ProductIndex {
    /// The products in order.
    pub(crate) fn new(products: &[ProductText<'_>]) -> Result<Self, TantivyError> {
        let texts: Vec<Text> =
            products.par_iter().map(|p| Text::read(&p.name, &p.numbers.iter().map(String::as_str).collect::<Vec<_>>())).collect();
        let vocabulary = Vocabulary::of(&texts);

        let mut schema = Schema::builder();
        let indexing = TextFieldIndexing::default().set_tokenizer("words").set_index_option(IndexRecordOption::WithFreqs);
        let words_field = schema.add_text_field("words", TextOptions::default().set_indexing_options(indexing));
        let brand_field = schema.add_text_field("brand", STRING);
        let number = schema.add_u64_field("number", FAST);
        let index = Index::create_in_ram(schema.build());
        index.tokenizers().register("words", TextAnalyzer::from(WhitespaceTokenizer::default()));
        let searcher = if products.is_empty() {
            None
        } else {
            // One thread, so that the same products always make the same index.
            let mut writer = index.writer_with_num_threads::<TantivyDocument>(1, WRITER_BYTES)?;
            for (i, (product, text)) in products.iter().zip(&texts).enumerate() {
                let mut document = TantivyDocument::new();
                document.add_text(words_field, text.all().collect::<Vec<_>>().join(" "));
                document.add_text(brand_field, product.brand.to_string());
                document.add_u64(number, i as u64);
                writer.add_document(document)?;
            }
            writer.commit()?;
            writer.wait_merging_threads()?;
            Some(index.reader()?.searcher())
        };
        // Thousands of products have one brand.
        let mut brands: HashMap<usize, Text> = HashMap::new();
        let mut compared = Vec::with_capacity(products.len());
        for (product, text) in products.iter().zip(&texts) {
            let brand = brands.entry(product.brand).or_insert_with(|| Text::read(product.brand_name, &[]));
            compared.push(vocabulary.product(text, brand));
        }
        let numbers = searcher.iter().flat_map(Searcher::segment_readers).map(numbers).collect::<Result<_, _>>()?;
        Ok(Self { searcher, numbers, words: words_field, brand: brand_field, vocabulary, products: compared })
    }

    /// What a listing is searched by: its title, and what the seller says of brand and model.
    pub(crate) fn query(&self, title: &str, beside: &[&str]) -> Query {
        self.vocabulary.query(Text::read(title, beside))
    }

    /// The products that a listing is likeliest, the likeliest first; of one brand, or of all.
    pub(crate) fn find(&self, query: &Query, brand: Option<usize>) -> Vec<Retrieved> {
        let Some(searcher) = &self.searcher else { return Vec::new() };
        let rarest = self.vocabulary.rarest(query, RAREST);
        if rarest.is_empty() {
            return Vec::new();
        }
        let should = |word: &str| -> (Occur, Box<dyn IndexQuery>) {
            (Occur::Should, Box::new(TermQuery::new(IndexTerm::from_field_text(self.words, word), IndexRecordOption::WithFreqs)))
        };
        let mut search = BooleanQuery::new(rarest.into_iter().map(should).collect());
        if let Some(brand) = brand {
            let of_brand = TermQuery::new(IndexTerm::from_field_text(self.brand, &brand.to_string()), IndexRecordOption::Basic);
            search = BooleanQuery::new(vec![(Occur::Must, Box::new(search) as Box<dyn IndexQuery>), (Occur::Must, Box::new(of_brand))]);
        }
        let found = searcher.search(&search, &TopDocs::with_limit(CANDIDATES).order_by_score()).unwrap_or_default();
        let number = |at: DocAddress| self.numbers[at.segment_ord as usize][at.doc_id as usize] as usize;
        let candidates: Vec<usize> = found.into_iter().map(|(_, at)| number(at)).collect();
        let odds: Vec<f64> = candidates.iter().map(|p| self.vocabulary.log_odds(query, &self.products[*p])).collect();
        let similar = similarities(&odds);
        let mut retrieved: Vec<Retrieved> = candidates
            .into_iter()
            .zip(odds)
            .zip(similar)
            .map(|((product, odds), similarity)| {
                let named = self.vocabulary.names(query, &self.products[product]);
                Retrieved { product, odds, similarity, named }
            })
            .collect();
        retrieved.sort_by(|a, b| b.odds.total_cmp(&a.odds).then(a.product.cmp(&b.product)));
        retrieved
    }
}

fn numbers(segment: &SegmentReader) -> Result<Vec<u32>, TantivyError> {
    let column = segment.fast_fields().u64("number")?;
    // Products are far fewer than four thousand million.
    Ok((0..segment.max_doc()).map(|document| column.first(document).unwrap_or_default() as u32).collect())
}
