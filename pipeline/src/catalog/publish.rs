//! Publishes a catalog: what differs from what stands in the topic, closed by a version record, in one transaction.

#![allow(clippy::disallowed_types, reason = "writes for a bounded time")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, BaseRecord, NoCustomPartitioner, Producer};
use serde_json::json;
use touchstone_detectors::{Catalog, Counts, VERSION_KEY};
use touchstone_schemas::SetVersion;
use tracing::info;

use super::follow::{PARTITION, standing};
use super::set::shrinks;
use crate::config::Config;
use crate::engine::now;
use crate::failure::Failure;
use crate::kafka::{self, Names, Reports};

/// How long one call may take.
const CALL: Duration = Duration::from_secs(30);
/// How long the brokers may take for the records that are on their way.
const WRITING: Duration = Duration::from_secs(120);
/// How often it is told how far it is.
const TELL: usize = 100_000;

/// What became of the rows.
#[derive(Debug, Default)]
pub(crate) struct Published {
    pub(crate) written: usize,
    pub(crate) deleted: usize,
    pub(crate) unchanged: usize,
}

/// A catalog with its rows as records, by key.
pub(crate) struct Publication<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) records: &'a BTreeMap<String, Vec<u8>>,
    pub(crate) counts: Counts,
    pub(crate) may_shrink: bool,
}

/// Publishes a catalog. Workers see all that changes at once, or nothing of it; of two that publish at the same time one is refused.
///
/// # Errors
/// Where the brokers cannot be reached, or refuse; where the catalog would lose more than it may.
pub(crate) fn publish(config: &Config, publication: Publication<'_>) -> Result<Published, Failure> {
    let Publication { catalog, records, counts, may_shrink } = publication;
    let cannot = |e: KafkaError| kafka::unreachable(config, &e);
    let writer = Writer::connect(config).map_err(cannot)?;
    let stands = standing(config)?;
    let rows = stands.rows();
    let changed: Vec<_> = records.iter().filter(|(key, payload)| rows.get(key.as_str()) != Some(&payload.as_slice())).collect();
    let gone: Vec<&str> = rows.keys().copied().filter(|key| !records.contains_key(*key)).collect();
    let published = Published { written: changed.len(), deleted: gone.len(), unchanged: records.len() - changed.len() };
    // Workers that refused it for its size look at it again when it is closed once more.
    if changed.is_empty() && gone.is_empty() && stands.is_at(catalog.version()) && !may_shrink {
        return Ok(published);
    }
    let topic = Names::new(config).of("catalog");
    // What makes no catalog is to be replaced, whatever is lost.
    if !may_shrink
        && stands.is_closed()
        && let Ok(before) = stands.catalog(Path::new(&topic), None, 1.0)
        && let Some(gone) = shrinks(&before, catalog, config.catalog.largest_shrink)
    {
        return Err(Failure::Usage(format!("{gone}: give --may-shrink if that is meant; nothing is published")));
    }
    let closing = closing(catalog.version().to_owned(), counts, may_shrink);
    let all = changed.iter().map(|(key, payload)| (key.as_str(), Some(payload.as_slice())));
    let all = all.chain(gone.into_iter().map(|key| (key, None))).chain([(VERSION_KEY, Some(closing.as_slice()))]);
    writer.write(all).map_err(|e| Failure::Run(anyhow::anyhow!("kafka: nothing is published: {e}")))?;
    Ok(published)
}

/// The record that closes a set.
pub(super) fn closing(version: String, rows: Counts, may_shrink: bool) -> Vec<u8> {
    let closing = SetVersion { catalog_version: Some(version), rows: Some(rows), published_at: Some(now()), may_shrink };
    // Made of strings and numbers: writing it cannot fail.
    let mut value = serde_json::to_value(closing).unwrap_or_default();
    value["kind"] = json!("version");
    value.to_string().into_bytes()
}

/// Writes records of one transaction.
pub(super) struct Writer {
    producer: BaseProducer<Reports, NoCustomPartitioner>,
    topic: String,
}

impl Writer {
    /// Ends what another that publishes left open, so that what stands is what is read.
    pub(super) fn connect(config: &Config) -> Result<Self, KafkaError> {
        let producer = kafka::connect_producer(&kafka::publisher(config), Reports::default())?;
        producer.init_transactions(CALL)?;
        Ok(Self { producer, topic: Names::new(config).of("catalog") })
    }

    /// Writes records, of which those without a payload delete, in one transaction: all of them, or none.
    pub(super) fn write<'a>(&self, records: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>) -> Result<(), KafkaError> {
        self.producer.begin_transaction()?;
        let written = records.enumerate().try_for_each(|(i, (key, payload))| {
            if i > 0 && i.is_multiple_of(TELL) {
                info!("{i} rows are written");
            }
            self.send(key, payload)
        });
        let committed = written.and_then(|()| self.commit());
        if committed.is_err() {
            // Else workers would wait for its end.
            let _ = self.producer.abort_transaction(CALL);
        }
        committed
    }

    /// Hands a record to the client, waiting for room.
    fn send(&self, key: &str, payload: Option<&[u8]>) -> Result<(), KafkaError> {
        let deadline = Instant::now() + WRITING;
        let mut record = BaseRecord::<str, [u8]>::to(&self.topic).key(key).partition(PARTITION);
        record.payload = payload;
        kafka::send(&self.producer, record, || Instant::now() < deadline)
    }

    fn commit(&self) -> Result<(), KafkaError> {
        self.producer.flush(WRITING)?;
        if let Some(e) = self.producer.context().take() {
            return Err(e);
        }
        self.producer.commit_transaction(CALL)
    }
}
