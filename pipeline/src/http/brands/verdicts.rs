//! Verdicts that a brand posts: judged one by one, and written to their topic before they are answered for.

#![allow(clippy::disallowed_types, reason = "a request waits for a bounded time")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, NoCustomPartitioner, Producer, ProducerContext};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use touchstone_detectors::suspect_id;
use touchstone_schemas::{Fault, FaultReason, GiverType, Timestamp, Verdict, decode};

use crate::config::Config;
use crate::kafka::{self, Names};

/// Verdicts of one request.
pub(super) const MOST: usize = 500;
/// How long brokers may take to acknowledge a record.
const WRITING: Duration = Duration::from_secs(8);
/// Longest wait for acknowledgements at once.
const WAIT: Duration = Duration::from_millis(20);

/// What becomes of the verdicts of a request.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Judged {
    pub(super) accepted: Vec<Verdict>,
    /// Those that are not taken, and why.
    pub(super) refused: Vec<Value>,
    /// Optional fields of the others that were dropped.
    pub(super) dropped: Vec<Value>,
}

/// Judges one verdict or a list of them. `latest` is the latest time that a verdict may have been given at.
///
/// # Errors
/// The body is no JSON.
pub(super) fn judge(body: &[u8], brand: &str, latest: &Timestamp) -> Result<Judged, Fault> {
    let raws = parts(body)?;
    let mut judged = Judged::default();
    for (index, raw) in raws.iter().enumerate() {
        let told = |code: &str, path: &str, message: &str| json!({"index": index, "code": code, "message": message, "path": path});
        match decode::<Verdict>(raw.get().as_bytes()) {
            Err(fault) => judged.refused.push(told(fault.reason.as_str(), &fault.path, &fault.detail)),
            Ok(decoded) => match objection(&decoded.value, brand, latest) {
                Some((code, path, message)) => judged.refused.push(told(code, path, message)),
                None => {
                    judged.dropped.extend(decoded.faults.iter().map(|f| told(f.reason.as_str(), &f.path, &f.detail)));
                    judged.accepted.push(decoded.value);
                }
            },
        }
    }
    Ok(judged)
}

/// The verdicts of a body, as texts.
fn parts(body: &[u8]) -> Result<Vec<&RawValue>, Fault> {
    let fault = |reason, detail: String| Fault { reason, path: String::new(), detail };
    let text = std::str::from_utf8(body).map_err(|e| fault(FaultReason::NotUtf8, format!("byte {} is not UTF-8", e.valid_up_to())))?;
    let not_json = |e: serde_json::Error| fault(FaultReason::NotJson, format!("not a JSON text: {e}"));
    if text.trim_start().starts_with('[') {
        let many: Vec<&RawValue> = serde_json::from_str(text).map_err(not_json)?;
        return match many.len() <= MOST {
            true => Ok(many),
            false => Err(fault(FaultReason::TooLarge, format!("{} verdicts are more than the {MOST} of one request", many.len()))),
        };
    }
    serde_json::from_str(text).map(|one| vec![one]).map_err(not_json)
}

/// Why a verdict is not taken from a brand: code, path and what is wrong.
fn objection(verdict: &Verdict, brand: &str, latest: &Timestamp) -> Option<(&'static str, &'static str, &'static str)> {
    let Verdict { platform, market, listing_id, brand_id, .. } = verdict;
    let expected = suspect_id(platform.as_str(), market.as_str(), listing_id.as_str(), brand_id.as_str());
    match () {
        () if brand_id.as_str() != brand => Some(("foreign", "brand_id", "the token speaks for another brand")),
        () if !matches!(verdict.by.r#type, GiverType::Brand | GiverType::Agent) => {
            Some(("not_permitted", "by.type", "a brand's token speaks for brand or agent"))
        }
        () if verdict.suspect_id.as_str() != expected => {
            Some(("foreign", "suspect_id", "it is not that of this platform, market, listing_id and brand_id"))
        }
        // The time of a partition is the latest that was seen in it: one of next year would make every other verdict late.
        () if verdict.at > *latest => Some(("in_the_future", "at", "a verdict is given before it is sent: look at the clock")),
        () => None,
    }
}

