//! `touchstone case`: seller cases, as evidence, as tables, and what became of them.

mod board;
mod export;
mod gather;
mod record;
mod suggest;
mod verify;

use std::io::{self, Write};

use touchstone_schemas::Fault;

use crate::archive::{Archive, Entry};
use crate::cli::CaseCommand;
use crate::failure::Failure;

pub(super) fn run(command: &CaseCommand) -> Result<(), Failure> {
    let archive = |place: &crate::cli::Place| Archive::of(place.config.as_deref(), place.records.as_deref());
    match command {
        CaseCommand::List { place, top } => board::list(&archive(place)?, *top),
        CaseCommand::Export { id, place, out } => export::run(&archive(place)?, id, out.as_deref()),
        CaseCommand::Verify { file } => verify::run(file),
        CaseCommand::Record { id, config, outcome, at } => record::run(config, id, outcome, at.as_ref()),
        CaseCommand::Suggest { place, top } => suggest::run(&archive(place)?, *top),
    }
}

/// Records that cannot be read: they are passed over, and told.
#[derive(Debug, Default)]
struct Unread {
    count: u64,
    first: Option<String>,
}

impl Unread {
    fn add(&mut self, entry: &Entry, fault: &Fault) {
        self.count += 1;
        self.first.get_or_insert_with(|| format!("{}: {fault}", entry.place));
    }

    fn tell(&self) {
        if let Some(first) = &self.first {
            let _ = writeln!(io::stderr(), "{} records cannot be read and are passed over; the first is {first}", self.count);
        }
    }
}

/// A text of somebody's that may stand in a line of a table.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
