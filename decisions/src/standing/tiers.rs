//! The path of a brand through the tiers, day by day.

use touchstone_detectors::StandingRules;
use touchstone_schemas::Timestamp;

use super::counts::{Counts, Days};
use super::key::Names;
use super::measure::{Measure, Sums, measures, most, number, percent_of};

const DAY_MILLIS: i64 = 86_400_000;

/// Where a brand is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Too much of what it files fails.
    Restricted,
    /// In no tier.
    Standard,
    /// In a tier, by its index.
    Tier(usize),
}

/// A day on which a brand came to another place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) day: i64,
    pub(super) place: Place,
    /// Why it left the place before, or what brought it to this one.
    pub(super) why: Vec<String>,
}

/// The tier that a brand fell out of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fall {
    pub(super) day: i64,
    pub(super) why: Vec<String>,
}

/// A brand's path to the last day.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Path {
    /// The first is the day of its first records.
    pub(super) steps: Vec<Step>,
    /// When it last fell out of each tier.
    pub(super) falls: Vec<Option<Fall>>,
    /// What is counted on the last day.
    pub(super) sums: Sums,
}

impl Path {
    /// The path from the first of some days to `last`. Only days on which something enters or leaves the window, or on which a brand may be back
    /// in a tier, are looked at: on all others it is as on the day before.
    pub(super) fn of(rules: &StandingRules, days: &Days, last: i64, names: &Names) -> Option<Self> {
        let window = i64::from(rules.window_days);
        let mut day = *days.keys().next()?;
        let (mut enter, mut leave) = (days.iter().peekable(), days.iter().peekable());
        let mut path = Self { steps: Vec::new(), falls: vec![None; rules.tiers.len()], sums: Sums::default() };
        while day <= last {
            while let Some((_, counts)) = enter.next_if(|(entered, _)| **entered <= day) {
                path.sums.add(counts);
            }
            while let Some((_, counts)) = leave.next_if(|(left, _)| **left + window <= day) {
                path.sums.subtract(counts);
            }
            path.decide(rules, day, names);
            let back = (0..rules.tiers.len()).filter_map(|tier| path.back_on(rules, tier)).filter(|back| *back > day);
            let next = enter.peek().map(|(entered, _)| **entered).into_iter().chain(leave.peek().map(|(left, _)| **left + window));
            match next.chain(back).min() {
                Some(next) => day = next,
                None => break,
            }
        }
        Some(path)
    }

    /// Where the brand is after the last step, and since which day.
    pub(super) fn now(&self) -> (Place, i64) {
        self.steps.last().map_or((Place::Standard, 0), |step| (step.place, step.day))
    }

    /// The day on which a brand that fell out of a tier may be in it again.
    pub(super) fn back_on(&self, rules: &StandingRules, tier: usize) -> Option<i64> {
        let fall = self.falls.get(tier)?.as_ref()?;
        Some(fall.day + i64::from(rules.back_after_days))
    }

    fn decide(&mut self, rules: &StandingRules, day: i64, names: &Names) {
        let place = self.place(rules, day);
        let before = self.steps.last().map(|step| step.place);
        if before == Some(place) {
            return;
        }
        let mut why = reasons(rules, &self.sums, place, names);
        if let Some(Place::Tier(tier)) = before {
            // Who goes up does not fall.
            let up = matches!(place, Place::Tier(now) if now < tier);
            if !up {
                if place != Place::Restricted {
                    why = failing(&measures(&rules.tiers[tier], &self.sums), names);
                }
                self.falls[tier] = Some(Fall { day, why: why.clone() });
            }
        }
        self.steps.push(Step { day, place, why });
    }

    fn place(&self, rules: &StandingRules, day: i64) -> Place {
        if is_restricted(rules, &self.sums.all) {
            return Place::Restricted;
        }
        let free = |tier: &usize| self.back_on(rules, *tier).is_none_or(|back| day >= back);
        let holds = |tier: &usize| measures(&rules.tiers[*tier], &self.sums).iter().all(Measure::holds);
        (0..rules.tiers.len()).filter(free).find(holds).map_or(Place::Standard, Place::Tier)
    }
}

/// Whether so much fails that a moderator must say it, too.
fn is_restricted(rules: &StandingRules, all: &Counts) -> bool {
    all.decided() >= rules.least_filings && super::counts::share(all.failed(), all.decided()).is_some_and(|share| share > rules.most_failed)
}

/// The name of a place.
pub(super) fn name(rules: &StandingRules, place: Place) -> &str {
    match place {
        Place::Restricted => "restricted",
        Place::Standard => "standard",
        Place::Tier(tier) => rules.tiers.get(tier).map_or("standard", |tier| tier.name.as_str()),
    }
}

/// What puts a brand where it is: nothing where it is in no tier.
fn reasons(rules: &StandingRules, sums: &Sums, place: Place, names: &Names) -> Vec<String> {
    match place {
        Place::Restricted => {
            let share = most(sums.all.failed(), sums.all.decided()).unwrap_or_default();
            let of = number(sums.all.decided(), "filing");
            vec![format!("{share} of {of} failed, at most {} are allowed", percent_of(rules.most_failed))]
        }
        Place::Standard => Vec::new(),
        Place::Tier(tier) => {
            let overall = |measure: &&Measure| measure.code(names).is_none();
            measures(&rules.tiers[tier], sums).iter().filter(overall).map(|measure| measure.sentence(names)).collect()
        }
    }
}

/// The measures that are not met, in words: those of all filings, then those of a code, by code.
pub(super) fn failing(measures: &[Measure], names: &Names) -> Vec<String> {
    let mut failing: Vec<&Measure> = measures.iter().filter(|measure| !measure.holds()).collect();
    failing.sort_by_key(|measure| measure.code(names));
    failing.iter().map(|measure| measure.sentence(names)).collect()
}

/// Why a brand is where it is, and why it is in no higher tier.
pub(super) fn why(rules: &StandingRules, path: &Path, last: i64, names: &Names) -> Vec<String> {
    let (place, _) = path.now();
    let mut why = reasons(rules, &path.sums, place, names);
    let higher = if let Place::Tier(tier) = place { tier } else { rules.tiers.len() };
    for (tier, rule) in rules.tiers.iter().enumerate().take(higher) {
        let missing = failing(&measures(rule, &path.sums), names);
        let barred = path.back_on(rules, tier).filter(|back| *back > last);
        if let (Some(back), Some(fall)) = (barred, &path.falls[tier]) {
            why.push(format!(
                "out of {} since {}: {}; back at the earliest on {}",
                rule.name,
                date(fall.day),
                fall.why.join("; "),
                date(back)
            ));
        } else if !missing.is_empty() {
            why.push(format!("not in {}: {}", rule.name, missing.join("; ")));
        }
    }
    why
}

/// Midnight of a day.
pub(super) fn midnight(day: i64) -> Timestamp {
    Timestamp::from_unix_millis(day.saturating_mul(DAY_MILLIS))
}

/// A day as people write it.
pub(super) fn date(day: i64) -> String {
    midnight(day).as_str().chars().take_while(|c| *c != 'T').collect()
}
