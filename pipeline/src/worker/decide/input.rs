//! What the deciding worker takes: records of six topics, as events in order of their time.

use std::collections::VecDeque;

use touchstone_decisions::Event;
use touchstone_schemas::{Appeal, Decode, Fault, Market, Notice, Receipt, Suspect, Verdict, decode};

use super::super::taken::Taken;

/// A topic that it takes from. Of events of the same time those of an earlier topic come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Topic {
    State,
    Suspects,
    Receipts,
    Verdicts,
    Notices,
    Appeals,
}

impl Topic {
    pub(super) const ALL: [Self; 6] = [Self::State, Self::Suspects, Self::Receipts, Self::Verdicts, Self::Notices, Self::Appeals];

    /// Its name without the prefix.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Suspects => "suspects",
            Self::Receipts => "receipts",
            Self::Verdicts => "verdicts",
            Self::Notices => "notices",
            Self::Appeals => "appeals",
        }
    }

    /// The name of its records' schema.
    pub(super) fn schema(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Suspects => "suspect",
            Self::Receipts => "receipt",
            Self::Verdicts => "verdict",
            Self::Notices => "notice",
            Self::Appeals => "appeal",
        }
    }
}

/// A record as it was taken.
pub(super) struct Input {
    pub(super) topic: Topic,
    pub(super) taken: Taken,
}

/// What a record says.
pub(super) enum Read {
    /// An event of the listing with that key.
    Event { key: String, event: Event },
    /// The scanner has seen a listing, or nothing that concerns decisions.
    Seen,
    /// A notice against a seller: the register turns it into notices against listings.
    OfSeller,
}

impl Input {
    /// Reads the record.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(&self) -> Result<Read, Fault> {
        let key = || self.taken.key.as_deref().map(String::from_utf8_lossy).unwrap_or_default().into_owned();
        let event = |key, event| Ok(Read::Event { key, event });
        match self.topic {
            Topic::State => Ok(Read::Seen),
            Topic::Suspects => {
                let suspect: Box<Suspect> = self.decode()?;
                event(key_of(&suspect.listing.platform, &suspect.listing.market, &suspect.listing.listing_id), Event::Suspect(suspect))
            }
            Topic::Verdicts => {
                let verdict: Box<Verdict> = self.decode()?;
                event(key_of(&verdict.platform, &verdict.market, &verdict.listing_id), Event::Verdict(verdict))
            }
            Topic::Notices => {
                let notice: Box<Notice> = self.decode()?;
                match &notice.target.listing_id {
                    Some(listing) => event(key_of(&notice.target.platform, &notice.target.market, listing), Event::Notice(notice)),
                    None => Ok(Read::OfSeller),
                }
            }
            Topic::Receipts => event(key(), Event::Receipt(*self.decode::<Receipt>()?)),
            Topic::Appeals => event(key(), Event::Appeal(*self.decode::<Appeal>()?)),
        }
    }

    fn decode<T: Decode>(&self) -> Result<Box<T>, Fault> {
        decode(&self.taken.payload).map(|decoded| Box::new(decoded.value))
    }
}

/// The key of all records about a listing.
fn key_of(platform: &touchstone_schemas::Id, market: &Market, listing: &touchstone_schemas::Id) -> String {
    format!("{platform}:{market}:{listing}")
}

/// Puts what was taken of several topics into one order: of the next record of each topic the one whose event is the earliest. Each topic
/// keeps its own order.
pub(super) fn in_order(inputs: Vec<Input>) -> Vec<(Input, Result<Read, Fault>)> {
    let mut topics: [VecDeque<(Input, Result<Read, Fault>)>; Topic::ALL.len()] = Default::default();
    let count = inputs.len();
    for input in inputs {
        let read = input.read();
        topics[input.topic as usize].push_back((input, read));
    }
    let mut ordered = Vec::with_capacity(count);
    loop {
        // What has no time is not waited for.
        let time = |queue: &VecDeque<(Input, Result<Read, Fault>)>| match queue.front() {
            Some((_, Ok(Read::Event { event, .. }))) => Some(event.at().unix_millis()),
            _ => None,
        };
        let next = (0..topics.len()).filter(|i| !topics[*i].is_empty()).min_by_key(|i| time(&topics[*i]));
        match next.and_then(|i| topics[i].pop_front()) {
            Some(first) => ordered.push(first),
            None => return ordered,
        }
    }
}
