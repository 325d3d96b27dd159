//! The notice event: a rights holder reports a listing or a seller.

use crate::decode::{Decoder, Fault, FaultReason, record};
use crate::forms::{BrandId, Market};
use crate::listing::Id;
use crate::time::Timestamp;
use crate::verdict::{Giver, Proof};

record! {
    /// What is reported: a listing, or everything of a seller.
    pub struct NoticeTarget {
        /// The platform.
        req platform: Id,
        /// The market.
        req market: Market,
        /// The listing.
        opt listing_id: Id,
        /// The seller.
        opt seller_id: Id,
    } check Self::names_one_thing
}

impl NoticeTarget {
    fn names_one_thing(&self, decoder: &mut Decoder) -> Result<(), Fault> {
        if self.listing_id.is_some() == self.seller_id.is_some() {
            return Err(decoder.fault(FaultReason::WrongForm, "expected either listing_id or seller_id"));
        }
        Ok(())
    }
}

record! {
    /// A report by a rights holder or an agent.
    pub struct Notice {
        /// Its id.
        req notice_id: Id,
        /// The order that it came with.
        opt order_id: Id,
        /// The brand.
        req brand_id: BrandId,
        /// Who reports.
        req by: Giver,
        /// What is reported.
        req target: NoticeTarget,
        /// The rights holder's code for the reason.
        opt reason_code: String,
        /// What proves it.
        list proof: Proof,
        /// When.
        req at: Timestamp,
    }
}
