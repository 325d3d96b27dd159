//! Matters from their first suspicion to their end, by what their events say.

use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};
use touchstone_decisions::{Calendars, Desk, Event, Output, Rules};
use touchstone_detectors::{Burden, Catalog, Policy, suspect_id};
use touchstone_schemas::{Decode, Life, RemovalOp, decode};

const KEY: &str = "bazaar:KR:1";
const BRAND: &str = "kessra-rowe";

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/catalog");
    Catalog::load(&folder).map(|(catalog, _)| catalog).expect("the examples' catalog")
});

fn policy(text: &str) -> Policy {
    Policy::parse(&format!("[removals]\nmode = \"on\"\n{text}")).expect("a policy")
}

fn read<T: Decode>(value: &Value) -> T {
    let decoded = decode::<T>(value.to_string().as_bytes()).unwrap_or_else(|e| panic!("{value}: {e}"));
    assert_eq!(decoded.faults, [], "{value}");
    decoded.value
}

fn matter_id() -> String {
    suspect_id("bazaar", "KR", "1", BRAND)
}

/// The time at an hour of November 2026, counted from its first day.
fn at(hour: u64) -> String {
    format!("2026-11-{:02}T{:02}:00:00Z", 2 + hour / 24, hour % 24)
}

fn suspect(hour: u64, content: &str, band: &str) -> Value {
    json!({
        "suspect_id": matter_id(), "detection_id": format!("d{hour}"), "op": "upsert", "event_id": format!("e{hour}"), "occurred_at": at(hour), "pass": 0,
        "content_hash": content,
        "listing": {"platform": "bazaar", "market": "KR", "listing_id": "1", "revision": hour, "title": "Kessra bag", "seller": {"id": "s1"}, "images": []},
        "brand_id": BRAND, "product_id": null, "score": 0.5, "band": band, "caps": [],
        "thresholds": {"remove": 0.5, "report": 0.3, "ask_brand": 0.1}, "reason": "counterfeit",
        "evidence": [{"detector": "text", "kind": "coded_phrase", "weight": 3}], "images_seen": [],
        "catalog_version": "c", "policy_version": "p", "engine_version": "e", "detected_at": at(hour)
    })
}

fn verdict(hour: u64, id: &str, by: &str, says: &str) -> Value {
    let giver = match by {
        "agent" => "greyfin",
        other => other,
    };
    json!({"verdict_id": id, "suspect_id": matter_id(), "brand_id": BRAND, "platform": "bazaar", "market": "KR", "listing_id": "1",
        "verdict": says, "by": {"type": by, "id": giver}, "at": at(hour)})
}

fn notice(hour: u64, id: &str) -> Value {
    json!({"notice_id": id, "brand_id": BRAND, "by": {"type": "agent", "id": "greyfin"},
        "target": {"platform": "bazaar", "market": "KR", "listing_id": "1"}, "at": at(hour)})
}

/// An event in words: what happens, after `content:` where the listing is another than at first.
fn event(hour: u64, words: &str, last_removal: &str) -> Event {
    let (content, what) = words.split_once(':').unwrap_or(("one", words));
    let (first, rest) = what.split_once(' ').unwrap_or((what, ""));
    match first {
        "found" => Event::Suspect(Box::new(read(&suspect(hour, content, rest)))),
        "withdrawn" => {
            let mut value = suspect(hour, content, "report");
            value["op"] = json!("withdraw");
            value["withdrawn_because"] = json!(rest);
            Event::Suspect(Box::new(read(&value)))
        }
        "brand" | "agent" | "moderator" => Event::Verdict(Box::new(read(&verdict(hour, &format!("v{hour}"), first, rest)))),
        "proven" => {
            let mut value = verdict(hour, &format!("v{hour}"), "brand", rest);
            value["proof"] = json!([{"type": "test_purchase", "ref": "r"}]);
            Event::Verdict(Box::new(read(&value)))
        }
        "corrected" => {
            let (old, says) = rest.split_once(' ').expect("corrected OLD SAYS");
            let mut value = verdict(hour, &format!("v{hour}"), "agent", says);
            value["supersedes"] = json!(old);
            Event::Verdict(Box::new(read(&value)))
        }
        "notice" => Event::Notice(Box::new(read(&notice(hour, &format!("n{hour}"))))),
        "appeal" => Event::Appeal(read(&json!({"appeal_id": "a", "removal_id": last_removal, "outcome": rest, "at": at(hour)}))),
        "receipt" => Event::Receipt(read(&json!({"removal_id": last_removal, "outcome": rest, "at": at(hour)}))),
        other => panic!("{other:?}"),
    }
}

