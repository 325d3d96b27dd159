//! Brokers that are away for a while.

#![allow(clippy::disallowed_types, reason = "waits for a bounded time")]

use std::time::{Duration, Instant};

use super::broker::Broker;
use super::worker::{Worker, get};
use super::{LIMIT, key, lines};
use crate::common::{catalog, examples};

/// Without brokers a worker lives, is not ready after 30 s at the latest, and goes on by itself when they are back.
#[test]
fn a_worker_without_brokers_is_not_ready_and_goes_on_when_they_are_back() {
    let broker = Broker::embedded();
    let mut worker = Worker::start(&broker, &catalog(), "");
    worker.wait_ready();
    broker.set_up(false);
    let deadline = Instant::now() + Duration::from_secs(30);
    while get(&worker.operations, "/health/ready").is_some_and(|(status, _)| status == 200) {
        assert!(Instant::now() < deadline, "ready without brokers: {}", worker.log());
        std::thread::park_timeout(Duration::from_millis(200));
    }
    assert_eq!(get(&worker.operations, "/health/live").map(|(status, _)| status), Some(200));
    broker.set_up(true);
    worker.wait_ready();
    let text = std::fs::read_to_string(examples()).expect("the examples");
    let suspect = lines(text.lines().nth(1).expect("a suspect")).remove(0);
    broker.write(&broker.topic("listings"), std::iter::once((key(&suspect), suspect.to_string().as_bytes())), &[]);
    let seen = broker.read_until(&broker.topic("suspects"), LIMIT, |seen| !seen.is_empty());
    assert_eq!(seen.len(), 1, "{}", worker.log());
}
