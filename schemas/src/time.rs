//! Times as the contract writes them: RFC 3339 in UTC.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::decode::{Decode, Decoder, Fault, FaultReason, Schema, cut};

/// A moment, kept as it was written; two are compared by the moment and not by the text.
#[derive(Debug, Clone)]
pub struct Timestamp {
    text: String,
    nanos: i128,
}

impl Timestamp {
    /// Reads `2026-11-21T08:00:00[.fraction]Z`; `+00:00` stands for `Z`. Years 0000 to 9999.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let (date_time, rest) = (bytes.get(..19)?, bytes.get(19..)?);
        let punctuation = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
        if punctuation.iter().any(|(at, expected)| date_time[*at].to_ascii_uppercase() != *expected) {
            return None;
        }
        let number = |range: std::ops::Range<usize>| digits(&date_time[range]);
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
        // Second 60 is a leap second.
        if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let (fraction, zone) = match rest.split_first()? {
            (b'.', rest) => rest.split_at(rest.iter().take_while(|b| b.is_ascii_digit()).count()),
            _ => (&[][..], rest),
        };
        if rest[0] == b'.' && fraction.is_empty() || !matches!(zone, b"Z" | b"z" | b"+00:00" | b"-00:00") {
            return None;
        }
        let mut nanos = 0;
        for i in 0..9 {
            nanos = nanos * 10 + i128::from(fraction.get(i).map_or(0, |b| b - b'0'));
        }
        let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
        Some(Self { text: text.to_owned(), nanos: i128::from(seconds) * 1_000_000_000 + nanos })
    }

    /// The moment that many milliseconds after 1970-01-01T00:00:00Z.
    pub fn from_unix_millis(millis: i64) -> Self {
        let (seconds, milli) = (millis.div_euclid(1000), millis.rem_euclid(1000));
        let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil_from_days(days);
        let text = format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{milli:03}Z", of_day / 3600, of_day / 60 % 60, of_day % 60);
        Self { text, nanos: i128::from(millis) * 1_000_000 }
    }

    /// Milliseconds since 1970-01-01T00:00:00Z, rounded down.
    pub fn unix_millis(&self) -> i64 {
        // Years of four digits are far from the ends.
        i64::try_from(self.nanos.div_euclid(1_000_000)).unwrap_or(i64::MAX)
    }

    /// Days since 1970-01-01, rounded down.
    pub fn unix_day(&self) -> i64 {
        self.unix_millis().div_euclid(86_400_000)
    }

    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, counted in years that begin in March.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

impl PartialEq for Timestamp {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Timestamp {}

impl PartialOrd for Timestamp {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timestamp {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl Decode for Timestamp {
    fn decode(raw: &RawValue, decoder: &mut Decoder) -> Result<Self, Fault> {
        let text = String::decode(raw, decoder)?;
        Self::parse(&text).ok_or_else(|| {
            decoder.fault(FaultReason::WrongForm, format!("expected RFC 3339 in UTC like 2026-11-21T08:00:00Z, found {:?}", cut(&text)))
        })
    }

    fn strict<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::strict::text(deserializer, Self::parse)
    }
}

impl Schema for Timestamp {
    fn schema() -> Value {
        json!({"type": "string", "format": "date-time", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?([Zz]|[+-]00:00)$"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_rfc_3339_allows_in_utc_and_nothing_else() {
        for good in [
            "2026-11-21T08:00:00Z",
            "2026-11-21T08:00:00.123456789Z",
            "9999-12-31T23:59:59Z",
            "0000-01-01T00:00:00+00:00",
            "2024-02-29T23:59:60Z",
        ] {
            assert_eq!(Timestamp::parse(good).map(|t| t.to_string()).as_deref(), Some(good));
        }
        for bad in [
            "",
            "2026-11-21",
            "2026-11-21T08:00:00",
            "2026-11-21 08:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-11-21T24:00:00Z",
            "2026-11-21T08:00:00.Z",
            "2026-11-21T08:00:00+07:00",
            "2026-11-21T08:00:00ZZ",
            "20261-11-21T08:00:00Z",
            "২026-11-21T08:00:00Z",
        ] {
            assert_eq!(Timestamp::parse(bad).map(|t| t.to_string()), None, "{bad}");
        }
    }

    #[test]
    fn compares_moments_and_round_trips_through_unix_time() {
        assert_eq!(Timestamp::parse("2026-11-21T08:00:00Z"), Timestamp::parse("2026-11-21T08:00:00.000+00:00"));
        assert_eq!(Timestamp::from_unix_millis(0).as_str(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::from_unix_millis(951_782_399_999).as_str(), "2000-02-28T23:59:59.999Z");
        for day in (-700_000..2_900_000).step_by(997) {
            let made = Timestamp::from_unix_millis(day * 86_400_000);
            assert_eq!(Timestamp::parse(made.as_str()), Some(made.clone()), "{made}");
        }
    }
}
