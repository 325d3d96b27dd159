//! `touchstone report`: what a brand and a platform went through together, as a page or for machines.

use std::io::{self, Write};
use std::path::Path;

use touchstone_decisions::Calendars;
use touchstone_detectors::Policy;
use touchstone_schemas::{Fault, Market, Timestamp};

use crate::archive::Archive;
use crate::cli::ReportArgs;
use crate::failure::Failure;
use crate::reporting::{Only, Period, TOPICS, Tally, csv, html};

/// Faulty records that are told one by one.
const MOST_TOLD: u64 = 10;

pub(crate) fn run(args: &ReportArgs) -> Result<(), Failure> {
    let period = Period::new(args.from.clone(), args.to.clone())
        .ok_or_else(|| Failure::Usage(format!("--from {} must be before --to {}", args.from, args.to)))?;
    let archive = Archive::of(args.config.as_deref(), args.records.as_deref())?;
    let mut tally = Tally::new(period, Only { brand: args.brand.clone(), platform: args.platform.clone() });
    let (mut number, mut faulty) = (0, 0);
    archive.read(&TOPICS, |topic, entry| {
        number += 1;
        if let Err(fault) = tally.add(topic, number, &entry) {
            faulty += 1;
            tell(faulty, &entry.place, &fault);
        }
    })?;
    let mut errors = io::stderr();
    let _ = writeln!(errors, "{number} records read, {faulty} of them faulty and passed over");
    if tally.undated() > 0 {
        let _ = writeln!(errors, "{} refused filings say no time, and count for nothing", tally.undated());
    }
    let days = Policy::shipped().asks().days;
    let due = |market: &str, asked: i64| {
        let at = Timestamp::from_unix_millis(asked);
        Some(Calendars::shipped().due_at(&Market::new(market)?, &at, days).unix_millis())
    };
    let report = tally.report(due);
    if report.is_empty() {
        let _ = writeln!(errors, "nothing was found of this period, brand and platform");
    }
    let write = |path: &Path, text: String| {
        std::fs::write(path, text).map_err(|e| Failure::Usage(format!("{}: cannot be written: {e}", path.display())))
    };
    args.csv.as_deref().map_or(Ok(()), |path| write(path, csv(&report)))?;
    match (&args.html, &args.csv) {
        (Some(path), _) => write(path, html(&report)),
        (None, Some(_)) => Ok(()),
        (None, None) => Ok(io::stdout().write_all(html(&report).as_bytes())?),
    }
}

fn tell(faulty: u64, place: &str, fault: &Fault) {
    let more = if faulty == MOST_TOLD { "; others are only counted" } else { "" };
    if faulty <= MOST_TOLD {
        // There is nowhere to say that nothing can be said.
        let _ = writeln!(io::stderr(), "{place}: passed over: {fault}{more}");
    }
}
