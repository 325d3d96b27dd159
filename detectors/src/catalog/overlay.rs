//! The part of a catalog that changes from day to day: who may sell, who was caught, and what was confirmed as fake. Small, and
//! made anew in milliseconds while the rest stays.

use std::collections::HashMap;

use touchstone_schemas::{AuthorisedSeller, Market, Offender, Timestamp};

use super::pictures;
use super::rows::{Row, Rows};
use super::snapshot::Snapshot;
use crate::image::PictureIndex;
use crate::text::FakeText;

/// A seller of a platform, or something else that two ids name.
type Pair = (String, String);

/// Sellers and known fakes. Immutable.
pub(crate) struct Overlay {
    pub(crate) fake_texts: Vec<FakeText>,
    pub(crate) fakes: PictureIndex,
    authorised: HashMap<Pair, Vec<(usize, AuthorisedSeller)>>,
    offenders: HashMap<Pair, Offender>,
}

impl Overlay {
    /// Compiles rows that were checked and sorted; those of brands that the snapshot does not know are left out.
    pub(super) fn compile(rows: &Rows, snapshot: &Snapshot) -> Self {
        let mut authorised: HashMap<_, Vec<_>> = HashMap::new();
        for Row { row, .. } in &rows.authorised_sellers {
            let key = (row.platform.to_string(), row.seller_id.to_string());
            let brand = snapshot.brand(row.brand_id.as_str());
            authorised.entry(key).or_default().extend(brand.map(|brand| (brand, row.clone())));
        }
        // Of several rows for one seller the earliest date holds.
        let mut offenders: HashMap<Pair, Offender> = HashMap::new();
        for Row { row, .. } in &rows.offenders {
            let known = offenders.entry((row.platform.to_string(), row.seller_id.to_string())).or_insert_with(|| row.clone());
            known.since = known.since.take().min(row.since.clone());
        }
        let of_brands = || rows.known_fakes.iter().filter_map(|r| Some((&r.row, snapshot.brand(r.row.brand_id.as_str())?)));
        let fake_texts = of_brands().filter_map(|(fake, brand)| FakeText::of(fake, brand)).collect();
        Self { fake_texts, fakes: pictures::of_fakes(of_brands()), authorised, offenders }
    }

    /// The brand's authorisation of a seller that holds at a time and in a market.
    pub(crate) fn authorisation(
        &self,
        brand: usize,
        platform: &str,
        seller: &str,
        market: &Market,
        at: &Timestamp,
    ) -> Option<&AuthorisedSeller> {
        let rows = self.authorised.get(&(platform.to_owned(), seller.to_owned()))?;
        let holds = |row: &AuthorisedSeller| {
            (row.markets.is_empty() || row.markets.iter().any(|m| m == market || m.as_str() == "ZZ"))
                && row.valid_from.as_ref().is_none_or(|from| from <= at)
                && row.valid_until.as_ref().is_none_or(|until| at < until)
        };
        rows.iter().find(|(b, row)| *b == brand && holds(row)).map(|(_, row)| row)
    }

    /// How many rows of authorised sellers there are.
    pub(super) fn authorised_sellers(&self) -> usize {
        self.authorised.values().map(Vec::len).sum()
    }

    /// What is known of a seller who was caught.
    pub(crate) fn offender(&self, platform: &str, seller: &str) -> Option<&Offender> {
        self.offenders.get(&(platform.to_owned(), seller.to_owned()))
    }
}
