//! What is remembered, through whatever becomes of batches.

use proptest::prelude::*;
use touchstone_schemas::{Band, BrandId, Score};

use super::*;

const A: i32 = 0;

fn at(revision: u64, place: u64) -> Seen {
    Seen { revision, place }
}

/// So many suspicions, as the event at a place left them.
fn suspects(place: u64, most: usize) -> Vec<OpenSuspect> {
    let one = |brand| OpenSuspect {
        brand_id: BrandId::new(&format!("b{brand}")).expect("a brand"),
        detection_id: place.to_string(),
        score: Score::from_f64(0.9),
        band: Band::Report,
        content_hash: String::new(),
        reason: None,
        seller_id: None,
        catalog_version: None,
        policy_version: None,
    };
    (0..most).map(one).collect()
}

#[test]
fn a_dropped_batch_leaves_no_trace() {
    let mut memory = Memory::new(10);
    assert_eq!(memory.unknown([A, 1, A].into_iter()), [A, 1]);
    memory.restore(A, [(key("a"), at(3, 7), Vec::new())]);
    assert_eq!(memory.unknown([A, 1].into_iter()), [1]);
    memory.begin();
    assert!(!memory.is_new(A, "a", at(3, 8)), "read back");
    assert!(memory.is_new(A, "a", at(5, 9)));
    memory.keep(A, "a", at(5, 9), suspects(9, 1));
    memory.begin();
    assert!(!memory.is_new(A, "a", at(4, 10)), "on its way");
    assert_eq!(memory.open(A, "a", 10), suspects(9, 1), "on its way");
    memory.settle(Fate::Dropped);
    memory.settle(Fate::Dropped);
    assert!(memory.is_settled());
    memory.begin();
    assert!(memory.is_new(A, "a", at(4, 9)), "as if it had never been");
    assert_eq!(memory.open(A, "a", 9), [], "as if it had never been");
    memory.settle(Fate::Committed);
    memory.begin();
    assert!(memory.is_new(A, "a", at(4, 11)), "it came to nothing");
    memory.settle(Fate::Committed);
    memory.forget(&[A]);
    assert_eq!(memory.unknown([A].into_iter()), [A]);
}

#[test]
fn an_event_that_comes_to_nothing_leaves_what_the_one_before_it_left() {
    let mut memory = Memory::new(10);
    memory.restore(A, []);
    memory.begin();
    assert!(memory.is_new(A, "a", at(1, 1)) && memory.is_new(A, "a", at(2, 2)));
    memory.keep(A, "a", at(1, 1), suspects(1, 1));
    memory.settle(Fate::Committed);
    memory.begin();
    assert_eq!(memory.open(A, "a", 3), suspects(1, 1));
    assert!(!memory.is_new(A, "a", at(1, 3)) && memory.is_new(A, "a", at(2, 4)));
}

#[test]
fn what_may_be_committed_or_not_is_read_back() {
    let mut memory = Memory::new(10);
    memory.restore(A, [(key("a"), at(3, 7), Vec::new())]);
    memory.begin();
    assert!(memory.is_new(A, "a", at(4, 9)));
    memory.keep(A, "a", at(4, 9), Vec::new());
    memory.settle(Fate::Unknown);
    assert_eq!(memory.unknown([A].into_iter()), [A]);
}

#[test]
fn the_same_event_again_takes_the_same_back_until_that_is_committed() {
    let mut memory = Memory::new(10);
    let before = || [(key("a"), at(1, 5), suspects(5, 2))];
    memory.restore(A, before());
    for fate in [Fate::Dropped, Fate::Unknown, Fate::Dropped, Fate::Committed] {
        memory.begin();
        assert!(memory.is_new(A, "a", at(2, 7)), "{fate:?}");
        assert_eq!(memory.open(A, "a", 7), suspects(5, 2), "{fate:?}");
        memory.keep(A, "a", at(2, 7), suspects(7, 1));
        assert_eq!(memory.open(A, "a", 8), suspects(7, 1), "{fate:?}");
        memory.settle(fate);
        if fate == Fate::Unknown {
            memory.restore(A, before());
        }
    }
    // Taken once more after that, as where offsets were not committed or were set back: what came first is not known any more.
    memory.begin();
    assert!(memory.is_new(A, "a", at(2, 7)));
    assert_eq!(memory.open(A, "a", 7), []);
    assert!(memory.is_new(A, "a", at(1, 5)));
    assert_eq!(memory.open(A, "a", 5), [], "what came later is not taken back by what came before");
    memory.keep(A, "a", at(1, 5), suspects(5, 2));
    assert_eq!(memory.open(A, "a", 7), suspects(5, 2), "from there on all is as it was");
    memory.settle(Fate::Committed);
    assert!(!memory.is_new(A, "a", at(2, 8)), "the highest revision stands");
}

#[test]
fn a_later_pass_leaves_what_it_found() {
    let mut memory = Memory::new(10);
    memory.restore(A, [(key("a"), at(1, 5), suspects(5, 1))]);
    memory.begin();
    memory.keep(A, "a", at(1, 5), suspects(6, 2));
    assert_eq!(memory.open(A, "a", 7), suspects(6, 2));
    memory.settle(Fate::Dropped);
    assert_eq!(memory.open(A, "a", 7), suspects(5, 1));
    memory.begin();
    memory.keep(A, "a", at(1, 5), suspects(6, 2));
    memory.settle(Fate::Committed);
    assert_eq!(memory.open(A, "a", 7), suspects(6, 2));
}

