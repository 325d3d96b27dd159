//! Pictures: decoded within limits, reduced to hashes of the views that survive what sellers do, and looked up.

mod colour;
mod decode;
mod detector;
mod fingerprint;
mod huffman;
mod index;
mod jpeg;
mod keypoints;
mod local;
mod planes;
mod search;
mod trim;

pub use decode::{MAX_BYTES, PictureFault, thumbnail};
pub(crate) use detector::ImageDetector;
pub use fingerprint::{ALGORITHM, Fingerprint, Pdq, pdq};
pub(crate) use fingerprint::{parse, words};
pub use index::PictureMatch;
pub(crate) use index::{Hit, PictureIndex, Reference, ReferenceKind, find};
pub use jpeg::blocks;
pub use search::{Hash192, HashSearch};

use std::sync::Arc;

/// A picture of a listing: what it was reduced to, or why it could not be looked at.
#[derive(Debug, Clone)]
pub struct Picture {
    /// SHA-256 of its bytes, hexadecimal, where it is known.
    pub sha256: Option<String>,
    /// What it was reduced to.
    pub fingerprint: Result<Arc<Fingerprint>, PictureFault>,
    /// Its PDQ hash, as the platform gave it: compared with the PDQ hashes of the catalog only.
    pub pdq: Option<Pdq>,
}
