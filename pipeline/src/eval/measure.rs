//! What the judgements of labelled listings amount to.

use std::collections::BTreeMap;

use serde::Serialize;
use touchstone_schemas::Band;

use super::calibration::Calibration;
use super::labels::{Label, Truth};
use super::share::{Share, real, recall_at};

/// A labelled listing and what the scanner made of it: each brand's band, and the highest score.
pub(crate) struct Judged {
    pub(crate) label: Label,
    pub(crate) score: f64,
    pub(crate) brands: Vec<(String, Option<Band>)>,
}

impl Judged {
    fn suspect(&self) -> bool {
        self.label.label == Truth::Suspect
    }

    fn flagged(&self, band: Band) -> bool {
        self.brands.iter().any(|(_, b)| *b >= Some(band))
    }

    fn right_brand(&self, band: Band) -> bool {
        self.label.brand_id.as_ref().is_none_or(|id| self.brands.iter().any(|(brand, b)| *b >= Some(band) && brand == id))
    }
}

/// Counts and shares at one band and above.
#[derive(Debug, Serialize)]
pub(crate) struct AtBand {
    pub(crate) band: &'static str,
    pub(crate) true_flags: usize,
    pub(crate) false_flags: usize,
    pub(crate) missed: usize,
    pub(crate) precision: Share,
    pub(crate) recall: Share,
    pub(crate) f1: Option<f64>,
    /// Of the true flags, those of the right brand.
    pub(crate) right_brand: Share,
    /// Precision where suspects are as rare as the base rate says.
    pub(crate) precision_at_base_rate: Option<f64>,
}

/// One source, at `report` and above.
#[derive(Debug, Serialize)]
pub(crate) struct OfSource {
    pub(crate) source: String,
    pub(crate) suspects: usize,
    pub(crate) clean: usize,
    pub(crate) true_flags: usize,
    pub(crate) false_flags: usize,
    pub(crate) recall: Share,
    pub(crate) false_flags_per_1000: Option<f64>,
}

/// All figures of an evaluation.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) scored: usize,
    pub(crate) suspects: usize,
    pub(crate) clean: usize,
    pub(crate) unlabelled: usize,
    pub(crate) labels_without_listing: usize,
    pub(crate) base_rate: f64,
    pub(crate) bands: Vec<AtBand>,
    pub(crate) recall_at_99_precision: f64,
    pub(crate) sources: Vec<OfSource>,
    pub(crate) calibration: Calibration,
    pub(crate) catalog_version: String,
    pub(crate) policy_version: String,
}

/// Measures judgements. Versions and what has no pair are the caller's to fill in.
pub(crate) fn measure(judged: &[Judged], base_rate: f64) -> Figures {
    let suspects = judged.iter().filter(|j| j.suspect()).count();
    let clean = judged.len() - suspects;
    let scored: Vec<(f64, bool)> = judged.iter().map(|j| (j.score, j.suspect())).collect();
    Figures {
        scored: judged.len(),
        suspects,
        clean,
        unlabelled: 0,
        labels_without_listing: 0,
        base_rate,
        bands: Band::ALL.iter().rev().map(|band| at_band(judged, *band, suspects, clean, base_rate)).collect(),
        recall_at_99_precision: recall_at(scored.iter().copied(), 0.99, suspects),
        sources: sources(judged),
        calibration: Calibration::of(&scored, base_rate, suspects, clean),
        catalog_version: String::new(),
        policy_version: String::new(),
    }
}

fn at_band(judged: &[Judged], band: Band, suspects: usize, clean: usize, base_rate: f64) -> AtBand {
    let flagged = || judged.iter().filter(|j| j.flagged(band));
    let true_flags = flagged().filter(|j| j.suspect()).count();
    let false_flags = flagged().count() - true_flags;
    let right = flagged().filter(|j| j.suspect() && j.right_brand(band)).count();
    let f1 = (true_flags > 0).then(|| 2.0 * real(true_flags) / real(true_flags + false_flags + suspects));
    let rates = (suspects > 0 && clean > 0)
        .then(|| (real(true_flags) / real(suspects) * base_rate, real(false_flags) / real(clean) * (1.0 - base_rate)));
    AtBand {
        band: band.as_str(),
        true_flags,
        false_flags,
        missed: suspects - true_flags,
        precision: Share::of(true_flags, true_flags + false_flags),
        recall: Share::of(true_flags, suspects),
        f1,
        right_brand: Share::of(right, true_flags),
        precision_at_base_rate: rates.filter(|(t, f)| t + f > 0.0).map(|(t, f)| t / (t + f)),
    }
}

fn sources(judged: &[Judged]) -> Vec<OfSource> {
    let mut by_source: BTreeMap<&str, Vec<&Judged>> = BTreeMap::new();
    for j in judged {
        by_source.entry(&j.label.source).or_default().push(j);
    }
    let of = |(source, judged): (&str, Vec<&Judged>)| {
        let suspects = judged.iter().filter(|j| j.suspect()).count();
        let clean = judged.len() - suspects;
        let flagged = |suspect: bool| judged.iter().filter(|j| j.suspect() == suspect && j.flagged(Band::Report)).count();
        let (true_flags, false_flags) = (flagged(true), flagged(false));
        OfSource {
            source: source.to_owned(),
            suspects,
            clean,
            true_flags,
            false_flags,
            recall: Share::of(true_flags, suspects),
            false_flags_per_1000: (clean > 0).then(|| 1000.0 * real(false_flags) / real(clean)),
        }
    };
    by_source.into_iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(truth: Truth, score: f64, band: Option<Band>, brand: &str) -> Judged {
        let label = Label {
            event_id: String::new(),
            label: truth,
            brand_id: (truth == Truth::Suspect).then(|| "a".to_owned()),
            source: "s".to_owned(),
        };
        Judged { label, score, brands: vec![(brand.to_owned(), band)] }
    }

    #[test]
    fn figures_of_a_small_set_are_those_counted_by_hand() {
        let set = [
            judged(Truth::Suspect, 0.99, Some(Band::Remove), "a"),
            judged(Truth::Suspect, 0.95, Some(Band::Report), "b"),
            judged(Truth::Suspect, 0.10, None, "a"),
            judged(Truth::Clean, 0.92, Some(Band::Report), "a"),
            judged(Truth::Clean, 0.01, None, "a"),
        ];
        let figures = measure(&set, 0.1);
        let report = figures.bands.iter().find(|b| b.band == "report").expect("report");
        assert_eq!((report.true_flags, report.false_flags, report.missed), (2, 1, 1));
        assert_eq!((report.precision.value, report.recall.value, report.right_brand.value), (Some(2.0 / 3.0), Some(2.0 / 3.0), Some(0.5)));
        // 0.1 * 2/3 true flags to 0.9 * 1/2 false ones.
        assert!((report.precision_at_base_rate.expect("flags") - (0.2 / 3.0) / (0.2 / 3.0 + 0.45)).abs() < 1e-12);
        assert_eq!(figures.recall_at_99_precision, 2.0 / 3.0);
        assert_eq!(figures.sources[0].false_flags_per_1000, Some(500.0));
        assert_eq!(figures.calibration.bins.iter().map(|b| b.listings).sum::<usize>(), 4);
    }
}
