//! `touchstone fit`: weights and thresholds from labelled listings.

use super::{policy_text, print, scanner};
use crate::batch;
use crate::cli::FitArgs;
use crate::dead_letters::DeadLetters;
use crate::engine::Scanned;
use crate::eval::read_labels;
use crate::failure::Failure;
use crate::fit::{Case, Sample, fit, table};
use crate::summary::Outcome;

pub(crate) fn run(args: &FitArgs) -> Result<(), Failure> {
    let scanner = scanner(&args.input)?;
    let (_, own) = policy_text(args.input.policy.as_deref(), &args.input.catalog, scanner.catalog())?;
    let mut labels = read_labels(&args.labels)?;
    let dead_letters = DeadLetters::create(None, &args.input.listings)?;
    let mut sample = Sample::default();
    let summary = batch::run(
        &args.input,
        scanner.clone(),
        dead_letters,
        |listing, pictures, _| !scanner.log_odds(listing, pictures, &[]).is_empty(),
        |read, _, _| {
            let outcome = Outcome::of(&read.scanned, |_| false);
            let Scanned::Done(touches) = read.scanned else { return Ok(outcome) };
            if let Some(label) = labels.take(&read.listing) {
                sample.count(&label);
                if touches {
                    sample.cases.push(Case { listing: read.listing, pictures: read.pictures, label });
                }
            }
            Ok(outcome)
        },
    )?;
    summary.close();
    let fitted = fit(&scanner, &own, &sample)?;
    std::fs::write(&args.out, &fitted.file).map_err(|e| Failure::Run(anyhow::anyhow!("{}: cannot be written: {e}", args.out.display())))?;
    print(args.json, &fitted.figures, || table(&fitted.figures))
}
