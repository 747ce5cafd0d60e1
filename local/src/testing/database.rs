//! A database of its own for a test, cloned from a template and removed in the end.

use std::net::SocketAddr;
use std::sync::Arc;

use url::Url;

use super::schema::Schema;
use super::server::{Server, State, terminate};
use crate::postgres::sql;
use crate::{Error, say};

impl Server {
    /// A new database with this schema.
    ///
    /// # Errors
    ///
    /// The schema cannot be migrated, or the server cannot be reached.
    pub async fn fresh(self: &Arc<Self>, schema: &impl Schema) -> Result<Database, Error> {
        let fingerprint = schema.fingerprint();
        let template = {
            let mut state = self.state();
            state.databases += 1;
            Arc::clone(state.templates.entry((schema.name().to_owned(), fingerprint.clone())).or_default())
        };
        let name = self.name();
        // From here on, dropping this removes the database.
        let database = Database { url: sql::with_database(&self.maintenance, &name), name, server: Arc::clone(self) };
        let client = sql::connect(&self.maintenance).await?;
        let template = template.get_or_try_init(|| self.template(&client, schema, &fingerprint)).await?;
        sql::execute(&client, "CREATE DATABASE %I TEMPLATE %I", &[&database.name, template]).await?;
        Ok(database)
    }

    /// Removes a database and, from a borrowed server, with the last one everything else.
    async fn remove(&self, database: &str) -> Result<(), Error> {
        let State { templates, roles, .. } = {
            let mut state = self.state();
            state.databases -= 1;
            if self.own.is_none() && state.databases == 0 { std::mem::take(&mut *state) } else { State::default() }
        };
        let client = sql::connect(&self.maintenance).await?;
        let templates = templates.values().filter_map(|template| template.get());
        for name in templates.map(String::as_str).chain([database]) {
            sql::execute(&client, "DROP DATABASE IF EXISTS %I WITH (FORCE)", &[name]).await?;
        }
        for (role, _) in roles.values().filter_map(|role| role.get()) {
            sql::execute(&client, "DROP ROLE IF EXISTS %I", &[role]).await?;
        }
        Ok(())
    }
}

/// A database for one test, removed when this is dropped.
#[derive(Debug)]
pub struct Database {
    server: Arc<Server>,
    name: String,
    url: Url,
}

impl Database {
    /// A new database with this schema, on the server of this process.
    ///
    /// # Errors
    ///
    /// There is no server, or the schema cannot be migrated.
    pub async fn fresh(schema: &impl Schema) -> Result<Self, Error> {
        Server::shared().await?.fresh(schema).await
    }

    /// The database's address for its owner: `postgres://user:password@host:port/database`.
    #[must_use]
    pub fn owner_url(&self) -> &str {
        self.url.as_str()
    }

    /// The database's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The database's address for a login role whose rights are those of the role `group`, which the schema makes.
    /// The same role in every database of this run.
    ///
    /// # Errors
    ///
    /// There is no role `group`, or the owner may not make roles.
    pub async fn application_url(&self, group: &str) -> Result<String, Error> {
        through_pooler(self.login(group).await?).map(String::from)
    }

    /// The same, always to the server itself: for tests of what a session keeps.
    ///
    /// # Errors
    ///
    /// As [`application_url`](Self::application_url).
    pub async fn session_url(&self, group: &str) -> Result<String, Error> {
        self.login(group).await.map(String::from)
    }

    async fn login(&self, group: &str) -> Result<Url, Error> {
        let role = Arc::clone(self.server.state().roles.entry(group.to_owned()).or_default());
        let make = async || {
            let client = sql::connect(&self.server.maintenance).await?;
            let role = self.server.name();
            let password = sql::login(&client, &role, group).await?;
            Ok::<_, Error>((role, password))
        };
        let (role, password) = role.get_or_try_init(make).await?;
        sql::as_user(&self.url, role, password)
    }

    /// Breaks every connection to this database, as a failing server or network would; returns how many there were.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or the owner may not break others' connections.
    pub async fn break_connections(&self) -> Result<u64, Error> {
        let client = sql::connect(&self.server.maintenance).await?;
        terminate(&client, &self.name).await
    }
}

/// The same database through the pooler that stands before the server, if `MICROLOANS_TEST_POOLER` names one.
fn through_pooler(mut url: Url) -> Result<Url, Error> {
    let Ok(address) = std::env::var("MICROLOANS_TEST_POOLER") else { return Ok(url) };
    let wrong = || Error::Setting("MICROLOANS_TEST_POOLER is not an address, as 127.0.0.1:6432 is".to_owned());
    let address: SocketAddr = address.parse().map_err(|_| wrong())?;
    url.set_ip_host(address.ip()).and_then(|()| url.set_port(Some(address.port()))).map_err(|()| wrong())?;
    Ok(url)
}

impl Drop for Database {
    fn drop(&mut self) {
        // The test's own runtime may be gone or busy here. It waits, so that the last one of a process leaves nothing
        // behind; a stopped server keeps its database until its next start.
        let remove = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map(|runtime| runtime.block_on(self.server.remove(&self.name)))
        };
        let removed = std::thread::scope(|scope| scope.spawn(remove).join());
        if let Ok(Ok(Err(error))) = removed
            && self.server.own.is_none()
        {
            say(format_args!("the test's database {} stays: {error}", self.name));
        }
    }
}
