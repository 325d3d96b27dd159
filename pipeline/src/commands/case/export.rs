//! `touchstone case export`: what is known of a case, in a chain of hashes.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde_json::{Value, json};
use touchstone_decisions::cases::bundle::Chain;
use touchstone_decisions::cases::in_words;
use touchstone_schemas::Case;

use super::board::{find, standing};
use super::gather::gather;
use crate::archive::Archive;
use crate::failure::Failure;

/// Name and version of the form.
const FORMAT: &str = "touchstone-case-1";

pub(super) fn run(archive: &Archive, id: &str, out: Option<&Path>) -> Result<(), Failure> {
    let cases = standing(archive)?;
    let case = find(&cases, id)?;
    if case.case_id.as_str() != id {
        writeln!(io::stderr(), "case {id} was merged into {}, which is written", case.case_id)?;
    }
    let records = gather(archive, case)?;
    let sink: Box<dyn Write> = match out.filter(|path| *path != Path::new("-")) {
        None => Box::new(io::stdout().lock()),
        Some(path) => {
            let file = std::fs::File::create(path);
            Box::new(file.map_err(|e| Failure::Usage(format!("{}: cannot be written: {e}", path.display())))?)
        }
    };
    let mut sink = BufWriter::new(sink);
    let (mut chain, line) = Chain::begin(&head(case, id).to_string());
    writeln!(sink, "{line}")?;
    for found in &records {
        writeln!(sink, "{}", chain.record(found.topic, &found.record))?;
    }
    writeln!(sink, "{}", chain.end())?;
    sink.flush()?;
    writeln!(
        io::stderr(),
        "{} records; the last chain is {}: keep it apart from the file, so that a file that was written anew is known, too",
        records.len(),
        chain.last()
    )?;
    Ok(())
}

fn head(case: &Case, asked_for: &str) -> Value {
    let joins: Vec<Value> = case
        .joins
        .iter()
        .map(|join| json!({"kind": join.kind, "key": join.key, "reason": in_words(join.kind), "listings": join.listings}))
        .collect();
    json!({
        "format": FORMAT,
        "case_id": case.case_id,
        "asked_for": asked_for,
        "sellers": case.sellers,
        "joins": joins,
        "rank": case.rank,
        "listings": case.listings,
        "confirmed": case.confirmed,
        "markets": case.markets,
        "outcomes": case.outcomes,
    })
}
