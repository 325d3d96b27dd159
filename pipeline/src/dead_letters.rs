//! Inputs that could not be used, kept with the reason.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};
use touchstone_detectors::hex;
use touchstone_schemas::{DeadLetter, Fault};

use crate::failure::Failure;
use crate::input::Line;
use crate::output::Output;

/// A payload is cut at this many bytes: 900 KiB.
pub(crate) const MOST: usize = 900 << 10;

/// Where dead letters go; nowhere but the summary unless a file was named.
pub(crate) struct DeadLetters<'a> {
    output: Option<Output>,
    files: &'a [PathBuf],
}

impl<'a> DeadLetters<'a> {
    pub(crate) fn create(path: Option<&Path>, files: &'a [PathBuf]) -> Result<Self, Failure> {
        Ok(Self { output: path.map(|p| Output::create(Some(p))).transpose()?, files })
    }

    /// Whether they are kept.
    pub(crate) fn kept(&self) -> bool {
        self.output.is_some()
    }

    /// The place of a line, for messages.
    pub(crate) fn place(&self, line: &Line) -> String {
        format!("{}:{}", self.files[line.file].display(), line.number)
    }

    pub(crate) fn write(&mut self, line: &Line, fault: &Fault) -> std::io::Result<()> {
        let Some(output) = &mut self.output else { return Ok(()) };
        let cut = &line.payload[..line.payload.len().min(MOST)];
        // A cut may fall within a character.
        let text = match std::str::from_utf8(cut) {
            Ok(text) => Some(text),
            Err(e) if e.error_len().is_none() && cut.len() < line.payload.len() => std::str::from_utf8(&cut[..e.valid_up_to()]).ok(),
            Err(_) => None,
        };
        output.line(&DeadLetter {
            reason: fault.reason.as_str().to_owned(),
            path: fault.path.clone(),
            detail: fault.detail.clone(),
            topic: self.files[line.file].display().to_string(),
            partition: None,
            offset: line.number,
            timestamp: None,
            original_size: line.size,
            sha256: line.sha256.clone().unwrap_or_else(|| hex(&Sha256::digest(&line.payload))),
            payload: text.map(str::to_owned),
            payload_base64: text.is_none().then(|| BASE64_STANDARD.encode(cut)),
        })
    }

    pub(crate) fn finish(self) -> std::io::Result<()> {
        self.output.map_or(Ok(()), Output::finish)
    }
}
