//! The poll thread: gathers batches and keeps the group membership alive, whatever the others do.

#![allow(clippy::disallowed_types, reason = "a batch waits for a bounded time")]

use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tracing::warn;

use super::context::Context;
use super::flow::Flow;
use super::retries::Retries;
use super::rewind::rewind;
use super::taken::Taken;
use crate::config::Config;
use crate::failure::Failure;
use crate::health::Health;

/// Events that are scanned and committed as one.
pub(super) struct Batch {
    pub(super) tenure: u64,
    pub(super) taken: Vec<Taken>,
    /// Partitions taken away since the last batch; what is in this one came after.
    pub(super) revoked: Vec<i32>,
}

/// Longest wait for a message, so that requests to stop are heard.
const WAIT: Duration = Duration::from_millis(100);
/// How long to wait for room before polling again.
const ROOM: Duration = Duration::from_millis(50);
/// How often to wait for room before pausing.
const PATIENT: u32 = 10;
/// How long what is on its way may take at the end.
const LAST_DRAIN: Duration = Duration::from_secs(30);

/// The state of the poll thread.
pub(super) struct Poller<'a> {
    consumer: &'a BaseConsumer<Context>,
    /// Listings that are to be looked at again; nothing where none are.
    retries: Option<Retries>,
    /// The assignment whose partitions the retries are read of, by its number.
    followed: u64,
    flow: &'a Flow,
    health: &'a Health,
    to_scan: SyncSender<Batch>,
    most: usize,
    most_bytes: usize,
    linger: Duration,
    /// Adopted after each poll: what is pending was taken in it.
    tenure: u64,
    pending: Vec<Taken>,
    bytes: usize,
    /// Partitions taken away that the scanning thread was not told of yet.
    revoked: Vec<i32>,
    since: Instant,
    /// Times in a row that there was no room for the batch.
    full_for: u32,
    /// The assignment that was paused, by its number.
    paused: Option<u64>,
}

impl<'a> Poller<'a> {
    pub(super) fn new(
        config: &Config,
        consumer: &'a BaseConsumer<Context>,
        retries: Option<Retries>,
        flow: &'a Flow,
        health: &'a Health,
        to_scan: SyncSender<Batch>,
    ) -> Self {
        let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        Self {
            consumer,
            retries,
            followed: 0,
            flow,
            health,
            to_scan,
            most: size(config.worker.batch_listings),
            most_bytes: size(config.worker.batch_bytes),
            linger: Duration::from_millis(config.worker.batch_wait_ms),
            tenure: flow.tenure(),
            pending: Vec::new(),
            bytes: 0,
            revoked: Vec::new(),
            since: Instant::now(),
            full_for: 0,
            paused: None,
        }
    }

    /// Polls until it is told to stop, then lets what is on its way finish.
    pub(super) fn run(mut self) -> Result<(), Failure> {
        while !self.health.is_stopping() && self.flow.failure().is_none() {
            self.health.moved();
            match self.consumer.poll(self.patience()) {
                Some(Ok(message)) => self.add(Taken::of(&message)),
                Some(Err(error)) => self.heed(&error)?,
                None => self.look_for_fatal()?,
            }
            let (tenure, wind_back) = self.flow.settle();
            let revoked = self.forget_revoked();
            if wind_back {
                self.wind_back()?;
            }
            self.follow(revoked, wind_back)?;
            self.tenure = tenure;
            self.add_retries();
            // What was full may have been taken away.
            if self.paused.is_some() && !self.is_full() {
                self.full_for = 0;
                self.pause(false)?;
            }
            if self.is_full() || (!self.pending.is_empty() && self.since.elapsed() >= self.linger) {
                self.hand_over()?;
            }
        }
        if self.flow.failure().is_none() && !self.pending.is_empty() {
            let batch = self.batch();
            self.flow.enter();
            if !self.hand_over_last(batch) {
                self.flow.leave();
            }
        }
        self.finish();
        Ok(())
    }

    fn add(&mut self, taken: Taken) {
        if self.pending.is_empty() {
            self.since = Instant::now();
        }
        self.bytes += taken.bytes_held();
        self.pending.push(taken);
    }

    /// Adds listings that are due to be looked at again, as far as there is room.
    fn add_retries(&mut self) {
        // At most half of a batch, so that listings go on, too.
        let most = self.most.div_ceil(2).min(self.most.saturating_sub(self.pending.len()));
        let most_bytes = self.most_bytes.saturating_sub(self.bytes);
        for taken in self.retries.as_mut().map_or_else(Vec::new, |retries| retries.take_due(most, most_bytes)) {
            self.add(taken);
        }
    }

    /// Reads retries of the very partitions that the worker has: only the owner of a partition knows which revisions are current.
    fn follow(&mut self, revoked: bool, wound_back: bool) -> Result<(), Failure> {
        let assignments = self.consumer.context().assignments();
        let Some(retries) = self.retries.as_mut().filter(|_| revoked || wound_back || self.followed != assignments) else {
            return Ok(());
        };
        let failed = |e: KafkaError| Failure::Run(anyhow::anyhow!("kafka: cannot tell the assignment: {e}"));
        let assignment = self.consumer.assignment().map_err(failed)?;
        let partitions: Vec<i32> = assignment.elements().iter().map(|e| e.partition()).collect();
        retries.assign(&partitions, wound_back);
        self.followed = assignments;
        Ok(())
    }

