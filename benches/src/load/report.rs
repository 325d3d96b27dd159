//! What a run measured, and which bounds it missed.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use super::arrivals::Arrivals;
use super::options::Bounds;
use super::send::Written;

/// Percentiles that are told, in parts of a thousand.
const TOLD: [(&str, u64); 4] = [("p50", 500), ("p90", 900), ("p99", 990), ("p99.9", 999)];
/// The share of the rate that must be written before any bound counts as held.
const HELD: f64 = 0.99;

/// Listings that the workers had not committed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Behind {
    /// Before the run.
    pub(super) before: u64,
    /// When the last listing was written.
    pub(super) after: u64,
    /// When no more suspects came.
    pub(super) end: u64,
}

/// What a run measured.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Listings a second that were asked for.
    pub(super) rate: Option<u64>,
    pub(super) written: Written,
    pub(super) arrivals: Arrivals,
    pub(super) behind: Option<Behind>,
    /// Whether suspects were still coming when it ended.
    pub(super) unfinished: bool,
    /// What became of listings that were not written.
    pub(super) failed: Option<String>,
}

impl Report {
    /// Listings written a second.
    fn pace(&self) -> f64 {
        per_second(self.written.listings, self.written.micros)
    }

    /// Listings that came through a second: all up to the latest that came back, over the time until the last suspect.
    fn throughput(&self) -> f64 {
        per_second(self.arrivals.through, self.arrivals.last)
    }

    fn suspects(&self) -> f64 {
        per_second(self.arrivals.latency.count(), self.arrivals.last)
    }

    /// A sentence for each bound that was missed, and for what keeps the figures from meaning anything.
    pub(super) fn missed(&self, bounds: &Bounds) -> Vec<String> {
        let mut missed: Vec<String> = self.failed.iter().cloned().collect();
        if self.arrivals.latency.count() == 0 {
            let why = self.arrivals.failure.as_ref().map(|e| format!(": {e}")).unwrap_or_default();
            missed.push(format!("nothing was measured: no suspect of {} listings came back{why}", self.written.listings));
            return missed;
        }
        for (name, per_mille, bound) in [("p50", 500, bounds.p50), ("p99", 990, bounds.p99)] {
            if let Some(bound) = bound
                && let Some(found) = self.arrivals.latency.per_mille(per_mille)
                && found > bound * 1_000
            {
                let over = millis(found - bound * 1_000);
                missed.push(format!("{name} is {:.1} ms: {over:.1} ms over the bound of {bound} ms", millis(found)));
            }
        }
        let found = self.throughput();
        if let Some(bound) = bounds.throughput
            && found < real(bound)
        {
            let under = real(bound) - found;
            missed.push(format!("throughput is {found:.1} listings a second: {under:.1} under the bound of {bound}"));
        }
        if bounds.any() {
            if let Some(rate) = self.rate
                && self.pace() < real(rate) * HELD
            {
                missed.push(format!("the rate of {rate} was not held: {:.1} listings a second were written", self.pace()));
            }
            if self.unfinished {
                missed.push("suspects were still coming at the end: what took longest is not in the figures".to_owned());
            }
        }
        missed
    }

    /// A table for people.
    pub(super) fn table(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let mut row = |head: &str, told: String| {
            let _ = writeln!(text, "{head:<12} {told}");
        };
        let Written { listings, micros } = self.written;
        let asked = self.rate.map_or_else(|| "flat out".to_owned(), |rate| format!("asked for {rate}"));
        row("written", format!("{listings} listings in {:.1} s, {:.1} a second ({asked})", millis(micros) / 1e3, self.pace()));
        let latency = &self.arrivals.latency;
        let later = if self.arrivals.later > 0 { format!(", and {} of second looks", self.arrivals.later) } else { String::new() };
        row(
            "suspects",
            format!("{} in {:.1} s, {:.1} a second{later}", latency.count(), millis(self.arrivals.last) / 1e3, self.suspects()),
        );
        row("throughput", format!("{:.1} listings a second", self.throughput()));
        let percentiles = TOLD.iter().filter_map(|(name, n)| latency.per_mille(*n).map(|found| format!("{name} {:.1}", millis(found))));
        let told: Vec<String> = percentiles.chain([format!("max {:.1}", millis(latency.max()))]).collect();
        row("latency, ms", told.join(", "));
        if let Some(Behind { before, after, end }) = self.behind {
            row("behind", format!("{before} listings before, {after} when the last was written, {end} at the end"));
        }
        if self.unfinished {
            row("unfinished", "suspects were still coming".to_owned());
        }
        text
    }

