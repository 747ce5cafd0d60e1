//! A wire between the system under test and Postgres that counts what goes over it, can be cut at any statement, and
//! can record what is asked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::{
    io::{self, AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
};
use url::Url;

/// A wire to a database. Connections through it end with the runtime of the test.
pub struct Wire {
    url: String,
    tally: Arc<Mutex<Tally>>,
}

/// One way along the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The system's question.
    Out,
    /// Postgres's answer.
    Back,
}

#[derive(Default)]
struct Tally {
    round_trips: u32,
    /// True while a statement is being sent.
    open: bool,
    /// Sent and not answered yet: `ReadyForQuery` is the answer to each `Sync` and `Query`.
    unanswered: u32,
    /// Where the wire is cut: after so many more statements, sent or answered.
    cut: Option<(Way, u32)>,
    /// The system's messages by round trip, while they are recorded.
    recorded: Option<Vec<RoundTrip>>,
    /// True if no commit passes.
    holds_commits: bool,
}

/// Messages of the system that were sent before it waited for an answer.
pub type RoundTrip = Vec<Message>;

/// A message of Postgres's protocol.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    /// The kind of message, a letter.
    pub kind: u8,
    /// The bytes behind its length.
    pub body: Vec<u8>,
}

impl Tally {
    /// Counts a message. `false` if the wire is cut before it.
    fn takes(&mut self, way: Way, kind: u8, body: &[u8]) -> bool {
        if way == Way::Out
            && let Some(recorded) = &mut self.recorded
        {
            if self.unanswered == 0 && recorded.last().is_none_or(|last| last.iter().any(Message::ends)) {
                recorded.push(Vec::new());
            }
            let message = Message { kind, body: body.to_vec() };
            let is_commit = message.is_query("COMMIT");
            recorded.last_mut().unwrap().push(message);
            if is_commit && self.holds_commits {
                return false;
            }
        }
        // `Execute` and `Query` run a statement; `CommandComplete` says that it is done.
        if matches!((way, kind), (Way::Out, b'E' | b'Q') | (Way::Back, b'C')) {
            match &mut self.cut {
                Some((cut, 0)) if *cut == way => {
                    self.cut = None;
                    return false;
                }
                Some((cut, left)) if *cut == way => *left -= 1,
                _ => {}
            }
        }
        // `Parse` or, where it is prepared, `Bind` begin a statement; so does `Query`.
        if way == Way::Out && matches!(kind, b'P' | b'B' | b'Q') && !std::mem::replace(&mut self.open, true) {
            self.round_trips += u32::from(self.unanswered == 0);
        }
        match (way, kind) {
            (Way::Out, b'S' | b'Q') => {
                self.open = false;
                self.unanswered += 1;
            }
            (Way::Back, b'Z') => self.unanswered = self.unanswered.saturating_sub(1),
            _ => {}
        }
        true
    }
}

impl Message {
    /// True if Postgres answers `ReadyForQuery` to it.
    #[must_use]
    pub const fn ends(&self) -> bool {
        matches!(self.kind, b'S' | b'Q')
    }

    /// True if it is this statement, sent alone.
    #[must_use]
    pub fn is_query(&self, sql: &str) -> bool {
        self.kind == b'Q' && self.body.strip_suffix(b"\0") == Some(sql.as_bytes())
    }
}

impl Wire {
    /// To the database of this address, without TLS.
    pub async fn to(url: &str) -> Self {
        let mut url = Url::parse(url).unwrap();
        let database = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let tally = Arc::default();
        tokio::spawn(listen(listener, database, Arc::clone(&tally)));
        Self { url: url.into(), tally }
    }

    /// The address of the database by this wire.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Cuts the wire, once, when so many more statements have been sent or answered and the next one is.
    pub fn cut_after(&self, way: Way, statements: u32) {
        lock(&self.tally).cut = Some((way, statements));
    }

    /// Takes back a cut that has not happened. `false` if it has.
    #[must_use]
    pub fn mend(&self) -> bool {
        lock(&self.tally).cut.take().is_some()
    }

    /// Records what the system asks from now on.
    pub fn record(&self) {
        let mut tally = lock(&self.tally);
        (tally.recorded, tally.holds_commits) = (Some(Vec::new()), false);
    }

    /// As [`record`](Self::record), and the wire is cut at a commit, so that everything may be asked again.
    pub fn record_uncommitted(&self) {
        self.record();
        lock(&self.tally).holds_commits = true;
    }

    /// Ends the recording: what was asked.
    #[must_use]
    pub fn recorded(&self) -> Vec<RoundTrip> {
        lock(&self.tally).recorded.take().unwrap_or_default()
    }

    /// The round trips since the last time that this was asked: a statement that is sent when nothing is unanswered
    /// begins one. Right while one connection is used at a time.
    #[must_use]
    pub fn round_trips(&self) -> u32 {
        std::mem::take(&mut lock(&self.tally).round_trips)
    }
}

fn lock(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn listen(listener: TcpListener, database: String, tally: Arc<Mutex<Tally>>) {
    while let Ok((system, _)) = listener.accept().await {
        let Ok(postgres) = TcpStream::connect(&database).await else { continue };
        let ((from_system, to_system), (from_postgres, to_postgres)) = (system.into_split(), postgres.into_split());
        let tally = Arc::clone(&tally);
        tokio::spawn(async move {
            {
                let mut tally = lock(&tally);
                (tally.unanswered, tally.open) = (0, false);
            }
            // Whichever ends first ends both: dropping them closes the sockets.
            tokio::select! {
                _ = carry(from_system, to_postgres, Way::Out, &tally) => {}
                _ = carry(from_postgres, to_system, Way::Back, &tally) => {}
            }
        });
    }
}

/// Carries messages until the wire is cut or an end hangs up. A message is its kind, its length and the rest; the first
/// one of the system has no kind.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, way: Way, tally: &Mutex<Tally>) -> io::Result<()> {
    let mut begins = way == Way::Out;
    loop {
        let kind = if std::mem::take(&mut begins) { None } else { Some(from.read_u8().await?) };
        let length = from.read_u32().await?;
        let mut message = Vec::from_iter(kind);
        message.extend(length.to_be_bytes());
        message.resize(message.len() + length as usize - 4, 0);
        let body = message.len() - (length as usize - 4);
        from.read_exact(&mut message[body..]).await?;
        if !lock(tally).takes(way, kind.unwrap_or_default(), &message[body..]) {
            return Ok(());
        }
        to.write_all(&message).await?;
    }
}
