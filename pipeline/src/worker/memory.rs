//! What a worker knows of its partitions: the revisions seen, as they are committed, and what batches on their way would add.

use std::collections::{HashMap, VecDeque};

use crate::revisions::{Key, Revisions, Seen, key};

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Committed,
    /// It is as if it had never been.
    Dropped,
    /// The brokers may have it or not: the answer was lost.
    Unknown,
}

/// The revisions of each partition that was read back, and of the batches that are neither committed nor dropped yet.
pub(super) struct Memory {
    most: usize,
    committed: HashMap<i32, Revisions>,
    /// The oldest batch first.
    on_the_way: VecDeque<HashMap<(i32, Key), Seen>>,
}

impl Memory {
    /// Remembers the last `most` listings of each partition at least.
    pub(super) fn new(most: usize) -> Self {
        Self { most, committed: HashMap::new(), on_the_way: VecDeque::new() }
    }

    /// Those of some partitions that nothing is known of yet, each once.
    pub(super) fn unknown(&self, partitions: impl Iterator<Item = i32>) -> Vec<i32> {
        let mut unknown: Vec<i32> = partitions.filter(|p| !self.committed.contains_key(p)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        unknown
    }

    /// Takes over what was read back of a partition, the oldest first.
    pub(super) fn restore(&mut self, partition: i32, rows: impl IntoIterator<Item = (Key, Seen)>) {
        let mut revisions = Revisions::new(self.most);
        rows.into_iter().for_each(|(key, seen)| revisions.put(key, seen));
        self.committed.insert(partition, revisions);
    }

    /// Partitions that belong to another worker now.
    pub(super) fn forget(&mut self, partitions: &[i32]) {
        self.committed.retain(|partition, _| !partitions.contains(partition));
    }

    /// Whether batches are on their way.
    pub(super) fn is_settled(&self) -> bool {
        self.on_the_way.is_empty()
    }

    /// A batch begins.
    pub(super) fn begin(&mut self) {
        self.on_the_way.push_back(HashMap::new());
    }

    /// Learns what became of the oldest batch on its way.
    pub(super) fn settle(&mut self, fate: Fate) {
        let Some(batch) = self.on_the_way.pop_front() else { return };
        for ((partition, key), seen) in batch {
            match fate {
                Fate::Committed => drop(self.committed.get_mut(&partition).map(|revisions| revisions.put(key, seen))),
                Fate::Dropped => {}
                // It stands in the state topic, from which it is read back.
                Fate::Unknown => drop(self.committed.remove(&partition)),
            }
        }
    }

    /// An event of the newest batch came to nothing: it is as if it had not been, so that it is not stale when it comes again.
    pub(super) fn take_back(&mut self, partition: i32, place: u64) {
        if let Some(batch) = self.on_the_way.back_mut() {
            batch.retain(|(p, _), seen| (*p, seen.place) != (partition, place));
        }
    }

    /// Whether an event of the newest batch is above all that was seen of its listing; it is remembered if so.
    pub(super) fn is_new(&mut self, partition: i32, listing: &str, event: Seen) -> bool {
        let key = key(listing);
        let before = self.seen(partition, key);
        let new = before.is_none_or(|seen| !seen.makes_stale(event));
        if let (true, Some(batch)) = (new, self.on_the_way.back_mut()) {
            batch.insert((partition, key), event.or_higher(before));
        }
        new
    }

    /// Whether nothing was seen of a listing since the event at that place, which brought this revision.
    pub(super) fn is_still(&self, partition: i32, listing: &str, revision: u64, place: Option<u64>) -> bool {
        let is_same = |seen: Seen| seen.revision == revision && place.is_none_or(|place| seen.place == place);
        self.seen(partition, key(listing)).is_none_or(is_same)
    }

    /// What was seen last, committed or on its way.
    fn seen(&self, partition: i32, key: Key) -> Option<Seen> {
        let on_the_way = self.on_the_way.iter().rev().find_map(|batch| batch.get(&(partition, key)).copied());
        on_the_way.or_else(|| self.committed.get(&partition)?.get(&key))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const A: i32 = 0;

    fn at(revision: u64, place: u64) -> Seen {
        Seen { revision, place }
    }

    #[test]
    fn a_dropped_batch_leaves_no_trace() {
        let mut memory = Memory::new(10);
        assert_eq!(memory.unknown([A, 1, A].into_iter()), [A, 1]);
        memory.restore(A, [(key("a"), at(3, 7))]);
        assert_eq!(memory.unknown([A, 1].into_iter()), [1]);
        memory.begin();
        assert!(!memory.is_new(A, "a", at(3, 8)), "read back");
        assert!(memory.is_new(A, "a", at(5, 9)));
        memory.begin();
        assert!(!memory.is_new(A, "a", at(4, 10)), "on its way");
        memory.settle(Fate::Dropped);
        memory.settle(Fate::Dropped);
        assert!(memory.is_settled());
        memory.begin();
        assert!(memory.is_new(A, "a", at(4, 9)), "as if it had never been");
        memory.take_back(A, 9);
        assert!(memory.is_new(A, "a", at(4, 11)), "it came to nothing");
        memory.settle(Fate::Committed);
        memory.forget(&[A]);
        assert_eq!(memory.unknown([A].into_iter()), [A]);
    }

    #[test]
    fn what_may_be_committed_or_not_is_read_back() {
        let mut memory = Memory::new(10);
        memory.restore(A, [(key("a"), at(3, 7))]);
        memory.begin();
        assert!(memory.is_new(A, "a", at(4, 9)));
        memory.settle(Fate::Unknown);
        assert_eq!(memory.unknown([A].into_iter()), [A]);
    }

    #[test]
    fn a_listing_is_as_it_was_until_a_newer_event_is_seen() {
        let mut memory = Memory::new(10);
        memory.restore(A, [(key("a"), at(3, 7))]);
        memory.begin();
        let still = |memory: &Memory, revision, place| memory.is_still(A, "a", revision, place);
        for (revision, place, expected) in
            [(3, Some(7), true), (3, None, true), (3, Some(6), false), (2, Some(7), false), (4, None, false), (4, Some(9), false)]
        {
            assert_eq!(still(&memory, revision, place), expected, "{revision} {place:?}");
        }
        assert!(memory.is_still(A, "b", 1, Some(1)), "nothing is known of it");
        assert!(memory.is_new(A, "a", at(4, 9)));
        assert!(!still(&memory, 3, Some(7)) && still(&memory, 4, Some(9)), "on its way");
        memory.settle(Fate::Dropped);
        assert!(still(&memory, 3, Some(7)), "dropped");
    }

    proptest! {
        /// Whatever is committed and dropped, the answers are those of one list of all that was committed and is on its way.
        #[test]
        fn equals_a_list(steps in prop::collection::vec((0u8..6, 0u64..4, 0u64..6), 1..80)) {
            let mut memory = Memory::new(1_000);
            memory.restore(A, []);
            let mut kept: Vec<(u64, Seen)> = Vec::new();
            let mut flying: Vec<Vec<(u64, Seen)>> = Vec::new();
            for (place, (step, listing, revision)) in (0u64..).zip(steps) {
                match step {
                    0 => {
                        memory.begin();
                        flying.push(Vec::new());
                    }
                    1 | 2 if !flying.is_empty() => {
                        memory.settle(if step == 1 { Fate::Committed } else { Fate::Dropped });
                        let batch = flying.remove(0);
                        if step == 1 {
                            kept.extend(batch);
                        }
                    }
                    _ if !flying.is_empty() => {
                        let event = at(revision, place);
                        let all = kept.iter().chain(flying.iter().flatten());
                        let new = !all.clone().any(|(l, seen)| *l == listing && seen.makes_stale(event));
                        prop_assert_eq!(memory.is_new(A, &listing.to_string(), event), new);
                        if new {
                            flying.last_mut().expect("a batch").push((listing, event));
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}
