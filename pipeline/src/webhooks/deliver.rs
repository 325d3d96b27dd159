//! Posts suspects to brands, each brand beside the others, and again where that may help.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest, Sha256};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use super::letters::Letter;
use super::sign::Key;
use crate::engine;
use crate::failure::Failure;
use crate::fetch::{FetchFault, Poster, target};
use crate::metrics::Metrics;
use crate::remote;
use crate::worker::Shared;

/// How long one post may take.
const POST: Duration = Duration::from_secs(10);
/// Posts at once to one brand.
const AT_ONCE: usize = 16;
/// Suspects of one brand that wait, retries among them.
const WAITING: usize = 1_000;
/// What they may hold, in KiB.
const MEMORY_KIB: u32 = 16 << 10;
/// How long a full queue is waited for: one that moves has room by then.
const PATIENCE: Duration = Duration::from_millis(20);
/// Posts after the first.
const RETRIES: usize = 8;
/// The longest pause before the first of them; all pauses together are six to thirteen minutes.
const PAUSE: Duration = Duration::from_secs(3);

/// A suspect on its way to a brand.
pub(super) struct Event {
    /// The record, should it fail.
    pub(super) letter: Letter,
    pub(super) detection_id: String,
    /// What is posted, where it is not the record as it stands.
    pub(super) restricted: Option<Vec<u8>>,
}

/// What became of an event for good.
pub(super) enum Outcome {
    Delivered { partition: i32, offset: i64 },
    Failed(Letter),
}

/// All brands that are posted to.
pub(super) struct Deliverer {
    brands: BTreeMap<String, Brand>,
    poster: Arc<Poster>,
    metrics: Arc<Metrics>,
    outcomes: Sender<Outcome>,
    runtime: Option<Runtime>,
}

struct Brand {
    target: Arc<Target>,
    waiting: Arc<Semaphore>,
    memory: Arc<Semaphore>,
    /// Its queue was full, and has not emptied by half since: nobody waits for it.
    choked: bool,
}

struct Target {
    url: Url,
    key: Key,
    turns: Semaphore,
}

impl Deliverer {
    pub(super) fn new(shared: &Shared, outcomes: Sender<Outcome>) -> Result<Self, Failure> {
        let allow = remote::nets(&shared.config.pictures.allow).map_err(Failure::Usage)?;
        let config = &shared.config.brands;
        let mut brands = BTreeMap::new();
        for (brand, url) in &config.webhook_urls {
            let url = target(url, &allow).map_err(|e| Failure::Usage(format!("brands.webhook_urls: {brand}: {e}")))?;
            let secret = config.webhook_secrets.get(brand).map_or("", |secret| secret.reveal());
            let key = Key::new(secret).map_err(|e| Failure::Run(e.into()))?;
            let target = Arc::new(Target { url, key, turns: Semaphore::new(AT_ONCE) });
            let (waiting, memory) = (Arc::new(Semaphore::new(WAITING)), Arc::new(Semaphore::new(MEMORY_KIB as usize)));
            brands.insert(brand.clone(), Brand { target, waiting, memory, choked: false });
        }
        let poster = Poster::new(allow, POST).map_err(|e| Failure::Run(e.into()))?;
        let mut runtime = Builder::new_multi_thread();
        runtime.worker_threads(1).max_blocking_threads(16).thread_name("webhooks").enable_io().enable_time();
        let runtime = runtime.build().map_err(|e| Failure::Run(e.into()))?;
        Ok(Self { brands, poster: Arc::new(poster), metrics: shared.metrics.clone(), outcomes, runtime: Some(runtime) })
    }

    /// Whether a brand is posted to.
    pub(super) fn has(&self, brand: &str) -> bool {
        self.brands.contains_key(brand)
    }

    /// Sends an event on its way; its outcome comes later. Where the brand's queue is full it has failed at once.
    pub(super) fn send(&mut self, brand: &str, event: Event) {
        let (Some(brand), Some(runtime)) = (self.brands.get_mut(brand), &self.runtime) else { return };
        let size = event.letter.payload.len() + event.restricted.as_ref().map_or(0, Vec::len);
        let kib = u32::try_from(size / 1024 + 1).unwrap_or(u32::MAX).min(MEMORY_KIB);
        brand.choked = brand.choked && brand.waiting.available_permits() < WAITING / 2;
        let patience = if brand.choked { Duration::ZERO } else { PATIENCE };
        let (waiting, memory) = (brand.waiting.clone(), brand.memory.clone());
        let room = async {
            let room = timeout(patience, async { (waiting.acquire_owned().await, memory.acquire_many_owned(kib).await) }).await;
            room.ok().and_then(|(waiting, memory)| Some([waiting.ok()?, memory.ok()?]))
        };
        let Some(room) = runtime.block_on(room) else {
            brand.choked = true;
            self.metrics.webhooks.with_label_values(&["failed"]).inc();
            // The follower listens as long as it sends.
            let _ = self.outcomes.send(Outcome::Failed(event.letter.because("the brand's queue is full")));
            return;
        };
        let job = Job {
            event,
            target: brand.target.clone(),
            poster: self.poster.clone(),
            metrics: self.metrics.clone(),
            outcomes: self.outcomes.clone(),
            _room: room,
        };
        runtime.spawn(job.run());
    }
}

