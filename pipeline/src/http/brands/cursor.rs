//! How far a brand has read, as a text that it gives back: opaque to it, and worth nothing to anybody else, since a cursor
//! opens no topic.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// Version of the form.
const VERSION: u64 = 1;
/// Characters of the longest cursor that is read: some thousand partitions.
const LONGEST: usize = 48 << 10;

/// The next offset of each partition; one that is missing is read from its beginning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    /// Whether the offsets are those of the brand's own topic.
    pub(super) own: bool,
    pub(super) next: BTreeMap<i32, i64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    v: u64,
    own: bool,
    next: Vec<(i32, i64)>,
}

impl Cursor {
    pub(super) fn write(&self) -> String {
        let written = Written { v: VERSION, own: self.own, next: self.next.iter().map(|(p, o)| (*p, *o)).collect() };
        // Made of numbers and lists: writing it cannot fail.
        BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&written).unwrap_or_default())
    }

    /// Nothing where it is none of ours.
    pub(super) fn read(text: &str) -> Option<Self> {
        let bytes = Some(text).filter(|t| t.len() <= LONGEST).and_then(|t| BASE64_URL_SAFE_NO_PAD.decode(t).ok())?;
        let Written { v, own, next } = serde_json::from_slice(&bytes).ok()?;
        // Offsets under zero mean something else to the client library, like the end of the topic.
        let sound = v == VERSION && next.iter().all(|(p, o)| *p >= 0 && *o >= 0) && next.is_sorted_by(|a, b| a.0 < b.0);
        sound.then(|| Self { own, next: next.into_iter().collect() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(own: bool, next in prop::collection::btree_map(0..i32::MAX, 0..i64::MAX, 0..40)) {
            let cursor = Cursor { own, next };
            let text = cursor.write();
            prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
            prop_assert_eq!(Cursor::read(&text), Some(cursor));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,80}", json in "[\\[\\]{}0-9,\":a-z-]{0,60}") {
            let _ = Cursor::read(&text);
            let _ = Cursor::read(&BASE64_URL_SAFE_NO_PAD.encode(json));
        }
    }

    #[test]
    fn hostile_cursors_are_refused() {
        for (json, sound) in [
            ("{\"v\":1,\"own\":false,\"next\":[[0,7],[3,9]]}", true),
            ("{\"v\":1,\"own\":true,\"next\":[]}", true),
            ("{\"v\":2,\"own\":false,\"next\":[]}", false),
            ("{\"v\":1,\"own\":false,\"next\":[[0,-1]]}", false),
            ("{\"v\":1,\"own\":false,\"next\":[[-1,1]]}", false),
            ("{\"v\":1,\"own\":false,\"next\":[[1,1],[0,1]]}", false),
            ("{\"v\":1,\"own\":false,\"next\":[[0,1],[0,2]]}", false),
            ("{\"v\":1,\"own\":false,\"next\":[[0,9223372036854775808]]}", false),
            ("{\"v\":1,\"own\":false,\"next\":[[0,1.5]]}", false),
            ("{\"v\":1,\"own\":false,\"next\":[],\"topic\":\"listings\"}", false),
            ("[]", false),
            ("", false),
        ] {
            assert_eq!(Cursor::read(&BASE64_URL_SAFE_NO_PAD.encode(json)).is_some(), sound, "{json}");
        }
        for text in ["", "e30=", "e3+/", "not base64!", "\u{0}"] {
            assert_eq!(Cursor::read(text), None, "{text}");
        }
        assert_eq!(Cursor::read(&"A".repeat(LONGEST + 4)), None);
    }
}
