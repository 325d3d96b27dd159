//! A worker under test: the program in a process of its own.

#![allow(clippy::disallowed_types, reason = "waits for a bounded time")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::broker::Broker;
use crate::common::touchstone;

/// A worker, its configuration and its addresses.
pub(crate) struct Worker {
    child: Child,
    role: &'static str,
    folder: TempDir,
    pub(crate) operations: String,
    pub(crate) service: String,
}

/// An address that is free now.
fn free() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").to_string()
}

impl Worker {
    /// Writes a configuration, makes the topics and starts a worker.
    pub(crate) fn start(broker: &Broker, catalog: &Path, more: &str) -> Self {
        Self::start_named("one", broker, catalog, more)
    }

    /// The same under another name, to share the work.
    pub(crate) fn start_named(name: &str, broker: &Broker, catalog: &Path, more: &str) -> Self {
        Self::start_in(name, "scan", broker, catalog, more)
    }

    /// The same, which decides, or does both.
    pub(crate) fn start_as(role: &'static str, broker: &Broker, catalog: &Path, more: &str) -> Self {
        Self::start_in("one", role, broker, catalog, more)
    }

    fn start_in(name: &str, role: &'static str, broker: &Broker, catalog: &Path, more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (operations, service) = (free(), free());
        let text = format!(
            "[kafka]\nbrokers = {:?}\ntopic_prefix = {:?}\ngroup_id = \"{}scan\"\ninstance = {name:?}\nsession_timeout_ms = 6000\n{}[catalog]\npath = {:?}\n[http]\noperations = {operations:?}\nservice = {service:?}\n[topics]\npartitions = {}\n{more}",
            broker.servers,
            broker.prefix,
            broker.prefix,
            broker.configuration(folder.path()),
            catalog,
            super::broker::PARTITIONS
        );
        std::fs::write(folder.path().join("touchstone.toml"), text).expect("a file");
        broker.make_topics(&folder.path().join("touchstone.toml"));
        let child = Self::spawn(folder.path(), role);
        Self { child, role, folder, operations, service }
    }

    fn spawn(folder: &Path, role: &str) -> Child {
        let log = std::fs::OpenOptions::new().append(true).create(true).open(folder.join("log")).expect("a file");
        touchstone("run --role")
            .arg(role)
            .arg("--config")
            .arg(folder.join("touchstone.toml"))
            .stderr(log)
            .spawn()
            .expect("the program starts")
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("touchstone.toml")
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Ends it at once, wherever it is, and starts it again.
    pub(crate) fn kill_and_restart(&mut self) {
        self.child.kill().expect("it lives");
        self.child.wait().expect("it ends");
        self.child = Self::spawn(self.folder.path(), self.role);
    }

    /// Asks it to finish what it has begun.
    pub(crate) fn terminate(mut self) -> (ExitStatus, String) {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("a signal");
        let deadline = Instant::now() + Duration::from_secs(40);
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return (status, self.log());
            }
            assert!(Instant::now() < deadline, "it does not end: {}", self.log());
            std::thread::park_timeout(Duration::from_millis(50));
        }
    }

    /// Waits until it is ready.
    pub(crate) fn wait_ready(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while get(&self.operations, "/health/ready").is_none_or(|(status, _)| status != 200) {
            let ended = self.child.try_wait().expect("a child");
            assert!(ended.is_none() && Instant::now() < deadline, "not ready ({ended:?}): {}", self.log());
            std::thread::park_timeout(Duration::from_millis(100));
        }
    }

    /// Bytes of memory that it holds.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
        line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).expect("a number") << 10
    }

    /// A metric's value by the beginning of its line.
    pub(crate) fn metric(&self, start: &str) -> f64 {
        self.find_metric(start).unwrap_or_else(|| panic!("no {start}"))
    }

    fn find_metric(&self, start: &str) -> Option<f64> {
        let (_, text) = get(&self.operations, "/metrics").expect("metrics");
        let line = text.lines().find(|l| l.starts_with(start))?;
        Some(line.rsplit(' ').next().and_then(|v| v.parse().ok()).unwrap_or_else(|| panic!("{line}")))
    }

    /// Waits until a metric has a value: what is read from a topic is counted a moment after.
    pub(crate) fn wait_metric(&self, start: &str, value: f64) {
        let deadline = Instant::now() + Duration::from_secs(15);
        while self.find_metric(start).is_none_or(|is| (is - value).abs() > 0.1) {
            assert!(Instant::now() < deadline, "{start} is {:?} and not {value}: {}", self.find_metric(start), self.log());
            std::thread::park_timeout(Duration::from_millis(50));
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A request by hand: status and body; nothing when nobody answers.
pub(crate) fn request(address: &str, head: &str, body: &[u8]) -> Option<(u16, String)> {
    use std::io::Read;
    let mut stream = std::net::TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let head = format!("{head}\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).ok()?;
    // A refusal may come before the whole body is sent.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer.split_once("\r\n\r\n")?.1.to_owned()))
}

pub(crate) fn get(address: &str, path: &str) -> Option<(u16, String)> {
    request(address, &format!("GET {path} HTTP/1.1"), b"")
}

pub(crate) fn post(address: &str, token: Option<&str>, body: &[u8]) -> (u16, String) {
    let token = token.map(|t| format!("\r\nauthorization: Bearer {t}")).unwrap_or_default();
    request(address, &format!("POST /v1/scan HTTP/1.1{token}"), body).expect("an answer")
}
