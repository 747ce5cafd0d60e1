//! Postgres servers of this run: on a small disk of their own, as durable as in production, since what was acknowledged
//! must outlive a crash.

use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use tokio_postgres::{Client, Error, NoTls};

use crate::processes::{Running, command, run, signal, until};

/// The superuser, who owns the database.
const OWNER: &str = "postgres";
/// Its password, on a server that lives for minutes and listens on this machine only.
const PASSWORD: &str = "owner-password";
/// The database of the functions.
const DATABASE: &str = "microloans";

/// Where the programs are, where the data go, where the logs go.
#[derive(Clone)]
pub(crate) struct Places {
    pub(crate) binaries: PathBuf,
    pub(crate) disk: PathBuf,
    pub(crate) work: PathBuf,
}

/// A server, running or not.
pub(crate) struct Postgres {
    places: Places,
    port: u16,
    process: Option<Running>,
}

impl Postgres {
    /// A new server with an empty database, running.
    pub(crate) async fn new(places: Places) -> Self {
        let mut server = Self { places, port: local::free_port().unwrap(), process: None };
        let password = server.places.disk.join("password");
        fs::write(&password, PASSWORD).unwrap();
        let mut initdb = server.program("initdb");
        initdb.arg("--pgdata").arg(server.data()).args(["--username", OWNER, "--auth", "scram-sha-256"]);
        run(initdb.args(["--encoding", "UTF8", "--locale", "C", "--pwfile"]).arg(&password));
        server.start().await;
        let client = connect(&server.address(OWNER, PASSWORD, "postgres")).await.unwrap();
        client.batch_execute(&format!("CREATE DATABASE {DATABASE}")).await.unwrap();
        server
    }

    /// A copy of this server, which follows it. From now on this one acknowledges only what the copy has on its disk.
    pub(crate) async fn follower(&self) -> Self {
        let mut follower = Self { places: self.places.clone(), port: local::free_port().unwrap(), process: None };
        let mut copy = self.program("pg_basebackup");
        copy.arg("--pgdata").arg(follower.data()).args(["--write-recovery-conf", "--checkpoint", "fast"]);
        run(copy.arg("--dbname").arg(self.owner_url()));
        follower.start().await;
        let client = self.connect().await;
        client.batch_execute("ALTER SYSTEM SET synchronous_standby_names = '*'").await.unwrap();
        client.batch_execute("SELECT pg_reload_conf()").await.unwrap();
        let in_step = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        until("the follower is in step", async || count(&client, in_step).await == 1).await;
        follower
    }

    /// Makes a follower take writes. Returns when it does.
    pub(crate) async fn promote(&self) -> Instant {
        let promoted = self.connect().await.query_one("SELECT pg_promote()", &[]).await.unwrap();
        assert!(promoted.get::<_, bool>(0), "the follower does not take over");
        Instant::now()
    }

    /// Starts the server, unless it runs, and waits until it takes connections. Returns when it did.
    pub(crate) async fn start(&mut self) -> Instant {
        if self.process.as_mut().is_none_or(Running::has_ended) {
            let mut command = self.program("postgres");
            command.arg("-D").arg(self.data()).args(["-p", &self.port.to_string()]);
            for setting in [
                "listen_addresses=127.0.0.1",
                "unix_socket_directories=",
                "timezone=UTC",
                // Few and little, so that they can be used up.
                "max_connections=60",
                "min_wal_size=32MB",
                "max_wal_size=64MB",
            ] {
                command.args(["-c", setting]);
            }
            let log = self.places.work.join(format!("{}.log", self.name()));
            self.process = Some(Running::start(&mut command, &log));
        }
        let url = self.address(OWNER, PASSWORD, "postgres");
        until("Postgres takes connections", async || connect(&url).await.is_ok()).await;
        Instant::now()
    }

    /// Ends the server and waits for its end: `INT` closes connections and writes all to disk, `QUIT` is a crash.
    pub(crate) async fn stop(&mut self, how: &str) {
        if let Some(mut process) = self.process.take() {
            signal(process.pid(), how);
            process.end().await;
        }
    }

    /// Removes the data of a server that has been stopped.
    pub(crate) fn remove(self) {
        fs::remove_dir_all(self.data()).unwrap();
    }

    /// All its processes: the first one and those that it has made.
    pub(crate) fn pids(&self) -> Vec<u32> {
        let Some(process) = &self.process else { return Vec::new() };
        let first = process.pid();
        let made = fs::read_to_string(format!("/proc/{first}/task/{first}/children")).unwrap();
        [first].into_iter().chain(made.split_whitespace().map(|pid| pid.parse().unwrap())).collect()
    }

    /// A connection of the owner.
    pub(crate) async fn connect(&self) -> Client {
        connect(&self.owner_url()).await.unwrap()
    }

    /// A connection of another login.
    pub(crate) async fn connect_as(&self, login: &str, password: &str) -> Result<Client, Error> {
        connect(&self.address(login, password, DATABASE)).await
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The owner's address of the functions' database.
    pub(crate) fn owner_url(&self) -> String {
        self.address(OWNER, PASSWORD, DATABASE)
    }

    fn address(&self, login: &str, password: &str, database: &str) -> String {
        format!("postgres://{login}:{password}@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    fn data(&self) -> PathBuf {
        self.places.disk.join(self.name())
    }

    fn name(&self) -> String {
        format!("postgres-{}", self.port)
    }

    fn program(&self, name: &str) -> Command {
        let mut command = command(&self.places.binaries.join(name), "QUIT");
        // Postgres refuses to run as root.
        if fs::metadata("/proc/self").unwrap().uid() == 0 {
            let mut as_postgres = Command::new("setpriv");
            as_postgres.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "setpriv"]);
            as_postgres.args(command.get_args());
            command = as_postgres;
        }
        command.current_dir(&self.places.disk);
        command
    }
}

async fn connect(url: &str) -> Result<Client, Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// The number that a query gives.
pub(crate) async fn count(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

/// A file that takes all the room that a disk has.
pub(crate) struct Ballast(PathBuf);

impl Ballast {
    pub(crate) fn on(disk: &Path) -> Self {
        Self(disk.join("ballast"))
    }

    /// Takes whatever is left, also what became free since the last time.
    pub(crate) fn fill(&self) {
        let mut file = File::options().create(true).append(true).open(&self.0).unwrap();
        for size in [1 << 20, 1 << 12] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    /// Gives the room back.
    pub(crate) fn remove(&self) {
        fs::remove_file(&self.0).unwrap();
    }
}
