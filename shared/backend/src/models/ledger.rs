//! The books: entries of the journal, each of balanced lines, and what they add up to by account. Entries are appended and
//! never changed; which ones follow from a loan's transactions is worked out by the crate `lending`.

use jiff::{Timestamp, civil::Date};
use lending::{Account, Currency, JournalEntry, Money, Posting};
use rust_decimal::Decimal;
use serde::Serialize;
use tokio_postgres::Row;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{columns, servicing::may_grow};
use crate::{
    db::{DbError, FromRow, Sql, Statement, column},
    http::{
        csv::{Cell, Line},
        pagination::{Limit, Position},
        time::{BusinessDate, Instant},
    },
};

/// What was posted for a loan, by value date and account: debits less credits.
pub const MADE: &str = "\
SELECT e.currency, e.value_date, l.account, sum(l.debit - l.credit) AS amount
FROM journal_entries e JOIN journal_lines l ON l.entry_id = e.id
WHERE e.loan_id = $1 GROUP BY e.currency, e.value_date, l.account";

/// Makes entries, without their lines.
pub const INSERT_ENTRIES: &str = "\
INSERT INTO journal_entries (id, loan_id, transaction_id, currency, recorded_at, value_date)
SELECT entry.id, $1, $2, $3, $4, entry.value_date FROM unnest($5::uuid[], $6::date[]) AS entry (id, value_date)";

/// Makes the lines of entries.
pub const INSERT_LINES: &str = "\
INSERT INTO journal_lines (entry_id, account, debit, credit)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::numeric[], $4::numeric[])";

/// The entries of a loan, each with its lines.
pub const ENTRIES: &str = "\
SELECT e.id, e.value_date, e.recorded_at, e.transaction_id, e.currency, l.accounts, l.debits, l.credits
FROM journal_entries e, LATERAL (
    SELECT array_agg(account ORDER BY credit > 0, account) AS accounts,
        array_agg(debit ORDER BY credit > 0, account) AS debits,
        array_agg(credit ORDER BY credit > 0, account) AS credits
    FROM journal_lines WHERE entry_id = e.id) l
WHERE e.loan_id = $1";

/// Waits for every transaction that is open.
pub const AWAIT: &str = "SELECT await_open_transactions()";

/// What every account adds up to, by currency: for value dates up to one day, and of what was recorded by an instant, or
/// of everything.
pub const TRIAL_BALANCE: &str = "\
SELECT l.account, e.currency, sum(l.debit) AS debit, sum(l.credit) AS credit
FROM journal_lines l JOIN journal_entries e ON e.id = l.entry_id
WHERE e.value_date <= $1 AND ($2::timestamptz IS NULL OR e.recorded_at <= $2)
GROUP BY l.account, e.currency ORDER BY e.currency, l.account";

/// The chart of accounts.
pub const ACCOUNTS: &str = "SELECT code, name, class FROM ledger_accounts";

/// One row of [`MADE`].
pub struct Made(pub Posting);

impl FromRow for Made {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let currency = columns::currency(row, "currency")?;
        let amount = columns::money(row, "amount", currency)?;
        Ok(Self(Posting { on: column(row, "value_date")?, account: account(column(row, "account")?)?, amount }))
    }
}

fn account(name: &str) -> Result<Account, DbError> {
    Account::from_name(name).ok_or_else(|| DbError::unexpected("a stored account is none"))
}

/// What was posted for a loan.
#[must_use]
pub fn made(loan: Uuid) -> Statement<Vec<Made>> {
    Sql::new(MADE).bind(loan).all()
}

/// Makes the entries that a transaction of a loan causes.
#[must_use]
pub fn insert(
    loan: Uuid,
    transaction: Uuid,
    currency: Currency,
    recorded_at: Timestamp,
    entries: &[JournalEntry],
) -> Vec<Statement<()>> {
    if entries.is_empty() {
        return Vec::new();
    }
    let ids: Vec<Uuid> = entries.iter().map(|_| Uuid::now_v7()).collect();
    let lines = || ids.iter().zip(entries).flat_map(|(id, entry)| entry.lines.iter().map(move |line| (*id, line)));
    let dates: Vec<Date> = entries.iter().map(|entry| entry.value_date).collect();
    let insert_lines = Sql::new(INSERT_LINES)
        .bind(lines().map(|(id, _)| id).collect::<Vec<_>>())
        .bind(lines().map(|(_, line)| line.account.as_str()).collect::<Vec<_>>())
        .bind(lines().map(|(_, line)| line.debit.to_decimal()).collect::<Vec<_>>())
        .bind(lines().map(|(_, line)| line.credit.to_decimal()).collect::<Vec<_>>());
    let sql = Sql::new(INSERT_ENTRIES).bind(loan).bind(transaction).bind(currency.code()).bind(recorded_at);
    vec![sql.bind(ids).bind(dates).execute(), insert_lines.execute()]
}

/// An entry of the journal. Its debits are its credits.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = LedgerEntry)]
pub struct Entry {
    /// Names the entry.
    pub id: Uuid,
    /// The business date on which it counts.
    pub value_date: BusinessDate,
    /// When it was made.
    pub recorded_at: Instant,
    /// The transaction that caused it.
    pub transaction_id: Uuid,
    /// ISO 4217.
    #[schema(value_type = String, example = "INR")]
    pub currency: Currency,
    /// Debits first.
    pub lines: Vec<EntryLine>,
}

