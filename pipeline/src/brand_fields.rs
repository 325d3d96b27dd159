//! What of a suspect leaves the house: the fields that the policy names, on every way to a brand.

use std::borrow::Cow;

use serde_json::value::RawValue;
use touchstone_detectors::Policy;

/// A suspect event as a brand gets it, its fields in their order; nothing where it is no JSON object.
pub(crate) fn fields_for_brand<'a>(policy: &Policy, suspect: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    let fields: Fields<'_> = serde_json::from_slice(suspect).ok()?;
    let kept = policy.brand_fields();
    if kept.is_empty() {
        return Some(Cow::Borrowed(suspect));
    }
    let kept = Fields(fields.0.into_iter().filter(|(name, _)| kept.contains(name)).collect());
    serde_json::to_vec(&kept).ok().map(Cow::Owned)
}

/// The fields of an object as they are written, so that numbers keep their digits.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> serde::Deserialize<'de> for Fields<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Visitor)
    }
}

impl serde::Serialize for Fields<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_fields_leave_in_their_order_and_as_written() {
        let suspect = br#"{"suspect_id":"s", "score":0.950000, "listing":{"seller":{"id":"x"}},"band":"report"}"#;
        for (fields, expected) in [
            ("[]", Some(&suspect[..])),
            ("[\"score\", \"suspect_id\"]", Some(&br#"{"suspect_id":"s","score":0.950000}"#[..])),
            ("[\"supersedes\"]", Some(&b"{}"[..])),
        ] {
            let policy = Policy::parse(&format!("[brand_topics]\nfields = {fields}")).expect("a policy");
            assert_eq!(fields_for_brand(&policy, suspect).as_deref(), expected, "{fields}");
            for nothing in [&b"{"[..], b"[1]", b"", b"\xff"] {
                assert_eq!(fields_for_brand(&policy, nothing), None, "{fields}");
            }
        }
    }
}
