//! Loans that an earlier release wrote, by rules that led to something else, are stated again when the database is
//! migrated.

use std::time::Duration;

use backend::values::time::Instant;
use jiff::Timestamp;
use local::book::{self, Plan};
use migrate::{Event, Restated};
use serde_json::{Value, json};
use tests::Reply;
use tokio::time::sleep;

use crate::world::World;

/// Changes what cannot be changed, as if it had been written so.
async fn plant(world: &World, sql: &str) {
    let tables = ["loans", "transactions", "journal_entries", "journal_lines"];
    let triggers = |what: &str| tables.map(|table| format!("ALTER TABLE {table} {what} TRIGGER USER;")).concat();
    let script =
        format!("BEGIN; {} {sql}; SET CONSTRAINTS ALL IMMEDIATE; {} COMMIT", triggers("DISABLE"), triggers("ENABLE"));
    world.owner.batch_execute(&script).await.unwrap();
}

async fn differences(world: &World) -> Vec<String> {
    let differences = stats::check(&world.app.db, &world.app.zone).await.unwrap();
    differences.into_iter().map(|difference| difference.of).collect()
}

fn id(path: &str) -> &str {
    path.strip_prefix("/api/loans/").unwrap()
}

/// A loan of which 200.00 are unpaid, and which was closed by older rules: they held 100.00 of what paid principal, and
/// dropped the rest.
async fn closed_by_older_rules(world: &World) -> (String, Reply) {
    let path = world.plain().await;
    world.pay(&path, "400", "2024-02-15").await;
    let last = world.pay(&path, "600", "2024-03-15").await;
    let entry = format!("(SELECT id FROM journal_entries WHERE transaction_id = '{}')", last.text_of("id"));
    let sql = format!(
        "UPDATE loans SET status = 'repaid', outstanding = 0, oldest_unpaid_due_on = NULL,
            owed_on = '{{}}', owed = '{{}}', total_due = 1100, held_on = '{{2024-01-15}}', held = '{{100}}'
        WHERE id = '{}';
        UPDATE journal_lines SET credit = 500 WHERE account = 'principal_receivable' AND entry_id = {entry};
        INSERT INTO journal_lines VALUES ({entry}, 'overpayments_payable', 0, 100);
        UPDATE account_changes SET credit = 500 WHERE account = 'principal_receivable' AND on_date = '2024-03-15';
        INSERT INTO account_changes VALUES ('2024-03-15', 'EUR', 'overpayments_payable', 0, 100)",
        id(&path)
    );
    plant(world, &sql).await;
    (path, last)
}

