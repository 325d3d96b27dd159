//! `touchstone explain`: every listing and every brand that it touches, also under the lowest band.

use serde_json::{Value, json};
use touchstone_detectors::Assessment;
use touchstone_schemas::Listing;

use super::scanner;
use crate::batch;
use crate::cli::OutputArgs;
use crate::dead_letters::DeadLetters;
use crate::engine::Scanned;
use crate::failure::Failure;
use crate::output::Output;
use crate::summary::Outcome;

pub(crate) fn run(args: &OutputArgs) -> Result<(), Failure> {
    let scanner = scanner(&args.input)?;
    let mut output = Output::create(args.out.as_deref())?;
    let dead_letters = DeadLetters::create(args.dead_letters.as_deref(), &args.input.listings)?;
    let summary = batch::run(
        &args.input,
        scanner.clone(),
        dead_letters,
        |listing, pictures, now| scanner.assess(listing, pictures, now),
        |read, _, summary| {
            let outcome = Outcome::of(&read.scanned, |a| a.iter().any(|a| a.band.is_some()));
            let assessments = if let Scanned::Done(assessments) = read.scanned { assessments } else { Vec::new() };
            for assessment in &assessments {
                if assessment.band.is_some() {
                    summary.suspect(&assessment.suspect);
                }
                output.line(&line(assessment)?)?;
            }
            if assessments.is_empty() {
                output.line(&untouched(&read.listing, outcome))?;
            }
            Ok(outcome)
        },
    )?;
    output.finish()?;
    summary.close();
    Ok(())
}

/// A suspect event whose band is null under the lowest threshold.
fn line(assessment: &Assessment) -> Result<Value, Failure> {
    let mut event = serde_json::to_value(&assessment.suspect).map_err(|e| Failure::Run(e.into()))?;
    event["band"] = json!(assessment.band.map(touchstone_schemas::Band::as_str));
    Ok(event)
}

/// A listing that touches no brand, or was not looked at.
fn untouched(listing: &Listing, outcome: Outcome) -> Value {
    json!({"event_id": listing.event_id, "brand_id": null, "band": null, "outcome": outcome.name(), "listing": {
        "platform": listing.platform, "market": listing.market, "listing_id": listing.listing_id, "revision": listing.revision, "title": listing.title(),
    }, "evidence": []})
}
