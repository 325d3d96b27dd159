//! The matter between one listing and one brand: all that the detectors look at.

use touchstone_schemas::{Listing, MatchKind, PhraseKind};

use crate::catalog::{BrandEntry, Catalog, Class};
use crate::goods::{self, Goods};
use crate::image::{Hit as PictureHit, Picture};
use crate::policy::Policy;
use crate::product::{ProductQuery, Retrieved};
use crate::text::{Document, Found, Hit, Mention, ModelHit, Piece, Weakness, normalise, stands_alone};

/// A listing as it was read: shared by the matters of all brands that it names.
pub(crate) struct Reading<'a> {
    pub(crate) listing: &'a Listing,
    pub(crate) document: Document<'a>,
    pub(crate) found: Found,
    /// Phrases and class words.
    pub(crate) hits: Vec<Hit>,
    pub(crate) goods: Option<Goods>,
    /// The catalog's pictures that the listing shows.
    pub(crate) pictures: Vec<PictureHit>,
    pub(crate) product_query: ProductQuery,
}

impl<'a> Reading<'a> {
    /// Reads a listing; nothing when it names no brand and no model and shows no known picture, which is where most listings leave.
    pub(crate) fn of(listing: &'a Listing, pictures: &[Picture], catalog: &Catalog) -> Option<Self> {
        let document = Document::of(listing);
        let found = catalog.snapshot.lexicon.find(&document);
        let pictures = catalog.find_pictures(pictures, &listing.occurred_at, !found.mentions.is_empty());
        if found.mentions.is_empty() && found.models.is_empty() && pictures.is_empty() {
            return None;
        }
        let mut hits = catalog.snapshot.words.read(&document, &found.mentions);
        let title = without_contradictions(&document, &mut hits, catalog);
        let goods = goods::named(listing, &document, &hits, catalog);
        let product_query = product_query(catalog, listing, &title);
        Some(Self { listing, document, found, hits, goods, pictures, product_query })
    }

    /// The brands named, sorted.
    pub(crate) fn brands(&self, catalog: &Catalog) -> Vec<usize> {
        let by_model = self.found.models.iter().map(|m| catalog.snapshot.products[m.product].brand);
        let by_picture = self.pictures.iter().map(|hit| catalog.picture(hit.reference).brand);
        let mut brands: Vec<usize> = self.found.mentions.iter().map(|m| m.brand).chain(by_model).chain(by_picture).collect();
        brands.sort_unstable();
        brands.dedup();
        brands
    }

    /// Phrases of some kinds in the title.
    pub(crate) fn in_title<'b>(&'b self, catalog: &'b Catalog, kinds: &'b [PhraseKind]) -> impl Iterator<Item = &'b Hit> + 'b {
        self.hits.iter().filter(move |h| self.document.in_title(h.piece) && catalog.snapshot.words.is(h, kinds))
    }
}

/// Drops what the title says in the seller's favour where it says too much: nothing is used, a sample, a thing that goes with
/// another and a book at once. Gives the title without it.
fn without_contradictions(document: &Document<'_>, hits: &mut Vec<Hit>, catalog: &Catalog) -> String {
    use PhraseKind::{About, Accessory, Packaging, Part, Relation, RelationAfter, Sample, ScaleModel, Used};
    const ALIKE: [&[PhraseKind]; 4] = [&[Used], &[Sample], &[Accessory, Relation, RelationAfter, Part, Packaging], &[About, ScaleModel]];
    const TOO_MANY: usize = 3;
    let says = |h: &Hit, kinds: &[PhraseKind]| document.in_title(h.piece) && catalog.snapshot.words.is(h, kinds);
    let mut title = document.title().original.to_owned();
    if ALIKE.iter().filter(|kinds| hits.iter().any(|h| says(h, kinds))).count() >= TOO_MANY {
        let said: Vec<Piece> = hits.iter().filter(|h| ALIKE.iter().any(|kinds| says(h, kinds))).map(|h| h.piece).collect();
        // A word like "book" names a class, too.
        hits.retain(|h| !said.iter().any(|piece| piece.overlaps(h.piece)));
        // From the end, so that what stands before keeps its place; pieces may overlap.
        let mut end = title.len();
        for piece in said.iter().rev() {
            let range = document.original_range(*piece);
            if range.end <= end {
                title.replace_range(range.clone(), " ");
                end = range.start;
            }
        }
    }
    title
}

