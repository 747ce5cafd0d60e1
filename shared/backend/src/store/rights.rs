//! Rights of a person: the data held about somebody, their changes, and their erasure.
//!
//! Identifying data stand in tables with a row for each person; only the database's `erase_person` removes them, from
//! all of these tables. A new such table is added there and in [`held`].

use std::collections::HashSet;

use jiff::{Timestamp, civil::Date};
use lending::{AnnualRate, Currency, Money};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    db::{Batch, DbError, FromRow, OfLoan, Sql, Statement, column},
    domain::{
        caller::Caller,
        loan::{Loan, Scope},
        loan_history::HistoryEntry,
        transaction::TransactionKindSchema,
        users::{User, UserStatus},
    },
    store::{
        audit, columns,
        loans::{self, Sort},
    },
    values::{
        page::{Limit, Position},
        time::{BusinessDate, Instant},
    },
};

/// Erases a person, under this name from now on. Refused while something is open: see the constraints in
/// [`http::problem`](crate::http::problem).
pub const ERASE: &str = "SELECT erase_person($1, $2, $3)";

/// Records changes of a user's contact data.
pub const RECORD_CHANGES: &str = "\
INSERT INTO contact_changes (id, person_id, by_id, field, old_value, new_value)
SELECT change.id, $1, $2, field, old_value, new_value
FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[]) AS change (id, field, old_value, new_value)";

/// The changes of a user's contact data.
pub const CHANGES: &str = "SELECT id, at, by_id, field, old_value, new_value FROM contact_changes WHERE person_id = $1";

/// The sessions of a user.
pub const SESSIONS: &str = "SELECT id, created_at, expires_at FROM sessions WHERE user_id = $1";

/// Entries of the audit log, with the address where that is this person's.
macro_rules! entries {
    ($from:literal) => {
        concat!(
            "SELECT id, at, actor_id, action, subject, detail,
    (SELECT a.address FROM audit_addresses a WHERE a.entry_id = audit_log.id AND a.person_id = $1) AS address",
            $from
        )
    };
}

/// Entries of a person's own actions.
pub const ENTRIES_BY: &str = entries!(" FROM audit_log WHERE actor_id = $1");

/// Entries about a person.
pub const ENTRIES_ABOUT: &str = entries!(" FROM audit_log WHERE subject = 'user:' || $1::uuid");

/// The versions of all loans of a borrower before a position, newest first. Each loan's are read by its index, however
/// many other loans have. All versions of one time come together.
pub const VERSIONS: &str = "\
SELECT v.* FROM (SELECT id FROM loans WHERE borrower_id = $1 OFFSET 0) l CROSS JOIN LATERAL (
    SELECT * FROM loan_versions WHERE loan_id = l.id AND ($2::timestamptz IS NULL OR (at, loan_id) < ($2, $3))
    ORDER BY version DESC FETCH FIRST $4 ROWS ONLY) v
ORDER BY v.at DESC, v.loan_id DESC FETCH FIRST $4 ROWS WITH TIES";

/// The transactions of all loans of a borrower before a position, newest first.
pub const TRANSACTIONS: &str = "\
SELECT t.* FROM (SELECT id FROM loans WHERE borrower_id = $1 OFFSET 0) l CROSS JOIN LATERAL (
    SELECT * FROM transactions WHERE loan_id = l.id AND ($2::timestamptz IS NULL OR (recorded_at, id) < ($2, $3))
    ORDER BY recorded_at DESC FETCH FIRST $4 ROWS ONLY) t
ORDER BY t.recorded_at DESC, t.id DESC FETCH FIRST $4 ROWS ONLY";

/// One value of a user's contact data that changed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ContactChange {
    /// Names the change.
    pub id: Uuid,
    /// When it was made.
    pub at: Instant,
    /// Who made it.
    pub by: Uuid,
    /// The field.
    pub field: ContactField,
    /// The value before; null if there was no value.
    #[schema(example = "asha@example.com")]
    pub old: Option<String>,
    /// The value after; null if it was removed.
    #[schema(example = "asha.patel@example.com")]
    pub new: Option<String>,
}

/// Contact data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContactField {
    /// The e-mail address.
    Email,
    /// The telephone number.
    Phone,
    /// The name people see.
    FullName,
}

