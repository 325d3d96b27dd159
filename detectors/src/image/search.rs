//! Exact search of 192-bit hashes by Hamming distance, in a small part of the time of a scan.
//!
//! Multi-index hashing (Norouzi, Punjani and Fleet, 2012): the bits are dealt out to eight chunks. Of two hashes within a
//! radius r of each other, some chunk differs in at most r / 8 bits, and the pigeonhole principle lets all chunks but the
//! first few be searched one bit narrower. A table for each chunk lists the hashes by its bits; every chunk's neighbours
//! are looked up there, and what is found is compared whole. All reads of a step are independent of each other, so that
//! memory answers many of them at once.

/// 192 bits: signs of frequencies, of differences across, of differences down.
pub type Hash192 = [u64; 3];

const CHUNKS: usize = 8;
/// Bits of a chunk.
const WIDTH: usize = 192 / CHUNKS;
/// Fewer hashes are compared one after the other.
const FEWEST: usize = 2_000;
/// The largest radius that tables are asked with: beyond it a scan is quicker.
const WIDEST: u32 = 31;

/// Hashes that can be searched.
#[derive(Debug, Default)]
pub struct HashSearch {
    hashes: Vec<Hash192>,
    tables: Vec<Table>,
    /// Bits of a chunk that the tables go by.
    bits: usize,
    /// By number of bits, the chunks that differ from none in so many.
    flips: Vec<Vec<u32>>,
}

/// The hashes by the bits of one chunk.
#[derive(Debug)]
struct Table {
    /// Where the hashes of each bucket begin; one more for the end.
    starts: Vec<u32>,
    numbers: Vec<u32>,
}

impl HashSearch {
    /// Hashes, which are known by their places.
    pub fn of(hashes: Vec<Hash192>) -> Self {
        if hashes.len() < FEWEST {
            return Self { hashes, ..Self::default() };
        }
        // A bucket for each hash or so.
        let bits = ((hashes.len().ilog2() + 1) as usize).min(WIDTH);
        let tables = (0..CHUNKS).map(|chunk| Table::of(&hashes, chunk, bits)).collect();
        let flips = (0..=WIDEST / CHUNKS as u32).map(|count| flips(bits, count)).collect();
        Self { hashes, tables, bits, flips }
    }

