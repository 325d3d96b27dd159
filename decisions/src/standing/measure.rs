//! The measures of a tier, held against what was counted.

use std::collections::BTreeMap;

use touchstone_detectors::TierRule;

use super::counts::{Counts, Day, Part, share};
use super::key::Names;

/// What was counted in a window: of all, and by reason code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) all: Counts,
    pub(super) codes: BTreeMap<u32, Counts>,
}

impl Sums {
    pub(super) fn add(&mut self, day: &Day) {
        for ((_, code), counts) in day {
            self.all.add(counts);
            self.codes.entry(*code).or_default().add(counts);
        }
    }

    pub(super) fn subtract(&mut self, day: &Day) {
        for ((_, code), counts) in day {
            self.all.subtract(counts);
            self.codes.entry(*code).or_default().subtract(counts);
        }
        self.codes.retain(|_, counts| !counts.is_empty());
    }
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Volume,
    Upheld,
    Countered,
    InTime,
}

/// One measure of a tier, and what was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measure {
    what: What,
    /// The reason code that it is taken of.
    code: Option<u32>,
    count: u64,
    of: u64,
    asked: f64,
    fewest: u64,
}

/// The measures of a tier that may fail: of all filings, then of each reason code where the tier asks for that.
pub(super) fn measures(rule: &TierRule, sums: &Sums) -> Vec<Measure> {
    let of = |what, code, counts: &Counts| {
        let (count, of, asked) = match what {
            What::Volume => (counts.volume(), 0, 0.0),
            What::Upheld => (counts.of(Part::Upheld), counts.decided(), rule.least_upheld),
            What::Countered => (counts.of(Part::Countered), counts.decided(), rule.most_countered),
            What::InTime => (counts.of(Part::InTime), counts.answers(), rule.least_in_time),
        };
        Measure { what, code, count, of, asked, fewest: rule.least_volume }
    };
    let all = [What::Volume, What::Upheld, What::Countered, What::InTime].map(|what| of(what, None, &sums.all));
    let codes = sums.codes.iter().filter(|(_, counts)| rule.every_code && counts.volume() > 0);
    let by_code = codes.flat_map(|(code, counts)| [What::Upheld, What::Countered].map(|what| of(what, Some(*code), counts)));
    let may_fail = |measure: &Measure| match measure.what {
        What::Volume => measure.fewest > 0,
        What::Countered => measure.asked < 1.0,
        What::Upheld | What::InTime => measure.asked > 0.0,
    };
    all.into_iter().chain(by_code).filter(may_fail).collect()
}

impl Measure {
    /// Whether it is met. Where nothing has come to an end yet there is nothing to fail by, but no accuracy shown either: of all filings a
    /// share must be there.
    pub(super) fn holds(&self) -> bool {
        self.would_hold(0)
    }

    fn would_hold(&self, more: u64) -> bool {
        match self.what {
            What::Volume => self.count + more >= self.fewest,
            What::Upheld => share(self.count + more, self.of + more).map_or(self.code.is_some(), |s| s >= self.asked),
            What::Countered => share(self.count, self.of + more).is_none_or(|share| share <= self.asked),
            What::InTime => share(self.count + more, self.of + more).is_none_or(|share| share >= self.asked),
        }
    }

