//! What a worker remembers of a listing, and what it will look at again. Internal; the format is versioned.

use crate::decode::record;
use crate::forms::{BrandId, Score};
use crate::listing::{Id, Listing};
use crate::suspect::{Band, Reason};
use crate::time::Timestamp;

record! {
    /// A suspicion that stands.
    pub struct OpenSuspect {
        /// The brand.
        req brand_id: BrandId,
        /// The last detection.
        req detection_id: String,
        /// Its score.
        req score: Score,
        /// Its band.
        req band: Band,
        /// What a verdict would hold for.
        req content_hash: String,
        /// What is wrong.
        opt reason: Reason,
        /// Who sells: an event that removes the listing need not say it.
        opt seller_id: Id,
        /// The catalog that it was found with.
        opt catalog_version: String,
        /// The policy that it was found under.
        opt policy_version: String,
    }
}

record! {
    /// What is remembered of one listing.
    pub struct ListingState {
        /// Version of this format.
        req format: u64,
        /// The highest revision seen.
        req revision: u64,
        /// The offset of the event that brought it, in the partition of the same number; the same event again is not stale.
        opt offset: u64,
        /// When it was seen, by the event's time.
        req occurred_at: Timestamp,
        /// The suspicions that stand.
        list open: OpenSuspect,
    }
}

record! {
    /// A listing whose pictures were slow.
    pub struct Retry {
        /// The listing.
        req listing: Listing,
        /// Its next pass.
        req pass: u64,
        /// Not before.
        req due_at: Timestamp,
        /// The offset of the listing's event, in the partition of the same number.
        opt offset: u64,
        /// The pictures that were not there when it was judged last, by their index in the listing.
        list missing: u64,
        /// The suspicions that stand, which the next pass replaces.
        list open: OpenSuspect,
    }
}
