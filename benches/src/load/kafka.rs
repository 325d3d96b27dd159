//! The brokers: what writes listings, what reads suspects, and how far the workers are.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{Producer, ProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::options::Options;

/// How long one call may take.
const CALL: Duration = Duration::from_secs(10);
/// How long, and how often at most, a client is polled for why it was refused.
const TELLING: Duration = Duration::from_millis(10);
const TELLINGS: u32 = 20;
/// Whoever assigns partitions needs a group's name; it is not joined, and nothing is committed.
const NOBODY: &str = "touchstone-load";

/// Reads suspects, and asks.
pub(super) type Reader = BaseConsumer<Told>;
/// Writes listings, and is polled by a thread of its own.
pub(super) type Writer = ThreadedProducer<Told>;

/// What clients were told.
#[derive(Default)]
pub(super) struct Told {
    why: Mutex<Option<String>>,
    failed: AtomicU64,
}

impl Told {
    fn tell(&self, why: String) {
        *self.why.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    /// What was told last.
    fn last(&self) -> Option<String> {
        self.why.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What became of listings that were not written; nothing where all were.
    pub(super) fn failed(&self) -> Option<String> {
        let failed = self.failed.load(Ordering::Relaxed);
        (failed > 0).then(|| format!("{failed} listings were not written: {}", self.last().unwrap_or_default()))
    }
}

impl ClientContext for Told {
    fn error(&self, error: KafkaError, reason: &str) {
        // That all brokers are down tells nothing of why.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            self.tell(reason.to_owned());
        }
    }
}

impl ConsumerContext for Told {}

impl ProducerContext for Told {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((e, _)) = result {
            self.failed.fetch_add(1, Ordering::Relaxed);
            self.tell(e.to_string());
        }
    }
}

/// Where a partition begins and ends.
struct Span {
    partition: i32,
    low: i64,
    high: i64,
}

/// How to reach the brokers.
pub(super) struct Kafka {
    brokers: String,
    common: ClientConfig,
    group: Option<String>,
    /// Topic of the listings.
    pub(super) listings: String,
    suspects: String,
}

impl Kafka {
    pub(super) fn new(options: &Options) -> Self {
        let mut common = ClientConfig::new();
        // A short queue: when the brokers take less than is due, it is soon felt.
        common.set("queue.buffering.max.messages", "100000").set("queue.buffering.max.kbytes", "65536").set("linger.ms", "1");
        common.set("compression.type", "zstd").set("message.timeout.ms", "60000").set("fetch.queue.backoff.ms", "10");
        common.set("queued.max.messages.kbytes", "16384");
        common.extend(options.property.iter().cloned());
        common.set("bootstrap.servers", &options.brokers).set("client.id", NOBODY);
        let topic = |name: &str| format!("{}{name}", options.prefix);
        Self {
            brokers: options.brokers.clone(),
            common,
            group: options.group.clone(),
            listings: topic("listings"),
            suspects: topic("suspects"),
        }
    }

    /// What writes listings, connected.
    pub(super) fn writer(&self) -> Result<Writer, String> {
        let mut config = self.common.clone();
        config.set("enable.idempotence", "true").set("acks", "all");
        let writer: Writer = config.create_with_context(Told::default()).map_err(|e| self.cannot(&e, None))?;
        // Or the first listings would wait for the connection.
        let known = writer.client().fetch_metadata(Some(&self.listings), CALL);
        known.map_err(|e| self.cannot(&e, writer.context().last()))?;
        Ok(writer)
    }

    /// What reads suspects from the ends that they have now.
    pub(super) fn reader(&self) -> Result<Reader, String> {
        let reader = self.consumer(NOBODY, "read_committed")?;
        let mut list = TopicPartitionList::new();
        for span in self.spans(&reader, &self.suspects)? {
            list.add_partition_offset(&self.suspects, span.partition, Offset::Offset(span.high)).map_err(|e| self.cannot(&e, None))?;
        }
        reader.assign(&list).map_err(|e| self.cannot(&e, None))?;
        // Listings are looked for before anything is written: a broker might make the topic, with one partition.
        self.spans(&reader, &self.listings)?;
        Ok(reader)
    }

    /// What tells how far the workers are, where their group is known.
    pub(super) fn workers(&self) -> Result<Option<Reader>, String> {
        self.group.as_deref().map(|group| self.consumer(group, "read_uncommitted")).transpose()
    }

    /// Listings that the workers have not committed.
    pub(super) fn behind(&self, workers: &Reader) -> Result<u64, String> {
        let spans = self.spans(workers, &self.listings)?;
        let mut asked = TopicPartitionList::new();
        for span in &spans {
            asked.add_partition(&self.listings, span.partition);
        }
        let committed = workers.committed_offsets(asked, CALL).map_err(|e| self.refused(workers, &e))?;
        for element in committed.elements() {
            element.error().map_err(|e| self.refused(workers, &e))?;
        }
        let mut behind = 0;
        for span in &spans {
            let at = committed.find_partition(&self.listings, span.partition).map(|element| element.offset());
            let next = if let Some(Offset::Offset(next)) = at { next } else { span.low };
            behind += u64::try_from(span.high - next).unwrap_or_default();
        }
        Ok(behind)
    }

    fn consumer(&self, group: &str, isolation: &str) -> Result<Reader, String> {
        let mut config = self.common.clone();
        config.set("group.id", group).set("isolation.level", isolation).set("enable.auto.commit", "false");
        config.create_with_context(Told::default()).map_err(|e| self.cannot(&e, None))
    }

    fn spans(&self, client: &Reader, topic: &str) -> Result<Vec<Span>, String> {
        let metadata = client.fetch_metadata(Some(topic), CALL).map_err(|e| self.refused(client, &e))?;
        let mut spans = Vec::new();
        for partition in metadata.topics().iter().flat_map(|topic| topic.partitions()) {
            let partition = partition.id();
            let (low, high) = client.fetch_watermarks(topic, partition, CALL).map_err(|e| self.refused(client, &e))?;
            spans.push(Span { partition, low, high });
        }
        if spans.is_empty() {
            return Err(format!("{}: there is no topic {topic}: make the topics with `touchstone topics create`", self.brokers));
        }
        Ok(spans)
    }

    /// An error of a client, with why.
    fn refused(&self, client: &Reader, error: &KafkaError) -> String {
        for _ in 0..TELLINGS {
            drop(client.poll(TELLING));
        }
        self.cannot(error, client.context().last())
    }

    fn cannot(&self, error: &KafkaError, why: Option<String>) -> String {
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        format!("{} cannot be used: {error}{why}", self.brokers)
    }
}
