//! The differences as a table for people.

use std::fmt::Write;

use touchstone_schemas::{Band, Evidence, Score};

use super::difference::Difference;
use super::tally::{Report, Side};

/// Characters of a title that are shown.
const TITLE: usize = 80;

/// Writes the differences for people.
pub(crate) fn table(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_table(report, &mut text);
    text
}

fn write_table(report: &Report, out: &mut String) -> std::fmt::Result {
    let Report { before, after, engine_version, compared, differences, .. } = report;
    let count: u64 = differences.iter().map(|row| row.count).sum();
    writeln!(out, "{compared} listings compared: {} suspects before, {} after, {count} differences", before.suspects, after.suspects)?;
    if !differences.is_empty() {
        writeln!(out, "\n{:<24} {:<10} {:<9} {:<9} {:>8} {:>12}", "brand", "difference", "from", "to", "count", "per million")?;
    }
    for row in differences {
        let (from, to) = row.change.bands();
        let (brand, kind) = (row.brand_id.as_str(), row.change.name());
        writeln!(out, "{brand:<24} {kind:<10} {:<9} {:<9} {:>8} {:>12.1}", band(from), band(to), row.count, row.per_million)?;
        row.samples.iter().try_for_each(|sample| write_sample(sample, out))?;
    }
    let version = |side: &Side| format!("catalog {}, policy {}", side.catalog_version, side.policy_version);
    writeln!(out, "\nbefore: {}\nafter:  {}\nengine: {engine_version}", version(before), version(after))
}

fn write_sample(sample: &Difference, out: &mut String) -> std::fmt::Result {
    let (old, new) = (score(sample.score_before), score(sample.score_after));
    writeln!(out, "    {} {old} -> {new}: {}", plain(&sample.event_id), plain(&sample.title))?;
    for (sign, findings) in [('-', &sample.evidence_before), ('+', &sample.evidence_after)] {
        findings.iter().try_for_each(|finding| writeln!(out, "        {sign} {}", told(finding)))?;
    }
    Ok(())
}

fn told(finding: &Evidence) -> String {
    format!("{} {} {:+}", finding.detector.as_str(), finding.kind.as_str(), finding.weight.to_f64())
}

fn band(band: Option<Band>) -> &'static str {
    band.map_or("-", Band::as_str)
}

fn score(score: Option<Score>) -> String {
    score.map_or_else(|| "-".to_owned(), |score| format!("{:.4}", score.to_f64()))
}

/// A seller's words on one line, without what would steer a terminal.
fn plain(text: &str) -> String {
    text.chars().take(TITLE).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
