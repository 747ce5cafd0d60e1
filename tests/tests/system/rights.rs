//! Rights of a person: what is held about somebody, what it was before, and its erasure, which leaves nothing open and
//! nobody to be known.

use std::{collections::BTreeSet, error::Error, fs, path::Path};

use backend::domain::{loan::LoanStatus, users::Role};
use jiff::Timestamp;
use local::testing::{Database, Schema};
use serde_json::{Value, json};
use tests::{Api, Call, PASSWORD, Reply, Session, User};
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use crate::world::{World, path};

const OWN_ADDRESS: &str = "198.51.100.77";

fn erase(by: &Session, id: Uuid) -> Call {
    by.post(&format!("/api/users/{id}/erase")).json(json!({"reason": "asked for it in writing"}))
}

/// Everything in the database, as text.
async fn everything(api: &Api) -> String {
    let tables =
        "SELECT string_agg(format('SELECT %L || string_agg(t::text, E''\\n'') AS text FROM %I t', tablename || ': ',
        tablename), ' UNION ALL ') FROM pg_tables WHERE schemaname = 'public'";
    let sql: String = api.owner.query_one(tables, &[]).await.unwrap().get(0);
    let all = format!("SELECT string_agg(text, E'\\n') FROM ({sql}) texts");
    api.owner.query_one(&all, &[]).await.unwrap().get(0)
}

pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Somebody who is known by all that the interface takes, with a session.
async fn asha(api: &Api) -> (Uuid, Session) {
    let body = json!({"username": "asha.the.weaver", "password": PASSWORD, "email": "asha.first@example.com",
        "phone": "+919800000001", "role": "customer", "full_name": "Asha Weaverwoman"});
    let register = api.anyone().post("/api/auth/register").json(body).from_address(OWN_ADDRESS);
    let id = register.expect(201).await.text_of("id").parse().unwrap();
    let login = api.anyone().post("/api/auth/login").json(json!({"username": "asha.the.weaver", "password": PASSWORD}));
    let session = api.as_(&login.from_address(OWN_ADDRESS).expect(200).await.text_of("access_token"));
    let change = json!({"email": "asha.second@example.com", "phone": "+919800000002"});
    session.patch("/api/auth/me").json(change).from_address(OWN_ADDRESS).expect(200).await;
    let wrong =
        api.anyone().post("/api/auth/login").json(json!({"username": "asha.the.weaver", "password": "no such one"}));
    wrong.from_address(OWN_ADDRESS).refused(401, "invalid_credentials").await;
    (id, session)
}

/// All that tells who she is.
const PERSONAL: [&str; 9] = [
    "asha.the.weaver",
    // As the search has it.
    "weaverwoman",
    "asha.first@example.com",
    "asha.second@example.com",
    "+919800000001",
    "+919800000002",
    "Asha Weaverwoman",
    "Weaverwoman",
    OWN_ADDRESS,
];

