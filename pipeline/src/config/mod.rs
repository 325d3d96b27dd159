//! The configuration of the worker: one TOML file, overridden by the environment.

mod brands;
mod load;
mod section;

use std::collections::BTreeMap;

pub(crate) use load::load;
use section::{Section, sections};

sections! {
    /// The configuration of `touchstone run`.
    Config

    /// Where listings come from and suspects go.
    kafka: Kafka {
        /// Brokers to begin with, `host:port`, divided by commas.
        brokers: String = "127.0.0.1:9092",
        /// Consumer group: the workers of one group share the partitions.
        group_id: String = "touchstone",
        /// Name of this worker, which must stay when it is restarted and differ from the others'; the host's name when empty.
        instance: String = "",
        /// What every topic's name begins with.
        topic_prefix: String = "touchstone.",
        /// PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.
        security_protocol: String = "PLAINTEXT",
        /// File of certificates that sign the brokers'; the system's when empty.
        ca_file: String = "",
        /// File of the worker's own certificate, in PEM, where the brokers ask for one.
        cert_file: String = "",
        /// File of its private key, in PEM.
        key_file: String = "",
        /// PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER, where the protocol begins with SASL.
        sasl_mechanism: String = "SCRAM-SHA-512",
        /// User, where the protocol begins with SASL.
        username: String = "",
        /// The user's password: better given as TOUCHSTONE__KAFKA__PASSWORD, or in a file.
        password: Secret = "",
        /// File that holds the password; the end of its line does not count.
        password_file: String = "",
        /// File that holds a JWT, for OAUTHBEARER; read again before the token expires, so that another may be put there.
        token_file: String = "",
        /// exactly_once: outputs and offsets in one transaction. at_least_once: offsets after outputs, which may come twice.
        delivery: String = "exactly_once",
        /// A worker that is silent this long is taken for dead, and others take over; milliseconds.
        session_timeout_ms: u64 = 10_000,
        /// A transaction that lasts this long is aborted; milliseconds.
        transaction_timeout_ms: u64 = 10_000,
        /// Further settings of librdkafka, by its own names; what the worker relies on cannot be set here.
        properties: BTreeMap<String, String> = {},
    }

    /// Where the brands' catalog is.
    catalog: CatalogPlace {
        /// A catalog folder, or a file made by `touchstone catalog build`; when empty, the catalog topic, which `touchstone catalog publish` fills.
        path: String = "catalog",
        /// A policy file; the catalog's own when empty.
        policy: String = "",
        /// Share of the brands, products, pictures or authorised sellers that may be gone from one published catalog to the next; one that loses more is refused.
        largest_shrink: f64 = 0.5,
    }

    /// A policy or a catalog that is tried on live traffic: what it would change is counted, and nothing of it is written.
    shadow: Tried {
        /// A policy file; the own one of the catalog that is tried when empty.
        policy: String = "",
        /// A catalog folder, or a file made by `touchstone catalog build`; the catalog in use when empty. Nothing is tried when both are.
        catalog: String = "",
        /// Differences that /shadow shows, the last ones.
        samples: u64 = 100,
    }

    /// How much is done at once.
    worker: Limits {
        /// Threads that scan; as many as there are processors for 0.
        threads: u64 = 0,
        /// Listings of a batch, which is scanned and committed as one.
        batch_listings: u64 = 2_000,
        /// Bytes of a batch; one listing may go over it.
        batch_bytes: u64 = 8_388_608,
        /// How long a batch waits to become full; milliseconds.
        batch_wait_ms: u64 = 50,
        /// Listings of each partition whose revisions are remembered at least, the last to change; at most twice as many, of 50 bytes.
        remembered_listings: u64 = 100_000,
    }

    /// What the deciding worker keeps (`touchstone run --role decide`).
    decisions: Decisions {
        /// Listings of each partition that are remembered, of 8 bytes, to tell a notice of a listing that there is none; with more it is not told.
        known_listings: u64 = 5_000_000,
        /// Days that what stands between brands and a listing is kept after its last event.
        kept_days: u64 = 400,
    }

    /// Pictures that listings link to.
    pictures: Pictures {
        /// Whether they are fetched; else only those are looked at that come with their bytes.
        fetch: bool = true,
        /// How long a batch waits for them, before its listings go on without; milliseconds.
        picture_deadline_ms: u64 = 1_500,
        /// How long until a listing whose pictures were slow is looked at again; milliseconds.
        retry_after_ms: u64 = 30_000,
        /// How often it is looked at again at most; 0 for never.
        retry_passes: u64 = 3,
        /// Pictures at once from one host.
        per_host: u64 = 8,
        /// Pictures at once from all.
        at_once: u64 = 256,
        /// Nets that may be reached although they are not public, like "10.1.0.0/16".
        allow: Vec<String> = [],
        /// Folders that links may lead to besides the web, like "s3://bucket/photos/", "gs://bucket/" or "file:///srv/photos/"; credentials come from the environment.
        stores: Vec<String> = [],
    }

    /// The two HTTP listeners.
    http: Http {
        /// Address of /metrics, /health and /config; none when empty.
        operations: String = "127.0.0.1:9464",
        /// Address of /v1/scan; none when empty.
        service: String = "127.0.0.1:8080",
        /// Tokens, one of which a request to /v1/scan must bear; all may when there are none.
        tokens: Vec<Secret> = [],
        /// Requests to /v1/scan at once; more are told to come again.
        most_requests: u64 = 64,
    }

    /// Brands that read their suspects and answer them over HTTP, without access to the brokers.
    brands: Brands {
        /// Whether the service answers at /v1/brands.
        enabled: bool = false,
        /// Token of each brand, by brand id; at least 16 bytes.
        tokens: BTreeMap<String, Secret> = {},
        /// Where the suspects of a brand are posted, by brand id: a link of https, or of http to an address of pictures.allow.
        webhook_urls: BTreeMap<String, String> = {},
        /// What these posts are signed with, by brand id; at least 16 bytes.
        webhook_secrets: BTreeMap<String, Secret> = {},
    }

    /// How topics are made by `touchstone topics create`.
    topics: Topics {
        /// Partitions of each topic: the most workers that share the work.
        partitions: u64 = 12,
        /// Copies of each partition: 3 in production.
        replication: u64 = 1,
    }

    /// What the worker tells of itself on standard error.
    logs: Logs {
        /// error, warn, info, debug or trace.
        level: String = "info",
        /// text for people, json for machines.
        format: String = "text",
    }
}

