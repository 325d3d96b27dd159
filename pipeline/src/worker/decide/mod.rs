//! The deciding worker: takes suspects, verdicts, notices, appeals and receipts, and writes removals, links, dead letters and dockets, one
//! transaction a batch.
//!
//! One thread polls, decides and commits in turn: there is little of it beside the listings, and nothing is on its way when partitions are
//! taken away. What came to a partition that is not its listing's is sent on to the one that is.

#![allow(clippy::disallowed_types, reason = "a batch waits for a bounded time")]

mod desks;
mod input;
mod outputs;
mod register;
mod tiers;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use touchstone_decisions::{Calendars, Output, Rules};
use touchstone_detectors::Scanner;
use touchstone_schemas::Fault;
use tracing::{debug, info, warn};

use super::Shared;
use super::context::Context;
use super::delivery::{Delivery, Trouble};
use super::flow::Flow;
use super::records::Refused;
use super::rewind::rewind;
use super::taken::Taken;
use super::{leave, watchdog};
use crate::failure::Failure;
use crate::kafka::{self, Names, partition_of};
use crate::metrics::Metrics;
use desks::Desks;
pub(super) use desks::is_deciders;
use input::{Input, Read, Topic, in_order};
use outputs::{Record, To};
use register::Register;
use tiers::Tiers;

/// Longest wait for a message, so that requests to stop are heard.
const WAIT: Duration = Duration::from_millis(100);
/// How long the first contact may take.
const FIRST_CONTACT: Duration = Duration::from_secs(60);
/// Batches that may be aborted in a row.
const MOST_ABORTS: u32 = 10;
/// Rest after an abort, longer with each.
const PAUSE: Duration = Duration::from_millis(100);

/// Runs until it is told to stop, or cannot go on. A catalog is in use already.
pub(crate) fn decide(shared: &Shared) -> Result<(), Failure> {
    let config = &shared.config;
    let flow = Arc::new(Flow::default());
    let cannot = |what: &str, e: &dyn std::fmt::Display| Failure::Usage(format!("kafka: cannot set up the {what}: {e}"));
    let context = Context::new(flow.clone(), shared);
    let consumer = BaseConsumer::from_config_and_context(&kafka::decider(config), context).map_err(|e| cannot("consumer", &e))?;
    let consumer: Arc<BaseConsumer<Context>> = Arc::new(consumer);
    let producer = kafka::decider_producer(config);
    let delivery = Delivery::new(&producer, shared, consumer.clone(), flow.clone()).map_err(|e| cannot("producer", &e))?;
    let names = Names::new(config);
    let topics: HashMap<String, usize> = delivery.topics(FIRST_CONTACT).map_err(|e| kafka::unreachable(config, &e))?.collect();
    let partitions = partitions(&names, &topics)?;
    delivery.init(FIRST_CONTACT).map_err(|e| kafka::unreachable(config, &e))?;
    let tiers = Tiers::follow(config, i32::try_from(topics[&names.of("standing")]).unwrap_or(i32::MAX))
        .map_err(|e| kafka::unreachable(config, &e))?;
    let subscribed: Vec<String> = Topic::ALL.iter().map(|topic| names.of(topic.name())).collect();
    let subscribed: Vec<&str> = subscribed.iter().map(String::as_str).collect();
    consumer.subscribe(&subscribed).map_err(|e| cannot("subscription", &e))?;
    info!(group = kafka::deciders(config), instance = kafka::instance(config), "deciding worker starts");

    let keeps_register = AtomicBool::new(false);
    let ended = Arc::new(AtomicBool::new(false));
    let worked = std::thread::scope(|scope| {
        let (hangs, watched) = (flow.clone(), ended.clone());
        std::thread::spawn(move || watchdog::watch(&hangs, || !watched.load(Ordering::Relaxed)));
        let register =
            scope.spawn(|| Register::keep(shared, &keeps_register, &|| !shared.health.is_stopping() && flow.failure().is_none()));
        let mut worker = Decider {
            shared,
            names,
            partitions,
            consumer: &consumer,
            delivery,
            producer,
            flow: &flow,
            desks: Desks::new(config, partitions),
            tiers,
            pending: Vec::new(),
            since: Instant::now(),
            bytes: 0,
            tenure: 0,
            assignments: 0,
            aborts: 0,
            keeps_register: &keeps_register,
        };
        let worked = worker.run();
        if let Err(e) = &worked {
            flow.fail(e.to_string());
        }
        ended.store(true, Ordering::Relaxed);
        let kept = register.join().unwrap_or_else(|_| Err(Failure::Run(anyhow::anyhow!("the thread of the register panicked"))));
        worked.and(kept)
    });
    if worked.is_ok() {
        info!("deciding worker ends, everything taken is committed or comes again");
    }
    leave(consumer);
    worked
}

