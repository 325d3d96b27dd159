//! A desk keeps the dockets of one partition: it takes the events of its listings in order, and says what comes of each.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashSet;
use touchstone_detectors::{id, suspect_id};
use touchstone_schemas::{
    AppealOutcome, BrandId, DeskState, Docket, Given, Id, Life, Market, Matter, Notice, ReceiptOutcome, Suspect, SuspectOp, Timestamp,
    Verdict, VerdictKind, WithdrawnBecause,
};

use crate::cases::links;
use crate::event::{Event, Output};
use crate::giver::{Refusal, check_verdict};
use crate::guard::{Cap, Guard};
use crate::life::Happening;
use crate::matter::{Heard, Hearing, Rules};
use crate::notice::{Known, check};

/// The format of dockets.
pub const FORMAT: u64 = 1;
/// Brands that one listing may have matters with.
const MOST_MATTERS: usize = 64;

/// The dockets of one partition.
pub struct Desk {
    dockets: BTreeMap<String, Docket>,
    /// Answers that are awaited: when they are due, and by which listing and brand.
    due: BTreeSet<(Timestamp, String, BrandId)>,
    guard: Guard,
    latest: Timestamp,
    seen: Seen,
    changed: BTreeSet<String>,
    /// Days that a docket is kept after its last event.
    kept_days: i64,
}

/// Listings that the scanner has seen, by a hash of their keys.
#[derive(Default)]
struct Seen {
    keys: FxHashSet<u64>,
    most: usize,
}

impl Seen {
    fn add(&mut self, key: &str) {
        if self.keys.len() < self.most {
            self.keys.insert(hash(key));
        }
    }

    /// Nothing where it cannot be told, since there are too many.
    fn knows(&self, key: &str) -> Option<bool> {
        (self.keys.len() < self.most).then(|| self.keys.contains(&hash(key)))
    }
}

fn hash(key: &str) -> u64 {
    u64::from_str_radix(&id(&[key])[..16], 16).unwrap_or(0)
}

/// What comes of an event.
pub struct Heading {
    /// What became of it, for metrics.
    pub heard: Heard,
    /// What is to be written.
    pub outputs: Vec<Output>,
}

impl Desk {
    /// An empty desk, which remembers that many listings to tell which there are, and keeps a docket for so many days after its last
    /// event.
    pub fn new(most_listings: usize, kept_days: u32) -> Self {
        Self {
            dockets: BTreeMap::new(),
            due: BTreeSet::new(),
            guard: Guard::default(),
            latest: Timestamp::from_unix_millis(0),
            seen: Seen { keys: FxHashSet::default(), most: most_listings },
            changed: BTreeSet::new(),
            kept_days: i64::from(kept_days),
        }
    }

    /// Takes over a docket that was kept, or forgets one that is no more.
    pub fn restore(&mut self, key: &str, docket: Option<Docket>) {
        if let Some(old) = self.dockets.remove(key) {
            self.forget_due(key, &old);
        }
        if let Some(docket) = docket {
            self.await_answers(key, &docket);
            self.dockets.insert(key.to_owned(), docket);
        }
    }

    /// Takes over what was kept of the partition as a whole.
    pub fn restore_state(&mut self, state: &DeskState) {
        self.guard = Guard::restored(state.day, &state.counts);
        self.latest = state.latest.clone();
    }

    /// The scanner has seen this listing.
    pub fn see(&mut self, key: &str) {
        self.seen.add(key);
    }

    /// Not all listings of this partition can be seen: that there is none is told of no listing any more.
    pub fn see_no_more(&mut self) {
        self.seen = Seen::default();
    }

    /// What is to be kept of the partition as a whole.
    pub fn state(&self) -> DeskState {
        DeskState { format: FORMAT, latest: self.latest.clone(), day: self.guard.day, counts: self.guard.counts() }
    }

    /// The dockets that changed since the last call, by key; nothing where one is no more.
    pub fn take_changed(&mut self) -> Vec<(String, Option<&Docket>)> {
        std::mem::take(&mut self.changed).into_iter().map(|key| (key.clone(), self.dockets.get(&key))).collect()
    }

    /// The docket of a listing.
    pub fn docket(&self, key: &str) -> Option<&Docket> {
        self.dockets.get(key)
    }

    /// How many dockets there are.
    pub fn len(&self) -> usize {
        self.dockets.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.dockets.is_empty()
    }