/// A desk with what the burden is, and the last removal that it ordered.
struct Play {
    policy: Policy,
    burden: Burden,
    desk: Desk,
    last_removal: String,
}

impl Play {
    fn new(policy: Policy, burden: Burden) -> Self {
        let mut desk = Desk::new(1_000, 180);
        desk.see(KEY);
        Self { policy, burden, desk, last_removal: "none".to_owned() }
    }

    /// What became of an event, what was written of it, and where the matter stands then.
    fn step(&mut self, hour: u64, words: &str) -> String {
        let (burden, event) = (self.burden, event(hour, words, &self.last_removal));
        let rules = Rules {
            policy: &self.policy,
            catalog: &CATALOG,
            calendars: Calendars::shipped(),
            burden: &|_| burden,
            fails: &|_, _, _| false,
            partitions: 1,
        };
        let heading = self.desk.take(&rules, KEY, &event);
        let mut written = Vec::new();
        for output in heading.outputs {
            match output {
                Output::Removal(removal) => {
                    let op = if removal.op == RemovalOp::Remove { "remove" } else { "withdraw" };
                    if removal.op == RemovalOp::Remove {
                        self.last_removal = removal.removal_id.to_string();
                    } else {
                        assert_eq!(removal.reverses.as_ref().map(|id| id.as_str()), Some(self.last_removal.as_str()));
                    }
                    written.push(format!("{op} {}{}", removal.origin.as_str(), if removal.shadow { " shadow" } else { "" }));
                }
                Output::Refused(refusal) => written.push(format!("refused {}", refusal.reason)),
                Output::Held(cap) => written.push(format!("held {}", cap.as_str())),
                Output::Link(_) => {}
            }
        }
        let life = self.desk.docket(KEY).and_then(|docket| docket.matters.first()).map_or("-", |matter| matter.life.as_str());
        let written = if written.is_empty() { String::new() } else { format!(" [{}]", written.join(", ")) };
        format!("{}{written} {life}", heading.heard)
    }
}

