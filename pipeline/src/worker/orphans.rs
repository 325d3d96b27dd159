//! Partitions that no worker of the group has.
//!
//! A static member that dies between giving partitions up and asking for its new share gets what it had when it is back, and the
//! brokers see no reason to divide anew: what it gave up is nobody's, for as long as nobody joins or leaves. So each worker looks
//! after its group for a while after its start, and where partitions stay without an owner, another member joins for a moment.

#![allow(clippy::disallowed_types, reason = "looks for a bounded time")]

use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use tracing::{debug, info, warn};

use crate::kafka::{self, Asking};

/// How long after its start a worker looks.
const WATCH: Duration = Duration::from_secs(60);
/// How often.
const LOOK: Duration = Duration::from_secs(2);
/// Looks in a row that must show the same: a member that drains has given its partitions up, too, and is not done for a while.
const LOOKS: u32 = 6;
/// How long one call may take.
const CALL: Duration = Duration::from_secs(5);
/// How long the other member may take to join.
const JOINING: Duration = Duration::from_secs(15);

/// Looks after the group of `config`, which is a worker's, until the time is up or `go_on` is false.
pub(super) fn watch(config: &ClientConfig, topic: &str, go_on: impl Fn() -> bool) {
    let mut config = config.clone();
    // A passing member must not take a worker's name.
    config.remove("group.instance.id");
    let client = match kafka::asking(&config) {
        Ok(client) => client,
        Err(e) => return warn!("kafka: the group cannot be looked after: {e}"),
    };
    let until = Instant::now() + WATCH;
    let (mut before, mut looks) = (Vec::new(), 0);
    while Instant::now() < until && go_on() {
        std::thread::park_timeout(LOOK);
        let orphans = orphans(&client, config.get("group.id").unwrap_or_default(), topic).unwrap_or_else(|e| {
            debug!("kafka: the group cannot be looked at: {e}");
            Vec::new()
        });
        looks = if !orphans.is_empty() && orphans == before { looks + 1 } else { 0 };
        if looks >= LOOKS {
            looks = 0;
            info!(?orphans, "no worker has these partitions: the group is made to divide anew");
            if let Err(e) = nudge(&config, topic, &go_on) {
                warn!("kafka: the group cannot be made to divide anew: {e}");
            }
        }
        before = orphans;
    }
}

/// Partitions of a topic that no member has, while the group is at rest.
fn orphans(client: &BaseConsumer<Asking>, group: &str, topic: &str) -> Result<Vec<i32>, KafkaError> {
    let list = client.fetch_group_list(Some(group), CALL)?;
    let Some(group) = list.groups().iter().find(|g| g.name() == group && g.state() == "Stable") else { return Ok(Vec::new()) };
    let owned: Vec<i32> = group.members().iter().filter_map(|m| partitions_of(m.assignment()?, topic)).flatten().collect();
    let metadata = client.fetch_metadata(Some(topic), CALL)?;
    let all = metadata.topics().iter().flat_map(|t| t.partitions()).map(|p| p.id());
    Ok(all.filter(|p| !owned.contains(p)).collect())
}

/// The partitions of a topic in a member's assignment, as the consumer protocol writes it: a version of 16 bits, and counted lists
/// of topics with counted lists of partitions, all numbers big-endian.
fn partitions_of(assignment: &[u8], topic: &str) -> Option<Vec<i32>> {
    fn take<'a>(rest: &mut &'a [u8], n: usize) -> Option<&'a [u8]> {
        let (taken, left) = rest.split_at_checked(n)?;
        *rest = left;
        Some(taken)
    }
    fn number(rest: &mut &[u8]) -> Option<i32> {
        take(rest, 4)?.try_into().ok().map(i32::from_be_bytes)
    }
    let mut rest = assignment;
    take(&mut rest, 2)?;
    let mut found = Vec::new();
    for _ in 0..number(&mut rest)? {
        let length = take(&mut rest, 2)?.try_into().ok().map(u16::from_be_bytes)?;
        let name = take(&mut rest, usize::from(length))?;
        for _ in 0..number(&mut rest)? {
            let partition = number(&mut rest)?;
            if name == topic.as_bytes() {
                found.push(partition);
            }
        }
    }
    Some(found)
}

/// Joins the group until it has divided its partitions, and leaves it: what it was given meanwhile goes to the workers.
fn nudge(config: &ClientConfig, topic: &str, go_on: impl Fn() -> bool) -> Result<(), KafkaError> {
    let member = kafka::asking(config)?;
    member.subscribe(&[topic])?;
    let until = Instant::now() + JOINING;
    while Instant::now() < until && go_on() && member.assignment()?.count() == 0 {
        // Nothing that comes is taken: it commits no offset.
        let _ = member.poll(LOOK / 20);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An assignment of two topics.
    fn assignment() -> Vec<u8> {
        let mut bytes = vec![0, 1, 0, 0, 0, 2];
        for (name, partitions) in [("other", vec![7]), ("listings", vec![0, 5])] {
            bytes.extend(u16::try_from(name.len()).expect("short").to_be_bytes());
            bytes.extend(name.as_bytes());
            bytes.extend(i32::try_from(partitions.len()).expect("few").to_be_bytes());
            partitions.iter().for_each(|p: &i32| bytes.extend(p.to_be_bytes()));
        }
        bytes.extend([0, 0, 0, 0]);
        bytes
    }

    #[test]
    fn an_assignment_is_read_and_a_broken_one_is_not() {
        assert_eq!(partitions_of(&assignment(), "listings"), Some(vec![0, 5]));
        assert_eq!(partitions_of(&assignment(), "none"), Some(vec![]));
        assert_eq!(partitions_of(&[], "listings"), None);
        let whole = assignment().len() - 4;
        for cut in 0..whole {
            assert_eq!(partitions_of(&assignment()[..cut], "listings"), None, "{cut}");
        }
        assert_eq!(partitions_of(&[0, 0, 0x7f, 0xff, 0xff, 0xff], "listings"), None, "a count that lies");
    }
}
