//! Outputs as Kafka records: CloudEvents 1.0 in binary mode, the trace context of the input carried on.

use rdkafka::message::{Header, OwnedHeaders};
use sha2::{Digest, Sha256};
use touchstone_detectors::hex;
use touchstone_schemas::{Band, Fault, Listing, ListingState, OpenSuspect, Suspect, WithdrawnBecause};

use super::passes::Pass;
use super::restore::FORMAT;
use super::taken::Taken;
use crate::dead_letters::MOST;

/// The longest key and header that is written: longer ones are nobody's.
const MOST_KEY: usize = 1 << 10;
/// The largest suspect: the broker's limit is twice as much.
const MOST_SUSPECT: usize = 1_000_000;

/// A record that is to be written.
pub(super) struct Record<To = Destination> {
    pub(super) to: To,
    /// The partition; by the key where none is said.
    pub(super) partition: Option<i32>,
    pub(super) key: Vec<u8>,
    pub(super) payload: Vec<u8>,
    pub(super) headers: Option<OwnedHeaders>,
}

/// Where a record goes.
pub(super) enum Destination {
    Suspects { brand_id: String, band: Band, withdrawn: Option<WithdrawnBecause> },
    DeadLetters { reason: &'static str },
    State,
    Retry,
}

/// A suspect that stands or is taken back, ready to be written.
pub(super) fn suspect(suspect: &Suspect, key: &str, trace: &[(&'static str, Vec<u8>)]) -> Record {
    let at = suspect.occurred_at.to_string();
    let headers = [
        ("ce_id", suspect.detection_id.as_str()),
        ("ce_source", "/touchstone/scan"),
        ("ce_type", "touchstone.suspect"),
        ("ce_specversion", "1.0"),
        ("ce_time", &at),
        ("ce_dataschema", "urn:touchstone:schema:suspect"),
        ("content-type", "application/json"),
    ];
    // Made of strings, numbers and lists: writing it cannot fail.
    let payload = serde_json::to_vec(suspect).unwrap_or_default();
    let to = Destination::Suspects { brand_id: suspect.brand_id.to_string(), band: suspect.band, withdrawn: suspect.withdrawn_because };
    Record { to, partition: None, key: key.as_bytes().to_vec(), payload, headers: Some(with_trace(texts(&headers), trace)) }
}

/// What is remembered of a suspect.
pub(super) fn open(suspect: &Suspect) -> OpenSuspect {
    OpenSuspect {
        brand_id: suspect.brand_id.clone(),
        detection_id: suspect.detection_id.clone(),
        score: suspect.score,
        band: suspect.band,
        content_hash: suspect.content_hash.clone(),
        reason: Some(suspect.reason),
        seller_id: Some(suspect.listing.seller.id.clone()),
        catalog_version: Some(suspect.catalog_version.clone()),
        policy_version: Some(suspect.policy_version.clone()),
    }
}

/// What is to be remembered of a listing whose event stands at that place, in the partition of its events.
pub(super) fn state(partition: i32, place: Option<u64>, listing: &Listing, key: &str, open: Vec<OpenSuspect>) -> Record {
    let state = ListingState { format: FORMAT, revision: listing.revision, offset: place, occurred_at: listing.occurred_at.clone(), open };
    // Made of strings, numbers and lists: writing it cannot fail.
    let payload = serde_json::to_vec(&state).unwrap_or_default();
    Record { to: Destination::State, partition: Some(partition), key: key.as_bytes().to_vec(), payload, headers: None }
}

/// A listing that is to be looked at again, in the partition of its events.
pub(super) fn retry(event: &Taken, listing: &Listing, pass: Pass) -> Record {
    let key = listing.key().into_bytes();
    // Made of strings, numbers and lists: writing it cannot fail.
    let payload = serde_json::to_vec(&pass.into_retry(listing.clone())).unwrap_or_default();
    let headers = with_trace(OwnedHeaders::new(), &event.trace);
    Record { to: Destination::Retry, partition: Some(event.partition), key, payload, headers: Some(headers) }
}

impl<To> Record<To> {
    /// Whether no broker would take it.
    pub(super) fn is_too_large(&self) -> bool {
        self.key.len() + self.payload.len() > MOST_SUSPECT
    }
}

/// An input that could not be used, as it came, with the reason and where it came from.
pub(super) fn dead_letter(taken: &Taken, topic: &str, fault: &Fault) -> Record {
    let to = Destination::DeadLetters { reason: fault.reason.as_str() };
    refused(taken, topic, &Refused { reason: fault.reason.as_str(), path: &fault.path, detail: &fault.detail, schema: "listing" }, to)
}

/// Why an input could not be used, and what it should have been.
pub(super) struct Refused<'a> {
    pub(super) reason: &'static str,
    /// The JSON path of what is wrong.
    pub(super) path: &'a str,
    pub(super) detail: &'a str,
    /// The name of its schema.
    pub(super) schema: &'a str,
}

/// An input of any kind that could not be used.
pub(super) fn refused<To>(taken: &Taken, topic: &str, why: &Refused<'_>, to: To) -> Record<To> {
    let schema = format!("urn:touchstone:schema:{}", why.schema);
    let kept = taken.payload.len().min(MOST);
    let (partition, offset) = (taken.partition.to_string(), taken.offset.to_string());
    let id = hex(&Sha256::digest(format!("{topic} {partition} {offset}"))[..16]);
    let (size, sum) = (taken.payload.len().to_string(), hex(&Sha256::digest(&taken.payload)));
    let timestamp = taken.timestamp.map(|t| t.to_string()).unwrap_or_default();
    let headers = [
        ("reason", why.reason),
        ("path", cut(why.path)),
        ("detail", cut(why.detail)),
        ("topic", topic),
        ("partition", &partition),
        ("offset", &offset),
        ("timestamp", &timestamp),
        ("original-size", &size),
        ("sha256", &sum),
        ("ce_id", &id),
        ("ce_source", "/touchstone/scan"),
        ("ce_type", "touchstone.dead_letter"),
        ("ce_specversion", "1.0"),
        ("ce_dataschema", &schema),
        ("content-type", "application/json"),
    ];
    Record {
        to,
        partition: None,
        // A listing's key where it can be told from the payload's own record; spread by place otherwise.
        key: taken.key.clone().filter(|key| key.len() <= MOST_KEY).unwrap_or_else(|| id.as_bytes().to_vec()),
        payload: taken.payload[..kept].to_vec(),
        headers: Some(with_trace(texts(&headers), &taken.trace)),
    }
}

/// A text short enough for a header.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MOST_KEY)]
}

pub(super) fn texts(headers: &[(&str, &str)]) -> OwnedHeaders {
    let empty = OwnedHeaders::new_with_capacity(headers.len() + 2);
    headers.iter().fold(empty, |all, (key, value)| all.insert(Header { key, value: Some(*value) }))
}

/// The trace context of an input, for its outputs.
pub(super) fn with_trace(headers: OwnedHeaders, trace: &[(&'static str, Vec<u8>)]) -> OwnedHeaders {
    trace.iter().fold(headers, |all, (key, value)| all.insert(Header { key, value: Some(value) }))
}
