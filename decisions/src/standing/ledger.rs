//! The ledger: takes records in any order and says each brand's standing.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};
use touchstone_detectors::{StandingRules, suspect_id};
use touchstone_schemas::{
    Appeal, AppealOutcome, BrandId, FaultReason, Giver, GiverType, Id, Market, Notice, Removal, RemovalOp, Shares, Standing, Timestamp,
    Verdict,
};

use super::counts::{Counts, Days, book};
use super::explain::Explanation;
use super::key::{Key, Names};
use super::lists::{EMPTY, Head, Lists};
use super::matter::{Ask, Count, Entry, Kept, Matter, Said, Stands};
use super::tiers::{self, Path};

/// When the answer to a question is due, by the market and the time of the question.
pub type DueAt = Box<dyn Fn(&Market, &Timestamp) -> Timestamp + Send + Sync>;

/// Most reason codes, and most reporters, that a standing lists: those of most filings.
const MOST_LISTED: usize = 200;

/// What counts for standing. The same set of records gives the same standings, in whatever order and however often each comes.
pub struct Ledger {
    pub(super) rules: StandingRules,
    due_at: DueAt,
    /// Brands, reporters and reason codes.
    pub(super) names: Names,
    matters: FxHashMap<Key, Matter>,
    kept: Kept,
    /// The matters that each removal was ordered in.
    removals: FxHashMap<Key, Head>,
    removed: Lists<Key>,
    /// Removals against which an appeal was won.
    won: FxHashSet<Key>,
    /// By brand.
    books: BTreeMap<u32, Days>,
    /// The latest day of any record.
    pub(super) last: Option<i64>,
    changed: BTreeSet<u32>,
    before: Vec<Count>,
    after: Vec<Count>,
}

impl Ledger {
    /// A ledger without records.
    pub fn new(rules: &StandingRules, due_at: DueAt) -> Self {
        Self {
            rules: rules.clone(),
            due_at,
            names: Names::default(),
            matters: FxHashMap::default(),
            kept: Kept::default(),
            removals: FxHashMap::default(),
            removed: Lists::default(),
            won: FxHashSet::default(),
            books: BTreeMap::new(),
            last: None,
            changed: BTreeSet::new(),
            before: Vec::new(),
            after: Vec::new(),
        }
    }

    /// Takes an `upsert` of a suspect; `asked` tells whether the brand is asked about suspects of its band.
    pub fn suspect(&mut self, suspect_id: &str, brand_id: &BrandId, market: &Market, occurred_at: &Timestamp, asked: bool) {
        self.see(occurred_at);
        let ask = Ask { at: occurred_at.unix_millis(), due_at: asked.then(|| (self.due_at)(market, occurred_at).unix_millis()) };
        self.change(suspect_id, brand_id, |matter, kept, _| matter.ask(ask, kept));
    }

    /// Takes a verdict.
    pub fn verdict(&mut self, verdict: &Verdict) {
        self.say_verdict(verdict, Stands::Taken);
    }

    /// Takes a verdict from the dead letters, whether or not it was taken as a verdict too.
    pub fn refused_verdict(&mut self, verdict: &Verdict, reason: &str) {
        self.say_verdict(verdict, stands(reason));
    }

    /// Takes a notice. One against a seller is no filing: those are that it is turned into.
    pub fn notice(&mut self, notice: &Notice) {
        self.say_notice(notice, Stands::Taken);
    }

    /// Takes a notice from the dead letters, whether or not it was taken as a notice too.
    pub fn refused_notice(&mut self, notice: &Notice, reason: &str) {
        self.say_notice(notice, stands(reason));
    }

