//! The flood guard: how many removals a day there may be of one brand, by one rule, by one reference picture, and how many listings an
//! order may name.
//!
//! A bad rule, or a picture that many honest sellers use, shows itself by many removals at once. What goes over a cap is not ordered.

use std::collections::BTreeMap;

use touchstone_schemas::CapCount;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cap {
    /// All removals of a brand.
    Brand,
    /// Those of a brand by one rule.
    Rule,
    /// Those by a reference picture.
    Reference,
    /// Listings of an order of notices.
    Order,
    /// Those by a finding that the brand denies too often: none.
    Quarantine,
}

impl Cap {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Brand, Self::Rule, Self::Reference, Self::Order, Self::Quarantine];

    /// Its name in metrics and in the state topic.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Brand => "brand",
            Self::Rule => "rule",
            Self::Reference => "reference",
            Self::Order => "order",
            Self::Quarantine => "quarantine",
        }
    }
}

/// The removals of one day in one partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Guard {
    /// Days since 1970.
    pub(crate) day: u64,
    counts: BTreeMap<(Cap, String), u64>,
}

impl Guard {
    pub(crate) fn restored(day: u64, counts: &[CapCount]) -> Self {
        let cap = |name: &str| Cap::ALL.into_iter().find(|cap| cap.as_str() == name);
        let counts = counts.iter().filter_map(|c| Some(((cap(&c.cap)?, c.key.clone()), c.count))).collect();
        Self { day, counts }
    }

    pub(crate) fn counts(&self) -> Vec<CapCount> {
        self.counts.iter().map(|((cap, key), count)| CapCount { cap: cap.as_str().to_owned(), key: key.clone(), count: *count }).collect()
    }

    /// A day begins, unless it has passed already.
    pub(crate) fn begin(&mut self, day: u64) {
        if day > self.day {
            *self = Self { day, counts: BTreeMap::new() };
        }
    }

    /// Counts one more towards caps, each with the most that there may be, unless it goes over one, which is told.
    pub(crate) fn admit(&mut self, keys: &[(Cap, String, u64)]) -> Result<(), Cap> {
        let full = |(cap, key, most): &&(Cap, String, u64)| self.counts.get(&(*cap, key.clone())).is_some_and(|count| count >= most);
        if let Some((cap, ..)) = keys.iter().find(|key| key.2 == 0 || full(key)) {
            return Err(*cap);
        }
        keys.iter().for_each(|(cap, key, _)| *self.counts.entry((*cap, key.clone())).or_default() += 1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cap_is_a_days() {
        let keys = |rule: &str| vec![(Cap::Brand, "acme".to_owned(), 5), (Cap::Rule, format!("acme {rule}"), 3)];
        let mut guard = Guard::default();
        for (day, rule, expected) in [
            (7, "a", Ok(())),
            (7, "a", Ok(())),
            (7, "a", Ok(())),
            (7, "a", Err(Cap::Rule)),
            (7, "b", Ok(())),
            (6, "b", Ok(())),
            (7, "b", Err(Cap::Brand)),
            (8, "a", Ok(())),
        ] {
            guard.begin(day);
            assert_eq!(guard.admit(&keys(rule)), expected, "{day} {rule}");
        }
        assert_eq!(Guard::restored(guard.day, &guard.counts()), guard);
        assert_eq!(guard.admit(&[(Cap::Order, "o".to_owned(), 0)]), Err(Cap::Order));
    }
}
