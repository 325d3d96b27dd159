//! `touchstone replay`: what another catalog or policy would have made of listings of the past, or what one event makes again.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use touchstone_detectors::{Catalog, Picture, Policy, Scanner};
use touchstone_schemas::{Listing, Suspect, Timestamp};

use super::{load, policy, print};
use crate::catalog;
use crate::cli::ReplayListingsArgs;
use crate::config::{self, Config};
use crate::engine::{Engine, Read, Scanned};
use crate::failure::Failure;
use crate::output::Output;
use crate::remote::Remote;
use crate::replay::{self, Checked, Event, Tally, as_taken, differences, table};
use crate::revisions::{Revisions, Seen};
use crate::summary::{Outcome, Summary};

/// Listings whose revisions are remembered at least.
const REMEMBERED: usize = 1_000_000;
/// How long a batch waits for pictures; milliseconds. Nobody waits for the batch.
const PICTURES_MS: u64 = 60_000;

pub(crate) fn run(args: &ReplayListingsArgs) -> Result<(), Failure> {
    let mut config = args.config.as_deref().map(config::load).transpose()?;
    if let Some(config) = &mut config {
        config.pictures.picture_deadline_ms = PICTURES_MS;
    }
    if let Some(folder) = args.pictures.as_deref().filter(|folder| !folder.is_dir()) {
        return Err(Failure::Usage(format!("{}: is no folder: name one that holds pictures under their SHA-256", folder.display())));
    }
    let sides = Sides::new(args, config.as_ref())?;
    let remote = config.as_ref().map(|config| Remote::new(&config.pictures)).transpose()?.flatten();
    let engine = Engine::new(sides.after.clone(), args.threads)?.with_remote(remote).with_bundle(args.pictures.clone());
    match &args.event {
        Some(event_id) => one(args, config.as_ref(), engine, event_id),
        None => all(args, config.as_ref(), engine, &sides),
    }
}

/// The scanners that are compared.
struct Sides {
    before: Arc<Scanner>,
    after: Arc<Scanner>,
}

impl Sides {
    fn new(args: &ReplayListingsArgs, config: Option<&Config>) -> Result<Self, Failure> {
        let (catalog, own) = catalog_of(args.catalog.as_deref(), config)?;
        let after = scanner(catalog.clone(), own.clone(), args.policy.as_deref())?;
        if args.event.is_some() {
            return Ok(Self { before: after.clone(), after });
        }
        // What stands: the configuration's own, or that of the same catalog.
        let against = args.against_catalog.as_deref().or(if config.is_some() { None } else { args.catalog.as_deref() });
        let (catalog, own) = if against == args.catalog.as_deref() { (catalog, own) } else { catalog_of(against, config)? };
        let before = scanner(catalog, own, args.against_policy.as_deref())?;
        Ok(Self { before, after })
    }
}

/// A catalog with its own policy: that of a path, or else what the configuration has now.
fn catalog_of(path: Option<&Path>, config: Option<&Config>) -> Result<(Arc<Catalog>, Policy), Failure> {
    let (catalog, own) = match (path, config) {
        (Some(path), _) => {
            let catalog = load(path)?;
            let own = policy(None, path, &catalog)?;
            (catalog, own)
        }
        (None, Some(config)) => {
            let none = || Failure::Usage("kafka: no catalog is published yet: `touchstone catalog publish DIR --config FILE`".to_owned());
            catalog::current(config)?.ok_or_else(none)?
        }
        (None, None) => {
            return Err(Failure::Usage("name a catalog with --catalog, or a configuration that has one with --config".to_owned()));
        }
    };
    Ok((Arc::new(catalog), own))
}

fn scanner(catalog: Arc<Catalog>, own: Policy, file: Option<&Path>) -> Result<Arc<Scanner>, Failure> {
    let policy = if file.is_some() { policy(file, Path::new(""), &catalog)? } else { own };
    Ok(Arc::new(Scanner::new(catalog, policy)))
}

/// Gives the events that were asked for to `take`, until it says false.
fn events(
    args: &ReplayListingsArgs,
    config: Option<&Config>,
    take: impl FnMut(Vec<Event>) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    match config {
        Some(config) if args.listings.is_empty() => replay::of_topic(config, (args.from.as_ref(), args.to.as_ref()), take),
        _ => replay::of_files(&args.listings, take),
    }
}

