//! What the deciding worker keeps of a listing: its matters. Internal; the format is versioned.

use crate::catalog::Fingerprint;
use crate::decode::{choice, record};
use crate::evidence::Kind;
use crate::forms::{BrandId, Market, Score};
use crate::listing::Id;
use crate::removal::Origin;
use crate::suspect::{Band, Reason, WithdrawnBecause};
use crate::time::Timestamp;
use crate::verdict::{Giver, VerdictKind};

choice! {
    /// Where a matter stands.
    pub enum Life {
        /// Found, and nobody is asked.
        Suspected = "suspected",
        /// The brand is asked.
        Asked = "asked",
        /// Somebody says it is counterfeit, and that did not suffice.
        Reported = "reported",
        /// A removal was ordered.
        Removed = "removed",
        /// The seller objects.
        Countered = "countered",
        /// The objection was lost.
        Upheld = "upheld",
        /// The removal was taken back.
        Reinstated = "reinstated",
        /// The brand says it is genuine, or of another market.
        Rejected = "rejected",
        /// Nobody answered in time.
        Expired = "expired",
        /// The suspicion was taken back.
        Withdrawn = "withdrawn",
    }
}

record! {
    /// The scanner's last look at a matter.
    pub struct Look {
        /// The detection.
        req detection_id: String,
        /// The listing's revision.
        req revision: u64,
        /// When this content was seen first.
        req first_at: Timestamp,
        /// When it was seen last.
        req at: Timestamp,
        /// What a verdict holds for.
        req content_hash: String,
        /// The score.
        req score: Score,
        /// The band.
        req band: Band,
        /// What is wrong.
        req reason: Reason,
        /// The kind of the weightiest finding.
        opt rule: Kind,
        /// The goods are of a class that the brand does not make.
        flag outside: bool,
        /// The reference picture that was found.
        opt reference: String,
        /// What the pictures were reduced to.
        list pictures: Fingerprint,
    }
}

record! {
    /// What somebody said of a matter.
    pub struct Given {
        /// The verdict, or the notice.
        req id: Id,
        /// It is a notice.
        flag notice: bool,
        /// What was said.
        req verdict: VerdictKind,
        /// Who said it.
        req by: Giver,
        /// When.
        req at: Timestamp,
        /// The verdict that it replaces.
        opt supersedes: String,
        /// A proof was attached.
        flag proven: bool,
    }
}

record! {
    /// A removal that was ordered.
    pub struct Ordered {
        /// Its id.
        req removal_id: String,
        /// What led to it.
        req origin: Origin,
        /// The notice that led to it.
        opt notice_id: Id,
        /// Only written down.
        flag shadow: bool,
        /// When.
        req at: Timestamp,
        /// The revision that was looked at.
        req revision: u64,
        /// What was wrong.
        req reason: Reason,
    }
}

record! {
    /// What stands between one brand and one listing.
    pub struct Matter {
        /// The matter's id.
        req suspect_id: String,
        /// The brand.
        req brand_id: BrandId,
        /// Where it stands.
        req life: Life,
        /// Since when.
        req since: Timestamp,
        /// When the answer is due, while it is asked.
        opt due_at: Timestamp,
        /// Why it was withdrawn.
        opt because: WithdrawnBecause,
        /// The last look; nothing while only people spoke of it.
        opt look: Look,
        /// What was said of the content that stands, the latest last; before any look, what waits for one.
        list given: Given,
        /// The verdict that holds, by its place in `given`.
        opt holds: u64,
        /// The removal that stands.
        opt removal: Ordered,
        /// How often it was removed.
        req removals: u64,
        /// The removals and withdrawals that were written last, the latest last.
        list orders: String,
        /// The platform refused the removal: the scanner alone does not order it again.
        flag refused: bool,
        /// The seller's objection was right: only a moderator has it removed again.
        flag cleared: bool,
    }
}

record! {
    /// Removals of a day that count towards a cap.
    pub struct CapCount {
        /// The cap: brand, rule or reference.
        req cap: String,
        /// Of which one.
        req key: String,
        /// How many.
        req count: u64,
    }
}

record! {
    /// What the deciding worker keeps of a partition as a whole.
    pub struct DeskState {
        /// Version of this format.
        req format: u64,
        /// The latest time of suspects.
        req latest: Timestamp,
        /// The day, in days since 1970, that removals are counted of.
        req day: u64,
        /// How many there were.
        list counts: CapCount,
    }
}

record! {
    /// The matters of one listing.
    pub struct Docket {
        /// Version of this format.
        req format: u64,
        /// The platform.
        req platform: Id,
        /// The market.
        req market: Market,
        /// The listing.
        req listing_id: Id,
        /// The time of the last event that changed it.
        req at: Timestamp,
        /// The matters, by brand.
        list matters: Matter,
    }
}
