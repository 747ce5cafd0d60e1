//! Generated loan books: reproducible, whole, and right by every check.

use backend::models::loans::LoanStatus;
use jiff::{Timestamp, civil::Date};
use local::book::{self, Loaded, Plan};
use tests::{Api, ApiOptions};

const SMALL: Plan = Plan { loans: 300, seed: 1 };

/// A system with a book, loaded on this day.
async fn with_book(plan: Plan, today: Date) -> (Api, Loaded) {
    let api = Api::with(ApiOptions { zone: "Asia/Kolkata", ..ApiOptions::default() }).await;
    let mut counts = Vec::new();
    let loaded = book::load(&api.owner, plan, today, &api.app.zone, |loans| counts.push(loans)).await.unwrap().unwrap();
    assert_eq!(counts.last(), Some(&u64::from(plan.loans)));
    (api, loaded)
}

fn today(api: &Api) -> Date {
    api.app.date_of(Timestamp::now())
}

/// Every word of a column.
async fn words(api: &Api, sql: &str) -> Vec<String> {
    api.owner.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_book_is_right_by_every_check_and_has_everything_that_happens_to_loans() {
    let date = Timestamp::now().in_tz("Asia/Kolkata").unwrap().date();
    let (api, loaded) = with_book(SMALL, date).await;
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
    println!("{loaded:?}");
}
