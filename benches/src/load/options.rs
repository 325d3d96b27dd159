//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Seconds of a run where nothing is said.
const USUAL: u64 = 60;

/// Writes listings to Kafka at a rate or flat out, and says how long their suspects took to come back
///
/// Ends with 0; with 1 when a bound is missed or nothing was measured; with 2 for wrong usage.
#[derive(Parser)]
#[command(name = "touchstone-load", version, max_term_width = 120)]
pub struct Options {
    /// Brokers, several separated by commas
    #[arg(long, value_name = "HOST:PORT")]
    pub(super) brokers: String,
    /// What the names of the topics begin with
    #[arg(long, value_name = "TEXT", default_value = "touchstone.")]
    pub(super) prefix: String,
    /// Listings, one event a line, told again and again as new ones; .gz and .zst are read as such
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    pub(super) listings: Vec<PathBuf>,
    /// Listings a second; flat out unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub(super) rate: Option<u64>,
    /// How long to write; 60 unless given
    #[arg(long, value_name = "S", conflicts_with = "count", value_parser = clap::value_parser!(u64).range(1..=604_800))]
    pub(super) seconds: Option<u64>,
    /// How many listings to write
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000_000))]
    pub(super) count: Option<u64>,
    /// A setting of librdkafka, such as security.protocol=SSL; may be given more than once
    #[arg(long, value_name = "KEY=VALUE", value_parser = property)]
    pub(super) property: Vec<(String, String)>,
    /// The workers' group: tells how many listings they are behind
    #[arg(long, value_name = "GROUP")]
    pub(super) group: Option<String>,
    /// Print JSON for machines instead of a table for people
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) bounds: Bounds,
}

/// What must be held.
#[derive(clap::Args, Default)]
pub(super) struct Bounds {
    /// The latency in ms that half of the suspects may not exceed
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..=86_400_000))]
    pub(super) p50: Option<u64>,
    /// The latency in ms that 99 in a hundred suspects may not exceed
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..=86_400_000))]
    pub(super) p99: Option<u64>,
    /// Listings a second that must come through, at least
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub(super) throughput: Option<u64>,
}

impl Bounds {
    /// Whether anything must be held.
    pub(super) fn any(&self) -> bool {
        self.p50.is_some() || self.p99.is_some() || self.throughput.is_some()
    }
}

impl Options {
    /// How many listings are written at most, and until when, in microseconds since the run begins.
    pub(super) fn limits(&self) -> (u64, u64) {
        let seconds = self.seconds.unwrap_or(USUAL);
        match (self.count, self.rate) {
            (Some(count), _) => (count, u64::MAX),
            (None, Some(rate)) => (rate * seconds, seconds * 1_000_000),
            (None, None) => (u64::MAX, seconds * 1_000_000),
        }
    }
}

fn property(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected key=value, such as security.protocol=SSL")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(more: &[&str]) -> Result<Options, clap::Error> {
        let first = ["touchstone-load", "--brokers", "localhost:9092", "--listings", "a.jsonl", "b.jsonl.zst"];
        Options::try_parse_from(first.iter().chain(more))
    }

    #[test]
    fn the_command_line_is_sound() {
        Options::command().debug_assert();
    }

    #[test]
    fn a_run_ends_by_time_or_by_count() {
        let limits = |more: &[&str]| parse(more).map(|options| options.limits()).ok();
        assert_eq!(limits(&[]), Some((u64::MAX, 60_000_000)));
        assert_eq!(limits(&["--rate", "50", "--seconds", "2"]), Some((100, 2_000_000)));
        assert_eq!(limits(&["--rate", "50", "--count", "7"]), Some((7, u64::MAX)));
        assert_eq!(limits(&["--count", "7", "--seconds", "2"]), None);
        assert_eq!(limits(&["--rate", "0"]), None);
    }

    #[test]
    fn settings_are_keys_and_values() {
        let options = parse(&["--property", "a.b=c=d", "--property", "e="]).expect("options");
        assert_eq!(options.property, [("a.b".to_owned(), "c=d".to_owned()), ("e".to_owned(), String::new())]);
        assert!(options.prefix == "touchstone." && options.listings.len() == 2 && !options.bounds.any());
        assert!(parse(&["--property", "a"]).is_err());
    }
}
