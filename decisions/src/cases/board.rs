//! The cases that follow from links, and which of them are news.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};
use sha2::{Digest, Sha256};
use touchstone_schemas::{Case, Id, Join, Link};

use super::graph::{Graph, Key, MOST_SHOWN};
use super::is_live;
use super::rank::{Size, rank};

/// Most joins that a case tells, those of the most sellers first.
const MOST_JOINS: usize = 100;
/// Most outcomes that a case tells, the latest.
const MOST_OUTCOMES: usize = 200;
/// Bytes of a case's sellers, and of the listings of all its joins: a record has to go through a topic.
const MOST_BYTES: usize = 300_000;
/// Suspected listings that make a case of a single seller, of whom nothing was confirmed.
const LISTINGS_OF_ONE: usize = 2;

/// Seller cases. The same links and confirmations give the same cases, whatever their order.
///
/// Sellers are joined by what they both show, unless too many show it: more than 8 of a picture or a description, more than 50 of the
/// rest. A case is named after its first seller by name, `case-` and 16 hexadecimal digits, so that where cases merge, the name of the
/// one whose first seller comes first stays.
#[derive(Debug, Default)]
pub struct Cases {
    graph: Graph,
    /// What stands in the topic.
    published: FxHashMap<u64, Published>,
}

/// A case as it was published.
#[derive(Debug, Clone, Copy)]
struct Published {
    sum: [u8; 32],
    live: bool,
}

impl Cases {
    /// Takes a link; the same once more changes nothing.
    pub fn add(&mut self, link: &Link) {
        self.graph.add(link);
    }

    /// A brand's verdict on the matter led to a removal.
    pub fn confirm(&mut self, suspect_id: &str) {
        self.graph.confirm(suspect_id, true);
    }

    /// That removal was taken back.
    pub fn revoke(&mut self, suspect_id: &str) {
        self.graph.confirm(suspect_id, false);
    }

    /// Tells of a case that stands in the topic, before anything is taken. One that no link speaks of is left as it is.
    pub fn restore(&mut self, case: &Case) {
        if let Some(number) = number(case.case_id.as_str()) {
            self.published.insert(number, Published { sum: sum(case), live: is_live(case) });
        }
    }

    /// The cases that are others than when they were last taken, by id. One that is no more has no sellers, and where it went into
    /// another, that one's id.
    pub fn take_changed(&mut self) -> Vec<Case> {
        let mut seen = FxHashSet::default();
        let mut changed = BTreeMap::new();
        for seller in self.graph.take_touched() {
            if seen.contains(&seller) {
                continue;
            }
            let members = self.graph.together(seller, &mut seen);
            let case = case_of(&self.graph, &members);
            let stands = case.as_ref().map(|case| case.case_id.clone());
            let own = case.as_ref().and_then(|case| number(case.case_id.as_str()));
            for number in members.iter().map(|member| self.graph.sellers[*member].case).filter(|number| Some(*number) != own) {
                if self.published.get(&number).is_some_and(|published| published.live) {
                    changed.extend(id(number).map(|id| (number, tombstone(id, stands.clone()))));
                }
            }
            changed.extend(own.zip(case));
        }
        changed.retain(|number, case| {
            let published = Published { sum: sum(case), live: is_live(case) };
            self.published.insert(*number, published).is_none_or(|before| before.sum != published.sum)
        });
        // Equal widths: numbers sort as ids do.
        changed.into_values().collect()
    }
}

