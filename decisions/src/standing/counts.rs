//! What is counted of a brand: filings by how they ended, answers by whether they came in time; by day, reporter and reason code.

use std::collections::BTreeMap;

use touchstone_schemas::{Score, Shares};

/// What one filing, or one answer, counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// A filing whose end is not known yet.
    Open,
    /// A filing that ended in a removal.
    Upheld,
    /// A filing that a seller countered with success.
    Countered,
    /// A filing that was refused.
    Rejected,
    /// An answer that came in time.
    InTime,
    /// An answer that did not.
    Late,
}

/// How many there are of each part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts([u64; 6]);

/// By reporter and reason code.
pub(super) type Day = BTreeMap<(u32, u32), Counts>;
/// By days since 1970-01-01.
pub(super) type Days = BTreeMap<i64, Day>;

impl Counts {
    pub(super) fn of(&self, part: Part) -> u64 {
        self.0[part as usize]
    }

    pub(super) fn put(&mut self, part: Part) {
        self.0[part as usize] += 1;
    }

    pub(super) fn take(&mut self, part: Part) {
        let count = &mut self.0[part as usize];
        *count = count.saturating_sub(1);
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(own, other)| *own += other);
    }

    pub(super) fn subtract(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(own, other)| *own = own.saturating_sub(other));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0 == [0; 6]
    }

    /// Filings of which it is known how they end.
    pub(super) fn decided(&self) -> u64 {
        self.of(Part::Upheld) + self.failed()
    }

    /// Filings that were countered or rejected.
    pub(super) fn failed(&self) -> u64 {
        self.of(Part::Countered) + self.of(Part::Rejected)
    }

    /// All filings.
    pub(super) fn volume(&self) -> u64 {
        self.decided() + self.of(Part::Open)
    }

    /// Answers to questions.
    pub(super) fn answers(&self) -> u64 {
        self.of(Part::InTime) + self.of(Part::Late)
    }

    /// As they are written.
    pub(super) fn shares(&self) -> Shares {
        let share = |part, of| share(self.of(part), of).map(Score::from_f64);
        Shares {
            volume: self.volume(),
            open: Some(self.of(Part::Open)),
            upheld: share(Part::Upheld, self.decided()),
            countered: share(Part::Countered, self.decided()),
            rejected: share(Part::Rejected, self.decided()),
            in_time: share(Part::InTime, self.answers()),
        }
    }
}

/// The share of a count; nothing where there is nothing to have a share of.
pub(super) fn share(count: u64, of: u64) -> Option<f64> {
    // Counts of records are far under 2^52.
    #[allow(clippy::cast_precision_loss)]
    let share = count as f64 / of as f64;
    (of > 0).then_some(share)
}

/// Adds to, or takes from, a day's count; what is empty is left out, so that it is as if it had never been.
pub(super) fn book(days: &mut Days, day: i64, by: (u32, u32), change: impl FnOnce(&mut Counts)) {
    let of_day = days.entry(day).or_default();
    let counts = of_day.entry(by).or_default();
    change(counts);
    if counts.is_empty() {
        of_day.remove(&by);
    }
    if of_day.is_empty() {
        days.remove(&day);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_filings_that_are_not_open() {
        let mut days = Days::new();
        let parts = [(Part::Upheld, 6), (Part::Countered, 1), (Part::Rejected, 1), (Part::Open, 4), (Part::InTime, 1), (Part::Late, 3)];
        for (part, n) in parts {
            (0..n).for_each(|_| book(&mut days, 7, (1, 2), |c| c.put(part)));
        }
        let shares = days[&7][&(1, 2)].shares();
        let value = |score: Option<Score>| score.map(Score::to_f64);
        assert_eq!((shares.volume, shares.open), (12, Some(4)));
        assert_eq!([shares.upheld, shares.countered, shares.rejected, shares.in_time].map(value), [0.75, 0.125, 0.125, 0.25].map(Some));
        for (part, n) in parts {
            (0..n).for_each(|_| book(&mut days, 7, (1, 2), |c| c.take(part)));
        }
        assert_eq!(days, Days::new());
        assert_eq!(Counts::default().shares().upheld, None);
    }
}
