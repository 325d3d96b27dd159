//! What was fetched, by URL, for a while: platforms show the same picture on many listings.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::generations::Generations;
use super::{FetchFault, Key, Outcome};

/// Bytes of pictures in each of two generations: 64 MiB in both.
const GENERATION: usize = 32 << 20;
/// Faults in each of two generations.
const FAULTS: usize = 5_000;
/// How long a picture is shown without being fetched again.
const SHOWN: Duration = Duration::from_secs(600);
/// How long a fault that lasts is believed.
const BELIEVED: Duration = Duration::from_secs(60);

pub(super) struct Cache {
    /// Each with the time until which it is shown: what stands behind a link may change.
    pictures: Generations<Key, (Arc<[u8]>, Instant)>,
    /// Each with the time until which it is believed.
    faults: Generations<Key, (FetchFault, Instant)>,
}

impl Cache {
    pub(super) fn new() -> Self {
        Self { pictures: Generations::new(GENERATION), faults: Generations::new(FAULTS) }
    }

    pub(super) fn get(&self, key: &Key, now: Instant) -> Option<Outcome> {
        let fault = || self.faults.get(key).filter(|(_, until)| now < *until).map(|(fault, _)| Err(*fault));
        let picture = self.pictures.get(key).filter(|(_, until)| now < *until).map(|(bytes, _)| Ok(bytes.clone()));
        picture.or_else(fault)
    }

    pub(super) fn put(&mut self, key: Key, outcome: &Outcome, now: Instant) {
        match outcome {
            Ok(bytes) => self.pictures.put(key, (bytes.clone(), now + SHOWN), bytes.len() + size_of::<Key>()),
            Err(fault) if fault.lasts() => self.faults.put(key, (*fault, now + BELIEVED), 1),
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lasts_is_remembered() {
        let (mut cache, now) = (Cache::new(), Instant::now());
        let table: [(Outcome, bool, bool); 6] = [
            (Ok(Arc::from(&b"picture"[..])), true, true),
            (Err(FetchFault::Status(404)), true, false),
            (Err(FetchFault::ForbiddenAddress), true, false),
            (Err(FetchFault::Status(503)), false, false),
            (Err(FetchFault::TimedOut), false, false),
            (Err(FetchFault::Busy), false, false),
        ];
        for (i, (outcome, known, later)) in (0u8..).zip(table) {
            let key = [i; 32];
            cache.put(key, &outcome, now);
            let after = |seconds| cache.get(&key, now + Duration::from_secs(seconds));
            assert_eq!(after(59), Some(outcome.clone()).filter(|_| known), "{outcome:?}");
            assert_eq!(after(60), Some(outcome.clone()).filter(|_| later), "{outcome:?}");
            assert_eq!(after(600), None, "{outcome:?}");
        }
    }

    #[test]
    fn bytes_are_bounded() {
        let (mut cache, now) = (Cache::new(), Instant::now());
        let picture: Outcome = Ok(Arc::from(vec![0; 1 << 20]));
        for i in 0..100 {
            cache.put([i; 32], &picture, now);
        }
        let known = (0..100).filter(|&i| cache.get(&[i; 32], now).is_some()).count();
        assert!((32..=64).contains(&known), "{known}");
    }
}
