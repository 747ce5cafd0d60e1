//! A whole system for one test: a fresh database, all routes in this process, users of any kind.

use std::{
    error::Error,
    net::{IpAddr, Ipv4Addr},
    num::NonZeroU32,
    ops::Deref,
    sync::Arc,
    time::Duration,
};

use jiff::tz::TimeZone;
use local::testing::{Database, Schema};
use migrate::{Event, FirstAdmin, Migrator, Restated};
use secrecy::SecretString;
use serde_json::json;
use tokio::sync::OnceCell;
use tokio_postgres::NoTls;
use uuid::Uuid;

use crate::{Client, Session, Wire};
use backend::{
    app::App,
    auth::{passwords, sealing::Sealing, tokens::Tokens},
    config::{self, Authorities, DatabaseConfig, Limit, Limits, RequireTotp, Statements},
    db::{Connector, Db},
    domain::users::Role,
    http::{layers, origin::OriginSecret},
    secrets::SecretSource,
};

/// The password of every user that [`Api::user`] makes.
pub const PASSWORD: &str = "correct horse battery";

/// The address that requests come from where a test does not say.
pub const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1));

/// Names the key that signs tokens.
pub const SIGNING_KEY_ID: &str = "test";

/// The key that signs tokens, as base64url. Known, so that tests can sign tokens of their own.
pub const SIGNING_KEY: &str = "dGVzdHMgdXNlIGEga2V5IHRoYXQgZXZlcnlvbmUga25vd3M";

/// Connections of one system: as many requests as can be under way at once.
const POOL_SIZE: usize = 8;

/// The migrated schema, without any user.
pub struct TestSchema;

impl Schema for TestSchema {
    fn name(&self) -> &'static str {
        "microloans"
    }

    fn fingerprint(&self) -> String {
        migrate::fingerprint()
    }

    async fn migrate(&self, owner_url: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
        migrator(owner_url).run(Event::default()).await?;
        Ok(())
    }
}

/// Migrates as the owner, and nothing else.
fn migrator(owner_url: &str) -> Migrator {
    let owner = Connector::new(SecretSource::fixed(without_tls(owner_url).into()), Authorities::default());
    Migrator { owner, application: None, admin: None, demo_is_allowed: false, zone: TimeZone::UTC }
}

/// The address of a database on this machine, to be reached without TLS.
#[must_use]
pub fn without_tls(url: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}sslmode=disable")
}

/// How a system is configured.
#[derive(Clone, Copy)]
pub struct ApiOptions {
    /// The lender's time zone, by its name in the tz database.
    pub zone: &'static str,
    /// Limits on guessing and on registering.
    pub limits: Limits,
    /// The roles that need a second factor.
    pub require_totp: RequireTotp,
    /// Loads demo data.
    pub demo: bool,
    /// The secret that requests must carry through a network in front.
    pub origin: Option<&'static str>,
    /// Username and password of the first admin, if the migrate function makes one.
    pub first_admin: Option<&'static (&'static str, &'static str)>,
}

impl Default for ApiOptions {
    /// UTC, an empty database, and limits that no test runs into by chance.
    fn default() -> Self {
        let wide = Limit { burst: NonZeroU32::new(10_000).unwrap(), interval: Duration::from_secs(1) };
        let limits = Limits {
            login_user: wide,
            login_address: wide,
            totp_user: wide,
            register_address: wide,
            email_user: wide,
            email_address: wide,
            customer_writes: wide,
            hook_address: wide,
            max_pending: 10_000,
        };
        Self { zone: "UTC", limits, require_totp: RequireTotp::None, demo: false, origin: None, first_admin: None }
    }
}

/// A system: its routes, its database, its keys. Calls are made as anyone ([`Api::anyone`]), with a token
/// ([`Api::as_`]) or by a [`User`].
pub struct Api {
    /// Calls the routes.
    pub client: Client,
    /// The state of handlers: tokens are issued with it, and its database is the application login's.
    pub app: App,
    /// The owner's connection, for what no request can do.
    pub owner: tokio_postgres::Client,
    /// The database; removed with this.
    pub database: Database,
}

impl Deref for Api {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Api {
    /// With an empty database.
    pub async fn new() -> Self {
        Self::with(ApiOptions::default()).await
    }

    /// As configured.
    pub async fn with(options: ApiOptions) -> Self {
        // Boxed: a future of migrations and connections is large, and part of every test's own.
        Box::pin(Self::made(options)).await
    }

