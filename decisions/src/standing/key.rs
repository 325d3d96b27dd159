//! Short names for ids: 16 bytes for what there are millions of, a number for what there are few of.

use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};

/// An id in 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key([u64; 2]);

impl Key {
    /// An id of 32 lower-case hexadecimal digits is its own key; of any other text it is a hash.
    pub(super) fn of(id: &str) -> Self {
        let digits = id.len() == 32 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let parsed = if digits { u128::from_str_radix(id, 16).ok() } else { None };
        Self::halves(parsed.unwrap_or_else(|| {
            let hash = Sha256::digest(id.as_bytes());
            hash.iter().take(16).fold(0, |key, byte| key << 8 | u128::from(*byte))
        }))
    }

    /// The same id within a brand: whatever a verdict claims, matters of two brands never share a key.
    pub(super) fn within(self, brand: u32) -> Self {
        Self([self.0[0] ^ u64::from(brand).wrapping_mul(0x9e37_79b9_7f4a_7c15), self.0[1]])
    }

    fn halves(key: u128) -> Self {
        let half = |at: u32| u64::try_from(key >> at & u128::from(u64::MAX)).unwrap_or_default();
        Self([half(64), half(0)])
    }
}

/// Texts by number, in the order in which they came.
#[derive(Default)]
pub(super) struct Names {
    numbers: FxHashMap<String, u32>,
    texts: Vec<String>,
}

impl Names {
    /// The number of a text, a new one where it is new.
    pub(super) fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.numbers.insert(text.to_owned(), number);
        self.texts.push(text.to_owned());
        number
    }

    /// The number of a text that was seen.
    pub(super) fn find(&self, text: &str) -> Option<u32> {
        self.numbers.get(text).copied()
    }

    /// The text of a number.
    pub(super) fn text(&self, number: u32) -> &str {
        usize::try_from(number).ok().and_then(|number| self.texts.get(number)).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_tell_ids_and_brands_apart() {
        let hex = "00112233445566778899aabbccddeeff";
        assert_eq!(Key::of(hex), Key([0x0011_2233_4455_6677, 0x8899_aabb_ccdd_eeff]));
        let ids = [hex, "00112233445566778899AABBCCDDEEFF", "+0112233445566778899aabbccddeeff", "s1", "s2", ""];
        let mut keys: Vec<Key> = ids.iter().flat_map(|id| (0..3).map(|brand| Key::of(id).within(brand))).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 18);
    }

    #[test]
    fn names_give_back_their_texts() {
        let mut names = Names::default();
        assert_eq!([names.number("a"), names.number("b"), names.number("a")], [0, 1, 0]);
        assert_eq!((names.text(1), names.text(7), names.find("b"), names.find("c")), ("b", "", Some(1), None));
    }
}
