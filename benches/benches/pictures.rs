//! Pictures: to the hash, and to local features, on one core.
//!
//! `TOUCHSTONE_PHOTOS` names a folder that `python -m peers.photos` made; without it a made-up photo is measured.
//! With `TOUCHSTONE_BLOCKS` set, it writes each JPEG's name, size and the SHA-256 of its blocks' means there instead.

use std::fmt::Write;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sha2::{Digest, Sha256};
use touchstone_detectors::{Fingerprint, blocks, hex};

/// The pictures of a folder, by name.
fn pictures(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    paths.sort();
    // Files of a benchmark, chosen by who runs it.
    #[allow(clippy::disallowed_methods)]
    let read = |path: PathBuf| Some((path.file_name()?.to_string_lossy().into_owned(), std::fs::read(&path).ok()?));
    paths.into_iter().filter_map(read).collect()
}

fn write_blocks(folder: &Path, out: &str) {
    let mut text = String::new();
    for (name, bytes) in pictures(folder) {
        match blocks(&bytes) {
            Some((width, height, means)) => writeln!(text, "{name} {width} {height} {}", hex(&Sha256::digest(&means))),
            None => writeln!(text, "{name} - - -"),
        }
        .expect("memory");
    }
    std::fs::write(out, text).expect("the file can be written");
}

fn measure(criterion: &mut Criterion) {
    let folder = std::env::var_os("TOUCHSTONE_PHOTOS").map(PathBuf::from).unwrap_or_default();
    if let Ok(out) = std::env::var("TOUCHSTONE_BLOCKS") {
        return write_blocks(&folder, &out);
    }
    for set in ["800", "1500", "progressive", "webp", "png"] {
        let pictures = pictures(&folder.join(set));
        if pictures.is_empty() {
            continue;
        }
        for (name, bytes) in &pictures {
            let hash = || Fingerprint::of(bytes).and_then(|f| f.row()).map(|row| row.hex);
            let (first, second) = (hash(), hash());
            assert!(first.is_ok() && first == second, "{name}: {first:?}");
        }
        let mut group = criterion.benchmark_group("pictures");
        group.throughput(Throughput::Elements(pictures.len() as u64)).sample_size(10);
        group.bench_function(format!("hash/{set}"), |bencher| {
            bencher.iter(|| pictures.iter().filter(|(_, bytes)| black_box(Fingerprint::of(bytes)).is_ok()).count());
        });
        if set == "800" {
            group.bench_function(format!("row/{set}"), |bencher| {
                bencher.iter(|| {
                    pictures
                        .iter()
                        .filter(|(_, bytes)| Fingerprint::of(bytes).map(Arc::new).is_ok_and(|f| black_box(f.row()).is_ok()))
                        .count()
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, measure);
criterion_main!(benches);
