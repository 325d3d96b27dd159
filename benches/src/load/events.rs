//! Listings of files, told again and again as new ones.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;

use serde_json::Value;
use serde_json::value::RawValue;
use touchstone_detectors::open;
use touchstone_schemas::{Listing, decode};

/// Bytes of listings that are kept at most; what comes after is not used.
const MOST: usize = 512 << 20;
/// Bytes of a listing at most: of a longer one workers make a dead letter.
const LONGEST: usize = 1 << 20;
/// Bytes of an id that are kept: with the longest suffix it has the 256 that an id may have.
const BASE: usize = 200;

/// Listings of files.
#[derive(Debug, Default)]
pub(super) struct Events {
    all: Vec<Event>,
    bytes: usize,
    /// Lines that are no listing, and are not sent.
    pub(super) skipped: u64,
    /// Whether there were more than are kept.
    pub(super) cut: bool,
}

impl Events {
    /// Reads the files, packed or not.
    ///
    /// # Errors
    /// A sentence, where a file cannot be read or none has a listing.
    pub(super) fn read(files: &[PathBuf]) -> Result<Self, String> {
        let mut events = Self::default();
        for path in files {
            open(path).and_then(|file| events.add(file)).map_err(|e| format!("{}: cannot be read: {e}", path.display()))?;
        }
        if events.all.is_empty() {
            return Err("--listings: no line of these files is a listing".to_owned());
        }
        Ok(events)
    }

    fn add(&mut self, file: impl Read) -> io::Result<()> {
        let mut reader = BufReader::with_capacity(1 << 16, file);
        let mut line = Vec::new();
        let mut first = true;
        loop {
            line.clear();
            reader.by_ref().take(LONGEST as u64 + 1).read_until(b'\n', &mut line)?;
            if line.is_empty() {
                return Ok(());
            }
            if self.bytes >= MOST {
                self.cut = true;
                return Ok(());
            }
            // Editors of some systems begin a file with this mark.
            let text = line.strip_prefix(b"\xef\xbb\xbf").filter(|_| first).unwrap_or(&line);
            first = false;
            if text.len() > LONGEST {
                if line.last() != Some(&b'\n') {
                    reader.skip_until(b'\n')?;
                }
                self.skipped += 1;
            } else if let Some(event) = Event::of(text) {
                self.bytes += line.len();
                self.all.push(event);
            } else if !text.iter().all(u8::is_ascii_whitespace) {
                self.skipped += 1;
            }
        }
    }

    /// How many differ.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// All of them, in the order of the files.
    pub(super) fn iter(&self) -> std::slice::Iter<'_, Event> {
        self.all.iter()
    }
}

/// A listing, cut where its ids are told anew.
#[derive(Debug)]
pub(super) struct Event {
    /// The key up to its end.
    key: String,
    /// The JSON up to the end of the event's id.
    head: String,
    /// From there to the end of the listing's id.
    middle: String,
    tail: String,
}

impl Event {
    fn of(line: &[u8]) -> Option<Self> {
        let listing = decode::<Listing>(line).ok()?.value;
        let mut rest: BTreeMap<String, &RawValue> = serde_json::from_slice(line).ok()?;
        rest.remove("event_id");
        rest.remove("listing_id");
        // Values are told as they stand.
        let rest = serde_json::to_string(&rest).ok()?;
        let listing_id = base(listing.listing_id.as_str());
        Some(Self {
            key: format!("{}:{}:{listing_id}", listing.platform, listing.market),
            head: format!("{{\"event_id\":{}", unclosed(base(listing.event_id.as_str()))),
            middle: format!("\",\"listing_id\":{}", unclosed(listing_id)),
            tail: format!("\",{}", rest.strip_prefix('{')?),
        })
    }

    /// Writes its key and its JSON as those of the listing of that number, due at that microsecond of that run.
    pub(super) fn write(&self, run: &str, number: u64, due: u64, key: &mut String, payload: &mut String) {
        key.clear();
        payload.clear();
        // Writing to a String cannot fail.
        let _ = write!(key, "{}~{run}-{number}", self.key);
        let _ = write!(payload, "{}~{run}-{number}-{due}{}~{run}-{number}{}", self.head, self.middle, self.tail);
    }
}

