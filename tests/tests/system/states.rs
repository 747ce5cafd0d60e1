//! Which step a loan may take from which status, and by whom.

use axum::http::Method;
use backend::domain::loan::LoanStatus::{self, Approved, Pending, Rejected, Withdrawn};
use serde_json::{Value, json};
use tests::User;

use crate::world::{NewLoan, World, path};

/// A step: how it is asked for, from which statuses it may be taken, to which it leads, what is said from all others.
struct Step<'a> {
    by: &'a User,
    method: Method,
    action: &'static str,
    body: Value,
    from: &'static [LoanStatus],
    to: LoanStatus,
    refusal: &'static str,
}

fn steps(world: &World) -> [Step<'_>; 7] {
    let step = |by, action, body, from, to, refusal| Step { by, method: Method::POST, action, body, from, to, refusal };
    let (customer, agent, admin) = (&world.customer, &world.agent, &world.admin);
    let reason = json!({"reason": "because"});
    let edit = json!({"amount": "1300"});
    [
        Step { method: Method::PATCH, ..step(agent, "", edit, &[Pending, Rejected], Pending, "not_editable") },
        step(agent, "/revert", json!({"version": 1, "reason": "r"}), &[Pending, Rejected], Pending, "not_editable"),
        step(agent, "/forward", json!({}), &[Pending], Pending, "not_pending"),
        step(admin, "/approve", json!({}), &[Pending], Approved, "not_pending"),
        step(admin, "/reject", reason.clone(), &[Pending], Rejected, "not_pending"),
        step(customer, "/withdraw", json!({}), &[Pending, Approved], Withdrawn, "not_withdrawable"),
        step(admin, "/undo-approval", reason, &[Approved], Pending, "not_approved"),
    ]
}

#[tokio::test]
async fn each_step_from_each_status_is_taken_or_refused() {
    let world = World::new().await;
    for status in LoanStatus::ALL {
        for step in steps(&world) {
            let loan = world.loan(status).await;
            let before = world.read(&loan).await;
            let version = before.version();
            let call = step.by.call(step.method, &format!("{loan}{}", step.action)).if_match(version).json(step.body);
            if step.from.contains(&status) {
                let after = call.expect(200).await;
                assert_eq!((after.version(), &after["status"]), (version + 1, &json!(step.to.as_str())), "{after}");
                assert_eq!(after.body, world.read(&loan).await.body);
                let has_decision = matches!(step.to, Approved | Rejected) || status == Approved && step.to == Withdrawn;
                assert_eq!(!after["decided_by"].is_null(), has_decision, "{after}");
            } else {
                let refused = call.refused(409, step.refusal).await;
                assert!(refused.text_of("detail").contains(status.as_str()), "{refused}");
                assert_eq!(before.body, world.read(&loan).await.body, "{refused}");
                assert_eq!(world.admin.walk(&format!("{loan}/history")).await[0]["version"], version);
            }
        }
    }
}

#[tokio::test]
async fn each_step_is_in_the_audit_log_and_a_refused_one_is_not() {
    let world = World::new().await;
    let loan = world.loan(Pending).await;
    let subject = format!("loan:{}", loan.strip_prefix("/api/loans/").unwrap());
    for (by, action, body) in [
        (&world.agent, "forward", json!({})),
        (&world.admin, "approve", json!({})),
        (&world.admin, "undo-approval", json!({"reason": "r"})),
        (&world.customer, "withdraw", json!({})),
    ] {
        let version = world.read(&loan).await.version();
        by.post(&format!("{loan}/{action}")).if_match(version).json(body.clone()).expect(200).await;
        by.post(&format!("{loan}/{action}")).if_match(version + 1).json(body).send().await;
    }
    let entries = world.admin.walk(&format!("/api/audit?subject={subject}")).await;
    let actions: Vec<_> = entries.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    let all = ["loan.withdraw", "loan.undo_approval", "loan.approve", "loan.forward", "loan.create"];
    assert_eq!(actions, all);
    assert_eq!(entries[2]["actor_id"], world.admin.id.to_string());
    assert_eq!(entries[2]["detail"], json!({"version": 3, "status": "approved"}));
}

#[tokio::test]
async fn an_agent_withdraws_only_what_it_has_taken_up() {
    let world = World::new().await;
    let other = world.api.agent("another.agent").await;
    let loan = world.loan(Pending).await;
    let withdraw = |by: &User| by.post(&format!("{loan}/withdraw")).json(json!({"reason": "r"}));
    withdraw(&world.agent).refused(403, "not_the_loans_agent").await;
    world.agent.post(&format!("{loan}/forward")).expect(200).await;
    other.post(&format!("{loan}/forward")).refused(409, "already_forwarded").await;
    withdraw(&other).refused(403, "not_the_loans_agent").await;
    withdraw(&world.agent).expect(200).await;
    // One that an agent applied for is that agent's from the start.
    let loan = world.applied("1000").await;
    world.agent.post(&format!("{loan}/forward")).refused(409, "already_forwarded").await;
    other.patch(&loan).if_match(1).json(json!({"amount": "900"})).expect(200).await;
    assert_eq!(world.read(&loan).await["agent_id"], world.agent.id.to_string());
}

