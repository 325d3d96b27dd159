//! The products, packed: a listing is compared with dozens of them, and what is compared lies side by side.

use super::compare::{Term, Vocabulary, square};
use super::sets::{Grams, Joined, Terms, bit, mask, tag};
use super::terms::{Text, Unit, is_colour};

/// All products, in order.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    rows: Vec<Row>,
    /// The words of all products, those of a name before those beside it.
    words: Vec<Word>,
    details: Vec<Detail>,
    /// By the brand's number, the words of its name.
    brands: Vec<Terms>,
}

/// What every comparison looks at.
#[derive(Debug)]
struct Row {
    own_mask: u64,
    extra_mask: u64,
    joined_mask: u64,
    /// Sum of the squares of its own words' weights.
    squares: f64,
    /// Where its words begin.
    from: u32,
    own: u32,
    extra: u32,
    brand: u32,
    codes: u32,
    /// Where its first codes begin, as [`Grams`] has it.
    first_codes: [u16; 2],
}

/// A word of a product.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word {
    /// Its weight, squared.
    pub(super) square: f64,
    pub(super) term: Term,
    /// Of its hash, as joined words have it.
    pub(super) tag: u32,
}

/// What few comparisons look at.
#[derive(Debug)]
struct Detail {
    codes: Vec<String>,
    colours: Terms,
    quantities: Vec<(u64, Unit)>,
    glue: String,
    joined: Joined,
}

/// A product on the shelf.
#[derive(Clone, Copy)]
pub(super) struct Product<'a> {
    shelf: &'a Shelf,
    row: &'a Row,
    index: usize,
}

impl Shelf {
    pub(super) fn push(&mut self, vocabulary: &Vocabulary, text: &Text, brand: usize, brand_name: &Text) {
        let own = vocabulary.terms(text.own.iter());
        let extra = vocabulary.terms(text.extra.iter());
        let joined = Joined::of(text.joined());
        let from = self.words.len() as u32;
        let word = |term: Term| Word { square: square(vocabulary.weight(term)), term, tag: tag(vocabulary.hash(term)) };
        self.words.extend(own.iter().chain(extra.iter()).map(word));
        if self.brands.len() <= brand {
            self.brands.resize_with(brand + 1, Terms::default);
        }
        if self.brands[brand].terms.is_empty() {
            self.brands[brand] = vocabulary.terms(brand_name.own.iter());
        }
        let mut first_codes = text.codes.iter().map(|code| Grams::of_word(code));
        self.rows.push(Row {
            own_mask: mask(own.iter()),
            extra_mask: mask(extra.iter()),
            joined_mask: joined.mask,
            squares: own.iter().map(|term| square(vocabulary.weight(term))).sum(),
            from,
            own: own.terms.len() as u32,
            extra: extra.terms.len() as u32,
            brand: brand as u32,
            codes: text.codes.len() as u32,
            first_codes: [first_codes.next().unwrap_or_default(), first_codes.next().unwrap_or_default()],
        });
        self.details.push(Detail {
            colours: vocabulary.terms(text.own.iter().chain(&text.extra).filter(|w| is_colour(w))),
            codes: text.codes.clone(),
            quantities: text.quantities.clone(),
            glue: text.glue(),
            joined,
        });
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn product(&self, index: usize) -> Product<'_> {
        Product { shelf: self, row: &self.rows[index], index }
    }

    pub(super) fn products(&self) -> impl Iterator<Item = Product<'_>> {
        (0..self.len()).map(|index| self.product(index))
    }
}

impl<'a> Product<'a> {
    /// Words of its name, sorted.
    pub(super) fn own(self) -> &'a [Word] {
        &self.shelf.words[self.row.from as usize..][..self.row.own as usize]
    }

    /// Words of its model numbers that its name has not, sorted.
    pub(super) fn extra(self) -> &'a [Word] {
        &self.shelf.words[(self.row.from + self.row.own) as usize..][..self.row.extra as usize]
    }

    pub(super) fn has(self, term: Term) -> bool {
        let among = |mask: u64, words: &[Word]| mask & bit(term) != 0 && words.binary_search_by_key(&term, |word| word.term).is_ok();
        among(self.row.own_mask, self.own()) || among(self.row.extra_mask, self.extra())
    }

    /// Each word of it, once.
    pub(super) fn terms(self) -> impl Iterator<Item = Term> + 'a {
        self.own().iter().chain(self.extra()).map(|word| word.term)
    }

    /// Sum of the squares of its own words' weights.
    pub(super) fn squares(self) -> f64 {
        self.row.squares
    }

    /// Words of its brand's name.
    pub(super) fn brand(self) -> &'a Terms {
        &self.shelf.brands[self.row.brand as usize]
    }

    /// Whether two neighbouring words of it are one elsewhere.
    pub(super) fn joins(self, hash: u64) -> bool {
        self.row.joined_mask & (1 << tag(hash)) != 0 && self.detail().joined.has(hash)
    }

    pub(super) fn has_codes(self) -> bool {
        self.row.codes > 0
    }

    /// Its codes, where a text may have any of them.
    pub(super) fn codes_in(self, text: &Grams) -> &'a [String] {
        let (known, codes) = (&self.row.first_codes, self.row.codes as usize);
        let none = codes <= known.len() && !known[..codes].iter().any(|code| text.may_have(*code));
        if none { &[] } else { self.codes() }
    }

    pub(super) fn codes(self) -> &'a [String] {
        &self.detail().codes
    }

    pub(super) fn colours(self) -> &'a Terms {
        &self.detail().colours
    }

    pub(super) fn quantities(self) -> &'a [(u64, Unit)] {
        &self.detail().quantities
    }

    /// All words without what divides them.
    pub(super) fn glue(self) -> &'a str {
        &self.detail().glue
    }

    fn detail(self) -> &'a Detail {
        &self.shelf.details[self.index]
    }
}
