//! Whole fetches, from servers on 127.0.0.1 that are as bad as they come.

mod bounds;
mod server;
mod stores;

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use super::{FetchFault, Fetched, Fetcher, Limits, Settings};
use server::{Server, endless, redirect, reply, tell};

/// No test waits longer for anything.
const LONG: Duration = Duration::from_secs(2);
const PICTURE: &[u8] = b"a picture";

fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

fn limits() -> Limits {
    Limits { connect: ms(500), head: ms(1_000), idle: ms(500), total: ms(1_500), pause: ms(4), ..Limits::default() }
}

/// A fetcher that may reach 127.0.0.1, and nothing else of what is inside.
fn fetcher(limits: Limits) -> Fetcher {
    settings(Settings { allow: vec!["127.0.0.1/32".parse().expect("a net")], limits, ..Settings::default() })
}

fn settings(settings: Settings) -> Fetcher {
    Fetcher::new(settings).expect("a fetcher")
}

fn word(fetched: &Fetched) -> &'static str {
    match fetched {
        Fetched::Bytes(_) => "bytes",
        Fetched::Failed(fault) => fault.as_str(),
        Fetched::Late => "late",
    }
}

fn one(fetcher: &Fetcher, url: &str, time: Duration) -> Fetched {
    fetcher.fetch(&[url], time).pop().expect("an answer")
}

fn said(fetcher: &Fetcher, url: &str) -> &'static str {
    word(&one(fetcher, url, LONG))
}

#[test]
fn a_picture_comes_as_it_is_and_nothing_is_told_to_its_host() {
    let server = Server::new(|_, stream| reply(stream, "200 OK", "set-cookie: a=b\r\n", PICTURE));
    let fetcher = fetcher(limits());
    for path in ["/a.jpg?b=c#d", "/b.jpg"] {
        assert!(matches!(one(&fetcher, &server.url(path), LONG), Fetched::Bytes(bytes) if *bytes == *PICTURE));
    }
    let heads = server.heads();
    assert!(heads[0].starts_with("GET /a.jpg?b=c HTTP/1.1\r\n"), "{heads:?}");
    for head in heads {
        let names: Vec<&str> = head.lines().skip(1).filter_map(|line| Some(line.split_once(':')?.0)).collect();
        assert!(names.iter().all(|name| ["host", "accept", "user-agent"].contains(name)), "{head}");
        assert!(head.contains(concat!("user-agent: touchstone/", env!("CARGO_PKG_VERSION"), "\r\n")), "{head}");
    }
}

#[test]
fn answers_come_in_order_and_each_url_is_asked_once() {
    let server = Server::new(|path, stream| match path {
        "/none" => reply(stream, "404 Not Found", "", b""),
        "/empty" => reply(stream, "200 OK", "", b""),
        _ => reply(stream, "200 OK", "", path.as_bytes()),
    });
    let fetcher = fetcher(limits());
    let urls: Vec<String> = ["/b", "/none", "/a", "/b", "/empty", "/none", "/b#c"].iter().map(|path| server.url(path)).collect();
    let mut urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    urls.push("no link");
    for _ in 0..2 {
        let text = |fetched: &Fetched| match fetched {
            Fetched::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            other => word(other).to_owned(),
        };
        let found: Vec<String> = fetcher.fetch(&urls, LONG).iter().map(text).collect();
        assert_eq!(found, ["/b", "status", "/a", "/b", "", "status", "/b", "not_a_link"]);
        assert_eq!(server.heads().len(), 4);
    }
    assert!(fetcher.fetch(&[], LONG).is_empty());
}

#[test]
fn what_may_pass_is_tried_again() {
    let table = [
        ("500 Internal Server Error", 1, "bytes", 2),
        ("503 Service Unavailable", 2, "bytes", 3),
        ("429 Too Many Requests", 3, "status", 3),
        ("404 Not Found", 1, "status", 1),
        ("204 No Content", 1, "status", 1),
        ("304 Not Modified", 1, "status", 1),
        ("302 Found", 1, "status", 1),
    ];
    for (status, failures, expected, asked) in table {
        let count = AtomicUsize::new(0);
        let server = Server::new(move |_, stream| match count.fetch_add(1, SeqCst) < failures {
            true => reply(stream, status, "", b""),
            false => reply(stream, "200 OK", "", PICTURE),
        });
        assert_eq!((said(&fetcher(limits()), &server.url("/")), server.heads().len()), (expected, asked), "{status}");
    }
}

#[test]
fn three_redirects_are_followed() {
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let server = Server::new(move |path, stream| match path[1..].parse::<u32>() {
            Ok(0) | Err(_) => reply(stream, "200 OK", "", PICTURE),
            Ok(n) => reply(stream, status, &format!("location: {}\r\n", n - 1), b"elsewhere"),
        });
        let fetcher = fetcher(limits());
        assert_eq!(said(&fetcher, &server.url("/3")), "bytes", "{status}");
        assert_eq!(said(&fetcher, &server.url("/4")), "too_many_redirects", "{status}");
        assert!(server.heads().iter().all(|head| !head.contains("referer")), "{status}");
    }
}

