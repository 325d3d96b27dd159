//! Reports of the example's quarter, and of records made to be difficult.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use touchstone_schemas::{Band, Origin};

use super::figures::Figures;
use super::reckon::Report;
use super::{Only, Period, TOPICS, Tally, csv, html, moment};
use crate::archive::{Archive, Entry};

type Record = (String, u64, Entry);

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn examples() -> Vec<Record> {
    let mut records = Vec::new();
    let archive = Archive::of(None, Some(&project("examples/records"))).expect("a folder");
    archive.read(&TOPICS, |topic, entry| records.push((topic.to_owned(), records.len() as u64, entry))).expect("readable");
    records
}

fn tally(from: &str, to: &str, only: Only, records: &[Record]) -> Tally {
    let period = Period::new(moment(from).expect("a date"), moment(to).expect("a date")).expect("a period");
    let mut tally = Tally::new(period, only);
    for (topic, number, entry) in records {
        tally.add(topic, *number, entry).unwrap_or_else(|e| panic!("{}: {e}", entry.place));
    }
    tally
}

fn quarter(records: &[Record]) -> Report {
    tally("2026-07-01", "2027-01-01", Only::default(), records).report(|_, _| None)
}

fn of<'a>(report: &'a Report, platform: Option<&str>, brand: Option<&str>) -> &'a Figures {
    &report.scopes[&(platform.map(str::to_owned), brand.map(str::to_owned))]
}

/// `TOUCHSTONE_BLESS=1 cargo test -p touchstone --bin touchstone reporting` writes the snapshot anew.
#[test]
fn the_report_of_the_example_is_that_of_the_snapshot() {
    let text = csv(&quarter(&examples()));
    let file = project("pipeline/tests/snapshots/report.csv");
    if std::env::var_os("TOUCHSTONE_BLESS").is_some() {
        std::fs::write(&file, &text).expect("the snapshot can be written");
    }
    assert_eq!(text, std::fs::read_to_string(&file).expect("the snapshot"));
}

#[test]
fn the_figures_of_the_example_are_those_counted_by_hand() {
    let report = quarter(&examples());
    let all = of(&report, None, None);
    assert_eq!(BANDS.map(|band| all.suspects[&band]), [12, 7, 2]);
    assert_eq!(Origin::ALL.iter().map(|origin| all.removals[origin]).collect::<Vec<_>>(), [11, 2, 2]);
    assert_eq!((all.shadow[&Origin::Proactive], all.proactive_per_requested()), (1, Some(2.75)));
    // Both notices that led to removals came before them; nobody had reported the others.
    assert_eq!(all.unprompted, 13);
    assert_eq!(all.reversed.iter().collect::<Vec<_>>(), [(&"appeal_won", &1), (&"edited", &1)]);
    // One counterfeit was foreign.
    assert_eq!(all.answers.values().copied().collect::<Vec<_>>(), [7, 1, 1, 1]);
    assert_eq!((all.asked, all.answered), (10, 6));
    assert_eq!([Band::Remove, Band::Report, Band::AskBrand].map(|band| all.judged(band)), [(4, 4), (2, 4), (1, 1)]);
    assert_eq!((all.accepted, all.refused_notices.len(), all.refused_verdicts.len()), (2, 3, 1));
    let nordvale = of(&report, Some("bazaar"), Some("nordvale"));
    assert_eq!((nordvale.asked, nordvale.hours(50).as_deref()), (2, Some("19.2")));
    assert_eq!(report.standing.iter().filter(|s| s.brand_id.as_str() == "nordvale").map(|s| s.volume).collect::<Vec<_>>(), [6]);
    assert_eq!(report.cases.iter().map(|c| (c.rank.to_string(), c.sellers.len())).collect::<Vec<_>>(), [("5".into(), 2), ("2".into(), 1)]);
}

const BANDS: [Band; 3] = [Band::Remove, Band::Report, Band::AskBrand];

#[test]
fn a_report_of_one_brand_has_nothing_of_others() {
    let only = Only { brand: Some("harbor".to_owned()), platform: Some("bazaar".to_owned()) };
    let report = tally("2026-07-01", "2027-01-01", only, &examples()).report(|_, _| None);
    assert_eq!(report.scopes.keys().cloned().collect::<Vec<_>>(), [(Some("bazaar".to_owned()), Some("harbor".to_owned()))]);
    let harbor = of(&report, Some("bazaar"), Some("harbor"));
    assert_eq!((harbor.removed(), harbor.shadow[&Origin::Proactive], harbor.asked, harbor.answered), (0, 1, 1, 1));
    assert!(report.cases.is_empty() && report.refused.is_empty() && report.standing.len() == 1);
    let text = html(&report);
    assert!(!text.contains("nordvale") && !text.contains("kessra"), "{text}");
}

