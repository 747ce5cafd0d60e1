//! `GET /api/loans/{id}` beside the same SQL alone: what everything around the statement costs. Prints the medians of
//! calls that take turns, so that a noisy machine disturbs both alike. `cargo bench -p tests`.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::float_arithmetic,
    reason = "prints its result, a ratio; a benchmark that panics has failed"
)]

use std::time::{Duration, Instant};

use axum::{body::Body, http::Request};
use backend::{auth::callers, http::layers, store::loans};
use http_body_util::BodyExt;
use serde_json::json;
use tests::Api;
use tokio_postgres::types::Type;
use tower::ServiceExt;
use uuid::Uuid;

const ROUNDS: usize = 2000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let api = Api::new().await;
    let (customer, agent) = (api.customer("borrower").await, api.agent("agent").await);
    let application = json!({"borrower_id": customer.id, "amount": "12000.50", "currency": "INR", "term_months": 6});
    let loan = agent.post("/api/loans").json(application).expect(201).await.text_of("id");
    let path = format!("/api/loans/{loan}");
    let loan: Uuid = loan.parse().unwrap();

    // The routes themselves: the tests' client holds every answer against the document, which takes longer than the
    // rest.
    let routes = layers::serve(local::api::router(), api.app.clone());
    let whole = async || {
        let request = Request::get(&path).header("authorization", format!("Bearer {}", agent.token()));
        let reply = routes.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(reply.status(), 200);
        reply.into_body().collect().await.unwrap().to_bytes()
    };

    // The session's statement and the loan's, pipelined, as the handler sends them.
    let client = api.application().await;
    let (session, user) = (Uuid::now_v7(), agent.id);
    let start = "INSERT INTO sessions (id, user_id, expires_at) VALUES ($1, $2, now() + interval '1 hour')";
    api.owner.execute(start, &[&session, &user]).await.unwrap();
    let by_id = format!("{} WHERE l.id = $1", loans::SELECT);
    let alone = async || {
        let who: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
            [(&session, Type::UUID), (&user, Type::UUID)];
        let which: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 1] = [(&loan, Type::UUID)];
        let both = tokio::try_join!(client.query_typed(callers::SESSION, &who), client.query_typed(&by_id, &which));
        let (session, loan) = both.unwrap();
        assert_eq!((session.len(), loan.len()), (1, 1));
    };

    let (mut requests, mut statements) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS + ROUNDS / 10 {
        let start = Instant::now();
        whole().await;
        let request = start.elapsed();
        let start = Instant::now();
        alone().await;
        let statement = start.elapsed();
        // The first tenth warms up.
        if round >= ROUNDS / 10 {
            requests.push(request);
            statements.push(statement);
        }
    }
    let (whole, sql) = (median(requests), median(statements));
    println!("GET /api/loans/{{id}}: median {whole:?} in {ROUNDS} calls, the same SQL alone {sql:?}");
    println!("ratio {:.2}", whole.as_secs_f64() / sql.as_secs_f64());
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
