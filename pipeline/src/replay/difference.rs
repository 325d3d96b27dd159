//! What two scanners find differently in one listing. Pure.

use std::collections::BTreeMap;

use serde::Serialize;
use touchstone_detectors::Assessment;
use touchstone_schemas::{Band, BrandId, Evidence, Score, Suspect};

/// A score that moves by no more than this stays where it was.
const MOVE: f64 = 0.01;

/// What is found of one brand; no band under the lowest threshold.
#[derive(Clone, Copy)]
pub(crate) struct Found<'a> {
    suspect: &'a Suspect,
    band: Option<Band>,
}

impl<'a> From<&'a Suspect> for Found<'a> {
    fn from(suspect: &'a Suspect) -> Self {
        Self { suspect, band: Some(suspect.band) }
    }
}

impl<'a> From<&'a Assessment> for Found<'a> {
    fn from(assessment: &'a Assessment) -> Self {
        Self { suspect: &assessment.suspect, band: assessment.band }
    }
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "difference", rename_all = "snake_case")]
pub(crate) enum Change {
    /// A suspect that was none.
    New { to: Band },
    /// A suspect no more.
    Gone { from: Band },
    /// The band moved.
    Band { from: Band, to: Band },
    /// The score moved within the band.
    Score { band: Band },
}

impl Change {
    fn of(before: Option<(Band, Score)>, after: Option<(Band, Score)>) -> Option<Self> {
        match (before, after) {
            (None, None) => None,
            (None, Some((to, _))) => Some(Self::New { to }),
            (Some((from, _)), None) => Some(Self::Gone { from }),
            (Some((from, _)), Some((to, _))) if from != to => Some(Self::Band { from, to }),
            (Some((band, old)), Some((_, new))) => {
                // Back to whole units, so that a move of exactly the limit is none.
                let moved = Score::from_f64((new.to_f64() - old.to_f64()).abs());
                (moved > Score::from_f64(MOVE)).then_some(Self::Score { band })
            }
        }
    }

    /// The kind as metrics and tables name it: new, gone, band or score.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::New { .. } => "new",
            Self::Gone { .. } => "gone",
            Self::Band { .. } => "band",
            Self::Score { .. } => "score",
        }
    }

    /// The band before and the one after, where there are any.
    pub(crate) fn bands(self) -> (Option<Band>, Option<Band>) {
        match self {
            Self::New { to } => (None, Some(to)),
            Self::Gone { from } => (Some(from), None),
            Self::Band { from, to } => (Some(from), Some(to)),
            Self::Score { band } => (Some(band), Some(band)),
        }
    }
}

/// One difference, with what one wants to see of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Difference {
    pub(crate) brand_id: BrandId,
    #[serde(flatten)]
    pub(crate) change: Change,
    pub(crate) event_id: String,
    pub(crate) platform: String,
    pub(crate) market: String,
    pub(crate) listing_id: String,
    pub(crate) revision: u64,
    pub(crate) title: String,
    /// The score before; nothing where it was not reckoned.
    pub(crate) score_before: Option<Score>,
    pub(crate) score_after: Option<Score>,
    /// Findings that are not there after, or not the same.
    pub(crate) evidence_before: Vec<Evidence>,
    /// Findings that were not there before, or not the same.
    pub(crate) evidence_after: Vec<Evidence>,
}