/// How many partitions the topics have, which must be as many in all.
fn partitions(names: &Names, topics: &HashMap<String, usize>) -> Result<i32, Failure> {
    for topic in ["removals", "links", "dead-letters", "standing", "cases"] {
        if !topics.contains_key(&names.of(topic)) {
            return Err(Failure::Usage(format!(
                "kafka: there is no topic {}: make the topics with `touchstone topics create`",
                names.of(topic)
            )));
        }
    }
    let count = |topic: Topic| topics.get(&names.of(topic.name())).copied().unwrap_or(0);
    let wanted = count(Topic::Suspects);
    match Topic::ALL.into_iter().find(|topic| count(*topic) != wanted || wanted == 0) {
        None => Ok(i32::try_from(wanted).unwrap_or(i32::MAX)),
        Some(topic) => Err(Failure::Usage(format!(
            "kafka: {} has {} partitions and {} has {wanted}: what concerns a listing is in partitions of one number, so give them as many",
            names.of(topic.name()),
            count(topic),
            names.of("suspects")
        ))),
    }
}

struct Decider<'a> {
    shared: &'a Shared,
    names: Names,
    partitions: i32,
    consumer: &'a Arc<BaseConsumer<Context>>,
    delivery: Delivery,
    producer: rdkafka::ClientConfig,
    flow: &'a Arc<Flow>,
    desks: Desks,
    tiers: Tiers,
    pending: Vec<Input>,
    since: Instant,
    /// Bytes that it holds.
    bytes: usize,
    /// The tenure that it was taken in.
    tenure: u64,
    /// The assignment that was looked at last, by its number.
    assignments: u64,
    aborts: u32,
    keeps_register: &'a AtomicBool,
}

/// What a batch came to.
#[derive(Default)]
struct Batch {
    records: Vec<Record>,
    /// What became of its events.
    heard: HashMap<&'static str, u64>,
    held: HashMap<&'static str, u64>,
}

