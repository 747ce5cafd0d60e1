//! A loan with 700 transactions beside one with 7: reading it, taking a payment, taking one of a month ago back, and
//! one from its middle. Prints the medians of calls that take turns. `cargo bench -p tests --bench servicing`.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::float_arithmetic,
    reason = "prints its results, times and ratios; a benchmark that panics has failed"
)]

use std::time::{Duration, Instant};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, StatusCode},
};
use backend::http::layers;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tests::{Api, User};
use tower::ServiceExt;
use uuid::Uuid;

const LONG: usize = 700;
const SHORT: usize = 7;
const READS: usize = 300;
const WRITES: usize = 20;

/// The routes themselves: the tests' client holds every answer against the document, which takes longer than the rest.
struct Lender {
    routes: Router,
    admin: User,
    agent: User,
}

impl Lender {
    async fn send(&self, request: Request<Body>, expected: StatusCode) -> (Duration, Bytes) {
        let start = Instant::now();
        let reply = self.routes.clone().oneshot(request).await.unwrap();
        assert_eq!(reply.status(), expected);
        let body = reply.into_body().collect().await.unwrap().to_bytes();
        (start.elapsed(), body)
    }

    async fn get(&self, path: &str) -> Duration {
        let request = Request::get(path).header("authorization", format!("Bearer {}", self.agent.token()));
        self.send(request.body(Body::empty()).unwrap(), StatusCode::OK).await.0
    }

    async fn post(&self, user: &User, path: &str, body: &Value) -> (Duration, Value) {
        let request = Request::post(path)
            .header("authorization", format!("Bearer {}", user.token()))
            .header("idempotency-key", Uuid::now_v7().to_string())
            .header("content-type", "application/json");
        let (time, body) = self.send(request.body(Body::from(body.to_string())).unwrap(), StatusCode::CREATED).await;
        (time, serde_json::from_slice(&body).unwrap())
    }

    /// A loan of 60 instalments with interest and late fees, paid out, with so many transactions; its path and theirs.
    async fn loan(&self, transactions: usize) -> (String, Vec<String>) {
        let application =
            json!({"borrower_id": "the.customer", "product": "bench", "amount": "100000.00", "currency": "INR"});
        let (_, loan) = self.post(&self.agent, "/api/loans", &application).await;
        let path = format!("/api/loans/{}", loan["id"].as_str().unwrap());
        let approve = Request::post(format!("{path}/approve"))
            .header("authorization", format!("Bearer {}", self.admin.token()))
            .header("if-match", "\"1\"");
        self.send(approve.body(Body::empty()).unwrap(), StatusCode::OK).await;
        self.post(&self.admin, &format!("{path}/disbursements"), &json!({"disbursed_on": "2021-01-15"})).await;
        let mut payments = Vec::new();
        let days = jiff::civil::date(2021, 1, 16).series(jiff::Span::new().days(2));
        for day in days.take(transactions - 1) {
            let (_, payment) = self
                .post(&self.agent, &format!("{path}/repayments"), &json!({"amount": "99.99", "paid_on": day}))
                .await;
            payments.push(format!("{path}/transactions/{}", payment["id"].as_str().unwrap()));
        }
        (path, payments)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let api = Api::new().await;
    let (admin, agent) = (api.admin("the.admin").await, api.agent("the.agent").await);
    api.customer("the.customer").await;
    let late_fee = json!({"grace_days": 5, "kind": "flat", "value": "10.00", "max_times": 3});
    let terms = json!({"interest_rate_apr": "24", "instalments": 60, "late_fee": late_fee});
    let product = json!({"code": "bench", "name": "bench", "currency": "INR", "min_amount": "1",
        "max_amount": "1000000",
        "min_instalments": 1, "max_instalments": 600, "min_rate_apr": "0", "max_rate_apr": "1000", "terms": terms});
    admin.post("/api/products").json(product).expect(201).await;
    let routes = layers::serve(local::api::router(), api.app.clone());
    let lender = Lender { routes, admin, agent };
    let ((long, payments), (short, _)) = (lender.loan(LONG).await, lender.loan(SHORT).await);
    api.owner.batch_execute("VACUUM ANALYZE").await.unwrap();

    for part in ["", "?as_of=2022-01-01", "/schedule", "/settlement", "/transactions", "/ledger"] {
        let (mut of_long, mut of_short) = (Vec::new(), Vec::new());
        for _ in 0..READS {
            of_long.push(lender.get(&format!("{long}{part}")).await);
            of_short.push(lender.get(&format!("{short}{part}")).await);
        }
        let (of_long, of_short) = (median(of_long), median(of_short));
        let ratio = of_long.as_secs_f64() / of_short.as_secs_f64();
        println!(
            "GET /api/loans/{{id}}{part}: {LONG} transactions {of_long:?}, {SHORT} {of_short:?}, ratio {ratio:.2}"
        );
    }
    let (mut repayments, mut of_late, mut of_middle) = (Vec::new(), Vec::new(), Vec::new());
    // A reversal changes how all later payments were allocated, and makes an entry for each day on which that shows.
    // There is a payment every other day.
    let targets = payments.iter().rev().skip(15).zip(payments.iter().skip(LONG / 2));
    for (late, middle) in targets.take(WRITES) {
        let body = json!({"amount": "99.99", "paid_on": "2024-12-31"});
        repayments.push(lender.post(&lender.agent, &format!("{long}/repayments"), &body).await.0);
        for (payment, times) in [(late, &mut of_late), (middle, &mut of_middle)] {
            let body = json!({"reason": "bounced"});
            times.push(lender.post(&lender.admin, &format!("{payment}/reversal"), &body).await.0);
        }
    }
    let (repayment, of_late, of_middle) = (median(repayments), median(of_late), median(of_middle));
    println!(
        "with {LONG} to {} transactions: a repayment {repayment:?}, a reversal of one a month before the last \
        {of_late:?}, of one in the middle {of_middle:?}",
        LONG + 3 * WRITES
    );
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
