//! The ledger held against a model that computes everything from scratch, and to the same result in any order.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use touchstone_detectors::{Policy, suspect_id};
use touchstone_schemas::{Appeal, BrandId, Market, Notice, Removal, Shares, Standing, Timestamp, Verdict, decode};

use super::counts::{Counts, Part};
use super::ledger::Ledger;

const DAY: i64 = 86_400_000;
const BRANDS: [&str; 2] = ["acme", "zenith"];
const SAID: [&str; 4] = ["counterfeit", "genuine", "grey", "unsure"];
const CODES: [&str; 3] = ["", "TM-01", "CR-02"];

/// A record with few ids, so that records meet: numbers pick listings, brands, givers, removals and times.
#[derive(Debug, Clone, PartialEq)]
enum Record {
    Suspect { listing: usize, brand: usize, at: i64, asked: bool },
    Verdict { id: usize, listing: usize, brand: usize, said: usize, code: usize, giver: usize, at: i64, refused: bool },
    Notice { id: usize, listing: usize, brand: usize, code: usize, at: i64, refused: bool },
    Removal { id: usize, listing: usize, brand: usize, named_by_notice: bool },
    Won { removal: usize },
}

fn records() -> impl Strategy<Value = Vec<Record>> {
    let (listing, brand) = (0_usize..4, 0_usize..2);
    let place = (listing, brand, 0_i64..2_000);
    let record = prop_oneof![
        (place.clone(), any::<bool>()).prop_map(|((listing, brand, at), asked)| Record::Suspect { listing, brand, at, asked }),
        (place.clone(), 0_usize..400, 0_usize..4, 0_usize..3, 0_usize..3, 0_u8..6).prop_map(
            |((listing, brand, at), id, said, code, giver, refused)| Record::Verdict {
                id,
                listing,
                brand,
                said,
                code,
                giver,
                at,
                refused: refused == 0
            }
        ),
        (place.clone(), 0_usize..400, 0_usize..3, 0_u8..6).prop_map(|((listing, brand, at), id, code, refused)| Record::Notice {
            id,
            listing,
            brand,
            code,
            at,
            refused: refused == 0
        }),
        (place, 0_usize..6, any::<bool>()).prop_map(|((listing, brand, _), id, named_by_notice)| Record::Removal {
            id,
            listing,
            brand,
            named_by_notice
        }),
        (0_usize..12).prop_map(|removal| Record::Won { removal }),
    ];
    proptest::collection::vec(record, 0..60)
}

/// Times are hours, so that a few fall on the same day.
fn time(at: i64) -> Timestamp {
    Timestamp::from_unix_millis(at * 3_600_000)
}

fn due_at(at: i64) -> i64 {
    at + 24
}

fn matter(listing: usize, brand: usize) -> String {
    suspect_id("bazaar", "ID", &listing.to_string(), BRANDS[brand])
}

fn giver(giver: usize) -> (&'static str, &'static str) {
    [("brand", "desk"), ("agent", "ag-17"), ("moderator", "mod-1")][giver]
}

fn read<T: touchstone_schemas::Decode>(text: &str) -> T {
    decode(text.as_bytes()).unwrap_or_else(|e| panic!("{e}: {text}")).value
}

