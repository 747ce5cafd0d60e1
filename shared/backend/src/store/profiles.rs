//! Profiles of customers, version by version, and the identities in them, of which each is there once.

use tokio_postgres::{Row, types::Json};
use uuid::Uuid;

use crate::{
    columns,
    db::{Columns as _, DbError, FromRow, List, Reading, Sql, Statement, Stored, column},
    domain::profile::{Identity, Profile},
    sql,
    values::version::Version,
};

impl Stored for Profile {
    type Bound = Json<Self>;
    type Read = Json<Self>;

    fn bound(&self) -> Json<Self> {
        Json(self.clone())
    }

    fn of(Json(profile): Json<Self>, _: &Reading<'_>) -> Result<Self, DbError> {
        Ok(profile)
    }
}

/// A profile with its version.
#[derive(Clone, Debug)]
pub struct VersionedProfile {
    /// The version; the first one is 1.
    pub version: Version,
    /// The profile.
    pub profile: Profile,
}

columns! {
    VersionedProfile {
        version: "version",
        profile: "profile",
    }
}

impl VersionedProfile {
    /// The profile found, or an empty one of version 0.
    #[must_use]
    pub fn or_none(found: Option<Self>) -> Self {
        found.unwrap_or(Self { version: Version(0), profile: Profile::default() })
    }
}

/// The person who has an identity.
#[derive(Clone, Copy, Debug)]
pub struct Owner(pub Uuid);

impl FromRow for Owner {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self(column(row, "person_id")?))
    }
}

/// The newest version of a profile.
pub const CURRENT: &str = sql!(
    "SELECT {} FROM profile_versions WHERE person_id = $1 ORDER BY version DESC LIMIT 1",
    List::Names(VersionedProfile::COLUMNS)
);

/// Adds a version.
pub const INSERT: &str = "INSERT INTO profile_versions (person_id, version, by_id, profile) VALUES ($1, $2, $3, $4)";

/// Keeps the identity of a person, in place of another.
pub const KEEP_IDENTITY: &str = "\
INSERT INTO identities (person_id, country, kind, number) VALUES ($1, $2, $3, $4)
ON CONFLICT (person_id) DO UPDATE SET country = $2, kind = $3, number = $4";

/// Takes the identity of a person away.
pub const FORGET_IDENTITY: &str = "DELETE FROM identities WHERE person_id = $1";

/// The person of an identity.
pub const WHOSE: &str = "SELECT person_id FROM identities WHERE country = $1 AND kind = $2 AND number = $3";

/// The profile that a person has now.
#[must_use]
pub fn current(person: Uuid) -> Statement<Option<VersionedProfile>> {
    Sql::new(CURRENT).bind(person).optional()
}

/// The person who has an identity.
#[must_use]
pub fn whose(identity: &Identity) -> Statement<Option<Owner>> {
    let Identity { country, kind, number } = identity.clone();
    Sql::new(WHOSE).bind(country).bind(kind).bind(number).optional()
}

/// Makes the next version of a person's profile, and keeps the identity in it.
#[must_use]
pub fn insert(by: Uuid, person: Uuid, before: Option<&VersionedProfile>, profile: &Profile) -> Vec<Statement<()>> {
    let version = before.map_or(Version(0), |before| before.version).next();
    let sql = Sql::new(INSERT).bind(person).bind(version.0).bind(by);
    let mut writes = vec![sql.bind(profile.bound()).execute()];
    let identity = profile.identity();
    if before.and_then(|before| before.profile.identity()) != identity {
        writes.push(match identity {
            Some(identity) => keep_identity(person, &identity),
            None => Sql::new(FORGET_IDENTITY).bind(person).execute(),
        });
    }
    writes
}

/// Keeps the identity of a person.
#[must_use]
pub fn keep_identity(person: Uuid, identity: &Identity) -> Statement<()> {
    let Identity { country, kind, number } = identity.clone();
    Sql::new(KEEP_IDENTITY).bind(person).bind(country).bind(kind).bind(number).execute()
}
