//! Generated loan books: reproducible, whole, and right by every check.

use std::collections::BTreeMap;

use backend::domain::loan::LoanStatus;
use jiff::{Timestamp, civil::Date};
use local::book::{self, Loaded, Plan};
use tests::{Api, ApiOptions};

const ZONE: &str = "Asia/Kolkata";

const SMALL: Plan = Plan { loans: 300, seed: 1 };

/// The tables that a book fills.
const TABLES: [&str; 12] = [
    "users",
    "audit_log",
    "products",
    "product_versions",
    "loans",
    "loan_versions",
    "transactions",
    "journal_entries",
    "journal_lines",
    "book_changes",
    "exposure_changes",
    "agent_changes",
];

fn today() -> Date {
    Timestamp::now().in_tz(ZONE).unwrap().date()
}

/// A system with a book, loaded on this day.
async fn with_book(plan: Plan, today: Date) -> (Api, Loaded) {
    let api = Api::with(ApiOptions { zone: ZONE, ..ApiOptions::default() }).await;
    let mut counts = Vec::new();
    let loaded = book::load(&api.owner, plan, today, &api.app.zone, |loans| counts.push(loans)).await.unwrap();
    assert_eq!(counts.last(), Some(&u64::from(plan.loans)));
    (api, loaded.unwrap())
}

/// A digest of every table's rows, whatever their order; of users without the hash of the password, which has a salt.
async fn digests(api: &Api) -> BTreeMap<&'static str, String> {
    let mut digests = BTreeMap::new();
    for table in TABLES.into_iter().chain(["account_changes"]) {
        let sql = format!(
            "SELECT coalesce(md5(string_agg(row, '' ORDER BY row)), '') FROM (
                SELECT (to_jsonb(t) - 'password_hash')::text AS row FROM {table} t {}) rows",
            // The catalogue that every lender starts with is of the migration's instant.
            if table.starts_with("product") { "WHERE code LIKE 'book-%'" } else { "" }
        );
        digests.insert(table, api.owner.query_one(&sql, &[]).await.unwrap().get(0));
    }
    digests
}

