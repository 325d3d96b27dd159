//! A standing, explained: what was counted, what each tier asks, what is missing, and how it came to be so.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;
use touchstone_schemas::{Score, Shares, Standing};

use super::ledger::Ledger;
use super::measure::{measures, named, percent_of};
use super::tiers::{self, Path, Place};

/// The counting behind a standing; as JSON for machines, as text for people.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// The standing.
    pub standing: Standing,
    /// The first day that is counted, like 2026-08-28.
    pub from: String,
    /// The last.
    pub to: String,
    /// The tiers, the highest first.
    pub tiers: Vec<TierExplained>,
    /// The tiers that the brand was in, the first one first.
    pub history: Vec<Change>,
}

/// A tier, held against what was counted.
#[derive(Debug, Clone, Serialize)]
pub struct TierExplained {
    /// Its name.
    pub tier: String,
    /// Whether the brand is in it.
    pub is_in: bool,
    /// The first day on which a brand that fell out of it may be in it again, where that is to come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub back_on: Option<String>,
    /// What it asks.
    pub measures: Vec<MeasureExplained>,
}

/// A measure.
#[derive(Debug, Clone, Serialize)]
pub struct MeasureExplained {
    /// Whether it is met.
    pub is_met: bool,
    /// What was found, and what is asked.
    pub says: String,
    /// What would suffice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
}

/// A change of tier.
#[derive(Debug, Clone, Serialize)]
pub struct Change {
    /// The day, like 2026-08-28.
    pub day: String,
    /// The tier from then on.
    pub tier: String,
    /// What brought it there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
}

impl Explanation {
    pub(super) fn of(ledger: &Ledger, standing: Standing, path: &Path) -> Option<Self> {
        let (last, rules, names) = (ledger.last?, &ledger.rules, &ledger.names);
        let tier = |(index, rule): (usize, &touchstone_detectors::TierRule)| {
            let mut found = measures(rule, &path.sums);
            found.sort_by_key(|measure| measure.code(names));
            let measure =
                |m: &super::measure::Measure| MeasureExplained { is_met: m.holds(), says: m.sentence(names), missing: m.missing() };
            TierExplained {
                tier: rule.name.clone(),
                is_in: path.now().0 == Place::Tier(index),
                back_on: path.back_on(rules, index).filter(|back| *back > last).map(tiers::date),
                measures: found.iter().map(measure).collect(),
            }
        };
        let change = |step: &tiers::Step| Change {
            day: tiers::date(step.day),
            tier: tiers::name(rules, step.place).to_owned(),
            why: step.why.clone(),
        };
        Some(Self {
            standing,
            from: tiers::date(last - i64::from(rules.window_days) + 1),
            to: tiers::date(last),
            tiers: rules.tiers.iter().enumerate().map(tier).collect(),
            history: path.steps.iter().map(change).collect(),
        })
    }
}

impl Display for Explanation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { standing, from, to, tiers, history } = self;
        let since = standing.since.as_str();
        writeln!(f, "{} is in {} since {}", standing.brand_id, standing.tier, since.get(..10).unwrap_or(since))?;
        standing.why.iter().try_for_each(|why| writeln!(f, "  {why}"))?;
        writeln!(f, "\nCounted from {from} to {to}; shares are of filings that are not open")?;
        let width = [&standing.by_reason_code, &standing.by_reporter].into_iter().flatten().flat_map(|of| of.keys());
        let width = width.map(|name| named(name).chars().count() + 2).max().unwrap_or_default().max(16);
        let heads = ["filings", "open", "removed", "countered", "rejected", "in time"].map(|head| format!("{head:>10}")).concat();
        writeln!(f, "{:width$}{heads}", "")?;
        if let Some(overall) = &standing.overall {
            row(f, width, "all", overall)?;
        }
        for (title, of) in [("by reason code", &standing.by_reason_code), ("by reporter", &standing.by_reporter)] {
            writeln!(f, "{title}")?;
            of.iter().flatten().try_for_each(|(name, shares)| row(f, width, &format!("  {}", named(name)), shares))?;
        }
        for tier in tiers {
            let state = match (&tier.back_on, tier.is_in) {
                (_, true) => "in it".to_owned(),
                (Some(back), _) => format!("not in it, and back at the earliest on {back}"),
                _ => "not in it".to_owned(),
            };
            writeln!(f, "\n{}: {state}", tier.tier)?;
            for measure in &tier.measures {
                let missing = measure.missing.as_ref().map_or_else(String::new, |missing| format!("; {missing}"));
                writeln!(f, "  {:<4}{}{missing}", if measure.is_met { "yes" } else { "no" }, measure.says)?;
            }
        }
        writeln!(f, "\nHistory")?;
        for Change { day, tier, why } in history {
            let why = if why.is_empty() { String::new() } else { format!(": {}", why.join("; ")) };
            writeln!(f, "  {day}  {tier}{why}")?;
        }
        Ok(())
    }
}

