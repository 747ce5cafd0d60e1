//! Serves the whole interface on one local port, on a migrated database.

use std::convert::Infallible;
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::{
    Error, api,
    book::{self, Loaded, Plan},
    cors, fake_payments,
    options::{Contents, Lifetime, Options},
    postgres::{Postgres, random},
    progress::Progress,
    say,
};
use axum::extract::{ConnectInfo, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use backend::{
    app::App,
    auth::{sealing::Sealing, tokens::Tokens},
    config::{self, Limits, Statements},
    db::{Connector, Db},
    http::{address::Peer, layers, origin::OriginSecret},
    secrets::SecretSource,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use migrate::{DEMO_PASSWORD, Event, MigrateError, Migrator};
use secrecy::SecretString;
use serde_json::json;
use stats::Difference;
use tokio::net::TcpListener;
use url::Url;

/// How many requests may work with the database at once.
const CONNECTIONS: usize = 16;

/// How far apart the runs of the scheduled function are.
const SCHEDULE: Duration = Duration::from_hours(1);

/// Finds out whether the address and the port can be listened on, before anything takes its time.
///
/// # Errors
///
/// [`Error::PortInUse`], [`Error::NoSuchAddress`], or the system's error.
pub fn check_address(options: &Options) -> Result<(), Error> {
    let address = SocketAddr::from((options.host, options.port));
    std::net::TcpListener::bind(address).map(drop).map_err(|error| address_error(address, error))
}

fn address_error(address: SocketAddr, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::AddrInUse => Error::PortInUse { port: address.port() },
        io::ErrorKind::AddrNotAvailable => Error::NoSuchAddress { host: address.ip() },
        _ => Error::Io { what: format!("listen on {address} (--host, --port)"), source: error },
    }
}

/// Migrates the database, loads its contents, and serves until `stop`. Listens only after that.
///
/// # Errors
///
/// A setting that cannot be used, a database that cannot be migrated, a port that is taken.
pub async fn serve(postgres: &Postgres, options: &Options, stop: impl Future<Output = ()>) -> Result<(), Error> {
    let cross_origin = cors::from_environment()?;
    let mut stop = std::pin::pin!(stop);
    let prepare = prepare(postgres, options);
    let app = tokio::select! {
        app = prepare => app?,
        () = &mut stop => return Ok(()),
    };
    let schedule = scheduled(app.clone());
    let router = layers::serve(api::router(), app).layer(from_fn(tell_peer));
    let router = router.layer(tower::util::option_layer(cross_origin));
    let address = SocketAddr::from((options.host, options.port));
    let listener = TcpListener::bind(address).await.map_err(|error| address_error(address, error))?;
    let address = listener.local_addr().map_err(|error| address_error(address, error))?;
    announce(address, options.contents);
    let fake = fake_payments::run(router.clone(), options.arrivals);

    let requests = axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>());
    tokio::select! {
        ended = requests.into_future() => ended.map_err(|source| Error::Io { what: "serve".to_owned(), source }),
        never = schedule => match never {},
        never = fake => match never {},
        () = stop => Ok(()),
    }
}

/// The scheduler's work in a deployment: runs the function `stats` again and again.
async fn scheduled(app: App) -> Infallible {
    loop {
        tokio::time::sleep(SCHEDULE).await;
        if let Err(error) = stats::run(&app.db, &app.zone).await {
            say(Error::from(error));
        }
    }
}

/// Tells where the interface is: for people, and for programs that wait for this line.
fn announce(address: SocketAddr, contents: Contents) {
    let mut output = io::stdout();
    // A reader that has gone is no reason not to serve.
    let _ = writeln!(output, "listening on http://{address}").and_then(|()| output.flush());
    if contents == Contents::Demo && !address.ip().is_loopback() {
        say("whoever reaches this address can log in: the demo users' password is public");
    }
    // A browser cannot go to the wildcard address.
    let here = match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        named => named,
    };
    let here = SocketAddr::new(here, address.port());
    say(format_args!("the interface is described at http://{here}/docs; Ctrl-C stops"));
}

/// The other end of the connection; the gateway sends its address to functions.
async fn tell_peer(mut request: Request, next: Next) -> Response {
    if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>().copied() {
        request.extensions_mut().insert(Peer(peer));
    }
    next.run(request).await
}

