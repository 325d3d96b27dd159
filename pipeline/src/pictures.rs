//! The pictures of listings: where their bytes are, and what they were reduced to, remembered by content.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::panic::catch_unwind;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};
use touchstone_detectors::{Fingerprint, MAX_PICTURE_BYTES, Picture, PictureFault, pdq};
use touchstone_schemas::{Image, Listing};

use crate::remote::Fetch;

/// Pictures of one listing that are looked at.
pub(crate) const MOST: usize = 20;
/// Bytes of memory for the pictures remembered in each of two generations; a picture is some 100 KiB with its local features.
const GENERATION: usize = 256 << 20;

type Sum = [u8; 32];
type Reduced = Result<Arc<Fingerprint>, PictureFault>;

/// What pictures were reduced to, by the SHA-256 of their bytes, over a window of the last ones.
#[derive(Default)]
pub(crate) struct PictureCache {
    present: HashMap<Sum, Reduced>,
    past: HashMap<Sum, Reduced>,
    /// Bytes of memory that those of the present take at most.
    taken: usize,
    hits: u64,
    /// A folder with pictures under their SHA-256, which need not be fetched.
    pub(crate) bundle: Option<PathBuf>,
}

/// A picture on its way: what could be found out without the pictures beside it.
pub(crate) struct Draft {
    sum: Option<Sum>,
    reduced: Option<Reduced>,
    pdq: Option<touchstone_detectors::Pdq>,
    /// It was reduced just now, and not remembered.
    fresh: bool,
}

impl PictureCache {
    fn get(&self, sum: &Sum) -> Option<&Reduced> {
        self.present.get(sum).or_else(|| self.past.get(sum))
    }

    fn put(&mut self, sum: Sum, reduced: Reduced) {
        // What cannot be looked at takes next to nothing.
        const FAULT: usize = 128;
        let footprint = reduced.as_ref().map_or(FAULT, |fingerprint| fingerprint.footprint());
        if self.taken + footprint > GENERATION {
            self.past = std::mem::take(&mut self.present);
            self.taken = 0;
        }
        self.taken += footprint;
        self.present.insert(sum, reduced);
    }

    /// Where a picture stands in the bundle, if it is there.
    fn bundled(&self, sum: &Sum) -> Option<PathBuf> {
        self.bundle.as_ref().map(|folder| folder.join(touchstone_detectors::hex(sum)))
    }

