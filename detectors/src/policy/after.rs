//! What is done about suspects: removals, questions to brands, notices, standing, what is learnt from verdicts.

use serde::{Deserialize, Serialize};
use touchstone_schemas::{Band, Market, Reason};

/// Removals: whether they are ordered, and how many a day.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Removals {
    mode: Mode,
    #[serde(default)]
    of: Vec<RemovalsOf>,
    /// Most removals a day of one brand.
    pub most_per_brand: u64,
    /// Most removals a day of one brand by one rule, which is the kind of the weightiest finding.
    pub most_per_rule: u64,
    /// Most removals a day by one reference picture.
    pub most_per_reference: u64,
}

/// The mode of a brand, a market or a reason.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RemovalsOf {
    brand: Option<String>,
    market: Option<String>,
    reason: Option<String>,
    mode: Mode,
}

/// Whether removals are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Nothing is written.
    Off,
    /// They are only written down.
    Shadow,
    /// They are orders.
    On,
}

impl Removals {
    /// The mode of a matter: of entries that fit, the one that names most, and of those the first.
    pub fn mode(&self, brand: &str, market: &str, reason: Reason) -> Mode {
        let is = |own: &Option<String>, value: &str| own.as_deref().is_none_or(|own| own == value);
        let fits = |of: &&RemovalsOf| is(&of.brand, brand) && is(&of.market, market) && is(&of.reason, reason.as_str());
        let names = |of: &RemovalsOf| [&of.brand, &of.market, &of.reason].into_iter().flatten().count();
        let nearest = self.of.iter().filter(fits).reduce(|best, of| if names(of) > names(best) { of } else { best });
        nearest.map_or(self.mode, |of| of.mode)
    }
}

/// Questions to brands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asks {
    /// Working days of the market that a brand has for its answer.
    pub days: u32,
    /// Bands whose suspects the brand is asked about.
    pub bands: Vec<AskedBand>,
}

/// A band by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskedBand {
    /// Ask the brand.
    AskBrand,
    /// Report it.
    Report,
    /// Remove it.
    Remove,
}

impl Asks {
    /// Whether the brand is asked about a suspect of this band.
    pub fn asks(&self, band: Band) -> bool {
        self.bands.iter().any(|asked| match asked {
            AskedBand::AskBrand => band == Band::AskBrand,
            AskedBand::Report => band == Band::Report,
            AskedBand::Remove => band == Band::Remove,
        })
    }
}

/// Notices from rights holders.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notices {
    /// Most listings of one order, or of one seller.
    pub most_listings: u64,
}

/// What a giver's word needs before a listing is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Burden {
    /// Nothing more.
    Word,
    /// The scanner's band is at least `report`.
    Suspicion,
    /// The scanner's band is `remove`, or a proof is attached.
    Proof,
    /// A moderator says it too.
    Moderator,
}

/// Standing: how brands are measured, and what it buys.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandingRules {
    /// Days that are counted, today among them.
    pub window_days: u32,
    /// Days until a brand that fell out of a tier may be in it again.
    pub back_after_days: u32,
    /// What the word of a brand without a tier needs.
    pub burden: Burden,
    /// The tiers, the highest first.
    pub tiers: Vec<TierRule>,
    /// Brands whose filings fail more often than this, of `least_filings` at least, are `restricted`.
    pub most_failed: f64,
    /// Filings before a brand may be restricted.
    pub least_filings: u64,
}

/// A tier: who is in it, and what it buys.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierRule {
    /// Its name.
    pub name: String,
    /// Fewest filings in the window.
    pub least_volume: u64,
    /// Least share of filings that ended in a removal.
    pub least_upheld: f64,
    /// Largest share that sellers countered with success.
    pub most_countered: f64,
    /// Least share of answers that came in time.
    pub least_in_time: f64,
    /// Both shares must hold for every reason code, too.
    pub every_code: bool,
    /// What the word of a brand in it needs.
    pub burden: Burden,
    /// Working days in which its filings are handled; 0 for no promise.
    pub handled_in_days: u32,
}

/// What is learnt from verdicts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Learning {
    /// Days that a confirmed fake's pictures and text are known.
    pub known_days: u32,
    /// Least precision, by verdicts, of what a detector, a phrase or a reference finds for a brand; under it it is told as failing.
    pub floor: f64,
    /// Verdicts before that is judged.
    pub least_verdicts: u64,
}

/// What is done about suspects.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct After {
    pub(super) removals: Removals,
    pub(super) asks: Asks,
    pub(super) notices: Notices,
    pub(super) standing: StandingRules,
    pub(super) learning: Learning,
}

impl After {
    /// Markets that are named.
    pub(super) fn markets(&self) -> impl Iterator<Item = &String> {
        self.removals.of.iter().filter_map(|of| of.market.as_ref())
    }

    /// What no type can say.
    pub(super) fn check(&self) -> Result<(), String> {
        let share = |value: f64| (0.0..=1.0).contains(&value);
        let known = |reason: &String| Reason::ALL.iter().any(|known| known.as_str() == reason);
        if self.markets().any(|market| Market::new(market).is_none()) {
            return Err("a market must be two capital letters, like ID".to_owned());
        }
        if !self.removals.of.iter().filter_map(|of| of.reason.as_ref()).all(known) {
            return Err("removals: a reason must be one of counterfeit, trademark_misuse, image_misuse, grey_market".to_owned());
        }
        let rules = &self.standing;
        if rules.window_days == 0 || rules.window_days > 3_660 || rules.back_after_days > 3_660 {
            return Err("standing: window_days must be from 1 to 3660, back_after_days at most 3660".to_owned());
        }
        let shares = rules.tiers.iter().flat_map(|tier| [tier.least_upheld, tier.most_countered, tier.least_in_time]);
        if !shares.chain([rules.most_failed, self.learning.floor]).all(share) {
            return Err("standing, learning: every share must be from 0 to 1".to_owned());
        }
        let name = |tier: &TierRule| tier.name.clone();
        let mut names: Vec<String> = rules.tiers.iter().map(name).chain(["standard", "restricted"].map(str::to_owned)).collect();
        names.sort();
        if names.windows(2).any(|pair| pair[0] == pair[1]) || names[0].is_empty() {
            return Err("standing.tiers: every tier needs a name of its own, other than standard and restricted".to_owned());
        }
        if self.asks.days == 0 || self.asks.days > 250 {
            return Err("asks.days must be from 1 to 250".to_owned());
        }
        Ok(())
    }
}