/// The matter between one listing and one brand.
pub(crate) struct Matter<'a> {
    pub(crate) reading: &'a Reading<'a>,
    pub(crate) catalog: &'a Catalog,
    pub(crate) policy: &'a Policy,
    pub(crate) brand: usize,
    pub(crate) mentions: Vec<&'a Mention>,
    pub(crate) models: Vec<&'a ModelHit>,
    /// The brand's pictures that the listing shows, by picture, then the nearest first.
    pub(crate) pictures: Vec<&'a PictureHit>,
    /// Products of the brand that the listing resembles, the best first.
    pub(crate) products: Vec<Retrieved>,
    pub(crate) goods: Option<Goods>,
    /// The name means the brand, and not the ordinary word that it is too.
    pub(crate) anchored: bool,
    /// The goods go with the brand's goods: a word says so, and the class of goods does not speak against it.
    pub(crate) accessory: Option<Piece>,
}

/// Log-odds of a product whose number a listing names.
const SURE: f64 = 10.0;
/// A brand that makes this many kinds of clothes makes other clothes, too; and so with other parents.
const KINDS: usize = 2;
/// Code words this strong, together, say of an ordinary word that it is the brand.
const CODED: f64 = 0.6;
/// Of a part of a name, less suffices: it stands in catalogs for the brand's best known goods.
const CODED_PART: f64 = 0.35;
/// Letters of a name of which a slip needs no other sign.
const LONG: usize = 9;
/// A relation word binds a name at most this many words behind it: "for A, B and C".
const RELATION_REACH: usize = 10;

impl<'a> Matter<'a> {
    pub(crate) fn of(reading: &'a Reading<'a>, catalog: &'a Catalog, policy: &'a Policy, brand: usize) -> Self {
        let mut mentions: Vec<&Mention> = reading.found.mentions.iter().filter(|m| m.brand == brand).collect();
        // Beside the brand's name its lines say nothing more.
        let is_line = |m: &Mention| catalog.snapshot.lexicon.names[m.name].weak == Weakness::Line;
        if !mentions.iter().all(|m| is_line(m)) {
            mentions.retain(|m| !is_line(m));
        }
        let models: Vec<&ModelHit> = reading.found.models.iter().filter(|m| catalog.snapshot.products[m.product].brand == brand).collect();
        let pictures = reading.pictures.iter().filter(|hit| catalog.picture(hit.reference).brand == brand).collect();
        let products = catalog.snapshot.index.find(&reading.product_query, Some(brand));
        let goods = reading.goods.or_else(|| goods::likely(catalog, &products));
        let mut matter =
            Self { reading, catalog, policy, brand, mentions, models, pictures, products, goods, anchored: false, accessory: None };
        matter.anchored = matter.is_anchored();
        matter.accessory = matter.is_accessory();
        matter
    }

