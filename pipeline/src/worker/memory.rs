//! What a worker knows of its partitions: revisions seen and suspicions that stand, as they are committed, and what batches on their
//! way would add.

use std::collections::{HashMap, VecDeque};

use touchstone_schemas::OpenSuspect;

use super::restore::Row;
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

/// The suspicions that stand of a listing after the event at a place.
#[derive(Debug, Clone, PartialEq)]
struct Open {
    place: u64,
    suspects: Vec<OpenSuspect>,
}

/// What is committed of a partition, over a window of listings.
struct Partition {
    revisions: Revisions,
    /// Of listings of which some suspicion stands, in two halves that are forgotten with those of the revisions.
    present: HashMap<Key, Open>,
    past: HashMap<Key, Open>,
}

impl Partition {
    fn put(&mut self, key: Key, seen: Seen, open: Open) {
        if self.revisions.put(key, seen) {
            self.past = std::mem::take(&mut self.present);
        }
        self.past.remove(&key);
        if open.suspects.is_empty() {
            self.present.remove(&key);
        } else {
            self.present.insert(key, open);
        }
    }

    fn open(&self, key: &Key) -> Option<&Open> {
        self.present.get(key).or_else(|| self.past.get(key))
    }
}

/// What a batch on its way would add, by partition and listing.
type Batch = HashMap<(i32, Key), (Seen, Open)>;

/// What is known of each partition that was read back, and of the batches that are neither committed nor dropped yet.
pub(super) struct Memory {
    most: usize,
    committed: HashMap<i32, Partition>,
    /// The oldest batch first.
    on_the_way: VecDeque<Batch>,
    /// Events of the newest batch as they were judged, before it is known that they come to something.
    judged: HashMap<(i32, Key), Seen>,
}

impl Memory {
    /// Remembers the last `most` listings of each partition at least.
    pub(super) fn new(most: usize) -> Self {
        Self { most, committed: HashMap::new(), on_the_way: VecDeque::new(), judged: HashMap::new() }
    }

    /// Those of some partitions that nothing is known of yet, each once.
    pub(super) fn unknown(&self, partitions: impl Iterator<Item = i32>) -> Vec<i32> {
        let mut unknown: Vec<i32> = partitions.filter(|p| !self.committed.contains_key(p)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        unknown
    }

    /// Takes over what was read back of a partition, the oldest first.
    pub(super) fn restore(&mut self, partition: i32, rows: impl IntoIterator<Item = Row>) {
        let mut known = Partition { revisions: Revisions::new(self.most), present: HashMap::new(), past: HashMap::new() };
        for (key, seen, suspects) in rows {
            known.put(key, seen, Open { place: seen.place, suspects });
        }
        self.committed.insert(partition, known);
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
        self.judged.clear();
        self.on_the_way.push_back(Batch::default());
    }

    /// Learns what became of the oldest batch on its way.
    pub(super) fn settle(&mut self, fate: Fate) {
        let Some(batch) = self.on_the_way.pop_front() else { return };
        for ((partition, key), (seen, open)) in batch {
            match fate {
                Fate::Committed => drop(self.committed.get_mut(&partition).map(|known| known.put(key, seen, open))),
                Fate::Dropped => {}
                // It stands in the state topic, from which it is read back.
                Fate::Unknown => drop(self.committed.remove(&partition)),
            }
        }
    }

    /// Whether an event of the newest batch is above all that was seen of its listing; those that come later are judged by it if so.
    pub(super) fn is_new(&mut self, partition: i32, listing: &str, event: Seen) -> bool {
        let key = key(listing);
        let before = self.judged.get(&(partition, key)).copied().or_else(|| self.seen(partition, key));
        let new = before.is_none_or(|seen| !seen.makes_stale(event));
        if new {
            self.judged.insert((partition, key), event.or_higher(before));
        }
        new
    }

    /// Remembers an event of the newest batch, or another look at one, and the suspicions that stand after it. One that is not kept comes
    /// to nothing: it is as if it had not been, so that it is not stale when it comes again.
    pub(super) fn keep(&mut self, partition: i32, listing: &str, event: Seen, suspects: Vec<OpenSuspect>) {
        let key = key(listing);
        let seen = event.or_higher(self.seen(partition, key));
        if let Some(batch) = self.on_the_way.back_mut() {
            batch.insert((partition, key), (seen, Open { place: event.place, suspects }));
        }
    }

    /// The suspicions that stand of a listing before the event at a place. None where that event or a later one was seen already: what
    /// it took back is written.
    pub(super) fn open(&self, partition: i32, listing: &str, place: u64) -> &[OpenSuspect] {
        let at = (partition, key(listing));
        let on_the_way = self.on_the_way.iter().rev().find_map(|batch| batch.get(&at)).map(|(_, open)| open);
        let open = on_the_way.or_else(|| self.committed.get(&partition)?.open(&at.1));
        open.filter(|open| open.place < place).map_or(&[], |open| open.suspects.as_slice())
    }

    /// Whether nothing was seen of a listing since the event at that place, which brought this revision.
    pub(super) fn is_still(&self, partition: i32, listing: &str, revision: u64, place: Option<u64>) -> bool {
        let key = key(listing);
        let is_same = |seen: Seen| seen.revision == revision && place.is_none_or(|place| seen.place == place);
        self.judged.get(&(partition, key)).copied().or_else(|| self.seen(partition, key)).is_none_or(is_same)
    }

    /// What was seen last, committed or on its way.
    fn seen(&self, partition: i32, key: Key) -> Option<Seen> {
        let on_the_way = self.on_the_way.iter().rev().find_map(|batch| batch.get(&(partition, key))).map(|(seen, _)| *seen);
        on_the_way.or_else(|| self.committed.get(&partition)?.revisions.get(&key))
    }
}

#[cfg(test)]
mod tests;
