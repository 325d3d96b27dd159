//! Seller cases: what joins sellers, and the cases that follow.

use crate::decode::record;
use crate::listing::{Id, SellerLink};
use crate::time::Timestamp;

record! {
    /// What may join a seller to another.
    pub struct Link {
        /// The platform.
        req platform: Id,
        /// The seller.
        req seller_id: Id,
        /// What it may be joined by.
        req link: SellerLink,
        /// The listing that showed it.
        req listing_id: Id,
        /// When.
        req at: Timestamp,
    }
}

record! {
    /// What several sellers of a case have in common.
    pub struct Join {
        /// What it is.
        req kind: String,
        /// An opaque hash of it.
        req key: String,
        /// The listings that show it.
        list listings: String,
    }
}

record! {
    /// Sellers that belong together.
    pub struct Case {
        /// Its id.
        req case_id: Id,
        /// The sellers.
        list sellers: String,
        /// What joins them.
        list joins: Join,
        /// How urgent it is; the highest first.
        req rank: f64,
        /// What became of it.
        list outcomes: String,
    }
}
