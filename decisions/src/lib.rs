//! What becomes of a suspect: its life from suspicion to removal or rejection, notices, standing, seller cases.
//!
//! Pure: no I/O, no clock, no Kafka. The same records and the same policy give the same decisions. `docs/life.md` says in words what
//! stands here as code.

