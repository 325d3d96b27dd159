//! What is known of one matter, and what its filings and answers count as.

use std::cmp::Ordering;

use touchstone_schemas::VerdictKind;

use super::counts::Part;
use super::key::{Key, Names};
use super::lists::{EMPTY, Head, Lists};

/// Most verdicts and notices that are kept of a matter, and most questions: nobody honest needs more of them.
const MOST: usize = 64;

/// What was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Said {
    /// By a verdict.
    Verdict(VerdictKind),
    /// By a notice: that it is counterfeit.
    Notice,
}

/// A verdict or a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) id: Key,
    /// Milliseconds since 1970.
    pub(super) at: i64,
    pub(super) reporter: u32,
    pub(super) code: u32,
    pub(super) said: Said,
    /// Said by a moderator.
    pub(super) moderator: bool,
    pub(super) stands: Stands,
}

/// Whether it was taken, the worse the later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stands {
    /// It was, as far as is known.
    Taken,
    /// It went to the dead letters.
    Refused,
    /// It did, since its giver does not speak for the brand: it is nothing of the brand's.
    Foreign,
}

/// A question to the brand, or a suspect about which there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ask {
    /// Milliseconds since 1970.
    pub(super) at: i64,
    /// The same; nothing where the brand is not asked.
    pub(super) due_at: Option<i64>,
}

/// What one filing or answer counts as, on which day, for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) day: i64,
    pub(super) by: (u32, u32),
    pub(super) part: Part,
}

/// What is known of a matter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matter {
    pub(super) brand: u32,
    asks: Head,
    entries: Head,
    /// Removals that were ordered.
    pub(super) removals: u32,
    /// Those of them against which an appeal was won.
    pub(super) won: u32,
}

/// What all matters keep.
#[derive(Default)]
pub(super) struct Kept {
    entries: Lists<Entry>,
    asks: Lists<Ask>,
}

impl Entry {
    fn is_filing(&self) -> bool {
        !self.moderator && matches!(self.said, Said::Notice | Said::Verdict(VerdictKind::Counterfeit))
    }

    fn is_answer(&self) -> bool {
        !self.moderator && matches!(self.said, Said::Verdict(said) if said != VerdictKind::Unsure)
    }

    fn has_id_of(&self, other: &Self) -> bool {
        self.id == other.id && (self.said == Said::Notice) == (other.said == Said::Notice)
    }

    /// The same giver said the same.
    fn repeats(&self, other: &Self) -> bool {
        let what = |entry: &Self| (entry.moderator, entry.reporter, entry.said);
        other.stands == Stands::Taken && what(self) == what(other)
    }

    /// By time, then by what does not depend on the order in which records came.
    fn order(&self, other: &Self, names: &Names) -> Ordering {
        let text = |entry: &Self| (entry.moderator, names.text(entry.reporter), names.text(entry.code));
        let own = (self.at, self.id, self.said).cmp(&(other.at, other.id, other.said));
        own.then_with(|| text(self).cmp(&text(other)))
    }
}

impl Matter {
    pub(super) fn of(brand: u32) -> Self {
        Self { brand, asks: EMPTY, entries: EMPTY, removals: 0, won: 0 }
    }

    /// Takes a verdict or a notice. Of more than are kept the earliest stay, and of a moderator's the latest.
    pub(super) fn say(&mut self, entry: Entry, kept: &mut Kept, names: &Names) {
        let same = |other: &Entry| Entry { stands: entry.stands, ..*other } == entry;
        if let Some(own) = kept.entries.find(self.entries, same) {
            own.stands = own.stands.max(entry.stands);
            return;
        }
        let alike = || kept.entries.iter(self.entries).filter(|other| other.moderator == entry.moderator);
        if alike().count() < MOST {
            return kept.entries.push(&mut self.entries, entry);
        }
        let last = if entry.moderator { Ordering::Less } else { Ordering::Greater };
        let weakest = alike().copied().reduce(|weakest, other| if other.order(&weakest, names) == last { other } else { weakest });
        if let Some(weakest) = weakest.filter(|weakest| weakest.order(&entry, names) == last) {
            kept.entries.find(self.entries, |other| *other == weakest).into_iter().for_each(|place| *place = entry);
        }
    }

