//! The cases that stand, and `touchstone case list`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Write};

use touchstone_decisions::cases::is_live;
use touchstone_detectors::nearest;
use touchstone_schemas::{Case, decode};

use super::{Unread, plain};
use crate::archive::Archive;
use crate::failure::Failure;

/// Similar ids that are told.
const SIMILAR: usize = 3;

/// Every case that stands in the topic, merged ones among them, by id.
pub(super) fn standing(archive: &Archive) -> Result<BTreeMap<String, Case>, Failure> {
    let (mut cases, mut unread) = (BTreeMap::new(), Unread::default());
    archive.read(&["cases"], |_, entry| {
        if entry.payload.is_empty() {
            let key = entry.key.as_deref().map(String::from_utf8_lossy);
            key.map(|key| cases.remove(&*key));
            return;
        }
        match decode::<Case>(&entry.payload) {
            Ok(decoded) => drop(cases.insert(decoded.value.case_id.to_string(), decoded.value)),
            Err(fault) => unread.add(&entry, &fault),
        }
    })?;
    unread.tell();
    Ok(cases)
}

/// The case of an id, or the one that it was merged into, however often.
pub(super) fn find<'a>(cases: &'a BTreeMap<String, Case>, id: &str) -> Result<&'a Case, Failure> {
    let mut case = cases.get(id).ok_or_else(|| Failure::Usage(unknown(cases, id)))?;
    // Cases merge into those named before them; a circle could only come of records that others wrote.
    for _ in 0..cases.len() {
        let Some(into) = &case.merged_into else { break };
        case = cases.get(into.as_str()).ok_or_else(|| Failure::Usage(format!("case {id} was merged into {into}, which is not there")))?;
    }
    if !is_live(case) {
        return Err(Failure::Usage(format!("case {id} is no more: what joined its sellers, or was found with them, holds no longer")));
    }
    Ok(case)
}

fn unknown(cases: &BTreeMap<String, Case>, id: &str) -> String {
    let mut known: BTreeSet<&str> = cases.keys().map(String::as_str).collect();
    let similar: Vec<&str> = std::iter::from_fn(|| {
        let next = nearest(id, known.iter().copied())?;
        known.remove(next);
        Some(next)
    })
    .take(SIMILAR)
    .collect();
    let hint = if similar.is_empty() { "none is similar".to_owned() } else { format!("similar are {}", similar.join(", ")) };
    format!("there is no case {id:?} among {}: {hint}; `touchstone case list` names those that stand", cases.len())
}

/// Prints the cases that stand, the most urgent first.
pub(super) fn list(archive: &Archive, top: usize) -> Result<(), Failure> {
    let cases = standing(archive)?;
    let mut live: Vec<&Case> = cases.values().filter(|case| is_live(case)).collect();
    live.sort_by(|a, b| b.rank.total_cmp(&a.rank).then_with(|| a.case_id.cmp(&b.case_id)));
    let more = live.len().saturating_sub(top);
    live.truncate(top);
    write!(io::stdout(), "{}", table(&live))?;
    if more > 0 {
        writeln!(io::stderr(), "{more} more: give --top for more of them")?;
    }
    Ok(())
}

fn table(cases: &[&Case]) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_table(cases, &mut text);
    text
}

fn write_table(cases: &[&Case], out: &mut String) -> std::fmt::Result {
    writeln!(
        out,
        "{:>8}  {:<21} {:>7} {:>8} {:>9} {:>8}  {:<34} last outcome",
        "rank", "case", "sellers", "listings", "confirmed", "markets", "joined by"
    )?;
    for case in cases {
        let kinds: BTreeSet<_> = case.joins.iter().map(|join| join.kind).collect();
        let kinds = kinds.into_iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(" ");
        writeln!(
            out,
            "{:>8.4}  {:<21} {:>7} {:>8} {:>9} {:>8}  {:<34} {}",
            case.rank,
            plain(case.case_id.as_str()),
            case.sellers.len(),
            case.listings.unwrap_or_default(),
            case.confirmed.unwrap_or_default(),
            case.markets.len(),
            if kinds.is_empty() { "-" } else { &kinds },
            case.outcomes.last().map_or_else(|| "-".to_owned(), |outcome| plain(outcome))
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn case(id: &str, sellers: &[&str], merged_into: Option<&str>) -> (String, Case) {
        let event = json!({"case_id": id, "sellers": sellers, "rank": 1.5, "merged_into": merged_into});
        (id.to_owned(), decode::<Case>(event.to_string().as_bytes()).expect("a case").value)
    }

    #[test]
    fn a_merged_case_leads_to_the_one_that_stands() {
        let cases = BTreeMap::from([
            case("case-1", &["p:a", "p:b"], None),
            case("case-2", &[], Some("case-1")),
            case("case-3", &[], Some("case-2")),
            case("case-4", &[], None),
            case("case-5", &[], Some("case-9")),
            case("case-6", &[], Some("case-7")),
            case("case-7", &[], Some("case-6")),
        ]);
        for (id, expected) in [
            ("case-1", Ok("case-1")),
            ("case-3", Ok("case-1")),
            ("case-4", Err("is no more")),
            ("case-5", Err("not there")),
            ("case-6", Err("is no more")),
            ("cas-1", Err("similar are case-1, case-2, case-3;")),
            ("something else", Err("none is similar")),
        ] {
            match (find(&cases, id), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found.case_id.as_str(), expected),
                (Err(told), Err(expected)) => assert!(told.to_string().contains(expected), "{id}: {told}"),
                (found, _) => panic!("{id}: {found:?}"),
            }
        }
        assert!(table(&[&cases["case-1"]]).contains("  1.5000  case-1                      2"));
    }
}
