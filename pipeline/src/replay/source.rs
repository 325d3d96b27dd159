//! Listing events of files or of a range of their topic, in batches of bounded size.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;

use super::range::Bound;
use crate::config::Config;
use crate::engine::{MAX_PAYLOAD, Payload};
use crate::failure::Failure;
use crate::input;
use crate::kafka::{self, Asking, Names};

/// How long one call may take.
const CALL: Duration = Duration::from_secs(10);
/// Events of a batch, unless their bytes fill it sooner.
const BATCH: usize = 2_000;
const BATCH_BYTES: usize = 8 << 20;

/// A listing event as it stands in a file or a topic.
pub(crate) struct Event {
    payload: Vec<u8>,
    size: u64,
    /// Its number in the files, or its offset.
    pub(crate) place: u64,
    /// Where its pictures' paths start from, in files.
    folder: Option<Arc<Path>>,
}

impl Payload for Event {
    fn bytes(&self) -> &[u8] {
        &self.payload
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }
}

/// Gives the events of files to `take`, until it says false.
///
/// # Errors
/// A file that cannot be read, and what `take` says.
pub(crate) fn of_files(files: &[PathBuf], mut take: impl FnMut(Vec<Event>) -> Result<bool, Failure>) -> Result<(), Failure> {
    let folders: Vec<Arc<Path>> = files.iter().map(|file| Arc::from(input::folder(file))).collect();
    let mut place = 0;
    for batch in input::read(files)? {
        let event = |line: input::Line| {
            place += 1;
            Event { payload: line.payload, size: line.size, place, folder: Some(folders[line.file].clone()) }
        };
        if !take(batch?.into_iter().map(event).collect())? {
            break;
        }
    }
    Ok(())
}

/// Gives the events of a range of the topic to `take`, as committed, one partition after the other, until it says false. Of a
/// bound of offsets the partitions count that it names: the others have no beginning, or no end.
///
/// # Errors
/// Brokers that cannot be reached, and what `take` says.
pub(crate) fn of_topic(
    config: &Config,
    (from, to): (Option<&Bound>, Option<&Bound>),
    mut take: impl FnMut(Vec<Event>) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let topic = Names::new(config).of("listings");
    let (partitions, begins, ends) = {
        let cannot = |e| kafka::unreachable(config, &e);
        let consumer = kafka::asking(&kafka::reader(config)).map_err(cannot)?;
        let partitions = partitions(config, &consumer, &topic)?;
        let offsets = |bound: Option<&Bound>| bound.map(|bound| bound.offsets(&consumer, &topic, &partitions)).transpose();
        let (begins, ends) = (offsets(from).map_err(cannot)?, offsets(to).map_err(cannot)?);
        (partitions, begins, ends)
    };
    for partition in partitions {
        let begin = begins.as_ref().map_or(Some(0), |begins| begins.get(&partition).copied());
        let end = ends.as_ref().and_then(|ends| ends.get(&partition).copied()).unwrap_or(i64::MAX);
        let Some(begin) = begin.filter(|begin| *begin < end) else { continue };
        if !one(config, &topic, partition, (begin, end), &mut take)? {
            break;
        }
    }
    Ok(())
}

/// The partitions of a topic, in order.
pub(super) fn partitions(config: &Config, consumer: &BaseConsumer<Asking>, topic: &str) -> Result<Vec<i32>, Failure> {
    let metadata = consumer.fetch_metadata(Some(topic), CALL).map_err(|e| kafka::unreachable(config, &e))?;
    let mut partitions: Vec<i32> = metadata.topics().iter().flat_map(|t| t.partitions()).map(|p| p.id()).collect();
    partitions.sort_unstable();
    match partitions.is_empty() {
        true => Err(Failure::Usage(format!("kafka: there is no topic {topic}: make the topics with `touchstone topics create`"))),
        false => Ok(partitions),
    }
}

/// Reads one partition; tells whether `take` wants more.
fn one(
    config: &Config,
    topic: &str,
    partition: i32,
    (begin, end): (i64, i64),
    take: &mut impl FnMut(Vec<Event>) -> Result<bool, Failure>,
) -> Result<bool, Failure> {
    let (mut batch, mut bytes) = (Vec::new(), 0);
    let mut taken = Ok(true);
    let done = Cell::new(false);
    let read = kafka::read(
        &kafka::reader(config),
        topic,
        &[partition],
        |_, _| begin,
        || !done.get(),
        |message| {
            if message.offset() >= end || done.get() {
                done.set(true);
                return;
            }
            let payload = message.payload().unwrap_or_default();
            let size = payload.len() as u64;
            let payload = payload[..payload.len().min(MAX_PAYLOAD)].to_owned();
            bytes += payload.len();
            batch.push(Event { payload, size, place: u64::try_from(message.offset()).unwrap_or(0), folder: None });
            if batch.len() >= BATCH || bytes >= BATCH_BYTES {
                bytes = 0;
                taken = take(std::mem::take(&mut batch));
                done.set(!matches!(taken, Ok(true)));
            }
        },
    );
    read.map_err(|e| kafka::unreachable(config, &e))?;
    match taken {
        Ok(true) if !batch.is_empty() => take(batch),
        taken => taken,
    }
}
