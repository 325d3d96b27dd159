//! Whether scores are the probabilities that they say they are.

use serde::Serialize;
use touchstone_detectors::probability;

use super::share::real;

/// Scores under this are not looked at: most listings score next to nothing, and rightly.
const LOWEST: f64 = 0.05;
/// Bins of equally many listings.
const BINS: usize = 10;

/// Listings of like scores, a tenth of those looked at.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Bin {
    pub(crate) listings: usize,
    pub(crate) lowest: f64,
    pub(crate) mean_score: f64,
    /// Share of suspects.
    pub(crate) share: f64,
}

/// How far scores are from the shares of suspects, both at the base rate.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Calibration {
    pub(crate) bins: Vec<Bin>,
    /// Mean distance of a bin's mean score from its share of suspects; a listing counts as often as it would at the base rate.
    pub(crate) expected_error: f64,
    /// The same where every labelled listing counts once, and scores are moved to the labels' own share of suspects.
    pub(crate) expected_error_as_labelled: f64,
    /// 1 less the mean squared error over that of always saying the share of suspects.
    pub(crate) brier_skill: f64,
    pub(crate) brier_skill_as_labelled: f64,
}

impl Calibration {
    /// Of scores and whether each is a suspect, among `suspects` and `clean` labelled listings.
    pub(crate) fn of(scored: &[(f64, bool)], base_rate: f64, suspects: usize, clean: usize) -> Self {
        let mut scored: Vec<(f64, bool)> = scored.iter().copied().filter(|(score, _)| *score >= LOWEST).collect();
        scored.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (of_suspects, of_clean) = (base_rate / real(suspects.max(1)), (1.0 - base_rate) / real(clean.max(1)));
        let at_rate: Vec<Point> =
            scored.iter().map(|&(score, suspect)| Point { score, suspect, weight: if suspect { of_suspects } else { of_clean } }).collect();
        let shift = libm::log(of_clean / of_suspects);
        let moved = |score: f64| probability(libm::log(score / (1.0 - score).max(1e-9)) + shift);
        let as_labelled: Vec<Point> = scored.iter().map(|&(score, suspect)| Point { score: moved(score), suspect, weight: 1.0 }).collect();
        Self {
            bins: bins(&at_rate),
            expected_error: expected_error(&at_rate),
            expected_error_as_labelled: expected_error(&as_labelled),
            brier_skill: brier_skill(&at_rate),
            brier_skill_as_labelled: brier_skill(&as_labelled),
        }
    }
}

struct Point {
    score: f64,
    suspect: bool,
    weight: f64,
}

fn mean(points: &[Point], of: impl Fn(&Point) -> f64) -> f64 {
    let whole: f64 = points.iter().map(|p| p.weight).sum();
    points.iter().map(|p| p.weight * of(p)).sum::<f64>() / whole
}

fn truth(point: &Point) -> f64 {
    f64::from(u8::from(point.suspect))
}

fn parts(points: &[Point]) -> impl Iterator<Item = &[Point]> {
    points.chunks(points.len().div_ceil(BINS).max(1))
}

fn bins(points: &[Point]) -> Vec<Bin> {
    parts(points)
        .map(|part| Bin { listings: part.len(), lowest: part[0].score, mean_score: mean(part, |p| p.score), share: mean(part, truth) })
        .collect()
}

fn expected_error(points: &[Point]) -> f64 {
    let whole: f64 = points.iter().map(|p| p.weight).sum();
    let of = |part: &[Point]| part.iter().map(|p| p.weight).sum::<f64>() * (mean(part, |p| p.score) - mean(part, truth)).abs();
    parts(points).map(of).sum::<f64>() / whole.max(f64::MIN_POSITIVE)
}

fn brier_skill(points: &[Point]) -> f64 {
    let share = mean(points, truth);
    let error = |guess: &dyn Fn(&Point) -> f64| mean(points, |p| (guess(p) - truth(p)) * (guess(p) - truth(p)));
    1.0 - error(&|p| p.score) / error(&|_| share).max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_counted_by_hand() {
        // As many labelled as the base rate says: every listing counts alike.
        let scored = [(0.9, true), (0.9, true), (0.1, false), (0.1, true), (0.01, false)];
        let calibration = Calibration::of(&scored, 0.6, 3, 2);
        assert_eq!(calibration.bins.iter().map(|b| b.listings).collect::<Vec<_>>(), [1, 1, 1, 1]);
        // Errors .1, .9, .1, .1 in bins of one.
        assert!((calibration.expected_error - 0.3).abs() < 1e-9);
        // Squared: (.01 * 3 + .81) / 4 over .75 * .25.
        assert!((calibration.brier_skill - (1.0 - 0.21 / 0.1875)).abs() < 1e-9);
        assert!((calibration.expected_error - calibration.expected_error_as_labelled).abs() < 1e-9);
    }

    #[test]
    fn nothing_scored_has_no_error() {
        assert_eq!(Calibration::of(&[], 0.01, 1, 1).expected_error, 0.0);
    }
}
