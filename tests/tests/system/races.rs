//! Two requests at once, on connections of their own: one wins, the other learns so, and nothing is lost or half done.

use std::{collections::HashSet, pin::Pin};

use backend::domain::loan::LoanStatus;
use serde_json::{Value, json};
use tests::{Call, Reply, User};

use crate::world::World;

/// How often each race is run.
const ROUNDS: usize = 25;

/// Sends all of them at once.
async fn at_once(calls: Vec<Call>) -> Vec<Reply> {
    let sent: Vec<_> = calls.into_iter().map(|call| tokio::spawn(call.send())).collect();
    let mut replies = Vec::new();
    for reply in sent {
        replies.push(reply.await.unwrap());
    }
    replies
}

/// The one that succeeded; all others were refused with one of these.
fn winner<'a>(replies: &'a [Reply], refusals: &[(u16, &str)]) -> &'a Reply {
    let (won, lost): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status < 300);
    assert_eq!(won.len(), 1, "{won:?}");
    for reply in lost {
        assert!(refusals.contains(&(reply.status, reply.code())), "{reply}");
    }
    won[0]
}

/// The history has every version once, and ends with what the loan now is.
async fn is_whole(world: &World, loan: &str) -> Vec<Value> {
    let now = world.read(loan).await;
    let history = world.admin.walk(&format!("{loan}/history")).await;
    let versions: Vec<_> = history.iter().rev().map(|entry| entry["version"].as_i64().unwrap()).collect();
    assert_eq!(versions, (1..=now.version()).collect::<Vec<_>>());
    for field in ["status", "amount", "agent_id", "total_due"] {
        assert_eq!(history[0]["state"][field], now[field], "{field}");
    }
    let id = loan.strip_prefix("/api/loans/").unwrap();
    let audited = format!("SELECT count(*) FROM audit_log WHERE subject = 'loan:{id}'");
    assert_eq!(world.count(&audited).await, now.version(), "each version is in the audit log once");
    history
}

fn edit(by: &User, loan: &str, amount: &str) -> Call {
    by.patch(loan).if_match(1).json(json!({"amount": amount}))
}

fn decide(by: &User, loan: &str, action: &str) -> Call {
    by.post(&format!("{loan}/{action}")).if_match(1).json(json!({"reason": "r"}))
}

#[tokio::test]
async fn approve_against_edit() {
    let world = World::new().await;
    let mut winners = HashSet::new();
    for round in 0..ROUNDS {
        let loan = world.loan(LoanStatus::Pending).await;
        let mut calls = vec![decide(&world.admin, &loan, "approve"), edit(&world.agent, &loan, "1300")];
        if round % 2 == 1 {
            calls.reverse();
        }
        let replies = at_once(calls).await;
        let won = winner(&replies, &[(412, "stale_version")]);
        // The approved version is the one that the admin had seen.
        let approved = won["status"] == "approved";
        assert_eq!(won["amount"], if approved { "1200.00" } else { "1300.00" });
        assert_eq!(is_whole(&world, &loan).await.len(), 2);
        winners.insert(approved);
    }
    assert_eq!(winners.len(), 2, "both ways of the race were seen");
}

#[tokio::test]
async fn approve_against_edit_of_any_version() {
    let world = World::new().await;
    for _ in 0..ROUNDS {
        let loan = world.loan(LoanStatus::Pending).await;
        let any = |call: Call| call.header("if-match", "*");
        let calls = vec![any(decide(&world.admin, &loan, "approve")), any(edit(&world.agent, &loan, "1300"))];
        let replies = at_once(calls).await;
        assert_eq!(replies[0].status, 200, "{}", replies[0]);
        // An edit that comes second finds an approved loan.
        match replies[1].status {
            200 => assert_eq!((replies[1].version(), replies[0].version()), (2, 3)),
            _ => assert_eq!((replies[1].code(), replies[0].version()), ("not_editable", 2)),
        }
        let history = is_whole(&world, &loan).await;
        assert_eq!(history[0]["action"], "approve");
    }
}

#[tokio::test]
async fn approve_against_approve_and_reject() {
    let world = World::new().await;
    let other = world.api.admin("other.admin").await;
    for (one, two) in [("approve", "approve"), ("approve", "reject")] {
        for round in 0..ROUNDS {
            let loan = world.loan(LoanStatus::Pending).await;
            let any_version = round % 2 == 0;
            let calls = [(&world.admin, one), (&other, two), (&world.admin, two)].map(|(by, action)| {
                let call = decide(by, &loan, action);
                if any_version { call.header("if-match", "*") } else { call }
            });
            let replies = at_once(calls.into()).await;
            let refusal = if any_version { (409, "not_pending") } else { (412, "stale_version") };
            let won = winner(&replies, &[refusal]);
            let history = is_whole(&world, &loan).await;
            assert_eq!((history.len(), &history[0]["by"]), (2, &won["decided_by"]));
        }
    }
}

#[tokio::test]
async fn edit_against_edit() {
    let world = World::new().await;
    let other = world.api.agent("other.agent").await;
    for _ in 0..ROUNDS {
        let loan = world.loan(LoanStatus::Pending).await;
        let amounts = ["1301", "1302", "1303", "1304", "1305"];
        let agents = [&world.agent, &other];
        let calls = amounts.iter().enumerate().map(|(n, amount)| edit(agents[n % 2], &loan, amount)).collect();
        let replies = at_once(calls).await;
        let won = winner(&replies, &[(412, "stale_version")]);
        assert_eq!(is_whole(&world, &loan).await[0]["state"]["amount"], won["amount"]);
    }
}