    /// Links of a listing's pictures that have to be fetched: those that come without bytes and are not known by their hash.
    pub(crate) fn links<'a>(&self, listing: &'a Listing) -> impl Iterator<Item = &'a str> {
        let is_known = |image: &Image| {
            let sum = image.sha256.as_ref().and_then(|hex| sum_of_hex(hex.as_str()));
            sum.is_some_and(|sum| self.get(&sum).is_some() || self.bundled(&sum).is_some_and(|file| file.is_file()))
        };
        let wanted = move |image: &&'a Image| image.data.is_none() && image.path.is_none() && !is_known(image);
        listing.images.iter().take(MOST).filter(wanted).filter_map(|image| image.url.as_deref())
    }

    /// Reduces the pictures of one listing. Reads the cache and changes nothing, so that listings are drafted in parallel.
    pub(crate) fn draft(&self, listing: &Listing, folder: Option<&Path>, fetched: &Fetch) -> Vec<Draft> {
        listing.images.iter().enumerate().map(|(i, image)| self.draft_one(image, folder, fetched, i < MOST)).collect()
    }

    fn draft_one(&self, image: &Image, folder: Option<&Path>, fetched: &Fetch, looked_at: bool) -> Draft {
        let declared = image.sha256.as_ref().and_then(|hex| sum_of_hex(hex.as_str()));
        let pdq = image.pdq.as_ref().and_then(|hex| pdq(hex.as_str()));
        let failed = |fault: PictureFault| Draft { sum: declared, reduced: Some(Err(fault)), pdq, fresh: false };
        if !looked_at {
            return failed(PictureFault::TooMany);
        }
        let link = image.url.as_ref().and_then(|url| fetched.get(url.as_str()));
        let mut given = bytes(image, folder);
        if matches!(given, Err(PictureFault::Absent | PictureFault::NoFile))
            && let Some(bundled) = declared.as_ref().and_then(|sum| self.bundled(sum))
            && let Ok(bytes) = read_file(&bundled)
        {
            given = Ok(bytes);
        }
        let bytes: Arc<[u8]> = match (given, link) {
            (Err(PictureFault::Absent), None) => return Draft { sum: declared, reduced: None, pdq, fresh: false },
            (Err(PictureFault::Absent), Some(Ok(bytes))) => bytes.clone(),
            (Err(PictureFault::Absent), Some(Err(fault))) => return failed(*fault),
            (Err(fault), _) => return failed(fault),
            (Ok(bytes), _) => bytes.into(),
        };
        let sum: Sum = Sha256::digest(&bytes).into();
        if image.sha256.is_some() && declared != Some(sum) {
            return failed(PictureFault::OtherSha256);
        }
        let known = self.get(&sum).cloned();
        let fresh = known.is_none();
        // A picture that makes a decoder panic must not take its listing with it.
        let reduced = known.unwrap_or_else(|| catch_unwind(|| Fingerprint::of(&bytes)).unwrap_or(Err(PictureFault::Panic)).map(Arc::new));
        Draft { sum: Some(sum), reduced: Some(reduced), pdq, fresh }
    }

    /// Pictures known from before, since the last call.
    pub(crate) fn take_hits(&mut self) -> u64 {
        std::mem::take(&mut self.hits)
    }

    /// Remembers what drafts found. Called in the order of the input, so that what is known depends on nothing else.
    pub(crate) fn remember(&mut self, drafts: &[Draft]) {
        self.hits += drafts.iter().filter(|d| !d.fresh && d.sum.is_some_and(|sum| self.get(&sum).is_some())).count() as u64;
        for draft in drafts.iter().filter(|d| d.fresh) {
            if let (Some(sum), Some(reduced)) = (draft.sum, &draft.reduced) {
                self.put(sum, reduced.clone());
            }
        }
    }

    /// The pictures that drafts became: those that came without bytes are known from before, or absent.
    pub(crate) fn finish(&self, drafts: Vec<Draft>) -> Vec<Picture> {
        let finish = |draft: Draft| {
            let known = || draft.sum.as_ref().and_then(|sum| self.get(sum)).cloned();
            let fingerprint = draft.reduced.or_else(known).unwrap_or(Err(PictureFault::Absent));
            Picture { sha256: draft.sum.map(|sum| touchstone_detectors::hex(&sum)), fingerprint, pdq: draft.pdq }
        };
        drafts.into_iter().map(finish).collect()
    }
}

/// The bytes of a picture that comes with its bytes, or by a path from a folder.
pub(crate) fn bytes(image: &Image, folder: Option<&Path>) -> Result<Vec<u8>, PictureFault> {
    match (&image.data, &image.path) {
        (Some(text), _) if text.len() / 4 * 3 > MAX_PICTURE_BYTES => Err(PictureFault::TooManyBytes),
        (Some(text), _) => BASE64_STANDARD.decode(text).map_err(|_| PictureFault::NotBase64),
        (None, Some(path)) => read(folder, path),
        (None, None) => Err(PictureFault::Absent),
    }
}

/// The bytes of a picture beside the listings file.
fn read(folder: Option<&Path>, path: &str) -> Result<Vec<u8>, PictureFault> {
    let (folder, path) = (folder.ok_or(PictureFault::NoFile)?, Path::new(path));
    if !path.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir)) {
        return Err(PictureFault::NoFile);
    }
    // A link must not lead out of the folder, either.
    let path = folder.join(path).canonicalize().map_err(|_| PictureFault::NoFile)?;
    if !folder.canonicalize().is_ok_and(|folder| path.starts_with(folder)) {
        return Err(PictureFault::NoFile);
    }
    read_file(&path)
}

/// The bytes of a file; one byte more than allowed of a larger one. Only a regular file is read: others may never end.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, PictureFault> {
    let mut bytes = Vec::new();
    let file = File::open(path).ok().filter(|f| f.metadata().is_ok_and(|m| m.is_file())).ok_or(PictureFault::NoFile)?;
    file.take(MAX_PICTURE_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(|_| PictureFault::NoFile)?;
    Ok(bytes)
}

fn sum_of_hex(hex: &str) -> Option<Sum> {
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    let mut sum = [0; 32];
    for (i, byte) in sum.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(sum)
}
