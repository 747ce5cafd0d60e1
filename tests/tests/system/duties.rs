//! Separation of duties: nobody decides on, pays out or takes back what somebody did whose password they set.

use std::{fs, path::Path};

use backend::domain::{loan::LoanStatus, users::Role};
use serde_json::{Value, json};
use tests::{Call, PASSWORD, Session, User};
use uuid::Uuid;

use crate::world::{World, path};

const NEW: &str = "staple of the battery";

async fn set_password(admin: &User, user: &User) {
    let body = json!({"new_password": NEW});
    admin.put(&format!("/api/users/{}/password", user.id)).json(body).expect(204).await;
}

fn money(session: &Session, loan: &str, part: &str, body: Value) -> Call {
    session.post(&format!("{loan}/{part}")).key(&Uuid::now_v7().to_string()).json(body)
}

fn decide(session: &Session, loan: &str, action: &str, version: i64) -> Call {
    session.post(&format!("{loan}/{action}")).if_match(version).json(json!({"reason": "r"}))
}

#[tokio::test]
async fn nobody_decides_on_or_pays_out_a_loan_of_somebody_whose_password_they_set() {
    let world = World::new().await;
    let (other, editor) = (world.admin("other.admin").await, world.agent("the.editor").await);
    let of_agent = world.applied("1000").await;
    let edited = world.loan(LoanStatus::Pending).await;
    editor.patch(&edited).if_match(1).json(json!({"amount": "900"})).expect(200).await;
    set_password(&world.admin, &world.agent).await;
    set_password(&world.admin, &editor).await;
    for (loan, version) in [(&of_agent, 1), (&edited, 2)] {
        for action in ["approve", "reject"] {
            decide(&world.admin, loan, action, version).refused(403, "own_application").await;
        }
        decide(&other, loan, "approve", version).expect(200).await;
        let body = json!({"disbursed_on": "2024-01-15"});
        money(&world.admin, loan, "disbursements", body.clone()).refused(403, "own_application").await;
        money(&other, loan, "disbursements", body).expect(201).await;
    }
    let forwarded = world.loan(LoanStatus::Pending).await;
    let agent = world.session(world.agent.id, Role::Agent).await;
    agent.post(&format!("{forwarded}/forward")).expect(200).await;
    decide(&world.admin, &forwarded, "approve", 2).refused(403, "own_application").await;
}

#[tokio::test]
async fn a_new_password_of_ones_own_ends_it() {
    let world = World::new().await;
    let body = json!({"username": "made.by.admin", "password": PASSWORD, "email": "made@example.com",
        "phone": "+919812345678", "role": "customer"});
    let made = world.admin.post("/api/users").json(body).expect(201).await;
    let id: Uuid = made.text_of("id").parse().unwrap();
    let customer = world.session(id, Role::Customer).await;
    let body = json!({"amount": "1200", "currency": "INR", "instalments": 6});
    let loan = path(&customer.post("/api/loans").json(body).expect(201).await);
    decide(&world.admin, &loan, "approve", 1).refused(403, "own_application").await;
    let change = |new: &str| {
        customer.put("/api/auth/password").json(json!({"current_password": PASSWORD, "new_password": new})).expect(204)
    };
    // The same one again is still known.
    change(PASSWORD).await;
    decide(&world.admin, &loan, "approve", 1).refused(403, "own_application").await;
    change(NEW).await;
    decide(&world.admin, &loan, "approve", 1).expect(200).await;
}

