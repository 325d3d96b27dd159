//! Reads partitions to the ends that they have now, as committed.

#![allow(clippy::disallowed_types, reason = "waits for a bounded time")]

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::statistics::Statistics;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use tracing::warn;

use super::connect::{asking, connect};
use super::{log, token};

/// How long one call may take.
const CALL: Duration = Duration::from_secs(5);
/// Longest wait for a message; statistics come as often.
const WAIT: Duration = Duration::from_millis(100);

/// How long nothing may come before the end. Longer than brokers take to give up the transaction of a worker that died, by the
/// defaults: where it stands longer, whoever asks begins again.
const STILL: Duration = Duration::from_secs(30);

/// Rest after a failure.
const PAUSE: Duration = Duration::from_secs(1);
/// How often it is tried again: a broker that is away takes a minute at most, and what lasts is for the supervisor and for people.
const MOST_FAILURES: u32 = 60;

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
/// Whatever librdkafka reports meanwhile; a time-out where a transaction that is open holds up the rest.
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
    let mut moved = Instant::now();
    while !unread.is_empty() {
        if !go_on() {
            return Ok(None);
        }
        match consumer.poll(WAIT) {
            Some(Ok(message)) => {
                // What came after the end is another's.
                if message.offset() < ends[&message.partition()] {
                    each(&message);
                }
                // The time that `each` takes is not the brokers'.
                moved = Instant::now();
            }
            Some(Err(KafkaError::PartitionEOF(_))) => {}
            Some(Err(e)) => return Err(e),
            // Nothing waits here: whatever stood before an end that was reached is read.
            None => unread.retain(|partition, high| !consumer.context().reached(*partition, *high)),
        }
        if moved.elapsed() >= STILL {
            for (partition, high) in &unread {
                let (eof, stable) = consumer.context().place(*partition);
                warn!(
                    partition,
                    high,
                    eof,
                    stable,
                    "{topic}: its end is not reached: `touchstone doctor` tells whether a transaction there does not end"
                );
            }
            return Err(KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut));
        }
    }
    Ok(Some(ends))
}

/// Reads a topic, and begins again after whatever goes wrong, as long as `go_on`; nothing once that is false.
///
/// # Errors
/// What goes wrong again and again.
pub(crate) fn insist<T>(
    topic: &str,
    go_on: impl Fn() -> bool,
    mut read: impl FnMut() -> Result<Option<T>, KafkaError>,
) -> Result<Option<T>, KafkaError> {
    let mut failures = 0;
    while go_on() {
        match read() {
            Ok(read) => return Ok(read),
            Err(e) if failures >= MOST_FAILURES => return Err(e),
            Err(e) => {
                failures += 1;
                warn!("kafka: {topic} cannot be read, which is tried again: {e}");
                std::thread::park_timeout(PAUSE);
            }
        }
    }
    Ok(None)
}

/// How far each partition was read, by librdkafka's statistics: the end that its reader was told of last, and that of all
/// transactions that have ended.
#[derive(Default)]
struct Ends(Mutex<HashMap<i32, (i64, i64)>>);

impl Ends {
    fn place(&self, partition: i32) -> (i64, i64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&partition).copied().unwrap_or((-1, -1))
    }

    fn reached(&self, partition: i32, end: i64) -> bool {
        self.place(partition).0 >= end
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
            ends.insert(partition.partition, (partition.eof_offset, partition.ls_offset));
        }
    }
}

impl ConsumerContext for Ends {}
