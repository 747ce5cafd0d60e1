//! The audit log: who did what to what, when and from where.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_postgres::Row;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    db::{DbError, FromRow, Sql, Statement, column},
    domain::caller::Caller,
    values::{
        address::ClientAddress,
        page::{Limit, Position},
        time::{Instant, Period},
        user_ref::UserRef,
    },
};

/// Appends an entry. The database stores the address apart, so that it can be erased with the person it belongs to.
pub const RECORD: &str = "\
INSERT INTO audit_log (id, actor_id, action, subject, address, detail) VALUES ($1, $2, $3, $4, $5, $6)";

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
    Sql::new(RECORD)
        .bind(Uuid::now_v7())
        .bind(actor)
        .bind(action)
        .bind(subject.to_string())
        .bind(address.text())
        .bind(detail)
        .execute()
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
    /// The subject: `user:`, `loan:` or `product:` and its id or code, or `nobody`.
    #[schema(example = "user:01957d3a-7c4e-7a10-9d2b-6f1f4f0c2a12")]
    pub subject: String,
    /// The network address of the request; null if it is not known, or once the person it belongs to is erased.
    #[schema(example = "203.0.113.7")]
    pub address: Option<String>,
    /// More about it: names of changed fields, reasons, versions. Never a secret.
    #[schema(value_type = Object, example = json!({"reason": "left the company"}))]
    pub detail: Value,
}

impl FromRow for Entry {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            id: column(row, "id")?,
            at: Instant(column(row, "at")?),
            actor_id: column(row, "actor_id")?,
            action: column(row, "action")?,
            subject: column(row, "subject")?,
            address: column(row, "address")?,
            detail: column(row, "detail")?,
        })
    }
}

/// All entries.
pub const LIST: &str = "\
SELECT id, at, actor_id, action, subject, detail,
    (SELECT a.address FROM audit_addresses a WHERE a.entry_id = audit_log.id) AS address
FROM audit_log WHERE true";

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
