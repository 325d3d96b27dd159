//! The brokers, as a worker meets them: reachable, its topics there and set up, everything permitted that it does.

#![allow(clippy::disallowed_types, reason = "reads for a bounded time")]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rdkafka::TopicPartitionList;
use rdkafka::admin::{AdminClient, AdminOptions, ConfigResource, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::metadata::Metadata;
use rdkafka::producer::{BaseProducer, BaseRecord, NoCustomPartitioner, Producer};

use super::Finding;
use crate::config::Config;
use crate::kafka::{self, Names, Reports, Span};

/// How long one call may take.
const CALL: Duration = Duration::from_secs(10);
/// How often what may pass is tried again, and the rest before it.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);
/// The largest record that the worker writes, and a little.
const LARGEST: u64 = 2_000_000;
/// A listing this much later than this machine's clock shows a clock that is wrong; milliseconds.
const AHEAD: i64 = 5_000;

/// What was found, and how many partitions the listings have.
pub(super) fn look(config: &Config, own_topics: &[String]) -> (Vec<Finding>, usize) {
    let names = Names::new(config);
    let connected = kafka::reader(config).create().and_then(|client: BaseConsumer| {
        let metadata = client.fetch_metadata(None, CALL)?;
        Ok((client, metadata))
    });
    let (client, metadata) = match connected {
        Ok(connected) => connected,
        Err(e) => {
            let advice = "look at kafka.brokers, kafka.security_protocol, the certificates, and the user with its password";
            return (vec![Finding::bad("brokers", format!("{} cannot be reached, or refuse: {e}", config.kafka.brokers), advice)], 0);
        }
    };
    let mut found = vec![Finding::good("brokers", format!("{} at {}", metadata.brokers().len(), config.kafka.brokers))];
    let partitions = |topic: &str| partitions_of(&metadata, &names.of(topic));
    topics(&names, own_topics, &metadata, &mut found);
    settings(config, &names, &mut found);
    let listings = partitions("listings");
    if ["listings", "suspects", "dead-letters", "state"].into_iter().all(|topic| partitions(topic) > 0) {
        found.push(reading(config, &client, &names, listings));
        found.push(writing(config, &names));
        found.push(clock(config, &names, listings));
    }
    found.push(effective(config));
    (found, listings)
}

fn partitions_of(metadata: &Metadata, topic: &str) -> usize {
    metadata.topics().iter().find(|t| t.name() == topic && t.error().is_none()).map_or(0, |t| t.partitions().len())
}

fn topics(names: &Names, own_topics: &[String], metadata: &Metadata, found: &mut Vec<Finding>) {
    const NEEDED: [&str; 4] = ["listings", "suspects", "dead-letters", "state"];
    let of_brands = own_topics.iter().map(|brand| (names.of_brand(brand), false));
    let wanted = kafka::TOPICS.iter().map(|(topic, _)| (names.of(topic), NEEDED.contains(topic))).chain(of_brands);
    let (mut there, mut copies) = (0, usize::MAX);
    for (topic, needed) in wanted {
        let Some(topic_there) = metadata.topics().iter().find(|t| t.name() == topic && !t.partitions().is_empty()) else {
            let make = "touchstone topics create";
            let missing = format!("{topic} is not there");
            found.push(if needed { Finding::bad("topics", missing, make) } else { Finding::doubtful("topics", missing, make) });
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
    match (there, copies) {
        (0, _) => {}
        (_, 0..=2) => {
            let advice = "3 copies in production, with min.insync.replicas = 2: topics.replication, for topics that are made";
            found.push(Finding::doubtful("topics", format!("{there} there; some have {copies} copies only"), advice));
        }
        _ => found.push(Finding::good("topics", format!("{there} there, each with {copies} copies at least"))),
    }
}

/// How the topics are set up.
fn settings(config: &Config, names: &Names, found: &mut Vec<Finding>) {
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
        Err(e) => return found.push(Finding::doubtful("settings", format!("cannot be read: {e}"), "permit DescribeConfigs on the topics")),
    };
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

fn reading(config: &Config, client: &BaseConsumer, names: &Names, partitions: usize) -> Finding {
    let topic = names.of("listings");
    let mut asked = TopicPartitionList::new();
    (0..).take(partitions).for_each(|p| _ = asked.add_partition(&topic, p));
    let read = || -> Result<(), KafkaError> {
        client.committed_offsets(asked.clone(), CALL)?.elements().iter().try_for_each(|e| e.error())?;
        client.fetch_watermarks(&topic, 0, CALL)?;
        let until = Instant::now() + CALL;
        let last = |_, span: Span| span.high - 1;
        kafka::read(&kafka::reader(config), &names.of("state"), &[0], last, || Instant::now() < until, |_| ()).map(drop)
    };
    let mut refused = read().err();
    // A new group has no coordinator yet, and a new topic no leader.
    for _ in 0..TRIES {
        if refused.is_some() {
            std::thread::park_timeout(PAUSE);
            refused = read().err();
        }
    }
    match refused {
        None => Finding::good("reading", format!("{topic}, the state topic and the group's offsets may be read")),
        Some(e) => Finding::bad(
            "reading",
            format!("{topic}: {e}"),
            "permit READ on the topics listings and state, and on the group kafka.group_id",
        ),
    }
}

/// Writes a record to each topic in a transaction that is aborted: nobody who reads what is committed sees it.
fn writing(config: &Config, names: &Names) -> Finding {
    if !config.kafka.is_exactly_once() {
        return Finding::doubtful("writing", "cannot be tried without leaving records".to_owned(), "permit WRITE on the output topics");
    }
    let advice = "permit WRITE and DESCRIBE on the output topics, and on transactional ids that begin with kafka.group_id";
    let mut client = kafka::producer(config);
    // Not a worker's own: that would end its transaction.
    let id = format!("{}-doctor", config.kafka.group_id);
    client.set("transactional.id", &id);
    let tried = || -> Result<(), KafkaError> {
        let producer: BaseProducer<Reports, NoCustomPartitioner> = BaseProducer::from_config_and_context(&client, Reports::default())?;
        producer.init_transactions(CALL)?;
        producer.begin_transaction()?;
        for topic in ["suspects", "dead-letters", "state"] {
            let topic = names.of(topic);
            producer.send(BaseRecord::to(&topic).key("doctor").payload("{}")).map_err(|(e, _)| e)?;
        }
        let written = producer.flush(CALL);
        let refused = producer.context().take();
        producer.abort_transaction(CALL)?;
        written.and(refused.map_or(Ok(()), Err))
    };
    match tried() {
        Ok(()) => Finding::good("writing", format!("a transaction of {id} wrote to all output topics, and was aborted")),
        Err(e) => Finding::bad("writing", format!("{e}"), advice),
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
