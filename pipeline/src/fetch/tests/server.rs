//! Small servers that answer as they please, each connection in a thread of its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::super::lock;

pub(super) struct Server {
    address: SocketAddr,
    /// The heads of all requests so far.
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// `answer` is given the path. The connection closes when it returns.
    pub(super) fn new(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let (answer, heads) = (Arc::new(answer), Arc::<Mutex<Vec<String>>>::default());
        let log = heads.clone();
        thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let (answer, log) = (answer.clone(), log.clone());
                thread::spawn(move || {
                    let head = head(&mut stream);
                    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                    lock(&log).push(head);
                    answer(&path, &mut stream);
                });
            }
        });
        Self { address, heads }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(super) fn heads(&self) -> Vec<String> {
        lock(&self.heads).clone()
    }
}

/// The head of a request; of a TLS greeting no more than its first byte.
fn head(stream: &mut TcpStream) -> String {
    let (mut head, mut byte) = (Vec::<u8>::new(), [0u8]);
    while !head.ends_with(b"\r\n\r\n") && !head.starts_with(&[0x16]) && stream.read_exact(&mut byte).is_ok() {
        head.push(byte[0]);
    }
    String::from_utf8_lossy(&head).into_owned()
}

pub(super) fn tell(stream: &mut TcpStream, bytes: &[u8]) {
    say(stream, bytes);
}

/// Tells a head, and then the same chunk for as long as it is taken.
pub(super) fn endless(stream: &mut TcpStream, head: &[u8], chunk: &[u8]) {
    tell(stream, head);
    while say(stream, chunk) {}
}

/// Writes, and says whether it could: the other side hangs up when it has had enough.
pub(super) fn say(stream: &mut TcpStream, bytes: &[u8]) -> bool {
    stream.write_all(bytes).is_ok()
}

pub(super) fn reply(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) {
    let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n", body.len());
    tell(stream, &[head.as_bytes(), body].concat());
}

pub(super) fn redirect(stream: &mut TcpStream, location: &str) {
    reply(stream, "302 Found", &format!("location: {location}\r\n"), b"");
}

/// Waits, or until the other side hangs up.
pub(super) fn wait(stream: &mut TcpStream, time: Duration) {
    let waiting = stream.set_read_timeout(Some(time));
    waiting.and_then(|()| stream.read_exact(&mut [0u8])).ok();
}
