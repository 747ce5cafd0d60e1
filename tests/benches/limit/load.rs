//! Requests over HTTP/1.1, from as many threads as connections: as little of the processor as a client can take.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

/// Connections at a time.
pub(crate) const CONNECTIONS: usize = 8;

/// Sends a request for each number below `count` and reads the answers, which all have this status. The time it took.
pub(crate) fn load(
    address: SocketAddr,
    status: u16,
    count: usize,
    request: impl Fn(usize) -> String + Sync,
) -> Duration {
    let start = Instant::now();
    thread::scope(|scope| {
        for first in 0..CONNECTIONS {
            let request = &request;
            scope.spawn(move || {
                let mut connection = Connection::to(address);
                for number in (first..count).step_by(CONNECTIONS) {
                    let (answered, body) = connection.send(&request(number));
                    assert_eq!(answered, status, "{}", String::from_utf8_lossy(&body));
                }
            });
        }
    });
    start.elapsed()
}

/// The text of a request.
pub(crate) fn request(method: &str, path: &str, headers: &str, body: &str) -> String {
    let length = if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n{headers}{length}\r\n{body}")
}

/// A connection that is kept.
pub(crate) struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    pub(crate) fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, read: Vec::new() }
    }

    /// Sends a request. The status and the body of its answer.
    pub(crate) fn send(&mut self, request: &str) -> (u16, Vec<u8>) {
        self.stream.write_all(request.as_bytes()).unwrap();
        let end = loop {
            if let Some(end) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            self.read_more();
        };
        let head = String::from_utf8(self.read.drain(..end).collect()).unwrap().to_ascii_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.expect("an answer of known length").parse().unwrap();
        while self.read.len() < length {
            self.read_more();
        }
        (status, self.read.drain(..length).collect())
    }

    fn read_more(&mut self) {
        let mut buffer = [0; 1 << 14];
        let count = self.stream.read(&mut buffer).unwrap();
        assert_ne!(count, 0, "the server hung up");
        self.read.extend(&buffer[..count]);
    }
}
