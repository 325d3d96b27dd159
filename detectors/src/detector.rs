//! What a detector is, and the detectors in the order in which their evidence is shown.

use touchstone_schemas::{Detector as Name, Evidence};

use crate::context::ContextDetector;
use crate::matter::Matter;
use crate::price::PriceDetector;
use crate::seller::SellerDetector;
use crate::text::TextDetector;

/// Looks at one matter and says what it finds. The same matter gives the same findings, in the same order; no input
/// makes it panic; weights are finite; spans name their own text.
pub(crate) trait Detector: Sync {
    /// Its name in evidence and metrics.
    fn name(&self) -> Name;

    /// What it finds.
    fn detect(&self, matter: &Matter<'_>) -> Vec<Evidence>;
}

/// All detectors.
pub(crate) static DETECTORS: [&dyn Detector; 4] = [&TextDetector, &PriceDetector, &SellerDetector, &ContextDetector];
