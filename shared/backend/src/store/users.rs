//! Users: customers, agents, admins. Password hashes leave this module only as [`Credentials`], which cannot be shown.

use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    columns,
    db::{ALL, Columns, DbError, Field, FromRow, List, Parameter, Reading, Sql, Statement, column, parameter},
    domain::{
        kyc::{Kyc, KycStatus},
        refusal::Refusal,
        users::{NewUser, Role, User, UserStatus},
    },
    sql,
    values::{
        page::{Limit, Position},
        search::SearchWords,
        user_ref::UserRef,
    },
};

/// The columns that a user may change.
const PROFILE: u8 = 1;

columns! {
    User {
        id: "id",
        username: "username",
        email: "email" in PROFILE,
        phone: "phone" in PROFILE,
        full_name: "full_name" in PROFILE,
        role: "role",
        status: "status",
        agent_id: "agent_id" in PROFILE,
        kyc: "kyc_status" "kyc_by" "kyc_at" "kyc_reason" "kyc_expires_on" in PROFILE,
        names: "external_id" "metadata" in PROFILE,
        totp_since: "totp_since",
        created_at: "created_at",
        updated_at: "updated_at" in PROFILE,
    }
}

impl Field<5> for Kyc {
    fn parameters(&self) -> [Parameter; 5] {
        let Self { status, by, at, reason, expires_on } = self;
        [
            parameter(status.as_str()),
            parameter(*by),
            parameter(at.map(|at| at.0)),
            parameter(reason.clone()),
            parameter(expires_on.map(|last| last.0)),
        ]
    }

    fn read(row: &Reading<'_>, [status, by, at, reason, expires_on]: [&'static str; 5]) -> Result<Self, DbError> {
        Ok(Self {
            status: row.get(status)?,
            by: row.get(by)?,
            at: row.get(at)?,
            reason: row.get(reason)?,
            expires_on: row.get(expires_on)?,
        })
    }
}

impl NewUser {
    /// Looks whether the username and the e-mail address are taken: before the costly hash, and only for that reason.
    #[must_use]
    pub fn taken(&self) -> Statement<Taken> {
        let email = self.email.as_ref().map(|email| email.as_str().to_owned());
        Sql::new(TAKEN).bind(self.username.as_str().to_owned()).bind(email).one()
    }
}

/// A user with the hash of the password, for checking one.
pub struct Credentials {
    /// The user.
    pub user: User,
    /// The stored hash.
    pub password_hash: String,
}

columns! {
    Credentials {
        password_hash: "password_hash",
        ..user: User,
    }
}

/// One user. A key is none that anybody looks up.
pub const BY_ID: &str = sql!("SELECT {} FROM users WHERE id = $1 AND NOT is_key", List::Names(User::COLUMNS));

/// One user, locked against changes of another transaction until this one ends. Like every lock on users, it allows new
/// references to the user meanwhile, by audit entries and sessions.
pub const LOCK: &str =
    sql!("SELECT {} FROM users WHERE id = $1 AND NOT is_key FOR NO KEY UPDATE", List::Names(User::COLUMNS));

/// One user and all active admins, locked. Every transaction that locks several users does so in the order of their
/// ids, so that no two wait for each other.
pub const LOCK_WITH_ADMINS: &str = sql!(
    "SELECT {} FROM users WHERE (id = $1 OR role = 'admin' AND status = 'active') AND NOT is_key
    ORDER BY id FOR NO KEY UPDATE",
    List::Names(User::COLUMNS)
);

/// One user by name, with the hash. An erased user, and one who never had a password, has no hash.
pub const CREDENTIALS: &str =
    sql!("SELECT {} FROM users WHERE username = $1 AND password_hash IS NOT NULL", List::Names(Credentials::COLUMNS));

/// One user, with the hash.
pub const CREDENTIALS_BY_ID: &str =
    sql!("SELECT {} FROM users WHERE id = $1 AND password_hash IS NOT NULL", List::Names(Credentials::COLUMNS));

/// As [`LOCK`], with the hash.
pub const LOCK_CREDENTIALS: &str = sql!(
    "SELECT {} FROM users WHERE id = $1 AND password_hash IS NOT NULL FOR NO KEY UPDATE",
    List::Names(Credentials::COLUMNS)
);

/// Looks if a username and an e-mail address are taken.
pub const TAKEN: &str = "\
SELECT EXISTS (SELECT FROM users WHERE username = $1) AS username_taken,
    EXISTS (SELECT FROM users WHERE lower(email) = lower($2)) AS email_taken";

/// Finds another user with an e-mail address.
pub const EMAIL_TAKEN: &str = "SELECT FROM users WHERE lower(email) = lower($2) AND id <> $1";

/// Two users, locked in the order of their ids. The second one is not a key.
pub const LOCK_BOTH: &str = sql!(
    "SELECT {} FROM users WHERE id = $1 OR id = $2 AND NOT is_key ORDER BY id FOR NO KEY UPDATE",
    List::Names(User::COLUMNS)
);

