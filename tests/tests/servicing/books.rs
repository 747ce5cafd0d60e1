//! The columns of loans and the journal are what follows from the transactions, for every loan.

use crate::world::World;
use backend::{
    db::Batch,
    domain::{loan::Scope, loan_money},
    store::{loans, portfolio, transactions},
};
use jiff::{Timestamp, ToSpan};
use lending::{Account, Event, Money, fold};
use serde_json::json;
use uuid::Uuid;

/// Recomputes every loan, the journal and every figure from the transactions, and finds no difference: before the
/// scheduled function has added the figures up, and after it.
pub(crate) async fn are_right(world: &World) {
    assert!(world.count("SELECT count(*) FROM journal_lines").await > 0);
    assert_eq!(stats::check(&world.app.db, &world.app.zone).await.unwrap(), []);
    rows_stay_right(world).await;
    stats::run(&world.app.db, &world.app.zone).await.unwrap();
    assert_eq!(world.count("SELECT count(*) FROM book_changes").await, 0);
    assert_eq!(stats::check(&world.app.db, &world.app.zone).await.unwrap(), []);
}

/// Rows follow from the recorded transactions, not from the day on which they are read.
async fn rows_stay_right(world: &World) {
    let all = loans::after(Uuid::nil(), 10_000).run(&world.owner).await.unwrap();
    for loan in all {
        let transactions = transactions::of_loan(loan.id, None).run(&world.owner).await.unwrap();
        let steps = portfolio::steps(loan.id).run(&world.owner).await.unwrap();
        for days in [1, 40, 400, 4_000, 40_000] {
            let day = world.app.today().saturating_add(days.days());
            let follows = loan_money::recompute(&loan, &transactions, &steps, day);
            assert_eq!(follows.map_err(|refusal| refusal.to_string()), Ok(loan.clone()), "{day}");
        }
    }
}

