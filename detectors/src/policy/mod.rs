//! The policy: prior, thresholds, caps and weights, as data.

mod after;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use touchstone_schemas::{Band, Market, Schema, Score, Suspect};

use crate::catalog::Catalog;
use after::After;
pub use after::{AskedBand, Asks, Burden, Learning, Mode, Notices, Removals, StandingRules, TierRule};

static SHIPPED: &str = include_str!("../../defaults/policy.toml");

/// How findings become a score and a score becomes a band.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Policy {
    pub(crate) prior: Prior,
    pub(crate) thresholds: Cuts,
    pub(crate) caps: Caps,
    pub(crate) weights: Weights,
    r#match: Match,
    #[serde(flatten)]
    after: After,
    brand_topics: BrandTopics,
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
    known_fake_text,
});
weights!(PriceWeights { in_range, above, decoy, by_product, by_likely_product, by_class, by_broader_class, by_sister_class, by_likely_class, by_main_class } below: Curve, below_used: Curve);
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
        let sound = |(r, w): &(f64, f64)| *r > 0.0 && r.is_finite() && w.abs() <= 100.0;
        !self.0.is_empty() && self.0.iter().all(sound) && self.0.windows(2).all(|pair| pair[0].0 < pair[1].0)
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Match {
    similarity: f64,
    likely: f64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BrandTopics {
    fields: Vec<String>,
}

impl Policy {
    /// The shipped policy.
    pub fn shipped() -> Self {
        Self::parse("").unwrap_or_else(|e| unreachable!("the shipped policy: {e}"))
    }

    /// The same policy with every band from one score on.
    ///
    /// # Errors
    /// The score is not over 0 and at most 1.
    pub fn with_thresholds(mut self, score: f64) -> Result<Self, String> {
        self.thresholds = Cuts { remove: score, report: score, ask_brand: score };
        self.check().map(|()| self)
    }

    /// The shipped policy's file, with what it says of itself.
    pub fn shipped_text() -> &'static str {
        SHIPPED
    }

    /// The shipped policy with what a policy file sets otherwise.
    ///
    /// # Errors
    /// What is wrong with the file, with the line where that is known.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut table: toml::Table = SHIPPED.parse().map_err(|e| format!("the shipped policy: {e}"))?;
        let own: toml::Table = text.parse().map_err(|e: toml::de::Error| e.to_string())?;
        overlay(&mut table, own, "").map_err(|(key, message)| with_line(text, &key, &message))?;
        let mut policy: Self = table.try_into().map_err(|e: toml::de::Error| e.to_string().trim().to_owned())?;
        policy.check()?;
        let canonical = serde_json::to_vec(&policy).map_err(|e| e.to_string())?;
        policy.version = crate::hex(&Sha256::digest(&canonical)[..16]);
        Ok(policy)
    }

    fn check(&self) -> Result<(), String> {
        let Cuts { remove, report, ask_brand } = self.thresholds;
        let rates = std::iter::once(self.prior.base_rate).chain(self.prior.of.iter().map(|o| o.base_rate));
        let weights = &self.weights;
        let markets = || self.prior.of.iter().filter_map(|o| o.market.as_ref());
        let suspect = Suspect::schema();
        let fields: Vec<&str> = suspect["properties"].as_object().into_iter().flat_map(|p| p.keys().map(String::as_str)).collect();
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
                Err("weights.price: below and below_used need points whose ratios are over 0 and rise, with weights from -100 to 100"
                    .to_owned())
            }
            () if ![self.r#match.similarity, self.r#match.likely].iter().all(|s| (0.0..=1.0).contains(s)) => {
                Err("match: similarity and likely must be from 0 to 1".to_owned())
            }
            () if [&self.caps.price_only, &self.caps.picture_only, &self.caps.phrase_only].iter().any(|cap| cap.band() == Band::Remove) => {
                Err("caps: one thing alone never suffices for remove: set report or ask_brand".to_owned())
            }
            () if markets().any(|market| Market::new(market).is_none()) => Err("a market must be two capital letters, like ID".to_owned()),
            () if self.brand_topics.fields.iter().any(|field| !fields.contains(&field.as_str())) => {
                Err(format!("brand_topics: fields must be of a suspect event: {}", fields.join(", ")))
            }
            () => self.after.check(),
        }
    }

    /// The first brand whose own thresholds, with the policy's for what it leaves out, do not rise.
    pub fn conflict(&self, catalog: &Catalog) -> Option<String> {
        catalog.snapshot.brands.iter().map(|b| &b.row).find_map(|brand| {
            let own = brand.thresholds.clone().unwrap_or_default();
            let cut = |own: Option<Score>, shared: f64| own.map_or(shared, Score::to_f64);
            let Cuts { remove, report, ask_brand } = self.thresholds;
            let cuts = [cut(own.ask_brand, ask_brand), cut(own.report, report), cut(own.remove, remove)];
            let message = format!(
                "brand {}: ask_brand {}, report {}, remove {} do not rise: give the brand all three",
                brand.brand_id, cuts[0], cuts[1], cuts[2]
            );
            (!cuts.is_sorted()).then_some(message)
        })
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

    /// Whether removals are ordered, and how many.
    pub fn removals(&self) -> &Removals {
        &self.after.removals
    }

    /// Which suspects brands are asked about.
    pub fn asks(&self) -> &Asks {
        &self.after.asks
    }

    /// How much a notice may name.
    pub fn notices(&self) -> &Notices {
        &self.after.notices
    }

    /// How brands are measured.
    pub fn standing(&self) -> &StandingRules {
        &self.after.standing
    }

    /// What is learnt from verdicts.
    pub fn learning(&self) -> &Learning {
        &self.after.learning
    }

    /// The fields of a suspect event that leave the house; all when empty.
    pub fn brand_fields(&self) -> &[String] {
        &self.brand_topics.fields
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

/// Lists that the shipped policy leaves out, since they name platforms, markets and brands.
const LISTS: &[&str] = &["prior.of", "removals.of"];

/// Lays one table over another. What is not in the shipped policy, or of another type there, is told with its key.
fn overlay(under: &mut toml::Table, over: toml::Table, path: &str) -> Result<(), (String, String)> {
    use toml::Value::{Float, Integer, Table};
    for (key, value) in over {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        if LISTS.contains(&path.as_str()) {
            under.insert(key, value);
            continue;
        }
        let Some(own) = under.get_mut(&key) else {
            let near = crate::catalog::nearest(&key, under.keys().map(String::as_str)).map(|k| format!("; did you mean {k:?}?"));
            let message = format!("unknown key {key:?}{}", near.unwrap_or_default());
            return Err((key, message));
        };
        match (own, value) {
            (Table(own), Table(value)) => overlay(own, value, &path)?,
            (own @ Float(_), value @ (Float(_) | Integer(_))) => *own = value,
            (own, value) if own.same_type(&value) => *own = value,
            (own, value) => return Err((key, format!("{path}: expected {}, found {}", own.type_str(), value.type_str()))),
        }
    }
    Ok(())
}

/// A fault with the line of its key.
fn with_line(text: &str, key: &str, message: &str) -> String {
    let is_key = |line: &str| {
        line.trim_start().trim_start_matches('[').strip_prefix(key).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    };
    let line = text.lines().position(is_key).map(|i| format!("line {}: ", i + 1));
    format!("{}{message}", line.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_file_changes_what_it_names_and_the_version() {
        let shipped = Policy::shipped();
        let own = Policy::parse("[thresholds]\nreport = 0.2\n[[prior.of]]\nplatform = \"bazaar\"\nbase_rate = 0.02\n").expect("a policy");
        assert_eq!(own.thresholds.report, 0.2);
        assert_eq!(own.thresholds.remove, shipped.thresholds.remove);
        assert_eq!((own.base_rate("bazaar", "ID"), own.base_rate("other", "ID")), (0.02, 0.0074));
        assert_ne!(own.version(), shipped.version());
        assert_eq!(Policy::parse("").expect("empty").version(), shipped.version());
    }

    #[test]
    fn faults_of_a_policy_say_what_to_write() {
        for (text, expected) in [
            ("[thresholds]\n\nreprot = 0.8", "line 3: unknown key \"reprot\"; did you mean \"report\"?"),
            ("[thresholds]\nreport = 0.01", "thresholds must rise from over 0 to at most 1: ask_brand <= report <= remove"),
            ("[prior]\nbase_rate = 0", "prior: every base_rate must be over 0 and under 1"),
            ("[weights.text]\n\ndenial = \"much\"", "line 3: weights.text.denial: expected float, found string"),
            ("[removals]\nmod = \"on\"", "line 2: unknown key \"mod\"; did you mean \"mode\"?"),
            ("[match]\nsimilarity = nan", "match: similarity and likely must be from 0 to 1"),
            ("[caps]\nprice_only = \"remove\"", "caps: one thing alone never suffices for remove: set report or ask_brand"),
            ("[[prior.of]]\nmarket = \"idn\"\nbase_rate = 0.1", "a market must be two capital letters, like ID"),
            (
                "[weights.price]\nbelow = []",
                "weights.price: below and below_used need points whose ratios are over 0 and rise, with weights from -100 to 100",
            ),
            ("[weights.text]\ndenial = nan", "weights: every weight must be a number from -100 to 100"),
        ] {
            assert_eq!(Policy::parse(text).err().as_deref(), Some(expected), "{text}");
        }
        for text in ["[thresholds", "[removals]\nmode = \"banana\"", "[brand_topics]\nfields = [\"nope\"]", "[brand_topics]\nfields = [5]"]
        {
            assert!(Policy::parse(text).is_err(), "{text}");
        }
        assert!(
            Policy::parse(
                "[removals]\nmode = \"shadow\"\n[[removals.of]]\nbrand = \"a\"\nmode = \"on\"\n[brand_topics]\nfields = [\"score\"]"
            )
            .is_ok()
        );
    }

    #[test]
    fn curves_run_between_their_points() {
        let curve = Curve(vec![(0.1, 4.0), (0.4, 2.0)]);
        assert_eq!(curve.at(0.01), 4.0);
        assert!((curve.at(0.2) - 3.0).abs() < 1e-12);
        assert_eq!(curve.at(9.0), 2.0);
    }
}
