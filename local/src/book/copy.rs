//! The rows of a generated book on their way into the database, by `COPY`.

use std::pin::{Pin, pin};

use backend::{
    domain::{
        loan::{Due, Loan, LoanStatus},
        users::User,
    },
    store::{loans::RULES, transactions},
};
use jiff::civil::Date;
use rust_decimal::Decimal;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{Json, ToSql, Type};
use tokio_postgres::{Client, Error};

use super::leavings::{Audit, Line, Posted, Recorded, Version};

/// A table, or the columns of it that are written.
struct Table {
    copy: &'static str,
    types: &'static [Type],
}

/// Writes rows; the last thing to be done is [`BinaryCopyInWriter::finish`].
async fn writer(client: &Client, table: &Table) -> Result<BinaryCopyInWriter, Error> {
    let sink = client.copy_in(table.copy).await?;
    Ok(BinaryCopyInWriter::new(sink, table.types))
}

type Row<'a> = &'a [&'a (dyn ToSql + Sync)];

async fn write(writer: &mut Pin<&mut BinaryCopyInWriter>, row: Row<'_>) -> Result<(), Error> {
    writer.as_mut().write(row).await
}

const USERS: Table = Table {
    copy: "COPY users (id, username, email, phone, full_name, role, status, password_hash, created_at, updated_at)
        FROM STDIN BINARY",
    types: &[
        Type::UUID,
        Type::TEXT,
        Type::TEXT,
        Type::TEXT,
        Type::TEXT,
        Type::TEXT,
        Type::TEXT,
        Type::TEXT,
        Type::TIMESTAMPTZ,
        Type::TIMESTAMPTZ,
    ],
};

/// People, all with one password.
pub(super) async fn users(client: &Client, rows: &[User], password_hash: &str) -> Result<u64, Error> {
    let mut writer = pin!(writer(client, &USERS).await?);
    for user in rows {
        write(
            &mut writer,
            &[
                &user.id,
                &user.username,
                &user.email,
                &user.phone,
                &user.full_name,
                &user.role.as_str(),
                &user.status.as_str(),
                &password_hash,
                &user.created_at.0,
                &user.updated_at.0,
            ],
        )
        .await?;
    }
    writer.finish().await
}

const AUDIT: Table = Table {
    copy: "COPY audit_log (id, at, actor_id, action, subject, address, detail) FROM STDIN BINARY",
    types: &[Type::UUID, Type::TIMESTAMPTZ, Type::UUID, Type::TEXT, Type::TEXT, Type::TEXT, Type::JSONB],
};

/// Entries of the audit log. They have no address: there were no requests.
pub(super) async fn audit(client: &Client, rows: &[Audit]) -> Result<u64, Error> {
    let mut writer = pin!(writer(client, &AUDIT).await?);
    for entry in rows {
        let subject = entry.subject.to_string();
        write(&mut writer, &[&entry.id, &entry.at, &entry.actor, &entry.action, &subject, &"", &entry.detail]).await?;
    }
    writer.finish().await
}

const LOANS: Table = Table {
    copy: "COPY loans (id, borrower_id, agent_id, product_code, product_version, currency, amount, terms, instalments,
        interest_rate_apr, instalment, total_interest, total_due, disbursed_on, outstanding, next_due_on,
        oldest_unpaid_due_on, owed_on, owed, written_off, held_on, held, penalties_on, penalties, status, version, version_on,
        created_by, edited_by, created_at, updated_at, decided_by, decided_at, decision_reason, edited_at,
        rules_version, stated_at, pay_ref) FROM STDIN BINARY",
    types: &[
        Type::UUID,
        Type::UUID,
        Type::UUID,
        Type::TEXT,
        Type::INT4,
        Type::TEXT,
        Type::NUMERIC,
        Type::JSONB,
        Type::INT4,
        Type::NUMERIC,
        Type::NUMERIC,
        Type::NUMERIC,
        Type::NUMERIC,
        Type::DATE,
        Type::NUMERIC,
        Type::DATE,
        Type::DATE,
        Type::DATE_ARRAY,
        Type::NUMERIC_ARRAY,
        Type::NUMERIC,
        Type::DATE_ARRAY,
        Type::NUMERIC_ARRAY,
        Type::DATE_ARRAY,
        Type::NUMERIC_ARRAY,
        Type::TEXT,
        Type::INT4,
        Type::DATE,
        Type::UUID,
        Type::UUID,
        Type::TIMESTAMPTZ,
        Type::TIMESTAMPTZ,
        Type::UUID,
        Type::TIMESTAMPTZ,
        Type::TEXT,
        Type::TIMESTAMPTZ,
        Type::INT4,
        Type::TIMESTAMPTZ,
        Type::TEXT,
    ],
};

