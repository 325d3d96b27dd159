//! Shares of what was counted.

use serde::Serialize;

/// Standard deviations of a normal distribution within which 95 % lie.
const BOTH_SIDES: f64 = 1.959_964;
/// The same on one side.
const ONE_SIDE: f64 = 1.644_854;

/// A share with its 95 % interval (Wilson).
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Share {
    /// Nothing where there was nothing to count.
    pub(crate) value: Option<f64>,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Share {
    pub(crate) fn of(part: usize, whole: usize) -> Self {
        if whole == 0 {
            return Self { value: None, low: 0.0, high: 1.0 };
        }
        let (low, high) = wilson(part, whole, BOTH_SIDES);
        Self { value: Some(real(part) / real(whole)), low: low.max(0.0), high: high.min(1.0) }
    }
}

/// One-sided lower bound of a share at 95 % (Wilson); nothing counted bounds nothing.
pub(crate) fn at_least(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { wilson(part, whole, ONE_SIDE).0 }
}

fn wilson(part: usize, whole: usize, z: f64) -> (f64, f64) {
    let (n, p) = (real(whole), real(part) / real(whole));
    let centre = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    (centre - half, centre + half)
}

/// The highest recall of any cut at which precision is at least `precision`, of scores and whether each is a suspect.
pub(crate) fn recall_at(scored: impl Iterator<Item = (f64, bool)>, precision: f64, suspects: usize) -> f64 {
    let mut scored: Vec<(f64, bool)> = scored.collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut hits, mut best) = (0, 0);
    for (i, (score, suspect)) in scored.iter().enumerate() {
        hits += usize::from(*suspect);
        // Listings of one score are above a cut together.
        let last_of_score = scored.get(i + 1).is_none_or(|next| next.0 < *score);
        if last_of_score && real(hits) >= precision * real(i + 1) {
            best = hits;
        }
    }
    if suspects == 0 { 0.0 } else { real(best) / real(suspects) }
}

/// Counts of listings are far below what a float holds exactly.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn real(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_intervals_are_those_of_the_tables() {
        let share = Share::of(8, 10);
        assert!((share.low - 0.4902).abs() < 1e-3 && (share.high - 0.9433).abs() < 1e-3);
        assert_eq!(Share::of(0, 0).value, None);
        // One-sided: 100 of 100.
        assert!((at_least(100, 100) - 0.9737).abs() < 1e-3);
    }
}
