//! A load generator: writes listings to Kafka as they are due, and times their suspects.
//!
//! Latency counts from when a listing was due and not from when it was sent, so that a stall counts for all that it held up.

mod arrivals;
mod clock;
mod events;
mod histogram;
mod kafka;
mod options;
mod pace;
mod report;
mod send;

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use rdkafka::producer::Producer;

use arrivals::{Arrivals, lock};
use clock::Clock;
use events::Events;
use kafka::Kafka;
pub use options::Options;
use pace::Pace;
use report::{Behind, Report, millis};
use send::Load;

/// How often it is told how far the run is, in microseconds.
const EACH: u64 = 5_000_000;
/// How long no suspect may come before the run ends, and how long it waits for that at most, in microseconds.
const QUIET: u64 = 5_000_000;
const PATIENCE: u64 = 60_000_000;
/// How often it is looked whether suspects come, in microseconds.
const LOOK: u64 = 100_000;

/// Why nothing was measured.
enum Failure {
    Usage(String),
    Run(String),
}

/// Runs the load, tells what it measured, and ends with 1 where a bound was missed.
pub fn run(options: &Options) -> ExitCode {
    let outcome = measure(options).and_then(|report| {
        let missed = report.missed(&options.bounds);
        let told = if options.json { format!("{:#}\n", report.json(&missed)) } else { report.table() };
        io::stdout().write_all(told.as_bytes()).map_err(|e| Failure::Run(format!("standard output: {e}")))?;
        Ok(missed)
    });
    let (lines, code) = match outcome {
        Ok(missed) if missed.is_empty() => return ExitCode::SUCCESS,
        Ok(missed) => (missed, 1),
        Err(Failure::Run(message)) => (vec![message], 1),
        Err(Failure::Usage(message)) => (vec![message], 2),
    };
    lines.iter().for_each(|line| say(line));
    ExitCode::from(code)
}

fn measure(options: &Options) -> Result<Report, Failure> {
    let events = Events::read(&options.listings).map_err(Failure::Usage)?;
    say(&format!("{} listings{}", events.len(), if events.cut { ", of more than are kept" } else { "" }));
    if events.skipped > 0 {
        say(&format!("{} lines are no listings, and are not written", events.skipped));
    }
    let kafka = Kafka::new(options);
    let reader = kafka.reader().map_err(Failure::Run)?;
    let workers = kafka.workers().map_err(Failure::Run)?;
    let behind = || workers.as_ref().map(|workers| kafka.behind(workers)).transpose();
    let before = behind().map_err(Failure::Run)?;
    let writer = kafka.writer().map_err(Failure::Run)?;
    let (arrivals, over, run) = (Mutex::new(Arrivals::default()), AtomicBool::new(false), name());
    let (count, until) = options.limits();
    let clock = Clock::start();
    let load =
        Load { events: &events, writer: &writer, topic: &kafka.listings, run: &run, clock, pace: Pace::new(options.rate), count, until };
    let measured = std::thread::scope(|scope| {
        scope.spawn(|| arrivals::read(&reader, &run, clock, &arrivals, &over));
        let measured = || -> Result<Report, Failure> {
            let mut told = 0;
            let mut progress = |written| tell(clock, &arrivals, written, &mut told);
            let written = load.write(&mut progress).map_err(Failure::Run)?;
            // What was measured is told even where this can no longer be asked.
            let asked = || {
                behind().unwrap_or_else(|message| {
                    say(&message);
                    None
                })
            };
            let after = asked();
            let unfinished = wait(clock, &arrivals, || progress(written.listings));
            let behind = before.zip(after).zip(asked()).map(|((before, after), end)| Behind { before, after, end });
            Ok(Report { rate: options.rate, written, behind, unfinished, failed: writer.context().failed(), ..Report::default() })
        };
        let measured = measured();
        over.store(true, Ordering::Relaxed);
        measured
    });
    let arrivals = std::mem::take(&mut *lock(&arrivals));
    measured.map(|report| Report { arrivals, ..report })
}

/// Waits until no more suspects come; whether they still do when that takes too long.
fn wait(clock: Clock, arrivals: &Mutex<Arrivals>, mut progress: impl FnMut()) -> bool {
    let begin = clock.now();
    loop {
        let last = lock(arrivals).last.max(begin);
        let now = clock.now();
        if now.saturating_sub(last) >= QUIET {
            return false;
        }
        if now - begin >= PATIENCE {
            return true;
        }
        progress();
        clock.rest_until(now + LOOK);
    }
}

/// Tells how far the run is, from time to time.
fn tell(clock: Clock, arrivals: &Mutex<Arrivals>, written: u64, told: &mut u64) {
    let now = clock.now();
    if now.saturating_sub(*told) < EACH {
        return;
    }
    *told = now;
    let (suspects, p99) = {
        let arrivals = lock(arrivals);
        (arrivals.latency.count(), arrivals.latency.per_mille(990).unwrap_or_default())
    };
    say(&format!("{:.0} s: {written} listings written, {suspects} suspects back, p99 {:.1} ms", millis(now) / 1e3, millis(p99)));
}

/// A name that no other run has: what is told of its listings is told of no others.
fn name() -> String {
    let micros = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    format!("{micros:x}")
}

fn say(line: &str) {
    // What cannot be said on standard error cannot be said at all.
    let _ = writeln!(io::stderr(), "touchstone-load: {line}");
}
