//! Seller cases: what joins sellers, and the cases that follow.

use crate::decode::{choice, record};
use crate::forms::Market;
use crate::listing::Id;
use crate::time::Timestamp;

choice! {
    /// What two sellers may have in common.
    pub enum JoinKind {
        /// A payout account.
        Payout = "payout",
        /// A device.
        Device = "device",
        /// A phone number.
        Phone = "phone",
        /// An address.
        Address = "address",
        /// A tax number.
        Tax = "tax",
        /// The same picture.
        Picture = "picture",
        /// The same description.
        Description = "description",
        /// The same way to be reached, in a text.
        Contact = "contact",
    }
}

record! {
    /// Something that may join a seller to another.
    pub struct JoinKey {
        /// What it is.
        req kind: JoinKind,
        /// An opaque hash of it.
        req key: String,
    }
}

record! {
    /// What may join a seller to another.
    pub struct Link {
        /// The platform.
        req platform: Id,
        /// The seller.
        req seller_id: Id,
        /// What it may be joined by; nothing where the listing shows nothing of the kind.
        opt link: JoinKey,
        /// The market.
        opt market: Market,
        /// The listing that showed it.
        req listing_id: Id,
        /// The matter that the listing is suspected in.
        opt suspect_id: String,
        /// When.
        req at: Timestamp,
        /// What became of the seller outside the platform: a test purchase, a raid, a value that was seized. Then it joins nobody.
        opt outcome: String,
    }
}

record! {
    /// What several sellers of a case have in common.
    pub struct Join {
        /// What it is.
        req kind: JoinKind,
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
        /// The case that it was joined into: this one is no more.
        opt merged_into: Id,
        /// Listings that are suspected.
        opt listings: u64,
        /// Fakes that brands confirmed.
        opt confirmed: u64,
        /// Markets that it sells in.
        list markets: String,
    }
}
