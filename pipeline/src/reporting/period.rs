//! The period that a report is of.

use touchstone_schemas::Timestamp;

/// From a moment to just before another.
#[derive(Debug, Clone)]
pub(crate) struct Period {
    /// The first moment.
    pub(super) from: Timestamp,
    /// The first moment after it.
    pub(super) to: Timestamp,
}

impl Period {
    /// Nothing where it would end before it begins.
    pub(crate) fn new(from: Timestamp, to: Timestamp) -> Option<Self> {
        (from < to).then_some(Self { from, to })
    }

    /// Whether it holds a moment, in milliseconds since 1970.
    pub(super) fn has(&self, at: i64) -> bool {
        self.from.unix_millis() <= at && !self.is_over(at)
    }

    /// Whether a moment is after it.
    pub(super) fn is_over(&self, at: i64) -> bool {
        at >= self.to.unix_millis()
    }
}

/// Reads a date, or a moment in RFC 3339.
///
/// # Errors
/// What to write instead.
pub(crate) fn moment(text: &str) -> Result<Timestamp, String> {
    let parsed = Timestamp::parse(text).or_else(|| Timestamp::parse(&format!("{text}T00:00:00Z")));
    parsed.ok_or_else(|| "expected a date like 2026-08-01, or RFC 3339 in UTC like 2026-08-01T06:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_moments_are_read() {
        for (text, expected) in [
            ("2026-08-01", Some("2026-08-01T00:00:00Z")),
            ("2026-08-01T06:00:00Z", Some("2026-08-01T06:00:00Z")),
            ("2026-8-1", None),
            ("2026-02-30", None),
            ("yesterday", None),
            ("2026-08-01T06:00:00", None),
        ] {
            assert_eq!(moment(text).ok().as_ref().map(Timestamp::as_str), expected, "{text}");
        }
    }

    #[test]
    fn the_end_is_not_within() {
        let at = |text| moment(text).expect("a date");
        let period = Period::new(at("2026-08-01"), at("2026-09-01")).expect("a period");
        for (text, within) in [("2026-07-31T23:59:59Z", false), ("2026-08-01", true), ("2026-08-31T23:59:59Z", true), ("2026-09-01", false)]
        {
            assert_eq!(period.has(at(text).unix_millis()), within, "{text}");
        }
        assert!(Period::new(at("2026-08-01"), at("2026-08-01")).is_none());
    }
}
