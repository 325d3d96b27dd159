//! From findings to a score, a band and a reason.

use std::collections::BTreeMap;

use touchstone_schemas::{Band, BandThresholds, Brand, Cap, Detector as Name, Evidence, Kind, MatchKind, Reason, Score, Weight};

use crate::policy::Policy;

/// What the findings of one matter amount to.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) score: Score,
    /// Nothing under the lowest threshold.
    pub(crate) band: Option<Band>,
    pub(crate) caps: Vec<Cap>,
    pub(crate) thresholds: BandThresholds,
    pub(crate) reason: Reason,
    /// The prior, then the findings; the weights sum to the score's log-odds.
    pub(crate) evidence: Vec<Evidence>,
}

/// Weighs the findings of one matter.
pub(crate) fn weigh(policy: &Policy, brand: &Brand, base_rate: f64, found: Vec<Evidence>) -> Verdict {
    let (evidence, sum) = sum_up(base_rate, found);
    let score = Score::from_f64(probability(sum));
    let thresholds = thresholds(policy, Some(brand));
    let reached = match score {
        s if s >= thresholds.remove => Some(Band::Remove),
        s if s >= thresholds.report => Some(Band::Report),
        s if s >= thresholds.ask_brand => Some(Band::AskBrand),
        _ => None,
    };
    let mut caps = caps(policy, &evidence);
    caps.retain(|cap| reached.is_some_and(|band| band > cap.max_band));
    let band = caps.iter().map(|c| c.max_band).chain(reached).min().filter(|_| reached.is_some());
    let reason = reason(&evidence);
    Verdict { score, band, caps, thresholds, reason, evidence }
}

/// The thresholds in force: a brand's own, else the policy's.
pub(crate) fn thresholds(policy: &Policy, brand: Option<&Brand>) -> BandThresholds {
    let own = brand.and_then(|brand| brand.thresholds.clone()).unwrap_or_default();
    let cut = |own: Option<Score>, shared: f64| own.unwrap_or(Score::from_f64(shared));
    BandThresholds {
        remove: cut(own.remove, policy.thresholds.remove),
        report: cut(own.report, policy.thresholds.report),
        ask_brand: cut(own.ask_brand, policy.thresholds.ask_brand),
    }
}

/// The probability that log-odds stand for.
pub fn probability(log_odds: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-log_odds))
}

/// The prior and the findings, those that count with their weights, and the sum: the log-odds.
pub(crate) fn sum_up(base_rate: f64, found: Vec<Evidence>) -> (Vec<Evidence>, f64) {
    let mut prior = Evidence::new(Name::Prior, Kind::BaseRate, Weight::from_f64(libm::log(base_rate / (1.0 - base_rate))));
    prior.base_rate = Some(Score::from_f64(base_rate));
    let mut evidence = vec![prior];
    evidence.extend(found);
    one_of_each_kind(&mut evidence);
    let sum = evidence.iter().fold(0.0, |sum, e| sum + e.weight.to_f64());
    (evidence, sum)
}

/// Signals of one kind repeat each other: the strongest counts, the others stay as facts. Of equals the first counts.
fn one_of_each_kind(evidence: &mut [Evidence]) {
    let mut strongest: BTreeMap<Kind, usize> = BTreeMap::new();
    for (i, item) in evidence.iter().enumerate() {
        let best = strongest.entry(item.kind).or_insert(i);
        if item.weight.to_f64().abs() > evidence[*best].weight.to_f64().abs() {
            *best = i;
        }
    }
    for (i, item) in evidence.iter_mut().enumerate() {
        if strongest[&item.kind] != i {
            item.weight = Weight::default();
        }
    }
}

/// Less weight than this beside a price, a picture or a phrase leaves it alone.
const TRIFLES: f64 = 1.5;

