//! Suspicions that a newer look at a listing finds no more: taken back, each with its reason.

use touchstone_schemas::{Id, Kind, Listing, Op, OpenSuspect, Reason, Suspect, SuspectOp, Timestamp, WithdrawnBecause};

use crate::image::Picture;
use crate::scanner::{Assessment, ENGINE_VERSION, Scanner, content_hash, excerpt, id, suspect_id};
use crate::score::thresholds;

/// Stands for a seller whom neither the event nor what is remembered names.
const NO_SELLER: &str = "unknown";

/// What becomes of suspicions that a look does not find again, each by brand id.
#[derive(Debug, Default, PartialEq)]
pub struct Remains {
    /// Events that take suspicions back.
    pub withdrawn: Vec<Suspect>,
    /// Suspicions that stand: nothing was changed but what no verdict depends on, and pictures may yet come.
    pub standing: Vec<OpenSuspect>,
}

impl Scanner {
    /// What becomes of the suspicions that were `open` before an event of the listing, given those that were `found` now.
    /// `pictures` are the listing's, as they were scanned.
    pub fn remains(
        &self,
        listing: &Listing,
        pictures: &[Picture],
        open: &[OpenSuspect],
        found: &[Suspect],
        detected_at: &Timestamp,
    ) -> Remains {
        let mut remains = Remains::default();
        let mut gone: Vec<&OpenSuspect> = open.iter().filter(|open| found.iter().all(|s| s.brand_id != open.brand_id)).collect();
        if gone.is_empty() {
            return remains;
        }
        gone.sort_by(|a, b| a.brand_id.cmp(&b.brand_id));
        let hash = content_hash(listing);
        let late = pictures.iter().any(|picture| picture.fingerprint.as_ref().is_err_and(|fault| fault.may_pass()));
        // Nothing is found of a listing that is gone.
        let assessments = self.assess(listing, pictures, detected_at);
        for open in gone {
            let because = self.because(listing, &hash, &assessments, open);
            // What knows less must not replace what knew more, as in a later pass.
            let waits = late && hash == open.content_hash && self.catalog().brand(open.brand_id.as_str()).is_some();
            if waits && !matches!(because, WithdrawnBecause::ListingRemoved | WithdrawnBecause::Authorised) {
                remains.standing.push(open.clone());
            } else {
                remains.withdrawn.push(self.withdrawal(listing, &hash, open, because, detected_at));
            }
        }
        remains
    }

    /// Why a suspicion is not found again. Where several things changed, the first of them that suffices.
    fn because(&self, listing: &Listing, hash: &str, assessments: &[Assessment], open: &OpenSuspect) -> WithdrawnBecause {
        let is_authorised = |a: &Assessment| {
            a.suspect.brand_id == open.brand_id && a.suspect.evidence.iter().any(|evidence| evidence.kind == Kind::Authorised)
        };
        let differs = |then: &Option<String>, now: &str| then.as_deref().is_some_and(|then| then != now);
        match () {
            () if listing.op == Op::Remove => WithdrawnBecause::ListingRemoved,
            () if assessments.iter().any(is_authorised) => WithdrawnBecause::Authorised,
            () if hash != open.content_hash => WithdrawnBecause::Edited,
            () if differs(&open.catalog_version, self.catalog().version()) => WithdrawnBecause::Catalog,
            () if differs(&open.policy_version, self.policy().version()) => WithdrawnBecause::Policy,
            // A price, or another field that the hash leaves out.
            () => WithdrawnBecause::Edited,
        }
    }

