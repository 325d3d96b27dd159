//! One listing against one catalog under one policy.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};
use touchstone_schemas::{
    Band, Detector as DetectorName, Evidence, Fault, FaultReason, ImageExcerpt, ImageSeen, Listing, ListingExcerpt, Op, Price, Score,
    Suspect, SuspectOp, Timestamp,
};

use crate::catalog::Catalog;
use crate::detector::DETECTORS;
use crate::hex;
use crate::image::{Hit as PictureHit, Picture, PictureMatch};
use crate::matter::{Matter, Reading, product_query};
use crate::policy::Policy;
use crate::score::{Verdict, sum_up, weigh};

/// Characters of a description that an event repeats.
const EXCERPT: usize = 280;

/// Pictures that an event repeats.
const MOST_IMAGES: usize = 40;

/// Version of the program, part of every detection's id.
pub const ENGINE_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Scans listings. Shared by all threads.
pub struct Scanner {
    catalog: Arc<Catalog>,
    policy: Policy,
    stopwatch: Option<Stopwatch>,
}

/// Time spent in each detector. The clock is the caller's: no result knows it.
struct Stopwatch {
    nanoseconds: fn() -> u64,
    spent: [AtomicU64; DETECTORS.len()],
}

/// The detectors, as evidence and metrics name them, in the order in which they look.
pub const DETECTOR_NAMES: [DetectorName; DETECTORS.len()] =
    [DetectorName::Text, DetectorName::Price, DetectorName::Image, DetectorName::Seller, DetectorName::Context];

/// What is found of one brand in a listing.
#[derive(Debug)]
pub struct Assessment {
    /// The event, as it is emitted when `band` is there.
    pub suspect: Suspect,
    /// The band; nothing under the lowest threshold.
    pub band: Option<Band>,
}

/// A product that a listing resembles.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ProductMatch {
    /// The product.
    pub product_id: String,
    /// 0 to 1.
    pub similarity: Score,
}

impl Scanner {
    /// A scanner of one catalog under one policy.
    pub fn new(catalog: Arc<Catalog>, policy: Policy) -> Self {
        Self { catalog, policy, stopwatch: None }
    }

    /// As [`Scanner::new`], and measures the detectors by a clock that tells nanoseconds.
    pub fn timed(catalog: Arc<Catalog>, policy: Policy, nanoseconds: fn() -> u64) -> Self {
        Self { stopwatch: Some(Stopwatch { nanoseconds, spent: Default::default() }), ..Self::new(catalog, policy) }
    }

    /// Seconds spent in each detector since the last call; none where nothing is measured.
    pub fn take_seconds(&self) -> Vec<(DetectorName, f64)> {
        // A batch takes far fewer nanoseconds than a float holds exactly.
        #[allow(clippy::cast_precision_loss)]
        let seconds = |spent: &AtomicU64| spent.swap(0, Ordering::Relaxed) as f64 / 1e9;
        self.stopwatch.iter().flat_map(|s| DETECTOR_NAMES.into_iter().zip(s.spent.iter().map(seconds))).collect()
    }

    /// The catalog.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The same catalog under another policy.
    pub fn under(&self, policy: Policy) -> Self {
        Self::new(self.catalog.clone(), policy)
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Drops prices in currencies that the exchange rates don't know; each is a fault.
    pub fn drop_unknown_currencies(&self, listing: &mut Listing) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut check = |price: &mut Option<Price>, path: String| {
            if let Some(p) = price.take_if(|p| !self.catalog.snapshot.rates.knows(&p.currency)) {
                let detail = format!("no exchange rate for {}: add it to fx.json", p.currency);
                faults.push(Fault { reason: FaultReason::UnknownCurrency, path: format!("{path}.currency"), detail });
            }
        };
        check(&mut listing.price, "price".to_owned());
        check(&mut listing.list_price, "list_price".to_owned());
        for (i, variant) in listing.variants.iter_mut().enumerate() {
            check(&mut variant.price, format!("variants[{i}].price"));
            check(&mut variant.list_price, format!("variants[{i}].list_price"));
        }
        faults
    }

    /// The suspects of a listing, by brand id.
    pub fn scan(&self, listing: &Listing, pictures: &[Picture], detected_at: &Timestamp) -> Vec<Suspect> {
        self.judge(listing, pictures, detected_at, true).into_iter().map(|a| a.suspect).collect()
    }

    /// What is found of every brand that a listing touches, by brand id, also under the lowest threshold.
    /// `pictures` are the listing's, in its order; those that are missing were not looked at.
    pub fn assess(&self, listing: &Listing, pictures: &[Picture], detected_at: &Timestamp) -> Vec<Assessment> {
        self.judge(listing, pictures, detected_at, false)
    }

