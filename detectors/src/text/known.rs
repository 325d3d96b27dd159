//! Texts of confirmed fakes: copyists copy their own descriptions, too.

use std::collections::BTreeSet;

use touchstone_schemas::{KnownFake, Timestamp};

use super::document::Document;
use super::normalise::normalise;

/// Words in a row that are compared as one.
const RUN: usize = 4;
/// Share of a fake's runs that a listing must have.
const SHARE: (usize, usize) = (6, 10);
/// A text with fewer runs is what many sellers write.
const FEWEST: usize = 6;

/// A confirmed fake's text.
pub(crate) struct FakeText {
    pub(crate) id: String,
    pub(crate) brand: usize,
    expires_at: Option<Timestamp>,
    runs: BTreeSet<String>,
}

impl FakeText {
    /// Nothing for a fake without a text, or with one too short to tell anything.
    pub(crate) fn of(fake: &KnownFake, brand: usize) -> Option<Self> {
        let runs: BTreeSet<String> = runs(&normalise(fake.text.as_deref()?)).collect();
        let expires_at = fake.expires_at.clone();
        (runs.len() >= FEWEST).then(|| Self { id: fake.id.to_string(), brand, expires_at, runs })
    }

    /// Whether a listing repeats most of it.
    pub(crate) fn is_repeated(&self, document: &Document<'_>, at: &Timestamp) -> bool {
        if self.expires_at.as_ref().is_some_and(|until| at >= until) {
            return false;
        }
        let found: BTreeSet<String> = runs(document.text()).filter(|run| self.runs.contains(run)).collect();
        found.len() * SHARE.1 >= self.runs.len() * SHARE.0
    }
}

fn runs(text: &str) -> impl Iterator<Item = String> {
    let words: Vec<&str> = text.split([' ', '\n']).filter(|w| !w.is_empty()).collect();
    let runs: Vec<String> = words.windows(RUN).map(|run| run.join(" ")).collect();
    runs.into_iter()
}
