//! Context evidence: what kind of offer it is. Its words are the seller's own, so they weigh little; what exonerates is
//! that the price of such goods is compared with nothing.

use touchstone_schemas::{Condition, Detector as Name, Evidence, Kind, PhraseKind, Weight};

use crate::detector::Detector;
use crate::matter::Matter;
use crate::text::Piece;

/// Finds accessories, parts, used goods, samples, goods about a brand, goods that the brand does not make.
pub(crate) struct ContextDetector;

impl Detector for ContextDetector {
    fn name(&self) -> Name {
        Name::Context
    }

    fn detect(&self, matter: &Matter<'_>) -> Vec<Evidence> {
        if !matter.anchored {
            return Vec::new();
        }
        let weights = &matter.policy.weights.context;
        let words = |kinds: &'static [PhraseKind]| matter.reading.in_title(matter.catalog, kinds).map(|h| h.piece).next();
        let item = |kind: Kind, weight: f64, at: Option<Piece>| {
            let mut evidence = Evidence::new(Name::Context, kind, Weight::from_f64(weight));
            evidence.span = at.map(|p| matter.reading.document.span(p));
            evidence
        };
        let mut found = Vec::new();
        let mut word = |kind: Kind, weight: f64, at: Option<Piece>| found.extend(at.map(|p| item(kind, weight, Some(p))));
        word(Kind::Accessory, weights.accessory, matter.accessory);
        word(Kind::PartOnly, weights.part_only, words(&[PhraseKind::Part]));
        word(Kind::Sample, weights.sample, words(&[PhraseKind::Sample]));
        word(Kind::AboutBrand, weights.about_brand, words(&[PhraseKind::About, PhraseKind::Packaging, PhraseKind::ScaleModel]));
        if is_used(matter) {
            found.push(item(Kind::Used, weights.used, words(&[PhraseKind::Used])));
        }
        if let Some(goods) = matter.goods
            && matter.accessory.is_none()
            && matter.makes(goods.class) == Some(false)
        {
            let mut evidence = item(Kind::CategoryMismatch, weights.category_mismatch, None);
            evidence.class = Some(matter.catalog.snapshot.classes.name(goods.class).to_owned());
            found.push(evidence);
        }
        found
    }
}

/// A word like "vintage" may name a style: only stronger words say that the goods are used.
const SAYS_USED: f64 = 0.75;

/// Whether the seller says that the goods are used.
pub(crate) fn is_used(matter: &Matter<'_>) -> bool {
    let words = &matter.catalog.snapshot.words;
    matches!(matter.listing().condition, Some(Condition::Used | Condition::Refurbished))
        || matter
            .reading
            .in_title(matter.catalog, &[PhraseKind::Used])
            .any(|h| words.phrase(h).is_some_and(|p| p.row.strength.to_f64() >= SAYS_USED))
}
