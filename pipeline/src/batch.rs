//! The batch loop of file mode: read ahead, decode and scan in parallel, hand over in the order of the input.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{SystemTime, UNIX_EPOCH};

use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use touchstone_detectors::Scanner;
use touchstone_schemas::{Decoded, Fault, FaultReason, Listing, Op, Timestamp, decode};

use crate::cli::Input;
use crate::dead_letters::DeadLetters;
use crate::failure::Failure;
use crate::input::{self, Line, MAX_PAYLOAD};
use crate::revisions::Revisions;
use crate::summary::{Outcome, Summary};

/// A listing that was not scanned, or the result of the scan.
pub(crate) enum Scanned<T> {
    /// Scanned.
    Done(T),
    /// Not above a revision seen before.
    Stale,
    /// The listing is gone.
    Removed,
}

/// Runs `scan` over all listings, in parallel, and `take` over the results, in the order of the input. Every input is
/// counted as one outcome; what cannot be used goes to the dead letters.
pub(crate) fn run<T: Send>(
    args: &Input,
    scanner: &Scanner,
    mut dead_letters: DeadLetters<'_>,
    scan: impl Fn(&Listing, &Timestamp) -> T + Sync,
    mut take: impl FnMut(&Listing, Scanned<T>, &mut Summary) -> Result<Outcome, Failure>,
) -> Result<Summary, Failure> {
    let pool =
        rayon::ThreadPoolBuilder::new().num_threads(args.threads.map_or(0, usize::from)).build().map_err(|e| Failure::Run(e.into()))?;
    let batches = input::read(&args.listings)?;
    let progress = progress();
    let mut summary = Summary::start();
    let mut revisions = Revisions::default();
    for batch in batches {
        let lines = batch?;
        let decoded: Vec<Result<Decoded<Listing>, Fault>> = pool.install(|| lines.par_iter().map(|line| read(line, scanner)).collect());
        // Which revision is stale depends on those before it: one after the other.
        let new: Vec<bool> = decoded.iter().map(|d| d.as_ref().is_ok_and(|d| revisions.is_new(&d.value.key(), d.value.revision))).collect();
        let now = now();
        let scanned: Vec<Result<Scanned<T>, Fault>> = pool.install(|| {
            decoded
                .par_iter()
                .zip(&new)
                .map(|(decoded, new)| decoded.as_ref().map_err(Clone::clone).and_then(|d| scan_one(&d.value, *new, &now, &scan)))
                .collect()
        });
        for ((line, decoded), scanned) in lines.iter().zip(decoded).zip(scanned) {
            // A fault of decoding is the fault of the scan, too.
            let outcome = match decoded.and_then(|d| scanned.map(|s| (d, s))) {
                Ok((decoded, scanned)) => {
                    summary.faults(&decoded.faults);
                    take(&decoded.value, scanned, &mut summary)?
                }
                Err(fault) => {
                    summary.complain(&dead_letters, line, &fault);
                    dead_letters.write(line, &fault)?;
                    Outcome::DeadLetter
                }
            };
            summary.count(outcome);
        }
        progress.inc(lines.len() as u64);
    }
    progress.finish_and_clear();
    dead_letters.finish()?;
    Ok(summary)
}

fn read(line: &Line, scanner: &Scanner) -> Result<Decoded<Listing>, Fault> {
    if line.size > MAX_PAYLOAD as u64 {
        let detail = format!("{} bytes are more than the {MAX_PAYLOAD} allowed", line.size);
        return Err(Fault { reason: FaultReason::TooLarge, path: String::new(), detail });
    }
    let mut decoded = decode::<Listing>(&line.payload)?;
    let unknown = scanner.drop_unknown_currencies(&mut decoded.value);
    decoded.faults.extend(unknown);
    Ok(decoded)
}

fn scan_one<T>(
    listing: &Listing,
    new: bool,
    now: &Timestamp,
    scan: &(impl Fn(&Listing, &Timestamp) -> T + Sync),
) -> Result<Scanned<T>, Fault> {
    match (new, listing.op) {
        (false, _) => Ok(Scanned::Stale),
        (true, Op::Remove) => Ok(Scanned::Removed),
        // A listing that makes a detector panic must not take the others with it.
        (true, Op::Upsert) => catch_unwind(AssertUnwindSafe(|| scan(listing, now))).map(Scanned::Done).map_err(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
            Fault { reason: FaultReason::Panic, path: String::new(), detail: text.unwrap_or("a detector panicked").to_owned() }
        }),
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn progress() -> ProgressBar {
    // Draws on a terminal only.
    let style = ProgressStyle::with_template("{spinner} {human_pos} listings, {per_sec}, {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::new_spinner().with_style(style)
}
