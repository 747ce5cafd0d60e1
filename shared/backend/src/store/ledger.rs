//! The books: entries of the journal, each of balanced lines, and their sums by account. Entries are appended and never
//! changed; the crate `lending` derives them from a loan's transactions.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use lending::{Currency, JournalEntry, Money};
use rust_decimal::Decimal;
use serde::Serialize;
use tokio_postgres::Row;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    columns,
    db::{Columns as _, DbError, FromRow, List, OfLoan, Reading, Sql, Statement, Stored as _},
    domain::{
        ledger::{AccountKey, AccountSums, LedgerAccount, PostedSums},
        loan_as_of::may_grow,
    },
    sql,
    store::portfolio::AT_ONCE,
    values::{
        page::{Limit, Position},
        time::{BusinessDate, Instant},
        units::decimal,
    },
};

/// The sums posted for loans, by value date and account.
pub const MADE: &str = "\
SELECT e.loan_id, e.currency, e.value_date, l.account, sum(l.debit) AS debit, sum(l.credit) AS credit
FROM transactions t JOIN journal_entries e ON e.transaction_id = t.id JOIN journal_lines l ON l.entry_id = e.id
WHERE t.loan_id = ANY ($1) GROUP BY e.loan_id, e.currency, e.value_date, l.account";

/// The stored sums of each account.
pub const KEPT_ACCOUNTS: &str = "\
SELECT currency, on_date, account, sum(debit) AS debit, sum(credit) AS credit
FROM (SELECT * FROM account_days UNION ALL SELECT * FROM account_changes) kept GROUP BY currency, on_date, account";

/// Appends changes of the sums of accounts.
pub const CHANGE_ACCOUNTS: &str = "\
INSERT INTO account_changes (currency, on_date, account, debit, credit)
SELECT * FROM unnest($1::text[], $2::date[], $3::text[], $4::numeric[], $5::numeric[])";

/// Inserts entries with their lines, and appends the changes of the accounts' sums. There is a line for each of the
/// arrays' elements; those of one entry have its id and date.
pub const INSERT_ENTRIES: &str = "\
WITH lines AS (
    SELECT * FROM unnest($5::uuid[], $6::date[], $7::text[], $8::numeric[], $9::numeric[])
        AS line (entry_id, value_date, account, debit, credit)),
entries AS (
    INSERT INTO journal_entries (id, loan_id, transaction_id, currency, recorded_at, value_date, restates)
    SELECT DISTINCT entry_id, $1::uuid, $2::uuid, $3::text, $4::timestamptz, value_date, $10::bool FROM lines),
accounts AS (
    INSERT INTO account_changes (on_date, currency, account, debit, credit)
    SELECT value_date, $3, account, debit, credit FROM lines)
INSERT INTO journal_lines (entry_id, account, debit, credit) SELECT entry_id, account, debit, credit FROM lines";

/// The entries of a loan, each with its lines.
pub const ENTRIES: &str = "\
SELECT e.id, e.value_date, e.recorded_at, t.recorded_at AS transaction_recorded_at, e.transaction_id, e.currency,
    l.accounts, l.debits, l.credits
FROM transactions t JOIN journal_entries e ON e.transaction_id = t.id, LATERAL (
    SELECT array_agg(account ORDER BY credit > 0, account) AS accounts,
        array_agg(debit ORDER BY credit > 0, account) AS debits,
        array_agg(credit ORDER BY credit > 0, account) AS credits
    FROM journal_lines WHERE entry_id = e.id) l
WHERE t.loan_id = $1";

/// Waits for every transaction that is open.
pub const AWAIT: &str = "SELECT await_open_transactions()";

/// The sums of every account, by currency: for value dates up to one day; if an instant is given, without entries
/// recorded after it. Adds whole months, the days of the last month, and changes not yet summed.
pub const TRIAL_BALANCE: &str = "\
WITH posted AS (
    SELECT account, currency, debit, credit FROM account_months WHERE on_date < date_trunc('month', $1::date)::date
    UNION ALL
    SELECT account, currency, debit, credit FROM account_days
    WHERE on_date >= date_trunc('month', $1::date)::date AND on_date <= $1
    UNION ALL
    SELECT account, currency, debit, credit FROM account_changes WHERE on_date <= $1
    UNION ALL
    SELECT l.account, e.currency, -l.debit, -l.credit
    FROM transactions t JOIN journal_entries e ON e.transaction_id = t.id JOIN journal_lines l ON l.entry_id = e.id
    WHERE t.recorded_at > $2 AND e.value_date <= $1
    UNION ALL
    SELECT l.account, e.currency, -l.debit, -l.credit
    FROM journal_entries e JOIN journal_lines l ON l.entry_id = e.id
    WHERE e.restates AND e.recorded_at > $2 AND e.value_date <= $1
        AND (SELECT recorded_at FROM transactions t WHERE t.id = e.transaction_id) <= $2
    UNION ALL
    SELECT l.account, e.currency, -l.debit, -l.credit
    FROM journal_entries e JOIN journal_lines l ON l.entry_id = e.id
    WHERE e.payment_id IS NOT NULL AND e.recorded_at > $2 AND e.value_date <= $1)
