//! A running server on a [`Cluster`], which ends when we end, however we end.
//!
//! Between us and the server stands a supervisor, a shell whose standard input is a pipe that only we hold. The lines
//! we write there are signals for the server; when the pipe ends, because we stopped the server or because the system
//! closed it for us (after a panic, an abort, SIGKILL), the supervisor shuts the server down.

use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use url::Url;

use super::cluster::{Cluster, SUPERUSER};
use crate::Error;
use crate::options::Lifetime;

/// The supervisor. Its first argument is a folder to remove if we end before the server (or nothing), the others are
/// the server's command. (Run for root by another user, it can remove the data, but not the folder around them.) The
/// part in braces waits for lines on the pipe, the rest for the server: so the supervisor ends when either does. If the
/// pipe ended, the part in braces has ended well; else it is ended here, by a signal.
const SUPERVISOR: &str = r#"
remove=$1
shift
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
{
    while read -r signal; do kill -s "$signal" "$server"; done
    kill -s INT "$server"
} <&3 3<&- >/dev/null &
watcher=$!
exec </dev/null 3<&-
wait "$server"
status=$?
exec 2>/dev/null
kill "$watcher"
if wait "$watcher" && [ -n "$remove" ]; then
    cd / && rm -rf -- "$remove"
fi
exit "$status"
"#;

/// How to end a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// Connections are closed, all is written to disk.
    Fast,
    /// As in a crash: connections break, and the next start recovers from the write-ahead log.
    Immediate,
}

/// A server, running or stopped.
#[derive(Debug)]
pub(crate) struct Server {
    cluster: Cluster,
    port: u16,
    running: Option<Supervisor>,
}

#[derive(Debug)]
struct Supervisor {
    process: Child,
    pipe: ChildStdin,
}

impl Server {
    /// Starts a server on a free port of 127.0.0.1 and waits until it takes connections.
    pub(crate) fn start(cluster: Cluster) -> Result<Self, Error> {
        // Somebody else may take the port between our look and the server's start.
        const ATTEMPTS: usize = 5;
        let mut server = Self { cluster, port: 0, running: None };
        let mut attempt = 1;
        loop {
            server.port = free_port()?;
            match server.start_again() {
                Err(Error::NotStarted { log, .. }) if attempt < ATTEMPTS && log.contains("could not bind") => {
                    attempt += 1;
                }
                other => return other.map(|()| server),
            }
        }
    }

    /// Starts a stopped server again, on the same port and data.
    pub(crate) fn start_again(&mut self) -> Result<(), Error> {
        if self.running.is_some() {
            return Ok(());
        }
        self.remove_stale_pid_file()?;
        let mut supervisor = self.launch()?;
        let status = wait_until_ready(&self.cluster, &mut supervisor);
        let reason = match status? {
            Launch::Ready => {
                self.running = Some(supervisor);
                return Ok(());
            }
            Launch::Ended(status) => format!("it ended with {status}"),
            Launch::Late => {
                supervisor.stop(Shutdown::Immediate)?;
                "it was not ready in time".to_owned()
            }
        };
        let file = self.cluster.log();
        let log = fs::read_to_string(&file).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let log = lines[lines.len().saturating_sub(10)..].join("\n");
        Err(Error::NotStarted { reason, file, log })
    }

