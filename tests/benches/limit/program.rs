//! The whole interface as a program of its own, on a database of its own with a generated book.

use std::{
    error::Error,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use local::testing::{Database, Schema};
use serde_json::{Value, json};
use tests::without_tls;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use crate::load::{Connection, request};

/// A program that serves the interface: `cargo dev` as it is built for deployment.
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    pub(crate) owner: Client,
    child: Child,
    /// Removed after the program has ended.
    _database: Database,
}

/// Nothing yet: each program migrates its database itself.
struct Empty;

impl Schema for Empty {
    fn name(&self) -> &'static str {
        "nothing"
    }

    fn fingerprint(&self) -> String {
        String::new()
    }

    async fn migrate(&self, _: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }
}

impl Program {
    /// Starts `path`, or this very program if there is none, and waits until it serves a book of so many loans.
    pub(crate) async fn start(name: &str, path: Option<&Path>, loans: u32) -> Self {
        let database = Database::fresh(&Empty).await.unwrap();
        let url = without_tls(database.owner_url());
        let mut command = Command::new(path.map_or_else(|| std::env::current_exe().unwrap(), PathBuf::from));
        if path.is_none() {
            command.arg(SERVE);
        }
        let mut child = command
            .args(["--no-demo", "--port", "0", "--loans", &loans.to_string()])
            .env("DATABASE_URL", &url)
            .env("MICROLOANS_POSTGRES", "url")
            .env("MAX_PENDING", "1000000")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let address = lines.find_map(|line| line.strip_prefix("listening on http://")?.parse().ok());
        let address = address.unwrap_or_else(|| panic!("{name} ends without serving: {:?}", child.wait()));
        let owner = connect(&url).await;
        owner.batch_execute("VACUUM (ANALYZE)").await.unwrap();
        Self { name: name.to_owned(), address, owner, child, _database: database }
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// The headers of a caller, who logs in.
    pub(crate) async fn log_in(&self, who: Uuid) -> String {
        let username: String =
            self.owner.query_one("SELECT username FROM users WHERE id = $1", &[&who]).await.unwrap().get(0);
        let body = json!({"username": username, "password": migrate::DEMO_PASSWORD}).to_string();
        let login = request("POST", "/api/auth/login", "content-type: application/json\r\n", &body);
        let (status, session) = Connection::to(self.address).send(&login);
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&session));
        let session: Value = serde_json::from_slice(&session).unwrap();
        format!("authorization: Bearer {}\r\n", session["access_token"].as_str().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes this program serve: what follows is the command line of `cargo dev`.
pub(crate) const SERVE: &str = "serve";

pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
