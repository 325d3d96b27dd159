//! The records that belong to a case.

use std::collections::BTreeSet;

use touchstone_decisions::cases::{listing_key, seller_key};
use touchstone_schemas::{Appeal, Case, Decode, Decoded, Fault, Link, Notice, Receipt, Removal, Suspect, Timestamp, Verdict, decode};

use super::Unread;
use crate::archive::{Archive, Entry};
use crate::failure::Failure;

/// In the order in which they are read: links tell the listings, and removals what appeals and receipts are of.
const TOPICS: [&str; 7] = ["links", "suspects", "verdicts", "notices", "removals", "appeals", "receipts"];
/// Most records, and bytes of records, of a case: they are sorted in memory.
const MOST: usize = 1_000_000;
const MOST_BYTES: usize = 2 << 30;

/// A record that belongs to the case; sorted by time, topic, id and what it says.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    at: Timestamp,
    pub(super) topic: &'static str,
    id: String,
    pub(super) record: String,
}

/// Every record of the case's listings and sellers, each once, sorted.
pub(super) fn gather(archive: &Archive, case: &Case) -> Result<Vec<Found>, Failure> {
    let mut gathering = Gathering::new(case);
    archive.read(&TOPICS, |topic, entry| gathering.take(topic, &entry))?;
    gathering.unread.tell();
    if gathering.is_full() {
        return Err(Failure::Run(anyhow::anyhow!(
            "case {} has more than {MOST} records or {MOST_BYTES} bytes of them: nothing is written, since part of them would be no evidence",
            case.case_id
        )));
    }
    let mut found = gathering.found;
    found.sort();
    // Delivered twice where delivery is at least once.
    found.dedup();
    Ok(found)
}

struct Gathering<'a> {
    sellers: BTreeSet<&'a str>,
    listings: BTreeSet<String>,
    removals: BTreeSet<String>,
    found: Vec<Found>,
    bytes: usize,
    unread: Unread,
}

/// When a record is from, and its id; nothing for one of others.
type Belongs = Option<(Timestamp, String)>;

impl<'a> Gathering<'a> {
    fn new(case: &'a Case) -> Self {
        Self {
            sellers: case.sellers.iter().map(String::as_str).collect(),
            // What the case tells itself holds where links have passed.
            listings: case.joins.iter().flat_map(|join| &join.listings).cloned().collect(),
            removals: BTreeSet::new(),
            found: Vec::new(),
            bytes: 0,
            unread: Unread::default(),
        }
    }

    fn is_full(&self) -> bool {
        self.found.len() > MOST || self.bytes > MOST_BYTES
    }

    fn take(&mut self, topic: &str, entry: &Entry) {
        let Some(topic) = TOPICS.into_iter().find(|known| *known == topic) else { return };
        if self.is_full() || entry.payload.is_empty() {
            return;
        }
        let belongs = match topic {
            "links" => self.judge(entry, Self::link),
            "suspects" => self.judge(entry, Self::suspect),
            "verdicts" => self.judge(entry, Self::verdict),
            "notices" => self.judge(entry, Self::notice),
            "removals" => self.judge(entry, Self::removal),
            "appeals" => self.judge(entry, |s, a: &Appeal| s.of_removal(a.removal_id.as_str(), &a.at, a.appeal_id.as_str())),
            _ => self.judge(entry, |s, r: &Receipt| s.of_removal(r.removal_id.as_str(), &r.at, r.removal_id.as_str())),
        };
        match belongs {
            Ok(Some((at, id))) => {
                // What was decoded is UTF-8.
                let record = String::from_utf8_lossy(&entry.payload).into_owned();
                self.bytes += record.len();
                self.found.push(Found { at, topic, id, record });
            }
            Ok(None) => {}
            Err(fault) => self.unread.add(entry, &fault),
        }
    }

    fn judge<T: Decode>(&mut self, entry: &Entry, belongs: impl FnOnce(&mut Self, &T) -> Belongs) -> Result<Belongs, Fault> {
        decode(&entry.payload).map(|Decoded { value, .. }| belongs(self, &value))
    }

    fn link(&mut self, link: &Link) -> Belongs {
        if !self.sellers.contains(seller_key(link).as_str()) {
            return None;
        }
        self.listings.insert(listing_key(link));
        let key = link.link.as_ref().map(|link| format!("{} {}", link.kind.as_str(), link.key));
        Some((link.at.clone(), format!("{} {}", listing_key(link), key.unwrap_or_default())))
    }

