//! `touchstone catalog`: work on a catalog folder.

use std::io::{self, Write};

use touchstone_detectors::Policy;

use super::load;
use crate::cli::CatalogCommand;
use crate::failure::Failure;

pub(crate) fn run(command: &CatalogCommand) -> Result<(), Failure> {
    match command {
        CatalogCommand::Check { folder } => {
            let catalog = load(folder)?;
            Policy::parse(catalog.policy().unwrap_or_default())
                .map_err(|e| Failure::Usage(format!("{}: {e}", folder.join("policy.toml").display())))?;
            let (brands, products) = catalog.size();
            writeln!(io::stdout(), "{} brands, {} products, version {}: no faults", brands, products, catalog.version())?;
            Ok(())
        }
    }
}
