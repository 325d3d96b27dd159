//! What the tests of the program share: running it, and reading what it wrote.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A path from the root of the project.
pub(crate) fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The listings of the examples.
pub(crate) fn examples() -> PathBuf {
    project("examples/listings.jsonl")
}

/// The catalog of the examples.
pub(crate) fn catalog() -> PathBuf {
    project("examples/catalog")
}

/// The program, with what it is asked to do.
pub(crate) fn touchstone(command: &str) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_touchstone"));
    program.args(command.split(' '));
    program
}

/// Runs a command that is expected to succeed, and gives its standard output.
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = command.output().expect("the program starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}: {errors}", output.status);
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Runs a command with text on its standard input.
pub(crate) fn feed(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("the program ends");
    writer.join().expect("no panic").expect("the program reads its input");
    output
}

/// Lines of JSON.
pub(crate) fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

/// Lines of JSON without the one field that the clock sets.
pub(crate) fn without_clock(text: &str) -> Vec<String> {
    let strip = |line: &str| {
        let at = line.rfind(",\"detected_at\":\"").unwrap_or_else(|| panic!("no detected_at: {line}"));
        let rest = &line[at + 16..];
        format!("{}{}", &line[..at], &rest[rest.find('"').expect("the string ends") + 1..])
    };
    text.lines().map(strip).collect()
}

/// The text of a listing that a span's field names.
pub(crate) fn field<'a>(listing: &'a Value, path: &str) -> &'a str {
    let pointer = format!("/{}", path.replace(['[', '.'], "/").replace(']', ""));
    listing.pointer(&pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no field {path}"))
}

/// Asserts what every suspect holds to: weights that give the score, spans that name their text.
pub(crate) fn assert_sound(suspect: &Value, listing: &Value) {
    let evidence = suspect["evidence"].as_array().expect("evidence");
    let sum: f64 = evidence.iter().map(|e| e["weight"].as_f64().expect("a weight")).sum();
    let score = suspect["score"].as_f64().expect("a score");
    assert!((1.0 / (1.0 + (-sum).exp()) - score).abs() < 2e-6, "{sum} is not {score}: {suspect}");
    for item in evidence {
        let spans = item["spans"].as_array().into_iter().flatten().chain(item.get("span"));
        for span in spans {
            let at = |key: &str| usize::try_from(span[key].as_u64().expect("an offset")).expect("fits");
            let text = field(listing, span["field"].as_str().expect("a field"));
            assert_eq!(text.get(at("start")..at("end")), span["text"].as_str(), "{span}");
        }
    }
}
