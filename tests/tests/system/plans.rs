//! On a generated book, nobody who asks for a loan, a page or a figure has the database read a large table from end to
//! end.

use std::collections::BTreeMap;

use backend::{config::Statements, values::pay_ref::PayRef};
use jiff::{Span, Timestamp, civil::Date};
use local::book::{self, Plan};
use serde_json::json;
use tests::{Api, ApiOptions, Session};
use uuid::Uuid;

/// Enough that the planner prefers an index where there is one.
const BOOK: Plan = Plan { loans: 2_000, seed: 1 };

/// The tables that grow with the number of loans. What is left out is as small as the number of products, days or
/// agents, or is made empty again and again by the scheduled function.
const LARGE: [&str; 11] = [
    "agent_days",
    "audit_addresses",
    "audit_log",
    "idempotency_keys",
    "journal_entries",
    "journal_lines",
    "loan_versions",
    "loans",
    "transactions",
    "user_words",
    "users",
];

/// A connection of the owner's after all others have ended: only then their reads are counted.
async fn after_all(api: &Api) -> tokio_postgres::Client {
    api.database.break_connections().await.unwrap();
    let (owner, connection) = tokio_postgres::connect(api.database.owner_url(), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let gone = "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
        AND pid <> pg_backend_pid())";
    while !owner.query_one(gone, &[]).await.unwrap().get::<_, bool>(0) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    owner
}

/// How often each large table was read from end to end so far. Ends the application's connections.
async fn whole_reads(api: &Api) -> BTreeMap<String, i64> {
    let owner = after_all(api).await;
    let sql = "SELECT relname::text, seq_scan FROM pg_stat_user_tables WHERE relname = ANY ($1)";
    let rows = owner.query(sql, &[&LARGE.as_slice()]).await.unwrap();
    assert_eq!(rows.len(), LARGE.len());
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// Makes as many entries as a payment that is taken back from the middle of a long loan: they are checked one by one,
/// whatever the planner thinks of the disk. They come with their payment.
async fn a_year_of_entries(api: &Api) {
    let entries = "SET random_page_cost = 4;
        BEGIN;
        INSERT INTO transactions (id, loan_id, kind, value_date, recorded_at, recorded_by, currency, amount)
        SELECT '01ffffff-0000-7000-8000-000000000001', id, 'repayment', disbursed_on, clock_timestamp(), created_by,
            currency, 1
        FROM loans WHERE status = 'disbursed' ORDER BY id LIMIT 1;
        WITH days AS (
            SELECT gen_random_uuid() AS id, day::date
                FROM generate_series('2023-01-01', '2023-12-31', interval '1 day') day),
        entries AS (
            INSERT INTO journal_entries (id, loan_id, transaction_id, currency, value_date, recorded_at)
            SELECT days.id, t.loan_id, t.id, t.currency, day, t.recorded_at
            FROM days, (SELECT * FROM transactions WHERE id = '01ffffff-0000-7000-8000-000000000001') t)
        INSERT INTO journal_lines (entry_id, account, debit, credit)
        SELECT id, account, debit, credit
            FROM days, (VALUES ('cash', 1, 0), ('recoveries', 0, 1)) line (account, debit, credit);
        COMMIT";
    api.application().await.batch_execute(entries).await.unwrap();
}

/// Who commands, and of whom.
struct People<'a> {
    admin: &'a Session,
    agent: &'a Session,
    borrower: Uuid,
    /// Somebody of whom nothing is open.
    closed: Uuid,
}

impl People<'_> {
    /// A command of each kind.
    async fn command(&self, pending: Uuid, today: Date) {
        let (admin, agent) = (self.admin, self.agent);
        let month_ago = today.checked_sub(Span::new().months(1)).unwrap();
        let application = json!({"borrower_id": self.borrower, "amount": "1200", "currency": "INR", "instalments": 6});
        let new = agent.post("/api/loans").key("apply").json(application).expect(201).await.text_of("id");
        let path = format!("/api/loans/{new}");
        agent.patch(&path).if_match(1).json(json!({"amount": "1300"})).expect(200).await;
        admin.post(&format!("/api/loans/{pending}/reject")).if_match(1).json(json!({"reason": "r"})).expect(200).await;
        admin.post(&format!("{path}/approve")).if_match(2).expect(200).await;
        let money = |part: &str, body| admin.post(&format!("{path}/{part}")).key(part).json(body).expect(201);
        money("disbursements", json!({"disbursed_on": month_ago})).await;
        let paid = money("repayments", json!({"amount": "100", "paid_on": today})).await.text_of("id");
        money(&format!("transactions/{paid}/reversal"), json!({"reason": "r"})).await;
        money("charges", json!({"code": "c", "kind": "fee", "amount": "5", "due_on": today})).await;
        money("write-off", json!({"on": today, "reason": "r"})).await;
        let item = json!({"loan_id": new, "amount": "1", "paid_on": today, "idempotency_key": "batch"});
        admin.post("/api/repayments/batch").json(json!({"items": [item]})).expect(200).await;

        let erasure = admin.post(&format!("/api/users/{}/erase", self.closed)).json(json!({"reason": "r"}));
        erasure.expect(200).await;
    }
}

