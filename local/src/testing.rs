//! A database of its own for every test, on the Postgres that `cargo dev` would find.
//!
//! The first test of a process starts a server, in the first folder below `target/test-postgres` that no other process
//! uses, and it ends with the process; its data stay for the next run. A [`Schema`] is migrated once into a *template*,
//! and [`Database::fresh`] clones that, in a fraction of the time:
//!
//! ```no_run
//! # use local::testing::{Database, Schema};
//! # async fn test(schema: &impl Schema) -> Result<(), local::Error> {
//! let database = Database::fresh(schema).await?;
//! let owner = database.owner_url();
//! let application = database.application_url("microloans_app").await?;
//! # Ok(())
//! # }
//! ```
//!
//! A clone is a thousand small files: 20 to 40 ms on a fast disk, but ten times that on ext4 once many have been
//! removed in the last minutes (it looks at each of the files just removed before it makes a new one). In a memory file
//! system it stays fast: `MICROLOANS_TEST_DATA=/dev/shm/microloans` puts the servers there instead of below `target`.
//!
//! Where `MICROLOANS_TEST_POOLER` names the address of a pooler that stands before the server, the application connects
//! through it; the owner goes to the server itself.
//!
//! Where `DATABASE_URL` names a server, the tests use that one. Everything made there is removed again: a database when
//! its [`Database`] is dropped, the templates and roles when no database is left.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;
use tokio_postgres::Client;
use url::Url;

use crate::account::Account;
use crate::postgres::{self, Binaries, Choice, Cluster, Durability, Shutdown, Ways, random, sql};
use crate::project::hex;
use crate::{Error, Project, say};

/// The prefix of the databases and roles that live as long as a run.
const PREFIX: &str = "microloans_test_";

/// The prefix of the templates that outlive a run, on servers of our own.
const TEMPLATE_PREFIX: &str = "microloans_template_";

/// Names on a borrowed server are those of a run that was killed when they are this old and nobody is connected.
const LEFT_BEHIND: Duration = Duration::from_hours(1);

/// The contents of a test's databases.
pub trait Schema {
    /// A short name (lower-case letters and digits) that distinguishes this schema from others of the same workspace.
    fn name(&self) -> &str;

    /// A text that changes whenever [`Schema::migrate`] would make something else: the migrations themselves.
    fn fingerprint(&self) -> String;

    /// Migrates the empty database at this address, which is its owner's. All its connections are to be closed at the
    /// end; those that are not are broken.
    fn migrate(&self, owner_url: &str) -> impl Future<Output = Result<(), Box<dyn StdError + Send + Sync>>> + Send;
}

/// A Postgres server for tests.
#[derive(Debug)]
pub struct Server {
    /// A server of our own; `None` if `DATABASE_URL` names one.
    own: Option<Mutex<postgres::Server>>,
    /// The owner's connection from which databases are made.
    maintenance: Url,
    /// The prefix of this run's names.
    run: String,
    /// The number of the next database.
    next: AtomicU32,
    /// Held for moments only, never while a statement runs.
    state: Mutex<State>,
}

/// The contents of the server.
#[derive(Debug, Default)]
struct State {
    /// The templates' names, by the schemas' names and fingerprints.
    templates: HashMap<(String, String), Made<String>>,
    /// The login roles' names and passwords, by group.
    roles: HashMap<String, Made<(String, String)>>,
    /// How many databases there are, with those that are being made.
    databases: usize,
}

/// Something that the first who needs it makes, while others wait.
type Made<T> = Arc<OnceCell<T>>;

impl Server {
    /// The server of this process, started at the first call.
    ///
    /// # Errors
    ///
    /// It could not be started: every call says why.
    pub async fn shared() -> Result<Arc<Self>, Error> {
        static SHARED: OnceCell<Result<Arc<Server>, String>> = OnceCell::const_new();
        let start = async || match Choice::from_environment()? {
            Choice::Url(url) => Self::borrow(url).await,
            Choice::Own(ways) => Self::start(ways).await,
        };
        let started = SHARED.get_or_init(async || start().await.map_err(|error| error.to_string())).await;
        started.clone().map_err(Error::NoPostgres)
    }

    /// Another server, for one test that stops it: always one of our own. It ends when it and the last of its
    /// databases are dropped.
    ///
    /// # Errors
    ///
    /// It could not be started.
    pub async fn exclusive() -> Result<Arc<Self>, Error> {
        Self::start(Ways::from_environment()?).await
    }

    async fn borrow(url: Url) -> Result<Arc<Self>, Error> {
        let client = sql::connect(&url).await?;
        sql::check_version(&client).await?;
        Self::new(None, url, &client, LEFT_BEHIND).await
    }

