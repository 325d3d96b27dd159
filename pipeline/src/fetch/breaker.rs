//! A host that fails again and again is left alone for a while, so that its pictures hold up no others.

use std::time::Duration;

use tokio::time::Instant;

use super::FetchFault;
use super::generations::Generations;

/// Failures in a row that open the circuit.
const FAILURES: u32 = 5;
/// How long it is open at first; twice as long after each trial that failed.
const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(300);
/// How long a trial may take before there is another one.
const TRIAL: Duration = Duration::from_secs(10);
/// Those remembered in each of two generations.
const REMEMBERED: usize = 5_000;

#[derive(Clone, Copy)]
enum State {
    /// Failures in a row.
    Failing(u32),
    /// Failed trials so far, and whether one is under way.
    Open { until: Instant, trials: u32, on_trial: bool },
}

/// By origin, not by host: a link to a closed port must not close the others.
pub(super) struct Breakers(Generations<String, State>);

impl Breakers {
    pub(super) fn new() -> Self {
        Self(Generations::new(REMEMBERED))
    }

    /// The origin may be asked. What comes of it must be noted.
    pub(super) fn admits(&mut self, origin: &str, now: Instant) -> bool {
        match self.0.get(origin).copied() {
            None | Some(State::Failing(_)) => true,
            Some(State::Open { until, .. }) if now < until => false,
            Some(State::Open { trials, .. }) => {
                self.0.put(origin.to_owned(), State::Open { until: now + TRIAL, trials, on_trial: true }, 1);
                true
            }
        }
    }

    /// What came of asking.
    pub(super) fn note(&mut self, origin: &str, fault: Option<FetchFault>, now: Instant) {
        match fault {
            Some(FetchFault::Unreachable | FetchFault::TimedOut | FetchFault::Status(500..)) => self.failed(origin, now),
            // These say nothing about the host.
            Some(FetchFault::CutOff | FetchFault::ForbiddenAddress | FetchFault::Busy | FetchFault::CircuitOpen) => {}
            None
            | Some(
                FetchFault::Status(_)
                | FetchFault::NotALink
                | FetchFault::NotPermitted
                | FetchFault::TooManyBytes
                | FetchFault::TooManyRedirects,
            ) => self.0.remove(origin),
        }
    }

    fn failed(&mut self, origin: &str, now: Instant) {
        let open = |trials: u32| {
            let length = FIRST.saturating_mul(2u32.saturating_pow(trials)).min(LONGEST);
            State::Open { until: now + length, trials, on_trial: false }
        };
        let state = match self.0.get(origin).copied() {
            None => State::Failing(1),
            Some(State::Failing(failures)) if failures + 1 < FAILURES => State::Failing(failures + 1),
            Some(State::Failing(_)) => open(0),
            Some(State::Open { trials, on_trial: true, .. }) => open(trials.saturating_add(1)),
            // It was asked before the circuit opened.
            Some(State::Open { on_trial: false, .. }) => return,
        };
        self.0.put(origin.to_owned(), state, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEAD: Option<FetchFault> = Some(FetchFault::Unreachable);

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn failures_in_a_row_open_it_and_a_trial_closes_it() {
        let (mut breakers, start) = (Breakers::new(), Instant::now());
        for _ in 0..5 {
            assert!(breakers.admits("a", start));
            breakers.note("a", DEAD, start);
        }
        assert!(!breakers.admits("a", after(start, 9)) && breakers.admits("b", start));
        assert!(breakers.admits("a", after(start, 10)), "one trial");
        assert!(!breakers.admits("a", after(start, 11)), "and no second");
        breakers.note("a", None, after(start, 12));
        assert!(breakers.admits("a", after(start, 12)) && breakers.admits("a", after(start, 12)));
    }

    #[test]
    fn it_stays_open_twice_as_long_after_each_failed_trial() {
        let (mut breakers, mut now) = (Breakers::new(), Instant::now());
        (0..8).for_each(|_| breakers.note("a", DEAD, now));
        for seconds in [10, 20, 40, 80, 160, 300, 300] {
            assert!(!breakers.admits("a", after(now, seconds - 1)), "{seconds}");
            now = after(now, seconds);
            assert!(breakers.admits("a", now), "{seconds}");
            breakers.note("a", DEAD, now);
        }
    }

    #[test]
    fn a_trial_that_says_nothing_is_followed_by_another() {
        let (mut breakers, start) = (Breakers::new(), Instant::now());
        (0..5).for_each(|_| breakers.note("a", DEAD, start));
        assert!(breakers.admits("a", after(start, 10)));
        breakers.note("a", Some(FetchFault::CutOff), after(start, 10));
        assert!(!breakers.admits("a", after(start, 19)) && breakers.admits("a", after(start, 20)));
    }

    #[test]
    fn which_faults_count() {
        let table = [
            (FetchFault::Unreachable, false),
            (FetchFault::TimedOut, false),
            (FetchFault::Status(500), false),
            (FetchFault::Status(503), false),
            (FetchFault::Status(404), true),
            (FetchFault::Status(429), true),
            (FetchFault::TooManyBytes, true),
            (FetchFault::NotPermitted, true),
            (FetchFault::CutOff, true),
            (FetchFault::ForbiddenAddress, true),
            (FetchFault::Busy, true),
        ];
        for (fault, admitted) in table {
            let (mut breakers, now) = (Breakers::new(), Instant::now());
            (0..5).for_each(|_| breakers.note("a", Some(fault), now));
            assert_eq!(breakers.admits("a", now), admitted, "{fault:?}");
        }
        let (mut breakers, now) = (Breakers::new(), Instant::now());
        for _ in 0..9 {
            (0..4).for_each(|_| breakers.note("a", DEAD, now));
            breakers.note("a", Some(FetchFault::Status(404)), now);
        }
        assert!(breakers.admits("a", now), "an answer between them starts the count anew");
    }

    #[test]
    fn the_oldest_hosts_are_forgotten() {
        let (mut breakers, now) = (Breakers::new(), Instant::now());
        (0..5).for_each(|_| breakers.note("first", DEAD, now));
        (0..2 * REMEMBERED).for_each(|i| breakers.note(&i.to_string(), DEAD, now));
        assert!(breakers.admits("first", now));
    }
}
