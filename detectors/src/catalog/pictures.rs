//! The pictures of a catalog: hashed from their files, and gathered into an index.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use rayon::prelude::*;
use touchstone_schemas::{Fingerprint as FingerprintRow, KnownFake};

use super::faults::Faults;
use super::rows::Rows;
use super::snapshot::ProductEntry;
use crate::image::{ALGORITHM, Fingerprint, MAX_BYTES, PictureFault, PictureIndex, Reference, ReferenceKind, parse, words};

/// The name of a product's picture, in evidence and wherever else it is spoken of.
fn name_of(product_id: &str, index: usize) -> String {
    format!("{product_id}#{index}")
}

/// Replaces every path by the fingerprint of the file, so that a row says what its picture shows. Tells where the files
/// are, by the pictures' names.
pub(super) fn hash_files(rows: &mut Rows, folder: &Path, faults: &mut Faults<'_>) -> BTreeMap<String, PathBuf> {
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
    /// The picture's file; or the file and the line that name it, what is wrong, and whether it is no more than a warning.
    type Done = Result<(String, PathBuf), (&'static str, usize, String, bool)>;
    let done: Vec<Done> = jobs
        .par_iter_mut()
        .map(|job| {
            let written = job.path.take().unwrap_or_default();
            let fault = |message: String, warning: bool| Err((job.file, job.line, message, warning));
            match read(folder, &written)
                .and_then(|(path, bytes)| Fingerprint::of(&bytes).and_then(|f| f.row()).map(|row| (path, row)).map_err(|e| e.to_string()))
            {
                Ok((path, row)) => {
                    *job.fingerprint = Some(row);
                    Ok((std::mem::take(&mut job.name), path))
                }
                Err(reason) if reason == PictureFault::LowDetail.as_str() => {
                    fault(format!("picture {written:?} is nearly one colour: it is left out, since its hash would mean nothing"), true)
                }
                Err(reason) => fault(format!("picture {written:?}: {reason}: give a JPEG, PNG, WebP or GIF in the catalog folder"), false),
            }
        })
        .collect();
    let mut found = BTreeMap::new();
    for done in done {
        match done {
            Ok((name, path)) => drop(found.insert(name, path)),
            Err((file, line, message, true)) => faults.warn(file, line, message),
            Err((file, line, message, false)) => faults.fault(file, line, message),
        }
    }
    // One whose picture is left out has nothing left to be known by.
    rows.known_fakes.retain(|r| r.row.fingerprint.is_some() || r.row.text.is_some());
    found
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

impl Faults<'_> {
    /// What is wrong with the rows' fingerprints, and which pictures cannot be looked up.
    pub(super) fn check_pictures(&mut self, rows: &Rows) {
        let images = || rows.products.iter().flat_map(|r| r.row.images.iter().map(move |image| (r.line, image)));
        for (line, image) in images() {
            image.fingerprint.iter().for_each(|row| self.check_fingerprint("products.jsonl", line, row));
            for pdq in image.pdq.iter().filter(|pdq| words::<4>(pdq).is_none()) {
                self.fault("products.jsonl", line, format!("pdq {pdq:?} is not 64 hexadecimal digits"));
            }
        }
        self.check_fakes_pictures(rows);
        let by_url = images().filter(|(_, i)| i.url.is_some() && i.path.is_none() && i.fingerprint.is_none() && i.pdq.is_none());
        let lines: Vec<usize> = by_url.map(|(line, _)| line).collect();
        if let Some(first) = lines.first() {
            let text = format!(
                "{} pictures, the first here, are given by their url alone and are not looked up: give a path, or a fingerprint made by `touchstone catalog hash`",
                lines.len()
            );
            self.warn("products.jsonl", *first, text);
        }
    }

    /// The same of the known fakes alone.
    pub(super) fn check_fakes_pictures(&mut self, rows: &Rows) {
        rows.known_fakes
            .iter()
            .for_each(|r| r.row.fingerprint.iter().for_each(|row| self.check_fingerprint("known_fakes.jsonl", r.line, row)));
    }

    fn check_fingerprint(&mut self, file: &str, line: usize, row: &FingerprintRow) {
        let wrong = match () {
            () if row.algo != ALGORITHM => {
                format!("fingerprint.algo {:?} is not {ALGORITHM:?}: make it anew with `touchstone catalog hash`", row.algo)
            }
            () if parse(row).is_none() => "fingerprint is not as `touchstone catalog hash` writes it: make it anew".to_owned(),
            () => return,
        };
        self.fault(file, line, wrong);
    }
}

/// The index over the pictures of compiled products.
pub(super) fn of_products(products: &[ProductEntry]) -> PictureIndex {
    PictureIndex::of(products.iter().enumerate().flat_map(|(number, product)| {
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
    }))
}

/// The index over the pictures of known fakes.
pub(super) fn of_fakes<'a>(fakes: impl Iterator<Item = (&'a KnownFake, usize)>) -> PictureIndex {
    PictureIndex::of(fakes.filter_map(|(fake, brand)| {
        let reference = Reference {
            name: fake.id.to_string(),
            url: None,
            kind: ReferenceKind::Fake,
            brand,
            product: None,
            expires_at: fake.expires_at.clone(),
        };
        Some((reference, Some(fake.fingerprint.as_ref().and_then(parse)?), None))
    }))
}