    /// Takes a question. Of more than are kept the latest stay.
    pub(super) fn ask(&mut self, ask: Ask, kept: &mut Kept) {
        let asks = || kept.asks.iter(self.asks);
        if asks().any(|other| *other == ask) {
            return;
        }
        if asks().count() < MOST {
            return kept.asks.push(&mut self.asks, ask);
        }
        if let Some(first) = asks().min().copied().filter(|first| *first < ask) {
            kept.asks.find(self.asks, |other| *other == first).into_iter().for_each(|place| *place = ask);
        }
    }

    /// What its filings and answers count as.
    pub(super) fn count(&self, kept: &Kept, names: &Names, counts: &mut Vec<Count>) {
        let mut entries: Vec<&Entry> = kept.entries.iter(self.entries).filter(|entry| entry.stands != Stands::Foreign).collect();
        entries.sort_by(|a, b| a.order(b, names));
        let judged =
            entries.iter().rev().find(|e| e.moderator && e.stands == Stands::Taken && e.said != Said::Verdict(VerdictKind::Unsure));
        let otherwise =
            |filing: &Entry| judged.is_some_and(|judged| judged.said != Said::Verdict(VerdictKind::Counterfeit) && judged.at >= filing.at);
        for (i, entry) in entries.iter().enumerate() {
            let before = &entries[..i];
            if before.iter().any(|other| entry.has_id_of(other))
                || entry.stands == Stands::Taken && before.iter().any(|other| entry.repeats(other))
            {
                continue;
            }
            let mut count = |part| counts.push(Count { day: entry.at.div_euclid(86_400_000), by: (entry.reporter, entry.code), part });
            if entry.is_filing() {
                count(match (entry.stands != Stands::Taken, self.won, self.removals - self.won) {
                    (true, ..) => Part::Rejected,
                    (false, 1.., 0) => Part::Countered,
                    _ if otherwise(entry) => Part::Rejected,
                    (false, _, 1..) => Part::Upheld,
                    (false, 0, 0) => Part::Open,
                });
            }
            if entry.is_answer() && entry.stands == Stands::Taken {
                let ask = kept.asks.iter(self.asks).filter(|ask| ask.at <= entry.at).max();
                if let Some(due_at) = ask.and_then(|ask| ask.due_at) {
                    count(if entry.at <= due_at { Part::InTime } else { Part::Late });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, at: i64, said: Said) -> Entry {
        Entry { id: Key::of(id), at, reporter: 0, code: 1, said, moderator: false, stands: Stands::Taken }
    }

    fn parts(matter: &Matter, kept: &Kept) -> Vec<Part> {
        let mut counts = Vec::new();
        matter.count(kept, &Names::default(), &mut counts);
        counts.into_iter().map(|count| count.part).collect()
    }

    #[test]
    fn a_filing_counts_as_what_became_of_it() {
        use VerdictKind::{Counterfeit, Genuine, Unsure};
        let says = |at, said| Entry { moderator: true, ..entry("m", at, Said::Verdict(said)) };
        let filing = entry("v", 10, Said::Verdict(Counterfeit));
        let refused = Entry { stands: Stands::Refused, ..filing };
        let foreign = Entry { stands: Stands::Foreign, ..filing };
        for (what, removals, won, entries, parts_wanted) in [
            ("nothing happened", 0, 0, vec![filing], vec![Part::Open]),
            ("removed", 1, 0, vec![filing], vec![Part::Upheld]),
            ("the same again", 1, 0, vec![filing, filing], vec![Part::Upheld]),
            ("the same said again", 1, 0, vec![filing, entry("w", 11, filing.said)], vec![Part::Upheld]),
            ("a notice beside it", 1, 0, vec![filing, entry("v", 11, Said::Notice)], vec![Part::Upheld; 2]),
            ("an appeal was won", 1, 1, vec![filing], vec![Part::Countered]),
            ("won, but removed again", 2, 1, vec![filing], vec![Part::Upheld]),
            ("a moderator says otherwise", 1, 0, vec![filing, says(10, Genuine)], vec![Part::Rejected]),
            ("a moderator said otherwise before", 1, 0, vec![filing, says(9, Genuine)], vec![Part::Upheld]),
            ("a moderator is not sure", 1, 0, vec![filing, says(12, Unsure)], vec![Part::Upheld]),
            ("a moderator thought better", 0, 0, vec![filing, says(12, Genuine), says(13, Counterfeit)], vec![Part::Open]),
            ("refused", 1, 0, vec![filing, refused], vec![Part::Rejected]),
            ("the same notice by another id", 1, 0, vec![entry("n", 10, Said::Notice), entry("o", 11, Said::Notice)], vec![Part::Upheld]),
            ("not the brand's", 1, 0, vec![filing, foreign], vec![]),
            ("refused first", 1, 0, vec![refused, filing], vec![Part::Rejected]),
            ("what is refused hides nothing", 1, 0, vec![refused, entry("w", 11, filing.said)], vec![Part::Rejected, Part::Upheld]),
            ("genuine is no filing", 1, 0, vec![entry("v", 10, Said::Verdict(Genuine))], vec![]),
        ] {
            let (mut matter, mut kept) = (Matter { removals, won, ..Matter::of(0) }, Kept::default());
            entries.into_iter().for_each(|entry| matter.say(entry, &mut kept, &Names::default()));
            assert_eq!(parts(&matter, &kept), parts_wanted, "{what}");
        }
    }

    #[test]
    fn an_answer_is_in_time_until_the_question_before_it_was_due() {
        for (at, unsure, wanted) in [
            (9, false, vec![]),
            (10, false, vec![Part::InTime]),
            (15, false, vec![Part::InTime]),
            (16, false, vec![Part::Late]),
            (20, false, vec![Part::InTime]),
            (20, true, vec![]),
            (30, false, vec![]),
        ] {
            let (mut matter, mut kept) = (Matter::of(0), Kept::default());
            for (at, due_at) in [(20, Some(25)), (10, Some(15)), (30, None), (10, Some(15))] {
                matter.ask(Ask { at, due_at }, &mut kept);
            }
            let said = if unsure { VerdictKind::Unsure } else { VerdictKind::Genuine };
            matter.say(entry("v", at, Said::Verdict(said)), &mut kept, &Names::default());
            assert_eq!(parts(&matter, &kept), wanted, "{at}");
        }
    }

    #[test]
    fn what_is_kept_is_bounded_and_the_same_in_any_order() {
        let moments: Vec<i64> = (0..200).collect();
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..3 {
            let (mut matter, mut kept) = (Matter::of(0), Kept::default());
            let mut shuffled = moments.clone();
            random.shuffle(&mut shuffled);
            for at in shuffled {
                for moderator in [false, true] {
                    let said = Entry { moderator, ..entry(&at.to_string(), at, Said::Verdict(VerdictKind::Grey)) };
                    matter.say(said, &mut kept, &Names::default());
                }
                matter.ask(Ask { at, due_at: None }, &mut kept);
            }
            let of = |moderator: bool| {
                let mut found: Vec<i64> = kept.entries.iter(matter.entries).filter(|e| e.moderator == moderator).map(|e| e.at).collect();
                found.sort_unstable();
                found
            };
            let mut asks: Vec<i64> = kept.asks.iter(matter.asks).map(|ask| ask.at).collect();
            asks.sort_unstable();
            assert_eq!((of(false), of(true), asks), (moments[..64].to_vec(), moments[136..].to_vec(), moments[136..].to_vec()));
        }
    }
}