fn give(ledger: &mut Ledger, record: &Record) {
    let on = |listing: usize, brand: usize| {
        format!("\"platform\":\"bazaar\",\"market\":\"ID\",\"listing_id\":\"{listing}\",\"brand_id\":\"{}\"", BRANDS[brand])
    };
    match *record {
        Record::Suspect { listing, brand, at, asked } => {
            let (brand_id, market) = (BrandId::new(BRANDS[brand]).expect("an id"), Market::new("ID").expect("a market"));
            ledger.suspect(&matter(listing, brand), &brand_id, &market, &time(at), asked);
        }
        Record::Verdict { id, listing, brand, said, code, giver: by, at, refused } => {
            let (kind, by) = giver(by);
            let verdict: Verdict = read(&format!(
                "{{\"verdict_id\":\"v{id}\",\"suspect_id\":\"{}\",{},\"verdict\":\"{}\",\"reason_code\":\"{}\",\
                 \"by\":{{\"type\":\"{kind}\",\"id\":\"{by}\"}},\"at\":\"{}\"}}",
                matter(listing, brand),
                on(listing, brand),
                SAID[said],
                CODES[code],
                time(at)
            ));
            ledger.verdict(&verdict);
            if refused {
                ledger.refused_verdict(&verdict, "agents_term_over");
            }
            ledger.refused_verdict(&verdict, "panic");
        }
        Record::Notice { id, listing, brand, code, at, refused } => {
            let notice: Notice = read(&format!(
                "{{\"notice_id\":\"n{id}\",\"brand_id\":\"{}\",\"by\":{{\"type\":\"agent\",\"id\":\"ag-17\"}},\"reason_code\":\"{}\",\
                 \"target\":{{{}}},\"at\":\"{}\"}}",
                BRANDS[brand],
                CODES[code],
                on(listing, brand),
                time(at)
            ));
            if refused {
                ledger.refused_notice(&notice, "already_down");
            }
            ledger.notice(&notice);
        }
        Record::Removal { id, listing, brand, named_by_notice } => {
            let cause =
                if named_by_notice { "\"notice_id\":\"n1\"".to_owned() } else { format!("\"suspect_id\":\"{}\"", matter(listing, brand)) };
            let removal: Removal = read(&format!(
                "{{\"removal_id\":\"r{id}\",\"op\":\"remove\",{cause},{},\"revision\":1,\"origin\":\"verdict\",\"ground\":\"terms\",\
                 \"reason\":\"counterfeit\",\"statement\":\"A copy.\",\"at\":\"1970-01-01T00:00:00Z\"}}",
                on(listing, brand)
            ));
            ledger.removal(&removal);
        }
        Record::Won { removal } => {
            let appeal: Appeal = read(&format!(
                "{{\"appeal_id\":\"a{removal}\",\"removal_id\":\"r{removal}\",\"outcome\":\"won\",\"at\":\"1970-01-01T00:00:00Z\"}}"
            ));
            ledger.appeal(&appeal);
        }
    }
}

fn ledger() -> Ledger {
    let due_at = |_: &Market, at: &Timestamp| Timestamp::from_unix_millis(at.unix_millis() + 24 * 3_600_000);
    let mut rules = Policy::shipped().standing().clone();
    rules.window_days = 30;
    Ledger::new(&rules, Box::new(due_at))
}

fn standings(records: &[Record]) -> Vec<Standing> {
    let mut ledger = ledger();
    records.iter().for_each(|record| give(&mut ledger, record));
    ledger.standings()
}

/// Of a filing or an answer: when, by whom, under which code, and what it counts as.
type Item = (i64, &'static str, &'static str, Part);

/// What a brand's records count as, by the words of `docs/life.md`.
fn model(records: &[Record], own: usize) -> Vec<Item> {
    let mut items = Vec::new();
    let won: BTreeSet<usize> = records.iter().filter_map(|r| if let Record::Won { removal } = r { Some(*removal) } else { None }).collect();
    for place in 0..4 {
        let removals: BTreeSet<usize> = records
            .iter()
            .filter_map(|r| match r {
                Record::Removal { id, listing, brand, .. } if (*listing, *brand) == (place, own) => Some(*id),
                _ => None,
            })
            .collect();
        let stands = removals.iter().any(|id| !won.contains(id));
        let asks: BTreeMap<i64, bool> = records.iter().fold(BTreeMap::new(), |mut asks, r| {
            if let Record::Suspect { listing, brand, at, asked } = *r
                && (listing, brand) == (place, own)
            {
                *asks.entry(at).or_default() |= asked;
            }
            asks
        });
        let mut said: Vec<_> = records
            .iter()
            .filter_map(|r| match *r {
                Record::Verdict { id, listing, brand, said, code, giver, at, refused } if (listing, brand) == (place, own) => {
                    Some((at, false, id, said, giver, code, refused))
                }
                Record::Notice { id, listing, brand, code, at, refused } if (listing, brand) == (place, own) => {
                    Some((at, true, id, 0, 1, code, refused))
                }
                _ => None,
            })
            .collect();
        said.sort_by_key(|(at, ..)| *at);
        let judged = said.iter().rev().find(|(_, notice, _, said, giver, _, refused)| !notice && *giver == 2 && !refused && *said != 3);
        for (i, (at, notice, id, said_now, by, code, refused)) in said.iter().enumerate() {
            let again = said[..i].iter().any(|(_, other_notice, other, ..)| (notice, id) == (other_notice, other));
            let repeated = said[..i]
                .iter()
                .any(|(_, other_notice, _, other, other_by, _, gone)| !gone && (notice, said_now, by) == (other_notice, other, other_by));
            if *by == 2 || again || repeated && !refused {
                continue;
            }
            let mut put = |part| items.push((at / 24, giver(*by).1, CODES[*code], part));
            if *notice || *said_now == 0 {
                let otherwise = judged.is_some_and(|judged| judged.3 != 0 && judged.0 >= *at);
                put(if *refused {
                    Part::Rejected
                } else if !removals.is_empty() && !stands {
                    Part::Countered
                } else if otherwise {
                    Part::Rejected
                } else if stands {
                    Part::Upheld
                } else {
                    Part::Open
                });
            }
            let ask = asks.range(..=at).next_back();
            if !notice
                && *said_now != 3
                && !refused
                && let Some((asked_at, true)) = ask
            {
                put(if *at <= due_at(*asked_at) { Part::InTime } else { Part::Late });
            }
        }
    }
    items
}

