//! Kafka: how clients are set up, and which topics there are.

mod connect;
mod partition;
mod read;
mod reports;
mod send;
mod token;
mod topics;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use tracing::{debug, error, info, warn};

use crate::config::Config;
use crate::failure::Failure;
pub(crate) use connect::{Asking, asking, connect_producer, why};
pub(crate) use partition::partition_of;
pub(crate) use read::{Span, insist, read};
pub(crate) use reports::Reports;
pub(crate) use send::send;
pub(crate) use token::{bear, read as read_token};
pub(crate) use topics::{Names, TOPICS, create};

/// Settings of librdkafka that the worker's promises rest on.
pub(crate) const RELIED_ON: &[&str] = &[
    "bootstrap.servers",
    "group.id",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "isolation.level",
    "transactional.id",
    "enable.idempotence",
    "acks",
    "partition.assignment.strategy",
    "group.instance.id",
    "partitioner",
];

/// How records with a key are spread: as Kafka's own clients do, so that all records of a listing are in partitions of one number, whoever
/// writes them.
const PARTITIONER: &str = "murmur2_random";

/// Headers that carry the trace context of a listing.
pub(crate) const TRACE: [&str; 2] = ["traceparent", "tracestate"];

/// What clients of every kind are set up with.
pub(crate) fn client(config: &Config) -> ClientConfig {
    let kafka = &config.kafka;
    let mut client = ClientConfig::new();
    for (key, value) in &kafka.properties {
        client.set(key, value);
    }
    client.set("bootstrap.servers", &kafka.brokers).set("security.protocol", &kafka.security_protocol).set("client.id", instance(config));
    if !kafka.ca_file.is_empty() {
        client.set("ssl.ca.location", &kafka.ca_file);
    }
    if !kafka.cert_file.is_empty() {
        client.set("ssl.certificate.location", &kafka.cert_file).set("ssl.key.location", &kafka.key_file);
    }
    if kafka.bears_token() {
        // What librdkafka gives back when it wants the token.
        client.set("sasl.mechanism", &kafka.sasl_mechanism).set("sasl.oauthbearer.config", &kafka.token_file);
    } else if kafka.security_protocol.starts_with("SASL") {
        client
            .set("sasl.mechanism", &kafka.sasl_mechanism)
            .set("sasl.username", &kafka.username)
            .set("sasl.password", kafka.password.reveal());
    }
    client
}

/// The consumer of the worker.
pub(crate) fn consumer(config: &Config) -> ClientConfig {
    let mut client = client(config);
    client
        .set("group.id", &config.kafka.group_id)
        .set("session.timeout.ms", config.kafka.session_timeout_ms.to_string())
        .set("heartbeat.interval.ms", (config.kafka.session_timeout_ms / 5).to_string())
        // Restarted by the same name, it has its partitions at once and nobody else is disturbed.
        .set("group.instance.id", instance(config))
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("isolation.level", "read_committed")
        .set("statistics.interval.ms", "2000")
        // The defaults hold 64 MB a partition, and let a partition rest for a second once its queue was full.
        .set("queued.min.messages", "10000")
        .set("queued.max.messages.kbytes", "16384")
        .set("fetch.queue.backoff.ms", "10");
    client
}

/// The group of the deciding workers.
pub(crate) fn deciders(config: &Config) -> String {
    format!("{}-decide", config.kafka.group_id)
}

/// The consumer of the deciding worker. Partitions of the same number go to the same worker: topics that have as many are divided alike.
pub(crate) fn decider(config: &Config) -> ClientConfig {
    let mut client = consumer(config);
    client.set("group.id", deciders(config)).set("partition.assignment.strategy", "range");
    client
}

/// The producer of the deciding worker.
pub(crate) fn decider_producer(config: &Config) -> ClientConfig {
    let mut client = producer(config);
    if config.kafka.is_exactly_once() {
        client.set("transactional.id", format!("{}-{}", deciders(config), instance(config)));
    }
    client
}