/// A value that is never written out.
#[derive(Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl serde::Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.0.is_empty() { "" } else { "***" })
    }
}

impl Kafka {
    /// Whether a token proves who the worker is.
    pub(crate) fn bears_token(&self) -> bool {
        self.security_protocol.starts_with("SASL") && self.sasl_mechanism == "OAUTHBEARER"
    }

    /// Whether outputs and offsets go in one transaction.
    pub(crate) fn is_exactly_once(&self) -> bool {
        self.delivery != "at_least_once"
    }
}

impl Config {
    /// Reads the secrets that are kept in files.
    fn read_secrets(&mut self) -> Result<(), String> {
        if self.kafka.bears_token() {
            // Read again for each client; a fault is better told now.
            crate::kafka::read_token(&self.kafka.token_file)?;
        }
        let file = &self.kafka.password_file;
        if file.is_empty() {
            return Ok(());
        }
        if !self.kafka.password.0.is_empty() {
            return Err("kafka.password and kafka.password_file are both given: leave one out".to_owned());
        }
        let text = std::fs::read_to_string(file).map_err(|e| format!("kafka.password_file = {file:?}: cannot be read: {e}"))?;
        text.trim_end_matches(['\r', '\n']).clone_into(&mut self.kafka.password.0);
        Ok(())
    }

