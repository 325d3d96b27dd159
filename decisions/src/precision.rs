//! How often brands confirm what a finding leads to: by brand and kind of finding, by phrase, by reference picture.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use touchstone_detectors::Learning;
use touchstone_schemas::{BrandId, Detector, Failing, Score, Suspect, SuspectOp, Verdict, VerdictKind};

/// Matters that are counted; with more, the first to come are forgotten.
const MOST_MATTERS: usize = 500_000;
/// Failing findings of one brand that are told, the worst first.
const MOST_FAILING: usize = 100;

/// What was found: a kind of finding, a phrase, or a reference picture, each by its name.
type Finding = (&'static str, String);

/// A matter: what its last look found, and what was said last.
#[derive(Default)]
struct Known {
    brand: Option<BrandId>,
    found: Vec<Finding>,
    /// When the last word was given, by which verdict, and whether it confirms.
    said: Option<(i64, String, bool)>,
}

/// Counts verdicts by what was found. The same records give the same counts, whatever their order.
#[derive(Default)]
pub struct Precision {
    matters: FxHashMap<String, Known>,
    order: std::collections::VecDeque<String>,
    /// Of each brand and finding: confirmed, and denied.
    counts: BTreeMap<BrandId, BTreeMap<Finding, (u64, u64)>>,
}

impl Precision {
    /// Takes a suspect: what it was found by.
    pub fn suspect(&mut self, suspect: &Suspect) {
        if suspect.op != SuspectOp::Upsert {
            return;
        }
        let mut found = BTreeSet::new();
        for e in suspect.evidence.iter().filter(|e| e.detector != Detector::Prior && e.weight.to_f64() > 0.0) {
            found.insert(("kind", e.kind.as_str().to_owned()));
            found.extend(e.phrase.clone().map(|phrase| ("phrase", phrase)));
            found.extend(e.reference.clone().filter(|_| e.detector == Detector::Image).map(|reference| ("reference", reference)));
        }
        self.change(&suspect.suspect_id, |known| {
            known.brand = Some(suspect.brand_id.clone());
            known.found = found.into_iter().collect();
        });
    }

    /// Takes a verdict of somebody who may speak.
    pub fn verdict(&mut self, verdict: &Verdict) {
        let confirms = match verdict.verdict {
            VerdictKind::Counterfeit => true,
            VerdictKind::Genuine | VerdictKind::Grey => false,
            VerdictKind::Unsure => return,
        };
        // The last word counts.
        let said = Some((verdict.at.unix_millis(), verdict.verdict_id.to_string(), confirms));
        self.change(verdict.suspect_id.as_str(), |known| known.said = known.said.take().max(said));
    }

    /// What brands deny too often to act on it alone, by brand, the worst first.
    pub fn failing(&self, brand: &BrandId, rules: &Learning) -> Vec<Failing> {
        let counts = self.counts.get(brand).into_iter().flatten();
        let judged = counts.filter(|(_, (confirmed, denied))| confirmed + denied >= rules.least_verdicts.max(1));
        let mut failing: Vec<Failing> = judged
            .filter(|(_, (confirmed, denied))| ratio(*confirmed, confirmed + denied) < rules.floor)
            .map(|((kind, key), (confirmed, denied))| Failing {
                kind: (*kind).to_owned(),
                key: key.clone(),
                precision: Score::from_f64(ratio(*confirmed, confirmed + denied)),
                verdicts: confirmed + denied,
            })
            .collect();
        failing.sort_by(|a, b| (a.precision, &a.kind, &a.key).cmp(&(b.precision, &b.kind, &b.key)));
        failing.truncate(MOST_FAILING);
        failing
    }

    fn change(&mut self, matter: &str, change: impl FnOnce(&mut Known)) {
        if !self.matters.contains_key(matter) {
            if self.order.len() >= MOST_MATTERS
                && let Some(oldest) = self.order.pop_front()
                && let Some(known) = self.matters.remove(&oldest)
            {
                count(&mut self.counts, &known, false);
            }
            self.order.push_back(matter.to_owned());
        }
        let known = self.matters.entry(matter.to_owned()).or_default();
        count(&mut self.counts, known, false);
        change(known);
        count(&mut self.counts, known, true);
    }
}

/// Counts a matter in, or out again.
fn count(counts: &mut BTreeMap<BrandId, BTreeMap<Finding, (u64, u64)>>, known: &Known, comes: bool) {
    let (Some(brand), Some((.., confirms))) = (&known.brand, &known.said) else { return };
    let of_brand = counts.entry(brand.clone()).or_default();
    for finding in &known.found {
        let (confirmed, denied) = of_brand.entry(finding.clone()).or_default();
        let place = if *confirms { confirmed } else { denied };
        *place = if comes { *place + 1 } else { place.saturating_sub(1) };
    }
}

/// Counts of verdicts are far below what a float holds exactly.
#[allow(clippy::cast_precision_loss)]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use touchstone_detectors::Policy;
    use touchstone_schemas::{Decode, decode};

    use super::*;

    fn read<T: Decode>(value: &Value) -> T {
        decode(value.to_string().as_bytes()).unwrap_or_else(|e| panic!("{value}: {e}")).value
    }

    fn suspect(id: usize, phrase: &str) -> Suspect {
        read(&json!({
            "suspect_id": id.to_string(), "detection_id": "d", "op": "upsert", "event_id": "e", "occurred_at": "2026-11-02T00:00:00Z", "pass": 0,
            "content_hash": "c", "listing": {"platform": "b", "market": "KR", "listing_id": "1", "revision": 1, "title": "t", "seller": {"id": "s"}},
            "brand_id": "acme", "product_id": null, "score": 0.5, "band": "report", "caps": [],
            "thresholds": {"remove": 0.5, "report": 0.3, "ask_brand": 0.1}, "reason": "counterfeit",
            "evidence": [{"detector": "prior", "kind": "base_rate", "weight": -4}, {"detector": "text", "kind": "coded_phrase", "weight": 3, "phrase": phrase},
                {"detector": "text", "kind": "overclaim", "weight": 0}],
            "images_seen": [], "catalog_version": "c", "policy_version": "p", "engine_version": "e", "detected_at": "2026-11-02T00:00:00Z"
        }))
    }

    fn verdict(id: usize, says: &str, hour: usize) -> Verdict {
        read(
            &json!({"verdict_id": format!("v{id}-{hour}"), "suspect_id": id.to_string(), "brand_id": "acme", "platform": "b", "market": "KR",
            "listing_id": "1", "verdict": says, "by": {"type": "brand", "id": "b"}, "at": format!("2026-11-03T{hour:02}:00:00Z")}),
        )
    }

    #[test]
    fn what_brands_deny_fails_whatever_the_order() {
        let rules = Policy::parse("[learning]\nfloor = 0.5\nleast_verdicts = 4").expect("a policy");
        let acme = BrandId::new("acme").expect("an id");
        let told = |forwards: bool| {
            let mut precision = Precision::default();
            let mut steps: Vec<usize> = (0..10).collect();
            if !forwards {
                steps.reverse();
            }
            for n in steps {
                let (phrase, says) = if n < 5 { ("mirror", "genuine") } else { ("replica", "counterfeit") };
                if forwards {
                    precision.suspect(&suspect(n, phrase));
                }
                // The first word is not the last.
                precision.verdict(&verdict(n, says, 9));
                precision.verdict(&verdict(n, "counterfeit", 8));
                precision.verdict(&verdict(n, "unsure", 10));
                precision.suspect(&suspect(n, phrase));
            }
            let failing = precision.failing(&acme, rules.learning());
            failing.into_iter().map(|f| (f.kind, f.key, f.precision.to_f64(), f.verdicts)).collect::<Vec<_>>()
        };
        assert_eq!(told(true), [("phrase".to_owned(), "mirror".to_owned(), 0.0, 5)]);
        assert_eq!(told(false), told(true));
        let lenient = Policy::parse("[learning]\nleast_verdicts = 6").expect("a policy");
        let mut few = Precision::default();
        (0..5).for_each(|n| few.suspect(&suspect(n, "mirror")));
        (0..5).for_each(|n| few.verdict(&verdict(n, "genuine", 9)));
        assert_eq!(few.failing(&acme, lenient.learning()), [], "too few have spoken");
    }
}
