//! Lines of listings files, read ahead in batches of bounded size.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use sha2::{Digest, Sha256};
use touchstone_detectors::{hex, open};

use crate::engine::MAX_PAYLOAD;
use crate::failure::Failure;

/// Lines of a batch, unless their bytes fill it sooner.
const BATCH_LINES: usize = 2_000;
const BATCH_BYTES: usize = 8 << 20;
/// Batches read ahead of the scan.
const AHEAD: usize = 2;

/// One line of a file.
#[derive(Debug)]
pub(crate) struct Line {
    /// Index of its file.
    pub(crate) file: usize,
    /// Counted from 1.
    pub(crate) number: u64,
    /// At most [`MAX_PAYLOAD`] bytes of it.
    pub(crate) payload: Vec<u8>,
    /// Bytes of the whole of it.
    pub(crate) size: u64,
    /// SHA-256 of the whole of it, where the payload is not the whole.
    pub(crate) sha256: Option<String>,
}

/// What the reading thread sends.
pub(crate) type Batch = io::Result<Vec<Line>>;

/// Opens all files, so that a wrong name is told before anything is scanned, and reads them in a thread of their own.
pub(crate) fn read(files: &[PathBuf]) -> Result<Receiver<Batch>, Failure> {
    let opened = files
        .iter()
        .map(|path| {
            if path == Path::new("-") {
                return Ok(Box::new(io::stdin()) as Box<dyn Read + Send>);
            }
            let cannot = |e: &io::Error| Failure::Usage(format!("{}: cannot be read: {e}", path.display()));
            if path.is_dir() {
                return Err(Failure::Usage(format!("{}: is a folder: give a file of listings, one JSON object a line", path.display())));
            }
            open(path).map_err(|e| cannot(&e))
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    let (sender, receiver) = sync_channel(AHEAD);
    std::thread::spawn(move || {
        if let Err(error) = send(opened, &sender) {
            // The scan has ended early when nobody receives.
            let _ = sender.send(Err(error));
        }
    });
    Ok(receiver)
}

/// Where the paths of a file's listings start from: its own folder, or this one for standard input.
pub(crate) fn folder(file: &Path) -> &Path {
    let parent = if file == Path::new("-") { None } else { file.parent() };
    parent.filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn send(files: Vec<Box<dyn Read + Send>>, sender: &SyncSender<Batch>) -> io::Result<()> {
    let mut batch = Vec::with_capacity(BATCH_LINES);
    let mut bytes = 0;
    for (file, source) in files.into_iter().enumerate() {
        let mut reader = BufReader::with_capacity(1 << 16, source);
        let mut number = 0;
        while let Some(mut line) = read_line(&mut reader)? {
            number += 1;
            (line.file, line.number) = (file, number);
            // Editors of some systems begin a file with this mark.
            if number == 1 && line.payload.starts_with(b"\xef\xbb\xbf") {
                line.payload.drain(..3);
                line.size -= 3;
            }
            if line.payload.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            bytes += line.payload.len();
            batch.push(line);
            if batch.len() >= BATCH_LINES || bytes >= BATCH_BYTES {
                bytes = 0;
                if sender.send(Ok(std::mem::take(&mut batch))).is_err() {
                    return Ok(());
                }
            }
        }
    }
    let _ = sender.send(Ok(batch));
    Ok(())
}

/// The next line without its end; of a longer one than [`MAX_PAYLOAD`] the beginning, with the size and hash of all.
pub(crate) fn read_line(reader: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut line = Line { file: 0, number: 0, payload: Vec::new(), size: 0, sha256: None };
    let mut hash: Option<Sha256> = None;
    let mut any = false;
    loop {
        let available = match reader.fill_buf() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            available => available?,
        };
        if available.is_empty() {
            break;
        }
        any = true;
        let end = available.iter().position(|b| *b == b'\n');
        let part = &available[..end.unwrap_or(available.len())];
        line.size += part.len() as u64;
        let room = MAX_PAYLOAD - line.payload.len();
        if part.len() > room && hash.is_none() {
            hash = Some(Sha256::new_with_prefix(&line.payload));
        }
        if let Some(hash) = &mut hash {
            hash.update(part);
        }
        line.payload.extend_from_slice(&part[..part.len().min(room)]);
        let used = part.len() + usize::from(end.is_some());
        reader.consume(used);
        if end.is_some() {
            break;
        }
    }
    if line.size == line.payload.len() as u64 && line.payload.last() == Some(&b'\r') {
        line.payload.pop();
        line.size -= 1;
    }
    line.sha256 = hash.map(|h| hex(&h.finalize()));
    Ok(any.then_some(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_cut_and_hashed_whole() {
        let long = vec![b'x'; MAX_PAYLOAD + 70_000];
        let text = [b"one\r\n\n".as_slice(), &long, b"\nlast"].concat();
        let mut reader = BufReader::with_capacity(1000, text.as_slice());
        let mut lines = Vec::new();
        while let Some(line) = read_line(&mut reader).expect("memory") {
            lines.push(line);
        }
        assert_eq!(lines.iter().map(|l| l.size).collect::<Vec<_>>(), [3, 0, long.len() as u64, 4]);
        assert_eq!(lines[0].payload, b"one");
        assert_eq!(lines[2].payload.len(), MAX_PAYLOAD);
        assert_eq!(lines[2].sha256.as_deref(), Some(hex(&Sha256::digest(&long)).as_str()));
        assert_eq!(lines[3].sha256, None);
    }
}
