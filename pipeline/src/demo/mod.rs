//! `touchstone demo`: the whole path in one process: a broker, made-up brands, a stream of listings, the worker, and a table
//! of what it finds.

#![allow(clippy::disallowed_types, reason = "waits for a bounded time")]

mod chance;
mod draw;
mod goods;
mod show;
mod stream;

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::config::FromClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer};
use rdkafka::{Offset, TopicPartitionList};
use touchstone_detectors::{Catalog, Policy};
use touchstone_schemas::{Band, Suspect, decode};

use crate::commands::run::{share, stop_on_signals};
use crate::config::Config;
use crate::failure::Failure;
use crate::kafka::Names;
use crate::metrics::Metrics;
use crate::{http, logs, worker};
use stream::{Made, Stream};

/// Listings of `--once`.
const SAMPLE: u64 = 2_000;
/// Listings on their way at most: the embedded broker drops what exceeds 5 MiB a partition, and a listing has at most some 30 KiB.
const AHEAD: u64 = 60;
/// Time between two listings when nobody waits for the end.
const PACE: Duration = Duration::from_millis(20);
const PARTITIONS: i32 = 4;
/// How long the last suspects may take.
const LAST: Duration = Duration::from_secs(30);
/// What the check asks for at report and above.
const LEAST_PRECISION: f64 = 0.95;
const LEAST_RECALL: f64 = 0.85;

fn run_failure(e: impl Into<anyhow::Error>) -> Failure {
    Failure::Run(e.into())
}

/// Shows the whole path; with `once` it ends after the sample and checks itself.
pub(crate) fn run(once: bool) -> Result<(), Failure> {
    let broker: MockCluster<'static, DefaultProducerContext> = MockCluster::new(1).map_err(run_failure)?;
    let mut config = Config::default();
    config.kafka.brokers = broker.bootstrap_servers();
    config.http.operations = address(&config.http.operations);
    config.http.service = address(&config.http.service);
    "warn".clone_into(&mut config.logs.level);
    logs::start(&config.logs);
    let names = Names::new(&config);
    for topic in ["listings", "suspects", "suspects.kessra-rowe", "dead-letters", "state", "retry"] {
        broker.create_topic(&names.of(topic), PARTITIONS, 1).map_err(run_failure)?;
    }
    let products = goods::products();
    let folder = tempfile::tempdir()?;
    goods::write(folder.path(), &products)?;
    let catalog = Catalog::load(folder.path()).map_err(|faults| Failure::Run(anyhow::anyhow!("the demo's catalog: {faults:?}")))?.0;
    let shared = share(config)?;
    stop_on_signals(shared.health.clone())?;
    let listeners = http::start(&shared)?;
    shared.live.put(catalog, Policy::shipped());

    let brokers = &shared.config.kafka.brokers;
    let at = |address: Option<std::net::SocketAddr>| address.map(|a| a.to_string()).unwrap_or_default();
    writeln!(io::stdout(), "Made-up listings of made-up brands, one in eight a counterfeit. Ctrl-C ends it.\n")?;
    writeln!(io::stdout(), "broker   {brokers}    kcat -b {brokers} -C -t {}", names.of("suspects"))?;
    writeln!(io::stdout(), "metrics  http://{}/metrics", at(listeners.operations))?;
    writeln!(io::stdout(), "service  http://{}/v1/scan    POST one listing event", at(listeners.service))?;
    show::head()?;

    let mut truth = HashMap::new();
    let found = std::thread::scope(|scope| {
        let working = scope.spawn(|| worker::run(&shared));
        let outcome = feed_and_show(once, &shared, &names, &products, &mut truth, || working.is_finished());
        shared.health.stop();
        let worked = working.join().unwrap_or_else(|_| Err(Failure::Run(anyhow::anyhow!("the worker panicked"))));
        outcome.and_then(|found| worked.map(|()| found))
    })?;
    if once { check(&truth, &found, &shared.metrics) } else { Ok(()) }
}

/// The usual address where it is free, else any.
fn address(usual: &str) -> String {
    if TcpListener::bind(usual).is_ok() { usual.to_owned() } else { "127.0.0.1:0".to_owned() }
}

