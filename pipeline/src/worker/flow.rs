//! The tenures of a worker, and what is on its way between its threads.
//!
//! ```text
//!  assigned ──▶ running ──▶ draining ──▶ committed ──▶ revoked: the next tenure begins, assigned
//!      │           │            │                         ▲
//!      └───────────┴────────────┴── aborted, or out of time ┘
//! ```
//!
//! A tenure ends with each rebalance that takes something away and with each transaction that is aborted. Batches carry the
//! tenure that they were taken in; what comes late from an old one is dropped and never published.

#![allow(clippy::disallowed_types, reason = "waits for a bounded time")]

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::{debug, error};

/// Where a tenure stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Phase {
    /// Nothing was taken in it yet.
    #[default]
    Assigned,
    /// Batches are taken, scanned and committed.
    Running,
    /// Nothing new sets out; what is on its way is finished.
    Draining,
    /// Everything taken is committed.
    Committed,
    /// Over: what still comes of it is dropped.
    Revoked,
}

impl Phase {
    fn may_become(self, next: Self) -> bool {
        match next {
            Self::Assigned => self == Self::Revoked,
            Self::Running => self == Self::Assigned,
            Self::Draining => matches!(self, Self::Assigned | Self::Running),
            Self::Committed => self == Self::Draining,
            Self::Revoked => self != Self::Revoked,
        }
    }
}

#[derive(Default)]
struct State {
    tenure: u64,
    phase: Phase,
    on_the_way: usize,
    wind_back: bool,
    failure: Option<String>,
    /// Since when a call lasts that may hang.
    calls_since: Option<Instant>,
}

impl State {
    fn advance(&mut self, next: Phase) {
        if !self.phase.may_become(next) {
            error!(tenure = self.tenure, from = ?self.phase, to = ?next, "a tenure takes a step that it has not");
            debug_assert!(false, "{:?} to {next:?}", self.phase);
        }
        debug!(tenure = self.tenure, phase = ?next, "tenure");
        self.phase = next;
    }

    /// What is on its way of this tenure will be dropped; the next one begins.
    fn end(&mut self) {
        self.advance(Phase::Revoked);
        self.tenure += 1;
        self.advance(Phase::Assigned);
    }
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
        let mut state = self.lock();
        state.on_the_way += 1;
        if state.phase == Phase::Assigned {
            state.advance(Phase::Running);
        }
    }

    /// Makes a call that may hang: how long it lasts can be told meanwhile.
    pub(super) fn watched<T>(&self, call: impl FnOnce() -> T) -> T {
        self.lock().calls_since = Some(Instant::now());
        let done = call();
        self.lock().calls_since = None;
        done
    }

    /// How long the present call has lasted.
    pub(super) fn calls_for(&self) -> Duration {
        self.lock().calls_since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// A batch is committed, or dropped.
    pub(super) fn leave(&self) {
        self.lock().on_the_way -= 1;
        self.changed.notify_all();
    }

    /// Lets what is on its way finish; false when it takes longer than that, or something failed.
    pub(super) fn drain(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let mut state = self.lock();
        if matches!(state.phase, Phase::Assigned | Phase::Running) {
            state.advance(Phase::Draining);
        }
        while state.on_the_way > 0 && state.failure.is_none() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        // An abort meanwhile has begun another tenure, in which nothing was taken yet.
        if state.on_the_way == 0 && state.phase == Phase::Draining {
            state.advance(Phase::Committed);
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

    /// Partitions were taken away after all was committed: a new tenure begins.
    pub(super) fn revoke(&self) {
        self.lock().end();
    }

    /// A transaction was aborted, or a drain took too long: a new tenure begins, and the poller must wind back.
    pub(super) fn ask_to_wind_back(&self) {
        let mut state = self.lock();
        state.end();
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

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(5);

    #[test]
    fn a_tenure_takes_no_step_twice_and_none_back() {
        use Phase::{Assigned, Committed, Draining, Revoked, Running};
        let all = [Assigned, Running, Draining, Committed, Revoked];
        let legal = [
            (Assigned, Running),
            (Assigned, Draining),
            (Running, Draining),
            (Draining, Committed),
            (Assigned, Revoked),
            (Running, Revoked),
            (Draining, Revoked),
            (Committed, Revoked),
            (Revoked, Assigned),
        ];
        for from in all {
            for to in all {
                assert_eq!(from.may_become(to), legal.contains(&(from, to)), "{from:?} to {to:?}");
            }
        }
    }

    #[test]
    fn a_drain_waits_for_what_is_on_its_way() {
        let flow = Flow::default();
        flow.enter();
        flow.enter();
        flow.leave();
        assert!(!flow.drain(SOON), "one is on its way");
        flow.leave();
        assert!(flow.drain(SOON));
        flow.revoke();
        assert_eq!(flow.settle(), (1, false));
    }

    #[test]
    fn an_abort_while_draining_ends_the_tenure_once() {
        let flow = Flow::default();
        flow.enter();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                flow.rest(SOON);
                flow.ask_to_wind_back();
                flow.leave();
            });
            assert!(flow.drain(100 * SOON));
        });
        flow.revoke();
        assert_eq!(flow.settle(), (2, true));
        assert_eq!(flow.settle(), (2, false), "asked for once");
    }

    #[test]
    fn the_first_failure_ends_all_waiting() {
        let flow = Flow::default();
        flow.enter();
        flow.fail("first".to_owned());
        flow.fail("second".to_owned());
        assert!(!flow.drain(10_000 * SOON));
        flow.rest(10_000 * SOON);
        assert_eq!(flow.failure().as_deref(), Some("first"));
    }
}
