//! The register: what belongs to no single listing, kept by the worker that has the first partition. It reads what all wrote and writes
//! `standing`, `cases`, and known fakes into the catalog topic.
//!
//! It keeps nothing that it could not read again: both are functions of the records that the topics still hold, whatever their order. So
//! two that overlap for a moment write the same.

#![allow(clippy::disallowed_types, reason = "what changed is written once a second at most")]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, NoCustomPartitioner, Producer};
use rdkafka::{Offset, TopicPartitionList};
use rustc_hash::FxHashSet;
use serde::Serialize;
use touchstone_decisions::cases::{Cases, seller_key};
use touchstone_decisions::{Calendars, Learner, Ledger, Precision, check_verdict, matter_id};
use touchstone_detectors::{Policy, Scanner, id};
use touchstone_schemas::{Appeal, Case, Id, KnownFake, Link, Market, Notice, NoticeTarget, Removal, Suspect, SuspectOp, Verdict, decode};
use tracing::{info, warn};

use super::super::Shared;
use crate::config::Config;
use crate::failure::Failure;
use crate::kafka::{self, Asking, Names, Reports};

/// What it reads, in this order when it begins: sellers' listings are known before notices against sellers.
const TOPICS: [&str; 7] = ["links", "suspects", "verdicts", "notices", "removals", "appeals", "dead-letters"];
/// How long it waits for a record, and how often it looks whether it is to begin.
const WAIT: Duration = Duration::from_millis(200);
/// How often what changed is written.
const WRITE_EVERY: Duration = Duration::from_secs(1);
/// How long the brokers may take.
const CALL: Duration = Duration::from_secs(30);
/// Rest after a failure.
const PAUSE: Duration = Duration::from_secs(5);

/// What is kept.
pub(super) struct Register<'a> {
    config: &'a Config,
    scanner: &'a Scanner,
    policy: &'a Policy,
    names: Names,
    producer: BaseProducer<Reports, NoCustomPartitioner>,
    ledger: Ledger,
    cases: Cases,
    learner: Learner,
    precision: Precision,
    /// What was learnt and is not written yet; of a catalog that is a file nothing is written.
    learnt: BTreeMap<String, Option<KnownFake>>,
    learns: bool,
    /// The suspected listings of each seller.
    listings: HashMap<String, BTreeSet<(Market, Id)>>,
    /// What stands in the topics, by their keys.
    written: HashMap<String, Vec<u8>>,
    /// The ids of notices against listings that came: those of a seller's are not written again.
    notices: FxHashSet<String>,
    /// Notices against sellers that are to be turned into notices against listings.
    orders: Vec<Notice>,
}

impl Register<'_> {
    /// Keeps the register as long as `keeps` says so and `go_on`.
    pub(super) fn keep(shared: &Shared, keeps: &AtomicBool, go_on: &dyn Fn() -> bool) -> Result<(), Failure> {
        while go_on() {
            if !keeps.load(Ordering::Relaxed) {
                std::thread::park_timeout(WAIT);
                continue;
            }
            let holds = || keeps.load(Ordering::Relaxed) && go_on();
            if let Err(e) = hold(shared, &holds) {
                warn!("kafka: the register begins again: {e}");
                std::thread::park_timeout(PAUSE);
            }
        }
        Ok(())
    }
}