    /// The code that it is taken of, for an order that does not depend on how records came.
    pub(super) fn code<'a>(&self, names: &'a Names) -> Option<&'a str> {
        self.code.map(|code| names.text(code))
    }

    /// In words.
    pub(super) fn sentence(&self, names: &Names) -> String {
        let under = self.code(names).map_or_else(String::new, |code| format!(" under {}", named(code)));
        let Self { count, of, .. } = self;
        let asked = percent_of(self.asked);
        match self.what {
            What::Volume => format!("{}, at least {} are asked", number(*count, "filing"), self.fewest),
            What::Upheld => match least(*count, *of) {
                Some(share) => format!("{share} of {}{under} ended in a removal, at least {asked} are asked", number(*of, "filing")),
                None => format!("no filing{under} has come to an end, and at least {asked} must end in a removal"),
            },
            What::Countered => match most(*count, *of) {
                Some(share) => {
                    format!("{share} of {}{under} were countered with success, at most {asked} are allowed", number(*of, "filing"))
                }
                None => format!("no filing{under} was countered with success, at most {asked} are allowed"),
            },
            What::InTime => match least(*count, *of) {
                Some(share) => format!("{share} of {} came in time, at least {asked} are asked", number(*of, "answer")),
                None => format!("no question was answered, at least {asked} of answers must come in time"),
            },
        }
    }

    /// What would suffice where it is not met.
    pub(super) fn missing(&self) -> Option<String> {
        const MOST: u64 = 1 << 40;
        if self.holds() {
            return None;
        }
        if !self.would_hold(MOST) {
            return Some("no more filings can mend it within the window".to_owned());
        }
        let (mut short, mut enough) = (0, MOST);
        while enough - short > 1 {
            let middle = short + (enough - short) / 2;
            if self.would_hold(middle) { enough = middle } else { short = middle }
        }
        Some(match self.what {
            What::Volume => format!("{} would do", number(enough, "more filing")),
            What::Upheld => format!("{} ending in a removal would do", number(enough, "more filing")),
            What::Countered => format!("{} that nobody counters would do", number(enough, "more filing")),
            What::InTime => format!("{} in time would do", number(enough, "more answer")),
        })
    }
}

/// A count with its noun.
pub(super) fn number(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A reason code as people read it.
pub(super) fn named(code: &str) -> &str {
    if code.is_empty() { "no reason code" } else { code }
}

/// A share in words, rounded down: what is short of a least share must not look like it.
pub(super) fn least(count: u64, of: u64) -> Option<String> {
    (count * 1_000).checked_div(of).map(tenths)
}

/// A share in words, rounded up, for what has a largest share.
pub(super) fn most(count: u64, of: u64) -> Option<String> {
    (of > 0).then(|| tenths((count * 1_000).div_ceil(of)))
}

/// A share of the policy in words.
pub(super) fn percent_of(share: f64) -> String {
    let text = format!("{:.2}", share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

fn tenths(tenths: u64) -> String {
    if tenths.is_multiple_of(10) { format!("{} %", tenths / 10) } else { format!("{}.{} %", tenths / 10, tenths % 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_say_what_is_missing() {
        let measure = |what, count, of, asked| Measure { what, code: None, count, of, asked, fewest: 20 };
        for (measure, sentence, missing) in [
            (measure(What::Volume, 19, 0, 0.0), "19 filings, at least 20 are asked", Some("1 more filing would do")),
            (measure(What::Volume, 20, 0, 0.0), "20 filings, at least 20 are asked", None),
            (
                measure(What::Upheld, 899, 1_000, 0.9),
                "89.9 % of 1000 filings ended in a removal, at least 90 % are asked",
                Some("10 more filings ending in a removal would do"),
            ),
            (measure(What::Upheld, 18, 20, 0.9), "90 % of 20 filings ended in a removal, at least 90 % are asked", None),
            (
                measure(What::Upheld, 18, 20, 1.0),
                "90 % of 20 filings ended in a removal, at least 100 % are asked",
                Some("no more filings can mend it within the window"),
            ),
            (
                measure(What::Upheld, 0, 0, 0.9),
                "no filing has come to an end, and at least 90 % must end in a removal",
                Some("1 more filing ending in a removal would do"),
            ),
            (
                measure(What::Countered, 51, 1_000, 0.05),
                "5.1 % of 1000 filings were countered with success, at most 5 % are allowed",
                Some("20 more filings that nobody counters would do"),
            ),
            (measure(What::InTime, 0, 0, 0.8), "no question was answered, at least 80 % of answers must come in time", None),
        ] {
            let found = (measure.sentence(&Names::default()), measure.missing());
            assert_eq!((found.0.as_str(), found.1.as_deref()), (sentence, missing));
        }
    }
}
