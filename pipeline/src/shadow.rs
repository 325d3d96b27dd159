//! A policy or a catalog that is tried on live traffic beside the one in use: what it would change is counted, and nothing of it
//! is written.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use touchstone_detectors::{Catalog, Picture, Policy, Scanner};
use touchstone_schemas::{BrandId, Listing, Suspect, Timestamp};
use tracing::{info, warn};

use crate::config::Config;
use crate::failure::Failure;
use crate::metrics::Metrics;
use crate::replay::{Change, Difference, as_taken, differences, per_million};

/// Brands that are counted by their names; the others are one.
const BRANDS: usize = 200;
const OTHER: &str = "other";

/// What is tried, and what came of it.
pub(crate) struct Shadow {
    tried: Tried,
    metrics: Arc<Metrics>,
    samples: usize,
    /// The scanner in use when a batch was scanned last, with the one beside it.
    pair: Mutex<Option<(Arc<Scanner>, Arc<Scanner>)>>,
    seen: Mutex<Seen>,
}

enum Tried {
    /// Another policy, with the catalog in use.
    Policy(Policy),
    /// Another catalog, with its policy.
    Catalog(Arc<Catalog>, Policy),
}

impl Shadow {
    /// Nothing where the configuration tries nothing.
    ///
    /// # Errors
    /// What is wrong with the catalog or the policy.
    pub(crate) fn new(config: &Config, metrics: Arc<Metrics>) -> Result<Option<Self>, Failure> {
        let given = |text: &'_ str| (!text.is_empty()).then(|| Path::new(text).to_owned());
        let tried = match (given(&config.shadow.catalog), given(&config.shadow.policy)) {
            (None, None) => return Ok(None),
            (Some(path), file) => {
                let catalog = crate::commands::load(&path)?;
                let policy = crate::commands::policy(file.as_deref(), &path, &catalog)?;
                Tried::Catalog(Arc::new(catalog), policy)
            }
            (None, Some(file)) => {
                let cannot = |e: &dyn std::fmt::Display| Failure::Usage(format!("{}: {e}", file.display()));
                let text = std::fs::read_to_string(&file).map_err(|e| cannot(&format!("cannot be read: {e}")))?;
                Tried::Policy(Policy::parse(&text).map_err(|e| cannot(&e))?)
            }
        };
        let samples = usize::try_from(config.shadow.samples).unwrap_or(usize::MAX);
        Ok(Some(Self { tried, metrics, samples, pair: Mutex::new(None), seen: Mutex::new(Seen::default()) }))
    }

    /// The scanner beside the one in use.
    pub(crate) fn beside(&self, live: &Arc<Scanner>) -> Arc<Scanner> {
        let mut pair = self.pair.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, beside)) = pair.as_ref().filter(|(before, _)| Arc::ptr_eq(before, live)) {
            return beside.clone();
        }
        let beside = Arc::new(match &self.tried {
            Tried::Policy(policy) => {
                if let Some(conflict) = policy.conflict(live.catalog()) {
                    warn!("shadow.policy: {conflict}");
                }
                live.under(policy.clone())
            }
            Tried::Catalog(catalog, policy) => Scanner::new(catalog.clone(), policy.clone()),
        });
        info!(catalog = beside.catalog().version(), policy = beside.policy().version(), "tried in the shadow");
        *pair = Some((live.clone(), beside.clone()));
        beside
    }

    /// A batch whose looks are to be counted.
    pub(crate) fn batch(&self) -> Looks {
        Looks { most: self.samples, ..Looks::default() }
    }

    /// Counts the looks of a batch that is committed.
    pub(crate) fn count(&self, looks: &Looks) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for (label, name, count) in seen.add(looks, self.samples) {
            self.metrics.shadow.with_label_values(&[label.as_str(), name]).inc_by(count);
        }
    }

    /// All that was counted since the worker started, and the last samples, the newest first.
    pub(crate) fn shown(&self) -> Value {
        let version =
            |scanner: &Scanner| json!({"catalog_version": scanner.catalog().version(), "policy_version": scanner.policy().version()});
        let pair = self.pair.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (live, shadow) = pair.map(|(live, beside)| (version(&live), version(&beside))).unzip();
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let row = |((label, change), count): (&(String, Change), &u64)| {
            let (from, to) = change.bands();
            let per_million = per_million(*count, seen.listings);
            json!({"brand_id": label, "difference": change.name(), "from": from, "to": to, "count": count, "per_million": per_million})
        };
        let rows: Vec<Value> = seen.rows.iter().map(row).collect();
        let samples: Vec<&Difference> = seen.samples.iter().rev().collect();
        json!({"live": live, "shadow": shadow, "listings": seen.listings, "panics": seen.panics, "differences": rows, "samples": samples})
    }
}

