//! The batch loop of file mode: read ahead, scan in parallel, hand over in the order of the input.

use std::path::Path;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use touchstone_detectors::{Picture, Scanner};
use touchstone_schemas::{Listing, Timestamp};

use crate::cli::Input;
use crate::dead_letters::DeadLetters;
use crate::engine::{Engine, Payload, Read};
use crate::failure::Failure;
use crate::input::{self, Line};
use crate::revisions::{Revisions, Seen};
use crate::summary::{Outcome, Summary};

/// Listings whose revisions are remembered at least.
const REMEMBERED: usize = 1_000_000;

/// A line and the folder of its file.
struct Located<'a>(&'a Line, &'a Path);

impl Payload for Located<'_> {
    fn bytes(&self) -> &[u8] {
        &self.0.payload
    }

    fn size(&self) -> u64 {
        self.0.size
    }

    fn folder(&self) -> Option<&Path> {
        Some(self.1)
    }
}

/// Runs `scan` over all listings, in parallel, and `take` over the results, in the order of the input; `take` is given the
/// folder of the listing's file, too. Every input is counted as one outcome; what cannot be used goes to the dead letters.
pub(crate) fn run<T: Send>(
    args: &Input,
    scanner: Arc<Scanner>,
    mut dead_letters: DeadLetters<'_>,
    scan: impl Fn(&Listing, &[Picture], &Timestamp) -> T + Sync,
    mut take: impl FnMut(Read<T>, &Path, &mut Summary) -> Result<Outcome, Failure>,
) -> Result<Summary, Failure> {
    let mut engine = Engine::new(scanner, args.threads)?;
    let batches = input::read(&args.listings)?;
    let folders: Vec<&Path> = args.listings.iter().map(|file| input::folder(file)).collect();
    let progress = progress();
    let mut summary = Summary::start();
    let mut revisions = Revisions::new(REMEMBERED);
    let mut before = 0;
    for batch in batches {
        let lines = batch?;
        let located: Vec<Located<'_>> = lines.iter().map(|line| Located(line, folders[line.file])).collect();
        let is_new =
            |i: usize, listing: &Listing| revisions.is_new(&listing.key(), Seen { revision: listing.revision, place: before + i as u64 });
        let results = engine.scan(&located, is_new, &scan);
        before += lines.len() as u64;
        for (line, result) in lines.iter().zip(results) {
            let outcome = match result {
                Ok(read) => {
                    summary.faults(&read.faults);
                    summary.pictures(read.picture_faults());
                    take(read, folders[line.file], &mut summary)?
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

fn progress() -> ProgressBar {
    // Draws on a terminal only.
    let style = ProgressStyle::with_template("{spinner} {human_pos} listings, {per_sec}, {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::new_spinner().with_style(style)
}
