//! Clients, made so that they may be asked at once, and so that they tell why brokers refuse them.

use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, NoCustomPartitioner, ProducerContext};

use super::{hint, log, token};

/// How long a new client is polled for its token.
const TOKEN: Duration = Duration::from_millis(100);
/// How long, and how often at most, a client is polled for what it was refused for.
const TELLING: Duration = Duration::from_millis(10);
const TELLINGS: u32 = 20;

/// A consumer. It has its token before anything is asked of it: librdkafka wants that of whoever polls, and lets the rest wait.
pub(crate) fn connect<C: ConsumerContext>(config: &ClientConfig, context: C) -> Result<BaseConsumer<C>, KafkaError> {
    let consumer: BaseConsumer<C> = BaseConsumer::from_config_and_context(config, context)?;
    if bears_token(config) {
        drop(consumer.poll(TOKEN));
    }
    Ok(consumer)
}

/// The same of a producer.
pub(crate) fn connect_producer<C: ProducerContext>(
    config: &ClientConfig,
    context: C,
) -> Result<BaseProducer<C, NoCustomPartitioner>, KafkaError> {
    let producer: BaseProducer<C, NoCustomPartitioner> = BaseProducer::from_config_and_context(config, context)?;
    if bears_token(config) {
        producer.poll(TOKEN);
    }
    Ok(producer)
}

/// A consumer that asks, and is nobody's in particular.
pub(crate) fn asking(config: &ClientConfig) -> Result<BaseConsumer<Asking>, KafkaError> {
    connect(config, Asking::default())
}

fn bears_token(config: &ClientConfig) -> bool {
    config.get("sasl.mechanism") == Some("OAUTHBEARER")
}

/// An error, with what librdkafka told of it and what to look at.
pub(crate) fn why(client: &BaseConsumer<Asking>, error: &KafkaError) -> String {
    for _ in 0..TELLINGS {
        drop(client.poll(TELLING));
    }
    let told = client.context().0.lock().unwrap_or_else(PoisonError::into_inner).take();
    told.map_or_else(|| error.to_string(), |told| format!("{error}: {told}{}", hint(&told)))
}

/// The context of a client that asks: remembers what was told last of brokers that refuse.
#[derive(Default)]
pub(crate) struct Asking(Mutex<Option<String>>);

impl ClientContext for Asking {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, file: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        token::bear(file)
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // That all brokers are down tells nothing of why, and an end is no fault.
        let code = error.rdkafka_error_code();
        if !matches!(code, Some(RDKafkaErrorCode::AllBrokersDown | RDKafkaErrorCode::PartitionEOF)) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.to_owned());
        }
    }
}

impl ConsumerContext for Asking {}
