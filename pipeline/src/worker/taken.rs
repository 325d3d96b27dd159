//! What the worker takes from its topics: events of listings, and listings that are to be looked at again.

use std::path::Path;

use rdkafka::message::{BorrowedMessage, Headers, Message};

use super::passes::Pass;
use crate::engine::{MAX_PAYLOAD, Payload};
use crate::kafka::TRACE;

/// The longest trace header that is carried on: the standard asks for 512 bytes at least.
const MOST_TRACE: usize = 1 << 10;

/// A record as it was taken from its topic.
pub(super) struct Taken {
    pub(super) role: Role,
    pub(super) partition: i32,
    pub(super) offset: i64,
    /// Milliseconds since 1970, as the topic has it.
    pub(super) timestamp: Option<i64>,
    pub(super) key: Option<Vec<u8>>,
    /// The listing.
    pub(super) payload: Vec<u8>,
    /// `traceparent` and `tracestate`, for the outputs.
    pub(super) trace: Vec<(&'static str, Vec<u8>)>,
}

/// What a record is to the worker.
pub(super) enum Role {
    /// The event of a listing.
    Event,
    /// A listing whose pictures were slow.
    Retry(Pass),
    /// A record beside the listings that cannot be read: it is passed over.
    Unreadable,
}

/// The topic that a record was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Source {
    Listings,
    Retries,
}

impl Taken {
    /// An event of a listing.
    pub(super) fn of(message: &BorrowedMessage<'_>) -> Self {
        let header = |name: &'static str| {
            let headers = message.headers()?;
            let value = headers.iter().find(|h| h.key == name)?.value?;
            // What is longer is no trace context.
            (value.len() <= MOST_TRACE).then(|| (name, value.to_owned()))
        };
        Self {
            role: Role::Event,
            partition: message.partition(),
            offset: message.offset(),
            timestamp: message.timestamp().to_millis(),
            key: message.key().map(<[u8]>::to_vec),
            payload: message.payload().unwrap_or_default().to_owned(),
            trace: TRACE.into_iter().filter_map(header).collect(),
        }
    }

    pub(super) fn source(&self) -> Source {
        match self.role {
            Role::Event => Source::Listings,
            Role::Retry(_) | Role::Unreadable => Source::Retries,
        }
    }

    /// Its place among the events of its partition. Brokers give no offset under zero.
    pub(super) fn place(&self) -> u64 {
        u64::try_from(self.offset).unwrap_or(0)
    }

    /// Bytes that it holds in memory.
    pub(super) fn bytes_held(&self) -> usize {
        self.payload.len() + self.key.as_ref().map_or(0, Vec::len) + self.trace.iter().map(|(_, value)| value.len()).sum::<usize>()
    }
}

impl Payload for Taken {
    fn bytes(&self) -> &[u8] {
        &self.payload[..self.payload.len().min(MAX_PAYLOAD)]
    }

    fn size(&self) -> u64 {
        self.payload.len() as u64
    }

    fn folder(&self) -> Option<&Path> {
        None
    }
}
