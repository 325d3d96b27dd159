//! The command line.

mod case;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use touchstone_schemas::Timestamp;

use crate::reporting::moment;

use crate::replay::Bound;
pub(crate) use case::{CaseCommand, Place};

/// Finds suspected counterfeits among marketplace listings, before anyone has to report them.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 120)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What a worker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Role {
    /// Take listings and write suspects
    #[default]
    Scan,
    /// Take suspects, verdicts, notices, appeals and receipts, and write removals, standing and cases
    Decide,
    /// Both in one process
    All,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// See all of it at work: a broker, made-up brands and listings, the worker, in one process
    Demo {
        /// End after a sample, and check what was found against what is known
        #[arg(long)]
        once: bool,
    },
    /// Scan listings and write the suspects, one JSON object a line, in the order of the input
    Scan(ScanArgs),
    /// As scan, but every listing and every brand that it touches, also under the lowest band
    Explain(OutputArgs),
    /// What the matchers find, with no gate before them
    Match(OutputArgs),
    /// Precision and recall against labels
    Eval(EvalArgs),
    /// Fit weights and thresholds to labels, and say what can be expected of them
    Fit(FitArgs),
    /// Take listings from Kafka and write suspects, or decide about suspects, as a service
    Run {
        /// Configuration file; touchstone.example.toml has every key
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// What it does
        #[arg(long, value_enum, default_value_t)]
        role: Role,
    },
    /// Whether a worker could run here: brokers, permissions, topics, catalog, clock and memory, and what to change
    Doctor {
        /// Configuration file of the workers
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Check a configuration, or print the reference
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Make the topics
    #[command(subcommand)]
    Topics(TopicsCommand),
    /// Check a catalog, compile it, hash its pictures
    #[command(subcommand)]
    Catalog(CatalogCommand),
    /// What to do with inputs that could not be used
    #[command(subcommand)]
    DeadLetters(DeadLettersCommand),
    /// Seller cases: list them, export evidence, record what became of them, suggest test purchases
    #[command(subcommand)]
    Case(CaseCommand),
    /// How accurately brands report, and what that gives them
    #[command(subcommand)]
    Standing(StandingCommand),
    /// What another catalog or policy would have made of listings of the past, or what one event makes again
    Replay(ReplayListingsArgs),
    /// Put a policy into use, or take it back
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// What brands and platforms went through together in a period: suspects, answers, removals, filings, standing, cases
    Report(ReportArgs),
    /// Print the JSON Schema of an event, or the names of all
    Schema {
        /// Name of the event, such as listing or suspect
        name: Option<String>,
    },
}

/// A catalog and listings.
#[derive(Debug, Args)]
pub(crate) struct Input {
    /// Catalog folder, or a file made by catalog build
    #[arg(long, value_name = "DIR|FILE")]
    pub(crate) catalog: PathBuf,
    /// Listings, one event a line; .gz and .zst are read as such, - is standard input
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    pub(crate) listings: Vec<PathBuf>,
    /// Policy file; the catalog's policy.toml, or else the shipped one, unless given
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Threads that scan; as many as the machine has processors unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
}

