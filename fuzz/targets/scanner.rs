//! A scanner of a catalog folder of the project.

use std::path::Path;
use std::sync::Arc;

use touchstone_detectors::{Catalog, Policy, Scanner};

pub fn scanner(folder: &str) -> Scanner {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
    let (catalog, _warnings) = Catalog::load(&folder).unwrap_or_else(|faults| panic!("{faults:?}"));
    Scanner::new(Arc::new(catalog), Policy::shipped())
}