fn shares<'a>(items: impl Iterator<Item = &'a Item>) -> Shares {
    items
        .fold(Counts::default(), |mut counts, item| {
            counts.put(item.3);
            counts
        })
        .shares()
}

/// Ids are unique, and so is each moment: what happens at the same moment has an order of its own, which the shuffling proves.
fn told_apart(mut records: Vec<Record>) -> Vec<Record> {
    let mut moments = BTreeSet::new();
    records.retain(|record| match record {
        Record::Verdict { at, .. } | Record::Notice { at, .. } => moments.insert(*at),
        _ => true,
    });
    records
}

proptest! {
    #[test]
    fn the_order_of_records_changes_nothing(records in records(), seed in any::<u64>()) {
        let mut shuffled = records.clone();
        shuffled.extend(records.iter().take(10).cloned());
        fastrand::Rng::with_seed(seed).shuffle(&mut shuffled);
        prop_assert_eq!(standings(&records), standings(&shuffled));
    }

    #[test]
    fn the_ledger_counts_as_the_model_does(records in records()) {
        let records = told_apart(records);
        let found = standings(&records);
        let last = records.iter().map(|record| match record {
            Record::Suspect { at, .. } | Record::Verdict { at, .. } | Record::Notice { at, .. } => at / 24,
            _ => 0,
        }).max().unwrap_or_default();
        for (own, brand) in BRANDS.iter().enumerate() {
            let items = model(&records, own);
            let standing = found.iter().find(|standing| standing.brand_id.as_str() == *brand);
            prop_assert_eq!(standing.is_some(), !items.is_empty());
            let Some(standing) = standing else { continue };
            let window: Vec<Item> = items.into_iter().filter(|(day, ..)| last - day < 30).collect();
            let by = |name: fn(&Item) -> &'static str| -> BTreeMap<String, Shares> {
                let names: BTreeSet<&str> = window.iter().map(name).collect();
                names.into_iter().map(|own| (own.to_owned(), shares(window.iter().filter(|item| name(item) == own)))).collect()
            };
            prop_assert_eq!(standing.overall.clone(), Some(shares(window.iter())));
            prop_assert_eq!(standing.by_reporter.clone(), Some(by(|item| item.1)));
            let mut codes = by(|item| item.2);
            codes.retain(|_, shares| shares.volume > 0);
            prop_assert_eq!(standing.by_reason_code.clone(), Some(codes));
            prop_assert_eq!(standing.as_of.as_ref().map(Timestamp::unix_millis), Some(last * DAY));
        }
    }

    #[test]
    fn what_changed_is_told(records in records()) {
        let mut ledger = ledger();
        let mut told: BTreeMap<BrandId, Standing> = BTreeMap::new();
        for record in &records {
            give(&mut ledger, record);
            told.extend(ledger.take_changed().into_iter().map(|standing| (standing.brand_id.clone(), standing)));
            prop_assert_eq!(ledger.take_changed(), vec![]);
        }
        let found = ledger.standings();
        // A brand whose only answers were to questions that a later record tells apart has no standing any more.
        told.retain(|brand, _| found.iter().any(|standing| standing.brand_id == *brand));
        prop_assert_eq!(told.into_values().collect::<Vec<_>>(), found);
    }
}
