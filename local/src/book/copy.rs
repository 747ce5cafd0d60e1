//! The rows of a generated book on their way into the database, by `COPY`.

use std::pin::pin;

use backend::{
    db::{Sql, Statement},
    domain::{loan::Loan, profile::Identity, users::User},
    store::{audit, loans, profiles, transactions, users},
};
use rust_decimal::Decimal;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{Json, ToSql, Type};
use tokio_postgres::{Client, Error};
use uuid::Uuid;

use super::leavings::{Audit, Line, Posted, Profiled, Recorded, Version};

/// The `COPY` of an `INSERT`: of the same columns.
fn copy_of(insert: &str) -> String {
    let table = insert.split(" VALUES ").next().unwrap_or(insert);
    format!("{} FROM STDIN BINARY", table.replacen("INSERT INTO", "COPY", 1))
}

/// Copies rows: what the interface's own statement binds is the row.
async fn copy<T>(client: &Client, insert: &str, rows: &[T], row: impl Fn(&T) -> Statement<()>) -> Result<u64, Error> {
    let Some(first) = rows.first() else { return Ok(0) };
    let sink = client.copy_in(&copy_of(insert)).await?;
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &row(first).types()));
    for it in rows {
        writer.as_mut().write_raw(row(it).values()).await?;
    }
    writer.finish().await
}

/// People, all with one password.
pub(super) async fn users(client: &Client, rows: &[User], password_hash: &str) -> Result<u64, Error> {
    copy(client, users::INSERT, rows, |user| users::insert(user, Some(password_hash.to_owned()))).await
}

/// A first version of a profile, of an earlier time: what the functions' login may not insert.
const PROFILE: &str =
    "INSERT INTO profile_versions (version, at, by_id, person_id, profile) VALUES ($1, $2, $3, $4, $5)";

/// Profiles, each the first version.
pub(super) async fn profiles(client: &Client, rows: &[Profiled]) -> Result<u64, Error> {
    let row = |(at, by, person, profile): &Profiled| {
        let sql = Sql::new(PROFILE).bind(1_i32).bind(*at).bind(*by).bind(*person);
        sql.bind(Json(profile.clone())).execute()
    };
    copy(client, PROFILE, rows, row).await
}

/// The identities in profiles.
pub(super) async fn identities(client: &Client, rows: &[Profiled]) -> Result<u64, Error> {
    let rows: Vec<(Uuid, Identity)> =
        rows.iter().filter_map(|(_, _, person, profile)| Some((*person, profile.identity()?))).collect();
    copy(client, profiles::KEEP_IDENTITY, &rows, |(person, identity)| profiles::keep_identity(*person, identity)).await
}

/// Entries of the audit log.
pub(super) async fn audit(client: &Client, rows: &[Audit]) -> Result<u64, Error> {
    copy(client, audit::RECORD_AT, rows, |Audit { at, entry }| audit::record_at(*at, entry)).await
}

/// Loans as they now are.
pub(super) async fn loans(client: &Client, rows: &[Loan]) -> Result<u64, Error> {
    copy(client, loans::INSERT, rows, loans::row).await
}

/// The histories of loans.
pub(super) async fn versions(client: &Client, rows: &[Version]) -> Result<u64, Error> {
    copy(client, loans::RECORD_VERSION, rows, |(loan, version)| loans::record_version(*loan, version)).await
}

/// Transactions.
pub(super) async fn transactions(client: &Client, rows: &[Recorded]) -> Result<u64, Error> {
    let row = |(loan, currency, transaction): &Recorded| transactions::insert(*loan, *currency, transaction);
    copy(client, transactions::INSERT, rows, row).await
}

/// Where lines wait until they are entered: an entry comes with its lines in one statement, which `COPY` cannot do.
pub(super) const STAGE: &str = "\
CREATE TEMPORARY TABLE book_lines (entry_id uuid, loan_id uuid, transaction_id uuid, currency text, value_date date,
    recorded_at timestamptz, is_first boolean, account text, debit numeric, credit numeric) ON COMMIT DROP";

const COPY_LINES: &str =
    "COPY book_lines (entry_id, loan_id, transaction_id, currency, value_date, recorded_at, is_first, account, debit,
    credit) FROM STDIN BINARY";

const LINE: [Type; 10] = [
    Type::UUID,
    Type::UUID,
    Type::UUID,
    Type::TEXT,
    Type::DATE,
    Type::TIMESTAMPTZ,
    Type::BOOL,
    Type::TEXT,
    Type::NUMERIC,
    Type::NUMERIC,
];

const ENTER: &str = "\
WITH entries AS (
    INSERT INTO journal_entries (id, loan_id, transaction_id, currency, value_date, recorded_at)
    SELECT entry_id, loan_id, transaction_id, currency, value_date, recorded_at FROM book_lines WHERE is_first)
INSERT INTO journal_lines (entry_id, account, debit, credit) SELECT entry_id, account, debit, credit FROM book_lines";

/// Entries of the journal with their lines; those of one entry follow each other.
pub(super) async fn lines(client: &Client, rows: &[Line]) -> Result<u64, Error> {
    let sink = client.copy_in(COPY_LINES).await?;
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &LINE));
    let mut last = None;
    for row in rows {
        let is_first = last.replace(row.entry) != Some(row.entry);
        let values: [&(dyn ToSql + Sync); 10] = [
            &row.entry,
            &row.loan,
            &row.transaction,
            &row.currency.code(),
            &row.value_date,
            &row.recorded_at,
            &is_first,
            &row.posting.account.as_str(),
            &row.posting.debit.to_decimal(),
            &row.posting.credit.to_decimal(),
        ];
        writer.as_mut().write(&values).await?;
    }
    writer.finish().await?;
    let entered = client.execute(ENTER, &[]).await?;
    client.batch_execute("TRUNCATE book_lines").await?;
    Ok(entered)
}

const COPY_POSTED: &str = "COPY account_changes (on_date, currency, account, debit, credit) FROM STDIN BINARY";

const POSTED: [Type; 5] = [Type::DATE, Type::TEXT, Type::TEXT, Type::NUMERIC, Type::NUMERIC];

/// The sums posted to each account.
pub(super) async fn posted(client: &Client, rows: &Posted) -> Result<u64, Error> {
    let sink = client.copy_in(COPY_POSTED).await?;
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &POSTED));
    for ((on, currency, account), (debit, credit)) in rows {
        let money = |units: i128| Decimal::from_i128_with_scale(units, currency.decimals());
        let values: [&(dyn ToSql + Sync); 5] =
            [on, &currency.code(), &account.as_str(), &money(*debit), &money(*credit)];
        writer.as_mut().write(&values).await?;
    }
    writer.finish().await
}
