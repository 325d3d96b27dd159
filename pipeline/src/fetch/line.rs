//! The line before each host: so many are served at once, so many wait, and the others are turned away.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{FetchFault, lock};

pub(super) struct Lines {
    at_once: usize,
    waiting: usize,
    /// Only hosts for which somebody is in line, so that as many are remembered as there are fetches.
    lines: Mutex<HashMap<String, Line>>,
}

struct Line {
    places: Arc<Semaphore>,
    /// Those who wait or are served.
    inside: usize,
}

impl Lines {
    pub(super) fn new(at_once: usize, waiting: usize) -> Self {
        Self { at_once: at_once.clamp(1, Semaphore::MAX_PERMITS), waiting, lines: Mutex::default() }
    }

    /// Stands in line, until the ticket is dropped.
    pub(super) fn enter(&self, host: &str) -> Result<Ticket<'_>, FetchFault> {
        let mut lines = lock(&self.lines);
        let new = || Line { places: Arc::new(Semaphore::new(self.at_once)), inside: 0 };
        let line = lines.entry(host.to_owned()).or_insert_with(new);
        if line.inside >= self.at_once.saturating_add(self.waiting) {
            return Err(FetchFault::Busy);
        }
        line.inside += 1;
        Ok(Ticket { lines: self, host: host.to_owned(), places: line.places.clone() })
    }
}

pub(super) struct Ticket<'a> {
    lines: &'a Lines,
    host: String,
    places: Arc<Semaphore>,
}

impl Ticket<'_> {
    /// Waits until it is served.
    pub(super) async fn turn(&self) -> Result<OwnedSemaphorePermit, FetchFault> {
        self.places.clone().acquire_owned().await.map_err(|_| FetchFault::Busy)
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut lines = lock(&self.lines.lines);
        if let Some(line) = lines.get_mut(&self.host) {
            line.inside -= 1;
            if line.inside == 0 {
                lines.remove(&self.host);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_an_end_and_is_forgotten_when_empty() {
        let lines = Lines::new(2, 3);
        let mut tickets: Vec<Ticket<'_>> = (0..5).map(|_| lines.enter("a").expect("there is room")).collect();
        assert_eq!(lines.enter("a").map(drop), Err(FetchFault::Busy));
        assert!(lines.enter("b").is_ok(), "another host has a line of its own");
        tickets.pop();
        assert!(lines.enter("a").is_ok());
        tickets.clear();
        assert!(lock(&lines.lines).is_empty());
    }
}