/// Loans as they now are, each with the business date on which it was last written.
pub(super) async fn loans(client: &Client, rows: &[(Loan, Date)]) -> Result<u64, Error> {
    let mut writer = pin!(writer(client, &LOANS).await?);
    for (loan, written_on) in rows {
        let decision = loan.decision.as_ref();
        // Looked up when money moves: a loan without transactions has none.
        let next_due_on = (loan.status == LoanStatus::Disbursed).then(|| loan.next_due_on(*written_on)).flatten();
        let days = |dues: &[Due]| dues.iter().map(|due| due.on).collect::<Vec<Date>>();
        let amounts = |dues: &[Due]| dues.iter().map(|due| due.amount.to_decimal()).collect::<Vec<Decimal>>();
        write(
            &mut writer,
            &[
                &loan.id,
                &loan.borrower_id,
                &loan.agent_id,
                &loan.product,
                &loan.product_version.0,
                &loan.amount.currency().code(),
                &loan.amount.to_decimal(),
                &Json(&loan.terms),
                &loan.terms.instalments().cast_signed(),
                &loan.terms.interest_rate_apr().to_decimal(),
                &loan.figures.instalment.to_decimal(),
                &loan.figures.total_interest.to_decimal(),
                &loan.figures.total_due.to_decimal(),
                &loan.disbursed_on,
                &loan.outstanding.to_decimal(),
                &next_due_on,
                &loan.oldest_unpaid_due_on,
                &days(&loan.owed),
                &amounts(&loan.owed),
                &loan.written_off.to_decimal(),
                &days(&loan.held),
                &amounts(&loan.held),
                &days(&loan.penalties),
                &amounts(&loan.penalties),
                &loan.status.as_str(),
                &loan.version.0,
                &loan.version_on,
                &loan.created_by,
                &loan.edited_by,
                &loan.created_at,
                &loan.updated_at,
                &decision.map(|decision| decision.by),
                &decision.map(|decision| decision.at),
                &decision.and_then(|decision| decision.reason.as_deref()),
                &loan.edited_at,
                &RULES,
                &loan.updated_at,
                &loan.pay_ref.as_str(),
            ],
        )
        .await?;
    }
    writer.finish().await
}

const VERSIONS: Table = Table {
    copy: "COPY loan_versions (loan_id, version, action, at, by_id, reason, changed, status, agent_id, product_code,
        product_version, currency, amount, terms, instalment, total_interest, total_due) FROM STDIN BINARY",
    types: &[
        Type::UUID,
        Type::INT4,
        Type::TEXT,
        Type::TIMESTAMPTZ,
        Type::UUID,
        Type::TEXT,
        Type::TEXT_ARRAY,
        Type::TEXT,
        Type::UUID,
        Type::TEXT,
        Type::INT4,
        Type::TEXT,
        Type::NUMERIC,
        Type::JSONB,
        Type::NUMERIC,
        Type::NUMERIC,
        Type::NUMERIC,
    ],
};