    /// The event that takes a suspicion back, with its last score and band.
    fn withdrawal(&self, listing: &Listing, hash: &str, open: &OpenSuspect, because: WithdrawnBecause, detected_at: &Timestamp) -> Suspect {
        let (catalog, policy) = (self.catalog(), self.policy());
        let brand_id = open.brand_id.as_str();
        let suspect_id = suspect_id(listing.platform.as_str(), listing.market.as_str(), listing.listing_id.as_str(), brand_id);
        let revision = listing.revision.to_string();
        let withdraw = SuspectOp::Withdraw.as_str();
        let detection_id = id(&[&suspect_id, &revision, "0", catalog.version(), policy.version(), ENGINE_VERSION, withdraw]);
        let mut listing_then = excerpt(listing);
        if listing.seller.is_none() {
            listing_then.seller.id = open.seller_id.clone().or_else(|| Id::new(NO_SELLER)).unwrap_or_default();
        }
        Suspect {
            suspect_id,
            detection_id,
            op: SuspectOp::Withdraw,
            withdrawn_because: Some(because),
            event_id: listing.event_id.clone(),
            occurred_at: listing.occurred_at.clone(),
            pass: 0,
            supersedes: Some(open.detection_id.clone()),
            // A listing that is gone has no content: a verdict holds for what it had.
            content_hash: if listing.op == Op::Remove { open.content_hash.clone() } else { hash.to_owned() },
            listing: listing_then,
            brand_id: open.brand_id.clone(),
            product_id: None,
            score: open.score,
            band: open.band,
            caps: Vec::new(),
            thresholds: thresholds(policy, catalog.brand(brand_id)),
            reason: open.reason.unwrap_or(Reason::Counterfeit),
            evidence: Vec::new(),
            images_seen: Vec::new(),
            catalog_version: catalog.version().to_owned(),
            policy_version: policy.version().to_owned(),
            engine_version: ENGINE_VERSION.to_owned(),
            detected_at: detected_at.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use touchstone_schemas::decode;

    use super::*;
    use crate::fixture::{SCANNER, listing};
    use crate::{Fingerprint, PictureFault};

    const FAKE: &str = "Nordvale shoes 1:1 mirror replica";

    fn at() -> Timestamp {
        Timestamp::from_unix_millis(0)
    }

    /// The suspicion of a listing by its first revision.
    fn opened(fields: Value) -> OpenSuspect {
        let suspect = SCANNER.scan(&listing(fields), &[], &at()).remove(0);
        OpenSuspect {
            brand_id: suspect.brand_id,
            detection_id: suspect.detection_id,
            score: suspect.score,
            band: suspect.band,
            content_hash: suspect.content_hash,
            reason: Some(suspect.reason),
            seller_id: Some(suspect.listing.seller.id),
            catalog_version: Some(suspect.catalog_version),
            policy_version: Some(suspect.policy_version),
        }
    }

    fn remains(fields: Value, pictures: &[Picture], open: &OpenSuspect) -> Remains {
        let now = listing(fields);
        let found = SCANNER.scan(&now, pictures, &at());
        SCANNER.remains(&now, pictures, std::slice::from_ref(open), &found, &at())
    }

    #[test]
    fn each_change_has_its_reason() {
        let open = opened(json!({"title": FAKE}));
        let same = OpenSuspect { content_hash: content_hash(&listing(json!({"title": "Nordvale shoes"}))), ..open.clone() };
        let old = |mut open: OpenSuspect, catalog: bool, policy: bool| {
            open.catalog_version = open.catalog_version.map(|v| if catalog { "another".to_owned() } else { v });
            open.policy_version = open.policy_version.map(|v| if policy { "another".to_owned() } else { v });
            open
        };
        let unknown = OpenSuspect { catalog_version: None, policy_version: None, ..same.clone() };
        let plain = json!({"title": "Nordvale shoes", "revision": 2});
        let by = |seller: &str| json!({"title": "Nordvale shoes", "revision": 2, "seller": {"id": seller}});
        for (fields, open, because) in [
            (json!({"title": FAKE, "revision": 2}), open.clone(), None),
            (plain.clone(), open.clone(), Some("edited")),
            (plain.clone(), old(open.clone(), true, true), Some("edited")),
            (plain.clone(), old(same.clone(), true, true), Some("catalog")),
            (plain.clone(), old(same.clone(), false, true), Some("policy")),
            (plain.clone(), same.clone(), Some("edited")),
            (plain, unknown, Some("edited")),
            (by("good"), open.clone(), Some("authorised")),
            (by("good"), old(same, true, false), Some("authorised")),
            (json!({"op": "remove", "revision": 2}), old(open, true, true), Some("listing_removed")),
        ] {
            let told = remains(fields.clone(), &[], &open);
            let reasons: Vec<_> = told.withdrawn.iter().filter_map(|s| s.withdrawn_because).map(WithdrawnBecause::as_str).collect();
            assert_eq!(reasons, because.into_iter().collect::<Vec<_>>(), "{fields}");
            assert_eq!(told.standing, []);
        }
    }

    #[test]
    fn what_is_taken_back_is_a_suspect_as_the_contract_has_it() {
        let open = opened(json!({"title": FAKE}));
        let bare = listing(json!({"op": "remove", "revision": 2}));
        let bare = Listing { seller: None, title: None, ..bare };
        let take = |open: &OpenSuspect| SCANNER.remains(&bare, &[], std::slice::from_ref(open), &[], &at()).withdrawn.remove(0);
        let event = take(&open);
        let text = serde_json::to_vec(&event).expect("JSON");
        let read = decode::<Suspect>(&text).unwrap_or_else(|fault| panic!("{fault}"));
        assert_eq!((read.faults, &read.value), (Vec::new(), &event));
        assert_eq!((event.op, event.score, event.band), (SuspectOp::Withdraw, open.score, open.band));
        assert_eq!((event.supersedes.as_deref(), &event.content_hash), (Some(open.detection_id.as_str()), &open.content_hash));
        assert_eq!((event.listing.seller.id.as_str(), event.listing.title.as_str(), event.listing.revision), ("s1", "", 2));
        let again = SCANNER.scan(&listing(json!({"title": FAKE, "revision": 2})), &[], &at()).remove(0);
        assert_eq!(event.suspect_id, again.suspect_id);
        assert_ne!(event.detection_id, again.detection_id, "the same revision may have found it");
        // As it was remembered by an older version.
        let old = take(&OpenSuspect { seller_id: None, reason: None, ..open });
        assert_eq!((old.listing.seller.id.as_str(), old.reason), (NO_SELLER, Reason::Counterfeit));
        assert!(decode::<Suspect>(&serde_json::to_vec(&old).expect("JSON")).is_ok());
    }

    #[test]
    fn a_picture_that_may_come_keeps_what_stands_while_the_content_is_the_same() {
        let pictured = |fault| [Picture { sha256: None, fingerprint: Err::<std::sync::Arc<Fingerprint>, _>(fault), pdq: None }];
        let plain = json!({"title": "Nordvale shoes", "revision": 2});
        let same = OpenSuspect { content_hash: content_hash(&listing(plain.clone())), ..opened(json!({"title": FAKE})) };
        let edited = OpenSuspect { content_hash: "another".to_owned(), ..same.clone() };
        let unknown = OpenSuspect { brand_id: touchstone_schemas::BrandId::new("nobody").expect("a brand"), ..same.clone() };
        let authorised = json!({"title": "Nordvale shoes", "revision": 2, "seller": {"id": "good"}});
        let from_good = OpenSuspect { content_hash: content_hash(&listing(authorised.clone())), ..same.clone() };
        for (fields, fault, open, stands) in [
            (&plain, PictureFault::Late, &same, true),
            (&plain, PictureFault::NotFetched("status"), &same, false),
            (&plain, PictureFault::Late, &edited, false),
            (&plain, PictureFault::Late, &unknown, false),
            (&authorised, PictureFault::Late, &from_good, false),
        ] {
            let told = remains(fields.clone(), &pictured(fault), open);
            assert_eq!((told.standing.len(), told.withdrawn.len()), (usize::from(stands), usize::from(!stands)), "{fault:?} {open:?}");
        }
    }
}