    /// Most listings that name a brand are no suspects: of these no event is made where only suspects are asked for.
    fn judge(&self, listing: &Listing, pictures: &[Picture], detected_at: &Timestamp, suspects_only: bool) -> Vec<Assessment> {
        if listing.op == Op::Remove {
            return Vec::new();
        }
        let Some(reading) = Reading::of(listing, pictures, &self.catalog) else { return Vec::new() };
        let judge = |brand| {
            let matter = Matter::of(&reading, &self.catalog, &self.policy, brand);
            let base_rate = self.policy.base_rate(listing.platform.as_str(), listing.market.as_str());
            let verdict = weigh(&self.policy, &matter.entry().row, base_rate, self.detect(&matter));
            let wanted = !suspects_only || verdict.band.is_some();
            wanted.then(|| self.assessment(&matter, verdict, pictures, detected_at))
        };
        reading.brands(&self.catalog).into_iter().filter_map(judge).collect()
    }

    /// What all detectors find.
    fn detect(&self, matter: &Matter<'_>) -> Vec<Evidence> {
        let mut found = Vec::new();
        for (i, detector) in DETECTORS.into_iter().enumerate() {
            let from = found.len();
            let before = self.stopwatch.as_ref().map(|s| (s.nanoseconds)());
            found.extend(detector.detect(matter));
            if let (Some(stopwatch), Some(before)) = (&self.stopwatch, before) {
                stopwatch.spent[i].fetch_add((stopwatch.nanoseconds)().saturating_sub(before), Ordering::Relaxed);
            }
            debug_assert!(found[from..].iter().all(|e: &Evidence| e.detector == detector.name()), "evidence under a foreign name");
        }
        found
    }

    fn assessment(&self, matter: &Matter<'_>, verdict: Verdict, pictures: &[Picture], detected_at: &Timestamp) -> Assessment {
        let Verdict { score, band, caps, thresholds, reason, evidence } = verdict;
        let (listing, row) = (matter.listing(), &matter.entry().row);
        let brand_id = row.brand_id.as_str();
        let suspect_id = suspect_id(listing.platform.as_str(), listing.market.as_str(), listing.listing_id.as_str(), brand_id);
        let detection_id = detection_id(&suspect_id, listing.revision, 0, self.catalog.version(), self.policy.version());
        let product = matter.product().map(|r| r.product).or_else(|| matter.shown());
        let suspect = Suspect {
            suspect_id,
            detection_id,
            op: SuspectOp::Upsert,
            withdrawn_because: None,
            event_id: listing.event_id.clone(),
            occurred_at: listing.occurred_at.clone(),
            pass: 0,
            supersedes: None,
            content_hash: content_hash(listing),
            listing: excerpt(listing),
            brand_id: row.brand_id.clone(),
            product_id: product.map(|p| self.catalog.snapshot.products[p].row.product_id.to_string()),
            score,
            band: band.unwrap_or(Band::AskBrand),
            caps,
            thresholds,
            reason,
            evidence,
            images_seen: pictures.iter().take(MOST_IMAGES).enumerate().map(seen).collect(),
            catalog_version: self.catalog.version().to_owned(),
            policy_version: self.policy.version().to_owned(),
            engine_version: ENGINE_VERSION.to_owned(),
            detected_at: detected_at.clone(),
        };
        Assessment { suspect, band }
    }

    /// The log-odds of every brand that a listing touches under each of some policies, by brand id: what a policy is fitted on.
    /// The policies may differ from the scanner's own in their weights alone.
    pub fn log_odds(&self, listing: &Listing, pictures: &[Picture], policies: &[Policy]) -> Vec<(&str, Vec<f64>)> {
        let Some(reading) = Reading::of(listing, pictures, &self.catalog) else { return Vec::new() };
        let of_brand = |brand| {
            let mut matter = Matter::of(&reading, &self.catalog, &self.policy, brand);
            let under = |policy| {
                matter.policy = policy;
                let found = DETECTORS.iter().flat_map(|d| d.detect(&matter)).collect();
                sum_up(policy.base_rate(listing.platform.as_str(), listing.market.as_str()), found).1
            };
            let odds = policies.iter().map(under).collect();
            (self.catalog.snapshot.brands[brand].row.brand_id.as_str(), odds)
        };
        reading.brands(&self.catalog).into_iter().map(of_brand).collect()
    }

