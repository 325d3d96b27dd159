//! The commit thread: one transaction a batch, holding its outputs and its offsets and nothing else.

#![allow(clippy::disallowed_types, reason = "measures how long commits take, and bounds retries")]

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, NoCustomPartitioner, Producer, ProducerContext};
use rdkafka::{Offset, TopicPartitionList};
use touchstone_detectors::Scanner;
use tracing::{debug, error, warn};

use super::Shared;
use super::context::{Context, log};
use super::flow::Flow;
use super::records::Destination;
use super::scan::Output;
use crate::failure::Failure;
use crate::kafka::{self, Names};
use crate::metrics::Metrics;

/// How long one call may take before it is made again.
const CALL: Duration = Duration::from_secs(5);
/// How long a call is made again before the transaction is given up.
const RETRIES: Duration = Duration::from_secs(30);
/// How long the first contact may take: a new cluster elects its coordinators first.
const FIRST_CONTACT: Duration = Duration::from_secs(60);
/// The same while a worker is at work.
const SHORT_LOOK: Duration = Duration::from_secs(2);
/// Transactions that may be aborted in a row: what goes on failing is for the supervisor, and for people.
const MOST_ABORTS: u32 = 10;
/// Rest after an abort, longer with each.
const PAUSE: Duration = Duration::from_millis(100);
/// How often missing topics are looked for again.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        warn!("kafka: {error}: {reason}");
    }
}

impl ProducerContext for Quiet {
    type DeliveryOpaque = ();

    /// A record that could not be delivered makes the commit fail: it is told there.
    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            debug!("a record was not delivered: {error}");
        }
    }
}

/// Why a transaction did not come to its end.
enum Trouble {
    /// It must be aborted; the batch comes again.
    Abort(String),
    /// The worker cannot go on.
    Fatal(String),
}

/// Writes and commits.
pub(super) struct Committer {
    producer: BaseProducer<Quiet, NoCustomPartitioner>,
    consumer: Arc<BaseConsumer<Context>>,
    flow: Arc<Flow>,
    metrics: Arc<Metrics>,
    names: Names,
    listings: String,
    suspects: String,
    dead_letters: String,
    /// Brands with a topic of their own.
    own_topics: HashSet<String>,
    /// Topics that there are.
    there: HashSet<String>,
    /// When that was looked up last; nothing after an abort.
    looked: Option<Instant>,
    /// Transactions aborted since the last commit.
    aborts: u32,
}

impl Committer {
    /// Connects, and aborts what an earlier worker of the same name left open.
    pub(super) fn connect(
        shared: &Shared,
        names: &Names,
        scanner: &Scanner,
        consumer: Arc<BaseConsumer<Context>>,
        flow: Arc<Flow>,
    ) -> Result<Self, Failure> {
        let config = &shared.config;
        let producer = BaseProducer::from_config_and_context(&kafka::producer(config), Quiet)
            .map_err(|e| Failure::Usage(format!("kafka: cannot set up the producer: {e}")))?;
        let unreachable =
            |e: &KafkaError| Failure::Run(anyhow::anyhow!("kafka: {} cannot be reached, or refuses: {e}", config.kafka.brokers));
        let own_topics = scanner.catalog().brands().filter(|(_, _, own)| *own).map(|(id, ..)| id.to_owned()).collect();
        let mut committer = Self {
            producer,
            consumer,
            flow,
            metrics: shared.metrics.clone(),
            listings: names.of("listings"),
            suspects: names.of("suspects"),
            dead_letters: names.of("dead-letters"),
            names: names.clone(),
            own_topics,
            there: HashSet::new(),
            looked: Some(Instant::now()),
            aborts: 0,
        };
        committer.look(FIRST_CONTACT).map_err(|e| unreachable(&e))?;
        for topic in [&committer.listings, &committer.suspects, &committer.dead_letters] {
            if !committer.there.contains(topic) {
                return Err(Failure::Usage(format!(
                    "kafka: there is no topic {topic}: make the topics with `touchstone topics create`, or set kafka.topic_prefix"
                )));
            }
        }
        committer.producer.init_transactions(FIRST_CONTACT).map_err(|e| unreachable(&e))?;
        Ok(committer)
    }

    /// Learns which topics there are.
    fn look(&mut self, limit: Duration) -> Result<(), KafkaError> {
        let metadata = self.producer.client().fetch_metadata(None, limit)?;
        self.there = metadata.topics().iter().filter(|t| t.error().is_none()).map(|t| t.name().to_owned()).collect();
        Ok(())
    }

    /// Commits until no more batches come.
    pub(super) fn run(&mut self, scanned: &Receiver<Output>) {
        for output in scanned {
            if output.tenure == self.flow.tenure() && self.flow.failure().is_none() {
                self.commit(&output);
            }
            self.flow.leave();
        }
    }

    fn commit(&mut self, output: &Output) {
        let started = Instant::now();
        match self.transaction(output) {
            Ok(missing) => {
                self.metrics.commit_seconds.observe(started.elapsed().as_secs_f64());
                self.aborts = 0;
                self.count(output, missing);
            }
            Err(Trouble::Abort(reason)) => {
                warn!("the transaction is aborted, its batch comes again: {reason}");
                self.metrics.aborted.with_label_values(&["abortable"]).inc();
                // Another rebalance may be behind it, or a topic that is gone.
                self.looked = None;
                self.aborts += 1;
                match self.again(|| self.producer.abort_transaction(CALL)) {
                    Ok(()) if self.aborts >= MOST_ABORTS => {
                        self.fail(&format!("{MOST_ABORTS} transactions in a row were aborted: {reason}"));
                    }
                    Ok(()) => {
                        self.flow.ask_to_wind_back();
                        self.flow.rest(PAUSE * self.aborts);
                    }
                    Err(Trouble::Abort(e) | Trouble::Fatal(e)) => self.fail(&format!("cannot abort: {e}")),
                }
            }
            Err(Trouble::Fatal(reason)) => self.fail(&reason),
        }
    }