#[tokio::test]
async fn loans_of_older_rules_are_stated_again() {
    let world = World::new().await;
    let (closed, last) = closed_by_older_rules(&world).await;
    let late = json!({"interest_rate_apr": "0", "instalments": 3,
        "late_fee": {"grace_days": 5, "kind": "flat", "value": "4", "max_times": 2}});
    let late = world.disbursed("600", late, "2024-01-15").await;
    let approved = world.approved("1200", "EUR", json!({"interest_rate_apr": "24", "instalments": 6})).await;
    let (right, of_approved) = (world.plain().await, world.get(&approved).await);
    let sql = format!(
        "UPDATE loans SET penalties_on = '{{}}', penalties = '{{}}' WHERE id = '{}';
        UPDATE loans SET instalment = 1, total_interest = 2, total_due = 3 WHERE id = '{}';
        UPDATE loans SET rules_version = 0; UPDATE book_changes SET past_due = past_due + 1",
        id(&late),
        id(&approved)
    );
    plant(&world, &sql).await;
    assert!(differences(&world).await.len() > 4);
    let known_at = Timestamp::now();
    let known = async || world.get(&format!("/api/ledger/trial-balance?known_at={known_at}")).await.body;
    let (then, rows) = (known().await, world.count("SELECT count(*) FROM journal_entries").await);
    let updated = "SELECT sum(extract(epoch FROM updated_at) * 1000000)::bigint FROM loans";
    let updated_at = world.count(updated).await;

    let restated = world.restate(Event::default()).await;
    assert_eq!(restated, Restated { loans: 4, changed: 3, refused: 0, finished: true });
    stats::run(&world.app.db, &world.app.zone).await.unwrap();
    crate::books::are_right(&world).await;
    let loan = world.get(&closed).await;
    assert_eq!([&loan["status"], &loan["outstanding"], &loan["held"]], ["disbursed", "200.00", "0.00"]);
    assert_eq!(world.get(&approved).await.body, of_approved.body);
    assert_eq!(world.get(&right).await["status"], "disbursed");
    assert_eq!(world.count(updated).await, updated_at);

    // The correction is an entry of its own, beside that of the last transaction; what was known before stays so.
    assert_eq!(world.count("SELECT count(*) FROM journal_entries").await, rows + 1);
    assert_eq!(known().await, then);
    let ledger = world.get(&format!("{closed}/ledger")).await;
    let (correction, entry) = (&ledger.list()[0], &ledger.list()[1]);
    assert_eq!([&correction["transaction_id"], &entry["transaction_id"]], [&last["id"], &last["id"]]);
    assert_eq!([&correction["value_date"], &entry["recorded_at"]], [&json!("2024-03-15"), &last["recorded_at"]]);
    assert!(correction["recorded_at"].as_str().unwrap() > known_at.to_string().as_str());
    let line = |account: &str, debit: &str, credit: &str| json!({"account": account, "debit": debit, "credit": credit});
    assert_eq!(
        correction["lines"],
        json!([line("overpayments_payable", "100.00", "0.00"), line("principal_receivable", "0.00", "100.00")])
    );
    assert_eq!(world.admin.walk(&format!("{closed}/ledger?limit=1")).await, ledger.list());
    let before = world.get(&format!("{closed}/ledger?known_at={known_at}")).await;
    assert_eq!(before.list(), &ledger.list()[1..]);

    // Nothing is left to do, and the loan goes on.
    let nothing = Restated { finished: true, ..Restated::default() };
    assert_eq!(world.restate(Event::default()).await, nothing);
    world.pay(&closed, "200", "2024-04-15").await;
    assert_eq!(world.get(&closed).await["status"], "repaid");
    assert_eq!(world.restate(Event::default()).await, nothing);
    crate::books::are_right(&world).await;
    // Rows that functions of the release before wrote meanwhile are checked on request.
    let since = Some(Instant("2000-01-01T00:00:00Z".parse().unwrap()));
    let asked = world.restate(Event { restate_since: since, ..Event::default() }).await;
    assert_eq!(asked, Restated { loans: 4, ..nothing });
    let since = Some(Instant(Timestamp::now()));
    assert_eq!(world.restate(Event { restate_since: since, ..Event::default() }).await, nothing);
}

/// A command adds what follows from it by the new rules, and puts nothing right that older rules posted before.
#[tokio::test]
async fn a_command_does_not_hide_a_loan_of_older_rules() {
    let world = World::new().await;
    let (closed, _) = closed_by_older_rules(&world).await;
    plant(&world, "UPDATE loans SET rules_version = 0; UPDATE book_changes SET past_due = past_due + 1").await;
    world.pay(&closed, "50", "2024-04-15").await;
    assert!(!differences(&world).await.is_empty(), "the journal is as the older rules left it");
    let expected = Restated { loans: 1, changed: 1, refused: 0, finished: true };
    assert_eq!(world.restate(Event::default()).await, expected);
    stats::run(&world.app.db, &world.app.zone).await.unwrap();
    crate::books::are_right(&world).await;
}

/// Functions of the release before serve until the deployment is over. Some do not know the columns of this release,
/// and those of a later one may know them and follow older rules.
#[tokio::test]
async fn what_functions_of_other_rules_write_after_a_loan_was_stated_is_found() {
    let world = World::new().await;
    let (first, second) = (world.plain().await, world.plain().await);
    let nothing = Restated { finished: true, ..Restated::default() };
    assert_eq!(world.restate(Event::default()).await, nothing);
    let sql = format!("UPDATE loans SET total_due = 1, updated_at = clock_timestamp() WHERE id = '{}'", id(&first));
    plant(&world, &sql).await;
    let found = Restated { loans: 1, changed: 1, ..nothing };
    assert_eq!(world.restate(Event::default()).await, found);
    assert_eq!(world.restate(Event::default()).await, nothing);
    // The rules of a release to come: this one's functions write by theirs.
    plant(&world, &format!("UPDATE loans SET rules_version = 99 WHERE id = '{}'", id(&second))).await;
    world.pay(&second, "10", "2024-02-15").await;
    let right = Restated { loans: 1, ..nothing };
    assert_eq!(world.restate(Event::default()).await, right);
}

