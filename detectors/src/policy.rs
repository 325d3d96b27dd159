//! The policy: prior, thresholds, caps and weights, as data.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use touchstone_schemas::Band;

static SHIPPED: &str = include_str!("../defaults/policy.toml");

/// How findings become a score and a score becomes a band.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    pub(crate) prior: Prior,
    pub(crate) thresholds: Cuts,
    pub(crate) caps: Caps,
    pub(crate) weights: Weights,
    r#match: Match,
    removals: toml::Table,
    brand_topics: toml::Table,
    #[serde(skip)]
    version: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Prior {
    base_rate: f64,
    #[serde(default)]
    of: Vec<PriorOf>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PriorOf {
    platform: Option<String>,
    market: Option<String>,
    base_rate: f64,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cuts {
    pub(crate) remove: f64,
    pub(crate) report: f64,
    pub(crate) ask_brand: f64,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CapBand {
    AskBrand,
    Report,
    Remove,
}

impl CapBand {
    pub(crate) fn band(self) -> Band {
        match self {
            Self::AskBrand => Band::AskBrand,
            Self::Report => Band::Report,
            Self::Remove => Band::Remove,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Caps {
    pub(crate) price_only: CapBand,
    pub(crate) picture_only: CapBand,
    pub(crate) phrase_only: CapBand,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Weights {
    pub(crate) text: TextWeights,
    pub(crate) price: PriceWeights,
    pub(crate) image: ImageWeights,
    pub(crate) seller: SellerWeights,
    pub(crate) context: ContextWeights,
}

/// Declares a table of weights.
macro_rules! weights {
    ($name:ident { $($field:ident),* $(,)? } $($extra:ident: $type:ty),*) => {
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name { $(pub(crate) $field: f64,)* $(pub(crate) $extra: $type,)* }

        impl $name {
            fn finite(&self) -> bool {
                [$(self.$field),*].iter().all(|w| w.is_finite() && w.abs() <= 100.0)
            }
        }
    };
}

weights!(TextWeights {
    mention_exact,
    mention_folded,
    mention_confusable,
    mention_split,
    mention_fuzzy,
    mention_nickname,
    mention_elsewhere,
    coded_phrase,
    denial,
    overclaim,
    grey,
    off_platform,
    phrase_elsewhere,
    multi_brand,
    field_generic,
    field_other,
    model_number,
});
weights!(PriceWeights { in_range, above, decoy, by_product, by_likely_product, by_class, by_broader_class, by_likely_class, by_main_class } below: Curve, below_used: Curve);
weights!(ImageWeights { reference_copy, known_fake });
weights!(SellerWeights { authorised, official, repeat_offender, impostor_shop });
weights!(ContextWeights { accessory, used, part_only, sample, about_brand, category_mismatch });

/// Points of ratio and weight, the ratio rising.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Curve(Vec<(f64, f64)>);

impl Curve {
    /// The weight at a ratio: between two points on a line over the logarithm, beyond the ends as at the ends.
    pub(crate) fn at(&self, ratio: f64) -> f64 {
        let after = self.0.partition_point(|(r, _)| *r < ratio);
        match (after.checked_sub(1).map(|i| self.0[i]), self.0.get(after)) {
            (Some((r0, w0)), Some((r1, w1))) => w0 + (w1 - w0) * (libm::log(ratio / r0) / libm::log(r1 / r0)),
            (None, Some((_, w))) => *w,
            (Some((_, w)), None) => w,
            (None, None) => 0.0,
        }
    }

    fn rises(&self) -> bool {
        self.0.iter().all(|(r, w)| *r > 0.0 && r.is_finite() && w.is_finite()) && self.0.windows(2).all(|pair| pair[0].0 < pair[1].0)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Match {
    similarity: f64,
    likely: f64,
}

impl Policy {
    /// The shipped policy.
    pub fn shipped() -> Self {
        Self::parse("").unwrap_or_else(|e| unreachable!("the shipped policy: {e}"))
    }

    /// The shipped policy with what a policy file sets otherwise.
    ///
    /// # Errors
    /// What is wrong with the file, with the line where that is known.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut table: toml::Table = SHIPPED.parse().map_err(|e| format!("the shipped policy: {e}"))?;
        let own: toml::Table = text.parse().map_err(|e: toml::de::Error| e.to_string())?;
        overlay(&mut table, own);
        let mut policy: Self = table.try_into().map_err(|e: toml::de::Error| with_line(text, &e.to_string()))?;
        policy.check()?;
        let canonical = serde_json::to_vec(&policy).map_err(|e| e.to_string())?;
        policy.version = crate::hex(&Sha256::digest(&canonical)[..16]);
        Ok(policy)
    }

    fn check(&self) -> Result<(), String> {
        let Cuts { remove, report, ask_brand } = self.thresholds;
        let rates = std::iter::once(self.prior.base_rate).chain(self.prior.of.iter().map(|o| o.base_rate));
        let weights = &self.weights;
        match () {
            () if !(0.0 < ask_brand && ask_brand <= report && report <= remove && remove <= 1.0) => {
                Err("thresholds must rise from over 0 to at most 1: ask_brand <= report <= remove".to_owned())
            }
            () if !rates.into_iter().all(|r| r > 0.0 && r < 1.0) => Err("prior: every base_rate must be over 0 and under 1".to_owned()),
            () if !(weights.text.finite()
                && weights.price.finite()
                && weights.image.finite()
                && weights.seller.finite()
                && weights.context.finite()) =>
            {
                Err("weights: every weight must be a number from -100 to 100".to_owned())
            }
            () if !(weights.price.below.rises() && weights.price.below_used.rises()) => {
                Err("weights.price: the ratios of below and below_used must be over 0 and rise".to_owned())
            }
            () => Ok(()),
        }
    }

    /// Hash of the policy.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The share of suspect listings on a platform and in a market: what names both goes first, then the platform.
    pub fn base_rate(&self, platform: &str, market: &str) -> f64 {
        let fits = |o: &&PriorOf| o.platform.as_deref().is_none_or(|p| p == platform) && o.market.as_deref().is_none_or(|m| m == market);
        let exactness = |o: &&PriorOf| (usize::from(o.platform.is_some()) * 2) + usize::from(o.market.is_some());
        self.prior.of.iter().filter(fits).max_by_key(exactness).map_or(self.prior.base_rate, |o| o.base_rate)
    }

    /// Lowest similarity at which a product is named.
    pub(crate) fn similarity(&self) -> f64 {
        self.r#match.similarity
    }

    /// Lowest similarity at which a product's price is compared with.
    pub(crate) fn likely_similarity(&self) -> f64 {
        self.r#match.likely
    }
}

fn overlay(under: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(toml::Value::Table(u)), toml::Value::Table(o)) => overlay(u, o),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

/// Names the line of the key that an error speaks of, and the key that was meant.
fn with_line(text: &str, message: &str) -> String {
    let message = message.trim();
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let Some((found, known)) = quoted.split_first().filter(|_| message.contains("unknown field")) else { return message.to_owned() };
    let line = text.lines().position(|l| l.trim_start().trim_start_matches('[').starts_with(found)).map(|i| format!("line {}: ", i + 1));
    let near = crate::catalog::nearest(found, known.iter().copied()).map(|k| format!("; did you mean {k:?}?"));
    format!("{}unknown key {found:?}{}", line.unwrap_or_default(), near.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_file_changes_what_it_names_and_the_version() {
        let shipped = Policy::shipped();
        let own = Policy::parse("[thresholds]\nreport = 0.8\n[[prior.of]]\nplatform = \"bazaar\"\nbase_rate = 0.02\n").expect("a policy");
        assert_eq!(own.thresholds.report, 0.8);
        assert_eq!(own.thresholds.remove, shipped.thresholds.remove);
        assert_eq!((own.base_rate("bazaar", "ID"), own.base_rate("other", "ID")), (0.02, 0.0074));
        assert_ne!(own.version(), shipped.version());
        assert_eq!(Policy::parse("").expect("empty").version(), shipped.version());
    }

    #[test]
    fn faults_of_a_policy_say_what_to_write() {
        for (text, expected) in [
            ("[thresholds]\n\nreprot = 0.8", "line 3: unknown key \"reprot\"; did you mean \"report\"?"),
            ("[thresholds]\nreport = 0.1", "thresholds must rise from over 0 to at most 1: ask_brand <= report <= remove"),
            ("[prior]\nbase_rate = 0", "prior: every base_rate must be over 0 and under 1"),
            ("[weights.text]\ndenial = nan", "weights: every weight must be a number from -100 to 100"),
        ] {
            assert_eq!(Policy::parse(text).err().as_deref(), Some(expected), "{text}");
        }
        assert!(Policy::parse("[thresholds").is_err());
    }

    #[test]
    fn curves_run_between_their_points() {
        let curve = Curve(vec![(0.1, 4.0), (0.4, 2.0)]);
        assert_eq!(curve.at(0.01), 4.0);
        assert!((curve.at(0.2) - 3.0).abs() < 1e-12);
        assert_eq!(curve.at(9.0), 2.0);
    }
}
