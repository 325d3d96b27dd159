//! Compares one piece's price with its reference.

use touchstone_schemas::{Amount, Detector as Name, Evidence, Kind, PhraseKind, Price, Score, Weight};

use super::reference::reference;
use crate::context::is_used;
use crate::detector::Detector;
use crate::matter::Matter;
use crate::product::pieces;

/// Compares prices.
pub(crate) struct PriceDetector;

/// From here the price is like the reference, and over the second it is dearer.
const IN_RANGE: (f64, f64) = (0.7, 2.0);
/// A price under this share of the reference and under this many US dollars is asked of nobody.
const DECOY: (f64, f64) = (0.01, 1.0);
/// Variants whose prices differ this much hide a decoy among them.
const SPREAD: f64 = 20.0;

impl Detector for PriceDetector {
    fn name(&self) -> Name {
        Name::Price
    }

    fn detect(&self, matter: &Matter<'_>) -> Vec<Evidence> {
        self.compare(matter).into_iter().collect()
    }
}

impl PriceDetector {
    fn compare(&self, matter: &Matter<'_>) -> Option<Evidence> {
        // The price of a case says nothing about a phone, that of a box or a book nothing about what it is of.
        let said = |kinds: &[PhraseKind]| {
            matter.reading.hits.iter().any(|h| matter.reading.document.in_title(h.piece) && matter.catalog.words.is(h, kinds))
        };
        let named = matter.reading.goods.is_some_and(|g| matter.makes(g.class) == Some(true));
        let other_goods =
            !named && said(&[PhraseKind::Part, PhraseKind::Packaging, PhraseKind::About, PhraseKind::ScaleModel, PhraseKind::Sample]);
        // Of cosmetics there are genuine samples at a part of the price.
        let cosmetics = matter.catalog.classes.by_name("cosmetics");
        let sample = said(&[PhraseKind::Sample])
            && matter.goods.is_some_and(|g| cosmetics.is_some_and(|c| matter.catalog.classes.is_within(g.class, c)));
        let exempt = matter.accessory.is_some() || other_goods || sample;
        if !matter.anchored || exempt {
            return None;
        }
        let (price, spread) = asked(matter)?;
        let usd = matter.catalog.rates.price_in_usd(price)?;
        let against = reference(matter)?;
        let title = matter.reading.document.title();
        let units = matter.listing().units.or_else(|| pieces(&matter.reading.document.text()[title.range.clone()])).unwrap_or(1).max(1);
        // Pieces of a listing are far below what a float holds exactly.
        #[allow(clippy::cast_precision_loss)]
        let units = units as f64;
        let ratio = usd / units / against.usd;
        let weights = &matter.policy.weights.price;
        let curve = if is_used(matter) { &weights.below_used } else { &weights.below };
        // Named elsewhere than in the title, the brand is less likely what is sold.
        let elsewhere = !matter.mentions.iter().any(|m| matter.reading.document.in_title(m.piece)) && matter.models.is_empty();
        let sureness = against.sureness * if elsewhere { matter.policy.weights.text.mention_elsewhere } else { 1.0 };
        let (kind, weight) = match ratio {
            _ if spread >= SPREAD => (Kind::Decoy, weights.decoy),
            r if near_a_power_of_ten(r) => (Kind::DataError, 0.0),
            r if r < DECOY.0 && usd < DECOY.1 => (Kind::Decoy, weights.decoy),
            r if r < IN_RANGE.0 => (Kind::BelowReference, curve.at(r) * sureness),
            _ if against.guessed => return None,
            r if r <= IN_RANGE.1 => (Kind::InRange, weights.in_range),
            _ => (Kind::AboveReference, weights.above),
        };
        let rate = matter.catalog.rates.usd(&price.currency)?;
        let mut evidence = Evidence::new(Name::Price, kind, Weight::from_f64(weight));
        evidence.ratio = Some(Score::from_f64(ratio));
        evidence.unit_price = Amount::from_value(price.amount.value() / units);
        evidence.reference = Amount::from_value(against.usd / rate).map(|a| a.to_string());
        evidence.basis = Some(against.basis);
        Some(evidence)
    }
}

/// The price that a buyer pays: the listing's, or the median of its variants'; and how far the variants are apart.
fn asked<'a>(matter: &Matter<'a>) -> Option<(&'a Price, f64)> {
    let listing = matter.listing();
    let mut variants: Vec<&Price> = listing.variants.iter().filter_map(|v| v.price.as_ref()).filter(|p| p.amount.value() > 0.0).collect();
    variants.sort_by(|a, b| a.amount.value().total_cmp(&b.amount.value()));
    let spread = match (variants.first(), variants.last()) {
        (Some(low), Some(high)) if low.currency == high.currency => high.amount.value() / low.amount.value(),
        _ => 1.0,
    };
    let price = variants.get(variants.len() / 2).copied().or(listing.price.as_ref()).filter(|p| p.amount.value() > 0.0)?;
    Some((price, spread))
}

/// A hundred or a thousand times off: a wrong unit. Ten times off is what copies cost.
fn near_a_power_of_ten(ratio: f64) -> bool {
    [0.000_1, 0.001, 100.0, 1_000.0, 10_000.0].iter().any(|power| (0.8..1.25).contains(&(ratio / power)))
}
