//! When listings are due, and how many may be written now. Times are microseconds since the run began.

/// Microseconds of a second.
const SECOND: u64 = 1_000_000;
/// The shortest rest between two writes: what is due meanwhile is written together.
const SLICE: u64 = 1_000;
/// The share of a second's listings that is written at once at most, when behind, and the rest after that: ten times the rate.
const BURST: u64 = 10;
const BREATH: u64 = 10_000;
/// Listings that are written flat out before the time is looked at.
const FLAT_OUT: u64 = 100;

/// A steady rate, or flat out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    rate: Option<u64>,
}

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// Listings to write.
    pub(super) write: u64,
    /// How long after now to look again.
    pub(super) rest: u64,
}

impl Pace {
    /// So many listings a second, or flat out.
    pub(super) fn new(rate: Option<u64>) -> Self {
        Self { rate: rate.map(|rate| rate.max(1)) }
    }

    /// When the listing of that number, counted from 0, is due; flat out none ever is.
    pub(super) fn due(self, number: u64) -> Option<u64> {
        self.rate.map(|rate| number / rate * SECOND + number % rate * SECOND / rate)
    }

    /// How many are due by then.
    fn due_by(rate: u64, now: u64) -> u64 {
        now.saturating_add(1).saturating_mul(rate).div_ceil(SECOND)
    }

    /// What is to be done now, when so many are written.
    pub(super) fn step(self, now: u64, written: u64) -> Step {
        let Some(rate) = self.rate else { return Step { write: FLAT_OUT, rest: 0 } };
        let behind = Self::due_by(rate, now).saturating_sub(written);
        let burst = (rate / BURST).max(1);
        if behind > burst {
            return Step { write: burst, rest: BREATH };
        }
        let next = self.due(written + behind).unwrap_or(now);
        Step { write: behind, rest: next.saturating_sub(now).max(SLICE) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_as_due_is_due_and_the_next_is_not() {
        for rate in [1, 3, 7, 999, 1_000, 30_000, 10_000_000] {
            let pace = Pace::new(Some(rate));
            for now in [0, 1, 999_999, 1_000_000, 12_345_678, 86_400 * SECOND] {
                let count = Pace::due_by(rate, now);
                assert!(pace.due(count - 1).is_some_and(|due| due <= now), "{rate} a second at {now}");
                assert!(pace.due(count).is_some_and(|due| due > now), "{rate} a second at {now}");
            }
        }
    }

    #[test]
    fn a_rate_is_held_in_small_slices() {
        for rate in [1, 100, 1_000, 50_000] {
            let pace = Pace::new(Some(rate));
            let (mut now, mut written) = (0, 0);
            while now < 10 * SECOND {
                let step = pace.step(now, written);
                assert!(step.write <= rate / 1_000 + 1, "{rate} a second: {} at once", step.write);
                written += step.write;
                now += step.rest;
            }
            let least = rate * 10 - rate / 1_000 - 1;
            assert!((least..=rate * 10).contains(&written), "{rate} a second: {written} in ten seconds");
        }
    }

    #[test]
    fn after_a_stall_it_catches_up_without_a_flood() {
        let pace = Pace::new(Some(1_000));
        let (mut now, mut written, mut steps) = (2 * SECOND, 0, 0);
        loop {
            let step = pace.step(now, written);
            assert!(step.write <= 100, "{} at once", step.write);
            written += step.write;
            now += step.rest;
            steps += 1;
            if step.rest < BREATH {
                break;
            }
        }
        assert_eq!(written, Pace::due_by(1_000, now - SLICE));
        assert!((20..=25).contains(&steps), "{steps} steps");
    }

    #[test]
    fn flat_out_nothing_is_due_and_nothing_rests() {
        assert_eq!(Pace::new(None).due(7), None);
        assert_eq!(Pace::new(None).step(5 * SECOND, 1), Step { write: FLAT_OUT, rest: 0 });
    }
}