    async fn start(ways: Ways) -> Result<Arc<Self>, Error> {
        let make = move || {
            let project = Project::locate()?;
            let account = Account::detect()?;
            let binaries = ways.binaries(&project, account)?;
            postgres::Server::start(free_cluster(&project, account, &binaries)?)
        };
        let server = postgres::blocking(make).await?;
        let url = server.url("postgres")?;
        let client = sql::connect(&url).await?;
        // Nobody else uses these data, so any leftovers are from an earlier run.
        Self::new(Some(Mutex::new(server)), url, &client, Duration::ZERO).await
    }

    async fn new(
        own: Option<Mutex<postgres::Server>>,
        maintenance: Url,
        client: &Client,
        left_behind: Duration,
    ) -> Result<Arc<Self>, Error> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        remove_left_behind(client, now, left_behind).await?;
        let run = format!("{PREFIX}{now}_{}", &random()?[..8]);
        Ok(Arc::new(Self { own, maintenance, run, next: AtomicU32::new(1), state: Mutex::default() }))
    }

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

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new name of this run.
    fn name(&self) -> String {
        format!("{}_{}", self.run, self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// The name of the template for a schema; migrated first if it is new.
    async fn template(&self, client: &Client, schema: &impl Schema, fingerprint: &str) -> Result<String, Error> {
        let family = format!("{TEMPLATE_PREFIX}{}_", schema.name());
        let name = if self.own.is_some() {
            let hash = hex(&Sha256::digest(fingerprint)[..8]);
            let name = format!("{family}{hash}");
            if sql::has_database(client, &name).await? {
                return Ok(name);
            }
            drop_databases(client, &family).await?;
            name
        } else {
            self.name()
        };
        // Migrated under another name, so that a template of the final name is complete.
        let part = self.name();
        sql::execute(client, "CREATE DATABASE %I", &[&part]).await?;
        let make = async || {
            let migrated = schema.migrate(sql::with_database(&self.maintenance, &part).as_str()).await;
            migrated.map_err(|source| Error::Schema { source })?;
            // Nobody may be connected from here on: a template with connections cannot be cloned.
            sql::execute(client, "ALTER DATABASE %I ALLOW_CONNECTIONS false", &[&part]).await?;
            terminate(client, &part).await?;
            sql::execute(client, "ALTER DATABASE %I RENAME TO %I", &[&part, &name]).await
        };
        if let Err(error) = make().await {
            // Removed at once; the reason for it matters more than whether that succeeds.
            let _ = sql::execute(client, "DROP DATABASE %I WITH (FORCE)", &[&part]).await;
            return Err(error);
        }
        Ok(name)
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

    /// Stops the server; connections break. [`Shutdown::Immediate`] is a crash.
    ///
    /// # Errors
    ///
    /// It is not a server of our own (see [`Server::exclusive`]), or it does not end.
    pub fn stop(&self, how: Shutdown) -> Result<(), Error> {
        self.own()?.lock().unwrap_or_else(PoisonError::into_inner).stop(how)
    }

    /// Starts a stopped server again, at the same address.
    ///
    /// # Errors
    ///
    /// It is not a server of our own, or it does not start.
    pub fn start_again(&self) -> Result<(), Error> {
        self.own()?.lock().unwrap_or_else(PoisonError::into_inner).start_again()
    }

    fn own(&self) -> Result<&Mutex<postgres::Server>, Error> {
        let borrowed = || Error::Setting("the server that DATABASE_URL names is not ours to stop".to_owned());
        self.own.as_ref().ok_or_else(borrowed)
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
        let role = Arc::clone(self.server.state().roles.entry(group.to_owned()).or_default());
        let make = async || {
            let client = sql::connect(&self.server.maintenance).await?;
            let role = self.server.name();
            let password = sql::login(&client, &role, group).await?;
            Ok::<_, Error>((role, password))
        };
        let (role, password) = role.get_or_try_init(make).await?;
        through_pooler(sql::as_user(&self.url, role, password)?).map(String::from)
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

/// The first cluster that no other process uses.
fn free_cluster(project: &Project, account: Account, binaries: &Binaries) -> Result<Cluster, Error> {
    let folder = project.test_data(account)?.join(binaries.version.major.to_string());
    account.create_folder(&folder)?;
    let mut number = 0_u32;
    loop {
        match Cluster::open(folder.join(number.to_string()), Durability::Fast, binaries.clone(), account) {
            Err(Error::Busy { .. }) => number += 1,
            other => return other,
        }
    }
}

/// Breaks all connections to a database; returns how many there were.
async fn terminate(client: &Client, database: &str) -> Result<u64, Error> {
    let statement = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1";
    client.execute(statement, &[&database]).await.map_err(Error::sql("break connections"))
}

/// Removes databases and roles of runs that were killed, `age` or longer ago.
async fn remove_left_behind(client: &Client, now: u64, age: Duration) -> Result<(), Error> {
    let before = now.saturating_sub(age.as_secs());
    let what = "look for what earlier runs left behind";
    let names = "SELECT datname, true FROM pg_database d WHERE starts_with(datname, $1)
            AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname = d.datname)
        UNION ALL SELECT rolname, false FROM pg_roles WHERE starts_with(rolname, $1)";
    for row in client.query(names, &[&PREFIX]).await.map_err(Error::sql(what))? {
        let (name, is_database): (String, bool) = (row.get(0), row.get(1));
        if started(&name).is_none_or(|started| started > before) {
            continue;
        }
        let statement = if is_database { "DROP DATABASE IF EXISTS %I WITH (FORCE)" } else { "DROP ROLE IF EXISTS %I" };
        sql::execute(client, statement, &[&name]).await?;
    }
    Ok(())
}

/// When the run began that a database or role is named after, in seconds since 1970.
fn started(name: &str) -> Option<u64> {
    name.strip_prefix(PREFIX)?.split('_').next()?.parse().ok()
}

/// Drops the templates of a schema's earlier states, whose names begin so.
async fn drop_databases(client: &Client, prefix: &str) -> Result<(), Error> {
    let names = "SELECT datname FROM pg_database WHERE starts_with(datname, $1)";
    for row in client.query(names, &[&prefix]).await.map_err(Error::sql("look for old templates"))? {
        sql::execute(client, "DROP DATABASE %I WITH (FORCE)", &[row.get(0)]).await?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_when_its_run_began() {
        assert_eq!(started("microloans_test_1700000000_42_7"), Some(1_700_000_000));
        assert_eq!(started("microloans_test_"), None);
        assert_eq!(started("microloans"), None);
    }

    /// An empty schema, or one that cannot be migrated.
    struct Empty(Result<(), &'static str>);

    impl Schema for Empty {
        fn name(&self) -> &'static str {
            "empty"
        }

        fn fingerprint(&self) -> String {
            format!("{:?}", self.0)
        }

        async fn migrate(&self, _: &str) -> Result<(), Box<dyn StdError + Send + Sync>> {
            Ok(self.0?)
        }
    }

    async fn ours(client: &Client) -> Vec<String> {
        let names =
            "SELECT datname::text AS name FROM pg_database UNION ALL SELECT rolname FROM pg_roles ORDER BY name";
        let rows = client.query(names, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).filter(|name: &String| name.starts_with("microloans_")).collect()
    }

    #[tokio::test]
    async fn a_borrowed_server_is_left_as_it_was() {
        let lender = Server::exclusive().await.unwrap();
        let client = sql::connect(&lender.maintenance).await.unwrap();
        // Left by a run that was killed long ago, and by one that may still be going on.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let (old, young) = (format!("{PREFIX}1700000000_killed_1"), format!("{PREFIX}{now}_running_1"));
        for name in [&old, &young] {
            sql::execute(&client, "CREATE DATABASE %I", &[name]).await.unwrap();
        }
        let before = ours(&client).await;
        assert!(before.contains(&old) && before.contains(&young), "{before:?}");

        let server = Server::borrow(lender.maintenance.clone()).await.unwrap();
        let (one, two) = (server.fresh(&Empty(Ok(()))).await.unwrap(), server.fresh(&Empty(Ok(()))).await.unwrap());
        one.application_url("pg_read_all_data").await.unwrap();
        assert!(server.stop(Shutdown::Fast).is_err(), "it is not ours to stop");
        assert_eq!(ours(&client).await.len(), before.len() - 1 + 4, "two databases, their template, a role");
        drop(one);
        assert_eq!(ours(&client).await.len(), before.len() - 1 + 3);
        drop(two);

        let expected: Vec<String> = before.into_iter().filter(|name| *name != old).collect();
        assert_eq!(ours(&client).await, expected);
        // Nor does a schema that fails leave anything.
        let error = server.fresh(&Empty(Err("no such table"))).await.unwrap_err();
        assert!(error.to_string().contains("no such table"), "{error}");
        assert_eq!(ours(&client).await, expected);
        // A template that was removed is made again.
        let again = server.fresh(&Empty(Ok(()))).await.unwrap();
        drop(again);
        assert_eq!(ours(&client).await, expected);
    }
}