#[tokio::test]
async fn nobody_takes_back_what_somebody_recorded_whose_password_they_set() {
    let world = World::new().await;
    let other = world.admin("other.admin").await;
    let loan = world.loan(LoanStatus::Disbursed).await;
    let pay = |session: &Session| {
        money(session, &loan, "repayments", json!({"amount": "10", "paid_on": "2024-01-20"})).expect(201)
    };
    let (by_agent, by_other) = (pay(&world.agent).await, pay(&other).await);
    set_password(&world.admin, &world.agent).await;
    let reversal = |transaction: &str| format!("transactions/{transaction}/reversal");
    let reason = json!({"reason": "r"});
    let by_agent = reversal(&by_agent.text_of("id"));
    money(&world.admin, &loan, &by_agent, reason.clone()).refused(403, "own_application").await;
    let write_off = json!({"on": "2024-02-01", "reason": "gone"});
    let refund = json!({"amount": "1", "paid_on": "2024-02-01"});
    money(&world.admin, &loan, "write-off", write_off.clone()).refused(403, "own_application").await;
    money(&world.admin, &loan, "refund", refund.clone()).refused(403, "own_application").await;
    // Transactions that another user recorded may be reversed; and another admin may do all of it.
    money(&world.admin, &loan, &reversal(&by_other.text_of("id")), reason.clone()).expect(201).await;
    money(&other, &loan, "refund", refund).breaks("/amount", "above_held").await;
    money(&other, &loan, &by_agent, reason).expect(201).await;
    money(&other, &loan, "write-off", write_off).expect(201).await;
}

#[tokio::test]
async fn the_database_keeps_duties_apart() {
    let world = World::new().await;
    let (loan, approved) = (world.loan(LoanStatus::Pending).await, world.loan(LoanStatus::Approved).await);
    let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    let application = world.application().await;
    let (admin, customer) = (world.admin.id, world.customer.id);
    let note = format!("UPDATE users SET password_set_by = '{admin}' WHERE id = '{customer}'");
    application.batch_execute(&note).await.unwrap();
    for (script, constraint) in [
        (
            format!(
                "UPDATE loans SET status = 'approved', version = 2, updated_at = now(), decided_by = '{admin}',
                    decided_at = now() WHERE id = '{}'",
                id(&loan)
            ),
            "loans_separation_of_duties",
        ),
        (
            format!(
                "INSERT INTO transactions (id, loan_id, kind, value_date, amount, currency, recorded_at,
                    recorded_by, paid_out)
                SELECT gen_random_uuid(), id, 'disbursement', '2024-01-15', amount, currency, now(), '{admin}', amount
                FROM loans WHERE id = '{}'",
                id(&approved)
            ),
            "transactions_separation_of_duties",
        ),
        (format!("UPDATE users SET password_set_by = id WHERE id = '{admin}'"), "users_password_set_by_another"),
    ] {
        let error = application.batch_execute(&script).await.unwrap_err();
        assert_eq!(error.as_db_error().and_then(|error| error.constraint()), Some(constraint), "{error:?}");
    }
}

/// The migration's own statement, on what the audit had before it.
#[tokio::test]
async fn who_set_which_password_is_taken_from_the_audit() {
    let world = World::new().await;
    set_password(&world.admin, &world.agent).await;
    set_password(&world.admin, &world.customer).await;
    let customer = world.session(world.customer.id, Role::Customer).await;
    let body = json!({"current_password": NEW, "new_password": PASSWORD});
    customer.put("/api/auth/password").json(body).expect(204).await;
    world.owner.batch_execute("UPDATE users SET password_set_by = NULL").await.unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/V13__accounts.sql");
    let migration = fs::read_to_string(file).unwrap();
    let (_, rest) = migration.split_once("UPDATE users u SET password_set_by").unwrap();
    let (rest, _) = rest.split_once(';').unwrap();
    world.owner.batch_execute(&format!("UPDATE users u SET password_set_by{rest}")).await.unwrap();
    let sql = "SELECT string_agg(username || ' ' || (SELECT username FROM users WHERE id = u.password_set_by), ', ')
        FROM users u WHERE password_set_by IS NOT NULL";
    let known: String = world.owner.query_one(sql, &[]).await.unwrap().get(0);
    assert_eq!(known, "the.agent the.admin");
}
