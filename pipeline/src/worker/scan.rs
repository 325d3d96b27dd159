//! The scan thread: batches in, records out.

#![allow(clippy::disallowed_types, reason = "measures how long batches take")]

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::Instant;

use touchstone_detectors::Scanner;
use touchstone_schemas::{Fault, FaultReason, Suspect};
use tracing::{debug, warn};

use super::fail_point::Point;
use super::flow::Flow;
use super::memory::Memory;
use super::poll::{Batch, Taken};
use super::records::{self, Record};
use super::restore::Restorer;
use crate::catalog::Live;
use crate::engine::{Engine, Read, Scanned};
use crate::metrics::Metrics;
use crate::revisions::Seen;
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

/// The scan thread.
pub(super) struct Scan<'a> {
    pub(super) engine: &'a mut Engine,
    pub(super) live: &'a Live,
    pub(super) metrics: &'a Metrics,
    pub(super) flow: &'a Flow,
    pub(super) topic: &'a str,
    pub(super) restorer: Restorer,
    pub(super) memory: Memory,
    /// Of each batch in its turn, whether it was committed.
    pub(super) settled: Receiver<bool>,
}

impl Scan<'_> {
    /// Scans until no more batches come.
    pub(super) fn run(&mut self, taken: &Receiver<Batch>, to_commit: &SyncSender<Output>) {
        let mut tenure = 0;
        for batch in taken {
            while let Ok(committed) = self.settled.try_recv() {
                self.memory.settle(committed);
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
            let output = scan(self.engine, &mut self.memory, self.topic, batch);
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
            let Ok(committed) = self.settled.recv() else { return };
            self.memory.settle(committed);
        }
    }

    /// Whether a batch may be scanned: its tenure holds, and what is known of its partitions is read back.
    fn is_ready(&mut self, batch: &Batch) -> bool {
        let holds = || batch.tenure == self.flow.tenure() && self.flow.failure().is_none();
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

fn scan(engine: &mut Engine, memory: &mut Memory, topic: &str, batch: Batch) -> Output {
    let Batch { tenure, taken, revoked: _ } = batch;
    memory.begin();
    let mut next = HashMap::new();
    for event in &taken {
        next.insert(event.partition, event.offset + 1);
    }
    let scanner = engine.scanner.clone();
    let results = engine.scan(
        &taken,
        |i, listing| memory.is_new(taken[i].partition, &listing.key(), Seen { revision: listing.revision, place: taken[i].place() }),
        |listing, pictures, now| scanner.scan(listing, pictures, now),
    );
    let mut output =
        Output { tenure, next, oldest: taken.iter().filter_map(|t| t.timestamp).min(), records: Vec::new(), counts: Counts::default() };
    for (event, result) in taken.iter().zip(results) {
        match result.and_then(|read| records_of(event, &read, &scanner).map(|records| (read, records))) {
            Ok((read, records)) => finish(&mut output, records, &read),
            Err(fault) => {
                memory.take_back(event.partition, event.place());
                dead(&mut output, event, topic, &fault);
            }
        }
    }
    if let Some(dead) = output.counts.outcomes.get(Outcome::DeadLetter.name()) {
        warn!("{dead} of {} listing events go to the dead letters", taken.len());
    }
    output
}

/// The records of a listing's suspects and of what is to be remembered; a fault where one is larger than any broker takes.
fn records_of(event: &Taken, read: &Read<Vec<Suspect>>, scanner: &Scanner) -> Result<Vec<Record>, Fault> {
    let suspects: &[Suspect] = match &read.scanned {
        Scanned::Done(suspects) => suspects,
        Scanned::Removed => &[],
        Scanned::Stale => return Ok(Vec::new()),
    };
    let key = read.listing.key();
    let mut records: Vec<Record> =
        suspects.iter().map(|s| records::suspect(s, &key, &event.trace, scanner.catalog().has_own_topic(s.brand_id.as_str()))).collect();
    records.push(records::state(event, &read.listing, &key, suspects));
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
