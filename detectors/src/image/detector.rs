//! Picture evidence: the brand's own picture, or that of a known fake. A picture alone only says that it is used: honest
//! resellers use it too.

use touchstone_schemas::{Detector as Name, Evidence, Kind, Score, Weight};

use super::ReferenceKind;
use crate::detector::Detector;
use crate::matter::Matter;

/// References named for one kind of evidence.
const MOST: usize = 8;

/// Finds pictures of the catalog.
pub(crate) struct ImageDetector;

impl Detector for ImageDetector {
    fn name(&self) -> Name {
        Name::Image
    }

    fn detect(&self, matter: &Matter<'_>) -> Vec<Evidence> {
        let weights = &matter.policy.weights.image;
        let mut found = Vec::new();
        for (of, kind, weight) in [
            (ReferenceKind::Fake, Kind::KnownFake, weights.known_fake),
            (ReferenceKind::Genuine, Kind::ReferenceCopy, weights.reference_copy),
        ] {
            let hits = matter.pictures.iter().filter(|hit| matter.catalog.picture(hit.reference).kind == of);
            found.extend(hits.take(MOST).map(|hit| {
                let reference = matter.catalog.picture(hit.reference);
                let mut evidence = Evidence::new(Name::Image, kind, Weight::from_f64(weight));
                evidence.image_index = Some(hit.image as u64);
                evidence.reference = Some(reference.name.clone());
                evidence.reference_url = reference.url.clone();
                evidence.product_id = reference.product.map(|p| matter.catalog.snapshot.products[p].row.product_id.to_string());
                evidence.method = Some(hit.method);
                evidence.distance = hit.hash_distance().map(u64::from);
                evidence.bits = hit.hash_distance().map(|_| u64::from(hit.bits));
                evidence.inliers = hit.inliers.map(u64::from);
                evidence.view = Some(hit.view.clone());
                evidence.r#box = hit.place.iter().map(|v| Score::from_f64(*v)).collect();
                evidence
            }));
        }
        found
    }
}
