//! A folder with one file a topic.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use touchstone_detectors::open;
use touchstone_schemas::{DeadLetter, decode};

use super::{DEAD_LETTERS, Entry, tell};
use crate::failure::Failure;
use crate::input::read_line;

/// Endings of a topic's file; the first that is there is read.
const ENDINGS: [&str; 3] = ["jsonl", "jsonl.gz", "jsonl.zst"];

/// Reads the file of a topic.
pub(super) fn read(folder: &Path, topic: &str, each: &mut impl FnMut(Entry)) -> Result<(), Failure> {
    let there: Vec<PathBuf> = ENDINGS.iter().map(|ending| folder.join(format!("{topic}.{ending}"))).filter(|path| path.exists()).collect();
    let [path, others @ ..] = there.as_slice() else {
        tell(&format!("{}: there is no {topic}.jsonl, nor one ending .gz or .zst: passed over", folder.display()));
        return Ok(());
    };
    for other in others {
        tell(&format!("{}: passed over, since {} is there", other.display(), path.display()));
    }
    let cannot = |e: std::io::Error| Failure::Usage(format!("{}: cannot be read: {e}", path.display()));
    let mut reader = BufReader::with_capacity(1 << 16, open(path).map_err(cannot)?);
    let mut number = 0_u64;
    while let Some(line) = read_line(&mut reader).map_err(cannot)? {
        number += 1;
        let mut payload = line.payload;
        // Editors of some systems begin a file with this mark.
        if number == 1 && payload.starts_with(b"\xef\xbb\xbf") {
            payload.drain(..3);
        }
        if payload.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let entry = Entry { payload, place: format!("{}:{number}", path.display()), ..Entry::default() };
        match if topic == DEAD_LETTERS { refused(entry) } else { Ok(entry) } {
            Ok(entry) => each(entry),
            Err(message) => tell(&message),
        }
    }
    Ok(())
}

/// A line of dead letters, as the payload that was refused.
fn refused(entry: Entry) -> Result<Entry, String> {
    let wrong = |e: &dyn std::fmt::Display| format!("{}: not a dead letter, and passed over: {e}", entry.place);
    let letter = decode::<DeadLetter>(&entry.payload).map_err(|e| wrong(&e))?.value;
    let payload = match (letter.payload, letter.payload_base64) {
        (Some(text), _) => text.into_bytes(),
        (None, Some(coded)) => BASE64_STANDARD.decode(coded).map_err(|e| wrong(&format!("payload_base64: {e}")))?,
        (None, None) => Vec::new(),
    };
    Ok(Entry { payload, reason: Some(letter.reason), detail: Some(letter.detail), ..entry })
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;

    use super::*;

    fn all(folder: &Path, topic: &str) -> Vec<Entry> {
        let mut entries = Vec::new();
        read(folder, topic, &mut |entry| entries.push(entry)).expect("readable");
        entries
    }

    #[test]
    fn plain_and_compressed_files_are_read_line_by_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let lines = b"\xef\xbb\xbf{\"a\":1}\r\n\n{\"a\":2}";
        std::fs::write(folder.path().join("verdicts.jsonl"), lines).expect("writable");
        let file = |name: &str| File::create(folder.path().join(name)).expect("writable");
        let mut gz = flate2::write::GzEncoder::new(file("notices.jsonl.gz"), flate2::Compression::fast());
        gz.write_all(lines).and_then(|()| gz.finish()).expect("written");
        zstd::stream::copy_encode(lines.as_slice(), file("removals.jsonl.zst"), 1).expect("written");
        // The plain one goes first.
        file("removals.jsonl").write_all(b"{\"a\":3}\n").expect("written");
        for (topic, file, payloads) in [
            ("verdicts", "verdicts.jsonl", vec![(1, "{\"a\":1}"), (3, "{\"a\":2}")]),
            ("notices", "notices.jsonl.gz", vec![(1, "{\"a\":1}"), (3, "{\"a\":2}")]),
            ("removals", "removals.jsonl", vec![(1, "{\"a\":3}")]),
            ("appeals", "", vec![]),
        ] {
            let place = |n| format!("{}:{n}", folder.path().join(file).display());
            let entry = |(n, text): (u64, &str)| Entry { payload: text.into(), place: place(n), ..Entry::default() };
            assert_eq!(all(folder.path(), topic), payloads.into_iter().map(entry).collect::<Vec<_>>(), "{topic}");
        }
        std::fs::remove_file(folder.path().join("removals.jsonl")).expect("there");
        assert_eq!(all(folder.path(), "removals").len(), 2);
    }

    #[test]
    fn dead_letters_are_what_was_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let letter = |payload: &str| {
            format!(
                "{{\"reason\":\"double\",\"path\":\"\",\"detail\":\"once suffices\",\"topic\":\"t\",\"offset\":1,\"original_size\":2,\
                 \"sha256\":\"\"{payload}}}\n"
            )
        };
        let text = [letter(",\"payload\":\"{}\""), "no letter\n".to_owned(), letter(",\"payload_base64\":\"/w==\""), letter("")].concat();
        std::fs::write(folder.path().join("dead-letters.jsonl"), text).expect("writable");
        let found = all(folder.path(), DEAD_LETTERS);
        assert_eq!(found.iter().map(|e| e.payload.as_slice()).collect::<Vec<_>>(), [b"{}".as_slice(), b"\xff", b""]);
        assert!(found.iter().all(|e| e.reason.as_deref() == Some("double") && e.detail.as_deref() == Some("once suffices")));
    }
}