impl FromRow for ContactChange {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: column(row, "id")?,
            at: Instant(column(row, "at")?),
            by: column(row, "by_id")?,
            field: columns::word(row, "field")?,
            old: column(row, "old_value")?,
            new: column(row, "new_value")?,
        })
    }
}

/// A session that is not over, or ended by itself a short while ago.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HeldSession {
    /// Names the session.
    pub id: Uuid,
    /// When it began.
    pub created_at: Instant,
    /// When it ends by itself.
    pub expires_at: Instant,
}

impl FromRow for HeldSession {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: column(row, "id")?,
            created_at: Instant(column(row, "created_at")?),
            expires_at: Instant(column(row, "expires_at")?),
        })
    }
}

/// A version of a loan.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HeldVersion {
    /// The loan.
    pub loan_id: Uuid,
    /// The version, as the loan's history shows it.
    pub entry: HistoryEntry,
}

/// A transaction as it was recorded. The loan's transactions show the allocation of a payment.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HeldTransaction {
    /// Names the transaction.
    pub id: Uuid,
    /// The loan.
    pub loan_id: Uuid,
    /// The kind. A payment after a write-off is a repayment here.
    #[schema(value_type = TransactionKindSchema)]
    pub kind: String,
    /// The business date.
    pub on: BusinessDate,
    /// The amount; null for a reversal.
    #[schema(value_type = Option<String>, example = "2142.40")]
    pub amount: Option<Money>,
    /// ISO 4217.
    #[schema(value_type = String, example = "INR")]
    pub currency: Currency,
    /// Of a disbursement: the amount less the fees taken then.
    #[schema(value_type = Option<String>, example = "12000.50")]
    pub paid_out: Option<Money>,
    /// Of a charge and a waiver: the component charged or waived.
    #[schema(example = "fee")]
    pub component: Option<String>,
    /// Of a charge: the lender's name for it.
    pub code: Option<String>,
    /// Of a charge: when it falls due.
    pub due_on: Option<BusinessDate>,
    /// Of a reschedule: the due date of the first new row.
    pub from: Option<BusinessDate>,
    /// Of a reschedule: how many instalments.
    #[schema(example = 6)]
    pub instalments: Option<i32>,
    /// Of a reschedule: percent a year.
    #[schema(value_type = Option<String>, example = "24.00")]
    pub interest_rate_apr: Option<AnnualRate>,
    /// Of a reschedule: when the first of them falls due.
    pub first_due_on: Option<BusinessDate>,
    /// Of a reversal: the transaction that it takes back.
    pub reverses: Option<Uuid>,
    /// How the other side names it.
    pub reference: Option<String>,
    /// How a repayment came in.
    #[schema(example = "cash")]
    pub channel: Option<String>,
    /// The reason given.
    pub reason: Option<String>,
    /// When it was recorded.
    pub recorded_at: Instant,
    /// Who recorded it.
    pub recorded_by: Uuid,
}

impl FromRow for HeldTransaction {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let currency = columns::currency(row, "currency")?;
        let money = |name: &str| -> Result<Option<Money>, DbError> {
            let amount: Option<Decimal> = column(row, name)?;
            let money = amount.map(|amount| Money::from_decimal(amount, currency));
            money.transpose().map_err(|error| DbError::Unexpected(Box::new(error)))
        };
        let date = |name: &str| -> Result<Option<BusinessDate>, DbError> {
            Ok(column::<Option<Date>>(row, name)?.map(BusinessDate))
        };
        let rate = column::<Option<Decimal>>(row, "interest_rate_apr")?.map(AnnualRate::from_decimal).transpose();
        Ok(Self {
            id: column(row, "id")?,
            loan_id: column(row, "loan_id")?,
            kind: column(row, "kind")?,
            on: BusinessDate(column(row, "value_date")?),
            amount: money("amount")?,
            currency,
            paid_out: money("paid_out")?,
            component: column(row, "component")?,
            code: column(row, "code")?,
            due_on: date("due_on")?,
            from: date("from_due_on")?,
            instalments: column(row, "instalments")?,
            interest_rate_apr: rate.map_err(|error| DbError::Unexpected(Box::new(error)))?,
            first_due_on: date("first_due_on")?,
            reverses: column(row, "reverses")?,
            reference: column(row, "reference")?,
            channel: column(row, "channel")?,
            reason: column(row, "reason")?,
            recorded_at: Instant(column(row, "recorded_at")?),
            recorded_by: column(row, "recorded_by")?,
        })
    }
}