/// Reads all there is, and then what comes, as long as `holds`, and the policy stays.
fn hold(shared: &Shared, holds: &dyn Fn() -> bool) -> Result<(), KafkaError> {
    let (config, Some(scanner)) = (&shared.config, shared.live.scanner()) else { return Ok(()) };
    let names = Names::new(config);
    let follower: BaseConsumer<Asking> = kafka::asking(&kafka::follower(config))?;
    let partitions = |topic: &str| {
        let metadata = follower.fetch_metadata(Some(topic), CALL)?;
        let count = metadata.topics().first().map_or(0, |topic| topic.partitions().len());
        Ok::<Vec<i32>, KafkaError>((0..i32::try_from(count).unwrap_or(i32::MAX)).collect())
    };
    let policy = scanner.policy();
    let asks = policy.asks().days;
    let mut register = Register {
        config,
        scanner: &scanner,
        policy,
        names: names.clone(),
        producer: kafka::connect_producer(&kafka::writer(config), Reports::default())?,
        ledger: Ledger::new(policy.standing(), Box::new(move |market, at| Calendars::shipped().due_at(market, at, asks))),
        cases: Cases::default(),
        learner: Learner::new(policy.learning().known_days),
        precision: Precision::default(),
        learnt: BTreeMap::new(),
        learns: config.catalog.path.is_empty(),
        listings: HashMap::new(),
        written: HashMap::new(),
        notices: FxHashSet::default(),
        orders: Vec::new(),
    };
    let reader = kafka::reader(config);
    for topic in ["standing", "cases"] {
        let name = names.of(topic);
        kafka::read(&reader, &name, &partitions(&name)?, |_, span| span.low, holds, |message| register.restore(topic, message))?;
    }
    let mut next = TopicPartitionList::new();
    for topic in TOPICS {
        let name = names.of(topic);
        let ends = kafka::read(&reader, &name, &partitions(&name)?, |_, span| span.low, holds, |message| register.add(topic, message))?;
        let Some(ends) = ends else { return Ok(()) };
        for (partition, end) in ends {
            next.add_partition_offset(&name, partition, Offset::Offset(end))?;
        }
    }
    follower.assign(&next)?;
    info!("the register is read");
    register.write()?;
    let (mut wrote, mut changed) = (Instant::now(), false);
    while holds() && shared.live.scanner().is_some_and(|now| now.policy().version() == policy.version()) {
        match follower.poll(WAIT) {
            Some(Ok(message)) => {
                let topic = TOPICS.into_iter().find(|topic| names.of(topic) == message.topic()).unwrap_or_default();
                register.add(topic, &message);
                changed = true;
            }
            Some(Err(e)) => return Err(e),
            None => {}
        }
        if changed && wrote.elapsed() >= WRITE_EVERY {
            register.write()?;
            (wrote, changed) = (Instant::now(), false);
        }
    }
    Ok(())
}

