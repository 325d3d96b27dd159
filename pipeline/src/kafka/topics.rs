//! The topics: their names, and how they are made.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::types::RDKafkaErrorCode;

use crate::config::Config;
use crate::failure::Failure;

/// The topic whose records need one order, and so one partition: what closes a set of rows comes after them.
const IN_ORDER: &str = "catalog";

/// Every topic but those of brands, and how it is cleaned up: records pass, or the latest of each key is kept.
pub(crate) const TOPICS: &[(&str, &str)] = &[
    ("listings", "delete"),
    ("suspects", "delete"),
    ("verdicts", "delete"),
    ("notices", "delete"),
    ("appeals", "delete"),
    ("receipts", "delete"),
    ("removals", "delete"),
    ("links", "delete"),
    ("retry", "delete"),
    ("dead-letters", "delete"),
    ("catalog", "compact"),
    ("state", "compact"),
    ("standing", "compact"),
    ("cases", "compact"),
];

/// How long records are kept where the brokers' own time, a week by default, would not do: workers pass over what is overdue for a day;
/// standing is counted over a quarter, and reports look back at two; a case needs every link that there ever was.
const RETENTION: &[(&str, &str)] = &[
    ("retry", "172800000"),
    ("suspects", HALF_A_YEAR),
    ("verdicts", HALF_A_YEAR),
    ("notices", HALF_A_YEAR),
    ("appeals", HALF_A_YEAR),
    ("receipts", HALF_A_YEAR),
    ("removals", HALF_A_YEAR),
    ("dead-letters", HALF_A_YEAR),
    ("links", "-1"),
];
/// 183 days.
const HALF_A_YEAR: &str = "15811200000";

/// Names of topics.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    prefix: String,
}

impl Names {
    pub(crate) fn new(config: &Config) -> Self {
        Self { prefix: config.kafka.topic_prefix.clone() }
    }

    pub(crate) fn of(&self, topic: &str) -> String {
        format!("{}{topic}", self.prefix)
    }

    /// Whether a topic is one of these.
    pub(crate) fn is_own(&self, topic: &str) -> bool {
        topic.starts_with(&self.prefix)
    }

    pub(crate) fn of_brand(&self, brand_id: &str) -> String {
        format!("{}suspects.{brand_id}", self.prefix)
    }
}

/// Makes every topic that there is not yet; says of each what became of it.
pub(crate) fn create(config: &Config, own_topics: &[String]) -> Result<Vec<(String, &'static str)>, Failure> {
    if config.kafka.bears_token() {
        // rdkafka's client for this cannot be given a token.
        return Err(Failure::Usage(
            "topics cannot be made by OAUTHBEARER: make them as a user of another mechanism, or with Kafka's own tools".to_owned(),
        ));
    }
    let names = Names::new(config);
    let partitions = i32::try_from(config.topics.partitions).unwrap_or(i32::MAX);
    let replication = i32::try_from(config.topics.replication).unwrap_or(1);
    let of_brands = own_topics.iter().map(|brand| (names.of_brand(brand), "delete"));
    let wanted: Vec<(String, &str)> = TOPICS.iter().map(|(topic, cleanup)| (names.of(topic), *cleanup)).chain(of_brands).collect();
    let topics: Vec<NewTopic<'_>> = wanted
        .iter()
        .map(|(name, cleanup)| {
            let partitions = if *name == names.of(IN_ORDER) { 1 } else { partitions };
            let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(replication))
                .set("cleanup.policy", cleanup)
                .set("max.message.bytes", "2097152");
            match RETENTION.iter().find(|(kept, _)| names.of(kept) == *name) {
                Some((_, milliseconds)) => topic.set("retention.ms", milliseconds),
                None => topic,
            }
        })
        .collect();
    let cannot = |e: &dyn std::fmt::Display| Failure::Run(anyhow::anyhow!("cannot make topics at {}: {e}", config.kafka.brokers));
    let admin: AdminClient<DefaultClientContext> = super::client(config).create().map_err(|e| cannot(&e))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| Failure::Run(e.into()))?;
    let options = AdminOptions::new().request_timeout(Some(Duration::from_secs(20))).operation_timeout(Some(Duration::from_secs(20)));
    let results = runtime.block_on(admin.create_topics(&topics, &options)).map_err(|e| cannot(&e))?;
    results
        .into_iter()
        .map(|result| match result {
            Ok(name) => Ok((name, "made")),
            Err((name, RDKafkaErrorCode::TopicAlreadyExists)) => Ok((name, "is there already")),
            Err((name, error)) => Err(cannot(&format!("{name}: {error}"))),
        })
        .collect()
}