/// The case of sellers that belong together; nothing where a single one is no case.
fn case_of(graph: &Graph, members: &[usize]) -> Option<Case> {
    let sellers = || members.iter().map(|member| &graph.sellers[*member]);
    let listings: BTreeSet<_> = sellers().flat_map(|s| &s.listings).collect();
    let confirmed: BTreeSet<_> = sellers().flat_map(|s| &s.confirmed).collect();
    let markets: BTreeSet<_> = sellers().flat_map(|s| &s.markets).collect();
    if members.len() == 1 && listings.len() < LISTINGS_OF_ONE && confirmed.is_empty() {
        return None;
    }
    let outcomes: BTreeSet<_> = sellers().flat_map(|s| &s.outcomes).collect();
    let told = outcomes.len().saturating_sub(MOST_OUTCOMES);
    let (mut room, size) =
        (MOST_BYTES, Size { confirmed: confirmed.len(), listings: listings.len(), sellers: members.len(), markets: markets.len() });
    let names = sellers().map(|s| s.name.to_string()).take_while(|name| fits(&mut room, name)).collect();
    Some(Case {
        case_id: id(sellers().next()?.case)?,
        sellers: names,
        joins: joins(graph, members),
        rank: rank(size),
        outcomes: outcomes.into_iter().skip(told).map(|(_, outcome)| outcome.clone()).collect(),
        merged_into: None,
        listings: Some(size.listings as u64),
        confirmed: Some(size.confirmed as u64),
        markets: markets.into_iter().map(ToString::to_string).collect(),
    })
}

/// What several of the sellers show.
fn joins(graph: &Graph, members: &[usize]) -> Vec<Join> {
    let keys: BTreeSet<usize> = members.iter().flat_map(|member| &graph.sellers[*member].keys).copied().collect();
    let several = |key: &Key| key.shown.as_ref().is_some_and(|shown| shown.len() > 1);
    let mut keys: Vec<&Key> = keys.into_iter().map(|key| &graph.keys[key]).filter(|key| several(key)).collect();
    let by_name = |key: &Key| (key.kind, key.key.clone());
    keys.sort_by_cached_key(|key| (Reverse(key.shown.as_ref().map_or(0, BTreeMap::len)), by_name(key)));
    keys.truncate(MOST_JOINS);
    keys.sort_by_cached_key(|key| by_name(key));
    let mut room = MOST_BYTES;
    keys.into_iter().map(|key| Join { kind: key.kind, key: key.key.to_string(), listings: shown(graph, key, &mut room) }).collect()
}

/// Listings that show a key: one of each seller before the second of any.
fn shown(graph: &Graph, key: &Key, room: &mut usize) -> Vec<String> {
    let mut all = Vec::new();
    for (seller, listings) in key.shown.iter().flatten() {
        let name = &*graph.sellers[*seller].name;
        all.extend(listings.iter().enumerate().map(|(i, listing)| (i, name, &**listing)));
    }
    all.sort_unstable();
    let first = all.into_iter().take(MOST_SHOWN).map(|(_, _, listing)| listing.to_owned());
    let listings: BTreeSet<String> = first.take_while(|listing| fits(room, listing)).collect();
    listings.into_iter().collect()
}

/// Whether there is room for a text, which it takes.
fn fits(room: &mut usize, text: &str) -> bool {
    // With its quotation marks and comma.
    let left = room.checked_sub(text.len() + 3);
    *room = left.unwrap_or(0);
    left.is_some()
}

/// A case that is no more.
fn tombstone(case_id: Id, merged_into: Option<Id>) -> Case {
    Case {
        case_id,
        sellers: Vec::new(),
        joins: Vec::new(),
        rank: 0.0,
        outcomes: Vec::new(),
        merged_into,
        listings: None,
        confirmed: None,
        markets: Vec::new(),
    }
}

fn id(number: u64) -> Option<Id> {
    Id::new(&format!("case-{number:016x}"))
}

fn number(id: &str) -> Option<u64> {
    let digits = id.strip_prefix("case-").filter(|digits| digits.len() == 16)?;
    u64::from_str_radix(digits, 16).ok()
}

/// Hash of a case's record.
fn sum(case: &Case) -> [u8; 32] {
    // Made of strings and numbers: writing it cannot fail.
    Sha256::digest(serde_json::to_vec(case).unwrap_or_default()).into()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