/// Where a page ends.
type End = Position<Timestamp>;

/// The place of a thing among all others: its instant, and an id to separate things of one instant.
type Place = (Timestamp, Uuid);

/// Things of one kind, each with its place.
type Placed<T> = Vec<(Place, T)>;

/// The data held about a person, kind by kind: of each the newest after a position, one more than a page holds.
pub struct Held {
    loans: Placed<Loan>,
    versions: Placed<HeldVersion>,
    transactions: Placed<HeldTransaction>,
    changes: Placed<ContactChange>,
    sessions: Placed<HeldSession>,
    entries: Placed<audit::Entry>,
}

/// A page of the data held, all kinds together.
pub struct HeldPage {
    /// Loans.
    pub loans: Vec<Loan>,
    /// Versions of loans.
    pub versions: Vec<HeldVersion>,
    /// Transactions of loans.
    pub transactions: Vec<HeldTransaction>,
    /// Earlier contact data.
    pub changes: Vec<ContactChange>,
    /// Sessions.
    pub sessions: Vec<HeldSession>,
    /// Entries of the audit log.
    pub entries: Vec<audit::Entry>,
    /// Where the page ends, if there is another.
    pub end: Option<End>,
}

/// The statements of [`held`].
pub type HeldStatements = (
    (Statement<Vec<Loan>>, Statement<Vec<OfLoan<HistoryEntry>>>, Statement<Vec<HeldTransaction>>),
    (Statement<Vec<ContactChange>>, Statement<Vec<HeldSession>>),
    (Statement<Vec<audit::Entry>>, Statement<Vec<audit::Entry>>),
);

/// The rows of [`HeldStatements`].
pub type HeldRows = <HeldStatements as Batch>::Answer;

/// All data held about a person after a position, newest first: statements that go together, for [`Held::new`]. `None`
/// for a position of another list: see [`loans::list`].
#[must_use]
pub fn held(person: Uuid, after: Option<&End>, limit: Limit) -> Option<HeldStatements> {
    let filter = loans::Filter::default();
    let of_loans = after.map(|Position(at, id)| Position(at.to_string(), *id));
    let loans = loans::list(filter, Scope::Borrower(person), Sort::CreatedDescending, of_loans, limit)?;
    let of_all_loans = |sql: &'static str| {
        let (at, id) = after.map(|Position(at, id)| (*at, *id)).unzip();
        Sql::new(sql).bind(person).bind(at).bind(id).bind(limit.and_one())
    };
    let by_time = |sql: &'static str| newest(Sql::new(sql).bind(person), "at", after, limit);
    let sessions = newest(Sql::new(SESSIONS).bind(person), "created_at", after, limit);
    Some((
        (loans, of_all_loans(VERSIONS).all(), of_all_loans(TRANSACTIONS).all()),
        (by_time(CHANGES).all(), sessions.all()),
        (by_time(ENTRIES_BY).all(), by_time(ENTRIES_ABOUT).all()),
    ))
}

/// Narrows to the rows after a position, newest first.
fn newest(sql: Sql, time: &'static str, after: Option<&End>, limit: Limit) -> Sql {
    let mut sql = sql;
    if let Some(Position(at, id)) = after {
        sql = sql.push(" AND (").push(time).push_bind(", id) < ({}, ", *at).push_bind("{})", *id);
    }
    sql.push(" ORDER BY ").push(time).push(" DESC, id DESC").push_bind(" LIMIT {}", limit.and_one())
}

