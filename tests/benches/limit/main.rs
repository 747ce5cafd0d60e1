//! The cost of requests beside a lower limit: their statements alone, prepared, in the same round trips.
//!
//! `cargo bench -p tests --bench limit`: this program serves a generated book of 1,000 loans on its own Postgres, and
//! is asked by eight connections. Then the statements that a request sends are sent by eight connections that do
//! nothing else. Prints for each request how many a second there were, what program and Postgres took of the processor
//! for one, and which share of the limit that is. `NAME=PATH` adds another program that serves as `cargo dev` does,
//! such as one of an earlier commit; `loans=N` and `rounds=N` are other sizes. Programs and limit take turns in each
//! round.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "prints its results, times and ratios; a benchmark that panics has failed"
)]

mod load;
mod processes;
mod program;
mod replay;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use backend::{config::Statements, domain::users::Role};
use jiff::Timestamp;
use local::book::{self, Plan};
use program::{Program, SERVE};
use replay::Replay;
use serde_json::json;
use tests::{Api, ApiOptions, RoundTrip, without_tls};
use tokio_postgres::Client;
use uuid::Uuid;

/// A kind of request.
struct Kind {
    name: &'static str,
    /// How many in a round.
    count: usize,
    /// Its answer's status.
    status: u16,
    request: fn(&Subjects, usize) -> Request,
}

struct Request {
    method: &'static str,
    path: String,
    body: String,
    by: Role,
}

const KINDS: [Kind; 7] = [
    Kind {
        name: "loan by id",
        count: 8000,
        status: 200,
        request: |book, n| get(format!("/api/loans/{}", book.loan(n))),
    },
    Kind { name: "page of 50 loans", count: 1600, status: 200, request: |_, _| get("/api/loans?limit=50".into()) },
    Kind { name: "page of 200 loans", count: 600, status: 200, request: |_, _| get("/api/loans?limit=200".into()) },
    Kind { name: "statistics", count: 2000, status: 200, request: |_, _| get("/api/stats".into()) },
    Kind { name: "create", count: 1600, status: 201, request: create },
    Kind { name: "repayment", count: 1200, status: 201, request: repay },
    Kind { name: "statistics, behind them", count: 2000, status: 200, request: |_, _| get("/api/stats".into()) },
];

fn get(path: String) -> Request {
    Request { method: "GET", path, body: String::new(), by: Role::Admin }
}

fn create(book: &Subjects, number: usize) -> Request {
    let customer = book.customers[number % book.customers.len()];
    let body = json!({"borrower_id": customer, "amount": "12000", "currency": "INR", "term_months": 12}).to_string();
    Request { method: "POST", path: "/api/loans".into(), body, by: Role::Agent }
}

fn repay(book: &Subjects, number: usize) -> Request {
    let body = json!({"amount": "1.25", "paid_on": book.today}).to_string();
    Request { method: "POST", path: format!("/api/loans/{}/repayments", book.loan(number)), body, by: Role::Admin }
}

/// Who asks, and about what: the same in every database with this book.
struct Subjects {
    admin: Uuid,
    agent: Uuid,
    /// Loans that are being paid back.
    loans: Vec<Uuid>,
    customers: Vec<Uuid>,
    today: String,
}

impl Subjects {
    async fn of(owner: &Client, today: String) -> Self {
        let ids = async |sql: &str| owner.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
        let who = |role: &str| format!("SELECT id FROM users WHERE role = '{role}' AND status = 'active' ORDER BY id");
        let loans = "SELECT id FROM loans WHERE status = 'disbursed' AND currency = 'INR' ORDER BY md5(id::text)";
        let (admins, agents): (Vec<Uuid>, Vec<Uuid>) = (ids(&who("admin")).await, ids(&who("agent")).await);
        let customers = ids(&who("customer")).await;
        Self { admin: admins[0], agent: agents[0], loans: ids(loans).await, customers, today }
    }

    fn loan(&self, number: usize) -> Uuid {
        self.loans[number % self.loans.len()]
    }
}

/// The cost of a number of requests.
#[derive(Clone, Copy, Default)]
struct Taken {
    count: usize,
    time: Duration,
    program: Duration,
    postgres: Duration,
}

impl Taken {
    fn a_second(self) -> f64 {
        self.count as f64 / self.time.as_secs_f64()
    }

    /// Microseconds of one request.
    fn each(self, all: Duration) -> f64 {
        all.as_secs_f64() * 1e6 / self.count as f64
    }

    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.time += other.time;
        self.program += other.program;
        self.postgres += other.postgres;
    }
}

/// Does something `count` times, and measures its cost.
fn measure(count: usize, program: Option<u32>, postgres: u32, work: impl FnOnce() -> Duration) -> Taken {
    let taken = || (program.and_then(processes::of), processes::of_family(postgres));
    let before = taken();
    let time = work();
    let after = taken();
    let since = |after: Option<Duration>, before: Option<Duration>| {
        after.zip(before).map_or(Duration::ZERO, |(after, before)| after.saturating_sub(before))
    };
    Taken { count, time, program: since(after.0, before.0), postgres: since(after.1, before.1) }
}

/// A program with who asks it.
struct Served {
    program: Program,
    subjects: Subjects,
    admin: String,
    agent: String,
}

