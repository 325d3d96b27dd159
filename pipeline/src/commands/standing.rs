//! `touchstone standing explain`: how a brand's standing was counted, and what further records would change.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use touchstone_decisions::{Calendars, Explanation, Ledger};
use touchstone_detectors::{Policy, open};
use touchstone_schemas::{Appeal, Band, BrandId, Decode, Market, Notice, Removal, Timestamp, Verdict, decode};

use crate::archive::Archive;
use crate::cli::StandingArgs;
use crate::config;
use crate::failure::Failure;
use crate::input::read_line;

/// Topics that standing is computed from.
const TOPICS: [&str; 6] = ["suspects", "verdicts", "notices", "removals", "appeals", "dead-letters"];
/// Lines of a what-if file, at most.
const MOST_LINES: u64 = 1_000_000;

/// A standing without and with further records.
#[derive(Serialize)]
struct WhatIf {
    before: Option<Explanation>,
    after: Explanation,
}

pub(crate) fn explain(args: &StandingArgs) -> Result<(), Failure> {
    let archive = Archive::of(args.config.as_deref(), args.records.as_deref())?;
    let policy = policy(args)?;
    let mut counting = Counting::under(policy);
    archive.read(&TOPICS, |topic, entry| counting.take(topic, &entry.payload, entry.reason.as_deref()))?;
    counting.tell_unread();
    let before = counting.ledger.explain(&args.brand);
    let Some(file) = &args.what_if else {
        let explanation = before.ok_or_else(|| unknown(&counting.ledger, &args.brand))?;
        return super::print(args.json, &explanation, || explanation.to_string());
    };
    counting.further(file)?;
    let after = counting.ledger.explain(&args.brand).ok_or_else(|| unknown(&counting.ledger, &args.brand))?;
    let both = WhatIf { before, after };
    super::print(args.json, &both, || {
        let before = both.before.as_ref().map_or_else(|| format!("{} has no records\n", args.brand), ToString::to_string);
        format!("WITHOUT THE FURTHER RECORDS\n\n{before}\nWITH THEM\n\n{}", both.after)
    })
}

