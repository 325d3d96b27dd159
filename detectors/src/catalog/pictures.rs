//! The pictures of a catalog: hashed from their files, and gathered into an index.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use rayon::prelude::*;
use touchstone_schemas::{Fingerprint as FingerprintRow, KnownFake};

use super::ProductEntry;
use super::rows::{CatalogFault, Row, Rows};
use crate::image::{ALGORITHM, Fingerprint, MAX_BYTES, PictureFault, PictureIndex, Reference, ReferenceKind, parse, words};

/// The name of a product's picture, in evidence and wherever else it is spoken of.
fn name_of(product_id: &str, index: usize) -> String {
    format!("{product_id}#{index}")
}

/// Replaces every path by the fingerprint of the file, so that a row says what its picture shows. Tells where the files
/// are, by the pictures' names.
pub(super) fn hash_files(rows: &mut Rows, folder: &Path) -> (BTreeMap<String, PathBuf>, Vec<CatalogFault>) {
    struct Job<'a> {
        file: &'static str,
        line: usize,
        name: String,
        path: &'a mut Option<String>,
        fingerprint: &'a mut Option<FingerprintRow>,
    }
    let of_products = rows.products.iter_mut().flat_map(|r| {
        let (line, id) = (r.line, r.row.product_id.clone());
        r.row.images.iter_mut().enumerate().map(move |(i, image)| Job {
            file: "products.jsonl",
            line,
            name: name_of(id.as_str(), i),
            path: &mut image.path,
            fingerprint: &mut image.fingerprint,
        })
    });
    let of_fakes = rows.known_fakes.iter_mut().map(|r| Job {
        file: "known_fakes.jsonl",
        line: r.line,
        name: r.row.id.to_string(),
        path: &mut r.row.path,
        fingerprint: &mut r.row.fingerprint,
    });
    let mut jobs: Vec<Job<'_>> = of_products.chain(of_fakes).filter(|job| job.path.is_some()).collect();
    type Done = (Option<(String, PathBuf)>, Option<CatalogFault>);
    let done: Vec<Done> = jobs
        .par_iter_mut()
        .map(|job| {
            let written = job.path.take().unwrap_or_default();
            let place = folder.join(job.file);
            let fault = |message: String, warning: bool| CatalogFault { file: place.clone(), line: job.line, message, warning };
            match read(folder, &written)
                .and_then(|(path, bytes)| Fingerprint::of(&bytes).and_then(|f| f.row()).map(|row| (path, row)).map_err(|e| e.to_string()))
            {
                Ok((path, row)) => {
                    *job.fingerprint = Some(row);
                    (Some((std::mem::take(&mut job.name), path)), None)
                }
                Err(reason) if reason == PictureFault::LowDetail.as_str() => (
                    None,
                    Some(fault(
                        format!("picture {written:?} is nearly one colour: it is left out, since its hash would mean nothing"),
                        true,
                    )),
                ),
                Err(reason) => (
                    None,
                    Some(fault(format!("picture {written:?}: {reason}: give a JPEG, PNG, WebP or GIF in the catalog folder"), false)),
                ),
            }
        })
        .collect();
    let (found, faults): (Vec<_>, Vec<_>) = done.into_iter().unzip();
    (found.into_iter().flatten().collect(), faults.into_iter().flatten().collect())
}

fn read(folder: &Path, written: &str) -> Result<(PathBuf, Vec<u8>), String> {
    let path = Path::new(written);
    if !path.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir)) {
        return Err("the path leads out of the catalog folder".to_owned());
    }
    let path = folder.join(path);
    let file = File::open(&path).map_err(|e| format!("cannot be read: {e}"))?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(|e| format!("cannot be read: {e}"))?;
    Ok((path, bytes))
}

/// What is wrong with the rows' fingerprints, and which pictures cannot be looked up.
pub(super) fn check(rows: &Rows, folder: &Path) -> Vec<CatalogFault> {
    let mut faults = Vec::new();
    let mut check = |file: &str, line: usize, row: &FingerprintRow| {
        let wrong = match () {
            () if row.algo != ALGORITHM => {
                format!("fingerprint.algo {:?} is not {ALGORITHM:?}: make it anew with `touchstone catalog hash`", row.algo)
            }
            () if parse(row).is_none() => "fingerprint is not as `touchstone catalog hash` writes it: make it anew".to_owned(),
            () => return,
        };
        faults.push(CatalogFault { file: folder.join(file), line, message: wrong, warning: false });
    };
    let images = || rows.products.iter().flat_map(|r| r.row.images.iter().map(move |image| (r.line, image)));
    images().for_each(|(line, image)| image.fingerprint.iter().for_each(|row| check("products.jsonl", line, row)));
    rows.known_fakes.iter().for_each(|r| r.row.fingerprint.iter().for_each(|row| check("known_fakes.jsonl", r.line, row)));
    let fault = |line: usize, message: String, warning: bool| CatalogFault { file: folder.join("products.jsonl"), line, message, warning };
    for (line, image) in images().filter(|(_, i)| i.pdq.as_ref().is_some_and(|pdq| words::<4>(pdq).is_none())) {
        faults.push(fault(line, format!("pdq {:?} is not 64 hexadecimal digits", image.pdq.as_deref().unwrap_or_default()), false));
    }
    let by_url: Vec<usize> = images()
        .filter(|(_, i)| i.url.is_some() && i.path.is_none() && i.fingerprint.is_none() && i.pdq.is_none())
        .map(|(line, _)| line)
        .collect();
    if let Some(first) = by_url.first() {
        let text = format!(
            "{} pictures, the first here, are given by their url alone and are not looked up: give a path, or a fingerprint made by `touchstone catalog hash`",
            by_url.len()
        );
        faults.push(fault(*first, text, true));
    }
    faults
}

/// The index over all pictures of compiled products and of known fakes.
pub(super) fn index(products: &[ProductEntry], fakes: &[Row<KnownFake>], brand_numbers: &HashMap<String, usize>) -> PictureIndex {
    let of_products = products.iter().enumerate().flat_map(|(number, product)| {
        product.row.images.iter().enumerate().filter_map(move |(i, image)| {
            let (kept, pdq) = (image.fingerprint.as_ref().and_then(parse), image.pdq.as_deref().and_then(words::<4>));
            let reference = Reference {
                name: name_of(product.row.product_id.as_str(), i),
                url: image.url.clone(),
                kind: ReferenceKind::Genuine,
                brand: product.brand,
                product: Some(number),
                expires_at: None,
            };
            (kept.is_some() || pdq.is_some()).then_some((reference, kept, pdq))
        })
    });
    let of_fakes = fakes.iter().map(|r| &r.row).filter_map(|fake| {
        let reference = Reference {
            name: fake.id.to_string(),
            url: None,
            kind: ReferenceKind::Fake,
            brand: brand_numbers[fake.brand_id.as_str()],
            product: None,
            expires_at: fake.expires_at.clone(),
        };
        Some((reference, Some(fake.fingerprint.as_ref().and_then(parse)?), None))
    });
    PictureIndex::of(of_products.chain(of_fakes))
}
