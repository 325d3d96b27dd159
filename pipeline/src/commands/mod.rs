//! The commands, one a file.

mod case;
mod catalog;
mod config;
mod dead_letters;
mod eval;
mod explain;
mod fit;
mod matching;
mod policy;
mod replay;
mod report;
pub(crate) mod run;
mod scan;
mod schema;
mod standing;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use touchstone_detectors::{Catalog, CatalogFault, Policy, Scanner};

use crate::cli::{Cli, Command, DeadLettersCommand, Input, PolicyCommand, StandingCommand};
use crate::config::Config;
use crate::failure::Failure;

/// Runs the command that was asked for.
pub(crate) fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Demo { once } => crate::demo::run(once),
        Command::Scan(args) => scan::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Match(args) => matching::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Fit(args) => fit::run(&args),
        Command::Run { config, role } => run::run(&config, role),
        Command::Doctor { config } => crate::doctor::run(&config),
        Command::Config(command) => config::run(&command),
        Command::Topics(command) => config::topics(&command),
        Command::Catalog(command) => catalog::run(&command),
        Command::DeadLetters(DeadLettersCommand::Replay(args)) => dead_letters::replay(&args),
        Command::Case(command) => case::run(&command),
        Command::Standing(StandingCommand::Explain(args)) => standing::explain(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Policy(PolicyCommand::Promote(args)) => policy::promote(&args),
        Command::Report(args) => report::run(&args),
        Command::Schema { name } => schema::run(name.as_deref()),
    }
}

/// The catalog and the policy that were asked for, ready to scan.
fn scanner(input: &Input) -> Result<Arc<Scanner>, Failure> {
    let catalog = load(&input.catalog)?;
    let policy = policy(input.policy.as_deref(), &input.catalog, &catalog)?;
    Ok(Arc::new(Scanner::new(Arc::new(catalog), policy)))
}

/// The catalog and the policy that a worker's configuration names.
pub(crate) fn configured(config: &Config) -> Result<(Catalog, Policy), Failure> {
    let path = Path::new(&config.catalog.path);
    let catalog = load(path)?;
    let policy = crate::catalog::policy_of(config, path, &catalog)?;
    Ok((catalog, policy))
}

/// The policy of a file, else the catalog's own, else the shipped one.
pub(crate) fn policy(own: Option<&Path>, catalog_path: &Path, catalog: &Catalog) -> Result<Policy, Failure> {
    let (place, text) = policy_text(own, catalog_path, catalog)?;
    let wrong = |e: String| Failure::Usage(format!("{}: {e}", place.display()));
    let policy = Policy::parse(&text).map_err(wrong)?;
    policy.conflict(catalog).map_or(Ok(policy), |e| Err(wrong(e)))
}

/// The file that sets the policy, and what it says; nothing where the shipped one holds.
fn policy_text(own: Option<&Path>, catalog_path: &Path, catalog: &Catalog) -> Result<(PathBuf, String), Failure> {
    match own {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|e| Failure::Usage(format!("{}: cannot be read: {e}", path.display())))?;
            Ok((path.to_owned(), text))
        }
        None => Ok((catalog_path.join("policy.toml"), catalog.policy().unwrap_or_default().to_owned())),
    }
}

/// Prints figures for machines, or as a table for people.
fn print(json: bool, figures: &impl Serialize, table: impl FnOnce() -> String) -> Result<(), Failure> {
    if json {
        let text = serde_json::to_string_pretty(figures).map_err(|e| Failure::Run(e.into()))?;
        writeln!(io::stdout(), "{text}")?;
    } else {
        write!(io::stdout(), "{}", table())?;
    }
    Ok(())
}

/// A catalog without faults; its warnings go to standard error.
pub(crate) fn load(path: &Path) -> Result<Catalog, Failure> {
    sound(Catalog::load(path))
}

/// What was loaded, when there were no faults but warnings, which go to standard error.
fn sound<T>(loaded: Result<(T, Vec<CatalogFault>), Vec<CatalogFault>>) -> Result<T, Failure> {
    let lines = |faults: &[CatalogFault]| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    match loaded {
        Ok((loaded, warnings)) => {
            if !warnings.is_empty() {
                let _ = writeln!(io::stderr(), "{}", lines(&warnings));
            }
            Ok(loaded)
        }
        Err(faults) => {
            let n = faults.iter().filter(|f| !f.warning).count();
            Err(Failure::Usage(format!("{}\n{n} fault{} in the catalog", lines(&faults), if n == 1 { "" } else { "s" })))
        }
    }
}
