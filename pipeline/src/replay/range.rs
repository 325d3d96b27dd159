//! Where a range of a topic begins or ends: a time, or an offset of each partition.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};
use touchstone_schemas::Timestamp;

use crate::kafka::Asking;

/// How long one call may take.
const CALL: Duration = Duration::from_secs(10);

/// An end of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bound {
    /// The first record that was written at this time or later.
    Time(Timestamp),
    /// An offset of each partition that is named.
    Offsets(BTreeMap<i32, i64>),
}

impl FromStr for Bound {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(time) = Timestamp::parse(text) {
            return Ok(Self::Time(time));
        }
        let offset = |part: &str| {
            let (partition, offset) = part.split_once(':')?;
            let (partition, offset) = (partition.parse().ok()?, offset.parse().ok()?);
            (partition >= 0 && offset >= 0).then_some((partition, offset))
        };
        let offsets: Option<BTreeMap<i32, i64>> = text.split(',').map(offset).collect();
        let expected = "expected a time like 2026-11-21T08:00:00Z, or offsets of partitions like 0:1500,1:1480";
        offsets.map(Self::Offsets).ok_or_else(|| expected.to_owned())
    }
}

impl Bound {
    /// The offset of each partition where it has one: of a time that nothing was written after there is none.
    ///
    /// # Errors
    /// What the brokers say.
    pub(super) fn offsets(
        &self,
        consumer: &BaseConsumer<Asking>,
        topic: &str,
        partitions: &[i32],
    ) -> Result<BTreeMap<i32, i64>, KafkaError> {
        let time = match self {
            Self::Offsets(offsets) => return Ok(offsets.clone()),
            Self::Time(time) => time.unix_millis(),
        };
        let mut asked = TopicPartitionList::new();
        for partition in partitions {
            asked.add_partition_offset(topic, *partition, Offset::Offset(time))?;
        }
        let mut offsets = BTreeMap::new();
        for element in consumer.offsets_for_times(asked, CALL)?.elements() {
            element.error()?;
            if let Offset::Offset(offset) = element.offset() {
                offsets.insert(element.partition(), offset);
            }
        }
        Ok(offsets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_a_time_or_offsets() {
        let offsets = |pairs: &[(i32, i64)]| Ok(Bound::Offsets(pairs.iter().copied().collect()));
        for (text, expected) in [
            ("0:0", offsets(&[(0, 0)])),
            ("0:1500,11:1480", offsets(&[(0, 1500), (11, 1480)])),
            ("1970-01-01T00:00:01Z", Ok(Bound::Time(Timestamp::from_unix_millis(1000)))),
        ] {
            assert_eq!(text.parse(), expected, "{text}");
        }
        for text in ["", "yesterday", "2026-11-21", "0", "0:-1", "-1:0", "0:1,", "0:1:2"] {
            assert!(text.parse::<Bound>().is_err_and(|e| e.contains("2026-11-21T08:00:00Z")), "{text}");
        }
    }
}