#[tokio::test]
async fn an_erased_person_is_an_id_with_what_must_be_kept() {
    let world = World::new().await;
    let (id, session) = asha(&world).await;
    let own = json!({"amount": "1200", "currency": "INR", "instalments": 6});
    let apply = || {
        let body = json!({"borrower_id": "asha.the.weaver", "amount": "1300", "currency": "INR", "instalments": 6});
        world.agent.post("/api/loans").key("by the agent").json(body)
    };
    let loan = path(&apply().expect(201).await);
    world.admin.post(&format!("{loan}/approve")).if_match(1).expect(200).await;
    world.disburse(&loan, "2024-01-15").await;
    let total = world.admin.get(&format!("{loan}/settlement?on=2024-01-20")).expect(200).await.text_of("total");
    world.money(&loan, "repayments", json!({"amount": total, "paid_on": "2024-01-20"})).expect(201).await;
    let rejected = path(&session.post("/api/loans").key("own").json(own).expect(201).await);
    world.admin.post(&format!("{rejected}/reject")).if_match(1).json(json!({"reason": "r"})).expect(200).await;
    let known_at = Timestamp::now();
    let money = world.admin.get(&format!("{loan}/transactions")).expect(200).await.text;
    let before = everything(&world).await;
    for text in PERSONAL {
        assert!(before.contains(text), "{text}");
    }

    let erased = erase(&world.admin, id).expect(200).await;
    let name = erased.text_of("username");
    let digits = name.strip_prefix("erased-").unwrap();
    assert!(digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_digit()), "{name}");
    for (field, expected) in [("id", json!(id)), ("status", json!("erased")), ("role", json!("customer"))] {
        assert_eq!(erased[field], expected);
    }
    for field in ["email", "phone", "full_name"] {
        assert_eq!(erased[field], Value::Null);
    }
    assert_eq!(world.admin.get(&format!("/api/users/{id}")).expect(200).await.body, erased.body);

    let after = everything(&world).await;
    for text in PERSONAL {
        let line = after.lines().find(|line| line.contains(text));
        assert_eq!(line, None, "{text}");
    }
    // Reads of then show the new name, and what is kept is as it was.
    for query in [String::new(), format!("?known_at={known_at}")] {
        let read = world.admin.get(&format!("{loan}{query}")).expect(200).await;
        assert_eq!((&read["borrower_username"], &read["status"]), (&json!(name), &json!("repaid")), "{query}");
        assert_eq!(read["amount"], "1300.00");
    }
    assert_eq!(world.admin.get(&format!("{loan}/transactions")).expect(200).await.text, money);
    assert_eq!(world.admin.walk(&format!("{rejected}/history")).await.len(), 2);
    let kept = apply();
    // The answer that was given is found by the same key and body, with the new name.
    let again = kept.expect(201).await;
    assert_eq!((&again["borrower_username"], again.header("idempotency-replayed")), (&json!(name), "true"));

    let found = world.admin.walk("/api/users?status=erased").await;
    assert_eq!(found, std::slice::from_ref(&erased.body));
    let entries = world.admin.walk(&format!("/api/audit?subject=user:{id}")).await;
    assert_eq!(entries[0]["action"], "user.erase");
    assert_eq!(entries[0]["detail"], json!({"from": "active", "reason": "asked for it in writing"}));
    assert_eq!(entries[0]["address"], "203.0.113.1", "of the admin");
    assert!(entries.len() >= 4);
    assert!(entries[1..].iter().all(|entry| entry["address"].is_null() && entry["detail"].is_object()), "{entries:?}");
    assert_eq!(world.admin.walk(&format!("/api/users/{id}/changes")).await, Vec::<Value>::new());
}

#[tokio::test]
async fn an_erased_user_is_shut_out_and_stays_so() {
    let world = World::new().await;
    let (id, session) = asha(&world).await;
    let name = erase(&world.admin, id).expect(200).await.text_of("username");
    session.get("/api/auth/me").refused(401, "unauthenticated").await;
    for username in ["asha.the.weaver", &name] {
        let login = world.anyone().post("/api/auth/login").json(json!({"username": username, "password": PASSWORD}));
        login.refused(401, "invalid_credentials").await;
    }
    let post = |part: &str| world.admin.post(&format!("/api/users/{id}/{part}"));
    post("reactivate").refused(409, "user_not_suspended").await;
    post("suspend").refused(409, "user_not_active").await;
    erase(&world.admin, id).refused(409, "user_erased").await;
    let user = format!("/api/users/{id}");
    world.admin.patch(&user).json(json!({"full_name": "Asha"})).refused(409, "user_erased").await;
    world.admin.patch(&user).json(json!({})).refused(409, "user_erased").await;
    let password = world.admin.put(&format!("{user}/password")).json(json!({"new_password": "staple of the battery"}));
    password.refused(409, "user_erased").await;
    for borrower in [name, id.to_string()] {
        let body = json!({"borrower_id": borrower, "amount": "1200", "currency": "INR"});
        world.agent.post("/api/loans").json(body).breaks("/borrower_id", "borrower_not_found").await;
    }
    // A token that outlived it leaves nothing either, nor does somebody else who takes the name.
    let (again, _) = asha(&world).await;
    assert_ne!(again, id);
}

