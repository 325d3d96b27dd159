//! Seller evidence: who is authorised, who was caught before, who calls himself official.

use touchstone_schemas::{Detector as Name, Evidence, Kind, Tier, Weight};

use crate::detector::Detector;
use crate::matter::Matter;
use crate::text::normalise;

/// Looks at the seller.
pub(crate) struct SellerDetector;

/// Words by which a shop claims to be the brand's own; normalised.
const CLAIMS: &[&str] =
    &["official", "authorised", "authorized", "flagship", "resmi", "chinh hang", "oficial", "旗舰店", "官方", "공식", "ทางการ"];

impl Detector for SellerDetector {
    fn name(&self) -> Name {
        Name::Seller
    }

    fn detect(&self, matter: &Matter<'_>) -> Vec<Evidence> {
        let Some(seller) = &matter.listing().seller else { return Vec::new() };
        let listing = matter.listing();
        let weights = &matter.policy.weights.seller;
        let item = |kind, weight| Evidence::new(Name::Seller, kind, Weight::from_f64(weight));
        let (platform, id) = (listing.platform.as_str(), seller.id.as_str());
        if matter.catalog.overlay.authorisation(matter.brand, platform, id, &listing.market, &listing.occurred_at).is_some() {
            return vec![item(Kind::Authorised, weights.authorised)];
        }
        let vouched = matches!(seller.tier, Some(Tier::Official | Tier::Authorised));
        let offender =
            matter.catalog.overlay.offender(platform, id).filter(|o| o.since.as_ref().is_none_or(|since| *since <= listing.occurred_at));
        let mut found = Vec::new();
        if vouched {
            found.push(item(Kind::Authorised, weights.official));
        }
        if offender.is_some() {
            found.push(item(Kind::RepeatOffender, weights.repeat_offender));
        }
        if !vouched && matter.anchored && seller.name.as_deref().is_some_and(|name| claims_to_be(matter, name)) {
            found.push(item(Kind::ImpostorShop, weights.impostor_shop));
        }
        found
    }
}

/// The shop's name names the brand and claims to be its own.
fn claims_to_be(matter: &Matter<'_>, shop: &str) -> bool {
    let shop = normalise(shop);
    let mut names = matter.catalog.snapshot.lexicon.of_brand(matter.brand).filter(|n| n.spaced.chars().count() > 3);
    CLAIMS.iter().any(|claim| shop.contains(claim)) && names.any(|n| shop.contains(&n.spaced))
}
