//! `touchstone run`: the worker as a service.

#![allow(clippy::disallowed_types, reason = "measures detectors and the catalog's age")]

use std::path::Path;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};
use touchstone_detectors::{Policy, Scanner};
use tracing::info;

use super::configured;
use crate::config::{self, Config};
use crate::failure::Failure;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::remote::Remote;
use crate::worker::{self, Shared};
use crate::{http, logs};

/// How often the catalog's age is told.
const TICK: Duration = Duration::from_secs(1);

pub(crate) fn run(path: &Path) -> Result<(), Failure> {
    let config = config::load(path)?;
    logs::start(&config.logs);
    let shared = share(config)?;
    stop_on_signals(shared.health.clone())?;
    let loaded = Arc::new(OnceLock::new());
    // Listening begins before the catalog is loaded, so that probes are answered.
    let _listeners = http::start(&shared, &loaded)?;
    let (catalog, policy) = configured(&shared.config)?;
    let scanner = ready(&shared, catalog, policy);
    let _ = loaded.set(scanner.clone());
    worker::run(&shared, &scanner)
}

/// What all threads share, for a configuration.
pub(crate) fn share(config: Config) -> Result<Shared, Failure> {
    let metrics = Metrics::new().map_err(|e| Failure::Run(e.into()))?;
    let remote = Remote::new(&config.pictures)?;
    Ok(Shared { config: Arc::new(config), metrics: Arc::new(metrics), health: Arc::new(Health::new()), remote })
}

/// A scanner that is measured, and its catalog told in the metrics.
pub(crate) fn ready(shared: &Shared, catalog: touchstone_detectors::Catalog, policy: Policy) -> Arc<Scanner> {
    let (brands, products, pictures) = catalog.size();
    info!(brands, products, pictures, version = catalog.version(), policy = policy.version(), "catalog loaded");
    shared.metrics.catalog_info.with_label_values(&[catalog.version()]).set(1.0);
    shared.health.loaded();
    let (metrics, since) = (shared.metrics.clone(), Instant::now());
    let health = shared.health.clone();
    std::thread::spawn(move || {
        while !health.is_stopping() {
            metrics.catalog_age_seconds.set(since.elapsed().as_secs_f64());
            std::thread::park_timeout(TICK);
        }
    });
    Arc::new(Scanner::timed(Arc::new(catalog), policy, nanoseconds))
}

fn nanoseconds() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// SIGTERM and SIGINT ask the worker to finish what it has begun; a second one, not to wait for it.
pub(crate) fn stop_on_signals(health: Arc<Health>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| Failure::Run(e.into()))?;
    let guard = runtime.enter();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    drop(guard);
    std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            info!("asked to stop: what is on its way is committed first");
            health.stop();
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            info!("asked again: what is on its way is left to the next worker");
            health.hurry();
        });
    });
    Ok(())
}