SELECT account, currency, sum(debit) AS debit, sum(credit) AS credit FROM posted
GROUP BY account, currency HAVING sum(debit) <> 0 OR sum(credit) <> 0 ORDER BY currency, account";

/// The chart of accounts.
pub const ACCOUNTS: &str = sql!("SELECT {} FROM ledger_accounts", List::Names(ChartAccount::COLUMNS));

impl PostedSums {
    fn read(row: &Row, date: &'static str) -> Result<Self, DbError> {
        let row = Reading::new(row);
        let key = (row.currency()?, row.get(date)?, row.get("account")?);
        let sums =
            AccountSums { debit: row.get("debit").map(Money::units)?, credit: row.get("credit").map(Money::units)? };
        Ok(Self(key, sums))
    }
}

/// One row of [`MADE`].
pub struct PostedRow(pub PostedSums);

impl FromRow for PostedRow {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        PostedSums::read(row, "value_date").map(Self)
    }
}

/// One row of [`KEPT_ACCOUNTS`].
pub struct SummedRow(pub PostedSums);

impl FromRow for SummedRow {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        PostedSums::read(row, "on_date").map(Self)
    }
}

/// The sums posted for loans.
#[must_use]
pub fn made(loans: Vec<Uuid>) -> Statement<Vec<OfLoan<PostedRow>>> {
    Sql::new(MADE).bind(loans).all()
}

/// The stored sums of each account.
#[must_use]
pub fn kept() -> Statement<Vec<SummedRow>> {
    Sql::new(KEPT_ACCOUNTS).all()
}

/// Appends changes of the sums of accounts.
#[must_use]
pub fn changes(accounts: &BTreeMap<AccountKey, AccountSums>) -> Vec<Statement<()>> {
    let accounts: Vec<_> = accounts.iter().collect();
    let write = |accounts: &[(&AccountKey, &AccountSums)]| {
        let units = |of: fn(&AccountSums) -> i128| {
            accounts.iter().map(|((currency, ..), sums)| decimal(of(sums), *currency)).collect::<Vec<_>>()
        };
        let sql = Sql::new(CHANGE_ACCOUNTS)
            .bind(accounts.iter().map(|((currency, ..), _)| currency.code()).collect::<Vec<_>>())
            .bind(accounts.iter().map(|((_, on, _), _)| *on).collect::<Vec<_>>())
            .bind(accounts.iter().map(|((.., account), _)| account.to_string()).collect::<Vec<_>>())
            .bind(units(|sums| sums.debit))
            .bind(units(|sums| sums.credit));
        sql.execute()
    };
    accounts.chunks(AT_ONCE).map(write).collect()
}

/// The cause of entries.
#[derive(Clone, Copy, Debug)]
pub struct Cause {
    /// The loan.
    pub loan: Uuid,
    /// The transaction that they name.
    pub transaction: Uuid,
    /// The loan's currency.
    pub currency: Currency,
    /// When they are made.
    pub recorded_at: Timestamp,
    /// True if they correct earlier entries, rather than come with the transaction.
    pub restates: bool,
}

/// Makes entries of a loan.
#[must_use]
pub fn insert(cause: Cause, entries: &[JournalEntry<LedgerAccount>]) -> Option<Statement<()>> {
    let Cause { loan, transaction, currency, recorded_at, restates } = cause;
    if entries.is_empty() {
        return None;
    }
    let entries: Vec<(Uuid, &JournalEntry<LedgerAccount>)> =
        entries.iter().map(|entry| (Uuid::now_v7(), entry)).collect();
    let lines =
        || entries.iter().flat_map(|(id, entry)| entry.lines.iter().map(move |line| (*id, entry.value_date, line)));
    let sql = Sql::new(INSERT_ENTRIES).bind(loan).bind(transaction).bind(currency.code()).bind(recorded_at);
    let sql = sql
        .bind(lines().map(|(id, ..)| id).collect::<Vec<_>>())
        .bind(lines().map(|(_, value_date, _)| value_date).collect::<Vec<_>>())
        .bind(lines().map(|(.., line)| line.account.to_string()).collect::<Vec<_>>())
        .bind(lines().map(|(.., line)| line.debit.to_decimal()).collect::<Vec<_>>())
        .bind(lines().map(|(.., line)| line.credit.to_decimal()).collect::<Vec<_>>())
        .bind(restates);
    Some(sql.execute())
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
    /// The transaction that caused it. If newer rules restated the loan, the last one before that.
    pub transaction_id: Uuid,
    /// When that was recorded.
    #[serde(skip)]
    pub transaction_recorded_at: Timestamp,
    /// ISO 4217.
    pub currency: Currency,
    /// Debits first.
    pub lines: Vec<EntryLine>,
}

