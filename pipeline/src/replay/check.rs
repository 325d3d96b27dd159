//! Whether suspects that are found again are those that were recorded, byte for byte but for the clock. Pure.

use serde::Serialize;
use serde_json::Value;
use touchstone_detectors::in_pass;
use touchstone_schemas::Suspect;

/// What became of a suspect on another look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Became {
    /// It is found as it was recorded.
    Same,
    /// It is found with another detection, or with other findings.
    Differs,
    /// It is found, and none was recorded.
    NotRecorded,
    /// It was recorded, and is not found.
    NotFound,
}

/// One suspect of an event, on another look.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Checked {
    pub(crate) brand_id: String,
    pub(crate) outcome: Became,
    /// Of what makes the detection: what differs, with the value here and the recorded one.
    pub(crate) detection: Vec<Differs>,
    /// Other fields that differ.
    pub(crate) fields: Vec<String>,
    /// As it is found here.
    pub(crate) suspect: Option<Suspect>,
    /// The recorded detection.
    pub(crate) recorded: Option<String>,
}

/// A part of a detection that differs.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Differs {
    pub(crate) part: &'static str,
    pub(crate) here: String,
    pub(crate) recorded: String,
}

/// Fields that are told otherwise, and the one that the clock sets.
const ELSEWHERE: [&str; 4] = ["catalog_version", "policy_version", "engine_version", "detected_at"];

/// Compares what is found of an event with what was recorded, by brand, then pass.
pub(crate) fn check(found: &[Suspect], recorded: &[Suspect]) -> Vec<Checked> {
    let mut recorded: Vec<&Suspect> = recorded.iter().collect();
    recorded.sort_by_key(|suspect| (&suspect.brand_id, suspect.pass));
    // Where delivery is at least once, the same may stand there twice.
    recorded.dedup_by_key(|suspect| (&suspect.brand_id, &suspect.detection_id));
    let mut all: Vec<Checked> = recorded.iter().map(|old| one(found.iter().find(|s| s.brand_id == old.brand_id), old)).collect();
    let is_new = |suspect: &&Suspect| recorded.iter().all(|old| old.brand_id != suspect.brand_id);
    all.extend(
        found.iter().filter(is_new).map(|suspect| checked(suspect.brand_id.as_str(), Became::NotRecorded, Some(suspect.clone()), None)),
    );
    all.sort_by(|a, b| a.brand_id.cmp(&b.brand_id));
    all
}

fn one(found: Option<&Suspect>, recorded: &Suspect) -> Checked {
    let brand_id = recorded.brand_id.as_str();
    let Some(found) = found else { return checked(brand_id, Became::NotFound, None, Some(recorded)) };
    // A later pass saw pictures that were late: here they are there at once, or not at all.
    let found = in_pass(found.clone(), recorded.pass, recorded.supersedes.clone());
    let pairs = [
        ("revision", found.listing.revision.to_string(), recorded.listing.revision.to_string()),
        ("catalog_version", found.catalog_version.clone(), recorded.catalog_version.clone()),
        ("policy_version", found.policy_version.clone(), recorded.policy_version.clone()),
        ("engine_version", found.engine_version.clone(), recorded.engine_version.clone()),
    ];
    let detection = pairs.into_iter().filter(|(_, here, recorded)| here != recorded);
    let detection: Vec<Differs> = detection.map(|(part, here, recorded)| Differs { part, here, recorded }).collect();
    let mut fields = differing(&found, recorded);
    if !detection.is_empty() {
        // It follows from these.
        fields.retain(|field| field != "detection_id");
    }
    let became = if detection.is_empty() && fields.is_empty() { Became::Same } else { Became::Differs };
    Checked { detection, fields, ..checked(brand_id, became, Some(found), Some(recorded)) }
}

fn checked(brand_id: &str, outcome: Became, suspect: Option<Suspect>, recorded: Option<&Suspect>) -> Checked {
    let recorded = recorded.map(|recorded| recorded.detection_id.clone());
    Checked { brand_id: brand_id.to_owned(), outcome, detection: Vec::new(), fields: Vec::new(), suspect, recorded }
}

/// The fields of an event that differ, by name.
fn differing(a: &Suspect, b: &Suspect) -> Vec<String> {
    // Made of strings and numbers: writing them cannot fail.
    let [a, b] = [a, b].map(|suspect| serde_json::to_value(suspect).unwrap_or_default());
    let keys = |value: &Value| value.as_object().into_iter().flat_map(|o| o.keys().cloned()).collect::<Vec<_>>();
    let mut all = [keys(&a), keys(&b)].concat();
    all.sort();
    all.dedup();
    all.retain(|key| !ELSEWHERE.contains(&key.as_str()) && a.get(key) != b.get(key));
    all
}

#[cfg(test)]
mod tests {
    use super::super::suspect;
    use super::*;

    #[test]
    fn what_is_found_again_is_told_from_what_is_not() {
        // Of pass 0, whose detection is this program's own.
        let own = |brand: &str, score: f64| in_pass(suspect(brand, score, "report", &[1.0]), 0, None);
        let other = |change: fn(&mut Suspect)| {
            let mut suspect = own("acme", 0.95);
            change(&mut suspect);
            vec![suspect]
        };
        let found = [own("acme", 0.95)];
        for (recorded, outcome, parts, fields) in [
            (other(|_| ()), Became::Same, vec![], vec![]),
            (other(|s| s.detected_at = touchstone_schemas::Timestamp::from_unix_millis(0)), Became::Same, vec![], vec![]),
            // A later pass of the same is the same.
            (other(|s| *s = in_pass(s.clone(), 2, Some("before".to_owned()))), Became::Same, vec![], vec![]),
            (other(|s| s.policy_version = "old".to_owned()), Became::Differs, vec!["policy_version"], vec![]),
            (other(|s| s.engine_version = "0.0.1".to_owned()), Became::Differs, vec!["engine_version"], vec![]),
            (other(|s| s.listing.revision += 1), Became::Differs, vec!["revision"], vec!["listing"]),
            (other(|s| s.evidence.clear()), Became::Differs, vec![], vec!["evidence"]),
            (Vec::new(), Became::NotRecorded, vec![], vec![]),
        ] {
            let checked = check(&found, &recorded);
            assert_eq!(checked.len(), 1);
            assert_eq!(checked[0].outcome, outcome, "{recorded:?}");
            assert_eq!(checked[0].detection.iter().map(|d| d.part).collect::<Vec<_>>(), parts);
            assert_eq!(checked[0].fields, fields);
        }
        let gone = check(&[], &found);
        assert_eq!((gone[0].outcome, &gone[0].suspect), (Became::NotFound, &None));
        let both = check(&[own("b", 0.9), own("a", 0.9)], &[own("c", 0.9), own("b", 0.9), own("b", 0.9)]);
        let told: Vec<_> = both.iter().map(|c| (c.brand_id.as_str(), c.outcome)).collect();
        assert_eq!(told, [("a", Became::NotRecorded), ("b", Became::Same), ("c", Became::NotFound)]);
    }
}