impl Served {
    async fn new(name: &str, path: Option<&PathBuf>, loans: u32, today: &str) -> Self {
        let program = Program::start(name, path.map(PathBuf::as_path), loans).await;
        let subjects = Subjects::of(&program.owner, today.to_owned()).await;
        let (admin, agent) = (program.log_in(subjects.admin).await, program.log_in(subjects.agent).await);
        Self { program, subjects, admin, agent }
    }

    fn round(&self, kind: &Kind, postgres: u32) -> Taken {
        measure(kind.count, Some(self.program.process()), postgres, || {
            load::load(self.program.address, kind.status, kind.count, |number| {
                let Request { method, path, body, by } = (kind.request)(&self.subjects, number);
                let caller = if by == Role::Agent { &self.agent } else { &self.admin };
                let headers = match body.as_str() {
                    "" => caller.clone(),
                    _ => format!("{caller}idempotency-key: {}\r\ncontent-type: application/json\r\n", Uuid::now_v7()),
                };
                load::request(method, &path, &headers, &body)
            })
        })
    }
}

/// The same book in this process, whose requests are recorded.
struct Recorder {
    api: Api,
    subjects: Subjects,
}

impl Recorder {
    async fn new(loans: u32) -> Self {
        let api = Api::with(ApiOptions::default()).await;
        let today = api.app.date_of(Timestamp::now());
        book::load(&api.owner, Plan { loans, seed: 1 }, today, &api.app.zone, |_| {}).await.unwrap().unwrap();
        stats::run(&api.app.db, &api.app.zone).await.unwrap();
        api.owner.batch_execute("VACUUM (ANALYZE)").await.unwrap();
        let subjects = Subjects::of(&api.owner, today.to_string()).await;
        Self { api, subjects }
    }

    /// The statements of as many requests as there are connections, prepared on one each.
    async fn replays(&self, kind: &Kind) -> Vec<Replay> {
        // As the owner, from whom a step may come later than it says: it is sent again and again.
        let url = without_tls(self.api.database.owner_url());
        let mut replays = Vec::new();
        for number in 0..load::CONNECTIONS {
            replays.push(Replay::prepare(&url, &self.record(kind, number).await).await);
        }
        replays
    }

    async fn record(&self, kind: &Kind, number: usize) -> Vec<RoundTrip> {
        let Request { method, path, body, by } = (kind.request)(&self.subjects, number);
        let user = if by == Role::Agent { self.subjects.agent } else { self.subjects.admin };
        let token = self.api.session(user, by).await;
        let (client, wire) = self.api.by_wire_with(Statements::Unnamed).await;
        let session = client.as_(token.token());
        session.get("/api/auth/me").expect(200).await;
        wire.record_uncommitted();
        let call = session.call(method.parse().unwrap(), &path);
        let call = if body.is_empty() { call } else { call.key(&Uuid::now_v7().to_string()).raw_json(&body) };
        // A command's commit does not arrive.
        call.expect(if kind.status == 201 { 503 } else { kind.status }).await;
        wire.recorded()
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == SERVE) {
        return local::run(arguments.into_iter().skip(1).map(Into::into));
    }
    let (mut loans, mut rounds, mut others) = (1_000, 3, Vec::new());
    for argument in &arguments {
        match argument.split_once('=') {
            Some(("loans", count)) => loans = count.parse().expect("loans=N"),
            Some(("rounds", count)) => rounds = count.parse().expect("rounds=N"),
            Some((name, path)) => others.push((name, PathBuf::from(path))),
            // What cargo adds.
            None => {}
        }
    }
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(compare(loans, rounds, &others));
    ExitCode::SUCCESS
}

async fn compare(loans: u32, rounds: usize, others: &[(&str, PathBuf)]) {
    let recorder = Recorder::new(loans).await;
    let postgres: i32 = recorder.api.owner.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    let postgres = processes::parent(postgres.cast_unsigned()).unwrap_or_default();
    let today = recorder.subjects.today.clone();
    let mut programs = Vec::new();
    for (name, path) in others {
        programs.push(Served::new(name, Some(path), loans, &today).await);
    }
    programs.push(Served::new("this", None, loans, &today).await);
    println!(
        "a book of {loans} loans, {} connections, {rounds} rounds; processor in microseconds a request",
        load::CONNECTIONS
    );
    println!(
        "{:<26}{:<10}{:>12}{:>10}{:>10}{:>14}{:>10}{:>8}{:>12}",
        "request", "program", "requests/s", "program", "Postgres", "limit, req/s", "Postgres", "share", "Postgres x"
    );
    for kind in &KINDS {
        let mut replays = recorder.replays(kind).await;
        let mut limit = Taken::default();
        let mut taken = vec![Taken::default(); programs.len()];
        for _ in 0..rounds {
            for (program, taken) in programs.iter().zip(&mut taken) {
                taken.add(program.round(kind, postgres));
            }
            limit.add(measure(kind.count * 2, None, postgres, || replay::run(&mut replays, kind.count * 2)));
        }
        for (served, taken) in programs.iter().zip(&taken) {
            println!(
                "{:<26}{:<10}{:>12.0}{:>10.0}{:>10.0}{:>14.0}{:>10.0}{:>8.2}{:>12.2}",
                kind.name,
                served.program.name,
                taken.a_second(),
                taken.each(taken.program),
                taken.each(taken.postgres),
                limit.a_second(),
                limit.each(limit.postgres),
                taken.a_second() / limit.a_second(),
                taken.each(taken.postgres) / limit.each(limit.postgres),
            );
        }
    }
}
