//! Follows the catalog topic: reads it whole, then puts each set that is closed into use.

#![allow(clippy::disallowed_types, reason = "the first contact is waited for")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::{Offset, TopicPartitionList};
use tracing::{error, info, warn};

use super::set::{Refused, Set};
use super::{Live, policy_of};
use crate::config::Config;
use crate::failure::Failure;
use crate::kafka::{self, Asking, Names};
use crate::worker::Shared;

/// All rows stand in one partition, since only there what closes a set comes after its rows.
pub(super) const PARTITION: i32 = 0;
/// How long one call may take.
const CALL: Duration = Duration::from_secs(5);
/// How long the first contact may take.
const FIRST_CONTACT: Duration = Duration::from_secs(60);
/// How often a topic that is not there is looked for again, and the rest before it.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);
/// Longest wait for a record, so that requests to stop are heard.
const WAIT: Duration = Duration::from_millis(200);
/// How often it is told that there is nothing yet.
const TELL: Duration = Duration::from_secs(30);

/// Follows the topic until the worker stops, and keeps `shared.live` up to date.
///
/// # Errors
/// Where the topic cannot be read to begin with. What goes wrong later is logged, and passes.
pub(crate) fn follow(shared: &Shared) -> Result<(), Failure> {
    let config = &*shared.config;
    let topic = Names::new(config).of("catalog");
    let goes_on = || !shared.health.is_stopping();
    let consumer = open(config, &topic, goes_on)?;
    let mut set = Set::default();
    // Whether all was read since the set was begun, whether a set was closed since a catalog was made, and whether it was begun anew for it.
    let (mut whole, mut fresh, mut anew) = (false, false, false);
    let mut told = Instant::now();
    while goes_on() {
        match consumer.poll(WAIT) {
            Some(Ok(message)) => {
                fresh |= take(&mut set, &message);
                continue;
            }
            Some(Err(KafkaError::PartitionEOF(_))) => whole = true,
            Some(Err(e)) => warn!("kafka: {topic}: {e}"),
            None => {}
        }
        // Several sets that were closed one after the other make one catalog.
        if whole && std::mem::take(&mut fresh) {
            match put(config, &topic, &mut set, &shared.live, anew) {
                Ok(()) => anew = false,
                // Records may have been missed, where the topic was made again or this worker was long away: what stands is read again.
                Err(refused) if refused.reason == "incomplete" && !anew => {
                    warn!("{topic} is read again from its beginning: {}", refused.message);
                    (set, whole, anew) = (Set::default(), false, true);
                    from_beginning(&consumer, &topic).map_err(|e| kafka::unreachable(config, &e))?;
                }
                Err(Refused { reason, message }) => {
                    error!(reason, "the catalog that was published is refused, and the old one stays: {message}");
                    shared.metrics.catalogs.with_label_values(&["refused"]).inc();
                    anew = false;
                }
            }
        }
        if whole && shared.live.scanner().is_none() && told.elapsed() >= TELL {
            info!(topic, "no catalog that can be used is published yet: `touchstone catalog publish DIR --config FILE`");
            told = Instant::now();
        }
    }
    Ok(())
}

/// What stands in the topic now.
///
/// # Errors
/// Where it cannot be read.
pub(crate) fn standing(config: &Config) -> Result<Set, Failure> {
    let topic = Names::new(config).of("catalog");
    let consumer = open(config, &topic, || true)?;
    let mut set = Set::default();
    let mut last = Instant::now();
    loop {
        match consumer.poll(WAIT) {
            Some(Ok(message)) => {
                take(&mut set, &message);
                last = Instant::now();
            }
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(set),
            Some(Err(e)) if is_refusal(&e) => return Err(Failure::Run(anyhow::anyhow!("kafka: {topic} cannot be read: {e}"))),
            // One of several brokers may be away.
            Some(Err(e)) => warn!("kafka: {topic}: {e}"),
            None => {}
        }
        if last.elapsed() >= FIRST_CONTACT {
            return Err(Failure::Run(anyhow::anyhow!("kafka: nothing came of {topic} for {FIRST_CONTACT:?}, and it is not at its end")));
        }
    }
}

