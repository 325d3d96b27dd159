//! Who gave a verdict or a notice, and whether they may speak for the brand.

use touchstone_detectors::{Catalog, suspect_id};
use touchstone_schemas::{Agent, Brand, BrandId, Giver, GiverType, Market, Timestamp, Verdict};

/// Why somebody's word does not count, and what to do better.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The reason, as the dead letters name it.
    pub reason: &'static str,
    /// The JSON path of what is wrong.
    pub path: &'static str,
    /// What is wrong and what to do.
    pub detail: String,
}

impl Refusal {
    pub(crate) fn new(reason: &'static str, path: &'static str, detail: String) -> Self {
        Self { reason, path, detail }
    }
}

/// Whether a verdict is one of this brand about this listing, by somebody who may speak for the brand.
///
/// # Errors
/// Why not: it is foreign.
pub fn check_verdict(catalog: &Catalog, verdict: &Verdict) -> Result<(), Refusal> {
    let Verdict { platform, market, listing_id, brand_id, by, at, .. } = verdict;
    if verdict.suspect_id.as_str() != suspect_id(platform.as_str(), market.as_str(), listing_id.as_str(), brand_id.as_str()) {
        let detail = "suspect_id is not the one of this platform, market, listing and brand: repeat those of the suspect".to_owned();
        return Err(Refusal::new("foreign", "suspect_id", detail));
    }
    speaks_for(catalog, by, brand_id, market, at).map(drop).map_err(|refusal| Refusal { reason: "foreign", ..refusal })
}

/// Whether somebody may speak for a brand in a market at a time. Moderators may for all.
///
/// # Errors
/// Why not.
pub(crate) fn speaks_for<'a>(
    catalog: &'a Catalog,
    by: &Giver,
    brand_id: &BrandId,
    market: &Market,
    at: &Timestamp,
) -> Result<&'a Brand, Refusal> {
    let unknown = || {
        let known = catalog.brands().map(|(id, ..)| id);
        let near = touchstone_detectors::nearest(brand_id.as_str(), known).map(|near| format!("; did you mean {near:?}?"));
        Refusal::new("unknown_brand", "brand_id", format!("the catalog has no brand {brand_id}{}", near.unwrap_or_default()))
    };
    let brand = catalog.brand(brand_id.as_str()).ok_or_else(unknown)?;
    let holder = catalog.rights_holders().iter().find(|h| brand.rights_holder_id.as_deref() == Some(h.rights_holder_id.as_str()));
    match by.r#type {
        GiverType::Moderator => Ok(brand),
        GiverType::Agent => {
            let agent = holder.and_then(|h| h.agents.iter().find(|a| a.agent_id == by.id));
            agent.map_or_else(|| Err(not_theirs(brand_id, by)), |agent| acts(agent, brand_id, market, at)).map(|()| brand)
        }
        GiverType::Brand => {
            let is_anothers = |id: &str| id != brand_id.as_str() && brand.rights_holder_id.as_deref() != Some(id);
            let id = by.id.as_str();
            let known = catalog.brand(id).is_some() || catalog.rights_holders().iter().any(|h| h.rights_holder_id.as_str() == id);
            if known && is_anothers(id) { Err(not_theirs(brand_id, by)) } else { Ok(brand) }
        }
    }
}

fn not_theirs(brand_id: &BrandId, by: &Giver) -> Refusal {
    let detail =
        format!("{} {} does not act for {brand_id}: its rights holder must name them in rights_holders.jsonl", by.r#type.as_str(), by.id);
    Refusal::new("not_the_reporters_brand", "by.id", detail)
}

fn acts(agent: &Agent, brand_id: &BrandId, market: &Market, at: &Timestamp) -> Result<(), Refusal> {
    if !agent.brands.is_empty() && !agent.brands.contains(brand_id) {
        let detail = format!("agent {} does not act for {brand_id}, but for other brands of its rights holder", agent.agent_id);
        return Err(Refusal::new("not_the_reporters_brand", "by.id", detail));
    }
    if let Some(until) = agent.valid_until.as_ref().filter(|until| at >= *until) {
        let detail = format!("agent {} acted until {until}: its rights holder must renew the term", agent.agent_id);
        return Err(Refusal::new("agents_term_over", "by.id", detail));
    }
    if !agent.markets.is_empty()
        && !agent.markets.contains(market)
        && market.as_str() != WORLD
        && !agent.markets.iter().any(|m| m.as_str() == WORLD)
    {
        let detail = format!("agent {} does not act in {market}: its rights holder must add the market", agent.agent_id);
        return Err(Refusal::new("territory_not_covered", "by.id", detail));
    }
    Ok(())
}

/// The market that stands for all.
pub(crate) const WORLD: &str = "ZZ";
