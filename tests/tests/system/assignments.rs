//! Whose customer and whose loan: assignment, an agent's whole book, and what stays with who earned it.

use backend::domain::{loan::LoanStatus, users::Role};
use serde_json::{Value, json};
use stats::check;
use tests::User;

use crate::world::{World, path};

async fn performance(agent: &User) -> Value {
    agent.get("/api/agents/me/performance").expect(200).await["by_currency"]["INR"].clone()
}

async fn differences(world: &World) -> Vec<stats::Difference> {
    check::check(&world.app.db, &world.app.zone).await.unwrap()
}

/// Collections of a day long after all loans here.
async fn to_collect(agent: &User) -> usize {
    agent.get("/api/collections?on=2200-12-31").expect(200).await.list().len()
}

#[tokio::test]
async fn a_loan_is_assigned_without_a_version_and_its_history_says_so() {
    let world = World::new().await;
    let other = world.agent("the.other").await;
    let loan = world.applied("1000").await;
    let before = world.read(&loan).await;
    let assign = |to: &User| world.admin.post(&format!("{loan}/assign")).json(json!({"agent_id": to.id}));
    assign(&world.admin).invalid(&[("/agent_id", "agent_not_found")]).await;
    assign(&world.customer).invalid(&[("/agent_id", "agent_not_found")]).await;
    let suspended = world.user("the.suspended", Role::Agent, "suspended").await;
    assign(&suspended).invalid(&[("/agent_id", "agent_not_found")]).await;
    world.agent.post(&format!("{loan}/assign")).json(json!({"agent_id": other.id})).refused(403, "forbidden").await;

    let assigned = assign(&other).expect(200).await;
    assert_eq!((&assigned["agent_id"], assigned.version()), (&json!(other.id), 1));
    assert_eq!(assigned.header("etag"), before.header("etag"));
    assert!(assigned.text_of("updated_at") > before.text_of("updated_at"));
    assert_eq!(world.read(&loan).await.body, assigned.body);
    // To whom it is already: nothing changes.
    assert_eq!(assign(&other).expect(200).await.body, assigned.body);
    assign(&world.agent).expect(200).await;
    world.admin.post(&format!("{loan}/approve")).if_match(1).expect(200).await;
    assign(&other).expect(200).await;

    let history = world.customer.walk(&format!("{loan}/history?limit=1")).await;
    let told: Vec<_> =
        history.iter().map(|entry| (entry["version"].as_i64().unwrap(), entry["action"].as_str().unwrap())).collect();
    let expected = [(2, "assign"), (2, "approve"), (1, "assign"), (1, "assign"), (1, "create")];
    assert_eq!(told, expected);
    let (from, to) = (json!(world.agent.id), json!(other.id));
    assert_eq!((&history[3]["from"], &history[3]["to"], &history[3]["by"]), (&from, &to, &json!(world.admin.id)));
    assert_eq!((&history[3]["changed"], &history[3]["state"]["agent_id"]), (&json!(["agent_id"]), &to));
    assert!(history[4].get("from").is_none(), "{}", history[4]);
    // As of an instant it is whose it then was.
    for (entry, agent) in history.iter().zip([&to, &from, &from, &to, &from]) {
        let known_at = entry["at"].as_str().unwrap();
        let then = world.admin.get(&format!("{loan}?known_at={known_at}")).expect(200).await;
        assert_eq!(&then["agent_id"], agent, "{entry}");
    }
    assert_eq!(differences(&world).await, []);
}

#[tokio::test]
async fn what_was_earned_stays_with_who_earned_it() {
    let world = World::new().await;
    let other = world.agent("the.other").await;
    let loan = world.applied("1000").await;
    world.admin.post(&format!("{loan}/approve")).if_match(1).expect(200).await;
    world.disburse(&loan, "2024-01-15").await;
    let pay = |amount: &str, on: &str| world.money(&loan, "repayments", json!({"amount": amount, "paid_on": on}));
    let first = pay("100", "2024-02-15").expect(201).await.text_of("id");
    let earned = performance(&world.agent).await;
    assert_eq!((&earned["disbursed"], &earned["collected"]), (&json!("1000.00"), &json!("100.00")));
    assert_eq!((to_collect(&world.agent).await, to_collect(&other).await), (1, 0));

    world.admin.post(&format!("{loan}/assign")).json(json!({"agent_id": other.id})).expect(200).await;
    assert_eq!((to_collect(&world.agent).await, to_collect(&other).await), (0, 1));
    pay("50", "2024-02-16").expect(201).await;
    let mut kept = performance(&world.agent).await;
    // What is at risk is of whose loan it is.
    kept["par30"] = earned["par30"].clone();
    assert_eq!(kept, earned);
    let gained = performance(&other).await;
    assert_eq!(
        (&gained["requests"], &gained["disbursed"], &gained["collected"]),
        (&json!(0), &json!("0.00"), &json!("50.00"))
    );
    assert_ne!(gained["par30"]["loans"], json!(0));
    assert_eq!(differences(&world).await, []);
    // A reversal counts for whom what it takes back counted.
    let reversal = json!({"reason": "a cheque that bounced"});
    world.money(&loan, &format!("transactions/{first}/reversal"), reversal).expect(201).await;
    assert_eq!(performance(&world.agent).await["collected"], "0.00");
    assert_eq!(performance(&other).await["collected"], "50.00");
    assert_eq!(differences(&world).await, []);
}

