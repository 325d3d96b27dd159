//! How a batch's records and offsets reach the brokers: in one transaction, or one after the other.

#![allow(clippy::disallowed_types, reason = "bounds retries")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, BaseRecord, NoCustomPartitioner, Producer, PurgeConfig};
use rdkafka::{ClientConfig, TopicPartitionList};

use super::Shared;
use super::context::Context;
use super::fail_point::Point;
use super::flow::Flow;
use super::records::Record;
use crate::health::Health;
use crate::kafka::{self, Reports};

/// How long one call may take before it is made again.
const CALL: Duration = Duration::from_secs(5);
/// How long a call is made again before the batch is given up.
const RETRIES: Duration = Duration::from_secs(30);

/// Why a batch did not come to its end.
pub(super) enum Trouble {
    /// It must be aborted, and comes again.
    Abort(String),
    /// The worker cannot go on.
    Fatal(String),
}

/// Writes batches.
pub(super) struct Delivery {
    producer: BaseProducer<Reports, NoCustomPartitioner>,
    consumer: Arc<BaseConsumer<Context>>,
    health: Arc<Health>,
    flow: Arc<Flow>,
    exactly_once: bool,
}

impl Delivery {
    /// Writes by a producer of that configuration.
    pub(super) fn new(
        producer: &ClientConfig,
        shared: &Shared,
        consumer: Arc<BaseConsumer<Context>>,
        flow: Arc<Flow>,
    ) -> Result<Self, KafkaError> {
        let producer = kafka::connect_producer(producer, Reports::default())?;
        Ok(Self { producer, consumer, health: shared.health.clone(), flow, exactly_once: shared.config.kafka.is_exactly_once() })
    }

    /// Aborts what an earlier worker of the same name left open, and fences it off.
    pub(super) fn init(&self, limit: Duration) -> Result<(), KafkaError> {
        if self.exactly_once { self.producer.init_transactions(limit) } else { Ok(()) }
    }

    /// Names of topics that there are, with the number of their partitions.
    pub(super) fn topics(&self, limit: Duration) -> Result<impl Iterator<Item = (String, usize)>, KafkaError> {
        let metadata = self.producer.client().fetch_metadata(None, limit)?;
        let topics: Vec<(String, usize)> =
            metadata.topics().iter().filter(|t| t.error().is_none()).map(|t| (t.name().to_owned(), t.partitions().len())).collect();
        Ok(topics.into_iter())
    }

    pub(super) fn begin(&self) -> Result<(), Trouble> {
        // What was told of records of the last batch after it was aborted.
        self.producer.context().take();
        if self.exactly_once {
            self.again(|| self.producer.begin_transaction())?;
        }
        Point::Begun.reached();
        Ok(())
    }

    /// Hands a record to the client, waiting for room.
    pub(super) fn send<To>(&self, topic: &str, record: &Record<To>) -> Result<(), Trouble> {
        self.send_as(topic, record, Some(&record.payload))
    }

    /// The same with another payload, or with none.
    pub(super) fn send_as<To>(&self, topic: &str, record: &Record<To>, payload: Option<&[u8]>) -> Result<(), Trouble> {
        let deadline = Instant::now() + RETRIES;
        let mut message = BaseRecord::<[u8], [u8]>::to(topic).key(&record.key);
        message.payload = payload;
        message.partition = record.partition;
        message.headers.clone_from(&record.headers);
        kafka::send(&self.producer, message, || self.may_wait(deadline)).map_err(|e| self.trouble(&e))
    }

    /// Waits until the brokers have all records. A commit would wait for whole tenths of a second while anything is in flight.
    pub(super) fn flush(&self) -> Result<(), Trouble> {
        Point::Sent.reached();
        self.wait()?;
        Point::Flushed.reached();
        Ok(())
    }

    /// Between records and what is remembered of them, which must never stand alone. Without a transaction the brokers must have the
    /// records first: a worker that died between would not know any more what it had to take back.
    pub(super) fn part(&self) -> Result<(), Trouble> {
        if self.exactly_once { Ok(()) } else { self.wait() }
    }

    fn wait(&self) -> Result<(), Trouble> {
        let deadline = Instant::now() + RETRIES;
        while self.producer.in_flight_count() > 0 {
            self.producer.poll(Duration::from_micros(500));
            if !self.may_wait(deadline) {
                return Err(Trouble::Abort(format!("its records could not be written in {RETRIES:?}")));
            }
        }
        self.producer.context().take().map_or(Ok(()), |e| Err(Trouble::Abort(format!("a record was not delivered: {e}"))))
    }

    /// Commits offsets, and with them the transaction. `is_ours` is asked last, when the group's generation is read already:
    /// so one in which the partitions were another's is never told with these offsets.
    pub(super) fn commit(&self, offsets: &TopicPartitionList, is_ours: impl Fn() -> bool) -> Result<(), Trouble> {
        let group = self.consumer.group_metadata().ok_or_else(|| Trouble::Abort("the group is left".to_owned()))?;
        if self.consumer.assignment_lost() || !is_ours() {
            return Err(Trouble::Abort("its partitions were taken away".to_owned()));
        }
        if self.exactly_once {
            self.again(|| self.producer.send_offsets_to_transaction(offsets, &group, CALL))?;
            Point::OffsetsSent.reached();
            self.again(|| self.producer.commit_transaction(CALL))?;
        } else {
            let committed = self.flow.watched(|| self.consumer.commit(offsets, CommitMode::Sync));
            committed.map_err(|e| Trouble::Abort(format!("offsets: {e}")))?;
        }
        Point::Committed.reached();
        Ok(())
    }

    /// Whether an abort undoes what was written; else some of it stands.
    pub(super) fn undoes(&self) -> bool {
        self.exactly_once
    }

    /// What was written is undone, where it can be.
    pub(super) fn abort(&self) -> Result<(), Trouble> {
        if self.exactly_once {
            return self.again(|| self.producer.abort_transaction(CALL));
        }
        self.producer.purge(PurgeConfig::default().queue().inflight());
        self.producer.poll(CALL / 10);
        self.producer.context().take();
        Ok(())
    }

    /// Makes a call again as long as that helps.
    fn again(&self, call: impl Fn() -> Result<(), KafkaError>) -> Result<(), Trouble> {
        let deadline = Instant::now() + RETRIES;
        loop {
            match self.flow.watched(&call) {
                Ok(()) => return Ok(()),
                Err(KafkaError::Transaction(e)) if e.is_retriable() && self.may_wait(deadline) => {
                    self.producer.poll(Duration::from_millis(50));
                }
                Err(e) => return Err(self.trouble(&e)),
            }
        }
    }

    fn may_wait(&self, deadline: Instant) -> bool {
        Instant::now() < deadline && !self.health.is_hurried()
    }

    fn trouble(&self, error: &KafkaError) -> Trouble {
        if let Some((code, reason)) = self.producer.client().fatal_error() {
            return Trouble::Fatal(format!("{code}: {reason}"));
        }
        match error {
            KafkaError::Transaction(e) if e.is_fatal() => Trouble::Fatal(e.to_string()),
            KafkaError::Transaction(e) if e.txn_requires_abort() || e.is_retriable() => Trouble::Abort(e.to_string()),
            KafkaError::Transaction(e) => Trouble::Fatal(e.to_string()),
            other => Trouble::Abort(other.to_string()),
        }
    }
}
