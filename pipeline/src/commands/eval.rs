//! `touchstone eval`: precision and recall against labels.

use super::{print, scanner};
use crate::batch;
use crate::cli::EvalArgs;
use crate::dead_letters::DeadLetters;
use crate::engine::Scanned;
use crate::eval::{Judged, measure, read_labels, table};
use crate::failure::Failure;
use crate::summary::Outcome;

pub(crate) fn run(args: &EvalArgs) -> Result<(), Failure> {
    let scanner = scanner(&args.input)?;
    let mut labels = read_labels(&args.labels)?;
    let dead_letters = DeadLetters::create(None, &args.input.listings)?;
    let mut judged = Vec::new();
    let mut unlabelled = 0;
    let summary = batch::run(
        &args.input,
        scanner.clone(),
        dead_letters,
        |listing, pictures, now| scanner.assess(listing, pictures, now),
        |read, _, summary| {
            let outcome = Outcome::of(&read.scanned, |a| a.iter().any(|a| a.band.is_some()));
            let Scanned::Done(assessments) = read.scanned else { return Ok(outcome) };
            assessments.iter().filter(|a| a.band.is_some()).for_each(|a| summary.suspect(&a.suspect));
            match labels.take(&read.listing) {
                Some(label) => judged.push(Judged {
                    label,
                    score: assessments.iter().map(|a| a.suspect.score.to_f64()).fold(0.0, f64::max),
                    brands: assessments.iter().map(|a| (a.suspect.brand_id.to_string(), a.band)).collect(),
                }),
                None => unlabelled += 1,
            }
            Ok(outcome)
        },
    )?;
    summary.close();
    let base_rate = args.base_rate.unwrap_or_else(|| scanner.policy().base_rate("", ""));
    let mut figures = measure(&judged, base_rate);
    figures.unlabelled = unlabelled;
    figures.labels_without_listing = labels.len();
    figures.catalog_version = scanner.catalog().version().to_owned();
    figures.policy_version = scanner.policy().version().to_owned();
    print(args.json, &figures, || table(&figures))
}
