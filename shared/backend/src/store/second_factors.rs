//! Second factors: the sealed secret of a user's authenticator, the last code that was used, and recovery codes by
//! their digests. Since when a user needs one is with the user.

use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    db::{DbError, FromRow, Sql, Statement, column},
    domain::users::User,
};

/// A user's second factor. Until it is confirmed it is not asked for.
pub struct SecondFactor {
    /// The secret, sealed for [`seal_of`].
    pub secret: Vec<u8>,
    /// The step of the last code that was used; 0 before the first one.
    pub last_step: i64,
    /// The digests of the recovery codes that are left.
    pub recovery_codes: Vec<Vec<u8>>,
    /// The database's clock when it was read, with its row locked.
    pub now: Timestamp,
}

impl FromRow for SecondFactor {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            secret: column(row, "secret")?,
            last_step: column(row, "last_step")?,
            recovery_codes: column(row, "recovery_codes")?,
            now: column(row, "now")?,
        })
    }
}

/// The purpose that a user's secret is sealed for.
#[must_use]
pub fn seal_of(user: Uuid) -> String {
    format!("totp:{user}")
}

/// A user's second factor, locked. Its recovery codes are read with it and are not: a statement before this one locks
/// the user, so that none is used twice.
pub const LOCK: &str = "\
SELECT secret, last_step, ARRAY(SELECT digest FROM recovery_codes r WHERE r.person_id = f.person_id) AS recovery_codes,
    clock_timestamp() AS now
FROM second_factors f WHERE person_id = $1 FOR UPDATE";

/// Begins a second factor, in place of one that was begun and not confirmed.
pub const BEGIN: &str = "\
INSERT INTO second_factors (person_id, secret) VALUES ($1, $2)
ON CONFLICT (person_id) DO UPDATE SET secret = $2, last_step = 0";

/// Notes the step of a code that was used.
pub const USE_STEP: &str = "UPDATE second_factors SET last_step = $2 WHERE person_id = $1";

/// Takes a recovery code that was used.
pub const USE_RECOVERY_CODE: &str = "DELETE FROM recovery_codes WHERE person_id = $1 AND digest = $2";

/// Keeps recovery codes.
pub const KEEP_RECOVERY_CODES: &str = "INSERT INTO recovery_codes (person_id, digest) SELECT $1, unnest($2::bytea[])";

/// Takes all recovery codes away.
pub const FORGET_RECOVERY_CODES: &str = "DELETE FROM recovery_codes WHERE person_id = $1";

/// Takes the second factor away.
pub const FORGET: &str = "DELETE FROM second_factors WHERE person_id = $1";

/// Says since when a user needs the second factor.
pub const NEED: &str = "UPDATE users SET totp_since = $2, updated_at = $3 WHERE id = $1";

/// Secrets after a user's, in the order of their users, to be sealed again.
pub const SEALED: &str =
    "SELECT person_id, secret FROM second_factors WHERE person_id > $1 ORDER BY person_id LIMIT $2";

/// Puts a secret that was sealed again in place of the same one, if that is still there.
pub const SEAL_AGAIN: &str = "UPDATE second_factors SET secret = $3 WHERE person_id = $1 AND secret = $2";

/// A sealed secret, and the user whose it is.
pub struct Sealed {
    /// The user.
    pub person: Uuid,
    /// The secret.
    pub secret: Vec<u8>,
}

impl FromRow for Sealed {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self { person: column(row, "person_id")?, secret: column(row, "secret")? })
    }
}

/// Up to `count` secrets after a user's, in the order of their users.
#[must_use]
pub fn sealed(after: Uuid, count: i64) -> Statement<Vec<Sealed>> {
    Sql::new(SEALED).bind(after).bind(count).all()
}

/// Puts a secret that was sealed again in place of what it was.
#[must_use]
pub fn seal_again(user: Uuid, secret: Vec<u8>, again: Vec<u8>) -> Statement<()> {
    Sql::new(SEAL_AGAIN).bind(user).bind(secret).bind(again).execute()
}

/// A user's second factor, locked.
#[must_use]
pub fn lock(user: Uuid) -> Statement<Option<SecondFactor>> {
    Sql::new(LOCK).bind(user).optional()
}

/// Begins a user's second factor.
#[must_use]
pub fn begin(user: Uuid, secret: Vec<u8>) -> Statement<()> {
    Sql::new(BEGIN).bind(user).bind(secret).execute()
}

/// The user has used the code of a step.
#[must_use]
pub fn use_step(user: Uuid, step: i64) -> Statement<()> {
    Sql::new(USE_STEP).bind(user).bind(step).execute()
}

/// The user has used a recovery code.
#[must_use]
pub fn use_recovery_code(user: Uuid, digest: Vec<u8>) -> Statement<()> {
    Sql::new(USE_RECOVERY_CODE).bind(user).bind(digest).execute()
}

/// A user needs the second factor from now on, and has these recovery codes.
#[must_use]
pub fn confirm(user: &User, recovery_codes: Vec<Vec<u8>>) -> Vec<Statement<()>> {
    vec![
        Sql::new(FORGET_RECOVERY_CODES).bind(user.id).execute(),
        Sql::new(KEEP_RECOVERY_CODES).bind(user.id).bind(recovery_codes).execute(),
        need(user),
    ]
}

/// A user has no second factor any more.
#[must_use]
pub fn forget(user: &User) -> Vec<Statement<()>> {
    vec![need(user), Sql::new(FORGET_RECOVERY_CODES).bind(user.id).execute(), Sql::new(FORGET).bind(user.id).execute()]
}

fn need(user: &User) -> Statement<()> {
    Sql::new(NEED).bind(user.id).bind(user.totp_since.map(|since| since.0)).bind(user.updated_at.0).execute()
}
