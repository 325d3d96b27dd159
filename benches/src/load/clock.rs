//! Time since the run began.

#![allow(clippy::disallowed_types, reason = "a load generator measures time")]

use std::time::{Duration, Instant};

/// Tells the microseconds since it was started.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock(Instant);

impl Clock {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    /// Microseconds since the start.
    pub(super) fn now(self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Rests until that many microseconds after the start.
    pub(super) fn rest_until(self, micros: u64) {
        loop {
            let left = micros.saturating_sub(self.now());
            if left == 0 {
                return;
            }
            std::thread::park_timeout(Duration::from_micros(left));
        }
    }
}
