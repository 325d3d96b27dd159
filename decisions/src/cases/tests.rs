//! Tests of cases: a table of histories, and any history against a model that joins sellers naively.

use proptest::prelude::*;
use touchstone_schemas::{JoinKey, JoinKind, Market, Timestamp};

use super::*;

/// A link of a seller, `kind key listing`; the matter is named after seller and listing.
fn link(seller: &str, join: Option<(JoinKind, &str)>, listing: &str) -> Link {
    Link {
        platform: Id::new("bazaar").expect("an id"),
        seller_id: Id::new(seller).expect("an id"),
        link: join.map(|(kind, key)| JoinKey { kind, key: key.to_owned() }),
        market: Market::new("ID"),
        listing_id: Id::new(listing).expect("an id"),
        suspect_id: Some(format!("{seller} {listing}")),
        at: Timestamp::from_unix_millis(0),
        outcome: None,
    }
}

fn outcome(seller: &str, text: &str, millis: i64) -> Link {
    Link { outcome: Some(text.to_owned()), at: Timestamp::from_unix_millis(millis), suspect_id: None, ..link(seller, None, "l") }
}

/// The compacted topic.
type Topic = BTreeMap<String, Case>;

fn publish(cases: &mut Cases, topic: &mut Topic) -> usize {
    let changed = cases.take_changed();
    assert!(changed.is_sorted_by_key(|case| case.case_id.clone()));
    let n = changed.len();
    topic.extend(changed.into_iter().map(|case| (case.case_id.to_string(), case)));
    n
}

fn live(topic: &Topic) -> Vec<&Case> {
    topic.values().filter(|case| is_live(case)).collect()
}

#[test]
fn a_single_seller_is_a_case_with_two_listings_or_a_confirmed_fake() {
    let (mut cases, mut topic) = (Cases::default(), Topic::new());
    cases.add(&link("a", None, "1"));
    cases.add(&link("a", Some((JoinKind::Payout, "k")), "1"));
    assert_eq!(publish(&mut cases, &mut topic), 0);
    cases.confirm("a 1");
    assert_eq!(publish(&mut cases, &mut topic), 1);
    assert_eq!((live(&topic)[0].confirmed, live(&topic)[0].listings, live(&topic)[0].rank), (Some(1), Some(1), 4.0));
    cases.confirm("a 1");
    cases.revoke("a 2");
    assert_eq!(publish(&mut cases, &mut topic), 0, "nothing is new");
    cases.revoke("a 1");
    assert_eq!((publish(&mut cases, &mut topic), live(&topic).len()), (1, 0));
    cases.add(&link("a", None, "2"));
    assert_eq!((publish(&mut cases, &mut topic), live(&topic).len()), (1, 1));
}

#[test]
fn a_merge_leaves_the_first_name_and_a_tombstone_of_the_other() {
    let (mut cases, mut topic) = (Cases::default(), Topic::new());
    for (seller, key) in [("a", "x"), ("b", "x"), ("c", "y"), ("d", "y")] {
        cases.add(&link(seller, Some((JoinKind::Device, key)), seller));
    }
    assert_eq!(publish(&mut cases, &mut topic), 2);
    let before: Vec<(String, Vec<String>)> = live(&topic).iter().map(|c| (c.case_id.to_string(), c.sellers.clone())).collect();
    let named = |seller: &str| before.iter().find(|(_, sellers)| sellers[0] == seller).map(|(id, _)| id.clone()).expect("a case");
    cases.add(&link("d", Some((JoinKind::Device, "x")), "d"));
    assert_eq!(publish(&mut cases, &mut topic), 2);
    let stands = live(&topic);
    assert_eq!((stands.len(), stands[0].case_id.as_str()), (1, named("bazaar:a").as_str()));
    assert_eq!(stands[0].sellers, ["bazaar:a", "bazaar:b", "bazaar:c", "bazaar:d"]);
    assert_eq!(stands[0].joins.iter().map(|j| (j.key.as_str(), j.listings.len())).collect::<Vec<_>>(), [("x", 3), ("y", 2)]);
    let gone = &topic[&named("bazaar:c")];
    assert_eq!(gone.merged_into.as_ref().map(Id::as_str), Some(named("bazaar:a").as_str()));
    assert_eq!(publish(&mut cases, &mut topic), 0, "a tombstone comes once");
}

