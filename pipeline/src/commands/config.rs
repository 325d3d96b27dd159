//! `touchstone config` and `touchstone topics create`.

use std::io::{self, Write};
use std::path::Path;

use super::load;
use crate::cli::{ConfigCommand, TopicsCommand};
use crate::failure::Failure;
use crate::{config, kafka};

pub(crate) fn run(command: &ConfigCommand) -> Result<(), Failure> {
    match command {
        ConfigCommand::Check { file } => {
            let config = config::load(file)?;
            writeln!(io::stdout(), "{:#}\n{}: no faults", config.masked(), file.display())?;
        }
        ConfigCommand::Reference => write!(io::stdout(), "{}", config::reference())?,
    }
    Ok(())
}

/// The topics of the contract; those of brands that ask for their own come from the catalog.
pub(crate) fn topics(command: &TopicsCommand) -> Result<(), Failure> {
    let TopicsCommand::Create { config } = command;
    let config = config::load(config)?;
    let catalog = load(Path::new(&config.catalog.path))?;
    let own_topics: Vec<String> = catalog.brands().filter(|(_, _, own)| *own).map(|(id, ..)| id.to_owned()).collect();
    for (topic, became) in kafka::create(&config, &own_topics)? {
        writeln!(io::stdout(), "{topic}: {became}")?;
    }
    Ok(())
}