#[tokio::test]
async fn forward_against_forward() {
    let world = World::new().await;
    let mut agents = vec![world.agent.clone()];
    for name in ["second.agent", "third.agent", "fourth.agent"] {
        agents.push(world.api.agent(name).await);
    }
    for _ in 0..ROUNDS {
        let loan = world.loan(LoanStatus::Pending).await;
        let calls = agents.iter().map(|agent| agent.post(&format!("{loan}/forward"))).collect();
        let replies = at_once(calls).await;
        let won = winner(&replies, &[(409, "already_forwarded")]);
        let forwarded = is_whole(&world, &loan).await;
        assert_eq!((forwarded.len(), &forwarded[0]["by"]), (2, &won["agent_id"]));
    }
}

#[tokio::test]
async fn withdraw_against_everything() {
    let world = World::new().await;
    for _ in 0..ROUNDS {
        let loan = world.loan(LoanStatus::Pending).await;
        let calls = vec![
            world.customer.post(&format!("{loan}/withdraw")),
            decide(&world.admin, &loan, "approve"),
            edit(&world.agent, &loan, "1300"),
            world.agent.post(&format!("{loan}/forward")),
        ];
        let replies = at_once(calls).await;
        // Whatever came before it, the loan is withdrawn; whatever came after it was refused.
        assert_eq!(replies[0].status, 200, "{}", replies[0]);
        for reply in &replies[1..] {
            assert!(matches!(reply.status, 200 | 409 | 412), "{reply}");
        }
        let history = is_whole(&world, &loan).await;
        assert_eq!(history[0]["action"], "withdraw");
        let succeeded = replies.iter().filter(|reply| reply.status == 200).count();
        assert_eq!(history.len(), succeeded + 1);
    }
}

/// Both have started, and neither has seen the other's change: the test holds the loan until both wait, so that it does
/// not depend on luck.
#[tokio::test]
async fn the_second_of_two_that_wait_sees_what_the_first_did() {
    let world = World::new().await;
    for _ in 0..5 {
        let loan = world.loan(LoanStatus::Pending).await;
        let mut holder = world.application().await;
        let held = holder.transaction().await.unwrap();
        held.execute("SELECT FROM loans WHERE status = 'pending' FOR UPDATE", &[]).await.unwrap();
        let calls = vec![decide(&world.admin, &loan, "approve"), edit(&world.agent, &loan, "1300")];
        let racing = tokio::spawn(at_once(calls));
        let waiting = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0";
        while world.count(waiting).await < 2 {
            tokio::task::yield_now().await;
        }
        held.rollback().await.unwrap();
        winner(&racing.await.unwrap(), &[(412, "stale_version")]);
        is_whole(&world, &loan).await;
        world.admin.post(&format!("{loan}/reject")).header("if-match", "*").json(json!({"reason": "r"})).send().await;
    }
}

#[tokio::test]
async fn one_default_one_code_one_version_of_a_product() {
    let world = World::new().await;
    for (round, currency) in ["USD", "EUR", "GBP", "CHF", "JPY", "BRL", "MXN", "ZAR"].into_iter().enumerate() {
        let product = |code: &str, is_default: bool| {
            world.admin.post("/api/products").json(json!({"code": code, "name": "n", "currency": currency,
                "min_amount": "1", "max_amount": "9", "min_instalments": 1, "max_instalments": 2, "min_rate_apr": "0",
                "max_rate_apr": "9", "is_default": is_default, "terms": {"interest_rate_apr": "9", "instalments": 1}}))
        };
        let (a, b) = (format!("a-{round}"), format!("b-{round}"));
        let defaults = at_once(vec![product(&a, true), product(&b, true)]).await;
        winner(&defaults, &[(409, "default_product_exists")]);
        let same = format!("c-{round}");
        let codes = at_once(vec![product(&same, false), product(&same, false), product(&same, false)]).await;
        winner(&codes, &[(409, "product_code_taken")]);
        let path = format!("/api/products/{same}");
        let change = |name: &str| world.admin.patch(&path).if_match(1).json(json!({"name": name}));
        let changes = at_once(vec![change("one"), change("two"), change("three")]).await;
        let won = winner(&changes, &[(412, "stale_version")]);
        let now = world.anyone().get(&path).expect(200).await;
        assert_eq!((now.version(), &now["name"]), (2, &won["name"]));
    }
}

/// An agent is suspended while it works: whatever it does after the suspension has been answered is refused.
#[tokio::test]
async fn suspend_against_apply() {
    let world = World::new().await;
    for round in 0..8 {
        let agent = world.api.agent(&format!("agent.{round}")).await;
        let apply = || -> Pin<Box<dyn Future<Output = Reply>>> {
            let body = json!({"borrower_id": world.customer.id, "amount": "10", "currency": "INR"});
            Box::pin(agent.post("/api/loans").json(body).send())
        };
        let suspend = world.admin.post(&format!("/api/users/{}/suspend", agent.id)).send();
        let (suspended, first, second) = tokio::join!(suspend, apply(), apply());
        assert_eq!(suspended.status, 200, "{suspended}");
        for reply in [first, second] {
            assert!(matches!(reply.status, 201 | 401), "{reply}");
        }
        assert_eq!(apply().await.status, 401);
    }
}
