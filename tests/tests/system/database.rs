//! Refusals of the database, whoever asks: each rule of the code is enforced a second time below it. Statements are
//! sent as the functions' login or, where that may not even try, as the owner.

use std::collections::HashMap;

use backend::domain::{
    loan::LoanStatus,
    users::{Role, UserStatus},
};
use lending::Currency;
use serde_json::json;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::world::World;

/// A statement that the login has no right to.
const NO_RIGHT: &str = "42501";

/// The refusal of a script, at once or at the commit: the constraint's name or, without one, the SQLSTATE. Empty
/// without a refusal. Nothing of the script is kept.
async fn refusal(client: &Client, script: &str) -> String {
    client.batch_execute("BEGIN").await.unwrap();
    let result = client.batch_execute(&format!("{script}; SET CONSTRAINTS ALL IMMEDIATE")).await;
    client.batch_execute("ROLLBACK").await.unwrap();
    let Err(error) = result else { return String::new() };
    let error = error.as_db_error().unwrap_or_else(|| panic!("{script}: {error}"));
    error.constraint().unwrap_or(error.code().code()).to_owned()
}

async fn refuses(client: &Client, cases: &[(&str, &str)]) {
    for (script, by) in cases {
        assert_eq!(refusal(client, script).await, *by, "{script}");
    }
}

/// A book with a loan in every status; `:pending` and so on in a script stand for their ids, `:admin`, `:agent`,
/// `:customer` for people's, `:new` for an id that is free.
struct Book {
    world: World,
    application: Client,
    ids: HashMap<String, Uuid>,
}

impl Book {
    async fn new() -> Self {
        let world = World::new().await;
        let mut ids = HashMap::new();
        for status in LoanStatus::ALL {
            let path = world.loan(status).await;
            ids.insert(status.as_str().to_owned(), path.strip_prefix("/api/loans/").unwrap().parse().unwrap());
        }
        for user in [&world.admin, &world.agent, &world.customer] {
            ids.insert(user.role.as_str().to_owned(), user.id);
        }
        ids.insert("new".into(), Uuid::now_v7());
        let application = world.application().await;
        Self { world, application, ids }
    }

    fn script(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, id) in &self.ids {
            text = text.replace(&format!(":{name}"), &format!("'{id}'"));
        }
        text
    }

    async fn count(&self, sql: &str) -> i32 {
        self.world.owner.query_one(&self.script(sql), &[]).await.unwrap().get(0)
    }

    /// Each script is refused, by the login's rights or by this constraint.
    async fn refuses(&self, cases: &[(&str, &str)]) {
        for (script, by) in cases {
            let script = self.script(script);
            refuses(&self.application, &[(&script, by)]).await;
        }
    }

    async fn owner_is_refused(&self, cases: &[(&str, &str)]) {
        for (script, by) in cases {
            let script = self.script(script);
            refuses(&self.world.owner, &[(&script, by)]).await;
        }
    }
}

#[tokio::test]
async fn what_has_happened_stays() {
    let book = Book::new().await;
    stats::run(&book.world.app.db, &book.world.app.zone).await.unwrap();
    book.world.customer.patch("/api/auth/me").json(json!({"full_name": "Asha Patel"})).expect(200).await;
    for (table, column) in [
        ("audit_log", "detail"),
        ("audit_addresses", "address"),
        ("contact_changes", "new_value"),
        ("loan_versions", "version"),
        ("product_versions", "version"),
        ("calendar_versions", "version"),
        ("transactions", "amount"),
        ("journal_entries", "value_date"),
        ("journal_lines", "debit"),
    ] {
        for script in [
            format!("UPDATE {table} SET {column} = {column}"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table} CASCADE"),
        ] {
            refuses(&book.application, &[(&script, NO_RIGHT)]).await;
            refuses(&book.world.owner, &[(&script, "append_only")]).await;
            if table == "audit_addresses" || table == "contact_changes" {
                // Whose rows may go is looked at row by row.
                continue;
            }
            // Even where no row is touched.
            let nothing =
                script.replace("CASCADE", "") + if script.starts_with("TRUNCATE") { "" } else { " WHERE false" };
            if !nothing.starts_with("TRUNCATE") {
                refuses(&book.world.owner, &[(&nothing, "append_only")]).await;
            }
        }
    }
    for table in ["users", "products", "calendars", "loans"] {
        for script in [format!("DELETE FROM {table}"), format!("TRUNCATE {table} CASCADE")] {
            refuses(&book.application, &[(&script, NO_RIGHT)]).await;
            refuses(&book.world.owner, &[(&script, "append_only")]).await;
        }
    }
    book.refuses(&[
        ("DELETE FROM statistics_snapshots", NO_RIGHT),
        ("TRUNCATE statistics_snapshots", NO_RIGHT),
        ("UPDATE statistics_snapshots SET business_date = business_date - 1", NO_RIGHT),
        ("TRUNCATE sessions", NO_RIGHT),
        ("TRUNCATE idempotency_keys", NO_RIGHT),
        ("SELECT * FROM refinery_schema_history", NO_RIGHT),
        ("DELETE FROM refinery_schema_history", NO_RIGHT),
    ])
    .await;
}