/// What the shadow finds differently in a listing; nothing where it panicked.
pub(crate) struct Look(Option<Vec<Difference>>);

impl Look {
    /// Looks at a listing as the scanner in use did.
    pub(crate) fn of(beside: &Scanner, listing: &Listing, pictures: &[Picture], now: &Timestamp, suspects: &[Suspect]) -> Self {
        Self::guarded(|| beside.scan(&as_taken(listing, beside), pictures, now), suspects)
    }

    /// What goes wrong in the shadow is nothing to the listing.
    fn guarded(scan: impl FnOnce() -> Vec<Suspect>, suspects: &[Suspect]) -> Self {
        Self(catch_unwind(AssertUnwindSafe(|| differences(suspects, &scan()))).ok())
    }
}

/// The looks of a batch.
#[derive(Default)]
pub(crate) struct Looks {
    listings: u64,
    panics: u64,
    rows: BTreeMap<(BrandId, Change), u64>,
    samples: VecDeque<Difference>,
    /// Samples that are kept, the last ones.
    most: usize,
}

impl Looks {
    /// Takes a look.
    pub(crate) fn add(&mut self, look: Look) {
        self.listings += 1;
        let Some(found) = look.0 else {
            self.panics += 1;
            return;
        };
        for difference in found {
            *self.rows.entry((difference.brand_id.clone(), difference.change)).or_default() += 1;
            keep(&mut self.samples, self.most, difference);
        }
    }
}

/// Keeps the last of some samples.
fn keep(samples: &mut VecDeque<Difference>, most: usize, sample: Difference) {
    samples.push_back(sample);
    while samples.len() > most {
        samples.pop_front();
    }
}

/// What was counted of all batches.
#[derive(Default)]
struct Seen {
    listings: u64,
    panics: u64,
    /// Brands that have a name of their own: the first that came.
    named: BTreeSet<BrandId>,
    rows: BTreeMap<(String, Change), u64>,
    samples: VecDeque<Difference>,
}

impl Seen {
    /// Adds a batch; gives what is to be counted of it, by brand and difference.
    fn add(&mut self, looks: &Looks, most: usize) -> Vec<(String, &'static str, u64)> {
        self.listings += looks.listings;
        self.panics += looks.panics;
        let mut counted = Vec::new();
        for ((brand, change), count) in &looks.rows {
            if self.named.len() < BRANDS && !self.named.contains(brand) {
                self.named.insert(brand.clone());
            }
            let label = if self.named.contains(brand) { brand.as_str() } else { OTHER };
            *self.rows.entry((label.to_owned(), *change)).or_default() += count;
            counted.push((label.to_owned(), change.name(), *count));
        }
        looks.samples.iter().for_each(|sample| keep(&mut self.samples, most, sample.clone()));
        if looks.panics > 0 {
            // It is nobody's in particular.
            counted.push((OTHER.to_owned(), "panic", looks.panics));
        }
        counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::suspect;

    fn look(brand: &str) -> Look {
        Look::guarded(|| vec![suspect(brand, 0.95, "report", &[])], &[])
    }

    #[test]
    fn a_panic_in_the_shadow_is_counted_and_goes_no_further() {
        let mut looks = Looks { most: 2, ..Looks::default() };
        looks.add(Look::guarded(|| panic!("a listing that breaks it"), &[]));
        looks.add(Look::guarded(Vec::new, &[]));
        looks.add(look("acme"));
        let counted = Seen::default().add(&looks, 2);
        assert_eq!((looks.listings, looks.panics), (3, 1));
        assert_eq!(counted, [("acme".to_owned(), "new", 1), (OTHER.to_owned(), "panic", 1)]);
    }

    #[test]
    fn brands_and_samples_are_bounded() {
        let mut seen = Seen::default();
        for batch in 0..25 {
            let mut looks = Looks { most: 3, ..Looks::default() };
            (0..10).for_each(|i| looks.add(look(&format!("b{:03}", batch * 10 + i))));
            assert_eq!(looks.samples.len(), 3);
            seen.add(&looks, 5);
        }
        assert_eq!((seen.listings, seen.named.len(), seen.rows.len(), seen.samples.len()), (250, BRANDS, BRANDS + 1, 5));
        let rest: u64 = seen.rows.iter().filter(|((label, _), _)| label == OTHER).map(|(_, count)| count).sum();
        assert_eq!(rest, 50);
        assert_eq!(seen.samples.back().map(|s| s.brand_id.as_str()), Some("b249"));
    }
}
