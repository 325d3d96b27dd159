//! The JSON Schema of every event, by name.

use serde_json::{Value, json};

use crate::decode::Schema;

/// Declares the named schemas.
macro_rules! named {
    ($($name:literal => $type:ty,)*) => {
        const NAMES: &[&str] = &[$($name),*];

        fn body(name: &str) -> Option<Value> {
            match name { $($name => Some(<$type as Schema>::schema()),)* _ => None }
        }

        /// Decodes a text as the named event and writes it again.
        #[cfg(test)]
        fn round_trip(name: &str, text: &[u8]) -> Option<Result<(String, Vec<crate::Fault>), String>> {
            let write = |value: Result<String, serde_json::Error>| value.map_err(|e| e.to_string());
            match name {
                $($name => Some(crate::decode::<$type>(text).map_err(|e| e.to_string()).and_then(|d| Ok((write(serde_json::to_string(&d.value))?, d.faults)))),)*
                _ => None,
            }
        }
    };
}

named! {
    "appeal" => crate::Appeal,
    "authorised_seller" => crate::AuthorisedSeller,
    "brand" => crate::Brand,
    "case" => crate::Case,
    "category" => crate::CategoryMapping,
    "dead_letter" => crate::DeadLetter,
    "desk" => crate::DeskState,
    "docket" => crate::Docket,
    "fx" => crate::Fx,
    "known_fake" => crate::KnownFake,
    "link" => crate::Link,
    "listing" => crate::Listing,
    "notice" => crate::Notice,
    "offender" => crate::Offender,
    "phrase" => crate::Phrase,
    "product" => crate::Product,
    "receipt" => crate::Receipt,
    "removal" => crate::Removal,
    "retry" => crate::Retry,
    "rights_holder" => crate::RightsHolder,
    "standing" => crate::Standing,
    "state" => crate::ListingState,
    "suspect" => crate::Suspect,
    "verdict" => crate::Verdict,
    "version" => crate::SetVersion,
}

/// The names of all schemas, sorted.
pub fn names() -> &'static [&'static str] {
    NAMES
}

/// The JSON Schema (draft 2020-12) of the named event.
pub fn json_schema(name: &str) -> Option<Value> {
    let mut schema = body(name)?;
    if let Some(object) = schema.as_object_mut() {
        object.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        object.insert("title".to_owned(), json!(name));
    }
    Some(schema)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn folder(name: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
    }

    /// `TOUCHSTONE_BLESS=1 cargo test -p touchstone-schemas` writes the files anew.
    #[test]
    fn the_schema_files_are_those_of_the_types() {
        let bless = std::env::var_os("TOUCHSTONE_BLESS").is_some();
        for name in names() {
            let generated = format!("{:#}\n", json_schema(name).expect("a known name"));
            let file = folder("json").join(format!("{name}.schema.json"));
            if bless {
                std::fs::write(&file, &generated).expect("the folder can be written");
            }
            let kept = std::fs::read_to_string(&file).unwrap_or_default();
            assert!(kept == generated, "{} is not what the type says: run with TOUCHSTONE_BLESS=1", file.display());
        }
        let files = std::fs::read_dir(folder("json")).expect("the folder is there").count();
        assert_eq!(files, names().len(), "a schema file without a type");
    }

    #[test]
    fn each_golden_example_decodes_whole_and_is_written_as_it_came() {
        for name in names() {
            let file = folder("golden").join(format!("{name}.json"));
            let text = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            let (written, faults) = round_trip(name, text.as_bytes()).expect("a known name").unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(faults, [], "{name}");
            let (kept, written): (Value, Value) =
                (serde_json::from_str(&text).expect("JSON"), serde_json::from_str(&written).expect("JSON"));
            assert_eq!(kept, written, "{name}");
            let schema = json_schema(name).expect("a known name");
            for (key, _) in kept.as_object().expect("an object") {
                assert!(schema["properties"][key].is_object(), "{name}.{key} is not in the schema");
            }
        }
    }
}
