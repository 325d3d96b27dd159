//! The generator's listings over the project's own example catalog: evasions are found, honest look-alikes are left alone, and
//! what a seller repeats or adds changes little.

use std::path::Path;
use std::sync::Arc;

use touchstone_benches::listings::{Made, Maker};
use touchstone_detectors::{Catalog, Policy, Rows, Scanner};
use touchstone_schemas::{Band, Listing, Timestamp, decode};

fn example() -> (Rows, Scanner) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/catalog");
    let (rows, _) = Rows::load(&folder).expect("rows without faults");
    let (catalog, _) = Catalog::load(&folder).expect("a catalog without faults");
    (rows, Scanner::new(Arc::new(catalog), Policy::shipped()))
}

/// The highest score of any brand, and whether any is reported.
fn judge(scanner: &Scanner, listing: &Listing) -> (f64, bool) {
    let assessed = scanner.assess(listing, &[], &Timestamp::from_unix_millis(0));
    let score = assessed.iter().map(|a| a.suspect.score.to_f64()).fold(0.0, f64::max);
    (score, assessed.iter().any(|a| a.band >= Some(Band::Report)))
}

fn read(made: &Made) -> Listing {
    decode::<Listing>(made.listing.to_string().as_bytes()).expect("a listing").value
}

#[test]
fn the_same_seed_makes_the_same_listings() {
    let (rows, _) = example();
    let lines = |seed| Maker::new(&rows, seed).make(2).iter().map(|m| m.listing.to_string()).collect::<Vec<_>>();
    assert_eq!(lines(7), lines(7));
    assert_ne!(lines(7), lines(8));
}

#[test]
fn evasions_are_found_and_honest_look_alikes_left_alone() {
    let (rows, scanner) = example();
    let (mut tricks, mut found, mut traps, mut flagged) = (0, 0, 0, Vec::new());
    for made in Maker::new(&rows, 11).make(8) {
        let class = made.label["source"].as_str().unwrap_or_default().to_owned();
        let (_, reported) = judge(&scanner, &read(&made));
        if class.starts_with("trick:") {
            tricks += 1;
            found += usize::from(reported);
        } else if class.starts_with("trap:") {
            traps += 1;
            flagged.extend(reported.then(|| made.listing["title"].to_string()));
        }
    }
    assert!(tricks > 500 && traps > 200, "{tricks} and {traps} listings");
    assert!(found * 100 >= tricks * 90, "{found} of {tricks} evasions found");
    assert!(flagged.len() * 100 <= traps * 5, "{} of {traps} honest listings flagged: {flagged:#?}", flagged.len());
}

#[test]
fn a_title_repeated_ten_times_moves_no_score() {
    let (rows, scanner) = example();
    for made in Maker::new(&rows, 3).make(1).iter().filter(|m| m.label["label"] == "suspect") {
        let listing = read(made);
        let mut repeated = made.listing.clone();
        repeated["title"] = [listing.title(); 10].join(" ").into();
        let repeated = decode::<Listing>(repeated.to_string().as_bytes()).expect("a listing").value;
        let ((once, _), (often, _)) = (judge(&scanner, &listing), judge(&scanner, &repeated));
        assert!((once - often).abs() < 0.01, "{once} and {often}: {}", listing.title());
    }
}

#[test]
fn words_in_the_sellers_favour_that_contradict_each_other_hide_nothing() {
    const WORDS: &str = "used, sample, compatible with, book about";
    let (rows, scanner) = example();
    let suspects: Vec<Made> = Maker::new(&rows, 5).make(4).into_iter().filter(|m| m.label["label"] == "suspect").collect();
    let found = |titled: &dyn Fn(&str) -> String| {
        let reported = |made: &&Made| {
            let mut listing = made.listing.clone();
            listing["title"] = titled(listing["title"].as_str().unwrap_or_default()).into();
            judge(&scanner, &decode::<Listing>(listing.to_string().as_bytes()).expect("a listing").value).1
        };
        suspects.iter().filter(reported).count()
    };
    let plain = found(&str::to_owned);
    for (place, changed) in [("before", found(&|t| format!("{WORDS} {t}"))), ("behind", found(&|t| format!("{t} {WORDS}")))] {
        assert!((plain.saturating_sub(changed)) * 100 <= suspects.len() * 5, "{place}: {changed} of {plain} are still found");
    }
}
