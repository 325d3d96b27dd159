//! Fetches listings' pictures. Whoever writes a listing chooses what is asked of whom, so that all is bounded: where a link may lead,
//! how much comes back, how long it takes, and how much of it is under way.

mod address;
mod body;
mod breaker;
mod cache;
mod fault;
mod generations;
mod line;
mod link;
mod post;
mod resolver;
mod retry;
mod store;
#[cfg(test)]
mod tests;
mod web;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use object_store::aws::AmazonS3Builder;
use object_store::gcp::GoogleCloudStorageBuilder;
use sha2::{Digest, Sha256};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use touchstone_detectors::MAX_PICTURE_BYTES;

pub(crate) use address::Net;
use cache::Cache;
pub(crate) use fault::FetchFault;
use link::Link;
pub(crate) use post::{Poster, target};
pub(crate) use store::Prefix;
use web::Web;

/// Threads that drive the connections.
const THREADS: usize = 2;
/// The longest that a caller waits.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// Digest of a link.
type Key = [u8; 32];
type Outcome = Result<Arc<[u8]>, FetchFault>;
type Coming = watch::Receiver<Option<Outcome>>;

/// What became of a picture.
#[derive(Debug, Clone)]
pub(crate) enum Fetched {
    Bytes(Arc<[u8]>),
    Failed(FetchFault),
    /// Still under way: a later call finds it.
    Late,
}

impl From<Outcome> for Fetched {
    fn from(outcome: Outcome) -> Self {
        outcome.map_or_else(Self::Failed, Self::Bytes)
    }
}

/// What an operator may choose.
pub(crate) struct Settings {
    /// Nets that may be reached although they are not public.
    pub(crate) allow: Vec<Net>,
    /// Folders of stores that links may lead to.
    pub(crate) stores: Vec<Prefix>,
    /// Credentials, region and endpoint of buckets at s3://; those of the environment, but in tests.
    pub(crate) s3: AmazonS3Builder,
    /// The same of those at gs://.
    pub(crate) gs: GoogleCloudStorageBuilder,
    /// Pictures at once from one host.
    pub(crate) per_host: usize,
    /// Pictures at once from all.
    pub(crate) at_once: usize,
    pub(crate) limits: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            stores: Vec::new(),
            s3: AmazonS3Builder::from_env(),
            gs: GoogleCloudStorageBuilder::from_env(),
            per_host: 8,
            at_once: 256,
            limits: Limits::default(),
        }
    }
}

/// What nobody needs to choose, but tests.
pub(crate) struct Limits {
    /// Until there is a connection: look-up and TLS too.
    pub(crate) connect: Duration,
    /// Until the head of an answer is there, the connection included.
    pub(crate) head: Duration,
    /// Between two chunks.
    pub(crate) idle: Duration,
    /// For the whole: time in line, redirects and retries too.
    pub(crate) total: Duration,
    /// Before the first retry.
    pub(crate) pause: Duration,
    /// Bytes of one picture.
    pub(crate) bytes: usize,
    /// Bytes of all bodies under way.
    pub(crate) memory: usize,
    /// Fetches in line before one host.
    pub(crate) waiting: usize,
    /// Fetches under way or in line.
    pub(crate) flying: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(2),
            head: Duration::from_secs(5),
            idle: Duration::from_secs(3),
            total: Duration::from_secs(10),
            pause: Duration::from_millis(250),
            bytes: MAX_PICTURE_BYTES,
            memory: 256 << 20,
            waiting: 1_000,
            flying: 10_000,
        }
    }
}

/// Fetches pictures in threads of its own.
pub(crate) struct Fetcher {
    shared: Arc<Shared>,
    handle: Handle,
    /// Until it is dropped.
    runtime: Option<Runtime>,
}

struct Shared {
    web: Web,
    known: Mutex<Known>,
}

struct Known {
    cache: Cache,
    /// Fetches under way or in line.
    flying: HashMap<Key, Coming>,
}