impl Drop for Deliverer {
    /// What is on its way is not committed, and comes again.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

struct Job {
    event: Event,
    target: Arc<Target>,
    poster: Arc<Poster>,
    metrics: Arc<Metrics>,
    outcomes: Sender<Outcome>,
    _room: [OwnedSemaphorePermit; 2],
}

impl Job {
    async fn run(self) {
        let key: [u8; 32] = Sha256::digest(&self.event.detection_id).into();
        let count = |outcome: &str| self.metrics.webhooks.with_label_values(&[outcome]).inc();
        let mut retries = 0;
        let outcome = loop {
            let Err(fault) = self.post().await else {
                count("delivered");
                let Letter { partition, offset, .. } = self.event.letter;
                break Outcome::Delivered { partition, offset };
            };
            // The turn is another's meanwhile: events that fail hold up none that would not.
            let Some(pause) = pause(fault, retries, &key) else {
                count("failed");
                break Outcome::Failed(self.event.letter.because(&told(fault)));
            };
            count("retried");
            retries += 1;
            sleep(pause).await;
        };
        // Nobody listens any more when the program ends.
        let _ = self.outcomes.send(outcome);
    }

    async fn post(&self) -> Result<(), FetchFault> {
        let _turn = self.target.turns.acquire().await.map_err(|_| FetchFault::Busy)?;
        let body = self.event.restricted.as_ref().unwrap_or(&self.event.letter.payload);
        let timestamp = engine::now().unix_millis().div_euclid(1_000).to_string();
        let signature = self.target.key.signature(&timestamp, body).map_err(|_| FetchFault::NotPermitted)?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in [
            ("touchstone-id", self.event.detection_id.as_str()),
            ("touchstone-timestamp", &timestamp),
            ("touchstone-signature", &signature),
        ] {
            // An id that no header could carry was not made by the scanner.
            let value = HeaderValue::from_str(value).map_err(|_| FetchFault::NotPermitted)?;
            headers.insert(HeaderName::from_static(name), value);
        }
        self.poster.post(&self.target.url, headers, body.clone()).await
    }
}

/// How long to wait before posting again, after so many retries; nothing where it is given up. Twice as long each time, less up to a
/// half by the digest of the id, so that what failed together does not come back together.
fn pause(fault: FetchFault, retries: usize, key: &[u8; 32]) -> Option<Duration> {
    // A brand's server that is being set up says 401 or 404 for a while; one that says 410 means it.
    let lasts = matches!(fault, FetchFault::ForbiddenAddress | FetchFault::NotPermitted | FetchFault::Status(410));
    let digit = key.get(retries).filter(|_| retries < RETRIES && !lasts)?;
    let longest = PAUSE * (1u32 << retries);
    Some(longest - longest / 512 * u32::from(*digit))
}

fn told(fault: FetchFault) -> String {
    match fault {
        FetchFault::Status(status) => format!("status {status}"),
        fault => fault.as_str().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_differ_by_id_and_end() {
        let table = [
            (FetchFault::Status(500), 0, 0, Some(3_000)),
            (FetchFault::Status(500), 0, 128, Some(2_250)),
            (FetchFault::Status(404), 3, 0, Some(24_000)),
            (FetchFault::Unreachable, 7, 0, Some(384_000)),
            (FetchFault::TimedOut, 8, 0, None),
            (FetchFault::Status(410), 0, 0, None),
            (FetchFault::ForbiddenAddress, 0, 0, None),
        ];
        for (fault, retries, digit, expected) in table {
            assert_eq!(pause(fault, retries, &[digit; 32]), expected.map(Duration::from_millis), "{fault:?} {retries} {digit}");
        }
        for digit in [0, 100, 255] {
            let all: Duration = (0..).map_while(|retries| pause(FetchFault::TimedOut, retries, &[digit; 32])).sum();
            assert!((360..800).contains(&all.as_secs()), "{all:?}");
        }
    }
}
