//! Revisions already seen: what is not above them is stale.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

/// The beginning of a listing key's hash.
type Key = [u8; 16];

/// Listings remembered in each of two generations.
const GENERATION: usize = 1_000_000;

/// The highest revision of each listing, over a window of the last one to two million listings.
#[derive(Default)]
pub(crate) struct Revisions {
    present: HashMap<Key, u64>,
    past: HashMap<Key, u64>,
}

impl Revisions {
    /// Whether a revision is above all that were seen of this listing; it is remembered if so.
    pub(crate) fn is_new(&mut self, key: &str, revision: u64) -> bool {
        // Keys may be long: their hashes are not.
        let mut own: Key = [0; 16];
        own.copy_from_slice(&Sha256::digest(key)[..16]);
        let seen = self.present.get(&own).or_else(|| self.past.get(&own));
        if seen.is_some_and(|seen| revision <= *seen) {
            return false;
        }
        if self.present.len() >= GENERATION {
            self.past = std::mem::take(&mut self.present);
        }
        self.present.insert(own, revision);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_above_is_stale() {
        let mut revisions = Revisions::default();
        for (key, revision, new) in [("a", 5, true), ("a", 5, false), ("a", 4, false), ("b", 4, true), ("a", 6, true), ("a", 5, false)] {
            assert_eq!(revisions.is_new(key, revision), new, "{key} {revision}");
        }
    }
}
