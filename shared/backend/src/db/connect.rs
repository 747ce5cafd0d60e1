//! How a connection is made: target and password from the secrets, TLS, keepalive, and one fresh look at the secret
//! when the database refuses the password.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, Error, NoTls, config::SslMode, error::SqlState};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{
    config::{Authorities, Roots},
    secrets::{SecretError, SecretSource},
    telemetry,
};

/// The certificate authorities of Amazon RDS and Aurora, all regions.
const RDS_CERTIFICATE_AUTHORITIES: &[u8] = include_bytes!("rds-certificate-authorities.pem");

/// A database secret, in the form in which RDS writes it.
#[derive(Clone, Debug, Deserialize)]
pub struct DatabaseTarget {
    /// Host name.
    pub host: String,
    /// Port; 5432 if absent.
    #[serde(default = "default_port")]
    pub port: u16,
    /// Database name.
    #[serde(alias = "database")]
    pub dbname: String,
    /// Role to log in as.
    pub username: String,
    /// Its password.
    pub password: SecretString,
}

const fn default_port() -> u16 {
    5432
}

/// Makes connections to the database that a secret or a URL names.
///
/// The time that the pool gives a new connection is for Postgres alone, so what else is needed is prepared before the
/// pool is asked: see [`prepare`](Self::prepare).
pub struct Connector {
    source: SecretSource,
    authorities: Authorities,
    host: Option<String>,
    prepared: Mutex<Option<Prepared>>,
}

/// The settings of the next connection.
#[derive(Clone)]
struct Prepared {
    config: Config,
    /// None: without TLS.
    tls: Option<MakeRustlsConnect>,
}

impl Connector {
    /// `source` gives a JSON secret as [`DatabaseTarget`] or, locally, a `postgres://` URL.
    #[must_use]
    pub fn new(source: SecretSource, authorities: Authorities) -> Arc<Self> {
        Self::through(source, authorities, None)
    }

    /// As [`new`](Self::new), by way of `host` (a proxy) instead of the one that a JSON secret names.
    #[must_use]
    pub fn through(source: SecretSource, authorities: Authorities, host: Option<String>) -> Arc<Self> {
        Arc::new(Self { source, authorities, host, prepared: Mutex::new(None) })
    }

    /// Reads the secret, if it is not at hand, and sets up TLS for the next connections.
    ///
    /// # Errors
    ///
    /// When the secret cannot be read or is unusable.
    pub async fn prepare(&self) -> Result<(), ConnectError> {
        let secret = self.source.get().await?;
        let config = config(secret.expose_secret(), self.host.as_deref())?;
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        if prepared.as_ref().is_some_and(|prepared| prepared.config == config) {
            return Ok(());
        }
        // `sslmode=disable` in a URL is for a database on this machine. Everything else is verified in full: chain and
        // host name.
        let tls = match config.get_ssl_mode() {
            SslMode::Disable => None,
            _ => Some(self.tls()?),
        };
        *prepared = Some(Prepared { config, tls });
        Ok(())
    }

    /// After the database refused the password: reads the secret again, as after a rotation.
    ///
    /// # Errors
    ///
    /// As [`prepare`](Self::prepare).
    pub async fn prepare_anew(&self) -> Result<(), ConnectError> {
        self.source.forget().await;
        self.prepare().await
    }

    /// Connects, as prepared last.
    ///
    /// # Errors
    ///
    /// When the secret cannot be read, or the database cannot be reached or refuses.
    pub async fn connect(&self) -> Result<(Client, JoinHandle<()>), ConnectError> {
        self.prepare().await?;
        self.connect_prepared().await.map_err(ConnectError::Postgres)
    }

    /// As [`connect`](Self::connect), where everything is prepared.
    pub(super) async fn connect_prepared(&self) -> Result<(Client, JoinHandle<()>), Error> {
        let prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // Never connects anywhere if nothing is prepared: an empty configuration names no host.
        let Prepared { config, tls } = prepared.unwrap_or_else(|| Prepared { config: Config::new(), tls: None });
        match tls {
            None => {
                let (client, connection) = config.connect(NoTls).await?;
                Ok((client, spawn(connection)))
            }
            Some(tls) => {
                let (client, connection) = config.connect(tls).await?;
                Ok((client, spawn(connection)))
            }
        }
    }

