//! The pictures of a catalog, found by Hamming distance: exactly those within the radius.

use std::collections::HashMap;

use touchstone_schemas::{Method, Score, Timestamp};

use super::Picture;
use super::colour::{Chart, Colours};
use super::fingerprint::{Fingerprint, Kept, Pdq, words};
use super::local::LocalIndex;
use super::search::HashSearch;

/// Bits of 192 within which two pictures are one. Of 51.7 million pairs of unlike photos none is this near.
const RADIUS: u32 = 24;
/// Bits of 192 within which it is worth to look at local features.
const LOOSE: u32 = 52;
/// Among more pictures a loose neighbour is looked for no more: it would take longer than what it spares.
const LOOSE_AMONG: usize = 50_000;
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
    hashes: HashSearch,
    /// Of the hashes, in the same order, their references and their colours.
    hashed: Vec<(u32, Colours)>,
    pdqs: Vec<(Pdq, u32)>,
    local: LocalIndex,
    /// Of each reference with local features: its size and its chart.
    charts: HashMap<u32, ((f64, f64), Chart)>,
}

/// A listing's picture that shows a picture of the catalog.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    /// Index of the listing's picture.
    pub(crate) image: usize,
    /// The reference's number.
    pub(crate) reference: usize,
    pub(crate) method: Method,
    /// Of hashes; of keypoints only what puts them behind, and the more agree the nearer.
    pub(crate) distance: u32,
    pub(crate) bits: u32,
    /// Local features that agree.
    pub(crate) inliers: Option<u32>,
    pub(crate) view: String,
    /// x, y, width, height in 0..1 of the listing's picture.
    pub(crate) place: [f64; 4],
}

impl Hit {
    /// The Hamming distance, where hashes were compared.
    pub(crate) fn hash_distance(&self) -> Option<u32> {
        (self.method == Method::Hash).then_some(self.distance)
    }
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
    /// Hamming distance; nothing for keypoints.
    pub distance: Option<u32>,
    /// Bits compared; nothing for keypoints.
    pub bits: Option<u32>,
    /// Local features that agree; nothing for hashes.
    pub inliers: Option<u32>,
    /// The view of the listing's picture that matched.
    pub view: String,
    /// Where in the listing's picture: x, y, width, height in 0..1.
    #[serde(rename = "box")]
    pub place: [Score; 4],
}

/// What the pictures of a listing show at a time, the best view of each reference; by picture, then the nearest first.
/// References are numbered through all indexes. Local features are looked up where `deep` says so, or where a hash of any
/// index is not far.
pub(crate) fn find(indexes: &[&PictureIndex], pictures: &[Picture], at: &Timestamp, deep: bool) -> Vec<Hit> {
    let mut found: Vec<Vec<Hit>> = indexes.iter().map(|_| Vec::new()).collect();
    for (image, picture) in pictures.iter().enumerate() {
        if let Ok(fingerprint) = &picture.fingerprint {
            let near =
                indexes.iter().zip(&mut found).map(|(index, hits)| index.find_global(image, fingerprint, hits)).fold(false, |a, b| a | b);
            if deep || near || indexes.iter().any(|index| index.has_loose_neighbour(fingerprint)) {
                indexes.iter().zip(&mut found).for_each(|(index, hits)| index.find_local(image, fingerprint, hits));
            }
        }
        if let Some(pdq) = &picture.pdq {
            indexes.iter().zip(&mut found).for_each(|(index, hits)| index.find_pdq(image, pdq, hits));
        }
    }
    let mut before = 0;
    let mut hits = Vec::new();
    for (index, mut own) in indexes.iter().zip(found) {
        own.retain(|hit| index.references[hit.reference].expires_at.as_ref().is_none_or(|until| at < until));
        hits.extend(own.into_iter().map(|hit| Hit { reference: before + hit.reference, ..hit }));
        before += index.references.len();
    }
    // Stable: of equals the first view stays.
    hits.sort_by_key(|hit| (hit.image, hit.reference, hit.distance));
    hits.dedup_by_key(|hit| (hit.image, hit.reference));
    hits.sort_by_key(|hit| (hit.image, hit.distance, hit.reference));
    hits
}

