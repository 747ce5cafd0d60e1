//! Keys of machines: the users that they are, and digests of the keys.

use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    columns,
    db::{Columns as _, DbError, List, Reading, Sql, Statement, Stored},
    domain::{
        keys::{ApiKey, Scope},
        users::Role,
    },
    sql,
    values::page::{Limit, Position},
};

columns! {
    ApiKey {
        id: "id",
        name: "name",
        role: "role",
        scopes: "scopes",
        created_by: "made_by",
        created_at: "created_at",
        expires_on: "expires_on",
        last_used_at: "last_used_at",
    }
}

impl Stored for Vec<Scope> {
    type Bound = Vec<String>;
    type Read = Vec<String>;

    fn bound(&self) -> Vec<String> {
        self.iter().map(Scope::to_string).collect()
    }

    fn of(read: Vec<String>, _: &Reading<'_>) -> Result<Self, DbError> {
        let scopes = read.iter().map(|text| Scope::parse(text)).collect::<Option<_>>();
        scopes.ok_or_else(|| DbError::unexpected("a stored scope is not of this release"))
    }
}

/// Makes the user that a key is.
pub const INSERT_USER: &str = "\
INSERT INTO users (id, username, full_name, role, status, is_key, password_set_by, created_at, updated_at)
VALUES ($1, $2, $3, $4, 'active', true, $5, $6, $6)";

/// Makes a key.
pub const INSERT: &str = "\
INSERT INTO api_keys (id, digest, name, scopes, made_by, created_at, expires_on, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

/// The keys that were not revoked.
pub const KEYS: &str = sql!(
    "SELECT {} FROM (
    SELECT k.*, u.role FROM api_keys k JOIN users u ON u.id = k.id) k WHERE revoked_at IS NULL",
    List::Names(ApiKey::COLUMNS),
);

/// Revokes a key: the next request with it is refused.
pub const REVOKE: &str = "\
UPDATE api_keys SET revoked_at = clock_timestamp() WHERE id = $1 AND revoked_at IS NULL RETURNING id";

/// Makes a key and the user that it is. It is good until then.
#[must_use]
pub fn insert(key: &ApiKey, digest: Vec<u8>, until: Option<Timestamp>) -> Vec<Statement<()>> {
    let user = Sql::new(INSERT_USER)
        .bind(key.id)
        .bind(format!("key-{}", key.id.simple()))
        .bind(key.name.clone())
        .bind(Role::from(key.role).as_str())
        .bind(key.created_by)
        .bind(key.created_at.0);
    let key = Sql::new(INSERT)
        .bind(key.id)
        .bind(digest)
        .bind(key.name.clone())
        .bind(key.scopes.bound())
        .bind(key.created_by)
        .bind(key.created_at.0)
        .bind(key.expires_on.map(|last| last.0))
        .bind(until);
    vec![user.execute(), key.execute()]
}

/// One key that was not revoked.
#[must_use]
pub fn by_id(id: Uuid) -> Statement<Option<ApiKey>> {
    Sql::new(KEYS).push_bind(" AND id = {}", id).optional()
}

/// A page of the keys that were not revoked, newest first.
#[must_use]
pub fn list(after: Option<&Position<Timestamp>>, limit: Limit) -> Statement<Vec<ApiKey>> {
    let mut sql = Sql::new(KEYS);
    if let Some(Position(at, id)) = after {
        sql = sql.push_bind(" AND (created_at, id) < ({}, ", *at).push_bind("{})", *id);
    }
    sql.push(" ORDER BY created_at DESC, id DESC").push_bind(" LIMIT {}", limit.and_one()).all()
}

/// Revokes a key; true if it was there.
#[must_use]
pub fn revoke(id: Uuid) -> Statement<bool> {
    Sql::new(REVOKE).bind(id).exists()
}
