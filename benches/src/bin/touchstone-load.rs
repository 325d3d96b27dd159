//! Writes listings to Kafka at a rate or flat out, and says how long their suspects took to come back.

use std::process::ExitCode;

use clap::Parser;
use touchstone_benches::load::{self, Options};

fn main() -> ExitCode {
    load::run(&Options::parse())
}