#[tokio::test]
async fn an_erasure_has_its_refusals() {
    let world = World::new().await;
    erase(&world.admin, world.admin.id).refused(403, "own_account").await;
    erase(&world.admin, Uuid::now_v7()).refused(404, "not_found").await;
    let customer = world.customer.id;
    let call = || world.admin.post(&format!("/api/users/{customer}/erase"));
    call().json(json!({})).invalid(&[("/reason", "required")]).await;
    call().json(json!({"reason": " "})).invalid(&[("/reason", "blank")]).await;
    call().json(json!({"reason": "r", "force": true})).invalid(&[("/force", "unknown_field")]).await;
    world.admin.get(&format!("/api/users/{}/changes", Uuid::now_v7())).refused(404, "not_found").await;
    assert_eq!(world.count("SELECT count(*) FROM users WHERE status = 'erased'").await, 0);
    // Whoever is not active may be erased too, and who is no customer.
    for (role, status) in
        [(Role::Agent, "pending"), (Role::Agent, "rejected"), (Role::Customer, "suspended"), (Role::Admin, "active")]
    {
        let user = world.api.user(&format!("{}.{status}", role.as_str()), role, status).await;
        assert_eq!(erase(&world.admin, user.id).expect(200).await["status"], "erased");
    }
}

#[tokio::test]
async fn who_has_an_open_loan_or_held_money_is_not_erased() {
    let mut world = World::new().await;
    for (round, status) in LoanStatus::ALL.into_iter().enumerate() {
        world.customer = world.api.customer(&format!("customer.{round}")).await;
        world.loan(status).await;
        let reply = erase(&world.admin, world.customer.id).send().await;
        let is_open = matches!(status, LoanStatus::Pending | LoanStatus::Approved | LoanStatus::Disbursed);
        let expected = if is_open { (409, "loans_open") } else { (200, "") };
        assert_eq!((reply.status, reply.code()), expected, "{status:?}: {reply}");
    }
    world.customer = world.api.customer("one.more").await;
    // Repaid, and a little more.
    let loan = world.loan(LoanStatus::Disbursed).await;
    let total = world.admin.get(&format!("{loan}/settlement")).expect(200).await.text_of("total");
    let more = format!("{:.2}", total.parse::<f64>().unwrap() + 5.0);
    let today = world.app.date_of(Timestamp::now());
    world.money(&loan, "repayments", json!({"amount": more, "paid_on": today})).expect(201).await;
    assert_eq!(world.read(&loan).await["status"], "repaid");
    erase(&world.admin, world.customer.id).refused(409, "loans_open").await;
    world.money(&loan, "refund", json!({"amount": "4.00", "paid_on": today})).expect(201).await;
    erase(&world.admin, world.customer.id).refused(409, "loans_open").await;
    world.money(&loan, "refund", json!({"amount": "1.00", "paid_on": today})).expect(201).await;
    erase(&world.admin, world.customer.id).expect(200).await;
}

/// Closed loans stay closed: a reversed payment, a write-off, a step of a rejected application.
#[tokio::test]
async fn no_loan_of_an_erased_person_opens_again() {
    let world = World::new().await;
    let repaid = world.loan(LoanStatus::Repaid).await;
    let defaulted = world.loan(LoanStatus::Defaulted).await;
    let rejected = world.loan(LoanStatus::Rejected).await;
    erase(&world.admin, world.customer.id).expect(200).await;
    for loan in [&repaid, &defaulted] {
        let transactions = world.admin.walk(&format!("{loan}/transactions")).await;
        let last =
            transactions.iter().find(|it| ["repayment", "write_off"].contains(&it["kind"].as_str().unwrap())).unwrap();
        let reversal = format!("transactions/{}/reversal", last["id"].as_str().unwrap());
        world.money(loan, &reversal, json!({"reason": "r"})).refused(409, "borrower_erased").await;
    }
    let charge = json!({"code": "c", "kind": "fee", "amount": "5", "due_on": "2024-02-01"});
    world.money(&repaid, "charges", charge).refused(409, "borrower_erased").await;
    let edit = world.agent.patch(&rejected).header("if-match", "*").json(json!({"amount": "1300"}));
    edit.refused(409, "borrower_erased").await;
    // Late money is recorded: it is not turned away.
    let paid = json!({"amount": "10", "paid_on": "2024-03-01"});
    world.money(&defaulted, "repayments", paid).expect(201).await;
    let open = "SELECT count(*) FROM loans WHERE status IN ('pending', 'approved', 'disbursed')";
    assert_eq!(world.count(open).await, 0);
}

