//! The cost of requests on generated books of different sizes, over one warm connection: the cost of one loan, a page
//! or the whole book's figures must not grow with the book.
//!
//! `cargo bench -p tests --bench scale -- 10000 100000 1000000`; without sizes, 10,000 alone. Each book is loaded into
//! a database of its own, held against every consistency check, and removed.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "prints its results, times and ratios; a benchmark that panics has failed"
)]

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, StatusCode},
};
use backend::{
    app::App,
    config::{self, Authorities, DatabaseConfig},
    db::Db,
    domain::users::Role,
    http::layers,
    secrets::SecretSource,
};
use http_body_util::BodyExt;
use jiff::Timestamp;
use local::book::{self, Plan};
use serde_json::{Value, json};
use tests::{Api, ApiOptions, Session, without_tls};
use tower::ServiceExt;
use uuid::Uuid;

/// How often each request is sent.
const TIMES: usize = 101;
/// Loans on a page of the list that is walked through.
const PAGE: usize = 3;
/// The page that is looked at, besides the first.
const FAR: usize = 1000;

/// A book and who asks about it.
struct Lender {
    api: Api,
    routes: Router,
    admin: Session,
    agent: (Uuid, Session),
    /// Loans that are being paid back.
    loans: Vec<Uuid>,
    customers: Vec<Uuid>,
}