    async fn made(options: ApiOptions) -> Self {
        let database = Database::fresh(&TestSchema).await.unwrap();
        let zone = TimeZone::get(options.zone).unwrap();
        if options.demo || options.first_admin.is_some() {
            let mut migrator = migrator(database.owner_url());
            (migrator.demo_is_allowed, migrator.zone) = (options.demo, zone.clone());
            migrator.admin = options.first_admin.map(|&(username, password)| {
                let admin = json!({"username": username, "password": password,
                    "email": format!("{username}@example.com"), "phone": "+15550100000"});
                FirstAdmin::of_secret(SecretSource::fixed(SecretString::from(admin.to_string())))
            });
            migrator.run(Event { demo: options.demo, ..Event::default() }).await.unwrap();
        }
        let db = db(&database.application_url("microloans_app").await.unwrap(), statements());
        let keys = json!({"current": SIGNING_KEY_ID, "keys": {SIGNING_KEY_ID: SIGNING_KEY}});
        let tokens = Tokens::new(SecretSource::fixed(SecretString::from(keys.to_string())));
        let origin = options.origin.map(|text| OriginSecret::fixed(text).unwrap());
        let sealing = json!({"generated": SIGNING_KEY});
        let sealing = Sealing::new(Some(SecretSource::fixed(SecretString::from(sealing.to_string()))));
        let (limits, require_totp) = (Arc::new(options.limits), options.require_totp);
        let app = App { db, tokens, sealing, zone, limits, require_totp, origin };
        let router = layers::serve(local::api::router(), app.clone());
        let owner = connect(database.owner_url()).await;
        Self { client: Client::in_process(router), app, owner, database }
    }

    /// The same system by a wire of its own to the database.
    pub async fn by_wire(&self) -> (Client, Wire) {
        self.by_wire_to(&self.database.application_url("microloans_app").await.unwrap(), statements()).await
    }

    /// The same, past any pooler, with statements sent in this way.
    pub async fn by_wire_with(&self, statements: Statements) -> (Client, Wire) {
        self.by_wire_to(&self.database.session_url("microloans_app").await.unwrap(), statements).await
    }

    async fn by_wire_to(&self, url: &str, statements: Statements) -> (Client, Wire) {
        let wire = Wire::to(url).await;
        let app = App { db: db(wire.url(), statements), ..self.app.clone() };
        (Client::in_process(layers::serve(local::api::router(), app)), wire)
    }

    /// A connection with the application login's rights, for statements of a test's own.
    pub async fn application(&self) -> tokio_postgres::Client {
        connect(&self.database.application_url("microloans_app").await.unwrap()).await
    }

    /// One more connection of the owner's.
    pub async fn connect_as_owner(&self) -> tokio_postgres::Client {
        connect(self.database.owner_url()).await
    }

    /// Migrates once more. Returns what was applied.
    pub async fn migrate(&self) -> Vec<String> {
        migrator(self.database.owner_url()).run(Event::default()).await.unwrap().migrations
    }

    /// Migrates once more. Returns what was done to loans of an earlier release.
    pub async fn restate(&self, event: Event) -> Restated {
        migrator(self.database.owner_url()).run(event).await.unwrap().restated
    }

    /// Makes a user with a session, without asking the interface.
    pub async fn user(&self, username: &str, role: Role, status: &str) -> User {
        let id = Uuid::now_v7();
        let sql = "INSERT INTO users (id, username, email, phone, role, status, password_hash)
            VALUES ($1, $2, $2 || '@example.com', '+15550100001', $3, $4, $5)";
        let hash = password_hash().await;
        self.owner.execute(sql, &[&id, &username, &role.as_str(), &status, &hash]).await.unwrap();
        User { id, username: username.to_owned(), role, session: self.session(id, role).await }
    }

    /// An active customer.
    pub async fn customer(&self, username: &str) -> User {
        self.user(username, Role::Customer, "active").await
    }

    /// An approved agent.
    pub async fn agent(&self, username: &str) -> User {
        self.user(username, Role::Agent, "active").await
    }

    /// An admin.
    pub async fn admin(&self, username: &str) -> User {
        self.user(username, Role::Admin, "active").await
    }

    /// A new session of a user, without a login.
    pub async fn session(&self, user: Uuid, role: Role) -> Session {
        let session = Uuid::now_v7();
        let sql = "INSERT INTO sessions (id, user_id, expires_at) VALUES ($1, $2, now() + interval '1 hour')";
        self.owner.execute(sql, &[&session, &user]).await.unwrap();
        let (token, _) = self.app.tokens.issue(user, role, session).await.unwrap();
        self.client.as_(&token)
    }

    /// The number that a query of the owner gives.
    pub async fn count(&self, sql: &str) -> i64 {
        self.owner.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// Waits until a statement of the application waits for another transaction's lock.
    pub async fn someone_waits(&self) {
        let sql = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND (cardinality(pg_blocking_pids(pid)) > 0 OR wait_event = 'PgSleep')";
        for _ in 0..500 {
            if self.count(sql).await > 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nobody waits");
    }
}

/// A user with a session: calls are made by it.
#[derive(Clone)]
pub struct User {
    /// The user's id.
    pub id: Uuid,
    /// The user's name.
    pub username: String,
    /// The user's role.
    pub role: Role,
    /// The session.
    pub session: Session,
}

impl Deref for User {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

fn db(url: &str, statements: Statements) -> Db {
    let source = SecretSource::fixed(SecretString::from(without_tls(url)));
    let authorities = Authorities::default();
    Db::from_config(DatabaseConfig { source, authorities, host: None, pool_size: POOL_SIZE, statements }).unwrap()
}

/// As `PREPARED_STATEMENTS` says: every test holds for both.
fn statements() -> Statements {
    config::statements().unwrap()
}

async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// The hash of [`PASSWORD`], computed once a process.
async fn password_hash() -> String {
    static HASH: OnceCell<String> = OnceCell::const_new();
    HASH.get_or_init(async || passwords::hash(SecretString::from(PASSWORD)).await.unwrap()).await.clone()
}
