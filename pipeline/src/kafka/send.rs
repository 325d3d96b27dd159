//! Hands records to a client whose queue may be full.

use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::ToBytes;
use rdkafka::producer::{BaseProducer, BaseRecord, NoCustomPartitioner, ProducerContext};

/// How long the client is polled before its queue is tried again.
const WAIT: Duration = Duration::from_millis(10);

/// Hands a record to the client; as long as `may_wait`, waits for room.
///
/// # Errors
/// Why the client does not take it.
pub(crate) fn send<C: ProducerContext, K: ToBytes + ?Sized, P: ToBytes + ?Sized>(
    producer: &BaseProducer<C, NoCustomPartitioner>,
    mut record: BaseRecord<'_, K, P, C::DeliveryOpaque>,
    may_wait: impl Fn() -> bool,
) -> Result<(), KafkaError> {
    loop {
        match producer.send(record) {
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) if may_wait() => {
                producer.poll(WAIT);
                record = back;
            }
            sent => return sent.map_err(|(e, _)| e),
        }
    }
}
