//! What `touchstone report` promises.

mod common;

use common::{project, succeed, touchstone};

const PERIOD: &str = "report --from 2026-07-01 --to 2027-01-01";

#[test]
fn the_page_goes_to_standard_output_and_files_where_they_are_named() {
    let records = project("examples/records");
    let page = succeed(touchstone(PERIOD).arg("--records").arg(&records));
    assert!(page.starts_with("<!doctype html>") && page.contains("kessra-rowe") && !page.contains("{{"));
    let folder = tempfile::tempdir().expect("a folder");
    let (html, csv) = (folder.path().join("report.html"), folder.path().join("report.csv"));
    let named = succeed(touchstone(PERIOD).arg("--records").arg(&records).arg("--html").arg(&html).arg("--csv").arg(&csv));
    assert_eq!(named, "");
    assert_eq!(std::fs::read_to_string(html).expect("the page"), page);
    assert!(std::fs::read_to_string(csv).expect("the figures").starts_with("section,platform,brand,measure,value\n"));
}

#[test]
fn a_folder_may_lack_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let from = project("examples/records/removals.jsonl");
    std::fs::copy(from, folder.path().join("removals.jsonl")).expect("copied");
    let output = touchstone(PERIOD).arg("--records").arg(folder.path()).output().expect("the program starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.contains("there is no verdicts.jsonl") && !errors.contains("no removals.jsonl"), "{errors}");
}

#[test]
fn wrong_usage_is_told() {
    let records = project("examples/records").display().to_string();
    let both = format!("--records {records} --config {records}/none.toml");
    for (period, arguments, expected) in [
        (PERIOD, "", "give either --config FILE"),
        (PERIOD, both.as_str(), "give either --config FILE"),
        (PERIOD, "--records missing", "missing: is no folder"),
        ("report --from 2026-07-01 --to 2026-07-01", &format!("--records {records}"), "must be before --to"),
        ("report --from July --to 2026-07-01", &format!("--records {records}"), "expected a date like 2026-08-01"),
    ] {
        let output = touchstone(period).args(arguments.split_whitespace()).output().expect("the program starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), errors.contains(expected)), (Some(2), true), "{arguments}: {errors}");
    }
}
