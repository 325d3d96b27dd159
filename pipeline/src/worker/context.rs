//! What librdkafka calls back: rebalances, statistics, log lines, errors.

#![allow(clippy::disallowed_types, reason = "a worker may be out of its group for a bounded time")]

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use rdkafka::statistics::Statistics;
use tracing::{error, info, warn};

use super::Shared;
use super::fail_point::Point;
use super::flow::Flow;
use crate::health::Health;
use crate::kafka::{self, log};
use crate::metrics::Metrics;

/// The poll loop must move again before it is taken for dead.
const LONGEST_DRAIN: Duration = Duration::from_secs(20);

/// How long a worker may be out of its group while brokers answer: a rebalance waits for the session timeout of others at most.
const LONGEST_OUTSIDE: Duration = Duration::from_secs(60);

/// The consumer's context.
pub(super) struct Context {
    flow: Arc<Flow>,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
    /// How long what is on its way may take before its partitions go to another worker.
    drain: Duration,
    /// Partitions taken away since the poller asked last.
    revoked: Mutex<Vec<i32>>,
    /// How many assignments there were.
    assignments: AtomicU64,
    /// Since when the worker is out of its group though brokers answer.
    outside: Mutex<Option<Instant>>,
}

impl Context {
    pub(super) fn new(flow: Arc<Flow>, shared: &Shared) -> Self {
        Self {
            flow,
            metrics: shared.metrics.clone(),
            health: shared.health.clone(),
            drain: Duration::from_millis(shared.config.kafka.session_timeout_ms).min(LONGEST_DRAIN),
            revoked: Mutex::default(),
            assignments: AtomicU64::new(0),
            outside: Mutex::default(),
        }
    }

    pub(super) fn assignments(&self) -> u64 {
        self.assignments.load(Ordering::Relaxed)
    }

    /// A client has been seen to stay out of its group for good after a broker was paused: only a new one comes in again.
    fn note_outside(&self, outside: bool) {
        let mut since = self.outside.lock().unwrap_or_else(PoisonError::into_inner);
        *since = if outside { since.or_else(|| Some(Instant::now())) } else { None };
        if since.is_some_and(|since| since.elapsed() > LONGEST_OUTSIDE) {
            self.flow.fail(format!("kafka: brokers answer, and the group has not let this worker in for {LONGEST_OUTSIDE:?}"));
        }
    }

    /// Partitions taken away since the last call.
    pub(super) fn take_revoked(&self) -> Vec<i32> {
        std::mem::take(&mut self.revoked.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ConsumerContext for Context {
    /// Runs inside `poll`: what it waits for needs the scan and commit threads only.
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Revoke(partitions) => {
                let numbers: Vec<i32> = partitions.elements().iter().map(|e| e.partition()).collect();
                // What was lost already is another's: nothing could be committed.
                let patience = if consumer.assignment_lost() { Duration::ZERO } else { self.drain };
                let drained = self.flow.drain(patience);
                info!(?numbers, drained, "partitions are taken away");
                if drained {
                    Point::Revoked.reached();
                    self.flow.revoke();
                } else {
                    // Batches that are dropped hold events of partitions that are kept, too.
                    self.flow.ask_to_wind_back();
                }
                for number in &numbers {
                    for element in partitions.elements().iter().filter(|e| e.partition() == *number) {
                        let _ = self.metrics.consumer_lag.remove_label_values(&[element.topic(), &number.to_string()]);
                    }
                }
                self.revoked.lock().unwrap_or_else(PoisonError::into_inner).extend(numbers);
            }
            Rebalance::Assign(partitions) => {
                let numbers: Vec<i32> = partitions.elements().iter().map(|e| e.partition()).collect();
                info!(?numbers, "partitions are assigned");
                self.assignments.fetch_add(1, Ordering::Relaxed);
                self.health.joined(true);
            }
            Rebalance::Error(e) => error!("rebalance failed: {e}"),
        }
    }

    /// Being paused outlives an assignment.
    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(partitions) = rebalance
            && let Err(e) = consumer.resume(partitions)
        {
            warn!("partitions cannot be resumed: {e}");
        }
    }
}

impl ClientContext for Context {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, file: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        kafka::bear(file)
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn stats(&self, statistics: Statistics) {
        // An empty assignment is a membership, too.
        let joined = statistics.cgrp.as_ref().is_some_and(|group| group.state == "up" && group.join_state == "steady");
        self.health.joined(joined);
        self.note_outside(!joined && statistics.brokers.values().any(|broker| broker.state == "UP"));
        for (name, topic) in &statistics.topics {
            for (number, partition) in
                topic.partitions.iter().filter(|(n, p)| **n >= 0 && p.desired && p.app_offset >= 0 && p.ls_offset >= 0)
            {
                // Offsets are far below what a float holds exactly.
                #[allow(clippy::cast_precision_loss)]
                let lag = (partition.ls_offset - partition.app_offset).max(0) as f64;
                self.metrics.consumer_lag.with_label_values(&[name.as_str(), &number.to_string()]).set(lag);
            }
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        warn!("kafka: {error}: {reason}");
    }
}
