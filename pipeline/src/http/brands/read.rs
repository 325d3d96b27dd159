//! A page of a brand's suspects, read from Kafka by a consumer that joins no group.

#![allow(clippy::disallowed_types, reason = "a request waits for a bounded time")]

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use serde::Deserialize;
use serde_json::value::RawValue;
use touchstone_detectors::Policy;

use super::cursor::Cursor;
use crate::brand_fields::fields_for_brand;
use crate::config::Config;
use crate::kafka::{self, Names};

/// How long a page may take.
const LIMIT: Duration = Duration::from_secs(5);
/// How long brokers may take to say which partitions there are.
const ASKING: Duration = Duration::from_secs(3);
/// Records that are looked at for a page.
const MOST_LOOKED_AT: usize = 50_000;
/// Bytes of a page's suspects.
const MOST_BYTES: usize = 4 << 20;
/// Longest wait for a message.
const WAIT: Duration = Duration::from_millis(100);

/// What is asked for.
pub(super) struct Asked {
    pub(super) brand: String,
    /// Whether the brand has a topic of its own.
    pub(super) own: bool,
    /// From where on; from the beginning where there is none.
    pub(super) cursor: Option<Cursor>,
    /// Suspects at most.
    pub(super) limit: usize,
}

/// Suspects in the order of each partition, and where to go on.
pub(super) struct Page {
    pub(super) suspects: Vec<Box<RawValue>>,
    pub(super) cursor: Cursor,
    /// Whether not all that stands there was looked at.
    pub(super) more: bool,
}

/// Why there is no page.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The cursor is of another topic.
    Cursor,
    /// The brokers do not answer, or not in time.
    Brokers(String),
}

impl From<KafkaError> for Trouble {
    fn from(e: KafkaError) -> Self {
        Self::Brokers(e.to_string())
    }
}

/// What tells whose a suspect is.
#[derive(Deserialize)]
struct Of<'a> {
    #[serde(borrow)]
    brand_id: Cow<'a, str>,
}

/// Reads a page. Blocks.
pub(super) fn read(config: &Config, policy: &Policy, asked: &Asked) -> Result<Page, Trouble> {
    let deadline = Instant::now() + LIMIT;
    let names = Names::new(config);
    let topic = if asked.own { names.of_brand(&asked.brand) } else { names.of("suspects") };
    let mut client = kafka::reader(config);
    // A page is small: little is read ahead, and an end is told soon.
    client
        .set("statistics.interval.ms", "0")
        .set("queued.min.messages", "1000")
        .set("queued.max.messages.kbytes", "8192")
        .set("fetch.wait.max.ms", "50");
    let consumer = kafka::asking(&client)?;
    let metadata = consumer.fetch_metadata(Some(&topic), ASKING)?;
    let partitions: BTreeSet<i32> = metadata.topics().iter().flat_map(|t| t.partitions()).map(|p| p.id()).collect();
    if partitions.is_empty() {
        return Err(Trouble::Brokers(format!("there is no topic {topic}")));
    }
    let mut next = start(asked, &partitions)?;
    let mut list = TopicPartitionList::new();
    for partition in &partitions {
        let from = next.get(partition).map_or(Offset::Beginning, |offset| Offset::Offset(*offset));
        list.add_partition_offset(&topic, *partition, from)?;
    }
    consumer.assign(&list)?;
    let (mut unread, mut suspects, mut bytes, mut looked_at) = (partitions, Vec::new(), 0, 0);
    while !unread.is_empty() && suspects.len() < asked.limit && looked_at < MOST_LOOKED_AT && Instant::now() < deadline {
        let message = match consumer.poll(WAIT) {
            Some(Ok(message)) => message,
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                unread.remove(&partition);
                continue;
            }
            Some(Err(e)) => return Err(e.into()),
            None => continue,
        };
        if let Some(suspect) = message.payload().and_then(|payload| theirs(policy, asked, payload)) {
            if bytes + suspect.get().len() > MOST_BYTES && !suspects.is_empty() {
                // It is the first of the next page.
                break;
            }
            bytes += suspect.get().len();
            suspects.push(suspect);
        }
        looked_at += 1;
        next.insert(message.partition(), message.offset() + 1);
    }
    if looked_at == 0 && !unread.is_empty() && Instant::now() >= deadline {
        return Err(Trouble::Brokers(format!("nothing came in {LIMIT:?}")));
    }
    Ok(Page { suspects, cursor: Cursor { own: asked.own, next }, more: !unread.is_empty() })
}

/// Where partitions are read from.
fn start(asked: &Asked, partitions: &BTreeSet<i32>) -> Result<BTreeMap<i32, i64>, Trouble> {
    match &asked.cursor {
        None => Ok(BTreeMap::new()),
        Some(cursor) if cursor.own == asked.own && cursor.next.keys().all(|p| partitions.contains(p)) => Ok(cursor.next.clone()),
        Some(_) => Err(Trouble::Cursor),
    }
}

/// A record as the brand gets it; nothing where it is another's, or no suspect. What stands on the brand's own topic is its own,
/// and may not say whose it is.
fn theirs(policy: &Policy, asked: &Asked, payload: &[u8]) -> Option<Box<RawValue>> {
    if !asked.own && serde_json::from_slice::<Of<'_>>(payload).ok()?.brand_id != asked.brand {
        return None;
    }
    let suspect = fields_for_brand(policy, payload)?;
    RawValue::from_string(String::from_utf8(suspect.into_owned()).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(own: bool, cursor: Option<Cursor>) -> Asked {
        Asked { brand: "acme".to_owned(), own, cursor, limit: 1 }
    }

    #[test]
    fn only_what_is_the_brands_is_given() {
        let policy = Policy::parse("[brand_topics]\nfields = [\"brand_id\", \"score\"]").expect("a policy");
        let table = [
            (false, "{\"brand_id\":\"acme\",\"score\":0.500000,\"reason\":\"x\"}", Some("{\"brand_id\":\"acme\",\"score\":0.500000}")),
            (false, "{\"brand_id\":\"ac\\u006de\"}", Some("{\"brand_id\":\"ac\\u006de\"}")),
            (false, "{\"brand_id\":\"acme-shoes\"}", None),
            (false, "{\"score\":0.5}", None),
            (false, "{\"brand_id\":\"other\",\"brand_id\":\"acme\"}", None),
            (false, "{\"brand_id\":\"acme\"", None),
            (true, "{\"score\":0.5}", Some("{\"score\":0.5}")),
            (true, "nothing", None),
        ];
        for (own, payload, expected) in table {
            let found = theirs(&policy, &asked(own, None), payload.as_bytes());
            assert_eq!(found.as_deref().map(RawValue::get), expected, "{payload}");
        }
    }

    #[test]
    fn a_cursor_of_another_topic_is_none() {
        let partitions = BTreeSet::from([0, 1]);
        for (own, next, sound) in
            [(false, vec![(0, 5)], true), (false, vec![], true), (true, vec![(0, 5)], false), (false, vec![(0, 1), (2, 1)], false)]
        {
            let cursor = Cursor { own, next: next.iter().copied().collect() };
            assert_eq!(start(&asked(false, Some(cursor)), &partitions).is_ok(), sound, "{own} {next:?}");
        }
        assert_eq!(start(&asked(true, None), &partitions).expect("a beginning"), BTreeMap::new());
    }
}
