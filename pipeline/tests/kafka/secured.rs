//! A real Kafka that asks for more than a password: certificates, tokens, and permissions. Each test runs where the broker asks for it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;

use crate::broker::{Broker, PARTITIONS, Security};
use crate::common::{catalog, examples, lines, project, succeed, touchstone};
use crate::worker::Worker;
use crate::{LIMIT, carries_the_examples, key};

/// A broker that was started with what a variable tells of, its topics made.
fn secured(by: &str) -> Option<(Broker, String)> {
    let told = Broker::given(by)?;
    let broker = Broker::real()?;
    let folder = tempfile::tempdir().expect("a folder");
    succeed(touchstone("topics create --config").arg(configure(&broker, folder.path())));
    Some((broker, told))
}

/// A configuration as a worker of this broker has it.
fn configure(broker: &Broker, folder: &Path) -> PathBuf {
    let file = folder.join("touchstone.toml");
    let text = format!(
        "[kafka]\nbrokers = {:?}\ntopic_prefix = {:?}\ngroup_id = \"{}scan\"\n{}[catalog]\npath = {:?}\n[http]\noperations = \"\"\nservice = \"\"\n[topics]\npartitions = {PARTITIONS}\n",
        broker.servers,
        broker.prefix,
        broker.prefix,
        broker.configuration(folder),
        catalog()
    );
    std::fs::write(&file, text).expect("a file");
    file
}

/// What the test itself shows to the broker, with some of it changed or, where there is nothing, left out.
fn but(broker: &Broker, changes: &[(&'static str, Option<&str>)]) -> Security {
    let kept = broker.security.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name)).cloned();
    kept.chain(changes.iter().filter_map(|(name, value)| Some((*name, (*value)?.to_owned())))).collect()
}

/// Exit code, and all that was said.
fn run(command: &str, config: &Path) -> (Option<i32>, String) {
    let output = touchstone(command).arg(config).output().expect("the program starts");
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
fn a_certificate_lets_a_worker_in_and_its_absence_is_told() {
    let Some((mut broker, _)) = secured("CERT") else { return };
    carries_the_examples(&broker);
    broker.worker = Some(but(&broker, &[("ssl.certificate.location", None), ("ssl.key.location", None)]));
    let folder = tempfile::tempdir().expect("a folder");
    let config = configure(&broker, folder.path());
    for command in ["doctor --config", "run --config"] {
        let (code, text) = run(command, &config);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("ask for a certificate of this client") && text.contains("kafka.cert_file and kafka.key_file"), "{text}");
    }
}

#[test]
fn a_password_in_plain_lets_a_worker_in() {
    let Some((mut broker, _)) = secured("PLAIN") else { return };
    broker.worker = Some(but(&broker, &[("sasl.mechanism", Some("PLAIN"))]));
    carries_the_examples(&broker);
}

/// Options of kafka-acls for each thing that the doctor says to permit.
fn permissions(text: &str) -> Vec<Vec<String>> {
    let read = |line: &str| {
        let (operations, what) = line.trim().strip_prefix("to do: permit ")?.split_once(" on ")?;
        let (kind, name) = [
            ("the topic ", "--topic"),
            ("the group ", "--group"),
            ("transactional ids that begin with ", "--resource-pattern-type=prefixed --transactional-id"),
        ]
        .iter()
        .find_map(|(said, options)| Some((*options, what.strip_prefix(*said)?)))?;
        let operations = operations.split(" and ").flat_map(|operation| ["--operation", operation]);
        Some(operations.chain(kind.split(' ')).chain([name]).map(str::to_owned).collect())
    };
    text.lines().filter_map(read).collect()
}