    /// Ends the server and waits for its end. A server that is not running is left alone.
    pub(crate) fn stop(&mut self, how: Shutdown) -> Result<(), Error> {
        match self.running.take() {
            Some(mut supervisor) => supervisor.stop(how),
            None => Ok(()),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The superuser's connection to a database of this server.
    pub(crate) fn url(&self, database: &str) -> Result<Url, Error> {
        let text = format!("postgres://{SUPERUSER}:{}@127.0.0.1:{}/{database}", self.cluster.password, self.port);
        Url::parse(&text).map_err(|error| Error::Setting(format!("{database:?} cannot stand in an address: {error}")))
    }

    /// After a crash of the machine or container, Postgres finds the number of its former process in this file, and
    /// refuses to start if some other process of the same user now has that number. We hold the lock that every
    /// process of a server of ours shares, so none is left; a server started on these data by hand is still noticed by
    /// Postgres itself, by its shared memory.
    fn remove_stale_pid_file(&self) -> Result<(), Error> {
        let file = self.cluster.data().join("postmaster.pid");
        match fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", &file)(error)),
            _ => Ok(()),
        }
    }

    /// Starts the supervisor and, by it, the server.
    fn launch(&self) -> Result<Supervisor, Error> {
        let Cluster { folder, lifetime, durability, binaries, account, server_lock, .. } = &self.cluster;
        let lock = server_lock.try_clone().map_err(Error::io("share", &folder.join("server.lock")))?;
        let mut command = account.command("/bin/sh");
        command.args(["-c", SUPERVISOR, "supervisor"]);
        match lifetime {
            Lifetime::Kept => command.arg(""),
            Lifetime::Ephemeral => command.arg(folder),
        };
        command.arg(binaries.program("postgres")).arg("-D").arg(self.cluster.data());
        let port = format!("port={}", self.port);
        let always =
            [&*port, "listen_addresses=127.0.0.1", "unix_socket_directories=", "timezone=UTC", "log_timezone=UTC"];
        for setting in always.iter().chain(durability.settings()) {
            command.args(["-c", setting]);
        }
        let mut process = command
            .current_dir(self.cluster.data())
            .stdin(Stdio::piped())
            .stdout(lock)
            .stderr(self.cluster.empty_log()?)
            .spawn()
            .map_err(|source| Error::Io { what: "run /bin/sh".to_owned(), source })?;
        match process.stdin.take() {
            Some(pipe) => Ok(Supervisor { process, pipe }),
            None => Err(Error::Setting("the supervisor has no pipe".to_owned())),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nobody is left to get the error; the pipe's end stops the server too.
        let _ = self.stop(Shutdown::Fast);
    }
}

impl Supervisor {
    /// Has the server end, ever less politely if it does not.
    fn stop(&mut self, how: Shutdown) -> Result<(), Error> {
        let steps = match how {
            Shutdown::Fast => &[("INT", 30), ("QUIT", 10), ("KILL", 10)][..],
            Shutdown::Immediate => &[("QUIT", 10), ("KILL", 10)],
        };
        for (signal, seconds) in steps {
            // A supervisor that has ended already is no failure.
            let _ = writeln!(self.pipe, "{signal}");
            let start = Instant::now();
            while start.elapsed() < Duration::from_secs(*seconds) {
                if self.ended()?.is_some() {
                    return Ok(());
                }
                sleep(Duration::from_millis(5));
            }
        }
        Err(Error::Setting("Postgres does not end".to_owned()))
    }

    fn ended(&mut self) -> Result<Option<ExitStatus>, Error> {
        self.process.try_wait().map_err(|source| Error::Io { what: "wait for Postgres".to_owned(), source })
    }
}

/// The result of starting a server.
enum Launch {
    Ready,
    Ended(ExitStatus),
    Late,
}

/// Waits until the server says in its `postmaster.pid` that it takes connections, as `pg_ctl` does.
fn wait_until_ready(cluster: &Cluster, supervisor: &mut Supervisor) -> Result<Launch, Error> {
    // Long, since recovery after a crash comes before.
    const PATIENCE: Duration = Duration::from_mins(2);
    let file = cluster.data().join("postmaster.pid");
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if let Some(status) = supervisor.ended()? {
            return Ok(Launch::Ended(status));
        }
        if fs::read_to_string(&file).is_ok_and(|text| says_ready(&text)) {
            return Ok(Launch::Ready);
        }
        sleep(Duration::from_millis(5));
    }
    Ok(Launch::Late)
}

/// The eighth line of `postmaster.pid` is the server's state.
fn says_ready(postmaster_pid: &str) -> bool {
    postmaster_pid.lines().nth(7).is_some_and(|state| state.trim() == "ready")
}

/// A port of 127.0.0.1 that nobody listens on at this moment.
///
/// # Errors
///
/// When the system gives none.
pub fn free_port() -> Result<u16, Error> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|source| Error::Io { what: "find a free port".to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::says_ready;

    #[test]
    fn a_server_is_ready_when_its_eighth_line_says_so() {
        let file = |state: &str| format!("42\n/data\n1700000000\n5432\n\n127.0.0.1\n  1234  5\n{state}\n");
        assert!(says_ready(&file("ready   ")));
        assert!(!says_ready(&file("starting")));
        assert!(!says_ready("42\n/data\n"));
    }
}
