//! The login that functions use: a member of the group that the migrations grant to, with time limits of its own.

use backend::{config::ConfigError, db::DatabaseTarget};
use std::fmt::Write as _;

use postgres_protocol::password::scram_sha_256;
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::Client;

use crate::error::MigrateError;

/// A role that logs in with a password.
pub struct Login {
    /// The role.
    pub username: String,
    /// Its password.
    pub password: SecretString,
}

/// Settings of the functions' login, by name. What it may wait for: a lock, an answer, its own next statement. Set on
/// the role rather than in the session, which a pooler would share. And that its disks find a page as fast as the next
/// one: else a list of one state is read by the index of all states, past thousands that are in another.
pub const LOGIN_SETTINGS: [(&str, &str); 4] = [
    ("lock_timeout", "5s"),
    ("statement_timeout", "10s"),
    ("idle_in_transaction_session_timeout", "15s"),
    ("random_page_cost", "1.1"),
];

impl Login {
    /// From a database secret: a URL, or the JSON that RDS writes.
    ///
    /// # Errors
    ///
    /// When it is neither, or has no user or password.
    pub fn from_secret(secret: &str) -> Result<Self, MigrateError> {
        if let Ok(target) = serde_json::from_str::<DatabaseTarget>(secret) {
            return Ok(Self { username: target.username, password: target.password });
        }
        let unusable =
            || ConfigError::new("DATABASE_URL", "neither a postgres:// URL nor the JSON of a database secret");
        let config: tokio_postgres::Config = secret.parse().map_err(|_| unusable())?;
        let (Some(username), Some(password)) = (config.get_user(), config.get_password()) else {
            return Err(unusable().into());
        };
        let password = std::str::from_utf8(password).map_err(|_| unusable())?;
        Ok(Self { username: username.to_owned(), password: SecretString::from(password) })
    }
}

/// Makes the login, or gives it this password, and makes it a member of the functions' group.
pub(crate) async fn grant(client: &Client, login: &Login) -> Result<(), MigrateError> {
    let row = client
        .query_one(
            "SELECT current_user::text AS owner, quote_ident($1) AS role, quote_ident(current_database()) AS database,
                    EXISTS (SELECT FROM pg_roles WHERE rolname = $1) AS known",
            &[&login.username],
        )
        .await?;
    if row.get::<_, String>("owner") == login.username {
        return Err(MigrateError::SameRole(login.username.clone()));
    }
    let role: String = row.get("role");
    let verb = if row.get("known") { "ALTER" } else { "CREATE" };
    // The verifier instead of the password: statements may be logged. It holds nothing that needs quoting.
    let verifier = scram_sha_256(login.password.expose_secret().as_bytes());
    let mut script = format!("{verb} ROLE {role} LOGIN PASSWORD '{verifier}';\nGRANT microloans_app TO {role};\n");
    for (name, value) in LOGIN_SETTINGS {
        // Writing to a String cannot fail.
        let _ = writeln!(script, "ALTER ROLE {role} SET {name} = '{value}';");
    }
    // Functions make no tables, temporary ones neither.
    let _ = writeln!(script, "REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC;", row.get::<_, String>("database"));
    client.batch_execute(&script).await?;
    Ok(())
}