/// The policy that was asked for, else the configuration's, else the shipped one.
fn policy(args: &StandingArgs) -> Result<Policy, Failure> {
    if let Some(path) = &args.policy {
        let wrong = |e: &dyn std::fmt::Display| Failure::Usage(format!("{}: {e}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|e| wrong(&format!("cannot be read: {e}")))?;
        return Policy::parse(&text).map_err(|e| wrong(&e));
    }
    let Some(path) = &args.config else { return Ok(Policy::shipped()) };
    if let Some((_, policy)) = crate::catalog::current(&config::load(path)?)? {
        return Ok(policy);
    }
    tell(&format!("{}: there is no catalog yet, so the shipped policy is taken", path.display()));
    Ok(Policy::shipped())
}

fn unknown(ledger: &Ledger, brand: &str) -> Failure {
    const MOST_NAMED: usize = 50;
    let brands = ledger.brands();
    let more = if brands.len() > MOST_NAMED { format!(" and {} more", brands.len() - MOST_NAMED) } else { String::new() };
    let known = brands.iter().take(MOST_NAMED).copied().collect::<Vec<_>>().join(", ");
    let known = if known.is_empty() { "no brand has any".to_owned() } else { format!("some have {known}{more}") };
    Failure::Usage(format!("{brand:?} filed and answered nothing in these records; {known}"))
}

/// A ledger that is fed with payloads.
struct Counting {
    ledger: Ledger,
    policy: Policy,
    /// Payloads that could not be read, by topic.
    unread: BTreeMap<String, u64>,
}

/// What counts of a suspect.
#[derive(Deserialize)]
struct Suspicion {
    suspect_id: String,
    op: String,
    brand_id: String,
    occurred_at: String,
    band: String,
    listing: Place,
}

#[derive(Deserialize)]
struct Place {
    market: String,
}

/// The ids by which a record of any kind is told.
#[derive(Deserialize)]
struct Ids {
    appeal_id: Option<serde::de::IgnoredAny>,
    removal_id: Option<serde::de::IgnoredAny>,
    verdict_id: Option<serde::de::IgnoredAny>,
    notice_id: Option<serde::de::IgnoredAny>,
}

impl Ids {
    /// The topic that such a record is of.
    fn topic(&self) -> Option<&'static str> {
        let ids =
            [(&self.appeal_id, "appeals"), (&self.removal_id, "removals"), (&self.verdict_id, "verdicts"), (&self.notice_id, "notices")];
        ids.into_iter().find_map(|(id, topic)| id.is_some().then_some(topic))
    }
}

impl Counting {
    fn under(policy: Policy) -> Self {
        let days = policy.asks().days;
        let due_at = move |market: &Market, at: &Timestamp| Calendars::shipped().due_at(market, at, days);
        Self { ledger: Ledger::new(policy.standing(), Box::new(due_at)), policy, unread: BTreeMap::new() }
    }

    /// Takes a record of a topic. What cannot be read is counted.
    fn take(&mut self, topic: &str, payload: &[u8], reason: Option<&str>) {
        // A payload that deletes what stood under its key says nothing.
        if !payload.is_empty() && self.give(topic, payload, reason).is_err() {
            *self.unread.entry(topic.to_owned()).or_default() += 1;
        }
    }

    fn give(&mut self, topic: &str, payload: &[u8], reason: Option<&str>) -> Result<(), String> {
        match topic {
            "suspects" => self.suspect(payload)?,
            "verdicts" => self.ledger.verdict(&read::<Verdict>(payload)?),
            "notices" => self.ledger.notice(&read::<Notice>(payload)?),
            "removals" => self.ledger.removal(&read::<Removal>(payload)?),
            "appeals" => self.ledger.appeal(&read::<Appeal>(payload)?),
            // Most dead letters are none of filings, and many no JSON at all.
            _ => match serde_json::from_slice::<Ids>(payload).ok().and_then(|ids| ids.topic()) {
                Some("verdicts") => _ = read::<Verdict>(payload).map(|v| self.ledger.refused_verdict(&v, reason.unwrap_or_default())),
                Some("notices") => _ = read::<Notice>(payload).map(|n| self.ledger.refused_notice(&n, reason.unwrap_or_default())),
                _ => {}
            },
        }
        Ok(())
    }

    fn suspect(&mut self, payload: &[u8]) -> Result<(), String> {
        let suspicion: Suspicion = serde_json::from_slice(payload).map_err(|e| e.to_string())?;
        if suspicion.op != "upsert" {
            return Ok(());
        }
        let brand_id = BrandId::new(&suspicion.brand_id).ok_or("brand_id")?;
        let market = Market::new(&suspicion.listing.market).ok_or("listing.market")?;
        let occurred_at = Timestamp::parse(&suspicion.occurred_at).ok_or("occurred_at")?;
        let asked = Band::ALL.iter().any(|band| band.as_str() == suspicion.band && self.policy.asks().asks(*band));
        self.ledger.suspect(&suspicion.suspect_id, &brand_id, &market, &occurred_at, asked);
        Ok(())
    }

    fn tell_unread(&self) {
        for (topic, count) in &self.unread {
            tell(&format!("{count} of {topic} could not be read and count for nothing"));
        }
    }

    /// Takes the records of a file, told apart by their ids.
    fn further(&mut self, file: &Path) -> Result<(), Failure> {
        let cannot = |e: io::Error| Failure::Usage(format!("{}: cannot be read: {e}", file.display()));
        let mut reader = BufReader::new(open(file).map_err(cannot)?);
        let mut number = 0_u64;
        while let Some(line) = read_line(&mut reader).map_err(cannot)? {
            number += 1;
            let wrong = |e: &str| Failure::Usage(format!("{}:{number}: {e}", file.display()));
            if number > MOST_LINES {
                return Err(wrong(&format!("a what-if file has at most {MOST_LINES} lines")));
            }
            if line.payload.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let ids: Ids = serde_json::from_slice(&line.payload).map_err(|e| wrong(&format!("not a JSON object: {e}")))?;
            let topic = ids.topic().ok_or_else(|| {
                wrong("cannot be told: a verdict has verdict_id and suspect_id, a notice notice_id, a removal removal_id and op, an appeal appeal_id")
            })?;
            self.give(topic, &line.payload, None).map_err(|e| wrong(&e))?;
        }
        Ok(())
    }
}

fn read<T: Decode>(payload: &[u8]) -> Result<T, String> {
    decode(payload).map(|decoded| decoded.value).map_err(|fault| fault.to_string())
}

fn tell(message: &str) {
    // There is nowhere left to say that nothing can be said.
    let _ = writeln!(io::stderr(), "{message}");
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERDICT: &str = r#"{"verdict_id":"v1","suspect_id":"s1","brand_id":"acme","platform":"bazaar","market":"ID","listing_id":"1",
        "verdict":"counterfeit","by":{"type":"brand","id":"desk"},"at":"2026-11-21T11:20:00Z"}"#;
    const REMOVAL: &str = r#"{"removal_id":"r1","op":"remove","suspect_id":"s1","platform":"bazaar","market":"ID","listing_id":"1","revision":1,
        "brand_id":"acme","origin":"verdict","ground":"illegal","reason":"counterfeit","statement":"A copy.","at":"2026-11-22T00:00:00Z"}"#;
    const APPEAL: &str = r#"{"appeal_id":"a1","removal_id":"r1","outcome":"won","at":"2026-11-23T10:30:00Z"}"#;

    fn line(text: &str) -> String {
        text.split('\n').map(str::trim).collect()
    }

    #[test]
    fn records_are_told_apart_and_counted() {
        let suspect = r#"{"suspect_id":"s1","op":"upsert","brand_id":"acme","occurred_at":"2026-11-21T08:00:00Z","band":"report","listing":{"market":"ID"},"more":1}"#;
        let mut counting = Counting::under(Policy::shipped());
        for (topic, payload) in
            [("suspects", suspect), ("verdicts", VERDICT), ("verdicts", "{}"), ("dead-letters", "\u{1}"), ("removals", "")]
        {
            counting.take(topic, payload.as_bytes(), Some("not_json"));
        }
        assert_eq!(counting.unread, BTreeMap::from([("verdicts".to_owned(), 1)]));
        let shares = |counting: &Counting| counting.ledger.standing("acme").and_then(|standing| standing.overall).expect("a standing");
        let value = |score: Option<touchstone_schemas::Score>| score.map(touchstone_schemas::Score::to_f64);
        assert_eq!((shares(&counting).open, value(shares(&counting).in_time)), (Some(1), Some(1.0)));
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("further.jsonl");
        for (text, upheld, countered) in [(line(REMOVAL), 1.0, 0.0), (format!("\n{}\n", line(APPEAL)), 0.0, 1.0)] {
            std::fs::write(&file, text).expect("writable");
            counting.further(&file).map_err(|e| e.to_string()).expect("readable");
            assert_eq!((value(shares(&counting).upheld), value(shares(&counting).countered)), (Some(upheld), Some(countered)));
        }
        counting.take("dead-letters", VERDICT.as_bytes(), Some("agents_term_over"));
        assert_eq!(value(shares(&counting).rejected), Some(1.0));
        for (text, wanted) in
            [("{}", ":1: cannot be told"), ("\n[", ":2: not a JSON object"), (r#"{"verdict_id":"v"}"#, ":1: suspect_id: is required")]
        {
            std::fs::write(&file, text).expect("writable");
            let message = counting.further(&file).map_err(|e| e.to_string()).expect_err("refused");
            assert!(message.contains(wanted), "{message}");
        }
        assert!(unknown(&counting.ledger, "nobody").to_string().ends_with("some have acme"));
    }
}
