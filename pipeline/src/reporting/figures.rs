//! The figures of a scope: a brand on a platform, or more than that.

use std::collections::{BTreeMap, BTreeSet};

use touchstone_schemas::{AppealOutcome, Band, Origin, ReceiptOutcome, Score, VerdictKind, WithdrawnBecause};

use crate::eval::{Share, real};

/// Milliseconds in a tenth of an hour.
const TENTH: i64 = 360_000;

/// Bands, the strongest first.
pub(super) const BANDS: [Band; 3] = [Band::Remove, Band::Report, Band::AskBrand];

/// How often each came.
pub(super) type Counts<T> = BTreeMap<T, usize>;

/// What was counted.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Figures {
    /// Matters by the band of their last look.
    pub(super) suspects: Counts<Band>,
    pub(super) withdrawn: Counts<WithdrawnBecause>,
    /// Suspects, by content, that were the brand's to answer, since nothing was removed at once.
    pub(super) asked: usize,
    pub(super) answered: usize,
    /// From the first look to the answer, in milliseconds.
    pub(super) times: Vec<i64>,
    /// Of those asked whose due time is known and has come, or that are answered.
    pub(super) due: usize,
    pub(super) in_time: usize,
    /// Verdicts of brands and agents.
    pub(super) answers: Counts<VerdictKind>,
    /// Verdicts of moderators.
    pub(super) moderated: usize,
    /// Suspects whose verdict says counterfeit, and those that have one that says something.
    pub(super) judged: BTreeMap<Band, (usize, usize)>,
    pub(super) base_rates: BTreeSet<Score>,
    pub(super) removals: Counts<Origin>,
    pub(super) shadow: Counts<Origin>,
    /// Removals of listings that nobody had reported before.
    pub(super) unprompted: usize,
    pub(super) reversed: Counts<&'static str>,
    pub(super) receipts: Counts<ReceiptOutcome>,
    pub(super) appeals: Counts<AppealOutcome>,
    /// Notices that were not refused.
    pub(super) accepted: usize,
    /// How many notices and verdicts were refused for each reason, and what to do better.
    pub(super) refused_notices: BTreeMap<String, (u64, String)>,
    pub(super) refused_verdicts: BTreeMap<String, (u64, String)>,
}

