//! The brokers, as a worker meets them: reachable, its topics there and set up, everything permitted that it does.

#![allow(clippy::disallowed_types, reason = "reads for a bounded time")]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rdkafka::admin::{AdminClient, AdminOptions, ConfigResource, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::metadata::{Metadata, MetadataTopic};

use super::{Finding, permissions, transactions};
use crate::config::Config;
use crate::kafka::{self, Asking, Names, Span};

/// How long one call may take.
const CALL: Duration = Duration::from_secs(10);
/// Topics that a worker cannot do without, and what it must be permitted there; the catalog only where there is no other.
const NEEDED: [(&str, &str); 5] =
    [("listings", "READ"), ("suspects", "WRITE"), ("dead-letters", "WRITE"), ("state", "READ and WRITE"), ("catalog", "READ")];
/// The largest record that the worker writes, and a little.
const LARGEST: u64 = 2_000_000;
/// A listing this much later than this machine's clock shows a clock that is wrong; milliseconds.
const AHEAD: i64 = 5_000;

/// What was found, and how many partitions the listings have.
pub(super) fn look(config: &Config, own_topics: &[String]) -> (Vec<Finding>, usize) {
    let names = Names::new(config);
    let connected = kafka::asking(&kafka::reader(config)).map_err(|e| e.to_string()).and_then(|client| {
        let metadata = client.fetch_metadata(None, CALL).map_err(|e| kafka::why(&client, &e))?;
        Ok((client, metadata))
    });
    let (client, metadata) = match connected {
        Ok(connected) => connected,
        Err(e) => {
            let advice = "look at kafka.brokers, kafka.security_protocol, the certificates, and the user with its password or token";
            return (vec![Finding::bad("brokers", format!("{} cannot be reached, or refuse: {e}", config.kafka.brokers), advice)], 0);
        }
    };
    let mut found = vec![Finding::good("brokers", format!("{} at {}", metadata.brokers().len(), config.kafka.brokers))];
    let partitions = |topic: &str| partitions_of(&metadata, &names.of(topic));
    let needed: Vec<(&str, &str)> = NEEDED.into_iter().filter(|(topic, _)| *topic != "catalog" || config.catalog.path.is_empty()).collect();
    topics(&client, &names, &needed, own_topics, &metadata, &mut found);
    settings(config, &names, &mut found);
    let listings = partitions("listings");
    if needed.iter().all(|(topic, _)| partitions(topic) > 0) {
        let others =
            ["retry", "catalog"].into_iter().filter(|topic| partitions(topic) > 0 && (*topic == "retry" || config.catalog.path.is_empty()));
        let others: Vec<String> = others.map(|topic| names.of(topic)).collect();
        found.extend(permissions::reading(config, &client, &names, listings, &others));
        let of_brands = own_topics.iter().map(|brand| names.of_brand(brand)).filter(|topic| partitions_of(&metadata, topic) > 0);
        let with_retries = (partitions("retry") > 0).then_some("retry");
        let own = ["suspects", "dead-letters", "state"].into_iter().chain(with_retries).map(|topic| names.of(topic));
        let outputs: Vec<String> = own.chain(of_brands).collect();
        found.extend(permissions::writing(config, outputs.iter().cloned()));
        found.push(transactions::look(config, &metadata, outputs.into_iter().chain([names.of("listings")])));
        found.push(clock(config, &names, listings));
    }
    found.push(effective(config));
    (found, listings)
}

pub(super) fn partitions_of(metadata: &Metadata, topic: &str) -> usize {
    metadata.topics().iter().find(|t| t.name() == topic && t.error().is_none()).map_or(0, |t| t.partitions().len())
}