    fn roots(&self) -> Result<RootCertStore, ConnectError> {
        let mut roots = RootCertStore::empty();
        match self.authorities.roots {
            Roots::Rds => {
                for certificate in CertificateDer::pem_slice_iter(RDS_CERTIFICATE_AUTHORITIES) {
                    roots.add(certificate.map_err(ConnectError::certificate)?).map_err(ConnectError::certificate)?;
                }
            }
            Roots::Public => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        }
        if let Some(file) = &self.authorities.file {
            for certificate in CertificateDer::pem_file_iter(file).map_err(ConnectError::certificate)? {
                roots.add(certificate.map_err(ConnectError::certificate)?).map_err(ConnectError::certificate)?;
            }
        }
        Ok(roots)
    }

    fn tls(&self) -> Result<MakeRustlsConnect, ConnectError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(ConnectError::certificate)?
            .with_root_certificates(self.roots()?)
            .with_no_client_auth();
        Ok(MakeRustlsConnect::new(config))
    }
}

/// The configuration that a secret's text describes; with another host, if there is one and the text is JSON.
fn config(text: &str, host: Option<&str>) -> Result<Config, ConnectError> {
    let mut config = if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        text.parse::<Config>().map_err(|_| ConnectError::MalformedSecret)?
    } else {
        let target: DatabaseTarget = serde_json::from_str(text).map_err(|_| ConnectError::MalformedSecret)?;
        let mut config = Config::new();
        config.host(host.unwrap_or(&target.host)).port(target.port).dbname(target.dbname).user(target.username);
        config.password(target.password.expose_secret());
        config
    };
    if config.get_ssl_mode() != SslMode::Disable {
        config.ssl_mode(SslMode::Require);
    }
    // An environment that was frozen may wake to a peer that is gone: these make the kernel notice.
    config
        .application_name("microloans")
        .connect_timeout(Duration::from_secs(4))
        .keepalives(true)
        .keepalives_idle(Duration::from_secs(15))
        .keepalives_interval(Duration::from_secs(5))
        .keepalives_retries(2)
        .tcp_user_timeout(Duration::from_secs(10));
    Ok(config)
}

pub(super) fn password_refused(error: &Error) -> bool {
    matches!(error.code(), Some(&SqlState::INVALID_PASSWORD | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION))
}

fn spawn<F>(connection: F) -> JoinHandle<()>
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            let error = telemetry::chain(&error);
            tracing::warn!(error, "a database connection ended");
        }
    })
}

/// Why no connection could be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The secret could not be read.
    #[error("the database secret could not be read")]
    Secret(#[from] SecretError),
    /// The secret is neither a URL nor the JSON that RDS writes. Its text is not repeated here.
    #[error("the database secret is neither a postgres:// URL nor a JSON object with host, dbname, username, password")]
    MalformedSecret,
    /// A certificate authority could not be read.
    #[error("a certificate authority could not be read")]
    Certificate(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Postgres, or the way to it.
    #[error("connecting to the database failed")]
    Postgres(#[source] Error),
}

impl ConnectError {
    fn certificate(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Certificate(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tokio_postgres::config::Host;

    use super::*;

    #[test]
    fn a_proxy_takes_the_place_of_the_host_that_a_json_secret_names() {
        let secret = r#"{"host": "database", "dbname": "microloans", "username": "app", "password": "secret"}"#;
        let hosts = |text, host| config(text, host).unwrap().get_hosts().to_vec();
        assert_eq!(hosts(secret, None), [Host::Tcp("database".into())]);
        assert_eq!(hosts(secret, Some("proxy")), [Host::Tcp("proxy".into())]);
        assert_eq!(hosts("postgres://app@elsewhere/x", Some("proxy")), [Host::Tcp("elsewhere".into())]);
        assert_eq!(config(secret, Some("proxy")).unwrap().get_ssl_mode(), SslMode::Require);
    }

    #[test]
    fn only_the_authorities_that_are_asked_for_are_trusted() {
        let trusted = |roots| Connector::new(SecretSource::fixed("".into()), Authorities { roots, file: None }).roots();
        let (rds, public) = (trusted(Roots::Rds).unwrap(), trusted(Roots::Public).unwrap());
        let of = |store: &RootCertStore, name: &str| {
            store.subjects().iter().filter(|subject| String::from_utf8_lossy(subject.as_ref()).contains(name)).count()
        };
        assert!(of(&rds, "Amazon RDS") > 50 && of(&rds, "ISRG") == 0);
        assert_eq!(of(&public, "Amazon RDS"), 0);
        assert!(of(&public, "ISRG Root X1") == 1 && public.len() > 50);
    }
}
