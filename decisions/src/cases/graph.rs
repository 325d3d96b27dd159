//! Who shares what: sellers, what they show, and which of them belong together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use sha2::{Digest, Sha256};
use touchstone_schemas::{JoinKey, JoinKind, Link, Market};

use super::{listing_key, most_sellers, seller_key};

/// Most listings of a seller that are kept, the first by name; more are not counted.
const MOST_LISTINGS: usize = 1_000;
/// Most listings of a seller that are kept for one key.
pub(super) const MOST_SHOWN: usize = 50;
/// Most outcomes of a seller that are kept, the latest.
const MOST_OUTCOMES: usize = 100;

/// Sellers and what joins them. It takes memory for each link; what follows does not depend on their order.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) sellers: Vec<Seller>,
    pub(super) keys: Vec<Key>,
    seller_of: FxHashMap<Arc<str>, usize>,
    key_of: FxHashMap<(JoinKind, Arc<str>), usize>,
    matters: FxHashMap<Arc<str>, Matter>,
    /// Sellers whose cases may have changed.
    touched: BTreeSet<usize>,
}

/// A seller.
#[derive(Debug)]
pub(super) struct Seller {
    pub(super) name: Arc<str>,
    /// The number of the case that it would be the first seller of.
    pub(super) case: u64,
    /// Keys that it shows and that may join.
    pub(super) keys: BTreeSet<usize>,
    pub(super) listings: BTreeSet<Arc<str>>,
    pub(super) markets: BTreeSet<Market>,
    /// Its matters that brands confirmed.
    pub(super) confirmed: BTreeSet<Arc<str>>,
    /// The moment in milliseconds, and the outcome with its time.
    pub(super) outcomes: BTreeSet<(i64, String)>,
}

/// Something that may join sellers.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) kind: JoinKind,
    pub(super) key: Arc<str>,
    /// The listings that show it, by seller; nothing where too many sellers do.
    pub(super) shown: Option<BTreeMap<usize, BTreeSet<Arc<str>>>>,
}

/// A matter: whose it is, and whether a brand confirmed it.
#[derive(Debug, Default)]
struct Matter {
    sellers: Vec<usize>,
    confirmed: bool,
}

impl Graph {
    /// Takes a link.
    pub(super) fn add(&mut self, link: &Link) {
        let seller = self.seller(&seller_key(link));
        self.touched.insert(seller);
        if let Some(outcome) = &link.outcome {
            let outcomes = &mut self.sellers[seller].outcomes;
            outcomes.insert((link.at.unix_millis(), format!("{} {outcome}", link.at)));
            if outcomes.len() > MOST_OUTCOMES {
                outcomes.pop_first();
            }
            return;
        }
        let listing: Arc<str> = listing_key(link).into();
        let own = &mut self.sellers[seller];
        keep(&mut own.listings, listing.clone(), MOST_LISTINGS);
        own.markets.extend(link.market.clone());
        if let Some(suspect_id) = &link.suspect_id {
            self.belongs(suspect_id, seller);
        }
        if let Some(key) = &link.link {
            self.shows(seller, key, listing);
        }
    }

    /// Says whether a brand confirmed a matter.
    pub(super) fn confirm(&mut self, suspect_id: &str, confirmed: bool) {
        if !self.matters.contains_key(suspect_id) {
            if !confirmed {
                return;
            }
            self.matters.insert(suspect_id.into(), Matter::default());
        }
        let Some((name, _)) = self.matters.get_key_value(suspect_id) else { return };
        let name = name.clone();
        let Some(matter) = self.matters.get_mut(suspect_id) else { return };
        matter.confirmed = confirmed;
        for seller in &matter.sellers {
            let own = &mut self.sellers[*seller].confirmed;
            let changed = if confirmed { own.insert(name.clone()) } else { own.remove(&name) };
            if changed {
                self.touched.insert(*seller);
            }
        }
    }

    /// Sellers whose cases may have changed since the last call.
    pub(super) fn take_touched(&mut self) -> BTreeSet<usize> {
        std::mem::take(&mut self.touched)
    }

    /// All sellers that belong together with one, by name.
    pub(super) fn together(&self, with: usize, seen: &mut FxHashSet<usize>) -> Vec<usize> {
        let mut members = vec![with];
        let mut keys = FxHashSet::default();
        seen.insert(with);
        let mut next = 0;
        while let Some(seller) = members.get(next).copied() {
            next += 1;
            for key in self.sellers[seller].keys.iter().filter(|key| keys.insert(**key)) {
                let others = self.keys[*key].shown.iter().flat_map(BTreeMap::keys);
                members.extend(others.filter(|other| seen.insert(**other)));
            }
        }
        members.sort_by(|a, b| self.sellers[*a].name.cmp(&self.sellers[*b].name));
        members
    }

    fn seller(&mut self, name: &str) -> usize {
        if let Some(seller) = self.seller_of.get(name) {
            return *seller;
        }
        let name: Arc<str> = name.into();
        let mut head = [0; 8];
        head.copy_from_slice(&Sha256::digest(name.as_bytes())[..8]);
        self.seller_of.insert(name.clone(), self.sellers.len());
        self.sellers.push(Seller {
            name,
            case: u64::from_be_bytes(head),
            keys: BTreeSet::new(),
            listings: BTreeSet::new(),
            markets: BTreeSet::new(),
            confirmed: BTreeSet::new(),
            outcomes: BTreeSet::new(),
        });
        self.sellers.len() - 1
    }

    /// A matter is a seller's; of several sellers where the listing changed hands.
    fn belongs(&mut self, suspect_id: &str, seller: usize) {
        let name = self.matters.get_key_value(suspect_id).map_or_else(|| suspect_id.into(), |(name, _)| name.clone());
        let matter = self.matters.entry(name.clone()).or_default();
        if !matter.sellers.contains(&seller) {
            matter.sellers.push(seller);
        }
        if matter.confirmed {
            self.sellers[seller].confirmed.insert(name);
        }
    }

    fn shows(&mut self, seller: usize, join: &JoinKey, listing: Arc<str>) {
        let name: Arc<str> = join.key.as_str().into();
        let key = *self.key_of.entry((join.kind, name.clone())).or_insert_with(|| {
            self.keys.push(Key { kind: join.kind, key: name, shown: Some(BTreeMap::new()) });
            self.keys.len() - 1
        });
        let Some(shown) = &mut self.keys[key].shown else { return };
        keep(shown.entry(seller).or_default(), listing, MOST_SHOWN);
        self.sellers[seller].keys.insert(key);
        if shown.len() > most_sellers(join.kind) {
            // It stays so, whoever comes: the order of links makes no difference.
            for other in std::mem::take(&mut self.keys[key].shown).into_iter().flat_map(BTreeMap::into_keys) {
                self.sellers[other].keys.remove(&key);
                self.touched.insert(other);
            }
        }
    }
}

/// Keeps the first by name, whatever the order in which they come.
fn keep(set: &mut BTreeSet<Arc<str>>, name: Arc<str>, most: usize) {
    set.insert(name);
    if set.len() > most {
        set.pop_last();
    }
}
