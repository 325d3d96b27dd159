//! What could not be posted, as dead letters.

use std::time::Duration;

use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, NoCustomPartitioner, Producer};
use sha2::{Digest, Sha256};
use touchstone_detectors::hex;
use tracing::warn;

use crate::config::Config;
use crate::dead_letters::MOST;
use crate::kafka::{self, Names, Reports};
use crate::metrics::Metrics;

/// The reason of all of them.
pub(super) const REASON: &str = "webhook_failed";
/// How long brokers may take.
const WRITING: Duration = Duration::from_secs(5);

/// A record that is posted, or could not be.
pub(super) struct Letter {
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) timestamp: Option<i64>,
    pub(super) key: Vec<u8>,
    pub(super) payload: Vec<u8>,
    /// Why it failed.
    pub(super) detail: String,
}

impl Letter {
    pub(super) fn because(self, detail: &str) -> Self {
        Self { detail: detail.to_owned(), ..self }
    }
}

/// Writes dead letters; what could not be written stays for the next time.
pub(super) struct Letters {
    producer: BaseProducer<Reports, NoCustomPartitioner>,
    topic: String,
    suspects: String,
    unwritten: Vec<Letter>,
}

impl Letters {
    pub(super) fn new(config: &Config) -> Result<Self, KafkaError> {
        let mut settings = kafka::writer(config);
        settings.set("message.timeout.ms", WRITING.as_millis().to_string());
        let producer = kafka::connect_producer(&settings, Reports::default())?;
        let names = Names::new(config);
        Ok(Self { producer, topic: names.of("dead-letters"), suspects: names.of("suspects"), unwritten: Vec::new() })
    }

    pub(super) fn add(&mut self, letter: Letter) {
        self.unwritten.push(letter);
    }

    /// Writes all, and gives them back as places when the brokers have them; nothing when they have not.
    pub(super) fn write(&mut self, metrics: &Metrics) -> Option<Vec<(i32, i64)>> {
        if let Err(e) = self.try_to_write() {
            warn!("webhooks: {} dead letters cannot be written yet: {e}", self.unwritten.len());
            return None;
        }
        metrics.dead_letters.with_label_values(&[REASON]).inc_by(self.unwritten.len() as u64);
        Some(self.unwritten.drain(..).map(|letter| (letter.partition, letter.offset)).collect())
    }

    fn try_to_write(&self) -> Result<(), KafkaError> {
        // What was told of the last time.
        self.producer.context().take();
        for letter in &self.unwritten {
            let cut = &letter.payload[..letter.payload.len().min(MOST)];
            let record = BaseRecord::to(&self.topic).key(&letter.key).payload(cut).headers(self.headers(letter));
            kafka::send(&self.producer, record, || true)?;
        }
        if !self.unwritten.is_empty() {
            self.producer.flush(WRITING * 2)?;
        }
        self.producer.context().take().map_or(Ok(()), Err)
    }

    fn headers(&self, letter: &Letter) -> OwnedHeaders {
        let (partition, offset) = (letter.partition.to_string(), letter.offset.to_string());
        let id = hex(&Sha256::digest(format!("{} {partition} {offset} {REASON}", self.suspects))[..16]);
        let (size, sum) = (letter.payload.len().to_string(), hex(&Sha256::digest(&letter.payload)));
        let timestamp = letter.timestamp.map(|t| t.to_string()).unwrap_or_default();
        let headers = [
            ("reason", REASON),
            ("path", ""),
            ("detail", &letter.detail),
            ("topic", &self.suspects),
            ("partition", &partition),
            ("offset", &offset),
            ("timestamp", &timestamp),
            ("original-size", &size),
            ("sha256", &sum),
            ("ce_id", &id),
            ("ce_source", "/touchstone/webhooks"),
            ("ce_type", "touchstone.dead_letter"),
            ("ce_specversion", "1.0"),
            ("ce_dataschema", "urn:touchstone:schema:suspect"),
            ("content-type", "application/json"),
        ];
        headers.iter().fold(OwnedHeaders::new(), |all, (key, value)| all.insert(Header { key, value: Some(*value) }))
    }
}