    /// Takes an event of the listing with that key, `platform:market:listing_id`. Answers that are overdue by then expire first.
    pub fn take(&mut self, rules: &Rules<'_>, key: &str, event: &Event) -> Heading {
        if event.moves_time() && *event.at() > self.latest {
            let before = std::mem::replace(&mut self.latest, event.at().clone());
            self.expire(rules);
            self.guard.begin(u64::try_from(self.latest.unix_day()).unwrap_or(0));
            if before.unix_day() < self.latest.unix_day() {
                self.retire();
            }
        }
        match event {
            Event::Suspect(suspect) => self.suspect(rules, key, suspect),
            Event::Verdict(verdict) => self.verdict(rules, key, verdict),
            Event::Notice(notice) => self.notice(rules, key, notice),
            Event::Appeal(appeal) => {
                let happening = match appeal.outcome {
                    AppealOutcome::Opened => Happening::AppealOpened,
                    AppealOutcome::Won => Happening::AppealWon,
                    AppealOutcome::Lost => Happening::AppealLost,
                };
                self.of_removal(rules, key, &appeal.removal_id, &appeal.at, |hearing, matter| hearing.appeal(matter, happening, &appeal.at))
            }
            Event::Receipt(receipt) => {
                self.of_removal(rules, key, &receipt.removal_id, &receipt.at, |hearing, matter| match receipt.outcome {
                    ReceiptOutcome::Done => "applied",
                    ReceiptOutcome::Refused => hearing.receipt(matter, Happening::Refused, &receipt.at),
                    ReceiptOutcome::NotFound => hearing.receipt(matter, Happening::NotFound, &receipt.at),
                })
            }
        }
    }

    fn suspect(&mut self, rules: &Rules<'_>, key: &str, suspect: &Suspect) -> Heading {
        let (platform, market, listing_id) = (&suspect.listing.platform, &suspect.listing.market, &suspect.listing.listing_id);
        let is_known = self.dockets.get(key).is_some_and(|docket| docket.matters.iter().any(|m| m.brand_id == suspect.brand_id));
        if suspect.op == SuspectOp::Withdraw && !is_known {
            return heading("out_of_turn");
        }
        self.open(key, platform, market, listing_id, &suspect.occurred_at);
        let mut heading = self.hear(rules, key, &suspect.brand_id, &suspect.occurred_at, |hearing, matter| match suspect.op {
            SuspectOp::Upsert => hearing.look(matter, suspect),
            SuspectOp::Withdraw => {
                let because = suspect.withdrawn_because.unwrap_or(WithdrawnBecause::Edited);
                hearing.withdraw(matter, because, &suspect.occurred_at)
            }
        });
        heading.outputs.extend(links(suspect).into_iter().map(|link| Output::Link(Box::new(link))));
        heading
    }

    fn verdict(&mut self, rules: &Rules<'_>, key: &str, verdict: &Verdict) -> Heading {
        if let Err(refusal) = check_verdict(rules.catalog, verdict) {
            return refused(refusal);
        }
        let given = Given {
            id: verdict.verdict_id.clone(),
            notice: false,
            verdict: verdict.verdict,
            by: verdict.by.clone(),
            at: verdict.at.clone(),
            supersedes: verdict.supersedes.clone(),
            proven: !verdict.proof.is_empty(),
        };
        self.open(key, &verdict.platform, &verdict.market, &verdict.listing_id, &verdict.at);
        self.hear(rules, key, &verdict.brand_id, &verdict.at, |hearing, matter| hearing.hear(matter, given))
    }

    fn notice(&mut self, rules: &Rules<'_>, key: &str, notice: &Notice) -> Heading {
        let Some(listing_id) = &notice.target.listing_id else { return heading("out_of_turn") };
        let matter = self.dockets.get(key).and_then(|docket| docket.matters.iter().find(|m| m.brand_id == notice.brand_id));
        if matter.is_some_and(|matter| matter.given.iter().any(|given| given.notice && given.id == notice.notice_id)) {
            return twice();
        }
        let known = Known { matter, listing: if self.dockets.contains_key(key) { Some(true) } else { self.seen.knows(key) } };
        if let Err(refusal) = check(rules.catalog, notice, &known) {
            return refused(refusal);
        }
        if let Some(order) = &notice.order_id {
            let most = rules.policy.notices().most_listings;
            if self.guard.admit(&[(Cap::Order, order.to_string(), most)]).is_err() {
                let detail = format!("an order names {most} listings at most: put the others into another order");
                return refused(Refusal::new("order_too_large", "order_id", detail));
            }
        }
        let given = Given {
            id: notice.notice_id.clone(),
            notice: true,
            verdict: VerdictKind::Counterfeit,
            by: notice.by.clone(),
            at: notice.at.clone(),
            supersedes: None,
            proven: !notice.proof.is_empty(),
        };
        self.open(key, &notice.target.platform, &notice.target.market, listing_id, &notice.at);
        match self.hear(rules, key, &notice.brand_id, &notice.at, |hearing, matter| hearing.hear(matter, given)) {
            Heading { heard: "double", .. } => twice(),
            heading => heading,
        }
    }

