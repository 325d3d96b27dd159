//! The numbers of a policy that are fitted, and the way from a point of their space to a policy and back.

use toml_edit::{DocumentMut, Item};
use touchstone_detectors::Policy;

use crate::failure::Failure;

/// A number that is fitted. All stay within bounds that sense sets: what incriminates never speaks for a listing, what a
/// seller may write in his own favour never weighs much.
struct Number {
    /// Table and key under `weights`.
    table: &'static str,
    key: &'static str,
    /// Point of a curve. A curve falls as the ratio rises: what is fitted is by how much a point stands over the next.
    point: Option<usize>,
    low: f64,
    high: f64,
    /// What one would believe before any label: mean and standard deviation of a normal prior.
    start: f64,
    slack: f64,
}

/// A space of policies around the one from which a fit starts.
pub(crate) struct Space {
    document: DocumentMut,
    numbers: Vec<Number>,
    start: Vec<f64>,
}

/// Table, key, lowest, highest, what one would believe before any label, and how far from it.
const SCALARS: &[(&str, &str, f64, f64, f64, f64)] = &[
    ("text", "mention_exact", 0.1, 2.0, 0.3, 0.5),
    ("text", "mention_folded", 0.1, 2.0, 0.3, 0.5),
    ("text", "mention_nickname", 0.1, 2.0, 0.3, 0.5),
    ("text", "mention_fuzzy", 0.3, 4.0, 2.2, 0.5),
    ("text", "mention_confusable", 2.5, 6.0, 4.7, 0.3),
    ("text", "mention_split", 2.5, 6.0, 4.7, 0.3),
    ("text", "coded_phrase", 4.0, 10.0, 7.5, 1.0),
    ("text", "denial", 2.0, 8.0, 4.6, 0.5),
    ("text", "overclaim", 0.0, 1.0, 0.2, 0.2),
    ("text", "off_platform", 0.0, 2.0, 0.8, 0.3),
    ("text", "multi_brand", 0.0, 1.5, 0.4, 0.3),
    ("text", "field_generic", 0.0, 0.5, 0.4, 0.1),
    ("text", "field_other", -2.0, 0.0, -1.0, 0.3),
    ("text", "model_number", 0.0, 2.0, 0.6, 0.3),
    ("price", "in_range", -4.0, 0.0, -1.4, 0.5),
    ("price", "above", -2.0, 0.0, -0.3, 0.3),
    ("price", "by_likely_product", 0.5, 1.0, 0.9, 0.1),
    ("price", "by_class", 0.5, 1.0, 1.0, 0.1),
    ("price", "by_broader_class", 0.4, 1.0, 0.8, 0.1),
    ("price", "by_sister_class", 0.4, 1.0, 0.65, 0.1),
    ("price", "by_likely_class", 0.4, 1.0, 0.9, 0.1),
    ("price", "by_main_class", 0.3, 0.5, 0.45, 0.1),
    ("context", "accessory", -2.0, 0.0, -1.3, 0.3),
    ("context", "used", -1.0, 0.0, -0.5, 0.2),
    ("context", "part_only", -1.0, 0.0, -0.8, 0.2),
    ("context", "sample", -1.0, 0.0, -0.5, 0.2),
    ("context", "about_brand", -1.0, 0.0, -1.0, 0.2),
    ("context", "category_mismatch", -1.5, 0.0, -0.5, 0.3),
];
/// Table, key, and what one would believe of the weights at the curve's points, which the policy file sets.
const CURVES: &[(&str, &str, &[f64])] =
    &[("price", "below", &[6.0, 6.0, 5.3, 4.9, 2.1, 0.3]), ("price", "below_used", &[5.0, 4.6, 3.2, 1.2, 0.0])];

impl Space {
    /// The space around a policy file, laid over the shipped one.
    pub(crate) fn around(own: &str) -> Result<Self, Failure> {
        let mut document = parse(Policy::shipped_text())?;
        lay(document.as_table_mut(), parse(own)?.as_table());
        let mut numbers: Vec<Number> = SCALARS
            .iter()
            .map(|&(table, key, low, high, start, slack)| Number { table, key, point: None, low, high, start, slack })
            .collect();
        for &(table, key, weights) in CURVES {
            let points = points(&document, table, key);
            let believed = |point: usize| weights.get(point.min(weights.len() - 1)).copied().unwrap_or_default();
            let step = |point: usize| believed(point) - if point + 1 < points { believed(point + 1) } else { 0.0 };
            numbers.extend((0..points).map(|point| Number {
                table,
                key,
                point: Some(point),
                low: 0.0,
                high: 6.0,
                start: step(point),
                slack: 0.5,
            }));
        }
        let start = numbers.iter().map(|n| n.start).collect();
        Ok(Self { document, numbers, start })
    }

    /// Where a fit starts.
    pub(crate) fn start(&self) -> &[f64] {
        &self.start
    }