/// A consumer that joins no group, and reads partitions to their ends.
pub(crate) fn reader(config: &Config) -> ClientConfig {
    let mut client = client(config);
    client
        // Nothing can be assigned without; it is not joined.
        .set("group.id", &config.kafka.group_id)
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .set("isolation.level", "read_committed")
        .set("enable.partition.eof", "true")
        // Tells how far it has read.
        .set("statistics.interval.ms", "100")
        .set("queued.max.messages.kbytes", "16384")
        .set("fetch.queue.backoff.ms", "10");
    client
}

/// A consumer that joins no group, and goes on from what the group has committed.
pub(crate) fn follower(config: &Config) -> ClientConfig {
    let mut client = reader(config);
    client
        .set("enable.auto.offset.store", "false")
        .set("enable.partition.eof", "false")
        .set("statistics.interval.ms", "0")
        // Hardly anything is read ahead: most of it is not due for a while.
        .set("queued.min.messages", "100")
        .set("queued.max.messages.kbytes", "2048");
    client
}

/// The producer of the worker.
pub(crate) fn producer(config: &Config) -> ClientConfig {
    let mut client = client(config);
    if config.kafka.is_exactly_once() {
        client
            .set("transactional.id", format!("{}-{}", config.kafka.group_id, instance(config)))
            .set("transaction.timeout.ms", config.kafka.transaction_timeout_ms.to_string())
            // What cannot be written, since its topic was deleted, say, is known before the brokers give the transaction up.
            .set("message.timeout.ms", (config.kafka.transaction_timeout_ms * 7 / 10).to_string());
    }
    client
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("partitioner", PARTITIONER)
        .set("linger.ms", "5")
        .set("compression.type", "zstd")
        // A suspect repeats its listing; a dead letter holds up to 900 KiB of its payload.
        .set("message.max.bytes", "2000000");
    client
}

/// The producer that publishes catalogs: a whole one is one transaction, and whoever begins later ends the one before.
pub(crate) fn publisher(config: &Config) -> ClientConfig {
    let mut client = writer(config);
    client
        .set("transactional.id", Names::new(config).of("catalog-publisher"))
        // Workers that start meanwhile wait for nothing: they read what was committed before.
        .set("transaction.timeout.ms", "300000")
        .set("message.timeout.ms", "120000");
    client
}

/// A producer of commands: each record once and in order, without a transaction.
pub(crate) fn writer(config: &Config) -> ClientConfig {
    let mut client = client(config);
    client
        .set("partitioner", PARTITIONER)
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("compression.type", "zstd")
        .set("message.max.bytes", "2000000");
    client
}

/// The name of this worker: a pod's name is its host's.
pub(crate) fn instance(config: &Config) -> String {
    let host = || std::fs::read_to_string("/etc/hostname").map(|name| name.trim().to_owned()).ok();
    let given = Some(config.kafka.instance.clone()).filter(|i| !i.is_empty());
    given.or_else(|| std::env::var("HOSTNAME").ok().filter(|h| !h.is_empty())).or_else(host).unwrap_or_else(|| "worker".to_owned())
}

/// The brokers cannot be used.
pub(crate) fn unreachable(config: &Config, e: &KafkaError) -> Failure {
    Failure::Run(anyhow::anyhow!("kafka: {} cannot be reached, or refuses: {e}; `touchstone doctor` says more", config.kafka.brokers))
}

/// What to look at when librdkafka tells this.
fn hint(message: &str) -> &'static str {
    const REFUSED: [&str; 4] = ["alert bad certificate", "alert certificate required", "alert unknown ca", "alert certificate unknown"];
    match REFUSED.iter().any(|alert| message.contains(alert)) {
        true => {
            "; the brokers ask for a certificate of this client, or refuse the one it shows: look at kafka.cert_file and kafka.key_file"
        }
        false => "",
    }
}

/// A log line of librdkafka.
pub(crate) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
            error!("kafka: {facility}: {message}{}", hint(message));
        }
        RDKafkaLogLevel::Warning => warn!("kafka: {facility}: {message}"),
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => info!("kafka: {facility}: {message}"),
        RDKafkaLogLevel::Debug => debug!("kafka: {facility}: {message}"),
    }
}