    fn fail(&self, reason: &str) {
        error!("the worker cannot go on: {reason}");
        self.flow.fail(format!("kafka: {reason}"));
    }

    /// Writes the batch; tells how many records had no topic to go to.
    fn transaction(&mut self, output: &Output) -> Result<u64, Trouble> {
        self.look_again(output);
        self.again(|| self.producer.begin_transaction())?;
        let mut missing = 0;
        for record in &output.records {
            match &record.to {
                Destination::DeadLetters { .. } => self.send(&self.dead_letters, record)?,
                Destination::Suspects { brand_id, .. } => {
                    self.send(&self.suspects, record)?;
                    if self.own_topics.contains(brand_id) {
                        let topic = self.names.of_brand(brand_id);
                        if self.there.contains(&topic) {
                            self.send(&topic, record)?;
                        } else {
                            missing += 1;
                        }
                    }
                }
            }
        }
        // A commit waits for whole tenths of a second while anything is in flight.
        while self.producer.in_flight_count() > 0 {
            self.producer.poll(Duration::from_micros(500));
        }
        let mut offsets = TopicPartitionList::new();
        for (partition, next) in &output.next {
            offsets
                .add_partition_offset(&self.listings, *partition, Offset::Offset(*next))
                .map_err(|e| Trouble::Fatal(format!("an offset cannot be committed: {e}")))?;
        }
        // Read afresh, since the group's generation may have moved on; and before the tenure is judged, so that a generation
        // in which the partitions were another's is never told with these offsets.
        let group = self.consumer.group_metadata().ok_or_else(|| Trouble::Abort("the group is left".to_owned()))?;
        if self.consumer.assignment_lost() || output.tenure != self.flow.tenure() {
            return Err(Trouble::Abort("its partitions were taken away".to_owned()));
        }
        self.again(|| self.producer.send_offsets_to_transaction(&offsets, &group, CALL))?;
        self.again(|| self.producer.commit_transaction(CALL))?;
        Ok(missing)
    }

    /// Before a transaction, and from time to time only: looks for a topic that was not there, and after an abort for all.
    fn look_again(&mut self, output: &Output) {
        let brand = |to: &Destination| match to {
            Destination::Suspects { brand_id, .. } if self.own_topics.contains(brand_id) => Some(self.names.of_brand(brand_id)),
            _ => None,
        };
        let missing = output.records.iter().filter_map(|r| brand(&r.to)).any(|topic| !self.there.contains(&topic));
        let due = self.looked.is_none_or(|at| at.elapsed() >= LOOK_AGAIN);
        if (missing && due) || self.looked.is_none() {
            self.looked = Some(Instant::now());
            if let Err(e) = self.look(SHORT_LOOK) {
                warn!("kafka: cannot look for topics: {e}");
            }
        }
    }

    fn send(&self, topic: &str, record: &super::records::Record) -> Result<(), Trouble> {
        let deadline = Instant::now() + RETRIES;
        loop {
            let message = BaseRecord::to(topic).key(&record.key).payload(&record.payload).headers(record.headers.clone());
            match self.producer.send(message) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) if Instant::now() < deadline => {
                    self.producer.poll(Duration::from_millis(10));
                }
                Err((e, _)) => return Err(self.trouble(&e)),
            }
        }
    }

    /// Makes a call again as long as that helps.
    fn again(&self, call: impl Fn() -> Result<(), KafkaError>) -> Result<(), Trouble> {
        let deadline = Instant::now() + RETRIES;
        loop {
            match call() {
                Ok(()) => return Ok(()),
                Err(KafkaError::Transaction(e)) if e.is_retriable() && Instant::now() < deadline => {
                    self.producer.poll(Duration::from_millis(50));
                }
                Err(e) => return Err(self.trouble(&e)),
            }
        }
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

    fn count(&self, output: &Output, missing: u64) {
        let metrics = &self.metrics;
        Metrics::add(&metrics.listings, &output.counts.outcomes);
        Metrics::add(&metrics.faults, &output.counts.faults);
        Metrics::add(&metrics.pictures, &output.counts.pictures);
        metrics.faults.with_label_values(&["missing_topic"]).inc_by(missing);
        let (mut bands, mut reasons) = (HashMap::new(), HashMap::new());
        for record in &output.records {
            match &record.to {
                Destination::Suspects { band, .. } => *bands.entry(band.as_str()).or_default() += 1,
                Destination::DeadLetters { reason } => *reasons.entry(*reason).or_default() += 1,
            }
        }
        Metrics::add(&metrics.suspects, &bands);
        Metrics::add(&metrics.dead_letters, &reasons);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64());
        if let Some(oldest) = output.oldest {
            // Milliseconds since 1970 are far below what a float holds exactly.
            #[allow(clippy::cast_precision_loss)]
            metrics.end_to_end_seconds.observe((now - oldest as f64 / 1000.0).max(0.0));
        }
    }
}
