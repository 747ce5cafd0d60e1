//! A wire between the system under test and Postgres that counts what goes over it, and can be cut at any statement.

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
    /// Sent and not answered yet: `ReadyForQuery` is the answer to each `Sync` and `Query`.
    unanswered: u32,
    /// Where the wire is cut: after so many more statements, sent or answered.
    cut: Option<(Way, u32)>,
}

impl Tally {
    /// Counts a message. `false` if the wire is cut before it.
    fn takes(&mut self, way: Way, kind: u8) -> bool {
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
        // `Parse` and `Query` begin a statement.
        if way == Way::Out && matches!(kind, b'P' | b'Q') && self.unanswered == 0 {
            self.round_trips += 1;
        }
        match (way, kind) {
            (Way::Out, b'S' | b'Q') => self.unanswered += 1,
            (Way::Back, b'Z') => self.unanswered = self.unanswered.saturating_sub(1),
            _ => {}
        }
        true
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
            lock(&tally).unanswered = 0;
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
        if !lock(tally).takes(way, kind.unwrap_or_default()) {
            return Ok(());
        }
        to.write_all(&message).await?;
    }
}
