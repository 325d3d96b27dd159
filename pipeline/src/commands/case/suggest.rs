//! `touchstone case suggest`: the test purchases that would teach most.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Write};

use touchstone_decisions::cases::suggest::{Open, Suggestion, suggest};
use touchstone_schemas::{Suspect, Timestamp, Verdict, decode};

use super::{Unread, plain};
use crate::archive::{Archive, Entry};
use crate::failure::Failure;

pub(super) fn run(archive: &Archive, top: usize) -> Result<(), Failure> {
    let mut standing = Standing::default();
    archive.read(&["suspects", "verdicts"], |topic, entry| standing.take(topic, &entry))?;
    standing.unread.tell();
    let open = standing.open();
    write!(io::stdout(), "{}", table(&open, &suggest(&open, top)))?;
    Ok(())
}

/// Suspects as they were looked at last, and what was spoken of.
#[derive(Default)]
struct Standing {
    /// By matter: when and in which pass, and what stands; nothing of one that was taken back.
    last: BTreeMap<String, ((Timestamp, u64), Option<Open>)>,
    spoken_of: BTreeSet<String>,
    unread: Unread,
}

impl Standing {
    fn take(&mut self, topic: &str, entry: &Entry) {
        let taken = match topic {
            "suspects" => decode::<Suspect>(&entry.payload).map(|decoded| self.look(&decoded.value)),
            _ => decode::<Verdict>(&entry.payload).map(|decoded| _ = self.spoken_of.insert(decoded.value.suspect_id.to_string())),
        };
        if let Err(fault) = taken {
            self.unread.add(entry, &fault);
        }
    }

    fn look(&mut self, suspect: &Suspect) {
        let at = (suspect.occurred_at.clone(), suspect.pass);
        if self.last.get(&suspect.suspect_id).is_none_or(|(before, _)| *before <= at) {
            self.last.insert(suspect.suspect_id.clone(), (at, Open::of(suspect)));
        }
    }

    fn open(self) -> Vec<Open> {
        let Self { last, spoken_of, .. } = self;
        last.into_iter().filter(|(id, _)| !spoken_of.contains(id)).filter_map(|(_, (_, open))| open).collect()
    }
}

fn table(open: &[Open], suggestions: &[Suggestion]) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_table(open, suggestions, &mut text);
    text
}

fn write_table(open: &[Open], suggestions: &[Suggestion], out: &mut String) -> std::fmt::Result {
    writeln!(out, "{:<40} {:<20} {:>8} {:>8} {:>8}  why", "platform:market:listing", "brand", "score", "decides", "gain")?;
    for suggestion in suggestions {
        let Open { listing, brand_id, score, .. } = &open[suggestion.open];
        let by = suggestion.by.iter().copied().collect::<Vec<_>>().join(", ");
        let why = if by.is_empty() { "nothing like it is known".to_owned() } else { format!("others share its {by}") };
        writeln!(out, "{:<40} {:<20} {score:>8.4} {:>8} {:>8.4}  {why}", plain(listing), brand_id, suggestion.decides, suggestion.gain)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_was_taken_back_or_spoken_of_is_not_suggested() {
        let suspect = |id: &str, at: &str, op: &str| {
            let mut event: Value = serde_json::from_str(include_str!("../../../../schemas/golden/suspect.json")).expect("JSON");
            (event["suspect_id"], event["occurred_at"], event["op"]) = (json!(id), json!(at), json!(op));
            event["listing"]["listing_id"] = json!(id);
            Entry { payload: event.to_string().into_bytes(), ..Entry::default() }
        };
        let mut verdict: Value = serde_json::from_str(include_str!("../../../../schemas/golden/verdict.json")).expect("JSON");
        verdict["suspect_id"] = json!("spoken");
        let mut all = Standing::default();
        for (id, at, op) in [
            ("back", "2026-11-21T08:00:00Z", "withdraw"),
            ("back", "2026-11-21T07:00:00Z", "upsert"),
            ("again", "2026-11-21T07:00:00Z", "withdraw"),
            ("again", "2026-11-21T08:00:00Z", "upsert"),
            ("spoken", "2026-11-21T08:00:00Z", "upsert"),
        ] {
            all.take("suspects", &suspect(id, at, op));
        }
        all.take("verdicts", &Entry { payload: verdict.to_string().into_bytes(), ..Entry::default() });
        let open = all.open();
        assert_eq!(open.iter().map(|o| o.suspect_id.as_str()).collect::<Vec<_>>(), ["again"]);
        let table = table(&open, &suggest(&open, 9));
        assert!(table.contains("bazaar:ID:again") && table.contains("nothing like it is known"), "{table}");
    }
}
