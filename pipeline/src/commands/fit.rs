//! `touchstone fit`: weights and thresholds from labelled listings.

use std::io::{self, Write};

use super::scanner;
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
    let own = match &args.input.policy {
        Some(path) => std::fs::read_to_string(path).map_err(|e| Failure::Usage(format!("{}: cannot be read: {e}", path.display())))?,
        None => scanner.catalog().policy().unwrap_or_default().to_owned(),
    };
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
            if let Some(label) = labels.remove(read.listing.event_id.as_str()) {
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
    if args.json {
        let text = serde_json::to_string_pretty(&fitted.figures).map_err(|e| Failure::Run(e.into()))?;
        writeln!(io::stdout(), "{text}")?;
    } else {
        write!(io::stdout(), "{}", table(&fitted.figures))?;
    }
    Ok(())
}