impl Decider<'_> {
    fn run(&mut self) -> Result<(), Failure> {
        let config = self.shared.config.clone();
        let most = usize::try_from(config.worker.batch_listings).unwrap_or(usize::MAX);
        let most_bytes = usize::try_from(config.worker.batch_bytes).unwrap_or(usize::MAX);
        let linger = Duration::from_millis(config.worker.batch_wait_ms);
        let health = &self.shared.health;
        while !health.is_stopping() && self.flow.failure().is_none() {
            health.moved();
            match self.consumer.poll(if self.pending.is_empty() { WAIT } else { linger.saturating_sub(self.since.elapsed()).min(WAIT) }) {
                Some(Ok(message)) => {
                    if self.pending.is_empty() {
                        self.since = Instant::now();
                    }
                    let topic = Topic::ALL.into_iter().find(|topic| self.names.of(topic.name()) == message.topic());
                    let taken = Taken::of(&message);
                    self.bytes += taken.bytes_held();
                    self.pending.extend(topic.map(|topic| Input { topic, taken }));
                }
                Some(Err(KafkaError::MessageConsumptionFatal(code))) => {
                    return Err(Failure::Run(anyhow::anyhow!("kafka: the consumer cannot go on: {code}")));
                }
                Some(Err(e)) => warn!("kafka: {e}"),
                None => {}
            }
            self.settle()?;
            let is_full = self.pending.len() >= most || self.bytes >= most_bytes;
            if is_full || (!self.pending.is_empty() && self.since.elapsed() >= linger) {
                self.commit_pending()?;
            }
        }
        self.flow.failure().map_or(Ok(()), |message| Err(Failure::Run(anyhow::anyhow!(message))))
    }

    /// After a rebalance or an abort: nothing that is known holds, and it begins again at what is committed.
    fn settle(&mut self) -> Result<(), Failure> {
        let (tenure, wind_back) = self.flow.settle();
        let revoked = !self.consumer.context().take_revoked().is_empty();
        if tenure != self.tenure || wind_back || revoked {
            self.tenure = tenure;
            self.pending.clear();
            self.bytes = 0;
            self.desks.close_all();
        }
        if wind_back {
            rewind(self.consumer)?;
        }
        let assignments = self.consumer.context().assignments();
        if assignments == self.assignments && !revoked {
            return Ok(());
        }
        self.assignments = assignments;
        let assignment = self.consumer.assignment().map_err(|e| Failure::Run(anyhow::anyhow!("kafka: cannot tell the assignment: {e}")))?;
        let first = assignment.find_partition(&self.names.of(Topic::Suspects.name()), 0).is_some();
        self.keeps_register.store(first, Ordering::Relaxed);
        Ok(())
    }

    fn commit_pending(&mut self) -> Result<(), Failure> {
        let Some(scanner) = self.shared.live.scanner() else { return Ok(()) };
        let inputs = std::mem::take(&mut self.pending);
        self.bytes = 0;
        let mut next: BTreeMap<(Topic, i32), i64> = BTreeMap::new();
        for input in &inputs {
            next.insert((input.topic, input.taken.partition), input.taken.offset + 1);
        }
        let Some(batch) = self.decide(inputs, &scanner)? else { return Ok(()) };
        let started = Instant::now();
        match self.write(&batch.records, &next) {
            Ok(()) => {
                self.aborts = 0;
                let metrics = &self.shared.metrics;
                metrics.commit_seconds.observe(started.elapsed().as_secs_f64());
                Metrics::add(&metrics.decisions, &batch.heard);
                Metrics::add(&metrics.removals_held, &batch.held);
                for record in &batch.records {
                    match &record.to {
                        To::DeadLetters { reason } => metrics.dead_letters.with_label_values(&[reason]).inc(),
                        To::Removals => metrics.decisions.with_label_values(&["removal_written"]).inc(),
                        _ => {}
                    }
                }
                Ok(())
            }
            Err(Trouble::Fatal(reason)) => Err(Failure::Run(anyhow::anyhow!("kafka: {reason}"))),
            Err(Trouble::Abort(reason)) => self.undo(&reason),
        }
    }

    /// Aborts, so that the batch comes again.
    fn undo(&mut self, reason: &str) -> Result<(), Failure> {
        warn!("the batch is aborted, and comes again: {reason}");
        self.shared.metrics.aborted.with_label_values(&["abortable"]).inc();
        self.aborts += 1;
        if self.aborts >= MOST_ABORTS {
            return Err(Failure::Run(anyhow::anyhow!("kafka: {MOST_ABORTS} batches in a row were aborted: {reason}")));
        }
        if let Err(Trouble::Abort(e) | Trouble::Fatal(e)) = self.delivery.abort() {
            warn!("a new producer takes over, since the transaction cannot be aborted: {e}");
            let connect = || {
                let new = Delivery::new(&self.producer, self.shared, self.consumer.clone(), self.flow.clone())?;
                new.init(FIRST_CONTACT).map(|()| new)
            };
            self.delivery = connect().map_err(|e: KafkaError| Failure::Run(anyhow::anyhow!("kafka: cannot abort: {e}")))?;
        }
        self.flow.ask_to_wind_back();
        self.flow.rest(PAUSE * self.aborts);
        Ok(())
    }

    /// What comes of a batch; nothing where its partitions cannot be read back yet.
    fn decide(&mut self, inputs: Vec<Input>, scanner: &Scanner) -> Result<Option<Batch>, Failure> {
        self.tiers.refresh();
        let (health, flow, tenure) = (&self.shared.health, self.flow, self.tenure);
        let mut by_partition: BTreeMap<i32, Vec<Input>> = BTreeMap::new();
        for input in inputs {
            by_partition.entry(input.taken.partition).or_default().push(input);
        }
        let mut batch = Batch::default();
        for (partition, inputs) in by_partition {
            let go_on = || !health.is_hurried() && flow.tenure() == tenure;
            let opened = self
                .desks
                .open(partition, go_on)
                .map_err(|e| Failure::Run(anyhow::anyhow!("kafka: the state topic cannot be read: {e}")))?;
            if !opened {
                return Ok(None);
            }
            let mut any = false;
            for (input, read) in in_order(inputs) {
                any |= self.take(partition, &input, read, scanner, &mut batch);
            }
            if any {
                let rows = self.desks.take_changed(partition);
                batch.records.extend(rows.into_iter().map(|(key, payload)| outputs::state(partition, key, payload)));
            }
        }
        Ok(Some(batch))
    }

    /// Decides about one record; whether anything of the desk may have changed.
    fn take(&mut self, partition: i32, input: &Input, read: Result<Read, Fault>, scanner: &Scanner, batch: &mut Batch) -> bool {
        let topic = self.names.of(input.topic.name());
        let refuse = |batch: &mut Batch, reason: &'static str, path: &str, detail: &str| {
            debug!(topic, partition, offset = input.taken.offset, reason, path, "dead letter");
            let why = Refused { reason, path, detail, schema: input.topic.schema() };
            batch.records.push(outputs::refused(&input.taken, &topic, &why));
        };
        let (key, event) = match read {
            Ok(Read::Event { key, event }) => (key, event),
            Ok(Read::Seen) => {
                let key = input.taken.key.as_deref().unwrap_or_default();
                self.desks.see(partition, key);
                return false;
            }
            Ok(Read::OfSeller) => {
                *batch.heard.entry("of_seller").or_default() += 1;
                return false;
            }
            Err(fault) => {
                *batch.heard.entry("unreadable").or_default() += 1;
                refuse(batch, fault.reason.as_str(), &fault.path, &fault.detail);
                return false;
            }
        };
        let own = partition_of(key.as_bytes(), self.partitions);
        if own != partition && !key.is_empty() {
            // Whoever wrote it spreads keys in another way than Kafka's own clients do.
            *batch.heard.entry("sent_on").or_default() += 1;
            batch.records.push(outputs::sent_on(&input.taken, topic, own, &key));
            return false;
        }
        let Some(desk) = self.desks.get(partition) else { return false };
        let (policy, tiers) = (scanner.policy(), &self.tiers);
        let rules = Rules {
            policy,
            catalog: scanner.catalog(),
            calendars: Calendars::shipped(),
            burden: &|brand| tiers.burden(policy, brand),
            fails: &|brand, kind, key| tiers.fails(brand, kind, key),
            partitions: u64::try_from(self.partitions).unwrap_or(1),
        };
        let heading = desk.take(&rules, &key, &event);
        *batch.heard.entry(heading.heard).or_default() += 1;
        for output in heading.outputs {
            match output {
                Output::Removal(removal) => batch.records.push(outputs::removal(&removal, &key, &input.taken)),
                Output::Link(link) => batch.records.push(outputs::link(&link, &input.taken)),
                Output::Refused(refusal) => refuse(batch, refusal.reason, refusal.path, &refusal.detail),
                Output::Held(cap) => {
                    warn!(
                        listing = key,
                        cap = cap.as_str(),
                        "a removal is held: there are as many today as the policy allows, or the brand denies too often what it rests on"
                    );
                    *batch.held.entry(cap.as_str()).or_default() += 1;
                }
            }
        }
        true
    }

    fn write(&self, records: &[Record], next: &BTreeMap<(Topic, i32), i64>) -> Result<(), Trouble> {
        self.delivery.begin()?;
        for record in records {
            let topic = match &record.to {
                To::Removals => self.names.of("removals"),
                To::Links => self.names.of("links"),
                To::State => self.names.of("state"),
                To::DeadLetters { .. } => self.names.of("dead-letters"),
                To::Back { topic } => topic.clone(),
            };
            // State without a payload is forgotten.
            let payload = Some(record.payload.as_slice()).filter(|payload| !payload.is_empty() || !matches!(record.to, To::State));
            self.delivery.send_as(&topic, record, payload)?;
        }
        self.delivery.flush()?;
        let mut offsets = TopicPartitionList::new();
        for ((topic, partition), next) in next {
            offsets
                .add_partition_offset(&self.names.of(topic.name()), *partition, Offset::Offset(*next))
                .map_err(|e| Trouble::Fatal(format!("an offset cannot be committed: {e}")))?;
        }
        self.delivery.commit(&offsets, || self.tenure == self.flow.tenure())
    }
}