    /// The same for machines, with what was missed. Latencies are microseconds.
    pub(super) fn json(&self, missed: &[String]) -> Value {
        let tenth = |figure: f64| (figure * 10.0).round() / 10.0;
        let latency = &self.arrivals.latency;
        let mut percentiles: serde_json::Map<String, Value> =
            TOLD.iter().map(|(name, n)| ((*name).to_owned(), latency.per_mille(*n).into())).collect();
        percentiles.insert("max".to_owned(), latency.max().into());
        json!({
            "listings": self.written.listings,
            "seconds": tenth(millis(self.written.micros) / 1e3),
            "rate_asked": self.rate,
            "rate": tenth(self.pace()),
            "suspects": latency.count(),
            "suspects_later": self.arrivals.later,
            "suspects_per_second": tenth(self.suspects()),
            "throughput": tenth(self.throughput()),
            "latency_us": percentiles,
            "behind": self.behind.map(|b| json!({"before": b.before, "after": b.after, "end": b.end})),
            "unfinished": self.unfinished,
            "missed": missed,
        })
    }
}

/// Milliseconds.
pub(super) fn millis(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64() * 1e3
}

fn per_second(count: u64, micros: u64) -> f64 {
    real(count) * 1e6 / real(micros.max(1))
}

#[allow(clippy::cast_precision_loss, reason = "counts of a run are far below what a float holds exactly")]
fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thousand listings in a second; a hundred suspects that took 1 to 100 ms, the last after two seconds.
    fn report() -> Report {
        let mut report = Report { rate: Some(1_000), written: Written { listings: 1_000, micros: 1_000_000 }, ..Report::default() };
        (1..=100).for_each(|ms| report.arrivals.latency.record(ms * 1_000));
        (report.arrivals.through, report.arrivals.last) = (1_000, 2_000_000);
        report
    }

    fn bounds(p50: Option<u64>, p99: Option<u64>, throughput: Option<u64>) -> Bounds {
        Bounds { p50, p99, throughput }
    }

    #[test]
    fn bounds_that_are_held_are_not_missed() {
        assert!(report().missed(&Bounds::default()).is_empty());
        assert!(report().missed(&bounds(Some(51), Some(100), Some(500))).is_empty());
    }

    #[test]
    fn bounds_that_are_missed_are_told_with_by_how_much() {
        let missed = report().missed(&bounds(Some(40), Some(90), Some(600)));
        assert_eq!(missed.len(), 3, "{missed:?}");
        assert!(missed[0].starts_with("p50 is 50.") && missed[0].ends_with("over the bound of 40 ms"), "{}", missed[0]);
        assert!(missed[1].starts_with("p99 is 99.") && missed[1].ends_with("over the bound of 90 ms"), "{}", missed[1]);
        assert_eq!(missed[2], "throughput is 500.0 listings a second: 100.0 under the bound of 600");
    }

    #[test]
    fn what_was_not_measured_holds_no_bound() {
        let nothing = Report { written: Written { listings: 7, micros: 1 }, ..Report::default() };
        assert_eq!(nothing.missed(&Bounds::default()), ["nothing was measured: no suspect of 7 listings came back"]);
        let failed = Report { failed: Some("3 listings were not written".to_owned()), ..report() };
        assert_eq!(failed.missed(&Bounds::default()), ["3 listings were not written"]);
        let slow = Report { rate: Some(2_000), unfinished: true, ..report() };
        assert_eq!(slow.missed(&bounds(None, Some(1_000), None)).len(), 2);
        assert!(slow.missed(&Bounds::default()).is_empty());
    }

    #[test]
    fn people_and_machines_are_told_the_same() {
        let report = Report { behind: Some(Behind { before: 0, after: 12, end: 3 }), ..report() };
        let table = report.table();
        for told in ["1000 listings in 1.0 s, 1000.0 a second (asked for 1000)", "100 in 2.0 s, 50.0 a second", "max 100.0", "12 when"] {
            assert!(table.contains(told), "{told} in {table}");
        }
        let json = report.json(&["a".to_owned()]);
        assert_eq!((&json["throughput"], &json["latency_us"]["max"], &json["behind"]["end"]), (&json!(500.0), &json!(100_000), &json!(3)));
        assert_eq!(json["missed"], json!(["a"]));
        assert_eq!(Report::default().json(&[])["latency_us"]["p50"], Value::Null);
    }
}
