//! Refused logins of three kinds: of an existing user, of one that may not log in, and of an unknown one. Shows if
//! their times differ. Calls take turns in another order each round; prints medians and quartiles, and how often the
//! shorter of two answers is the unknown user's: half of the time if the time reveals nothing.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "prints its results, times and shares; a benchmark that panics has failed"
)]

use std::time::{Duration, Instant};

use axum::{body::Body, http::Request};
use backend::http::layers;
use http_body_util::BodyExt;
use serde_json::json;
use tests::Api;
use tower::ServiceExt;

const ROUNDS: usize = 100;
const NAMES: [&str; 3] = ["the.customer", "the.suspended", "nobody"];

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let api = Api::new().await;
    let admin = api.admin("the.admin").await;
    api.customer("the.customer").await;
    let suspended = api.customer("the.suspended").await;
    admin.post(&format!("/api/users/{}/suspend", suspended.id)).expect(200).await;

    let routes = layers::serve(local::api::router(), api.app.clone());
    let login = async |name: &str| {
        let body = json!({"username": name, "password": "staple of the battery"}).to_string();
        let request = Request::post("/api/auth/login").header("content-type", "application/json");
        let start = Instant::now();
        let reply = routes.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        assert_eq!(reply.status(), 401);
        reply.into_body().collect().await.unwrap();
        start.elapsed()
    };
    let mut times = [const { Vec::new() }; NAMES.len()];
    for round in 0..ROUNDS + 5 {
        for turn in 0..NAMES.len() {
            let who = (round + turn) % NAMES.len();
            let time = login(NAMES[who]).await;
            if round >= 5 {
                times[who].push(time);
            }
        }
    }
    for (name, times) in NAMES.iter().zip(&times) {
        let [low, median, high] = quartiles(times);
        println!("{name:<16} median {median:>10.3?}, quartiles {low:.3?} and {high:.3?}");
    }
    let [known, _, unknown] = &times;
    let pairs = known.iter().flat_map(|known| unknown.iter().map(move |unknown| unknown < known));
    let shorter = pairs.filter(|is_shorter| *is_shorter).count() as f64 / (known.len() * unknown.len()) as f64;
    println!("of two answers, the unknown user's is the shorter one {:.1} % of the time", 100.0 * shorter);
}

fn quartiles(times: &[Duration]) -> [Duration; 3] {
    let mut times = times.to_vec();
    times.sort_unstable();
    [1, 2, 3].map(|quarter| times[times.len() * quarter / 4])
}
