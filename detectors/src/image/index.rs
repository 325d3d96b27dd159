//! The pictures of a catalog, found by Hamming distance: exactly those within the radius.

use touchstone_schemas::{Method, Score, Timestamp};

use super::Picture;
use super::colour::Colours;
use super::fingerprint::{Hash, Pdq};

/// Bits of 192 within which two pictures are one. Of 51.7 million pairs of unlike photos none is this near.
const RADIUS: u32 = 24;
/// Bits of 256 within which two PDQ hashes are one picture, as its authors advise.
const PDQ_RADIUS: u32 = 31;

/// What a picture of the catalog is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReferenceKind {
    /// A brand's own.
    Genuine,
    /// Of a confirmed fake.
    Fake,
}

/// A picture of the catalog.
#[derive(Debug)]
pub(crate) struct Reference {
    /// Its name in evidence.
    pub(crate) name: String,
    pub(crate) url: Option<String>,
    pub(crate) kind: ReferenceKind,
    pub(crate) brand: usize,
    pub(crate) product: Option<usize>,
    pub(crate) expires_at: Option<Timestamp>,
}

/// All pictures of a catalog.
#[derive(Debug, Default)]
pub(crate) struct PictureIndex {
    pub(crate) references: Vec<Reference>,
    hashes: Vec<(Hash, u32)>,
    /// Of the pictures in `hashes`, in the same order.
    colours: Vec<Colours>,
    pdqs: Vec<(Pdq, u32)>,
}

/// A listing's picture that shows a picture of the catalog.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    /// Index of the listing's picture.
    pub(crate) image: usize,
    /// Index into [`PictureIndex::references`].
    pub(crate) reference: usize,
    pub(crate) distance: u32,
    pub(crate) bits: u32,
    pub(crate) view: String,
    /// x, y, width, height in 0..1 of the listing's picture.
    pub(crate) place: [f64; 4],
}

/// A picture of the catalog that a listing's picture shows, as `match` tells it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct PictureMatch {
    /// Index of the listing's picture.
    pub image_index: usize,
    /// The product of the reference; nothing for a known fake.
    pub product_id: Option<String>,
    /// The reference.
    pub reference: String,
    /// How the pictures were compared.
    pub method: Method,
    /// Hamming distance.
    pub distance: u32,
    /// Bits compared.
    pub bits: u32,
    /// Local features that agree; nothing for hashes.
    pub inliers: Option<u32>,
    /// The view of the listing's picture that matched.
    pub view: String,
    /// Where in the listing's picture: x, y, width, height in 0..1.
    #[serde(rename = "box")]
    pub place: [Score; 4],
}

impl PictureIndex {
    pub(crate) fn add(&mut self, reference: Reference, hash: Option<(Hash, Colours)>, pdq: Option<Pdq>) {
        // A catalog of four thousand million pictures fits no memory.
        let number = self.references.len() as u32;
        if let Some((hash, colours)) = hash {
            self.hashes.push((hash, number));
            self.colours.push(colours);
        }
        self.pdqs.extend(pdq.map(|p| (p, number)));
        self.references.push(reference);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.references.is_empty()
    }

    /// What the pictures of a listing show at a time, the nearest view of each reference; by picture, then the nearest first.
    pub(crate) fn find(&self, pictures: &[Picture], at: &Timestamp) -> Vec<Hit> {
        let mut hits = Vec::new();
        for (image, picture) in pictures.iter().enumerate() {
            if let Ok(fingerprint) = &picture.fingerprint {
                for view in &fingerprint.views {
                    for (i, distance) in within(&self.hashes, &view.hash, RADIUS).filter(|(i, _)| view.colours.may_copy(&self.colours[*i]))
                    {
                        let reference = self.hashes[i].1 as usize;
                        hits.push(Hit { image, reference, distance, bits: 192, view: view.name(), place: view.place });
                    }
                }
            }
            if let Some(pdq) = &picture.pdq {
                for (reference, distance) in within(&self.pdqs, pdq, PDQ_RADIUS) {
                    hits.push(Hit { image, reference, distance, bits: 256, view: "whole".to_owned(), place: [0.0, 0.0, 1.0, 1.0] });
                }
            }
        }
        hits.retain(|hit| self.references[hit.reference].expires_at.as_ref().is_none_or(|until| at < until));
        // Stable: of equals the first view stays.
        hits.sort_by_key(|hit| (hit.image, hit.reference, hit.distance));
        hits.dedup_by_key(|hit| (hit.image, hit.reference));
        hits.sort_by_key(|hit| (hit.image, hit.distance, hit.reference));
        hits
    }
}

/// Every hash within a radius, by its index, with its distance.
fn within<const N: usize>(hashes: &[([u64; N], u32)], hash: &[u64; N], radius: u32) -> impl Iterator<Item = (usize, u32)> {
    hashes.iter().enumerate().filter_map(move |(i, (other, _))| {
        let distance = hash.iter().zip(other).map(|(a, b)| (a ^ b).count_ones()).sum::<u32>();
        (distance <= radius).then_some((i, distance))
    })
}
