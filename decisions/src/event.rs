//! What a desk takes and what it gives.

use touchstone_schemas::{Appeal, Link, Notice, Receipt, Removal, Suspect, Timestamp, Verdict};

use crate::giver::Refusal;
use crate::guard::Cap;

/// An event about a listing. Boxed are the large ones.
#[derive(Debug, Clone)]
pub enum Event {
    /// The scanner's.
    Suspect(Box<Suspect>),
    /// A brand's, an agent's or a moderator's.
    Verdict(Box<Verdict>),
    /// A rights holder's or an agent's, of one listing.
    Notice(Box<Notice>),
    /// A seller's.
    Appeal(Appeal),
    /// The platform's.
    Receipt(Receipt),
}

impl Event {
    /// The event's own time.
    pub fn at(&self) -> &Timestamp {
        match self {
            Self::Suspect(suspect) => &suspect.occurred_at,
            Self::Verdict(verdict) => &verdict.at,
            Self::Notice(notice) => &notice.at,
            Self::Appeal(appeal) => &appeal.at,
            Self::Receipt(receipt) => &receipt.at,
        }
    }

    /// Whether a partition's time, by which answers are overdue and days begin, is that of the event: of listings alone. Brands do not move
    /// it, and it does not depend on which topic is read first.
    pub(crate) fn moves_time(&self) -> bool {
        matches!(self, Self::Suspect(_))
    }
}

/// What comes of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// An order, or its withdrawal.
    Removal(Box<Removal>),
    /// What may join the seller to another.
    Link(Box<Link>),
    /// The event cannot be used: it goes to the dead letters.
    Refused(Refusal),
    /// A removal was not ordered, since it went over a cap.
    Held(Cap),
}