#[tokio::test]
async fn of_two_admins_who_erase_each_other_at_once_one_stays() {
    let api = Api::new().await;
    for round in 0..6 {
        let (one, other) = (api.admin(&format!("one.{round}")).await, api.admin(&format!("other.{round}")).await);
        let (a, b) = tokio::join!(erase(&one, other.id).send(), erase(&other, one.id).send());
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401], "{a} {b}");
        assert_eq!(api.count("SELECT count(*) FROM users WHERE role = 'admin' AND status = 'active'").await, 1 + round);
    }
}

fn apply(by: &Session, borrower: Uuid) -> Call {
    by.post("/api/loans").json(json!({"borrower_id": borrower, "amount": "1200", "currency": "INR", "instalments": 6}))
}

const OPEN_OF_ERASED: &str = "SELECT count(*) FROM loans l JOIN users u ON u.id = l.borrower_id
    WHERE u.status = 'erased' AND l.status IN ('pending', 'approved', 'disbursed')";

#[tokio::test]
async fn an_erasure_against_applications_at_once_leaves_no_open_loan() {
    let world = World::new().await;
    let mut outcomes = BTreeSet::new();
    for round in 0..25 {
        let customer = world.api.customer(&format!("customer.{round}")).await;
        let calls =
            vec![apply(&world.agent, customer.id), erase(&world.admin, customer.id), apply(&customer, customer.id)];
        let sent: Vec<_> = calls.into_iter().map(|call| tokio::spawn(call.send())).collect();
        let mut replies: Vec<Reply> = Vec::new();
        for reply in sent {
            replies.push(reply.await.unwrap());
        }
        let [by_agent, erasure, own] = &replies[..] else { unreachable!() };
        let created = [by_agent, own].iter().filter(|reply| reply.status == 201).count();
        match erasure.status {
            200 => assert_eq!(created, 0, "{by_agent} {own}"),
            _ => assert!(erasure.code() == "loans_open" && created > 0, "{erasure} {by_agent} {own}"),
        }
        for reply in [by_agent, own] {
            let codes = ["", "borrower_erased", "borrower_not_found", "unauthenticated"];
            assert!(codes.contains(&reply.code()), "{reply}");
        }
        outcomes.insert(erasure.status);
        assert_eq!(world.count(OPEN_OF_ERASED).await, 0);
    }
    assert!(!outcomes.is_empty());
}

/// Told apart from luck: each waits for the other while that one has not ended.
#[tokio::test]
async fn an_application_waits_for_an_erasure_and_an_erasure_for_an_application() {
    let world = World::new().await;
    let application = world.application().await;

    application.batch_execute("BEGIN").await.unwrap();
    application.execute("SELECT erase_person($1)", &[&world.customer.id]).await.unwrap();
    let waiting = tokio::spawn(apply(&world.agent, world.customer.id).send());
    world.someone_waits().await;
    application.batch_execute("COMMIT").await.unwrap();
    let refused = waiting.await.unwrap();
    assert_eq!((refused.status, refused.code()), (422, "borrower_not_found"), "{refused}");

    let other = world.api.customer("the.other").await;
    let world = World { customer: other, ..world };
    application.batch_execute("BEGIN").await.unwrap();
    // Whatever stands in the row, it refers to the borrower.
    let made = "WITH made AS (
            INSERT INTO loans SELECT (jsonb_populate_record(l, jsonb_build_object('id', $1::uuid, 'pay_ref', null,
                'borrower_id', $2::uuid))).*
            FROM loans l WHERE id = $3 RETURNING *)
        INSERT INTO loan_versions SELECT id, 1, 'create', updated_at, created_by, NULL, '{}', status, agent_id,
            product_code,
            product_version, currency, amount, terms, instalment, total_interest, total_due FROM made";
    let another = world.api.customer("another").await;
    let template: Uuid =
        path(&apply(&world.agent, another.id).expect(201).await)["/api/loans/".len()..].parse().unwrap();
    application.execute(made, &[&Uuid::now_v7(), &world.customer.id, &template]).await.unwrap();
    let waiting = tokio::spawn(erase(&world.admin, world.customer.id).send());
    world.someone_waits().await;
    application.batch_execute("COMMIT").await.unwrap();
    let refused = waiting.await.unwrap();
    assert_eq!((refused.status, refused.code()), (409, "loans_open"), "{refused}");
    assert_eq!(world.count(OPEN_OF_ERASED).await, 0);
}

