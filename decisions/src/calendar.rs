//! Working days: when the answer to a question is due.
//!
//! A market's calendar is its weekend and its public holidays. `defaults/calendars.jsonl` ships some, one a line; a file of the operator's
//! own need only hold the markets that differ. Days are those of UTC.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;
use touchstone_schemas::{Market, Timestamp};

const SHIPPED: &str = include_str!("../defaults/calendars.jsonl");
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/// The market whose calendar holds where there is no other.
const WORLDWIDE: &str = "ZZ";
const DAY_MILLIS: i64 = 86_400_000;
/// 9999-12-31, the last day that can be written.
const LAST_DAY: i64 = 2_932_896;
/// Most working days that are counted, and most holidays of a market: they bound how long one look takes.
const MOST_DAYS: u32 = 2_500;
const MOST_HOLIDAYS: usize = 5_000;

/// The working days of all markets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendars {
    markets: BTreeMap<String, Calendar>,
}

/// The days of a market on which nobody works.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Calendar {
    /// By day of the week, Sunday first.
    weekend: [bool; 7],
    /// Days since 1970-01-01.
    holidays: BTreeSet<i64>,
}

/// A line of a calendars file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    market: String,
    weekend: Vec<String>,
    holidays: Vec<String>,
    /// What the days rest on, for whoever reads the file.
    #[serde(default, rename = "source")]
    _source: String,
}

impl Calendars {
    /// The shipped calendars.
    pub fn shipped() -> &'static Self {
        static CALENDARS: LazyLock<Calendars> =
            LazyLock::new(|| Calendars::read(SHIPPED, BTreeMap::new()).unwrap_or_else(|e| unreachable!("the shipped calendars: {e}")));
        &CALENDARS
    }

    /// The shipped calendars with what a calendars file sets otherwise: a line replaces all of its market.
    ///
    /// # Errors
    /// What is wrong, with the line and what to write instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::read(text, Self::shipped().markets.clone())
    }

    fn read(text: &str, mut markets: BTreeMap<String, Calendar>) -> Result<Self, String> {
        let mut named = BTreeSet::new();
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let (market, calendar) = Calendar::read(line).map_err(|e| format!("line {}: {e}", at + 1))?;
            if !named.insert(market.clone()) {
                return Err(format!("line {}: market {market} has a line already: put its days into one", at + 1));
            }
            markets.insert(market, calendar);
        }
        Ok(Self { markets })
    }

    /// The end (23:59:59.999 UTC) of the n-th working day after the day of `from`; `days` from 1 to 2,500.
    pub fn due_at(&self, market: &Market, from: &Timestamp, days: u32) -> Timestamp {
        let calendar = self.of(market);
        let mut day = from.unix_day();
        let mut left = days.clamp(1, MOST_DAYS);
        // Ends: every week has a working day but for holidays, which are few.
        while left > 0 && day < LAST_DAY {
            day += 1;
            left -= u32::from(calendar.is_none_or(|c| c.is_working(day)));
        }
        Timestamp::from_unix_millis(day * DAY_MILLIS + DAY_MILLIS - 1)
    }

    /// Whether a day, counted from 1970-01-01, is a working day.
    pub fn is_working(&self, market: &Market, day: i64) -> bool {
        self.of(market).is_none_or(|calendar| calendar.is_working(day))
    }

    fn of(&self, market: &Market) -> Option<&Calendar> {
        self.markets.get(market.as_str()).or_else(|| self.markets.get(WORLDWIDE))
    }
}

impl Calendar {
    fn read(line: &str) -> Result<(String, Self), String> {
        let line: Line = serde_json::from_str(line).map_err(|e| e.to_string())?;
        if Market::new(&line.market).is_none() {
            return Err(format!("market: expected two capital letters like ID, found {:?}", line.market));
        }
        let mut weekend = [false; 7];
        for name in &line.weekend {
            let at = WEEKDAYS.iter().position(|weekday| weekday == name);
            weekend[at.ok_or_else(|| format!("weekend: expected some of {}, found {name:?}", WEEKDAYS.join(", ")))?] = true;
        }
        if !weekend.contains(&false) {
            return Err("weekend: a week needs a working day".to_owned());
        }
        if line.holidays.len() > MOST_HOLIDAYS {
            return Err(format!("holidays: {} are given, {MOST_HOLIDAYS} at most are taken", line.holidays.len()));
        }
        let day = |text: &String| match Timestamp::parse(&format!("{text}T00:00:00Z")) {
            Some(midnight) => Ok(midnight.unix_day()),
            None => Err(format!("holidays: expected a day like 2026-12-25, found {text:?}")),
        };
        let holidays = line.holidays.iter().map(day).collect::<Result<_, _>>()?;
        Ok((line.market, Self { weekend, holidays }))
    }

