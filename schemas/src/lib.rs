//! Every event of Touchstone as a type, one file an event.
//!
//! [`decode`] turns a JSON text into a type and says, with the JSON path, what is wrong with it:
//! a fault in a required field is an error, a fault in an optional field drops that field alone.
//! [`json_schema`] generates the JSON Schema of each type; the files under `schemas/json` are held
//! to it by a test.

mod appeal;
mod case;
mod catalog;
mod dead_letter;
mod decode;
mod docket;
mod evidence;
mod forms;
mod json_schema;
mod listing;
mod notice;
mod removal;
mod standing;
mod state;
mod strict;
mod suspect;
mod time;
mod verdict;

pub use appeal::{Appeal, AppealOutcome, Receipt, ReceiptOutcome};
pub use case::{Case, Join, JoinKey, JoinKind, Link};
pub use catalog::{
    Agent, AuthorisedSeller, Brand, CategoryMapping, Fingerprint, Fx, KnownFake, Offender, Phrase, PhraseKind, Product, ReferenceImage,
    ReferencePrice, RightsHolder, SetVersion, Thresholds, Trademark,
};
pub use dead_letter::DeadLetter;
pub use decode::{Decode, Decoded, Decoder, Fault, FaultReason, Schema, decode};
pub use docket::{CapCount, DeskState, Docket, Given, Life, Look, Matter, Ordered};
pub use evidence::{Basis, Detector, Evidence, Kind, MatchKind, Method, Span};
pub use forms::{Amount, BrandId, Currency, Market, PdqHex, Score, Sha256Hex, Weight};
pub use json_schema::{json_schema, names};
pub use listing::{Condition, Id, Image, LinkKind, Listing, Op, Price, Seller, SellerLink, Stats, Tier, Variant};
pub use notice::{Notice, NoticeTarget};
pub use removal::{Ground, Origin, Removal, RemovalOp};
pub use standing::{Failing, Shares, Standing};
pub use state::{ListingState, OpenSuspect, Retry};
pub use suspect::{Band, BandThresholds, Cap, ImageExcerpt, ImageSeen, ListingExcerpt, Reason, Suspect, SuspectOp, WithdrawnBecause};
pub use time::Timestamp;
pub use verdict::{Giver, GiverType, Proof, ProofType, Verdict, VerdictKind};
