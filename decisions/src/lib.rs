//! What becomes of a suspect: its life from suspicion to removal or rejection, notices, standing, seller cases.
//!
//! Pure: no I/O, no clock, no Kafka. The same records and the same policy give the same decisions. `docs/life.md` says in words what
//! stands here as code.

mod calendar;
pub mod cases;
mod desk;
mod event;
mod giver;
mod guard;
mod learning;
mod life;
mod matter;
mod notice;
mod precision;
mod removal;
mod standing;

pub use calendar::Calendars;
pub use desk::{Desk, FORMAT, Heading};
pub use event::{Event, Output};
pub use giver::{Refusal, check_verdict};
pub use guard::Cap;
pub use learning::{LEARNT, Learner, matter_id};
pub use life::{Happening, next};
pub use matter::Rules;
pub use precision::Precision;
pub use standing::{DueAt, Explanation, Ledger};
