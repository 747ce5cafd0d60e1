//! The migrate function in a deployment: CloudFormation gets its result at the address that it names; and an old
//! program accepts a newer schema.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::put};
use jiff::tz::TimeZone;
use lambda_runtime::{Context, LambdaEvent};
use migrate::{Event, FirstAdmin, Migrator, Report, Restated, invoke};
use serde_json::{Value, json};
use tests::{Api, PASSWORD, without_tls};
use tokio::net::TcpListener;

use backend::{config::Authorities, db::Connector, secrets::SecretSource};

/// The reports to CloudFormation, and how often it refuses before it listens.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<(Vec<Value>, u32)>>);

/// CloudFormation's end: an address that takes one answer after so many refusals.
async fn cloudformation(refusals: u32) -> (Told, String) {
    let told = Told(Arc::new(Mutex::new((Vec::new(), refusals))));
    let answer = async |State(told): State<Told>, body: Bytes| {
        let mut told = told.0.lock().unwrap();
        if told.1 > 0 {
            told.1 -= 1;
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        told.0.push(serde_json::from_slice(&body).unwrap());
        StatusCode::OK
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/answer?signature=abc", listener.local_addr().unwrap());
    let router = Router::new().route("/answer", put(answer)).with_state(told.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (told, url)
}

fn change(request: &str, url: &str, known_as: Option<&str>) -> Value {
    json!({
        "RequestType": request,
        "ServiceToken": "arn:aws:lambda:eu-west-1:123456789012:function:migrate",
        "ResponseURL": url,
        "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/microloans/1",
        "RequestId": "5b0c",
        "LogicalResourceId": "Migration",
        "PhysicalResourceId": known_as,
        "ResourceType": "Custom::Migration",
        "ResourceProperties": {"ServiceToken": "arn", "Version": "7", "After": ["a", ""]},
    })
}

/// Invokes the function with so many seconds left.
async fn invoked(migrator: &Migrator, event: Value, seconds: u64) -> Result<Option<Report>, String> {
    let mut context = Context::default();
    "request-1".clone_into(&mut context.request_id);
    let deadline = SystemTime::now() + Duration::from_secs(seconds);
    context.deadline = u64::try_from(deadline.duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let event = LambdaEvent::new(serde_json::from_value(event).unwrap(), context);
    invoke(migrator, event).await.map_err(|error| error.to_string())
}

fn migrator(url: &str) -> Migrator {
    let owner = Connector::new(SecretSource::fixed(url.into()), Authorities::default());
    Migrator { owner, application: None, admin: None, demo_is_allowed: false, zone: TimeZone::UTC }
}

const NOWHERE: &str = "postgres://nobody:very-secret@127.0.0.1:9/nowhere?sslmode=disable";

#[tokio::test]
async fn a_deployment_goes_on_once_the_database_is_migrated() {
    let api = Api::new().await;
    let migrator = migrator(&without_tls(api.database.owner_url()));
    let (told, url) = cloudformation(1).await;
    assert_eq!(invoked(&migrator, change("Create", &url, None), 900).await.unwrap(), None);
    assert_eq!(invoked(&migrator, change("Update", &url, Some("known")), 900).await.unwrap(), None);
    let told = told.0.lock().unwrap().0.clone();
    let expected = |name| {
        json!({"Status": "SUCCESS", "Reason": "", "PhysicalResourceId": name, "RequestId": "5b0c",
            "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/microloans/1",
                "LogicalResourceId": "Migration"})
    };
    // The first was refused once and sent again; the name stays, or the resource would be taken for a new one.
    assert_eq!(told, [expected("schema"), expected("known")]);
}

#[tokio::test]
async fn a_deployment_stops_where_the_database_cannot_be_migrated() {
    let (told, url) = cloudformation(0).await;
    // The invocation itself succeeds: Lambda would repeat one that fails, and the answer has been given.
    assert_eq!(invoked(&migrator(NOWHERE), change("Update", &url, Some("schema")), 900).await.unwrap(), None);
    // A database that does not answer, and no time left but for the report.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("postgres://nobody:very-secret@{}/x?sslmode=disable", silent.local_addr().unwrap());
    assert_eq!(invoked(&migrator(&address), change("Update", &url, Some("schema")), 30).await.unwrap(), None);
    let told = told.0.lock().unwrap().0.clone();
    let reasons: Vec<_> = told.iter().map(|told| told["Reason"].as_str().unwrap()).collect();
    assert!(told.iter().all(|told| told["Status"] == "FAILED"), "{told:?}");
    assert!(
        reasons[0].contains("connecting to the database failed") && reasons[0].contains("request-1"),
        "{reasons:?}"
    );
    assert!(reasons[1].contains("there was not enough time"), "{reasons:?}");
    assert!(!told.iter().any(|told| told.to_string().contains("very-secret")));
}

#[tokio::test]
async fn a_stack_is_removed_without_touching_the_database() {
    let (told, url) = cloudformation(0).await;
    assert_eq!(invoked(&migrator(NOWHERE), change("Delete", &url, Some("schema")), 900).await.unwrap(), None);
    assert_eq!(told.0.lock().unwrap().0[0]["Status"], "SUCCESS");
}

#[tokio::test]
async fn what_cloudformation_cannot_be_told_is_an_error_that_hides_the_address() {
    let error =
        invoked(&migrator(NOWHERE), change("Delete", "http://127.0.0.1:9/answer?signature=abc", None), 900).await;
    let error = error.unwrap_err();
    assert!(error.contains("could not be told") && !error.contains("abc"), "{error}");
}

#[tokio::test]
async fn by_hand_the_function_answers_with_its_report_or_fails() {
    let api = Api::new().await;
    let report = invoked(&migrator(&without_tls(api.database.owner_url())), json!({}), 900).await.unwrap();
    let restated = Restated { finished: true, ..Restated::default() };
    assert_eq!(report, Some(Report { migrations: Vec::new(), admin_created: false, demo_loaded: false, restated }));
    assert!(invoked(&migrator(NOWHERE), json!({}), 900).await.unwrap_err().contains("connecting"));
}

/// There is time enough to migrate, and none to state loans again: another run does that.
#[tokio::test]
async fn a_deployment_goes_on_where_loans_are_left_to_be_stated_again() {
    let api = Api::new().await;
    let migrator = migrator(&without_tls(api.database.owner_url()));
    let (told, url) = cloudformation(0).await;
    assert_eq!(invoked(&migrator, change("Update", &url, Some("schema")), 60).await.unwrap(), None);
    assert_eq!(told.0.lock().unwrap().0[0]["Status"], "SUCCESS");
    assert_eq!(invoked(&migrator, json!({}), 60).await.unwrap().unwrap().restated, Restated::default());
    assert!(invoked(&migrator, json!({}), 900).await.unwrap().unwrap().restated.finished);
}

/// When a deployment fails after its migrations, CloudFormation puts the old program back and has it migrate.
#[tokio::test]
async fn an_old_program_leaves_a_schema_that_is_further_alone() {
    let api = Api::new().await;
    let later = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
        SELECT max(version) + 1, 'later', max(applied_on), '7' FROM refinery_schema_history";
    api.owner.execute(later, &[]).await.unwrap();
    let report = migrator(&without_tls(api.database.owner_url())).run(Event::default()).await.unwrap();
    assert_eq!(report.migrations, Vec::<String>::new());
}

/// The first admin as the template says it: the password in a secret, everything else in parameters.
fn first_admin(username: &str, email: &str, phone: &str, password: &str) -> FirstAdmin {
    let secret = SecretSource::fixed(json!({"password": password}).to_string().into());
    let [username, email, phone] = [username, email, phone].map(|text| Some(text.to_owned()));
    FirstAdmin { secret, username, email, phone }
}

#[tokio::test]
async fn parameters_of_the_first_admin_change_nothing_once_there_is_one() {
    let api = Api::new().await;
    let customer = api.customer("the.customer").await;
    let run = async |admin: FirstAdmin| {
        let migrator = Migrator { admin: Some(admin), ..migrator(&without_tls(api.database.owner_url())) };
        migrator.run(Event::default()).await.map(|report| report.admin_created).map_err(|error| error.to_string())
    };
    let login = |username: &str, password: &str| {
        api.anyone().post("/api/auth/login").json(json!({"username": username, "password": password}))
    };
    // Somebody's name already: nobody becomes an admin by it, and nobody's password changes.
    let taken = run(first_admin("the.customer", "you@example.com", "+254700000001", "a generated password")).await;
    assert!(taken.is_err(), "{taken:?}");
    login("the.customer", PASSWORD).expect(200).await;
    login("the.customer", "a generated password").expect(401).await;

    let made = run(first_admin("the.first", "you@example.com", "+254700000001", "a generated password")).await;
    assert_eq!(made, Ok(true));
    let admin = login("the.first", "a generated password").expect(200).await;
    let admin = api.as_(&admin.text_of("access_token"));
    let body = json!({"current_password": "a generated password", "new_password": "one of their own"});
    admin.put("/api/auth/password").json(body).expect(204).await;

    let before = api.owner.query("SELECT users::text FROM users ORDER BY id", &[]).await.unwrap();
    for changed in [
        first_admin("the.first", "else@example.com", "+254700000002", "another generated one"),
        first_admin("the.second", "you@example.com", "+254700000001", "another generated one"),
        first_admin("the.customer", "the.customer@example.com", "+254700000001", "another generated one"),
        first_admin("", "no address", "no number", "short"),
    ] {
        assert_eq!(run(changed).await, Ok(false));
    }
    let after = api.owner.query("SELECT users::text FROM users ORDER BY id", &[]).await.unwrap();
    let rows = |rows: &[tokio_postgres::Row]| rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>();
    assert_eq!(rows(&before), rows(&after));
    login("the.first", "one of their own").expect(200).await;
    customer.get("/api/auth/me").expect(200).await;
}

#[tokio::test]
async fn what_the_first_admin_lacks_is_named_and_never_quoted() {
    let api = Api::new().await;
    let run = async |admin: FirstAdmin| {
        let migrator = Migrator { admin: Some(admin), ..migrator(&without_tls(api.database.owner_url())) };
        migrator.run(Event::default()).await.unwrap_err().to_string()
    };
    let good = || first_admin("the.first", "you@example.com", "+254700000001", "a generated password");
    for (admin, named) in [
        (FirstAdmin { username: None, ..good() }, "username"),
        (FirstAdmin { email: Some("very-secret".into()), ..good() }, "email"),
        (FirstAdmin { phone: Some("very-secret".into()), ..good() }, "phone"),
        (first_admin("the.first", "you@example.com", "+254700000001", "very-secret"), "password"),
        (FirstAdmin { secret: SecretSource::fixed("{\"very-secret\"".to_owned().into()), ..good() }, "column"),
    ] {
        let error = run(admin).await;
        assert!(error.contains(named) && !error.contains("very-secret"), "{named}: {error}");
    }
    assert_eq!(api.count("SELECT count(*) FROM users WHERE role = 'admin'").await, 0);
}

/// Refinery would pass over it, and the new code would run on a schema that it was not written for.
#[tokio::test]
async fn a_migration_that_comes_too_late_stops_the_deployment() {
    let api = Api::new().await;
    let forget = "DELETE FROM refinery_schema_history WHERE version = 14";
    assert_eq!(api.owner.execute(forget, &[]).await.unwrap(), 1);
    let (told, url) = cloudformation(0).await;
    let migrator = migrator(&without_tls(api.database.owner_url()));
    assert_eq!(invoked(&migrator, change("Update", &url, Some("schema")), 900).await.unwrap(), None);
    let told = told.0.lock().unwrap().0.clone();
    assert_eq!(told[0]["Status"], "FAILED", "{told:?}");
    let reason = told[0]["Reason"].as_str().unwrap();
    assert!(reason.contains("never applied") && reason.contains("V14__double_safety"), "{reason}");
    // A number that no migration has is no gap in the schema: there is no V12.
    assert!(!reason.contains("V12"), "{reason}");
    let count = "SELECT count(*) FROM refinery_schema_history WHERE version = 14";
    assert_eq!(api.owner.query_one(count, &[]).await.unwrap().get::<_, i64>(0), 0);
}

/// Databases that have had it would differ from those that have not.
#[tokio::test]
async fn a_released_migration_that_was_edited_stops_the_deployment() {
    let api = Api::new().await;
    let edit = "UPDATE refinery_schema_history SET checksum = '7' WHERE version = 3";
    assert_eq!(api.owner.execute(edit, &[]).await.unwrap(), 1);
    let (told, url) = cloudformation(0).await;
    let migrator = migrator(&without_tls(api.database.owner_url()));
    assert_eq!(invoked(&migrator, change("Update", &url, Some("schema")), 900).await.unwrap(), None);
    let told = told.0.lock().unwrap().0.clone();
    assert_eq!(told[0]["Status"], "FAILED", "{told:?}");
    let reason = told[0]["Reason"].as_str().unwrap();
    assert!(reason.contains("V3__products is different"), "{reason}");
}