/// As for disks that find a page as fast as the next one. Small tables would be read whole else, which is faster.
async fn fast_disks(api: &Api) {
    let disks =
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET random_page_cost = 1.1', current_database()); END $$";
    api.owner.batch_execute(disks).await.unwrap();
    api.owner.batch_execute("VACUUM (ANALYZE)").await.unwrap();
}

/// Postgres plans a prepared statement for values that it does not see, after some uses. What most loans have, and then
/// what few have, is read by the same statements: by such a plan as by one for the value.
#[tokio::test]
async fn a_prepared_list_reads_no_more_rows_than_one_that_is_planned_for_its_values() {
    let api = Api::with(ApiOptions::default()).await;
    let today = api.app.date_of(Timestamp::now());
    book::load(&api.owner, BOOK, today, &api.app.zone, |_| {}).await.unwrap().unwrap();
    fast_disks(&api).await;
    let admin = api.admin("the.admin").await;
    let ends = async |column: &str| -> [String; 2] {
        let of = format!("SELECT {column}::text FROM loans WHERE {column} IS NOT NULL GROUP BY 1 ORDER BY count(*)");
        let rows = api.owner.query(&of, &[]).await.unwrap();
        [rows[rows.len() - 1].get(0), rows[0].get(0)]
    };
    let mut filters = Vec::new();
    for (name, column) in [
        ("status", "status"),
        ("currency", "currency"),
        ("agent_id", "agent_id"),
        ("borrower_id", "borrower_id"),
        ("product", "product_code"),
    ] {
        let [many, few] = ends(column).await;
        filters.push((format!("{name}={many}"), format!("{name}={few}")));
    }
    let pairs: Vec<_> = filters[..3]
        .iter()
        .flat_map(|one| {
            filters[..3]
                .iter()
                .filter(move |other| *other != one)
                .map(move |other| (format!("{}&{}", one.0, other.1), format!("{}&{}", one.1, other.0)))
        })
        .collect();
    filters.extend(pairs);
    let rows = async || -> i64 {
        let sql =
            "SELECT (sum(seq_tup_read) + sum(idx_tup_fetch))::int8 FROM pg_stat_user_tables WHERE relname = 'loans'";
        after_all(&api).await.query_one(sql, &[]).await.unwrap().get(0)
    };
    let mut taken = BTreeMap::new();
    for (many, few) in &filters {
        for statements in [Statements::Unnamed, Statements::Prepared] {
            let before = rows().await;
            let (client, _wire) = api.by_wire_with(statements).await;
            let reader = client.as_(admin.token());
            for filter in [many, few] {
                for _ in 0..10 {
                    reader.get(&format!("/api/loans?{filter}&limit=10")).expect(200).await;
                }
            }
            drop(client);
            let read = rows().await - before;
            taken.entry((many, few)).or_insert_with(Vec::new).push(read);
        }
    }
    for ((many, few), read) in taken {
        assert!(
            read[1] <= read[0] + read[0] / 4,
            "{many}, then {few}: {} rows, {} if planned each time",
            read[1],
            read[0]
        );
    }
}