#[test]
fn matters_go_their_ways() {
    use Burden::{Moderator, Proof, Suspicion, Word};
    type Steps = [(u64, &'static str, &'static str)];
    let plays: &[(&str, Burden, &Steps)] = &[
        (
            "the brand confirms",
            Suspicion,
            &[
                (0, "found report", "found asked"),
                (2, "brand counterfeit", "applied [remove verdict] removed"),
                (3, "brand counterfeit", "double removed"),
                (4, "receipt done", "applied removed"),
                (5, "found report", "seen_again removed"),
                (6, "appeal opened", "applied countered"),
                (7, "appeal lost", "applied upheld"),
            ],
        ),
        (
            "its word does not suffice",
            Suspicion,
            &[
                (0, "found ask_brand", "found asked"),
                (2, "brand counterfeit", "applied reported"),
                (3, "moderator counterfeit", "applied [remove verdict] removed"),
            ],
        ),
        ("its word suffices", Word, &[(0, "found ask_brand", "found asked"), (2, "agent counterfeit", "applied [remove verdict] removed")]),
        (
            "a proof suffices",
            Proof,
            &[(0, "found ask_brand", "found asked"), (2, "proven counterfeit", "applied [remove verdict] removed")],
        ),
        (
            "a restricted brand",
            Moderator,
            &[
                (0, "found report", "found asked"),
                (2, "proven counterfeit", "applied reported"),
                (3, "moderator counterfeit", "applied [remove verdict] removed"),
            ],
        ),
        (
            "removed at once, and put back",
            Suspicion,
            &[
                (0, "found remove", "found [remove proactive] removed"),
                (1, "found remove", "seen_again removed"),
                (2, "brand genuine", "applied [withdraw proactive] reinstated"),
                (3, "found remove", "seen_again reinstated"),
                (4, "brand counterfeit", "contradictory [remove verdict] removed"),
            ],
        ),
        (
            "an appeal is won",
            Word,
            &[
                (0, "found remove", "found [remove proactive] removed"),
                (1, "appeal opened", "applied countered"),
                (2, "appeal won", "applied [withdraw proactive] reinstated"),
                (3, "brand counterfeit", "applied reported"),
                (4, "moderator counterfeit", "applied [remove verdict] removed"),
            ],
        ),
        (
            "the content changes",
            Suspicion,
            &[
                (0, "found report", "found asked"),
                (2, "brand genuine", "applied rejected"),
                (3, "found report", "seen_again rejected"),
                (4, "two:found report", "changed asked"),
                (5, "brand counterfeit", "applied [remove verdict] removed"),
                (6, "three:found remove", "changed [remove proactive] removed"),
            ],
        ),
        (
            "the suspicion goes and comes back",
            Suspicion,
            &[
                (0, "found report", "found asked"),
                (2, "brand counterfeit", "applied [remove verdict] removed"),
                (3, "withdrawn policy", "withdrawn [withdraw verdict] withdrawn"),
                (4, "found report", "came_back [remove verdict] removed"),
                (5, "withdrawn listing_removed", "withdrawn [withdraw verdict] withdrawn"),
                (6, "brand genuine", "contradictory withdrawn"),
                (7, "found report", "came_back rejected"),
            ],
        ),
        ("an early word", Suspicion, &[(5, "brand counterfeit", "early suspected"), (4, "found report", "found [remove verdict] removed")]),
        (
            "a word of what was before",
            Suspicion,
            &[(0, "found report", "found asked"), (6, "two:found report", "changed asked"), (3, "brand counterfeit", "outdated asked")],
        ),
        (
            "words that contradict",
            Suspicion,
            &[
                (0, "found report", "found asked"),
                (2, "brand genuine", "applied rejected"),
                (3, "agent counterfeit", "contradictory rejected"),
                (4, "corrected v2 counterfeit", "double rejected"),
            ],
        ),
        (
            "a word that replaces another",
            Suspicion,
            &[
                (0, "found report", "found asked"),
                (2, "brand genuine", "applied rejected"),
                (4, "corrected v2 counterfeit", "contradictory [remove verdict] removed"),
            ],
        ),
        (
            "unsure is no answer",
            Suspicion,
            &[(0, "found report", "found asked"), (2, "brand unsure", "unsure asked"), (3, "brand grey", "applied rejected")],
        ),
        (
            "an answer that is late",
            Suspicion,
            &[(0, "found report", "found asked"), (300, "brand counterfeit", "late [remove verdict] removed")],
        ),
        (
            "the platform does not",
            Suspicion,
            &[
                (0, "found remove", "found [remove proactive] removed"),
                (1, "receipt refused", "applied reported"),
                (2, "found remove", "seen_again reported"),
                (3, "brand counterfeit", "applied [remove verdict] removed"),
                (4, "receipt not_found", "applied withdrawn"),
                (5, "appeal opened", "out_of_turn withdrawn"),
            ],
        ),
        (
            "a notice without a suspicion",
            Suspicion,
            &[
                (0, "notice", "applied reported"),
                (1, "found remove", "found reported"),
                (2, "found remove", "seen_again [remove proactive] removed"),
            ],
        ),
        (
            "a notice that suffices",
            Word,
            &[(0, "notice", "applied [remove notice] removed"), (1, "notice", "already_down [refused already_down] removed")],
        ),
    ];
    for (name, burden, steps) in plays {
        let mut play = Play::new(policy(""), *burden);
        for (hour, words, expected) in *steps {
            assert_eq!(&play.step(*hour, words), expected, "{name}: {words} at {hour}");
        }
    }
}

#[test]
fn nothing_is_ordered_where_removals_are_off_or_shadow() {
    let mut off = Play::new(policy(""), Burden::Word);
    off.policy = Policy::parse("").expect("the shipped policy");
    assert_eq!(off.step(0, "found remove"), "found asked");
    assert_eq!(off.step(1, "brand counterfeit"), "applied reported");
    let mut shadow = Play::new(Policy::parse("[removals]\nmode = \"shadow\"").expect("a policy"), Burden::Word);
    assert_eq!(shadow.step(0, "found remove"), "found [remove proactive shadow] asked");
    assert_eq!(shadow.step(1, "found remove"), "seen_again asked");
    assert_eq!(shadow.step(2, "brand counterfeit"), "applied reported");
    assert_eq!(shadow.step(3, "withdrawn edited"), "withdrawn [withdraw proactive shadow] withdrawn");
}