/// What the suffix of an event's id says: nothing need be remembered of a listing until its suspect comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    /// The listing's number in the run, from 0.
    pub(super) number: u64,
    /// When it was due, in microseconds since the run began.
    pub(super) due: u64,
}

impl Stamp {
    /// Of an event of that run; nothing of others.
    pub(super) fn of(event_id: &str, run: &str) -> Option<Self> {
        let (_, suffix) = event_id.rsplit_once('~')?;
        let (number, due) = suffix.strip_prefix(run)?.strip_prefix('-')?.split_once('-')?;
        Some(Self { number: number.parse().ok()?, due: due.parse().ok()? })
    }
}

fn base(id: &str) -> &str {
    let mut end = id.len().min(BASE);
    while !id.is_char_boundary(end) {
        end -= 1;
    }
    &id[..end]
}

/// A JSON string without its last quotation mark.
fn unclosed(text: &str) -> String {
    let mut quoted = Value::from(text).to_string();
    quoted.pop();
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(event_id: &str, listing_id: &str) -> String {
        let (event_id, listing_id) = (Value::from(event_id), Value::from(listing_id));
        format!(
            r#"{{"event_id": {event_id}, "op": "upsert", "occurred_at": "2026-11-20T07:07:00Z", "platform": "bazaar", "market": "ID",
            "listing_id": {listing_id}, "revision": 7, "seller": {{"id": "s1"}}, "title": "Nordvale \"Glide\" 2", "stats": {{"rating": 4.90}}}}"#
        )
    }

    fn written(line: &str, number: u64) -> (String, Listing, String) {
        let (mut key, mut payload) = (String::new(), String::new());
        Event::of(line.as_bytes()).expect("an event").write("5e1", number, 250_000, &mut key, &mut payload);
        let decoded = decode::<Listing>(payload.as_bytes()).expect("a listing");
        assert!(decoded.faults.is_empty(), "{:?}", decoded.faults);
        (key, decoded.value, payload)
    }

    #[test]
    fn a_listing_is_told_as_a_new_one_and_is_otherwise_the_same() {
        let (key, listing, payload) = written(&line("ev\"1~x", "lö 1"), 41);
        assert_eq!(key, "bazaar:ID:lö 1~5e1-41");
        assert_eq!(listing.key(), key);
        assert_eq!(listing.event_id.as_str(), "ev\"1~x~5e1-41-250000");
        assert_eq!((listing.revision, listing.title()), (7, "Nordvale \"Glide\" 2"));
        assert!(payload.contains("4.90"), "numbers are not written anew: {payload}");
        assert_ne!(written(&line("e", "l"), 42).0, written(&line("e", "l"), 43).0);
    }

    #[test]
    fn a_suspect_tells_which_listing_it_is_of() {
        let (_, listing, _) = written(&line("e~1", "l"), 41);
        assert_eq!(Stamp::of(listing.event_id.as_str(), "5e1"), Some(Stamp { number: 41, due: 250_000 }));
        for other in ["e", "e~5e1", "e~5e1-41", "e~5e12-41-9", "e~5e1-41-x"] {
            assert_eq!(Stamp::of(other, "5e1"), None, "{other}");
        }
    }

    #[test]
    fn the_longest_ids_stay_ids() {
        let long = "é".repeat(128);
        let (mut key, mut payload) = (String::new(), String::new());
        let event = Event::of(line(&long, &long).as_bytes()).expect("an event");
        event.write("65a1b2c3d4e5f", u64::MAX, u64::MAX, &mut key, &mut payload);
        let listing = decode::<Listing>(payload.as_bytes()).expect("a listing").value;
        assert!(listing.event_id.as_str().len() <= 256 && listing.key() == key);
    }

    #[test]
    fn what_is_no_listing_is_passed_over() {
        let text = format!(
            "\u{feff}{}\r\n\n{{}}\n{}\n{}",
            line("a", "a").replace('\n', " "),
            "x".repeat(LONGEST + 9),
            line("b", "b").replace('\n', " ")
        );
        let mut events = Events::default();
        events.add(text.as_bytes()).expect("memory");
        assert_eq!((events.len(), events.skipped, events.cut), (2, 2, false));
    }
}
