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
        compare(matter)
    }
}

/// What the goods cost beside the reference, and a decoy among the variants.
fn compare(matter: &Matter<'_>) -> Vec<Evidence> {
    if !matter.anchored || says_nothing(matter) {
        return Vec::new();
    }
    let (Some(asked), Some(against)) = (asked(matter), reference(matter)) else { return Vec::new() };
    let ratio = asked.usd / against.usd;
    let weights = &matter.policy.weights.price;
    let curve = if is_used(matter) { &weights.below_used } else { &weights.below };
    // Named in the description only, the brand is less likely what is sold.
    let elsewhere = !matter.mentions.iter().any(|m| !matter.reading.document.in_prose(m.piece)) && matter.models.is_empty();
    let sureness = against.sureness * if elsewhere { matter.policy.weights.text.mention_elsewhere } else { 1.0 };
    let item = |kind, weight| {
        let mut evidence = Evidence::new(Name::Price, kind, Weight::from_f64(weight));
        evidence.ratio = Some(Score::from_f64(ratio));
        evidence.unit_price = Amount::from_value(asked.price.amount.value() / asked.units);
        let rate = matter.catalog.snapshot.rates.usd(&asked.price.currency);
        evidence.reference = rate.and_then(|rate| Amount::from_value(against.usd / rate)).map(|a| a.to_string());
        evidence.basis = Some(against.basis);
        evidence
    };
    // A decoy among the variants takes nothing from what the others cost.
    let mut found = Vec::from_iter((asked.spread >= SPREAD).then(|| item(Kind::Decoy, weights.decoy)));
    found.extend(match ratio {
        r if near_a_power_of_ten(r) => Some(item(Kind::DataError, 0.0)),
        r if r < DECOY.0 && asked.usd < DECOY.1 => found.is_empty().then(|| item(Kind::Decoy, weights.decoy)),
        r if r < IN_RANGE.0 => Some(item(Kind::BelowReference, curve.at(r) * sureness)),
        _ if against.guessed => None,
        r if r <= IN_RANGE.1 => Some(item(Kind::InRange, weights.in_range)),
        _ => Some(item(Kind::AboveReference, weights.above)),
    });
    found
}

/// The price of a case says nothing about a phone, that of a box or a book nothing about what it is of.
fn says_nothing(matter: &Matter<'_>) -> bool {
    let words = &matter.catalog.snapshot.words;
    let said = |kinds: &[PhraseKind]| matter.reading.in_title(matter.catalog, kinds).next().is_some();
    // "Empty box", "repair service": said so plainly that the goods' own name does not speak against it.
    let plain = [PhraseKind::Part, PhraseKind::Packaging, PhraseKind::About];
    let plainly = matter
        .reading
        .in_title(matter.catalog, &plain)
        .any(|h| words.phrase(h).is_some_and(|p| p.row.strength.to_f64() >= PLAIN && p.row.phrase.contains(' ')));
    let named = matter.reading.goods.is_some_and(|g| matter.makes(g.class) == Some(true));
    let others = [PhraseKind::Part, PhraseKind::Packaging, PhraseKind::About, PhraseKind::ScaleModel, PhraseKind::Sample];
    // Of cosmetics there are genuine samples at a part of the price.
    let cosmetics = matter.catalog.snapshot.classes.by_name("cosmetics");
    let cosmetic = matter.goods.is_some_and(|g| cosmetics.is_some_and(|c| matter.catalog.snapshot.classes.is_within(g.class, c)));
    matter.accessory.is_some() || plainly || (!named && said(&others)) || (cosmetic && said(&[PhraseKind::Sample]))
}

/// Strength of a phrase that says plainly what the goods are.
const PLAIN: f64 = 0.9;

/// What a buyer pays.
struct Asked<'a> {
    price: &'a Price,
    /// Pieces that the price buys.
    units: f64,
    /// US dollars for one piece.
    usd: f64,
    /// The dearest variant over the cheapest.
    spread: f64,
}

/// The listing's price, or the median of its variants'.
fn asked<'a>(matter: &Matter<'a>) -> Option<Asked<'a>> {
    let listing = matter.listing();
    let title = matter.reading.document.title().range.clone();
    let whole = listing.units.or_else(|| pieces(&matter.reading.document.text()[title]));
    let ask = |price: &'a Price, units: Option<u64>| {
        // Pieces of a listing are far below what a float holds exactly.
        #[allow(clippy::cast_precision_loss)]
        let units = units.or(whole).unwrap_or(1).max(1) as f64;
        let usd = matter.catalog.snapshot.rates.price_in_usd(price)? / units;
        (usd > 0.0).then_some(Asked { price, units, usd, spread: 1.0 })
    };
    let mut variants: Vec<Asked<'a>> = listing.variants.iter().filter_map(|v| ask(v.price.as_ref()?, v.units)).collect();
    variants.sort_by(|a, b| a.usd.total_cmp(&b.usd));
    let spread = variants.first().zip(variants.last()).map_or(1.0, |(low, high)| high.usd / low.usd);
    let middle = variants.len() / 2;
    let median = variants.into_iter().nth(middle).map(|asked| Asked { spread, ..asked });
    median.or_else(|| ask(listing.price.as_ref()?, None))
}

/// A hundred or a thousand times off: a wrong unit. Ten times off is what copies cost.
fn near_a_power_of_ten(ratio: f64) -> bool {
    [0.000_1, 0.001, 100.0, 1_000.0, 10_000.0].iter().any(|power| (0.8..1.25).contains(&(ratio / power)))
}
