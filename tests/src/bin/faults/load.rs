//! Clients that pay, apply and read all the time, and keep every answer. Who gets none, or a refusal that may pass,
//! sends the same command with its key again until it is acknowledged.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tests::{Call, Reply};
use tokio::{task::JoinHandle, time::sleep};

use crate::lender::{Command, Lender, Write};

/// Clients of each kind.
const PAYERS: usize = 4;
const APPLICANTS: usize = 1;
const READERS: usize = 2;

/// Between one command of a client and its next.
const PAUSE: Duration = Duration::from_millis(20);
/// How long a command may take to be acknowledged, however often it has to be sent.
const AT_LAST: Duration = Duration::from_mins(2);

/// The outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// 200 or 201.
    Done,
    /// 503 with `Retry-After`.
    Unavailable,
    /// 409 with `Retry-After`: somebody else is changing the same thing.
    Busy,
    /// 401.
    Unauthenticated,
    /// No answer.
    Silence,
    /// An answer that there must not be.
    Wrong,
}

/// A request and what came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) sent: Instant,
    pub(crate) came: Instant,
    pub(crate) outcome: Outcome,
    pub(crate) is_command: bool,
}

/// The clients' records.
#[derive(Default)]
pub(crate) struct Records {
    pub(crate) answers: Vec<Answer>,
    pub(crate) written: Vec<Write>,
    /// How many of these had taken effect before, when nobody could be told.
    pub(crate) found_done: usize,
    /// Answers that there must not be, in words.
    pub(crate) wrong: Vec<String>,
}

impl Records {
    /// How many requests had this outcome.
    pub(crate) fn count(&self, outcome: Outcome) -> usize {
        self.answers.iter().filter(|answer| answer.outcome == outcome).count()
    }
}

/// The clients at work.
pub(crate) struct Load {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<()>>,
}

struct Shared {
    lender: Arc<Lender>,
    patience: Duration,
    ends: AtomicBool,
    records: Mutex<Records>,
}

impl Load {
    /// Begins, and waits until commands and reads have been answered for a second. Each client waits so long for an
    /// answer.
    pub(crate) async fn begin(lender: &Arc<Lender>, patience: Duration) -> Self {
        let shared = Arc::new(Shared {
            lender: Arc::clone(lender),
            patience,
            ends: AtomicBool::new(false),
            records: Mutex::default(),
        });
        let mut clients = Vec::new();
        for number in 0..PAYERS {
            clients.push(tokio::spawn(Arc::clone(&shared).pay(number)));
        }
        for _ in 0..APPLICANTS {
            clients.push(tokio::spawn(Arc::clone(&shared).apply()));
        }
        for number in 0..READERS {
            clients.push(tokio::spawn(Arc::clone(&shared).read(number)));
        }
        sleep(Duration::from_secs(1)).await;
        Self { shared, clients }
    }

    /// How many answers have had this outcome so far.
    pub(crate) fn count(&self, outcome: Outcome) -> usize {
        self.shared.records().count(outcome)
    }

    /// Ends when every command that was sent is acknowledged.
    pub(crate) async fn end(self) -> Records {
        self.shared.ends.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.await.expect("a client ends well");
        }
        std::mem::take(&mut *self.shared.records())
    }
}

impl Shared {
    fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn goes_on(&self) -> bool {
        !self.ends.load(Ordering::Relaxed)
    }

    async fn pay(self: Arc<Self>, number: usize) {
        // Two clients a loan in turn, so that they also meet.
        for loan in self.lender.loans.iter().cycle().skip(number / 2) {
            if !self.goes_on() {
                return;
            }
            self.until_acknowledged(self.lender.payment(loan)).await;
            sleep(PAUSE).await;
        }
    }

    async fn apply(self: Arc<Self>) {
        while self.goes_on() {
            self.until_acknowledged(self.lender.application()).await;
            sleep(PAUSE).await;
        }
    }

    async fn read(self: Arc<Self>, number: usize) {
        for loan in self.lender.loans.iter().cycle().skip(number) {
            for path in [loan, &format!("{loan}/schedule"), "/api/loans?limit=5", "/api/auth/me"] {
                if !self.goes_on() {
                    return;
                }
                self.send(self.lender.agent.get(path), false).await;
                sleep(PAUSE).await;
            }
        }
    }

    async fn until_acknowledged(&self, command: Command) {
        let began = Instant::now();
        while began.elapsed() < AT_LAST {
            match self.send(command.by(&self.lender.agent), true).await {
                (Outcome::Done, Some(reply)) => {
                    let mut records = self.records();
                    records.found_done += usize::from(reply.optional_header("idempotency-replayed").is_some());
                    return records.written.push(Write::new(command, reply));
                }
                // Sending it again would only say the same again.
                (Outcome::Wrong, _) => return,
                _ => sleep(PAUSE).await,
            }
        }
        self.records().wrong.push(format!("{}: never acknowledged", command.path));
    }

    /// Sends a request and keeps the answer.
    async fn send(&self, call: Call, is_command: bool) -> (Outcome, Option<Reply>) {
        let sent = Instant::now();
        // Parts common to all answers, `Retry-After` among them, are checked there.
        let reply = call.attempt(self.patience).await;
        let came = Instant::now();
        let outcome = match &reply {
            Ok(reply) => match (reply.status, reply.code()) {
                (200 | 201, _) => Outcome::Done,
                (503, "unavailable") => Outcome::Unavailable,
                (409, "busy") if reply.optional_header("retry-after").is_some() => Outcome::Busy,
                (401, "unauthenticated") => Outcome::Unauthenticated,
                _ => Outcome::Wrong,
            },
            Err(_) => Outcome::Silence,
        };
        let mut records = self.records();
        records.answers.push(Answer { sent, came, outcome, is_command });
        match reply {
            Ok(reply) if outcome == Outcome::Wrong => records.wrong.push(reply.to_string()),
            Ok(reply) => return (outcome, Some(reply)),
            Err(_) => {}
        }
        (outcome, None)
    }
}
