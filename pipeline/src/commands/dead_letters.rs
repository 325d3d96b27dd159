//! `touchstone dead-letters replay`: puts dead letters back where they came from, and says how many went through.

#![allow(clippy::disallowed_types, reason = "waits for a bounded time")]

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, DeliveryResult, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, NoCustomPartitioner, Producer, ProducerContext};
use rdkafka::{Offset, TopicPartitionList};
use touchstone_schemas::FaultReason;

use crate::cli::ReplayArgs;
use crate::config::{self, Config};
use crate::failure::Failure;
use crate::kafka::{self, Names, Span};

/// How long one call may take.
const CALL: Duration = Duration::from_secs(10);
/// How long records may take to be written.
const WRITING: Duration = Duration::from_secs(60);
/// How often it is looked whether the workers have taken what was put back.
const LOOK: Duration = Duration::from_millis(500);

/// A partition and an offset.
type Place = (i32, i64);

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
    /// Remember how far dead letters of each reason were put back, in a group of its own.
    bookmarks: BTreeMap<String, BaseConsumer>,
    /// Tells how far the workers are.
    workers: BaseConsumer,
}

impl<'a> Replay<'a> {
    fn new(config: &'a Config, args: &'a ReplayArgs) -> Result<Self, Failure> {
        let names = Names::new(config);
        let cannot = |e: &KafkaError| unreachable(config, e);
        let member = |group: &str| -> Result<BaseConsumer, KafkaError> { kafka::reader(config).set("group.id", group).create() };
        let group = &config.kafka.group_id;
        let workers = member(group).map_err(|e| cannot(&e))?;
        let dead_letters = names.of("dead-letters");
        let metadata = workers.fetch_metadata(Some(&dead_letters), CALL).map_err(|e| cannot(&e))?;
        let partitions: Vec<i32> = metadata.topics().iter().flat_map(|t| t.partitions()).map(|p| p.id()).collect();
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
        Ok(Self { config, listings: names.of("listings"), dead_letters, partitions, bookmarks, workers })
    }

    /// Puts back all that were not yet, and gives the places that they have now.
    fn put_back(&self) -> Result<(BTreeMap<String, Tally>, HashSet<Place>), Failure> {
        let cannot = |e: &KafkaError| unreachable(self.config, e);
        let mut begins: BTreeMap<(&str, i32), i64> = BTreeMap::new();
        for (reason, bookmark) in &self.bookmarks {
            let mut asked = TopicPartitionList::new();
            self.partitions.iter().for_each(|p| _ = asked.add_partition(&self.dead_letters, *p));
            for element in bookmark.committed_offsets(asked, CALL).map_err(|e| cannot(&e))?.elements() {
                let begin = if let Offset::Offset(offset) = element.offset() { offset } else { 0 };
                begins.insert((reason, element.partition()), begin);
            }
        }
        let from = |partition, span: Span| begins.iter().filter(|((_, p), _)| *p == partition).map(|(_, b)| *b).min().unwrap_or(span.low);
        let producer: BaseProducer<Places, NoCustomPartitioner> =
            BaseProducer::from_config_and_context(&kafka::writer(self.config), Places::default()).map_err(|e| cannot(&e))?;
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
                let tally = tallies.entry(reason).or_default();
                let payload = message.payload().unwrap_or_default();
                if header(message, "original-size").is_some_and(|size| size != payload.len().to_string()) {
                    tally.cut += 1;
                    return;
                }
                tally.put_back += 1;
                failed = send(&producer, &self.listings, message).err();
            },
        );
        let ends = ends.map_err(|e| cannot(&e))?.unwrap_or_default();
        producer.flush(WRITING).map_err(|e| failed.unwrap_or(e)).map_err(|e| cannot(&e))?;
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
    fn wait(&self, places: &HashSet<Place>, limit: Duration) -> Result<bool, Failure> {
        let mut last: BTreeMap<i32, i64> = BTreeMap::new();
        for (partition, offset) in places {
            let last = last.entry(*partition).or_default();
            *last = (*last).max(*offset);
        }
        let deadline = Instant::now() + limit;
        loop {
            let mut asked = TopicPartitionList::new();
            last.keys().for_each(|p| _ = asked.add_partition(&self.listings, *p));
            let committed = self.workers.committed_offsets(asked, CALL).map_err(|e| unreachable(self.config, &e))?;
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

    /// Counts those that became dead letters once more, by the reason that they have now.
    fn count_again(&self, places: &HashSet<Place>, tallies: &mut BTreeMap<String, Tally>) -> Result<(), Failure> {
        let from = |_, span: Span| span.low;
        let count = |message: &BorrowedMessage<'_>| {
            let number = |name| header(message, name).and_then(|text| text.parse().ok());
            let from_listings = header(message, "topic").as_deref() == Some(&self.listings);
            let (Some(partition), Some(offset)) = (number("partition"), number("offset")) else { return };
            if from_listings && i32::try_from(partition).is_ok_and(|p| places.contains(&(p, offset))) {
                tallies.entry(header(message, "reason").unwrap_or_default()).or_default().again += 1;
            }
        };
        let read = kafka::read(&kafka::reader(self.config), &self.dead_letters, &self.partitions, from, || true, count);
        read.map(drop).map_err(|e| unreachable(self.config, &e))
    }
}

fn unreachable(config: &Config, e: &KafkaError) -> Failure {
    Failure::Run(anyhow::anyhow!("kafka: {} cannot be reached, or refuses: {e}", config.kafka.brokers))
}

fn header(message: &BorrowedMessage<'_>, name: &str) -> Option<String> {
    let value = message.headers()?.iter().find(|h| h.key == name)?.value?;
    Some(String::from_utf8_lossy(value).into_owned())
}

/// Puts one back, with its key and its trace context.
fn send(producer: &BaseProducer<Places, NoCustomPartitioner>, topic: &str, message: &BorrowedMessage<'_>) -> Result<(), KafkaError> {
    let trace = message.headers().into_iter().flat_map(|h| h.iter()).filter(|h| ["traceparent", "tracestate"].contains(&h.key));
    let headers = trace.fold(OwnedHeaders::new(), OwnedHeaders::insert);
    let mut record =
        BaseRecord::to(topic).key(message.key().unwrap_or_default()).payload(message.payload().unwrap_or_default()).headers(headers);
    let deadline = Instant::now() + WRITING;
    loop {
        match producer.send(record) {
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) if Instant::now() < deadline => {
                producer.poll(Duration::from_millis(10));
                record = back;
            }
            sent => return sent.map_err(|(e, _)| e),
        }
    }
}

/// Where records were written, or the first failure.
#[derive(Default)]
struct Places(Mutex<(HashSet<Place>, Option<KafkaError>)>);

impl Places {
    fn take(&self) -> Result<HashSet<Place>, KafkaError> {
        let (places, failed) = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        failed.map_or(Ok(places), Err)
    }
}

impl ClientContext for Places {}

impl ProducerContext for Places {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(message) => drop(state.0.insert((message.partition(), message.offset()))),
            Err((e, _)) => drop(state.1.get_or_insert_with(|| e.clone())),
        }
    }
}
