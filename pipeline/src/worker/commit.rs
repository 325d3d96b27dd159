//! The commit thread: writes each batch's outputs and offsets, and counts what was committed.

#![allow(clippy::disallowed_types, reason = "measures how long commits take")]

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rdkafka::consumer::BaseConsumer;
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};
use tracing::{error, warn};

use super::Shared;
use super::context::Context;
use super::delivery::{Delivery, Trouble};
use super::flow::Flow;
use super::memory::Fate;
use super::records::{Destination, Record};
use super::scan::Output;
use super::taken::Source;
use super::there::There;
use crate::brand_fields::fields_for_brand;
use crate::failure::Failure;
use crate::kafka::{self, Names};
use crate::metrics::Metrics;

/// How long the first contact may take: a new cluster elects its coordinators first.
const FIRST_CONTACT: Duration = Duration::from_secs(60);
/// The same while a worker is at work.
const SHORT_LOOK: Duration = Duration::from_secs(2);
/// Batches that may be aborted in a row: what goes on failing is for the supervisor, and for people.
const MOST_ABORTS: u32 = 10;
/// Rest after an abort, longer with each.
const PAUSE: Duration = Duration::from_millis(100);
/// Rest between looks that must agree that a topic is gone.
const LOOK_REST: Duration = Duration::from_millis(500);
/// How often missing topics are looked for again.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Writes and commits.
pub(super) struct Committer {
    delivery: Delivery,
    consumer: Arc<BaseConsumer<Context>>,
    shared: Shared,
    flow: Arc<Flow>,
    metrics: Arc<Metrics>,
    names: Names,
    listings: String,
    suspects: String,
    dead_letters: String,
    state: String,
    retry: String,
    there: There,
    /// When that was looked up last; nothing after an abort.
    looked: Option<Instant>,
    /// Batches aborted since the last commit.
    aborts: u32,
}

impl Committer {
    /// Connects, and aborts what an earlier worker of the same name left open.
    pub(super) fn connect(shared: &Shared, names: &Names, consumer: Arc<BaseConsumer<Context>>, flow: Arc<Flow>) -> Result<Self, Failure> {
        let config = &shared.config;
        let delivery = Delivery::new(&kafka::producer(config), shared, consumer.clone(), flow.clone())
            .map_err(|e| Failure::Usage(format!("kafka: cannot set up the producer: {e}")))?;
        let mut committer = Self {
            delivery,
            consumer,
            shared: shared.clone(),
            flow,
            metrics: shared.metrics.clone(),
            listings: names.of("listings"),
            suspects: names.of("suspects"),
            dead_letters: names.of("dead-letters"),
            state: names.of("state"),
            retry: names.of("retry"),
            names: names.clone(),
            there: There::default(),
            looked: Some(Instant::now()),
            aborts: 0,
        };
        committer.look(&[], FIRST_CONTACT).map_err(|e| kafka::unreachable(config, &e))?;
        committer.check_topics()?;
        committer.delivery.init(FIRST_CONTACT).map_err(|e| kafka::unreachable(config, &e))?;
        Ok(committer)
    }

    fn check_topics(&self) -> Result<(), Failure> {
        for topic in [&self.listings, &self.suspects, &self.dead_letters, &self.state] {
            if !self.there.contains(topic) {
                return Err(Failure::Usage(format!(
                    "kafka: there is no topic {topic}: make the topics with `touchstone topics create`, or set kafka.topic_prefix"
                )));
            }
        }
        let partitions = |topic: &str| self.there.partitions(topic).unwrap_or(0);
        let (listings, state, retry) = (partitions(&self.listings), partitions(&self.state), partitions(&self.retry));
        if retry < listings && self.shared.config.pictures.fetch && self.shared.config.pictures.retry_passes > 0 {
            warn!(
                "kafka: {} has {listings} partitions and {} has {retry}: listings of the others whose pictures are slow are not looked at \
                 again; make it with `touchstone topics create`, or give it as many",
                self.listings, self.retry
            );
        }
        if state < listings {
            return Err(Failure::Usage(format!(
                "kafka: {} has {listings} partitions and {} has {state}: what is remembered of a partition is kept in the one of the same \
                 number, so give {} as many",
                self.listings, self.state, self.state
            )));
        }
        Ok(())
    }

