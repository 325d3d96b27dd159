//! What makes a marketplace listing suspect: catalog, text, price, seller, context, score.
//!
//! Pure: no I/O but reading the catalog, no async, no Kafka, no clock. The same listing, catalog and policy give the same
//! result on any machine and in any thread.
//!
//! ```no_run
//! use std::path::Path;
//! use std::sync::Arc;
//! use touchstone_detectors::{Catalog, Policy, Scanner};
//! use touchstone_schemas::{Listing, Timestamp, decode};
//!
//! let (catalog, _warnings) = Catalog::load(Path::new("examples/catalog")).expect("a catalog without faults");
//! let scanner = Scanner::new(Arc::new(catalog), Policy::shipped());
//! let listing = decode::<Listing>(br#"{"event_id": "1"}"#).expect("a listing").value;
//! for suspect in scanner.scan(&listing, &[], &Timestamp::from_unix_millis(0)) {
//!     println!("{} {}", suspect.brand_id, suspect.score.to_f64());
//! }
//! ```

#[cfg(test)]
mod cases;
mod catalog;
mod context;
mod detector;
#[cfg(test)]
mod fixture;
mod goods;
mod image;
mod matter;
mod policy;
mod price;
mod product;
mod scanner;
mod score;
mod seller;
mod text;
mod withdrawal;

pub use catalog::{Catalog, CatalogFault, Class, Classes, Counts, OVERLAY_KINDS, Rates, Row, Rows, VERSION_KEY, nearest, open};
pub use image::{
    ALGORITHM, Fingerprint, Hash192, HashSearch, MAX_BYTES as MAX_PICTURE_BYTES, Pdq, Picture, PictureFault, PictureMatch, blocks, pdq,
    thumbnail,
};
pub use policy::{AskedBand, Asks, Burden, Learning, Mode, Notices, Policy, Removals, StandingRules, TierRule};
pub use scanner::{Assessment, DETECTOR_NAMES, ENGINE_VERSION, ProductMatch, Scanner, id, in_pass, suspect_id};
pub use score::probability;
pub use withdrawal::Remains;

/// Hash of bytes for tables in memory (Fowler, Noll and Vo, 1a, 64 bits).
fn fnv(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
