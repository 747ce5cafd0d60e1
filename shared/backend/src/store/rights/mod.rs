//! Rights of a person: the data held about somebody, their changes, and their erasure.
//!
//! Identifying data stand in tables with a row for each person; only the database's `erase_person` removes them, from
//! all of these tables. A new such table is added there and in [`held`].

mod rows;

use std::collections::HashSet;

use jiff::Timestamp;
use uuid::Uuid;

pub use self::rows::{ContactChange, ContactField, HeldProfile, HeldSession, HeldVersion};
use crate::{
    db::{Batch, Columns as _, List, OfLoan, Sql, Statement},
    domain::{
        caller::Caller,
        kyc::Kyc,
        loan::{Loan, Scope},
        loan_history::HistoryEntry,
        users::{User, UserStatus},
    },
    sql,
    store::{
        audit,
        loans::{self, Sort},
        transactions::TransactionRow,
    },
    values::{
        names::Names,
        page::{Limit, Position},
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
pub const CHANGES: &str =
    sql!("SELECT {} FROM contact_changes WHERE person_id = $1", List::Names(ContactChange::COLUMNS));

/// The versions of a user's profile.
pub const PROFILES: &str = sql!(
    "SELECT {}, id FROM (SELECT {}, person_id AS id FROM profile_versions) profiles WHERE id = $1",
    List::Names(HeldProfile::COLUMNS),
    List::Names(HeldProfile::COLUMNS),
);

/// The sessions of a user.
pub const SESSIONS: &str = sql!("SELECT {} FROM sessions WHERE user_id = $1", List::Names(HeldSession::COLUMNS));

/// Entries of the audit log, with the address where that is this person's.
macro_rules! entries {
    ($from:literal) => {
        sql!(
            concat!(
                "SELECT {},
    (SELECT a.address FROM audit_addresses a WHERE a.entry_id = audit_log.id AND a.person_id = $1) AS address",
                $from
            ),
            List::Names(audit::Entry::COLUMNS),
        )
    };
}

/// Entries of a person's own actions.
pub const ENTRIES_BY: &str = entries!(" FROM audit_log WHERE actor_id = $1");

/// Entries about a person.
pub const ENTRIES_ABOUT: &str = entries!(" FROM audit_log WHERE subject = 'user:' || $1::uuid");

/// The versions of all loans of a borrower before a position, newest first. Each loan's are read by its index, however
/// many other loans have. All versions of one time come together.
pub const VERSIONS: &str = sql!(
    "SELECT v.*, newest_calendar(v.terms) AS calendar, 0 AS n, NULL::uuid AS from_agent, NULL::uuid AS to_agent
FROM (SELECT id FROM loans WHERE borrower_id = $1 OFFSET 0) l CROSS JOIN LATERAL (
    SELECT loan_id, {} FROM loan_versions WHERE loan_id = l.id AND ($2::timestamptz IS NULL OR (at, loan_id) < ($2, $3))
    ORDER BY version DESC FETCH FIRST $4 ROWS ONLY) v
ORDER BY v.at DESC, v.loan_id DESC FETCH FIRST $4 ROWS WITH TIES",
    List::Names(HistoryEntry::COLUMNS),
);

/// The transactions of all loans of a borrower before a position, newest first.
pub const TRANSACTIONS: &str = sql!(
    "SELECT t.* FROM (SELECT id FROM loans WHERE borrower_id = $1 OFFSET 0) l CROSS JOIN LATERAL (
    SELECT {} FROM transactions WHERE loan_id = l.id AND ($2::timestamptz IS NULL OR (recorded_at, id) < ($2, $3))
    ORDER BY recorded_at DESC FETCH FIRST $4 ROWS ONLY) t
ORDER BY t.recorded_at DESC, t.id DESC FETCH FIRST $4 ROWS ONLY",
    List::Names(TransactionRow::COLUMNS),
);

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
    transactions: Placed<TransactionRow>,
    changes: Placed<ContactChange>,
    profiles: Placed<HeldProfile>,
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
    pub transactions: Vec<TransactionRow>,
    /// Earlier contact data.
    pub changes: Vec<ContactChange>,
    /// Versions of the profile.
    pub profiles: Vec<HeldProfile>,
    /// Sessions.
    pub sessions: Vec<HeldSession>,
    /// Entries of the audit log.
    pub entries: Vec<audit::Entry>,
    /// Where the page ends, if there is another.
    pub end: Option<End>,
}

/// The statements of [`held`].
pub type HeldStatements = (
    (Statement<Vec<Loan>>, Statement<Vec<OfLoan<HistoryEntry>>>, Statement<Vec<TransactionRow>>),
    (Statement<Vec<ContactChange>>, Statement<Vec<HeldProfile>>, Statement<Vec<HeldSession>>),
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
        (by_time(CHANGES).all(), by_time(PROFILES).all(), sessions.all()),
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
        let (changes, profiles, sessions) = of_account;
        let (mut entries, about) = of_log;
        // Entries of people about themselves are found twice.
        let by: HashSet<Uuid> = entries.iter().map(|entry| entry.id).collect();
        entries.extend(about.into_iter().filter(|entry| !by.contains(&entry.id)));
        Self {
            loans: placed(loans, |loan| (loan.created_at, loan.id)),
            versions: placed(versions.collect(), |version| (version.entry.at.0, version.loan_id)),
            transactions: placed(transactions, |transaction| (transaction.recorded_at.0, transaction.id)),
            changes: placed(changes, |change| (change.at.0, change.id)),
            profiles: placed(profiles, |version| (version.at.0, version.person)),
            sessions: placed(sessions, |session| (session.created_at.0, session.id)),
            entries: placed(entries, |entry| (entry.at.0, entry.id)),
        }
    }

    /// The newest things, as many as a page holds. A loan and its first version have one place: all things at the place
    /// of the last one come with it.
    #[must_use]
    pub fn page(self, limit: Limit) -> HeldPage {
        let Self { loans, versions, transactions, changes, profiles, sessions, entries } = self;
        let mut places: Vec<Place> = Vec::new();
        places.extend(loans.iter().map(|(place, _)| *place));
        places.extend(versions.iter().map(|(place, _)| *place));
        places.extend(transactions.iter().map(|(place, _)| *place));
        places.extend(changes.iter().map(|(place, _)| *place));
        places.extend(profiles.iter().map(|(place, _)| *place));
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
            profiles: until(profiles, end),
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
        (ContactField::Email, &before.email, &after.email),
        (ContactField::Phone, &before.phone, &after.phone),
        (ContactField::FullName, &before.full_name, &after.full_name),
    ];
    let (mut ids, mut fields, mut old, mut new) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (field, before, after) in values.into_iter().filter(|(_, before, after)| before != after) {
        ids.push(Uuid::now_v7());
        fields.push(field.as_str());
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
    User {
        username,
        email: None,
        phone: None,
        full_name: None,
        status: UserStatus::Erased,
        agent_id: None,
        kyc: Kyc::default(),
        names: Names::default(),
        ..user.clone()
    }
    .updated(now)
}

/// Erases a person; the user is from now on as [`erased`] returns it.
#[must_use]
pub fn erase(erased: &User) -> Statement<()> {
    Sql::new(ERASE).bind(erased.id).bind(erased.username.clone()).bind(erased.updated_at.0).execute()
}
