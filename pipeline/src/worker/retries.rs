//! Reads the `retry` topic: listings whose pictures were slow, of the partitions that this worker has.
//!
//! The topic is not subscribed: an assignor would not give its partitions to the owners of the listings' of the same numbers, and
//! only these know which revisions are current. A consumer of its own reads them from what the group has committed.

#![allow(clippy::disallowed_types, reason = "looks now and then")]

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};
use touchstone_schemas::{Retry, Timestamp, decode};
use tracing::{debug, warn};

use super::passes::Pass;
use super::taken::{Role, Taken};
use crate::config::Config;
use crate::engine::{ago, now};
use crate::kafka::{self, Asking};

/// How often it is looked: listings must not wait for it.
const LOOK: Duration = Duration::from_millis(20);
/// How long after an error all is assigned anew: it may have stopped a partition for good.
const AGAIN: Duration = Duration::from_secs(10);
/// Records that are held until they are due.
const MOST: usize = 500;
/// Bytes of these; one record may go over it.
const MOST_BYTES: usize = 8 << 20;
/// One that is overdue for longer may be from before the memory of revisions, or read again since the group's offsets were forgotten.
const TOO_OLD: Duration = Duration::from_secs(86_400);

/// The reader of the `retry` topic.
pub(super) struct Retries {
    consumer: BaseConsumer<Asking>,
    topic: String,
    /// Where each partition goes on: where nothing was read yet, at what is committed.
    next: BTreeMap<i32, Offset>,
    waiting: Waiting,
    looked: Instant,
    /// Whether the consumer was given the partitions of `next`.
    assigned: bool,
    /// When they are given to it anew, after an error.
    again: Option<Instant>,
}

impl Retries {
    pub(super) fn new(config: &Config, topic: String) -> Result<Self, KafkaError> {
        let consumer = kafka::asking(&kafka::follower(config))?;
        let (next, waiting) = (BTreeMap::new(), Waiting::default());
        Ok(Self { consumer, topic, next, waiting, looked: Instant::now(), assigned: false, again: None })
    }

    /// Reads these partitions and no others: those that it read before from where it was, unless it begins `anew`, and the rest from
    /// what is committed. Asks no broker.
    pub(super) fn assign(&mut self, partitions: &[i32], anew: bool) {
        let keep = |partition: &i32| !anew && partitions.contains(partition);
        self.waiting.retain(keep);
        self.next.retain(|partition, _| keep(partition));
        for partition in partitions {
            self.next.entry(*partition).or_insert(Offset::Stored);
        }
        self.begin();
    }

    /// librdkafka asks what is committed by itself, as often as it takes, and stops at once what it read before.
    fn begin(&mut self) {
        let mut list = TopicPartitionList::new();
        let added = self.next.iter().try_for_each(|(partition, offset)| list.add_partition_offset(&self.topic, *partition, *offset));
        let assigned = added.and_then(|()| self.consumer.assign(&list));
        (self.assigned, self.again) = (assigned.is_ok(), None);
        if let Err(e) = assigned {
            warn!("kafka: {} cannot be read, which is tried again: {e}", self.topic);
            self.again = Some(Instant::now() + AGAIN);
        }
    }

    /// What is due by now, as far as there is room for it; at most so many records, and so many bytes and one record.
    pub(super) fn take_due(&mut self, most: usize, most_bytes: usize) -> Vec<Taken> {
        // A batch that has no room for one is not the time that was waited for.
        if most == 0 || self.looked.elapsed() < LOOK {
            return Vec::new();
        }
        self.looked = Instant::now();
        if self.again.is_some_and(|at| self.looked >= at) {
            self.begin();
        }
        if self.assigned {
            self.read();
        }
        let mut due = self.waiting.take_due(&now(), most, most_bytes);
        let too_old = ago(TOO_OLD);
        for taken in due.iter_mut().filter(|taken| matches!(&taken.role, Role::Retry(pass) if pass.due_at < too_old)) {
            debug!(partition = taken.partition, offset = taken.offset, "{}: a record is passed over: it is overdue for a day", self.topic);
            taken.role = Role::Unreadable;
        }
        due
    }

    /// Takes over what the client has fetched, without waiting.
    fn read(&mut self) {
        while self.waiting.has_room() {
            match self.consumer.poll(Duration::ZERO) {
                Some(Ok(message)) => {
                    let taken = parse(Taken::of(&message), &self.topic);
                    if let Some(next) = self.next.get_mut(&taken.partition) {
                        *next = Offset::Offset(taken.offset + 1);
                        self.waiting.add(taken);
                    }
                }
                Some(Err(error)) => {
                    match error {
                        // That there is no such topic was said at the start.
                        KafkaError::MessageConsumption(
                            RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic | RDKafkaErrorCode::UnknownPartition,
                        ) => debug!("kafka: {}: {error}", self.topic),
                        _ => warn!("kafka: {}: {error}", self.topic),
                    }
                    self.again.get_or_insert_with(|| Instant::now() + AGAIN);
                }
                None => return,
            }
        }
    }
}

