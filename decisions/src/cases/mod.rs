//! Seller cases: sellers of suspected listings that have something in common.
//!
//! `links` tells what a suspect shows, `Cases` what follows from all links, `bundle` keeps evidence that shows when it was changed,
//! `suggest` says which test purchase would teach most.

mod board;
pub mod bundle;
mod contact;
mod graph;
mod links;
mod rank;
pub mod suggest;

use touchstone_schemas::{Case, JoinKind, Link};

pub use board::Cases;
pub use links::links;

/// Most sellers that something may join: what more of them have says nothing of any.
fn most_sellers(kind: JoinKind) -> usize {
    match kind {
        // Sellers take pictures and words from each other, and all from the brand.
        JoinKind::Picture | JoinKind::Description => 8,
        _ => 50,
    }
}

/// The seller of a link: `platform:seller_id`.
pub fn seller_key(link: &Link) -> String {
    format!("{}:{}", link.platform, link.seller_id)
}

/// The listing of a link: `platform:market:listing_id`.
pub fn listing_key(link: &Link) -> String {
    let market = link.market.as_ref().map_or("ZZ", |market| market.as_str());
    format!("{}:{market}:{}", link.platform, link.listing_id)
}

/// Whether a case stands: it is neither merged into another nor without sellers.
pub fn is_live(case: &Case) -> bool {
    case.merged_into.is_none() && !case.sellers.is_empty()
}

/// What sellers have in common, in words.
pub fn in_words(kind: JoinKind) -> &'static str {
    match kind {
        JoinKind::Payout => "paid out to the same account",
        JoinKind::Device => "used from the same device",
        JoinKind::Phone => "registered with the same phone number",
        JoinKind::Address => "registered with the same address",
        JoinKind::Tax => "registered with the same tax number",
        JoinKind::Picture => "show the same picture, byte for byte",
        JoinKind::Description => "begin their descriptions with the same words",
        JoinKind::Contact => "name the same contact in a text",
    }
}
