//! `touchstone match`: what the matchers find, with no gate before them.

use serde_json::json;

use super::scanner;
use crate::batch;
use crate::cli::OutputArgs;
use crate::dead_letters::DeadLetters;
use crate::engine::Scanned;
use crate::failure::Failure;
use crate::output::Output;
use crate::summary::Outcome;

/// Products named for a listing, and references for each of its pictures.
const MOST: usize = 5;

pub(crate) fn run(args: &OutputArgs) -> Result<(), Failure> {
    let scanner = scanner(&args.input)?;
    let mut output = Output::create(args.out.as_deref())?;
    let dead_letters = DeadLetters::create(args.dead_letters.as_deref(), &args.input.listings)?;
    let summary = batch::run(
        &args.input,
        scanner.clone(),
        dead_letters,
        |listing, pictures, _| (scanner.match_products(listing, MOST), scanner.match_pictures(listing, pictures, MOST)),
        |read, _, _| {
            if let Scanned::Done((products, pictures)) = &read.scanned {
                output.line(&json!({"event_id": read.listing.event_id, "products": products, "pictures": pictures}))?;
            }
            Ok(Outcome::of(&read.scanned, |_| false))
        },
    )?;
    output.finish()?;
    summary.close();
    Ok(())
}
