//! Pictures that listings only link to, fetched for a batch within its time.

#![allow(clippy::disallowed_types, reason = "bounds waiting for pictures")]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use touchstone_detectors::PictureFault;

use crate::config::Pictures;
use crate::failure::Failure;
use crate::fetch::{Fetched, Fetcher, Net, Prefix, Settings};

/// Pictures by their links, or why they are not there.
pub(crate) type Fetch = HashMap<String, Result<Arc<[u8]>, PictureFault>>;

/// Fetches pictures, a batch at a time.
#[derive(Clone)]
pub(crate) struct Remote {
    fetcher: Arc<Fetcher>,
    wait: Duration,
}

impl Remote {
    /// Nothing where the configuration fetches none.
    pub(crate) fn new(config: &Pictures) -> Result<Option<Self>, Failure> {
        if !config.fetch {
            return Ok(None);
        }
        let allow = nets(&config.allow).map_err(Failure::Usage)?;
        let size = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let stores = stores(&config.stores).map_err(Failure::Usage)?;
        let (per_host, at_once) = (size(config.per_host), size(config.at_once));
        let settings = Settings { allow, stores, per_host, at_once, ..Settings::default() };
        let fetcher = Arc::new(Fetcher::new(settings)?);
        Ok(Some(Self { fetcher, wait: Duration::from_millis(config.picture_deadline_ms) }))
    }

    /// A batch begins to wait.
    pub(crate) fn turn(&self) -> Turn<'_> {
        Turn { remote: self, until: Instant::now() + self.wait }
    }
}

/// Nets that may be reached although they are not public.
pub(crate) fn nets(texts: &[String]) -> Result<Vec<Net>, String> {
    texts.iter().map(|text| text.parse().map_err(|e| format!("pictures.allow: {e}"))).collect()
}

/// Folders of stores that links may lead to.
pub(crate) fn stores(texts: &[String]) -> Result<Vec<Prefix>, String> {
    texts.iter().map(|text| text.parse().map_err(|e| format!("pictures.stores: {e}"))).collect()
}

/// The time of one batch.
pub(crate) struct Turn<'a> {
    remote: &'a Remote,
    until: Instant,
}

impl Turn<'_> {
    /// Fetches pictures; those that are not there when the batch's time is up are late.
    pub(crate) fn fetch(&self, links: &[&str]) -> Fetch {
        let left = self.until.saturating_duration_since(Instant::now());
        let fetched = self.remote.fetcher.fetch(links, left);
        let result = |fetched| match fetched {
            Fetched::Bytes(bytes) => Ok(bytes),
            Fetched::Failed(fault) if fault.lasts() => Err(PictureFault::NotFetched(fault.as_str())),
            Fetched::Failed(fault) => Err(PictureFault::NotFetchedYet(fault.as_str())),
            Fetched::Late => Err(PictureFault::Late),
        };
        links.iter().map(|link| (*link).to_owned()).zip(fetched.into_iter().map(result)).collect()
    }
}
