//! What a suspect shows that may join its seller to others.

use sha2::{Digest, Sha256};
use touchstone_detectors::hex;
use touchstone_schemas::{Evidence, JoinKey, JoinKind, Kind, Link, LinkKind, Span, Suspect, SuspectOp};

use super::contact::contacts;

/// Most links of a suspect.
const MOST: usize = 64;
/// Most pictures among them.
const MOST_PICTURES: usize = 32;
/// Fewest characters of a description: shorter ones are the same by chance.
const FEWEST: usize = 60;
/// Bytes behind a wish to deal elsewhere that are searched for a contact.
const NEAR: usize = 64;

/// What may join the seller of a suspect to others, sorted, each once, 64 at most; a link with nothing where it shows nothing, so that
/// the listing is known. None of a suspicion that is taken back.
///
/// Keys are hexadecimal hashes of at most 64 digits. One that the platform gave is kept where it looks like a hash, so that platforms
/// that agree on how to hash are joined; else it is hashed together with the platform's name.
pub fn links(suspect: &Suspect) -> Vec<Link> {
    if suspect.op == SuspectOp::Withdraw {
        return Vec::new();
    }
    let mut keys: Vec<(JoinKind, String)> =
        given(suspect).chain(pictures(suspect)).chain(description(suspect)).chain(named(suspect)).collect();
    keys.sort();
    keys.dedup();
    keys.truncate(MOST);
    let listing = &suspect.listing;
    let link = |link: Option<JoinKey>| Link {
        platform: listing.platform.clone(),
        seller_id: listing.seller.id.clone(),
        link,
        market: Some(listing.market.clone()),
        listing_id: listing.listing_id.clone(),
        suspect_id: Some(suspect.suspect_id.clone()),
        at: suspect.occurred_at.clone(),
        outcome: None,
    };
    if keys.is_empty() {
        return vec![link(None)];
    }
    keys.into_iter().map(|(kind, key)| link(Some(JoinKey { kind, key }))).collect()
}

/// What the platform knows.
fn given(suspect: &Suspect) -> impl Iterator<Item = (JoinKind, String)> {
    let platform = &suspect.listing.platform;
    suspect.listing.seller.links.iter().filter(|link| !link.key.trim().is_empty()).map(move |link| {
        let kind = match link.kind {
            LinkKind::Payout => JoinKind::Payout,
            LinkKind::Device => JoinKind::Device,
            LinkKind::Phone => JoinKind::Phone,
            LinkKind::Address => JoinKind::Address,
            LinkKind::Tax => JoinKind::Tax,
        };
        let is_hash = (16..=64).contains(&link.key.len()) && link.key.bytes().all(|b| b.is_ascii_hexdigit());
        (kind, if is_hash { link.key.to_ascii_lowercase() } else { hash(&format!("{platform}\n{}", link.key)) })
    })
}

fn pictures(suspect: &Suspect) -> impl Iterator<Item = (JoinKind, String)> {
    let is_hash = |sum: &&String| sum.len() == 64 && sum.bytes().all(|b| b.is_ascii_hexdigit());
    let sums = suspect.images_seen.iter().filter_map(|seen| seen.sha256.as_ref()).filter(is_hash);
    sums.take(MOST_PICTURES).map(|sum| (JoinKind::Picture, sum.to_ascii_lowercase()))
}

fn description(suspect: &Suspect) -> Option<(JoinKind, String)> {
    let excerpt = suspect.listing.description_excerpt.as_deref()?.to_lowercase();
    let words = excerpt.split_whitespace().collect::<Vec<_>>().join(" ");
    (words.chars().count() >= FEWEST).then(|| (JoinKind::Description, hash(&words)))
}

/// Contacts where the text wishes to deal elsewhere: there, or right behind as far as the suspect repeats the text.
fn named(suspect: &Suspect) -> impl Iterator<Item = (JoinKind, String)> {
    let elsewhere = suspect.evidence.iter().filter(|evidence| evidence.kind == Kind::OffPlatformContact);
    let texts = elsewhere.flat_map(Evidence::all_spans).map(|span| format!("{}{}", span.text, behind(suspect, span)));
    texts.flat_map(|text| contacts(&text)).map(|contact| (JoinKind::Contact, hash(&contact)))
}

/// What stands behind a span.
fn behind<'a>(suspect: &'a Suspect, span: &Span) -> &'a str {
    let text = match span.field.as_str() {
        "title" => suspect.listing.title.as_str(),
        "description" => suspect.listing.description_excerpt.as_deref().unwrap_or_default(),
        _ => return "",
    };
    let rest = usize::try_from(span.end).ok().and_then(|end| text.get(end..)).unwrap_or_default();
    &rest[..rest.floor_char_boundary(NEAR)]
}