#[test]
fn what_too_many_show_joins_nobody() {
    for (kind, most) in [(JoinKind::Picture, 8), (JoinKind::Description, 8), (JoinKind::Payout, 50), (JoinKind::Contact, 50)] {
        let (mut cases, mut topic) = (Cases::default(), Topic::new());
        (0..most).for_each(|i| cases.add(&link(&format!("s{i:02}"), Some((kind, "k")), "1")));
        publish(&mut cases, &mut topic);
        assert_eq!(live(&topic).iter().map(|c| c.sellers.len()).collect::<Vec<_>>(), [most], "{kind:?}");
        cases.add(&link("t", Some((kind, "k")), "1"));
        publish(&mut cases, &mut topic);
        assert!(live(&topic).is_empty(), "{kind:?}");
    }
}

#[test]
fn outcomes_survive_merges_in_the_order_of_their_time() {
    let (mut cases, mut topic) = (Cases::default(), Topic::new());
    cases.add(&outcome("b", "raid", 2_000));
    cases.add(&outcome("a", "test purchase: counterfeit", 1_000));
    assert_eq!(publish(&mut cases, &mut topic), 0, "an outcome makes no case");
    cases.add(&link("a", Some((JoinKind::Tax, "k")), "1"));
    cases.add(&link("b", Some((JoinKind::Tax, "k")), "2"));
    publish(&mut cases, &mut topic);
    assert_eq!(live(&topic)[0].outcomes, ["1970-01-01T00:00:01.000Z test purchase: counterfeit", "1970-01-01T00:00:02.000Z raid"]);
    assert_eq!(live(&topic)[0].listings, Some(2));
}

#[test]
fn after_a_restart_only_what_differs_is_news() {
    let (mut cases, mut topic) = (Cases::default(), Topic::new());
    let links = [
        link("a", Some((JoinKind::Tax, "k")), "1"),
        link("b", Some((JoinKind::Tax, "k")), "2"),
        link("c", None, "1"),
        link("c", None, "2"),
    ];
    links[..2].iter().for_each(|l| cases.add(l));
    publish(&mut cases, &mut topic);
    let stands = topic.values().next().expect("a case").clone();
    let unknown =
        Case { case_id: Id::new("case-0000000000000000").expect("an id"), sellers: vec!["bazaar:z".to_owned()], ..stands.clone() };
    let absorbed = Case { case_id: Id::new(&case_name("bazaar:b")).expect("an id"), ..stands.clone() };
    let mut cases = Cases::default();
    [&stands, &unknown, &absorbed].into_iter().for_each(|case| cases.restore(case));
    links.iter().for_each(|l| cases.add(l));
    let changed = cases.take_changed();
    let told: BTreeSet<(&str, usize)> = changed.iter().map(|c| (c.case_id.as_str(), c.sellers.len())).collect();
    assert_eq!(told, BTreeSet::from([(absorbed.case_id.as_str(), 0), (case_name("bazaar:c").as_str(), 1)]));
}

fn case_name(seller: &str) -> String {
    format!("case-{}", touchstone_detectors::hex(&Sha256::digest(seller)[..8]))
}

/// What happens, by small numbers.
#[derive(Debug, Clone)]
enum Event {
    Link { seller: u8, kind: JoinKind, key: Option<u8>, listing: u8 },
    Confirm { seller: u8, listing: u8 },
    Outcome { seller: u8, at: u8 },
    Take,
}

fn event() -> impl Strategy<Value = Event> {
    let kind = prop_oneof![3 => Just(JoinKind::Picture), 1 => Just(JoinKind::Payout)];
    prop_oneof![
        12 => (0..14_u8, kind, proptest::option::of(0..6_u8), 0..3_u8).prop_map(|(seller, kind, key, listing)| Event::Link { seller, kind, key, listing }),
        2 => (0..14_u8, 0..3_u8).prop_map(|(seller, listing)| Event::Confirm { seller, listing }),
        1 => (0..14_u8, 0..3_u8).prop_map(|(seller, at)| Event::Outcome { seller, at }),
        2 => Just(Event::Take),
    ]
}

