//! What a listing sells: the class of goods, by its title's words, its category, or the products it resembles.

use touchstone_schemas::{Listing, PhraseKind};

use crate::catalog::{Catalog, Class, Head};
use crate::product::Retrieved;
use crate::score::probability;
use crate::text::{Document, Hit, Piece, What};

/// Where the class was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// A word of the title, or the platform's category.
    Named,
    /// Most of the products that the title resembles.
    Likely,
}

/// What a listing sells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Goods {
    pub(crate) class: Class,
    pub(crate) source: Source,
}

/// Words after "free" or "bonus" name the gift and not the goods.
const GIFT_WORDS: usize = 4;

/// The class that title and category name.
pub(crate) fn named(listing: &Listing, document: &Document<'_>, hits: &[Hit], catalog: &Catalog) -> Option<Goods> {
    let declared = catalog.snapshot.class_of(listing.platform.as_str(), &listing.market, listing.category_id.as_deref(), &listing.category);
    let titled = in_title(document, hits, catalog);
    let class = match (titled, declared) {
        // The narrower of two that may be the same goods; else the title, since categories are coarse and often wrong.
        (Some(t), Some(d)) if catalog.snapshot.classes.is_within(d, t) => d,
        (Some(t), _) => t,
        (None, d) => d?,
    };
    Some(Goods { class, source: Source::Named })
}

fn in_title(document: &Document<'_>, hits: &[Hit], catalog: &Catalog) -> Option<Class> {
    let words = &catalog.snapshot.words;
    let in_title = || hits.iter().filter(|h| document.in_title(h.piece));
    let gift = |piece: Piece| {
        in_title().any(|h| h.piece.start < piece.start && words.is(h, &[PhraseKind::FreeGift]) && near(document, h.piece, piece))
    };
    let relation = in_title().find(|h| words.is(h, &[PhraseKind::Relation])).map_or(usize::MAX, |h| h.piece.start);
    let named: Vec<(Class, Head, Piece)> = in_title()
        .filter_map(|h| match h.what {
            What::Class(class, head) if !gift(h.piece) => Some((class, head, h.piece)),
            _ => None,
        })
        .collect();
    // "case for phone": what stands behind the relation word is what the goods go with.
    // Where nothing ahead of it says what is sold, it may be that all the same: "ask for a bag of".
    let ahead = |piece: Piece| piece.start < relation;
    let says =
        named.iter().any(|(_, _, piece)| ahead(*piece)) || in_title().any(|h| words.is(h, &[PhraseKind::Accessory]) && ahead(h.piece));
    let named: Vec<_> = named.into_iter().filter(|(_, _, piece)| !says || ahead(*piece)).collect();
    let first = named.iter().filter(|(_, head, _)| *head == Head::First).count() * 2 >= named.len();
    let chosen = if first { named.first() } else { named.last() };
    chosen.map(|(class, _, _)| *class)
}

fn near(document: &Document<'_>, a: Piece, b: Piece) -> bool {
    document.within_words(a, b, GIFT_WORDS - 1)
}

/// Log-odds from which a product says something about the class of goods.
const RESEMBLES: f64 = -1.5;
/// Products that must say it: one may resemble by chance.
const VOTERS: usize = 2;
/// Share of the resembling products that must agree.
const MAJORITY: f64 = 0.6;

/// The class of most of the products that a title resembles.
pub(crate) fn likely(catalog: &Catalog, products: &[Retrieved]) -> Option<Goods> {
    let voters = || {
        products
            .iter()
            .filter(|r| r.named && r.odds >= RESEMBLES)
            .filter_map(|r| catalog.snapshot.products[r.product].class.map(|c| (c, probability(r.odds))))
    };
    let all: f64 = voters().map(|(_, s)| s).sum();
    let class = voters().map(|(c, _)| c).next()?;
    let share = voters().filter(|(c, _)| *c == class).map(|(_, s)| s).sum::<f64>() / all;
    (share >= MAJORITY && voters().count() >= VOTERS).then_some(Goods { class, source: Source::Likely })
}
