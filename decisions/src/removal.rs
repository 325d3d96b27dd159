//! Removals as events, and what they tell the seller.

use touchstone_detectors::id;
use touchstone_schemas::{Docket, Ground, Matter, Ordered, Origin, Reason, Removal, RemovalOp, Timestamp};

/// The ground of a removal: counterfeits and other people's marks are against the law, the rest is against the platform's terms.
fn ground(reason: Reason) -> Ground {
    match reason {
        Reason::Counterfeit | Reason::TrademarkMisuse => Ground::Illegal,
        Reason::ImageMisuse | Reason::GreyMarket => Ground::Terms,
    }
}

/// What is wrong with a listing: what the scanner says, or, where only people spoke of it, that it is counterfeit.
pub(crate) fn reason(matter: &Matter) -> Reason {
    matter.look.as_ref().map_or(Reason::Counterfeit, |look| look.reason)
}

/// A removal as it is ordered next.
pub(crate) fn order(matter: &Matter, origin: Origin, notice_id: Option<touchstone_schemas::Id>, shadow: bool, at: &Timestamp) -> Ordered {
    let content = matter.look.as_ref().map_or("", |look| look.content_hash.as_str());
    let removal_id = id(&["removal", &matter.suspect_id, content, &matter.removals.to_string()]);
    let revision = matter.look.as_ref().map_or(0, |look| look.revision);
    Ordered { removal_id, origin, notice_id, shadow, at: at.clone(), revision, reason: reason(matter) }
}

/// The event that orders a removal.
pub(crate) fn removal(docket: &Docket, matter: &Matter, ordered: &Ordered, brand: &str) -> Removal {
    event(docket, matter, ordered, RemovalOp::Remove, statement(docket, matter, ordered, brand), &ordered.at)
}

/// The event that takes a removal back.
pub(crate) fn withdrawal(docket: &Docket, matter: &Matter, ordered: &Ordered, why: &str, at: &Timestamp) -> Removal {
    let statement = format!("The removal of listing {} is withdrawn: {why}. The listing may be shown again.", docket.listing_id);
    let removal_id = id(&["withdrawal", &ordered.removal_id]);
    Removal {
        removal_id: named(&removal_id),
        reverses: Some(named(&ordered.removal_id)),
        ..event(docket, matter, ordered, RemovalOp::Withdraw, statement, at)
    }
}

fn event(docket: &Docket, matter: &Matter, ordered: &Ordered, op: RemovalOp, statement: String, at: &Timestamp) -> Removal {
    Removal {
        removal_id: named(&ordered.removal_id),
        op,
        // Either the one or the other, as the contract has it.
        suspect_id: ordered.notice_id.is_none().then(|| named(&matter.suspect_id)),
        notice_id: ordered.notice_id.clone(),
        platform: docket.platform.clone(),
        market: docket.market.clone(),
        listing_id: docket.listing_id.clone(),
        revision: ordered.revision,
        brand_id: matter.brand_id.clone(),
        origin: ordered.origin,
        ground: ground(ordered.reason),
        reason: ordered.reason,
        statement,
        shadow: ordered.shadow,
        at: at.clone(),
        reverses: None,
    }
}

/// An id that this program made: never empty.
fn named(id: &str) -> touchstone_schemas::Id {
    touchstone_schemas::Id::new(id).unwrap_or_default()
}

/// What a seller is told, in the parts of a statement of reasons (Regulation (EU) 2022/2065, article 17): the decision, the facts, whether
/// a program found or decided it, the ground, and what can be done about it.
fn statement(docket: &Docket, matter: &Matter, ordered: &Ordered, brand: &str) -> String {
    let facts = match reason(matter) {
        Reason::Counterfeit => format!("The goods offered are taken for copies of goods of {brand}."),
        Reason::TrademarkMisuse => format!("The name of {brand} is used for goods that are not of {brand}."),
        Reason::ImageMisuse => format!("Pictures of {brand} are used without its consent."),
        Reason::GreyMarket => format!("Goods of {brand} are offered in a market that they were not made for."),
    };
    let found = match (ordered.origin, matter.look.is_some()) {
        (Origin::Proactive, _) => "A program found the listing and ordered the removal; no person looked at it before.".to_owned(),
        (Origin::Verdict, _) => {
            format!("A program found the listing; {brand} or somebody who acts for it, or a moderator, looked at it and confirmed.")
        }
        (Origin::Notice, true) => format!("{brand} or somebody who acts for it reported the listing; a program had found it, too."),
        (Origin::Notice, false) => format!("{brand} or somebody who acts for it reported the listing."),
    };
    let ground = match ground(reason(matter)) {
        Ground::Illegal => "The ground is the law on trade marks, by which such goods may not be offered.",
        Ground::Terms => "The ground is the platform's terms, which do not allow it.",
    };
    format!(
        "Listing {} on {} in {} is taken down everywhere it is shown. {facts} {found} {ground} You may object to this decision to the platform, \
         which looks at it again; naming this removal, {}, and adding what shows that the goods are genuine helps.",
        docket.listing_id, docket.platform, docket.market, ordered.removal_id
    )
}
