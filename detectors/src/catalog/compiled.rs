//! A catalog in one file: checked once, its pictures hashed, safe against being cut off or changed on its way.
//!
//! A first line names the format and its version, a second line holds the SHA-256 of the rest, which is the rows as
//! zstd-compressed JSON Lines in the form of the catalog topic: `{"kind": "brand", …row}`, closed by a `version` row.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::faults::CatalogFault;
use super::rows::Rows;

const FORMAT: &str = "touchstone catalog 1\n";
/// A compiled catalog of ten million pictures is far smaller.
const MOST_BYTES: u64 = 8 << 30;

/// Writes rows that were checked.
pub(super) fn write(rows: &Rows, version: &str, path: &Path) -> io::Result<()> {
    let mut text = zstd::Encoder::new(Vec::new(), 3)?;
    let counts = rows.each_record(|_, _, record| {
        text.write_all(&record)?;
        text.write_all(b"\n")
    })?;
    let closing = json!({"kind": "version", "catalog_version": version, "rows": counts});
    serde_json::to_writer(&mut text, &closing)?;
    text.write_all(b"\n")?;
    let payload = text.finish()?;

    // Written aside and renamed, so that no reader sees a part.
    let aside = path.with_extension("part");
    let mut file = File::create(&aside)?;
    file.write_all(FORMAT.as_bytes())?;
    writeln!(file, "{}", crate::hex(&Sha256::digest(&payload)))?;
    file.write_all(&payload)?;
    file.sync_all()?;
    std::fs::rename(&aside, path)
}

/// Reads the rows of a compiled file.
pub(super) fn read(path: &Path) -> Result<Rows, CatalogFault> {
    let fault = |line: usize, message: String| CatalogFault { file: path.to_owned(), line, message, warning: false };
    let whole = |message: &str| fault(0, message.to_owned());
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes));
    read.map_err(|e| fault(0, format!("cannot be read: {e}")))?;
    let rest = bytes.strip_prefix(FORMAT.as_bytes()).ok_or_else(|| {
        whole("is not a compiled catalog of this version: give a catalog folder, or make the file anew with `touchstone catalog build`")
    })?;
    let damaged = || whole("is damaged: its checksum is wrong. Copy it again, or make it anew with `touchstone catalog build`");
    let (sum, payload) = rest.split_at_checked(65).ok_or_else(damaged)?;
    if crate::hex(&Sha256::digest(payload)).as_bytes() != &sum[..64] {
        return Err(damaged());
    }
    let text = zstd::decode_all(payload).map_err(|e| fault(0, format!("cannot be decompressed: {e}")))?;
    let mut rows = Rows::default();
    let mut version = None;
    for (i, line) in text.split(|b| *b == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
        version = rows.add(line, i + 1).map_err(|message| fault(i + 1, message))?.or(version);
    }
    let version = version.ok_or_else(|| whole("has no version row: it was not written to its end"))?;
    rows.sort();
    if version.catalog_version.is_none_or(|version| version != rows.version()) {
        return Err(whole("does not hold the rows that its version names: make it anew with `touchstone catalog build`"));
    }
    Ok(rows)
}