/// A section, a measure of it, its value.
pub(super) type Row = (&'static str, String, String);

impl Figures {
    /// Removals that were ordered, and not in shadow.
    pub(super) fn removed(&self) -> usize {
        self.removals.values().sum()
    }

    /// Proactive removals for each one that a brand asked for.
    pub(super) fn proactive_per_requested(&self) -> Option<f64> {
        let of = |origin| self.removals.get(&origin).copied().unwrap_or(0);
        let requested = of(Origin::Verdict) + of(Origin::Notice);
        (requested > 0).then(|| real(of(Origin::Proactive)) / real(requested))
    }

    /// The share of removals of listings that nobody had reported before.
    pub(super) fn unprompted(&self) -> Share {
        Share::of(self.unprompted, self.removed())
    }

    /// The share of answers that came in time.
    pub(super) fn in_time(&self) -> Share {
        Share::of(self.in_time, self.due)
    }

    /// How many of a band a verdict called counterfeit, of how many judged.
    pub(super) fn judged(&self, band: Band) -> (usize, usize) {
        self.judged.get(&band).copied().unwrap_or_default()
    }

    /// Hours within which that many of a hundred answers came.
    pub(super) fn hours(&self, percent: usize) -> Option<String> {
        let mut times = self.times.clone();
        times.sort_unstable();
        let rank = (times.len() * percent).div_ceil(100).checked_sub(1)?;
        let tenths = (times.get(rank)? + TENTH / 2) / TENTH;
        Some(format!("{}.{}", tenths / 10, tenths % 10))
    }

    /// The least and the greatest base rate that scores were reckoned at.
    pub(super) fn base_rates(&self) -> Option<(Score, Score)> {
        Some((*self.base_rates.first()?, *self.base_rates.last()?))
    }

    /// Everything, for machines. What there is nothing to say of is left out.
    pub(super) fn rows(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::new();
        let mut add = |section, measure: &str, value: String| rows.push((section, measure.to_owned(), value));
        for band in BANDS {
            add("suspects", band.as_str(), count(&self.suspects, &band));
            let (fakes, judged) = self.judged(band);
            if let Some(value) = Share::of(fakes, judged).value {
                let (name, share) = (band.as_str(), Share::of(fakes, judged));
                add("precision", &format!("{name}.counterfeit"), fakes.to_string());
                add("precision", &format!("{name}.judged"), judged.to_string());
                add("precision", &format!("{name}.share"), decimal(value));
                add("precision", &format!("{name}.low"), decimal(share.low));
                add("precision", &format!("{name}.high"), decimal(share.high));
            }
        }
        if let Some((least, most)) = self.base_rates() {
            add("precision", "base_rate.least", least.to_f64().to_string());
            add("precision", "base_rate.most", most.to_f64().to_string());
        }
        for because in WithdrawnBecause::ALL {
            add("suspects", &format!("withdrawn.{}", because.as_str()), count(&self.withdrawn, because));
        }
        add("answers", "asked", self.asked.to_string());
        add("answers", "answered", self.answered.to_string());
        for verdict in VerdictKind::ALL {
            add("answers", verdict.as_str(), count(&self.answers, verdict));
        }
        add("answers", "moderated", self.moderated.to_string());
        for (percent, measure) in [(50, "hours.median"), (90, "hours.p90")] {
            self.hours(percent).into_iter().for_each(|hours| add("answers", measure, hours));
        }
        self.in_time().value.into_iter().for_each(|share| add("answers", "in_time", decimal(share)));
        for origin in Origin::ALL {
            add("removals", origin.as_str(), count(&self.removals, origin));
            add("removals", &format!("shadow.{}", origin.as_str()), count(&self.shadow, origin));
        }
        self.proactive_per_requested().into_iter().for_each(|ratio| add("removals", "proactive_per_requested", format!("{ratio:.2}")));
        self.unprompted().value.into_iter().for_each(|share| add("removals", "before_any_notice", decimal(share)));
        for (cause, n) in &self.reversed {
            add("removals", &format!("reversed.{cause}"), n.to_string());
        }
        for outcome in ReceiptOutcome::ALL {
            add("removals", &format!("receipts.{}", outcome.as_str()), count(&self.receipts, outcome));
        }
        for outcome in AppealOutcome::ALL {
            add("appeals", outcome.as_str(), count(&self.appeals, outcome));
        }
        add("notices", "accepted", self.accepted.to_string());
        for (section, refused) in [("notices", &self.refused_notices), ("answers", &self.refused_verdicts)] {
            add(section, "refused", refused.values().map(|(n, _)| n).sum::<u64>().to_string());
            for (reason, (n, guidance)) in refused {
                add(section, &format!("refused.{reason}"), n.to_string());
                add(section, &format!("refused.{reason}.guidance"), guidance.clone());
            }
        }
        rows
    }
}

/// One count, as it is written.
pub(super) fn count<T: Ord>(counts: &Counts<T>, of: &T) -> String {
    counts.get(of).copied().unwrap_or(0).to_string()
}

fn decimal(share: f64) -> String {
    format!("{share:.4}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_those_of_the_nearest_rank() {
        let hour = TENTH * 10;
        let figures = |times: &[i64]| Figures { times: times.to_vec(), ..Figures::default() };
        for (times, median, most) in [
            (&[][..], None, None),
            (&[hour], Some("1.0"), Some("1.0")),
            (&[9 * hour, hour, 2 * hour, 5 * hour], Some("2.0"), Some("9.0")),
            (&[hour + TENTH / 2, 0], Some("0.0"), Some("1.1")),
        ] {
            let figures = figures(times);
            assert_eq!((figures.hours(50).as_deref(), figures.hours(90).as_deref()), (median, most), "{times:?}");
        }
    }

    #[test]
    fn nothing_is_divided_by_nothing() {
        let mut figures = Figures::default();
        assert_eq!((figures.proactive_per_requested(), figures.unprompted().value, figures.in_time().value), (None, None, None));
        figures.removals.extend([(Origin::Proactive, 16), (Origin::Verdict, 1), (Origin::Notice, 1)]);
        figures.unprompted = 9;
        assert_eq!((figures.proactive_per_requested(), figures.unprompted().value), (Some(8.0), Some(0.5)));
    }
}