/// Whether nothing will come of waiting.
fn is_refusal(error: &KafkaError) -> bool {
    use rdkafka::error::RDKafkaErrorCode as Code;
    let codes =
        [Code::TopicAuthorizationFailed, Code::GroupAuthorizationFailed, Code::ClusterAuthorizationFailed, Code::SaslAuthenticationFailed];
    error.rdkafka_error_code().is_some_and(|code| codes.contains(&code))
}

/// A consumer of the topic from its beginning on. Waits for the brokers, as long as `goes_on`.
fn open(config: &Config, topic: &str, goes_on: impl Fn() -> bool) -> Result<BaseConsumer<Asking>, Failure> {
    let consumer = kafka::asking(kafka::reader(config).set("statistics.interval.ms", "0"))
        .map_err(|e| Failure::Usage(format!("kafka: cannot set up the catalog's consumer: {e}")))?;
    let deadline = Instant::now() + FIRST_CONTACT;
    let mut tries = 0;
    let partitions = loop {
        match consumer.fetch_metadata(Some(topic), CALL) {
            Ok(metadata) => {
                let there = metadata.topics().iter().filter(|t| t.error().is_none()).map(|t| t.partitions().len()).sum::<usize>();
                // One that was just made is not known to all brokers yet.
                if there > 0 || tries >= TRIES {
                    break there;
                }
                tries += 1;
                std::thread::park_timeout(PAUSE);
            }
            Err(e) if Instant::now() >= deadline || !goes_on() => return Err(kafka::unreachable(config, &e)),
            Err(e) => warn!("kafka: {} cannot be reached yet: {}", config.kafka.brokers, kafka::why(&consumer, &e)),
        }
    };
    match partitions {
        0 => {
            let what = "make the topics with `touchstone topics create`, set kafka.topic_prefix, or give a folder as catalog.path";
            return Err(Failure::Usage(format!("kafka: there is no topic {topic}, or this user may not see it: {what}")));
        }
        1 => {}
        n => warn!("kafka: {topic} has {n} partitions, of which the first alone is read: what closes a set must come after its rows"),
    }
    from_beginning(&consumer, topic).map_err(|e| kafka::unreachable(config, &e))?;
    Ok(consumer)
}

fn from_beginning(consumer: &BaseConsumer<Asking>, topic: &str) -> Result<(), KafkaError> {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, PARTITION, Offset::Beginning)?;
    consumer.assign(&list)
}

fn take(set: &mut Set, message: &BorrowedMessage<'_>) -> bool {
    let key = String::from_utf8_lossy(message.key().unwrap_or_default());
    set.take(&key, message.payload(), usize::try_from(message.offset()).unwrap_or(0)).unwrap_or_else(|e| {
        warn!(offset = message.offset(), "catalog: {e}");
        false
    })
}

/// Makes a catalog of the set and puts it into use. Where its version is not the one that it was published under, records may be missing,
/// unless all were read `anew`: then another version of the program published it, which reckons otherwise.
fn put(config: &Config, topic: &str, set: &mut Set, live: &Live, anew: bool) -> Result<(), Refused> {
    let place = Path::new(topic);
    let before = live.scanner();
    let made = catch_unwind(AssertUnwindSafe(|| {
        let catalog = set.catalog(place, before.as_ref().map(|s| s.catalog()), config.catalog.largest_shrink)?;
        let policy = policy_of(config, place, &catalog).map_err(|e| Refused::new("policy", e.to_string()))?;
        Ok((catalog, policy))
    }));
    let (catalog, policy) = made.unwrap_or_else(|_| Err(Refused::new("panic", "the rows made the program panic: see above".to_owned())))?;
    if let Some(named) = set.other_version(&catalog) {
        let message = format!("it is called {named} by whoever published it, and {} here", catalog.version());
        if !anew {
            return Err(Refused::new("incomplete", message));
        }
        warn!("catalog: {message}");
    }
    live.put(catalog, policy);
    set.applied();
    Ok(())
}