/// What differs between what was found in a listing and what is found in it now, by brand id.
pub(crate) fn differences<'a, F>(before: &'a [F], after: &'a [F]) -> Vec<Difference>
where
    Found<'a>: From<&'a F>,
{
    let mut brands: BTreeMap<&str, [Option<Found<'_>>; 2]> = BTreeMap::new();
    for (side, all) in [before, after].into_iter().enumerate() {
        for found in all.iter().map(Found::from) {
            brands.entry(found.suspect.brand_id.as_str()).or_default()[side] = Some(found);
        }
    }
    brands.into_values().filter_map(|[before, after]| difference(before, after)).collect()
}

fn difference(before: Option<Found<'_>>, after: Option<Found<'_>>) -> Option<Difference> {
    let reached = |found: Option<Found<'_>>| found.and_then(|f| Some((f.band?, f.suspect.score)));
    let change = Change::of(reached(before), reached(after))?;
    let Suspect { brand_id, event_id, listing, .. } = after.or(before)?.suspect;
    let evidence = |found: Option<Found<'_>>| found.map_or_else(Vec::new, |f| f.suspect.evidence.clone());
    let (was, is) = (evidence(before), evidence(after));
    Some(Difference {
        brand_id: brand_id.clone(),
        change,
        event_id: event_id.to_string(),
        platform: listing.platform.to_string(),
        market: listing.market.to_string(),
        listing_id: listing.listing_id.to_string(),
        revision: listing.revision,
        title: listing.title.clone(),
        score_before: before.map(|f| f.suspect.score),
        score_after: after.map(|f| f.suspect.score),
        evidence_before: lacking(&was, &is),
        evidence_after: lacking(&is, &was),
    })
}

/// Findings that the others lack; one that stands twice must be there twice.
fn lacking(findings: &[Evidence], others: &[Evidence]) -> Vec<Evidence> {
    let mut left: Vec<&Evidence> = others.iter().collect();
    let is_there = |finding: &Evidence, left: &mut Vec<&Evidence>| {
        let at = left.iter().position(|other| *other == finding);
        at.map(|at| left.swap_remove(at)).is_some()
    };
    findings.iter().filter(|finding| !is_there(finding, &mut left)).cloned().collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use touchstone_schemas::decode;

    use super::*;

    /// The golden suspect as one of a brand, with a score, a band and the weights of its findings.
    pub(crate) fn suspect(brand: &str, score: f64, band: &str, weights: &[f64]) -> Suspect {
        let golden = include_str!("../../../schemas/golden/suspect.json");
        let mut value: serde_json::Value = serde_json::from_str(golden).expect("JSON");
        (value["brand_id"], value["score"], value["band"]) = (brand.into(), score.into(), band.into());
        let finding = |w: &f64| serde_json::json!({"detector": "text", "kind": "denial", "weight": w});
        value["evidence"] = weights.iter().map(finding).collect();
        decode::<Suspect>(value.to_string().as_bytes()).expect("a suspect").value
    }

    #[test]
    fn what_changed_is_told_by_band_and_score() {
        use Band::{AskBrand, Remove, Report};
        let at = |band, score| Some((band, Score::from_f64(score)));
        for (before, after, expected) in [
            (None, None, None),
            (None, at(Report, 0.9), Some(Change::New { to: Report })),
            (at(AskBrand, 0.7), None, Some(Change::Gone { from: AskBrand })),
            (at(Report, 0.95), at(Remove, 0.95), Some(Change::Band { from: Report, to: Remove })),
            (at(Remove, 0.99), at(AskBrand, 0.61), Some(Change::Band { from: Remove, to: AskBrand })),
            (at(Report, 0.9), at(Report, 0.9), None),
            (at(Report, 0.9), at(Report, 0.91), None),
            (at(Report, 0.91), at(Report, 0.9), None),
            (at(Report, 0.9), at(Report, 0.910_001), Some(Change::Score { band: Report })),
            (at(Report, 0.95), at(Report, 0.91), Some(Change::Score { band: Report })),
        ] {
            assert_eq!(Change::of(before, after), expected, "{before:?} {after:?}");
        }
    }

    #[test]
    fn brands_are_compared_one_by_one_with_the_findings_that_differ() {
        let before = [suspect("acme", 0.7, "ask_brand", &[1.0, 1.0, 2.0]), suspect("kept", 0.9, "report", &[1.0])];
        let after = [
            suspect("acme", 0.92, "report", &[1.0, 2.0, 3.0]),
            suspect("kept", 0.9, "report", &[1.0]),
            suspect("b", 0.6, "ask_brand", &[]),
        ];
        let found = differences(&before, &after);
        let told: Vec<_> = found.iter().map(|d| (d.brand_id.as_str(), d.change)).collect();
        let moved = Change::Band { from: Band::AskBrand, to: Band::Report };
        assert_eq!(told, [("acme", moved), ("b", Change::New { to: Band::AskBrand })]);
        let weights = |findings: &[Evidence]| findings.iter().map(|e| e.weight.to_f64()).collect::<Vec<_>>();
        assert_eq!((weights(&found[0].evidence_before), weights(&found[0].evidence_after)), (vec![1.0], vec![3.0]));
        assert_eq!((found[1].score_before, found[1].score_after), (None, Some(Score::from_f64(0.6))));
        assert!(differences(&after, &after).is_empty());
        let line = serde_json::to_value(&found[0]).expect("JSON");
        assert_eq!((&line["difference"], &line["from"], &line["to"]), (&"band".into(), &"ask_brand".into(), &"report".into()));
    }

    #[test]
    fn what_stays_under_the_lowest_threshold_is_no_difference() {
        let assessed = |score, band| [Assessment { suspect: suspect("acme", score, "ask_brand", &[]), band }];
        assert!(differences(&assessed(0.1, None), &assessed(0.5, None)).is_empty());
        let found = differences(&assessed(0.5, None), &assessed(0.5, Some(Band::AskBrand)));
        assert_eq!(found[0].change, Change::New { to: Band::AskBrand });
        assert_eq!(found[0].score_before, Some(Score::from_f64(0.5)));
    }
}