    pub(crate) fn entry(&self) -> &'a BrandEntry {
        &self.catalog.snapshot.brands[self.brand]
    }

    pub(crate) fn listing(&self) -> &'a Listing {
        self.reading.listing
    }

    /// Whether the goods are of a class that the brand makes; nothing when either is unknown.
    pub(crate) fn makes(&self, class: Class) -> Option<bool> {
        let classes = &self.entry().classes;
        let tree = &self.catalog.snapshot.classes;
        let fits = || {
            classes.iter().any(|own| tree.overlap(*own, class)) || classes.iter().filter(|own| tree.siblings(**own, class)).count() >= KINDS
        };
        (!classes.is_empty()).then(fits)
    }

    /// The product that the listing is, where that is clear: by its number, or by its words.
    pub(crate) fn product(&self) -> Option<Retrieved> {
        let numbered = self.models.first().map(|m| Retrieved { product: m.product, odds: SURE, similarity: 1.0, named: true });
        numbered.or_else(|| self.products.first().copied().filter(|r| r.similarity >= self.policy.similarity()))
    }

    /// The product that the listing shows a picture of.
    pub(crate) fn shown(&self) -> Option<usize> {
        self.pictures.iter().find_map(|hit| self.catalog.picture(hit.reference).product)
    }

    fn weakness(&self, mention: &Mention) -> Weakness {
        let own = self.catalog.snapshot.lexicon.names[mention.name].weak;
        match mention.kind {
            // Nobody tears or re-spells an ordinary word; but letters and numbers of other goods may spell one.
            MatchKind::Split | MatchKind::Confusable if self.reading.goods.is_none_or(|g| self.makes(g.class) != Some(false)) => {
                Weakness::None
            }
            // A long name can hardly be another word's slip.
            MatchKind::Fuzzy if self.catalog.snapshot.lexicon.names[mention.name].spaced.len() >= LONG => own,
            MatchKind::Fuzzy => own.max(Weakness::Word),
            _ => own,
        }
    }

    fn is_anchored(&self) -> bool {
        if !self.pictures.is_empty() {
            return true;
        }
        if self.mentions.is_empty() {
            return self.models.iter().any(|m| stands_alone(&self.reading.document.text()[m.piece.range()]));
        }
        let weakest = self.mentions.iter().map(|m| self.weakness(m)).min().unwrap_or(Weakness::None);
        let distinct = |m: &&&Mention| {
            weakest != Weakness::Line
                && self.catalog.snapshot.lexicon.names[m.name].spaced != self.catalog.snapshot.lexicon.names[self.mentions[0].name].spaced
        };
        let strong = || {
            let field = self.listing().brand.as_deref().map(normalise);
            let field_says = field.is_some_and(|f| {
                f == normalise(&self.entry().row.name)
                    || self.mentions.iter().any(|m| f == self.catalog.snapshot.lexicon.names[m.name].spaced)
            });
            !self.models.is_empty() || field_says || self.product_says() || self.mentions.iter().any(|m| distinct(&m))
        };
        match weakest {
            Weakness::None => true,
            Weakness::Word => {
                let class_says = self.reading.goods.is_some_and(|g| self.makes(g.class) == Some(true)) && !self.is_plain_word();
                let code_says = self.reading.goods.is_none_or(|g| self.makes(g.class).is_none()) && self.code_strength() >= CODED;
                // Beside another brand's name an ordinary word is an ordinary word.
                let other_brand = self.reading.found.mentions.iter().any(|m| {
                    m.brand != self.brand
                        && self.catalog.snapshot.lexicon.names[m.name].weak == Weakness::None
                        && self.reading.document.in_title(m.piece)
                });
                (class_says && !other_brand) || code_says || strong()
            }
            Weakness::Short => strong(),
            Weakness::Colour => strong() || self.mentions.iter().any(|m| self.is_written_as_a_name(m)),
            // A line is a word that may stand for anything: a product must say that it is the brand's, or a code word with
            // the class of goods or with another line.
            Weakness::Line => {
                let class = self.products.first().and_then(|r| self.catalog.snapshot.products[r.product].class);
                let class_says =
                    self.reading.goods.zip(class).is_some_and(|(g, class)| self.catalog.snapshot.classes.overlap(g.class, class));
                let lines = self.mentions.iter().any(|m| m.name != self.mentions[0].name);
                self.product_says() || ((class_says || lines) && self.code_strength() >= CODED)
            }
            Weakness::Part => self.code_strength() >= CODED_PART || strong(),
        }
    }

    /// A mention that begins the title, or that joins its words by a hyphen and capitals: "Off-White hoodie", but not "shirt off white".
    fn is_written_as_a_name(&self, mention: &Mention) -> bool {
        let document = &self.reading.document;
        let original = document.original(mention.piece);
        let capitals = original.split(|c: char| !c.is_alphanumeric()).all(|word| word.chars().next().is_some_and(char::is_uppercase));
        document.in_title(mention.piece) && (mention.piece.start == document.title().range.start || (capitals && original.contains('-')))
    }

    fn product_says(&self) -> bool {
        self.products.first().is_some_and(|r| r.similarity >= self.policy.similarity())
    }

    /// What the different code words of the title say together.
    fn code_strength(&self) -> f64 {
        let mut phrases: Vec<_> =
            self.reading.in_title(self.catalog, &[PhraseKind::Coded]).filter_map(|h| self.catalog.snapshot.words.phrase(h)).collect();
        phrases.sort_by(|a, b| a.row.phrase.cmp(&b.row.phrase));
        phrases.dedup_by(|a, b| a.row.phrase == b.row.phrase);
        phrases.iter().map(|p| p.row.strength.to_f64()).sum()
    }

    /// Every mention is written small in a title that writes other words large: then it is the word and not the name.
    fn is_plain_word(&self) -> bool {
        let document = &self.reading.document;
        let small = |text: &str| text.chars().next().is_some_and(char::is_lowercase);
        let title = document.title().original;
        let large = title.split_whitespace().filter(|word| word.chars().next().is_some_and(char::is_uppercase)).count();
        let word = |m: &Mention| self.catalog.snapshot.lexicon.names[m.name].weak != Weakness::None;
        large > 0 && self.mentions.iter().all(|m| word(m) && document.in_title(m.piece) && small(document.original(m.piece)))
    }

    fn is_accessory(&self) -> Option<Piece> {
        // "for" exempts nobody who sells what the brand itself makes. A brand of "electronics" need not make any of them, nor
        // one of phones what is plugged into them.
        let tree = &self.catalog.snapshot.classes;
        let gadgets = tree.by_name("electronics");
        let alike = |own: Class, goods: Class| tree.siblings(own, goods) && !gadgets.is_some_and(|g| tree.is_within(own, g));
        if self.reading.goods.is_some_and(|g| self.entry().classes.iter().any(|own| tree.is_within(*own, g.class) || alike(*own, g.class)))
        {
            return None;
        }
        let document = &self.reading.document;
        let gift = |piece: Piece| {
            self.reading
                .in_title(self.catalog, &[PhraseKind::FreeGift])
                .any(|g| g.piece.start < piece.start && document.within_words(g.piece, piece, 3))
        };
        let word = self.reading.in_title(self.catalog, &[PhraseKind::Accessory]).find(|h| !gift(h.piece)).map(|h| h.piece);
        let bound = |relation: Piece, before: bool| {
            self.mentions.iter().any(|m| {
                let ordered = if before { relation.start < m.piece.start } else { relation.start > m.piece.start };
                ordered && document.within_words(relation, m.piece, if before { RELATION_REACH } else { 2 })
            })
        };
        // What is named before "for" is what is sold.
        let named_before = |relation: Piece| self.mentions.iter().any(|m| document.in_title(m.piece) && m.piece.end <= relation.start);
        let relation =
            || self.reading.in_title(self.catalog, &[PhraseKind::Relation]).find(|h| bound(h.piece, true) && !named_before(h.piece));
        let after = || self.reading.in_title(self.catalog, &[PhraseKind::RelationAfter]).find(|h| bound(h.piece, false));
        word.or_else(|| relation().or_else(after).map(|h| h.piece))
    }
}

/// What products a listing is searched by: its title, and what the seller says of brand and model.
pub(crate) fn product_query(catalog: &Catalog, listing: &Listing, title: &str) -> ProductQuery {
    let model = listing.attributes.iter().flat_map(|a| a.get("model")).map(String::as_str);
    let beside: Vec<&str> = listing.brand.as_deref().into_iter().chain(model).collect();
    catalog.snapshot.index.query(title, &beside)
}