    fn is_working(&self, day: i64) -> bool {
        // 1970-01-01 was a Thursday.
        let weekday = usize::try_from((day + 4).rem_euclid(7)).unwrap_or(0);
        !self.weekend[weekday] && !self.holidays.contains(&day)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn market(name: &str) -> Market {
        Market::new(name).expect("a market")
    }

    fn time(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    #[test]
    fn answers_are_due_at_the_end_of_working_days() {
        for (name, from, days, due) in [
            // A Monday, and the same week.
            ("ZZ", "2026-11-23T00:00:00Z", 1, "2026-11-24"),
            ("ZZ", "2026-11-23T23:59:59.999Z", 1, "2026-11-24"),
            ("ZZ", "2026-11-23T10:00:00Z", 4, "2026-11-27"),
            // Over a weekend, and on one.
            ("ZZ", "2026-11-27T10:00:00Z", 1, "2026-11-30"),
            ("ZZ", "2026-11-28T10:00:00Z", 1, "2026-11-30"),
            ("ZZ", "2026-11-29T10:00:00Z", 5, "2026-12-04"),
            // Unknown markets have the calendar of ZZ.
            ("QQ", "2026-12-31T10:00:00Z", 1, "2027-01-01"),
            // The end of the year: Christmas and its substitute, and New Year.
            ("US", "2026-12-24T10:00:00Z", 1, "2026-12-28"),
            ("GB", "2026-12-24T10:00:00Z", 1, "2026-12-29"),
            ("DE", "2026-12-31T10:00:00Z", 1, "2027-01-04"),
            // A bridge of seven days, and one of four in Japan.
            ("CN", "2026-09-30T10:00:00Z", 1, "2026-10-08"),
            ("JP", "2026-09-18T10:00:00Z", 1, "2026-09-24"),
            ("KR", "2026-09-23T10:00:00Z", 1, "2026-09-28"),
            ("ID", "2026-08-14T10:00:00Z", 3, "2026-08-20"),
            // Friday and Saturday are the weekend.
            ("SA", "2026-10-01T10:00:00Z", 1, "2026-10-04"),
            ("SA", "2026-10-02T10:00:00Z", 2, "2026-10-05"),
            ("AE", "2026-10-01T10:00:00Z", 1, "2026-10-02"),
            // None is none less than one.
            ("ZZ", "2026-11-23T10:00:00Z", 0, "2026-11-24"),
            // Days before 1970, and the last that can be written.
            ("ZZ", "1969-12-31T10:00:00Z", 1, "1970-01-01"),
            ("ZZ", "9999-12-30T10:00:00Z", 9, "9999-12-31"),
        ] {
            let due_at = Calendars::shipped().due_at(&market(name), &time(from), days);
            assert_eq!(due_at.as_str(), format!("{due}T23:59:59.999Z"), "{name} {from} {days}");
        }
    }

    #[test]
    fn the_shipped_file_names_each_market_once_and_real_days_of_two_years_in_order() {
        for line in SHIPPED.lines() {
            let (name, calendar) = Calendar::read(line).expect("a line");
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let days: Vec<&str> = line["holidays"].as_array().expect("days").iter().filter_map(|day| day.as_str()).collect();
            assert!(days.is_sorted() && days.len() == calendar.holidays.len(), "{name}");
            assert!(days.iter().all(|day| day.starts_with("2026-") || day.starts_with("2027-")), "{name}");
            assert!(!line["source"].as_str().expect("a source").is_empty(), "{name}");
        }
        let markets = "AE AU BR CN DE ES FR GB HK ID IN IT JP KR MX MY PH SA SG TH TR TW US VN ZZ";
        assert_eq!(Calendars::shipped().markets.keys().map(String::as_str).collect::<Vec<_>>().join(" "), markets);
    }

    #[test]
    fn a_file_of_ones_own_replaces_the_markets_that_it_names() {
        let own = Calendars::parse("\n{\"market\": \"ID\", \"weekend\": [\"sun\"], \"holidays\": [\"2026-11-24\"]}\n").expect("calendars");
        let from = time("2026-11-23T10:00:00Z");
        assert_eq!(own.due_at(&market("ID"), &from, 1).as_str(), "2026-11-25T23:59:59.999Z");
        assert!(own.is_working(&market("ID"), time("2026-11-28T00:00:00Z").unix_day()));
        assert_eq!(own.due_at(&market("SA"), &from, 9), Calendars::shipped().due_at(&market("SA"), &from, 9));
        assert_eq!(Calendars::parse("").expect("nothing differs"), *Calendars::shipped());
    }

    #[test]
    fn faults_name_the_line_and_what_to_write() {
        let line = |market: &str, weekend: &str, holidays: &str| {
            format!("\n{{\"market\": \"{market}\", \"weekend\": [{weekend}], \"holidays\": [{holidays}]}}\n")
        };
        let week = WEEKDAYS.map(|day| format!("\"{day}\"")).join(", ");
        for (text, expected) in [
            (line("idn", "", ""), "line 2: market: expected two capital letters like ID, found \"idn\""),
            (line("ID", "\"Saturday\"", ""), "line 2: weekend: expected some of sun, mon, tue, wed, thu, fri, sat, found \"Saturday\""),
            (line("ID", &week, ""), "line 2: weekend: a week needs a working day"),
            (line("ID", "", "\"2026-02-29\""), "line 2: holidays: expected a day like 2026-12-25, found \"2026-02-29\""),
            (line("ID", "", "\"25.12.2026\""), "line 2: holidays: expected a day like 2026-12-25, found \"25.12.2026\""),
            (line("ID", "", &vec!["\"2026-01-01\""; 5_001].join(",")), "line 2: holidays: 5001 are given, 5000 at most are taken"),
            (line("ID", "", "").repeat(2), "line 4: market ID has a line already: put its days into one"),
        ] {
            assert_eq!(Calendars::parse(&text).err().as_deref(), Some(expected));
        }
        for text in ["{", "[]", "{\"market\": \"ID\"}", "{\"market\": \"ID\", \"weekends\": [], \"holidays\": []}"] {
            assert!(Calendars::parse(text).is_err_and(|e| e.starts_with("line 1: ")), "{text}");
        }
    }

    proptest! {
        #[test]
        fn so_many_working_days_lie_in_between_and_later_is_never_sooner(
            weekend in prop::collection::btree_set(0_usize..7, 0..6),
            holidays in prop::collection::btree_set(0_i64..400, 0..200),
            from in 0_i64..30_000_000_000,
            more in 0_i64..3_000_000_000,
            days in 1_u32..60,
        ) {
            let weekend: Vec<&str> = weekend.into_iter().map(|at| WEEKDAYS[at]).collect();
            let date = |day: &i64| Timestamp::from_unix_millis(day * DAY_MILLIS).as_str()[..10].to_owned();
            let holidays: Vec<String> = holidays.iter().map(date).collect();
            let text = serde_json::json!({"market": "ID", "weekend": weekend, "holidays": holidays}).to_string();
            let (calendars, market) = (Calendars::parse(&text).expect("calendars"), market("ID"));
            let due = |from: i64, days: u32| calendars.due_at(&market, &Timestamp::from_unix_millis(from), days);

            let due_at = due(from, days);
            let (first, last) = (from.div_euclid(DAY_MILLIS) + 1, due_at.unix_day());
            prop_assert!(calendars.is_working(&market, last));
            // Told from the text of the file, day by day.
            let works = |day: &i64| {
                !weekend.contains(&WEEKDAYS[usize::try_from((day + 4) % 7).expect("a weekday")]) && !holidays.contains(&date(day))
            };
            prop_assert_eq!((first..=last).filter(works).count(), days as usize);
            prop_assert!(due_at.as_str().ends_with("T23:59:59.999Z"));
            prop_assert!(due_at < due(from, days + 1));
            prop_assert!(due_at <= due(from + more, days));
        }
    }
}