#[test]
fn what_a_brand_denies_too_often_removes_nothing_by_itself() {
    let (policy, mut desk) = (policy(""), Desk::new(1_000, 180));
    let fails = |brand: &str, what: &str, which: &str| (brand, what, which) == (BRAND, "kind", "coded_phrase");
    let rules = Rules {
        policy: &policy,
        catalog: &CATALOG,
        calendars: Calendars::shipped(),
        burden: &|_| Burden::Suspicion,
        fails: &fails,
        partitions: 1,
    };
    let found = desk.take(&rules, KEY, &event(0, "found remove", ""));
    assert!(found.outputs.iter().any(|output| matches!(output, Output::Held(cap) if cap.as_str() == "quarantine")), "{:?}", found.outputs);
    assert_eq!(desk.docket(KEY).expect("a docket").matters[0].life, Life::Asked);
    let said = desk.take(&rules, KEY, &event(1, "brand counterfeit", ""));
    assert!(said.outputs.iter().any(|output| matches!(output, Output::Removal(_))), "the brand's word does");
}

#[test]
fn what_goes_over_a_cap_is_asked_instead() {
    let mut play = Play::new(policy("most_per_rule = 1"), Burden::Word);
    assert_eq!(play.step(0, "found remove"), "found [remove proactive] removed");
    assert_eq!(play.step(1, "two:found remove"), "changed [held rule] asked");
    assert_eq!(play.step(2, "brand counterfeit"), "applied [held rule] reported");
    assert_eq!(play.step(30, "three:found remove"), "changed [remove proactive] removed");
}

#[test]
fn foreign_words_and_notices_are_refused_with_their_reasons() {
    let policy = policy("");
    let rules = Rules {
        policy: &policy,
        catalog: &CATALOG,
        calendars: Calendars::shipped(),
        burden: &|_| Burden::Word,
        fails: &|_, _, _| false,
        partitions: 1,
    };
    let mut desk = Desk::new(1_000, 180);
    desk.see("bazaar:KR:1");
    let mut reason = |event: Event| match desk.take(&rules, KEY, &event).outputs.first() {
        Some(Output::Refused(refusal)) => refusal.reason,
        _ => "accepted",
    };
    let change = |mut value: Value, pointer: &str, to: Value| {
        *value.pointer_mut(pointer).expect("it is there") = to;
        value
    };
    let words = verdict(1, "v", "agent", "counterfeit");
    for (pointer, to, expected) in [
        ("/suspect_id", json!("0"), "foreign"),
        ("/brand_id", json!("nordvale"), "foreign"),
        ("/by/id", json!("somebody"), "foreign"),
        ("/at", json!("2028-01-01T00:00:00Z"), "foreign"),
    ] {
        assert_eq!(reason(Event::Verdict(Box::new(read(&change(words.clone(), pointer, to))))), expected, "{pointer}");
    }
    let mut tell = |pointer: &str, to: Value| reason(Event::Notice(Box::new(read(&change(notice(1, "n"), pointer, to)))));
    assert_eq!(tell("/brand_id", json!("kesra-rowe")), "unknown_brand");
    assert_eq!(tell("/brand_id", json!("nordvale")), "not_the_reporters_brand");
    assert_eq!(tell("/by", json!({"type": "brand", "id": "nordvale-as"})), "not_the_reporters_brand");
    assert_eq!(tell("/by/id", json!("somebody")), "not_the_reporters_brand");
    assert_eq!(tell("/at", json!("2028-01-01T00:00:00Z")), "agents_term_over");
    assert_eq!(tell("/target/market", json!("BR")), "territory_not_covered");
    assert_eq!(tell("/notice_id", json!("n2")), "accepted");
    let other = change(notice(1, "n3"), "/target/listing_id", json!("2"));
    let mut desk = Desk::new(1_000, 180);
    let heading = desk.take(&rules, "bazaar:KR:2", &Event::Notice(Box::new(read(&other))));
    assert_eq!(heading.heard, "no_such_listing");
    let mut forgetful = Desk::new(0, 180);
    assert_eq!(forgetful.take(&rules, "bazaar:KR:2", &Event::Notice(Box::new(read(&other)))).heard, "applied", "nobody can tell");
}

