//! What comes back on a removal: a seller's appeal, and the platform's receipt.

use crate::decode::{choice, record};
use crate::listing::Id;
use crate::time::Timestamp;

choice! {
    /// Where an appeal stands.
    pub enum AppealOutcome {
        /// The seller objects.
        Opened = "opened",
        /// The seller was right.
        Won = "won",
        /// The removal holds.
        Lost = "lost",
    }
}

record! {
    /// A seller's counter-notice.
    pub struct Appeal {
        /// Its id.
        req appeal_id: Id,
        /// The removal.
        req removal_id: Id,
        /// Where it stands.
        req outcome: AppealOutcome,
        /// When.
        req at: Timestamp,
    }
}

choice! {
    /// What the platform did.
    pub enum ReceiptOutcome {
        /// As told.
        Done = "done",
        /// Nothing: it would not.
        Refused = "refused",
        /// Nothing: there is no such listing.
        NotFound = "not_found",
    }
}

record! {
    /// What the platform did about a removal.
    pub struct Receipt {
        /// The removal.
        req removal_id: Id,
        /// What it did.
        req outcome: ReceiptOutcome,
        /// When.
        req at: Timestamp,
    }
}
