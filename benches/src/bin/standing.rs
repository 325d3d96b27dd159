//! Times how long standing takes to compute over many verdicts, and holds every brand's shares to what was made.

#![allow(clippy::disallowed_types, reason = "measures how long it takes")]

use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use touchstone_decisions::{Calendars, Ledger};
use touchstone_detectors::{Policy, suspect_id};
use touchstone_schemas::{Appeal, BrandId, Decode, Market, Removal, Score, Standing, Timestamp, Verdict, decode};

const USAGE: &str = "standing [--verdicts N] [--seed N]";
const BRANDS: usize = 500;
const DAYS: i64 = 90;
const DAY_MILLIS: i64 = 86_400_000;
/// 2026-09-01.
const FIRST_DAY: i64 = 20_697;
/// Verdicts that are made before the clock runs: as many as are small beside what the ledger keeps.
const CHUNK: u64 = 5_000;

/// A record, ready to be counted.
enum Record {
    Suspect(String, usize, Timestamp),
    Verdict(Box<Verdict>),
    Removal(Box<Removal>),
    Appeal(Box<Appeal>),
}

/// What was made for a brand: filings, those removed and not countered, those countered, answers in time and late.
#[derive(Clone, Copy, Default)]
struct Made {
    filings: u64,
    upheld: u64,
    countered: u64,
    in_time: u64,
    late: u64,
}

/// Makes records of a seed.
struct Maker {
    random: fastrand::Rng,
    made: Vec<Made>,
    next: u64,
}

fn brand(index: usize) -> String {
    format!("brand-{index}")
}

fn read<T: Decode>(text: &str) -> Result<T, String> {
    decode(text.as_bytes()).map(|decoded| decoded.value).map_err(|fault| format!("{fault}: {text}"))
}

impl Maker {
    /// One verdict on a suspect of its own, with what becomes of it, in any order.
    fn make(&mut self, records: &mut Vec<Record>) -> Result<(), String> {
        let (id, random) = (self.next, &mut self.random);
        self.next += 1;
        let index = random.usize(..BRANDS);
        let (brand_id, made) = (brand(index), &mut self.made[index]);
        let suspect = suspect_id("bazaar", "ID", &id.to_string(), &brand_id);
        let day = FIRST_DAY + random.i64(0..DAYS);
        // Some answers fall on a later day, and none after the last.
        let at = day * DAY_MILLIS + random.i64(0..DAY_MILLIS);
        let asked = at - random.i64(0..14) * DAY_MILLIS;
        let asked_at = Timestamp::from_unix_millis(asked);
        let market = Market::new("ID").ok_or("a market")?;
        let due_at = Calendars::shipped().due_at(&market, &asked_at, 3).unix_millis();
        *(if at <= due_at { &mut made.in_time } else { &mut made.late }) += 1;
        made.filings += 1;
        let at = Timestamp::from_unix_millis(at);
        let target = format!("\"platform\":\"bazaar\",\"market\":\"ID\",\"listing_id\":\"{id}\",\"brand_id\":\"{brand_id}\"");
        let (kind, reporter, code) = (["brand", "agent"][random.usize(..2)], random.u8(..4), random.u8(..10));
        let verdict: Verdict = read(&format!(
            "{{\"verdict_id\":\"v{id}\",\"suspect_id\":\"{suspect}\",{target},\"verdict\":\"counterfeit\",\"reason_code\":\"TM-{code}\",\
             \"by\":{{\"type\":\"{kind}\",\"id\":\"{kind}-{reporter}\"}},\"at\":\"{at}\"}}"
        ))?;
        let first = records.len();
        if id.is_multiple_of(100) {
            records.push(Record::Verdict(Box::new(verdict.clone())));
        }
        records.push(Record::Verdict(Box::new(verdict)));
        // Brands differ in how often they are right.
        if random.usize(..BRANDS) > index / 3 {
            let removal = format!(
                "{{\"removal_id\":\"r{id}\",\"op\":\"remove\",\"suspect_id\":\"{suspect}\",{target},\"revision\":1,\"origin\":\"verdict\",\
                 \"ground\":\"illegal\",\"reason\":\"counterfeit\",\"statement\":\"A copy.\",\"at\":\"{at}\"}}"
            );
            records.push(Record::Removal(read(&removal).map(Box::new)?));
            let won = random.u8(..30) == 0;
            *(if won { &mut made.countered } else { &mut made.upheld }) += 1;
            if won || random.u8(..30) == 0 {
                let outcome = if won { "won" } else { "lost" };
                let appeal = format!("{{\"appeal_id\":\"a{id}\",\"removal_id\":\"r{id}\",\"outcome\":\"{outcome}\",\"at\":\"{at}\"}}");
                records.push(Record::Appeal(read(&appeal).map(Box::new)?));
            }
        }
        records.push(Record::Suspect(suspect, index, asked_at));
        random.shuffle(&mut records[first..]);
        Ok(())
    }
}

