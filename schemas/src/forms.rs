//! The small forms that many events share: amounts, currencies, markets, brand ids, weights, scores.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::decode::{Decode, Decoder, Fault, FaultReason, Schema, cut};

/// Declares a string of a fixed form.
macro_rules! form {
    ($(#[doc = $doc:literal])* $name:ident, $pattern:literal, $example:literal, $check:expr) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text, if it has the form.
            pub fn new(text: &str) -> Option<Self> {
                let check: fn(&[u8]) -> bool = $check;
                check(text.as_bytes()).then(|| Self(text.to_owned()))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl Decode for $name {
            fn decode(raw: &RawValue, decoder: &mut Decoder) -> Result<Self, Fault> {
                let text = String::decode(raw, decoder)?;
                Self::new(&text).ok_or_else(|| {
                    decoder.fault(FaultReason::WrongForm, format!("expected a text like {} ({}), found {:?}", $example, $pattern, cut(&text)))
                })
            }

            fn strict<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::strict::text(deserializer, Self::new)
            }
        }

        impl Schema for $name {
            fn schema() -> Value {
                json!({"type": "string", "pattern": $pattern})
            }
        }
    };
}

form!(
    /// A brand's id.
    BrandId, "^[a-z0-9][a-z0-9-]{0,62}$", "acme-shoes", |b| {
        (1..=63).contains(&b.len()) && b[0] != b'-' && b.iter().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == b'-')
    }
);
form!(
    /// A market: ISO 3166-1 alpha-2, or ZZ for worldwide.
    Market, "^[A-Z]{2}$", "ID", |b| b.len() == 2 && b.iter().all(u8::is_ascii_uppercase)
);
form!(
    /// A currency: ISO 4217.
    Currency, "^[A-Z]{3}$", "IDR", |b| b.len() == 3 && b.iter().all(u8::is_ascii_uppercase)
);
form!(
    /// A SHA-256 hash, hexadecimal.
    Sha256Hex, "^[0-9a-fA-F]{64}$", "64 hexadecimal digits", |b| b.len() == 64 && b.iter().all(u8::is_ascii_hexdigit)
);
form!(
    /// A PDQ hash of a picture, hexadecimal.
    PdqHex, "^[0-9a-fA-F]{64}$", "64 hexadecimal digits", |b| b.len() == 64 && b.iter().all(u8::is_ascii_hexdigit)
);
form!(
    /// A decimal amount of money, never a float.
    Amount, "^[0-9]{1,18}(\\.[0-9]{1,6})?$", "95000 or 19.90", |b| {
        let (whole, fraction) = match b.iter().position(|c| *c == b'.') {
            Some(dot) => (&b[..dot], Some(&b[dot + 1..])),
            None => (b, None),
        };
        let digits = |part: &[u8], most: usize| (1..=most).contains(&part.len()) && part.iter().all(u8::is_ascii_digit);
        digits(whole, 18) && fraction.is_none_or(|part| digits(part, 6))
    }
);

impl Amount {
    /// The nearest float, for ratios.
    pub fn value(&self) -> f64 {
        // The form is a subset of what f64 reads.
        self.0.parse().unwrap_or(0.0)
    }

    /// An amount from a float, to the cent; nothing for what is negative, not finite or over 18 digits.
    pub fn from_value(value: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        let text = format!("{value:.2}");
        Self::new(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// Declares a number kept as an integer of decimal units, so that sums and texts are the same on any processor.
macro_rules! decimal {
    ($(#[doc = $doc:literal])* $name:ident, $units:literal) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
        pub struct $name(i64);

        impl $name {
            /// The nearest value to a float; zero for what is not finite.
            pub fn from_f64(value: f64) -> Self {
                // A float cast saturates and takes NaN to zero; both ends are far outside what is used.
                #[allow(clippy::cast_possible_truncation)]
                Self(if value.is_finite() { (value * $units).round() as i64 } else { 0 })
            }

            /// The value as a float.
            pub fn to_f64(self) -> f64 {
                #[allow(clippy::cast_precision_loss)]
                let units = self.0 as f64;
                units / $units
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_f64(self.to_f64())
            }
        }

        impl Decode for $name {
            fn decode(raw: &RawValue, decoder: &mut Decoder) -> Result<Self, Fault> {
                f64::decode(raw, decoder).map(Self::from_f64)
            }

            fn strict<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                f64::strict(deserializer).map(Self::from_f64)
            }
        }

        impl Schema for $name {
            fn schema() -> Value {
                json!({"type": "number"})
            }
        }
    };
}

decimal!(
    /// A weight of evidence in log-odds, to 4 decimals.
    Weight, 10_000.0
);
decimal!(
    /// A probability, a similarity or a ratio, to 6 decimals.
    Score, 1_000_000.0
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_form_of_the_contract() {
        for good in ["0", "95000", "19.90", "0.000001", "999999999999999999.999999"] {
            assert!(Amount::new(good).is_some(), "{good}");
        }
        for bad in ["", "-5", "1e9999", "NaN", ".5", "5.", "1,000", "1.0000001", "1000000000000000000", " 1", "１", "+1", "0x1"] {
            assert!(Amount::new(bad).is_none(), "{bad}");
        }
        assert_eq!(Amount::from_value(12.5).map(|a| a.to_string()).as_deref(), Some("12.5"));
        assert_eq!(Amount::from_value(1200.0).map(|a| a.to_string()).as_deref(), Some("1200"));
        assert_eq!(Amount::from_value(f64::INFINITY), None);
    }

    #[test]
    fn ids_and_markets_have_the_form_of_the_contract() {
        for (good, bad) in [("a", ""), ("a-1", "-a"), ("0x", "A"), ("a--b", "a_b"), ("brand", "brand ")] {
            assert!(BrandId::new(good).is_some(), "{good}");
            assert!(BrandId::new(bad).is_none(), "{bad}");
        }
        assert!(BrandId::new(&"a".repeat(63)).is_some() && BrandId::new(&"a".repeat(64)).is_none());
        assert!(Market::new("ID").is_some() && Market::new("id").is_none() && Market::new("IDN").is_none());
    }

    #[test]
    fn decimals_print_what_they_hold() {
        assert_eq!(serde_json::to_string(&Weight::from_f64(1.80004)).ok().as_deref(), Some("1.8"));
        assert_eq!(serde_json::to_string(&Weight::from_f64(-4.89885)).ok().as_deref(), Some("-4.8989"));
        assert_eq!(serde_json::to_string(&Score::from_f64(0.973_123_49)).ok().as_deref(), Some("0.973123"));
    }
}
