//! Log lines on standard error, as text or JSON.

use tracing::Level;

use crate::config::Logs;

/// Sets up logging for the process; a second call changes nothing.
pub(crate) fn start(logs: &Logs) {
    let level: Level = logs.level.parse().unwrap_or(Level::INFO);
    let builder = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_target(false);
    let set = match logs.format.as_str() {
        "json" => builder.json().try_init(),
        _ => builder.try_init(),
    };
    // Only a test starts it twice.
    drop(set);
}
