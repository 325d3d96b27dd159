//! The products of a catalog, found by the rarest words that a listing shares with them.

use tantivy::collector::TopDocs;
use tantivy::query::{BooleanQuery, Occur, Query, TermQuery};
use tantivy::schema::{FAST, Field, IndexRecordOption, STRING, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{TextAnalyzer, WhitespaceTokenizer};
use tantivy::{Index, Searcher, TantivyDocument, TantivyError, Term as IndexTerm};

use super::compare::{Bag, Vocabulary, words};

/// A listing is searched for by at most this many words.
const RAREST: usize = 8;
/// Candidates compared.
const CANDIDATES: usize = 24;
/// Memory of the index writer while it builds.
const WRITER_BYTES: usize = 64 << 20;

/// A product that resembles a listing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Retrieved {
    pub(crate) product: usize,
    /// 0 to 1.
    pub(crate) similarity: f64,
}

/// What a product is found by, normalised.
pub(crate) struct ProductText {
    /// Index of its brand.
    pub(crate) brand: usize,
    /// The names of brand and product.
    pub(crate) name: String,
    /// Its model numbers.
    pub(crate) numbers: String,
}

/// All products.
pub(crate) struct ProductIndex {
    searcher: Option<Searcher>,
    words: Field,
    brand: Field,
    vocabulary: Vocabulary,
    bags: Vec<Bag>,
}

impl ProductIndex {
    /// The products in order.
    pub(crate) fn new(products: &[ProductText]) -> Result<Self, TantivyError> {
        let mut vocabulary = Vocabulary { products: products.len() as u32, ..Vocabulary::default() };
        for product in products {
            let mut own: Vec<&str> = words(&product.name).chain(words(&product.numbers)).collect();
            own.sort_unstable();
            own.dedup();
            for word in own {
                let next = vocabulary.frequency.len() as u32;
                let term = *vocabulary.numbers.entry(word.to_owned()).or_insert(next);
                if term == next {
                    vocabulary.frequency.push(0);
                }
                vocabulary.frequency[term as usize] += 1;
            }
        }
        let bag = |product: &ProductText| {
            let mut bag = vocabulary.bag(&product.name);
            bag.numbers = vocabulary.bag(&product.numbers).terms;
            bag.numbers.retain(|t| bag.terms.binary_search(t).is_err());
            bag
        };
        let bags = products.iter().map(bag).collect();

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
            for (i, product) in products.iter().enumerate() {
                let mut document = TantivyDocument::new();
                document.add_text(words_field, &product.name);
                document.add_text(words_field, &product.numbers);
                document.add_text(brand_field, product.brand.to_string());
                document.add_u64(number, i as u64);
                writer.add_document(document)?;
            }
            writer.commit()?;
            writer.wait_merging_threads()?;
            Some(index.reader()?.searcher())
        };
        Ok(Self { searcher, words: words_field, brand: brand_field, vocabulary, bags })
    }

    /// The products that resemble a normalised text most, the best first; of one brand, or of all.
    pub(crate) fn find(&self, text: &str, brand: Option<usize>) -> Vec<Retrieved> {
        let Some(searcher) = &self.searcher else { return Vec::new() };
        let bag = self.vocabulary.bag(text);
        let mut rarest: Vec<&str> = words(text).filter(|w| self.vocabulary.numbers.contains_key(*w)).collect();
        rarest.sort_by_key(|w| (self.vocabulary.frequency[self.vocabulary.numbers[*w] as usize], *w));
        rarest.dedup();
        rarest.truncate(RAREST);
        if rarest.is_empty() {
            return Vec::new();
        }
        let should = |word: &str| -> (Occur, Box<dyn Query>) {
            (Occur::Should, Box::new(TermQuery::new(IndexTerm::from_field_text(self.words, word), IndexRecordOption::WithFreqs)))
        };
        let mut query = BooleanQuery::new(rarest.into_iter().map(should).collect());
        if let Some(brand) = brand {
            let of_brand = TermQuery::new(IndexTerm::from_field_text(self.brand, &brand.to_string()), IndexRecordOption::Basic);
            query = BooleanQuery::new(vec![(Occur::Must, Box::new(query) as Box<dyn Query>), (Occur::Must, Box::new(of_brand))]);
        }
        let found = searcher.search(&query, &TopDocs::with_limit(CANDIDATES).order_by_score()).unwrap_or_default();
        let number = |segment: u32, document: u32| {
            let column = searcher.segment_reader(segment).fast_fields().u64("number").ok()?;
            column.first(document).and_then(|n| usize::try_from(n).ok())
        };
        let mut retrieved: Vec<Retrieved> = found
            .into_iter()
            .filter_map(|(_, at)| number(at.segment_ord, at.doc_id))
            .map(|product| Retrieved { product, similarity: self.vocabulary.similarity(&bag, &self.bags[product]) })
            .filter(|r| r.similarity > 0.0)
            .collect();
        retrieved.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.product.cmp(&b.product)));
        retrieved
    }
}
