//! A broker for one test: embedded always, or the real one that TOUCHSTONE_TEST_KAFKA names.

#![allow(clippy::disallowed_types, reason = "waits for a bounded time")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer};
use serde_json::Value;

use crate::common::{succeed, touchstone};

pub(crate) const PARTITIONS: i32 = 4;

/// How a client proves who it is, as librdkafka names it; nothing where nobody asks.
pub(crate) type Security = Vec<(&'static str, String)>;

/// A broker, and a prefix that no other test uses.
pub(crate) struct Broker {
    pub(crate) servers: String,
    pub(crate) prefix: String,
    pub(crate) security: Security,
    /// What workers do instead, whose topics are made already.
    pub(crate) worker: Option<Security>,
    mock: Option<MockCluster<'static, DefaultProducerContext>>,
}

/// A record as it was read.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) key: String,
    pub(crate) payload: Vec<u8>,
    pub(crate) headers: Vec<(String, String)>,
}

impl Seen {
    fn of(message: &BorrowedMessage<'_>) -> Self {
        let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
        let headers = message.headers().map(|h| h.iter().map(|h| (h.key.to_owned(), text(h.value))).collect());
        Self { key: text(message.key()), payload: message.payload().unwrap_or_default().to_owned(), headers: headers.unwrap_or_default() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.payload.clone()).expect("UTF-8")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).expect("JSON")
    }
}

