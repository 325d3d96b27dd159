//! What is learnt from verdicts: the pictures of confirmed fakes, by which the next upload is found, whoever makes it.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use touchstone_detectors::{Catalog, suspect_id};
use touchstone_schemas::{
    BrandId, Fingerprint, Id, KnownFake, Origin, Removal, RemovalOp, Suspect, SuspectOp, Timestamp, Verdict, VerdictKind,
};

/// What ids of learnt fakes begin with.
pub const LEARNT: &str = "verdict-";
/// Matters whose pictures are remembered until their verdict comes; with more, the first to come are forgotten.
const MOST_MATTERS: usize = 500_000;
/// Pictures of a matter.
const MOST_PICTURES: usize = 8;
const DAY: i64 = 86_400_000;

/// What is known of a matter.
#[derive(Default)]
struct Known {
    pictures: Vec<Fingerprint>,
    /// The verdict that says counterfeit.
    verdict: Option<Id>,
    /// The one that says genuine, or of another market.
    genuine: Option<Id>,
    /// The removal that stands.
    removed: Option<Removed>,
}

/// A removal that stands.
#[derive(Clone)]
struct Removed {
    brand_id: BrandId,
    at: Timestamp,
    /// A notice led to it.
    noticed: bool,
}

impl Known {
    /// The removal of what somebody, and not the scanner alone, says is counterfeit.
    fn confirmed(&self) -> Option<&Removed> {
        self.removed.as_ref().filter(|removed| self.genuine.is_none() && (self.verdict.is_some() || removed.noticed))
    }
}

/// Gathers verdicts and what came of them.
pub struct Learner {
    known_days: i64,
    matters: FxHashMap<String, Known>,
    /// In the order in which they came first.
    order: std::collections::VecDeque<String>,
    /// How many matters whose brand said genuine show a picture.
    genuine: FxHashMap<String, u32>,
    told: BTreeMap<String, KnownFake>,
    touched: BTreeSet<String>,
}

impl Learner {
    /// Pictures are known for so many days after the removal.
    pub fn new(known_days: u32) -> Self {
        Self {
            known_days: i64::from(known_days),
            matters: FxHashMap::default(),
            order: std::collections::VecDeque::new(),
            genuine: FxHashMap::default(),
            told: BTreeMap::new(),
            touched: BTreeSet::new(),
        }
    }

    /// Takes a suspect. A picture that the catalog has of genuine goods is nothing to know a fake by: honest sellers use it, too.
    pub fn suspect(&mut self, suspect: &Suspect, catalog: &Catalog) {
        if suspect.op != SuspectOp::Upsert {
            return;
        }
        let pictures = suspect.images_seen.iter().filter_map(|seen| seen.fingerprint.as_ref());
        let pictures: Vec<Fingerprint> = pictures.filter(|row| !catalog.shows_genuine(row)).take(MOST_PICTURES).cloned().collect();
        let known = self.matter(&suspect.suspect_id);
        if known.genuine.is_none() && known.verdict.is_none() {
            known.pictures = pictures;
        }
    }

    /// Takes a verdict. Moderators' count as brands' do.
    pub fn verdict(&mut self, verdict: &Verdict) {
        let known = self.matter(verdict.suspect_id.as_str());
        match verdict.verdict {
            VerdictKind::Counterfeit => drop(known.verdict.get_or_insert_with(|| verdict.verdict_id.clone())),
            VerdictKind::Genuine | VerdictKind::Grey if known.genuine.is_none() => {
                known.genuine = Some(verdict.verdict_id.clone());
                self.show_genuine(verdict.suspect_id.as_str(), true);
            }
            _ => {}
        }
    }

    /// Takes a verdict from the dead letters: it is as if it had not been given.
    pub fn refused(&mut self, verdict: &Verdict) {
        let known = self.matter(verdict.suspect_id.as_str());
        known.verdict.take_if(|id| *id == verdict.verdict_id);
        if known.genuine.take_if(|id| *id == verdict.verdict_id).is_some() {
            self.show_genuine(verdict.suspect_id.as_str(), false);
        }
    }

