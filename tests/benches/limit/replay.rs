//! The statements of a request alone, as fast as Postgres takes them: prepared once, sent again and again as the same
//! bytes, and nothing of the answers read but whether they are errors.

use std::{
    collections::HashMap,
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use tests::{Message, RoundTrip};
use tokio_postgres::{Config, NoTls};

use crate::load::CONNECTIONS;

/// The round trips of one request, prepared on a connection.
pub(crate) struct Replay {
    stream: TcpStream,
    trips: Vec<Trip>,
    buffer: Vec<u8>,
}

struct Trip {
    sent: Vec<u8>,
    /// How many times Postgres says that it has done everything so far.
    ends: usize,
}

impl Replay {
    /// Connects and prepares the statements of a recorded request.
    pub(crate) async fn prepare(url: &str, recorded: &[RoundTrip]) -> Self {
        let mut replay = Self { stream: connect(url).await, trips: Vec::new(), buffer: vec![0; 1 << 16] };
        let mut names = HashMap::new();
        let mut parse = Vec::new();
        for message in recorded.iter().flatten().filter(|message| message.kind == b'P') {
            let text = unnamed(&message.body);
            let next = format!("s{}\0", names.len());
            let name = names.entry(text.to_vec()).or_insert_with(|| {
                put(&mut parse, b'P', &[next.as_bytes(), text]);
                next
            });
            assert!(name.ends_with('\0'));
        }
        put(&mut parse, b'S', &[]);
        replay.exchange(&Trip { sent: parse, ends: 1 });
        replay.trips = recorded.iter().map(|trip| Trip::of(trip, &names)).collect();
        replay
    }

    fn run(&mut self) {
        let trips = std::mem::take(&mut self.trips);
        for trip in &trips {
            self.exchange(trip);
        }
        self.trips = trips;
    }

    fn exchange(&mut self, trip: &Trip) {
        self.stream.write_all(&trip.sent).unwrap();
        let (mut ends, mut start, mut end) = (0, 0, 0);
        while ends < trip.ends {
            while end - start >= 5 {
                let length = 1 + u32::from_be_bytes(self.buffer[start + 1..start + 5].try_into().unwrap()) as usize;
                if self.buffer.len() - start < length {
                    self.buffer.copy_within(start..end, 0);
                    (start, end) = (0, end - start);
                    let room = self.buffer.len().max(length * 2);
                    self.buffer.resize(room, 0);
                }
                if end - start < length {
                    break;
                }
                let message = &self.buffer[start..start + length];
                assert_ne!(message[0], b'E', "{}", String::from_utf8_lossy(message));
                ends += usize::from(message[0] == b'Z');
                start += length;
            }
            if ends < trip.ends {
                if end == self.buffer.len() {
                    self.buffer.copy_within(start..end, 0);
                    (start, end) = (0, end - start);
                }
                let count = self.stream.read(&mut self.buffer[end..]).unwrap();
                assert_ne!(count, 0, "Postgres hung up");
                end += count;
            }
        }
    }
}

/// Runs them side by side, each on its connection, `count` times in all. The time it took.
pub(crate) fn run(replays: &mut [Replay], count: usize) -> Duration {
    assert_eq!(replays.len(), CONNECTIONS);
    let start = Instant::now();
    thread::scope(|scope| {
        for replay in replays {
            scope.spawn(move || {
                for _ in 0..count / CONNECTIONS {
                    replay.run();
                }
            });
        }
    });
    start.elapsed()
}

impl Trip {
    /// The same messages with prepared statements: names in place of texts, no description asked for, one end of each
    /// series of statements. A commit is a rollback behind what is checked at a commit.
    fn of(recorded: &[Message], names: &HashMap<Vec<u8>, String>) -> Self {
        let mut trip = Self { sent: Vec::new(), ends: 0 };
        let mut name = "\0";
        for (place, message) in recorded.iter().enumerate() {
            match message.kind {
                b'P' => name = &names[unnamed(&message.body)],
                // A portal without a name, then the statement's.
                b'B' => put(&mut trip.sent, b'B', &[b"\0", name.as_bytes(), &message.body[2..]]),
                b'E' => put(&mut trip.sent, b'E', &[&message.body]),
                b'S' if recorded.get(place + 1).is_none_or(|next| next.kind == b'Q') => {
                    put(&mut trip.sent, b'S', &[]);
                    trip.ends += 1;
                }
                b'Q' if message.is_query("COMMIT") => {
                    put(&mut trip.sent, b'Q', &[b"SET CONSTRAINTS ALL IMMEDIATE\0"]);
                    put(&mut trip.sent, b'Q', &[b"ROLLBACK\0"]);
                    trip.ends += 2;
                }
                b'Q' => {
                    put(&mut trip.sent, b'Q', &[&message.body]);
                    trip.ends += 1;
                }
                _ => {}
            }
        }
        trip
    }
}

/// The rest of a `Parse` behind the empty name.
fn unnamed(parse: &[u8]) -> &[u8] {
    parse.strip_prefix(b"\0").expect("statements are recorded unprepared")
}

fn put(sent: &mut Vec<u8>, kind: u8, body: &[&[u8]]) {
    let length = 4 + body.iter().map(|part| part.len()).sum::<usize>();
    sent.push(kind);
    sent.extend(u32::try_from(length).unwrap().to_be_bytes());
    sent.extend(body.concat());
}

/// A connection on which somebody else has logged in.
async fn connect(url: &str) -> TcpStream {
    let config: Config = url.parse().unwrap();
    let [tokio_postgres::config::Host::Tcp(host)] = config.get_hosts() else { panic!("one host") };
    let stream = TcpStream::connect((host.as_str(), config.get_ports()[0])).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_nonblocking(true).unwrap();
    let theirs = tokio::net::TcpStream::from_std(stream.try_clone().unwrap()).unwrap();
    // Dropped without a word, so that Postgres takes the connection for open.
    drop(config.connect_raw(theirs, NoTls).await.unwrap());
    stream.set_nonblocking(false).unwrap();
    stream
}
