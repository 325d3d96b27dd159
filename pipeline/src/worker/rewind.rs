//! Winds a consumer back to what its group has committed: after an abort messages would be skipped otherwise.

use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};
use tracing::info;

use super::context::Context;
use crate::failure::Failure;

/// How long the broker may take to tell what is committed.
const COMMITTED: Duration = Duration::from_secs(10);

/// Winds back all partitions that are assigned.
///
/// # Errors
/// Why the brokers do not tell, or the client does not go there.
pub(super) fn rewind(consumer: &BaseConsumer<Context>) -> Result<(), Failure> {
    let failed = |what: &str, e: KafkaError| Failure::Run(anyhow::anyhow!("kafka: cannot {what}: {e}"));
    let assignment = consumer.assignment().map_err(|e| failed("tell the assignment", e))?;
    if assignment.count() == 0 {
        return Ok(());
    }
    let committed = consumer.committed_offsets(assignment, COMMITTED).map_err(|e| failed("tell what is committed", e))?;
    let mut to = TopicPartitionList::new();
    for element in committed.elements() {
        element.error().map_err(|e| failed("tell what is committed", e))?;
        let offset = if element.offset() == Offset::Invalid { Offset::Beginning } else { element.offset() };
        to.add_partition_offset(element.topic(), element.partition(), offset).map_err(|e| failed("wind back", e))?;
    }
    info!("wound back to what is committed");
    consumer.seek_partitions(to, COMMITTED).map(|_| ()).map_err(|e| failed("wind back", e))
}