    /// Counts the pictures of a matter as those of genuine goods, or no more.
    fn show_genuine(&mut self, matter: &str, shown: bool) {
        let pictures = self.matters.get(matter).map_or(&[][..], |known| &known.pictures);
        for row in pictures {
            let matters = self.genuine.entry(row.hex.clone()).or_default();
            *matters = if shown { *matters + 1 } else { matters.saturating_sub(1) };
        }
        // What others showed may be no more to be known, or again.
        let confirmed = self.matters.iter().filter(|(_, known)| known.confirmed().is_some()).map(|(matter, _)| matter.clone());
        self.touched.extend(confirmed);
    }

    /// Takes a removal.
    pub fn removal(&mut self, removal: &Removal) {
        if removal.shadow {
            return;
        }
        let removed = Removed { brand_id: removal.brand_id.clone(), at: removal.at.clone(), noticed: removal.origin == Origin::Notice };
        self.matter(&matter_id(removal)).removed = (removal.op == RemovalOp::Remove).then_some(removed);
    }

    /// Whether a matter is confirmed: it is removed, and somebody says that it is counterfeit.
    pub fn is_confirmed(&self, matter: &str) -> bool {
        self.matters.get(matter).is_some_and(|known| known.confirmed().is_some())
    }

    /// The known fakes that changed since the last call, by id; nothing where one is to be known no more.
    pub fn take_changed(&mut self) -> BTreeMap<String, Option<KnownFake>> {
        let mut changed = BTreeMap::new();
        for matter in std::mem::take(&mut self.touched) {
            let now = self.fakes(&matter);
            let prefix = prefix(&matter);
            let before: Vec<String> =
                self.told.range(prefix.clone()..).map_while(|(id, _)| id.starts_with(&prefix).then(|| id.clone())).collect();
            for id in before.into_iter().filter(|id| !now.contains_key(id)) {
                self.told.remove(&id);
                changed.insert(id, None);
            }
            for (id, fake) in now {
                if self.told.get(&id) != Some(&fake) {
                    self.told.insert(id.clone(), fake.clone());
                    changed.insert(id, Some(fake));
                }
            }
        }
        changed
    }

    /// What is to be known of a matter.
    fn fakes(&self, matter: &str) -> BTreeMap<String, KnownFake> {
        let confirmed = self.matters.get(matter).and_then(|known| Some((known, known.confirmed()?)));
        let Some((known, Removed { brand_id, at, .. })) = confirmed else { return BTreeMap::new() };
        let expires_at = Timestamp::from_unix_millis(at.unix_millis().saturating_add(self.known_days * DAY));
        let told = known.pictures.iter().enumerate().filter(|(_, row)| self.genuine.get(&row.hex).is_none_or(|shown| *shown == 0));
        told.filter_map(|(i, row)| {
            let id = format!("{}{i}", prefix(matter));
            let fake = KnownFake {
                id: Id::new(&id)?,
                brand_id: brand_id.clone(),
                fingerprint: Some(row.clone()),
                path: None,
                text: None,
                source_verdict: known.verdict.as_ref().map(ToString::to_string),
                expires_at: Some(expires_at.clone()),
            };
            Some((id, fake))
        })
        .collect()
    }

    fn matter(&mut self, id: &str) -> &mut Known {
        if !self.matters.contains_key(id) {
            if self.order.len() >= MOST_MATTERS
                && let Some(oldest) = self.order.pop_front()
            {
                self.matters.remove(&oldest);
            }
            self.order.push_back(id.to_owned());
        }
        self.touched.insert(id.to_owned());
        self.matters.entry(id.to_owned()).or_default()
    }
}

/// The matter that a removal is of.
pub fn matter_id(removal: &Removal) -> String {
    suspect_id(removal.platform.as_str(), removal.market.as_str(), removal.listing_id.as_str(), removal.brand_id.as_str())
}

