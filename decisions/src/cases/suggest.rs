//! Which test purchases would teach most.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use touchstone_schemas::{JoinKind, Suspect};

use super::{links, listing_key, most_sellers, seller_key};

/// A suspect that nobody has spoken of.
#[derive(Debug, Clone, PartialEq)]
pub struct Open {
    /// The matter.
    pub suspect_id: String,
    /// The brand.
    pub brand_id: String,
    /// `platform:seller_id`.
    pub seller: String,
    /// `platform:market:listing_id`.
    pub listing: String,
    /// Probability that the brand would confirm it.
    pub score: f64,
    /// What its seller may be joined by.
    pub keys: Vec<(JoinKind, String)>,
}

impl Open {
    /// What counts of a suspect; nothing of one that was taken back.
    pub fn of(suspect: &Suspect) -> Option<Self> {
        let links = links(suspect);
        let first = links.first()?;
        Some(Self {
            suspect_id: suspect.suspect_id.clone(),
            brand_id: suspect.brand_id.to_string(),
            seller: seller_key(first),
            listing: listing_key(first),
            score: suspect.score.to_f64(),
            keys: links.into_iter().filter_map(|link| link.link).map(|link| (link.kind, link.key)).collect(),
        })
    }
}

/// A test purchase.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// The suspect to buy from, by its place among those given.
    pub open: usize,
    /// How much its answer teaches: `4 p (1 - p)` for each listing that it would decide.
    pub gain: f64,
    /// Listings that it would decide and that none before it decides, its own among them.
    pub decides: usize,
    /// What the other listings have in common with it: `seller`, or kinds of keys.
    pub by: BTreeSet<&'static str>,
}

/// The test purchases that teach most, the best first. Each is judged by what is left open by those before it: a seller is not
/// suggested again and again.
///
/// An answer decides the listings of the same seller, and those of sellers that show the same as it, unless too many show that. It
/// teaches the more the less it is known before: `4 p (1 - p)` is 1 at a score of 0.5, and 0 at 0 and 1.
pub fn suggest(open: &[Open], top: usize) -> Vec<Suggestion> {
    let groups = Groups::new(open);
    let mut decided = vec![false; groups.listings];
    // The gain of a suspect only shrinks, as others are picked: what was the best and is so still after another look is the best.
    let mut heap: BinaryHeap<Bound> = (0..open.len()).map(|i| groups.bound(open, i)).collect();
    let mut picked = Vec::new();
    while picked.len() < top
        && let Some(best) = heap.pop()
    {
        let found = groups.look(open, best.open, &decided);
        if found.decides == 0 {
            continue;
        }
        let bound = Bound { gain: found.gain, open: found.open };
        if heap.peek().is_some_and(|next| *next > bound) {
            heap.push(bound);
            continue;
        }
        groups.decided_by(found.open, |listing| decided[listing] = true);
        picked.push(found);
    }
    picked
}

/// At most so much would be learnt; of equals the first comes first.
#[derive(Debug)]
struct Bound {
    gain: f64,
    open: usize,
}

impl Ord for Bound {
    fn cmp(&self, other: &Self) -> Ordering {
        self.gain.total_cmp(&other.gain).then(other.open.cmp(&self.open))
    }
}