/// Compares the data with the values recomputed from their transactions. Changes nothing in existing data; a throwaway
/// database and a generated book are made first.
///
/// # Errors
///
/// A database that is not there, or has another schema.
pub async fn check(postgres: &Postgres, options: &Options) -> Result<Vec<Difference>, Error> {
    if options.lifetime == Lifetime::Ephemeral || options.book.is_some() {
        prepare(postgres, options).await?;
    }
    let setting = |error: config::ConfigError| Error::Setting(error.to_string());
    let zone = config::business_time_zone().map_err(setting)?;
    let connector =
        Connector::new(fixed(&on_this_machine(postgres.owner_url())?), config::authorities().map_err(setting)?);
    let db = Db::new(connector, 1, Statements::Unnamed).map_err(|error| Error::Setting(error.to_string()))?;
    say("checking every loan, the journal and every figure ...");
    Ok(stats::check(&db, &zone).await?)
}

async fn prepare(postgres: &Postgres, options: &Options) -> Result<App, Error> {
    let setting = |error: config::ConfigError| Error::Setting(error.to_string());
    let zone = config::business_time_zone().map_err(setting)?;
    let limits = Limits::from_env().map_err(setting)?;
    let require_totp = config::require_totp().map_err(setting)?;
    let origin = OriginSecret::from_env().map_err(setting)?;
    let application = fixed(&on_this_machine(postgres.application_url())?);

    say("migrating the database ...");
    let migrator = Migrator {
        owner: Connector::new(fixed(&on_this_machine(postgres.owner_url())?), config::authorities().map_err(setting)?),
        application: Some(application.clone()),
        admin: None,
        demo_is_allowed: true,
        zone: zone.clone(),
    };
    let report = migrator.run(Event { demo: options.contents == Contents::Demo, ..Event::default() }).await?;
    say(format_args!("{} migrations applied", report.migrations.len()));
    if report.demo_loaded {
        say(format_args!("demo data loaded: log in as admin, agent or customer, password {DEMO_PASSWORD}"));
    }

    if let Some(plan) = options.book {
        load_book(&migrator.owner, plan, &zone).await?;
    }

    let connector = Connector::new(application, config::authorities().map_err(setting)?);
    let statements = config::statements().map_err(setting)?;
    let db = Db::new(connector, CONNECTIONS, statements).map_err(|error| Error::Setting(error.to_string()))?;
    let report = stats::run(&db, &zone).await?;
    say(format_args!("the figures of {} days kept", report.days));
    let sealing = Sealing::new(Some(fixed(SEALING_KEYS)));
    let tokens = Tokens::new(fixed(&signing_keys()?));
    Ok(App { db, tokens, sealing, zone, limits: Arc::new(limits), require_totp, origin })
}

/// Loads a generated book if there is none.
async fn load_book(owner: &Connector, plan: Plan, zone: &TimeZone) -> Result<(), Error> {
    let (client, connection) = owner.connect().await.map_err(MigrateError::from)?;
    let start = Instant::now();
    let today = zone.to_datetime(Timestamp::now()).date();
    let mut progress = Progress::new(plan.loans.into(), "loans loaded");
    let loaded = book::load(&client, plan, today, zone, |loans| progress.done(loans)).await?;
    drop(progress);
    match loaded {
        None => say("there is a generated book already: none is loaded"),
        Some(Loaded { loans, transactions, lines, .. }) => {
            let seconds = start.elapsed().as_secs();
            say(format_args!(
                "{loans} loans loaded, {transactions} transactions, {lines} lines of the journal, in {seconds} s"
            ));
        }
    }
    drop(client);
    // Nothing is left to be said on it.
    let _ = connection.await;
    Ok(())
}

fn fixed(secret: &str) -> SecretSource {
    SecretSource::fixed(SecretString::from(secret))
}

/// The address without TLS, unless it asks for it: the server is one on this machine.
fn on_this_machine(url: &str) -> Result<String, Error> {
    let mut url = Url::parse(url).map_err(|error| Error::Setting(format!("DATABASE_URL: {error}")))?;
    if !url.query_pairs().any(|(name, _)| name == "sslmode") {
        url.query_pairs_mut().append_pair("sslmode", "disable");
    }
    Ok(url.into())
}

/// Seals secrets of a server on this machine. The same at every start, since the database is kept; not secret itself.
const SEALING_KEYS: &str = r#"{"current": "local", "keys": {"local": "bWljcm9sb2Fucy1sb2NhbC1zZWFsaW5nLWtleS0wMDE"}}"#;

/// A key of this run: tokens end with it.
fn signing_keys() -> Result<String, Error> {
    // Hexadecimal digits are base64url too: these are 48 bytes with 256 random bits.
    let key = random()? + &random()?;
    Ok(json!({"current": "local", "keys": {"local": key}}).to_string())
}
