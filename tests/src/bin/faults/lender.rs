//! Who works with the functions: an agent whose customers have loans that are paid back all the time, and what was
//! acknowledged to them, held against the database.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use serde_json::{Value, json};
use tests::{Call, Client, PASSWORD, Reply, Session};
use uuid::Uuid;

/// The first admin, as in the migrate function's settings.
pub(crate) const ADMIN: &str = r#"{"username": "admin", "password": "microloans-demo", "email": "admin@example.com",
    "phone": "+254700000001"}"#;

/// Loans that are paid back under load.
const LOANS: usize = 8;

/// Something that was asked for and acknowledged.
#[derive(Clone)]
pub(crate) struct Write {
    pub(crate) command: Command,
    /// The id of what it made.
    pub(crate) id: Uuid,
    /// The answer, word by word.
    pub(crate) text: String,
}

impl Write {
    /// The answer to a command.
    pub(crate) fn new(command: Command, reply: Reply) -> Self {
        Self { command, id: reply.text_of("id").parse().unwrap(), text: reply.text }
    }
}

/// A command with its key: sent again as it is until it is acknowledged.
#[derive(Clone)]
pub(crate) struct Command {
    pub(crate) path: String,
    pub(crate) key: String,
    pub(crate) body: Value,
}

impl Command {
    /// The request, by this caller.
    pub(crate) fn by(&self, caller: &Session) -> Call {
        caller.post(&self.path).key(&self.key).json(self.body.clone())
    }
}

/// People and loans.
pub(crate) struct Lender {
    pub(crate) admin: Session,
    pub(crate) agent: Session,
    /// The loans that are paid back under load: their paths.
    pub(crate) loans: Vec<String>,
    /// One that is paid back by nobody else.
    pub(crate) aside: String,
    borrower: String,
    /// Numbers the commands, so that none is like another.
    next: AtomicU32,
}

impl Lender {
    /// Registers, approves, applies, approves and pays out, by the interface. The applications are the first of what
    /// was acknowledged.
    pub(crate) async fn new(client: &Client) -> (Self, Vec<Write>) {
        let admin: Value = serde_json::from_str(ADMIN).unwrap();
        let admin = log_in(client, &admin["username"], &admin["password"]).await;
        let mut ids = Vec::new();
        for (username, role) in [("the.customer", "customer"), ("the.agent", "agent")] {
            let person = json!({"username": username, "password": PASSWORD, "role": role, "full_name": username,
                "email": format!("{username}@example.com"), "phone": "+919812345678"});
            ids.push(client.anyone().post("/api/auth/register").json(person).expect(201).await.text_of("id"));
        }
        admin.post(&format!("/api/agents/{}/approve", ids[1])).expect(200).await;
        let agent = log_in(client, &json!("the.agent"), &json!(PASSWORD)).await;
        let borrower = ids.remove(0);
        let (loans, aside, next) = (Vec::new(), String::new(), AtomicU32::new(0));
        let mut lender = Self { admin, agent, loans, aside, borrower, next };
        let mut written = Vec::new();
        for _ in 0..=LOANS {
            let application = lender.paid_out().await;
            lender.loans.push(format!("/api/loans/{}", application.id));
            written.push(application);
        }
        lender.aside = lender.loans.remove(0);
        (lender, written)
    }

    /// A loan that was paid out 40 days ago, as its application.
    async fn paid_out(&self) -> Write {
        let command = self.application();
        let loan = command.by(&self.agent).expect(201).await;
        let write = Write::new(command, loan);
        let path = format!("/api/loans/{}", write.id);
        self.admin.post(&format!("{path}/approve")).if_match(1).expect(200).await;
        let body = json!({"disbursed_on": days_ago(40)});
        self.admin.post(&format!("{path}/disbursements")).key("paid out").json(body).expect(201).await;
        write
    }

    /// The next application.
    pub(crate) fn application(&self) -> Command {
        let body = json!({"borrower_id": self.borrower, "amount": "50000", "currency": "INR", "term_months": 60});
        self.command("/api/loans".to_owned(), body)
    }