    /// Takes a removal. Only orders to remove count: a removal that was taken back without an appeal was no error of who filed.
    pub fn removal(&mut self, removal: &Removal) {
        self.see(&removal.at);
        if removal.op != RemovalOp::Remove {
            return;
        }
        let suspect = removal.suspect_id.as_ref().map_or_else(
            || suspect_id(removal.platform.as_str(), removal.market.as_str(), removal.listing_id.as_str(), removal.brand_id.as_str()),
            ToString::to_string,
        );
        let matter = Key::of(&suspect).within(self.names.number(removal.brand_id.as_str()));
        let key = Key::of(removal.removal_id.as_str());
        let head = self.removals.entry(key).or_insert(EMPTY);
        if self.removed.iter(*head).any(|other| *other == matter) {
            return;
        }
        self.removed.push(head, matter);
        let won = self.won.contains(&key);
        self.change(&suspect, &removal.brand_id, |matter, _, _| {
            matter.removals += 1;
            matter.won += u32::from(won);
        });
    }

    /// Takes an appeal: only what was won counts.
    pub fn appeal(&mut self, appeal: &Appeal) {
        self.see(&appeal.at);
        let key = Key::of(appeal.removal_id.as_str());
        if appeal.outcome != AppealOutcome::Won || !self.won.insert(key) {
            return;
        }
        let head = self.removals.get(&key).copied().unwrap_or(EMPTY);
        let matters: Vec<Key> = self.removed.iter(head).copied().collect();
        for matter in matters {
            self.change_matter(matter, None, |matter, _, _| matter.won += 1);
        }
    }

    /// The standing of every brand that filed or answered anything, by brand id, as of the latest day of any record.
    pub fn standings(&self) -> Vec<Standing> {
        let mut standings: Vec<Standing> = self.books.keys().filter_map(|brand| self.of(*brand)).collect();
        standings.sort_by(|a, b| a.brand_id.cmp(&b.brand_id));
        standings
    }

    /// The standing of a brand, if it filed or answered anything.
    pub fn standing(&self, brand: &str) -> Option<Standing> {
        self.of(self.names.find(brand)?)
    }

    /// The standings that may have changed since the last call, by brand id: those of all brands where a new day began.
    pub fn take_changed(&mut self) -> Vec<Standing> {
        let changed = std::mem::take(&mut self.changed);
        let mut standings: Vec<Standing> = changed.into_iter().filter_map(|brand| self.of(brand)).collect();
        standings.sort_by(|a, b| a.brand_id.cmp(&b.brand_id));
        standings
    }

    /// The counting behind a standing.
    pub fn explain(&self, brand: &str) -> Option<Explanation> {
        let number = self.names.find(brand)?;
        Explanation::of(self, self.of(number)?, &self.path(number)?)
    }

    /// Brands that have a standing, by id.
    pub fn brands(&self) -> Vec<&str> {
        let has = self.books.iter().filter(|(_, days)| !days.is_empty());
        let mut brands: Vec<&str> = has.map(|(brand, _)| self.names.text(*brand)).collect();
        brands.sort_unstable();
        brands
    }

    fn path(&self, brand: u32) -> Option<Path> {
        Path::of(&self.rules, self.books.get(&brand)?, self.last?, &self.names)
    }

    fn of(&self, brand: u32) -> Option<Standing> {
        let (path, last) = (self.path(brand)?, self.last?);
        let (place, since) = path.now();
        let (mut reporters, mut codes) = (BTreeMap::<u32, Counts>::new(), BTreeMap::<u32, Counts>::new());
        let first = last - i64::from(self.rules.window_days) + 1;
        for ((reporter, code), counts) in self.books.get(&brand)?.range(first..).flat_map(|(_, day)| day) {
            reporters.entry(*reporter).or_default().add(counts);
            codes.entry(*code).or_default().add(counts);
        }
        // An answer that is no filing has no code of its own.
        codes.retain(|_, counts| counts.volume() > 0);
        Some(Standing {
            brand_id: BrandId::new(self.names.text(brand))?,
            tier: tiers::name(&self.rules, place).to_owned(),
            since: tiers::midnight(since),
            as_of: Some(tiers::midnight(last)),
            why: tiers::why(&self.rules, &path, last, &self.names),
            volume: path.sums.all.volume(),
            overall: Some(path.sums.all.shares()),
            by_reason_code: Some(self.listed(&codes)),
            by_reporter: Some(self.listed(&reporters)),
            failing: Vec::new(),
        })
    }