/// The histories of loans.
pub(super) async fn versions(client: &Client, rows: &[Version]) -> Result<u64, Error> {
    let mut writer = pin!(writer(client, &VERSIONS).await?);
    for Version { loan, action, by, reason, changed } in rows {
        write(
            &mut writer,
            &[
                &loan.id,
                &loan.version.0,
                &action.as_str(),
                &loan.updated_at,
                by,
                reason,
                changed,
                &loan.status.as_str(),
                &loan.agent_id,
                &loan.product,
                &loan.product_version.0,
                &loan.amount.currency().code(),
                &loan.amount.to_decimal(),
                &Json(&loan.terms),
                &loan.figures.instalment.to_decimal(),
                &loan.figures.total_interest.to_decimal(),
                &loan.figures.total_due.to_decimal(),
            ],
        )
        .await?;
    }
    writer.finish().await
}

/// Transactions: the values bound by the interface's own statement are the row.
pub(super) async fn transactions(client: &Client, rows: &[Recorded]) -> Result<u64, Error> {
    let Some((loan, currency, first)) = rows.first() else { return Ok(0) };
    let types = transactions::insert(*loan, *currency, first).types();
    let sink = client.copy_in(COPY_TRANSACTIONS).await?;
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
    for (loan, currency, transaction) in rows {
        writer.as_mut().write_raw(transactions::insert(*loan, *currency, transaction).values()).await?;
    }
    writer.finish().await
}

const COPY_TRANSACTIONS: &str = "COPY transactions (id, loan_id, kind, value_date, recorded_at, recorded_by, currency,
    amount, paid_out, component, code, due_on, from_due_on, instalments, interest_rate_apr, first_due_on, reverses,
    reference, channel, reason, calendar_version) FROM STDIN BINARY";

/// Where lines wait until they are entered: an entry comes with its lines in one statement, which `COPY` cannot do.
pub(super) const STAGE: &str = "\
CREATE TEMPORARY TABLE book_lines (entry_id uuid, loan_id uuid, transaction_id uuid, currency text, value_date date,
    recorded_at timestamptz, is_first boolean, account text, debit numeric, credit numeric) ON COMMIT DROP";

const LINES: Table = Table {
    copy: "COPY book_lines (entry_id, loan_id, transaction_id, currency, value_date, recorded_at, is_first, account, debit,
        credit) FROM STDIN BINARY",
    types: &[
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
    ],
};

const ENTER: &str = "\
WITH entries AS (
    INSERT INTO journal_entries (id, loan_id, transaction_id, currency, value_date, recorded_at)
    SELECT entry_id, loan_id, transaction_id, currency, value_date, recorded_at FROM book_lines WHERE is_first)
INSERT INTO journal_lines (entry_id, account, debit, credit) SELECT entry_id, account, debit, credit FROM book_lines";

/// Entries of the journal with their lines; those of one entry follow each other.
pub(super) async fn lines(client: &Client, rows: &[Line]) -> Result<u64, Error> {
    let mut writer = pin!(writer(client, &LINES).await?);
    let mut last = None;
    for row in rows {
        let is_first = last.replace(row.entry) != Some(row.entry);
        write(
            &mut writer,
            &[
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
            ],
        )
        .await?;
    }
    writer.finish().await?;
    let entered = client.execute(ENTER, &[]).await?;
    client.batch_execute("TRUNCATE book_lines").await?;
    Ok(entered)
}

const POSTED: Table = Table {
    copy: "COPY account_changes (on_date, currency, account, debit, credit) FROM STDIN BINARY",
    types: &[Type::DATE, Type::TEXT, Type::TEXT, Type::NUMERIC, Type::NUMERIC],
};

/// The sums posted to each account.
pub(super) async fn posted(client: &Client, rows: &Posted) -> Result<u64, Error> {
    let mut writer = pin!(writer(client, &POSTED).await?);
    for ((on, currency, account), (debit, credit)) in rows {
        let money = |units: i128| Decimal::from_i128_with_scale(units, currency.decimals());
        write(&mut writer, &[on, &currency.code(), &account.as_str(), &money(*debit), &money(*credit)]).await?;
    }
    writer.finish().await
}
