//! `touchstone policy promote`: puts a policy into use, or the one before back.

use std::io::{self, Write};
use std::path::Path;

use super::load;
use crate::catalog::{self, Promoted, Wanted, promote_file, promote_topic};
use crate::cli::PromoteArgs;
use crate::failure::Failure;
use crate::{config, logs};

pub(crate) fn promote(args: &PromoteArgs) -> Result<(), Failure> {
    let config = config::load(&args.config)?;
    logs::start(&config.logs);
    let wanted = args.file.as_deref().map_or(Wanted::Before, Wanted::File);
    let (own, path) = (Path::new(&config.catalog.policy), Path::new(&config.catalog.path));
    let follows = config.catalog.path.is_empty() && config.catalog.policy.is_empty();
    if let (false, Some(folder)) = (follows, &args.catalog) {
        let what = "--catalog is for a catalog topic that is published from a folder, and this configuration names a file";
        return Err(Failure::Usage(format!("{}: {what}: leave it out", folder.display())));
    }
    if follows {
        tell(&promote_topic(&config, &wanted)?, "workers take it as soon as they have read it")?;
        // The next catalog that is published from there brings the folder's own policy.
        return args.catalog.as_deref().map_or(Ok(()), |folder| {
            let done = promote_file(&folder.join("policy.toml"), &load(folder)?, &wanted)?;
            tell(&done, "the next catalog that is published from it brings it")
        });
    }
    let place = match (config.catalog.policy.is_empty(), path.is_dir()) {
        (false, _) => own.to_owned(),
        (true, true) => path.join("policy.toml"),
        (true, false) => {
            let what = "is no folder, and its policy is compiled in: put policy.toml into the folder and build it again, or name a policy file as catalog.policy";
            return Err(Failure::Usage(format!("{}: {what}", path.display())));
        }
    };
    let catalog = if config.catalog.path.is_empty() {
        let none = || Failure::Usage("kafka: no catalog is published yet: `touchstone catalog publish DIR --config FILE`".to_owned());
        catalog::current(&config)?.ok_or_else(none)?.0
    } else {
        load(path)?
    };
    tell(&promote_file(&place, &catalog, &wanted)?, "workers take it when they start anew")
}

fn tell(done: &Promoted, when: &str) -> Result<(), Failure> {
    let Promoted { place, before, after } = done;
    if before == after {
        writeln!(io::stdout(), "{place}: policy {before} stands already: nothing is changed")?;
        return Ok(());
    }
    writeln!(io::stdout(), "{place}: policy {before} -> {after}")?;
    writeln!(io::stderr(), "{when}")?;
    Ok(())
}
