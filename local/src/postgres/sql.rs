//! The few statements that the makers of databases and roles need. Names and passwords go through the server's own
//! `format`, since statements like CREATE DATABASE take no parameters.

use tokio_postgres::{Client, NoTls};
use url::Url;

use super::binaries::OLDEST;
use super::cluster::random;
use crate::Error;

/// Connects; the connection lasts as long as the client and is driven on the current runtime. Without TLS: the
/// servers here are on this machine or in a container on it.
pub(crate) async fn connect(url: &Url) -> Result<Client, Error> {
    let what = || {
        let (host, port) = (url.host_str().unwrap_or_default(), url.port().unwrap_or(5432));
        format!("connect to Postgres on {host}:{port}, database {:?}", database(url))
    };
    let (client, connection) = tokio_postgres::connect(url.as_str(), NoTls).await.map_err(Error::sql(what()))?;
    tokio::spawn(async move {
        // A broken connection is reported by the statement that meets it.
        let _ = connection.await;
    });
    Ok(client)
}

/// The name of the database that an address leads to.
pub(crate) fn database(url: &Url) -> &str {
    url.path().trim_start_matches('/')
}

/// The address of another database of the same server, for the same user.
pub(crate) fn with_database(url: &Url, database: &str) -> Url {
    let mut url = url.clone();
    url.set_path(database);
    url
}

/// Reads an address of the form `postgres://user:password@host:port/database?...`. The text is a secret and stays out
/// of the error.
pub(crate) fn parse(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if !["postgres", "postgresql"].contains(&url.scheme()) {
        return Err("it does not begin with postgres://".to_owned());
    }
    if !url.has_host() || database(&url).is_empty() {
        return Err("it names no host or no database".to_owned());
    }
    Ok(url)
}

/// The server's version, such as "17.5", if it is new enough.
pub(crate) async fn check_version(client: &Client) -> Result<String, Error> {
    let row = client
        .query_one("SELECT current_setting('server_version_num')::int4 / 10000, current_setting('server_version')", &[])
        .await
        .map_err(Error::sql("ask Postgres for its version"))?;
    let (major, version): (i32, String) = (row.get(0), row.get(1));
    if u32::try_from(major).is_ok_and(|major| major >= OLDEST) {
        return Ok(version);
    }
    Err(Error::Setting(format!("DATABASE_URL leads to Postgres {version}: {OLDEST} or later is needed")))
}

/// Runs the statement that `format` makes of a template with `%I` (names) and `%L` (texts).
pub(crate) async fn execute(client: &Client, template: &str, arguments: &[&str]) -> Result<(), Error> {
    let words: String = template.split('%').next().unwrap_or_default().trim().to_owned();
    let run = async || {
        let row = client.query_one("SELECT format($1, VARIADIC $2::text[])", &[&template, &arguments]).await?;
        client.batch_execute(row.get(0)).await
    };
    run().await.map_err(Error::sql(format!("{words} {}", arguments.first().unwrap_or(&""))))
}

/// True if the database exists.
pub(crate) async fn has_database(client: &Client, name: &str) -> Result<bool, Error> {
    let found = client.query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&name]).await;
    Ok(found.map_err(Error::sql("look for a database"))?.is_some())
}

/// Gives the login role `role` a new random password, which it returns, and makes it a member of `group`, creating it
/// if need be. The role itself has no rights: all come by the group. Its settings are those of the functions' login.
pub(crate) async fn login(client: &Client, role: &str, group: &str) -> Result<String, Error> {
    let password = random()?;
    let known = client.query_opt("SELECT 1 FROM pg_roles WHERE rolname = $1", &[&role]).await;
    if known.map_err(Error::sql("look for a role"))?.is_none() {
        execute(client, "CREATE ROLE %I", &[role]).await?;
    }
    execute(client, "ALTER ROLE %I LOGIN PASSWORD %L", &[role, &password]).await?;
    execute(client, "GRANT %2$I TO %1$I", &[role, group]).await?;
    for (name, value) in migrate::LOGIN_SETTINGS {
        execute(client, "ALTER ROLE %I SET %I = %L", &[role, name, value]).await?;
    }
    Ok(password)
}

/// The same address for another user.
pub(crate) fn as_user(url: &Url, user: &str, password: &str) -> Result<Url, Error> {
    let mut url = url.clone();
    match url.set_username(user).and_then(|()| url.set_password(Some(password))) {
        Ok(()) => Ok(url),
        Err(()) => Err(Error::Setting("the database's address cannot take a user".to_owned())),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_everything_but_what_is_changed() {
        let url = parse("postgresql://owner:p%40ss@db.example:6432/loans?sslmode=disable").unwrap();
        assert_eq!(database(&url), "loans");
        let other = with_database(&url, "test_1");
        assert_eq!(other.as_str(), "postgresql://owner:p%40ss@db.example:6432/test_1?sslmode=disable");
        let other = as_user(&other, "app", "secret").unwrap();
        assert_eq!(other.as_str(), "postgresql://app:secret@db.example:6432/test_1?sslmode=disable");
    }

    #[test]
    fn what_is_no_postgres_address_is_refused_without_being_shown() {
        for text in
            ["host=localhost password=hunter2", "mysql://u:hunter2@h/d", "postgres://u:hunter2@h", "postgres:hunter2"]
        {
            let error = parse(text).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
