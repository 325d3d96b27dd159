//! Latencies counted in steps that grow with them, so that memory is bounded and none is left out.

/// Steps of each doubling: a figure is at most 1/128 too high, and never too low.
const STEPS: u64 = 128;
/// Up to this many microseconds each has a step of its own.
const SINGLE: u32 = 64 - (2 * STEPS - 1).leading_zeros();
/// Microseconds that nothing counts beyond: twelve days.
const MOST: u64 = 1 << 40;

/// Counts of latencies, in microseconds.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    count: u64,
    max: u64,
}

impl Histogram {
    /// Counts one.
    pub(super) fn record(&mut self, micros: u64) {
        let micros = micros.min(MOST);
        let slot = slot(micros);
        if slot >= self.counts.len() {
            self.counts.resize(slot + 1, 0);
        }
        self.counts[slot] += 1;
        self.count += 1;
        self.max = self.max.max(micros);
    }

    /// How many were counted.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The longest.
    pub(super) fn max(&self) -> u64 {
        self.max
    }

    /// What so many of a thousand do not exceed; nothing where none was counted.
    pub(super) fn per_mille(&self, per_mille: u64) -> Option<u64> {
        let rank = self.count.saturating_mul(per_mille).div_ceil(1000).max(1);
        let mut seen = 0_u64;
        self.counts.iter().enumerate().find_map(|(slot, count)| {
            seen += count;
            (seen >= rank).then(|| highest(slot).min(self.max))
        })
    }
}

fn slot(micros: u64) -> usize {
    let shift = (64 - SINGLE).saturating_sub(micros.leading_zeros());
    // At most some 4,400.
    usize::try_from(u64::from(shift) * STEPS + (micros >> shift)).unwrap_or_default()
}

/// The highest of a slot.
fn highest(slot: usize) -> u64 {
    let slot = slot as u64;
    let shift = (slot / STEPS).saturating_sub(1);
    ((slot - shift * STEPS + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_follow_each_other_and_end_where_the_next_begins() {
        for micros in (0..5_000).chain([65_535, 65_536, 1_000_000_007, MOST - 1, MOST]) {
            let end = highest(slot(micros));
            assert!((micros..=micros + micros / STEPS).contains(&end), "{micros} ends at {end}");
            assert_eq!(slot(end), slot(micros));
            assert_eq!(slot(end + 1), slot(micros) + 1);
        }
    }

    #[test]
    fn percentiles_are_those_of_a_sort() {
        let mut random = fastrand::Rng::with_seed(7);
        for size in [1, 2, 10, 999, 20_000] {
            let mut histogram = Histogram::default();
            let mut sorted: Vec<u64> = (0..size)
                .map(|_| {
                    let bits = random.u32(1..34);
                    random.u64(0..1 << bits)
                })
                .collect();
            sorted.iter().for_each(|micros| histogram.record(*micros));
            sorted.sort_unstable();
            for per_mille in [1_usize, 500, 900, 990, 999, 1000] {
                let exact = sorted[(sorted.len() * per_mille).div_ceil(1000) - 1];
                let found = histogram.per_mille(per_mille as u64).expect("a percentile");
                assert!((exact..=exact + exact / STEPS).contains(&found), "{per_mille} of {size}: {found} for {exact}");
            }
            assert_eq!(histogram.per_mille(1000), sorted.last().copied());
            assert_eq!((histogram.max(), histogram.count()), (sorted[sorted.len() - 1], sorted.len() as u64));
        }
    }

    #[test]
    fn nothing_has_no_percentiles() {
        assert_eq!(Histogram::default().per_mille(500), None);
    }
}