    /// What is said of a removal that stands.
    fn of_removal(
        &mut self,
        rules: &Rules<'_>,
        key: &str,
        removal_id: &Id,
        at: &Timestamp,
        hear: impl FnOnce(&mut Hearing<'_>, &mut Matter) -> Heard,
    ) -> Heading {
        let stands = |matter: &&Matter| matter.removal.as_ref().is_some_and(|ordered| ordered.removal_id == removal_id.as_str());
        let brand = self.dockets.get(key).and_then(|docket| docket.matters.iter().find(stands)).map(|matter| matter.brand_id.clone());
        let is_former = |matter: &Matter| matter.orders.iter().any(|order| order == removal_id.as_str());
        match brand {
            Some(brand) => self.hear(rules, key, &brand, at, hear),
            None if self.dockets.get(key).is_some_and(|docket| docket.matters.iter().any(is_former)) => heading("out_of_turn"),
            None => {
                let detail =
                    "there was no such removal of this listing: the record's key must be the listing's, platform:market:listing_id"
                        .to_owned();
                refused(Refusal::new("unknown_removal", "removal_id", detail))
            }
        }
    }

    /// Opens the docket of a listing where there is none.
    fn open(&mut self, key: &str, platform: &Id, market: &Market, listing_id: &Id, at: &Timestamp) {
        if !self.dockets.contains_key(key) {
            let (platform, market, listing_id) = (platform.clone(), market.clone(), listing_id.clone());
            let docket = Docket { format: FORMAT, platform, market, listing_id, at: at.clone(), matters: Vec::new() };
            self.dockets.insert(key.to_owned(), docket);
        }
    }

    /// Changes the matter of a brand, which begins where there is none.
    fn hear(
        &mut self,
        rules: &Rules<'_>,
        key: &str,
        brand_id: &BrandId,
        at: &Timestamp,
        hear: impl FnOnce(&mut Hearing<'_>, &mut Matter) -> Heard,
    ) -> Heading {
        let Some(mut docket) = self.dockets.remove(key) else { return heading("out_of_turn") };
        self.forget_due(key, &docket);
        let place = docket.matters.binary_search_by(|matter| matter.brand_id.cmp(brand_id));
        let mut matter = match place {
            Ok(place) => docket.matters.remove(place),
            Err(_) => begun(&docket, brand_id, at),
        };
        let mut outputs = Vec::new();
        let heard = hear(&mut Hearing { rules, guard: &mut self.guard, docket: &docket, outputs: &mut outputs }, &mut matter);
        let place = place.unwrap_or_else(|place| place);
        // A listing that names more brands than anybody would is not followed further.
        if docket.matters.len() < MOST_MATTERS {
            docket.matters.insert(place, matter);
        }
        docket.at = at.clone();
        self.await_answers(key, &docket);
        self.dockets.insert(key.to_owned(), docket);
        self.changed.insert(key.to_owned());
        Heading { heard, outputs }
    }

    /// Answers that are overdue by now.
    fn expire(&mut self, rules: &Rules<'_>) {
        while let Some((due, key, brand)) = self.due.first().filter(|(due, ..)| *due < self.latest).cloned() {
            self.hear(rules, &key, &brand, &due, |hearing, matter| {
                hearing.expire(matter, &due);
                "expired"
            });
            // Also where nothing came of it.
            self.due.remove(&(due, key, brand));
        }
    }

    /// Once a day: dockets of which nothing was heard for long are kept no more.
    fn retire(&mut self) {
        let oldest = self.latest.unix_day() - self.kept_days;
        let old = self.dockets.extract_if(.., |_, docket| docket.at.unix_day() < oldest);
        let keys: Vec<String> = old.map(|(key, _)| key).collect();
        self.due.retain(|(_, key, _)| keys.binary_search(key).is_err());
        self.changed.extend(keys);
    }

    fn await_answers(&mut self, key: &str, docket: &Docket) {
        let awaited = docket.matters.iter().filter(|matter| matter.life == Life::Asked);
        self.due.extend(awaited.filter_map(|matter| Some((matter.due_at.clone()?, key.to_owned(), matter.brand_id.clone()))));
    }

    fn forget_due(&mut self, key: &str, docket: &Docket) {
        for matter in &docket.matters {
            if let Some(due) = &matter.due_at {
                self.due.remove(&(due.clone(), key.to_owned(), matter.brand_id.clone()));
            }
        }
    }
}

/// A matter that begins.
fn begun(docket: &Docket, brand_id: &BrandId, at: &Timestamp) -> Matter {
    Matter {
        suspect_id: suspect_id(docket.platform.as_str(), docket.market.as_str(), docket.listing_id.as_str(), brand_id.as_str()),
        brand_id: brand_id.clone(),
        life: Life::Suspected,
        since: at.clone(),
        due_at: None,
        because: None,
        look: None,
        given: Vec::new(),
        holds: None,
        removal: None,
        removals: 0,
        orders: Vec::new(),
        refused: false,
        cleared: false,
    }
}

fn heading(heard: Heard) -> Heading {
    Heading { heard, outputs: Vec::new() }
}

/// A notice that was given before.
fn twice() -> Heading {
    refused(Refusal::new("double", "notice_id", "the same reporter gave this notice before: nothing need be done".to_owned()))
}

fn refused(refusal: Refusal) -> Heading {
    Heading { heard: refusal.reason, outputs: vec![Output::Refused(refusal)] }
}