/// Compares all listings.
fn all(args: &ReplayListingsArgs, config: Option<&Config>, engine: Engine, sides: &Sides) -> Result<(), Failure> {
    let Sides { before, after } = sides;
    let mut engine = engine.with_beside(before.clone());
    let mut output = args.out.as_deref().map(|path| Output::create(Some(path))).transpose()?;
    let (mut summary, mut tally) = (Summary::start(), Tally::new(usize::try_from(args.samples).unwrap_or(usize::MAX)));
    let mut revisions = Revisions::new(REMEMBERED);
    let assess = |scanner: &Scanner, listing: &Listing, pictures: &[Picture], now: &Timestamp| {
        scanner.assess(&as_taken(listing, scanner), pictures, now)
    };
    events(args, config, |batch| {
        let is_new =
            |i: usize, listing: &Listing| revisions.is_new(&listing.key(), Seen { revision: listing.revision, place: batch[i].place });
        let scan = |listing: &Listing, pictures: &[Picture], now: &Timestamp| {
            let (was, is) = (assess(before, listing, pictures, now), assess(after, listing, pictures, now));
            let suspects = is.iter().filter(|a| a.band.is_some()).map(|a| a.suspect.clone()).collect::<Vec<_>>();
            (was.iter().filter(|a| a.band.is_some()).count() as u64, suspects, differences(&was, &is))
        };
        for read in engine.scan(&batch, is_new, scan) {
            let Ok(read) = read else {
                summary.count(Outcome::DeadLetter);
                continue;
            };
            summary.faults(&read.faults);
            summary.pictures(read.picture_faults());
            summary.count(Outcome::of(&read.scanned, |(_, suspects, _)| !suspects.is_empty()));
            let Scanned::Done((was, suspects, differences)) = read.scanned else { continue };
            suspects.iter().for_each(|suspect| summary.suspect(suspect));
            if let Some(output) = &mut output {
                differences.iter().try_for_each(|difference| output.line(difference))?;
            }
            tally.add(was, suspects.len() as u64, differences);
        }
        Ok(true)
    })?;
    output.map_or(Ok(()), Output::finish)?;
    summary.close();
    let report = tally.report(before, after, summary.outcomes());
    print(args.json, &report, || table(&report))
}

/// What one event makes again, and whether that was recorded.
fn one(args: &ReplayListingsArgs, config: Option<&Config>, mut engine: Engine, event_id: &str) -> Result<(), Failure> {
    let scanner = engine.scanner.clone();
    let mut found: Option<Read<Vec<Suspect>>> = None;
    events(args, config, |batch| {
        // Nothing but the event is scanned: to all others it is said that they are stale.
        let is_it = |_: usize, listing: &Listing| listing.event_id.as_str() == event_id;
        let scan = |listing: &Listing, pictures: &[Picture], now: &Timestamp| scanner.scan(listing, pictures, now);
        found = engine.scan(&batch, is_it, scan).into_iter().flatten().find(|read| read.listing.event_id.as_str() == event_id);
        Ok(found.is_none())
    })?;
    let absent = || Failure::Run(anyhow::anyhow!("no listing event {event_id:?} is there: look at --listings, or at --from and --to"));
    let read = found.ok_or_else(absent)?;
    let mut told = io::stderr();
    for (i, fault) in read.pictures.iter().enumerate().filter_map(|(i, p)| Some((i, p.fingerprint.as_ref().err()?))) {
        writeln!(told, "images[{i}]: {fault}")?;
    }
    let suspects = if let Scanned::Done(suspects) = read.scanned { suspects } else { Vec::new() };
    let recorded = match (&args.suspects, config) {
        (Some(file), _) => replay::in_file(file, event_id)?,
        (None, Some(config)) => replay::in_topic(config, event_id)?,
        (None, None) => {
            writeln!(told, "nothing is compared with: name a file of recorded suspects with --suspects, or --config")?;
            Vec::new()
        }
    };
    let mut output = Output::create(args.out.as_deref())?;
    for checked in replay::check(&suspects, &recorded) {
        writeln!(told, "{}", sentence(&checked))?;
        match (args.json, &checked.suspect) {
            (true, _) => output.line(&checked)?,
            (false, Some(suspect)) => output.line(suspect)?,
            (false, None) => {}
        }
    }
    if suspects.is_empty() && recorded.is_empty() {
        writeln!(told, "no suspects, neither here nor recorded")?;
    }
    Ok(output.finish()?)
}

/// What became of a suspect, for people.
fn sentence(checked: &Checked) -> String {
    use replay::Became::{Differs, NotFound, NotRecorded, Same};
    let Checked { brand_id, outcome, detection, fields, suspect, recorded } = checked;
    let recorded = recorded.as_deref().unwrap_or_default();
    match outcome {
        Same => format!("{brand_id}: as it was recorded, detection {recorded}"),
        NotFound => format!("{brand_id}: recorded as detection {recorded}, and not found here"),
        NotRecorded => format!("{brand_id}: found here, and not recorded"),
        Differs => {
            let parts = detection.iter().map(|d| format!("{} is {} here and was {}", d.part, d.here, d.recorded));
            let fields = (!fields.is_empty()).then(|| format!("fields that differ: {}", fields.join(", ")));
            let why: Vec<String> = parts.chain(fields).collect();
            let here = suspect.as_ref().map(|s| s.detection_id.as_str()).unwrap_or_default();
            let is = if here == recorded {
                format!("detection {here}, recorded as well")
            } else {
                format!("detection {here}, recorded {recorded}")
            };
            format!("{brand_id}: {is}: {}", why.join("; "))
        }
    }
}
