//! Files as the commands read them: plain, `.gz` or `.zst`.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// Opens a file for reading, decompressing by its name's ending.
///
/// # Errors
/// What the system says of the file, or of its first compressed bytes.
pub fn open(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    let file = BufReader::with_capacity(1 << 16, File::open(path)?);
    Ok(match path.extension().and_then(|e| e.to_str()) {
        Some("gz") => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        Some("zst") => Box::new(zstd::stream::read::Decoder::with_buffer(file)?),
        _ => Box::new(file),
    })
}