impl Held {
    /// From the rows of [`held`].
    #[must_use]
    pub fn new((of_loans, of_account, of_log): HeldRows) -> Self {
        fn placed<T>(things: Vec<T>, place: impl Fn(&T) -> Place) -> Placed<T> {
            things.into_iter().map(|thing| (place(&thing), thing)).collect()
        }
        let (loans, versions, transactions) = of_loans;
        let versions = versions.into_iter().map(|OfLoan { loan_id, row: entry }| HeldVersion { loan_id, entry });
        let (changes, sessions) = of_account;
        let (mut entries, about) = of_log;
        // Entries of people about themselves are found twice.
        let by: HashSet<Uuid> = entries.iter().map(|entry| entry.id).collect();
        entries.extend(about.into_iter().filter(|entry| !by.contains(&entry.id)));
        Self {
            loans: placed(loans, |loan| (loan.created_at, loan.id)),
            versions: placed(versions.collect(), |version| (version.entry.at.0, version.loan_id)),
            transactions: placed(transactions, |transaction| (transaction.recorded_at.0, transaction.id)),
            changes: placed(changes, |change| (change.at.0, change.id)),
            sessions: placed(sessions, |session| (session.created_at.0, session.id)),
            entries: placed(entries, |entry| (entry.at.0, entry.id)),
        }
    }

    /// The newest things, as many as a page holds. A loan and its first version have one place: all things at the place
    /// of the last one come with it.
    #[must_use]
    pub fn page(self, limit: Limit) -> HeldPage {
        let Self { loans, versions, transactions, changes, sessions, entries } = self;
        let mut places: Vec<Place> = Vec::new();
        places.extend(loans.iter().map(|(place, _)| *place));
        places.extend(versions.iter().map(|(place, _)| *place));
        places.extend(transactions.iter().map(|(place, _)| *place));
        places.extend(changes.iter().map(|(place, _)| *place));
        places.extend(sessions.iter().map(|(place, _)| *place));
        places.extend(entries.iter().map(|(place, _)| *place));
        places.sort_unstable_by(|a, b| b.cmp(a));
        let last = places.get(limit.of_page().saturating_sub(1)).copied();
        let is_more = last.is_some_and(|last| places.last().is_some_and(|oldest| *oldest < last));
        let end = last.filter(|_| is_more);
        HeldPage {
            loans: until(loans, end),
            versions: until(versions, end),
            transactions: until(transactions, end),
            changes: until(changes, end),
            sessions: until(sessions, end),
            entries: until(entries, end),
            end: end.map(|(at, id)| Position(at, id)),
        }
    }
}

/// The things up to the end of a page, newest first.
fn until<T>(mut things: Placed<T>, end: Option<Place>) -> Vec<T> {
    things.retain(|(place, _)| end.is_none_or(|end| *place >= end));
    things.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
    things.into_iter().map(|(_, thing)| thing).collect()
}

/// A page of the changes of a user's contact data, newest first.
#[must_use]
pub fn changes(person: Uuid, after: Option<&End>, limit: Limit) -> Statement<Vec<ContactChange>> {
    newest(Sql::new(CHANGES).bind(person), "at", after, limit).all()
}

/// Records a caller's changes of a user's contact data, each value before and after.
#[must_use]
pub fn record_changes(caller: &Caller, before: &User, after: &User) -> Statement<()> {
    let values = [
        ("email", &before.email, &after.email),
        ("phone", &before.phone, &after.phone),
        ("full_name", &before.full_name, &after.full_name),
    ];
    let (mut ids, mut fields, mut old, mut new) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (field, before, after) in values.into_iter().filter(|(_, before, after)| before != after) {
        ids.push(Uuid::now_v7());
        fields.push(field);
        old.push(before.clone());
        new.push(after.clone());
    }
    let sql = Sql::new(RECORD_CHANGES).bind(after.id).bind(caller.id);
    sql.bind(ids).bind(fields).bind(old).bind(new).execute()
}

/// The user as an erasure leaves it, under a new name.
#[must_use]
pub fn erased(user: &User, now: Timestamp) -> User {
    // The last digits of a random id: enough names that none comes twice.
    let number = Uuid::now_v7().as_u128() % 1_000_000_000_000;
    let username = format!("erased-{number:012}");
    User { username, email: None, phone: None, full_name: None, status: UserStatus::Erased, ..user.clone() }
        .updated(now)
}

/// Erases a person; the user is from now on as [`erased`] returns it.
#[must_use]
pub fn erase(erased: &User) -> Statement<()> {
    Sql::new(ERASE).bind(erased.id).bind(erased.username.clone()).bind(erased.updated_at.0).execute()
}
