//! Whether the worker lives and is ready, and who tells it to stop.

#![allow(clippy::disallowed_types, reason = "liveness is about time")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A poll loop that has not moved for this long is dead.
const STILL: Duration = Duration::from_secs(30);

/// What the threads tell of themselves.
pub(crate) struct Health {
    started: Instant,
    /// When the poll loop moved last, in milliseconds since the start.
    moved: AtomicU64,
    loaded: AtomicBool,
    joined: AtomicBool,
    stopping: AtomicBool,
    hurried: AtomicBool,
}

impl Health {
    pub(crate) fn new() -> Self {
        let no = || AtomicBool::new(false);
        Self { started: Instant::now(), moved: AtomicU64::new(0), loaded: no(), joined: no(), stopping: no(), hurried: no() }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The poll loop moved.
    pub(crate) fn moved(&self) {
        self.moved.store(self.now().max(1), Ordering::Relaxed);
    }

    /// The catalog is loaded.
    pub(crate) fn loaded(&self) {
        self.loaded.store(true, Ordering::Relaxed);
    }

    /// The consumer is a member of its group, or no longer. An empty assignment counts.
    pub(crate) fn joined(&self, joined: bool) {
        self.joined.store(joined, Ordering::Relaxed);
    }

    /// Asks all threads to finish what they have begun, and to end.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Asks them to end without waiting for anything: what is on its way is taken again by the next worker.
    pub(crate) fn hurry(&self) {
        self.hurried.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_hurried(&self) -> bool {
        self.hurried.load(Ordering::Relaxed)
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub(crate) fn is_live(&self) -> bool {
        let moved = self.moved.load(Ordering::Relaxed);
        // Loading the catalog and finding the brokers come before the first poll, and the last commits after the last one.
        moved == 0 || self.is_stopping() || self.now().saturating_sub(moved) < STILL.as_millis() as u64
    }

    pub(crate) fn is_loaded(&self) -> bool {
        self.loaded.load(Ordering::Relaxed)
    }

    /// What is missing to be ready; nothing when it is.
    pub(crate) fn missing(&self) -> Option<&'static str> {
        match () {
            () if self.is_stopping() => Some("stopping"),
            () if !self.is_loaded() => Some("the catalog is not loaded"),
            () if !self.joined.load(Ordering::Relaxed) => Some("the group is not joined"),
            () => None,
        }
    }
}
