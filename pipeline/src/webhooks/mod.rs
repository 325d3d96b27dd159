//! Follows the suspects of brands that have a webhook and posts each to its brand, at least once.
//!
//! A thread of its own reads `suspects` in a group of its own, which all workers share. A record is committed when it is delivered,
//! or a dead letter.

mod deliver;
mod letters;
mod pending;
mod sign;

use std::borrow::Cow;
use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::{Offset, TopicPartitionList};
use serde::Deserialize;
use touchstone_detectors::Policy;
use tracing::{info, warn};

use crate::brand_fields::fields_for_brand;
use crate::failure::Failure;
use crate::kafka::{self, Names};
use crate::worker::Shared;
use deliver::{Deliverer, Event, Outcome};
use letters::{Letter, Letters};
use pending::Pending;

/// Longest wait for a record, and for a catalog.
const WAIT: Duration = Duration::from_millis(100);
/// Records that are taken between two commits.
const AT_ONCE: usize = 500;
/// Rest when brokers take no dead letters.
const REST: Duration = Duration::from_secs(1);

/// How long the thread may take to end: librdkafka may wait for brokers that do not come.
const LONGEST_END: Duration = Duration::from_secs(5);

/// The thread; it ends when this is dropped.
pub(crate) struct Webhooks {
    ends: Arc<AtomicBool>,
    /// Closed when the thread has ended.
    ended: Receiver<()>,
}

/// Begins to post, where any brand has a webhook.
pub(crate) fn start(shared: &Shared) -> Result<Option<Webhooks>, Failure> {
    let config = &shared.config;
    if config.brands.webhook_urls.is_empty() {
        return Ok(None);
    }
    let cannot = |e: KafkaError| Failure::Usage(format!("kafka: cannot set up webhooks: {e}"));
    let mut client = kafka::consumer(config);
    client.set("group.id", format!("{}-webhooks", config.kafka.group_id)).set("statistics.interval.ms", "0");
    let consumer = BaseConsumer::from_config_and_context(&client, Following::default()).map_err(cannot)?;
    let suspects = Names::new(config).of("suspects");
    consumer.subscribe(&[&suspects]).map_err(cannot)?;
    let (told, outcomes) = channel();
    let ends = Arc::new(AtomicBool::new(false));
    let mut follower = Follower {
        deliverer: Deliverer::new(shared, told)?,
        letters: Letters::new(config).map_err(cannot)?,
        shared: shared.clone(),
        ends: ends.clone(),
        suspects,
        consumer,
        outcomes,
        pending: Pending::default(),
    };
    info!(brands = config.brands.webhook_urls.len(), "webhooks start");
    let (ending, ended) = channel::<()>();
    let follow = move || {
        follower.run();
        // Leaving the group comes before the end is told.
        drop(follower);
        drop(ending);
    };
    std::thread::Builder::new().name("follower".to_owned()).spawn(follow)?;
    Ok(Some(Webhooks { ends, ended }))
}

impl Drop for Webhooks {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        // Nothing comes but its end.
        if self.ended.recv_timeout(LONGEST_END) == Err(RecvTimeoutError::Timeout) {
            warn!("webhooks have not ended after {LONGEST_END:?}: some suspects may be posted twice");
        }
    }
}

/// What tells where a suspect goes.
#[derive(Deserialize)]
struct Of<'a> {
    #[serde(borrow)]
    brand_id: Cow<'a, str>,
    #[serde(borrow)]
    detection_id: Cow<'a, str>,
}

struct Follower {
    shared: Shared,
    ends: Arc<AtomicBool>,
    suspects: String,
    consumer: BaseConsumer<Following>,
    deliverer: Deliverer,
    outcomes: Receiver<Outcome>,
    letters: Letters,
    pending: Pending,
}

