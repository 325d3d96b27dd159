//! Reads back what the `state` topic holds of partitions that were just given, before the first listing of them is scanned.

use std::collections::HashMap;

use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use touchstone_schemas::{ListingState, OpenSuspect, decode};
use tracing::{info, warn};

use super::decide::is_deciders;
use crate::config::Config;
use crate::kafka;
use crate::revisions::{Key, Seen, key};

/// The format that is written, and the newest that is read.
pub(super) const FORMAT: u64 = 1;

/// What was read back of a listing.
pub(super) type Row = (Key, Seen, Vec<OpenSuspect>);

/// What was read back, by partition, the oldest first.
pub(super) type Rows = HashMap<i32, Vec<Row>>;

/// Where the `state` topic is, and how much of it is read.
pub(super) struct Restorer {
    config: rdkafka::ClientConfig,
    topic: String,
    /// Records of a partition that are read, the last ones.
    most: i64,
}

impl Restorer {
    /// `window` listings of each partition are remembered at least.
    pub(super) fn new(config: &Config, topic: String, window: u64) -> Self {
        Self { config: kafka::reader(config), topic, most: i64::try_from(window.saturating_mul(2)).unwrap_or(i64::MAX) }
    }

    /// Reads partitions to their ends. Begins again after whatever goes wrong, as long as `go_on`; nothing once that is false.
    ///
    /// # Errors
    /// What goes wrong again and again.
    pub(super) fn read(&self, partitions: &[i32], go_on: impl Fn() -> bool) -> Result<Option<Rows>, KafkaError> {
        let rows = kafka::insist(&self.topic, &go_on, || {
            let mut rows: Rows = partitions.iter().map(|p| (*p, Vec::new())).collect();
            let from = |_, span: kafka::Span| span.high.saturating_sub(self.most);
            let read = kafka::read(&self.config, &self.topic, partitions, from, &go_on, |message| {
                if let Some(row) = self.row(message) {
                    rows.entry(message.partition()).or_default().push(row);
                }
            })?;
            Ok(read.map(|_| rows))
        })?;
        if let Some(rows) = &rows {
            let listings: usize = rows.values().map(Vec::len).sum();
            info!(?partitions, listings, "state is read back");
        }
        Ok(rows)
    }

    fn row(&self, message: &impl Message) -> Option<Row> {
        let listing = std::str::from_utf8(message.key().filter(|key| !is_deciders(key))?).ok()?;
        match decode::<ListingState>(message.payload()?) {
            Ok(state) if state.value.format <= FORMAT => {
                let ListingState { revision, offset, open, .. } = state.value;
                Some((key(listing), Seen { revision, place: offset.unwrap_or(0) }, open))
            }
            Ok(state) => {
                warn!(format = state.value.format, "{}: a record of a newer version is passed over", self.topic);
                None
            }
            Err(e) => {
                warn!(partition = message.partition(), offset = message.offset(), "{}: a record is passed over: {e}", self.topic);
                None
            }
        }
    }
}