    pub(crate) fn bounds(&self, number: usize) -> (f64, f64) {
        (self.numbers[number].low, self.numbers[number].high)
    }

    pub(crate) fn slack(&self, number: usize) -> f64 {
        self.numbers[number].slack
    }

    /// The policy at a point.
    pub(crate) fn policy(&self, point: &[f64]) -> Result<Policy, Failure> {
        Policy::parse(&self.at(point).to_string()).map_err(|e| Failure::Run(anyhow::anyhow!("the fitted policy: {e}")))
    }

    /// The policy file at a point, with thresholds (remove, report, ask_brand) and with words ahead of it.
    pub(crate) fn file(&self, point: &[f64], cuts: [f64; 3], head: &str) -> String {
        let mut document = self.at(point);
        for (key, cut) in ["remove", "report", "ask_brand"].into_iter().zip(cuts) {
            document["thresholds"][key] = toml_edit::value(cut);
        }
        // What an earlier fit said of itself goes.
        let text = document.to_string();
        let body = text.strip_prefix(FITTED).and_then(|rest| rest.split_once("\n\n")).map_or(text.as_str(), |(_, body)| body);
        format!("{FITTED}{head}\n{body}")
    }

    fn at(&self, point: &[f64]) -> DocumentMut {
        let mut document = self.document.clone();
        for (number, value) in self.numbers.iter().zip(point) {
            if number.point.is_none() {
                document["weights"][number.table][number.key] = toml_edit::value(hundredths(*value));
            }
        }
        for &(table, key, _) in CURVES {
            let steps = self.numbers.iter().zip(point).filter(|(n, _)| n.table == table && n.key == key).map(|(_, v)| *v);
            let steps: Vec<f64> = steps.collect();
            let points = document["weights"][table][key].as_array_mut().into_iter().flat_map(|a| a.iter_mut());
            for (i, pair) in points.enumerate() {
                let weight = hundredths(steps[i..].iter().sum());
                if let Some(pair) = pair.as_array_mut() {
                    pair.replace(1, weight);
                }
            }
        }
        document
    }
}

/// How a file begins that `fit` wrote; an empty line ends what it says of itself.
const FITTED: &str = "# Fitted ";

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn parse(text: &str) -> Result<DocumentMut, Failure> {
    text.parse().map_err(|e: toml_edit::TomlError| Failure::Usage(e.to_string()))
}

/// Lays what a file sets over what stands.
fn lay(under: &mut toml_edit::Table, over: &toml_edit::Table) {
    for (key, item) in over {
        match (under.get_mut(key), item) {
            (Some(Item::Table(own)), Item::Table(table)) => lay(own, table),
            // The comments above a key stay.
            (Some(own), item) => *own = item.clone(),
            (None, item) => {
                under.insert(key, item.clone());
            }
        }
    }
}

fn points(document: &DocumentMut, table: &str, key: &str) -> usize {
    document["weights"][table][key].as_array().map_or(0, toml_edit::Array::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fit_starts_within_bounds_and_keeps_what_is_no_weight() {
        let space = Space::around("[prior]\nbase_rate = 0.02\n[[prior.of]]\nplatform = \"bazaar\"\nbase_rate = 0.1\n").expect("a space");
        let policy = space.policy(space.start()).expect("a policy");
        assert_eq!((policy.base_rate("bazaar", "ID"), policy.base_rate("", "")), (0.1, 0.02));
        assert!(space.start().iter().enumerate().all(|(i, v)| (space.bounds(i).0..=space.bounds(i).1).contains(v)), "{:?}", space.start());
    }

    #[test]
    fn a_curve_falls_at_every_point_of_the_space() {
        let space = Space::around("").expect("a space");
        let mut point = space.start().to_vec();
        let first = SCALARS.len();
        point[first] = 0.0;
        point[first + 5] = 1.5;
        let document = space.at(&point);
        let pairs = document["weights"]["price"]["below"].as_array().expect("a curve");
        let weights: Vec<f64> = pairs.iter().filter_map(|pair| pair.as_array()?.get(1)?.as_float()).collect();
        assert!(weights.windows(2).all(|w| w[0] >= w[1]), "{weights:?}");
        assert_eq!(weights.last(), Some(&1.5));
    }

    #[test]
    fn a_file_is_a_policy_that_can_be_fitted_again() {
        let space = Space::around("").expect("a space");
        let file = space.file(space.start(), [0.9, 0.5, 0.2], "on 1 listing\n# precision 1\n");
        assert_eq!(Policy::parse(&file).map(|_| ()), Ok(()));
        let again = Space::around(&file).expect("a space").file(space.start(), [0.9, 0.5, 0.2], "on 1 listing\n# precision 2\n");
        assert_eq!(again, file.replace("precision 1", "precision 2"));
    }
}
