//! Where the bands begin: cuts on the score, chosen on listings that the weights were not fitted on.

use crate::eval::{at_least, real};

/// What a policy makes of a listing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Judged {
    pub(crate) suspect: bool,
    pub(crate) score: f64,
    /// One thing alone speaks, so that it never reaches `remove`.
    pub(crate) capped: bool,
    /// The brand is the one that the label names.
    pub(crate) right_brand: bool,
}

/// Least precision of all that lies above the cut, by band.
const REMOVE: f64 = 0.99;
/// Least lower bound of the precision for `remove`, one-sided at 95 %.
const REMOVE_BOUND: f64 = 0.97;
const REPORT: f64 = 0.97;
const ASK: f64 = 0.90;
/// No band begins under this score.
const LEAST: f64 = 0.05;
/// A removal must be likelier right than wrong, whatever the labels let begin earlier.
const LEAST_REMOVE: f64 = 0.5;
/// Where a band begins that the labels never let begin.
const NEVER: f64 = 0.9999;

/// The cuts: remove, report, ask_brand.
pub(crate) fn choose(judged: &[Judged]) -> [f64; 3] {
    let all = || judged.iter().map(|j| (j.score, j.suspect));
    let ask = lowest(all(), |hits, all| precision(hits, all) >= ASK);
    let report = lowest(all(), |hits, all| precision(hits, all) >= REPORT).max(ask);
    let free = judged.iter().filter(|j| !j.capped).map(|j| (j.score, j.suspect));
    let remove =
        lowest(free, |hits, all| precision(hits, all) >= REMOVE && at_least(hits, all) >= REMOVE_BOUND).max(report).max(LEAST_REMOVE);
    [remove, report, ask]
}

/// The lowest cut above which the flags suffice; it lies midway between the listings above and below it.
fn lowest(scores: impl Iterator<Item = (f64, bool)>, suffices: impl Fn(usize, usize) -> bool) -> f64 {
    let mut scores: Vec<(f64, bool)> = scores.collect();
    scores.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut hits, mut cut) = (0, NEVER);
    for (i, (score, suspect)) in scores.iter().enumerate() {
        hits += usize::from(*suspect);
        let below = scores.get(i + 1).map_or(0.0, |next| next.0);
        if below < *score && suffices(hits, i + 1) {
            // Three digits, and never above the listing that it is to include.
            let middle = libm::floor((score + below) / 2.0 * 1000.0) / 1000.0;
            cut = if middle > below { middle } else { *score };
        }
    }
    cut.max(LEAST)
}

fn precision(hits: usize, all: usize) -> f64 {
    real(hits) / real(all.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(score: f64, suspect: bool, capped: bool) -> Judged {
        Judged { suspect, score, capped, right_brand: true }
    }

    #[test]
    fn a_band_begins_where_its_precision_holds() {
        let mut set = vec![judged(0.95, true, false); 200];
        set.extend(vec![judged(0.6, true, true); 50]);
        set.extend(vec![judged(0.5, false, false); 4]);
        set.extend(vec![judged(0.3, true, true); 10]);
        set.extend(vec![judged(0.2, false, false); 40]);
        // 250 of 254 are 0.984, 260 of 264 are 0.985; with the 40 it is 0.855.
        assert_eq!(choose(&set), [0.725, 0.25, 0.25]);
        set.extend(vec![judged(0.55, false, false); 10]);
        assert_eq!(choose(&set)[1], 0.575);
    }

    #[test]
    fn too_few_labels_open_no_removals() {
        let set = vec![judged(0.95, true, false); 60];
        assert_eq!(choose(&set)[0], NEVER);
    }
}
