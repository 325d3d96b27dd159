//! A policy fitted to labelled listings, with what can be expected of it.

mod cuts;
mod sample;
mod solve;
mod space;
mod table;

use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use serde::Serialize;
use touchstone_detectors::{Policy, Scanner};
use touchstone_schemas::Timestamp;

use cuts::Judged;
pub(crate) use sample::{Case, Sample};
use space::Space;
pub(crate) use table::table;

use crate::eval::{Calibration, at_least, real, recall_at};
use crate::failure::Failure;

/// Parts that take turns in being left out.
const FOLDS: u64 = 10;
/// Sources with fewer suspects say nothing of a fold's precision: one false flag more or less would decide.
const TELLING: usize = 30;

/// What was fitted, and what it did on listings that it was not fitted on.
pub(crate) struct Fitted {
    pub(crate) file: String,
    pub(crate) figures: Figures,
}

/// What can be expected of a fitted policy.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    pub(crate) suspects: usize,
    pub(crate) clean: usize,
    pub(crate) base_rate: f64,
    /// Remove, report, ask_brand.
    pub(crate) thresholds: [f64; 3],
    /// On listings left out of the fit, ten parts taking turns; the same bands.
    pub(crate) out_of_fold: [At; 3],
    pub(crate) recall_at_99_precision: f64,
    pub(crate) right_brand: f64,
    /// Of listings left out of the fit that score 0.05 and more.
    pub(crate) calibration: Calibration,
    /// One source of suspects and one of clean listings left out together, at `report`.
    pub(crate) sources_left_out: Vec<Pair>,
    pub(crate) worst_precision: Option<f64>,
    pub(crate) worst_recall: Option<f64>,
}

/// Precision and recall at a band and above.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct At {
    pub(crate) true_flags: usize,
    pub(crate) false_flags: usize,
    pub(crate) precision: f64,
    pub(crate) precision_at_least: f64,
    pub(crate) recall: f64,
}

/// A fit that saw neither of two sources.
#[derive(Debug, Serialize)]
pub(crate) struct Pair {
    pub(crate) suspects: String,
    pub(crate) clean: String,
    pub(crate) at_report: At,
    /// Whether there are suspects enough for a figure.
    pub(crate) telling: bool,
}

/// Fits the weights of a policy, starting from the file `own`.
pub(crate) fn fit(scanner: &Scanner, own: &str, sample: &Sample) -> Result<Fitted, Failure> {
    let space = Space::around(own)?;
    let base_rate = space.policy(space.start())?.base_rate("", "");
    let shift = |(suspects, clean): (usize, usize)| libm::log(real(suspects) / real(clean)) - libm::log(base_rate / (1.0 - base_rate));
    let (suspects, clean) = sample.size_without(|_, _| false);
    if suspects == 0 || clean == 0 {
        return Err(Failure::Usage("labels: there must be suspect and clean listings".to_owned()));
    }
    let all: Vec<&Case> = sample.cases.iter().collect();
    let pairs: Vec<(&str, &str)> =
        sample.sources_of(true).into_iter().flat_map(|s| sample.sources_of(false).into_iter().map(move |c| (s, c))).collect();
    let progress = progress(1 + FOLDS + pairs.len() as u64);

    let point = solve::solve(scanner, &space, &all, shift((suspects, clean)))?;
    progress.inc(1);

    let mut unseen = Vec::new();
    for fold in 0..FOLDS {
        let (left_out, kept): (Vec<&Case>, Vec<&Case>) = all.iter().partition(|case| case.fold(FOLDS) == fold);
        let policy = space.policy(&solve::solve(scanner, &space, &kept, shift((suspects, clean)))?)?;
        unseen.extend(judge(scanner, policy, &left_out)?);
        progress.inc(1);
    }
    let thresholds = cuts::choose(&unseen);
    let out_of_fold = [
        at(unseen.iter().filter(|j| !j.capped), thresholds[0], suspects),
        at(unseen.iter(), thresholds[1], suspects),
        at(unseen.iter(), thresholds[2], suspects),
    ];

    let mut sources_left_out = Vec::new();
    for (s, c) in pairs {
        let is_out = |source: &str, suspect: bool| source == if suspect { s } else { c };
        let (left_out, kept): (Vec<&Case>, Vec<&Case>) = all.iter().partition(|case| is_out(&case.label.source, case.suspect()));
        let policy = space.policy(&solve::solve(scanner, &space, &kept, shift(sample.size_without(is_out)))?)?;
        let [_, report, _] = cuts::choose(&judge(scanner, policy.clone(), &kept)?);
        let own = sample.sources[s].0;
        let at_report = at(judge(scanner, policy, &left_out)?.iter(), report, own);
        sources_left_out.push(Pair { suspects: s.to_owned(), clean: c.to_owned(), at_report, telling: own >= TELLING });
        progress.inc(1);
    }
    progress.finish_and_clear();

    let telling = || sources_left_out.iter().filter(|p| p.telling).map(|p| p.at_report);
    let right = unseen.iter().filter(|j| j.suspect && j.score >= thresholds[1]);
    let scored: Vec<(f64, bool)> = unseen.iter().map(|j| (j.score, j.suspect)).collect();
    let figures = Figures {
        suspects,
        clean,
        base_rate,
        thresholds,
        out_of_fold,
        recall_at_99_precision: recall_at(scored.iter().copied(), 0.99, suspects),
        right_brand: real(right.clone().filter(|j| j.right_brand).count()) / real(right.count().max(1)),
        calibration: Calibration::of(&scored, base_rate, suspects, clean),
        worst_precision: telling().map(|a| a.precision).reduce(f64::min),
        worst_recall: telling().map(|a| a.recall).reduce(f64::min),
        sources_left_out,
    };
    let file = space.file(&point, thresholds, &table::head(&figures, scanner));
    Policy::parse(&file).map_err(|e| Failure::Run(anyhow::anyhow!("the fitted policy: {e}")))?;
    Ok(Fitted { file, figures })
}

/// What a policy makes of some cases, by the brand that scores highest.
fn judge(scanner: &Scanner, policy: Policy, cases: &[&Case]) -> Result<Vec<Judged>, Failure> {
    let now = Timestamp::from_unix_millis(0);
    let scanner = scanner.under(policy.with_thresholds(f64::MIN_POSITIVE).map_err(|e| Failure::Run(anyhow::anyhow!(e)))?);
    let one = |case: &&Case| {
        let assessed = scanner.assess(&case.listing, &case.pictures, &now);
        let best = assessed.into_iter().max_by(|a, b| a.suspect.score.cmp(&b.suspect.score))?;
        let right_brand = case.label.brand_id.as_ref().is_none_or(|id| *id == *best.suspect.brand_id.as_str());
        Some(Judged { suspect: case.suspect(), score: best.suspect.score.to_f64(), capped: !best.suspect.caps.is_empty(), right_brand })
    };
    Ok(cases.par_iter().filter_map(one).collect())
}

fn at<'a>(judged: impl Iterator<Item = &'a Judged>, cut: f64, suspects: usize) -> At {
    let flagged: Vec<&Judged> = judged.filter(|j| j.score >= cut).collect();
    let true_flags = flagged.iter().filter(|j| j.suspect).count();
    At {
        true_flags,
        false_flags: flagged.len() - true_flags,
        precision: if flagged.is_empty() { 1.0 } else { real(true_flags) / real(flagged.len()) },
        precision_at_least: at_least(true_flags, flagged.len()),
        recall: real(true_flags) / real(suspects.max(1)),
    }
}

fn progress(steps: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos} of {len} fits, {elapsed}, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(steps).with_style(style)
}
