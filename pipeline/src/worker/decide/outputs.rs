//! What the deciding worker writes, as Kafka records.

use rdkafka::message::OwnedHeaders;
use touchstone_schemas::{Link, Removal};

use super::super::records::{self, Refused, texts, with_trace};
use super::super::taken::Taken;

/// A record that the deciding worker writes.
pub(super) type Record = records::Record<To>;

/// Where it goes.
pub(super) enum To {
    Removals,
    Links,
    State,
    DeadLetters {
        reason: &'static str,
    },
    /// Where it came from, in another partition.
    Back {
        topic: String,
    },
}

/// A removal, under the key of its listing.
pub(super) fn removal(removal: &Removal, key: &str, taken: &Taken) -> Record {
    let at = removal.at.to_string();
    let headers = [
        ("ce_id", removal.removal_id.as_str()),
        ("ce_source", "/touchstone/decide"),
        ("ce_type", "touchstone.removal"),
        ("ce_specversion", "1.0"),
        ("ce_time", &at),
        ("ce_dataschema", "urn:touchstone:schema:removal"),
        ("content-type", "application/json"),
    ];
    // Made of strings, numbers and lists: writing it cannot fail.
    let payload = serde_json::to_vec(removal).unwrap_or_default();
    let headers = Some(with_trace(texts(&headers), &taken.trace));
    Record { to: To::Removals, partition: None, key: key.as_bytes().to_vec(), payload, headers }
}

/// What may join a seller to another, under the seller's key.
pub(super) fn link(link: &Link, taken: &Taken) -> Record {
    let payload = serde_json::to_vec(link).unwrap_or_default();
    let headers = Some(with_trace(texts(&[("content-type", "application/json")]), &taken.trace));
    let key = touchstone_decisions::cases::seller_key(link).into_bytes();
    Record { to: To::Links, partition: None, key, payload, headers }
}

/// What is kept of a partition.
pub(super) fn state(partition: i32, key: Vec<u8>, payload: Option<Vec<u8>>) -> Record {
    Record { to: To::State, partition: Some(partition), key, payload: payload.unwrap_or_default(), headers: None }
}

/// An input that cannot be used.
pub(super) fn refused(taken: &Taken, topic: &str, why: &Refused<'_>) -> Record {
    records::refused(taken, topic, why, To::DeadLetters { reason: why.reason })
}

/// A record that came to another partition than its key's, as it came but for that.
pub(super) fn sent_on(taken: &Taken, topic: String, partition: i32, key: &str) -> Record {
    let headers = Some(with_trace(OwnedHeaders::new(), &taken.trace));
    Record { to: To::Back { topic }, partition: Some(partition), key: key.as_bytes().to_vec(), payload: taken.payload.clone(), headers }
}
