//! Hashes of all windows of a text, each in a few instructions, and a sieve to ask of a hash whether it is worth a look.

use super::window::LONGEST;

/// Odd, so that no letter is lost; its bits are those of the golden ratio.
const BASE: u64 = 0x9E37_79B9_7F4A_7C15;

/// Powers of the base.
const POWERS: [u64; LONGEST + 1] = {
    let mut powers = [1_u64; LONGEST + 1];
    let mut i = 1;
    while i <= LONGEST {
        powers[i] = powers[i - 1].wrapping_mul(BASE);
        i += 1;
    }
    powers
};

/// Sums over a text's letters from its beginning, from which the hash of any window of at most [`LONGEST`] follows.
#[derive(Debug)]
pub(super) struct Rolling(Vec<u64>);

impl Default for Rolling {
    fn default() -> Self {
        Self(vec![0])
    }
}

impl Rolling {
    pub(super) fn clear(&mut self) {
        self.0.truncate(1);
    }

    /// Adds a word, each letter read as another.
    pub(super) fn push(&mut self, word: &[u8], read: impl Fn(u8) -> u8) {
        let mut sum = self.0[self.0.len() - 1];
        self.0.extend(word.iter().map(|letter| {
            sum = sum.wrapping_mul(BASE).wrapping_add(u64::from(read(*letter)) + 1);
            sum
        }));
    }

    /// Letters so far.
    pub(super) fn len(&self) -> usize {
        self.0.len() - 1
    }

    /// Hash of the letters from one place to another.
    pub(super) fn hash(&self, from: usize, to: usize) -> u64 {
        self.0[to].wrapping_sub(self.0[from].wrapping_mul(POWERS[to - from]))
    }

    /// Hashes of a window whole, and less each of its letters.
    pub(super) fn less_one(&self, from: usize, to: usize) -> impl Iterator<Item = u64> + '_ {
        let less = move |left_out: usize| {
            self.hash(from, left_out).wrapping_mul(POWERS[to - left_out - 1]).wrapping_add(self.hash(left_out + 1, to))
        };
        std::iter::once(self.hash(from, to)).chain((from..to).map(less))
    }

    pub(super) fn of(word: &[u8]) -> Self {
        let mut rolling = Self::default();
        rolling.push(word, |letter| letter);
        rolling
    }
}

/// Which hashes may be among some: never denies one that is, and lets through one in some fifty that are not.
#[derive(Debug)]
pub(super) struct Sieve {
    bits: Vec<u64>,
    shift: u32,
}

/// Bits for each hash.
const ROOM: usize = 64;
/// Fewest bits.
const LEAST: usize = 1 << 13;

impl Sieve {
    pub(super) fn of(hashes: impl ExactSizeIterator<Item = u64>) -> Self {
        let size = (hashes.len() * ROOM).max(LEAST).next_power_of_two();
        let mut sieve = Self { bits: vec![0; size / 64], shift: 64 - size.trailing_zeros() };
        for hash in hashes {
            let (word, bit) = sieve.place(hash);
            sieve.bits[word] |= bit;
        }
        sieve
    }

    /// The lower bits of a rolling hash know only the last letters: multiplied, the upper ones know all.
    fn place(&self, hash: u64) -> (usize, u64) {
        let index = (hash ^ (hash >> 32)).wrapping_mul(BASE) >> self.shift;
        ((index / 64) as usize, 1 << (index % 64))
    }

    pub(super) fn may_have(&self, hash: u64) -> bool {
        let (word, bit) = self.place(hash);
        self.bits[word] & bit != 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_window_has_the_hash_of_its_letters(text in "[a-z0-9]{1,26}", a in 0..27_usize, b in 0..27_usize) {
            let (from, to) = (a.min(b).min(text.len()), a.max(b).min(text.len()));
            let letters = text.as_bytes();
            let whole = |letters: &[u8]| Rolling::of(letters).hash(0, letters.len());
            let rolling = Rolling::of(letters);
            prop_assert_eq!(rolling.hash(from, to), whole(&letters[from..to]));
            let less: Vec<u64> = (from..to).map(|k| whole(&[&letters[from..k], &letters[k + 1..to]].concat())).collect();
            prop_assert_eq!(rolling.less_one(from, to).skip(1).collect::<Vec<_>>(), less);
        }

        #[test]
        fn a_sieve_lets_its_own_through(hashes in proptest::collection::vec(any::<u64>(), 0..500)) {
            let sieve = Sieve::of(hashes.iter().copied());
            prop_assert!(hashes.iter().all(|hash| sieve.may_have(*hash)));
        }
    }
}
