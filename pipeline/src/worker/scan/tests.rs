//! Batches through the engine and the memory, whatever becomes of them.

use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};
use touchstone_detectors::{Catalog, Policy};
use touchstone_schemas::{ListingState, decode};

use super::super::records::Destination;
use super::super::restore::Row;
use super::*;
use crate::config::Config;
use crate::revisions::key;

static SCANNER: LazyLock<Arc<Scanner>> = LazyLock::new(|| {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/catalog"));
    let (catalog, _) = Catalog::load(folder).unwrap_or_else(|faults| panic!("{faults:?}"));
    Arc::new(Scanner::new(Arc::new(catalog), Policy::shipped()))
});

/// What an event says of its listing.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Says {
    Fake,
    Plain,
    Gone,
    /// What cannot be read.
    Nothing,
}

fn event(offset: i64, listing: u8, revision: u64, says: Says) -> Taken {
    let mut event = json!({"event_id": format!("e{offset}"), "op": "upsert", "occurred_at": "2026-11-20T09:14:00Z", "platform": "bazaar",
        "market": "ID", "listing_id": listing.to_string(), "revision": revision, "seller": {"id": "s"}, "title": "Rak sepatu kayu",
        "price": {"amount": "185000", "currency": "IDR"}});
    match says {
        Says::Fake => event["title"] = json!("Sepatu Nordvale Glide 2 KW Super Premium Import Pria Wanita"),
        Says::Plain => {}
        Says::Gone => event["op"] = json!("remove"),
        Says::Nothing => event["title"] = json!(7),
    }
    let payload = event.to_string().into_bytes();
    Taken { role: Role::Event, partition: 0, offset, timestamp: None, key: None, payload, trace: Vec::new() }
}

/// A worker without brokers.
struct Bench {
    engine: Engine,
    memory: Memory,
    passes: Passes,
    /// What is committed: suspects without the clock, and the rows of the state topic.
    suspects: Vec<Value>,
    rows: Vec<Row>,
}

impl Bench {
    fn new() -> Self {
        let engine = Engine::new(SCANNER.clone(), Some(1)).unwrap_or_else(|_| panic!("a thread"));
        let passes = Passes::new(&Config::default(), "retry".to_owned());
        let mut memory = Memory::new(100);
        memory.restore(0, []);
        Self { engine, memory, passes, suspects: Vec::new(), rows: Vec::new() }
    }

    fn scan(&mut self, taken: Vec<Taken>) -> Output {
        scan(&mut self.engine, None, &mut self.memory, "listings", &self.passes, Batch { tenure: 0, taken, revoked: Vec::new() })
    }

    /// As the topics have it.
    fn commit(&mut self, output: &Output) {
        for record in &output.records {
            match record.to {
                Destination::Suspects { .. } => {
                    let mut row: Value = serde_json::from_slice(&record.payload).expect("JSON");
                    row.as_object_mut().expect("an object").remove("detected_at");
                    self.suspects.push(row);
                }
                Destination::State => {
                    let ListingState { revision, offset, open, .. } = decode(&record.payload).expect("a state").value;
                    let listing = std::str::from_utf8(&record.key).expect("a key");
                    self.rows.push((key(listing), Seen { revision, place: offset.expect("an offset") }, open));
                }
                _ => {}
            }
        }
    }

    fn restore(&mut self) {
        if !self.memory.unknown(std::iter::once(0)).is_empty() {
            self.memory.restore(0, self.rows.clone());
        }
    }

    fn told(&self) -> Vec<(String, String, Option<String>)> {
        let text = |row: &Value, field: &str| row[field].as_str().map(str::to_owned);
        let one = |row: &Value| Some((text(row, "event_id")?, text(row, "op")?, text(row, "withdrawn_because")));
        self.suspects.iter().filter_map(one).collect()
    }
}

