//! Listings from files: what `scan`, `explain`, `match`, `eval` and `catalog check` promise.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;

use common::{assert_sound, catalog, examples, feed, lines, project, succeed, touchstone, without_clock};
use serde_json::Value;

fn scan(catalog: &Path, listings: &Path, threads: &str) -> String {
    succeed(touchstone("scan --threads").arg(threads).arg("--catalog").arg(catalog).arg("--listings").arg(listings))
}

fn by_event(listings: &Path) -> BTreeMap<String, Value> {
    let text = std::fs::read_to_string(listings).expect("the examples");
    lines(&text).into_iter().map(|l| (l["event_id"].as_str().expect("an id").to_owned(), l)).collect()
}

/// `TOUCHSTONE_BLESS=1 cargo test -p touchstone --test files` writes the snapshot anew.
#[test]
fn the_suspects_of_the_examples_are_those_of_the_snapshot() {
    let listings = by_event(&examples());
    let mut text = String::new();
    for suspect in lines(&scan(&catalog(), &examples(), "2")) {
        assert_sound(&suspect, &listings[suspect["event_id"].as_str().expect("an id")]);
        let fact = |e: &Value, key: &str| e[key].as_str().map(|v| format!(" {v}")).unwrap_or_default();
        let kinds = suspect["evidence"].as_array().expect("evidence").iter().filter(|e| e["weight"] != 0.0).skip(1);
        let kinds =
            kinds.map(|e| format!("{}{}{} {}", e["kind"].as_str().expect("a kind"), fact(e, "match"), fact(e, "phrase"), e["weight"]));
        let facts = ["event_id", "brand_id", "band"].map(|key| suspect[key].as_str().expect("text"));
        text += &format!("{} {}: {}\n", facts.join(" "), suspect["score"], kinds.collect::<Vec<_>>().join(", "));
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/examples.txt");
    if std::env::var_os("TOUCHSTONE_BLESS").is_some() {
        std::fs::write(&file, &text).expect("the snapshot can be written");
    }
    assert_eq!(text, std::fs::read_to_string(&file).expect("the snapshot"));
}

#[test]
fn the_examples_show_every_kind_of_evidence_from_text_price_seller_and_context() {
    let all = succeed(touchstone("explain --catalog").arg(catalog()).arg("--listings").arg(examples()));
    let listings = by_event(&examples());
    let mut kinds = BTreeSet::new();
    for assessed in lines(&all).iter().filter(|a| !a["brand_id"].is_null()) {
        assert_sound(assessed, &listings[assessed["event_id"].as_str().expect("an id")]);
        kinds.extend(assessed["evidence"].as_array().expect("evidence").iter().map(|e| e["kind"].as_str().expect("a kind").to_owned()));
    }
    for kind in [
        "brand_mention",
        "coded_phrase",
        "denial",
        "overclaim",
        "multi_brand",
        "brand_field_mismatch",
        "off_platform_contact",
        "product_match",
        "below_reference",
        "above_reference",
        "decoy",
        "in_range",
        "data_error",
        "authorised",
        "repeat_offender",
        "impostor_shop",
        "accessory",
        "used",
        "part_only",
        "sample",
        "about_brand",
        "category_mismatch",
    ] {
        assert!(kinds.contains(kind), "no example shows {kind}: {kinds:?}");
    }
    assert_eq!(
        listings.len(),
        lines(&all).iter().map(|a| a["event_id"].to_string()).collect::<BTreeSet<_>>().len(),
        "explain leaves none out"
    );
}

#[test]
fn threads_and_the_order_of_rows_change_no_byte() {
    let one = without_clock(&scan(&catalog(), &examples(), "1"));
    assert!(!one.is_empty());
    for threads in ["2", "5"] {
        assert_eq!(one, without_clock(&scan(&catalog(), &examples(), threads)), "{threads} threads");
    }
    let shuffled = tempfile::tempdir().expect("a folder");
    copy_reversed(&catalog(), shuffled.path());
    assert_eq!(one, without_clock(&scan(shuffled.path(), &examples(), "2")), "rows in another order");
}

/// Copies a catalog with the lines of every file in reverse.
fn copy_reversed(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("the catalog") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        match path.extension().and_then(|e| e.to_str()) {
            _ if path.is_dir() => copy_reversed(&path, &target),
            Some("jsonl") => {
                let text = std::fs::read_to_string(&path).expect("a file");
                let reversed: Vec<&str> = text.lines().rev().collect();
                std::fs::write(target, reversed.join("\n")).expect("a file");
            }
            _ => drop(std::fs::copy(&path, target).expect("a file")),
        }
    }
}

