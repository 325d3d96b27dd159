//! How alike a listing's words and a product's words are.

use std::collections::HashMap;

/// A word of a product index.
pub(crate) type Term = u32;

/// What one side of a comparison says: its words, its quantities.
#[derive(Debug, Default, Clone)]
pub(crate) struct Bag {
    /// Words without repetition, sorted.
    pub(crate) terms: Vec<Term>,
    /// Of a product, words of its model numbers: they tell for it where a listing has them, and nothing where it has not.
    pub(crate) numbers: Vec<Term>,
    /// Words that the index does not have.
    pub(crate) strange: usize,
    /// Quantities: number and unit.
    pub(crate) quantities: Vec<(u64, Unit)>,
}

/// Units that tell one size of a product from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unit {
    Bytes,
    Millilitres,
    Grams,
    Inches,
    Watts,
}

/// Words by number, with how much each says.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    pub(crate) numbers: HashMap<String, Term>,
    /// For each word, in how many products it stands.
    pub(crate) frequency: Vec<u32>,
    pub(crate) products: u32,
}

impl Vocabulary {
    /// Inverse document frequency: rare words say more.
    pub(crate) fn weight(&self, term: Term) -> f64 {
        let frequency = f64::from(self.frequency[term as usize]);
        libm::log((1.0 + f64::from(self.products)) / (0.5 + frequency)).max(0.1)
    }

    /// What a word says that no product has.
    fn strange_weight(&self) -> f64 {
        libm::log(2.0 * (1.0 + f64::from(self.products))) * 0.35
    }

    pub(crate) fn bag(&self, text: &str) -> Bag {
        let mut bag = Bag { quantities: quantities(text), ..Bag::default() };
        for word in words(text) {
            match self.numbers.get(word) {
                Some(term) => bag.terms.push(*term),
                None => bag.strange += 1,
            }
        }
        bag.terms.sort_unstable();
        bag.terms.dedup();
        bag
    }

    /// Similarity of a listing to a product, 0 to 1: the weight of the words they share, over that of the product's
    /// words and, to a lesser part, of the listing's, which has words for the search engine besides. A word that the
    /// listing repeats counts once. Sizes that contradict each other halve it.
    pub(crate) fn similarity(&self, listing: &Bag, product: &Bag) -> f64 {
        let weigh = |terms: &[Term]| terms.iter().map(|t| self.weight(*t)).sum::<f64>();
        let common = |terms: &[Term]| terms.iter().filter(|t| listing.terms.binary_search(t).is_ok()).map(|t| self.weight(*t)).sum::<f64>();
        let (name, numbers) = (common(&product.terms), common(&product.numbers));
        let shared = name + numbers;
        if shared == 0.0 {
            return 0.0;
        }
        // Counts of words are far below what a float holds exactly.
        #[allow(clippy::cast_precision_loss)]
        let strange = listing.strange as f64 * self.strange_weight();
        let whole = 0.65 * (weigh(&product.terms) + numbers) + 0.35 * (weigh(&listing.terms) + strange);
        let contradicts = product.quantities.iter().any(|(n, unit)| {
            let mut same = listing.quantities.iter().filter(|(_, u)| u == unit).peekable();
            same.peek().is_some() && same.all(|(m, _)| m != n)
        });
        let factor = if contradicts { 0.5 } else { 1.0 };
        (shared / whole * factor).min(1.0)
    }
}

/// The words of a normalised text; single Latin letters say nothing.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', '\n']).filter(|w| w.len() > 1 || w.bytes().any(|b| b.is_ascii_digit()))
}

/// Quantities with a unit, in the smallest common unit: `64 gb`, `1tb`, `50 ml`, `3.4 oz` is left out for its fraction.
fn quantities(text: &str) -> Vec<(u64, Unit)> {
    let tokens: Vec<&str> = text.split([' ', '\n']).collect();
    let mut found = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        let digits = token.bytes().take_while(u8::is_ascii_digit).count();
        let Ok(n) = token[..digits].parse::<u64>() else { continue };
        let unit = if digits < token.len() { &token[digits..] } else { tokens.get(i + 1).copied().unwrap_or_default() };
        let (scale, unit) = match unit {
            "mb" => (1, Unit::Bytes),
            "gb" => (1_000, Unit::Bytes),
            "tb" => (1_000_000, Unit::Bytes),
            "ml" => (1, Unit::Millilitres),
            "l" | "litre" | "liter" => (1_000, Unit::Millilitres),
            "g" | "gr" | "gram" => (1, Unit::Grams),
            "kg" => (1_000, Unit::Grams),
            "inch" | "inches" => (1, Unit::Inches),
            "w" | "watt" => (1, Unit::Watts),
            _ => continue,
        };
        found.push((n.saturating_mul(scale), unit));
    }
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_compare_across_units() {
        assert_eq!(quantities("flash disk 64 gb"), quantities("flash disk 64gb"));
        assert_eq!(quantities("1 tb"), quantities("1000 gb"));
        assert_eq!(quantities("runner 90"), []);
    }
}