/// The lines up to a day that were recorded by an instant.
async fn balances(world: &World, id: Uuid, as_of: &str, known_at: Timestamp) -> Vec<(String, String)> {
    let sql = "SELECT l.account, (sum(l.debit - l.credit))::text FROM journal_lines l
        JOIN journal_entries e ON e.id = l.entry_id
        WHERE e.loan_id = $1 AND e.value_date <= $2::text::date AND e.recorded_at <= $3
        GROUP BY l.account HAVING sum(l.debit - l.credit) <> 0 ORDER BY l.account";
    let rows = world.owner.query(sql, &[&id, &as_of, &known_at]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[tokio::test]
async fn the_lines_of_any_day_known_at_any_instant_are_those_of_the_state() {
    let world = World::new().await;
    let terms = json!({"interest_rate_apr": "24", "instalments": 6,
        "fees": [{"code": "f", "when": "disbursement", "amount": "30"}],
        "late_fee": {"grace_days": 3, "kind": "flat", "value": "5", "max_times": 2}});
    let path = world.disbursed("1200", terms, "2024-01-15").await;
    let first = world.pay(&path, "214.23", "2024-02-15").await;
    world.pay(&path, "300", "2024-04-20").await;
    let charge = json!({"code": "c", "kind": "fee", "amount": "12.34", "due_on": "2024-03-10"});
    world.send(&path, "charges", charge).expect(201).await;
    world.reverse(&path, &first).expect(201).await;
    let waiver = json!({"component": "penalty", "amount": "5", "on": "2024-05-01", "reason": "r"});
    world.send(&path, "waivers", waiver).expect(201).await;
    world.pay(&path, "2000", "2024-06-01").await;
    world.send(&path, "refund", json!({"amount": "100", "paid_on": "2024-06-02"})).expect(201).await;
    let late = json!({"code": "c", "kind": "penalty", "amount": "20", "due_on": "2099-01-01"});
    world.send(&path, "charges", late).expect(201).await;
    are_right(&world).await;

    let id: Uuid = path.strip_prefix("/api/loans/").unwrap().parse().unwrap();
    let loan = loans::by_id(id, Scope::All).run(&world.owner).await.unwrap().unwrap();
    let known = transactions::of_loan(id, None).run(&world.owner).await.unwrap();
    let events: Vec<Event> = known.iter().map(|transaction| transaction.event.clone()).collect();
    let mut instants: Vec<Timestamp> = events.iter().map(|event| event.recorded_at).collect();
    instants.push(Timestamp::now());
    for known_at in instants {
        for as_of in ["2024-01-14", "2024-01-15", "2024-02-15", "2024-04-20", "2024-06-01", "2024-06-02", "2099-01-01"]
        {
            let state = fold(&loan.contract(), &events, as_of.parse().unwrap(), known_at).unwrap();
            let mut follows: Vec<(String, String)> = Account::ALL
                .iter()
                .copied()
                .map(|account| {
                    let of_account = state.postings.iter().filter(|posting| posting.account == account);
                    let zero = Money::zero(loan.amount.currency());
                    let sum = of_account.fold(zero, |sum, posting| sum.checked_add(posting.amount).unwrap());
                    (account.as_str().to_owned(), sum)
                })
                .filter(|(_, sum)| !sum.is_zero())
                .map(|(account, sum)| (account, sum.to_string()))
                .collect();
            follows.sort();
            assert_eq!(balances(&world, id, as_of, known_at).await, follows, "{as_of} {known_at}");
        }
    }
}

/// Changes of the books that no transaction may make, whoever asks.
#[tokio::test]
async fn the_database_refuses_books_that_do_not_balance_and_any_change_of_them() {
    let world = World::new().await;
    let path = world.plain().await;
    world.pay(&path, "200", "2024-02-15").await;
    let application = world.application().await;
    let id = path.strip_prefix("/api/loans/").unwrap();
    let entry = format!(
        "INSERT INTO journal_entries (id, loan_id, transaction_id, currency, value_date, recorded_at)
        SELECT '00000000-0000-7000-8000-000000000001', loan_id, id, 'EUR', '2024-03-01', recorded_at
        FROM (SELECT * FROM transactions WHERE loan_id = '{id}' AND kind = 'repayment'
            ORDER BY recorded_at DESC LIMIT 1) t"
    );
    // Entries come with their transaction: of one that is there already there are all that there will be.
    let with_payment = |sql: &str| {
        format!(
            "BEGIN; INSERT INTO transactions (id, loan_id, kind, value_date, recorded_at, recorded_by, currency, amount)
            SELECT gen_random_uuid(), loan_id, kind, value_date, clock_timestamp(), recorded_by, currency, amount
            FROM transactions WHERE loan_id = '{id}' AND kind = 'repayment'; {sql}; COMMIT"
        )
    };
    let with = |entry: &str, lines: &[(&str, &str, &str)]| {
        let line = |(account, debit, credit): &(&str, &str, &str)| {
            format!("('00000000-0000-7000-8000-000000000001', '{account}', {debit}, {credit})")
        };
        let lines: Vec<String> = lines.iter().map(line).collect();
        format!("WITH entry AS ({entry}) INSERT INTO journal_lines VALUES {}", lines.join(", "))
    };
    let balanced = [("cash", "1", "0"), ("recoveries", "0", "1")];
    let later = "INSERT INTO journal_lines SELECT id, account, 1, 0
        FROM journal_entries, (VALUES ('recoveries'), ('write_offs')) AS a (account) LIMIT 2";
    application.batch_execute(&with_payment(&with(&entry, &balanced)).replace("COMMIT", "ROLLBACK")).await.unwrap();
    let refused = application.batch_execute(&with(&entry, &balanced)).await.unwrap_err();
    assert_eq!(refused.as_db_error().unwrap().constraint(), Some("journal_entries_transaction"));
    for (sql, constraint) in [
        (entry.clone(), "journal_entries_balanced"),
        (with(&entry, &[("cash", "1", "0")]), "journal_entries_balanced"),
        (with(&entry, &[("cash", "2", "0"), ("recoveries", "0", "1")]), "journal_entries_balanced"),
        (with(&entry, &[("cash", "1", "1")]), "journal_lines_one_side"),
        (with(&entry, &[("cash", "0", "0")]), "journal_lines_one_side"),
        (with(&entry, &[("cash", "0.001", "0"), ("recoveries", "0", "0.001")]), "journal_lines_decimals"),
        (with(&entry, &[("cash", "1", "0"), ("gold", "0", "1")]), "journal_lines_account"),
        (with(&entry.replace("'EUR'", "'USD'"), &balanced), "journal_entries_transaction"),
        (with(&entry.replace(", recorded_at\n", ", now()\n"), &balanced), "journal_entries_transaction"),
        (with(&entry.replace("'2024-03-01'", "'infinity'"), &balanced), "journal_entries_value_date"),
        (
            with(
                &entry.replace(
                    "SELECT '00000000-0000-7000-8000-000000000001', loan_id",
                    "SELECT '00000000-0000-7000-8000-000000000001', id",
                ),
                &balanced,
            ),
            "journal_entries_transaction",
        ),
        (later.to_owned(), "journal_lines_with_entry"),
        (format!("{}; {later}", with(&entry, &balanced)), "journal_lines_with_entry"),
    ] {
        let refused = application.batch_execute(&with_payment(&sql)).await.unwrap_err();
        assert_eq!(refused.as_db_error().unwrap().constraint(), Some(constraint), "{sql}: {refused:?}");
        application.batch_execute("ROLLBACK").await.unwrap();
    }
    for table in ["transactions", "journal_entries", "journal_lines"] {
        for change in [format!("DELETE FROM {table}"), format!("TRUNCATE {table} CASCADE")] {
            application.batch_execute(&change).await.unwrap_err();
            let refused = world.owner.batch_execute(&change).await.unwrap_err();
            assert_eq!(refused.as_db_error().unwrap().constraint(), Some("append_only"), "{change}");
        }
    }
    let change = "UPDATE transactions SET amount = amount + 1 WHERE amount IS NOT NULL";
    let refused = world.owner.batch_execute(change).await.unwrap_err();
    assert_eq!(refused.as_db_error().unwrap().constraint(), Some("append_only"));
    are_right(&world).await;
}