    /// The pictures of any brand that a listing shows, by picture, then the nearest first; at most `most` for each picture.
    pub fn match_pictures(&self, listing: &Listing, pictures: &[Picture], most: usize) -> Vec<PictureMatch> {
        let mut hits = self.catalog.find_pictures(pictures, &listing.occurred_at, true);
        let mut taken = vec![0; pictures.len()];
        hits.retain(|hit| {
            taken[hit.image] += 1;
            taken[hit.image] <= most
        });
        let named = |hit: PictureHit| {
            let reference = self.catalog.picture(hit.reference);
            PictureMatch {
                image_index: hit.image,
                product_id: reference.product.map(|p| self.catalog.snapshot.products[p].row.product_id.to_string()),
                reference: reference.name.clone(),
                method: hit.method,
                distance: hit.hash_distance(),
                bits: hit.hash_distance().map(|_| hit.bits),
                inliers: hit.inliers,
                view: hit.view,
                place: hit.place.map(Score::from_f64),
            }
        };
        hits.into_iter().map(named).collect()
    }

    /// The products of any brand that a listing resembles most, the best first, with no gate before.
    pub fn match_products(&self, listing: &Listing, most: usize) -> Vec<ProductMatch> {
        let mut retrieved = self.catalog.snapshot.index.find(&product_query(&self.catalog, listing, listing.title()), None);
        retrieved.truncate(most);
        let named = |r: crate::product::Retrieved| ProductMatch {
            product_id: self.catalog.snapshot.products[r.product].row.product_id.to_string(),
            similarity: Score::from_f64(r.similarity),
        };
        retrieved.into_iter().map(named).collect()
    }
}

/// A suspect as a later pass finds it, in place of an earlier detection where there is one.
pub fn in_pass(suspect: Suspect, pass: u64, supersedes: Option<String>) -> Suspect {
    let Suspect { suspect_id, listing, catalog_version, policy_version, .. } = &suspect;
    let detection_id = detection_id(suspect_id, listing.revision, pass, catalog_version, policy_version);
    Suspect { detection_id, pass, supersedes, ..suspect }
}

/// The id of the matter between a brand and a listing, through all revisions.
pub fn suspect_id(platform: &str, market: &str, listing_id: &str, brand_id: &str) -> String {
    id(&[platform, market, listing_id, brand_id])
}

/// The id of one look at a matter.
fn detection_id(suspect_id: &str, revision: u64, pass: u64, catalog_version: &str, policy_version: &str) -> String {
    id(&[suspect_id, &revision.to_string(), &pass.to_string(), catalog_version, policy_version, ENGINE_VERSION])
}

fn seen((index, picture): (usize, &Picture)) -> ImageSeen {
    let error = picture.fingerprint.as_ref().err().map(ToString::to_string);
    // What was looked at is named by its bytes, what was not by the reason.
    let sha256 = picture.sha256.clone().filter(|_| error.is_none());
    let fingerprint = picture.fingerprint.as_ref().ok().map(|fingerprint| fingerprint.brief_row());
    ImageSeen { index: index as u64, sha256, fingerprint, error }
}

/// Hash of parts, each with its length before it, so that no two lists of parts run into one.
pub fn id(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex(&hash.finalize()[..16])
}

/// Hash of title, description, brand, seller and pictures: a verdict holds until it changes.
pub(crate) fn content_hash(listing: &Listing) -> String {
    let seller = listing.seller.as_ref().map(|s| s.id.as_str()).unwrap_or_default();
    let mut parts =
        vec![listing.title(), listing.description.as_deref().unwrap_or_default(), listing.brand.as_deref().unwrap_or_default(), seller];
    for image in &listing.images {
        let (sha256, pdq) =
            (image.sha256.as_ref().map(touchstone_schemas::Sha256Hex::as_str), image.pdq.as_ref().map(touchstone_schemas::PdqHex::as_str));
        let keys = [sha256, image.url.as_deref(), image.path.as_deref(), pdq, image.data.as_deref()];
        parts.push(keys.into_iter().flatten().next().unwrap_or_default());
    }
    id(&parts)
}

pub(crate) fn excerpt(listing: &Listing) -> ListingExcerpt {
    let image = |(i, image): (usize, &touchstone_schemas::Image)| ImageExcerpt {
        index: i as u64,
        url: image.url.clone(),
        sha256: image.sha256.as_ref().map(ToString::to_string),
    };
    ListingExcerpt {
        platform: listing.platform.clone(),
        market: listing.market.clone(),
        listing_id: listing.listing_id.clone(),
        revision: listing.revision,
        url: listing.url.clone(),
        title: listing.title().to_owned(),
        description_excerpt: listing.description.as_ref().map(|d| d.chars().take(EXCERPT).collect()),
        brand: listing.brand.clone(),
        category: listing.category.clone(),
        condition: listing.condition,
        price: listing.price.clone(),
        seller: listing.seller.clone().unwrap_or_default(),
        images: listing.images.iter().take(MOST_IMAGES).enumerate().map(image).collect(),
    }
}
