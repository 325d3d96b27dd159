//! One matter: how the scanner's looks, people's words, appeals and receipts change it.

use touchstone_detectors::{Burden, Catalog, Mode, Policy};
use touchstone_schemas::{
    Band, Detector, Docket, Evidence, Given, GiverType, Id, Kind, Life, Look, Matter, Origin, Removal, Suspect, Timestamp, VerdictKind,
    WithdrawnBecause,
};

use crate::calendar::Calendars;
use crate::event::Output;
use crate::guard::{Cap, Guard};
use crate::life::{Happening, next};
use crate::removal;

/// Words of one matter that are remembered.
const MOST_GIVEN: usize = 16;
/// Words that wait for the scanner's first look.
const MOST_WAITING: usize = 8;
/// Removals and withdrawals of one matter that are remembered.
const MOST_ORDERS: usize = 16;
/// Pictures of a confirmed fake that are learnt.
const MOST_PICTURES: usize = 8;

/// What decisions follow.
pub struct Rules<'a> {
    /// The policy in force.
    pub policy: &'a Policy,
    /// The catalog in force.
    pub catalog: &'a Catalog,
    /// Working days.
    pub calendars: &'a Calendars,
    /// What a brand's word needs before a listing is removed.
    pub burden: &'a dyn Fn(&str) -> Burden,
    /// Whether a brand denies a finding too often: by the brand, what it is (`kind` or `reference`) and which one.
    pub fails: &'a dyn Fn(&str, &str, &str) -> bool,
    /// Partitions that caps are divided among.
    pub partitions: u64,
}

/// A matter at work: with the docket that it is of, and where its outputs go.
pub(crate) struct Hearing<'a> {
    pub(crate) rules: &'a Rules<'a>,
    pub(crate) guard: &'a mut Guard,
    pub(crate) docket: &'a Docket,
    pub(crate) outputs: &'a mut Vec<Output>,
}

/// What became of a word.
pub(crate) type Heard = &'static str;

