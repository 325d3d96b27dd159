//! What is looked at before a notice is accepted: what portals say days later, said at once.

use touchstone_detectors::Catalog;
use touchstone_schemas::{Brand, Life, Market, Matter, Notice, Timestamp};

use crate::giver::{Refusal, WORLD, speaks_for};

/// What is known of the listing that a notice names.
pub(crate) struct Known<'a> {
    /// The matter that it is about, where there is one.
    pub(crate) matter: Option<&'a Matter>,
    /// Whether the listing was ever seen; nothing where that cannot be told.
    pub(crate) listing: Option<bool>,
}

/// Whether a notice against a listing is accepted.
///
/// # Errors
/// Why not, and what to do better.
pub(crate) fn check(catalog: &Catalog, notice: &Notice, known: &Known<'_>) -> Result<(), Refusal> {
    let target = &notice.target;
    let brand = speaks_for(catalog, &notice.by, &notice.brand_id, &target.market, &notice.at)?;
    territory(brand, &target.market, &notice.at)?;
    if known.matter.and_then(|matter| matter.look.as_ref()).is_some_and(|look| look.outside) {
        let detail = format!(
            "the goods are of a kind that {} does not make: name the registration that covers them in a verdict's proof",
            brand.name
        );
        return Err(Refusal::new("class_not_covered", "target", detail));
    }
    if known.matter.is_some_and(|matter| matches!(matter.life, Life::Removed | Life::Upheld)) {
        let detail = "the listing is taken down already: nothing need be done".to_owned();
        return Err(Refusal::new("already_down", "target", detail));
    }
    if known.listing == Some(false) {
        let detail = "no such listing was seen: compare platform, market and listing_id with the address of the page".to_owned();
        return Err(Refusal::new("no_such_listing", "target", detail));
    }
    Ok(())
}

/// Whether a brand has a mark in a market at a time. One whose marks the catalog does not have is taken at its word.
fn territory(brand: &Brand, market: &Market, at: &Timestamp) -> Result<(), Refusal> {
    let covers = |markets: &[Market]| markets.is_empty() || markets.iter().any(|m| m == market || m.as_str() == WORLD);
    let marks = &brand.trademarks;
    if marks.is_empty() || marks.iter().any(|mark| covers(&mark.markets) && mark.valid_until.as_ref().is_none_or(|until| at < until)) {
        return Ok(());
    }
    let detail = format!("{} has no mark in {market} that is in force: add its registration to brands.jsonl", brand.name);
    Err(Refusal::new("territory_not_covered", "target.market", detail))
}
