//! `touchstone dead-letters replay`: puts dead letters back where they came from, and says how many went through.

#![allow(clippy::disallowed_types, reason = "waits for a bounded time")]

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, DeliveryResult, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, NoCustomPartitioner, Producer, ProducerContext};
use rdkafka::{Offset, TopicPartitionList};
use touchstone_schemas::FaultReason;

use crate::cli::ReplayArgs;
use crate::config::{self, Config};
use crate::failure::Failure;
use crate::kafka::{self, Asking, Names, Span};

/// How long one call may take.
const CALL: Duration = Duration::from_secs(10);
/// How long records may take to be written.
const WRITING: Duration = Duration::from_secs(60);
/// How often it is looked whether the workers have taken what was put back.
const LOOK: Duration = Duration::from_millis(500);

/// A partition and an offset.
type Place = (i32, i64);
/// Where records were put, with the reasons that they were dead letters for.
type Places = HashMap<Place, String>;

/// What became of the dead letters of one reason.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Tally {
    put_back: usize,
    /// Too large to have been kept whole.
    cut: usize,
    /// Dead letters once more.
    again: usize,
}

pub(crate) fn replay(args: &ReplayArgs) -> Result<(), Failure> {
    let config = config::load(&args.config)?;
    let replay = Replay::new(&config, args)?;
    let (mut tallies, places) = replay.put_back()?;
    let taken = places.is_empty() || replay.wait(&places, Duration::from_secs(args.wait))?;
    if taken && !places.is_empty() {
        replay.count_again(&places, &mut tallies)?;
    }
    let mut out = io::stdout();
    for (reason, Tally { put_back, cut, again }) in &tallies {
        let went =
            if taken { format!("{} went through, {again} are dead letters again", put_back - again) } else { "not taken yet".to_owned() };
        let cut = if *cut > 0 { format!("; {cut} were cut when they were kept, and cannot be put back") } else { String::new() };
        writeln!(out, "{reason}: {put_back} put back, {went}{cut}")?;
    }
    match (tallies.is_empty(), taken) {
        (true, _) => writeln!(out, "there are no dead letters to put back")?,
        (_, false) => {
            return Err(Failure::Run(anyhow::anyhow!(
                "the workers have not taken all in {} s: they come later, and `dead-letters replay` puts back what is a dead letter again",
                args.wait
            )));
        }
        _ => {}
    }
    Ok(())
}

struct Replay<'a> {
    config: &'a Config,
    listings: String,
    dead_letters: String,
    partitions: Vec<i32>,
    listing_partitions: Vec<i32>,
    /// Remember how far dead letters of each reason were put back, in a group of its own.
    bookmarks: BTreeMap<String, BaseConsumer<Asking>>,
    /// Tells how far the workers are.
    workers: BaseConsumer<Asking>,
}

impl<'a> Replay<'a> {
    fn new(config: &'a Config, args: &'a ReplayArgs) -> Result<Self, Failure> {
        let names = Names::new(config);
        let cannot = |e: &KafkaError| kafka::unreachable(config, e);
        let member = |group: &str| kafka::asking(kafka::reader(config).set("group.id", group));
        let group = &config.kafka.group_id;
        let workers = member(group).map_err(|e| cannot(&e))?;
        let dead_letters = names.of("dead-letters");
        let of = |topic: &str| -> Result<Vec<i32>, Failure> {
            let metadata = workers.fetch_metadata(Some(topic), CALL).map_err(|e| cannot(&e))?;
            Ok(metadata.topics().iter().flat_map(|t| t.partitions()).map(|p| p.id()).collect())
        };
        let (partitions, listing_partitions) = (of(&dead_letters)?, of(&names.of("listings"))?);
        if partitions.is_empty() {
            return Err(Failure::Usage(format!(
                "kafka: there is no topic {dead_letters}: make the topics with `touchstone topics create`"
            )));
        }
        let all = FaultReason::OF_DEAD_LETTERS.map(|reason| reason.as_str().to_owned());
        let reasons = if args.reason.is_empty() { all.to_vec() } else { args.reason.clone() };
        if let Some(unknown) = reasons.iter().find(|reason| !all.contains(reason)) {
            return Err(Failure::Usage(format!("--reason {unknown:?} is none that dead letters have: known are {}", all.join(", "))));
        }
        let bookmark = |reason: String| member(&format!("{group}.replay.{reason}")).map(|place| (reason, place));
        let bookmarks = reasons.into_iter().map(bookmark).collect::<Result<_, _>>().map_err(|e| cannot(&e))?;
        Ok(Self { config, listings: names.of("listings"), dead_letters, partitions, listing_partitions, bookmarks, workers })
    }

