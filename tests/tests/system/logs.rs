//! The system's log: a line of JSON for each request, with the events and nothing of the contents.

use std::{
    cell::RefCell,
    io::{self, Write},
    sync::Once,
};

use backend::telemetry::JsonLines;
use serde_json::{Value, json};
use tests::{Api, ApiOptions, PASSWORD};

use crate::world::World;

thread_local! {
    /// The log of this thread, which is the test's with all handlers, since it began to keep it.
    static KEPT: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Writes to what the thread keeps, if it does.
struct Keeper;

impl Write for Keeper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        KEPT.with_borrow_mut(|kept| kept.as_mut().map_or(Ok(bytes.len()), |kept| kept.write(bytes)))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Has this thread keep what it writes from now on. One subscriber for the whole process: where there are several, the
/// library may take an event that one thread does not listen to for one that nobody does.
fn keep() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let format = tracing_subscriber::fmt().event_format(JsonLines).with_max_level(tracing::Level::TRACE);
        tracing::subscriber::set_global_default(format.with_writer(|| Keeper).finish()).unwrap();
    });
    KEPT.set(Some(Vec::new()));
}

/// The lines written.
struct Log(String);

impl Log {
    /// The lines that this thread has kept.
    fn kept() -> Self {
        Self(String::from_utf8(KEPT.take().unwrap()).unwrap())
    }

    /// The lines of requests; every line is an object.
    fn requests(&self) -> Vec<Value> {
        let read = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.0.lines().map(read).filter(|line: &Value| line["message"] == "request").collect()
    }

    /// The sum of a metric over all requests.
    fn sum(&self, metric: &str) -> String {
        self.requests().iter().filter_map(|line| line[metric].as_f64()).sum::<f64>().to_string()
    }
}

#[tokio::test]
async fn no_line_has_anything_of_a_request_or_an_answer_that_is_somebodys() {
    let world = World::new().await;
    keep();
    let person = json!({"username": "asha.p", "password": "a secret of hers", "email": "asha@private.example",
        "phone": "+15550107777", "role": "customer", "full_name": "Asha Of The Test"});
    world.anyone().post("/api/auth/register").json(person).expect(201).await;
    let login = |password: &str| {
        world.anyone().post("/api/auth/login").json(json!({"username": "asha.p", "password": password}))
    };
    login("a wrong secret").expect(401).await;
    let token = login("a secret of hers").expect(200).await.text_of("access_token");
    let asha = world.as_(&token);
    let application = json!({"amount": "1234.56", "currency": "INR", "instalments": 6});
    let loan = asha.post("/api/loans").key("the-key-of-hers").json(application).expect(201).await.text_of("id");
    asha.get(&format!("/api/loans/{loan}")).expect(200).await;
    asha.get("/api/loans?status=a-query-of-hers").expect(422).await;
    asha.post("/api/loans").raw_json("{\"amount\": \"a body of hers").send().await;
    asha.get("/api/a-path-of-hers").expect(404).await;
    world.as_("a.token.of-nobody").get("/api/loans").expect(401).await;
    let body = json!({"current_password": PASSWORD, "new_password": "another secret of hers"});
    asha.put("/api/auth/password").json(body).send().await;
    world.database.break_connections().await.unwrap();
    asha.get("/api/auth/me").send().await;
    let log = Log::kept();

    let requests = log.requests();
    assert_eq!(requests.len(), 11);
    for line in &requests {
        for member in ["timestamp", "level", "request_id", "method", "operation"] {
            assert!(line[member].is_string(), "{member}: {line}");
        }
        for member in ["status", "milliseconds", "database_milliseconds"] {
            assert!(line[member].is_u64(), "{member}: {line}");
        }
        assert!(line["cold_start"].is_boolean(), "{line}");
    }
    assert_eq!(requests[2]["caller"], Value::Null);
    assert!(requests[3]["caller"].is_string());
    let text = &log.0;
    let (header, rest) = token.split_once('.').unwrap();
    for secret in [
        "secret",
        PASSWORD,
        "asha",
        "Asha",
        "private.example",
        "5550107777",
        "1234.56",
        "of-hers",
        "of hers",
        "of-nobody",
        header,
        rest,
        &loan,
        "pbkdf2",
    ] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
}

