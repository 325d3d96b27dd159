//! The figures as a table for people.

use std::fmt::Write;

use super::measure::Figures;
use super::share::Share;

/// Writes the figures for people.
pub(crate) fn table(figures: &Figures) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_table(figures, &mut text);
    text
}

fn write_table(f: &Figures, out: &mut String) -> std::fmt::Result {
    let Figures { scored, suspects, clean, .. } = f;
    writeln!(
        out,
        "{scored} labelled listings: {suspects} suspects, {clean} clean ({} without a label, {} labels without a listing)\n",
        f.unlabelled, f.labels_without_listing
    )?;
    let at_rate = format!("P at {:.2} %", f.base_rate * 100.0);
    writeln!(
        out,
        "{:<10} {:>5} {:>6} {:>7}  {:<18} {:<18} {:>6} {:>12} {:>12}",
        "and above", "true", "false", "missed", "precision", "recall", "F1", "right brand", at_rate
    )?;
    for b in &f.bands {
        let (p, r) = (interval(b.precision), interval(b.recall));
        writeln!(
            out,
            "{:<10} {:>5} {:>6} {:>7}  {p:<18} {r:<18} {:>6} {:>12} {:>12}",
            b.band,
            b.true_flags,
            b.false_flags,
            b.missed,
            number(b.f1),
            number(b.right_brand.value),
            number(b.precision_at_base_rate)
        )?;
    }
    writeln!(out, "\nrecall at 99 % precision: {:.3}\n", f.recall_at_99_precision)?;
    writeln!(
        out,
        "{:<24} {:>8} {:>6}  {:<18} {:>6} {:>6} {:>14}",
        "source (report)", "suspects", "clean", "recall", "true", "false", "false of 1,000"
    )?;
    for s in &f.sources {
        let recall = interval(s.recall);
        writeln!(
            out,
            "{:<24} {:>8} {:>6}  {recall:<18} {:>6} {:>6} {:>14}",
            s.source,
            s.suspects,
            s.clean,
            s.true_flags,
            s.false_flags,
            number(s.false_flags_per_1000)
        )?;
    }
    writeln!(out, "\n{:<24} {:>8} {:>12} {:>16}", "scores from", "listings", "mean score", "share suspect")?;
    for b in &f.calibration.bins {
        writeln!(out, "{:<24.4} {:>8} {:>12.3} {:>16.3}", b.lowest, b.listings, b.mean_score, b.share)?;
    }
    writeln!(out, "(shares and mean scores at a base rate of {:.2} %)", f.base_rate * 100.0)?;
    let c = &f.calibration;
    writeln!(out, "expected calibration error {:.3}, Brier skill {:.3}", c.expected_error, c.brier_skill)?;
    writeln!(out, "\ncatalog {}, policy {}", f.catalog_version, f.policy_version)
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |v| format!("{v:.3}"))
}

fn interval(share: Share) -> String {
    share.value.map_or_else(|| "-".to_owned(), |v| format!("{v:.3} ({:.2}-{:.2})", share.low, share.high))
}
