//! Transactions that do not end: behind one, whoever reads what is committed stands still for good.

#![allow(clippy::disallowed_types, reason = "waits for a bounded time")]

use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::metadata::Metadata;

use super::Finding;
use super::brokers::partitions_of;
use crate::config::Config;
use crate::kafka;

/// How long one call may take.
const CALL: Duration = Duration::from_secs(5);
/// How often it is looked whether they have ended.
const LOOK: Duration = Duration::from_millis(500);
/// How much longer than its time-out brokers let a transaction stand, by their defaults, and some.
const GRACE: Duration = Duration::from_secs(12);
/// Partitions that are named.
const MOST: usize = 3;

/// A partition whose end, as committed, is before the end.
struct Held {
    topic: String,
    partition: i32,
    /// Its end when it was looked at first.
    end: i64,
    /// The end of what is committed: where the transaction begins that does not end.
    stable: i64,
}

/// Looks at some topics. Transactions of workers at work end meanwhile.
pub(super) fn look(config: &Config, metadata: &Metadata, topics: impl Iterator<Item = String>) -> Finding {
    let limit = Duration::from_millis(config.kafka.transaction_timeout_ms) + GRACE;
    let partitions = topics.flat_map(|topic| (0..).take(partitions_of(metadata, &topic)).map(move |p| (topic.clone(), p)));
    match held(config, partitions, limit) {
        Ok(held) if held.is_empty() => Finding::good("transactions", "none stands open for long".to_owned()),
        Ok(held) => {
            let name = |h: &Held| format!("{} [{}] from offset {}", h.topic, h.partition, h.stable);
            let some: Vec<String> = held.iter().take(MOST).map(name).collect();
            let found = format!("one has been open for {limit:?} in {} partitions: {}", held.len(), some.join(", "));
            let advice = "readers of what is committed wait there: kafka-transactions.sh describe-producers tells whose it is, and abort --topic --partition --start-offset ends it";
            Finding::bad("transactions", found, advice)
        }
        Err(e) => Finding::doubtful("transactions", format!("cannot be looked at: {e}"), "permit DESCRIBE on the topics"),
    }
}

/// The partitions that are held up all the time.
fn held(config: &Config, partitions: impl Iterator<Item = (String, i32)>, limit: Duration) -> Result<Vec<Held>, KafkaError> {
    let committed = kafka::asking(&kafka::reader(config))?;
    let all = kafka::asking(kafka::reader(config).set("isolation.level", "read_uncommitted"))?;
    let mut held = Vec::new();
    for (topic, partition) in partitions {
        let (_, end) = all.fetch_watermarks(&topic, partition, CALL)?;
        held.push(Held { topic, partition, end, stable: 0 });
    }
    let deadline = Instant::now() + limit;
    loop {
        for partition in &mut held {
            (_, partition.stable) = committed.fetch_watermarks(&partition.topic, partition.partition, CALL)?;
        }
        held.retain(|partition| partition.stable < partition.end);
        if held.is_empty() || Instant::now() >= deadline {
            return Ok(held);
        }
        std::thread::park_timeout(LOOK);
    }
}
