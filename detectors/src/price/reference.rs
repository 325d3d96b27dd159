//! What the goods of a listing usually cost: by product, else by brand and class, else by the brand's cheapest class.

use touchstone_schemas::{Basis, Condition};

use crate::catalog::{Class, Reference};
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
    /// The goods may be others than those of the reference: only a low price means something.
    pub(crate) guessed: bool,
}

/// Products whose log-odds are this close to the best's are as likely meant.
const AS_LIKELY: f64 = 0.1;

/// What the goods usually cost; nothing when that is not known for such goods.
pub(crate) fn reference(matter: &Matter<'_>) -> Option<Comparison> {
    let weights = &matter.policy.weights.price;
    let class = matter.goods.map(|g| g.class);
    if class.is_some_and(|class| matter.makes(class) == Some(false)) {
        return None;
    }
    let by = |usd, basis, sureness| Comparison { usd, basis, sureness, guessed: false };
    if let Some(sure) = matter.product() {
        if let Some(usd) = of_product(matter, sure.odds) {
            return Some(by(usd, Basis::Product, weights.by_product));
        }
    } else if let Some(likely) = matter.products.first().filter(|r| r.named && r.similarity >= matter.policy.likely_similarity())
        && let Some(usd) = of_product(matter, likely.odds)
    {
        return Some(Comparison { guessed: true, ..by(usd, Basis::Product, weights.by_likely_product) });
    }
    if let Some(usd) = matter.shown().and_then(|product| of_market(matter, &matter.catalog.snapshot.products[product].references)) {
        return Some(by(usd, Basis::Product, weights.by_product));
    }
    let Some(goods) = matter.goods else {
        // No word says what the goods are: then they are what the brand is known for, which its first reference names.
        let main = matter.entry().references.first().map(|r| r.class)?;
        let usd = cheapest(matter, &|r| r.class == main)?;
        return Some(Comparison { usd, basis: Basis::BrandCategory, sureness: weights.by_main_class, guessed: true });
    };
    let tree = &matter.catalog.snapshot.classes;
    let sure = if goods.source == Source::Named { weights.by_class } else { weights.by_likely_class };
    let of = |class: Class| cheapest(matter, &|r| r.class == Some(class));
    let exact = of(goods.class).map(|usd| by(usd, Basis::BrandCategory, sure));
    // A broader class holds dearer and cheaper goods, a narrower or a sister class may be others: a low price says
    // something, a usual one nothing. A price without a category stands for whatever the brand makes.
    let level = |c: Class| tree.has_price_level(c);
    let rough = |usd, sureness| Comparison { guessed: true, ..by(usd, Basis::BrandCategory, sureness) };
    let adapted = |fits: &dyn Fn(Class) -> bool| {
        let adapt = |c: Class| Some(of(c)? * tree.price_level(goods.class, c));
        matter.entry().classes.iter().copied().filter(|c| fits(*c)).filter_map(adapt).reduce(f64::min)
    };
    let broader = || adapted(&|c| level(c) && tree.is_within(goods.class, c)).map(|usd| rough(usd, weights.by_broader_class));
    let sister =
        || adapted(&|c| level(goods.class) && tree.is_within(c, goods.class)).or_else(|| adapted(&|c| tree.siblings(c, goods.class)));
    let any = || cheapest(matter, &|r| r.class.is_none());
    exact.or_else(broader).or_else(|| sister().or_else(any).map(|usd| rough(usd, weights.by_sister_class)))
}

/// The median of the products that are as likely meant as the best.
fn of_product(matter: &Matter<'_>, best: f64) -> Option<f64> {
    let fits = |product: usize| match (matter.reading.goods, matter.catalog.snapshot.products[product].class) {
        (Some(goods), Some(class)) => matter.catalog.snapshot.classes.overlap(goods.class, class),
        _ => true,
    };
    let numbered = matter.models.iter().map(|m| m.product);
    let alike = matter.products.iter().filter(|r| r.odds >= best - AS_LIKELY).map(|r| r.product).filter(|p| fits(*p));
    let meant: Vec<usize> = if matter.models.is_empty() { alike.collect() } else { numbered.collect() };
    let mut prices: Vec<f64> = meant.iter().filter_map(|p| of_market(matter, &matter.catalog.snapshot.products[*p].references)).collect();
    prices.sort_by(f64::total_cmp);
    prices.get(prices.len() / 2).copied()
}

/// What a product costs: in the listing's market, else worldwide, else anywhere.
fn of_market(matter: &Matter<'_>, references: &[Reference]) -> Option<f64> {
    nearest_market(matter, references.iter()).map(|(_, usd)| usd).reduce(f64::min)
}

fn cheapest(matter: &Matter<'_>, fits: &dyn Fn(&Reference) -> bool) -> Option<f64> {
    nearest_market(matter, matter.entry().references.iter().filter(|r| fits(r))).map(|(_, usd)| usd).reduce(f64::min)
}

/// The references for new goods that are nearest to the listing's market: its own, else those for all, else any.
fn nearest_market<'a>(matter: &Matter<'_>, references: impl Iterator<Item = &'a Reference>) -> impl Iterator<Item = (u8, f64)> {
    let nearness = |r: &Reference| match &r.market {
        Some(market) if *market == matter.listing().market => 0,
        None => 1,
        Some(market) if market.as_str() == "ZZ" => 1,
        Some(_) => 2,
    };
    let all: Vec<(u8, f64)> = references.filter(|r| r.condition == Condition::New).map(|r| (nearness(r), r.usd)).collect();
    let nearest = all.iter().map(|(nearness, _)| *nearness).min();
    all.into_iter().filter(move |(nearness, _)| Some(*nearness) == nearest)
}
