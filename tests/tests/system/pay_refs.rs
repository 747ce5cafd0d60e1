//! `pay_ref`: every loan has one from its creation, and is found by it as a borrower types it.

use std::{fs, path::Path};

use backend::{domain::loan::LoanStatus, values::pay_ref::PayRef};
use serde_json::json;
use tests::Reply;

use crate::world::World;

fn pay_ref(loan: &Reply) -> PayRef {
    PayRef::parse(loan["pay_ref"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_loan_has_its_own_from_its_application_on() {
    let world = World::new().await;
    let body = json!({"borrower_id": world.customer.id, "amount": "1200", "currency": "INR"});
    let made = world.agent.post("/api/loans").json(body.clone()).expect(201).await;
    let other = world.agent.post("/api/loans").json(body).expect(201).await;
    assert_ne!(pay_ref(&made), pay_ref(&other));
    let path = format!("/api/loans/{}", made.text_of("id"));
    let approved = world.admin.post(&format!("{path}/approve")).if_match(1).expect(200).await;
    let before = world.customer.get(&format!("{path}?as_of=2026-01-01")).expect(404).await;
    assert_eq!(before["code"], "not_found");
    for loan in [approved, world.customer.get(&path).expect(200).await] {
        assert_eq!(pay_ref(&loan), pay_ref(&made));
    }
}

#[tokio::test]
async fn a_list_finds_the_loan_that_a_borrower_typed() {
    let world = World::new().await;
    let loan = world.read(&world.loan(LoanStatus::Pending).await).await;
    world.loan(LoanStatus::Pending).await;
    let digits = pay_ref(&loan).to_string();
    let (a, b) = digits.split_at(3);
    for typed in [digits.clone(), format!("%23{a}-{b}"), format!("{a}%20{b}")] {
        let found = world.agent.get(&format!("/api/loans?pay_ref={typed}")).expect(200).await;
        assert_eq!(found.list().len(), 1, "{typed}");
        assert_eq!(found.list()[0]["id"], loan["id"]);
    }
    let last = (digits.as_bytes()[9] - b'0' + 1) % 10;
    let mistyped = format!("/api/loans?pay_ref={}{last}", &digits[..9]);
    world.agent.get(&mistyped).invalid(&[("/pay_ref", "not_a_pay_ref")]).await;
}

#[tokio::test]
async fn what_is_to_be_collected_says_how_it_is_paid() {
    let world = World::new().await;
    let path = world.loan(LoanStatus::Disbursed).await;
    let due = world.admin.get("/api/collections?on=2100-01-01").expect(200).await;
    assert_eq!(due.list()[0]["pay_ref"], world.read(&path).await["pay_ref"]);
}

/// As code of the release before makes them, and as the migration finds them.
#[tokio::test]
async fn loans_without_one_get_theirs() {
    let world = World::new().await;
    for _ in 0..3 {
        world.loan(LoanStatus::Disbursed).await;
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/V29__pay_refs_of_loans.sql");
    let migration = fs::read_to_string(file).unwrap();
    let before = "BEGIN;
        ALTER TABLE loans DROP CONSTRAINT loans_pay_ref, DROP CONSTRAINT loans_pay_ref_key, DISABLE TRIGGER USER;
        UPDATE loans SET pay_ref = NULL WHERE id <> (SELECT id FROM loans ORDER BY id LIMIT 1);
        ALTER TABLE loans ENABLE TRIGGER USER; COMMIT";
    world.owner.batch_execute(before).await.unwrap();
    world.owner.batch_execute(&format!("BEGIN; {migration}; COMMIT")).await.unwrap();
    let copy = "INSERT INTO loans SELECT (jsonb_populate_record(l, jsonb_build_object(
            'id', gen_random_uuid(), 'pay_ref', null, 'status', 'pending', 'disbursed_on', null, 'outstanding', 0,
                'owed', '{}'::numeric[],
            'owed_on', '{}'::date[], 'oldest_unpaid_due_on', null, 'next_due_on', null, 'decided_by', null,
                'decided_at', null,
            'decision_reason', null, 'version', 1))).* FROM loans l LIMIT 1";
    // Not committed: a loan has a version.
    world.owner.batch_execute("BEGIN").await.unwrap();
    world.owner.batch_execute(copy).await.unwrap();
    let rows = world.owner.query("SELECT pay_ref FROM loans", &[]).await.unwrap();
    world.owner.batch_execute("ROLLBACK").await.unwrap();
    let mut refs: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert!(refs.iter().all(|text| PayRef::parse(text).is_some()), "{refs:?}");
    refs.sort();
    refs.dedup();
    assert_eq!(refs.len(), 4);
}
