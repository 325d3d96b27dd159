//! What stands in topics.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::consumer::Consumer;
use rdkafka::message::{BorrowedMessage, Headers, Message};

use super::{DEAD_LETTERS, Entry, tell};
use crate::config::Config;
use crate::failure::Failure;
use crate::kafka::{self, Names};

/// How long one call may take.
const CALL: Duration = Duration::from_secs(10);
/// How often topics that are not there are looked for, and the rest between: one that was just made is not known to all brokers yet.
const LOOKS: u32 = 5;
const REST: Duration = Duration::from_secs(1);

/// Reads all partitions of each topic from the beginning to the end that it has when its turn comes.
pub(super) fn read(config: &Config, topics: &[&str], each: &mut impl FnMut(&str, Entry)) -> Result<(), Failure> {
    let names = Names::new(config);
    let there = partitions(config, &topics.iter().map(|topic| names.of(topic)).collect::<Vec<_>>())?;
    for topic in topics {
        let name = names.of(topic);
        let Some(partitions) = there.get(&name) else {
            tell(&format!("kafka: there is no topic {name}, or this user may not see it: passed over"));
            continue;
        };
        let take = |message: &BorrowedMessage<'_>| each(topic, entry(topic, message));
        kafka::read(&kafka::reader(config), &name, partitions, |_, span| span.low, || true, take)
            .map_err(|e| kafka::unreachable(config, &e))?;
    }
    Ok(())
}

/// The partitions of those topics that there are.
fn partitions(config: &Config, wanted: &[String]) -> Result<BTreeMap<String, Vec<i32>>, Failure> {
    let cannot = |e| kafka::unreachable(config, &e);
    let client = kafka::asking(kafka::reader(config).set("statistics.interval.ms", "0")).map_err(cannot)?;
    let mut there = BTreeMap::new();
    for look in 0..LOOKS {
        if look > 0 {
            std::thread::park_timeout(REST);
        }
        let metadata = client.fetch_metadata(None, CALL).map_err(cannot)?;
        for topic in metadata.topics().iter().filter(|t| t.error().is_none() && !t.partitions().is_empty()) {
            if wanted.iter().any(|name| name == topic.name()) {
                there.insert(topic.name().to_owned(), topic.partitions().iter().map(|p| p.id()).collect());
            }
        }
        if wanted.iter().all(|name| there.contains_key(name)) {
            break;
        }
    }
    Ok(there)
}

fn entry(topic: &str, message: &BorrowedMessage<'_>) -> Entry {
    let header = |name: &str| {
        let value = message.headers()?.iter().find(|h| h.key == name)?.value?;
        Some(String::from_utf8_lossy(value).into_owned())
    };
    let refused = topic == DEAD_LETTERS;
    Entry {
        key: message.key().map(<[u8]>::to_vec),
        payload: message.payload().unwrap_or_default().to_vec(),
        place: format!("{}, partition {}, offset {}", message.topic(), message.partition(), message.offset()),
        reason: if refused { header("reason") } else { None },
        detail: if refused { header("detail") } else { None },
    }
}