/// The audit entry of a request that was under way comes after the erasure, and has no address.
#[tokio::test]
async fn a_request_that_outlives_an_erasure_leaves_no_address() {
    let world = World::new().await;
    let customer = &world.customer;
    let application = world.application().await;
    application.batch_execute("BEGIN").await.unwrap();
    application.execute("SELECT erase_person($1)", &[&customer.id]).await.unwrap();
    let login = world.anyone().post("/api/auth/login");
    let login = login.json(json!({"username": customer.username, "password": "no such one"})).from_address(OWN_ADDRESS);
    let login = tokio::spawn(login.send());
    world.someone_waits().await;
    let logout = tokio::spawn(customer.post("/api/auth/logout").from_address(OWN_ADDRESS).send());
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0";
    while world.count(waiting).await < 2 {
        tokio::task::yield_now().await;
    }
    application.batch_execute("COMMIT").await.unwrap();
    let (logout, login) = (logout.await.unwrap(), login.await.unwrap());
    assert_eq!((logout.status, login.status), (204, 401), "{logout} {login}");
    assert_eq!(
        world.count("SELECT count(*) FROM audit_log WHERE action IN ('auth.logout', 'auth.login_failed')").await,
        2
    );
    let left = format!("SELECT count(*) FROM audit_addresses WHERE address = '{OWN_ADDRESS}'");
    assert_eq!(world.count(&left).await, 0);
}

#[tokio::test]
async fn old_and_new_contact_data_are_kept_and_shown_to_admins() {
    let api = Api::new().await;
    let (admin, customer) = (api.admin("the.admin").await, api.customer("the.customer").await);
    let me = |body: Value| customer.patch("/api/auth/me").json(body);
    me(json!({"email": "new@example.com", "phone": "+15550100001"})).expect(200).await;
    me(json!({"email": "new@example.com"})).expect(200).await;
    me(json!({"email": "THE.admin@example.com"})).refused(409, "email_taken").await;
    let user = format!("/api/users/{}", customer.id);
    admin.patch(&user).json(json!({"full_name": "Asha", "phone": "+919800000001"})).expect(200).await;
    me(json!({"full_name": null})).expect(200).await;

    let found = admin.walk(&format!("{user}/changes?limit=1")).await;
    let expected = [
        (customer.id, "full_name", json!("Asha"), Value::Null),
        (admin.id, "phone", json!("+15550100001"), json!("+919800000001")),
        (admin.id, "full_name", Value::Null, json!("Asha")),
        (customer.id, "email", json!("the.customer@example.com"), json!("new@example.com")),
    ];
    let plain = |change: &Value| -> (Uuid, String, Value, Value) {
        let text = |name: &str| change[name].as_str().unwrap().to_owned();
        (text("by").parse().unwrap(), text("field"), change["old"].clone(), change["new"].clone())
    };
    let found: Vec<_> = found.iter().map(plain).collect();
    let expected = expected.map(|(by, field, old, new)| (by, field.to_owned(), old, new));
    let of_one: BTreeSet<_> = found[1..3].iter().map(|change| change.1.clone()).collect();
    assert_eq!(of_one, ["full_name".to_owned(), "phone".to_owned()].into());
    for change in &expected {
        assert!(found.contains(change), "{change:?}: {found:?}");
    }
    assert_eq!(found.len(), expected.len());
    assert_eq!((&found[0], &found[3]), (&expected[0], &expected[3]));
    // The log tells which changed, not to what.
    let log = admin.get("/api/audit?action=user.update").expect(200).await.text;
    assert!(!log.contains("new@example.com") && log.contains("email"), "{log}");
    admin.get(&format!("{user}/changes?field=email")).invalid(&[("/field", "unknown_field")]).await;
}

