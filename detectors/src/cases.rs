//! Tables of listings and what is to be found in them, through the public surface, with made-up brands.

use serde_json::{Value, json};
use touchstone_schemas::{Evidence, Kind, MatchKind};

use crate::fixture::{assess, assess_with, pictures};

fn evidence(fields: Value, brand: &str) -> Vec<Evidence> {
    assess(fields).into_iter().find(|a| a.suspect.brand_id.as_str() == brand).map(|a| a.suspect.evidence).unwrap_or_default()
}

fn kinds(fields: Value, brand: &str) -> Vec<Kind> {
    evidence(fields, brand).into_iter().filter(|e| e.kind != Kind::BaseRate).map(|e| e.kind).collect()
}

#[test]
fn names_are_found_however_they_are_written() {
    use MatchKind::{Confusable, Exact, Folded, Fuzzy, Nickname, Split};
    for (title, expected, text) in [
        ("Nordvale shoes", Exact, "Nordvale"),
        ("NORDVALE shoes", Exact, "NORDVALE"),
        ("new nordvale2 shoes", Exact, "nordvale"),
        ("Nördvale shoes", Folded, "Nördvale"),
        ("ＮＯＲＤＶＡＬＥ shoes", Confusable, "ＮＯＲＤＶＡＬＥ"),
        ("Nord*ale shoes", Confusable, "Nord*ale"),
        ("Nord**le shoes", Confusable, "Nord**le"),
        ("Nördvälé shoes", Confusable, "Nördvälé"),
        ("NordvaleGlide shoes", Folded, "NordvaleGlide"),
        ("Nordvale.Glide shoes", Folded, "Nordvale.Glide"),
        ("Nоrdvаle shoes", Confusable, "Nоrdvаle"),
        ("𝐍𝐨𝐫𝐝𝐯𝐚𝐥𝐞 shoes", Confusable, "𝐍𝐨𝐫𝐝𝐯𝐚𝐥𝐞"),
        ("N0rdva1e shoes", Confusable, "N0rdva1e"),
        ("nordv@le shoes", Confusable, "nordv@le"),
        ("nord\u{200b}vale shoes", Split, "nord\u{200b}vale"),
        ("n o r d v a l e shoes", Split, "n o r d v a l e"),
        ("n.o.r.d.v.a.l.e shoes", Split, "n.o.r.d.v.a.l.e"),
        ("nor👟dvale shoes", Split, "nor👟dvale"),
        ("nordvalle shoes", Fuzzy, "nordvalle"),
        ("nodrvale shoes", Fuzzy, "nodrvale"),
        ("the fjord shoes", Nickname, "the fjord"),
        ("신상 노드베일운동화", Exact, "노드베일"),
        ("Nordvale™ shoes", Exact, "Nordvale"),
        ("nordvaleshoes 2026", Exact, "nordvale"),
        ("NᴏʀᴅVᴀʟᴇ shoes", Confusable, "NᴏʀᴅVᴀʟᴇ"),
        ("n*rdvale shoes", Confusable, "n*rdvale"),
        ("노드.베일 운동화", Split, "노드.베일"),
        ("노 드 베 일 운동화", Split, "노 드 베 일"),
        ("nordval shoes", Fuzzy, "nordval"),
    ] {
        let mention =
            evidence(json!({"title": title}), "nordvale").into_iter().find(|e| e.kind == Kind::BrandMention && e.weight.to_f64() != 0.0);
        let mention = mention.unwrap_or_else(|| panic!("{title}: no mention"));
        let found: Vec<&str> = mention.all_spans().map(|s| s.text.as_str()).collect();
        assert_eq!((mention.r#match, found), (Some(expected), vec![text]), "{title}");
    }
}

#[test]
fn other_words_are_no_names() {
    for title in [
        "Nordvalentine card",
        "Snordvale",
        "nord vallee wine tour",
        "Envy perfume",
        "NVMe drive",
        "valentine roses",
        "kesa robe",
        "leather shoes, not Nordvale",
        "sepatu kulit bukan Nordvale",
        "노드베일 아님 운동화",
        "fjord tour",
    ] {
        assert!(assess(json!({"title": title})).is_empty(), "{title}");
    }
}

#[test]
fn an_ordinary_word_needs_a_second_anchor() {
    for (fields, brand, expected) in [
        (json!({"title": "Harbor hoodie black"}), "harbor", true),
        (json!({"title": "Harbor Coast classic"}), "harbor", true),
        (json!({"title": "Harbor view poster"}), "harbor", false),
        (json!({"title": "harbor"}), "harbor", false),
        (json!({"title": "harbor", "brand": "Harbor"}), "harbor", true),
        (json!({"title": "Nordvale harbor hoodie"}), "harbor", false),
        (json!({"title": "Harb0r hoodie"}), "harbor", true),
        (json!({"title": "Sunrise over the harbor hoodie"}), "harbor", false),
        (json!({"title": "harbor hoodie black"}), "harbor", true),
        (json!({"title": "cincin oro 18k"}), "oro", false),
        (json!({"title": "Oro smartphone 5G"}), "oro", false),
        (json!({"title": "Oro Phone 5G smartphone"}), "oro", true),
        (json!({"title": "NV hoodie"}), "nordvale", true),
        (json!({"title": "NV cable"}), "nordvale", false),
    ] {
        let counted = evidence(fields.clone(), brand).iter().any(|e| e.kind == Kind::BrandMention && e.weight.to_f64() > 0.0);
        assert_eq!(counted, expected, "{fields}");
    }
}

#[test]
fn code_words_count_near_a_name_and_where_they_mean_a_copy() {
    for (title, brand, expected) in [
        ("Nordvale shoes replica", "nordvale", true),
        ("Nordvale shoes 1:1", "nordvale", true),
        ("Nordvale shoes 1 1", "nordvale", false),
        ("sepatu Nordvale kw super", "nordvale", true),
        ("노드베일 운동화 미러급", "nordvale", true),
        ("Nordvale 运动鞋 一比一", "nordvale", true),
        ("Nordvale shoes", "nordvale", false),
        ("Nordvale shoes, not a replica", "nordvale", false),
        ("Nordvale shoes never fake", "nordvale", false),
        ("Nordvale 9 kw", "nordvale", true),
        ("Nordvale 0.9 kw", "nordvale", false),
        ("Nordvale replica jersey", "nordvale", false),
        ("Nordvale replica scale model 1:18 diecast", "nordvale", false),
    ] {
        let found = evidence(json!({"title": title}), brand).iter().any(|e| e.kind == Kind::CodedPhrase && e.weight.to_f64() > 0.0);
        assert_eq!(found, expected, "{title}");
    }
    assert!(assess(json!({"title": "replica shoes mirror quality"})).is_empty(), "no brand, no matter");
}

#[test]
fn repeating_a_title_moves_no_score() {
    let score = |title: String| assess(json!({"title": title, "price": {"amount": "300000", "currency": "IDR"}}))[0].suspect.score.to_f64();
    for title in ["Nordvale shoes kw super premium quality", "Nordvale Glide \"Not For Resale\""] {
        assert!((score(title.to_owned()) - score([title; 10].join(" "))).abs() < 0.01, "{title}");
    }
}

#[test]
fn prices_are_compared_with_what_such_goods_cost() {
    let price = |amount: &str| json!({"amount": amount, "currency": "USD"});
    let decoyed = ["12", "12", "12", "300"].map(|amount| json!({"name": "a", "price": price(amount)}));
    for (fields, expected) in [
        (json!({"title": "Nordvale shoes", "price": price("20")}), Some((Kind::BelowReference, 0.2))),
        (json!({"title": "Nordvale shoes", "price": price("95")}), Some((Kind::InRange, 0.95))),
        (json!({"title": "Nordvale shoes", "price": price("900")}), Some((Kind::AboveReference, 9.0))),
        (json!({"title": "Nordvale shoes", "price": price("0.10")}), Some((Kind::DataError, 0.001))),
        (json!({"title": "Nordvale shoes", "price": price("0.40")}), Some((Kind::Decoy, 0.004))),
        (json!({"title": "Nordvale shoes", "price": price("10000")}), Some((Kind::DataError, 100.0))),
        (json!({"title": "Nordvale shoes", "price": {"amount": "312000", "currency": "IDR"}}), Some((Kind::BelowReference, 0.2))),
        (json!({"title": "Nordvale shoes", "price": price("40"), "units": 2}), Some((Kind::BelowReference, 0.2))),
        (json!({"title": "Nordvale hoodie", "price": price("20")}), Some((Kind::BelowReference, 0.25))),
        (json!({"title": "Nordvale Glide 2 trail runner", "price": price("70")}), Some((Kind::BelowReference, 0.5))),
        (json!({"title": "Nordvale crew socks 6 pairs", "price": price("36")}), Some((Kind::InRange, 1.0))),
        (
            json!({"title": "Nordvale shoes", "variants": [{"name": "40", "price": price("0.50")}, {"name": "41", "price": price("95")}]}),
            Some((Kind::Decoy, 0.95)),
        ),
        (json!({"title": "Nordvale shoes", "variants": decoyed}), Some((Kind::Decoy, 0.12))),
        (
            json!({"title": "Nordvale shoes", "variants": [{"name": "a", "price": price("20"), "units": 2}, {"name": "b", "price": {"amount": "156000", "currency": "IDR"}}]}),
            Some((Kind::BelowReference, 0.1)),
        ),
        (json!({"title": "Nordvale shoes repair service", "price": price("20")}), None),
        (json!({"title": "Protective case for Nordvale shoes", "price": price("5")}), None),
        (json!({"title": "Nordvale shoes"}), None),
        (json!({"title": "Nordvale shoes", "price": price("0")}), None),
        (json!({"title": "Nordvale perfume 50ml", "price": price("20")}), None),
        (json!({"title": "case for Oro Phone", "price": price("4")}), None),
    ] {
        let brand = if fields["title"].to_string().contains("Oro") { "oro" } else { "nordvale" };
        let found = evidence(fields.clone(), brand).into_iter().find(|e| e.detector == touchstone_schemas::Detector::Price);
        assert_eq!(found.map(|e| (e.kind, e.ratio.expect("a ratio").to_f64())), expected, "{fields}");
    }
}

#[test]
fn sellers_and_context_leave_their_evidence() {
    for (fields, brand, expected) in [
        (json!({"title": "Nordvale shoes", "seller": {"id": "good"}}), "nordvale", Kind::Authorised),
        (json!({"title": "Nordvale shoes", "seller": {"id": "x", "tier": "official"}}), "nordvale", Kind::Authorised),
        (json!({"title": "Nordvale shoes", "seller": {"id": "bad"}}), "nordvale", Kind::RepeatOffender),
        (json!({"title": "Nordvale shoes", "seller": {"id": "x", "name": "Nordvale Official Store"}}), "nordvale", Kind::ImpostorShop),
        (json!({"title": "Case compatible with Oro Phone 5"}), "oro", Kind::Accessory),
        (json!({"title": "Casing untuk Oro Phone"}), "oro", Kind::Accessory),
        (json!({"title": "Ốp lưng cho Oro Phone"}), "oro", Kind::Accessory),
        (json!({"title": "เคส สำหรับ Oro Phone"}), "oro", Kind::Accessory),
        (json!({"title": "Nordvale shoes", "condition": "used"}), "nordvale", Kind::Used),
        (json!({"title": "Preloved Nordvale shoes"}), "nordvale", Kind::Used),
        (json!({"title": "Book about Nordvale, a biography"}), "nordvale", Kind::AboutBrand),
        (json!({"title": "Nordvale empty box only"}), "nordvale", Kind::AboutBrand),
        (json!({"title": "Nordvale perfume tester"}), "nordvale", Kind::Sample),
        (json!({"title": "Nordvale perfume 50ml"}), "nordvale", Kind::CategoryMismatch),
        (json!({"title": "Nordvale Kessra tote bag"}), "kessra", Kind::MultiBrand),
        (json!({"title": "Nordvale shoes", "brand": "No Brand"}), "nordvale", Kind::BrandFieldMismatch),
        (json!({"title": "Nordvale shoes not original"}), "nordvale", Kind::Denial),
        (json!({"title": "Nordvale shoes 100% original"}), "nordvale", Kind::Overclaim),
        (json!({"title": "Nordvale shoes", "description": "dm for brand, whatsapp me"}), "nordvale", Kind::OffPlatformContact),
        (json!({"title": "trail runner NV2040-101 white"}), "nordvale", Kind::ProductMatch),
    ] {
        assert!(kinds(fields.clone(), brand).contains(&expected), "{fields}: {:?}", kinds(fields.clone(), brand));
    }
}

#[test]
fn an_authorisation_holds_in_its_market_and_time_only() {
    for (market, at, expected) in
        [("ID", "2026-12-31T23:59:59Z", true), ("ID", "2027-01-01T00:00:00Z", false), ("VN", "2026-12-01T00:00:00Z", false)]
    {
        let fields = json!({"title": "Nordvale shoes replica", "seller": {"id": "good"}, "market": market, "occurred_at": at});
        assert_eq!(kinds(fields, "nordvale").contains(&Kind::Authorised), expected, "{market} {at}");
    }
}

#[test]
fn an_authorised_seller_is_no_suspect() {
    let fields = json!({"title": "Nordvale shoes replica 1:1", "seller": {"id": "good"}, "price": {"amount": "100000", "currency": "IDR"}});
    assert_eq!(assess(fields)[0].band, None);
}

#[test]
fn for_exempts_nobody_who_sells_what_the_brand_makes() {
    let fields = json!({"title": "shoes for Nordvale fans kw super", "price": {"amount": "200000", "currency": "IDR"}});
    assert!(!kinds(fields.clone(), "nordvale").contains(&Kind::Accessory), "{fields}");
    assert!(assess(fields)[0].band.is_some());
}

#[test]
fn a_picture_names_brand_and_product_where_no_word_does_and_is_never_enough_alone() {
    let price = |usd: &str| json!({"title": "elegant tote for ladies", "price": {"amount": usd, "currency": "USD"}});
    let dear = assess_with(price("1200"), &pictures());
    assert_eq!((dear[0].suspect.brand_id.as_str(), dear[0].suspect.product_id.as_deref()), ("kessra", Some("kessra:tote")));
    assert_eq!(dear[0].band, None, "an honest reseller uses the brand's picture");
    assert_eq!(dear[0].suspect.images_seen.iter().map(|i| i.error.as_deref()).collect::<Vec<_>>(), [None, Some("absent")]);
    let cheap = &assess_with(price("60"), &pictures())[0].suspect;
    let copy = cheap.evidence.iter().find(|e| e.kind == Kind::ReferenceCopy).expect("a copy");
    assert_eq!((copy.reference.as_deref(), copy.distance, copy.r#box.len()), (Some("kessra:tote#0"), Some(0), 4));
    assert!(cheap.evidence.iter().any(|e| e.kind == Kind::BelowReference && e.basis == Some(touchstone_schemas::Basis::Product)));
    assert!(cheap.score > dear[0].suspect.score);
}

#[test]
fn a_plain_code_word_counts_beside_a_brand_that_another_field_names() {
    let kinds_of = |fields: Value| kinds(fields, "nordvale").contains(&Kind::CodedPhrase);
    assert!(kinds_of(json!({"title": "Nordvale shoes", "image_text": ["1:1 REPLICA"]})));
    assert!(kinds_of(json!({"title": "Nordvale shoes", "variants": [{"name": "kw super"}]})));
    assert!(kinds_of(json!({"title": "plain shoes", "image_text": ["1:1 REPLICA"], "brand": "Nordvale"})));
    assert!(kinds_of(json!({"title": "Nordvale shoes", "description": "Mirror replica, best price."})));
    let late = format!("{} mirror replica", "Ships from our own warehouse. ".repeat(40));
    assert!(!kinds_of(json!({"title": "Nordvale shoes", "description": late})));
    assert!(!kinds_of(json!({"title": "plain shoes", "description": "Mirror replica, best price."})));
}

#[test]
fn the_text_of_a_known_fake_is_told_until_it_expires() {
    let text = "Sole pressed in one mould, box with a matching label, choose the size and leave the colour in the note, two layers of wrap";
    let found = |at: &str, description: &str| {
        let fields = json!({"title": "Nordvale shoes", "description": description, "occurred_at": at});
        evidence(fields, "nordvale").into_iter().find(|e| e.kind == Kind::KnownFakeText).and_then(|e| e.reference)
    };
    let repeated = format!("Hello! {} Thank you.", text.to_uppercase());
    assert_eq!(found("2026-12-01T00:00:00Z", &repeated).as_deref(), Some("kf-text"));
    assert_eq!(found("2027-12-01T00:00:00Z", &repeated), None);
    assert_eq!(found("2026-12-01T00:00:00Z", "Sole pressed in one mould, a nice box"), None);
}

#[test]
fn a_later_pass_is_another_detection_of_the_same_matter() {
    let first = assess(json!({"title": "Nordvale shoes 1:1 replica"})).remove(0).suspect;
    assert_eq!(crate::in_pass(first.clone(), 0, None), first);
    let second = crate::in_pass(first.clone(), 1, Some(first.detection_id.clone()));
    assert_ne!(second.detection_id, first.detection_id);
    assert_eq!((&second.suspect_id, second.pass, &second.supersedes), (&first.suspect_id, 1, &Some(first.detection_id.clone())));
    assert_ne!(crate::in_pass(first, 2, None).detection_id, second.detection_id);
}
