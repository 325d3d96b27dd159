//! The scan thread: batches in, records out.

#![allow(clippy::disallowed_types, reason = "measures how long batches take")]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::Instant;

use touchstone_detectors::{Policy, Scanner};
use touchstone_schemas::{Fault, FaultReason, Listing, OpenSuspect, Suspect, Timestamp};
use tracing::{debug, warn};

use super::fail_point::Point;
use super::flow::Flow;
use super::memory::{Fate, Memory};
use super::passes::{Came, Passes};
use super::poll::Batch;
use super::records::{self, Record};
use super::restore::Restorer;
use super::taken::{Role, Source, Taken};
use crate::catalog::Live;
use crate::engine::{Engine, Read, Scanned, guarded, now};
use crate::health::Health;
use crate::metrics::Metrics;
use crate::revisions::Seen;
use crate::shadow::{Look, Looks, Shadow};
use crate::summary::Outcome;

/// A batch with its outputs.
pub(super) struct Output {
    pub(super) tenure: u64,
    /// Of each partition of a topic the offset after the last record that was taken.
    pub(super) next: HashMap<(Source, i32), i64>,
    /// When the oldest event was written to its topic; milliseconds since 1970.
    pub(super) oldest: Option<i64>,
    pub(super) records: Vec<Record>,
    pub(super) counts: Counts,
    /// What it was scanned by.
    scanner: Arc<Scanner>,
}

impl Output {
    /// Whether a brand has a topic of its own, by the catalog of the batch.
    pub(super) fn has_own_topic(&self, brand_id: &str) -> bool {
        self.scanner.catalog().has_own_topic(brand_id)
    }

    /// The policy of the batch.
    pub(super) fn policy(&self) -> &Policy {
        self.scanner.policy()
    }
}

/// What is counted once the batch is committed.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) outcomes: HashMap<&'static str, u64>,
    pub(super) faults: HashMap<&'static str, u64>,
    pub(super) pictures: HashMap<&'static str, u64>,
    pub(super) retries: HashMap<&'static str, u64>,
    /// What the shadow finds differently, where there is one.
    pub(super) looks: Option<Looks>,
}

/// What comes of a record.
#[derive(Default)]
pub(super) struct Made {
    pub(super) records: Vec<Record>,
    /// What became of it, where it came back.
    pub(super) came: Option<Came>,
    /// The suspicions that stand of the listing now; nothing where it is as it was.
    pub(super) open: Option<Vec<OpenSuspect>>,
}

/// The scan thread.
pub(super) struct Scan<'a> {
    pub(super) engine: &'a mut Engine,
    pub(super) live: &'a Live,
    pub(super) shadow: Option<&'a Shadow>,
    pub(super) metrics: &'a Metrics,
    pub(super) flow: &'a Flow,
    pub(super) health: &'a Health,
    pub(super) topic: &'a str,
    pub(super) passes: Passes,
    pub(super) restorer: Restorer,
    pub(super) memory: Memory,
    /// Of each batch in its turn, what became of it.
    pub(super) settled: Receiver<Fate>,
}