#[test]
fn redirects_lead_nowhere_else() {
    let hit = Server::new(|_, stream| reply(stream, "200 OK", "", PICTURE));
    let port = hit.port();
    let table = [
        ("http://169.254.169.254/latest/meta-data/".to_owned(), "forbidden_address"),
        (format!("http://127.0.0.2:{port}/"), "forbidden_address"),
        (format!("http://2130706434:{port}/"), "forbidden_address"),
        (format!("http://0x7f.2:{port}/"), "forbidden_address"),
        (format!("http://[::ffff:127.0.0.2]:{port}/"), "forbidden_address"),
        (format!("http://[::1]:{port}/"), "forbidden_address"),
        (format!("http://0:{port}/"), "forbidden_address"),
        (format!("//10.0.0.1:{port}/"), "forbidden_address"),
        ("file:///etc/passwd".to_owned(), "not_a_link"),
        ("s3://bucket/key".to_owned(), "not_a_link"),
        ("http://".to_owned(), "not_a_link"),
        (format!("http://user:secret@127.0.0.1:{port}/"), "not_a_link"),
        ("http://127.0.0.1:0/".to_owned(), "not_a_link"),
    ];
    let fetcher = fetcher(limits());
    for (location, expected) in table {
        let to = location.clone();
        let server = Server::new(move |_, stream| redirect(stream, &to));
        assert_eq!(said(&fetcher, &server.url("/")), expected, "{location}");
        assert_eq!(said(&fetcher, &location), if location.starts_with("//") { "not_a_link" } else { expected }, "{location}");
        assert_eq!(server.heads().len(), 1, "{location}");
    }
    assert!(hit.heads().is_empty());
}

#[test]
fn a_name_is_judged_by_its_addresses() {
    let server = Server::new(|_, stream| reply(stream, "200 OK", "", PICTURE));
    let url = format!("http://localhost:{}/", server.port());
    assert_eq!(said(&settings(Settings { limits: limits(), ..Settings::default() }), &url), "forbidden_address");
    assert!(server.heads().is_empty());
    assert_eq!(said(&fetcher(limits()), &url), "bytes");
}

#[test]
fn bodies_are_bounded_and_whole() {
    let server = Server::new(|path, stream| match path {
        "/fits" => reply(stream, "200 OK", "", &[1; 1_000]),
        "/over" => reply(stream, "200 OK", "", &[1; 1_001]),
        "/endless" => endless(stream, b"HTTP/1.1 200 OK\r\n\r\n", &[1; 100]),
        "/chunks" => endless(stream, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"4\r\nabcd\r\n"),
        "/promised" => tell(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 1099511627776\r\n\r\n"),
        "/short" => tell(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\na pict"),
        "/torn" => tell(stream, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nabcd\r\n"),
        "/headless" => tell(stream, b"HTTP/1.1 200 OK\r\ncontent-"),
        "/other" => tell(stream, b"SSH-2.0-OpenSSH_9.6\r\n"),
        _ => {}
    });
    let fetcher = fetcher(Limits { bytes: 1_000, ..limits() });
    let table = [
        ("/fits", "bytes"),
        ("/over", "too_many_bytes"),
        ("/endless", "too_many_bytes"),
        ("/chunks", "too_many_bytes"),
        ("/promised", "too_many_bytes"),
        ("/short", "cut_off"),
        ("/torn", "cut_off"),
        ("/headless", "cut_off"),
        ("/other", "cut_off"),
        ("/nothing", "cut_off"),
    ];
    for (path, expected) in table {
        assert_eq!(said(&fetcher, &server.url(path)), expected, "{path}");
    }
}

#[test]
fn tls_and_names_that_fail_are_unreachable() {
    let server = Server::new(|_, stream| reply(stream, "200 OK", "", PICTURE));
    let fetcher = fetcher(limits());
    assert_eq!(said(&fetcher, &server.url("/").replace("http:", "https:")), "unreachable");
    // A label of 64 letters: no resolver looks for it.
    assert!(["unreachable", "timed_out"].contains(&said(&fetcher, &format!("http://{}.invalid/", "a".repeat(64)))));
}

#[test]
fn faults_have_words() {
    let fetcher = fetcher(limits());
    let table = [
        ("http://user:secret@a.example/", FetchFault::NotALink),
        ("file:///etc/passwd", FetchFault::NotALink),
        ("http://10.0.0.1/", FetchFault::ForbiddenAddress),
        ("https://[fd00:ec2::254]/", FetchFault::ForbiddenAddress),
    ];
    for (url, expected) in table {
        assert!(matches!(one(&fetcher, url, LONG), Fetched::Failed(fault) if fault == expected), "{url}");
    }
}
