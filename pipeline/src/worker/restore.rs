//! Reads back what the `state` topic holds of partitions that were just given, before the first listing of them is scanned.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::statistics::Statistics;
use rdkafka::{Offset, TopicPartitionList};
use touchstone_schemas::{ListingState, decode};
use tracing::{info, warn};

use super::context::log;
use crate::config::Config;
use crate::kafka;
use crate::revisions::{Key, Seen, key};

/// The format that is written, and the newest that is read.
pub(super) const FORMAT: u64 = 1;

/// How long one call may take before it is made again.
const CALL: Duration = Duration::from_secs(5);
/// Longest wait for a message; statistics come as often.
const WAIT: Duration = Duration::from_millis(100);

/// What was read back, by partition, the oldest first.
pub(super) type Rows = HashMap<i32, Vec<(Key, Seen)>>;

/// Where the `state` topic is, and how much of it is read.
pub(super) struct Restorer {
    config: rdkafka::ClientConfig,
    topic: String,
    /// Records of a partition that are read, the last ones.
    most: i64,
}

impl Restorer {
    /// `window` listings of each partition are remembered at least.
    pub(super) fn new(config: &Config, topic: String, window: u64) -> Self {
        Self { config: kafka::reader(config), topic, most: i64::try_from(window.saturating_mul(2)).unwrap_or(i64::MAX) }
    }

    /// Reads partitions to their ends. Begins again after whatever goes wrong, as long as `go_on`; nothing once that is false.
    pub(super) fn read(&self, partitions: &[i32], go_on: impl Fn() -> bool) -> Option<Rows> {
        while go_on() {
            match self.try_read(partitions, &go_on) {
                Ok(Some(rows)) => {
                    let listings: usize = rows.values().map(Vec::len).sum();
                    info!(?partitions, listings, "state is read back");
                    return Some(rows);
                }
                Ok(None) => break,
                Err(e) => {
                    warn!("kafka: {} cannot be read, which is tried again: {e}", self.topic);
                    std::thread::park_timeout(10 * WAIT);
                }
            }
        }
        None
    }

    fn try_read(&self, partitions: &[i32], go_on: impl Fn() -> bool) -> Result<Option<Rows>, KafkaError> {
        let consumer: BaseConsumer<Ends> = BaseConsumer::from_config_and_context(&self.config, Ends::default())?;
        let (mut from, mut ends) = (TopicPartitionList::new(), HashMap::new());
        for partition in partitions {
            // The end of all, committed or not: an open transaction of the partition's last owner is waited for.
            let (low, high) = consumer.fetch_watermarks(&self.topic, *partition, CALL)?;
            if high > low {
                ends.insert(*partition, high);
                from.add_partition_offset(&self.topic, *partition, Offset::Offset(low.max(high.saturating_sub(self.most))))?;
            }
        }
        consumer.assign(&from)?;
        let mut rows: Rows = partitions.iter().map(|p| (*p, Vec::new())).collect();
        while !ends.is_empty() {
            if !go_on() {
                return Ok(None);
            }
            match consumer.poll(WAIT) {
                Some(Ok(message)) => {
                    if let Some(row) = self.row(&message) {
                        rows.entry(message.partition()).or_default().push(row);
                    }
                }
                Some(Err(KafkaError::PartitionEOF(_))) => {}
                Some(Err(e)) => return Err(e),
                // Nothing waits here: whatever stood before an end that was reached is read.
                None => ends.retain(|partition, high| !consumer.context().reached(*partition, *high)),
            }
        }
        Ok(Some(rows))
    }

    fn row(&self, message: &impl Message) -> Option<(Key, Seen)> {
        let listing = std::str::from_utf8(message.key()?).ok()?;
        match decode::<ListingState>(message.payload()?) {
            Ok(state) if state.value.format <= FORMAT => {
                Some((key(listing), Seen { revision: state.value.revision, place: state.value.offset.unwrap_or(0) }))
            }
            Ok(state) => {
                warn!(format = state.value.format, "{}: a record of a newer version is passed over", self.topic);
                None
            }
            Err(e) => {
                warn!(partition = message.partition(), offset = message.offset(), "{}: a record is passed over: {e}", self.topic);
                None
            }
        }
    }
}

/// How far each partition was read, by librdkafka's statistics: the end that its reader was told of last.
#[derive(Default)]
struct Ends(Mutex<HashMap<i32, i64>>);

impl Ends {
    fn reached(&self, partition: i32, end: i64) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&partition).is_some_and(|read| *read >= end)
    }
}

impl ClientContext for Ends {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn stats(&self, statistics: Statistics) {
        let mut ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for partition in statistics.topics.values().flat_map(|topic| topic.partitions.values()) {
            ends.insert(partition.partition, partition.eof_offset);
        }
    }
}

impl ConsumerContext for Ends {}
