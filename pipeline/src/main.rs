//! Touchstone: finds suspected counterfeits among marketplace listings.

mod archive;
mod batch;
mod brand_fields;
mod catalog;
mod cli;
mod commands;
mod config;
mod dead_letters;
mod demo;
mod doctor;
mod engine;
mod eval;
mod failure;
mod fetch;
mod fit;
mod health;
mod http;
mod input;
mod kafka;
mod logs;
mod metrics;
mod output;
mod pictures;
mod remote;
mod replay;
mod report;
mod reporting;
mod revisions;
mod shadow;
mod summary;
mod webhooks;
mod worker;

use std::process::ExitCode;

use clap::Parser;

/// Each listing makes and drops some hundred small texts: the system's allocator takes a quarter of the time for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match commands::run(cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