impl Scan<'_> {
    /// Scans until no more batches come.
    pub(super) fn run(&mut self, taken: &Receiver<Batch>, to_commit: &SyncSender<Output>) {
        let mut tenure = 0;
        for batch in taken {
            while let Ok(fate) = self.settled.try_recv() {
                self.memory.settle(fate);
            }
            self.memory.forget(&batch.revoked);
            if batch.tenure != tenure {
                tenure = batch.tenure;
                self.settle_all();
            }
            if !self.is_ready(&batch) {
                self.flow.leave();
                continue;
            }
            let started = Instant::now();
            // One catalog and one policy for the whole batch.
            if let Some(scanner) = self.live.scanner() {
                self.engine.scanner = scanner;
            }
            let output = scan(self.engine, self.shadow, &mut self.memory, self.topic, &self.passes, batch);
            self.metrics.batch_seconds.observe(started.elapsed().as_secs_f64());
            for (detector, seconds) in self.engine.scanner.take_seconds() {
                self.metrics.detector_seconds.with_label_values(&[detector.as_str()]).observe(seconds);
            }
            self.metrics.picture_cache_hits.inc_by(self.engine.take_cache_hits());
            Point::Scanned.reached();
            if to_commit.send(output).is_err() {
                self.flow.leave();
                self.flow.fail("the committing thread has ended".to_owned());
                return;
            }
        }
    }

    /// Batches of an old tenure may be dropped or may just be committed: what is known begins with what became of them.
    fn settle_all(&mut self) {
        while !self.memory.is_settled() {
            // The committing thread has ended: there will be no commit either.
            let Ok(fate) = self.settled.recv() else { return };
            self.memory.settle(fate);
        }
    }

    /// Whether a batch may be scanned: its tenure holds, and what is known of its partitions is read back.
    fn is_ready(&mut self, batch: &Batch) -> bool {
        let holds = || batch.tenure == self.flow.tenure() && self.flow.failure().is_none() && !self.health.is_hurried();
        let unknown = self.memory.unknown(batch.taken.iter().map(|t| t.partition));
        if unknown.is_empty() {
            return holds();
        }
        let rows = match self.restorer.read(&unknown, holds) {
            Ok(Some(rows)) => rows,
            Ok(None) => return false,
            Err(e) => {
                self.flow.fail(format!("kafka: the state topic cannot be read: {e}"));
                return false;
            }
        };
        for (partition, rows) in rows {
            self.memory.restore(partition, rows);
        }
        Point::Restored.reached();
        holds()
    }
}

fn scan(engine: &mut Engine, shadow: Option<&Shadow>, memory: &mut Memory, topic: &str, passes: &Passes, batch: Batch) -> Output {
    let Batch { tenure, mut taken, revoked: _ } = batch;
    memory.begin();
    let mut next = HashMap::new();
    for record in &taken {
        next.insert((record.source(), record.partition), record.offset + 1);
    }
    taken.retain(|record| !matches!(record.role, Role::Unreadable));
    let scanner = engine.scanner.clone();
    let is_current = |i: usize, listing: &Listing| {
        let Taken { role, partition, .. } = &taken[i];
        match role {
            // Its event is remembered already, or forgotten.
            Role::Retry(pass) => memory.is_still(*partition, &listing.key(), listing.revision, pass.place),
            _ => memory.is_new(*partition, &listing.key(), Seen { revision: listing.revision, place: taken[i].place() }),
        }
    };
    let beside = shadow.map(|shadow| shadow.beside(&scanner));
    let results = engine.scan(&taken, is_current, |listing, pictures, now| {
        let suspects = scanner.scan(listing, pictures, now);
        let look = beside.as_ref().map(|beside| Look::of(beside, listing, pictures, now, &suspects));
        (suspects, look)
    });
    let due_at = passes.due_at();
    let events = taken.iter().filter(|record| record.source() == Source::Listings);
    let oldest = events.filter_map(|t| t.timestamp).min();
    let mut output = Output { tenure, next, oldest, records: Vec::new(), counts: Counts::default(), scanner };
    output.counts.looks = shadow.map(Shadow::batch);
    // One after the other: what stands of a listing depends on the events before.
    for (record, result) in taken.iter().zip(results) {
        let made = result.and_then(|read| {
            let read = read.map(|(suspects, look)| {
                // What comes back was looked at when it came first.
                if let (Some(looks), Some(look), Source::Listings) = (&mut output.counts.looks, look, record.source()) {
                    looks.add(look);
                }
                suspects
            });
            let before = memory.open(record.partition, &read.listing.key(), record.place());
            let made = make(record, &read, before, &output.scanner, passes, &due_at)?;
            fit(made).map(|made| (read, made))
        });
        match made {
            Ok((read, mut made)) => {
                if let Some(open) = made.open.take() {
                    remember(memory, record, &read.listing, open);
                }
                finish(&mut output, record, &read, made);
            }
            Err(fault) => {
                let topic = if record.source() == Source::Listings { topic } else { passes.topic.as_str() };
                dead(&mut output, record, topic, &fault);
            }
        }
    }
    if let Some(dead) = output.counts.outcomes.get(Outcome::DeadLetter.name()) {
        warn!("{dead} of {} records go to the dead letters", taken.len());
    }
    output
}

