//! The Postgres server of a process's tests, and the templates on it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;
use tokio_postgres::Client;
use url::Url;

use super::leavings::{self, PREFIX};
use super::schema::Schema;
use crate::account::Account;
use crate::postgres::{self, Binaries, Choice, Cluster, Durability, Shutdown, Ways, random, sql};
use crate::project::hex;
use crate::{Error, Project};

/// The prefix of the templates that outlive a run, on servers of our own.
const TEMPLATE_PREFIX: &str = "microloans_template_";

/// A Postgres server for tests.
#[derive(Debug)]
pub struct Server {
    /// A server of our own; `None` if `DATABASE_URL` names one.
    pub(super) own: Option<Mutex<postgres::Server>>,
    /// The owner's connection from which databases are made.
    pub(super) maintenance: Url,
    /// The prefix of this run's names.
    run: String,
    /// The number of the next database.
    next: AtomicU32,
    /// Held for moments only, never while a statement runs.
    state: Mutex<State>,
}

/// The contents of the server.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The templates' names, by the schemas' names and fingerprints.
    pub(super) templates: HashMap<(String, String), Made<String>>,
    /// The login roles' names and passwords, by group.
    pub(super) roles: HashMap<String, Made<(String, String)>>,
    /// How many databases there are, with those that are being made.
    pub(super) databases: usize,
}

/// Something that the first who needs it makes, while others wait.
pub(super) type Made<T> = Arc<OnceCell<T>>;

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

    pub(super) async fn borrow(url: Url) -> Result<Arc<Self>, Error> {
        let client = sql::connect(&url).await?;
        sql::check_version(&client).await?;
        Self::new(None, url, &client, leavings::OLD).await
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
        leavings::remove(client, now, left_behind).await?;
        let run = format!("{PREFIX}{now}_{}", &random()?[..8]);
        Ok(Arc::new(Self { own, maintenance, run, next: AtomicU32::new(1), state: Mutex::default() }))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new name of this run.
    pub(super) fn name(&self) -> String {
        format!("{}_{}", self.run, self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// The name of the template for a schema; migrated first if it is new.
    pub(super) async fn template(
        &self,
        client: &Client,
        schema: &impl Schema,
        fingerprint: &str,
    ) -> Result<String, Error> {
        let family = format!("{TEMPLATE_PREFIX}{}_", schema.name());
        let name = if self.own.is_some() {
            let hash = hex(&Sha256::digest(fingerprint)[..8]);
            let name = format!("{family}{hash}");
            if sql::has_database(client, &name).await? {
                return Ok(name);
            }
            leavings::remove_templates(client, &family).await?;
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
pub(super) async fn terminate(client: &Client, database: &str) -> Result<u64, Error> {
    let statement = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1";
    client.execute(statement, &[&database]).await.map_err(Error::sql("break connections"))
}
