//! The scan thread: batches in, records out.

#![allow(clippy::disallowed_types, reason = "measures how long batches take")]

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::Instant;

use touchstone_schemas::{Fault, FaultReason, Suspect};
use tracing::{debug, warn};

use super::flow::Flow;
use super::poll::{Batch, Taken};
use super::records::{self, Record};
use crate::engine::{Engine, Read, Scanned};
use crate::metrics::Metrics;
use crate::revisions::Revisions;
use crate::summary::Outcome;

/// A batch with its outputs.
pub(super) struct Output {
    pub(super) tenure: u64,
    /// Of each partition the offset after the last event.
    pub(super) next: HashMap<i32, i64>,
    /// When the oldest event was written to its topic; milliseconds since 1970.
    pub(super) oldest: Option<i64>,
    pub(super) records: Vec<Record>,
    pub(super) counts: Counts,
}

/// What is counted once the batch is committed.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) outcomes: HashMap<&'static str, u64>,
    pub(super) faults: HashMap<&'static str, u64>,
    pub(super) pictures: HashMap<&'static str, u64>,
}

/// Scans until no more batches come.
pub(super) fn run(
    engine: &mut Engine,
    metrics: &Metrics,
    flow: &Flow,
    topic: &str,
    taken: &Receiver<Batch>,
    to_commit: &SyncSender<Output>,
) {
    let mut revisions = Revisions::default();
    let mut tenure = 0;
    for batch in taken {
        if batch.tenure != flow.tenure() {
            flow.leave();
            continue;
        }
        // What was seen in an old tenure may not have been committed: it will come again.
        if batch.tenure != tenure {
            tenure = batch.tenure;
            revisions = Revisions::default();
        }
        let started = Instant::now();
        let output = scan(engine, &mut revisions, topic, batch);
        metrics.batch_seconds.observe(started.elapsed().as_secs_f64());
        for (detector, seconds) in engine.scanner.take_seconds() {
            metrics.detector_seconds.with_label_values(&[detector.as_str()]).observe(seconds);
        }
        metrics.picture_cache_hits.inc_by(engine.take_cache_hits());
        if to_commit.send(output).is_err() {
            flow.leave();
            flow.fail("the committing thread has ended".to_owned());
            return;
        }
    }
}

fn scan(engine: &mut Engine, revisions: &mut Revisions, topic: &str, batch: Batch) -> Output {
    let Batch { tenure, taken } = batch;
    let mut next = HashMap::new();
    for event in &taken {
        next.insert(event.partition, event.offset + 1);
    }
    let scanner = engine.scanner.clone();
    let results = engine.scan(
        &taken,
        |_, listing| revisions.is_new(&listing.key(), listing.revision),
        |listing, pictures, now| scanner.scan(listing, pictures, now),
    );
    let mut output =
        Output { tenure, next, oldest: taken.iter().filter_map(|t| t.timestamp).min(), records: Vec::new(), counts: Counts::default() };
    for (event, result) in taken.iter().zip(results) {
        match result {
            Ok(read) => match records_of(event, &read) {
                Ok(records) => finish(&mut output, records, &read),
                Err(fault) => dead(&mut output, event, topic, &fault),
            },
            Err(fault) => dead(&mut output, event, topic, &fault),
        }
    }
    if let Some(dead) = output.counts.outcomes.get(Outcome::DeadLetter.name()) {
        warn!("{dead} of {} listing events go to the dead letters", taken.len());
    }
    output
}

/// The records of a listing's suspects; a fault where one is larger than any broker takes.
fn records_of(event: &Taken, read: &Read<Vec<Suspect>>) -> Result<Vec<Record>, Fault> {
    let Scanned::Done(suspects) = &read.scanned else { return Ok(Vec::new()) };
    let key = read.listing.key();
    let records: Vec<Record> = suspects.iter().map(|s| records::suspect(s, &key, &event.trace)).collect();
    if records.iter().any(Record::is_too_large) {
        let detail = "its suspects would be larger than a topic takes".to_owned();
        return Err(Fault { reason: FaultReason::TooLarge, path: String::new(), detail });
    }
    Ok(records)
}

fn finish(output: &mut Output, records: Vec<Record>, read: &Read<Vec<Suspect>>) {
    let outcome = Outcome::of(&read.scanned, |suspects| !suspects.is_empty()).name();
    output.records.extend(records);
    let Counts { outcomes, faults, pictures } = &mut output.counts;
    *outcomes.entry(outcome).or_default() += 1;
    for fault in &read.faults {
        *faults.entry(fault.reason.as_str()).or_default() += 1;
    }
    for picture in &read.pictures {
        *pictures.entry(picture.fingerprint.as_ref().map_or_else(|fault| fault.as_str(), |_| "looked_at")).or_default() += 1;
    }
}

fn dead(output: &mut Output, event: &Taken, topic: &str, fault: &Fault) {
    debug!(partition = event.partition, offset = event.offset, reason = fault.reason.as_str(), path = fault.path, "dead letter");
    *output.counts.outcomes.entry(Outcome::DeadLetter.name()).or_default() += 1;
    output.records.push(records::dead_letter(event, topic, fault));
}