impl PartialOrd for Bound {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Bound {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Bound {}

/// Which listings have what in common.
struct Groups {
    listings: usize,
    listing_of: Vec<usize>,
    /// Groups of each suspect.
    of: Vec<Vec<usize>>,
    /// What each group has in common, and its listings.
    groups: Vec<(&'static str, BTreeSet<usize>)>,
}

impl Groups {
    fn new(open: &[Open]) -> Self {
        let mut listings: BTreeMap<&str, usize> = BTreeMap::new();
        let mut sellers: BTreeMap<(JoinKind, &str), BTreeSet<&str>> = BTreeMap::new();
        let mut listing_of = Vec::with_capacity(open.len());
        for suspect in open {
            let next = listings.len();
            listing_of.push(*listings.entry(&suspect.listing).or_insert(next));
            for (kind, key) in &suspect.keys {
                let sellers = sellers.entry((*kind, key.as_str())).or_default();
                if sellers.len() <= most_sellers(*kind) {
                    sellers.insert(&suspect.seller);
                }
            }
        }
        let mut numbers: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        let mut groups: Vec<(&'static str, BTreeSet<usize>)> = Vec::new();
        let mut of = Vec::with_capacity(open.len());
        for (suspect, listing) in open.iter().zip(&listing_of) {
            let keys = suspect.keys.iter().filter(|(kind, key)| sellers[&(*kind, key.as_str())].len() <= most_sellers(*kind));
            let names = keys.map(|(kind, key)| (kind.as_str(), key.as_str())).chain([("seller", suspect.seller.as_str())]);
            let mut own = Vec::new();
            for (what, name) in names {
                let number = *numbers.entry((what, name)).or_insert_with(|| {
                    groups.push((what, BTreeSet::new()));
                    groups.len() - 1
                });
                groups[number].1.insert(*listing);
                own.push(number);
            }
            of.push(own);
        }
        Self { listings: listings.len(), listing_of, of, groups }
    }

    /// As if no listing was in two groups.
    fn bound(&self, open: &[Open], suspect: usize) -> Bound {
        let most = self.of[suspect].iter().map(|group| self.groups[*group].1.len()).sum();
        Bound { gain: gain(open[suspect].score, most), open: suspect }
    }

    fn look(&self, open: &[Open], suspect: usize, decided: &[bool]) -> Suggestion {
        let own = self.listing_of[suspect];
        let mut left = BTreeSet::new();
        let mut by = BTreeSet::new();
        for (what, listings) in self.of[suspect].iter().map(|group| &self.groups[*group]) {
            for listing in listings.iter().filter(|listing| !decided[**listing]) {
                left.insert(*listing);
                if *listing != own {
                    by.insert(*what);
                }
            }
        }
        Suggestion { open: suspect, gain: gain(open[suspect].score, left.len()), decides: left.len(), by }
    }

    fn decided_by(&self, suspect: usize, each: impl FnMut(usize)) {
        self.of[suspect].iter().flat_map(|group| &self.groups[*group].1).copied().for_each(each);
    }
}

fn gain(score: f64, listings: usize) -> f64 {
    4.0 * score * (1.0 - score) * f64::from(u32::try_from(listings).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn open(seller: &str, listing: &str, score: f64, keys: &[(JoinKind, &str)]) -> Open {
        Open {
            suspect_id: format!("{listing}/{score}"),
            brand_id: "nordvale".to_owned(),
            seller: seller.to_owned(),
            listing: listing.to_owned(),
            score,
            keys: keys.iter().map(|(kind, key)| (*kind, (*key).to_owned())).collect(),
        }
    }

    fn listings(all: &[Open], top: usize) -> Vec<(&str, usize)> {
        suggest(all, top).into_iter().map(|s| (all[s.open].listing.as_str(), s.decides)).collect()
    }

    #[test]
    fn suggests_what_is_least_known_and_decides_most() {
        use JoinKind::{Payout, Picture};
        let crowd: Vec<Open> = (0..9).map(|i| open(&format!("s{i}"), &format!("l{i}"), 0.7, &[(Picture, "everywhere")])).collect();
        for (name, all, expected) in [
            ("nothing", vec![], vec![]),
            ("the least known", vec![open("a", "1", 0.95, &[]), open("b", "2", 0.6, &[])], vec![("2", 1), ("1", 1)]),
            ("of equals the first", vec![open("a", "1", 0.7, &[]), open("b", "2", 0.7, &[])], vec![("1", 1), ("2", 1)]),
            (
                "a seller once",
                vec![open("a", "1", 0.9, &[]), open("a", "2", 0.8, &[]), open("a", "3", 0.7, &[]), open("b", "4", 0.6, &[])],
                vec![("3", 3), ("4", 1)],
            ),
            (
                "sellers that are joined",
                vec![open("a", "1", 0.9, &[(Payout, "k")]), open("b", "2", 0.9, &[(Payout, "k")]), open("c", "3", 0.8, &[])],
                vec![("1", 2), ("3", 1)],
            ),
            ("a listing that two brands suspect", vec![open("a", "1", 0.9, &[]), open("a", "1", 0.6, &[])], vec![("1", 1)]),
        ] {
            let expected: Vec<(&str, usize)> = expected;
            assert_eq!(listings(&all, 9), expected, "{name}");
        }
        assert_eq!(listings(&crowd, 2), [("l0", 1), ("l1", 1)], "what too many show joins nobody");
        assert_eq!(listings(&crowd[..8], 2), [("l0", 8)]);
        let by = suggest(&[open("a", "1", 0.9, &[(Payout, "k")]), open("b", "2", 0.9, &[(Payout, "k")])], 1);
        assert_eq!(by[0].by, BTreeSet::from(["payout"]));
    }

    proptest! {
        #[test]
        fn each_is_the_best_of_what_is_left(
            all in proptest::collection::vec((0..6_u8, 0..9_u8, 50..100_u8, proptest::option::of(0..4_u8)), 0..20)
        ) {
            let key = |key: &Option<u8>| key.map(|key| key.to_string());
            let all: Vec<Open> = all.iter().map(|(seller, listing, score, k)| {
                let key = key(k);
                let keys: Vec<_> = key.iter().map(|key| (JoinKind::Payout, key.as_str())).collect();
                open(&seller.to_string(), &listing.to_string(), f64::from(*score) / 100.0, &keys)
            }).collect();
            let mut decided: BTreeSet<&str> = BTreeSet::new();
            let others = |a: &Open| -> BTreeSet<&str> {
                all.iter().filter(|b| a.seller == b.seller || (!a.keys.is_empty() && a.keys == b.keys)).map(|b| b.listing.as_str()).collect()
            };
            for suggestion in suggest(&all, 20) {
                let worth = |a: &Open, decided: &BTreeSet<&str>| gain(a.score, others(a).difference(decided).count());
                let best = all.iter().map(|a| worth(a, &decided)).max_by(f64::total_cmp).unwrap_or_default();
                prop_assert_eq!(suggestion.gain, best);
                prop_assert_eq!(suggestion.gain, worth(&all[suggestion.open], &decided));
                decided.extend(others(&all[suggestion.open]));
            }
            prop_assert!(all.iter().all(|a| decided.contains(a.listing.as_str())));
        }
    }
}
