//! Exchange rates: every amount to US dollars, so that prices compare.

use std::collections::HashMap;

use touchstone_schemas::{Currency, Fx, Price, decode};

/// US dollars for one unit of each known currency.
#[derive(Debug)]
pub struct Rates(HashMap<Currency, f64>);

impl Rates {
    /// The catalog's rates, or the shipped ones.
    pub fn new(fx: Option<&Fx>) -> Self {
        static SHIPPED: &str = include_str!("../../defaults/fx.json");
        match fx {
            Some(fx) => Self::of(fx),
            None => decode::<Fx>(SHIPPED.as_bytes()).map(|d| Self::of(&d.value)).unwrap_or_else(|e| unreachable!("the shipped rates: {e}")),
        }
    }

    fn of(fx: &Fx) -> Self {
        let currency = |code: &str, rate: f64| Currency::new(code).filter(|_| rate.is_finite() && rate > 0.0).map(|c| (c, rate));
        let mut per_base: HashMap<Currency, f64> =
            fx.per_base.iter().flatten().filter_map(|(code, amount)| currency(code, amount.value())).collect();
        if let Some(base) = &fx.base {
            per_base.entry(base.clone()).or_insert(1.0);
        }
        // What a dollar is in the base cancels out where there is no dollar.
        let dollar = Currency::new("USD").and_then(|usd| per_base.get(&usd).copied()).unwrap_or(1.0);
        let mut usd: HashMap<Currency, f64> = per_base.into_iter().map(|(code, rate)| (code, dollar / rate)).collect();
        usd.extend(fx.per_usd.iter().flatten().filter_map(|(code, rate)| currency(code, *rate)).map(|(code, rate)| (code, 1.0 / rate)));
        Self(usd)
    }

    /// What is wrong with rates.
    pub(crate) fn faults(fx: &Fx) -> Vec<String> {
        let mut faults = Vec::new();
        let per_base = fx.per_base.iter().flatten().map(|(code, amount)| ("per_base", code, amount.value()));
        let per_usd = fx.per_usd.iter().flatten().map(|(code, rate)| ("per_usd", code, *rate));
        for (table, code, rate) in per_base.chain(per_usd) {
            if Currency::new(code).is_none() {
                faults.push(format!("{table}.{code}: expected a currency's code, three capital letters like IDR"));
            } else if !(rate.is_finite() && rate > 0.0) {
                faults.push(format!("{table}.{code}: a rate must be over 0"));
            }
        }
        if fx.per_base.is_some() && fx.base.is_none() {
            faults.push("base: is required with per_base: the currency that the rates count from".to_owned());
        }
        if fx.per_base.is_none() && fx.per_usd.is_none() {
            faults.push("no rates: give per_base with base, or per_usd".to_owned());
        }
        faults
    }

    /// Whether amounts in this currency can be compared.
    pub fn knows(&self, currency: &Currency) -> bool {
        self.0.contains_key(currency)
    }

    /// US dollars for one unit of a currency.
    pub fn usd(&self, currency: &Currency) -> Option<f64> {
        self.0.get(currency).copied()
    }

    /// A price in US dollars; nothing for a currency without a rate.
    pub fn price_in_usd(&self, price: &Price) -> Option<f64> {
        self.usd(&price.currency).map(|rate| price.amount.value() * rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(fx: &str, code: &str) -> Option<f64> {
        let fx = decode::<Fx>(fx.as_bytes()).expect("rates").value;
        Rates::new(Some(&fx)).usd(&Currency::new(code).expect("a currency"))
    }

    #[test]
    fn rates_count_from_any_base() {
        let fx = r#"{"base": "EUR", "as_of": "2026-11-01", "per_base": {"USD": "1.25", "IDR": "20000"}, "per_usd": {"JPY": 150}}"#;
        assert_eq!(usd(fx, "EUR"), Some(1.25));
        assert_eq!(usd(fx, "IDR"), Some(1.25 / 20000.0));
        assert_eq!(usd(fx, "JPY"), Some(1.0 / 150.0));
        assert_eq!(usd(fx, "XYZ"), None);
        assert_eq!(usd(r#"{"as_of": "2026-11-01", "per_usd": {"IDR": 15600}}"#, "IDR"), Some(1.0 / 15600.0));
        assert!(Rates::new(None).knows(&Currency::new("VND").expect("a currency")));
    }
}