    /// The next payment for a loan.
    pub(crate) fn payment(&self, loan: &str) -> Command {
        // Of amounts that differ, so that one cannot stand for another.
        let hundredths = self.next.load(Ordering::Relaxed) % 100;
        let body = json!({"amount": format!("1.{hundredths:02}"), "paid_on": days_ago(1), "channel": "cash"});
        self.command(format!("{loan}/repayments"), body)
    }

    fn command(&self, path: String, body: Value) -> Command {
        Command { path, key: format!("command {}", self.next.fetch_add(1, Ordering::Relaxed)), body }
    }

    /// Sends the last commands again: each has the answer that was acknowledged then.
    pub(crate) async fn repeat(&self, written: &[Write]) {
        for Write { command, text, .. } in written.iter().rev().take(10) {
            let again = command.by(&self.agent).expect(201).await;
            assert_eq!((again.header("idempotency-replayed"), &again.text), ("true", text), "{again}");
        }
    }
}

async fn log_in(client: &Client, username: &Value, password: &Value) -> Session {
    let login = client.anyone().post("/api/auth/login").json(json!({"username": username, "password": password}));
    client.as_(&login.expect(200).await.text_of("access_token"))
}

/// A business date, by this machine's clock.
fn days_ago(days: i32) -> String {
    (Timestamp::now().to_zoned(TimeZone::UTC).date() - days.days()).to_string()
}

/// How what is in the database differs from what was acknowledged.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Differences {
    /// Acknowledged, and not there.
    pub(crate) lost: usize,
    /// There, and more than was acknowledged.
    pub(crate) doubled: usize,
}

/// Holds the database against all that was acknowledged since the run began: by the ids of what was made, and by the
/// keys. Nobody may be writing meanwhile.
pub(crate) async fn differences(database: &tokio_postgres::Client, written: &[Write]) -> Differences {
    let ids: BTreeSet<String> = written.iter().map(|write| write.id.to_string()).collect();
    assert_eq!(ids.len(), written.len(), "two commands made the same thing");
    let made = "SELECT id::text FROM transactions WHERE kind = 'repayment' UNION ALL SELECT id::text FROM loans";
    let made = compare(&ids, &rows(database, made).await);
    let keys = written.iter().map(|Write { command, .. }| format!("POST {} {}", command.path, command.key)).collect();
    let kept = "SELECT operation || ' ' || key FROM idempotency_keys WHERE key LIKE 'command %'";
    let kept = compare(&keys, &rows(database, kept).await);
    Differences { lost: made.lost + kept.lost, doubled: made.doubled + kept.doubled }
}

/// Missing rows, and unexpected ones beside them.
fn compare(acknowledged: &BTreeSet<String>, there: &BTreeSet<String>) -> Differences {
    Differences { lost: acknowledged.difference(there).count(), doubled: there.difference(acknowledged).count() }
}

/// Texts of which there can be only one each.
async fn rows(database: &tokio_postgres::Client, sql: &str) -> BTreeSet<String> {
    database.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// Every transaction has its entries, and each of them balances; nothing bears a time that the database has not seen
/// yet, whatever a function's clock says.
pub(crate) async fn books_are_right(database: &tokio_postgres::Client) {
    for (what, sql) in [
        (
            "transactions without an entry",
            "SELECT count(*) FROM transactions t WHERE NOT EXISTS (
                SELECT FROM journal_entries e WHERE e.transaction_id = t.id)",
        ),
        (
            "entries that do not balance",
            "SELECT count(*) FROM (
                SELECT FROM journal_lines GROUP BY entry_id HAVING sum(debit) <> sum(credit)) entries",
        ),
        (
            "entries without a line",
            "SELECT count(*) FROM journal_entries e WHERE NOT EXISTS (
                SELECT FROM journal_lines l WHERE l.entry_id = e.id)",
        ),
        (
            "times that are not yet",
            "SELECT (SELECT count(*) FROM transactions WHERE recorded_at > clock_timestamp())
                + (SELECT count(*) FROM loans WHERE created_at > clock_timestamp())
                + (SELECT count(*) FROM audit_log WHERE at > clock_timestamp())",
        ),
    ] {
        let count: i64 = database.query_one(sql, &[]).await.unwrap().get(0);
        assert_eq!(count, 0, "{what}");
    }
}

/// How long a client waits for an answer at most: longer than a function may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(16);
