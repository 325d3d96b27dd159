//! Exact search of 192-bit hashes among many, one core, half of the queries misses.
//!
//! `TOUCHSTONE_REFERENCES` and `TOUCHSTONE_QUERIES` name files of 24 bytes a hash, as `python -m peers.search --make` and
//! `--queries-of` write them for the peers; without them a million made-up hashes are searched.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sha2::{Digest, Sha256};
use touchstone_detectors::{Hash192, HashSearch, hex};

/// Hashes of a file.
fn read(variable: &str) -> Option<Vec<Hash192>> {
    // A file of a benchmark, chosen by who runs it.
    #[allow(clippy::disallowed_methods)]
    let bytes = std::fs::read(std::env::var_os(variable)?).expect("the file can be read");
    let word = |chunk: &[u8; 24], i: usize| chunk[8 * i..].first_chunk().map_or(0, |word| u64::from_be_bytes(*word));
    Some(bytes.as_chunks::<24>().0.iter().map(|chunk| [0, 1, 2].map(|i| word(chunk, i))).collect())
}

fn made_up() -> (Vec<Hash192>, Vec<Hash192>) {
    let mut chance = fastrand::Rng::with_seed(1);
    let references: Vec<Hash192> = (0..1_000_000).map(|_| [0; 3].map(|_| chance.u64(..))).collect();
    let near = |i: usize, chance: &mut fastrand::Rng| {
        let mut hash = references[i * 97];
        (0..chance.usize(..24)).for_each(|_| hash[chance.usize(..3)] ^= 1 << chance.u32(..64));
        hash
    };
    let queries = (0..4096).map(|i| if i % 2 == 0 { near(i, &mut chance) } else { [0; 3].map(|_| chance.u64(..)) }).collect();
    (references, queries)
}

/// SHA-256 over all pairs of query and reference, as the peers count them.
fn checksum(queries: &[Hash192], find: impl Fn(&Hash192) -> Vec<(u32, u32)>) -> String {
    let mut sum = Sha256::new();
    for (i, query) in queries.iter().enumerate() {
        for (number, _) in find(query) {
            sum.update((i as u64).to_le_bytes());
            sum.update(u64::from(number).to_le_bytes());
        }
    }
    hex(&sum.finalize())
}

// What was found is told beside the figures, to compare with the peers.
#[allow(clippy::print_stderr)]
fn measure(criterion: &mut Criterion) {
    let (references, queries) = read("TOUCHSTONE_REFERENCES").zip(read("TOUCHSTONE_QUERIES")).unwrap_or_else(made_up);
    let count = references.len();
    let search = HashSearch::of(references);
    let mut group = criterion.benchmark_group("search");
    for radius in [8, 16, 20, 24] {
        let few = &queries[..queries.len().min(256)];
        let found = checksum(few, |query| search.within(query, radius));
        assert_eq!(found, checksum(few, |query| search.scan(query, radius)), "what the tables find is what a scan finds");
        eprintln!("search/{count}/{radius}: checksum {found}");
        let some = &queries[..queries.len().min(2048)];
        group.throughput(Throughput::Elements(some.len() as u64)).sample_size(10);
        group.bench_function(format!("{count}/{radius}"), |bencher| {
            bencher.iter(|| some.iter().map(|query| black_box(search.within(query, radius)).len()).sum::<usize>());
        });
    }
    group.finish();
}

criterion_group!(benches, measure);
criterion_main!(benches);
