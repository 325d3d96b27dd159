//! Pictures from buckets and folders.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use object_store::aws::AmazonS3Builder;
use object_store::gcp::GoogleCloudStorageBuilder;

use super::super::{Fetcher, Limits, Settings};
use super::server::{Server, endless, redirect, reply, tell, wait};
use super::{LONG, PICTURE, fetcher, limits, ms, one, said, settings, word};

/// The settings of S3 that the environment would hold.
fn s3(server: &Server) -> AmazonS3Builder {
    let builder = AmazonS3Builder::new().with_endpoint(server.url("")).with_allow_http(true).with_region("eu-west-1");
    builder.with_access_key_id("id").with_secret_access_key("hush")
}

fn of_bucket(s3: AmazonS3Builder, limits: Limits) -> Fetcher {
    let stores = vec!["s3://bucket/photos/".parse().expect("a prefix")];
    let allow = vec!["127.0.0.1".parse().expect("a net")];
    settings(Settings { allow, stores, s3, limits, ..Settings::default() })
}

#[test]
fn a_bucket_is_asked_with_a_signature_and_nobody_else_is() {
    let server = Server::new(|path, stream| match path {
        "/away" => redirect(stream, "s3://bucket/photos/c.jpg"),
        _ => reply(stream, "200 OK", "", PICTURE),
    });
    let fetcher = of_bucket(s3(&server), limits());
    for link in ["s3://bucket/photos/a%20b.jpg", "s3://bucket/photos/%61%20b.jpg"] {
        assert_eq!(said(&fetcher, link), "bytes", "{link}");
    }
    let heads = server.heads();
    assert_eq!(heads.len(), 1, "both lead to one picture: {heads:?}");
    assert!(heads[0].starts_with("GET /bucket/photos/a%20b.jpg HTTP/1.1\r\n"), "{heads:?}");
    assert!(heads[0].contains("authorization: AWS4-HMAC-SHA256 Credential=id/") && !heads[0].contains("hush"), "{heads:?}");
    assert_eq!(said(&fetcher, &server.url("/bucket/photos/a%20b.jpg")), "bytes");
    assert!(!server.heads()[1].contains("authorization"), "{:?}", server.heads());
    assert_eq!(said(&fetcher, &server.url("/away")), "not_a_link", "no redirect leads to a store");
    for link in ["s3://bucket/a.jpg", "s3://other/photos/a.jpg", "gs://bucket/photos/a.jpg", "s3://bucket/photos/../a.jpg"] {
        assert_eq!(said(&fetcher, link), "not_a_link", "{link}");
    }
    assert_eq!(server.heads().len(), 3);
}