/// All users but keys.
pub const LIST: &str = sql!("SELECT {} FROM users u WHERE NOT is_key", List::Names(User::COLUMNS));

/// Makes a user.
pub const INSERT: &str = sql!(
    "INSERT INTO users (password_hash, {}) VALUES ($1, {})",
    List::Names(User::COLUMNS),
    List::Parameters(User::COLUMNS, 2),
);

/// Changes everything of a user except status and password.
pub const UPDATE_PROFILE: &str = sql!("UPDATE users SET {} WHERE id = $1", List::Set(User::COLUMNS, PROFILE, 2));

/// Changes the status.
pub const UPDATE_STATUS: &str = "UPDATE users SET status = $2, updated_at = $3 WHERE id = $1";

/// Sets a new password.
pub const UPDATE_PASSWORD: &str = "UPDATE users SET password_hash = $2, updated_at = $3 WHERE id = $1";

/// Notes who else set the password.
pub const NOTE_PASSWORD_SET_BY: &str = "UPDATE users SET password_set_by = $2 WHERE id = $1";

/// Replaces the hash by another one of the same password: the user does not change.
pub const UPGRADE_HASH: &str = "UPDATE users SET password_hash = $2 WHERE id = $1";

/// One user.
#[must_use]
pub fn by_id(id: Uuid) -> Statement<Option<User>> {
    Sql::new(BY_ID).bind(id).optional()
}

/// As [`by_id`], locked for a change.
#[must_use]
pub fn lock(id: Uuid) -> Statement<Option<User>> {
    Sql::new(LOCK).bind(id).optional()
}

/// As [`lock`], together with all active admins.
#[must_use]
pub fn lock_with_admins(id: Uuid) -> Statement<Vec<User>> {
    Sql::new(LOCK_WITH_ADMINS).bind(id).all()
}

/// The user of this name and the hash of the password.
#[must_use]
pub fn credentials(username: String) -> Statement<Option<Credentials>> {
    Sql::new(CREDENTIALS).bind(username).optional()
}

/// As [`credentials`], by id.
#[must_use]
pub fn credentials_by_id(id: Uuid) -> Statement<Option<Credentials>> {
    Sql::new(CREDENTIALS_BY_ID).bind(id).optional()
}

/// As [`credentials_by_id`], locked for a change.
#[must_use]
pub fn lock_credentials(id: Uuid) -> Statement<Option<Credentials>> {
    Sql::new(LOCK_CREDENTIALS).bind(id).optional()
}

/// True if another user has the e-mail address.
#[must_use]
pub fn email_taken(id: Uuid, email: &str) -> Statement<bool> {
    Sql::new(EMAIL_TAKEN).bind(id).bind(email.to_owned()).exists()
}

/// The names of a new user that are taken.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    username: bool,
    email: bool,
}

impl FromRow for Taken {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self { username: column(row, "username_taken")?, email: column(row, "email_taken")? })
    }
}

impl Taken {
    /// # Errors
    ///
    /// 409 if one is taken: the same answer as the unique constraints give when two requests come at once.
    pub fn refuse(self) -> Result<(), Refusal> {
        match self {
            Self { username: true, .. } => Err(Refusal::username_taken()),
            Self { email: true, .. } => Err(Refusal::email_taken()),
            Self { .. } => Ok(()),
        }
    }
}

/// The filters of a list of users.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Users of this role.
    pub role: Option<Role>,
    /// Users of this status.
    pub status: Option<UserStatus>,
    /// Users who match all these words.
    pub q: Option<SearchWords>,
    /// The user whom another system has under this id.
    pub external_id: Option<String>,
    /// Customers of this agent.
    pub agent: Option<UserRef>,
    /// Customers of whom this is known.
    pub kyc: Option<KycStatus>,
}

impl Filter {
    /// True if it says more than role, status and words.
    const fn is_narrowed(&self) -> bool {
        self.external_id.is_some() || self.agent.is_some() || self.kyc.is_some()
    }

    /// Narrows to what neither role nor status nor words say, of the users that `u` names.
    fn narrow(self, sql: Sql) -> Sql {
        let sql = sql.push_if(" AND u.external_id = {}", self.external_id);
        let sql = sql.push_if(" AND u.kyc_status = {} AND u.role = 'customer'", self.kyc.map(KycStatus::as_str));
        match self.agent {
            None => sql,
            Some(UserRef::Id(id)) => sql.push_bind(" AND u.agent_id = {}", id),
            Some(UserRef::Username(name)) => {
                sql.push_bind(" AND u.agent_id = (SELECT a.id FROM users a WHERE a.username = {})", name)
            }
        }
    }
}