/// A catalog, listings, and where the results go.
#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Where the results go; standard output unless given
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Where what cannot be read goes, with the reason
    #[arg(long, value_name = "FILE")]
    pub(crate) dead_letters: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ScanArgs {
    #[command(flatten)]
    pub(crate) args: OutputArgs,
    /// A page to look through the suspects, one file that fetches nothing
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Labels, one object a line: event_id, label (suspect or clean), brand_id, source; or verdicts, as in their topic
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: PathBuf,
    /// Share of suspect listings to state precision and calibration at; the policy's unless given
    #[arg(long, value_name = "R", value_parser = base_rate)]
    pub(crate) base_rate: Option<f64>,
    /// Print JSON for machines instead of a table for people
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct FitArgs {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Labels, one object a line: event_id, label (suspect or clean), brand_id, source; or verdicts, as in their topic
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: PathBuf,
    /// Where the policy goes
    #[arg(short = 'o', long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Print JSON for machines instead of a table for people
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CatalogCommand {
    /// Check a catalog and say everything that is wrong with it
    Check {
        /// Catalog folder, or a file made by build
        #[arg(value_name = "DIR|FILE")]
        path: PathBuf,
    },
    /// Compile a catalog folder into one checked file, its pictures as fingerprints
    Build {
        /// Catalog folder
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// The file to write
        #[arg(short, long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Publish a catalog to the workers that follow the catalog topic: what differs from what stands there, all at once
    Publish {
        /// Catalog folder, or a file made by build
        #[arg(value_name = "DIR|FILE")]
        path: PathBuf,
        /// Configuration file of the workers
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Publish it even if far fewer rows are left than stand there now
        #[arg(long)]
        may_shrink: bool,
    },
    /// Print the known fakes that were learnt from verdicts, as rows of known_fakes.jsonl: fingerprints, and nothing of sellers
    Learnt {
        /// Configuration file of the workers
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Copy a catalog folder with each picture replaced by its fingerprint
    Hash {
        /// Catalog folder
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        /// The folder to write, which must not exist
        #[arg(short, long, value_name = "DIR")]
        out: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check a configuration file, and show what holds with the environment's overrides
    Check {
        /// Configuration file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Print every key with its default and what it does
    Reference,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TopicsCommand {
    /// Make every topic that there is not yet
    Create {
        /// Configuration file
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeadLettersCommand {
    /// Put dead letters back where they came from, each once, and say how many went through
    Replay(ReplayArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ReplayListingsArgs {
    /// Configuration file of the workers: its topic is read, and compared with its catalog and policy as they are now
    #[arg(long, value_name = "FILE", required_unless_present = "listings")]
    pub(crate) config: Option<PathBuf>,
    /// Listings to read instead, one event a line; .gz and .zst are read as such, - is standard input
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "config")]
    pub(crate) listings: Vec<PathBuf>,
    /// The first record of the topic: written at a time like 2026-11-21T08:00:00Z or later, or offsets like 0:1500,1:1480 of the
    /// partitions that are read
    #[arg(long, value_name = "TIME|OFFSETS", requires = "config")]
    pub(crate) from: Option<Bound>,
    /// The first record after the range
    #[arg(long, value_name = "TIME|OFFSETS", requires = "config")]
    pub(crate) to: Option<Bound>,
    /// Catalog folder or file to try; the configuration's unless given
    #[arg(long, value_name = "DIR|FILE", required_unless_present = "config")]
    pub(crate) catalog: Option<PathBuf>,
    /// Policy file to try; the catalog's own unless given
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Catalog to compare with; the configuration's, or else the same, unless given
    #[arg(long, value_name = "DIR|FILE")]
    pub(crate) against_catalog: Option<PathBuf>,
    /// Policy file to compare with; the own one of the catalog that is compared with unless given
    #[arg(long, value_name = "FILE")]
    pub(crate) against_policy: Option<PathBuf>,
    /// A folder with pictures, each named by its SHA-256, which need not be fetched
    #[arg(long, value_name = "DIR")]
    pub(crate) pictures: Option<PathBuf>,
    /// Only this event: print its suspects, and whether they were recorded
    #[arg(long, value_name = "EVENT_ID", conflicts_with_all = ["against_catalog", "against_policy"])]
    pub(crate) event: Option<String>,
    /// Recorded suspects to look for the event's in; the topic of the configuration unless given
    #[arg(long, value_name = "FILE", requires = "event")]
    pub(crate) suspects: Option<PathBuf>,
    /// Where every difference goes, one a line; with --event the suspects
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Print JSON for machines instead of a table for people
    #[arg(long)]
    pub(crate) json: bool,
    /// Samples that are shown of each brand and kind of difference
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) samples: u64,
    /// Threads that scan; as many as the machine has processors unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Put a policy file into use in place of the one that stands, which is kept
    Promote(PromoteArgs),
}

#[derive(Debug, Args)]
pub(crate) struct PromoteArgs {
    /// The policy file
    #[arg(value_name = "FILE", required_unless_present = "back")]
    pub(crate) file: Option<PathBuf>,
    /// Configuration file of the workers
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// The folder from which the catalog topic is published: its policy.toml follows, so that the next catalog brings the same
    #[arg(long, value_name = "DIR")]
    pub(crate) catalog: Option<PathBuf>,
    /// Put the policy back that stood before
    #[arg(long, conflicts_with = "file")]
    pub(crate) back: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// Configuration file of the workers
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Only those of this reason, such as wrong_form; may be given more than once
    #[arg(long, value_name = "REASON")]
    pub(crate) reason: Vec<String>,
    /// Seconds to wait until the workers have taken what was put back
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) wait: u64,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StandingCommand {
    /// Say how a brand's standing was counted, what each tier asks, and what is missing
    Explain(StandingArgs),
}

#[derive(Debug, Args)]
pub(crate) struct StandingArgs {
    /// The brand's id
    #[arg(value_name = "BRAND")]
    pub(crate) brand: String,
    /// Configuration file: the records are read from the topics
    #[arg(long, value_name = "FILE", required_unless_present = "records", conflicts_with = "records")]
    pub(crate) config: Option<PathBuf>,
    /// Folder of records, one file a topic, such as verdicts.jsonl
    #[arg(long, value_name = "DIR")]
    pub(crate) records: Option<PathBuf>,
    /// Policy file; that of the configuration, or else the shipped one, unless given
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Further records, one a line: verdicts, notices, removals, appeals; the standing is shown without and with them
    #[arg(long, value_name = "FILE")]
    pub(crate) what_if: Option<PathBuf>,
    /// Print JSON for machines instead of text for people
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The first moment of the period: a date like 2026-08-01, or RFC 3339
    #[arg(long, value_name = "T", value_parser = moment)]
    pub(crate) from: Timestamp,
    /// The first moment after the period
    #[arg(long, value_name = "T", value_parser = moment)]
    pub(crate) to: Timestamp,
    /// Configuration file of the workers, to read what stands in the topics
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// A folder to read instead, with a file a topic, such as verdicts.jsonl, also .gz and .zst
    #[arg(long, value_name = "DIR")]
    pub(crate) records: Option<PathBuf>,
    /// Only this brand
    #[arg(long, value_name = "ID")]
    pub(crate) brand: Option<String>,
    /// Only this platform
    #[arg(long, value_name = "P")]
    pub(crate) platform: Option<String>,
    /// Where the page goes; standard output unless it or --csv is given
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Where the figures go for machines
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
}

fn base_rate(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|r| *r > 0.0 && *r < 1.0).ok_or_else(|| "expected a share over 0 and under 1, such as 0.0074".to_owned())
}