/// Remembers what an event or a later pass left of a listing.
fn remember(memory: &mut Memory, taken: &Taken, listing: &Listing, open: Vec<OpenSuspect>) {
    // As the state topic has it.
    let place = match &taken.role {
        Role::Retry(pass) => pass.place.unwrap_or(0),
        _ => taken.place(),
    };
    memory.keep(taken.partition, &listing.key(), Seen { revision: listing.revision, place }, open);
}

/// The records of a listing's suspects, of those that stood `before` and do no more, of what is to be remembered, and of what is to
/// come back.
///
/// # Errors
/// The fault that makes a dead letter of it.
fn make(
    taken: &Taken,
    read: &Read<Vec<Suspect>>,
    before: &[OpenSuspect],
    scanner: &Scanner,
    passes: &Passes,
    due_at: &Timestamp,
) -> Result<Made, Fault> {
    let suspects: &[Suspect] = match (&read.scanned, &taken.role) {
        (Scanned::Done(suspects), _) => suspects,
        (Scanned::Removed, Role::Event) => &[],
        (Scanned::Stale, Role::Event) => return Ok(Made::default()),
        (Scanned::Removed | Scanned::Stale, _) => return Ok(Made { came: Some(Came::Superseded), ..Made::default() }),
    };
    if let Role::Retry(pass) = &taken.role {
        return Ok(passes.after(taken, pass, read, suspects, due_at));
    }
    let key = read.listing.key();
    let remains = guarded(|| scanner.remains(&read.listing, &read.pictures, before, suspects, &now()))?;
    let mut records: Vec<Record> = suspects.iter().chain(&remains.withdrawn).map(|s| records::suspect(s, &key, &taken.trace)).collect();
    let mut open: Vec<OpenSuspect> = suspects.iter().map(records::open).chain(remains.standing).collect();
    open.sort_by(|a, b| a.brand_id.cmp(&b.brand_id));
    records.push(records::state(taken.partition, Some(taken.place()), &read.listing, &key, open.clone()));
    let (again, came) = passes.after_first(taken, read, &open, due_at);
    records.extend(again);
    Ok(Made { records, came, open: Some(open) })
}

/// The same, or a fault where a record is larger than any broker takes.
fn fit(made: Made) -> Result<Made, Fault> {
    if made.records.iter().any(Record::is_too_large) {
        let detail = "its suspects would be larger than a topic takes".to_owned();
        return Err(Fault { reason: FaultReason::TooLarge, path: String::new(), detail });
    }
    Ok(made)
}

/// Counts what came of a record. A listing that came back was counted when it came first.
fn finish(output: &mut Output, taken: &Taken, read: &Read<Vec<Suspect>>, made: Made) {
    output.records.extend(made.records);
    let Counts { outcomes, faults, pictures, retries, looks: _ } = &mut output.counts;
    if let Some(came) = made.came {
        *retries.entry(came.name()).or_default() += 1;
    }
    if taken.source() == Source::Retries {
        return;
    }
    *outcomes.entry(Outcome::of(&read.scanned, |suspects| !suspects.is_empty()).name()).or_default() += 1;
    for fault in &read.faults {
        *faults.entry(fault.reason.as_str()).or_default() += 1;
    }
    for picture in &read.pictures {
        *pictures.entry(picture.fingerprint.as_ref().map_or_else(|fault| fault.as_str(), |_| "looked_at")).or_default() += 1;
    }
}

fn dead(output: &mut Output, taken: &Taken, topic: &str, fault: &Fault) {
    debug!(topic, partition = taken.partition, offset = taken.offset, reason = fault.reason.as_str(), path = fault.path, "dead letter");
    if taken.source() == Source::Listings {
        *output.counts.outcomes.entry(Outcome::DeadLetter.name()).or_default() += 1;
    }
    output.records.push(records::dead_letter(taken, topic, fault));
}

#[cfg(test)]
mod tests;
