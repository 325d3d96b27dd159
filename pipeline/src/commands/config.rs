//! `touchstone config` and `touchstone topics create`.

use std::collections::BTreeSet;
use std::io::{self, Write};

use crate::cli::{ConfigCommand, TopicsCommand};
use crate::failure::Failure;
use crate::{catalog, config, kafka};

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
    // A folder with faults is told before anything is made; a catalog may stand in a topic that is only made here.
    let given = if config.catalog.path.is_empty() { None } else { catalog::current(&config)? };
    let mut told = BTreeSet::new();
    let mut tell = |topics: Vec<(String, &str)>| -> io::Result<()> {
        topics
            .into_iter()
            .filter(|(topic, _)| told.insert(topic.clone()))
            .try_for_each(|(topic, became)| writeln!(io::stdout(), "{topic}: {became}"))
    };
    tell(kafka::create(&config, &[])?)?;
    let catalog = given.map_or_else(|| catalog::current(&config), |given| Ok(Some(given)));
    let catalog = catalog.unwrap_or_else(|e| {
        let _ = writeln!(io::stderr(), "topics of brands are not made, since the catalog topic cannot be used: {e}");
        None
    });
    let own_topics = catalog.map_or_else(Vec::new, |(catalog, _)| catalog.own_topics());
    if !own_topics.is_empty() {
        tell(kafka::create(&config, &own_topics)?)?;
    }
    Ok(())
}
