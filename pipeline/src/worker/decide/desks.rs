//! The desks of the partitions that the worker has, each read back from the `state` topic before its first event is taken.

use std::collections::BTreeMap;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use touchstone_decisions::{Desk, FORMAT};
use touchstone_schemas::{DeskState, Docket, decode};
use tracing::{info, warn};

use crate::config::Config;
use crate::kafka::{self, Names, partition_of};

/// Before the key of a listing, where its docket is meant: the scanner keeps its own record under the key alone.
const DOCKET: &str = "docket|";
/// The key of what is kept of a partition as a whole.
const DESK: &str = "desk|";

/// Whether a record of the `state` topic is the deciding worker's.
pub(in crate::worker) fn is_deciders(key: &[u8]) -> bool {
    key.starts_with(DOCKET.as_bytes()) || key.starts_with(DESK.as_bytes())
}

/// The desks by partition.
pub(super) struct Desks {
    config: ClientConfig,
    topic: String,
    most_listings: usize,
    kept_days: u32,
    /// Partitions of the topics.
    partitions: i32,
    open: BTreeMap<i32, Desk>,
}

impl Desks {
    pub(super) fn new(config: &Config, partitions: i32) -> Self {
        Self {
            config: kafka::reader(config),
            topic: Names::new(config).of("state"),
            most_listings: usize::try_from(config.decisions.known_listings).unwrap_or(usize::MAX),
            kept_days: u32::try_from(config.decisions.kept_days).unwrap_or(u32::MAX),
            partitions,
            open: BTreeMap::new(),
        }
    }

    /// The scanner has kept a record under that key.
    pub(super) fn see(&mut self, partition: i32, key: &[u8]) {
        if let Some(desk) = self.open.get_mut(&partition) {
            see(desk, key, partition_of(key, self.partitions) == partition);
        }
    }

    /// What is known may be ahead of what is committed, or another's: it is read back when it is needed.
    pub(super) fn close_all(&mut self) {
        self.open.clear();
    }

    /// The desk of a partition.
    pub(super) fn get(&mut self, partition: i32) -> Option<&mut Desk> {
        self.open.get_mut(&partition)
    }

    /// Reads the desk of a partition back where it is not open; whether it is then. Begins again after whatever goes wrong.
    ///
    /// # Errors
    /// What goes wrong again and again.
    pub(super) fn open(&mut self, partition: i32, go_on: impl Fn() -> bool) -> Result<bool, KafkaError> {
        if self.open.contains_key(&partition) {
            return Ok(true);
        }
        let desk = kafka::insist(&self.topic, &go_on, || {
            let mut desk = Desk::new(self.most_listings, self.kept_days);
            let from = |_, span: kafka::Span| span.low;
            let read = kafka::read(&self.config, &self.topic, &[partition], from, &go_on, |message| {
                let key = message.key().unwrap_or_default();
                if is_deciders(key) {
                    restore(&mut desk, key, message.payload());
                } else {
                    see(&mut desk, key, partition_of(key, self.partitions) == partition);
                }
            })?;
            Ok(read.map(|_| desk))
        })?;
        let Some(desk) = desk else { return Ok(false) };
        info!(partition, dockets = desk.len(), "dockets are read back");
        self.open.insert(partition, desk);
        Ok(true)
    }

    /// The records, by key, of what changed at a desk since the last call; those without a payload delete.
    pub(super) fn take_changed(&mut self, partition: i32) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        let Some(desk) = self.open.get_mut(&partition) else { return Vec::new() };
        // Made of strings, numbers and lists: writing it cannot fail.
        let written = |docket: &Docket| serde_json::to_vec(docket).unwrap_or_default();
        let mut rows: Vec<(Vec<u8>, Option<Vec<u8>>)> =
            desk.take_changed().into_iter().map(|(key, docket)| (format!("{DOCKET}{key}").into_bytes(), docket.map(written))).collect();
        rows.push((DESK.as_bytes().to_vec(), serde_json::to_vec(&desk.state()).ok()));
        rows
    }
}

/// Takes over a record of the deciding worker's.
fn restore(desk: &mut Desk, key: &[u8], payload: Option<&[u8]>) {
    let Ok(key) = std::str::from_utf8(key) else { return };
    match (key.strip_prefix(DOCKET), payload) {
        (Some(listing), None) => desk.restore(listing, None),
        (Some(listing), Some(payload)) => match decode::<Docket>(payload) {
            Ok(docket) if docket.value.format <= FORMAT => desk.restore(listing, Some(docket.value)),
            Ok(docket) => warn!(format = docket.value.format, "a docket of a newer version is passed over"),
            Err(e) => warn!("a docket is passed over: {e}"),
        },
        (None, Some(payload)) if key == DESK => match decode::<DeskState>(payload) {
            Ok(state) => desk.restore_state(&state.value),
            Err(e) => warn!("what was kept of a partition is passed over: {e}"),
        },
        (None, _) => {}
    }
}

/// Takes note of a listing that the scanner has seen. Where listings are spread in another way than records about them, those of this
/// partition are not all known, and that there is none is never told.
fn see(desk: &mut Desk, key: &[u8], is_here: bool) {
    match std::str::from_utf8(key) {
        Ok(listing) if is_here => desk.see(listing),
        Ok(_) => desk.see_no_more(),
        Err(_) => {}
    }
}