#[tokio::test]
async fn nobody_decides_on_what_they_made() {
    let world = World::new().await;
    // No request lets an admin apply; a row that says so is refused all the same.
    let mut new = NewLoan {
        borrower: &world.customer,
        agent: Some(&world.admin),
        product: "microloan-inr",
        amount: "100",
        at: jiff::Timestamp::now(),
    };
    let own = format!("/api/loans/{}", world.insert(new).await.id);
    new.agent = Some(&world.agent);
    let others = format!("/api/loans/{}", world.insert(new).await.id);
    let reason = json!({"reason": "r"});
    for action in ["approve", "reject"] {
        let decide = |loan: &str| world.admin.post(&format!("{loan}/{action}"));
        decide(&own).if_match(1).json(reason.clone()).refused(403, "own_application").await;
    }
    world.admin.post(&format!("{others}/approve")).if_match(1).json(reason).expect(200).await;
}

#[tokio::test]
async fn a_reason_is_required_where_it_is_and_has_a_form() {
    let world = World::new().await;
    let (loan, approved) = (world.loan(Pending).await, world.loan(Approved).await);
    let reject = |body: Value| world.admin.post(&format!("{loan}/reject")).if_match(1).json(body);
    let undo = |body: Value| world.admin.post(&format!("{approved}/undo-approval")).json(body);
    let revert = |body: Value| world.agent.post(&format!("{loan}/revert")).if_match(1).json(body);
    reject(json!({})).invalid(&[("/reason", "required")]).await;
    undo(json!({})).invalid(&[("/reason", "required")]).await;
    revert(json!({"version": 1})).invalid(&[("/reason", "required")]).await;
    reject(json!({"reason": "  "})).invalid(&[("/reason", "blank")]).await;
    reject(json!({"reason": "x".repeat(1001)})).invalid(&[("/reason", "too_long")]).await;
    reject(json!({"reason": "a\u{0}b"})).invalid(&[("/reason", "control_character")]).await;
    reject(json!({"reason": 5})).invalid(&[("/reason", "wrong_type")]).await;
    let rejected = reject(json!({"reason": format!(" {} ", "ä".repeat(1000))})).expect(200).await;
    assert_eq!(rejected["decision_reason"], "ä".repeat(1000));
    assert_eq!((&rejected["decided_by"], &rejected["decided_at"]), (&json!(world.admin.id), &rejected["updated_at"]));
    // Approving needs none, and no body at all.
    let approve = path(&world.read(&world.loan(Pending).await).await);
    let approved = world.admin.post(&format!("{approve}/approve")).if_match(1).expect(200).await;
    assert_eq!(approved["decision_reason"], Value::Null);
}

/// Who last changed the proposal, and when: also on a past day, where later edits do not count.
#[tokio::test]
async fn a_loan_shows_who_last_edited_it_and_when() {
    let world = World::new().await;
    let loan = world.loan(LoanStatus::Pending).await;
    let edited = |loan: &tests::Reply| (loan["edited_by"].clone(), loan["edited_at"].clone());
    let created = world.read(&loan).await;
    assert_eq!(edited(&created), (json!(world.customer.id), created["created_at"].clone()));
    let changed = world.agent.patch(&loan).if_match(1).json(json!({"amount": "1300"})).expect(200).await;
    assert_eq!(edited(&changed), (json!(world.agent.id), changed["updated_at"].clone()));
    // An edit that changes nothing does not count, nor does any other step, nor money.
    let same = world.agent.patch(&loan).if_match(2).json(json!({"amount": "1300"})).expect(200).await;
    assert_eq!(edited(&same), edited(&changed));
    let approved = world.admin.post(&format!("{loan}/approve")).if_match(2).expect(200).await;
    assert_eq!(edited(&approved), edited(&changed));
    world.disburse(&loan, "2024-01-15").await;
    let disbursed = world.read(&loan).await;
    assert_eq!(edited(&disbursed), edited(&changed));
    for (known_at, known) in [(&created["created_at"], &created), (&changed["updated_at"], &changed)] {
        let then = world.read(&format!("{loan}?known_at={}", known_at.as_str().unwrap())).await;
        assert_eq!(edited(&then), edited(known), "{known_at}");
    }
    assert_eq!(edited(&world.read(&format!("{loan}?as_of=2024-02-01")).await), edited(&changed));
    stats::run(&world.app.db, &world.app.zone).await.unwrap();
    assert_eq!(stats::check(&world.app.db, &world.app.zone).await.unwrap(), []);
    // The database takes no other time for it, and none but with a step.
    let id = loan.strip_prefix("/api/loans/").unwrap();
    for change in ["edited_at = now()", "edited_at = now(), updated_at = now()", "edited_at = now() - interval '1 day'"]
    {
        let sql = format!("UPDATE loans SET {change} WHERE id = '{id}'");
        let refused = world.application().await.batch_execute(&sql).await.unwrap_err();
        assert_eq!(refused.as_db_error().unwrap().constraint(), Some("loans_edited_at"), "{change}");
    }
}