/// What must be told of events, by a model that knows no batches: event, operation and reason.
fn expected(events: &[(u8, u64, Says)]) -> Vec<(String, String, Option<String>)> {
    let mut told = Vec::new();
    let mut seen: Vec<(u8, u64, bool)> = Vec::new();
    for (offset, (listing, revision, says)) in events.iter().enumerate() {
        let before = seen.iter().filter(|(l, ..)| l == listing).max_by_key(|(_, revision, _)| *revision).copied();
        if *says == Says::Nothing || before.is_some_and(|(_, highest, _)| *revision <= highest) {
            continue;
        }
        let because = match says {
            Says::Gone => "listing_removed",
            _ => "edited",
        };
        if *says == Says::Fake {
            told.push((format!("e{offset}"), "upsert".to_owned(), None));
        } else if before.is_some_and(|(.., is_suspect)| is_suspect) {
            told.push((format!("e{offset}"), "withdraw".to_owned(), Some(because.to_owned())));
        }
        seen.push((*listing, *revision, *says == Says::Fake));
    }
    told
}

#[test]
fn two_events_of_a_listing_in_one_batch_are_found_and_taken_back() {
    let mut bench = Bench::new();
    let batch = [(1, Says::Fake), (2, Says::Nothing), (2, Says::Plain), (3, Says::Fake), (3, Says::Gone), (4, Says::Gone)];
    let taken = (0..).zip(batch).map(|(offset, (revision, says))| event(offset, 1, revision, says)).collect();
    let output = bench.scan(taken);
    bench.commit(&output);
    let told = bench.told();
    let is: Vec<(&str, &str, Option<&str>)> = told.iter().map(|(e, op, because)| (&**e, &**op, because.as_deref())).collect();
    let wanted =
        [("e0", "upsert", None), ("e2", "withdraw", Some("edited")), ("e3", "upsert", None), ("e5", "withdraw", Some("listing_removed"))];
    assert_eq!(is, wanted);
    assert_eq!(bench.suspects[1]["supersedes"], bench.suspects[0]["detection_id"]);
    let left: Vec<usize> = bench.rows.iter().map(|(.., open)| open.len()).collect();
    assert_eq!(left, [1, 0, 1, 0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Batches are committed, dropped, left in doubt and read back by another worker: what is committed is what one worker tells that
    /// takes event after event.
    #[test]
    fn whatever_becomes_of_batches_each_suspicion_is_taken_back_once(
        events in prop::collection::vec((0u8..3, 1u64..9, 0u8..8), 1..24),
        fates in prop::collection::vec((1usize..6, 0u8..6), 1..40),
    ) {
        let says = |n| match n {
            0..4 => Says::Fake,
            4 | 5 => Says::Plain,
            6 => Says::Gone,
            _ => Says::Nothing,
        };
        let events: Vec<(u8, u64, Says)> = events.into_iter().map(|(listing, revision, n)| (listing, revision, says(n))).collect();
        let (mut bench, mut next) = (Bench::new(), 0);
        // In the end all is committed.
        for (most, fate) in fates.into_iter().chain(std::iter::repeat_n((5, 0), events.len())) {
            let end = (next + most).min(events.len());
            let taken = (0i64..).zip(&events).take(end).skip(next).map(|(offset, (l, r, s))| event(offset, *l, *r, *s)).collect();
            let output = bench.scan(taken);
            let (fate, stands) = match fate {
                0 | 1 => (Fate::Committed, true),
                2 => (Fate::Dropped, false),
                3 => (Fate::Unknown, true),
                4 => (Fate::Unknown, false),
                // Another worker has the partition meanwhile.
                _ => {
                    bench.memory.forget(&[0]);
                    (Fate::Committed, true)
                }
            };
            if stands {
                bench.commit(&output);
                next = end;
            }
            bench.memory.settle(fate);
            bench.restore();
        }
        prop_assert_eq!(bench.told(), expected(&events));
    }
}