async fn words(api: &Api, sql: &str) -> Vec<String> {
    api.owner.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_book_is_right_by_every_check_and_has_everything_that_happens_to_loans() {
    let (api, loaded) = with_book(SMALL, today()).await;
    assert_eq!(stats::check(&api.app.db, &api.app.zone).await.unwrap(), []);
    stats::run(&api.app.db, &api.app.zone).await.unwrap();
    assert_eq!(stats::check(&api.app.db, &api.app.zone).await.unwrap(), []);

    let statuses = words(&api, "SELECT DISTINCT status FROM loans ORDER BY status").await;
    let mut all = LoanStatus::ALL.map(LoanStatus::as_str);
    all.sort_unstable();
    assert_eq!(statuses, all);
    let kinds = words(&api, "SELECT DISTINCT kind FROM transactions ORDER BY kind").await;
    let all = ["charge", "disbursement", "refund", "repayment", "reschedule", "reversal", "waiver", "write_off"];
    assert_eq!(kinds, all);

    assert_eq!(loaded.loans, 300);
    assert_eq!(api.count("SELECT count(*) FROM loans").await, 300);
    let transactions = api.count("SELECT count(*) FROM transactions").await;
    assert_eq!(loaded.transactions, u64::try_from(transactions).unwrap());
    assert!(loaded.refused * 50 < loaded.transactions, "more than one in fifty was refused: {loaded:?}");
    for (what, sql) in [
        (
            "recoveries",
            "transactions t JOIN transactions w USING (loan_id)
            WHERE w.kind = 'write_off' AND t.kind = 'repayment' AND t.value_date > w.value_date",
        ),
        ("payments entered late", "transactions WHERE kind = 'repayment' AND recorded_at::date > value_date + 1"),
        ("loans without an agent", "loans WHERE agent_id IS NULL"),
        ("loans of a customer who had one before", "loans a JOIN loans b USING (borrower_id) WHERE a.id <> b.id"),
        ("loans in arrears", "loans WHERE oldest_unpaid_due_on < current_date - 30"),
    ] {
        assert!(api.count(&format!("SELECT count(*) FROM {sql}")).await > 0, "no {what}");
    }
    // Each step and each transaction has its entry in the audit log.
    let steps = api.count("SELECT count(*) FROM loan_versions").await;
    let logged = api.count("SELECT count(*) FROM audit_log WHERE action LIKE 'loan.%'").await;
    assert_eq!(logged, steps + transactions);
    assert_eq!(api.count("SELECT count(*) FROM audit_log WHERE at >= now()").await, 0);
}

/// Rows that come by `COPY` keep to what the triggers ask that are off meanwhile, and the triggers are on again.
#[tokio::test]
async fn the_checks_that_a_load_goes_without_hold_afterwards() {
    let (api, _) = with_book(SMALL, today()).await;
    let off = "SELECT count(*) FROM pg_trigger WHERE tgenabled <> 'O'";
    assert_eq!(api.count(off).await, 0);
    for (rule, sql) in [
        ("a transaction is in the currency of its loan", "t.currency <> l.currency"),
        ("the amount of the loan is disbursed", "t.kind = 'disbursement' AND t.amount <> l.amount"),
        ("nothing happens before the disbursement", "t.value_date < l.disbursed_on"),
        ("a transaction is not recorded before its application", "t.recorded_at < l.created_at"),
        ("no loan is settled by another", "t.settled IS NOT NULL OR t.settled_by IS NOT NULL"),
        (
            "a reversal has the value date of what it reverses",
            "t.kind = 'reversal' AND t.value_date <>
            (SELECT value_date FROM transactions r WHERE r.id = t.reverses AND r.kind <> 'reversal')",
        ),
    ] {
        let broken = format!("SELECT count(*) FROM transactions t JOIN loans l ON l.id = t.loan_id WHERE {sql}");
        assert_eq!(api.count(&broken).await, 0, "{rule}");
    }
    let steps = "SELECT count(*) FROM loan_versions WHERE (version = 1) <> (action = 'create' AND status = 'pending')";
    assert_eq!(api.count(steps).await, 0);
}

#[tokio::test]
async fn the_same_plan_on_the_same_day_makes_the_same_rows_and_another_seed_others() {
    let day = today();
    let (one, loaded) = with_book(SMALL, day).await;
    let (two, again) = with_book(SMALL, day).await;
    let of_one = digests(&one).await;
    assert_eq!(loaded, again);
    assert_eq!(of_one, digests(&two).await);

    let (other, _) = with_book(Plan { seed: 2, ..SMALL }, day).await;
    let others = digests(&other).await;
    for table in TABLES {
        assert_ne!(of_one[table], others[table], "{table}");
    }
}

#[tokio::test]
async fn a_database_has_one_book_and_a_load_that_fails_leaves_nothing() {
    let (api, _) = with_book(Plan { loans: 1, seed: 9 }, today()).await;
    let before = digests(&api).await;
    let again = book::load(&api.owner, SMALL, today(), &api.app.zone, |_| panic!("it loads")).await.unwrap();
    assert_eq!(again, None);
    assert_eq!(digests(&api).await, before);

    // Somebody has the name of an agent of the book.
    let api = Api::with(ApiOptions { zone: ZONE, ..ApiOptions::default() }).await;
    api.customer("book-agent-3").await;
    let before = digests(&api).await;
    let refused = book::load(&api.owner, SMALL, today(), &api.app.zone, |_| {}).await.unwrap_err();
    assert!(refused.to_string().contains("users_username_key"), "{refused}");
    assert_eq!(digests(&api).await, before);
    assert_eq!(api.count("SELECT count(*) FROM pg_trigger WHERE tgenabled <> 'O'").await, 0);
}
