//! One batch of payloads: decoded, their pictures reduced, scanned, in parallel; the results in the order of the input.
//! Files and Kafka share it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use touchstone_detectors::{Picture, PictureFault, Scanner};
use touchstone_schemas::{Decoded, Fault, FaultReason, Listing, Op, Timestamp, decode};

use crate::failure::Failure;
use crate::pictures::{Draft, PictureCache};
use crate::remote::{Fetch, Remote};

/// The largest payload, as on the topic: 1 MiB.
pub(crate) const MAX_PAYLOAD: usize = 1 << 20;

/// Pictures that are fetched at once, and those of one listing more: their bytes stand in memory together, 16 MiB each at most.
const PORTION: usize = 32;

/// A payload as it came.
pub(crate) trait Payload: Sync {
    /// At most [`MAX_PAYLOAD`] bytes of it.
    fn bytes(&self) -> &[u8];
    /// Bytes of the whole of it.
    fn size(&self) -> u64;
    /// Where its pictures' paths start from; nothing where paths mean nothing.
    fn folder(&self) -> Option<&Path>;
}

/// A listing that was read, and what became of it.
pub(crate) struct Read<T> {
    pub(crate) listing: Listing,
    /// Faults in optional fields, which were dropped.
    pub(crate) faults: Vec<Fault>,
    pub(crate) pictures: Vec<Picture>,
    pub(crate) scanned: Scanned<T>,
}

impl<T> Read<T> {
    /// The same with something else in place of what the scan made.
    pub(crate) fn map<U>(self, f: impl FnOnce(T) -> U) -> Read<U> {
        let Self { listing, faults, pictures, scanned } = self;
        let scanned = match scanned {
            Scanned::Done(made) => Scanned::Done(f(made)),
            Scanned::Stale => Scanned::Stale,
            Scanned::Removed => Scanned::Removed,
        };
        Read { listing, faults, pictures, scanned }
    }

    /// Why pictures could not be looked at.
    pub(crate) fn picture_faults(&self) -> impl Iterator<Item = PictureFault> {
        self.pictures.iter().filter_map(|p| p.fingerprint.as_ref().err().copied())
    }
}

/// What became of a listing.
pub(crate) enum Scanned<T> {
    /// Scanned.
    Done(T),
    /// Not above a revision seen before.
    Stale,
    /// The listing is gone.
    Removed,
}

/// Scans batches.
pub(crate) struct Engine {
    pub(crate) scanner: Arc<Scanner>,
    pool: ThreadPool,
    pictures: PictureCache,
    /// Fetches pictures that listings only link to.
    remote: Option<Remote>,
    /// Another scanner that looks at the same listings.
    beside: Option<Arc<Scanner>>,
}

impl Engine {
    /// As many threads as the machine has processors for nothing.
    pub(crate) fn new(scanner: Arc<Scanner>, threads: Option<u16>) -> Result<Self, Failure> {
        let pool = ThreadPoolBuilder::new().num_threads(threads.map_or(0, usize::from)).build().map_err(|e| Failure::Run(e.into()))?;
        Ok(Self { scanner, pool, pictures: PictureCache::default(), remote: None, beside: None })
    }

    /// The same, which fetches pictures.
    pub(crate) fn with_remote(self, remote: Option<Remote>) -> Self {
        Self { remote, ..self }
    }

    /// The same, with pictures that stand in a folder under their SHA-256.
    pub(crate) fn with_bundle(mut self, folder: Option<PathBuf>) -> Self {
        self.pictures.bundle = folder;
        self
    }

    /// The same, for two scanners: pictures are looked at where either has any to compare with, and prices of any currency are
    /// left in, since each knows others.
    pub(crate) fn with_beside(self, scanner: Arc<Scanner>) -> Self {
        Self { beside: Some(scanner), ..self }
    }

    /// Pictures known from before by their hash, since the last call.
    pub(crate) fn take_cache_hits(&mut self) -> u64 {
        self.pictures.take_hits()
    }

