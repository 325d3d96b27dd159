//! `touchstone case record`: what became of a case outside the platform, written to the links, so that it outlives merges.

#![allow(clippy::disallowed_types, reason = "writes for a bounded time")]

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, NoCustomPartitioner, Producer};
use sha2::{Digest, Sha256};
use touchstone_decisions::cases::seller_key;
use touchstone_detectors::hex;
use touchstone_schemas::{Link, Timestamp, decode};

use super::Unread;
use super::board::{find, standing};
use crate::archive::Archive;
use crate::config::{self, Config};
use crate::engine::now;
use crate::failure::Failure;
use crate::kafka::{self, Names, Reports};

/// How long the record may take to be written.
const WRITING: Duration = Duration::from_secs(30);

pub(super) fn run(config: &Path, id: &str, outcome: &str, at: Option<&Timestamp>) -> Result<(), Failure> {
    let archive = Archive::of(Some(config), None)?;
    let config = config::load(config)?;
    let cases = standing(&archive)?;
    let case = find(&cases, id)?;
    let of = of_sellers(&archive, &case.sellers)?;
    let of = of.ok_or_else(|| {
        Failure::Usage(format!(
            "case {}: no link of its sellers stands in the topic {} any more",
            case.case_id,
            Names::new(&config).of("links")
        ))
    })?;
    let at = at.cloned().unwrap_or_else(now);
    let link = Link { link: None, suspect_id: None, outcome: Some(outcome.to_owned()), at, ..of };
    write(&config, &link).map_err(|e| kafka::unreachable(&config, &e))?;
    writeln!(io::stdout(), "case {}: recorded of seller {}: {} {outcome}", case.case_id, seller_key(&link), link.at)?;
    Ok(())
}

/// A link of the first seller that has one.
fn of_sellers(archive: &Archive, sellers: &[String]) -> Result<Option<Link>, Failure> {
    let sellers: BTreeSet<&str> = sellers.iter().map(String::as_str).collect();
    let (mut first, mut unread): (Option<(String, Link)>, _) = (None, Unread::default());
    archive.read(&["links"], |_, entry| match decode::<Link>(&entry.payload) {
        Ok(decoded) => {
            let seller = seller_key(&decoded.value);
            if sellers.contains(seller.as_str()) && first.as_ref().is_none_or(|(before, _)| seller < *before) {
                first = Some((seller, decoded.value));
            }
        }
        Err(fault) => unread.add(&entry, &fault),
    })?;
    unread.tell();
    Ok(first.map(|(_, link)| link))
}

fn write(config: &Config, link: &Link) -> Result<(), KafkaError> {
    let (topic, key) = (Names::new(config).of("links"), seller_key(link));
    // Made of strings: writing it cannot fail.
    let payload = serde_json::to_vec(link).unwrap_or_default();
    let (id, at) = (hex(&Sha256::digest(&payload)[..16]), link.at.to_string());
    let headers = [
        ("ce_id", id.as_str()),
        ("ce_source", "/touchstone/case"),
        ("ce_type", "touchstone.link"),
        ("ce_specversion", "1.0"),
        ("ce_time", &at),
        ("ce_dataschema", "urn:touchstone:schema:link"),
        ("content-type", "application/json"),
    ];
    let headers = headers.into_iter().fold(OwnedHeaders::new(), |all, (key, value)| all.insert(Header { key, value: Some(value) }));
    let producer: BaseProducer<Reports, NoCustomPartitioner> = kafka::connect_producer(&kafka::writer(config), Reports::default())?;
    let deadline = Instant::now() + WRITING;
    let record = BaseRecord::to(&topic).key(&key).payload(&payload).headers(headers);
    kafka::send(&producer, record, || Instant::now() < deadline)?;
    producer.flush(WRITING)?;
    producer.context().take().map_or(Ok(()), Err)
}