impl Follower {
    fn run(&mut self) {
        while !self.ends.load(Ordering::Relaxed) && !self.shared.health.is_stopping() {
            // The policy says what leaves the house: nothing does before there is one.
            let Some(scanner) = self.shared.live.scanner() else {
                std::thread::park_timeout(WAIT);
                continue;
            };
            if self.settle() {
                self.commit(CommitMode::Async);
                self.take(scanner.policy());
            } else {
                std::thread::park_timeout(REST);
            }
        }
        if self.settle() {
            self.commit(CommitMode::Sync);
        }
    }

    /// Takes note of what became of records; false when dead letters could not be written.
    fn settle(&mut self) -> bool {
        for outcome in self.outcomes.try_iter() {
            match outcome {
                Outcome::Delivered { partition, offset } => self.pending.settle(partition, offset),
                Outcome::Failed(letter) => self.letters.add(letter),
            }
        }
        let written = self.letters.write(&self.shared.metrics);
        for (partition, offset) in written.iter().flatten() {
            self.pending.settle(*partition, *offset);
        }
        written.is_some()
    }

    fn commit(&mut self, mode: CommitMode) {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in self.pending.due() {
            // Offsets of records are no special ones.
            let _ = list.add_partition_offset(&self.suspects, partition, Offset::Offset(offset));
        }
        if list.count() > 0
            && let Err(e) = self.consumer.commit(&list, mode)
        {
            warn!("webhooks: offsets cannot be committed, so that some suspects may be posted twice: {e}");
        }
    }

    /// Takes what has come.
    fn take(&mut self, policy: &Policy) {
        let mut wait = WAIT;
        for _ in 0..AT_ONCE {
            let polled = self.consumer.poll(wait);
            // Before the record is noted: its partition may have gone and come back.
            self.consumer.context().take_revoked().into_iter().for_each(|partition| self.pending.forget(partition));
            match polled {
                Some(Ok(message)) => {
                    let (partition, offset) = (message.partition(), message.offset());
                    let event = event(&self.deliverer, policy, &message);
                    self.pending.take(partition, offset, event.is_some());
                    if let Some((brand, event)) = event {
                        self.deliverer.send(&brand, event);
                    }
                }
                Some(Err(e)) => {
                    warn!("webhooks: {e}");
                    return;
                }
                None => return,
            }
            wait = Duration::ZERO;
        }
    }
}

/// What is to be posted, and to whom; nothing where the brand has no webhook.
fn event(deliverer: &Deliverer, policy: &Policy, message: &BorrowedMessage<'_>) -> Option<(String, Event)> {
    let payload = message.payload()?;
    let of: Of<'_> = serde_json::from_slice(payload).ok().filter(|of: &Of<'_>| deliverer.has(&of.brand_id))?;
    let restricted = match fields_for_brand(policy, payload)? {
        Cow::Borrowed(_) => None,
        Cow::Owned(fields) => Some(fields),
    };
    let letter = Letter {
        partition: message.partition(),
        offset: message.offset(),
        timestamp: message.timestamp().to_millis(),
        key: message.key().unwrap_or_default().to_vec(),
        payload: payload.to_vec(),
        detail: String::new(),
    };
    Some((of.brand_id.into_owned(), Event { letter, detection_id: of.detection_id.into_owned(), restricted }))
}

/// The context of the consumer: remembers which partitions were taken away.
#[derive(Default)]
struct Following(Mutex<Vec<i32>>);

impl Following {
    fn take_revoked(&self) -> Vec<i32> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ConsumerContext for Following {
    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        if let Err(e) = result {
            warn!("webhooks: offsets are not committed, so that some suspects may be posted twice: {e}");
        }
    }

    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(partitions) = rebalance {
            let numbers = partitions.elements().iter().map(|e| e.partition()).collect::<Vec<_>>();
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(numbers);
        }
    }
}

impl ClientContext for Following {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, file: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        kafka::bear(file)
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        kafka::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        warn!("kafka: {error}: {reason}");
    }
}
