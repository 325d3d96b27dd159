//! What a run did, said at its end on standard error.
#![allow(clippy::disallowed_types, reason = "tells how long the run took")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::Instant;

use touchstone_detectors::PictureFault;
use touchstone_schemas::{Band, Fault, Suspect};

use crate::dead_letters::DeadLetters;
use crate::engine::Scanned;
use crate::input::Line;

/// What became of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// At least one suspect.
    Suspect,
    /// No suspect.
    Clean,
    /// Not above a revision seen before.
    Stale,
    /// The listing is gone.
    Removed,
    /// It could not be used.
    DeadLetter,
}

impl Outcome {
    /// What became of a listing; whether its scan makes a suspect of it is the caller's to say.
    pub(crate) fn of<T>(scanned: &Scanned<T>, is_suspect: impl FnOnce(&T) -> bool) -> Self {
        match scanned {
            Scanned::Done(found) if is_suspect(found) => Self::Suspect,
            Scanned::Done(_) => Self::Clean,
            Scanned::Stale => Self::Stale,
            Scanned::Removed => Self::Removed,
        }
    }

    /// The outcome as metrics name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Suspect => "suspect",
            Self::Clean => "clean",
            Self::Stale => "stale",
            Self::Removed => "removed",
            Self::DeadLetter => "dead_letter",
        }
    }

    const ALL: [(Self, &'static str); 5] = [
        (Self::Suspect, "suspect"),
        (Self::Clean, "clean"),
        (Self::Stale, "stale"),
        (Self::Removed, "removed"),
        (Self::DeadLetter, "dead letter"),
    ];
}

/// Dead letters told of one by one; the others are counted.
const TOLD: u64 = 5;
/// Brands named in the summary.
const BRANDS: usize = 10;

/// Counts of a run.
pub(crate) struct Summary {
    started: Instant,
    outcomes: BTreeMap<Outcome, u64>,
    bands: BTreeMap<Band, u64>,
    brands: BTreeMap<String, u64>,
    faults: BTreeMap<String, u64>,
    dead: BTreeMap<&'static str, u64>,
    kept: bool,
}

impl Summary {
    pub(crate) fn start() -> Self {
        Self {
            started: Instant::now(),
            outcomes: BTreeMap::new(),
            bands: BTreeMap::new(),
            brands: BTreeMap::new(),
            faults: BTreeMap::new(),
            dead: BTreeMap::new(),
            kept: true,
        }
    }

    pub(crate) fn count(&mut self, outcome: Outcome) {
        *self.outcomes.entry(outcome).or_default() += 1;
    }

    /// Listings in all, and by what became of them.
    pub(crate) fn outcomes(&self) -> serde_json::Value {
        let all: u64 = self.outcomes.values().sum();
        let mut counts = serde_json::Map::from_iter([("listings".to_owned(), all.into())]);
        counts.extend(Outcome::ALL.iter().map(|(o, _)| (o.name().to_owned(), self.outcomes.get(o).copied().unwrap_or(0).into())));
        serde_json::Value::Object(counts)
    }

    pub(crate) fn suspect(&mut self, suspect: &Suspect) {
        *self.bands.entry(suspect.band).or_default() += 1;
        *self.brands.entry(suspect.brand_id.to_string()).or_default() += 1;
    }

    pub(crate) fn faults(&mut self, faults: &[Fault]) {
        for fault in faults {
            *self.faults.entry(format!("{} in {}", fault.reason.as_str(), without_indexes(&fault.path))).or_default() += 1;
        }
    }

    /// Counts pictures that could not be looked at.
    pub(crate) fn pictures(&mut self, faults: impl Iterator<Item = PictureFault>) {
        for fault in faults {
            *self.faults.entry(format!("{fault} in images[]")).or_default() += 1;
        }
    }

    /// Tells of a dead letter, as long as there are few.
    pub(crate) fn complain(&mut self, dead_letters: &DeadLetters<'_>, line: &Line, fault: &Fault) {
        *self.dead.entry(fault.reason.as_str()).or_default() += 1;
        self.kept &= dead_letters.kept();
        if self.dead.values().sum::<u64>() <= TOLD {
            say(&format!("{}: dead letter: {fault}\n", dead_letters.place(line)));
        }
    }

    /// Says what the run did.
    pub(crate) fn close(&self) {
        let seconds = self.started.elapsed().as_secs_f64();
        let listings: u64 = self.outcomes.values().sum();
        let mut text = String::new();
        // Writing to a String cannot fail.
        let mut line = |head: &str, parts: String| {
            if !parts.is_empty() {
                let _ = writeln!(text, "{head:<14} {parts}");
            }
        };
        // Listings are far below what a float holds exactly.
        #[allow(clippy::cast_precision_loss)]
        let rate = listings as f64 / seconds.max(1e-9);
        line("listings", format!("{listings} in {seconds:.2} s, {rate:.0} a second"));
        let outcomes = Outcome::ALL.iter().filter_map(|(o, name)| self.outcomes.get(o).map(|n| format!("{n} {name}")));
        line("outcomes", outcomes.collect::<Vec<_>>().join(", "));
        line("suspects", self.bands.iter().rev().map(|(band, n)| format!("{n} {}", band.as_str())).collect::<Vec<_>>().join(", "));
        let mut brands: Vec<_> = self.brands.iter().collect();
        brands.sort_by_key(|(brand, n)| (std::cmp::Reverse(**n), *brand));
        let more = brands.len().saturating_sub(BRANDS);
        let shown = brands.iter().take(BRANDS).map(|(brand, n)| format!("{n} {brand}"));
        line("brands", shown.chain((more > 0).then(|| format!("{more} more brands"))).collect::<Vec<_>>().join(", "));
        line("faults", self.faults.iter().map(|(fault, n)| format!("{n} {fault}")).collect::<Vec<_>>().join(", "));
        line("dead letters", self.dead.iter().map(|(reason, n)| format!("{n} {reason}")).collect::<Vec<_>>().join(", "));
        if !self.kept {
            text.push_str("Dead letters were not kept: name a file with --dead-letters to keep them.\n");
        }
        say(&text);
    }
}

/// `variants[2].price` as `variants[].price`, so that counts are by field.
fn without_indexes(path: &str) -> String {
    let mut inside = false;
    path.chars()
        .filter(|c| {
            inside = (inside || *c == '[') && *c != ']';
            !(inside && c.is_ascii_digit())
        })
        .collect()
}

fn say(text: &str) {
    // What cannot be said on standard error cannot be said at all.
    let _ = io::stderr().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    #[test]
    fn paths_lose_their_indexes() {
        assert_eq!(super::without_indexes("variants[12].image_indexes[0]"), "variants[].image_indexes[]");
        assert_eq!(super::without_indexes("price2.amount"), "price2.amount");
    }
}
