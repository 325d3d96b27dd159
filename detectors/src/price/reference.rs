//! What the goods of a listing usually cost: by product, else by brand and class, else by the brand's cheapest class.

use touchstone_schemas::{Basis, Condition};

use crate::catalog::Reference;
use crate::goods::Source;
use crate::matter::Matter;

/// A price to compare with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Comparison {
    /// US dollars for one piece.
    pub(crate) usd: f64,
    pub(crate) basis: Basis,
    /// Factor on the weight: how sure it is that these are the goods.
    pub(crate) sureness: f64,
}

/// Products whose similarity is this close to the best are as likely meant.
const AS_LIKELY: f64 = 0.05;

/// What the goods usually cost; nothing when that is not known for such goods.
pub(crate) fn reference(matter: &Matter<'_>) -> Option<Comparison> {
    let weights = &matter.policy.weights.price;
    let makes = matter.goods.map(|g| matter.makes(g.class));
    if makes == Some(Some(false)) {
        return None;
    }
    if let Some(usd) = of_product(matter) {
        return Some(Comparison { usd, basis: Basis::Product, sureness: weights.by_product });
    }
    let by_class = |class| {
        let classes = &matter.catalog.classes;
        let of = |fits: &dyn Fn(&Reference) -> bool| cheapest(matter, fits);
        // The class itself, else the broader one that holds it, else the cheapest of what it may be.
        of(&|r| r.class == Some(class)).or_else(|| of(&|r| r.class.is_some_and(|c| classes.is_within(class, c)))).or_else(|| of(&|r| r.class.is_some_and(|c| classes.is_within(c, class))))
    };
    match matter.goods {
        Some(goods) => {
            let sureness = if goods.source == Source::Named { weights.by_class } else { weights.by_likely_class };
            by_class(goods.class).map(|usd| Comparison { usd, basis: Basis::BrandCategory, sureness })
        }
        None => cheapest(matter, &|_| true).map(|usd| Comparison { usd, basis: Basis::BrandCategory, sureness: weights.by_cheapest_class }),
    }
}

/// The median of the products that are as likely meant as the best.
fn of_product(matter: &Matter<'_>) -> Option<f64> {
    let best = matter.product()?;
    let numbered = matter.models.iter().map(|m| m.product);
    let alike = matter.products.iter().filter(|r| r.similarity >= best.similarity - AS_LIKELY).map(|r| r.product);
    let meant: Vec<usize> = if matter.models.is_empty() { alike.collect() } else { numbered.collect() };
    let mut prices: Vec<f64> = meant.iter().filter_map(|p| of_market(matter, &matter.catalog.products[*p].references)).collect();
    prices.sort_by(f64::total_cmp);
    prices.get(prices.len() / 2).copied()
}

/// A product's price in the listing's market, else anywhere.
fn of_market(matter: &Matter<'_>, references: &[Reference]) -> Option<f64> {
    let new = || references.iter().filter(|r| r.condition == Condition::New);
    let here = new().find(|r| r.market.as_ref() == Some(&matter.listing().market));
    here.or_else(|| new().find(|r| r.market.is_none())).or_else(|| new().next()).map(|r| r.usd)
}

fn cheapest(matter: &Matter<'_>, fits: &dyn Fn(&Reference) -> bool) -> Option<f64> {
    let rows = || matter.entry().references.iter().filter(|r| r.condition == Condition::New && fits(r));
    let here = rows().filter(|r| r.market.as_ref() == Some(&matter.listing().market)).map(|r| r.usd).reduce(f64::min);
    here.or_else(|| rows().map(|r| r.usd).reduce(f64::min))
}
