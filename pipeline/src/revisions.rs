//! Revisions already seen: what is not above them is stale.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

/// The beginning of a listing key's hash: keys may be long, their hashes are not.
pub(crate) type Key = [u8; 16];

/// The short form of a listing's key.
pub(crate) fn key(listing: &str) -> Key {
    let mut key: Key = [0; 16];
    key.copy_from_slice(&Sha256::digest(listing)[..16]);
    key
}

/// A revision, and the place of the event that brought it: its offset, or its number in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) revision: u64,
    pub(crate) place: u64,
}

impl Seen {
    /// Whether an event is stale after this one: it came later and is not above. What comes again from the same place or one
    /// before it was taken once more after a failure, and gives the same again.
    pub(crate) fn makes_stale(self, event: Self) -> bool {
        event.revision <= self.revision && event.place > self.place
    }

    /// What is to be remembered of the two: an event that is taken once more must not lower it.
    pub(crate) fn or_higher(self, other: Option<Self>) -> Self {
        other.filter(|o| o.revision > self.revision).unwrap_or(self)
    }
}

/// The highest revision of each listing, over a window: at least the last `most` listings that changed, and twice as many at most.
pub(crate) struct Revisions {
    most: usize,
    present: HashMap<Key, Seen>,
    past: HashMap<Key, Seen>,
}

impl Revisions {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, present: HashMap::new(), past: HashMap::new() }
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Seen> {
        self.present.get(key).or_else(|| self.past.get(key)).copied()
    }

    /// Remembers what was seen of a listing. Tells whether the older half was forgotten for it.
    pub(crate) fn put(&mut self, key: Key, seen: Seen) -> bool {
        let seen = seen.or_higher(self.get(&key));
        let full = self.present.len() >= self.most;
        if full {
            self.past = std::mem::take(&mut self.present);
        }
        self.present.insert(key, seen);
        full
    }

    /// Whether an event is above all that was seen of its listing; it is remembered if so.
    pub(crate) fn is_new(&mut self, listing: &str, event: Seen) -> bool {
        let key = key(listing);
        let new = self.get(&key).is_none_or(|seen| !seen.makes_stale(event));
        if new {
            self.put(key, event);
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_above_is_stale_unless_it_is_the_same_event_again() {
        let mut revisions = Revisions::new(10);
        for (listing, revision, place, new) in [
            ("a", 5, 0, true),
            ("a", 5, 1, false),
            ("a", 4, 2, false),
            ("b", 4, 3, true),
            ("a", 6, 4, true),
            ("a", 5, 5, false),
            // Taken once more.
            ("a", 5, 0, true),
            ("a", 6, 4, true),
            ("a", 6, 6, false),
        ] {
            assert_eq!(revisions.is_new(listing, Seen { revision, place }), new, "{listing} {revision} at {place}");
        }
    }

    #[test]
    fn the_window_holds_at_least_what_it_says_and_at_most_twice() {
        let mut revisions = Revisions::new(3);
        for place in 0..20 {
            revisions.put(key(&place.to_string()), Seen { revision: 1, place });
            let held = (0..=place).filter(|p| revisions.get(&key(&p.to_string())).is_some()).count() as u64;
            assert!(held >= 3.min(place + 1) && held <= 6, "{held} at {place}");
            assert!(revisions.get(&key(&place.saturating_sub(2).to_string())).is_some());
        }
    }
}
