//! `touchstone catalog`: check a catalog, compile it, hash its pictures, publish it.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use touchstone_detectors::{Catalog, Rows};

use super::{load, policy, sound};
use crate::catalog::{self, Publication, Published};
use crate::cli::CatalogCommand;
use crate::failure::Failure;
use crate::{config, logs};

pub(crate) fn run(command: &CatalogCommand) -> Result<(), Failure> {
    match command {
        CatalogCommand::Check { path } => check(path),
        CatalogCommand::Build { folder, out } => {
            let version = sound(Rows::load(folder))?.build(out).map_err(|e| cannot_write(out, &e))?;
            writeln!(io::stdout(), "{}: version {version}", out.display())?;
            Ok(())
        }
        CatalogCommand::Publish { path, config, may_shrink } => publish(path, config, *may_shrink),
        CatalogCommand::Learnt { config } => {
            let config = config::load(config)?;
            logs::start(&config.logs);
            for fake in catalog::learnt(&config)? {
                writeln!(io::stdout(), "{}", serde_json::to_string(&fake.row).map_err(|e| Failure::Run(e.into()))?)?;
            }
            Ok(())
        }
        CatalogCommand::Hash { folder, out } => {
            let rows = sound(Rows::load(folder))?;
            if out.exists() {
                return Err(Failure::Usage(format!("{}: exists already: name a folder that does not", out.display())));
            }
            copy_texts(folder, out).and_then(|()| rows.write_fingerprints(out)).map_err(|e| cannot_write(out, &e))
        }
    }
}

fn check(path: &Path) -> Result<(), Failure> {
    let catalog = load(path)?;
    policy(None, path, &catalog)?;
    let (brands, products, pictures) = catalog.size();
    writeln!(io::stdout(), "{brands} brands, {products} products, {pictures} pictures, version {}: no faults", catalog.version())?;
    Ok(())
}

fn publish(path: &Path, config: &Path, may_shrink: bool) -> Result<(), Failure> {
    let config = config::load(config)?;
    logs::start(&config.logs);
    let mut rows = sound(Rows::load(path))?;
    // What was learnt from verdicts stays, as long as its brand does.
    let learnt =
        catalog::learnt(&config)?.into_iter().filter(|fake| rows.brands.iter().any(|brand| brand.row.brand_id == fake.row.brand_id));
    let learnt: Vec<_> = learnt.collect();
    rows.known_fakes.extend(learnt);
    rows.sort();
    let mut records = BTreeMap::new();
    let counts = rows.each_record(|_, key, record| {
        records.insert(key.to_owned(), record);
        Ok(())
    })?;
    drop(rows);
    // Whatever workers would refuse is told here: the records are read as they would read them.
    let rows = sound(Rows::of_records(path, records.values().enumerate().map(|(i, record)| (i, record.as_slice()))))?;
    let compiled = Catalog::compile(rows).map_err(|e| Failure::Usage(format!("{}: {e}", path.display())))?;
    catalog::policy_of(&config, path, &compiled)?;
    let publication = Publication { catalog: &compiled, records: &records, counts, may_shrink };
    let Published { written, deleted, unchanged } = catalog::publish(&config, publication)?;
    let version = compiled.version();
    writeln!(io::stdout(), "version {version}: {written} rows written, {deleted} deleted, {unchanged} as they were")?;
    Ok(())
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::Usage(format!("{}: cannot be written: {error}", path.display()))
}

/// Copies the files of a catalog folder that hold no pictures; the two that do are written by themselves.
fn copy_texts(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let holds_pictures = ["products.jsonl", "known_fakes.jsonl"].iter().any(|file| name.starts_with(file));
        let is_text = [".jsonl", ".json", ".toml", ".gz", ".zst"].iter().any(|ending| name.ends_with(ending));
        if name == "phrases" && path.is_dir() {
            copy_texts(&path, &to.join(name))?;
        } else if path.is_file() && is_text && !holds_pictures {
            std::fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}
