//! Which records are taken and not settled yet: a partition is committed up to the first of these.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub(super) struct Pending(BTreeMap<i32, Partition>);

#[derive(Debug)]
struct Partition {
    /// The offset after the last record that was taken.
    next: i64,
    open: BTreeSet<i64>,
    /// What was committed last.
    committed: Option<i64>,
}

impl Pending {
    /// A record is taken; an open one is settled later.
    pub(super) fn take(&mut self, partition: i32, offset: i64, open: bool) {
        let of = self.0.entry(partition).or_insert(Partition { next: offset, open: BTreeSet::new(), committed: None });
        of.next = offset + 1;
        if open {
            of.open.insert(offset);
        }
    }

    /// Nothing is left to do for a record; one of a partition that was taken away is nobody's.
    pub(super) fn settle(&mut self, partition: i32, offset: i64) {
        if let Some(of) = self.0.get_mut(&partition) {
            of.open.remove(&offset);
        }
    }

    /// A partition was taken away.
    pub(super) fn forget(&mut self, partition: i32) {
        self.0.remove(&partition);
    }

    /// What is to be committed since the last call.
    pub(super) fn due(&mut self) -> Vec<(i32, i64)> {
        let mut due = Vec::new();
        for (partition, of) in &mut self.0 {
            let now = of.open.first().copied().unwrap_or(of.next);
            if of.committed != Some(now) {
                of.committed = Some(now);
                due.push((*partition, now));
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_committed_over_an_open_record() {
        let mut pending = Pending::default();
        assert_eq!(pending.due(), []);
        for (offset, open) in [(4, false), (5, true), (7, true), (9, false)] {
            pending.take(0, offset, open);
        }
        pending.take(1, 0, false);
        assert_eq!(pending.due(), [(0, 5), (1, 1)]);
        pending.settle(0, 7);
        assert_eq!(pending.due(), []);
        pending.settle(0, 5);
        assert_eq!(pending.due(), [(0, 10)]);
        pending.take(0, 12, true);
        pending.forget(0);
        pending.settle(0, 12);
        assert_eq!(pending.due(), []);
        pending.take(0, 4, true);
        assert_eq!(pending.due(), [(0, 4)]);
    }
}