impl Hearing<'_> {
    /// The scanner found it, or finds it again.
    pub(crate) fn look(&mut self, matter: &mut Matter, suspect: &Suspect) -> Heard {
        let same = matter.look.as_ref().is_some_and(|look| look.content_hash == suspect.content_hash);
        let first_at = matter.look.as_ref().filter(|_| same).map_or(&suspect.occurred_at, |look| &look.first_at).clone();
        let is_first = matter.look.is_none();
        matter.look = Some(look_of(suspect, first_at));
        if is_first {
            return self.first_look(matter, &suspect.occurred_at);
        }
        if !same {
            matter.given.clear();
            self.begin_anew(matter, &suspect.occurred_at);
            self.act(matter, &suspect.occurred_at);
            return "changed";
        }
        match matter.life {
            Life::Withdrawn => {
                self.come_back(matter, &suspect.occurred_at);
                "came_back"
            }
            Life::Suspected | Life::Asked | Life::Expired | Life::Reported => {
                self.act_on_the_band(matter, &suspect.occurred_at);
                "seen_again"
            }
            _ => "seen_again",
        }
    }

    /// What was said before is heard first; a notice that was accepted before stands.
    fn first_look(&mut self, matter: &mut Matter, at: &Timestamp) -> Heard {
        if !matter.given.iter().any(|given| given.notice) {
            let waiting = std::mem::take(&mut matter.given);
            self.begin_anew(matter, at);
            for given in waiting {
                self.hear(matter, given);
            }
            self.act(matter, at);
        }
        "found"
    }

    /// As if it had never been looked at.
    fn begin_anew(&mut self, matter: &mut Matter, at: &Timestamp) {
        matter.holds = None;
        matter.removal = None;
        matter.because = None;
        (matter.refused, matter.cleared) = (false, false);
        self.enter(matter, Life::Suspected, at);
    }

    /// What follows from the suspicion alone, where nothing else has decided: a removal, or a question.
    fn act(&mut self, matter: &mut Matter, at: &Timestamp) {
        if matter.life != Life::Suspected {
            return;
        }
        self.act_on_the_band(matter, at);
        let asks = self.rules.policy.asks();
        let Some(look) = matter.look.as_ref().filter(|look| matter.life == Life::Suspected && asks.asks(look.band)) else { return };
        let due_at = self.rules.calendars.due_at(&self.docket.market, &look.first_at, asks.days);
        self.enter(matter, Life::Asked, at);
        matter.due_at = Some(due_at);
    }

    /// The same content is suspected again: what was said of it holds.
    fn come_back(&mut self, matter: &mut Matter, at: &Timestamp) {
        let (holds, cleared) = (matter.holds, matter.cleared);
        let held = holds.and_then(|place| usize::try_from(place).ok()).and_then(|place| matter.given.get(place)).cloned();
        self.begin_anew(matter, at);
        (matter.holds, matter.cleared) = (holds, cleared);
        if let Some(held) = held {
            self.apply(matter, &held, at);
        }
        self.act(matter, at);
    }

    /// The removal that the policy orders on the scanner's word alone.
    fn act_on_the_band(&mut self, matter: &mut Matter, at: &Timestamp) {
        let is_sure = matter.look.as_ref().is_some_and(|look| look.band == Band::Remove) && !matter.refused;
        if is_sure && self.order(matter, Origin::Proactive, None, at) {
            self.happen(matter, Happening::Removal, at);
        }
    }

    /// The scanner takes it back.
    pub(crate) fn withdraw(&mut self, matter: &mut Matter, because: WithdrawnBecause, at: &Timestamp) -> Heard {
        if !self.happen(matter, Happening::Withdrawal, at) {
            return "out_of_turn";
        }
        matter.because = Some(because);
        let why = match because {
            WithdrawnBecause::Edited => "the listing was changed",
            WithdrawnBecause::ListingRemoved => "the listing has ended",
            WithdrawnBecause::Catalog | WithdrawnBecause::Policy => "by what is known now the listing is not suspected",
            WithdrawnBecause::Authorised => "the seller is authorised",
        };
        self.take_back(matter, why, at);
        "withdrawn"
    }

    /// Somebody says what it is: a verdict, or a notice that was accepted.
    pub(crate) fn hear(&mut self, matter: &mut Matter, given: Given) -> Heard {
        let last = matter.given.iter().rev().find(|other| other.by == given.by);
        let repeats = last.is_some_and(|last| last.verdict == given.verdict && last.notice == given.notice);
        if repeats || matter.given.iter().any(|other| other.id == given.id) {
            return "double";
        }
        let Some(look) = &matter.look else {
            if given.notice || matter.given.iter().any(|other| other.notice) {
                return self.hold(matter, given);
            }
            if matter.given.len() < MOST_WAITING {
                matter.given.push(given);
            }
            return "early";
        };
        if given.at < look.first_at {
            return "outdated";
        }
        self.hold(matter, given)
    }

    /// Weighs a word against the one that holds.
    fn hold(&mut self, matter: &mut Matter, given: Given) -> Heard {
        let is_late = matter.due_at.as_ref().is_some_and(|due| given.at > *due) || matter.life == Life::Expired;
        let holding = matter.holds.and_then(|place| usize::try_from(place).ok()).and_then(|place| matter.given.get(place));
        let contradicts = given.verdict != VerdictKind::Unsure && holding.is_some_and(|other| other.verdict != given.verdict);
        let takes_over = given.verdict != VerdictKind::Unsure
            && holding.is_none_or(|other| {
                let ranks = (rank(&given), rank(other));
                given.supersedes.as_deref() == Some(other.id.as_str()) || ranks.0 > ranks.1 || (ranks.0 == ranks.1 && given.at >= other.at)
            });
        if matter.given.len() >= MOST_GIVEN {
            // The one that holds stays.
            let oldest = usize::from(matter.holds == Some(0));
            matter.given.remove(oldest);
            matter.holds = matter.holds.map(|place| if place > 0 { place - 1 } else { 0 });
        }
        let heard = match () {
            () if contradicts => "contradictory",
            () if is_late => "late",
            () if given.verdict == VerdictKind::Unsure => "unsure",
            () => "applied",
        };
        if takes_over {
            matter.holds = Some(matter.given.len() as u64);
            matter.given.push(given.clone());
            self.apply(matter, &given, &given.at);
        } else {
            matter.given.push(given);
        }
        heard
    }

    /// Does what the word that holds says.
    fn apply(&mut self, matter: &mut Matter, given: &Given, at: &Timestamp) {
        match given.verdict {
            VerdictKind::Unsure => {}
            VerdictKind::Genuine | VerdictKind::Grey => {
                self.happen(matter, Happening::Genuine, at);
                self.take_back(matter, "the brand says that the goods are its own", at);
            }
            VerdictKind::Counterfeit => {
                let may = next(matter.life, Happening::Removal).is_some() && (!matter.cleared || given.by.r#type == GiverType::Moderator);
                let notice = given.notice.then(|| given.id.clone());
                let origin = if given.notice { Origin::Notice } else { Origin::Verdict };
                let ordered = may && self.suffices(matter, given) && self.order(matter, origin, notice, at);
                self.happen(matter, if ordered { Happening::Removal } else { Happening::Report }, at);
            }
        }
    }

    /// Whether the burden of proof is met.
    fn suffices(&self, matter: &Matter, given: &Given) -> bool {
        let band = matter.look.as_ref().map(|look| look.band);
        let moderated = || matter.given.iter().any(|g| g.by.r#type == GiverType::Moderator && g.verdict == VerdictKind::Counterfeit);
        given.by.r#type == GiverType::Moderator
            || match (self.rules.burden)(matter.brand_id.as_str()) {
                Burden::Word => true,
                Burden::Suspicion => band.is_some_and(|band| band >= Band::Report),
                Burden::Proof => given.proven || band == Some(Band::Remove),
                Burden::Moderator => moderated(),
            }
    }

    /// The seller objects, or it is decided whether rightly.
    pub(crate) fn appeal(&mut self, matter: &mut Matter, happening: Happening, at: &Timestamp) -> Heard {
        if !self.happen(matter, happening, at) {
            return "out_of_turn";
        }
        if happening == Happening::AppealWon {
            matter.cleared = true;
            self.take_back(matter, "the seller's objection was right", at);
        }
        "applied"
    }

    /// The platform says what it did.
    pub(crate) fn receipt(&mut self, matter: &mut Matter, happening: Happening, at: &Timestamp) -> Heard {
        if !self.happen(matter, happening, at) {
            return "out_of_turn";
        }
        matter.removal = None;
        matter.refused = happening == Happening::Refused;
        if happening == Happening::NotFound {
            matter.because = Some(WithdrawnBecause::ListingRemoved);
        }
        "applied"
    }

    /// The answer is overdue.
    pub(crate) fn expire(&mut self, matter: &mut Matter, at: &Timestamp) {
        self.happen(matter, Happening::Due, at);
    }

    /// Orders a removal where the policy lets it be ordered; tells whether it stands as an order.
    fn order(&mut self, matter: &mut Matter, origin: Origin, notice_id: Option<Id>, at: &Timestamp) -> bool {
        let mode = self.rules.policy.removals().mode(matter.brand_id.as_str(), self.docket.market.as_str(), removal::reason(matter));
        // What was written down for this content is not written down again.
        if mode == Mode::Off || matter.removal.as_ref().is_some_and(|ordered| ordered.shadow) {
            return false;
        }
        if origin == Origin::Proactive && self.is_quarantined(matter) {
            self.outputs.push(Output::Held(Cap::Quarantine));
            return false;
        }
        if let Err(cap) = self.guard.admit(&self.caps(matter)) {
            self.outputs.push(Output::Held(cap));
            return false;
        }
        let ordered = removal::order(matter, origin, notice_id, mode == Mode::Shadow, at);
        let brand = self.rules.catalog.brand(matter.brand_id.as_str()).map_or(matter.brand_id.as_str(), |brand| brand.name.as_str());
        self.write(matter, removal::removal(self.docket, matter, &ordered, brand));
        matter.removals += 1;
        matter.removal = Some(ordered);
        mode == Mode::On
    }

    /// Whether what weighs most, or the picture that was found, is what the brand denies too often.
    fn is_quarantined(&self, matter: &Matter) -> bool {
        let (brand, look) = (matter.brand_id.as_str(), matter.look.as_ref());
        let rule = look.and_then(|look| look.rule).is_some_and(|rule| (self.rules.fails)(brand, "kind", rule.as_str()));
        rule || look.and_then(|look| look.reference.as_deref()).is_some_and(|reference| (self.rules.fails)(brand, "reference", reference))
    }

    /// What a removal of a matter counts towards, and the most that there may be in this partition.
    fn caps(&self, matter: &Matter) -> Vec<(Cap, String, u64)> {
        let (caps, brand) = (self.rules.policy.removals(), &matter.brand_id);
        let most = |all: u64| all.div_ceil(self.rules.partitions.max(1));
        let look = matter.look.as_ref();
        let rule = look.and_then(|look| look.rule).map(|rule| (Cap::Rule, format!("{brand} {}", rule.as_str()), most(caps.most_per_rule)));
        let reference =
            look.and_then(|look| look.reference.clone()).map(|reference| (Cap::Reference, reference, most(caps.most_per_reference)));
        [(Cap::Brand, brand.to_string(), most(caps.most_per_brand))].into_iter().chain(rule).chain(reference).collect()
    }

    /// Withdraws the removal that stands, if any does.
    fn take_back(&mut self, matter: &mut Matter, why: &str, at: &Timestamp) {
        if let Some(ordered) = matter.removal.take() {
            self.write(matter, removal::withdrawal(self.docket, matter, &ordered, why, at));
        }
    }

    fn write(&mut self, matter: &mut Matter, removal: Removal) {
        if matter.orders.len() >= MOST_ORDERS {
            matter.orders.remove(0);
        }
        matter.orders.push(removal.removal_id.to_string());
        self.outputs.push(Output::Removal(Box::new(removal)));
    }

    /// Moves the matter where what happens moves it; tells whether it does.
    fn happen(&mut self, matter: &mut Matter, happening: Happening, at: &Timestamp) -> bool {
        let to = next(matter.life, happening);
        to.into_iter().for_each(|life| self.enter(matter, life, at));
        to.is_some()
    }

    fn enter(&mut self, matter: &mut Matter, life: Life, at: &Timestamp) {
        matter.life = life;
        matter.since = at.clone();
        matter.due_at = None;
    }
}

/// Moderators before brands before agents.
fn rank(given: &Given) -> u8 {
    match given.by.r#type {
        GiverType::Moderator => 2,
        GiverType::Brand => 1,
        GiverType::Agent => 0,
    }
}

/// What is remembered of a suspect.
fn look_of(suspect: &Suspect, first_at: Timestamp) -> Look {
    let findings = || suspect.evidence.iter().filter(|e| e.detector != Detector::Prior);
    // Of equals the first: the order of evidence is fixed.
    let rule = findings().reduce(|best: &Evidence, e| if e.weight > best.weight { e } else { best });
    Look {
        detection_id: suspect.detection_id.clone(),
        revision: suspect.listing.revision,
        first_at,
        at: suspect.occurred_at.clone(),
        content_hash: suspect.content_hash.clone(),
        score: suspect.score,
        band: suspect.band,
        reason: suspect.reason,
        rule: rule.map(|e| e.kind),
        outside: findings().any(|e| e.kind == Kind::CategoryMismatch),
        reference: findings().filter(|e| e.detector == Detector::Image).find_map(|e| e.reference.clone()),
        pictures: suspect.images_seen.iter().filter_map(|seen| seen.fingerprint.clone()).take(MOST_PICTURES).collect(),
    }
}