    /// Puts back all that were not yet, and gives the places that they have now.
    fn put_back(&self) -> Result<(BTreeMap<String, Tally>, Places), Failure> {
        let cannot = |e: &KafkaError| kafka::unreachable(self.config, e);
        let mut begins: BTreeMap<(&str, i32), i64> = BTreeMap::new();
        for (reason, bookmark) in &self.bookmarks {
            let mut asked = TopicPartitionList::new();
            self.partitions.iter().for_each(|p| _ = asked.add_partition(&self.dead_letters, *p));
            for element in bookmark.committed_offsets(asked, CALL).map_err(|e| cannot(&e))?.elements() {
                element.error().map_err(|e| cannot(&e))?;
                let begin = if let Offset::Offset(offset) = element.offset() { offset } else { 0 };
                begins.insert((reason, element.partition()), begin);
            }
        }
        let from = |partition, span: Span| begins.iter().filter(|((_, p), _)| *p == partition).map(|(_, b)| *b).min().unwrap_or(span.low);
        let producer: BaseProducer<Reports, NoCustomPartitioner> =
            kafka::connect_producer(&kafka::writer(self.config), Reports::default()).map_err(|e| cannot(&e))?;
        let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
        let mut failed = None;
        let ends = kafka::read(
            &kafka::reader(self.config),
            &self.dead_letters,
            &self.partitions,
            from,
            || true,
            |message| {
                let Some(reason) = header(message, "reason") else { return };
                let wanted = begins.get(&(reason.as_str(), message.partition())).is_some_and(|begin| message.offset() >= *begin);
                if !wanted || header(message, "topic").as_deref() != Some(&self.listings) || failed.is_some() {
                    return;
                }
                let tally = tallies.entry(reason.clone()).or_default();
                let payload = message.payload().unwrap_or_default();
                if header(message, "original-size").is_some_and(|size| size != payload.len().to_string()) {
                    tally.cut += 1;
                    return;
                }
                tally.put_back += 1;
                // Where it came from: what is remembered of its listing stands beside that partition.
                let partition = number(message, "partition").filter(|p| self.listing_partitions.contains(p));
                failed = send(&producer, &self.listings, partition, message, reason).err();
            },
        );
        let ends = ends.map_err(|e| cannot(&e))?.unwrap_or_default();
        let flushed = producer.flush(WRITING);
        // Nothing is passed over when a record could not be sent: the bookmarks stay.
        failed.map_or(flushed, Err).map_err(|e| cannot(&e))?;
        let places = producer.context().take().map_err(|e| cannot(&e))?;
        let mut offsets = TopicPartitionList::new();
        for (partition, end) in ends {
            offsets.add_partition_offset(&self.dead_letters, partition, Offset::Offset(end)).map_err(|e| cannot(&e))?;
        }
        for bookmark in self.bookmarks.values() {
            bookmark.commit(&offsets, CommitMode::Sync).map_err(|e| cannot(&e))?;
        }
        Ok((tallies, places))
    }

    /// Waits until the workers have committed past all that was put back.
    fn wait(&self, places: &Places, limit: Duration) -> Result<bool, Failure> {
        let mut last: BTreeMap<i32, i64> = BTreeMap::new();
        for (partition, offset) in places.keys() {
            let last = last.entry(*partition).or_default();
            *last = (*last).max(*offset);
        }
        let deadline = Instant::now() + limit;
        loop {
            let mut asked = TopicPartitionList::new();
            last.keys().for_each(|p| _ = asked.add_partition(&self.listings, *p));
            let committed = self.workers.committed_offsets(asked, CALL).map_err(|e| kafka::unreachable(self.config, &e))?;
            let past = |e: &rdkafka::topic_partition_list::TopicPartitionListElem<'_>| matches!(e.offset(), Offset::Offset(offset) if offset > last[&e.partition()]);
            if committed.elements().iter().all(past) {
                return Ok(true);
            }
            if Instant::now() >= deadline {
                return Ok(false);
            }
            std::thread::park_timeout(LOOK);
        }
    }

    /// Counts those that became dead letters once more, by the reason that they had before.
    fn count_again(&self, places: &Places, tallies: &mut BTreeMap<String, Tally>) -> Result<(), Failure> {
        let from = |_, span: Span| span.low;
        let mut left = places.clone();
        let count = |message: &BorrowedMessage<'_>| {
            let from_listings = header(message, "topic").as_deref() == Some(&self.listings);
            let (Some(partition), Some(offset)) = (number(message, "partition"), number(message, "offset")) else { return };
            // Each once, though it may stand there twice where delivery is at least once.
            if from_listings && let Some(reason) = left.remove(&(partition, offset)) {
                tallies.entry(reason).or_default().again += 1;
            }
        };
        let read = kafka::read(&kafka::reader(self.config), &self.dead_letters, &self.partitions, from, || true, count);
        read.map(drop).map_err(|e| kafka::unreachable(self.config, &e))
    }
}

fn header(message: &BorrowedMessage<'_>, name: &str) -> Option<String> {
    let value = message.headers()?.iter().find(|h| h.key == name)?.value?;
    Some(String::from_utf8_lossy(value).into_owned())
}

fn number<T: std::str::FromStr>(message: &BorrowedMessage<'_>, name: &str) -> Option<T> {
    header(message, name)?.parse().ok()
}

/// Puts one back, with its key and its trace context.
fn send(
    producer: &BaseProducer<Reports, NoCustomPartitioner>,
    topic: &str,
    partition: Option<i32>,
    message: &BorrowedMessage<'_>,
    reason: String,
) -> Result<(), KafkaError> {
    let trace = message.headers().into_iter().flat_map(|h| h.iter()).filter(|h| kafka::TRACE.contains(&h.key));
    let headers = trace.fold(OwnedHeaders::new(), OwnedHeaders::insert);
    let mut record = BaseRecord::with_opaque_to(topic, Box::new(reason))
        .key(message.key().unwrap_or_default())
        .payload(message.payload().unwrap_or_default())
        .headers(headers);
    record.partition = partition;
    let deadline = Instant::now() + WRITING;
    kafka::send(producer, record, || Instant::now() < deadline)
}

/// Where records were written, or the first failure.
#[derive(Default)]
struct Reports(Mutex<(Places, Option<KafkaError>)>);

impl Reports {
    fn take(&self) -> Result<Places, KafkaError> {
        let (places, failed) = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        failed.map_or(Ok(places), Err)
    }
}

impl ClientContext for Reports {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, file: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        kafka::bear(file)
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = Box<String>;

    fn delivery(&self, result: &DeliveryResult<'_>, reason: Box<String>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(message) => drop(state.0.insert((message.partition(), message.offset()), *reason)),
            Err((e, _)) => drop(state.1.get_or_insert_with(|| e.clone())),
        }
    }
}