/// A transaction has the form of its kind, fits its loan and comes after those before it.
#[tokio::test]
async fn a_transaction_has_its_form_and_its_place() {
    let book = Book::new().await;
    // One that is there, with changes: as a new one on a loan that is disbursed.
    let insert = |loan: &str, kind: &str, overrides: &str| {
        format!(
            "INSERT INTO transactions SELECT (jsonb_populate_record(t, jsonb_build_object('id', :new, 'kind', '{kind}',
                'loan_id', :{loan}, 'recorded_at', now()) || '{overrides}'::jsonb)).*
            FROM transactions t WHERE loan_id = :repaid AND kind = 'repayment'"
        )
    };
    let on = r#""value_date": "2024-02-01""#;
    for (loan, kind, overrides, by) in [
        ("disbursed", "repayment", "{}", ""),
        ("disbursed", "repayment", r#"{"amount": 0}"#, "transactions_amount"),
        ("disbursed", "repayment", r#"{"amount": -1}"#, "transactions_amount"),
        ("disbursed", "repayment", r#"{"amount": 0.001}"#, "transactions_amount"),
        ("disbursed", "repayment", r#"{"amount": "NaN"}"#, "transactions_amount"),
        ("disbursed", "repayment", r#"{"amount": null}"#, "transactions_shape"),
        ("disbursed", "repayment", r#"{"currency": "KES"}"#, "transactions_currency"),
        ("disbursed", "repayment", r#"{"value_date": "2024-01-14"}"#, "transactions_after_disbursement"),
        ("disbursed", "repayment", r#"{"recorded_at": "2020-01-01T00:00:00Z"}"#, "transactions_recorded_later"),
        ("disbursed", "repayment", r#"{"paid_out": 1}"#, "transactions_shape"),
        ("disbursed", "repayment", r#"{"component": "fee"}"#, "transactions_shape"),
        ("disbursed", "repayment", r#"{"code": "c"}"#, "transactions_shape"),
        ("disbursed", "repayment", r#"{"instalments": 3}"#, "transactions_shape"),
        ("disbursed", "gift", "{}", "transactions_kind"),
        ("disbursed", "refund", "{}", ""),
        ("disbursed", "refund", r#"{"channel": "cash"}"#, "transactions_shape"),
        ("disbursed", "waiver", "{}", "transactions_shape"),
        ("disbursed", "waiver", r#"{"component": "interest"}"#, "transactions_shape"),
        ("disbursed", "waiver", r#"{"component": "interest", "reason": "r"}"#, ""),
        (
            "disbursed",
            "charge",
            r#"{"component": "interest", "code": "c", "due_on": "2024-02-01"}"#,
            "transactions_shape",
        ),
        ("disbursed", "charge", r#"{"component": "fee", "code": "c", "due_on": "2024-02-01"}"#, ""),
        ("disbursed", "charge", r#"{"component": "fee", "due_on": "2024-02-01"}"#, "transactions_shape"),
        ("disbursed", "write_off", r#"{"reason": "r"}"#, ""),
        ("disbursed", "write_off", r#"{"amount": 0, "reason": "r"}"#, ""),
        ("disbursed", "write_off", r#"{"amount": null, "reason": "r"}"#, "transactions_shape"),
        ("disbursed", "write_off", "{}", "transactions_shape"),
        ("disbursed", "reversal", r#"{"amount": null, "reason": "r"}"#, "transactions_shape"),
        ("disbursed", "disbursement", r#"{"paid_out": 1200}"#, "transactions_loan_status"),
        ("approved", "disbursement", r#"{"amount": 1200, "paid_out": 1200}"#, ""),
        ("approved", "disbursement", r#"{"amount": 1199, "paid_out": 1199}"#, "transactions_whole_amount"),
        ("approved", "disbursement", r#"{"amount": 1200, "paid_out": -100}"#, ""),
        ("approved", "disbursement", r#"{"amount": 1200, "paid_out": 1201}"#, "transactions_values"),
        ("approved", "disbursement", r#"{"amount": 1200, "paid_out": "NaN"}"#, "transactions_values"),
        ("approved", "disbursement", r#"{"amount": 1200, "paid_out": "-Infinity"}"#, "transactions_values"),
        ("approved", "disbursement", r#"{"amount": 1200, "paid_out": 1199.999}"#, "transactions_values"),
        ("disbursed", "repayment", r#"{"recorded_at": "infinity"}"#, "transactions_values"),
        ("disbursed", "reschedule", r#"{"reason": "r", "from_due_on": "infinity"}"#, "transactions_values"),
        (
            "disbursed",
            "reschedule",
            r#"{"reason": "r", "from_due_on": "2024-02-01", "first_due_on": "2201-01-01"}"#,
            "transactions_values",
        ),
        ("approved", "repayment", "{}", "transactions_loan_status"),
        ("pending", "disbursement", r#"{"amount": 1200, "paid_out": 1200}"#, "transactions_loan_status"),
    ] {
        book.refuses(&[(&insert(loan, kind, overrides), by)]).await;
    }
    // Temporary objects never come before the ones that are read.
    let pretended =
        "CREATE TEMPORARY TABLE loans AS SELECT * FROM public.loans; UPDATE pg_temp.loans SET status = 'disbursed'";
    book.world.owner.batch_execute(pretended).await.unwrap();
    book.owner_is_refused(&[(&insert("pending", "repayment", "{}"), "transactions_loan_status")]).await;
    let reversal = |of: &str, overrides: &str| {
        format!(
            "INSERT INTO transactions SELECT (jsonb_populate_record(t, jsonb_build_object('id', :new, 'kind',
                'reversal',
                'amount', NULL, 'paid_out', NULL, 'reason', 'r', 'reverses', id, 'recorded_at', now())
                || '{overrides}'::jsonb)).*
            FROM transactions t WHERE loan_id = :repaid AND kind = '{of}'"
        )
    };
    let (another, elsewhere) = (format!("{{{on}}}"), format!(r#"{{"loan_id": "{}"}}"#, book.ids["disbursed"]));
    let itself = reversal("repayment", "{}").replace("'reverses', id", "'reverses', :new");
    book.refuses(&[
        (&reversal("repayment", "{}"), ""),
        (&reversal("repayment", &another), "transactions_reversal"),
        (&reversal("repayment", &elsewhere), "transactions_loan_id_reverses_fkey"),
        (&itself, "transactions_reversal"),
    ])
    .await;
}

#[tokio::test]
async fn the_functions_login_changes_no_schema_and_no_rights() {
    let book = Book::new().await;
    let owner: String = book.world.owner.query_one("SELECT current_user::text", &[]).await.unwrap().get(0);
    book.refuses(&[
        ("CREATE TABLE mine (id uuid)", NO_RIGHT),
        ("CREATE SCHEMA mine", NO_RIGHT),
        ("CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'", NO_RIGHT),
        (
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
            NO_RIGHT,
        ),
        ("CREATE INDEX ON loans (amount)", NO_RIGHT),
        ("CREATE ROLE mine", NO_RIGHT),
        ("DROP TABLE audit_log", NO_RIGHT),
        ("UPDATE user_words SET word = 'asha'", NO_RIGHT),
        ("DELETE FROM user_words", NO_RIGHT),
        ("INSERT INTO user_words SELECT * FROM user_words", NO_RIGHT),
        ("SELECT FROM words_of_users", NO_RIGHT),
        ("DROP TRIGGER audit_log_append_only ON audit_log", NO_RIGHT),
        ("DROP FUNCTION is_money(numeric, text)", NO_RIGHT),
        ("DROP INDEX users_email_key", NO_RIGHT),
        ("ALTER TABLE loans DISABLE TRIGGER ALL", NO_RIGHT),
        ("ALTER TABLE loans DROP CONSTRAINT loans_amount", NO_RIGHT),
        ("ALTER TABLE loans ADD COLUMN mine int", NO_RIGHT),
        ("ALTER TABLE loans OWNER TO CURRENT_USER", NO_RIGHT),
        ("ALTER ROLE CURRENT_USER CREATEROLE", NO_RIGHT),
        ("ALTER ROLE microloans_app LOGIN", NO_RIGHT),
        ("SET session_replication_role = replica", NO_RIGHT),
        ("SELECT pg_read_file('postgresql.conf')", NO_RIGHT),
        ("COPY users TO '/dev/null'", NO_RIGHT),
        ("COPY users TO PROGRAM 'cat'", NO_RIGHT),
        (&format!(r#"SET ROLE "{owner}""#), NO_RIGHT),
        (&format!(r#"SET SESSION AUTHORIZATION "{owner}""#), NO_RIGHT),
        (&format!(r#"GRANT "{owner}" TO CURRENT_USER"#), NO_RIGHT),
    ])
    .await;
    // GRANT without the right to grant only warns: nothing must have come of it.
    book.application.batch_execute("BEGIN; GRANT DELETE ON audit_log TO CURRENT_USER").await.ok();
    book.application.batch_execute("ROLLBACK").await.unwrap();
    let rights = "SELECT string_agg(table_name || ' ' || privilege_type, ', ' ORDER BY table_name, privilege_type)
        FROM information_schema.table_privileges WHERE grantee = 'microloans_app'";
    let rights: String = book.world.owner.query_one(rights, &[]).await.unwrap().get(0);
    let expected = "account_changes DELETE, account_changes INSERT, account_changes SELECT, \
        account_days DELETE, account_days INSERT, account_days SELECT, account_days UPDATE, \
        account_months DELETE, account_months INSERT, account_months SELECT, account_months UPDATE, \
        activations DELETE, activations INSERT, activations SELECT, \
        agent_changes DELETE, agent_changes INSERT, agent_changes SELECT, \
        agent_days DELETE, agent_days INSERT, agent_days SELECT, agent_days UPDATE, \
        api_keys INSERT, api_keys SELECT, \
        audit_addresses SELECT, audit_log INSERT, audit_log SELECT, \
        book_changes DELETE, book_changes INSERT, book_changes SELECT, \
        book_days DELETE, book_days INSERT, book_days SELECT, book_days UPDATE, \
        book_marks INSERT, book_marks SELECT, \
        book_months DELETE, book_months INSERT, book_months SELECT, book_months UPDATE, \
        book_totals INSERT, book_totals SELECT, \
        calendar_versions INSERT, calendar_versions SELECT, calendars INSERT, calendars SELECT, \
        contact_changes SELECT, \
        exposure_changes DELETE, exposure_changes INSERT, exposure_changes SELECT, \
        exposures DELETE, exposures INSERT, exposures SELECT, exposures UPDATE, \
        figures_builds INSERT, figures_builds SELECT, \
        idempotency_keys DELETE, idempotency_keys INSERT, idempotency_keys SELECT, idempotency_keys UPDATE, \
        identities DELETE, identities INSERT, identities SELECT, \
        journal_entries INSERT, journal_entries SELECT, journal_lines INSERT, journal_lines SELECT, \
        ledger_accounts SELECT, \
        loan_assignments INSERT, loan_assignments SELECT, \
        loan_versions INSERT, loan_versions SELECT, loans INSERT, loans SELECT, \
        payment_credits INSERT, payment_credits SELECT, \
        payment_details INSERT, payment_details SELECT, payment_movements INSERT, payment_movements SELECT, \
        payment_notices INSERT, payment_notices SELECT, \
        payment_refusals DELETE, payment_refusals INSERT, payment_refusals SELECT, \
        payment_source_secrets INSERT, payment_source_secrets SELECT, \
        payment_sources INSERT, payment_sources SELECT, \
        payment_statements INSERT, payment_statements SELECT, payments SELECT, \
        product_versions INSERT, product_versions SELECT, products INSERT, products SELECT, \
        profile_versions SELECT, \
        rate_limits DELETE, rate_limits INSERT, rate_limits SELECT, rate_limits UPDATE, \
        recovery_codes DELETE, recovery_codes INSERT, recovery_codes SELECT, \
        second_factors DELETE, second_factors INSERT, second_factors SELECT, \
        sessions DELETE, sessions INSERT, sessions SELECT, \
        statistics_snapshots INSERT, statistics_snapshots SELECT, transactions INSERT, transactions SELECT, \
        user_words SELECT, users INSERT, users SELECT";
    assert_eq!(rights, expected);
}

/// Only `erase_person` erases identifying data, and checks itself if anything is open.
#[tokio::test]
async fn only_erase_person_erases() {
    let book = Book::new().await;
    let gone = book.world.api.customer("the.gone").await;
    gone.patch("/api/auth/me").json(json!({"full_name": "Asha Patel"})).expect(200).await;
    let temporary = "CREATE TEMPORARY TABLE mine (id uuid, actor_id uuid, subject text, address text)";
    book.refuses(&[
        ("SELECT erase_person(:customer)", "erase_loans_open"),
        ("SELECT erase_person(:new)", "erase_known"),
        ("SELECT erase_person(:admin)", "erase_last_admin"),
        ("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT erase_person(:agent)", "erase_read_committed"),
        ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; SELECT erase_person(:agent)", "erase_read_committed"),
        ("SELECT erase_person(:agent, 'the.agent.2')", "users_erased"),
        ("SELECT erase_person(:agent)", ""),
        ("SELECT erase_person(:agent); SELECT erase_person(:agent)", "erase_once"),
        // Temporary objects never come before the ones that are read.
        (
            "CREATE TEMPORARY TABLE loans (id uuid, borrower_id uuid, status text);
                SET LOCAL search_path = pg_temp, public;
            SELECT public.erase_person(:customer)",
            "erase_loans_open",
        ),
        (
            &format!(
                "{temporary}; CREATE TRIGGER t BEFORE INSERT ON mine
                FOR EACH ROW EXECUTE FUNCTION keep_address_apart()"
            ),
            NO_RIGHT,
        ),
        ("INSERT INTO audit_addresses VALUES (:new, :customer, '203.0.113.9')", NO_RIGHT),
        ("DELETE FROM audit_addresses WHERE person_id = :customer", NO_RIGHT),
        ("DELETE FROM contact_changes WHERE person_id = :customer", NO_RIGHT),
        ("ALTER FUNCTION erase_person(uuid, text, timestamptz) SECURITY INVOKER", NO_RIGHT),
        ("UPDATE users SET username = 'erased-000000000001' WHERE id = :agent", NO_RIGHT),
    ])
    .await;
    let change = |values: &str| {
        format!(
            "INSERT INTO contact_changes (id, person_id, by_id, field, old_value, new_value) VALUES (:new, {values})"
        )
    };
    book.refuses(&[
        (&change(":customer, :admin, 'phone', '+12', '+13'"), ""),
        (&change(":customer, :admin, 'phone', '+12', '+12'"), "contact_changes_differ"),
        (&change(":customer, :admin, 'shoe_size', '42', '43'"), "contact_changes_field"),
        (&change(":new, :admin, 'phone', '+12', '+13'"), "contact_changes_person_id_fkey"),
        (
            "INSERT INTO contact_changes (id, person_id, at, by_id, field, new_value)
            VALUES (:new, :customer, now() - interval '1 day', :admin, 'phone', '+13')",
            NO_RIGHT,
        ),
        (
            &format!("SELECT erase_person(:agent); {}", change(":agent, :admin, 'phone', '+12', '+13'")),
            "contact_changes_of_erased",
        ),
    ])
    .await;
    // Not even the owner takes out what is there of somebody who is not erased.
    let rows = format!("DELETE FROM contact_changes WHERE person_id = '{}'", gone.id);
    refuses(&book.world.owner, &[(&rows, "append_only")]).await;

    // No loan is made for who is erased.
    let erased = format!("SELECT erase_person('{}')", gone.id);
    let new = format!(
        "{erased}; INSERT INTO loans SELECT (jsonb_populate_record(l, jsonb_build_object('id', :new, 'pay_ref', null,
            'borrower_id', '{}'))).*
        FROM loans l WHERE id = :pending",
        gone.id
    );
    book.refuses(&[(&new, "loans_borrower_erased")]).await;
}

#[tokio::test]
async fn what_is_fixed_cannot_be_changed() {
    let book = Book::new().await;
    for (table, columns, constraint) in [
        (
            "users",
            &["id = gen_random_uuid()", "username = 'other'", "role = 'admin'", "created_at = now()"][..],
            "users_fixed",
        ),
        (
            "loans",
            &[
                "id = gen_random_uuid()",
                "borrower_id = :agent",
                "currency = 'KES'",
                "created_by = :admin",
                "created_at = created_at - interval '1 day'",
            ],
            "loans_fixed",
        ),
        (
            "products",
            &["code = 'other'", "currency = 'KES'", "created_at = created_at - interval '1 day'"],
            "products_fixed",
        ),
    ] {
        let one = match table {
            "users" => "id = :agent",
            "loans" => "id = :pending",
            _ => "code = 'home'",
        };
        for column in columns {
            let script = format!("UPDATE {table} SET {column} WHERE {one}");
            book.refuses(&[(&script, NO_RIGHT)]).await;
            book.owner_is_refused(&[(&script, constraint)]).await;
        }
    }
}

#[tokio::test]
async fn a_user_has_a_form_and_a_way() {
    use UserStatus::{Active, Erased, Pending, Rejected, Suspended};
    let book = Book::new().await;
    let insert = |overrides: &str| {
        let fresh = r#"{"id": ":new", "username": "fresh", "email": "fresh@example.com"}"#;
        let fresh = fresh.replace(":new", &book.ids["new"].to_string());
        let overrides = overrides.replace(":agent", &book.ids["agent"].to_string());
        format!(
            "INSERT INTO users SELECT (jsonb_populate_record(u, '{fresh}'::jsonb || '{overrides}'::jsonb)).*
            FROM users u WHERE id = :customer"
        )
    };
    for (overrides, by) in [
        ("{}", ""),
        (r#"{"username": "the.agent"}"#, "users_username_key"),
        (r#"{"email": "THE.Agent@Example.COM"}"#, "users_email_key"),
        (r#"{"username": "The.Agent"}"#, "users_username_form"),
        (r#"{"username": "ab"}"#, "users_username_form"),
        (r#"{"username": "01957d3a-7c4e-7a10-9d2b-6f1f4f0c2a11"}"#, "users_username_form"),
        (r#"{"username": "01957d3a7c4e7a109d2b6f1f4f0c2a11"}"#, "users_username_form"),
        (r#"{"email": "nobody"}"#, "users_email_form"),
        (r#"{"phone": "0712345678"}"#, "users_phone_form"),
        (r#"{"full_name": ""}"#, "users_full_name_form"),
        (r#"{"role": "owner"}"#, "users_role"),
        (r#"{"password_hash": "correct horse battery"}"#, "users_password_hash_form"),
        (r#"{"status": "pending"}"#, "users_status"),
        (r#"{"status": "rejected"}"#, "users_status"),
        (r#"{"status": "deleted"}"#, "users_status"),
        (r#"{"status": "erased"}"#, "users_erased_whole"),
        (r#"{"email": null}"#, ""),
        (r#"{"email": null, "phone": null}"#, "users_erased"),
        (r#"{"email": null, "phone": null, "external_id": "crm-1"}"#, ""),
        (r#"{"password_hash": null}"#, ""),
        (r#"{"role": "agent", "email": null}"#, "users_erased"),
        (r#"{"role": "admin", "phone": null}"#, "users_erased"),
        (r#"{"external_id": ""}"#, "users_external_id_form"),
        (r#"{"metadata": {"a b": "c"}}"#, "users_metadata_form"),
        (r#"{"metadata": {"a": 1}}"#, "users_metadata_form"),
        (r#"{"role": "agent", "agent_id": ":agent"}"#, "users_agent_of_customer"),
        (r#"{"kyc_status": "verified"}"#, "users_kyc"),
        (r#"{"kyc_status": "believed"}"#, "users_kyc"),
        (r#"{"role": "admin", "status": "pending"}"#, "users_status"),
        (r#"{"role": "agent", "status": "pending"}"#, ""),
    ] {
        book.refuses(&[(&insert(overrides), by)]).await;
    }
    let ways = [(Pending, Active), (Pending, Rejected), (Rejected, Active), (Active, Suspended), (Suspended, Active)];
    let all = [Pending, Active, Rejected, Suspended];
    for from in all {
        let name = format!("agent.{}", from.as_str());
        let agent = book.world.api.user(&name, Role::Agent, from.as_str()).await;
        let erasure = format!("UPDATE users SET status = 'erased' WHERE id = '{}'", agent.id);
        refuses(&book.application, &[(&erasure, "users_erased_whole")]).await;
        // The owner may, but then whole.
        refuses(&book.world.owner, &[(&erasure, "users_erased")]).await;
        for to in all {
            let script = format!("UPDATE users SET status = '{}' WHERE id = '{}'", to.as_str(), agent.id);
            let by = if from == to || ways.contains(&(from, to)) { "" } else { "users_status_transition" };
            refuses(&book.application, &[(&script, by)]).await;
        }
    }
    // Whoever is erased stays so, and is not changed in any other way.
    let gone = book.world.api.customer("the.gone").await;
    book.application.execute("SELECT erase_person($1)", &[&gone.id]).await.unwrap();
    for to in all.into_iter().chain([Erased]) {
        let script = format!("UPDATE users SET status = '{}' WHERE id = '{}'", to.as_str(), gone.id);
        refuses(&book.application, &[(&script, "users_erased_stay")]).await;
        refuses(&book.world.owner, &[(&script, "users_erased_stay")]).await;
    }
    book.refuses(&[
        ("UPDATE users SET status = 'pending' WHERE id = :customer", "users_status_transition"),
        ("INSERT INTO sessions (id, user_id, expires_at) VALUES (:new, :new, now())", "sessions_user_id_fkey"),
        ("UPDATE sessions SET expires_at = now() + interval '1 year'", NO_RIGHT),
        ("INSERT INTO rate_limits VALUES ('short', now())", "rate_limits_key_check"),
    ])
    .await;
}

/// A step or a change by money, with everything else that the new status asks for; a step is recorded.
fn change(from: LoanStatus, to: LoanStatus, is_step: bool) -> String {
    let (from, to, step) = (from.as_str(), to.as_str(), i32::from(is_step));
    let update = format!(
        "UPDATE loans SET status = '{to}', version = version + {step}, updated_at = now(),
            decided_by = CASE '{to}' WHEN 'pending' THEN NULL WHEN 'withdrawn' THEN decided_by ELSE :admin::uuid END,
            decided_at = CASE '{to}' WHEN 'pending' THEN NULL WHEN 'withdrawn' THEN decided_at ELSE now() END,
            disbursed_on = CASE WHEN '{to}' IN ('disbursed', 'repaid', 'defaulted') THEN date '2026-01-15' END,
            outstanding = CASE '{to}' WHEN 'disbursed' THEN amount ELSE 0 END,
            oldest_unpaid_due_on = NULL, owed_on = '{{}}', owed = '{{}}', written_off = 0
        WHERE id = :{from}"
    );
    if is_step { format!("{update}; {}", record(from)) } else { update }
}

/// Records the version that a loan has.
fn record(loan: &str) -> String {
    format!(
        "INSERT INTO loan_versions SELECT id, version, 'edit', updated_at, :admin, NULL, '{{}}', status, agent_id,
            product_code, product_version, currency, amount, terms, instalment, total_interest, total_due
        FROM loans WHERE id = :{loan}"
    )
}

#[tokio::test]
async fn a_loan_goes_only_where_its_states_lead() {
    use LoanStatus::{Approved, Defaulted, Disbursed, Pending, Rejected, Repaid, Withdrawn};
    let steps = [
        (Pending, Pending),
        (Pending, Approved),
        (Pending, Rejected),
        (Pending, Withdrawn),
        (Rejected, Pending),
        (Approved, Pending),
        (Approved, Withdrawn),
    ];
    let money = [
        (Approved, Disbursed),
        (Disbursed, Disbursed),
        (Disbursed, Repaid),
        (Disbursed, Defaulted),
        (Disbursed, Approved),
        (Repaid, Disbursed),
        (Defaulted, Disbursed),
        (Repaid, Repaid),
        (Repaid, Defaulted),
        (Defaulted, Repaid),
        (Defaulted, Defaulted),
    ];
    let book = Book::new().await;
    for from in LoanStatus::ALL {
        for to in LoanStatus::ALL {
            for (is_step, ways) in [(true, &steps[..]), (false, &money[..])] {
                let by = if ways.contains(&(from, to)) { "" } else { "loans_transition" };
                book.refuses(&[(&change(from, to, is_step), by)]).await;
            }
        }
    }
}

#[tokio::test]
async fn a_loan_starts_as_an_application() {
    let book = Book::new().await;
    let insert = |overrides: &str| {
        format!(
            "INSERT INTO loans SELECT (jsonb_populate_record(l, jsonb_build_object('id', :new, 'pay_ref', null,
                'created_at', now(),
                'updated_at', now()) || '{overrides}'::jsonb)).*
            FROM loans l WHERE id = :pending"
        )
    };
    let recorded = format!("{}; {}", insert("{}"), record("new"));
    let someone = book.ids["new"];
    for (overrides, by) in [
        ("{}".to_owned(), "loans_version_recorded"),
        (r#"{"status": "approved"}"#.into(), "loans_start"),
        (r#"{"version": 2}"#.into(), "loans_start"),
        (format!(r#"{{"decided_by": "{}", "decided_at": "2026-01-01T00:00:00Z"}}"#, book.ids["admin"]), "loans_start"),
        (r#"{"amount": 0}"#.into(), "loans_amount"),
        (r#"{"amount": -1}"#.into(), "loans_amount"),
        (r#"{"amount": 0.001}"#.into(), "loans_amount"),
        (r#"{"amount": 1200.005}"#.into(), "loans_amount"),
        (r#"{"amount": 10000000000000.01}"#.into(), "loans_amount"),
        (r#"{"amount": "NaN"}"#.into(), "loans_amount"),
        (r#"{"amount": "Infinity"}"#.into(), "loans_amount"),
        (r#"{"currency": "VND", "amount": 1.5}"#.into(), "loans_amount"),
        (r#"{"currency": "KWD", "amount": 1.2345}"#.into(), "loans_amount"),
        (r#"{"currency": "XXX"}"#.into(), "loans_amount"),
        (r#"{"instalment": -1}"#.into(), "loans_check"),
        (r#"{"total_due": 0.001}"#.into(), "loans_check2"),
        (r#"{"instalments": 0}"#.into(), "loans_instalments_check"),
        (r#"{"instalments": 601}"#.into(), "loans_instalments_check"),
        (r#"{"interest_rate_apr": -1}"#.into(), "loans_interest_rate_apr_check"),
        (r#"{"interest_rate_apr": 1000.1}"#.into(), "loans_interest_rate_apr_check"),
        (r#"{"interest_rate_apr": 1.0000001}"#.into(), "loans_interest_rate_apr_check"),
        (r#"{"terms": []}"#.into(), "loans_terms_check"),
        (r#"{"outstanding": 1}"#.into(), "loans_owing"),
        (r#"{"disbursed_on": "2026-01-01"}"#.into(), "loans_disbursed"),
        (r#"{"product_version": 9}"#.into(), "loans_product_code_product_version_fkey"),
        (format!(r#"{{"borrower_id": "{someone}"}}"#), "loans_borrower_id_fkey"),
        (format!(r#"{{"agent_id": "{someone}"}}"#), "loans_agent_id_fkey"),
        (format!(r#"{{"created_by": "{someone}"}}"#), "loans_created_by_fkey"),
    ] {
        book.refuses(&[(&insert(&overrides), by)]).await;
    }
    book.refuses(&[(&recorded, "")]).await;
}

#[tokio::test]
async fn a_loan_changes_by_its_rules() {
    let book = Book::new().await;
    let step = |loan: &str, assignments: &str| {
        format!(
            "UPDATE loans SET version = version + 1, updated_at = now(), {assignments} WHERE id = :{loan}; {}",
            record(loan)
        )
    };
    let approve = "status = 'approved', decided_by = :admin, decided_at = now()";
    for (loan, assignments, by) in [
        // Versions: the next one, recorded, once.
        ("pending", "amount = 1", ""),
        // Amount and terms, while it is applied for.
        ("rejected", "status = 'pending', decided_by = NULL, decided_at = NULL, amount = 1", ""),
        ("approved", "status = 'pending', decided_by = NULL, decided_at = NULL, amount = 1", "loans_terms_fixed"),
        ("approved", "status = 'withdrawn', amount = 1", "loans_terms_fixed"),
        ("pending", "status = 'withdrawn', terms = '{}'", "loans_terms_fixed"),
        ("pending", &format!("{approve}, amount = 1"), "loans_terms_fixed"),
        ("pending", &format!("{approve}, product_code = 'home'"), "loans_terms_fixed"),
        ("pending", "amount = 0", "loans_amount"),
        ("pending", "amount = 0.005", "loans_amount"),
        // Decisions: by another, whole, and there where the status says so.
        ("pending", approve, ""),
        ("pending", "status = 'approved'", "loans_decided"),
        ("pending", "status = 'rejected'", "loans_decided"),
        ("pending", "status = 'approved', decided_by = :admin", "loans_decision_whole"),
        ("pending", "status = 'approved', decided_by = :customer, decided_at = now()", "loans_decided_by_another"),
        (
            "pending",
            "status = 'approved', decided_by = :agent, decided_at = now(), edited_by = :agent",
            "loans_decided_by_another",
        ),
        ("pending", &format!("{approve}, decision_reason = ''"), "loans_decision_reason_check"),
        // Money: only of what is disbursed, and never more than was lent.
        ("pending", "outstanding = 1", "loans_owing"),
        ("pending", "disbursed_on = '2026-01-01'", "loans_disbursed"),
    ] {
        book.refuses(&[(&step(loan, assignments), by)]).await;
    }
    book.refuses(&[
        ("UPDATE loans SET version = version + 1 WHERE id = :pending", "loans_version_recorded"),
        ("UPDATE loans SET version = version + 2 WHERE id = :pending", "loans_next_version"),
        ("UPDATE loans SET version = version - 1 WHERE id = :approved", "loans_next_version"),
        ("UPDATE loans SET amount = 1 WHERE id = :pending", "loans_transition"),
        ("UPDATE loans SET amount = 1 WHERE id = :disbursed", "loans_terms_fixed"),
        ("UPDATE loans SET terms = '{}' WHERE id = :repaid", "loans_terms_fixed"),
        ("UPDATE loans SET outstanding = 1200.01 WHERE id = :disbursed", "loans_outstanding"),
        ("UPDATE loans SET outstanding = -0.01 WHERE id = :disbursed", "loans_outstanding"),
        ("UPDATE loans SET outstanding = 0.005 WHERE id = :disbursed", "loans_outstanding"),
        ("UPDATE loans SET outstanding = 1 WHERE id = :repaid", "loans_owing"),
        ("UPDATE loans SET owed_on = '{2026-01-01}' WHERE id = :disbursed", "loans_owed"),
        ("UPDATE loans SET owed_on = '{2026-01-01}', owed = '{1}' WHERE id = :repaid", "loans_owed"),
        ("UPDATE loans SET oldest_unpaid_due_on = '1990-01-01' WHERE id = :disbursed", "loans_owed"),
        ("UPDATE loans SET written_off = 1 WHERE id = :repaid", "loans_written_off"),
        ("UPDATE loans SET written_off = 1200.01 WHERE id = :defaulted", "loans_written_off"),
        ("UPDATE loans SET written_off = 0.005 WHERE id = :defaulted", "loans_written_off"),
        ("UPDATE loans SET disbursed_on = NULL WHERE id = :disbursed", "loans_disbursed"),
        ("UPDATE loans SET status = 'disbursed' WHERE id = :approved", "loans_disbursed"),
        (
            "UPDATE loans SET updated_at = updated_at - interval '1 microsecond' WHERE id = :disbursed",
            "loans_updated_at",
        ),
        (&record("pending"), "loan_versions_pkey"),
        (&record("pending").replace("'edit'", "'delete'"), "loan_versions_action_check"),
    ])
    .await;
    // At a real commit too.
    book.application.batch_execute("BEGIN").await.unwrap();
    let pending = book.ids["pending"];
    let sql = format!("UPDATE loans SET version = version + 1 WHERE id = '{pending}'");
    assert_eq!(book.application.execute(&sql, &[]).await.unwrap(), 1);
    let refused = book.application.batch_execute("COMMIT").await.unwrap_err();
    assert_eq!(refused.as_db_error().unwrap().constraint(), Some("loans_version_recorded"));
    assert_eq!(book.world.read(&format!("/api/loans/{pending}")).await.version(), 1);
}

/// A version is what its loan or product is, and none is left out: whatever reads the history reads the loan.
#[tokio::test]
async fn a_version_is_what_its_loan_or_product_is() {
    let book = Book::new().await;
    let version = |loan: &str, overrides: &str| {
        format!(
            "INSERT INTO loan_versions SELECT (jsonb_populate_record(v, '{overrides}'::jsonb)).*
            FROM loan_versions v WHERE loan_id = :{loan} ORDER BY version DESC LIMIT 1"
        )
    };
    for loan in LoanStatus::ALL.map(LoanStatus::as_str) {
        let next = book.count(&format!("SELECT version + 1 FROM loans WHERE id = :{loan}")).await;
        for overrides in [format!(r#"{{"version": {next}}}"#), r#"{"version": 9, "amount": 1}"#.into()] {
            book.refuses(&[(&version(loan, &overrides), "loan_versions_of_loan")]).await;
        }
    }
    // A step whose version is not what it led to.
    for change in [
        r#""amount": 2"#,
        r#""terms": {}"#,
        r#""product_code": "home""#,
        r#""status": "approved""#,
        r#""version": 3"#,
        r#""agent_id": ":agent""#,
        r#""total_due": 1"#,
        r#""at": "2020-01-01T00:00:00Z""#,
    ] {
        let change = change.replace(":agent", &book.ids["agent"].to_string());
        let step = "UPDATE loans SET version = version + 1, updated_at = now() WHERE id = :pending";
        let planted = format!(
            "INSERT INTO loan_versions SELECT (jsonb_populate_record(v, jsonb_build_object('version', 2, 'at', now())
                || '{{{change}}}'::jsonb)).* FROM loan_versions v WHERE loan_id = :pending"
        );
        book.refuses(&[(&format!("{step}; {planted}"), "loan_versions_of_loan")]).await;
    }
    let twice = "UPDATE loans SET version = version + 1, updated_at = now() WHERE id = :pending";
    book.refuses(&[
        (&format!("{twice}; {}", record("pending")), ""),
        (&format!("{twice}; {twice}; {}", record("pending")), "loan_versions_no_gap"),
        (&format!("{twice}; {}; {twice}; {}", record("pending"), record("pending")), ""),
    ])
    .await;
    let product = |version: i32, change: &str| {
        format!(
            "INSERT INTO product_versions SELECT (jsonb_populate_record(v, jsonb_build_object('version', {version},
                'at', now())
                || '{change}'::jsonb)).* FROM product_versions v WHERE code = 'home'"
        )
    };
    let next = "UPDATE products SET version = version + 1 WHERE code = 'home'";
    book.refuses(&[
        (&product(2, "{}"), "product_versions_of_product"),
        (&format!("{next}; {}", product(2, "{}")), ""),
        (&format!("{next}; {}", product(2, r#"{"terms": {}}"#)), "product_versions_of_product"),
        (&format!("{next}; {}", product(2, r#"{"max_amount": 2000000}"#)), "product_versions_of_product"),
        (&format!("{next}; {next}; {}", product(3, "{}")), "product_versions_no_gap"),
    ])
    .await;
}

/// Each version of a calendar is the calendar of its time, and its days are in order.
#[tokio::test]
async fn a_calendar_is_changed_by_versions_alone() {
    let book = Book::new().await;
    let version = |version: i32, change: &str| {
        format!(
            "INSERT INTO calendar_versions SELECT (jsonb_populate_record(v, jsonb_build_object('version', {version},
                'at', now())
                || '{change}'::jsonb)).* FROM calendar_versions v WHERE code = 'ke'"
        )
    };
    let next = "UPDATE calendars SET version = version + 1, updated_at = now() WHERE code = 'ke'";
    let set = |change: &str| format!("UPDATE calendars SET version = version + 1, {change} WHERE code = 'ke'");
    book.refuses(&[
        (&version(2, "{}"), "calendar_versions_of_calendar"),
        (&format!("{next}; {}", version(2, "{}")), ""),
        (&format!("{next}; {}", version(2, r#"{"name": "Uganda"}"#)), "calendar_versions_of_calendar"),
        (&format!("{next}; {next}; {}", version(3, "{}")), "calendar_versions_no_gap"),
        (next, "calendars_version_recorded"),
        ("UPDATE calendars SET name = 'Uganda' WHERE code = 'ke'", "calendars_next_version"),
        (&set("weekend = '{sun,sat}'"), "calendars_weekend_check"),
        (&set("weekend = '{mon,tue,wed,thu,fri,sat,sun}'"), "calendars_weekend_check"),
        (&set("weekend = '{caturday}'"), "calendars_weekend_check"),
        (&set("covers_from = '2024-01-02'"), "calendars_covers"),
        (&set("covers_to = '2035-12-25'"), "calendars_covers"),
        (&set("covers_to = '2035-12-26'"), "calendars_version_recorded"),
        (&set("covers_to = NULL"), "calendars_covers"),
        (&set("holiday_names = '{}'"), "calendars_check"),
    ])
    .await;
    // Transactions keep the version that they took.
    let pinned = "UPDATE transactions SET calendar_code = 'ke', calendar_version = 1";
    book.refuses(&[(pinned, NO_RIGHT)]).await;
}

/// A version that the owner plants all the same is found, and does not change the loan as read.
#[tokio::test]
async fn a_planted_version_is_found_and_read_by_nobody() {
    let book = Book::new().await;
    let world = &book.world;
    let differences = async || -> Vec<String> {
        let found = stats::check(&world.app.db, &world.app.zone).await.unwrap();
        found.into_iter().map(|difference| difference.of).collect()
    };
    stats::run(&world.app.db, &world.app.zone).await.unwrap();
    assert_eq!(differences().await, [""; 0]);
    let loan = book.ids["disbursed"];
    let paths = [format!("/api/loans/{loan}?as_of=2024-03-01"), format!("/api/loans/{loan}/schedule")];
    let read = async || {
        let [loan, schedule] = &paths;
        (world.read(loan).await.body, world.read(schedule).await["rows"].clone())
    };
    let before = read().await;
    let planted = format!(
        "ALTER TABLE loan_versions DISABLE TRIGGER loan_versions_check;
        INSERT INTO loan_versions SELECT (jsonb_populate_record(v, jsonb_build_object('version', 3, 'amount', 9999,
            'terms', jsonb_set(terms, '{{interest_rate_apr}}', '\"99\"')))).*
        FROM loan_versions v WHERE loan_id = '{loan}' AND version = 2;
        ALTER TABLE loan_versions ENABLE TRIGGER loan_versions_check"
    );
    world.owner.batch_execute(&planted).await.unwrap();
    assert_eq!(read().await, before);
    assert_eq!(differences().await, [format!("versions of the loan {loan}")]);
    let other_terms = "ALTER TABLE loan_versions DISABLE TRIGGER loan_versions_append_only;
        UPDATE loan_versions SET terms = jsonb_set(terms, '{interest_rate_apr}', '\"99\"') WHERE version = 2";
    world.owner.batch_execute(other_terms).await.unwrap();
    assert_eq!(read().await, before);
    assert!(differences().await.contains(&format!("the last version of the loan {loan}")));
    let gap = format!("DELETE FROM loan_versions WHERE loan_id = '{loan}' AND version = 1");
    world.owner.batch_execute(&gap).await.unwrap();
    assert!(differences().await.contains(&format!("versions of the loan {loan}")));
}

/// The recording time is now, whoever the login claims to be.
#[tokio::test]
async fn what_is_recorded_is_of_now() {
    let book = Book::new().await;
    let transaction = |instant: &str| {
        format!(
            "INSERT INTO transactions SELECT (jsonb_populate_record(t, jsonb_build_object('id', :new,
                'loan_id', :disbursed,
                'recorded_at', {instant}))).*
            FROM transactions t WHERE loan_id = :repaid AND kind = 'repayment'"
        )
    };
    let audit = |instant: &str| {
        format!("INSERT INTO audit_log VALUES (:new, {instant}, :admin, 'loan.approve', 'loan:x', '', '{{}}')")
    };
    let step = |instant: &str| {
        let record = record("pending");
        format!("UPDATE loans SET version = version + 1, updated_at = {instant} WHERE id = :pending; {record}")
    };
    let application = |instant: &str| {
        let record = record("new");
        format!(
            "INSERT INTO loans SELECT (jsonb_populate_record(l, jsonb_build_object('id', :new, 'pay_ref', null,
                'created_at', {instant},
                'updated_at', {instant}))).* FROM loans l WHERE id = :pending; {record}"
        )
    };
    let money = |instant: &str| format!("UPDATE loans SET updated_at = {instant} WHERE id = :disbursed");
    let decision = |instant: &str| {
        let record = record("pending");
        format!(
            "UPDATE loans SET version = version + 1, updated_at = now(), status = 'approved', decided_by = :admin,
                decided_at = {instant} WHERE id = :pending; {record}"
        )
    };
    let product = |instant: &str| {
        format!(
            "UPDATE products SET version = 2 WHERE code = 'home';
            INSERT INTO product_versions SELECT (jsonb_populate_record(v,
                jsonb_build_object('version', 2, 'at', {instant}))).*
            FROM product_versions v WHERE code = 'home'"
        )
    };
    // Later than anything that happened, but before the transaction began; and later than this moment.
    let earlier = "(SELECT max(updated_at) + interval '1 millisecond' FROM loans)";
    let soon = "now() + interval '1 minute'";
    for (script, by) in [
        (&transaction as &dyn Fn(&str) -> String, "transactions_recorded_now"),
        (&audit, "audit_log_now"),
        (&application, "loan_versions_now"),
        (&step, "loans_updated_at"),
        (&money, "loans_updated_at"),
        (&decision, "loans_decided_now"),
        (&product, "product_versions_now"),
    ] {
        for instant in [earlier, soon] {
            book.refuses(&[(&script(instant), by)]).await;
        }
        for instant in ["now()", "clock_timestamp()"] {
            // Of a version, the instant is the loan's.
            let script = script(instant);
            if !(instant == "clock_timestamp()" && script.contains("created_at")) {
                book.refuses(&[(&script, "")]).await;
            }
        }
    }
    let untouched = format!("UPDATE loans SET version = version + 1 WHERE id = :pending; {}", record("pending"));
    book.refuses(&[(&untouched, "loan_versions_now")]).await;
}

/// An admin decides, and none who borrows, made the application or last changed it, whatever else the statement says.
#[tokio::test]
async fn a_decision_is_an_admins_and_no_editors() {
    let book = Book::new().await;
    let other = book.world.api.admin("other.admin").await;
    let decide = |assignments: &str| {
        let record = record("pending");
        format!(
            "UPDATE loans SET version = version + 1, updated_at = now(), decided_at = now(), {assignments}
            WHERE id = :pending; {record}"
        )
    };
    let edited = |by: &str| {
        format!(
            "UPDATE loans SET version = version + 1, updated_at = now(), edited_by = {by} WHERE id = :pending; {}",
            record("pending")
        )
    };
    let other = format!("'{}'", other.id);
    for verdict in ["approved", "rejected"] {
        let verdict = |by: &str| format!("status = '{verdict}', decided_by = {by}");
        let swapped = format!("{}, edited_by = {other}", verdict(":admin"));
        book.refuses(&[
            (&decide(&verdict(":admin")), ""),
            (&decide(&verdict(":customer")), "loans_decided_by_another"),
            (&decide(&verdict(":agent")), "loans_decided_by_admin"),
            (&decide(&swapped), "loans_edited_by"),
            (&format!("{}; {}", edited(":admin"), decide(&verdict(":admin"))), "loans_decided_by_another"),
            (&format!("{}; {}", edited(":admin"), decide(&swapped)), "loans_decided_by_another"),
            (&format!("{}; {}", edited(":admin"), decide(&verdict(&other))), ""),
        ])
        .await;
    }
    book.refuses(&[
        ("UPDATE loans SET edited_by = :agent WHERE id = :disbursed", "loans_edited_by"),
        ("UPDATE loans SET decided_by = :agent WHERE id = :disbursed", "loans_decided_by_admin"),
        ("UPDATE loans SET decided_by = :customer WHERE id = :disbursed", "loans_decided_by_another"),
        ("UPDATE loans SET decided_at = decided_at - interval '1 day' WHERE id = :disbursed", "loans_decided_now"),
    ])
    .await;
    // One who is named before the decision is taken decides no more than one who is named by it.
    let named = "UPDATE loans SET version = version + 1, updated_at = now(), decided_by = :agent, decided_at = now()
        WHERE id = :pending";
    book.refuses(&[(named, "loans_decided_by_admin")]).await;
}

/// No lock that the functions' login can hold stops a migration, and the statistics' lock stops the statistics alone.
#[tokio::test]
async fn a_lock_that_the_functions_login_holds_stops_no_migration() {
    let book = Book::new().await;
    let world = &book.world;
    // The lock of former migrations, and that of the statistics.
    let keys = [i64::from_be_bytes(*b"microloa"), 7_426_184_529];
    for key in keys {
        book.application.batch_execute(&format!("SELECT pg_advisory_lock({key})")).await.unwrap();
    }
    for mode in ["ACCESS SHARE", "EXCLUSIVE"] {
        book.refuses(&[(&format!("LOCK TABLE schema_lock IN {mode} MODE"), NO_RIGHT)]).await;
    }
    let migrating = tokio::time::timeout(std::time::Duration::from_secs(20), world.migrate());
    assert_eq!(migrating.await.unwrap(), Vec::<String>::new());
    world.loan(LoanStatus::Disbursed).await;
    world.admin.get("/api/stats").expect(200).await;
    world.admin.get("/api/ledger/trial-balance").expect(200).await;
    // Two migrations at once go one after the other.
    let (one, other) = tokio::join!(world.migrate(), world.migrate());
    assert_eq!((one, other), (Vec::new(), Vec::new()));
}

/// Nobody but the owner makes large objects; where the server keeps the owner from refusing that, the check finds them.
#[tokio::test]
async fn large_objects_are_refused_or_found() {
    let book = Book::new().await;
    book.refuses(&[
        ("SELECT lo_create(0)", NO_RIGHT),
        ("SELECT lo_creat(-1)", NO_RIGHT),
        ("SELECT lo_from_bytea(0, 'kept')", NO_RIGHT),
        ("SELECT lo_put(1, 0, 'kept')", NO_RIGHT),
        ("SELECT lo_open(1, 131072)", NO_RIGHT),
        ("SELECT lo_unlink(1)", NO_RIGHT),
    ])
    .await;
    let world = &book.world;
    stats::run(&world.app.db, &world.app.zone).await.unwrap();
    assert_eq!(stats::check(&world.app.db, &world.app.zone).await.unwrap(), []);
    world.owner.batch_execute("SELECT lo_from_bytea(0, 'kept'), lo_create(0)").await.unwrap();
    let found = stats::check(&world.app.db, &world.app.zone).await.unwrap();
    let found: Vec<_> = found.iter().map(|it| (it.of.as_str(), it.kept.as_str())).collect();
    assert_eq!(found, [("large objects", "2")]);
}

#[tokio::test]
async fn a_product_changes_by_its_rules() {
    let book = Book::new().await;
    let insert = |overrides: &str| {
        format!(
            "INSERT INTO products SELECT (jsonb_populate_record(p,
                '{{\"code\": \"fresh\", \"is_default\": false}}'::jsonb
                || '{overrides}'::jsonb)).* FROM products p WHERE code = 'microloan-inr'"
        )
    };
    for (overrides, by) in [
        ("{}", "products_version_recorded"),
        (r#"{"is_default": true}"#, "products_one_default"),
        (r#"{"code": "home"}"#, "products_pkey"),
        (r#"{"code": "Not a code"}"#, "products_code_form"),
        (r#"{"name": ""}"#, "products_name_check"),
        (r#"{"version": 0}"#, "products_version_check"),
        (r#"{"currency": "XXX"}"#, "products_check"),
        (r#"{"min_amount": 0}"#, "products_check"),
        (r#"{"min_amount": 0.001}"#, "products_check"),
        (r#"{"max_amount": 0.001}"#, "products_check1"),
        (r#"{"min_amount": 2, "max_amount": 1}"#, "products_check1"),
        (r#"{"min_instalments": 0}"#, "products_min_instalments_check"),
        (r#"{"max_instalments": 601}"#, "products_check2"),
        (r#"{"min_rate_apr": -1}"#, "products_min_rate_apr_check"),
        (r#"{"max_rate_apr": 1001}"#, "products_check3"),
        (r#"{"terms": "none"}"#, "products_terms_check"),
    ] {
        book.refuses(&[(&insert(overrides), by)]).await;
    }
    let record = "INSERT INTO product_versions (code, version, name, currency, min_amount, max_amount, min_instalments,
        max_instalments, min_rate_apr, max_rate_apr, is_default, active, terms) SELECT code, version, name, currency,
        min_amount, max_amount, min_instalments, max_instalments, min_rate_apr, max_rate_apr, is_default, active, terms
        FROM products WHERE code = 'home'";
    book.refuses(&[
        ("UPDATE products SET version = 2 WHERE code = 'home'", "products_version_recorded"),
        (&format!("UPDATE products SET version = 2 WHERE code = 'home'; {record}"), ""),
        ("UPDATE products SET version = 3 WHERE code = 'home'", "products_next_version"),
        ("UPDATE products SET name = 'x' WHERE code = 'home'", "products_next_version"),
        ("UPDATE products SET version = 2, is_default = true WHERE code = 'home'", "products_one_default"),
        (record, "product_versions_pkey"),
    ])
    .await;
}

#[tokio::test]
async fn a_key_is_kept_with_its_answer_and_a_snapshot_is_an_object() {
    let book = Book::new().await;
    let key = |columns: &str, values: &str| {
        format!(
            "INSERT INTO idempotency_keys (caller_id, operation, key, fingerprint{columns})
            VALUES (:agent, 'POST /api/loans', 'k', decode(repeat('00', 32), 'hex'){values})"
        )
    };
    book.refuses(&[
        (&key("", ""), "idempotency_keys_answered"),
        (&key(", status", ", 201"), "idempotency_keys_answered"),
        (&key(", status, body", ", 201, '{}'"), ""),
        (&key(", status, body", ", 409, '{}'"), "idempotency_keys_status_check"),
        (&key("", "").replace("'k'", "''"), "idempotency_keys_key_check"),
        (&key("", "").replace("32", "31"), "idempotency_keys_fingerprint_check"),
        (&key("", "").replace(":agent", ":new"), "idempotency_keys_caller_id_fkey"),
        ("INSERT INTO statistics_snapshots VALUES ('2026-01-01', now(), '[]')", "statistics_snapshots_figures_check"),
        ("INSERT INTO audit_log VALUES (:new, now(), :new, 'a', 's', '', '{}')", "audit_log_actor_id_fkey"),
        ("INSERT INTO audit_log VALUES (:new, now(), NULL, 'A B', 's', '', '{}')", "audit_log_action_check"),
    ])
    .await;
}

#[tokio::test]
async fn database_and_code_know_the_same_currencies() {
    let world = World::new().await;
    let letters = || 'A'..='Z';
    let codes: Vec<String> = letters()
        .flat_map(|a| letters().flat_map(move |b| letters().map(move |c| format!("{a}{b}{c}"))))
        .chain([String::new(), "inr".into(), "INRR".into(), "IN".into(), " INR".into(), "ÄÖÜ".into()])
        .collect();
    assert_eq!(codes.len(), 26 * 26 * 26 + 6);
    let sql = "SELECT code, currency_decimals(code) FROM unnest($1::text[]) AS code";
    let mut known = 0;
    for row in world.application().await.query(sql, &[&codes]).await.unwrap() {
        let (code, decimals): (String, Option<i16>) = (row.get(0), row.get(1));
        let ours = Currency::from_code(&code).ok().map(|currency| i16::try_from(currency.decimals()).unwrap());
        assert_eq!(decimals, ours, "{code}");
        known += i32::from(ours.is_some());
    }
    assert!(known > 150, "{known} currencies");
    let money = async |amount: &str, currency: &str| -> bool {
        let sql = format!("SELECT is_money({amount}, '{currency}')");
        world.owner.query_one(&sql, &[]).await.unwrap().get(0)
    };
    for (amount, currency, is_money) in [
        ("0", "INR", true),
        ("10000000000000.00", "INR", true),
        ("10000000000000.01", "INR", false),
        ("1000000000000000", "JPY", true),
        ("1000000000000001", "JPY", false),
        ("1.001", "KWD", true),
        ("1.0001", "KWD", false),
        ("-1", "INR", false),
        ("1", "XXX", false),
        ("NULL", "INR", false),
        ("'NaN'", "INR", false),
    ] {
        assert_eq!(money(amount, currency).await, is_money, "{amount} {currency}");
    }
    assert_eq!(json!(known), json!(Currency::all().count()));
}

/// The release before writes them, this one does not: each goes on where the other wrote last.
#[tokio::test]
async fn columns_that_a_later_release_drops_are_needed_by_nobody() {
    let book = Book::new().await;
    let written = "SELECT FROM loans WHERE num_nonnulls(instalments, interest_rate_apr, next_due_on) > 0";
    assert!(book.application.query(written, &[]).await.unwrap().is_empty());
    let repaid = change(LoanStatus::Disbursed, LoanStatus::Repaid, false);
    let withdrawn = "UPDATE loans SET version = version + 1, updated_at = now(), status = 'withdrawn'";
    let as_before = "instalments = 7, interest_rate_apr = 25, next_due_on = '2026-01-01'";
    book.refuses(&[
        (&format!("UPDATE loans SET {as_before} WHERE id = :disbursed; {repaid}"), ""),
        (&format!("{withdrawn}, {as_before} WHERE id = :approved; {}", record("approved")), ""),
        (&repaid.replace("updated_at = now()", &format!("updated_at = now(), {as_before}")), ""),
    ])
    .await;
}