/// What the ids of a matter's fakes begin with.
fn prefix(matter: &str) -> String {
    format!("{LEARNT}{matter}-")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};
    use touchstone_schemas::{Decode, decode};

    use super::*;

    fn read<T: Decode>(value: &Value) -> T {
        decode(value.to_string().as_bytes()).unwrap_or_else(|e| panic!("{value}: {e}")).value
    }

    fn matter(listing: &str) -> String {
        suspect_id("bazaar", "KR", listing, "kessra-rowe")
    }

    fn hex(digit: char) -> String {
        digit.to_string().repeat(48)
    }

    fn suspect(listing: &str, pictures: &[char]) -> Suspect {
        let seen: Vec<Value> =
            pictures.iter().enumerate().map(|(i, digit)| json!({"index": i, "fingerprint": {"algo": "a", "hex": hex(*digit)}})).collect();
        read(&json!({
            "suspect_id": matter(listing), "detection_id": "d", "op": "upsert", "event_id": "e", "occurred_at": "2026-11-02T00:00:00Z", "pass": 0,
            "content_hash": "c", "listing": {"platform": "bazaar", "market": "KR", "listing_id": listing, "revision": 1, "title": "t", "seller": {"id": "s"}},
            "brand_id": "kessra-rowe", "product_id": null, "score": 0.5, "band": "report", "caps": [],
            "thresholds": {"remove": 0.5, "report": 0.3, "ask_brand": 0.1}, "reason": "counterfeit", "evidence": [], "images_seen": seen,
            "catalog_version": "c", "policy_version": "p", "engine_version": "e", "detected_at": "2026-11-02T00:00:00Z"
        }))
    }

    fn verdict(listing: &str, says: &str) -> Verdict {
        read(
            &json!({"verdict_id": format!("v{listing}{says}"), "suspect_id": matter(listing), "brand_id": "kessra-rowe", "platform": "bazaar",
            "market": "KR", "listing_id": listing, "verdict": says, "by": {"type": "brand", "id": "b"}, "at": "2026-11-03T00:00:00Z"}),
        )
    }

    fn removal(listing: &str, op: &str, origin: &str) -> Removal {
        read(
            &json!({"removal_id": "r", "op": op, "suspect_id": matter(listing), "platform": "bazaar", "market": "KR", "listing_id": listing,
            "revision": 1, "brand_id": "kessra-rowe", "origin": origin, "ground": "illegal", "reason": "counterfeit", "statement": "s",
            "at": "2026-11-03T00:00:00Z"}),
        )
    }

    #[test]
    fn what_a_brand_confirms_is_known_until_it_is_taken_back_or_shown_by_genuine_goods() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/catalog");
        let catalog = Catalog::load(&folder).expect("the examples' catalog").0;
        let mut learner = Learner::new(365);
        let changed = |learner: &mut Learner| -> Vec<String> {
            let told = learner.take_changed();
            told.into_iter()
                .map(|(id, fake)| format!("{} {}", &id[id.len() - 1..], if fake.is_some() { "known" } else { "forgotten" }))
                .collect()
        };
        learner.suspect(&suspect("1", &['a', 'b']), &catalog);
        learner.removal(&removal("1", "remove", "proactive"));
        assert_eq!(changed(&mut learner), [""; 0], "the scanner does not learn from itself");
        learner.verdict(&verdict("1", "counterfeit"));
        learner.refused(&verdict("1", "counterfeit"));
        assert_eq!(changed(&mut learner), [""; 0], "nor from those who may not speak");
        learner.verdict(&verdict("1", "counterfeit"));
        let told = learner.take_changed();
        let first = told.values().next().cloned().flatten().expect("a fake");
        assert_eq!((told.len(), first.source_verdict.as_deref()), (2, Some("v1counterfeit")));
        assert_eq!(first.expires_at.map(|at| at.to_string()).as_deref(), Some("2027-11-03T00:00:00.000Z"));
        assert_eq!(changed(&mut learner), [""; 0], "told once");
        learner.suspect(&suspect("2", &['b']), &catalog);
        learner.verdict(&verdict("2", "genuine"));
        assert_eq!(changed(&mut learner), ["1 forgotten"], "genuine goods show it, too");
        learner.refused(&verdict("2", "genuine"));
        assert_eq!(changed(&mut learner), ["1 known"], "it was no word of the brand's");
        learner.verdict(&verdict("2", "genuine"));
        assert_eq!(changed(&mut learner), ["1 forgotten"]);
        learner.removal(&removal("1", "withdraw", "verdict"));
        assert_eq!(changed(&mut learner), ["0 forgotten"]);
    }
}