/// What became of the records of one request.
#[derive(Default)]
struct Tally {
    settled: AtomicUsize,
    failed: Mutex<Option<KafkaError>>,
}

/// The context of the producer: each record tells the tally of its request.
struct Acknowledged;

impl ClientContext for Acknowledged {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, file: Option<&str>) -> Result<OAuthToken, Box<dyn std::error::Error>> {
        kafka::bear(file)
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        kafka::log(level, facility, message);
    }
}

impl ProducerContext for Acknowledged {
    type DeliveryOpaque = Arc<Tally>;

    fn delivery(&self, result: &DeliveryResult<'_>, tally: Arc<Tally>) {
        if let Err((error, _)) = result {
            tally.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| error.clone());
        }
        tally.settled.fetch_add(1, Ordering::AcqRel);
    }
}

type Client = BaseProducer<Acknowledged, NoCustomPartitioner>;

/// Writes verdicts; its client is made when the first come, and anew when it has failed for good.
pub(super) struct Writer {
    topic: String,
    client: Mutex<Option<Arc<Client>>>,
}

impl Writer {
    pub(super) fn new(config: &Config) -> Self {
        Self { topic: Names::new(config).of("verdicts"), client: Mutex::new(None) }
    }

    /// Writes all, and waits until the brokers have them. Blocks. Where it fails some may stand there: the same again counts once.
    pub(super) fn write(&self, config: &Config, verdicts: &[Verdict]) -> Result<(), KafkaError> {
        let client = self.client(config)?;
        let (tally, deadline) = (Arc::new(Tally::default()), Instant::now() + WRITING + WRITING / 4);
        for verdict in verdicts {
            let key = format!("{}:{}:{}", verdict.platform, verdict.market, verdict.listing_id);
            // Made of strings and lists: writing it cannot fail.
            let payload = serde_json::to_vec(verdict).unwrap_or_default();
            let record = BaseRecord::with_opaque_to(&self.topic, tally.clone()).key(&key).payload(&payload).headers(headers(verdict));
            kafka::send(&*client, record, || Instant::now() < deadline)?;
        }
        // Every record is settled within its time, delivered or not.
        while tally.settled.load(Ordering::Acquire) < verdicts.len() && Instant::now() < deadline {
            client.poll(WAIT);
        }
        let failed = tally.failed.lock().unwrap_or_else(PoisonError::into_inner).take();
        match failed {
            Some(e) => Err(e),
            None if tally.settled.load(Ordering::Acquire) < verdicts.len() => {
                Err(KafkaError::MessageProduction(rdkafka::error::RDKafkaErrorCode::MessageTimedOut))
            }
            None => Ok(()),
        }
    }

    fn client(&self, config: &Config) -> Result<Arc<Client>, KafkaError> {
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = client.as_ref().filter(|c| c.client().fatal_error().is_none()) {
            return Ok(client.clone());
        }
        let mut settings = kafka::writer(config);
        settings.set("message.timeout.ms", WRITING.as_millis().to_string()).set("linger.ms", "5");
        let new = Arc::new(kafka::connect_producer(&settings, Acknowledged)?);
        *client = Some(new.clone());
        Ok(new)
    }
}

