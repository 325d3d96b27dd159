//! `touchstone doctor`: whether a worker could run here, and what to change.

mod brokers;
mod machine;
mod permissions;
mod transactions;

use std::io::{self, Write};
use std::path::Path;

use touchstone_detectors::Catalog;

use crate::failure::Failure;
use crate::{catalog, config};

/// How a thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Good,
    /// A worker runs, and not as it should in production.
    Doubtful,
    /// A worker cannot run.
    Bad,
}

/// What was looked at, how it stands, and what to do.
#[derive(Debug)]
struct Finding {
    about: &'static str,
    state: State,
    found: String,
    advice: String,
}

impl Finding {
    fn good(about: &'static str, found: String) -> Self {
        Self { about, state: State::Good, found, advice: String::new() }
    }

    fn doubtful(about: &'static str, found: String, advice: &str) -> Self {
        Self { about, state: State::Doubtful, found, advice: advice.to_owned() }
    }

    fn bad(about: &'static str, found: String, advice: &str) -> Self {
        Self { about, state: State::Bad, found, advice: advice.to_owned() }
    }
}

/// Looks at everything that a worker of this configuration needs. What needs another thing that is bad is left out.
pub(crate) fn run(path: &Path) -> Result<(), Failure> {
    let config = config::load(path)?;
    let mut report = Report { bad: 0, doubtful: 0 };
    report.tell(&Finding::good("configuration", format!("{} has no faults", path.display())))?;
    let catalog = match catalog::current(&config) {
        Ok(Some((catalog, policy))) => {
            let (brands, products, pictures) = catalog.size();
            let found = format!("{brands} brands, {products} products, {pictures} pictures, policy {}", policy.version());
            report.tell(&Finding::good("catalog", found))?;
            Some(catalog)
        }
        Ok(None) => {
            let advice = "touchstone catalog publish DIR --config FILE: workers wait for it";
            report.tell(&Finding::bad("catalog", "nothing is published to the catalog topic".to_owned(), advice))?;
            None
        }
        Err(Failure::Usage(message)) => {
            report.tell(&Finding::bad("catalog", message, "mend what is named, or set catalog.path"))?;
            None
        }
        Err(Failure::Run(e)) if config.catalog.path.is_empty() => {
            let advice = "permit READ on the topic catalog and on the group kafka.group_id, where the brokers are right below";
            report.tell(&Finding::bad("catalog", format!("{e:#}"), advice))?;
            None
        }
        Err(other) => return Err(other),
    };
    let own_topics = catalog.as_ref().map_or_else(Vec::new, Catalog::own_topics);
    let (findings, partitions) = brokers::look(&config, &own_topics);
    for finding in findings.iter().chain(&machine::look(&config, partitions)) {
        report.tell(finding)?;
    }
    report.close()
}

/// Findings as lines.
struct Report {
    bad: usize,
    doubtful: usize,
}

impl Report {
    fn tell(&mut self, finding: &Finding) -> io::Result<()> {
        let mark = match finding.state {
            State::Good => "ok",
            State::Doubtful => "warn",
            State::Bad => "FAIL",
        };
        self.bad += usize::from(finding.state == State::Bad);
        self.doubtful += usize::from(finding.state == State::Doubtful);
        let mut out = io::stdout();
        writeln!(out, "{mark:<5}{:<14}{}", finding.about, finding.found)?;
        if finding.advice.is_empty() { Ok(()) } else { writeln!(out, "{:19}to do: {}", "", finding.advice) }
    }

    fn close(&self) -> Result<(), Failure> {
        writeln!(io::stdout(), "{} to mend, {} to think about", self.bad, self.doubtful)?;
        match self.bad {
            0 => Ok(()),
            n => Err(Failure::Run(anyhow::anyhow!("a worker of this configuration cannot run: {n} to mend"))),
        }
    }
}