fn topics(
    client: &BaseConsumer<Asking>,
    names: &Names,
    needed: &[(&str, &'static str)],
    own_topics: &[String],
    metadata: &Metadata,
    found: &mut Vec<Finding>,
) {
    let is_needed = |topic: &str| needed.iter().any(|(name, _)| *name == topic);
    // A worker does without it: listings whose pictures are slow are then not looked at again.
    let wished = [("retry", "READ and WRITE")];
    let permission = |topic: &str| needed.iter().chain(&wished).find(|(name, _)| *name == topic).map_or("", |(_, permission)| *permission);
    let of_brands = own_topics.iter().map(|brand| (names.of_brand(brand), false, "WRITE"));
    let wanted = kafka::TOPICS.iter().map(|(topic, _)| (names.of(topic), is_needed(topic), permission(topic))).chain(of_brands);
    let (mut there, mut copies) = (0, usize::MAX);
    for (topic, needed, permission) in wanted {
        let Some(topic_there) = metadata.topics().iter().find(|t| t.name() == topic && !t.partitions().is_empty()) else {
            let (missing, to_do) = match is_hidden(client, &topic) {
                // A worker does nothing with it.
                true if permission.is_empty() => continue,
                true => (format!("{topic} may not be seen by this user"), format!("permit {permission} on the topic {topic}")),
                false => (format!("{topic} is not there"), "touchstone topics create".to_owned()),
            };
            found.push(if needed { Finding::bad("topics", missing, &to_do) } else { Finding::doubtful("topics", missing, &to_do) });
            continue;
        };
        there += 1;
        copies = topic_there.partitions().iter().map(|p| p.replicas().len()).fold(copies, usize::min);
    }
    let (listings, state) = (partitions_of(metadata, &names.of("listings")), partitions_of(metadata, &names.of("state")));
    if listings > 0 && state > 0 && state < listings {
        let advice = "give the state topic as many partitions: what is remembered of a partition stands in the one of the same number";
        found.push(Finding::bad("topics", format!("listings has {listings} partitions and state {state}"), advice));
    }
    let retry = partitions_of(metadata, &names.of("retry"));
    if retry > 0 && retry < listings {
        let advice = "give the retry topic as many partitions: listings whose pictures are slow come back in the one of the same number";
        found.push(Finding::doubtful("topics", format!("listings has {listings} partitions and retry {retry}"), advice));
    }
    match (there, copies) {
        (0, _) => {}
        (_, 0..=2) => {
            let advice = "3 copies in production, with min.insync.replicas = 2: topics.replication, for topics that are made";
            found.push(Finding::doubtful("topics", format!("{there} there; some have {copies} copies only"), advice));
        }
        _ => found.push(Finding::good("topics", format!("{there} there, each with {copies} copies at least"))),
    }
}

/// Whether a topic is kept from this user, who is told so only where it is asked for by name.
fn is_hidden(client: &BaseConsumer<Asking>, topic: &str) -> bool {
    let refused = |t: &MetadataTopic| t.error().map(RDKafkaErrorCode::from) == Some(RDKafkaErrorCode::TopicAuthorizationFailed);
    client.fetch_metadata(Some(topic), CALL).is_ok_and(|metadata| metadata.topics().iter().any(refused))
}

/// How the topics are set up.
fn settings(config: &Config, names: &Names, found: &mut Vec<Finding>) {
    if config.kafka.bears_token() {
        let advice = "look at cleanup.policy and max.message.bytes as a user of another mechanism";
        return found.push(Finding::doubtful("settings", "cannot be read by OAUTHBEARER".to_owned(), advice));
    }
    let topics: Vec<(String, &str)> = kafka::TOPICS.iter().map(|(topic, cleanup)| (names.of(topic), *cleanup)).collect();
    let described = || -> Result<Vec<ConfigResource>, String> {
        let admin: AdminClient<DefaultClientContext> = kafka::client(config).create().map_err(|e: KafkaError| e.to_string())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
        let asked: Vec<ResourceSpecifier<'_>> = topics.iter().map(|(topic, _)| ResourceSpecifier::Topic(topic)).collect();
        let described = runtime.block_on(admin.describe_configs(&asked, &AdminOptions::new().request_timeout(Some(CALL))));
        let described = described.map_err(|e| e.to_string())?.into_iter().filter_map(Result::ok);
        // Of a topic that is not there nothing is told.
        Ok(described.filter(|resource| !resource.entries.is_empty()).collect())
    };
    let described = match described() {
        Ok(described) => described,
        Err(e) => {
            return found.push(Finding::doubtful("settings", format!("cannot be read: {e}"), "permit DESCRIBE_CONFIGS on the topics"));
        }
    };
    if described.is_empty() {
        let state = "can be read of no topic".to_owned();
        return found.push(Finding::doubtful("settings", state, "permit DESCRIBE_CONFIGS on the topics, or look at them as another user"));
    }
    let before = found.len();
    for resource in &described {
        let rdkafka::admin::OwnedResourceSpecifier::Topic(topic) = &resource.specifier else { continue };
        let value = |key: &str| resource.get(key).and_then(|entry| entry.value.as_deref());
        let wanted = topics.iter().find(|(name, _)| name == topic).map_or("", |(_, cleanup)| *cleanup);
        if let Some(cleanup) = value("cleanup.policy").filter(|cleanup| *cleanup != wanted) {
            let advice = format!("set cleanup.policy={wanted} on it");
            let state = format!("{topic}: cleanup.policy is {cleanup}");
            let loses = wanted == "compact";
            found.push(if loses { Finding::bad("settings", state, &advice) } else { Finding::doubtful("settings", state, &advice) });
        }
        if let Some(most) = value("max.message.bytes").filter(|most| most.parse().is_ok_and(|most: u64| most < LARGEST)) {
            let advice = "set max.message.bytes=2097152 on it, or a large suspect or dead letter stops the worker";
            found.push(Finding::bad("settings", format!("{topic}: max.message.bytes is {most}"), advice));
        }
    }
    if found.len() == before {
        found.push(Finding::good("settings", format!("of {} topics are as they should be", described.len())));
    }
}

/// Listings from the future show a clock that is behind.
fn clock(config: &Config, names: &Names, partitions: usize) -> Finding {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX));
    let numbers: Vec<i32> = (0..).take(partitions).collect();
    let (mut newest, until) = (None, Instant::now() + CALL);
    // The last two: the very last may be the mark of a transaction.
    let from = |_, span: Span| span.high - 2;
    let read = kafka::read(
        &kafka::reader(config),
        &names.of("listings"),
        &numbers,
        from,
        || Instant::now() < until,
        |message| {
            newest = newest.max(message.timestamp().to_millis());
        },
    );
    match (read, newest) {
        (Err(e), _) => Finding::doubtful("clock", format!("listings cannot be read: {e}"), "see above"),
        (Ok(_), None) => Finding::good("clock", "there are no listings to compare it with".to_owned()),
        (Ok(_), Some(at)) if at > now + AHEAD => {
            let found = format!("the newest listing is {} s ahead of this machine", (at - now) / 1000);
            Finding::doubtful("clock", found, "keep the clocks of this machine and of the producers by NTP")
        }
        (Ok(_), Some(_)) => Finding::good("clock", "no listing is ahead of this machine".to_owned()),
    }
}

/// What librdkafka really uses, of what the worker's promises rest on.
fn effective(config: &Config) -> Finding {
    const CONSUMER: [&str; 6] = [
        "group.instance.id",
        "session.timeout.ms",
        "max.poll.interval.ms",
        "isolation.level",
        "partition.assignment.strategy",
        "enable.auto.commit",
    ];
    const PRODUCER: [&str; 6] =
        ["transactional.id", "transaction.timeout.ms", "message.timeout.ms", "acks", "enable.idempotence", "compression.type"];
    let all = || -> Result<String, KafkaError> {
        let (consumer, producer) = (kafka::consumer(config).create_native_config()?, kafka::producer(config).create_native_config()?);
        let of = |native: &rdkafka::config::NativeClientConfig, keys: &[&str]| {
            keys.iter().filter_map(|key| Some(format!("{key}={}", native.get(key).ok()?))).collect::<Vec<_>>()
        };
        Ok([of(&consumer, &CONSUMER), of(&producer, &PRODUCER)].concat().join(" "))
    };
    match all() {
        Ok(text) => Finding::good("librdkafka", text),
        Err(e) => Finding::bad("librdkafka", e.to_string(), "look at kafka.properties"),
    }
}