/// From no permission at all, the doctor's words are followed until it is content; and then nothing is missing.
#[test]
fn what_the_doctor_says_to_permit_is_what_a_worker_needs() {
    let Some((mut broker, limited)) = secured("LIMITED") else { return };
    let permit = |options: &[String]| {
        let principal = format!("User:{limited}");
        succeed(Command::new(project("scripts/kafka")).args(["acls", "--add", "--allow-principal", &principal]).args(options));
    };
    broker.worker = Some(but(&broker, &[("sasl.username", Some(&limited))]));
    let folder = tempfile::tempdir().expect("a folder");
    let config = configure(&broker, folder.path());
    let suspects = broker.topic("suspects");
    // It may be seen, which must not be taken for all that is needed.
    permit(&["--operation", "DESCRIBE", "--topic", &suspects].map(str::to_owned));

    let (mut asked, mut told) = (Vec::new(), run("doctor --config", &config));
    let mut rounds = 0;
    while told.0 != Some(0) {
        rounds += 1;
        assert!(told.0 == Some(1) && rounds < 8, "{asked:?}: {}", told.1);
        let more: Vec<_> = permissions(&told.1).into_iter().filter(|options| !asked.contains(options)).collect();
        more.iter().for_each(|options| permit(options));
        asked.extend(more);
        told = run("doctor --config", &config);
    }
    let group = format!("{}scan", broker.prefix);
    let mut expected = vec![
        format!("--operation READ --topic {}", broker.topic("listings")),
        format!("--operation READ --operation WRITE --topic {}", broker.topic("state")),
        format!("--operation READ --operation WRITE --topic {}", broker.topic("retry")),
        format!("--operation WRITE --topic {}", broker.topic("dead-letters")),
        format!("--operation WRITE --topic {suspects}"),
        format!("--operation WRITE --topic {}", broker.topic("suspects.kessra-rowe")),
        format!("--operation READ --group {group}"),
        format!("--operation WRITE --resource-pattern-type=prefixed --transactional-id {group}"),
    ];
    let mut asked: Vec<String> = asked.iter().map(|options| options.join(" ")).collect();
    expected.sort();
    asked.sort();
    assert_eq!(asked, expected);
    carries_the_examples(&broker);
}

/// A token of the test's user, unsigned, which lasts for so many seconds from now.
fn token(lasts: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_secs()).expect("this age"));
    let claims = json!({"sub": Broker::given("USER").expect("a user"), "iat": now + lasts.min(0) - 1, "exp": now + lasts});
    [json!({"alg": "none"}), claims].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string())).join(".") + "."
}

/// What a worker shows that has a token in a file.
fn bearing(broker: &Broker, file: &Path) -> Security {
    let file = file.to_str().expect("UTF-8");
    let changes = [
        ("sasl.mechanism", Some("OAUTHBEARER")),
        ("sasl.username", None),
        ("sasl.password", None),
        ("sasl.oauthbearer.config", Some(file)),
    ];
    but(broker, &changes)
}

#[test]
fn a_token_lets_a_worker_in_and_an_expired_one_is_told() {
    let Some((mut broker, _)) = secured("OAUTH") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    std::fs::write(&file, token(3_600) + "\n").expect("a file");
    broker.worker = Some(bearing(&broker, &file));
    let config = configure(&broker, folder.path());
    let (code, text) = run("doctor --config", &config);
    assert!(code == Some(0) && text.contains("ok   reading") && text.contains("ok   writing"), "{text}");
    carries_the_examples(&broker);

    let expired = token(-30);
    std::fs::write(&file, &expired).expect("a file");
    let (code, text) = run("run --config", &config);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains(&format!("kafka.token_file = {file:?}: the token has expired")), "{text}");
    assert!(!text.contains(&expired), "{text}");
}

/// The broker ends connections with their tokens: a worker goes on with the one that was put into the file meanwhile.
#[test]
fn a_token_is_renewed_while_a_worker_runs() {
    let Some((mut broker, _)) = secured("OAUTH") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    let tokens = [token(15), token(3_600)];
    std::fs::write(&file, &tokens[0]).expect("a file");
    broker.worker = Some(bearing(&broker, &file));
    let mut worker = Worker::start(&broker, &catalog(), "");
    worker.wait_ready();
    std::fs::write(folder.path().join("new"), &tokens[1]).expect("a file");
    std::fs::rename(folder.path().join("new"), &file).expect("a file");
    std::thread::park_timeout(Duration::from_secs(20));

    let text = std::fs::read_to_string(examples()).expect("the examples");
    let suspect = text.lines().nth(1).expect("a suspect");
    broker.write(&broker.topic("listings"), std::iter::once((key(&lines(suspect)[0]), suspect.as_bytes())), &[]);
    let seen = broker.read_until(&broker.topic("suspects"), LIMIT, |seen| !seen.is_empty());
    assert_eq!(seen.len(), 1, "{}", worker.log());
    let (status, log) = worker.terminate();
    assert!(status.success() && tokens.iter().all(|token| !log.contains(token.as_str())), "{status}: {log}");
}