#[tokio::test]
async fn no_request_reads_a_large_table_from_end_to_end() {
    let api = Api::with(ApiOptions::default()).await;
    let today = api.app.date_of(Timestamp::now());
    book::load(&api.owner, BOOK, today, &api.app.zone, |_| {}).await.unwrap().unwrap();
    stats::run(&api.app.db, &api.app.zone).await.unwrap();
    let (admin, customer) = (api.admin("the.admin").await, api.customer("the.customer").await);
    let id = async |sql: &str| -> Uuid { api.owner.query_one(sql, &[]).await.unwrap().get(0) };
    let agent =
        id("SELECT agent_id FROM loans WHERE agent_id IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC LIMIT 1").await;
    let borrower = id("SELECT borrower_id FROM loans GROUP BY 1 ORDER BY count(*) DESC LIMIT 1").await;
    let loan = id("SELECT loan_id FROM transactions GROUP BY 1 ORDER BY count(*) DESC LIMIT 1").await;
    let pending = id("SELECT id FROM loans WHERE status = 'pending' AND version = 1 LIMIT 1").await;
    let closed = id("SELECT borrower_id FROM loans GROUP BY 1
        HAVING bool_and(status NOT IN ('pending', 'approved', 'disbursed')) AND bool_or(status = 'repaid') LIMIT 1")
    .await;
    let agents_session = api.session(agent, backend::domain::users::Role::Agent).await;
    // As many keys as a busy day leaves.
    let keys = "INSERT INTO idempotency_keys (caller_id, operation, key, fingerprint, status, body)
        SELECT $1, 'POST /api/loans', 'key ' || n, sha256(n::text::bytea), 201, '{}' FROM generate_series(1, 5000) n";
    api.owner.execute(keys, &[&agent]).await.unwrap();
    // A generated book's requests came from nowhere.
    let addresses = "INSERT INTO audit_addresses SELECT id, actor_id, '198.51.100.1' FROM audit_log";
    api.owner.batch_execute(addresses).await.unwrap();
    fast_disks(&api).await;
    let before = whole_reads(&api).await;

    let filters =
        ["", "status=disbursed&", "currency=INR&", &format!("borrower_id={borrower}&"), &format!("agent_id={agent}&")];
    for filter in filters {
        for sort in ["created_at", "updated_at", "amount"] {
            // Amounts are compared within one currency.
            if sort == "amount" && filter != "currency=INR&" {
                continue;
            }
            for order in ["", "-"] {
                let list = format!("/api/loans?{filter}sort={order}{sort}&limit=3");
                let first = admin.get(&list).expect(200).await;
                if let Some(cursor) = first["next_cursor"].as_str() {
                    admin.get(&format!("{list}&cursor={cursor}")).expect(200).await;
                }
            }
        }
    }
    let month_ago = today.checked_sub(Span::new().months(1)).unwrap();
    let known_at = Timestamp::now();
    for path in [
        "/api/stats".to_owned(),
        format!("/api/stats?as_of={month_ago}"),
        "/api/stats/history?interval=month".to_owned(),
        "/api/portfolio/arrears".to_owned(),
        "/api/portfolio/arrears?group_by=product".to_owned(),
        "/api/portfolio/arrears?group_by=agent".to_owned(),
        "/api/collections".to_owned(),
        format!("/api/loans?pay_ref={}", PayRef::of_number(7)),
        format!("/api/collections?agent_id={agent}"),
        format!("/api/collections?on={month_ago}"),
        "/api/collections?bucket=due".to_owned(),
        "/api/collections?bucket=overdue".to_owned(),
        format!("/api/agents/{agent}/performance"),
        format!("/api/agents/{agent}/performance?from={month_ago}"),
        format!("/api/agents/{agent}/requests"),
        format!("/api/ledger/trial-balance?as_of={month_ago}"),
        format!("/api/ledger/trial-balance?known_at={known_at}"),
        "/api/users".to_owned(),
        "/api/users?role=agent&status=active".to_owned(),
        "/api/users?q=book".to_owned(),
        "/api/users?q=book&role=agent&status=active".to_owned(),
        "/api/users?q=nobody".to_owned(),
        "/api/customers?q=%2B2547".to_owned(),
        "/api/customers?q=asha+patel".to_owned(),
        "/api/agents?status=active".to_owned(),
        "/api/customers".to_owned(),
        format!("/api/customers/{borrower}"),
        format!("/api/customers/{borrower}/export"),
        format!("/api/customers/{borrower}/export?limit=3"),
        format!("/api/users/{borrower}/changes"),
        "/api/audit".to_owned(),
        "/api/audit?action=loan.approve".to_owned(),
        format!("/api/audit?subject=loan:{loan}"),
        format!("/api/audit?actor={agent}"),
    ] {
        admin.get(&path).expect(200).await;
    }
    for part in
        ["", "?as_of=2100-01-01", "/schedule", "/history", "/transactions", "/ledger", "/statement", "/settlement"]
    {
        admin.get(&format!("/api/loans/{loan}{part}")).expect(200).await;
    }
    for path in ["/api/loans", "/api/collections", "/api/agents/me/performance", "/api/agents/me/requests"] {
        agents_session.get(path).expect(200).await;
    }
    customer.get("/api/loans").expect(200).await;

    let people = People { admin: &admin.session, agent: &agents_session, borrower: customer.id, closed };
    people.command(pending, today).await;

    a_year_of_entries(&api).await;

    let after = whole_reads(&api).await;
    assert_eq!(after, before, "how often each was read from end to end");

    // Which would show.
    let application = api.application().await;
    application.batch_execute("SELECT count(*) FROM loans WHERE decision_reason = 'none'").await.unwrap();
    drop(application);
    let seen = whole_reads(&api).await;
    assert_eq!(seen["loans"], before["loans"] + 1);
}