fn headers(verdict: &Verdict) -> OwnedHeaders {
    let headers = [
        ("ce_id", verdict.verdict_id.as_str()),
        ("ce_source", "/touchstone/brands"),
        ("ce_type", "touchstone.verdict"),
        ("ce_specversion", "1.0"),
        ("ce_time", verdict.at.as_str()),
        ("ce_dataschema", "urn:touchstone:schema:verdict"),
        ("content-type", "application/json"),
    ];
    headers.iter().fold(OwnedHeaders::new(), |all, (key, value)| all.insert(Header { key, value: Some(*value) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(change: &[(&str, Value)]) -> Value {
        let mut verdict = json!({
            "verdict_id": "v1", "suspect_id": suspect_id("shop", "ID", "l1", "acme"), "brand_id": "acme", "platform": "shop",
            "market": "ID", "listing_id": "l1", "verdict": "counterfeit", "by": {"type": "brand", "id": "desk"},
            "at": "2026-11-21T08:00:00Z"
        });
        for (pointer, value) in change {
            match verdict.pointer_mut(pointer) {
                Some(place) => *place = value.clone(),
                None => verdict[pointer.trim_start_matches('/')] = value.clone(),
            }
        }
        verdict
    }

    #[test]
    fn each_verdict_is_judged_by_itself() {
        let other = suspect_id("shop", "ID", "l2", "acme");
        let table = [
            (vec![], None),
            (vec![("/by/type", json!("agent"))], None),
            (vec![("/by/type", json!("moderator"))], Some(("not_permitted", "by.type"))),
            (vec![("/brand_id", json!("other"))], Some(("foreign", "brand_id"))),
            (vec![("/suspect_id", json!(other))], Some(("foreign", "suspect_id"))),
            (vec![("/market", json!("VN"))], Some(("foreign", "suspect_id"))),
            (vec![("/at", json!("2026-11-21T08:05:01Z"))], Some(("in_the_future", "at"))),
            (vec![("/at", json!("yesterday"))], Some(("wrong_form", "at"))),
            (vec![("/verdict", json!(7))], Some(("wrong_type", "verdict"))),
            (vec![("/by/id", Value::Null)], Some(("missing_field", "by.id"))),
        ];
        let latest = Timestamp::parse("2026-11-21T08:05:00Z").expect("a time");
        let all: Vec<Value> = table.iter().map(|(change, _)| verdict(change)).collect();
        let judged = judge(Value::from(all.clone()).to_string().as_bytes(), "acme", &latest).expect("JSON");
        let refused: Vec<(u64, &str, &str)> = judged
            .refused
            .iter()
            .map(|r| (r["index"].as_u64().expect("an index"), r["code"].as_str().expect("a code"), r["path"].as_str().expect("a path")))
            .collect();
        let expected: Vec<(u64, &str, &str)> =
            (0..).zip(&table).filter_map(|(i, (_, refused))| refused.map(|(code, path)| (i, code, path))).collect();
        assert_eq!(refused, expected);
        assert_eq!(judged.accepted.len(), 2);
        for ((_, refused), one) in table.iter().zip(all) {
            let judged = judge(one.to_string().as_bytes(), "acme", &latest).expect("JSON");
            assert_eq!(judged.accepted.is_empty(), refused.is_some(), "{one}");
        }
        let noted = judge(verdict(&[("/note", json!(7))]).to_string().as_bytes(), "acme", &latest).expect("JSON");
        assert_eq!((noted.accepted.len(), noted.dropped[0]["path"].as_str()), (1, Some("note")));
    }

    #[test]
    fn a_body_is_one_verdict_or_a_list_of_some() {
        for (body, expected) in [
            (b"[]".to_vec(), Ok(0)),
            (b" [ {} , 7 ]".to_vec(), Ok(2)),
            (b"{}".to_vec(), Ok(1)),
            (b"7".to_vec(), Ok(1)),
            (format!("[{}]", vec!["0"; MOST].join(",")).into_bytes(), Ok(MOST)),
            (format!("[{}]", vec!["0"; MOST + 1].join(",")).into_bytes(), Err("too_large")),
            (b"[{}".to_vec(), Err("not_json")),
            (b"{} {}".to_vec(), Err("not_json")),
            (b"".to_vec(), Err("not_json")),
            (b"\"\xff\"".to_vec(), Err("not_utf8")),
        ] {
            assert_eq!(parts(&body).map(|parts| parts.len()).map_err(|f| f.reason.as_str()), expected);
        }
    }
}