#[test]
fn an_order_names_so_many_listings() {
    let policy = policy("[notices]\nmost_listings = 2");
    let rules = Rules {
        policy: &policy,
        catalog: &CATALOG,
        calendars: Calendars::shipped(),
        burden: &|_| Burden::Proof,
        fails: &|_, _, _| false,
        partitions: 1,
    };
    let mut desk = Desk::new(0, 180);
    let heard: Vec<&str> = (0..3)
        .map(|n| {
            let mut value = notice(1, &format!("n{n}"));
            value["order_id"] = json!("o");
            value["target"]["listing_id"] = json!(n.to_string());
            desk.take(&rules, &format!("bazaar:KR:{n}"), &Event::Notice(Box::new(read(&value)))).heard
        })
        .collect();
    assert_eq!(heard, ["applied", "applied", "order_too_large"]);
}

#[test]
fn an_answer_is_overdue_by_the_platforms_time_alone() {
    let mut play = Play::new(policy(""), Burden::Suspicion);
    play.step(0, "found report");
    assert_eq!(play.step(600, "moderator unsure"), "late asked", "its own time does not count");
    let rules = Rules {
        policy: &play.policy,
        catalog: &CATALOG,
        calendars: Calendars::shipped(),
        burden: &|_| Burden::Word,
        fails: &|_, _, _| false,
        partitions: 1,
    };
    let mut other = suspect(601, "one", "report");
    other["listing"]["listing_id"] = json!("2");
    play.desk.take(&rules, "bazaar:KR:2", &Event::Suspect(Box::new(read(&other))));
    assert_eq!(play.desk.docket(KEY).expect("a docket").matters[0].life, Life::Expired);
}

proptest! {
    /// Whatever happens in whatever order: a removal is withdrawn once at most, its id comes once, none is ordered while one stands, and a desk
    /// that was kept and restored goes on as if nothing had been.
    #[test]
    fn removals_are_orderly(steps in prop::collection::vec((0u64..400, 0usize..14), 1..40), cut in 0usize..40) {
        const WORDS: [&str; 14] = [
            "found ask_brand", "found report", "found remove", "two:found remove", "two:found report", "withdrawn edited", "brand counterfeit",
            "agent genuine", "moderator counterfeit", "appeal opened", "appeal won", "appeal lost", "receipt refused", "notice",
        ];
        let policy = policy("");
        let rules = Rules { policy: &policy, catalog: &CATALOG, calendars: Calendars::shipped(), burden: &|_| Burden::Suspicion, fails: &|_, _, _| false, partitions: 1 };
        let mut desk = Desk::new(0, 3_000);
        let (mut standing, mut ids, mut last) = (None::<String>, Vec::new(), "none".to_owned());
        for (n, (hour, word)) in steps.iter().enumerate() {
            if n == cut {
                let mut restored = Desk::new(0, 3_000);
                if let Some(docket) = desk.docket(KEY) {
                    let kept = serde_json::to_vec(docket).expect("it can be written");
                    restored.restore(KEY, Some(decode(&kept).expect("it can be read").value));
                }
                let state = serde_json::to_vec(&desk.state()).expect("it can be written");
                restored.restore_state(&decode(&state).expect("it can be read").value);
                prop_assert_eq!(restored.docket(KEY), desk.docket(KEY));
                desk = restored;
            }
            let changed_content = WORDS[*word].contains("found");
            for output in desk.take(&rules, KEY, &event(*hour, WORDS[*word], &last)).outputs {
                if let Output::Removal(removal) = output {
                    let id = removal.removal_id.to_string();
                    prop_assert!(!ids.contains(&id), "{id} came twice");
                    ids.push(id.clone());
                    match removal.op {
                        RemovalOp::Remove => {
                            // Other content may be removed while the removal of the former stands.
                            prop_assert!(standing.is_none() || changed_content, "one stands already");
                            last.clone_from(&id);
                            standing = Some(id);
                        }
                        RemovalOp::Withdraw => {
                            prop_assert_eq!(removal.reverses.map(|id| id.to_string()), standing.take());
                        }
                    }
                }
            }
            if let Some(matter) = desk.docket(KEY).and_then(|docket| docket.matters.first()) {
                standing = matter.removal.as_ref().map(|ordered| ordered.removal_id.clone());
                let life = matter.life;
                prop_assert_eq!(standing.is_some(), matches!(life, Life::Removed | Life::Countered | Life::Upheld), "{:?}", life);
            }
        }
    }
}
