//! `touchstone scan`: listings in, suspects out.

use super::scanner;
use crate::batch;
use crate::cli::ScanArgs;
use crate::dead_letters::DeadLetters;
use crate::engine::Scanned;
use crate::failure::Failure;
use crate::output::Output;
use crate::report::Report;
use crate::summary::Outcome;

pub(crate) fn run(ScanArgs { args, report }: &ScanArgs) -> Result<(), Failure> {
    let scanner = scanner(&args.input)?;
    let mut output = Output::create(args.out.as_deref())?;
    let dead_letters = DeadLetters::create(args.dead_letters.as_deref(), &args.input.listings)?;
    let mut report = report.as_deref().map(Report::new);
    let summary = batch::run(
        &args.input,
        scanner.clone(),
        dead_letters,
        |listing, pictures, now| scanner.scan(listing, pictures, now),
        |read, folder, summary| {
            if let Scanned::Done(suspects) = &read.scanned {
                for suspect in suspects {
                    summary.suspect(suspect);
                    output.line(suspect)?;
                }
                if let Some(report) = &mut report {
                    report.add(&read.listing, folder, &read.pictures, suspects, scanner.catalog());
                }
            }
            Ok(Outcome::of(&read.scanned, |suspects| !suspects.is_empty()))
        },
    )?;
    output.finish()?;
    if let Some(report) = report {
        report.write(scanner.catalog(), scanner.policy().version(), &args.input.listings, &summary)?;
    }
    summary.close();
    Ok(())
}
