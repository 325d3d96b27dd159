//! Which topics there are, by what brokers say: one that has just started may know none of them, and one that was just made is not
//! known to all.

use std::collections::{HashMap, HashSet};

/// Looks that must agree that a topic is gone: what is not written to it meanwhile is lost to its readers.
const AGREE: usize = 6;

/// Topics with the number of their partitions.
#[derive(Debug, Default)]
pub(super) struct There {
    topics: HashMap<String, usize>,
    /// Those that were wanted, and that all looks missed.
    gone: HashSet<String>,
}

impl There {
    /// How many partitions a topic has; nothing where there is no such topic.
    pub(super) fn partitions(&self, topic: &str) -> Option<usize> {
        self.topics.get(topic).copied()
    }

    pub(super) fn contains(&self, topic: &str) -> bool {
        self.topics.contains_key(topic)
    }

    /// Whether nobody has looked yet for a topic that is not known.
    pub(super) fn is_doubtful(&self, topic: &str) -> bool {
        !self.contains(topic) && !self.gone.contains(topic)
    }

    /// Learns from a look, and where it misses a topic that was there or is `wanted` from some more, each after a `rest`. A look without
    /// `anchor`, which must be there, tells nothing. Whether anything was learnt.
    ///
    /// # Errors
    /// Those of the looks: what was known stays.
    pub(super) fn learn<E>(
        &mut self,
        anchor: &str,
        wanted: &[String],
        mut look: impl FnMut() -> Result<Vec<(String, usize)>, E>,
        rest: impl Fn(),
    ) -> Result<bool, E> {
        let mut found = HashMap::new();
        for n in 0..AGREE {
            if n > 0 {
                rest();
            }
            let seen: HashMap<String, usize> = look()?.into_iter().collect();
            if self.contains(anchor) && !seen.contains_key(anchor) {
                return Ok(false);
            }
            found.extend(seen);
            if self.topics.keys().chain(wanted).all(|topic| found.contains_key(topic)) {
                break;
            }
        }
        self.topics = found;
        self.gone.extend(wanted.iter().cloned());
        self.gone.retain(|topic| !self.topics.contains_key(topic));
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is known after looks, one after the other, and how many were taken.
    fn after(known: &[&str], looks: &[&[&str]]) -> (Vec<String>, usize, Option<bool>) {
        let counted = |names: &[&str]| names.iter().map(|n| ((*n).to_owned(), 3)).collect::<Vec<_>>();
        let mut there = There { topics: counted(known).into_iter().collect(), gone: HashSet::new() };
        let mut taken = 0;
        let learnt = there.learn(
            "listings",
            &[],
            || {
                taken += 1;
                looks.get(taken - 1).map(|names| counted(names)).ok_or(())
            },
            || (),
        );
        let mut topics: Vec<String> = there.topics.into_keys().collect();
        topics.sort();
        (topics, taken, learnt.ok())
    }

    #[test]
    fn a_topic_is_gone_when_all_looks_agree_and_no_sooner() {
        const ALL: &[&str] = &["brand", "listings"];
        const LESS: &[&str] = &["listings"];
        let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        for (known, looks, topics, taken, learnt) in [
            (&[][..], &[LESS][..], LESS, 1, Some(true)),
            (LESS, &[ALL], ALL, 1, Some(true)),
            (ALL, &[LESS, LESS, ALL], ALL, 3, Some(true)),
            (ALL, &[LESS; AGREE], LESS, AGREE, Some(true)),
            (ALL, &[&[]], ALL, 1, Some(false)),
            (ALL, &[LESS, &[]], ALL, 2, Some(false)),
            (ALL, &[LESS, LESS], ALL, 3, None),
        ] {
            assert_eq!(after(known, looks), (names(topics), taken, learnt), "{known:?} {looks:?}");
        }
    }

    #[test]
    fn a_wanted_topic_that_was_just_made_is_waited_for() {
        let topic = |name: &str| (name.to_owned(), 3);
        let mut there = There::default();
        let wanted = ["brand".to_owned()];
        assert!(there.is_doubtful("brand"));
        let mut taken = 0;
        let late = || {
            taken += 1;
            let mut found = vec![topic("listings")];
            found.extend((taken == 3).then(|| topic("brand")));
            Ok::<_, ()>(found)
        };
        assert_eq!(there.learn("listings", &wanted, late, || ()), Ok(true));
        assert_eq!((taken, there.contains("brand"), there.is_doubtful("brand")), (3, true, false));
        assert_eq!(there.learn("listings", &wanted, || Ok::<_, ()>(vec![topic("listings")]), || ()), Ok(true));
        assert_eq!((there.contains("brand"), there.is_doubtful("brand")), (false, false), "it was looked for");
    }
}