fn row(f: &mut Formatter<'_>, width: usize, name: &str, shares: &Shares) -> fmt::Result {
    let share = |share: Option<Score>| share.map_or_else(|| "-".to_owned(), |share| percent_of(share.to_f64()));
    let Shares { volume, open, upheld, countered, rejected, in_time } = shares;
    let columns = [volume.to_string(), open.unwrap_or_default().to_string()].into_iter();
    let columns = columns.chain([upheld, countered, rejected, in_time].map(|of| share(*of)));
    writeln!(f, "{name:width$}{}", columns.map(|column| format!("{column:>10}")).collect::<String>())
}

#[cfg(test)]
mod tests {
    use touchstone_detectors::Policy;
    use touchstone_schemas::{Decode, decode};

    use super::*;

    fn read<T: Decode>(text: &str) -> T {
        decode(text.as_bytes()).unwrap_or_else(|e| panic!("{e}: {text}")).value
    }

    #[test]
    fn an_explanation_shows_the_counting() {
        let mut ledger = Ledger::new(Policy::shipped().standing(), Box::new(|_, at| at.clone()));
        for n in 0..20 {
            let on =
                format!("\"suspect_id\":\"s{n}\",\"brand_id\":\"acme\",\"platform\":\"bazaar\",\"market\":\"ID\",\"listing_id\":\"{n}\"");
            ledger.verdict(&read(&format!(
                "{{\"verdict_id\":\"v{n}\",{on},\"verdict\":\"counterfeit\",\"reason_code\":\"TM-01\",\
                 \"by\":{{\"type\":\"brand\",\"id\":\"acme-desk\"}},\"at\":\"2026-09-01T08:00:00Z\"}}"
            )));
            if n > 0 {
                ledger.removal(&read(&format!(
                    "{{\"removal_id\":\"r{n}\",\"op\":\"remove\",{on},\"revision\":1,\"origin\":\"verdict\",\"ground\":\"terms\",\
                     \"reason\":\"counterfeit\",\"statement\":\"A copy.\",\"at\":\"2026-09-01T09:00:00Z\"}}"
                )));
            }
        }
        let explanation = ledger.explain("acme").expect("a standing");
        let wanted = "\
acme is in good_faith since 2026-09-01
  20 filings, at least 20 are asked
  100 % of 19 filings ended in a removal, at least 90 % are asked
  0 % of 19 filings were countered with success, at most 5 % are allowed

Counted from 2026-06-04 to 2026-09-01; shares are of filings that are not open
                   filings      open   removed countered  rejected   in time
all                     20         1     100 %       0 %       0 %         -
by reason code
  TM-01                 20         1     100 %       0 %       0 %         -
by reporter
  acme-desk             20         1     100 %       0 %       0 %         -

good_faith: in it
  yes 20 filings, at least 20 are asked
  yes 100 % of 19 filings ended in a removal, at least 90 % are asked
  yes 0 % of 19 filings were countered with success, at most 5 % are allowed
  yes 100 % of 19 filings under TM-01 ended in a removal, at least 90 % are asked
  yes 0 % of 19 filings under TM-01 were countered with success, at most 5 % are allowed

expedited: not in it
  no  20 filings, at least 100 are asked; 80 more filings would do
  yes 100 % of 19 filings ended in a removal, at least 80 % are asked
  yes 0 % of 19 filings were countered with success, at most 10 % are allowed

History
  2026-09-01  good_faith: 20 filings, at least 20 are asked; 100 % of 19 filings ended in a removal, at least 90 % are asked; \
   0 % of 19 filings were countered with success, at most 5 % are allowed
";
        assert_eq!(explanation.to_string(), wanted);
        assert!(ledger.explain("nobody").is_none() && ledger.brands() == ["acme"]);
    }
}