fn hash(text: &str) -> String {
    hex(&Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use touchstone_schemas::decode;

    use super::*;

    const SUM: &str = "e124007e0371a272f11e7fbc2414aff5a1095f3a46ad29771ea1bf3f8a5b07ca";

    fn of(change: impl FnOnce(&mut Value)) -> Vec<Link> {
        let mut event: Value = serde_json::from_slice(include_bytes!("../../../schemas/golden/suspect.json")).expect("JSON");
        event["op"] = json!("upsert");
        event["listing"]["seller"]["links"] = json!([]);
        event["listing"]["description_excerpt"] = json!("short");
        (event["images_seen"], event["evidence"]) = (json!([]), json!([]));
        change(&mut event);
        links(&decode::<Suspect>(event.to_string().as_bytes()).expect("a suspect").value)
    }

    fn keys(links: &[Link]) -> Vec<(JoinKind, String)> {
        links.iter().filter_map(|l| l.link.as_ref()).map(|l| (l.kind, l.key.clone())).collect()
    }

    #[test]
    fn a_suspect_that_shows_nothing_tells_its_listing_and_one_taken_back_tells_nothing() {
        let all = of(|_| {});
        assert_eq!((all.len(), all[0].link.is_none(), all[0].listing_id.as_str()), (1, true, "7300451"));
        assert!(of(|e| e["op"] = json!("withdraw")).is_empty());
    }

    #[test]
    fn tells_what_a_suspect_shows() {
        let long = "Sepatu  lari ringan,\nsol tebal, ukuran 39 sampai 44. KUALITAS mirror, kirim";
        let same = "sepatu lari ringan, sol tebal, ukuran 39 sampai 44. kualitas mirror, kirim";
        let contact = json!({"detector": "text", "kind": "off_platform_contact", "weight": 1.0,
            "span": {"field": "title", "start": 0, "end": 2, "text": "WA"}});
        let far = json!({"detector": "text", "kind": "off_platform_contact", "weight": 1.0,
            "span": {"field": "image_text[0]", "start": 0, "end": 12, "text": "IG @bestshop"}});
        type Case<'a> = (&'a str, Box<dyn FnOnce(&mut Value) + 'a>, Vec<(JoinKind, String)>);
        let cases: Vec<Case<'_>> = vec![
            (
                "a hash of the platform's",
                Box::new(|e| e["listing"]["seller"]["links"] = json!([{"kind": "tax", "key": SUM.to_uppercase()}])),
                vec![(JoinKind::Tax, SUM.to_owned())],
            ),
            (
                "a number of the platform's own",
                Box::new(|e| e["listing"]["seller"]["links"] = json!([{"kind": "payout", "key": "17"}, {"kind": "payout", "key": " "}])),
                vec![(JoinKind::Payout, hash("bazaar\n17"))],
            ),
            (
                "pictures, each once, and none that was not seen",
                Box::new(|e| {
                    e["images_seen"] = json!([{"index": 0, "sha256": SUM}, {"index": 1, "sha256": SUM}, {"index": 2, "error": "late"}]);
                }),
                vec![(JoinKind::Picture, SUM.to_owned())],
            ),
            (
                "a description, whatever its case and spaces",
                Box::new(move |e| e["listing"]["description_excerpt"] = json!(long)),
                vec![(JoinKind::Description, hash(same))],
            ),
            (
                "a number behind a wish to deal elsewhere",
                Box::new(move |e| {
                    e["listing"]["title"] = json!("WA 0812-3456-7890");
                    e["evidence"] = json!([contact]);
                }),
                vec![(JoinKind::Contact, hash("081234567890"))],
            ),
            ("a handle in such a wish", Box::new(move |e| e["evidence"] = json!([far])), vec![(JoinKind::Contact, hash("bestshop"))]),
            ("a number that nobody is to call", Box::new(|e| e["listing"]["title"] = json!("WA 0812-3456-7890")), vec![]),
        ];
        for (name, change, expected) in cases {
            assert_eq!(keys(&of(change)), expected, "{name}");
        }
    }

    #[test]
    fn a_suspect_has_a_bounded_number_of_sorted_links() {
        let many: Vec<Value> = (0..200).map(|i| json!({"kind": "device", "key": format!("{i}")})).collect();
        let seen: Vec<Value> = (0..200).map(|i| json!({"index": i, "sha256": format!("{i:064x}")})).collect();
        let all = keys(&of(|e| (e["listing"]["seller"]["links"], e["images_seen"]) = (json!(many), json!(seen))));
        assert_eq!(all.len(), 64);
        assert!(all.is_sorted() && all.iter().all(|(_, key)| key.len() <= 64));
        let few = keys(&of(|e| e["images_seen"] = json!(seen)));
        assert_eq!(few.len(), 32);
    }
}
