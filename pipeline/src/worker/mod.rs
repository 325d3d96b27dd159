//! The worker: takes listing events from Kafka and writes suspects, dead letters and what is remembered, one transaction a batch.
//!
//! ```text
//!  poll thread ──(1 batch)──▶ scan thread (all processors) ──(1 batch)──▶ commit thread
//! ```
//!
//! The next batch is scanned while one commits. A transaction holds only outputs and offsets. Whatever goes wrong in it is
//! aborted, the partitions are wound back to what is committed, and everything on its way is dropped.

mod commit;
mod context;
mod decide;
mod delivery;
mod fail_point;
mod flow;
mod memory;
mod orphans;
mod passes;
mod poll;
mod records;
mod restore;
mod retries;
mod rewind;
mod scan;
mod taken;
mod there;
mod watchdog;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{channel, sync_channel};
use std::time::Duration;

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use tracing::{info, warn};

use crate::catalog::Live;
use crate::config::Config;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::health::Health;
use crate::kafka::{self, Names};
use crate::metrics::Metrics;
use crate::remote::Remote;
use crate::shadow::Shadow;
use commit::Committer;
use context::Context;
pub(crate) use decide::decide;
use flow::Flow;
use memory::Memory;
use passes::Passes;
use poll::Poller;
use restore::Restorer;
use retries::Retries;
use scan::Scan;

/// How long leaving the group may take.
const LONGEST_LEAVE: Duration = Duration::from_secs(5);

/// What all threads of the process share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) config: Arc<Config>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) health: Arc<Health>,
    /// The scanner in use.
    pub(crate) live: Arc<Live>,
    /// Fetches pictures for the worker and the service.
    pub(crate) remote: Option<Remote>,
    /// What is tried on live traffic.
    pub(crate) shadow: Option<Arc<Shadow>>,
}

/// Runs until it is told to stop, or cannot go on. A catalog is in use already.
pub(crate) fn run(shared: &Shared) -> Result<(), Failure> {
    let Shared { config, metrics, health, live, remote, shadow } = shared;
    let shadow = shadow.as_deref();
    let scanner = live.scanner().ok_or_else(|| Failure::Run(anyhow::anyhow!("no catalog is loaded")))?;
    let names = Names::new(config);
    let flow = Arc::new(Flow::default());
    let cannot = |what: &str, e: &dyn std::fmt::Display| Failure::Usage(format!("kafka: cannot set up the {what}: {e}"));
    let context = Context::new(flow.clone(), shared);
    let consumer = BaseConsumer::from_config_and_context(&kafka::consumer(config), context).map_err(|e| cannot("consumer", &e))?;
    let consumer: Arc<BaseConsumer<Context>> = Arc::new(consumer);
    let mut committer = Committer::connect(shared, &names, consumer.clone(), flow.clone())?;
    let threads = u16::try_from(config.worker.threads).ok().filter(|n| *n > 0);
    let mut engine = Engine::new(scanner.clone(), threads)?.with_remote(remote.clone());
    let listings = names.of("listings");
    consumer.subscribe(&[&listings]).map_err(|e| cannot("subscription", &e))?;
    info!(
        topic = listings,
        group = config.kafka.group_id,
        instance = kafka::instance(config),
        catalog = scanner.catalog().version(),
        "worker starts"
    );

    let passes = Passes::new(config, names.of("retry"));
    let retries = passes.are_wanted().then(|| Retries::new(config, names.of("retry"))).transpose();
    let retries = retries.map_err(|e| cannot("consumer of retries", &e))?;
    let (to_scan, taken) = sync_channel(1);
    let (to_commit, scanned) = sync_channel(1);
    // Holds no more than there are batches on their way.
    let (settle, settled) = channel();
    let window = config.worker.remembered_listings;
    let restorer = Restorer::new(config, names.of("state"), window);
    let memory = Memory::new(usize::try_from(window).unwrap_or(usize::MAX));
    let worked = std::thread::scope(|scope| {
        let poller = Poller::new(config, &consumer, retries, &flow, health, to_scan);
        // Moved into their threads, so that each channel ends with its sender.
        let mut on_scan =
            Scan { engine: &mut engine, live, shadow, metrics, flow: &flow, health, topic: &listings, passes, restorer, memory, settled };
        let spawn = |name: &str| std::thread::Builder::new().name(name.to_owned());
        let commit = spawn("commit").spawn_scoped(scope, move || committer.run(&scanned, &settle));
        let scan = spawn("scan").spawn_scoped(scope, move || on_scan.run(&taken, &to_commit));
        let (on_listings, on_flow) = (listings.as_str(), &*flow);
        let goes_on = move || !health.is_stopping() && on_flow.failure().is_none();
        let watch = spawn("orphans").spawn_scoped(scope, move || orphans::watch(&kafka::consumer(config), on_listings, goes_on));
        // Watches to the very end, so that a hanging commit does not keep the process either.
        let (ended, hangs) = (Arc::new(AtomicBool::new(false)), flow.clone());
        let watched = ended.clone();
        std::thread::spawn(move || watchdog::watch(&hangs, || !watched.load(Ordering::Relaxed)));
        let poll = poller.run();
        // What is not committed by now is dropped, and nobody waits for the brokers any more.
        let all_committed = poll.is_ok() && flow.drain(Duration::ZERO);
        if !all_committed {
            flow.revoke();
        }
        // The poller has dropped its sender: the others end after what is on its way.
        let threads = [commit, scan, watch].map(|thread| thread.map(std::thread::ScopedJoinHandle::join));
        ended.store(true, Ordering::Relaxed);
        for thread in threads {
            if !matches!(thread, Ok(Ok(()))) {
                flow.fail("a thread of the worker ended early".to_owned());
            }
        }
        health.joined(false);
        poll.and_then(|()| flow.failure().map_or(Ok(all_committed), |message| Err(Failure::Run(anyhow::anyhow!(message)))))
    });
    if matches!(worked, Ok(true)) {
        info!("worker ends, everything taken is committed");
    }
    leave(consumer);
    worked.map(drop)
}

/// Leaves the group. In the middle of a rebalance librdkafka may wait for its end, which may not come: the process ends all the same,
/// and the brokers miss its member after the session timeout.
fn leave(consumer: Arc<BaseConsumer<Context>>) {
    let (left, leaving) = channel();
    std::thread::spawn(move || {
        consumer.unsubscribe();
        drop(consumer);
        // Nobody listens any more when it took too long.
        let _ = left.send(());
    });
    if leaving.recv_timeout(LONGEST_LEAVE).is_err() {
        warn!("the group is not left after {LONGEST_LEAVE:?}: the worker ends without");
    }
}
