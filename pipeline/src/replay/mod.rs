//! What another catalog or policy makes of listings of the past, and how that differs from what stands.

mod check;
mod difference;
mod range;
mod recorded;
mod source;
mod table;
mod tally;

use std::borrow::Cow;

use touchstone_detectors::Scanner;
use touchstone_schemas::Listing;

pub(crate) use check::{Became, Checked, check};
#[cfg(test)]
pub(crate) use difference::tests::suspect;
pub(crate) use difference::{Change, Difference, differences};
pub(crate) use range::Bound;
pub(crate) use recorded::{in_file, in_topic};
pub(crate) use source::{Event, of_files, of_topic};
pub(crate) use table::table;
pub(crate) use tally::{Tally, per_million};

/// A listing as a scanner takes it: without the prices that its exchange rates do not know.
pub(crate) fn as_taken<'a>(listing: &'a Listing, scanner: &Scanner) -> Cow<'a, Listing> {
    let priced = listing.price.is_some() || listing.list_price.is_some() || !listing.variants.is_empty();
    if !priced {
        return Cow::Borrowed(listing);
    }
    let mut own = listing.clone();
    // They were told when the listing was read, or are another scanner's.
    drop(scanner.drop_unknown_currencies(&mut own));
    Cow::Owned(own)
}