/// A page of users, newest first.
#[must_use]
pub fn list(filter: Filter, after: Option<&Position<Timestamp>>, limit: Limit) -> Statement<Vec<User>> {
    let mut filter = filter;
    if let Some(words) = filter.q.take() {
        return search(filter, words, after, limit);
    }
    // Of several filters the values decide which index has the fewest rows.
    let begin = Sql::new(LIST);
    let begin = if filter.is_narrowed() { begin.planned_for_its_values() } else { begin };
    let sql = begin
        .push_if(" AND role = {}", filter.role.map(Role::as_str))
        .push_if(" AND status = {}", filter.status.map(UserStatus::as_str));
    let mut sql = filter.narrow(sql);
    if let Some(Position(created_at, id)) = after {
        sql = sql.push_bind(" AND (created_at, id) < ({}, ", *created_at).push_bind("{})", *id);
    }
    sql.push(" ORDER BY created_at DESC, id DESC").push_bind(" LIMIT {}", limit.and_one()).all()
}

/// A page of the users who match every word, newest first.
///
/// The page is filled month by month, backwards from the position, so that only the matches of single months are
/// sorted. The planner chooses which word to read first.
fn search(
    filter: Filter,
    words: SearchWords,
    after: Option<&Position<Timestamp>>,
    limit: Limit,
) -> Statement<Vec<User>> {
    let search = sql!(
        "WITH RECURSIVE months (month) AS (
            SELECT max(month) FROM user_words
            WHERE month <= coalesce(date_trunc('month', $3 AT TIME ZONE 'UTC')::date, 'infinity')
            UNION ALL SELECT (SELECT max(w.month) FROM user_words w WHERE w.month < m.month) FROM months m
            WHERE m.month IS NOT NULL)
        SELECT {}
        FROM (SELECT month FROM months WHERE month IS NOT NULL ORDER BY month DESC) m
        CROSS JOIN LATERAL (
            SELECT DISTINCT w.created_at, w.person_id FROM user_words w WHERE w.month = m.month AND w.role = ANY ($1)",
        List::Of("u", User::COLUMNS),
    );
    let roles = filter.role.map_or(vec![Role::Customer, Role::Agent, Role::Admin], |role| vec![role]);
    let roles: Vec<&'static str> = roles.into_iter().map(Role::as_str).collect();
    let mut sql = Sql::new(search)
        // The beginning of a word is looked up in an index if it is known.
        .planned_for_its_values()
        .bind(roles)
        .bind(limit.and_one())
        .bind(after.map(|Position(created_at, _)| *created_at))
        .push_if(" AND (w.created_at, w.person_id) < ($3, {})", after.map(|Position(_, id)| *id))
        .push_if(" AND w.status = {}", filter.status.map(UserStatus::as_str));
    if filter.is_narrowed() {
        sql = sql.push(" AND EXISTS (SELECT FROM users u WHERE u.id = w.person_id");
        sql = filter.narrow(sql).push(")");
    }
    let mut words = words.into_strings().into_iter();
    // A word of marks alone folds to nothing, with which every word begins.
    sql = sql.push_if(" AND w.word ^@ nullif(fold_text({}), '')", words.next());
    for word in words {
        sql = sql.push_bind(
            " AND EXISTS (SELECT FROM user_words o WHERE o.person_id = w.person_id AND o.month = m.month
                AND o.role = ANY ($1) AND o.word ^@ nullif(fold_text({}), ''))",
            word,
        );
    }
    sql.push(
        " ORDER BY w.created_at DESC, w.person_id DESC LIMIT $2) w
        JOIN users u ON u.id = w.person_id
        ORDER BY m.month DESC, w.created_at DESC, w.person_id DESC LIMIT $2",
    )
    .all()
}

/// Two users, locked for a change.
#[must_use]
pub fn lock_both(one: Uuid, other: Uuid) -> Statement<Vec<User>> {
    Sql::new(LOCK_BOTH).bind(one).bind(other).all()
}

/// Makes a user; one without a password cannot log in.
#[must_use]
pub fn insert(user: &User, password_hash: Option<String>) -> Statement<()> {
    Sql::new(INSERT).bind(password_hash).bind_all(user.parameters(ALL)).execute()
}

/// Changes a user's profile to this.
#[must_use]
pub fn update_profile(user: &User) -> Statement<()> {
    Sql::new(UPDATE_PROFILE).bind(user.id).bind_all(user.parameters(PROFILE)).execute()
}

/// Changes a user's status to this.
#[must_use]
pub fn update_status(user: &User) -> Statement<()> {
    Sql::new(UPDATE_STATUS).bind(user.id).bind(user.status.as_str()).bind(user.updated_at.0).execute()
}

/// Sets a new password.
#[must_use]
pub fn update_password(user: &User, password_hash: String) -> Statement<()> {
    Sql::new(UPDATE_PASSWORD).bind(user.id).bind(password_hash).bind(user.updated_at.0).execute()
}

/// Notes who set the password, if it was not the user: [`duties`](super::duties) reads it.
#[must_use]
pub fn note_password_set_by(id: Uuid, another: Option<Uuid>) -> Statement<()> {
    Sql::new(NOTE_PASSWORD_SET_BY).bind(id).bind(another).execute()
}

/// Replaces the hash by a newer one of the same password.
#[must_use]
pub fn upgrade_hash(id: Uuid, password_hash: String) -> Statement<()> {
    Sql::new(UPGRADE_HASH).bind(id).bind(password_hash).execute()
}
