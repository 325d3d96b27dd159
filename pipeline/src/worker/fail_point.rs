//! Steps at which a worker can be made to die, so that tests see what is left behind.
//!
//! `TOUCHSTONE_FAIL_POINT=sent:3` aborts the process when it sends for the third time. Nothing is flushed or unwound: it is as
//! if it had been killed there.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::error;

/// The variable that names a point and the time it is reached.
const VARIABLE: &str = "TOUCHSTONE_FAIL_POINT";

/// A step of the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Point {
    /// The state of a partition is read back.
    Restored,
    /// A batch is scanned.
    Scanned,
    /// A transaction is begun.
    Begun,
    /// All its records are handed to the client.
    Sent,
    /// All its records are with the brokers.
    Flushed,
    /// Its offsets are with the brokers.
    OffsetsSent,
    /// It is committed, and nobody was told.
    Committed,
    /// Partitions are taken away, and what was on its way is committed.
    Revoked,
}

impl Point {
    const ALL: [Self; 8] =
        [Self::Restored, Self::Scanned, Self::Begun, Self::Sent, Self::Flushed, Self::OffsetsSent, Self::Committed, Self::Revoked];

    fn name(self) -> &'static str {
        match self {
            Self::Restored => "restored",
            Self::Scanned => "scanned",
            Self::Begun => "begun",
            Self::Sent => "sent",
            Self::Flushed => "flushed",
            Self::OffsetsSent => "offsets_sent",
            Self::Committed => "committed",
            Self::Revoked => "revoked",
        }
    }

    /// Dies here if that was asked for.
    pub(super) fn reached(self) {
        static ASKED: LazyLock<Option<(Point, u64)>> = LazyLock::new(|| read(&std::env::var(VARIABLE).ok()?));
        static TIMES: AtomicU64 = AtomicU64::new(0);
        if let Some((point, times)) = *ASKED
            && point == self
            && TIMES.fetch_add(1, Ordering::Relaxed) + 1 == times
        {
            error!("dies at {}, as {VARIABLE} asks", self.name());
            std::process::abort();
        }
    }
}

/// `NAME:N`; nothing of any other form.
fn read(text: &str) -> Option<(Point, u64)> {
    let (name, times) = text.split_once(':')?;
    Some((Point::ALL.into_iter().find(|p| p.name() == name)?, times.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_rightly_is_asked_for() {
        for point in Point::ALL {
            assert_eq!(read(&format!("{}:3", point.name())), Some((point, 3)));
        }
        for wrong in ["", "sent", "sent:", "sent:x", "other:1"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
