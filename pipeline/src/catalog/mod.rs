//! The catalog of a worker: the one in use, which a newer one replaces while listings go on, and the topic that brings it.

#![allow(clippy::disallowed_types, reason = "measures detectors and the catalog's age")]

mod follow;
mod learn;
mod promote;
mod publish;
mod set;

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Instant;

use touchstone_detectors::{Catalog, Policy, Scanner};
use tracing::info;

use crate::config::Config;
use crate::failure::Failure;
use crate::health::Health;
use crate::kafka::Names;
use crate::metrics::Metrics;
pub(crate) use follow::follow;
pub(crate) use learn::{learn, learnt};
pub(crate) use promote::{Promoted, Wanted, promote_file, promote_topic};
pub(crate) use publish::{Publication, Published, publish};

/// The scanner in use. A batch takes it once, and so has one catalog and one policy to its end.
pub(crate) struct Live {
    metrics: Arc<Metrics>,
    health: Arc<Health>,
    current: Mutex<Option<Current>>,
}

struct Current {
    scanner: Arc<Scanner>,
    since: Instant,
}

impl Live {
    /// Nothing is in use yet.
    pub(crate) fn new(metrics: Arc<Metrics>, health: Arc<Health>) -> Self {
        Self { metrics, health, current: Mutex::new(None) }
    }

    /// The scanner in use; nothing before the first catalog is loaded.
    pub(crate) fn scanner(&self) -> Option<Arc<Scanner>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|current| current.scanner.clone())
    }

    /// Puts a catalog into use, under a policy.
    pub(crate) fn put(&self, catalog: Catalog, policy: Policy) {
        let (brands, products, pictures) = catalog.size();
        info!(brands, products, pictures, version = catalog.version(), policy = policy.version(), "catalog loaded");
        let scanner = Arc::new(Scanner::timed(Arc::new(catalog), policy, nanoseconds));
        let version = scanner.catalog().version().to_owned();
        let before = self.current.lock().unwrap_or_else(PoisonError::into_inner).replace(Current { scanner, since: Instant::now() });
        if let Some(before) = before {
            // It is not there where it was never told.
            let _ = self.metrics.catalog_info.remove_label_values(&[before.scanner.catalog().version()]);
        }
        self.metrics.catalog_info.with_label_values(&[&version]).set(1.0);
        self.metrics.catalogs.with_label_values(&["applied"]).inc();
        self.health.loaded();
    }

    /// Tells the catalog's age in the metrics.
    pub(crate) fn tell_age(&self) {
        if let Some(current) = &*self.current.lock().unwrap_or_else(PoisonError::into_inner) {
            self.metrics.catalog_age_seconds.set(current.since.elapsed().as_secs_f64());
        }
    }
}

/// The catalog of a configuration: the folder or the file that it names, or what stands in the topic, where any does.
///
/// # Errors
/// All that is wrong with it, or why the topic cannot be read.
pub(crate) fn current(config: &Config) -> Result<Option<(Catalog, Policy)>, Failure> {
    if !config.catalog.path.is_empty() {
        return crate::commands::configured(config).map(Some);
    }
    let set = follow::standing(config)?;
    if !set.is_closed() {
        return Ok(None);
    }
    let topic = Names::new(config).of("catalog");
    let place = Path::new(&topic);
    let catalog = set.catalog(place, None, 1.0).map_err(|e| Failure::Usage(format!("{topic}: {}", e.message)))?;
    let policy = policy_of(config, place, &catalog)?;
    Ok(Some((catalog, policy)))
}

fn nanoseconds() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// The policy of the file that a configuration names, else the catalog's own, else the shipped one. `place` is where the catalog came from.
pub(crate) fn policy_of(config: &Config, place: &Path, catalog: &Catalog) -> Result<Policy, Failure> {
    let own = Some(PathBuf::from(&config.catalog.policy)).filter(|p| !p.as_os_str().is_empty());
    crate::commands::policy(own.as_deref(), place, catalog)
}