#[test]
fn suspicions_are_forgotten_with_their_listings() {
    let mut memory = Memory::new(3);
    memory.restore(A, []);
    for place in 0..20 {
        memory.begin();
        memory.keep(A, &place.to_string(), at(1, place), suspects(place, 1));
        memory.settle(Fate::Committed);
        let held: Vec<u64> = (0..=place).filter(|p| !memory.open(A, &p.to_string(), u64::MAX).is_empty()).collect();
        let seen: Vec<u64> = (0..=place).filter(|p| !memory.is_new(A, &p.to_string(), at(1, 100))).collect();
        memory.begin();
        memory.settle(Fate::Dropped);
        assert_eq!(held, seen, "{place}");
        assert!(held.len() <= 6);
    }
}

#[test]
fn a_listing_is_as_it_was_until_a_newer_event_is_seen() {
    let mut memory = Memory::new(10);
    memory.restore(A, [(key("a"), at(3, 7), Vec::new())]);
    memory.begin();
    let still = |memory: &Memory, revision, place| memory.is_still(A, "a", revision, place);
    for (revision, place, expected) in
        [(3, Some(7), true), (3, None, true), (3, Some(6), false), (2, Some(7), false), (4, None, false), (4, Some(9), false)]
    {
        assert_eq!(still(&memory, revision, place), expected, "{revision} {place:?}");
    }
    assert!(memory.is_still(A, "b", 1, Some(1)), "nothing is known of it");
    assert!(memory.is_new(A, "a", at(4, 9)));
    assert!(!still(&memory, 3, Some(7)) && still(&memory, 4, Some(9)), "judged");
    memory.keep(A, "a", at(4, 9), Vec::new());
    memory.begin();
    assert!(!still(&memory, 3, Some(7)) && still(&memory, 4, Some(9)), "on its way");
    memory.settle(Fate::Dropped);
    assert!(still(&memory, 3, Some(7)), "dropped");
}

/// A row of the state topic: listing, event and suspicions.
type Kept = (u64, Seen, Vec<OpenSuspect>);

fn rows(kept: &[Kept]) -> Vec<Row> {
    kept.iter().map(|(listing, seen, open)| (key(&listing.to_string()), *seen, open.clone())).collect()
}

proptest! {
    /// Whatever is committed, dropped, in doubt and taken away, the answers are those of one list of all that was committed and is
    /// on its way.
    #[test]
    fn equals_a_list(steps in prop::collection::vec((0u8..12, 0u64..4, 0u64..6, 0usize..3), 1..120)) {
        let mut memory = Memory::new(1_000);
        memory.restore(A, []);
        let mut kept: Vec<Kept> = Vec::new();
        let mut flying: Vec<Vec<Kept>> = Vec::new();
        let mut judged: Vec<(u64, Seen)> = Vec::new();
        for (place, (step, listing, revision, found)) in (0u64..).zip(steps) {
            let name = listing.to_string();
            let last = kept.iter().chain(flying.iter().flatten()).rfind(|(l, ..)| *l == listing).cloned();
            match step {
                0 => {
                    memory.begin();
                    flying.push(Vec::new());
                    judged.clear();
                }
                1 if !flying.is_empty() => {
                    memory.settle(Fate::Committed);
                    kept.extend(flying.remove(0));
                }
                // What is behind a batch that is dropped is of an old tenure, and dropped too.
                2 => {
                    while !memory.is_settled() {
                        memory.settle(Fate::Dropped);
                    }
                    flying.clear();
                }
                // The answer to a commit is lost: what is behind it is dropped.
                3 if !flying.is_empty() => {
                    memory.settle(Fate::Unknown);
                    let batch = flying.remove(0);
                    if revision % 2 == 0 {
                        kept.extend(batch);
                    }
                    while !memory.is_settled() {
                        memory.settle(Fate::Dropped);
                    }
                    flying.clear();
                    // A batch that kept nothing left nothing in doubt.
                    if !memory.unknown([A].into_iter()).is_empty() {
                        memory.restore(A, rows(&kept));
                    }
                }
                // Taken away and given back, with all that was on its way committed meanwhile, or none.
                4 => {
                    memory.forget(&[A]);
                    let fate = if revision % 2 == 0 { Fate::Committed } else { Fate::Dropped };
                    while !memory.is_settled() {
                        memory.settle(fate);
                    }
                    let batches = std::mem::take(&mut flying);
                    if fate == Fate::Committed {
                        kept.extend(batches.into_iter().flatten());
                    }
                    memory.restore(A, rows(&kept));
                }
                // Another look at the last event.
                5 if !flying.is_empty() => {
                    if let Some((_, seen, _)) = last {
                        memory.keep(A, &name, seen, suspects(seen.place, found));
                        flying.last_mut().expect("a batch").push((listing, seen, suspects(seen.place, found)));
                    }
                }
                _ if !flying.is_empty() => {
                    let event = at(revision, place);
                    let known = kept.iter().chain(flying.iter().flatten()).map(|(l, seen, _)| (*l, *seen)).chain(judged.iter().copied());
                    let new = !known.into_iter().any(|(l, seen)| l == listing && seen.makes_stale(event));
                    prop_assert_eq!(memory.is_new(A, &name, event), new);
                    if new {
                        judged.push((listing, event));
                        let open = last.map(|(_, _, open)| open).unwrap_or_default();
                        prop_assert_eq!(memory.open(A, &name, place), open);
                        // Some come to nothing.
                        if step != 6 {
                            memory.keep(A, &name, event, suspects(place, found));
                            flying.last_mut().expect("a batch").push((listing, event, suspects(place, found)));
                        }
                    }
                }
                _ => {}
            }
        }
    }
}