/// A picture that was asked for.
enum Asked {
    Known(Outcome),
    Coming(Coming),
}

impl Fetcher {
    pub(crate) fn new(settings: Settings) -> Result<Self, anyhow::Error> {
        let mut runtime = Builder::new_multi_thread();
        runtime.worker_threads(THREADS).max_blocking_threads(resolver::LOOK_UPS).thread_name("fetch").enable_io().enable_time();
        let runtime = runtime.build().context("cannot start the threads that fetch pictures")?;
        let web = Web::new(settings).context("cannot prepare to fetch pictures")?;
        let known = Mutex::new(Known { cache: Cache::new(), flying: HashMap::new() });
        Ok(Self { shared: Arc::new(Shared { web, known }), handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    /// The pictures behind URLs, in their order. What is not there after `wait` is late, and goes on. Blocks: not to be called by
    /// what drives futures.
    pub(crate) fn fetch(&self, urls: &[&str], wait: Duration) -> Vec<Fetched> {
        let deadline = Instant::now() + wait.min(LONGEST_WAIT);
        let (mut asked, mut places) = (Vec::new(), HashMap::<&str, usize>::new());
        let place = |&url| {
            *places.entry(url).or_insert_with(|| {
                asked.push(self.ask(url));
                asked.len() - 1
            })
        };
        let order: Vec<usize> = urls.iter().map(place).collect();
        let fetched = self.handle.block_on(async {
            let mut fetched = Vec::with_capacity(asked.len());
            for one in asked {
                fetched.push(one.wait(deadline).await);
            }
            fetched
        });
        order.into_iter().map(|place| fetched[place].clone()).collect()
    }

    /// Begins a fetch, unless it is known or under way.
    fn ask(&self, url: &str) -> Asked {
        let link = match self.shared.web.parse(url) {
            Ok(link) => link,
            Err(fault) => return Asked::Known(Err(fault)),
        };
        let key: Key = Sha256::digest(link.name()).into();
        let mut known = lock(&self.shared.known);
        if let Some(outcome) = known.cache.get(&key, Instant::now()) {
            return Asked::Known(outcome);
        }
        if let Some(coming) = known.flying.get(&key) {
            return Asked::Coming(coming.clone());
        }
        if known.flying.len() >= self.shared.web.limits().flying {
            return Asked::Known(Err(FetchFault::Busy));
        }
        let (sender, coming) = watch::channel(None);
        known.flying.insert(key, coming.clone());
        drop(known);
        let flight = Flight { shared: self.shared.clone(), key, sender };
        self.handle.spawn(flight.fly(link));
        Asked::Coming(coming)
    }
}

impl Drop for Fetcher {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Asked {
    async fn wait(self, deadline: Instant) -> Fetched {
        let mut coming = match self {
            Self::Known(outcome) => return outcome.into(),
            Self::Coming(coming) => coming,
        };
        // What is there is found, however late it is.
        let there = coming.borrow().clone();
        if let Some(outcome) = there {
            return outcome.into();
        }
        let arrived = match timeout_at(deadline, coming.wait_for(Option::is_some)).await {
            Ok(Ok(outcome)) => outcome.clone(),
            _ => None,
        };
        arrived.map_or(Fetched::Late, Fetched::from)
    }
}

/// A fetch under way; it is off the list when it ends, however it ends.
struct Flight {
    shared: Arc<Shared>,
    key: Key,
    sender: watch::Sender<Option<Outcome>>,
}

impl Flight {
    async fn fly(self, link: Link) {
        let outcome = self.shared.web.fetch(link, &self.key).await;
        lock(&self.shared.known).cache.put(self.key, &outcome, Instant::now());
        self.sender.send_replace(Some(outcome));
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        lock(&self.shared.known).flying.remove(&self.key);
    }
}

/// A panic elsewhere leaves nothing half done behind any of these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