#[tokio::test]
async fn an_application_that_nobody_had_counts_for_its_first_agent() {
    let world = World::new().await;
    let other = world.agent("the.other").await;
    let loan = world.loan(LoanStatus::Pending).await;
    let assign = |to: &User| world.admin.post(&format!("{loan}/assign")).json(json!({"agent_id": to.id}));
    assign(&world.agent).expect(200).await;
    assert_eq!(performance(&world.agent).await["requests"], 1);
    world.agent.post(&format!("{loan}/forward")).refused(409, "already_forwarded").await;
    assign(&other).expect(200).await;
    world.admin.post(&format!("{loan}/approve")).if_match(1).expect(200).await;
    assert_eq!(performance(&world.agent).await["approval_rate"], "1.0000");
    assert_eq!(performance(&other).await, Value::Null);
    assert_eq!(differences(&world).await, []);
}

#[tokio::test]
async fn a_whole_book_goes_to_another_agent_but_what_is_closed() {
    let world = World::new().await;
    let other = world.agent("the.other").await;
    let customer = |to: &User| json!({"agent_id": to.id});
    world.admin.patch(&format!("/api/users/{}", world.customer.id)).json(customer(&world.agent)).expect(200).await;
    let mut goes = Vec::new();
    for status in LoanStatus::ALL {
        let loan = world.loan(status).await;
        world.admin.post(&format!("{loan}/assign")).json(json!({"agent_id": world.agent.id})).expect(200).await;
        let is_open = matches!(
            status,
            LoanStatus::Pending | LoanStatus::Approved | LoanStatus::Disbursed | LoanStatus::Defaulted
        );
        goes.push((loan, is_open));
    }
    let reassign = |body: Value| world.admin.post(&format!("/api/agents/{}/reassign", world.agent.id)).json(body);
    reassign(json!({"to": world.agent.id})).invalid(&[("/to", "same_agent")]).await;
    reassign(json!({"to": world.admin.id})).invalid(&[("/to", "agent_not_found")]).await;
    let nobody = world.admin.post(&format!("/api/agents/{}/reassign", world.customer.id));
    nobody.json(json!({"to": other.id})).refused(404, "not_found").await;
    let some = reassign(json!({"to": other.id, "loans": false})).expect(200).await;
    assert_eq!(some.body, json!({"customers": 1, "loans": 0}));
    let rest = reassign(json!({"to": other.id})).expect(200).await;
    assert_eq!(rest.body, json!({"customers": 0, "loans": 4}));
    for (loan, is_open) in goes {
        let agent = if is_open { other.id } else { world.agent.id };
        assert_eq!(world.read(&loan).await["agent_id"], json!(agent), "{loan}");
    }
    let none = reassign(json!({"to": other.id})).expect(200).await;
    assert_eq!(none.body, json!({"customers": 0, "loans": 0}));
    assert_eq!(world.admin.get("/api/customers?agent_id=the.other").expect(200).await.list().len(), 1);
    assert_eq!(differences(&world).await, []);
    let log = world.admin.get("/api/audit?action=agent.reassign").expect(200).await;
    assert_eq!(log.list()[0]["detail"], json!({"to": other.id, "customers": 0, "loans": 4}));
}

#[tokio::test]
async fn ten_thousand_loans_go_in_one_transaction_within_five_seconds() {
    let world = World::new().await;
    let other = world.agent("the.other").await;
    let loan = world.loan(LoanStatus::Disbursed).await;
    world.admin.post(&format!("{loan}/assign")).json(json!({"agent_id": world.agent.id})).expect(200).await;
    // The rows alone: what they add to figures is another test's.
    let copies = "BEGIN;
        CREATE TEMPORARY TABLE copies ON COMMIT DROP AS
        SELECT gen_random_uuid() AS id, n::text || damm_digit(n::text) AS pay_ref
        FROM generate_series(200000001, 200009999) n;
        ALTER TABLE loans DISABLE TRIGGER USER;
        ALTER TABLE loan_versions DISABLE TRIGGER USER;
        INSERT INTO loans SELECT (jsonb_populate_record(l, to_jsonb(c))).* FROM loans l, copies c;
        INSERT INTO loan_versions SELECT (jsonb_populate_record(v, jsonb_build_object('loan_id', c.id))).*
        FROM loan_versions v, copies c;
        COMMIT;
        BEGIN;
        ALTER TABLE loans ENABLE TRIGGER USER;
        ALTER TABLE loan_versions ENABLE TRIGGER USER;
        COMMIT; ANALYZE loans";
    world.owner.batch_execute(copies).await.unwrap();
    let started = std::time::Instant::now();
    let body = json!({"to": other.id});
    let reply = world.admin.post(&format!("/api/agents/{}/reassign", world.agent.id)).json(body).expect(200).await;
    let took = started.elapsed();
    assert_eq!(reply.body, json!({"customers": 0, "loans": 10_000}));
    assert!(took.as_secs() < 5, "{took:?}");
    let entries = "SELECT count(*) FROM loan_assignments WHERE from_agent IS NOT NULL";
    assert_eq!(world.count(entries).await, 10_000);
}