    /// Those of most filings, by name.
    fn listed(&self, counts: &BTreeMap<u32, Counts>) -> BTreeMap<String, Shares> {
        let mut listed: Vec<(&str, Counts)> = counts.iter().map(|(name, counts)| (self.names.text(*name), *counts)).collect();
        listed.sort_by_key(|(name, counts)| (std::cmp::Reverse(counts.volume()), *name));
        listed.truncate(MOST_LISTED);
        listed.into_iter().map(|(name, counts)| (name.to_owned(), counts.shares())).collect()
    }

    fn say_verdict(&mut self, verdict: &Verdict, stands: Stands) {
        self.see(&verdict.at);
        let said = Said::Verdict(verdict.verdict);
        let entry = self.entry(&verdict.verdict_id, &verdict.at, &verdict.by, verdict.reason_code.as_deref(), said, stands);
        self.change(verdict.suspect_id.as_str(), &verdict.brand_id, |matter, kept, names| matter.say(entry, kept, names));
    }

    fn say_notice(&mut self, notice: &Notice, stands: Stands) {
        self.see(&notice.at);
        let target = &notice.target;
        if target.listing_id.is_none() && stands == Stands::Taken {
            return;
        }
        let (platform, market) = (target.platform.as_str(), target.market.as_str());
        let suspect = match &target.listing_id {
            Some(listing_id) => suspect_id(platform, market, listing_id.as_str(), notice.brand_id.as_str()),
            None => notice.notice_id.to_string(),
        };
        let entry = self.entry(&notice.notice_id, &notice.at, &notice.by, notice.reason_code.as_deref(), Said::Notice, stands);
        self.change(&suspect, &notice.brand_id, |matter, kept, names| matter.say(entry, kept, names));
    }

    fn entry(&mut self, id: &Id, at: &Timestamp, by: &Giver, code: Option<&str>, said: Said, stands: Stands) -> Entry {
        Entry {
            id: Key::of(id.as_str()),
            at: at.unix_millis(),
            reporter: self.names.number(by.id.as_str()),
            code: self.names.number(code.unwrap_or_default()),
            said,
            moderator: by.r#type == GiverType::Moderator,
            stands,
        }
    }

    fn see(&mut self, at: &Timestamp) {
        let day = at.unix_day();
        if self.last.is_none_or(|last| last < day) {
            self.last = Some(day);
            self.changed.extend(self.books.keys());
        }
    }

    fn change(&mut self, suspect: &str, brand: &BrandId, change: impl FnOnce(&mut Matter, &mut Kept, &Names)) {
        let brand = self.names.number(brand.as_str());
        self.change_matter(Key::of(suspect).within(brand), Some(brand), change);
    }

    /// Changes a matter, a new one where its brand is given, and books what its filings and answers count as from then on.
    fn change_matter(&mut self, key: Key, brand: Option<u32>, change: impl FnOnce(&mut Matter, &mut Kept, &Names)) {
        let matter = match brand {
            Some(brand) => self.matters.entry(key).or_insert_with(|| Matter::of(brand)),
            None => match self.matters.get_mut(&key) {
                Some(matter) => matter,
                None => return,
            },
        };
        self.before.clear();
        self.after.clear();
        matter.count(&self.kept, &self.names, &mut self.before);
        change(matter, &mut self.kept, &self.names);
        matter.count(&self.kept, &self.names, &mut self.after);
        if self.before == self.after {
            return;
        }
        let days = self.books.entry(matter.brand).or_default();
        self.before.iter().for_each(|count| book(days, count.day, count.by, |counts| counts.take(count.part)));
        self.after.iter().for_each(|count| book(days, count.day, count.by, |counts| counts.put(count.part)));
        self.changed.insert(matter.brand);
    }
}

/// What a dead letter says of a filing. What could not be read, or made the program fail, says nothing of who filed; what came twice
/// counts once anyway.
fn stands(reason: &str) -> Stands {
    match reason {
        "foreign" | "not_the_reporters_brand" | "unknown_brand" => Stands::Foreign,
        "double" => Stands::Taken,
        _ if FaultReason::OF_DEAD_LETTERS.iter().any(|unread| unread.as_str() == reason) => Stands::Taken,
        _ => Stands::Refused,
    }
}