/// Writes listings, never far ahead of the worker, and shows the suspects that come back.
fn feed_and_show(
    once: bool,
    shared: &worker::Shared,
    names: &Names,
    products: &[goods::Product],
    truth: &mut HashMap<String, Made>,
    ended: impl Fn() -> bool,
) -> Result<Vec<Suspect>, Failure> {
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", &shared.config.kafka.brokers);
    let producer = BaseProducer::from_config(&client).map_err(run_failure)?;
    client.set("group.id", "touchstone-demo-table");
    let reader = BaseConsumer::from_config(&client).map_err(run_failure)?;
    let suspects = names.of("suspects");
    let mut partitions = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        partitions.add_partition_offset(&suspects, partition, Offset::Beginning).map_err(run_failure)?;
    }
    reader.assign(&partitions).map_err(run_failure)?;

    let listings = names.of("listings");
    let mut stream = Stream::new(products);
    let (mut found, mut written) = (Vec::new(), 0);
    let mut deadline = None;
    while !shared.health.is_stopping() && !ended() {
        let counted = sum(&shared.metrics.listings);
        if written < SAMPLE || !once {
            // Never too far ahead: the worker catches up first.
            if written < counted + AHEAD {
                let made = stream.next();
                let record = BaseRecord::to(&listings).key(&made.key).payload(&made.payload);
                producer.send(record).map_err(|(e, _)| run_failure(e))?;
                truth.insert(made.event_id.clone(), Made { payload: String::new(), ..made });
                written += 1;
            }
        } else {
            let complete = counted >= written && found.len() as u64 >= sum(&shared.metrics.suspects);
            if complete || Instant::now() > *deadline.get_or_insert_with(|| Instant::now() + LAST) {
                break;
            }
        }
        producer.poll(Duration::ZERO);
        let patience = if once { Duration::from_millis(1) } else { PACE };
        if let Some(message) = reader.poll(patience) {
            let message = message.map_err(run_failure)?;
            let suspect = decode::<Suspect>(message.payload().unwrap_or_default()).map_err(run_failure)?.value;
            show::row(&suspect)?;
            found.push(suspect);
        }
        if !once {
            // What was seen once is forgotten: the demo may run for days.
            found.clear();
            truth.clear();
        }
    }
    producer.flush(Duration::from_secs(5)).map_err(run_failure)?;
    Ok(found)
}

fn sum(counters: &prometheus::IntCounterVec) -> u64 {
    use prometheus::core::Collector;
    let families = counters.collect();
    // Counts are whole and far below what a float holds exactly.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let sum = families.iter().flat_map(|f| f.get_metric()).map(|m| m.get_counter().get_value() as u64).sum();
    sum
}

/// Compares what was found with what the listings were.
fn check(truth: &HashMap<String, Made>, found: &[Suspect], metrics: &Metrics) -> Result<(), Failure> {
    let reported: HashMap<&str, &Suspect> = found.iter().filter(|s| s.band >= Band::Report).map(|s| (s.event_id.as_str(), s)).collect();
    let right = |made: &Made| reported.get(made.event_id.as_str()).is_some_and(|s| Some(s.brand_id.as_str()) == made.copies.as_deref());
    let copies: Vec<&Made> = truth.values().filter(|made| made.copies.is_some()).collect();
    let hits = copies.iter().filter(|made| right(made)).count();
    // Counts of a sample are far below what a float holds exactly.
    #[allow(clippy::cast_precision_loss)]
    let (precision, recall) = (hits as f64 / reported.len().max(1) as f64, hits as f64 / copies.len().max(1) as f64);
    let (read, written) = (sum(&metrics.listings), truth.len() as u64);
    writeln!(
        io::stdout(),
        "\n{written} listings written, {read} accounted for, {} suspects, {} at report and above",
        found.len(),
        reported.len()
    )?;
    let mut kinds: std::collections::BTreeMap<&str, (usize, usize)> = std::collections::BTreeMap::new();
    for made in &copies {
        let kind = kinds.entry(made.how).or_default();
        *kind = (kind.0 + usize::from(right(made)), kind.1 + 1);
    }
    for (how, (hits, all)) in kinds {
        writeln!(io::stdout(), "  {how:<20} {hits:>3} of {all:>3} found")?;
    }
    let wrong = truth.values().filter(|made| reported.contains_key(made.event_id.as_str()) && !right(made));
    let mut wrong: Vec<(&str, &str)> = wrong.map(|made| (made.event_id.as_str(), made.how)).collect();
    wrong.sort_unstable();
    for (id, how) in wrong {
        writeln!(io::stdout(), "  {id}: {how}, and reported")?;
    }
    writeln!(io::stdout(), "precision {precision:.3} (at least {LEAST_PRECISION}), recall {recall:.3} (at least {LEAST_RECALL})")?;
    let told = |holds: bool, what: &str| if holds { Ok(()) } else { Err(Failure::Run(anyhow::anyhow!("the check fails: {what}"))) };
    told(written == SAMPLE && read == written, "not every listing is accounted for once")?;
    told(found.len() as u64 == sum(&metrics.suspects), "not every suspect that was counted came back")?;
    told(precision >= LEAST_PRECISION && recall >= LEAST_RECALL, "precision or recall is under its bound")
}