#[test]
fn a_period_knows_what_came_before_it_and_not_what_comes_after() {
    // Asked on 15 October, answered on the 16th; the appeal was lost on the 27th.
    let only = || Only { brand: Some("nordvale".to_owned()), platform: Some("bazaar".to_owned()) };
    let figures = |from, to| {
        let report = tally(from, to, only(), &examples()).report(|_, _| None);
        let figures = of(&report, Some("bazaar"), Some("nordvale")).clone();
        (figures.asked, figures.answered, figures.removed(), figures.appeals.values().sum::<usize>())
    };
    assert_eq!(figures("2026-10-15", "2026-10-16"), (1, 0, 0, 0));
    assert_eq!(figures("2026-10-16", "2026-10-17"), (0, 0, 1, 0));
    assert_eq!(figures("2026-10-27", "2026-10-28"), (0, 0, 0, 1));
}

#[test]
fn answers_are_in_time_by_what_is_told_of_due_times() {
    const DAY: i64 = 86_400_000;
    let tally = tally("2026-07-01", "2027-01-01", Only::default(), &examples());
    for (days, expected) in [(1, (10, 1)), (3, (10, 6)), (400, (6, 6))] {
        let report = tally.report(|market, asked| {
            assert_eq!(market.len(), 2);
            Some(asked + days * DAY)
        });
        let all = of(&report, None, None);
        assert_eq!((all.due, all.in_time), expected, "{days}");
    }
}

#[test]
fn filings_are_accepted_as_often_as_they_were_not_refused() {
    let notice = r#"{"notice_id":"n","brand_id":"a","by":{"type":"brand","id":"d"},"target":{"platform":"p","market":"ID","listing_id":"1"},"at":"2026-08-01T00:00:00Z"}"#;
    let record = |topic: &str, reason: Option<&str>| {
        let reason = reason.map(str::to_owned);
        (topic.to_owned(), 0, Entry { payload: notice.into(), detail: reason.clone(), reason, ..Entry::default() })
    };
    let (came, refused) = (record("notices", None), record("dead-letters", Some("double")));
    for (records, accepted, number) in [
        (vec![came.clone()], 1, 0),
        (vec![came.clone(), refused.clone()], 0, 1),
        (vec![came.clone(), came, refused.clone()], 1, 1),
        (vec![refused], 0, 1),
    ] {
        let report = quarter(&records);
        let all = of(&report, None, None);
        assert_eq!((all.accepted, all.refused_notices.values().map(|(n, _)| *n).sum::<u64>()), (accepted, number), "{records:?}");
    }
}

#[test]
fn hostile_texts_are_escaped() {
    let hostile = "<script>alert(1)</script>\"'&";
    let json = |text: &str| text.replace("HOSTILE", &hostile.replace('"', "\\\"")).into_bytes();
    let payloads = [
        ("dead-letters", r#"{"notice_id":"HOSTILE","brand_id":"HOSTILE","target":{"platform":"HOSTILE"},"at":"2026-08-01T00:00:00Z"}"#),
        ("standing", r#"{"brand_id":"a","tier":"HOSTILE","since":"2026-08-01T00:00:00Z","why":["HOSTILE"],"volume":1}"#),
        ("cases", r#"{"case_id":"HOSTILE","sellers":["p:HOSTILE"],"rank":1,"outcomes":["HOSTILE"]}"#),
        (
            "notices",
            r#"{"notice_id":"n","brand_id":"a","by":{"type":"brand","id":"d"},"target":{"platform":"HOSTILE","market":"ID","listing_id":"1"},"at":"2026-08-01T00:00:00Z"}"#,
        ),
    ];
    let reason = Some(hostile.to_owned());
    let entry = |text| Entry { payload: json(text), reason: reason.clone(), detail: reason.clone(), ..Entry::default() };
    let report = quarter(&payloads.map(|(topic, text)| (topic.to_owned(), 0, entry(text))));
    let page = html(&report);
    assert!(!page.contains("<script") && page.matches("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;").count() >= 10, "{page}");
    assert!(csv(&report).contains("\"<script>alert(1)</script>\"\"'&\""));
}

#[test]
fn faulty_records_count_for_nothing() {
    let period = Period::new(moment("2026-07-01").expect("a date"), moment("2027-01-01").expect("a date")).expect("a period");
    let mut tally = Tally::new(period, Only::default());
    for topic in TOPICS.iter().filter(|topic| **topic != "dead-letters") {
        let entry = Entry { payload: b"{\"at\":".to_vec(), ..Entry::default() };
        assert!(tally.add(topic, 1, &entry).is_err(), "{topic}");
    }
    for payload in ["", "no JSON", "{}", "[]", r#"{"event_id":"1"}"#, r#"{"notice_id":"1","at":"yesterday"}"#] {
        let entry = Entry { payload: payload.into(), reason: Some("wrong_form".to_owned()), ..Entry::default() };
        assert!(tally.add("dead-letters", 1, &entry).is_ok(), "{payload}");
    }
    assert_eq!(tally.undated(), 1);
    assert!(tally.report(|_, _| None).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_order_of_records_matters(records in Just(examples()).prop_shuffle()) {
        let (shuffled, sorted) = (quarter(&records), quarter(&examples()));
        prop_assert_eq!(csv(&shuffled), csv(&sorted));
        prop_assert_eq!(html(&shuffled), html(&sorted));
    }
}
