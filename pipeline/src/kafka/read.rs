//! Reads partitions to the ends that they have now, as committed.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::statistics::Statistics;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::connect::{asking, connect};
use super::{log, token};

/// How long one call may take.
const CALL: Duration = Duration::from_secs(5);
/// Longest wait for a message; statistics come as often.
const WAIT: Duration = Duration::from_millis(100);

/// Where a partition begins and ends: the first offset that it has, and the one after its last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    pub(crate) low: i64,
    pub(crate) high: i64,
}

/// Reads each of the partitions from where `from` says, given what the partition has, to the end that it has now; committed or
/// not, so that open transactions are waited for. Tells the ends; nothing when `go_on` turned false before that.
///
/// # Errors
/// Whatever librdkafka reports meanwhile.
pub(crate) fn read(
    config: &ClientConfig,
    topic: &str,
    partitions: &[i32],
    from: impl Fn(i32, Span) -> i64,
    go_on: impl Fn() -> bool,
    mut each: impl FnMut(&BorrowedMessage<'_>),
) -> Result<Option<HashMap<i32, i64>>, KafkaError> {
    let consumer: BaseConsumer<Ends> = connect(config, Ends::default())?;
    let (mut list, mut ends) = (TopicPartitionList::new(), HashMap::new());
    // A client that reads what is committed is told the end of that.
    let all = asking(config.clone().set("isolation.level", "read_uncommitted"))?;
    for partition in partitions {
        let (low, high) = all.fetch_watermarks(topic, *partition, CALL)?;
        ends.insert(*partition, high);
        let begin = from(*partition, Span { low, high }).max(low);
        if begin < high {
            list.add_partition_offset(topic, *partition, Offset::Offset(begin))?;
        }
    }
    let mut unread: HashMap<i32, i64> = list.elements().iter().map(|e| (e.partition(), ends[&e.partition()])).collect();
    consumer.assign(&list)?;
    while !unread.is_empty() {
        if !go_on() {
            return Ok(None);
        }
        match consumer.poll(WAIT) {
            // What came after the end is another's.
            Some(Ok(message)) if message.offset() < ends[&message.partition()] => each(&message),
            Some(Ok(_) | Err(KafkaError::PartitionEOF(_))) => {}
            Some(Err(e)) => return Err(e),
            // Nothing waits here: whatever stood before an end that was reached is read.
            None => unread.retain(|partition, high| !consumer.context().reached(*partition, *high)),
        }
    }
    Ok(Some(ends))
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
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, file: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        token::bear(file)
    }

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
