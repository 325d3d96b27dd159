//! Suspects as they come back.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::message::Message;
use serde::Deserialize;

use super::clock::Clock;
use super::events::Stamp;
use super::histogram::Histogram;
use super::kafka::Reader;

/// Longest wait for a suspect before it is looked whether the run is over.
const WAIT: Duration = Duration::from_millis(100);

/// What came back. A listing that is suspect to several brands counts for each.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    /// From when listings were due until their suspects were read.
    pub(super) latency: Histogram,
    /// Suspects of second looks, which wait for pictures on purpose: they are not timed.
    pub(super) later: u64,
    /// Listings up to the latest that came back.
    pub(super) through: u64,
    /// When the last one came, in microseconds since the run began.
    pub(super) last: u64,
    /// Why suspects could not be read, last.
    pub(super) failure: Option<String>,
}

impl Arrivals {
    fn take(&mut self, stamp: Stamp, pass: u64, now: u64) {
        if pass > 0 {
            self.later += 1;
            return;
        }
        self.latency.record(now.saturating_sub(stamp.due));
        self.through = self.through.max(stamp.number + 1);
        self.last = now;
    }
}

/// What of a suspect is looked at.
#[derive(Deserialize)]
struct Seen<'a> {
    #[serde(borrow)]
    event_id: Cow<'a, str>,
    #[serde(default)]
    pass: u64,
}

/// A lock that outlives panics of other threads.
pub(super) fn lock(arrivals: &Mutex<Arrivals>) -> MutexGuard<'_, Arrivals> {
    arrivals.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads suspects of that run until it is over.
pub(super) fn read(reader: &Reader, run: &str, clock: Clock, arrivals: &Mutex<Arrivals>, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        match reader.poll(WAIT) {
            Some(Ok(message)) => {
                let now = clock.now();
                // Others may write there, too.
                let Ok(seen) = serde_json::from_slice::<Seen<'_>>(message.payload().unwrap_or_default()) else { continue };
                if let Some(stamp) = Stamp::of(&seen.event_id, run) {
                    lock(arrivals).take(stamp, seen.pass, now);
                }
            }
            // The client goes on by itself, if it can.
            Some(Err(e)) => lock(arrivals).failure = Some(e.to_string()),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_counts_from_when_a_listing_was_due() {
        let mut arrivals = Arrivals::default();
        arrivals.take(Stamp { number: 9, due: 1_000 }, 0, 1_100);
        arrivals.take(Stamp { number: 4, due: 500 }, 0, 1_200);
        arrivals.take(Stamp { number: 2, due: 200 }, 1, 9_000);
        assert_eq!((arrivals.latency.per_mille(500), arrivals.latency.max()), (Some(100), 700));
        assert_eq!((arrivals.through, arrivals.last, arrivals.later), (10, 1_200, 1));
    }

    #[test]
    fn a_suspect_is_read_with_and_without_escapes() {
        for (text, id) in [(r#"{"pass":0,"x":{"event_id":"y"},"event_id":"a~b"}"#, "a~b"), (r#"{"event_id":"\"~b","pass":1}"#, "\"~b")] {
            assert_eq!(serde_json::from_slice::<Seen<'_>>(text.as_bytes()).expect("a suspect").event_id, id);
        }
    }
}
