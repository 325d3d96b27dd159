//! Publishes a catalog: what differs from what stands in the topic, closed by a version record, in one transaction.

#![allow(clippy::disallowed_types, reason = "writes for a bounded time")]

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, NoCustomPartitioner, Producer};
use serde_json::json;
use touchstone_detectors::{Counts, Rows, VERSION_KEY};
use touchstone_schemas::{SetVersion, Timestamp};
use tracing::info;

use super::follow::{PARTITION, standing};
use super::set::{kind, shrinks};
use crate::config::Config;
use crate::failure::Failure;
use crate::kafka::{self, Names, Reports};

/// How long one call may take.
const CALL: Duration = Duration::from_secs(30);
/// How long the brokers may take for the records that are on their way.
const WRITING: Duration = Duration::from_secs(120);
/// How often it is told how far it is.
const TELL: u64 = 100_000;

/// What became of the rows.
#[derive(Debug, Default)]
pub(crate) struct Published {
    pub(crate) written: u64,
    pub(crate) deleted: u64,
    pub(crate) unchanged: u64,
}

/// Publishes sorted rows. Workers see all that changes at once, or nothing of it; of two that publish at the same time one is refused.
///
/// # Errors
/// Where the brokers cannot be reached, or refuse; where the catalog would lose more than it may.
pub(crate) fn publish(config: &Config, rows: &Rows, may_shrink: bool) -> Result<Published, Failure> {
    let cannot = |e: KafkaError| kafka::unreachable(config, &e);
    let writer = Writer::connect(config).map_err(cannot)?;
    let stands = standing(config)?;
    let version = rows.version();
    let is_current = stands.is_at(&version);
    let mut stands = stands.into_rows();
    let before = counts(&stands);
    writer.producer.begin_transaction().map_err(cannot)?;
    let mut published = Published::default();
    let sent = rows.each_record(|_, key, payload| {
        if stands.remove(key).is_some_and(|old| old == payload) {
            published.unchanged += 1;
            return Ok(());
        }
        published.written += 1;
        if published.written.is_multiple_of(TELL) {
            info!("{} rows are written", published.written);
        }
        writer.send(key, Some(&payload)).map_err(|e| io::Error::other(format!("{key}: {e}")))
    });
    let after = sent.map_err(|e| Failure::Run(anyhow::anyhow!("kafka: {e}")))?;
    let count = |counts: &Counts, kind: &str| counts.get(kind).copied().unwrap_or(0);
    let losses = ["brand", "product", "known_fake"].map(|kind| (kind, count(&before, kind), count(&after, kind)));
    if let Some(gone) = shrinks(losses, config.catalog.largest_shrink).filter(|_| !may_shrink) {
        // What was sent is in a transaction that nobody commits.
        return Err(Failure::Usage(format!("{gone}: give --may-shrink if that is meant; nothing is published")));
    }
    published.deleted = u64::try_from(stands.len()).unwrap_or(u64::MAX);
    if published.written + published.deleted == 0 && is_current {
        return Ok(published);
    }
    stands.keys().try_for_each(|key| writer.send(key, None)).map_err(cannot)?;
    writer.send(VERSION_KEY, Some(&closing(version, after, may_shrink))).map_err(cannot)?;
    writer.commit().map_err(cannot)?;
    Ok(published)
}

fn counts(rows: &BTreeMap<String, Vec<u8>>) -> Counts {
    rows.keys().fold(Counts::new(), |mut counts, key| {
        *counts.entry(kind(key).to_owned()).or_default() += 1;
        counts
    })
}

/// The record that closes a set.
fn closing(version: String, rows: Counts, may_shrink: bool) -> Vec<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let published_at = i64::try_from(now.as_millis()).ok().map(Timestamp::from_unix_millis);
    let closing = SetVersion { catalog_version: Some(version), rows: Some(rows), published_at, may_shrink };
    // Made of strings and numbers: writing it cannot fail.
    let mut value = serde_json::to_value(closing).unwrap_or_default();
    value["kind"] = json!("version");
    value.to_string().into_bytes()
}

/// Writes records of one transaction.
struct Writer {
    producer: BaseProducer<Reports, NoCustomPartitioner>,
    topic: String,
}

impl Writer {
    /// Ends what another that publishes left open, so that what stands is what is read.
    fn connect(config: &Config) -> Result<Self, KafkaError> {
        let producer = kafka::connect_producer(&kafka::publisher(config), Reports::default())?;
        producer.init_transactions(CALL)?;
        Ok(Self { producer, topic: Names::new(config).of("catalog") })
    }

    /// Hands a record to the client, waiting for room; without a payload the row is deleted.
    fn send(&self, key: &str, payload: Option<&[u8]>) -> Result<(), KafkaError> {
        let deadline = Instant::now() + WRITING;
        loop {
            let mut record = BaseRecord::<str, [u8]>::to(&self.topic).key(key).partition(PARTITION);
            record.payload = payload;
            match self.producer.send(record) {
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) if Instant::now() < deadline => {
                    self.producer.poll(Duration::from_millis(10));
                }
                sent => return sent.map_err(|(e, _)| e),
            }
        }
    }

    fn commit(&self) -> Result<(), KafkaError> {
        self.producer.flush(WRITING)?;
        if let Some(e) = self.producer.context().take() {
            return Err(e);
        }
        self.producer.commit_transaction(CALL)
    }
}
