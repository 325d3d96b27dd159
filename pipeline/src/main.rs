//! Touchstone: finds suspected counterfeits among marketplace listings.

mod batch;
mod cli;
mod commands;
mod dead_letters;
mod engine;
mod eval;
mod failure;
mod input;
mod output;
mod pictures;
mod revisions;
mod summary;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match commands::run(cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