/// What must never suffice alone: a price, a picture, a phrase beside a plainly named brand.
fn caps(policy: &Policy, evidence: &[Evidence]) -> Vec<Cap> {
    let speaks = |e: &&Evidence| e.weight > Weight::default() && e.detector != Name::Prior;
    let plainly_named = |e: &Evidence| {
        e.kind == Kind::BrandMention && !matches!(e.r#match, Some(MatchKind::Confusable | MatchKind::Split | MatchKind::Fuzzy))
    };
    let others: Vec<&Evidence> = evidence.iter().filter(speaks).filter(|e| !plainly_named(e) && e.kind != Kind::ProductMatch).collect();
    let rules = [
        ("price_only", policy.caps.price_only, Name::Price),
        ("picture_only", policy.caps.picture_only, Name::Image),
        ("phrase_only", policy.caps.phrase_only, Name::Text),
    ];
    // Trifles beside it do not make it more than one thing.
    let beside = |detector: Name| others.iter().filter(|e| e.detector != detector).map(|e| e.weight.to_f64()).sum::<f64>();
    let holds = |detector: Name| others.iter().any(|e| e.detector == detector) && beside(detector) < TRIFLES;
    let cap = |rule: &str, max_band| Cap { rule: rule.to_owned(), max_band };
    rules.into_iter().filter(|(_, _, detector)| holds(*detector)).map(|(rule, band, _)| cap(rule, band.band())).collect()
}

fn reason(evidence: &[Evidence]) -> Reason {
    let speaks = |name: Name| evidence.iter().any(|e| e.detector == name && e.weight > Weight::default() && e.kind != Kind::BrandMention);
    let has = |kind: Kind| evidence.iter().any(|e| e.kind == kind);
    match () {
        () if speaks(Name::Text) || speaks(Name::Price) || has(Kind::KnownFake) => Reason::Counterfeit,
        () if has(Kind::ReferenceCopy) => Reason::ImageMisuse,
        () if has(Kind::Accessory) || has(Kind::AboutBrand) || has(Kind::CategoryMismatch) => Reason::TrademarkMisuse,
        () => Reason::Counterfeit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brand() -> Brand {
        touchstone_schemas::decode::<Brand>(br#"{"brand_id": "nordvale", "name": "Nordvale"}"#).expect("a brand").value
    }

    fn item(detector: Name, kind: Kind, weight: f64) -> Evidence {
        Evidence::new(detector, kind, Weight::from_f64(weight))
    }

    #[test]
    fn one_item_of_each_kind_counts_and_the_weights_give_the_score() {
        let found = vec![
            item(Name::Text, Kind::CodedPhrase, 1.5),
            item(Name::Text, Kind::CodedPhrase, 4.0),
            item(Name::Text, Kind::BrandMention, 2.0),
        ];
        let verdict = weigh(&Policy::shipped(), &brand(), 0.0074, found);
        let weights: Vec<f64> = verdict.evidence.iter().map(|e| e.weight.to_f64()).collect();
        assert_eq!(weights, [-4.8988, 0.0, 4.0, 2.0]);
        let sum: f64 = weights.iter().sum();
        assert!((verdict.score.to_f64() - 1.0 / (1.0 + (-sum).exp())).abs() < 2e-6);
    }

    #[test]
    fn a_price_or_a_phrase_alone_never_reaches_remove() {
        let mention = || item(Name::Text, Kind::BrandMention, 2.0);
        let price = || item(Name::Price, Kind::BelowReference, 9.0);
        let phrase = || item(Name::Text, Kind::CodedPhrase, 9.0);
        for (found, band, rules) in [
            (vec![mention(), price()], Some(Band::Report), vec!["price_only"]),
            (vec![mention(), phrase()], Some(Band::Report), vec!["phrase_only"]),
            (vec![mention(), price(), phrase()], Some(Band::Remove), vec![]),
            (vec![mention()], None, vec![]),
            (vec![mention(), price(), item(Name::Text, Kind::Overclaim, 0.4)], Some(Band::Report), vec!["price_only"]),
        ] {
            let verdict = weigh(&Policy::shipped(), &brand(), 0.0074, found);
            assert_eq!(verdict.band, band);
            assert_eq!(verdict.caps.iter().map(|c| c.rule.as_str()).collect::<Vec<_>>(), rules);
        }
    }
}
