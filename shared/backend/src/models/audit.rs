//! The audit log: who did what to what, when and from where.

use serde_json::Value;
use uuid::Uuid;

use crate::{
    auth::callers::Caller,
    db::{Sql, Statement},
    http::address::ClientAddress,
};

/// Appends an entry.
pub const RECORD: &str = "\
INSERT INTO audit_log (id, actor_id, action, subject, address, detail) VALUES ($1, $2, $3, $4, $5, $6)";

/// What an entry is about.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A user.
    User(Uuid),
    /// A loan.
    Loan(Uuid),
    /// A product, by its code.
    Product(String),
    /// Nobody we know: a login under a name that does not exist.
    Nobody,
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Loan(id) => write!(f, "loan:{id}"),
            Self::Product(code) => write!(f, "product:{code}"),
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