const SECTIONS: [&str; 6] = ["loans", "loan_versions", "transactions", "contact_changes", "sessions", "audit"];

/// Every thing of an export, page by page, each once.
async fn exported(by: &Session, id: Uuid, limit: usize) -> Vec<(String, Value)> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = by.get(&format!("/api/customers/{id}/export?limit={limit}{cursor}")).expect(200).await;
        let things = SECTIONS.iter().flat_map(|name| {
            let section = page[name].as_array().unwrap();
            section.iter().map(|thing| ((*name).to_owned(), thing.clone()))
        });
        let things: Vec<_> = things.collect();
        // A loan and its first version have one place.
        assert!(things.len() <= limit + 1, "{}", things.len());
        all.extend(things);
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

fn sorted(mut things: Vec<(String, Value)>) -> Vec<String> {
    things.sort_by_key(|(name, thing)| format!("{name} {thing}"));
    things.into_iter().map(|(name, thing)| format!("{name} {thing}")).collect()
}

#[tokio::test]
async fn an_export_has_all_that_is_held_and_nothing_of_others() {
    let world = World::new().await;
    let (id, session) = asha(&world).await;
    let world =
        World { customer: User { id, username: "asha.the.weaver".into(), role: Role::Customer, session }, ..world };
    let other = world.api.customer("the.other").await;
    apply(&world.agent, other.id).expect(201).await;
    for status in [LoanStatus::Repaid, LoanStatus::Rejected, LoanStatus::Disbursed] {
        world.loan(status).await;
    }
    world.admin.patch(&format!("/api/users/{id}")).json(json!({"full_name": "Asha"})).expect(200).await;

    let whole = world.customer.get(&format!("/api/customers/{id}/export")).expect(200).await;
    assert_eq!(whole["customer"]["email"], "asha.second@example.com");
    assert!(whole["next_cursor"].is_null());
    let count = |name: &str| whole[name].as_array().unwrap().len();
    assert_eq!((count("loans"), count("transactions"), count("sessions")), (3, 3, 1));
    assert_eq!((count("loan_versions"), count("contact_changes")), (3 + 3, 3));
    for text in
        ["asha.first@example.com", "+919800000001", "Asha Weaverwoman", OWN_ADDRESS, "auth.register", "income too low"]
    {
        assert!(whole.text.contains(text), "{text}");
    }
    // Of who works for the lender there are ids, and no address; nothing of what a password is checked with.
    for text in ["203.0.113.1", "the.admin", "pbkdf2", &other.id.to_string()] {
        let found = whole["audit"]
            .as_array()
            .unwrap()
            .iter()
            .find(|entry| entry.to_string().contains(text) && entry["actor_id"] != json!(id));
        assert_eq!(found, None, "{text}");
        assert!(text == "203.0.113.1" || !whole.text.contains(text), "{text}");
    }
    for section in SECTIONS {
        let times = whole[section].as_array().unwrap().iter().map(|thing| {
            let at = ["at", "recorded_at", "created_at"].iter().find_map(|name| thing[name].as_str());
            at.or(thing["entry"]["at"].as_str()).unwrap().to_owned()
        });
        assert!(times.collect::<Vec<_>>().is_sorted_by(|a, b| a >= b), "{section}");
    }
    let in_one = sorted(exported(&world.admin, id, 200).await);
    for limit in [1, 2, 3, 7] {
        assert_eq!(sorted(exported(&world.admin, id, limit).await), in_one, "{limit}");
    }

    world.customer.get(&format!("/api/customers/{}/export", other.id)).refused(404, "not_found").await;
    world.agent.get(&format!("/api/customers/{id}/export")).refused(403, "forbidden").await;
    world.admin.get(&format!("/api/customers/{}/export", world.agent.id)).refused(404, "not_found").await;
    let cursor =
        world.admin.get(&format!("/api/customers/{id}/export?limit=1")).expect(200).await.text_of("next_cursor");
    let stolen = format!("/api/customers/{id}/export?limit=1&cursor={cursor}");
    world.customer.get(&stolen).refused(400, "bad_cursor").await;
    world.admin.get(&format!("/api/customers/{id}/export?limit=201")).invalid(&[("/limit", "out_of_range")]).await;
}

