//! The metrics of the contract, counted by the batch and never by the message.

use std::collections::HashMap;

use prometheus::{
    Encoder, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry, TextEncoder,
};

/// Upper bounds in seconds, from a batch that is scanned in a millisecond to a broker that was away for a minute.
const SECONDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Every metric of the program.
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) listings: IntCounterVec,
    pub(crate) suspects: IntCounterVec,
    pub(crate) withdrawn: IntCounterVec,
    pub(crate) dead_letters: IntCounterVec,
    pub(crate) faults: IntCounterVec,
    pub(crate) batch_seconds: Histogram,
    pub(crate) commit_seconds: Histogram,
    pub(crate) detector_seconds: HistogramVec,
    pub(crate) end_to_end_seconds: Histogram,
    pub(crate) consumer_lag: GaugeVec,
    pub(crate) catalog_age_seconds: Gauge,
    pub(crate) catalog_info: GaugeVec,
    pub(crate) catalogs: IntCounterVec,
    pub(crate) aborted: IntCounterVec,
    pub(crate) pictures: IntCounterVec,
    pub(crate) picture_cache_hits: IntCounter,
    pub(crate) retries: IntCounterVec,
    pub(crate) decisions: IntCounterVec,
    pub(crate) removals_held: IntCounterVec,
    pub(crate) webhooks: IntCounterVec,
    pub(crate) shadow: IntCounterVec,
}

impl Metrics {
    /// All at zero.
    pub(crate) fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new_custom(Some("touchstone".to_owned()), None)?;
        let counters_by = |name: &str, help: &str, labels: &[&str]| {
            let metric = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(metric.clone())).map(|()| metric)
        };
        let counters = |name: &str, help: &str, label: &str| counters_by(name, help, &[label]);
        let counter = |name: &str, help: &str| {
            let metric = IntCounter::new(name, help)?;
            registry.register(Box::new(metric.clone())).map(|()| metric)
        };
        let options = |name: &str, help: &str| HistogramOpts::new(name, help).buckets(SECONDS.to_vec());
        let histogram = |name: &str, help: &str| {
            let metric = Histogram::with_opts(options(name, help))?;
            registry.register(Box::new(metric.clone())).map(|()| metric)
        };
        let histograms = |name: &str, help: &str, label: &str| {
            let metric = HistogramVec::new(options(name, help), &[label])?;
            registry.register(Box::new(metric.clone())).map(|()| metric)
        };
        let gauges = |name: &str, help: &str, labels: &[&str]| {
            let metric = GaugeVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(metric.clone())).map(|()| metric)
        };
        let gauge = |name: &str, help: &str| {
            let metric = Gauge::new(name, help)?;
            registry.register(Box::new(metric.clone())).map(|()| metric)
        };
        let metrics = Self {
            listings: counters("listings_total", "Listing events by what became of them", "outcome")?,
            suspects: counters("suspects_total", "Suspects by band", "band")?,
            withdrawn: counters("withdrawn_total", "Suspects that were taken back, by why", "because")?,
            dead_letters: counters("dead_letters_total", "Inputs that could not be used, by reason", "reason")?,
            faults: counters("faults_total", "Optional fields dropped and other faults that stop nothing, by reason", "reason")?,
            batch_seconds: histogram("batch_seconds", "Time to decode and scan a batch")?,
            commit_seconds: histogram("commit_seconds", "Time to produce and commit a batch")?,
            detector_seconds: histograms("detector_seconds", "Processor time of a batch in each detector", "detector")?,
            end_to_end_seconds: histogram("end_to_end_seconds", "Age of a batch's oldest listing event when its suspects are committed")?,
            consumer_lag: gauges("consumer_lag", "Listing events not yet taken, by partition", &["topic", "partition"])?,
            catalog_age_seconds: gauge("catalog_age_seconds", "Time since the catalog was loaded")?,
            catalog_info: gauges("catalog_info", "The catalog in use", &["version"])?,
            catalogs: counters("catalogs_total", "Catalogs that were put into use, and those that were refused", "outcome")?,
            aborted: counters("transactions_aborted_total", "Transactions aborted, by reason", "reason")?,
            pictures: counters("pictures_total", "Pictures of listings: looked_at, or why not", "outcome")?,
            retries: counters("retries_total", "Listings whose pictures were slow, and what came of looking again", "outcome")?,
            decisions: counters("decisions_total", "Events that the deciding worker took, by what became of them", "result")?,
            removals_held: counters("removals_held_total", "Removals that went over a cap of the flood guard, by cap", "cap")?,
            webhooks: counters("webhooks_total", "Posts of suspects to brands, by outcome", "outcome")?,
            shadow: counters_by("shadow_total", "What the catalog or policy that is tried finds differently", &["brand", "difference"])?,
            picture_cache_hits: counter("picture_cache_hits_total", "Pictures known from before by their hash")?,
            registry,
        };
        metrics.touch();
        Ok(metrics)
    }

    /// What is known to come shows as zero from the start, so that rates are right.
    fn touch(&self) {
        for outcome in ["suspect", "clean", "stale", "removed", "dead_letter"] {
            self.listings.with_label_values(&[outcome]);
        }
        for band in touchstone_schemas::Band::ALL {
            self.suspects.with_label_values(&[band.as_str()]);
        }
        for because in touchstone_schemas::WithdrawnBecause::ALL {
            self.withdrawn.with_label_values(&[because.as_str()]);
        }
        for reason in touchstone_schemas::FaultReason::OF_DEAD_LETTERS {
            self.dead_letters.with_label_values(&[reason.as_str()]);
        }
        for reason in ["wrong_type", "wrong_form", "unknown_currency", "missing_topic"] {
            self.faults.with_label_values(&[reason]);
        }
        for detector in touchstone_detectors::DETECTOR_NAMES {
            self.detector_seconds.with_label_values(&[detector.as_str()]);
        }
        for outcome in ["delivered", "retried", "failed"] {
            self.webhooks.with_label_values(&[outcome]);
        }
        self.pictures.with_label_values(&["looked_at"]);
        for outcome in ["applied", "refused"] {
            self.catalogs.with_label_values(&[outcome]);
        }
        for outcome in ["written", "superseded", "found", "clean", "late_again", "given_up"] {
            self.retries.with_label_values(&[outcome]);
        }
        self.aborted.with_label_values(&["abortable"]);
    }

    /// In Prometheus' text form.
    pub(crate) fn text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        // Writing to a Vec fails only for a metric without a name.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut text);
        text
    }

    /// Adds counts by label.
    pub(crate) fn add(counters: &IntCounterVec, counts: &HashMap<&'static str, u64>) {
        for (label, count) in counts {
            counters.with_label_values(&[*label]).inc_by(*count);
        }
    }
}
