//! What is said of a fit: ahead of the file, and as a table for people.

use std::collections::BTreeMap;
use std::fmt::Write;

use touchstone_detectors::Scanner;

use super::{Figures, Pair, TELLING};

/// The bands in the order of the figures.
const BANDS: [&str; 3] = ["remove", "report", "ask_brand"];

/// What the file says of itself.
pub(super) fn head(f: &Figures, scanner: &Scanner) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "by `touchstone fit` on {} suspect and {} clean listings, catalog {}; scores are probabilities at a base rate of {}.",
        f.suspects,
        f.clean,
        scanner.catalog().version(),
        f.base_rate
    );
    let _ = writeln!(text, "# On listings left out of the fit, ten parts taking turns:");
    for (band, a) in BANDS.iter().zip(&f.out_of_fold) {
        let _ = writeln!(
            text,
            "#   {band} and above: precision {:.3} (at least {:.3}), recall {:.3}",
            a.precision, a.precision_at_least, a.recall
        );
    }
    let c = &f.calibration;
    let _ = writeln!(text, "#   expected calibration error {:.3}, Brier skill {:.3}", c.expected_error, c.brier_skill);
    if let (Some(p), Some(r)) = (f.worst_precision, f.worst_recall) {
        let _ = writeln!(
            text,
            "# Worst pair of a source of suspects and one of clean listings left out: precision {p:.3}, recall {r:.3} at report."
        );
    }
    text
}

/// Figures for people.
pub(crate) fn table(f: &Figures) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{} suspect and {} clean listings; each judged by a fit that did not see it\n", f.suspects, f.clean);
    let _ = writeln!(
        text,
        "{:<12} {:>9} {:>6} {:>6} {:>10} {:>9} {:>7}",
        "and above", "score", "true", "false", "precision", "at least", "recall"
    );
    for ((band, cut), a) in BANDS.iter().zip(f.thresholds).zip(&f.out_of_fold) {
        let _ = writeln!(
            text,
            "{band:<12} {cut:>9.4} {:>6} {:>6} {:>10.3} {:>9.3} {:>7.3}",
            a.true_flags, a.false_flags, a.precision, a.precision_at_least, a.recall
        );
    }
    let c = &f.calibration;
    let _ = writeln!(text, "\nrecall at 99 % precision {:.3}; right brand {:.3}", f.recall_at_99_precision, f.right_brand);
    let _ = writeln!(text, "scores from 0.05: expected calibration error {:.3}, Brier skill {:.3}", c.expected_error, c.brier_skill);
    let _ = writeln!(
        text,
        "\n{:<20} {:<20} {:>6} {:>6} {:>10} {:>7}",
        "suspects left out", "clean left out", "true", "false", "precision", "recall"
    );
    let mut by_suspects: BTreeMap<&str, Vec<&Pair>> = BTreeMap::new();
    f.sources_left_out.iter().filter(|p| p.telling).for_each(|p| by_suspects.entry(&p.suspects).or_default().push(p));
    for pair in by_suspects.into_values().flatten() {
        let a = pair.at_report;
        let _ = writeln!(
            text,
            "{:<20} {:<20} {:>6} {:>6} {:>10.3} {:>7.3}",
            pair.suspects, pair.clean, a.true_flags, a.false_flags, a.precision, a.recall
        );
    }
    let few = f.sources_left_out.iter().filter(|p| !p.telling).count();
    let _ = writeln!(text, "({few} pairs whose suspects are fewer than {TELLING} are in --json alone)");
    text
}
