//! How long, how much, how much at once.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::super::{Limits, Settings, lock};
use super::server::{Server, reply, say, tell, wait};
use super::{LONG, PICTURE, fetcher, limits, ms, one, said, settings, word};

#[test]
fn memory_of_all_bodies_is_bounded() {
    let server = Server::new(|path, stream| reply(stream, "200 OK", "", &vec![1u8; path[1..].parse().expect("a length")]));
    let fetcher = fetcher(Limits { memory: 128 << 10, idle: ms(200), ..limits() });
    assert_eq!(said(&fetcher, &server.url("/131072")), "bytes");
    assert_eq!(said(&fetcher, &server.url("/131073")), "busy");
    assert_eq!(said(&fetcher, &server.url("/131071")), "bytes", "what was held is given back");
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let server = Server::new(|path, stream| {
        if path == "/head" {
            tell(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\na");
        }
        wait(stream, LONG);
    });
    for (path, idle) in [("/", LONG), ("/head", ms(100))] {
        let fetcher = fetcher(Limits { head: ms(100), idle, total: ms(400), ..limits() });
        let url = server.url(path);
        assert_eq!(word(&one(&fetcher, &url, ms(20))), "late");
        assert_eq!(word(&one(&fetcher, &url, Duration::ZERO)), "late");
        assert_eq!(said(&fetcher, &url), "timed_out");
    }
    // Nothing waits for what is under way when the fetcher goes.
    let fetcher = fetcher(Limits { total: Duration::from_secs(60), head: Duration::from_secs(60), ..limits() });
    assert_eq!(word(&one(&fetcher, &server.url("/"), ms(20))), "late");
}

#[test]
fn a_body_that_drips_is_given_up() {
    let server = Server::new(|_, stream| {
        tell(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n");
        while say(stream, b"a") {
            wait(stream, ms(20));
        }
    });
    assert_eq!(said(&fetcher(Limits { total: ms(300), ..limits() }), &server.url("/")), "timed_out");
}

#[test]
fn what_came_late_is_found_later() {
    let server = Server::new(|_, stream| {
        wait(stream, ms(150));
        reply(stream, "200 OK", "", PICTURE);
    });
    let (fetcher, url) = (fetcher(limits()), server.url("/"));
    for (time, expected) in [(ms(10), "late"), (LONG, "bytes"), (Duration::ZERO, "bytes")] {
        assert_eq!(word(&one(&fetcher, &url, time)), expected);
    }
    assert_eq!(server.heads().len(), 1);
}

/// How many requests a server has at once.
#[derive(Default)]
struct AtOnce {
    now: usize,
    most: usize,
}

fn counting(time: Duration) -> (Server, Arc<Mutex<AtOnce>>) {
    let count = Arc::<Mutex<AtOnce>>::default();
    let at_once = count.clone();
    let server = Server::new(move |_, stream| {
        {
            let mut at_once = lock(&at_once);
            at_once.now += 1;
            at_once.most = at_once.most.max(at_once.now);
        }
        wait(stream, time);
        lock(&at_once).now -= 1;
        reply(stream, "200 OK", "", PICTURE);
    });
    (server, count)
}

fn many(server: &Server, count: usize) -> Vec<String> {
    (0..count).map(|i| server.url(&format!("/{i}"))).collect()
}

#[test]
fn a_host_and_all_hosts_are_asked_so_much_at_once() {
    for (per_host, at_once) in [(3, 256), (256, 3)] {
        let (server, count) = counting(ms(30));
        let allow = vec!["127.0.0.1".parse().expect("a net")];
        let fetcher = settings(Settings { allow, per_host, at_once, limits: limits(), ..Settings::default() });
        let urls = many(&server, 24);
        let found = fetcher.fetch(&urls.iter().map(String::as_str).collect::<Vec<_>>(), LONG);
        assert!(found.iter().all(|fetched| word(fetched) == "bytes"), "{found:?}");
        assert_eq!(lock(&count).most, 3);
    }
}

#[test]
fn who_comes_to_a_full_line_is_turned_away() {
    let table = [(Limits { waiting: 2, ..limits() }, 3), (Limits { flying: 4, ..limits() }, 4)];
    for (limits, admitted) in table {
        let (server, _) = counting(ms(150));
        let allow = vec!["127.0.0.1".parse().expect("a net")];
        let fetcher = settings(Settings { allow, per_host: 1, at_once: 256, limits, ..Settings::default() });
        let urls = many(&server, 12);
        let found = fetcher.fetch(&urls.iter().map(String::as_str).collect::<Vec<_>>(), LONG);
        let of = |kind: &str| found.iter().filter(|fetched| word(fetched) == kind).count();
        assert_eq!((of("bytes"), of("busy")), (admitted, 12 - admitted));
    }
}

#[test]
fn an_origin_that_fails_is_left_alone() {
    let server = Server::new(|_, stream| reply(stream, "500 Internal Server Error", "", b""));
    let fetcher = fetcher(limits());
    let found: Vec<&str> = (0..4).map(|i| said(&fetcher, &server.url(&format!("/{i}")))).collect();
    assert_eq!(found, ["status", "circuit_open", "circuit_open", "circuit_open"]);
    assert_eq!(server.heads().len(), 5, "three tries, then two");
    let other = Server::new(|_, stream| reply(stream, "404 Not Found", "", b""));
    assert!((0..9).all(|i| said(&fetcher, &other.url(&format!("/{i}"))) == "status"), "another port is not, and 404 is no failure");
}