    /// Learns which topics there are.
    fn look(&mut self, wanted: &[String], limit: Duration) -> Result<(), KafkaError> {
        let look = || {
            let own = self.delivery.topics(limit)?.filter(|(topic, _)| self.names.is_own(topic));
            Ok::<_, KafkaError>(own.collect())
        };
        if !self.there.learn(&self.listings, wanted, look, || std::thread::park_timeout(LOOK_REST))? {
            // Whoever was asked knows nothing yet: the next batch asks again.
            self.looked = None;
        }
        Ok(())
    }

    /// Commits until no more batches come, and tells of each in its turn what became of it.
    pub(super) fn run(&mut self, scanned: &Receiver<Output>, settled: &Sender<Fate>) {
        for output in scanned {
            let is_ours = output.tenure == self.flow.tenure() && self.flow.failure().is_none();
            let fate = if is_ours { self.commit(&output) } else { Fate::Dropped };
            // Nobody listens any more when the scanning thread has ended.
            let _ = settled.send(fate);
            self.flow.leave();
        }
    }

    fn commit(&mut self, output: &Output) -> Fate {
        let started = Instant::now();
        match self.write(output) {
            Ok(missing) => {
                self.metrics.commit_seconds.observe(started.elapsed().as_secs_f64());
                self.aborts = 0;
                self.count(output, missing);
                Fate::Committed
            }
            Err(Trouble::Abort(reason)) => {
                warn!("the batch is aborted, and comes again: {reason}");
                self.metrics.aborted.with_label_values(&["abortable"]).inc();
                // Another rebalance may be behind it, or a topic that is gone.
                self.looked = None;
                self.aborts += 1;
                // An abort that is refused may come after a commit whose answer was lost.
                let (fate, undone) = match self.delivery.abort() {
                    Ok(()) if self.delivery.undoes() => (Fate::Dropped, Ok(())),
                    Ok(()) => (Fate::Unknown, Ok(())),
                    Err(Trouble::Abort(e) | Trouble::Fatal(e)) => (Fate::Unknown, self.renew(&e)),
                };
                match undone {
                    Ok(()) if self.aborts >= MOST_ABORTS => {
                        self.fail(&format!("{MOST_ABORTS} batches in a row were aborted: {reason}"));
                    }
                    Ok(()) => {
                        self.flow.ask_to_wind_back();
                        self.flow.rest(PAUSE * self.aborts);
                    }
                    Err(e) => self.fail(&format!("cannot abort: {e}")),
                }
                fate
            }
            Err(Trouble::Fatal(reason)) => {
                self.fail(&reason);
                Fate::Unknown
            }
        }
    }

    /// Begins again with a producer of the same name, which undoes what the old one left open: the brokers have given a
    /// transaction up by themselves when it took too long. Another worker of this name is told by the group, which fences the older.
    fn renew(&mut self, why: &str) -> Result<(), KafkaError> {
        warn!("a new producer takes over, since the transaction cannot be aborted: {why}");
        let new = Delivery::new(&kafka::producer(&self.shared.config), &self.shared, self.consumer.clone(), self.flow.clone())?;
        new.init(FIRST_CONTACT)?;
        self.delivery = new;
        Ok(())
    }

    fn fail(&self, reason: &str) {
        error!("the worker cannot go on: {reason}");
        self.flow.fail(format!("kafka: {reason}"));
    }

    /// Writes the batch; tells how many records had no topic to go to.
    fn write(&mut self, output: &Output) -> Result<u64, Trouble> {
        self.look_again(output);
        self.delivery.begin()?;
        let mut missing = 0;
        let (states, others): (Vec<&Record>, Vec<&Record>) = output.records.iter().partition(|r| matches!(r.to, Destination::State));
        for record in others {
            match &record.to {
                Destination::DeadLetters { .. } => self.delivery.send(&self.dead_letters, record)?,
                Destination::State => {}
                Destination::Retry if self.may_come_back(record) => self.delivery.send(&self.retry, record)?,
                Destination::Retry => missing += 1,
                Destination::Suspects { brand_id, .. } => {
                    self.delivery.send(&self.suspects, record)?;
                    if output.has_own_topic(brand_id) {
                        let topic = self.names.of_brand(brand_id);
                        if self.there.contains(&topic) {
                            if let Some(payload) = fields_for_brand(output.policy(), &record.payload) {
                                self.delivery.send_as(&topic, record, Some(&payload))?;
                            }
                        } else {
                            missing += 1;
                        }
                    }
                }
            }
        }
        self.delivery.part()?;
        for record in states {
            self.delivery.send(&self.state, record)?;
        }
        self.delivery.flush()?;
        let mut offsets = TopicPartitionList::new();
        for ((source, partition), next) in &output.next {
            let topic = match source {
                Source::Listings => &self.listings,
                Source::Retries => &self.retry,
            };
            offsets
                .add_partition_offset(topic, *partition, Offset::Offset(*next))
                .map_err(|e| Trouble::Fatal(format!("an offset cannot be committed: {e}")))?;
        }
        self.delivery.commit(&offsets, || output.tenure == self.flow.tenure())?;
        Ok(missing)
    }