/// Holds a standing to what was made.
fn check(standing: &Standing, made: Made) -> Result<(), String> {
    #[allow(clippy::cast_precision_loss)]
    let share = |count: u64, of: u64| (of > 0).then(|| Score::from_f64(count as f64 / of as f64));
    let decided = made.upheld + made.countered;
    let overall = standing.overall.as_ref().ok_or("no shares")?;
    let found = (standing.volume, overall.open, overall.upheld, overall.countered, overall.in_time);
    let wanted = (
        made.filings,
        Some(made.filings - decided),
        share(made.upheld, decided),
        share(made.countered, decided),
        share(made.in_time, made.in_time + made.late),
    );
    let volumes = |of: &Option<std::collections::BTreeMap<String, touchstone_schemas::Shares>>| {
        of.iter().flatten().map(|(_, shares)| shares.volume).sum::<u64>()
    };
    if found != wanted || [&standing.by_reason_code, &standing.by_reporter].into_iter().any(|of| volumes(of) != made.filings) {
        return Err(format!("{}: found {found:?}, wanted {wanted:?}", standing.brand_id));
    }
    Ok(())
}

/// Peak memory in MiB, where the system tells it.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse::<u64>().ok().map(|kib| kib / 1024)
}

fn run() -> Result<String, String> {
    let mut arguments = std::env::args().skip(1);
    let (mut verdicts, mut seed) = (10_000_000_u64, 1);
    while let Some(key) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{key} needs a value: {USAGE}"))?;
        let number = || value.parse::<u64>().map_err(|_| format!("{key}: {value:?} is no number"));
        match key.as_str() {
            "--verdicts" => verdicts = number()?,
            "--seed" => seed = number()?,
            other => return Err(format!("unknown {other:?}: {USAGE}")),
        }
    }
    let market = Market::new("ID").ok_or("a market")?;
    let brands: Vec<BrandId> = (0..BRANDS).filter_map(|index| BrandId::new(&brand(index))).collect();
    let due_at = |market: &Market, at: &Timestamp| Calendars::shipped().due_at(market, at, 3);
    let mut ledger = Ledger::new(Policy::shipped().standing(), Box::new(due_at));
    let mut maker = Maker { random: fastrand::Rng::with_seed(seed), made: vec![Made::default(); BRANDS], next: 0 };
    let (mut spent, mut counted) = (Duration::ZERO, 0_u64);
    let mut records = Vec::new();
    // The last day is seen first, so that no chance can leave it out.
    let last = Timestamp::from_unix_millis((FIRST_DAY + DAYS - 1) * DAY_MILLIS);
    ledger.suspect("none", &brands[0], &market, &last, false);
    while maker.next < verdicts {
        for _ in 0..CHUNK.min(verdicts - maker.next) {
            maker.make(&mut records)?;
        }
        counted += records.len() as u64;
        let begin = Instant::now();
        for record in &records {
            match record {
                Record::Suspect(id, brand, at) => ledger.suspect(id, &brands[*brand], &market, at, true),
                Record::Verdict(verdict) => ledger.verdict(verdict),
                Record::Removal(removal) => ledger.removal(removal),
                Record::Appeal(appeal) => ledger.appeal(appeal),
            }
        }
        spent += begin.elapsed();
        records.clear();
    }
    let begin = Instant::now();
    let standings = ledger.standings();
    spent += begin.elapsed();
    let filed = maker.made.iter().filter(|made| made.filings > 0).count();
    if standings.len() != filed || standings.iter().map(|standing| standing.volume).sum::<u64>() != verdicts {
        return Err(format!("{} standings of {filed} brands, not all of {verdicts} filings", standings.len()));
    }
    for standing in &standings {
        let index = brands.iter().position(|brand| *brand == standing.brand_id).ok_or("an unknown brand")?;
        check(standing, maker.made[index])?;
    }
    #[allow(clippy::cast_precision_loss)]
    let rate = verdicts as f64 / spent.as_secs_f64();
    Ok(format!(
        "{verdicts} verdicts ({counted} records) of {filed} brands in {:.2} s, {rate:.0} verdicts/s; peak memory {}",
        spent.as_secs_f64(),
        peak_memory().map_or_else(|| "unknown".to_owned(), |mib| format!("{mib} MiB"))
    ))
}

fn main() -> ExitCode {
    let (text, code) = match run() {
        Ok(text) => (text, 0),
        Err(message) => (message, 1),
    };
    let mut out: Box<dyn Write> = if code == 0 { Box::new(std::io::stdout()) } else { Box::new(std::io::stderr()) };
    // There is nowhere left to report a failure to report.
    let _ = writeln!(out, "{text}");
    ExitCode::from(code)
}