/// The schema without the migrations from a number on, from its files.
pub(crate) struct Before {
    /// Of this schema alone.
    pub(crate) name: &'static str,
    pub(crate) number: u32,
}

/// The migration of this number.
pub(crate) fn migration(number: u32) -> String {
    migrations().into_iter().find(|(other, _)| *other == number).unwrap().1
}

fn migrations() -> Vec<(u32, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "sql"));
    let mut all: Vec<(u32, String)> = files
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let number = name[1..].split_once("__").unwrap().0.parse().unwrap();
            (number, fs::read_to_string(path).unwrap())
        })
        .collect();
    all.sort_by_key(|(number, _)| *number);
    all
}

const RIGHTS: u32 = 16;

impl Schema for Before {
    fn name(&self) -> &'static str {
        self.name
    }

    fn fingerprint(&self) -> String {
        migrations().into_iter().filter(|(number, _)| *number < self.number).map(|(_, sql)| sql).collect()
    }

    async fn migrate(&self, owner_url: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
        let owner = connect(owner_url).await;
        for (_, sql) in migrations().into_iter().filter(|(number, _)| *number < self.number) {
            owner.batch_execute(&sql).await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn addresses_that_were_there_before_are_moved_to_their_people() {
    let database = Database::fresh(&Before { name: "before_rights", number: RIGHTS }).await.unwrap();
    let owner = connect(database.owner_url()).await;
    let [asha, admin] = [Uuid::now_v7(), Uuid::now_v7()];
    for (id, name, role) in [(asha, "asha", "customer"), (admin, "the.admin", "admin")] {
        let sql = "INSERT INTO users (id, username, email, phone, role, status, password_hash)
            VALUES ($1, $2, $2 || '@example.com', '+12', $3, 'active', '$pbkdf2-sha256$')";
        owner.execute(sql, &[&id, &name, &role]).await.unwrap();
    }
    let gone = Uuid::now_v7();
    for (actor, subject, address) in [
        (None, format!("user:{asha}"), "198.51.100.1"),
        (Some(asha), format!("user:{asha}"), "198.51.100.2"),
        (Some(admin), format!("user:{asha}"), "198.51.100.3"),
        (None, "nobody".to_owned(), "198.51.100.4"),
        (None, format!("user:{gone}"), "198.51.100.5"),
        (None, "user:not-an-id".to_owned(), "198.51.100.6"),
        (Some(admin), "product:home".to_owned(), ""),
    ] {
        let sql = "INSERT INTO audit_log (id, actor_id, action, subject, address)
            VALUES (gen_random_uuid(), $1, 'a', $2, $3)";
        owner.execute(sql, &[&actor, &subject, &address]).await.unwrap();
    }
    owner.batch_execute(&migration(RIGHTS)).await.unwrap();

    let kept = owner.query("SELECT address, person_id FROM audit_addresses ORDER BY address", &[]).await.unwrap();
    let kept: Vec<(String, Option<Uuid>)> = kept.iter().map(|row| (row.get(0), row.get(1))).collect();
    let expected = [Some(asha), Some(asha), Some(admin), None, None, None].into_iter().zip(1..);
    let expected: Vec<_> = expected.map(|(person, number)| (format!("198.51.100.{number}"), person)).collect();
    assert_eq!(kept, expected);
    let left: i64 = owner.query_one("SELECT count(*) FROM audit_log WHERE address <> ''", &[]).await.unwrap().get(0);
    assert_eq!(left, 0);

    // A function of the release before still writes its entries, whose addresses go the same way.
    let sql = "INSERT INTO audit_log (id, actor_id, action, subject, address, detail)
        VALUES (gen_random_uuid(), $1, 'a', 'nobody', '198.51.100.9', '{}')";
    owner.execute(sql, &[&asha]).await.unwrap();
    let sql = "SELECT count(*) FROM audit_addresses WHERE person_id = $1 AND address = '198.51.100.9'";
    assert_eq!(owner.query_one(sql, &[&asha]).await.unwrap().get::<_, i64>(0), 1);
}