impl Register<'_> {
    /// What it wrote before.
    fn restore(&mut self, topic: &str, message: &BorrowedMessage<'_>) {
        let key = format!("{topic} {}", message.key().map(String::from_utf8_lossy).unwrap_or_default());
        let payload = message.payload().unwrap_or_default();
        if topic == "cases"
            && let Ok(case) = decode::<Case>(payload)
        {
            self.cases.restore(&case.value);
        }
        self.written.insert(key, payload.to_vec());
    }

    /// What others wrote. What cannot be read is passed over: the deciding workers have told of it.
    fn add(&mut self, topic: &str, message: &BorrowedMessage<'_>) {
        let Some(payload) = message.payload() else { return };
        match topic {
            "links" => decode::<Link>(payload).into_iter().for_each(|link| self.link(&link.value)),
            "suspects" => decode::<Suspect>(payload).into_iter().for_each(|suspect| self.suspect(&suspect.value)),
            "verdicts" => decode::<Verdict>(payload).into_iter().for_each(|verdict| self.verdict(&verdict.value)),
            "notices" => decode::<Notice>(payload).into_iter().for_each(|notice| self.notice(notice.value)),
            "removals" => decode::<Removal>(payload).into_iter().for_each(|removal| self.removal(&removal.value)),
            "appeals" => decode::<Appeal>(payload).into_iter().for_each(|appeal| self.ledger.appeal(&appeal.value)),
            _ => self.refused(message, payload),
        }
    }

    fn link(&mut self, link: &Link) {
        self.cases.add(link);
        let most = usize::try_from(self.policy.notices().most_listings).unwrap_or(usize::MAX);
        if let Some(market) = &link.market {
            let listings = self.listings.entry(seller_key(link)).or_default();
            if listings.len() < most {
                listings.insert((market.clone(), link.listing_id.clone()));
            }
        }
    }

    fn verdict(&mut self, verdict: &Verdict) {
        self.ledger.verdict(verdict);
        // That it is refused is known a moment later, and by then it would be learnt.
        if check_verdict(self.scanner.catalog(), verdict).is_ok() {
            self.learner.verdict(verdict);
            self.precision.verdict(verdict);
            self.confirm(verdict.suspect_id.as_str());
        }
    }

    fn suspect(&mut self, suspect: &Suspect) {
        self.learner.suspect(suspect, self.scanner.catalog());
        self.precision.suspect(suspect);
        if suspect.op == SuspectOp::Upsert {
            let asked = self.policy.asks().asks(suspect.band);
            self.ledger.suspect(&suspect.suspect_id, &suspect.brand_id, &suspect.listing.market, &suspect.occurred_at, asked);
        }
    }

    fn notice(&mut self, notice: Notice) {
        match &notice.target.listing_id {
            Some(_) => {
                self.ledger.notice(&notice);
                self.notices.insert(notice.notice_id.to_string());
            }
            None => self.orders.push(notice),
        }
    }

    fn removal(&mut self, removal: &Removal) {
        self.ledger.removal(removal);
        self.learner.removal(removal);
        self.confirm(&matter_id(removal));
    }

    /// A matter counts for its seller's case as long as it is confirmed.
    fn confirm(&mut self, matter: &str) {
        if self.learner.is_confirmed(matter) { self.cases.confirm(matter) } else { self.cases.revoke(matter) }
    }

    /// A verdict or a notice that was refused.
    fn refused(&mut self, message: &BorrowedMessage<'_>, payload: &[u8]) {
        let header = |name: &str| {
            let headers = message.headers()?;
            headers.iter().find(|h| h.key == name)?.value.map(String::from_utf8_lossy)
        };
        let (Some(topic), Some(reason)) = (header("topic"), header("reason")) else { return };
        match topic.strip_prefix(self.names.of("").as_str()) {
            Some("verdicts") => {
                if let Ok(verdict) = decode::<Verdict>(payload) {
                    self.ledger.refused_verdict(&verdict.value, &reason);
                    self.learner.refused(&verdict.value);
                    self.confirm(verdict.value.suspect_id.as_str());
                }
            }
            Some("notices") => decode::<Notice>(payload).into_iter().for_each(|notice| self.ledger.refused_notice(&notice.value, &reason)),
            _ => {}
        }
    }

    /// Writes what is not as it stands.
    fn write(&mut self) -> Result<(), KafkaError> {
        for mut standing in self.ledger.take_changed() {
            standing.failing = self.precision.failing(&standing.brand_id, self.policy.learning());
            self.put("standing", standing.brand_id.as_str(), &standing)?;
        }
        for case in self.cases.take_changed() {
            self.put("cases", case.case_id.as_str(), &case)?;
        }
        for notice in std::mem::take(&mut self.orders) {
            for (key, notice) in self.of_listings(&notice) {
                if !self.notices.contains(notice.notice_id.as_str()) {
                    self.put("notices", &key, &notice)?;
                }
            }
        }
        self.learn();
        self.producer.flush(CALL)?;
        self.producer.context().take().map_or(Ok(()), Err)
    }

    /// Writes what was learnt into the catalog topic, from which every worker has it soon. What cannot be written now is written with the
    /// next.
    fn learn(&mut self) {
        self.learnt.extend(self.learner.take_changed());
        if !self.learns || self.learnt.is_empty() {
            return;
        }
        match crate::catalog::learn(self.config, &self.learnt) {
            Ok(0) => self.learnt.clear(),
            Ok(rows) => {
                info!(rows, "known fakes are learnt, or forgotten");
                self.learnt.clear();
            }
            Err(e) => warn!("what was learnt from verdicts is not written yet: {e}"),
        }
    }

    /// A notice against a seller as notices against the seller's listings. Their ids follow from its own, so that the same come once.
    fn of_listings(&self, notice: &Notice) -> BTreeMap<String, Notice> {
        let target = &notice.target;
        let Some(seller) = &target.seller_id else { return BTreeMap::new() };
        let listings = self.listings.get(&format!("{}:{seller}", target.platform)).into_iter().flatten();
        let in_market = listings.filter(|(market, _)| *market == target.market || target.market.as_str() == "ZZ");
        in_market
            .filter_map(|(market, listing)| {
                let notice_id = Id::new(&id(&["notice", notice.notice_id.as_str(), market.as_str(), listing.as_str()]))?;
                let order_id = notice.order_id.clone().or_else(|| Some(notice.notice_id.clone()));
                let own = NoticeTarget {
                    platform: target.platform.clone(),
                    market: market.clone(),
                    listing_id: Some(listing.clone()),
                    seller_id: None,
                };
                Some((format!("{}:{market}:{listing}", target.platform), Notice { notice_id, order_id, target: own, ..notice.clone() }))
            })
            .collect()
    }

    /// Writes a record, unless the very same stands there.
    fn put(&mut self, topic: &str, key: &str, value: &impl Serialize) -> Result<(), KafkaError> {
        // Made of strings, numbers and lists: writing it cannot fail.
        let payload = serde_json::to_vec(value).unwrap_or_default();
        if self.written.get(&format!("{topic} {key}")) == Some(&payload) {
            return Ok(());
        }
        let deadline = Instant::now() + CALL;
        let name = self.names.of(topic);
        kafka::send(&self.producer, BaseRecord::to(&name).key(key).payload(&payload), || Instant::now() < deadline)?;
        if topic != "notices" {
            self.written.insert(format!("{topic} {key}"), payload);
        }
        Ok(())
    }
}