    /// Whether a record has a partition of the `retry` topic to go to.
    fn may_come_back(&self, record: &Record) -> bool {
        let partition = record.partition.and_then(|p| usize::try_from(p).ok());
        partition.is_some_and(|p| self.there.partitions(&self.retry).is_some_and(|partitions| p < partitions))
    }

    /// Before a batch: looks for its topics that are not known, at once for one that nobody looked for yet and from time to time for the
    /// rest; and after an abort for all.
    fn look_again(&mut self, output: &Output) {
        let is_missing = |record: &Record| match &record.to {
            Destination::Suspects { brand_id, .. } if output.has_own_topic(brand_id) => {
                Some(self.names.of_brand(brand_id)).filter(|topic| !self.there.contains(topic))
            }
            Destination::Retry if !self.may_come_back(record) => Some(self.retry.clone()),
            _ => None,
        };
        let missing: BTreeSet<String> = output.records.iter().filter_map(is_missing).collect();
        let due = self.looked.is_none_or(|at| at.elapsed() >= LOOK_AGAIN);
        let doubtful: Vec<String> = missing.iter().filter(|topic| self.there.is_doubtful(topic)).cloned().collect();
        if !doubtful.is_empty() || (!missing.is_empty() && due) || self.looked.is_none() {
            self.looked = Some(Instant::now());
            if let Err(e) = self.look(&doubtful, SHORT_LOOK) {
                warn!("kafka: cannot look for topics: {e}");
            }
            for topic in doubtful.iter().filter(|topic| !self.there.contains(topic)) {
                warn!(
                    "kafka: there is no topic {topic}: what would go there is counted as missing_topic; `touchstone topics create` makes it"
                );
            }
        }
    }

    fn count(&self, output: &Output, missing: u64) {
        let metrics = &self.metrics;
        Metrics::add(&metrics.listings, &output.counts.outcomes);
        Metrics::add(&metrics.faults, &output.counts.faults);
        Metrics::add(&metrics.pictures, &output.counts.pictures);
        Metrics::add(&metrics.retries, &output.counts.retries);
        if let (Some(shadow), Some(looks)) = (&self.shared.shadow, &output.counts.looks) {
            shadow.count(looks);
        }
        metrics.faults.with_label_values(&["missing_topic"]).inc_by(missing);
        let (mut bands, mut withdrawn, mut reasons, mut put_off) = (HashMap::new(), HashMap::new(), HashMap::new(), 0);
        for record in &output.records {
            match &record.to {
                Destination::Suspects { withdrawn: Some(because), .. } => *withdrawn.entry(because.as_str()).or_default() += 1,
                Destination::Suspects { band, .. } => *bands.entry(band.as_str()).or_default() += 1,
                Destination::DeadLetters { reason } => *reasons.entry(*reason).or_default() += 1,
                Destination::Retry if self.may_come_back(record) => put_off += 1,
                Destination::Retry | Destination::State => {}
            }
        }
        metrics.retries.with_label_values(&["written"]).inc_by(put_off);
        Metrics::add(&metrics.suspects, &bands);
        Metrics::add(&metrics.withdrawn, &withdrawn);
        Metrics::add(&metrics.dead_letters, &reasons);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64());
        if let Some(oldest) = output.oldest {
            // Milliseconds since 1970 are far below what a float holds exactly.
            #[allow(clippy::cast_precision_loss)]
            metrics.end_to_end_seconds.observe((now - oldest as f64 / 1000.0).max(0.0));
        }
    }
}
