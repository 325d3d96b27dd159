//! What is on its way between the threads, and in which tenure.
//!
//! A tenure begins with each assignment that takes something away and with each winding back. Batches carry the tenure that
//! they were taken in; what comes late from an old one is dropped and never published.

#![allow(clippy::disallowed_types, reason = "waits for a bounded time")]

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[derive(Default)]
struct State {
    tenure: u64,
    on_the_way: usize,
    wind_back: bool,
    failure: Option<String>,
}

/// Shared by the threads of a worker.
#[derive(Default)]
pub(super) struct Flow {
    state: Mutex<State>,
    changed: Condvar,
}

impl Flow {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can panic halfway.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tenure(&self) -> u64 {
        self.lock().tenure
    }

    /// A batch goes on its way.
    pub(super) fn enter(&self) {
        self.lock().on_the_way += 1;
    }

    /// A batch is committed, or dropped.
    pub(super) fn leave(&self) {
        self.lock().on_the_way -= 1;
        self.changed.notify_all();
    }

    /// Waits until nothing is on its way, or something failed; false when it takes longer than that.
    pub(super) fn drain(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let mut state = self.lock();
        while state.on_the_way > 0 && state.failure.is_none() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.on_the_way == 0
    }

    /// Does nothing for a while, unless something fails meanwhile.
    pub(super) fn rest(&self, limit: Duration) {
        let deadline = Instant::now() + limit;
        let mut state = self.lock();
        while state.failure.is_none() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until a batch leaves, or for a while.
    pub(super) fn wait(&self, limit: Duration) {
        drop(self.changed.wait_timeout(self.lock(), limit).unwrap_or_else(PoisonError::into_inner));
    }

    /// Begins a new tenure: whatever is on its way will be dropped.
    pub(super) fn new_tenure(&self) {
        self.lock().tenure += 1;
    }

    /// A transaction was aborted: a new tenure begins, and the poller must wind back.
    pub(super) fn ask_to_wind_back(&self) {
        let mut state = self.lock();
        state.tenure += 1;
        state.wind_back = true;
    }

    /// The tenure, and whether the poller must wind back, told together: a batch gathered before an abort must never carry
    /// the tenure after it. Winding back is asked for once.
    pub(super) fn settle(&self) -> (u64, bool) {
        let mut state = self.lock();
        (state.tenure, std::mem::take(&mut state.wind_back))
    }

    /// The worker cannot go on. The first reason is kept.
    pub(super) fn fail(&self, reason: String) {
        self.lock().failure.get_or_insert(reason);
        self.changed.notify_all();
    }

    pub(super) fn failure(&self) -> Option<String> {
        self.lock().failure.clone()
    }
}