/// The functions' login states nothing again.
#[tokio::test]
async fn the_owner_alone_adds_entries_to_a_transaction_that_is_there() {
    let world = World::new().await;
    let path = world.plain().await;
    world.pay(&path, "200", "2024-02-15").await;
    let entry = |kind: &str, recorded_at: &str| {
        format!(
            "WITH entry AS (
                INSERT INTO journal_entries (id, loan_id, transaction_id, currency, value_date, recorded_at, restates)
                SELECT gen_random_uuid(), loan_id, id, currency, value_date, {recorded_at}, true
                FROM transactions WHERE loan_id = '{}' AND kind = '{kind}' RETURNING id)
            INSERT INTO journal_lines SELECT id, 'cash', 1, 0 FROM entry UNION ALL
                SELECT id, 'recoveries', 0, 1 FROM entry",
            id(&path)
        )
    };
    let now = "clock_timestamp()";
    let application = world.application().await;
    let refusals = [
        (&application, entry("repayment", now), "journal_entries_restating"),
        (&world.owner, entry("disbursement", now), "journal_entries_restating"),
        (&world.owner, entry("repayment", "recorded_at - interval '1 microsecond'"), "journal_entries_restating"),
        (&world.owner, entry("repayment", "recorded_at"), "journal_entries_one_a_date"),
    ];
    for (client, sql, by) in refusals {
        let refused = client.batch_execute(&sql).await.unwrap_err();
        assert_eq!(refused.as_db_error().unwrap().constraint(), Some(by), "{sql}");
    }
    world.owner.batch_execute(&entry("repayment", now)).await.unwrap();
}

/// One loan that cannot be stated again does not keep the others from it, and is tried again.
#[tokio::test]
async fn a_loan_that_cannot_be_stated_again_keeps_no_other_from_it() {
    let world = World::new().await;
    let (impossible, mendable) = (world.plain().await, world.plain().await);
    world.pay(&impossible, "10", "2024-02-15").await;
    let sql = format!(
        "INSERT INTO transactions (id, loan_id, kind, value_date, recorded_at, recorded_by, currency, amount)
        SELECT gen_random_uuid(), loan_id, 'refund', value_date, clock_timestamp(), recorded_by, currency, 999
        FROM transactions WHERE loan_id = '{}' AND kind = 'repayment';
        UPDATE loans SET rules_version = 0, total_due = 1",
        id(&impossible)
    );
    plant(&world, &sql).await;
    let expected = Restated { loans: 2, changed: 1, refused: 1, finished: false };
    assert_eq!(world.restate(Event::default()).await, expected);
    assert_eq!(world.get(&mendable).await["total_due"], "1200.00");
    let again = Restated { loans: 1, changed: 0, ..expected };
    assert_eq!(world.restate(Event::default()).await, again);
}

/// Work done before a run was cut short stays, and the next run does the rest.
#[tokio::test]
async fn a_run_that_is_broken_off_is_gone_on_with() {
    let world = World::new().await;
    let today = world.app.today();
    let plan = Plan { loans: 120, seed: 7 };
    book::load(&world.owner, plan, today, &world.app.zone, |_| {}).await.unwrap().unwrap();
    plant(&world, "UPDATE loans SET rules_version = 0, instalment = instalment + 1").await;
    let all = world.count("SELECT count(*) FROM loans").await;
    let done = "SELECT count(*) FROM loans WHERE rules_version > 0";
    let held = world.connect_as_owner().await;
    held.batch_execute("BEGIN; SELECT FROM loans ORDER BY id DESC LIMIT 1 FOR UPDATE").await.unwrap();
    {
        let mut run = Box::pin(world.restate(Event::default()));
        loop {
            tokio::select! {
                restated = &mut run => panic!("nothing holds it: {restated:?}"),
                () = sleep(Duration::from_millis(20)) => {}
            }
            if world.count(done).await == 100 {
                break;
            }
        }
    }
    held.batch_execute("ROLLBACK").await.unwrap();
    let rest = u64::try_from(all - 100).unwrap();
    assert_eq!(
        world.restate(Event::default()).await,
        Restated { loans: rest, changed: rest, refused: 0, finished: true }
    );
    assert_eq!(world.count(done).await, all);
    stats::run(&world.app.db, &world.app.zone).await.unwrap();
    assert_eq!(differences(&world).await, [] as [String; 0]);
    let nothing: Value = serde_json::to_value(world.restate(Event::default()).await).unwrap();
    assert_eq!(nothing, json!({"loans": 0, "changed": 0, "refused": 0, "finished": true}));
}
