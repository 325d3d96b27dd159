//! Known fakes that were learnt from verdicts, in the catalog topic: rows like any other, under ids of their own.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;
use touchstone_decisions::LEARNT;
use touchstone_detectors::{Counts, Row, Rows, VERSION_KEY};
use touchstone_schemas::{KnownFake, decode};

use super::follow::standing;
use super::publish::{Writer, closing};
use crate::config::Config;
use crate::failure::Failure;
use crate::kafka::{self, Names};

/// What the keys of learnt rows begin with.
fn prefix() -> String {
    format!("known_fake:{LEARNT}")
}

/// The learnt rows that stand in the topic: whoever publishes a catalog leaves them there.
///
/// # Errors
/// Why the topic cannot be read.
pub(crate) fn learnt(config: &Config) -> Result<Vec<Row<KnownFake>>, Failure> {
    let (set, prefix) = (standing(config)?, prefix());
    let rows = set.rows();
    let learnt = rows.iter().filter(|(key, _)| key.starts_with(&prefix));
    Ok(learnt.filter_map(|(_, payload)| Some(Row { row: decode::<KnownFake>(payload).ok()?.value, line: 0 })).collect())
}

/// Puts what was learnt, and takes what is to be known no more, into and out of the set that stands, in one transaction. How many rows
/// that changed; none where no catalog stands.
///
/// # Errors
/// Brokers that cannot be reached or refuse, or a set that would have faults.
pub(crate) fn learn(config: &Config, changed: &BTreeMap<String, Option<KnownFake>>) -> Result<usize, Failure> {
    let topic = Names::new(config).of("catalog");
    let writer = Writer::connect(config).map_err(|e| kafka::unreachable(config, &e))?;
    // Read after whoever else publishes was shut out.
    let set = standing(config)?;
    if !set.is_closed() {
        return Ok(0);
    }
    let rows = set.rows();
    let mut all: BTreeMap<String, Vec<u8>> = rows.iter().map(|(key, payload)| ((*key).to_owned(), payload.to_vec())).collect();
    let brands = |fake: &KnownFake| rows.contains_key(format!("brand:{}", fake.brand_id).as_str());
    let mut written: BTreeMap<String, Option<Vec<u8>>> = BTreeMap::new();
    for (id, fake) in changed {
        let key = format!("known_fake:{id}");
        let payload = fake.as_ref().filter(|fake| brands(fake)).map(record);
        if payload.as_ref() != all.get(&key) {
            match &payload {
                Some(payload) => drop(all.insert(key.clone(), payload.clone())),
                None => drop(all.remove(&key)),
            }
            written.insert(key, payload);
        }
    }
    if written.is_empty() {
        return Ok(0);
    }
    let records = all.values().enumerate().map(|(i, payload)| (i, payload.as_slice()));
    let faulty = |faults: Vec<touchstone_detectors::CatalogFault>| {
        let first = faults.first().map(ToString::to_string).unwrap_or_default();
        Failure::Run(anyhow::anyhow!("{topic}: nothing is learnt, since the set would have {} faults: {first}", faults.len()))
    };
    let (mut rows, _) = Rows::of_records(Path::new(&topic), records).map_err(faulty)?;
    rows.sort();
    let mut counts = Counts::new();
    all.keys().for_each(|key| *counts.entry(key.split(':').next().unwrap_or_default().to_owned()).or_default() += 1);
    let closing = closing(rows.version(), counts, false);
    let records = written.iter().map(|(key, payload)| (key.as_str(), payload.as_deref())).chain([(VERSION_KEY, Some(closing.as_slice()))]);
    writer.write(records).map_err(|e| Failure::Run(anyhow::anyhow!("kafka: nothing is learnt: {e}")))?;
    Ok(written.len())
}

/// The row as the topic holds it.
fn record(fake: &KnownFake) -> Vec<u8> {
    // Made of strings and numbers: writing it cannot fail.
    let mut value = serde_json::to_value(fake).unwrap_or_default();
    value["kind"] = json!("known_fake");
    value.to_string().into_bytes()
}
