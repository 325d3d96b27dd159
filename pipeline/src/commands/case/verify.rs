//! `touchstone case verify`: whether a bundle is as it was written.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use touchstone_decisions::cases::bundle::Checker;
use touchstone_detectors::open;

use crate::failure::Failure;

/// Longest line, in bytes: no record is longer.
const LONGEST: u64 = 8 << 20;

pub(super) fn run(file: &Path) -> Result<(), Failure> {
    let cannot = |e: &io::Error| Failure::Usage(format!("{}: cannot be read: {e}", file.display()));
    let source: Box<dyn Read + Send> = if file == Path::new("-") { Box::new(io::stdin()) } else { open(file).map_err(|e| cannot(&e))? };
    let changed = |what: String| Failure::Run(anyhow::anyhow!("{}: {what}", file.display()));
    let mut reader = BufReader::with_capacity(1 << 16, source);
    let (mut checker, mut line) = (Checker::default(), Vec::new());
    loop {
        line.clear();
        if reader.by_ref().take(LONGEST).read_until(b'\n', &mut line).map_err(|e| cannot(&e))? == 0 {
            break;
        }
        // A longer line is cut, and so is none that was written.
        checker.line(line.strip_suffix(b"\n").unwrap_or(&line)).map_err(changed)?;
    }
    let (count, chain) = checker.end().map_err(changed)?;
    writeln!(io::stdout(), "{}: {count} records, as they were written; the last chain is {chain}", file.display())?;
    Ok(())
}