    /// Scans a batch: for each payload what was read, or the fault that makes a dead letter of it. `is_new` judges the
    /// revision of each listing in the order of the input, given the payload's index.
    pub(crate) fn scan<P: Payload, T: Send>(
        &mut self,
        payloads: &[P],
        mut is_new: impl FnMut(usize, &Listing) -> bool,
        scan: impl Fn(&Listing, &[Picture], &Timestamp) -> T + Sync,
    ) -> Vec<Result<Read<T>, Fault>> {
        let Self { scanner, pool, pictures, remote, beside } = self;
        let knows = beside.is_none().then_some(&**scanner);
        let decoded: Vec<Result<Decoded<Listing>, Fault>> = pool.install(|| payloads.par_iter().map(|p| read(p, knows)).collect());
        // Which revision is stale depends on those before it: one after the other.
        let new: Vec<bool> = decoded.iter().enumerate().map(|(i, d)| d.as_ref().is_ok_and(|d| is_new(i, &d.value))).collect();
        let looks = std::iter::once(&*scanner).chain(&*beside).any(|scanner| scanner.catalog().has_pictures());
        let pictured = |i: usize| decoded[i].as_ref().ok().map(|d| &d.value).filter(|l| new[i] && looks && l.op == Op::Upsert);
        let turn = remote.as_ref().filter(|_| looks).map(Remote::turn);
        let mut drafts: Vec<Vec<Draft>> = Vec::with_capacity(payloads.len());
        while drafts.len() < payloads.len() {
            let (begin, mut end, mut links) = (drafts.len(), drafts.len(), Vec::new());
            while end < payloads.len() && links.len() < PORTION {
                if turn.is_some() {
                    links.extend(pictured(end).into_iter().flat_map(|listing| pictures.links(listing)));
                }
                end += 1;
            }
            let fetched = turn.as_ref().filter(|_| !links.is_empty()).map_or_else(Fetch::new, |turn| turn.fetch(&links));
            let draft = |i: usize| pictured(i).map_or_else(Vec::new, |l| pictures.draft(l, payloads[i].folder(), &fetched));
            drafts.extend(pool.install(|| (begin..end).into_par_iter().map(draft).collect::<Vec<_>>()));
        }
        drafts.iter().for_each(|drafts| pictures.remember(drafts));
        let now = now();
        let one = |i: usize, decoded: Result<Decoded<Listing>, Fault>, drafts: Vec<Draft>| {
            let new = new[i];
            let Decoded { value: listing, faults } = decoded?;
            let pictures = pictures.finish(drafts);
            let scanned = match listing.op {
                _ if !new => Scanned::Stale,
                Op::Remove => Scanned::Removed,
                Op::Upsert => Scanned::Done(guarded(|| scan(&listing, &pictures, &now))?),
            };
            Ok(Read { listing, faults, pictures, scanned })
        };
        pool.install(|| decoded.into_par_iter().zip(drafts).enumerate().map(|(i, (decoded, drafts))| one(i, decoded, drafts)).collect())
    }
}

/// Prices in currencies that the scanner does not know are dropped, where one is given.
fn read<P: Payload>(payload: &P, knows: Option<&Scanner>) -> Result<Decoded<Listing>, Fault> {
    if payload.size() > MAX_PAYLOAD as u64 {
        let detail = format!("{} bytes are more than the {MAX_PAYLOAD} allowed", payload.size());
        return Err(Fault { reason: FaultReason::TooLarge, path: String::new(), detail });
    }
    let mut decoded = decode::<Listing>(payload.bytes())?;
    if let Some(scanner) = knows {
        let unknown = scanner.drop_unknown_currencies(&mut decoded.value);
        decoded.faults.extend(unknown);
    }
    Ok(decoded)
}

/// A listing that makes a detector panic must not take the others with it.
pub(crate) fn guarded<T>(scan: impl FnOnce() -> T) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(scan)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        Fault { reason: FaultReason::Panic, path: String::new(), detail: text.unwrap_or("a detector panicked").to_owned() }
    })
}

/// The time, for `detected_at`.
pub(crate) fn now() -> Timestamp {
    at(since_1970())
}

/// The time before a span.
pub(crate) fn ago(span: Duration) -> Timestamp {
    at(since_1970().saturating_sub(span))
}

/// The time after a pause.
pub(crate) fn from_now(pause: Duration) -> Timestamp {
    at(since_1970() + pause)
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn at(since: Duration) -> Timestamp {
    Timestamp::from_unix_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