impl PictureIndex {
    /// Pictures of a catalog with what is kept of each.
    pub(crate) fn of(pictures: impl Iterator<Item = (Reference, Option<Kept>, Option<Pdq>)>) -> Self {
        let mut index = Self::default();
        let mut hashes = Vec::new();
        for (reference, kept, pdq) in pictures {
            // A catalog of four thousand million pictures fits no memory.
            let number = index.references.len() as u32;
            if let Some(kept) = kept {
                hashes.push(kept.hash);
                index.hashed.push((number, kept.colours));
                if let Some(close) = kept.close {
                    index.local.add(number, &close.features);
                    index.charts.insert(number, (close.size, close.chart));
                }
            }
            index.pdqs.extend(pdq.map(|p| (p, number)));
            index.references.push(reference);
        }
        index.hashes = HashSearch::of(hashes);
        index
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.references.is_empty()
    }

    /// Whether a row's hash is one of these.
    pub(crate) fn has(&self, row: &touchstone_schemas::Fingerprint) -> bool {
        words(&row.hex).is_some_and(|hash| self.hashes.has_within(&hash, RADIUS))
    }

    fn find_pdq(&self, image: usize, pdq: &Pdq, hits: &mut Vec<Hit>) {
        for (i, distance) in within(&self.pdqs, pdq, PDQ_RADIUS) {
            let (reference, method, view) = (self.pdqs[i].1 as usize, Method::Hash, "whole".to_owned());
            hits.push(Hit { image, reference, method, distance, bits: 256, inliers: None, view, place: [0.0, 0.0, 1.0, 1.0] });
        }
    }

    fn has_loose_neighbour(&self, fingerprint: &Fingerprint) -> bool {
        self.hashed.len() <= LOOSE_AMONG && fingerprint.views.iter().any(|view| self.hashes.has_within(&view.hash, LOOSE))
    }

    /// Whether any hash is near, also one of a picture in other colours.
    fn find_global(&self, image: usize, fingerprint: &Fingerprint, hits: &mut Vec<Hit>) -> bool {
        let mut near = false;
        for view in &fingerprint.views {
            for (i, distance) in self.hashes.within(&view.hash, RADIUS) {
                near = true;
                let (reference, colours) = &self.hashed[i as usize];
                if !view.colours.may_copy(colours) {
                    continue;
                }
                let (reference, method) = (*reference as usize, Method::Hash);
                hits.push(Hit { image, reference, method, distance, bits: 192, inliers: None, view: view.name(), place: view.place });
            }
        }
        near
    }

    /// Both as the picture stands and mirrored. Whatever is found by its features is farther than what is found by its hash.
    fn find_local(&self, image: usize, fingerprint: &Fingerprint, hits: &mut Vec<Hit>) {
        let Some(picture) = fingerprint.local() else { return };
        let (width, height) = picture.size;
        for (features, mirrored) in picture.features.iter().zip([false, true]) {
            for shown in self.local.find(features, picture.size) {
                let (size, chart) = &self.charts[&shown.reference];
                let map = |x: f64, y: f64| {
                    let (u, v) = shown.map.apply(x * size.0, y * size.1);
                    (if mirrored { 1.0 - u / width } else { u / width }, v / height)
                };
                let places: Vec<(f64, f64)> = shown.places.iter().map(|(x, y)| (x / size.0, y / size.1)).collect();
                if !picture.chart.may_show(chart, &places, shown.few, map) {
                    continue;
                }
                let corners = [map(0.0, 0.0), map(1.0, 0.0), map(0.0, 1.0), map(1.0, 1.0)];
                let low = |f: &dyn Fn(&(f64, f64)) -> f64| corners.iter().map(f).fold(1.0, f64::min).clamp(0.0, 1.0);
                let high = |f: &dyn Fn(&(f64, f64)) -> f64| corners.iter().map(f).fold(0.0, f64::max).clamp(0.0, 1.0);
                let (x, y) = (low(&|c| c.0), low(&|c| c.1));
                let place = [x, y, high(&|c| c.0) - x, high(&|c| c.1) - y];
                let view = if mirrored { "part, mirrored" } else { "part" }.to_owned();
                // The fewer features agree, the farther.
                let inliers = shown.places.len() as u32;
                let distance = 192 - inliers.min(96);
                let (reference, inliers) = (shown.reference as usize, Some(inliers));
                hits.push(Hit { image, reference, method: Method::Keypoints, distance, bits: 192, inliers, view, place });
            }
        }
    }
}

/// Every hash within a radius, by its index, with its distance.
fn within<const N: usize>(hashes: &[([u64; N], u32)], hash: &[u64; N], radius: u32) -> impl Iterator<Item = (usize, u32)> {
    hashes.iter().enumerate().filter_map(move |(i, (other, _))| {
        let distance = hash.iter().zip(other).map(|(a, b)| (a ^ b).count_ones()).sum::<u32>();
        (distance <= radius).then_some((i, distance))
    })
}
