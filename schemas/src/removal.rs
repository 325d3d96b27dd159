//! The removal event: the order to take a listing down, or to put it back.

use crate::decode::{Decoder, Fault, FaultReason, choice, record};
use crate::forms::{BrandId, Market};
use crate::listing::Id;
use crate::suspect::Reason;
use crate::time::Timestamp;

choice! {
    /// What is ordered.
    pub enum RemovalOp {
        /// Take it down.
        Remove = "remove",
        /// Put it back.
        Withdraw = "withdraw",
    }
}

choice! {
    /// What led to it.
    pub enum Origin {
        /// The scanner.
        Proactive = "proactive",
        /// A brand's verdict.
        Verdict = "verdict",
        /// A rights holder's notice.
        Notice = "notice",
    }
}

choice! {
    /// What it rests on.
    pub enum Ground {
        /// The law.
        Illegal = "illegal",
        /// The platform's terms.
        Terms = "terms",
    }
}

record! {
    /// An order to take a listing down, or to put it back.
    pub struct Removal {
        /// Its id.
        req removal_id: Id,
        /// What is ordered.
        req op: RemovalOp,
        /// The suspect that led to it.
        opt suspect_id: Id,
        /// The notice that led to it.
        opt notice_id: Id,
        /// The platform.
        req platform: Id,
        /// The market.
        req market: Market,
        /// The listing.
        req listing_id: Id,
        /// The revision that was looked at.
        req revision: u64,
        /// The brand.
        req brand_id: BrandId,
        /// What led to it.
        req origin: Origin,
        /// What it rests on.
        req ground: Ground,
        /// What is wrong.
        req reason: Reason,
        /// The same in words for the seller.
        req statement: String,
        /// Only written down, and not to be carried out.
        flag shadow: bool,
        /// When.
        req at: Timestamp,
        /// The removal that this one takes back.
        opt reverses: Id,
    } check Self::has_a_cause
}

impl Removal {
    fn has_a_cause(&self, decoder: &mut Decoder) -> Result<(), Fault> {
        if self.suspect_id.is_some() == self.notice_id.is_some() {
            return Err(decoder.fault(FaultReason::WrongForm, "expected either suspect_id or notice_id"));
        }
        Ok(())
    }
}