    /// Hands over the last batch, unless there is no room for it for too long: the others may wait for the brokers.
    fn hand_over_last(&self, mut batch: Batch) -> bool {
        let deadline = Instant::now() + LAST_DRAIN;
        while Instant::now() < deadline && !self.health.is_hurried() {
            match self.to_scan.try_send(batch) {
                Ok(()) => return true,
                Err(TrySendError::Full(back)) => batch = back,
                Err(TrySendError::Disconnected(_)) => return false,
            }
            self.flow.wait(ROOM);
        }
        false
    }

    /// Waits until what is on its way is committed, unless it takes too long or the second signal comes.
    fn finish(&self) {
        let deadline = Instant::now() + LAST_DRAIN;
        while !self.flow.drain(WAIT) && self.flow.failure().is_none() {
            if self.health.is_hurried() || Instant::now() >= deadline {
                return warn!("not everything taken is committed: the next worker takes it again");
            }
        }
    }

    fn is_full(&self) -> bool {
        self.pending.len() >= self.most || self.bytes >= self.most_bytes
    }

    /// Full and nowhere to go: polls on only to stay in the group.
    fn patience(&self) -> Duration {
        match self.pending.is_empty() {
            _ if self.is_full() => Duration::from_millis(2),
            true => WAIT,
            false => self.linger.saturating_sub(self.since.elapsed()).min(WAIT),
        }
    }

    fn batch(&mut self) -> Batch {
        self.bytes = 0;
        Batch { tenure: self.tenure, taken: std::mem::take(&mut self.pending), revoked: std::mem::take(&mut self.revoked) }
    }

    fn hand_over(&mut self) -> Result<(), Failure> {
        let batch = self.batch();
        self.flow.enter();
        match self.to_scan.try_send(batch) {
            Ok(()) => {
                self.full_for = 0;
                self.pause(false)
            }
            Err(TrySendError::Full(batch)) => {
                self.flow.leave();
                self.bytes = batch.taken.iter().map(Taken::bytes_held).sum();
                (self.pending, self.revoked) = (batch.taken, batch.revoked);
                self.flow.wait(ROOM);
                // Pausing throws away what was fetched ahead: only for those who wait long.
                self.full_for += 1;
                self.pause(self.is_full() && self.full_for > PATIENT)
            }
            Err(TrySendError::Disconnected(_)) => {
                self.flow.leave();
                self.flow.fail("the scanning thread has ended".to_owned());
                Ok(())
            }
        }
    }

    /// Stops the flow of messages, or lets it go on, without leaving the group.
    fn pause(&mut self, pause: bool) -> Result<(), Failure> {
        // Partitions that come with a new assignment are not paused.
        let wanted = pause.then(|| self.consumer.context().assignments());
        if self.paused == wanted {
            return Ok(());
        }
        self.paused = wanted;
        let failed = |e: KafkaError| Failure::Run(anyhow::anyhow!("kafka: cannot pause or resume: {e}"));
        let assignment = self.consumer.assignment().map_err(failed)?;
        if pause { self.consumer.pause(&assignment) } else { self.consumer.resume(&assignment) }.map_err(failed)
    }

    /// Messages of partitions that were taken away belong to another worker now. Tells whether there were any.
    fn forget_revoked(&mut self) -> bool {
        let revoked = self.consumer.context().take_revoked();
        let any = !revoked.is_empty();
        if any {
            self.pending.retain(|taken| !revoked.contains(&taken.partition));
            self.bytes = self.pending.iter().map(Taken::bytes_held).sum();
            self.revoked.extend(revoked);
        }
        any
    }

    /// After an abort: back to what is committed, or messages would be skipped.
    fn wind_back(&mut self) -> Result<(), Failure> {
        self.pending.clear();
        self.bytes = 0;
        self.pause(false)?;
        rewind(self.consumer)
    }

    /// Not every fatal error comes as a message: one that fenced this worker off may stand in the client alone.
    fn look_for_fatal(&self) -> Result<(), Failure> {
        let fatal = self.consumer.client().fatal_error();
        fatal.map_or(Ok(()), |(code, reason)| Err(Failure::Run(anyhow::anyhow!("kafka: the consumer cannot go on: {code}: {reason}"))))
    }

    /// What passes by itself is logged; what does not ends the worker.
    fn heed(&self, error: &KafkaError) -> Result<(), Failure> {
        match error {
            KafkaError::MessageConsumptionFatal(code) => Err(Failure::Run(anyhow::anyhow!("kafka: the consumer cannot go on: {code}"))),
            KafkaError::MessageConsumption(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
                warn!("kafka: the listings topic is not there: make it with `touchstone topics create`, or set kafka.topic_prefix");
                Ok(())
            }
            other => {
                warn!("kafka: {other}");
                Ok(())
            }
        }
    }
}
