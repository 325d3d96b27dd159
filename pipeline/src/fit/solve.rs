//! Weights that make the labels likely: a logistic regression on the scanner itself.
//!
//! The log-odds are a sum of weights, but for which finding of a kind counts and for the product of price and sureness.
//! So they are followed by their slopes at the present policy, a regression is solved along them, and this is repeated
//! from where that ends (Gauss-Newton). A normal prior keeps what the labels say nothing of where it was.

use rayon::prelude::*;
use touchstone_detectors::{Scanner, probability};

use super::sample::Case;
use super::space::Space;
use crate::failure::Failure;

/// Step over which a slope is measured: far over the rounding of weights, far under the weights.
const STEP: f64 = 0.05;
/// Rounds of following the slopes.
const ROUNDS: usize = 4;
/// Passes over all numbers in a round.
const PASSES: usize = 30;
/// Farthest that a number moves in a round: slopes hold nearby.
const TRUST: f64 = 0.7;

/// Log-odds of a case at a point, and their slopes.
struct Line {
    suspect: bool,
    odds: f64,
    slopes: Vec<f64>,
}

/// The point at which the labels of the cases are likeliest. `shift` is what a suspect is likelier, in log-odds, among the
/// labelled listings than at the policy's base rate.
pub(crate) fn solve(scanner: &Scanner, space: &Space, cases: &[&Case], shift: f64) -> Result<Vec<f64>, Failure> {
    let mut point = space.start().to_vec();
    for _ in 0..ROUNDS {
        let lines = lines(scanner, space, cases, &point)?;
        point = follow(space, &lines, &point, shift);
    }
    Ok(point)
}

fn lines(scanner: &Scanner, space: &Space, cases: &[&Case], point: &[f64]) -> Result<Vec<Line>, Failure> {
    let mut policies = vec![space.policy(point)?];
    // Towards the inside, so that no bound is crossed.
    let steps: Vec<f64> = (0..point.len()).map(|i| if point[i] + STEP > space.bounds(i).1 { -STEP } else { STEP }).collect();
    for (i, step) in steps.iter().enumerate() {
        let mut beside = point.to_vec();
        beside[i] += step;
        policies.push(space.policy(&beside)?);
    }
    let line = |case: &&Case| {
        let brands = scanner.log_odds(&case.listing, &case.pictures, &policies);
        let own = case.label.brand_id.as_deref().filter(|_| case.suspect());
        let labelled = brands.iter().find(|(brand, _)| Some(*brand) == own);
        let (_, odds) = labelled.or_else(|| brands.iter().max_by(|a, b| a.1[0].total_cmp(&b.1[0])))?;
        let slopes = odds[1..].iter().zip(&steps).map(|(beside, step)| (beside - odds[0]) / step).collect();
        Some(Line { suspect: case.suspect(), odds: odds[0], slopes })
    };
    Ok(cases.par_iter().filter_map(line).collect())
}

/// The likeliest point near `from` when the slopes hold: Newton steps on one number after the other, within the bounds.
fn follow(space: &Space, lines: &[Line], from: &[f64], shift: f64) -> Vec<f64> {
    let mut point = from.to_vec();
    let mut odds: Vec<f64> = lines.iter().map(|line| line.odds).collect();
    for _ in 0..PASSES {
        for i in 0..point.len() {
            let variance = space.slack(i) * space.slack(i);
            let (mut slope, mut bend) = ((point[i] - space.start()[i]) / variance, 1.0 / variance);
            for (line, odds) in lines.iter().zip(&odds) {
                let x = line.slopes[i];
                if x != 0.0 {
                    let p = probability(odds + shift);
                    slope += (p - f64::from(u8::from(line.suspect))) * x;
                    bend += p * (1.0 - p) * x * x;
                }
            }
            let (low, high) = space.bounds(i);
            let to = (point[i] - slope / bend).clamp(low.max(from[i] - TRUST), high.min(from[i] + TRUST));
            let moved = to - point[i];
            if moved != 0.0 {
                point[i] = to;
                odds.iter_mut().zip(lines).for_each(|(odds, line)| *odds += moved * line.slopes[i]);
            }
        }
    }
    point
}