#[test]
fn compressed_files_and_standard_input_are_read_as_the_plain_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let plain = std::fs::read_to_string(examples()).expect("the examples").into_bytes();
    let expected = without_clock(&scan(&catalog(), &examples(), "2"));
    let gz = folder.path().join("l.jsonl.gz");
    let mut encoder = flate2::write::GzEncoder::new(std::fs::File::create(&gz).expect("a file"), flate2::Compression::fast());
    encoder.write_all(&plain).expect("a file");
    encoder.finish().expect("a file");
    let zst = folder.path().join("l.jsonl.zst");
    std::fs::write(&zst, zstd::encode_all(plain.as_slice(), 1).expect("memory")).expect("a file");
    assert_eq!(expected, without_clock(&scan(&catalog(), &gz, "2")));
    assert_eq!(expected, without_clock(&scan(&catalog(), &zst, "2")));
    let piped = feed(touchstone("scan --listings - --catalog").arg(catalog()), &plain);
    assert_eq!(expected, without_clock(&String::from_utf8(piped.stdout).expect("UTF-8")));
}

#[test]
fn wrong_usage_says_what_to_do_and_exits_with_2() {
    let empty = tempfile::tempdir().expect("a folder");
    let absent = empty.path().join("absent.jsonl");
    for (command, expected) in [
        (touchstone("scan --catalog").arg(catalog()).arg("--listings").arg(&absent), "cannot be read"),
        (touchstone("scan --catalog").arg(empty.path()).arg("--listings").arg(examples()), "no brand: write at least one line like"),
        (touchstone("scan --catalog").arg(catalog()).arg("--listings").arg(empty.path()), "is a folder"),
        (touchstone("eval --labels").arg(&absent).arg("--catalog").arg(catalog()).arg("--listings").arg(examples()), "cannot be read"),
        (&mut touchstone("schema listnig"), "known are"),
        (&mut touchstone("scan"), "--catalog"),
    ] {
        let output = command.output().expect("the program starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{errors}");
        assert!(errors.contains(expected), "{errors}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_catalog_tells_all_its_faults_at_once_with_file_and_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file");
    write(
        "brands.jsonl",
        concat!(
            "{\"brand_id\": \"acme\", \"name\": \"Acme\", \"alias\": [\"A\"]}\n",
            "{\"brand_id\": \"Acme Two\", \"name\": \"Acme Two\"}\n",
            "{\"brand_id\": \"acme\", \"name\": \"--\", \"reference_prices\": [{\"amount\": \"-1\", \"currency\": \"USD\"}]}\n",
            "not json\n",
        ),
    );
    write("products.jsonl", "{\"product_id\": \"p1\", \"brand_id\": \"acne\", \"name\": \"Thing\"}\n");
    write("policy.toml", "[thresholds]\nreprot = 0.8\n");
    write("product.jsonl", "");
    write("fx.json", "{\"as_of\": \"2026-11-01\", \"per_usd\": {\"idr\": 15600, \"VND\": 0}}");
    let output = touchstone("catalog check").arg(folder.path()).output().expect("the program starts");
    let errors = String::from_utf8_lossy(&output.stderr).replace(&format!("{}/", folder.path().display()), "");
    assert_eq!(output.status.code(), Some(2));
    for expected in [
        "brands.jsonl:1: warning: unknown key \"alias\" is ignored: did you mean \"aliases\"?",
        "brands.jsonl:2: brand_id: expected a text like acme-shoes",
        "brands.jsonl:3: brand_id \"acme\" stands in line 1 already: give each row its own",
        "brands.jsonl:3: name \"--\" has no letter or digit",
        "brands.jsonl:3: reference_prices[0].amount: expected a text like 95000 or 19.90",
        "brands.jsonl:4: not a JSON text",
        "product.jsonl: warning: is no file of a catalog, and is ignored: did you mean products.jsonl?",
        "fx.json: per_usd.VND: a rate must be over 0",
        "fx.json: per_usd.idr: expected a currency's code, three capital letters like IDR",
        "products.jsonl:1: brand_id \"acne\" is not in brands.jsonl: did you mean \"acme\"?",
    ] {
        assert!(errors.contains(expected), "{expected:?} is not in:\n{errors}");
    }
    assert!(succeed(touchstone("catalog check").arg(catalog())).contains("6 brands"));
}

#[test]
fn match_names_products_of_any_listing_without_a_gate() {
    let listing = r#"{"event_id": "m1", "op": "upsert", "occurred_at": "2026-11-21T08:00:00Z", "platform": "p", "market": "ID", "listing_id": "1", "revision": 1, "seller": {"id": "s"}, "title": "glide 2 trail runner"}"#;
    let output = feed(touchstone("match --listings - --catalog").arg(catalog()), listing.as_bytes());
    let found = &lines(&String::from_utf8(output.stdout).expect("UTF-8"))[0];
    assert_eq!(found["event_id"], "m1");
    assert!(found["products"][0]["product_id"].as_str().expect("a product").starts_with("nordvale:"), "{found}");
    assert_eq!(found["pictures"], serde_json::json!([]));
}

#[test]
fn eval_measures_the_examples_and_scores_no_listing_without_a_label() {
    let run = |listings: &Path| {
        let labels = project("examples/labels.jsonl");
        let text = succeed(touchstone("eval --json --catalog").arg(catalog()).arg("--labels").arg(labels).arg("--listings").arg(listings));
        serde_json::from_str::<Value>(&text).expect("JSON")
    };
    let figures = run(&examples());
    let report = figures["bands"].as_array().expect("bands").iter().find(|b| b["band"] == "report").expect("report").clone();
    assert!(report["precision"]["value"].as_f64().expect("flags") >= 0.9, "{report}");
    assert!(report["recall"]["value"].as_f64().expect("suspects") >= 0.8, "{report}");
    assert_eq!(figures["scored"], 56);
    assert!(figures["unlabelled"].as_u64().expect("a count") < 3);

    let more = tempfile::NamedTempFile::new().expect("a file");
    let text = std::fs::read_to_string(examples()).expect("the examples");
    let others = text.replace("\"event_id\": \"ex-", "\"event_id\": \"other-").replace("\"listing_id\": \"", "\"listing_id\": \"o");
    std::fs::write(more.path(), format!("{text}{others}")).expect("a file");
    let more = run(more.path());
    assert_eq!((&more["scored"], &more["bands"]), (&figures["scored"], &figures["bands"]));
}

#[test]
fn the_report_is_one_page_that_holds_every_suspect() {
    let page = tempfile::NamedTempFile::new().expect("a file");
    let out = tempfile::NamedTempFile::new().expect("a file");
    let hostile = r#"{"event_id": "h1", "op": "upsert", "occurred_at": "2026-11-21T08:00:00Z", "platform": "p", "market": "ID", "listing_id": "h1", "revision": 1, "seller": {"id": "s"}, "title": "</script><img src=x onerror=alert(1)> Nordvale replica shoes", "price": {"amount": "9", "currency": "USD"}}"#;
    let text = std::fs::read_to_string(examples()).expect("the examples") + hostile;
    let mut command = touchstone("scan --listings - --catalog");
    let output = feed(command.arg(catalog()).arg("--report").arg(page.path()).arg("--out").arg(out.path()), text.as_bytes());
    assert!(output.status.success());
    let page = std::fs::read_to_string(page.path()).expect("the page");
    let data =
        page.split_once("<script type=\"application/json\" id=\"data\">").expect("the data").1.split_once("</script>").expect("its end").0;
    let data: Value = serde_json::from_str(data).expect("JSON");
    let suspects = lines(&std::fs::read_to_string(out.path()).expect("suspects"));
    assert_eq!(data["suspects"].as_array().expect("suspects"), &suspects);
    assert!(suspects.iter().any(|s| s["event_id"] == "h1"));
    assert_eq!(data["counts"]["listings"], 59);
    assert!(!page.contains("<img src=x"), "a title is no markup");
}
