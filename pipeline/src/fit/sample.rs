//! The labelled listings that a policy is fitted on.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};
use touchstone_detectors::Picture;
use touchstone_schemas::Listing;

use crate::eval::{Label, Truth};

/// A labelled listing that names a brand or shows a known picture.
pub(crate) struct Case {
    pub(crate) listing: Listing,
    pub(crate) pictures: Vec<Picture>,
    pub(crate) label: Label,
}

impl Case {
    pub(crate) fn suspect(&self) -> bool {
        self.label.label == Truth::Suspect
    }

    /// The fold it belongs to: listings of one title go together.
    pub(crate) fn fold(&self, folds: u64) -> u64 {
        let title: String = self.listing.title().split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        let hash = Sha256::digest(title.as_bytes());
        hash[..8].iter().fold(0_u64, |n, byte| (n << 8) | u64::from(*byte)) % folds
    }
}

/// All labelled listings. Those that touch no brand are counted alone: no policy makes them suspect.
#[derive(Default)]
pub(crate) struct Sample {
    pub(crate) cases: Vec<Case>,
    /// Suspects and clean listings of each source, those that touch no brand too.
    pub(crate) sources: BTreeMap<String, (usize, usize)>,
}

impl Sample {
    pub(crate) fn count(&mut self, label: &Label) {
        let (suspects, clean) = self.sources.entry(label.source.clone()).or_default();
        *(if label.label == Truth::Suspect { suspects } else { clean }) += 1;
    }

    /// Suspects and clean listings of all sources but some.
    pub(crate) fn size_without(&self, left_out: impl Fn(&str, bool) -> bool) -> (usize, usize) {
        let of = |suspect: bool| {
            let kept = self.sources.iter().filter(|(source, _)| !left_out(source, suspect));
            kept.map(|(_, (suspects, clean))| if suspect { *suspects } else { *clean }).sum()
        };
        (of(true), of(false))
    }

    /// Sources with suspects, or with clean listings.
    pub(crate) fn sources_of(&self, suspect: bool) -> BTreeSet<&str> {
        let has = |(suspects, clean): &(usize, usize)| if suspect { *suspects > 0 } else { *clean > 0 };
        self.sources.iter().filter(|(_, sizes)| has(sizes)).map(|(source, _)| source.as_str()).collect()
    }
}