#[test]
fn buckets_have_the_limits_of_hosts() {
    let server = Server::new(|path, stream| match path.trim_start_matches("/bucket/photos/") {
        "fits" => reply(stream, "200 OK", "", &[1; 1_000]),
        "over" => reply(stream, "200 OK", "", &[1; 1_001]),
        "promised" => tell(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 1099511627776\r\n\r\n"),
        "chunks" => endless(stream, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"4\r\nabcd\r\n"),
        "short" => tell(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\na pict"),
        "none" => endless(stream, b"HTTP/1.1 404 Not Found\r\n\r\n", b"not there"),
        "refused" => reply(stream, "403 Forbidden", "", b"<Error/>"),
        "unknown" => reply(stream, "401 Unauthorized", "", b"<Error/>"),
        "moved" => redirect(stream, "/bucket/photos/fits"),
        "failing" => reply(stream, "503 Slow Down", "", b"<Error/>"),
        "slow" => {
            tell(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\na");
            wait(stream, LONG);
        }
        _ => wait(stream, LONG),
    });
    let table = [
        ("fits", "bytes", 1),
        ("over", "too_many_bytes", 1),
        ("promised", "too_many_bytes", 1),
        ("chunks", "cut_off", 1),
        ("short", "cut_off", 1),
        ("none", "status", 1),
        ("refused", "not_permitted", 1),
        ("unknown", "not_permitted", 1),
        ("moved", "status", 1),
        ("failing", "status", 3),
        ("slow", "timed_out", 3),
        ("silent", "timed_out", 3),
    ];
    for (name, expected, asked) in table {
        let fetcher = of_bucket(s3(&server), Limits { bytes: 1_000, head: ms(300), idle: ms(200), ..limits() });
        assert_eq!(said(&fetcher, &format!("s3://bucket/photos/{name}")), expected, "{name}");
        let line = format!("GET /bucket/photos/{name} ");
        assert_eq!(server.heads().iter().filter(|head| head.starts_with(&line)).count(), asked, "{name}");
    }
}

#[test]
fn a_bucket_that_fails_is_left_alone() {
    let server = Server::new(|_, stream| reply(stream, "500 Internal Server Error", "", b""));
    let fetcher = of_bucket(s3(&server), limits());
    let found: Vec<&str> = (0..3).map(|i| said(&fetcher, &format!("s3://bucket/photos/{i}"))).collect();
    assert_eq!(found, ["status", "circuit_open", "circuit_open"]);
    assert_eq!(server.heads().len(), 5, "three tries, then two");
    let secured = of_bucket(s3(&server).with_allow_http(false), limits());
    assert_eq!(said(&secured, "s3://bucket/photos/a.jpg"), "unreachable");
    assert_eq!(server.heads().len(), 5, "http is for those who allow it");
}

#[test]
fn a_bucket_of_another_kind_is_asked_with_a_token() {
    let more = "etag: \"1\"\r\nlast-modified: Wed, 18 Nov 2026 08:00:00 GMT\r\n";
    let server = Server::new(move |_, stream| reply(stream, "200 OK", more, PICTURE));
    let stores = vec!["gs://bucket/".parse().expect("a prefix")];
    let gs = GoogleCloudStorageBuilder::new().with_base_url(&server.url("")).with_bearer_token("hush");
    let fetcher = settings(Settings { stores, gs, limits: limits(), ..Settings::default() });
    assert_eq!(said(&fetcher, "gs://bucket/photos/a.jpg"), "bytes");
    assert_eq!(said(&fetcher, "gs://bucket/photos/../a.jpg"), "not_a_link");
    let heads = server.heads();
    assert_eq!(heads.len(), 1, "{heads:?}");
    assert!(heads[0].starts_with("GET /bucket/photos%2Fa%2Ejpg ") && heads[0].contains("authorization: Bearer hush"), "{heads:?}");
}

#[test]
fn files_are_read_in_their_folder_and_nowhere_else() {
    let around = tempfile::tempdir().expect("a folder");
    let photos = around.path().join("photos");
    fs::create_dir_all(photos.join("b")).expect("a folder");
    for (name, bytes) in
        [("photos/a.jpg", PICTURE), ("photos/b/ä b.jpg", PICTURE), ("photos/empty.jpg", &b""[..]), ("secret.jpg", &b"hush"[..])]
    {
        fs::write(around.path().join(name), bytes).expect("a file");
    }
    fs::write(photos.join("over.jpg"), [1; 1_001]).expect("a file");
    symlink("a.jpg", photos.join("in.jpg")).expect("a link");
    symlink("../secret.jpg", photos.join("out.jpg")).expect("a link");
    symlink(around.path(), photos.join("up")).expect("a link");
    let _socket = UnixListener::bind(photos.join("socket")).expect("a socket");
    let stores = vec![format!("file://{}/", photos.display()).parse().expect("a prefix")];
    let limits = Limits { bytes: 1_000, ..limits() };
    let fetcher = settings(Settings { stores, limits, ..Settings::default() });
    let table = [
        ("a.jpg", "bytes"),
        ("b/%C3%A4%20b.jpg", "bytes"),
        ("empty.jpg", "bytes"),
        ("in.jpg", "bytes"),
        ("over.jpg", "too_many_bytes"),
        ("none.jpg", "status"),
        ("a.jpg/b", "status"),
        ("b", "status"),
        ("socket", "status"),
        ("out.jpg", "forbidden_address"),
        ("up/secret.jpg", "forbidden_address"),
        ("up/photos/a.jpg", "bytes"),
        ("../secret.jpg", "not_a_link"),
        ("%2e%2e/secret.jpg", "not_a_link"),
        ("b/../a.jpg", "not_a_link"),
        ("/a.jpg", "not_a_link"),
    ];
    for (name, expected) in table {
        let link = format!("file://{}/{name}", photos.display());
        assert_eq!(said(&fetcher, &link), expected, "{link}");
    }
    let link = format!("file://{}/a.jpg", photos.display());
    assert!(matches!(one(&fetcher, &link, LONG), super::Fetched::Bytes(bytes) if *bytes == *PICTURE));
    assert_eq!(said(&fetcher, "file:///etc/passwd"), "not_a_link");
}

#[test]
fn no_store_is_reached_that_is_not_configured() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.jpg"), PICTURE).expect("a file");
    let link = format!("file://{}/a.jpg", folder.path().display());
    assert_eq!(word(&one(&fetcher(limits()), &link, LONG)), "not_a_link");
}

#[test]
fn what_cannot_be_a_store_says_why_without_secrets() {
    let half = AmazonS3Builder::new().with_secret_access_key("hush");
    let table = [("s3://bucket/", "AWS_ variables"), ("file:///no/such/folder/", "/no/such/folder is no folder")];
    for (prefix, part) in table {
        let stores = vec![prefix.parse().expect("a prefix")];
        let fault = Fetcher::new(Settings { stores, s3: half.clone(), ..Settings::default() }).err().expect("a fault");
        let said = format!("{fault:#} {fault:?}");
        assert!(said.contains(part) && !said.contains("hush"), "{said}");
    }
}