/// Reads what a record of the `retry` topic says.
fn parse(taken: Taken, topic: &str) -> Taken {
    match decode::<Retry>(&taken.payload) {
        Ok(decoded) => {
            let (listing, pass) = Pass::of(decoded.value);
            // Made of strings, numbers and lists: writing it cannot fail.
            Taken { payload: serde_json::to_vec(&listing).unwrap_or_default(), role: Role::Retry(pass), ..taken }
        }
        Err(e) => {
            warn!(partition = taken.partition, offset = taken.offset, "{topic}: a record is passed over: {e}");
            Taken { payload: Vec::new(), role: Role::Unreadable, ..taken }
        }
    }
}

/// What was read and is not due yet. All pauses are equal, so that of each partition the first is due first; and while it is full, what
/// is not read waits a pause longer at most.
#[derive(Default)]
struct Waiting {
    by_partition: BTreeMap<i32, VecDeque<Taken>>,
    records: usize,
    bytes: usize,
}

impl Waiting {
    fn has_room(&self) -> bool {
        self.records < MOST && self.bytes < MOST_BYTES
    }

    fn add(&mut self, taken: Taken) {
        self.records += 1;
        self.bytes += taken.bytes_held();
        self.by_partition.entry(taken.partition).or_default().push_back(taken);
    }

    fn retain(&mut self, keep: impl Fn(&i32) -> bool) {
        self.by_partition.retain(|partition, _| keep(partition));
        self.records = self.by_partition.values().map(VecDeque::len).sum();
        self.bytes = self.by_partition.values().flatten().map(Taken::bytes_held).sum();
    }

    fn take_due(&mut self, now: &Timestamp, most: usize, most_bytes: usize) -> Vec<Taken> {
        let (mut due, mut bytes) = (Vec::new(), 0);
        for queue in self.by_partition.values_mut() {
            while due.len() < most && bytes < most_bytes && queue.front().is_some_and(|taken| is_due(taken, now)) {
                let Some(taken) = queue.pop_front() else { break };
                bytes += taken.bytes_held();
                due.push(taken);
            }
        }
        self.records -= due.len();
        self.bytes -= bytes;
        due
    }
}

fn is_due(taken: &Taken, now: &Timestamp) -> bool {
    match &taken.role {
        Role::Retry(pass) => pass.due_at <= *now,
        Role::Event | Role::Unreadable => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOLDEN: &[u8] = include_bytes!("../../../schemas/golden/retry.json");

    fn taken(partition: i32, offset: i64, payload: &[u8]) -> Taken {
        let payload = payload.to_vec();
        Taken { role: Role::Event, partition, offset, timestamp: None, key: None, payload, trace: Vec::new() }
    }

    fn due(partition: i32, offset: i64, second: i64) -> Taken {
        let mut taken = parse(taken(partition, offset, GOLDEN), "retry");
        let Role::Retry(pass) = &mut taken.role else { panic!("the golden example is read") };
        pass.due_at = Timestamp::from_unix_millis(second * 1000);
        taken
    }

    #[test]
    fn a_record_is_read_as_the_listing_and_its_pass() {
        let known = parse(taken(0, 3, GOLDEN), "retry");
        let listing = decode::<touchstone_schemas::Listing>(&known.payload).expect("a listing");
        assert_eq!((listing.faults.len(), listing.value.revision), (0, 1_795_248_000_000));
        assert!(matches!(&known.role, Role::Retry(pass) if pass.number == 2 && pass.missing == [2_u64] && pass.open.len() == 1));
        for spoiled in [&b""[..], b"{", b"{\"pass\": 1}"] {
            let spoiled = parse(taken(0, 3, spoiled), "retry");
            assert!(matches!(spoiled.role, Role::Unreadable) && is_due(&spoiled, &Timestamp::from_unix_millis(0)));
        }
    }

    #[test]
    fn the_first_of_each_partition_is_taken_when_it_is_due_and_there_is_room() {
        let mut waiting = Waiting::default();
        for (partition, offset, second) in [(1, 0, 10), (1, 1, 30), (0, 5, 20), (0, 6, 20)] {
            waiting.add(due(partition, offset, second));
        }
        let mut at = |second: i64, most: usize, most_bytes: usize| -> Vec<(i32, i64)> {
            let due = waiting.take_due(&Timestamp::from_unix_millis(second * 1000), most, most_bytes);
            due.iter().map(|taken| (taken.partition, taken.offset)).collect()
        };
        assert!(at(9, 10, usize::MAX).is_empty());
        assert!(at(20, 0, usize::MAX).is_empty());
        assert_eq!(at(20, 10, 1), [(0, 5)], "one may go over the bytes");
        assert_eq!(at(20, 10, usize::MAX), [(0, 6), (1, 0)]);
        assert_eq!(at(30, 10, usize::MAX), [(1, 1)]);
        assert_eq!((waiting.records, waiting.bytes), (0, 0));
    }

    #[test]
    fn no_more_is_held_than_there_is_room_for() {
        let mut many = Waiting::default();
        while many.has_room() {
            many.add(due(0, 0, 1));
        }
        assert_eq!(many.records, MOST);
        let mut large = Waiting::default();
        while large.has_room() {
            large.add(taken(i32::from(large.records % 2 == 0), 0, &vec![b' '; 1 << 20]));
        }
        assert_eq!((large.records, large.bytes), (8, MOST_BYTES));
        large.retain(|partition| *partition == 0);
        assert_eq!((large.records, large.bytes), (4, MOST_BYTES / 2));
    }
}