    /// Places of all hashes within a radius, with their distances, in order of place.
    pub fn within(&self, hash: &Hash192, radius: u32) -> Vec<(u32, u32)> {
        if self.tables.is_empty() || radius > WIDEST {
            return self.scan(hash, radius);
        }
        let (least, full) = (radius / CHUNKS as u32, radius as usize % CHUNKS + 1);
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        let mut numbers: Vec<u32> = Vec::new();
        let mut found: Vec<(u32, u32)> = Vec::new();
        for (chunk, table) in self.tables.iter().enumerate() {
            // As many chunks as remain of the division, and one, to the full; the others one bit narrower.
            let Some(most) = (if chunk < full { Some(least) } else { least.checked_sub(1) }) else { continue };
            let own = key(hash, chunk, self.bits);
            let starts = &table.starts;
            let range = |flip: &u32| {
                let bucket = (own ^ flip) as usize;
                (starts[bucket], starts[bucket + 1])
            };
            ranges.clear();
            ranges.extend(self.flips[..=most as usize].iter().flatten().map(range));
            numbers.clear();
            ranges.iter().for_each(|(from, to)| numbers.extend_from_slice(&table.numbers[*from as usize..*to as usize]));
            let compare = |number: &u32| Some((*number, distance(hash, &self.hashes[*number as usize]))).filter(|(_, d)| *d <= radius);
            found.extend(numbers.iter().filter_map(compare));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The same by comparing all.
    pub fn scan(&self, hash: &Hash192, radius: u32) -> Vec<(u32, u32)> {
        let all = (0_u32..).zip(&self.hashes);
        all.map(|(number, other)| (number, distance(hash, other))).filter(|(_, distance)| *distance <= radius).collect()
    }

    /// Whether any hash is within a radius.
    pub fn has_within(&self, hash: &Hash192, radius: u32) -> bool {
        self.hashes.iter().any(|other| distance(hash, other) <= radius)
    }
}

/// Bits in which two hashes differ.
fn distance(a: &Hash192, b: &Hash192) -> u32 {
    a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum()
}

/// The first bits of a chunk. Neighbouring bits of a hash go together more than others, so they are dealt out in turn.
fn key(hash: &Hash192, chunk: usize, bits: usize) -> u32 {
    const EVERY_EIGHTH: u64 = 0x0101_0101_0101_0101;
    // Eight bits of each word, gathered into its highest byte by the multiplication.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let gather = |word: u64| ((word >> chunk & EVERY_EIGHTH).wrapping_mul(GATHER) >> 56) as u32;
    let all = hash.iter().fold(0, |key, word| key << 8 | gather(*word));
    all >> (WIDTH - bits)
}

impl Table {
    fn of(hashes: &[Hash192], chunk: usize, bits: usize) -> Self {
        let mut starts = vec![0_u32; (1 << bits) + 1];
        for hash in hashes {
            starts[key(hash, chunk, bits) as usize + 1] += 1;
        }
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        let mut next = starts.clone();
        let mut numbers = vec![0; hashes.len()];
        for (number, hash) in (0_u32..).zip(hashes) {
            let place = &mut next[key(hash, chunk, bits) as usize];
            numbers[*place as usize] = number;
            *place += 1;
        }
        Self { starts, numbers }
    }
}

/// All numbers of some bits of which so many are set, the nearest to each other first.
fn flips(bits: usize, count: u32) -> Vec<u32> {
    let mut all = vec![0];
    for _ in 0..count {
        // Each with a bit above its highest.
        let above = |flip: &u32| (32 - flip.leading_zeros() as usize..bits).map(|bit| flip | 1 << bit).collect::<Vec<_>>();
        all = all.iter().flat_map(above).collect();
    }
    all.sort_unstable();
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A hash of a seed.
    fn hash(seed: u64) -> Hash192 {
        [1_u64, 2, 3].map(|i| {
            let x = (seed.wrapping_mul(3).wrapping_add(i)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            (x ^ x >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9) ^ x >> 32
        })
    }

    #[test]
    fn the_bits_of_all_chunks_are_those_of_the_hash() {
        for bit in 0..192 {
            let mut one = [0; 3];
            one[bit / 64] = 1 << (bit % 64);
            let set: u32 = (0..CHUNKS).map(|chunk| key(&one, chunk, WIDTH).count_ones()).sum();
            assert_eq!(set, 1, "{bit}");
        }
        assert_eq!((flips(24, 2).len(), flips(24, 3).len(), flips(17, 0)), (276, 2024, vec![0]));
    }

    #[test]
    fn what_only_one_chunk_tells_is_found() {
        let hashes: Vec<Hash192> = (0..FEWEST as u64).map(hash).collect();
        let search = HashSearch::of(hashes.clone());
        for radius in 0..=WIDEST {
            let (least, full) = (radius as usize / CHUNKS, radius as usize % CHUNKS + 1);
            // Each chunk differs in one bit more than it is searched to, but for the one that tells.
            for telling in (0..CHUNKS).filter(|chunk| *chunk < full || least > 0) {
                let mut query = hashes[7];
                for chunk in 0..CHUNKS {
                    let flipped = if chunk < full { least + 1 } else { least } - usize::from(chunk == telling);
                    // The bits of a chunk stand eight apart.
                    (0..flipped).for_each(|i| query[0] ^= 1 << (i * CHUNKS + chunk));
                }
                assert_eq!(distance(&query, &hashes[7]), radius);
                assert!(search.within(&query, radius).contains(&(7, radius)), "radius {radius}, chunk {telling}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn the_tables_find_what_a_scan_finds(
            count in 1_990..3_500_u64,
            near in proptest::collection::vec((any::<prop::sample::Index>(), proptest::collection::vec(0..192_usize, 0..40)), 1..60),
            radius in 0..40_u32,
        ) {
            let mut hashes: Vec<Hash192> = (0..count).map(hash).collect();
            let flipped = |(index, bits): &(prop::sample::Index, Vec<usize>)| {
                let mut near = hashes[index.index(hashes.len())];
                bits.iter().for_each(|bit| near[bit / 64] ^= 1 << (bit % 64));
                near
            };
            let near: Vec<Hash192> = near.iter().map(flipped).collect();
            hashes.extend(&near);
            let search = HashSearch::of(hashes);
            for query in near.iter().chain(&[hash(count + 7)]) {
                prop_assert_eq!(search.within(query, radius), search.scan(query, radius));
            }
        }
    }
}