    /// What no type can say.
    fn check(&self) -> Result<(), String> {
        let one_of = |key: &str, value: &str, known: &[&str]| match known.contains(&value) {
            true => Ok(()),
            false => Err(format!("{key} = {value:?} is not one of {}", known.join(", "))),
        };
        let between = |key: &str, value: u64, low: u64, high: u64| match (low..=high).contains(&value) {
            true => Ok(()),
            false => Err(format!("{key} = {value} is not from {low} to {high}")),
        };
        one_of("kafka.security_protocol", &self.kafka.security_protocol, &["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"])?;
        one_of("kafka.sasl_mechanism", &self.kafka.sasl_mechanism, &["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"])?;
        one_of("kafka.delivery", &self.kafka.delivery, &["exactly_once", "at_least_once"])?;
        one_of("logs.level", &self.logs.level, &["error", "warn", "info", "debug", "trace"])?;
        one_of("logs.format", &self.logs.format, &["text", "json"])?;
        between("kafka.session_timeout_ms", self.kafka.session_timeout_ms, 6_000, 300_000)?;
        between("kafka.transaction_timeout_ms", self.kafka.transaction_timeout_ms, 1_000, 900_000)?;
        between("worker.threads", self.worker.threads, 0, 1_024)?;
        between("worker.batch_listings", self.worker.batch_listings, 1, 100_000)?;
        between("worker.batch_bytes", self.worker.batch_bytes, 1 << 20, 256 << 20)?;
        between("worker.batch_wait_ms", self.worker.batch_wait_ms, 1, 10_000)?;
        between("worker.remembered_listings", self.worker.remembered_listings, 0, 100_000_000)?;
        between("decisions.known_listings", self.decisions.known_listings, 0, 1_000_000_000)?;
        between("decisions.kept_days", self.decisions.kept_days, 1, 36_500)?;
        between("pictures.picture_deadline_ms", self.pictures.picture_deadline_ms, 0, 60_000)?;
        between("pictures.retry_after_ms", self.pictures.retry_after_ms, 0, 3_600_000)?;
        between("pictures.retry_passes", self.pictures.retry_passes, 0, 10)?;
        between("pictures.per_host", self.pictures.per_host, 1, 1_000)?;
        between("pictures.at_once", self.pictures.at_once, 1, 10_000)?;
        self.brands.check(&crate::remote::nets(&self.pictures.allow)?)?;
        if self.brands.enabled && self.http.service.is_empty() {
            return Err("brands.enabled is true, and http.service is empty: name the address where brands are answered".to_owned());
        }
        crate::remote::stores(&self.pictures.stores)?;
        if !(0.0..=1.0).contains(&self.catalog.largest_shrink) {
            return Err(format!("catalog.largest_shrink = {} is not from 0 to 1", self.catalog.largest_shrink));
        }
        between("shadow.samples", self.shadow.samples, 0, 10_000)?;
        between("http.most_requests", self.http.most_requests, 1, 10_000)?;
        between("topics.partitions", self.topics.partitions, 1, 10_000)?;
        between("topics.replication", self.topics.replication, 1, 9)?;
        if self.kafka.cert_file.is_empty() != self.kafka.key_file.is_empty() {
            return Err("kafka.cert_file and kafka.key_file go together: give both or neither".to_owned());
        }
        match (self.kafka.bears_token(), self.kafka.token_file.is_empty()) {
            (true, true) => return Err("kafka.token_file is empty: name the file of the token, for OAUTHBEARER".to_owned()),
            (false, false) => {
                let needed = "kafka.security_protocol = \"SASL_SSL\" and kafka.sasl_mechanism = \"OAUTHBEARER\"";
                return Err(format!("kafka.token_file is given, and nothing asks for a token: set {needed}"));
            }
            _ => {}
        }
        for (key, address) in [("http.operations", &self.http.operations), ("http.service", &self.http.service)] {
            if !address.is_empty() && address.parse::<std::net::SocketAddr>().is_err() {
                return Err(format!("{key} = {address:?} is not an address like 127.0.0.1:8080"));
            }
        }
        if self.kafka.brokers.trim().is_empty() {
            return Err("kafka.brokers is empty: name at least one broker, like 127.0.0.1:9092".to_owned());
        }
        let reserved = |key: &&String| crate::kafka::RELIED_ON.contains(&key.as_str());
        if let Some(key) = self.kafka.properties.keys().find(reserved) {
            return Err(format!("kafka.properties: {key:?} is what the worker relies on, and cannot be set"));
        }
        Ok(())
    }

    /// As JSON, its secrets masked.
    pub(crate) fn masked(&self) -> serde_json::Value {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        // A property of librdkafka may be a secret, too.
        if let Some(properties) = value["kafka"]["properties"].as_object_mut() {
            let secret = |key: &str| ["password", "secret", "key", "token", "oauthbearer"].iter().any(|word| key.contains(word));
            properties.iter_mut().filter(|(key, _)| secret(key)).for_each(|(_, value)| *value = "***".into());
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `TOUCHSTONE_BLESS=1 cargo test -p touchstone` writes the file anew.
    #[test]
    fn the_reference_file_is_that_of_the_struct() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../touchstone.example.toml");
        let text = reference();
        if std::env::var_os("TOUCHSTONE_BLESS").is_some() {
            std::fs::write(&file, &text).expect("the file can be written");
        }
        assert!(std::fs::read_to_string(&file).is_ok_and(|kept| kept == text), "run with TOUCHSTONE_BLESS=1");
        let config: Config = toml::from_str(&text).expect("the reference is a configuration");
        assert_eq!(config, Config::default(), "the reference holds the defaults");
        config.check().expect("the defaults are sound");
    }

    #[test]
    fn a_token_and_what_asks_for_it_go_together() {
        let check = |kafka: &str| toml::from_str::<Config>(&format!("[kafka]\n{kafka}")).expect("a configuration").check();
        let bearing = "security_protocol = \"SASL_SSL\"\nsasl_mechanism = \"OAUTHBEARER\"\n";
        assert!(check(bearing).is_err_and(|e| e.contains("kafka.token_file is empty")));
        assert!(check("token_file = \"/token\"").is_err_and(|e| e.contains("nothing asks for a token")));
        assert_eq!(check(&format!("{bearing}token_file = \"/token\"")), Ok(()));
    }

    #[test]
    fn secrets_are_masked() {
        let properties = "\"ssl.key.password\" = \"hush\"\n\"sasl.oauthbearer.config\" = \"hush\"";
        let text = format!("[kafka]\npassword = \"hush\"\n[kafka.properties]\n{properties}\n[http]\ntokens = [\"hush\"]");
        let config: Config = toml::from_str(&text).expect("a configuration");
        let shown = format!("{} {config:?}", config.masked());
        assert_eq!(config.kafka.password.reveal(), "hush");
        assert!(config.masked().to_string().contains("***") && !config.masked().to_string().contains("hush"), "{shown}");
    }
}
