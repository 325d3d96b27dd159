//! `touchstone scan`: listings in, suspects out.

use super::scanner;
use crate::batch;
use crate::cli::ScanArgs;
use crate::dead_letters::DeadLetters;
use crate::engine::Scanned;
use crate::failure::Failure;
use crate::output::Output;
use crate::summary::Outcome;

pub(crate) fn run(args: &ScanArgs) -> Result<(), Failure> {
    let scanner = scanner(&args.input)?;
    let mut output = Output::create(args.out.as_deref())?;
    let dead_letters = DeadLetters::create(args.dead_letters.as_deref(), &args.input.listings)?;
    let summary = batch::run(
        &args.input,
        scanner.clone(),
        dead_letters,
        |listing, pictures, now| scanner.scan(listing, pictures, now),
        |read, _, summary| {
            Ok(match read.scanned {
                Scanned::Done(suspects) => {
                    for suspect in &suspects {
                        summary.suspect(suspect);
                        output.line(suspect)?;
                    }
                    if suspects.is_empty() { Outcome::Clean } else { Outcome::Suspect }
                }
                Scanned::Stale => Outcome::Stale,
                Scanned::Removed => Outcome::Removed,
            })
        },
    )?;
    output.finish()?;
    summary.close();
    Ok(())
}