#[tokio::test]
async fn the_secret_of_the_network_in_front_is_in_no_line_and_no_answer() {
    let secret = "a-secret-of-the-network-in-front";
    let api = Api::with(ApiOptions { origin: Some(secret), ..ApiOptions::default() }).await;
    keep();
    let call = |brought: &str, viewer: &str| {
        let call = api.anyone().get("/api/auth/me").header("x-origin-secret", brought);
        call.header("cloudfront-viewer-address", viewer)
    };
    let mut answers = Vec::new();
    for (brought, viewer) in
        [(secret, "198.51.100.10:1"), (secret, "an-unreadable-address"), ("a-wrong-secret", "198.51.100.10:1")]
    {
        let reply = call(brought, viewer).send().await;
        answers.push(format!("{:?} {}", reply.headers, reply.text));
    }
    api.database.break_connections().await.unwrap();
    answers.push(call(secret, "198.51.100.10:1").send().await.text);
    let shown = format!("{:?} {}", api.app.origin, backend::http::origin::OriginSecret::fixed("short").unwrap_err());
    let log = Log::kept();
    assert_eq!(log.requests().len(), 4);
    for text in [&log.0, &answers.concat(), &shown] {
        for hidden in [secret, "a-wrong-secret", "an-unreadable-address", "198.51.100.10"] {
            assert!(!text.contains(hidden), "{hidden}: {text}");
        }
    }
}

/// Applications, approvals and money are counted when they are committed: not when they are refused, nor again when an
/// answer is given again.
#[tokio::test]
async fn what_the_lender_counts_is_counted_once() {
    let world = World::new().await;
    keep();
    let application =
        json!({"borrower_id": world.customer.username, "amount": "1200", "currency": "INR", "instalments": 6});
    let apply = || world.agent.post("/api/loans").key("once").json(application.clone());
    let path = format!("/api/loans/{}", apply().expect(201).await.text_of("id"));
    apply().expect(201).await;
    world.admin.post(&format!("{path}/approve")).if_match(2).expect(412).await;
    world.admin.post(&format!("{path}/approve")).if_match(1).expect(200).await;
    world
        .admin
        .post(&format!("{path}/disbursements"))
        .key("d")
        .json(json!({"disbursed_on": "2024-01-15"}))
        .expect(201)
        .await;
    let payment = |amount: &str| json!({"amount": amount, "paid_on": "2024-02-15"});
    let pay = |amount: &str, key: &str| world.agent.post(&format!("{path}/repayments")).key(key).json(payment(amount));
    pay("100.25", "a").expect(201).await;
    pay("100.25", "a").expect(201).await;
    pay("0", "b").expect(422).await;
    let id = path.strip_prefix("/api/loans/").unwrap();
    let item = |amount: &str, key: &str| -> Value {
        json!({"loan_id": id, "amount": amount, "paid_on": "2024-02-16", "idempotency_key": key})
    };
    let items = json!({"items": [item("10.5", "c"), item("0", "d"), item("20", "e")]});
    world.agent.post("/api/repayments/batch").json(items).expect(200).await;
    let log = Log::kept();

    assert_eq!([log.sum("applications"), log.sum("approvals")], ["1", "1"]);
    assert_eq!([log.sum("disbursed_INR"), log.sum("collected_INR")], ["1200", "130.75"]);
    for line in log.requests() {
        let declared = line["_aws"]["CloudWatchMetrics"][1]["Metrics"].as_array().unwrap();
        for metric in declared {
            assert!(line[metric["Name"].as_str().unwrap()].is_number(), "{metric}: {line}");
        }
    }
}
