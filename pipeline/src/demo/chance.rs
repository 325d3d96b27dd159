//! Chance that is the same each time: the demo shows the same to everybody.

/// SplitMix64, after Steele, Lea and Flood (2014).
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Under a number.
    pub(super) fn under(&mut self, most: usize) -> usize {
        // The remainder is under `most`.
        (self.next() % most as u64) as usize
    }

    /// From a number up to another.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        // 53 bits are what a float holds exactly.
        #[allow(clippy::cast_precision_loss)]
        let share = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        low + (high - low) * share
    }

    /// One of several.
    pub(super) fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.under(of.len())]
    }
}
