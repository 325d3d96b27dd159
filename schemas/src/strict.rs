//! The quick way to decode: one pass over the text that gives up at the first thing that is not as the contract says.
//!
//! Nearly every payload is faultless, and for these one pass is enough. What gives up is decoded again, slowly, by
//! `decode`, which says what is wrong and where. Whatever this way accepts, the other decodes to the same value without a fault.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::decode::Decode;

/// Makes a [`Decode`] type what serde can read.
pub(crate) struct Sure<T>(pub(crate) T);

impl<'de, T: Decode> Deserialize<'de> for Sure<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::strict(deserializer).map(Self)
    }
}

/// A text borrowed from the payload where it has no escapes.
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyText;
        impl<'de> Visitor<'de> for AnyText {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(v)))
            }
            fn visit_str<E>(self, v: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(v.to_owned())))
            }
        }
        deserializer.deserialize_str(AnyText)
    }
}

/// A text of a form.
pub(crate) fn text<'de, T, D: Deserializer<'de>>(deserializer: D, read: impl FnOnce(&str) -> Option<T>) -> Result<T, D::Error> {
    read(&Text::deserialize(deserializer)?.0).ok_or_else(|| D::Error::custom("a form"))
}

/// Keys and values. Null is left to the slow way, and so is a key that comes twice.
pub(crate) fn map<'de, T: Decode, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, T>, D::Error> {
    struct Members<T>(PhantomData<T>);
    impl<'de, T: Decode> Visitor<'de> for Members<T> {
        type Value = BTreeMap<String, T>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some((key, Sure(value))) = members.next_entry::<String, Sure<T>>()? {
                if map.insert(key, value).is_some() {
                    return Err(A::Error::custom("a key twice"));
                }
            }
            Ok(map)
        }
    }
    deserializer.deserialize_map(Members(PhantomData))
}

/// The values of an array.
pub(crate) fn values<T>(sure: Vec<Sure<T>>) -> Vec<T> {
    sure.into_iter().map(|Sure(value)| value).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::decode::lenient;
    use crate::{Listing, Suspect, decode};

    /// Values right and wrong for the fields of a listing.
    const VALUES: &[&str] = &[
        "null",
        "true",
        "0",
        "-0",
        "7",
        "9223372036854775807",
        "9223372036854775808",
        "1.0",
        "1e3",
        "\"\"",
        "\"upsert\"",
        "\"remove\"",
        "\"2026-11-21T08:00:00Z\"",
        "\"ID\"",
        "\"new\"",
        "\"Nordvale \\u00e9\"",
        "\"\\ud800\"",
        "[]",
        "[null]",
        "[\"a\", \"b\"]",
        "[1]",
        r#"{"amount": "95000", "currency": "IDR"}"#,
        r#"{"amount": 95000, "currency": "IDR"}"#,
        r#"{"id": "s1"}"#,
        r#"{"id": "s1", "tier": "mall", "links": [{"kind": "phone", "key": "k"}], "more": [{}]}"#,
        r#"{"id": "s1", "id": "s2"}"#,
        r#"[{"name": "red", "units": 2, "image_indexes": [0, 1], "attributes": {"size": "42"}}, {"price": null}]"#,
        r#"{"a": "b", "a": "c"}"#,
        r#"{"a": null}"#,
        r#"{"sold": 4, "rating": 4.5, "reviews": 1}"#,
        r#"[{"url": "u", "sha256": "zz"}]"#,
    ];
    const KEYS: &[&str] = &[
        "seller",
        "title",
        "description",
        "url",
        "language",
        "brand",
        "condition",
        "category",
        "price",
        "list_price",
        "units",
        "variants",
        "attributes",
        "stats",
        "images",
        "image_text",
        "else",
        "op",
        "revision",
        "market",
        "event_id",
        "ti\\u0074le",
    ];

    proptest! {
        #[test]
        fn what_is_accepted_at_once_is_what_the_slow_way_makes_of_it(
            fields in proptest::collection::vec((0..KEYS.len(), 0..VALUES.len()), 0..6),
        ) {
            let mut text = r#"{"event_id": "e", "op": "upsert", "occurred_at": "2026-11-21T08:00:00Z", "platform": "lazada",
                "market": "ID", "listing_id": "1", "revision": 1, "seller": {"id": "s"}, "title": "t""#.to_owned();
            // Two in three have the field but once.
            let fields = fields.into_iter().filter(|(key, value)| (key + value) % 3 != 0 || !text.contains(KEYS[*key]));
            let added: String = fields.map(|(key, value)| format!(r#", "{}": {}"#, KEYS[key], VALUES[value])).collect();
            text.push_str(&added);
            text.push('}');
            if let Ok(Sure(quick)) = serde_json::from_str::<Sure<Listing>>(&text) {
                let slow = lenient::<Listing>(&text).map(|slow| (slow.value, slow.faults));
                prop_assert_eq!(slow, Ok((quick, Vec::new())));
            } else {
                let slow = lenient::<Listing>(&text);
                prop_assert_eq!(decode::<Listing>(text.as_bytes()), slow);
            }
        }
    }

    #[test]
    fn a_faultless_payload_is_decoded_in_one_pass() {
        let listing = include_bytes!("../golden/listing.json");
        assert!(serde_json::from_slice::<Sure<Listing>>(listing).is_ok());
        assert!(serde_json::from_slice::<Sure<Suspect>>(include_bytes!("../golden/suspect.json")).is_ok());
    }
}