fn run(events: &[Event]) -> Topic {
    let (mut cases, mut topic) = (Cases::default(), Topic::new());
    for event in events {
        match event {
            Event::Link { seller, kind, key, listing } => {
                let key = key.map(|key| format!("k{key}"));
                cases.add(&link(&format!("s{seller:02}"), key.as_deref().map(|key| (*kind, key)), &format!("{seller} {listing}")));
            }
            Event::Confirm { seller, listing } => cases.confirm(&format!("s{seller:02} {seller} {listing}")),
            Event::Outcome { seller, at } => cases.add(&outcome(&format!("s{seller:02}"), "raid", i64::from(*at))),
            Event::Take => drop(publish(&mut cases, &mut topic)),
        }
    }
    publish(&mut cases, &mut topic);
    topic
}

/// Sellers with the same label belong together; labels are lowered until nothing changes.
fn naive(events: &[Event]) -> BTreeMap<String, (Vec<String>, usize, usize)> {
    let mut shows: BTreeMap<(JoinKind, u8), BTreeSet<u8>> = BTreeMap::new();
    let mut listings: BTreeMap<u8, BTreeSet<u8>> = BTreeMap::new();
    for event in events {
        if let Event::Link { seller, kind, key, listing } = event {
            listings.entry(*seller).or_default().insert(*listing);
            key.map(|key| shows.entry((*kind, key)).or_default().insert(*seller));
        }
    }
    let is_confirmed =
        |s: u8, l: u8| events.iter().any(|e| matches!(e, Event::Confirm { seller, listing } if (*seller, *listing) == (s, l)));
    let mut label: BTreeMap<u8, u8> = listings.keys().map(|seller| (*seller, *seller)).collect();
    for _ in 0..listings.len() {
        for sellers in shows.iter().filter(|((kind, _), sellers)| sellers.len() <= most(*kind)).map(|(_, sellers)| sellers) {
            let least = sellers.iter().map(|s| label[s]).min().unwrap_or_default();
            sellers.iter().for_each(|s| _ = label.insert(*s, least));
        }
    }
    let mut cases: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
    label.iter().for_each(|(seller, label)| cases.entry(*label).or_default().push(*seller));
    let name = |seller: u8| format!("bazaar:s{seller:02}");
    let case = |(first, sellers): (u8, Vec<u8>)| {
        let all: Vec<(u8, u8)> = sellers.iter().flat_map(|s| listings[s].iter().map(|l| (*s, *l))).collect();
        let confirmed = all.iter().filter(|(s, l)| is_confirmed(*s, *l)).count();
        let is = sellers.len() > 1 || all.len() > 1 || confirmed > 0;
        is.then(|| (case_name(&name(first)), (sellers.into_iter().map(name).collect(), all.len(), confirmed)))
    };
    cases.into_iter().filter_map(case).collect()
}

fn most(kind: JoinKind) -> usize {
    if kind == JoinKind::Picture { 8 } else { 50 }
}

proptest! {
    #[test]
    fn cases_are_those_of_the_naive_model_whatever_the_order(
        (events, shuffled) in proptest::collection::vec(event(), 0..80).prop_flat_map(|events| (Just(events.clone()), Just(events).prop_shuffle()))
    ) {
        let topic = run(&events);
        let count = |n: Option<u64>| n.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
        let found: BTreeMap<String, _> = live(&topic).into_iter()
            .map(|c| (c.case_id.to_string(), (c.sellers.clone(), count(c.listings), count(c.confirmed))))
            .collect();
        prop_assert_eq!(&found, &naive(&events));
        let other = run(&shuffled);
        prop_assert_eq!(live(&topic), live(&other));
        for case in topic.values().filter(|case| case.sellers.is_empty()) {
            let mut to = case;
            while let Some(next) = to.merged_into.as_ref() {
                to = topic.get(next.as_str()).expect("the case that it was joined into");
            }
        }
    }
}