impl Lender {
    async fn new(loans: u32) -> Self {
        let api = Api::with(ApiOptions::default()).await;
        let start = Instant::now();
        let today = api.app.date_of(Timestamp::now());
        let loaded =
            book::load(&api.owner, Plan { loans, seed: 1 }, today, &api.app.zone, |_| {}).await.unwrap().unwrap();
        let load = start.elapsed();
        api.owner.batch_execute("VACUUM (ANALYZE)").await.unwrap();
        let start = Instant::now();
        let report = stats::run(&api.app.db, &api.app.zone).await.unwrap();
        println!(
            "\n{loans} loans: {loaded:?} in {load:.0?}; figures of {} days in {:.0?}",
            report.days,
            start.elapsed()
        );
        let start = Instant::now();
        assert_eq!(stats::check(&api.app.db, &api.app.zone).await.unwrap(), []);
        println!("every check passed in {:.0?}", start.elapsed());
        // As after the scheduled function has run for a while.
        api.owner.batch_execute("VACUUM (ANALYZE)").await.unwrap();
        sizes(&api, loans).await;

        let ids = async |sql: &str| {
            api.owner.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect::<Vec<Uuid>>()
        };
        let admin = ids("SELECT id FROM users WHERE role = 'admin' AND status = 'active' LIMIT 1").await[0];
        // Who has the most to collect.
        let agent = ids("SELECT agent_id FROM loans WHERE status = 'disbursed' AND agent_id IS NOT NULL
            GROUP BY agent_id ORDER BY count(*) DESC LIMIT 1")
        .await[0];
        let sample = |of: &str| format!("SELECT id FROM {of} ORDER BY md5(id::text) LIMIT {TIMES}");
        let loans = ids(&sample("loans WHERE status = 'disbursed' AND currency = 'INR'")).await;
        let customers = ids(&sample("users WHERE role = 'customer' AND status = 'active'")).await;
        let (admin, agent) = (api.session(admin, Role::Admin).await, (agent, api.session(agent, Role::Agent).await));
        // One connection, as a function has.
        let statements = config::statements().unwrap();
        let url = without_tls(&api.database.application_url("microloans_app").await.unwrap());
        let config = DatabaseConfig {
            source: SecretSource::fixed(url.into()),
            authorities: Authorities::default(),
            host: None,
            pool_size: 1,
            statements,
        };
        let app = App { db: Db::from_config(config).unwrap(), ..api.app.clone() };
        let routes = layers::serve(local::api::router(), app);
        Self { api, routes, admin, agent, loans, customers }
    }

    async fn send(&self, request: Request<Body>) -> (Duration, Bytes) {
        let start = Instant::now();
        let reply = self.routes.clone().oneshot(request).await.unwrap();
        let status = reply.status();
        let body = reply.into_body().collect().await.unwrap().to_bytes();
        let time = start.elapsed();
        assert!(matches!(status, StatusCode::OK | StatusCode::CREATED), "{status}: {body:?}");
        (time, body)
    }

    async fn get(&self, session: &Session, path: &str) -> (Duration, Bytes) {
        let request = Request::get(path).header("authorization", format!("Bearer {}", session.token()));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn post(&self, session: &Session, path: &str, body: &Value) -> Duration {
        let request = Request::post(path)
            .header("authorization", format!("Bearer {}", session.token()))
            .header("idempotency-key", Uuid::now_v7().to_string())
            .header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await.0
    }

    /// The median of a request that is sent again and again, after a few that do not count.
    async fn often(&self, session: &Session, path: impl Fn(usize) -> String) -> Duration {
        let mut times = Vec::with_capacity(TIMES);
        for round in 0..TIMES + 5 {
            let (time, _) = self.get(session, &path(round % TIMES)).await;
            if round >= 5 {
                times.push(time);
            }
        }
        median(times)
    }

    /// The time of each kind of request.
    async fn measure(&self) -> Vec<(&'static str, Duration)> {
        let loan = |round: usize| self.loans[round % self.loans.len()];
        let list = format!("/api/loans?status=repaid&sort=-created_at&limit={PAGE}");
        let far = self.far(&list).await;
        let (agent, agents_session) = &self.agent;
        let mut times = vec![
            ("loan by id", self.often(&self.admin, |round| format!("/api/loans/{}", loan(round))).await),
            (
                "its transactions",
                self.often(&self.admin, |round| format!("/api/loans/{}/transactions", loan(round))).await,
            ),
            ("first page of a filtered list", self.often(&self.admin, |_| list.clone()).await),
            ("page 1000 of it", self.often(&self.admin, |_| far.clone()).await),
            ("search, a word of everybody", self.often(&self.admin, |_| "/api/customers?q=book".into()).await),
            ("search, a word of nobody", self.often(&self.admin, |_| "/api/customers?q=nobody".into()).await),
            ("statistics", self.often(&self.admin, |_| "/api/stats".into()).await),
            ("statistics as of a year ago", {
                let then = self.api.app.today().checked_sub(jiff::Span::new().years(1)).unwrap();
                self.often(&self.admin, |_| format!("/api/stats?as_of={then}")).await
            }),
            ("history, 50 days", self.often(&self.admin, |_| "/api/stats/history".into()).await),
            ("arrears by currency", self.often(&self.admin, |_| "/api/portfolio/arrears".into()).await),
            ("arrears by product", self.often(&self.admin, |_| "/api/portfolio/arrears?group_by=product".into()).await),
            ("arrears by agent", self.often(&self.admin, |_| "/api/portfolio/arrears?group_by=agent".into()).await),
            ("collections of one agent", self.often(agents_session, |_| "/api/collections".into()).await),
            ("collections of all", self.often(&self.admin, |_| "/api/collections".into()).await),
            ("performance of one agent", self.often(&self.admin, |_| format!("/api/agents/{agent}/performance")).await),
            ("trial balance", self.often(&self.admin, |_| "/api/ledger/trial-balance".into()).await),
        ];
        let (mut creations, mut repayments) = (Vec::new(), Vec::new());
        for round in 0..TIMES {
            let customer = self.customers[round % self.customers.len()];
            let application = json!({"borrower_id": customer, "amount": "12000", "currency": "INR", "term_months": 12});
            creations.push(self.post(agents_session, "/api/loans", &application).await);
            let payment = json!({"amount": "1.25", "paid_on": self.api.app.today()});
            repayments.push(self.post(&self.admin, &format!("/api/loans/{}/repayments", loan(round)), &payment).await);
        }
        times.extend([("create", median(creations)), ("repayment", median(repayments))]);
        times
    }

    /// The path of the thousandth page of a list.
    async fn far(&self, list: &str) -> String {
        let mut path = list.to_owned();
        for _ in 1..FAR {
            let (_, page) = self.get(&self.admin, &path).await;
            let page: Value = serde_json::from_slice(&page).unwrap();
            let cursor = page["next_cursor"].as_str().expect("the book has a thousand pages");
            path = format!("{list}&cursor={cursor}");
        }
        path
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// The sizes of tables and their indexes, the largest first.
async fn sizes(api: &Api, loans: u32) {
    let sql = "SELECT relname::text, n_live_tup, pg_table_size(relid), pg_indexes_size(relid) FROM pg_stat_user_tables
        ORDER BY pg_total_relation_size(relid) DESC LIMIT 12";
    let loans = f64::from(loans);
    println!("{:<22}{:>12}{:>14}{:>14}{:>12}{:>12}", "table", "rows", "bytes", "indexes", "a loan", "indexes");
    for row in api.owner.query(sql, &[]).await.unwrap() {
        let (name, rows, table, indexes): (String, i64, i64, i64) = (row.get(0), row.get(1), row.get(2), row.get(3));
        let each = |bytes: i64| bytes as f64 / loans;
        println!("{name:<22}{rows:>12}{table:>14}{indexes:>14}{:>12.0}{:>12.0}", each(table), each(indexes));
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let sizes: Vec<u32> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![10_000] } else { sizes };
    let mut table: BTreeMap<usize, (&str, Vec<Duration>)> = BTreeMap::new();
    for loans in &sizes {
        let lender = Lender::new(*loans).await;
        for (place, (name, time)) in lender.measure().await.into_iter().enumerate() {
            println!("{name:<32}{time:>12.2?}");
            table.entry(place).or_insert((name, Vec::new())).1.push(time);
        }
    }
    print!("\n{:<32}", format!("median of {TIMES}"));
    for loans in &sizes {
        print!("{loans:>12}");
    }
    println!("{:>8}", "ratio");
    for (name, times) in table.into_values() {
        print!("{name:<32}");
        for time in &times {
            print!("{time:>12.2?}");
        }
        println!("{:>8.2}", times[times.len() - 1].as_secs_f64() / times[0].as_secs_f64());
    }
}
