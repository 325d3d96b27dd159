//! Where lines of JSON go.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde::Serialize;

use crate::failure::Failure;

/// A file or standard output, one JSON text a line.
pub(crate) struct Output(BufWriter<Box<dyn Write>>);

impl Output {
    /// Standard output for nothing and for `-`.
    pub(crate) fn create(path: Option<&Path>) -> Result<Self, Failure> {
        let sink: Box<dyn Write> = match path {
            None => Box::new(io::stdout().lock()),
            Some(path) if path == Path::new("-") => Box::new(io::stdout().lock()),
            Some(path) => Box::new(File::create(path).map_err(|e| Failure::Usage(format!("{}: cannot be written: {e}", path.display())))?),
        };
        Ok(Self(BufWriter::with_capacity(1 << 16, sink)))
    }

    pub(crate) fn line<T: Serialize>(&mut self, value: &T) -> io::Result<()> {
        serde_json::to_writer(&mut self.0, value)?;
        self.0.write_all(b"\n")
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.0.flush()
    }
}
