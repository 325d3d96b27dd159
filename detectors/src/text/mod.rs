//! Text: normalising it, finding brands in it however they are hidden, and reading what stands around them.

mod detector;
mod document;
mod hidden;
mod known;
mod lexicon;
mod negation;
mod normalise;
mod origin;
mod rolling;
mod sketch;
mod slip;
mod table;
mod window;
mod words;

pub(crate) use detector::TextDetector;
pub(crate) use document::{Document, Piece};
pub(crate) use known::FakeText;
pub(crate) use lexicon::{Found, Lexicon, Mention, ModelHit, Name, Vocabulary, Weakness, lines_of, names_of, stands_alone};
pub(crate) use normalise::normalise;
pub(crate) use table::{is_hangul, runs_together};
pub(crate) use words::{Hit, What, Words};