/// As if the agent had forwarded it; a revert is an edit too. Who has the application already keeps it.
#[tokio::test]
async fn an_agent_who_edits_a_customers_own_application_becomes_its_agent() {
    let world = World::new().await;
    let other = world.api.agent("other.agent").await;
    let edit = json!({"amount": "1300"});
    let loan = world.loan(LoanStatus::Pending).await;
    assert!(world.read(&loan).await["agent_id"].is_null());
    let same = world.agent.patch(&loan).if_match(1).json(json!({})).expect(200).await;
    assert!(same["agent_id"].is_null());
    let edited = world.agent.patch(&loan).if_match(1).json(edit.clone()).expect(200).await;
    assert_eq!(edited["agent_id"], json!(world.agent.id));
    let history = world.agent.get(&format!("{loan}/history")).expect(200).await;
    assert_eq!(history.list()[0]["changed"], json!(["amount", "agent_id"]));
    other.post(&format!("{loan}/forward")).refused(409, "already_forwarded").await;
    let edited = other.patch(&loan).if_match(2).json(json!({"amount": "1400"})).expect(200).await;
    assert_eq!((&edited["agent_id"], &edited["edited_by"]), (&json!(world.agent.id), &json!(other.id)));
    let requests = world.agent.get("/api/agents/me/requests").expect(200).await;
    assert_eq!(requests.list().len(), 1);
    assert_eq!(other.get("/api/agents/me/requests").expect(200).await.list().len(), 0);

    let rejected = world.loan(LoanStatus::Rejected).await;
    let resubmitted = other.patch(&rejected).if_match(2).json(json!({})).expect(200).await;
    assert_eq!(resubmitted["agent_id"], json!(other.id));
    let rejected = world.loan(LoanStatus::Rejected).await;
    let body = json!({"version": 1, "reason": "as first asked for"});
    let reverted = other.post(&format!("{rejected}/revert")).if_match(2).json(body).expect(200).await;
    assert_eq!(reverted["agent_id"], json!(other.id));
    stats::run(&world.app.db, &world.app.zone).await.unwrap();
    assert_eq!(stats::check(&world.app.db, &world.app.zone).await.unwrap(), []);
}

/// The lender had approved; that the customer no longer wanted the money does not change that.
#[tokio::test]
async fn a_loan_that_was_approved_and_withdrawn_later_counts_as_approved() {
    let world = World::new().await;
    let loans = [world.applied("1000").await, world.applied("1000").await, world.applied("1000").await];
    let rate = async || {
        let performance = world.agent.get("/api/agents/me/performance").expect(200).await;
        assert_eq!(performance["by_currency"]["INR"]["approval_rate"], performance["approval_rate"]);
        performance["approval_rate"].clone()
    };
    let [taken_back, rejected, undone] = &loans;
    assert_eq!(rate().await, json!(null));
    world.admin.post(&format!("{taken_back}/approve")).if_match(1).expect(200).await;
    let reason = || json!({"reason": "income too low"});
    world.admin.post(&format!("{rejected}/reject")).if_match(1).json(reason()).expect(200).await;
    assert_eq!(rate().await, "0.5000");
    world.agent.post(&format!("{taken_back}/withdraw")).expect(200).await;
    assert_eq!(rate().await, "0.5000");
    // One whose approval was undone was not.
    world.admin.post(&format!("{undone}/approve")).if_match(1).expect(200).await;
    assert_eq!(rate().await, "0.6667");
    world.admin.post(&format!("{undone}/undo-approval")).json(reason()).expect(200).await;
    world.agent.post(&format!("{undone}/withdraw")).expect(200).await;
    assert_eq!(rate().await, "0.5000");
    stats::run(&world.app.db, &world.app.zone).await.unwrap();
    assert_eq!(rate().await, "0.5000");
    assert_eq!(stats::check(&world.app.db, &world.app.zone).await.unwrap(), []);
}
