//! What the worker's user may do: tried, and not asked.

#![allow(clippy::disallowed_types, reason = "tries for a bounded time")]

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};

use super::Finding;
use crate::config::Config;
use crate::kafka::{self, Asking, Names, Reports};

/// How long one call may take.
const CALL: Duration = Duration::from_secs(10);
/// The rest before what may pass is tried again.
const PAUSE: Duration = Duration::from_secs(1);
/// Longest wait for a message.
const WAIT: Duration = Duration::from_millis(100);

/// Whether listings, state and other topics may be read, and the offsets of the group.
pub(super) fn reading(config: &Config, client: &BaseConsumer<Asking>, names: &Names, partitions: usize, others: &[String]) -> Vec<Finding> {
    let (listings, state, group) = (names.of("listings"), names.of("state"), &config.kafka.group_id);
    let mut asked = TopicPartitionList::new();
    (0..).take(partitions).for_each(|p| _ = asked.add_partition(&listings, p));
    let offsets =
        || -> Result<(), KafkaError> { client.committed_offsets(asked.clone(), CALL)?.elements().iter().try_for_each(|e| e.error()) };
    let mut found = Vec::new();
    let mut look = |what: String, ask: &dyn Fn() -> Result<(), KafkaError>| {
        let refused = refused(ask);
        let permitted = refused.is_none();
        found.extend(refused.map(|e| Finding::bad("reading", format!("{what}: {e}"), &format!("permit READ on {what}"))));
        permitted
    };
    // No topic is read without the group.
    if look(format!("the group {group}"), &offsets) {
        for topic in [&listings, &state].into_iter().chain(others) {
            look(format!("the topic {topic}"), &|| fetch(config, topic));
        }
    }
    if found.is_empty() {
        found.push(Finding::good("reading", format!("{listings}, {state} and the offsets of {group} may be read")));
    }
    found
}

/// Why something cannot be done that was tried for a while: a new group has no coordinator yet, and a new topic no leader.
fn refused(ask: &dyn Fn() -> Result<(), KafkaError>) -> Option<KafkaError> {
    const FOR_GOOD: [RDKafkaErrorCode; 2] = [RDKafkaErrorCode::TopicAuthorizationFailed, RDKafkaErrorCode::GroupAuthorizationFailed];
    let passes = |e: &KafkaError| e.rdkafka_error_code().is_none_or(|code| !FOR_GOOD.contains(&code));
    let until = Instant::now() + CALL;
    let mut refused = ask().err();
    while refused.as_ref().is_some_and(passes) && Instant::now() < until {
        std::thread::park_timeout(PAUSE);
        refused = ask().err();
    }
    refused
}

/// Fetches from the end of a partition: where there is nothing, whoever may not read is told so, too.
fn fetch(config: &Config, topic: &str) -> Result<(), KafkaError> {
    let client = kafka::asking(&kafka::reader(config))?;
    let mut end = TopicPartitionList::new();
    end.add_partition_offset(topic, 0, Offset::End)?;
    client.assign(&end)?;
    let until = Instant::now() + CALL;
    while Instant::now() < until {
        match client.poll(WAIT) {
            Some(Ok(_) | Err(KafkaError::PartitionEOF(_))) => return Ok(()),
            Some(Err(e)) => return Err(e),
            None => {}
        }
    }
    Err(KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut))
}

/// Writes a record to each topic in a transaction that is aborted: nobody who reads what is committed sees it.
pub(super) fn writing(config: &Config, topics: impl Iterator<Item = String>) -> Vec<Finding> {
    if !config.kafka.is_exactly_once() {
        let advice = "permit WRITE on the output topics";
        return vec![Finding::doubtful("writing", "cannot be tried without leaving records".to_owned(), advice)];
    }
    let group = &config.kafka.group_id;
    // Not a worker's own: that would end its transaction.
    let id = format!("{group}-doctor");
    let mut client = kafka::producer(config);
    client.set("transactional.id", &id);
    let begin = || -> Result<_, KafkaError> {
        let producer = kafka::connect_producer(&client, Reports::default())?;
        producer.init_transactions(CALL)?;
        producer.begin_transaction().map(|()| producer)
    };
    if let Err(e) = begin() {
        let advice = format!("permit WRITE on transactional ids that begin with {group}");
        return vec![Finding::bad("writing", format!("the transactional id {id}: {e}"), &advice)];
    }
    // A producer of its own for each: one that was refused ends its transaction with another error.
    let write = |topic: &str| -> Result<(), KafkaError> {
        let producer = begin()?;
        producer.send(BaseRecord::to(topic).key("doctor").payload("{}")).map_err(|(e, _)| e)?;
        let written = producer.flush(CALL);
        let refused = producer.context().take();
        let aborted = producer.abort_transaction(CALL);
        refused.map_or(written.and(aborted), Err)
    };
    let bad = |topic: String| {
        let e = write(&topic).err()?;
        Some(Finding::bad("writing", format!("the topic {topic}: {e}"), &format!("permit WRITE on the topic {topic}")))
    };
    let mut found: Vec<Finding> = topics.filter_map(bad).collect();
    if found.is_empty() {
        found.push(Finding::good("writing", format!("transactions of {id} wrote to all output topics, and were aborted")));
    }
    found
}
