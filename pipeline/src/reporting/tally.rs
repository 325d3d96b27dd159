//! What records say, gathered in any order.
//!
//! A matter takes some 200 bytes, a verdict, a notice or a removal some 100: ids are kept as hashes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sha2::{Digest, Sha256};
use touchstone_schemas::{
    Appeal, AppealOutcome, Band, BrandId, Case, Decode, Fault, GiverType, Notice, Origin, Receipt, ReceiptOutcome, Removal, RemovalOp,
    Score, Standing, Suspect, SuspectOp, Timestamp, Verdict, VerdictKind, WithdrawnBecause, decode,
};

use super::period::Period;
use crate::archive::Entry;

/// What a report is made of.
pub(crate) const TOPICS: [&str; 9] =
    ["suspects", "verdicts", "notices", "removals", "receipts", "appeals", "dead-letters", "standing", "cases"];

/// Refused filings that are shown one by one.
const MOST_SHOWN: usize = 100;

/// The first half of a SHA-256.
pub(super) type Key = [u8; 16];

pub(super) fn key(id: &str) -> Key {
    let mut key = Key::default();
    key.copy_from_slice(&Sha256::digest(id.as_bytes())[..16]);
    key
}

/// What the report is confined to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Only {
    /// A brand.
    pub(crate) brand: Option<String>,
    /// A platform.
    pub(crate) platform: Option<String>,
}

impl Only {
    pub(super) fn brand(&self, brand: &str) -> bool {
        self.brand.as_deref().is_none_or(|only| only == brand)
    }

    pub(super) fn platform(&self, platform: &str) -> bool {
        self.platform.as_deref().is_none_or(|only| only == platform)
    }
}

/// Where something belongs: an index of [`Tally::places`].
pub(super) type PlaceIndex = usize;

/// Platform, brand, market.
pub(super) type Place = (String, String, String);

/// A look of the scanner; the greatest is the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Look {
    at: i64,
    pass: u64,
    pub(super) band: Band,
    pub(super) content: Key,
}

/// What stands between a brand and a listing.
#[derive(Debug)]
pub(super) struct Matter {
    pub(super) place: PlaceIndex,
    pub(super) listing: Key,
    /// Each content with the time when it was seen first; one that comes back is the one of before.
    pub(super) contents: Vec<(Key, i64)>,
    /// The last look within the period.
    pub(super) last: Option<Look>,
    pub(super) withdrawn: BTreeSet<(i64, WithdrawnBecause)>,
}

/// A verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Said {
    pub(super) suspect: Key,
    pub(super) place: PlaceIndex,
    pub(super) at: i64,
    pub(super) by: GiverType,
    pub(super) verdict: VerdictKind,
}

/// A notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Filed {
    pub(super) place: PlaceIndex,
    pub(super) at: i64,
}

/// A record of `removals`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Order {
    pub(super) place: PlaceIndex,
    pub(super) at: i64,
    pub(super) op: RemovalOp,
    pub(super) origin: Origin,
    pub(super) shadow: bool,
    pub(super) suspect: Option<Key>,
    pub(super) listing: Key,
    pub(super) reverses: Option<Key>,
}

/// A filing that was refused, as it is shown; the latest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shown {
    order: std::cmp::Reverse<i64>,
    pub(super) id: String,
    pub(super) at: String,
    pub(super) platform: String,
    pub(super) brand: String,
    pub(super) reason: String,
    pub(super) detail: String,
}

/// Why filings of one kind were refused.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ground {
    pub(super) place: PlaceIndex,
    pub(super) notice: bool,
    pub(super) reason: String,
}

/// What records say.
pub(crate) struct Tally {
    pub(super) period: Period,
    pub(super) only: Only,
    indices: BTreeMap<Place, PlaceIndex>,
    pub(super) places: Vec<Place>,
    pub(super) matters: BTreeMap<Key, Matter>,
    pub(super) base_rates: BTreeSet<(PlaceIndex, Score)>,
    /// Verdicts and notices with how often each came.
    pub(super) said: BTreeMap<Key, (Said, u64)>,
    pub(super) filed: BTreeMap<Key, (Filed, u64)>,
    /// How often each was refused.
    pub(super) refused: BTreeMap<Key, u64>,
    /// How many in the period for one reason, and what to do better, in the words of one of them.
    pub(super) grounds: BTreeMap<Ground, (u64, String)>,
    pub(super) shown: BTreeSet<Shown>,
    /// Refused filings without a time.
    undated: u64,
    /// When each listing was reported first, by anybody.
    pub(super) noticed: BTreeMap<Key, i64>,
    pub(super) orders: BTreeMap<Key, Order>,
    pub(super) appeals: BTreeSet<(Key, Key, AppealOutcome, i64)>,
    pub(super) receipts: BTreeSet<(Key, ReceiptOutcome, i64)>,
    pub(super) standing: BTreeMap<BrandId, (Nearness, Standing)>,
    /// With the number of the record.
    pub(super) cases: BTreeMap<String, (u64, Option<Case>)>,
}

