//! Writes listings as they are due.

use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, Producer};

use super::clock::Clock;
use super::events::Events;
use super::kafka::Writer;
use super::pace::Pace;

/// How long the brokers may take nothing, or the last listings; the latter longer than the client tries.
const STUCK: u64 = 60_000_000;
const LAST: Duration = Duration::from_secs(70);
/// The rest before a full queue is looked at again, in microseconds.
const FULL: u64 = 1_000;

/// What is written, where to and when.
pub(super) struct Load<'a> {
    pub(super) events: &'a Events,
    pub(super) writer: &'a Writer,
    pub(super) topic: &'a str,
    /// What tells listings of this run from those of others.
    pub(super) run: &'a str,
    pub(super) clock: Clock,
    pub(super) pace: Pace,
    /// Listings at most.
    pub(super) count: u64,
    /// When to end, in microseconds since the run began.
    pub(super) until: u64,
}

/// What was written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Written {
    pub(super) listings: u64,
    /// How long it took, in microseconds.
    pub(super) micros: u64,
}

impl Load<'_> {
    /// Writes until the count or the time is reached; what is overdue then is left out.
    ///
    /// # Errors
    /// A sentence, where the brokers take nothing any more.
    pub(super) fn write(&self, mut progress: impl FnMut(u64)) -> Result<Written, String> {
        let mut events = self.events.iter().cycle();
        let (mut key, mut payload) = (String::new(), String::new());
        let mut written = 0;
        loop {
            let now = self.clock.now().min(self.until);
            let step = self.pace.step(now, written);
            for _ in 0..step.write.min(self.count - written) {
                let Some(event) = events.next() else { break };
                let due = self.pace.due(written).unwrap_or_else(|| self.clock.now());
                event.write(self.run, written, due, &mut key, &mut payload);
                self.send(&key, &payload)?;
                written += 1;
            }
            progress(written);
            if now >= self.until || written >= self.count {
                break;
            }
            self.clock.rest_until(now.saturating_add(step.rest).min(self.until));
        }
        let sent = self.clock.now();
        self.writer.flush(LAST).map_err(|e| format!("the last listings were not written: {e}"))?;
        // At a rate, a listing takes its time also when it was the last; flat out, all must have been taken.
        let micros = self.pace.due(written).map_or_else(|| self.clock.now(), |due| due.max(sent));
        Ok(Written { listings: written, micros })
    }

    fn send(&self, key: &str, payload: &str) -> Result<(), String> {
        let mut record = BaseRecord::to(self.topic).key(key).payload(payload);
        let mut deadline = None;
        loop {
            match self.writer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    let now = self.clock.now();
                    if now > *deadline.get_or_insert(now + STUCK) {
                        return Err("the brokers have taken nothing for a minute".to_owned());
                    }
                    record = back;
                    self.clock.rest_until(now + FULL);
                }
                Err((e, _)) => return Err(format!("a listing cannot be written: {e}")),
            }
        }
    }
}
