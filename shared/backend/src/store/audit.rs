//! The audit log: who did what to what, when and from where.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    columns,
    db::{ALL, Columns as _, List, Sql, Statement},
    domain::caller::Caller,
    sql,
    values::{
        address::ClientAddress,
        page::{Limit, Position},
        time::{Instant, Period},
        user_ref::UserRef,
    },
};

/// Appends an entry. The database stores the address apart, so that it can be erased with the person it belongs to.
pub const RECORD: &str = sql!(
    "INSERT INTO audit_log ({}) VALUES ({})",
    List::Names(NewEntry::COLUMNS),
    List::Parameters(NewEntry::COLUMNS, 1),
);

/// Appends an entry of an earlier time.
pub const RECORD_AT: &str = sql!(
    "INSERT INTO audit_log (at, {}) VALUES ($1, {})",
    List::Names(NewEntry::COLUMNS),
    List::Parameters(NewEntry::COLUMNS, 2),
);

/// An entry that is appended.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// Names the entry.
    pub id: Uuid,
    /// Who did it.
    pub actor_id: Option<Uuid>,
    /// The action.
    pub action: String,
    /// The subject: a [`Subject`].
    pub subject: String,
    /// The network address of the request; empty if it is not known.
    pub address: String,
    /// More about it.
    pub detail: Value,
}

columns! {
    NewEntry {
        id: "id",
        actor_id: "actor_id",
        action: "action",
        subject: "subject",
        address: "address",
        detail: "detail",
    }
}

/// The subject of an entry.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A user.
    User(Uuid),
    /// A loan.
    Loan(Uuid),
    /// A product, by its code.
    Product(String),
    /// A calendar, by its code.
    Calendar(String),
    /// A payment.
    Payment(Uuid),
    /// Where money arrives, by its code.
    Source(String),
    /// Nobody known: a login under a name that does not exist.
    Nobody,
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Loan(id) => write!(f, "loan:{id}"),
            Self::Product(code) => write!(f, "product:{code}"),
            Self::Calendar(code) => write!(f, "calendar:{code}"),
            Self::Payment(id) => write!(f, "payment:{id}"),
            Self::Source(code) => write!(f, "source:{code}"),
            Self::Nobody => f.write_str("nobody"),
        }
    }
}

/// An entry for what a caller did. `detail` holds no secret and no personal data: names of fields, reasons, versions.
#[must_use]
pub fn by(caller: &Caller, action: &'static str, subject: &Subject, detail: Value) -> Statement<()> {
    record(Some(caller.id), &caller.address, action, subject, detail)
}

/// An entry for someone who may not be logged in.
#[must_use]
pub fn record(
    actor: Option<Uuid>,
    address: &ClientAddress,
    action: &'static str,
    subject: &Subject,
    detail: Value,
) -> Statement<()> {
    let entry = NewEntry {
        id: Uuid::now_v7(),
        actor_id: actor,
        action: action.to_owned(),
        subject: subject.to_string(),
        address: address.text(),
        detail,
    };
    Sql::new(RECORD).bind_all(entry.parameters(ALL)).execute()
}

/// An entry of an earlier time.
#[must_use]
pub fn record_at(at: Timestamp, entry: &NewEntry) -> Statement<()> {
    Sql::new(RECORD_AT).bind(at).bind_all(entry.parameters(ALL)).execute()
}

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = AuditEntry)]
pub struct Entry {
    /// Names the entry.
    #[schema(example = "01957d3a-7c4e-7a10-9d2b-6f1f4f0c2a11")]
    pub id: Uuid,
    /// When it was done.
    pub at: Instant,
    /// Who did it; null for somebody who was not logged in.
    pub actor_id: Option<Uuid>,
    /// The action.
    #[schema(example = "user.suspend")]
    pub action: String,
    /// The subject: `user:`, `loan:`, `product:`, `payment:` or `source:` and its id or code, or `nobody`.
    #[schema(example = "user:01957d3a-7c4e-7a10-9d2b-6f1f4f0c2a12")]
    pub subject: String,
    /// The network address of the request; null if it is not known, or once the person it belongs to is erased.
    #[schema(example = "203.0.113.7")]
    pub address: Option<String>,
    /// More about it: names of changed fields, reasons, versions. Never a secret.
    #[schema(value_type = Object, example = json!({"reason": "left the company"}))]
    pub detail: Value,
}

columns! {
    Entry {
        id: "id",
        at: "at",
        actor_id: "actor_id",
        action: "action",
        subject: "subject",
        detail: "detail",
    }
    read { address: "address", }
}

/// All entries.
pub const LIST: &str = sql!(
    "SELECT {}, (SELECT a.address FROM audit_addresses a WHERE a.entry_id = audit_log.id) AS address
FROM audit_log WHERE true",
    List::Names(Entry::COLUMNS),
);

/// The filters of a list of entries.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Done by this user.
    pub actor: Option<UserRef>,
    /// This action.
    pub action: Option<String>,
    /// To this subject.
    pub subject: Option<String>,
    /// In this period.
    pub period: Period,
}

/// A page of entries, newest first.
#[must_use]
pub fn list(filter: &Filter, after: Option<&Position<Timestamp>>, limit: Limit) -> Statement<Vec<Entry>> {
    let actor = filter.actor.as_ref();
    let begin = Sql::new(LIST);
    // One of them has an index; of several, which has the fewest rows is a question of the values.
    let filters = [actor.is_some(), filter.action.is_some(), filter.subject.is_some()];
    let several = filters.into_iter().filter(|is_given| *is_given).count() > 1;
    let begin = if several { begin.planned_for_its_values() } else { begin };
    let mut sql = begin
        .push_if(" AND actor_id = {}", actor.and_then(UserRef::id))
        .push_if(" AND actor_id = (SELECT u.id FROM users u WHERE u.username = {})", actor.and_then(UserRef::username))
        .push_if(" AND action = {}", filter.action.clone())
        .push_if(" AND subject = {}", filter.subject.clone())
        .push_if(" AND at >= {}", filter.period.from)
        .push_if(" AND at < {}", filter.period.before);
    if let Some(Position(at, id)) = after {
        sql = sql.push_bind(" AND (at, id) < ({}, ", *at).push_bind("{})", *id);
    }
    sql.push(" ORDER BY at DESC, id DESC").push_bind(" LIMIT {}", limit.and_one()).all()
}