/// How near a standing is to the end of the period, the greatest the nearest: before it as late as may be, else after it as early; then by
/// its text, so that no order of records matters.
type Nearness = (bool, i64, Vec<u8>);

impl Tally {
    /// Nothing yet.
    pub(crate) fn new(period: Period, only: Only) -> Self {
        Self {
            period,
            only,
            indices: BTreeMap::new(),
            places: Vec::new(),
            matters: BTreeMap::new(),
            base_rates: BTreeSet::new(),
            said: BTreeMap::new(),
            filed: BTreeMap::new(),
            refused: BTreeMap::new(),
            grounds: BTreeMap::new(),
            shown: BTreeSet::new(),
            undated: 0,
            noticed: BTreeMap::new(),
            orders: BTreeMap::new(),
            appeals: BTreeSet::new(),
            receipts: BTreeSet::new(),
            standing: BTreeMap::new(),
            cases: BTreeMap::new(),
        }
    }

    /// Adds a record of a topic. `number` grows along the records of one key: the greatest holds where only the last one does.
    ///
    /// # Errors
    /// What is wrong with the record, which then counts for nothing.
    pub(crate) fn add(&mut self, topic: &str, number: u64, entry: &Entry) -> Result<(), Fault> {
        match topic {
            "suspects" => self.suspect(&read(entry)?),
            "verdicts" => self.verdict(&read(entry)?),
            "notices" => self.notice(&read(entry)?),
            "removals" => self.removal(&read(entry)?),
            "receipts" => self.receipt(&read(entry)?),
            "appeals" => self.appeal(&read(entry)?),
            "dead-letters" => self.dead_letter(entry),
            "standing" if entry.payload.is_empty() => {}
            "standing" => self.standing(read(entry)?, &entry.payload),
            "cases" => self.case(number, entry)?,
            _ => {}
        }
        Ok(())
    }

    /// Refused filings that count for nothing, since they say no time.
    pub(crate) fn undated(&self) -> u64 {
        self.undated
    }

    /// The index of a place that the report is about.
    fn place(&mut self, platform: &str, brand: &str, market: &str) -> Option<PlaceIndex> {
        if !self.only.platform(platform) || !self.only.brand(brand) {
            return None;
        }
        let place = (platform.to_owned(), brand.to_owned(), market.to_owned());
        let places = &mut self.places;
        Some(*self.indices.entry(place).or_insert_with_key(|place| {
            places.push(place.clone());
            places.len() - 1
        }))
    }

    fn suspect(&mut self, suspect: &Suspect) {
        let (at, listing) = (suspect.occurred_at.unix_millis(), &suspect.listing);
        if self.period.is_over(at) {
            return;
        }
        let Some(place) = self.place(listing.platform.as_str(), suspect.brand_id.as_str(), listing.market.as_str()) else { return };
        let listing = listing_key(listing.platform.as_str(), listing.market.as_str(), listing.listing_id.as_str());
        let matter = self.matters.entry(key(&suspect.suspect_id)).or_insert_with(|| Matter {
            place,
            listing,
            contents: Vec::new(),
            last: None,
            withdrawn: BTreeSet::new(),
        });
        if suspect.op == SuspectOp::Withdraw {
            matter.withdrawn.extend(suspect.withdrawn_because.map(|because| (at, because)));
            return;
        }
        let content = key(&suspect.content_hash);
        match matter.contents.iter_mut().find(|(known, _)| *known == content) {
            Some((_, first)) => *first = at.min(*first),
            None => matter.contents.push((content, at)),
        }
        if self.period.has(at) {
            matter.last = matter.last.max(Some(Look { at, pass: suspect.pass, band: suspect.band, content }));
            self.base_rates.extend(suspect.evidence.iter().filter_map(|e| e.base_rate).map(|rate| (place, rate)));
        }
    }

