//! The suspects that were recorded of one listing event: in their topic, or in a file.

use std::path::Path;

use rdkafka::message::Message;
use touchstone_schemas::{Suspect, SuspectOp, decode};

use super::source::partitions;
use crate::config::Config;
use crate::failure::Failure;
use crate::input;
use crate::kafka::{self, Names};

/// The recorded suspects of an event, as they come.
struct Recorded<'a> {
    event_id: &'a str,
    /// How the id stands in a record.
    written: String,
    found: Vec<Suspect>,
}

impl<'a> Recorded<'a> {
    fn new(event_id: &'a str) -> Self {
        Self { event_id, written: serde_json::Value::from(event_id).to_string(), found: Vec::new() }
    }

    fn take(&mut self, payload: &[u8]) {
        // Hardly any record is of the event: most need not be decoded.
        if !std::str::from_utf8(payload).is_ok_and(|text| text.contains(&self.written)) {
            return;
        }
        let suspect = decode::<Suspect>(payload).map(|decoded| decoded.value);
        self.found.extend(suspect.ok().filter(|s| s.event_id.as_str() == self.event_id && s.op == SuspectOp::Upsert));
    }
}

/// The suspects of an event that stand in the topic.
///
/// # Errors
/// Brokers that cannot be reached.
pub(crate) fn in_topic(config: &Config, event_id: &str) -> Result<Vec<Suspect>, Failure> {
    let topic = Names::new(config).of("suspects");
    let cannot = |e| kafka::unreachable(config, &e);
    let partitions = partitions(config, &kafka::asking(&kafka::reader(config)).map_err(cannot)?, &topic)?;
    let mut recorded = Recorded::new(event_id);
    let each = |message: &rdkafka::message::BorrowedMessage<'_>| recorded.take(message.payload().unwrap_or_default());
    kafka::read(&kafka::reader(config), &topic, &partitions, |_, span| span.low, || true, each).map_err(cannot)?;
    Ok(recorded.found)
}

/// The suspects of an event that a file has, as `scan` writes it.
///
/// # Errors
/// A file that cannot be read.
pub(crate) fn in_file(file: &Path, event_id: &str) -> Result<Vec<Suspect>, Failure> {
    let mut recorded = Recorded::new(event_id);
    for batch in input::read(&[file.to_owned()])? {
        batch?.iter().for_each(|line| recorded.take(&line.payload));
    }
    Ok(recorded.found)
}