/// A line of an entry. One of the two amounts is zero.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = LedgerLine, example = json!({"debit": "2142.40", "credit": "0.00"}))]
pub struct EntryLine {
    /// The account.
    #[schema(value_type = String, example = "cash")]
    pub account: LedgerAccount,
    /// The debit.
    pub debit: Money,
    /// The credit.
    pub credit: Money,
}

impl FromRow for Entry {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let row = Reading::new(row);
        let accounts: Vec<&str> = row.column("accounts")?;
        let (debits, credits): (Vec<Decimal>, Vec<Decimal>) = (row.column("debits")?, row.column("credits")?);
        let line = |((name, debit), credit): ((&str, Decimal), Decimal)| {
            let account = LedgerAccount::of(name.to_owned(), &row)?;
            Ok(EntryLine { account, debit: Money::of(debit, &row)?, credit: Money::of(credit, &row)? })
        };
        let lines: Result<Vec<EntryLine>, DbError> = accounts.into_iter().zip(debits).zip(credits).map(line).collect();
        Ok(Self {
            id: row.get("id")?,
            value_date: row.get("value_date")?,
            recorded_at: row.get("recorded_at")?,
            transaction_id: row.get("transaction_id")?,
            transaction_recorded_at: row.get("transaction_recorded_at")?,
            currency: row.currency()?,
            lines: lines?,
        })
    }
}

/// The position of an entry in the list: when its transaction was recorded, when the entry was, its value date.
pub type EntryPosition = Position<(Timestamp, Timestamp), Date>;

impl Entry {
    /// The position of a page that ends with this entry.
    #[must_use]
    pub fn position(&self) -> EntryPosition {
        Position((self.transaction_recorded_at, self.recorded_at.0), self.value_date.0)
    }
}

/// A page of a loan's entries, the newest first, with value dates up to one day and recorded by an instant.
#[must_use]
pub fn entries(
    loan: Uuid,
    as_of: Date,
    known_at: Option<Timestamp>,
    after: Option<&EntryPosition>,
    limit: Limit,
) -> Statement<Vec<Entry>> {
    let sql = Sql::new(ENTRIES).bind(loan).push_bind(" AND e.value_date <= {}", as_of);
    let mut sql = sql.push_if(" AND t.recorded_at <= {} AND e.recorded_at <= {}", known_at);
    if let Some(&Position((of_transaction, recorded_at), value_date)) = after {
        sql = sql.push_bind(" AND (t.recorded_at, e.recorded_at, e.value_date) < ({}, ", of_transaction);
        sql = sql.push_bind("{}, ", recorded_at).push_bind("{})", value_date);
    }
    sql.push(" ORDER BY t.recorded_at DESC, e.recorded_at DESC, e.value_date DESC")
        .push_bind(" LIMIT {}", limit.and_one())
        .all()
}

/// The sums of one account in one currency.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"debit": "2142.40", "credit": "12000.50", "balance": "-9858.10"}))]
pub struct AccountBalance {
    /// The account.
    #[schema(value_type = String, example = "cash")]
    pub account: LedgerAccount,
    /// ISO 4217.
    pub currency: Currency,
    /// The sum of the debits.
    pub debit: Money,
    /// The sum of the credits.
    pub credit: Money,
    /// Debits less credits.
    pub balance: Money,
}

impl FromRow for AccountBalance {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let row = Reading::new(row);
        let (account, currency) = (row.get("account")?, row.currency()?);
        let (debit, credit): (Money, Money) = (row.get("debit")?, row.get("credit")?);
        let balance = debit.checked_sub(credit);
        let balance = balance.ok_or_else(|| DbError::unexpected("the sums of an account are out of range"))?;
        Ok(Self { account, currency, debit, credit, balance })
    }
}

/// The sums of every account, by currency: for value dates up to one day and entries recorded by an instant. If entries
/// of that instant could still be added, waits for the open transactions.
#[must_use]
pub fn trial_balance(
    as_of: Date,
    known_at: Option<Timestamp>,
) -> (Option<Statement<()>>, Statement<Vec<AccountBalance>>) {
    let wait = known_at.filter(|known_at| may_grow(*known_at)).map(|_| Sql::new(AWAIT).execute());
    (wait, Sql::new(TRIAL_BALANCE).bind(as_of).bind(known_at).all())
}

/// An account of the chart. It exists once in every currency.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = LedgerAccount)]
pub struct ChartAccount {
    /// Names the account.
    #[schema(example = "cash")]
    pub account: String,
    /// The name in words.
    #[schema(example = "Cash")]
    pub name: String,
    /// `asset`, `liability`, `income` or `expense`.
    #[schema(example = "asset")]
    pub class: String,
}

columns! {
    ChartAccount {
        account: "code",
        name: "name",
        class: "class",
    }
}

/// The chart of accounts, in the order of their codes.
#[must_use]
pub fn accounts() -> Statement<Vec<ChartAccount>> {
    Sql::new(ACCOUNTS).push(" ORDER BY code").all()
}