#[tokio::test]
async fn a_product_that_asks_for_it_is_lent_to_verified_customers_alone() {
    let world = World::new().await;
    world.product("careful", json!({"requires_kyc": true})).await;
    let body = json!({"borrower_id": world.customer.username, "product": "careful", "amount": "10", "currency": "INR"});
    let loan = path(&world.agent.post("/api/loans").json(body).expect(201).await);
    let verify = async |expires_on: &str| {
        let body = json!({"status": "verified", "expires_on": expires_on});
        world.admin.post(&format!("/api/customers/{}/kyc", world.customer.id)).json(body).expect(201).await;
    };
    let approve = || world.admin.post(&format!("{loan}/approve")).if_match(1);
    approve().refused(409, "kyc_required").await;
    verify("2024-01-15").await;
    approve().refused(409, "kyc_required").await;
    verify("2200-12-31").await;
    approve().expect(200).await;
    // On the day of the command, whatever the day of the disbursement.
    let disburse = || world.money(&loan, "disbursements", json!({"disbursed_on": "2024-01-10"}));
    verify("2024-01-15").await;
    disburse().refused(409, "kyc_required").await;
    verify("2200-12-31").await;
    disburse().expect(201).await;
    // A rejection asks for nothing, and what was paid out goes on.
    verify("2024-01-15").await;
    world.money(&loan, "repayments", json!({"amount": "1", "paid_on": "2024-02-10"})).expect(201).await;
}

#[tokio::test]
async fn a_summary_adds_up_a_customers_loans() {
    let world = World::new().await;
    let path = format!("/api/customers/{}/summary", world.customer.id);
    let none = world.customer.get(&path).expect(200).await;
    assert_eq!((&none["total_loans"], &none["by_currency"]), (&json!(0), &json!({})));
    for status in LoanStatus::ALL {
        world.loan(status).await;
    }
    let late = world.loan(LoanStatus::Disbursed).await;
    let summary = world.agent.get(&path).expect(200).await;
    let late = world.read(&late).await;
    assert_eq!((&summary["total_loans"], &summary["loans_repaid"]), (&json!(8), &json!(1)));
    assert_eq!((&summary["by_status"]["disbursed"], &summary["by_status"]["withdrawn"]), (&json!(2), &json!(1)));
    assert_eq!(summary["longest_days_past_due"], late["days_past_due"]);
    let stats = world.admin.get("/api/stats").expect(200).await;
    for sum in ["outstanding", "past_due"] {
        assert_eq!(summary["by_currency"]["INR"][sum], stats["by_currency"]["INR"][sum], "{sum}");
    }
    assert_eq!(summary["by_currency"]["INR"]["held"], "0.00");
    let other = world.api.customer("another").await;
    other.get(&path).refused(404, "not_found").await;
}

#[tokio::test]
async fn whoever_handed_a_code_out_decides_on_nothing_of_that_account() {
    let world = World::new().await;
    let other = world.admin("other.admin").await;
    let (mine, second) = (world.applied("1000").await, world.applied("1000").await);
    let code = world.admin.post(&format!("/api/users/{}/activation", world.agent.id)).expect(201).await.text_of("code");
    let approve = |by: &User, loan: &str| by.post(&format!("{loan}/approve")).if_match(1);
    approve(&world.admin, &mine).refused(403, "own_application").await;
    let body = json!({"username": world.agent.username, "code": code, "new_password": "staple of the battery"});
    world.anyone().post("/api/auth/activate").json(body).expect(204).await;
    approve(&world.admin, &mine).refused(403, "own_application").await;
    approve(&other, &mine).expect(200).await;
    // A new password of the account's own ends it.
    let agent = world.session(world.agent.id, Role::Agent).await;
    let body = json!({"current_password": "staple of the battery", "new_password": "a password of my own"});
    agent.put("/api/auth/password").json(body).expect(204).await;
    approve(&world.admin, &second).expect(200).await;
}
