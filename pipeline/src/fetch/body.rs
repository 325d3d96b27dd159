//! The body of an answer, chunk by chunk: bounded in bytes, in time, and in the memory of all bodies together.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use hyper::body::Bytes;
use reqwest::Response;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::store::fault;
use super::{FetchFault, Limits};

/// Memory is counted in pieces of this many bytes.
const PIECE: usize = 64 << 10;

/// The memory of all bodies that are under way.
pub(super) struct Memory(Arc<Semaphore>);

impl Memory {
    pub(super) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new((bytes / PIECE).clamp(1, Semaphore::MAX_PERMITS))))
    }
}

/// Memory that one body holds, until it is dropped. It grows with what was sent, not with what was promised: a promise costs a
/// hostile server nothing.
struct Held<'a> {
    memory: &'a Memory,
    permits: Vec<OwnedSemaphorePermit>,
    bytes: usize,
}

impl Held<'_> {
    async fn grow(&mut self, bytes: usize) -> Result<(), FetchFault> {
        let missing = bytes.saturating_sub(self.bytes).div_ceil(PIECE);
        if missing > 0 {
            let permit = self.memory.0.clone().acquire_many_owned(u32::try_from(missing).unwrap_or(u32::MAX)).await;
            self.permits.push(permit.map_err(|_| FetchFault::Busy)?);
            self.bytes += missing * PIECE;
        }
        Ok(())
    }
}

/// Where a body comes from.
pub(super) enum Source {
    Web(Response),
    /// A store, and how many bytes it says that there are.
    Stored(u64, BoxStream<'static, object_store::Result<Bytes>>),
}

impl Source {
    /// Bytes that are promised.
    fn length(&self) -> Option<u64> {
        match self {
            Self::Web(response) => response.content_length(),
            Self::Stored(length, _) => Some(*length),
        }
    }

    /// What comes next. A body that is shorter than it said is a fault, too.
    async fn chunk(&mut self) -> Result<Option<Bytes>, FetchFault> {
        match self {
            Self::Web(response) => response.chunk().await.map_err(|_| FetchFault::CutOff),
            Self::Stored(_, stream) => match stream.next().await.transpose().map_err(|e| fault(&e))? {
                // A file that shrank while it was read says so without end.
                Some(chunk) if chunk.is_empty() => Err(FetchFault::CutOff),
                chunk => Ok(chunk),
            },
        }
    }
}

/// Reads a body to its end.
pub(super) async fn read(mut source: Source, limits: &Limits, memory: &Memory) -> Result<Arc<[u8]>, FetchFault> {
    if source.length().is_some_and(|length| length > limits.bytes as u64) {
        return Err(FetchFault::TooManyBytes);
    }
    let mut held = Held { memory, permits: Vec::new(), bytes: 0 };
    let mut bytes: Vec<u8> = Vec::new();
    loop {
        let Some(chunk) = timeout(limits.idle, source.chunk()).await.map_err(|_| FetchFault::TimedOut)?? else {
            return Ok(bytes.into());
        };
        let length = bytes.len() + chunk.len();
        if length > limits.bytes {
            return Err(FetchFault::TooManyBytes);
        }
        // Bodies that wait for each other's memory: the first that gives up lets the others go on.
        timeout(limits.idle, held.grow(length)).await.map_err(|_| FetchFault::Busy)??;
        bytes.extend_from_slice(&chunk);
    }
}
