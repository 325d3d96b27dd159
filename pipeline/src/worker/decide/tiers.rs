//! What brands' words need, and what they deny too often, by the standing that the register has written last.

use std::collections::HashMap;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use touchstone_detectors::{Burden, Policy};
use touchstone_schemas::{Standing, decode};
use tracing::warn;

use crate::config::Config;
use crate::kafka::{self, Asking, Names};

/// Tiers of brands.
pub(super) struct Tiers {
    follower: BaseConsumer<Asking>,
    by_brand: HashMap<String, Standing>,
}

impl Tiers {
    /// Reads the `standing` topic from its beginning on.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(super) fn follow(config: &Config, partitions: i32) -> Result<Self, KafkaError> {
        let follower = kafka::asking(&kafka::follower(config))?;
        let topic = Names::new(config).of("standing");
        let mut list = TopicPartitionList::new();
        for partition in 0..partitions {
            list.add_partition_offset(&topic, partition, Offset::Beginning)?;
        }
        follower.assign(&list)?;
        Ok(Self { follower, by_brand: HashMap::new() })
    }

    /// Takes what has come since the last call.
    pub(super) fn refresh(&mut self) {
        while let Some(polled) = self.follower.poll(Duration::ZERO) {
            let message = match polled {
                Ok(message) => message,
                Err(e) => return warn!("kafka: the standing topic: {e}"),
            };
            match message.payload().map(decode::<Standing>) {
                Some(Ok(standing)) => drop(self.by_brand.insert(standing.value.brand_id.to_string(), standing.value)),
                Some(Err(e)) => warn!("a standing is passed over: {e}"),
                None => {
                    let brand = message.key().map(String::from_utf8_lossy).unwrap_or_default();
                    self.by_brand.remove(brand.as_ref());
                }
            }
        }
    }

    /// What the word of a brand needs under a policy.
    pub(super) fn burden(&self, policy: &Policy, brand: &str) -> Burden {
        let rules = policy.standing();
        match self.by_brand.get(brand).map(|standing| standing.tier.as_str()) {
            Some("restricted") => Burden::Moderator,
            Some(tier) => rules.tiers.iter().find(|rule| rule.name == tier).map_or(rules.burden, |rule| rule.burden),
            None => rules.burden,
        }
    }

    /// Whether a brand denies a finding too often.
    pub(super) fn fails(&self, brand: &str, kind: &str, key: &str) -> bool {
        self.by_brand.get(brand).is_some_and(|standing| standing.failing.iter().any(|failing| failing.kind == kind && failing.key == key))
    }
}