    fn suspect(&mut self, suspect: &Suspect) -> Belongs {
        let listing = &suspect.listing;
        let key = format!("{}:{}:{}", listing.platform, listing.market, listing.listing_id);
        self.listings.contains(&key).then(|| (suspect.occurred_at.clone(), suspect.detection_id.clone()))
    }

    fn verdict(&mut self, verdict: &Verdict) -> Belongs {
        let key = format!("{}:{}:{}", verdict.platform, verdict.market, verdict.listing_id);
        self.listings.contains(&key).then(|| (verdict.at.clone(), verdict.verdict_id.to_string()))
    }

    fn notice(&mut self, notice: &Notice) -> Belongs {
        let target = &notice.target;
        let listing = target.listing_id.as_ref().map(|id| format!("{}:{}:{id}", target.platform, target.market));
        let seller = target.seller_id.as_ref().map(|id| format!("{}:{id}", target.platform));
        let belongs =
            listing.is_some_and(|key| self.listings.contains(&key)) || seller.is_some_and(|key| self.sellers.contains(key.as_str()));
        belongs.then(|| (notice.at.clone(), notice.notice_id.to_string()))
    }

    fn removal(&mut self, removal: &Removal) -> Belongs {
        let key = format!("{}:{}:{}", removal.platform, removal.market, removal.listing_id);
        if !self.listings.contains(&key) {
            return None;
        }
        self.removals.insert(removal.removal_id.to_string());
        Some((removal.at.clone(), removal.removal_id.to_string()))
    }

    fn of_removal(&self, removal_id: &str, at: &Timestamp, id: &str) -> Belongs {
        self.removals.contains(removal_id).then(|| (at.clone(), id.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn golden(text: &str, change: &Value) -> Entry {
        let mut event: Value = serde_json::from_str(text).expect("JSON");
        for (key, value) in change.as_object().into_iter().flatten() {
            event[key] = value.clone();
        }
        Entry { payload: event.to_string().into_bytes(), ..Entry::default() }
    }

    #[test]
    fn takes_what_belongs_to_the_listings_of_the_sellers_and_nothing_else() {
        let case = json!({"case_id": "case-1", "sellers": ["bazaar:s-80421"], "rank": 1});
        let case = decode::<Case>(case.to_string().as_bytes()).expect("a case").value;
        let mut all = Gathering::new(&case);
        let listing = json!({"platform": "bazaar", "market": "ID", "listing_id": "7300451"});
        let other = json!({"platform": "bazaar", "market": "ID", "listing_id": "other"});
        let with = |base: &Value, more: Value| {
            let mut all = base.clone();
            more.as_object().into_iter().flatten().for_each(|(k, v)| all[k] = v.clone());
            all
        };
        let link = include_str!("../../../../schemas/golden/link.json");
        let removal = include_str!("../../../../schemas/golden/removal.json");
        let appeal = include_str!("../../../../schemas/golden/appeal.json");
        let receipt = include_str!("../../../../schemas/golden/receipt.json");
        let notice = include_str!("../../../../schemas/golden/notice.json");
        let verdict = include_str!("../../../../schemas/golden/verdict.json");
        for (topic, text, change, belongs) in [
            ("links", link, json!({"seller_id": "s-1", "listing_id": "other", "market": "ID"}), false),
            ("links", link, json!({"market": "ID"}), true),
            ("suspects", include_str!("../../../../schemas/golden/suspect.json"), json!({}), true),
            ("verdicts", verdict, listing.clone(), true),
            ("verdicts", verdict, other.clone(), false),
            ("notices", notice, json!({"target": listing}), true),
            ("notices", notice, json!({"target": {"platform": "bazaar", "market": "VN", "seller_id": "s-80421"}}), true),
            ("notices", notice, json!({"target": other}), false),
            ("removals", removal, with(&listing, json!({"removal_id": "r-1"})), true),
            ("removals", removal, with(&other, json!({"removal_id": "r-2"})), false),
            ("appeals", appeal, json!({"removal_id": "r-1"}), true),
            ("appeals", appeal, json!({"removal_id": "r-2"}), false),
            ("receipts", receipt, json!({"removal_id": "r-1"}), true),
            ("receipts", receipt, json!({"removal_id": "r-2"}), false),
            ("cases", link, json!({}), false),
        ] {
            let before = all.found.len();
            all.take(topic, &golden(text, &change));
            assert_eq!(all.found.len() - before, usize::from(belongs), "{topic} {change}");
        }
        all.take("verdicts", &Entry { payload: b"{".to_vec(), ..Entry::default() });
        assert_eq!(all.unread.count, 1);
    }
}