/// A line of an entry. One of the two amounts is zero.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = LedgerLine)]
pub struct EntryLine {
    /// The account.
    #[schema(value_type = String, example = "cash")]
    pub account: Account,
    /// What is debited.
    #[schema(value_type = String, example = "2142.40")]
    pub debit: Money,
    /// What is credited.
    #[schema(value_type = String, example = "0.00")]
    pub credit: Money,
}

impl FromRow for Entry {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let currency = columns::currency(row, "currency")?;
        let money = |amount: Decimal| {
            Money::from_decimal(amount, currency).map_err(|error| DbError::Unexpected(Box::new(error)))
        };
        let accounts: Vec<String> = column(row, "accounts")?;
        let (debits, credits): (Vec<Decimal>, Vec<Decimal>) = (column(row, "debits")?, column(row, "credits")?);
        let line = |((name, debit), credit): ((String, Decimal), Decimal)| {
            Ok(EntryLine { account: account(&name)?, debit: money(debit)?, credit: money(credit)? })
        };
        let lines: Result<Vec<EntryLine>, DbError> = accounts.into_iter().zip(debits).zip(credits).map(line).collect();
        Ok(Self {
            id: column(row, "id")?,
            value_date: BusinessDate(column(row, "value_date")?),
            recorded_at: Instant(column(row, "recorded_at")?),
            transaction_id: column(row, "transaction_id")?,
            currency,
            lines: lines?,
        })
    }
}

/// A page of a loan's entries, the newest first, with value dates up to one day and recorded by an instant.
#[must_use]
pub fn entries(
    loan: Uuid,
    as_of: Date,
    known_at: Option<Timestamp>,
    after: Option<&Position<Timestamp, Date>>,
    limit: Limit,
) -> Statement<Vec<Entry>> {
    let sql = Sql::new(ENTRIES).bind(loan).push_bind(" AND e.value_date <= {}", as_of);
    let mut sql = sql.push_if(" AND e.recorded_at <= {}", known_at);
    if let Some(&Position(recorded_at, value_date)) = after {
        sql = sql.push_bind(" AND (e.recorded_at, e.value_date) < ({}, ", recorded_at).push_bind("{})", value_date);
    }
    sql.push(" ORDER BY e.recorded_at DESC, e.value_date DESC").push_bind(" LIMIT {}", limit.and_one()).all()
}

/// One line of an entry with its entry, as CSV shows it.
pub struct FlatLine<'a>(pub &'a Entry, pub &'a EntryLine);

impl Line for FlatLine<'_> {
    const COLUMNS: &'static [&'static str] =
        &["id", "value_date", "recorded_at", "transaction_id", "currency", "account", "debit", "credit"];

    fn cells(&self) -> Vec<Cell> {
        let Self(entry, line) = self;
        vec![
            Cell::value(&entry.id),
            Cell::value(&entry.value_date),
            Cell::value(&entry.recorded_at),
            Cell::value(&entry.transaction_id),
            Cell::value(&entry.currency),
            Cell::value(&line.account.as_str()),
            Cell::value(&line.debit),
            Cell::value(&line.credit),
        ]
    }
}

/// What one account adds up to in one currency.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AccountBalance {
    /// The account.
    #[schema(value_type = String, example = "cash")]
    pub account: Account,
    /// ISO 4217.
    #[schema(value_type = String, example = "INR")]
    pub currency: Currency,
    /// All that was debited.
    #[schema(value_type = String, example = "2142.40")]
    pub debit: Money,
    /// All that was credited.
    #[schema(value_type = String, example = "12000.50")]
    pub credit: Money,
    /// Debits less credits.
    #[schema(value_type = String, example = "-9858.10")]
    pub balance: Money,
}

impl FromRow for AccountBalance {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let currency = columns::currency(row, "currency")?;
        let (debit, credit) = (columns::money(row, "debit", currency)?, columns::money(row, "credit", currency)?);
        let balance = debit.checked_sub(credit);
        Ok(Self {
            account: account(column(row, "account")?)?,
            currency,
            debit,
            credit,
            balance: balance.ok_or_else(|| DbError::unexpected("the sums of an account are out of range"))?,
        })
    }
}

impl Line for AccountBalance {
    const COLUMNS: &'static [&'static str] = &["account", "currency", "debit", "credit", "balance"];

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::value(&self.account.as_str()),
            Cell::value(&self.currency),
            Cell::value(&self.debit),
            Cell::value(&self.credit),
            Cell::value(&self.balance),
        ]
    }
}

/// What every account adds up to, by currency: for value dates up to one day and what was recorded by an instant. Where
/// that is so recent that it could still grow, whoever is writing is waited for.
#[must_use]
pub fn trial_balance(
    as_of: Date,
    known_at: Option<Timestamp>,
) -> (Option<Statement<()>>, Statement<Vec<AccountBalance>>) {
    let wait = known_at.filter(|known_at| may_grow(*known_at)).map(|_| Sql::new(AWAIT).execute());
    (wait, Sql::new(TRIAL_BALANCE).bind(as_of).bind(known_at).all())
}

/// An account of the chart. It is there once in every currency.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = LedgerAccount)]
pub struct ChartAccount {
    /// Names the account.
    #[schema(example = "cash")]
    pub account: String,
    /// In words.
    #[schema(example = "Cash")]
    pub name: String,
    /// `asset`, `liability`, `income` or `expense`.
    #[schema(example = "asset")]
    pub class: String,
}

impl FromRow for ChartAccount {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self { account: column(row, "code")?, name: column(row, "name")?, class: column(row, "class")? })
    }
}

/// The chart of accounts, in the order of their codes.
#[must_use]
pub fn accounts() -> Statement<Vec<ChartAccount>> {
    Sql::new(ACCOUNTS).push(" ORDER BY code").all()
}
