//! `touchstone run`: the worker as a service.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

use super::configured;
use crate::catalog::{self, Live};
use crate::cli::Role;
use crate::config::{self, Config};
use crate::failure::Failure;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::remote::Remote;
use crate::shadow::Shadow;
use crate::worker::{self, Shared};
use crate::{http, logs, webhooks};

/// How often the catalog's age is told.
const TICK: Duration = Duration::from_secs(1);
/// How often it is looked whether the first catalog is there.
const LOOK: Duration = Duration::from_millis(50);

pub(crate) fn run(path: &Path, role: Role) -> Result<(), Failure> {
    let config = config::load(path)?;
    logs::start(&config.logs);
    let shared = share(config)?;
    stop_on_signals(shared.health.clone())?;
    // Listening begins before the catalog is loaded, so that probes are answered.
    let _listeners = http::start(&shared)?;
    let _webhooks = webhooks::start(&shared)?;
    if !shared.config.catalog.path.is_empty() {
        let (catalog, policy) = configured(&shared.config)?;
        shared.live.put(catalog, policy);
        return work(&shared, role);
    }
    std::thread::scope(|scope| {
        let following = scope.spawn(|| {
            // However it ends, a worker whose catalog nobody keeps up to date does not go on.
            let _end = StopAtEnd(&shared.health);
            catalog::follow(&shared)
        });
        while shared.live.scanner().is_none() && !following.is_finished() && !shared.health.is_stopping() {
            std::thread::park_timeout(LOOK);
        }
        let worked = if shared.live.scanner().is_some() { work(&shared, role) } else { Ok(()) };
        shared.health.stop();
        let followed =
            following.join().unwrap_or_else(|_| Err(Failure::Run(anyhow::anyhow!("the thread that follows the catalog panicked"))));
        worked.and(followed)
    })
}

/// Scans, decides, or both: where one ends, the other does, too.
fn work(shared: &Shared, role: Role) -> Result<(), Failure> {
    match role {
        Role::Scan => worker::run(shared),
        Role::Decide => worker::decide(shared),
        Role::All => std::thread::scope(|scope| {
            let deciding = scope.spawn(|| {
                let _end = StopAtEnd(&shared.health);
                worker::decide(shared)
            });
            let scanned = worker::run(shared);
            shared.health.stop();
            scanned.and(deciding.join().unwrap_or_else(|_| Err(Failure::Run(anyhow::anyhow!("the deciding thread panicked")))))
        }),
    }
}

/// Asks all threads to end when it is dropped.
struct StopAtEnd<'a>(&'a Health);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// What all threads share, for a configuration.
pub(crate) fn share(config: Config) -> Result<Shared, Failure> {
    let metrics = Arc::new(Metrics::new().map_err(|e| Failure::Run(e.into()))?);
    let remote = Remote::new(&config.pictures)?;
    let shadow = Shadow::new(&config, metrics.clone())?.map(Arc::new);
    let health = Arc::new(Health::new());
    let live = Arc::new(Live::new(metrics.clone(), health.clone()));
    let (told, until) = (live.clone(), health.clone());
    std::thread::spawn(move || {
        while !until.is_stopping() {
            told.tell_age();
            std::thread::park_timeout(TICK);
        }
    });
    Ok(Shared { config: Arc::new(config), metrics, health, live, remote, shadow })
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