impl Broker {
    fn prefix() -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        format!("t{}-{}.", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// librdkafka's own stand-in: right for plumbing, no proof of transactions.
    pub(crate) fn embedded() -> Self {
        let mock = MockCluster::new(1).expect("an embedded broker");
        Self { servers: mock.bootstrap_servers(), prefix: Self::prefix(), security: Vec::new(), worker: None, mock: Some(mock) }
    }

    /// Whether it is the embedded one.
    pub(crate) fn is_embedded(&self) -> bool {
        self.mock.is_some()
    }

    /// Takes the embedded one away, or gives it back.
    pub(crate) fn set_up(&self, up: bool) {
        let mock = self.mock.as_ref().expect("an embedded broker");
        if up { mock.broker_up(1) } else { mock.broker_down(1) }.expect("a broker");
    }

    /// The real one; nothing, and a word about it, when there is none.
    pub(crate) fn real() -> Option<Self> {
        let Ok(servers) = std::env::var("TOUCHSTONE_TEST_KAFKA") else {
            eprintln!("skipped: TOUCHSTONE_TEST_KAFKA names no Kafka; start one with: eval \"$(scripts/kafka start)\"");
            return None;
        };
        let protocol = match (Self::given("USER"), Self::given("CA")) {
            (Some(_), Some(_)) => Some("SASL_SSL"),
            (Some(_), None) => Some("SASL_PLAINTEXT"),
            (None, Some(_)) => Some("SSL"),
            (None, None) => None,
        };
        let settings = [
            ("security.protocol", protocol.map(str::to_owned)),
            ("ssl.ca.location", Self::given("CA")),
            ("ssl.certificate.location", Self::given("CERT")),
            ("ssl.key.location", Self::given("KEY")),
            ("sasl.mechanism", Self::given("USER").map(|_| "SCRAM-SHA-512".to_owned())),
            ("sasl.username", Self::given("USER")),
            ("sasl.password", Self::given("PASSWORD")),
        ];
        let security = settings.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        Some(Self { servers, prefix: Self::prefix(), security, worker: None, mock: None })
    }

    /// What is told of the real one.
    pub(crate) fn given(name: &str) -> Option<String> {
        std::env::var(format!("TOUCHSTONE_TEST_KAFKA_{name}")).ok()
    }

    /// The same for a worker's configuration, its password in a file of the folder.
    pub(crate) fn configuration(&self, folder: &std::path::Path) -> String {
        let line = |(name, value): &(&str, String)| {
            let key = match *name {
                "security.protocol" => "security_protocol",
                "ssl.ca.location" => "ca_file",
                "ssl.certificate.location" => "cert_file",
                "ssl.key.location" => "key_file",
                "sasl.mechanism" => "sasl_mechanism",
                "sasl.username" => "username",
                "sasl.oauthbearer.config" => "token_file",
                "sasl.password" => {
                    let file = folder.join("password");
                    std::fs::write(&file, format!("{value}\n")).expect("a file");
                    return format!("password_file = {file:?}\n");
                }
                other => panic!("{other} is no setting of a worker"),
            };
            format!("{key} = {value:?}\n")
        };
        self.worker.as_ref().unwrap_or(&self.security).iter().map(line).collect()
    }

    pub(crate) fn is_secured(&self) -> bool {
        !self.security.is_empty()
    }

    /// What must never be told.
    pub(crate) fn secret(&self) -> &str {
        self.security.iter().find(|(key, _)| *key == "sasl.password").map_or("hush", |(_, value)| value)
    }

    /// Makes the topics, the embedded ones by hand.
    pub(crate) fn make_topics(&self, config: &std::path::Path) {
        match &self.mock {
            Some(mock) => {
                // A second worker finds them made.
                for topic in ["listings", "suspects", "suspects.kessra-rowe", "verdicts", "dead-letters", "state"] {
                    let _ = mock.create_topic(&self.topic(topic), PARTITIONS, 1);
                }
            }
            None if self.worker.is_some() => {}
            None => drop(succeed(touchstone("topics create --config").arg(config))),
        }
    }

    pub(crate) fn topic(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", &self.servers);
        for (key, value) in &self.security {
            client.set(*key, value);
        }
        client
    }

    /// Writes records in order, each with its key and headers.
    pub(crate) fn write<'a>(&self, topic: &str, records: impl Iterator<Item = (String, &'a [u8])>, headers: &[(&str, &str)]) {
        self.write_to(topic, None, records, headers);
    }

    /// The same to one partition.
    pub(crate) fn write_to<'a>(
        &self,
        topic: &str,
        partition: Option<i32>,
        records: impl Iterator<Item = (String, &'a [u8])>,
        headers: &[(&str, &str)],
    ) {
        let mut config = self.client();
        config.set("queue.buffering.max.messages", "200000").set("linger.ms", "20").set("message.max.bytes", "2000000");
        // As Kafka's own clients spread them.
        config.set("partitioner", "murmur2_random");
        let producer: BaseProducer = config.create().expect("a producer");
        for (key, payload) in records {
            let all = headers.iter().fold(OwnedHeaders::new(), |all, (key, value)| all.insert(Header { key, value: Some(*value) }));
            let mut record = BaseRecord::to(topic).key(&key).payload(payload).headers(all);
            record.partition = partition;
            while let Err((error, back)) = producer.send(record) {
                assert_eq!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull));
                producer.poll(Duration::from_millis(10));
                record = back;
            }
        }
        producer.flush(Duration::from_secs(60)).expect("all is written");
    }

    /// Writes a record in a transaction that does not end, until the producer is dropped and its time is up.
    pub(crate) fn leave_open(&self, topic: &str) -> BaseProducer {
        let mut config = self.client();
        config.set("transactional.id", format!("{}open", self.prefix)).set("transaction.timeout.ms", "60000");
        let producer: BaseProducer = config.create().expect("a producer");
        producer.init_transactions(Duration::from_secs(20)).expect("a producer id");
        producer.begin_transaction().expect("a transaction");
        producer.send(BaseRecord::to(topic).key("open").payload("{}").partition(0)).expect("room");
        producer.flush(Duration::from_secs(20)).expect("it is written");
        producer
    }

    /// Reads a topic as committed, until `enough` says so or the time is up.
    pub(crate) fn read_until(&self, topic: &str, limit: Duration, enough: impl Fn(&[Seen]) -> bool) -> Vec<Seen> {
        let mut config = self.client();
        config
            .set("group.id", format!("{}reader-{topic}", self.prefix))
            .set("isolation.level", "read_committed")
            .set("enable.auto.commit", "false");
        config.set("auto.offset.reset", "earliest");
        let consumer: BaseConsumer = config.create().expect("a consumer");
        let mut all = rdkafka::TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            all.add_partition_offset(topic, partition, rdkafka::Offset::Beginning).expect("an offset");
        }
        consumer.assign(&all).expect("an assignment");
        let (mut seen, deadline) = (Vec::new(), Instant::now() + limit);
        while Instant::now() < deadline && !enough(&seen) {
            match consumer.poll(Duration::from_millis(200)) {
                Some(Ok(message)) => seen.push(Seen::of(&message)),
                Some(Err(e)) => panic!("{topic}: {e}"),
                None => {}
            }
        }
        seen
    }
}
