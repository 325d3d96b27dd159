//! The command line of seller cases.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use touchstone_schemas::Timestamp;

#[derive(Debug, Subcommand)]
pub(crate) enum CaseCommand {
    /// Cases by rank, the most urgent first
    List {
        #[command(flatten)]
        place: Place,
        /// Cases at most
        #[arg(long, value_name = "N", default_value_t = 50)]
        top: usize,
    },
    /// Write everything that is known of a case, as evidence that shows when it was changed
    Export {
        /// The case; of one that was merged into another, that one is written
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        place: Place,
        /// Where it goes; standard output unless given
        #[arg(short = 'o', long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Whether exported evidence is as it was written, and if not, the first line that is not
    Verify {
        /// What export wrote; .gz and .zst are read as such, - is standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Record what became of a case outside the platform
    Record {
        /// The case
        #[arg(value_name = "CASE")]
        id: String,
        /// Configuration file of the workers
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// In words, such as "test purchase: counterfeit", "raid" or "seized: 12000 USD"
        #[arg(long, value_name = "TEXT", value_parser = outcome)]
        outcome: String,
        /// When, in RFC 3339 UTC; now unless given
        #[arg(long, value_name = "TIME", value_parser = moment)]
        at: Option<Timestamp>,
    },
    /// The test purchases that would teach most, the best first
    Suggest {
        #[command(flatten)]
        place: Place,
        /// Purchases at most
        #[arg(long, value_name = "N", default_value_t = 20)]
        top: usize,
    },
}

/// Where records are.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Place {
    /// Configuration file of the workers, to read what stands in the topics
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// A folder to read instead, with a file a topic, such as cases.jsonl, also .gz and .zst
    #[arg(long, value_name = "DIR")]
    pub(crate) records: Option<PathBuf>,
}

/// Longest outcome, in bytes.
const MOST_OUTCOME: usize = 500;

fn outcome(text: &str) -> Result<String, String> {
    let text = text.trim();
    let fits = (1..=MOST_OUTCOME).contains(&text.len()) && !text.contains(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err(format!("expected 1 to {MOST_OUTCOME} bytes in one line")) }
}

fn moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text).ok_or_else(|| "expected RFC 3339 in UTC like 2026-11-21T08:00:00Z".to_owned())
}
