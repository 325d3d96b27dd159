//! Why the program ends early, and with which exit code.

use std::io::{self, Write};
use std::process::ExitCode;

/// Why the program ends early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Wrong usage, configuration or catalog: exit code 2.
    Usage(String),
    /// The run failed: exit code 1.
    Run(anyhow::Error),
}

impl Failure {
    /// Says so on standard error.
    pub(crate) fn report(self) -> ExitCode {
        let (message, code) = match self {
            Self::Usage(message) => (message, 2),
            // The reader of our output has gone: nothing to complain of.
            Self::Run(error) if error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe) => {
                return ExitCode::SUCCESS;
            }
            Self::Run(error) => (format!("touchstone: {error:#}"), 1),
        };
        // There is nowhere left to report a failure to report.
        let _ = writeln!(io::stderr(), "{message}");
        ExitCode::from(code)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Usage(message) => f.write_str(message),
            Self::Run(error) => write!(f, "{error:#}"),
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Run(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Run(error.into())
    }
}