    fn verdict(&mut self, verdict: &Verdict) {
        let at = verdict.at.unix_millis();
        let Some(place) = self.place(verdict.platform.as_str(), verdict.brand_id.as_str(), verdict.market.as_str()) else { return };
        if !self.period.is_over(at) {
            let said = Said { suspect: key(verdict.suspect_id.as_str()), place, at, by: verdict.by.r#type, verdict: verdict.verdict };
            keep(&mut self.said, verdict.verdict_id.as_str(), said);
        }
    }

    fn notice(&mut self, notice: &Notice) {
        let (at, target) = (notice.at.unix_millis(), &notice.target);
        if self.period.is_over(at) {
            return;
        }
        if let Some(listing) = &target.listing_id {
            let listing = listing_key(target.platform.as_str(), target.market.as_str(), listing.as_str());
            let first = self.noticed.entry(listing).or_insert(at);
            *first = at.min(*first);
        }
        if let Some(place) = self.place(target.platform.as_str(), notice.brand_id.as_str(), target.market.as_str()) {
            keep(&mut self.filed, notice.notice_id.as_str(), Filed { place, at });
        }
    }

    fn removal(&mut self, removal: &Removal) {
        let (at, platform, market) = (removal.at.unix_millis(), removal.platform.as_str(), removal.market.as_str());
        let Some(place) = self.place(platform, removal.brand_id.as_str(), market) else { return };
        if self.period.is_over(at) {
            return;
        }
        let order = Order {
            place,
            at,
            op: removal.op,
            origin: removal.origin,
            shadow: removal.shadow,
            suspect: removal.suspect_id.as_ref().map(|id| key(id.as_str())),
            listing: listing_key(platform, market, removal.listing_id.as_str()),
            reverses: removal.reverses.as_ref().map(|id| key(id.as_str())),
        };
        let known = self.orders.entry(key(removal.removal_id.as_str())).or_insert(order);
        *known = order.min(*known);
    }

    fn receipt(&mut self, receipt: &Receipt) {
        let at = receipt.at.unix_millis();
        if !self.period.is_over(at) {
            self.receipts.insert((key(receipt.removal_id.as_str()), receipt.outcome, at));
        }
    }

    fn appeal(&mut self, appeal: &Appeal) {
        let at = appeal.at.unix_millis();
        if !self.period.is_over(at) {
            self.appeals.insert((key(appeal.removal_id.as_str()), key(appeal.appeal_id.as_str()), appeal.outcome, at));
        }
    }

    /// What was refused may have any form: only what is there is read. Listings count for nothing here.
    fn dead_letter(&mut self, entry: &Entry) {
        let Ok(value) = serde_json::from_slice::<Value>(&entry.payload) else { return };
        let (id, notice, target) = match (value["notice_id"].as_str(), value["verdict_id"].as_str()) {
            (Some(id), _) => (id, true, &value["target"]),
            (None, Some(id)) => (id, false, &value),
            (None, None) => return,
        };
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let (platform, brand) = (text(&target["platform"]), text(&value["brand_id"]));
        let Some(place) = self.place(&platform, &brand, &text(&target["market"])) else { return };
        let Some(at) = value["at"].as_str().and_then(Timestamp::parse) else {
            self.undated += 1;
            return;
        };
        let (millis, reason) = (at.unix_millis(), entry.reason.clone().unwrap_or_else(|| "unknown".to_owned()));
        if self.period.is_over(millis) {
            return;
        }
        *self.refused.entry(key(id)).or_default() += 1;
        if !self.period.has(millis) {
            return;
        }
        let detail = entry.detail.clone().unwrap_or_default();
        let ground = Ground { place, notice, reason: reason.clone() };
        let (count, guidance) = self.grounds.entry(ground).or_insert_with(|| (0, detail.clone()));
        *count += 1;
        if detail < *guidance {
            guidance.clone_from(&detail);
        }
        let (order, at) = (std::cmp::Reverse(millis), at.to_string());
        self.shown.insert(Shown { order, id: id.to_owned(), at, platform, brand, reason, detail });
        if self.shown.len() > MOST_SHOWN {
            self.shown.pop_last();
        }
    }

    fn standing(&mut self, standing: Standing, text: &[u8]) {
        if !self.only.brand(standing.brand_id.as_str()) {
            return;
        }
        let at = standing.as_of.as_ref().unwrap_or(&standing.since).unix_millis();
        let over = self.period.is_over(at);
        let nearness = (!over, if over { -at } else { at }, text.to_vec());
        match self.standing.entry(standing.brand_id.clone()) {
            std::collections::btree_map::Entry::Occupied(known) if known.get().0 >= nearness => {}
            std::collections::btree_map::Entry::Occupied(mut known) => drop(known.insert((nearness, standing))),
            std::collections::btree_map::Entry::Vacant(place) => drop(place.insert((nearness, standing))),
        }
    }

    fn case(&mut self, number: u64, entry: &Entry) -> Result<(), Fault> {
        let (id, case) = if entry.payload.is_empty() {
            (String::from_utf8_lossy(entry.key.as_deref().unwrap_or_default()).into_owned(), None)
        } else {
            let case: Case = read(entry)?;
            (case.case_id.to_string(), Some(case))
        };
        let known = self.cases.entry(id).or_insert((0, None));
        if number >= known.0 {
            *known = (number, case);
        }
        Ok(())
    }
}

fn read<T: Decode>(entry: &Entry) -> Result<T, Fault> {
    decode(&entry.payload).map(|decoded| decoded.value)
}

/// Of records with one id the least stands, so that no order of records matters.
fn keep<T: Ord + Copy>(kept: &mut BTreeMap<Key, (T, u64)>, id: &str, record: T) {
    let (known, times) = kept.entry(key(id)).or_insert((record, 0));
    *known = record.min(*known);
    *times += 1;
}

pub(super) fn listing_key(platform: &str, market: &str, listing_id: &str) -> Key {
    key(&format!("{platform}:{market}:{listing_id}"))
}
