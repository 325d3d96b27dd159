//! Catalog rows and every event but the listing, as they come: each input as each kind.
#![no_main]

mod round_trip;

use libfuzzer_sys::fuzz_target;
use round_trip::round_trip;
use touchstone_schemas::{
    Appeal, AuthorisedSeller, Brand, Case, CategoryMapping, DeadLetter, Fx, KnownFake, Link, ListingState, Notice, Offender, Phrase,
    Product, Receipt, Removal, Retry, RightsHolder, SetVersion, Standing, Suspect, Verdict,
};

const KINDS: &[fn(&[u8])] = &[
    round_trip::<Appeal>,
    round_trip::<AuthorisedSeller>,
    round_trip::<Brand>,
    round_trip::<Case>,
    round_trip::<CategoryMapping>,
    round_trip::<DeadLetter>,
    round_trip::<Fx>,
    round_trip::<KnownFake>,
    round_trip::<Link>,
    round_trip::<ListingState>,
    round_trip::<Notice>,
    round_trip::<Offender>,
    round_trip::<Phrase>,
    round_trip::<Product>,
    round_trip::<Receipt>,
    round_trip::<Removal>,
    round_trip::<Retry>,
    round_trip::<RightsHolder>,
    round_trip::<SetVersion>,
    round_trip::<Standing>,
    round_trip::<Suspect>,
    round_trip::<Verdict>,
];

fuzz_target!(|bytes: &[u8]| {
    KINDS.iter().for_each(|kind| kind(bytes));
});
