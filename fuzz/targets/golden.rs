//! The golden listing, which names a brand of the example catalog.

use std::sync::LazyLock;

use touchstone_schemas::{Listing, decode};

pub static LISTING: LazyLock<Listing> =
    LazyLock::new(|| decode(include_bytes!("../../schemas/golden/listing.json")).expect("a listing").value);
