//! A Postgres server of a check's own, for those that need one with other settings than the tests' servers have.

use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    command::{Outcome, Run as _, command},
    ports,
};

/// True for root.
pub(crate) fn is_root() -> Outcome<bool> {
    Ok(command("id").arg("-u").read()?.trim() == "0")
}

/// A command that does not run as root, which Postgres and PgBouncer refuse: instead as the user `postgres`.
pub(crate) fn not_as_root(program: impl AsRef<Path>) -> Outcome<Command> {
    if !is_root()? {
        return Ok(command(program.as_ref()));
    }
    let mut other = command("setpriv");
    other.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(program.as_ref());
    Ok(other)
}

/// Lets the server's user own a file or folder.
pub(crate) fn give(path: &Path) -> Outcome {
    if is_root()? { command("chown").arg("postgres").arg(path).run() } else { Ok(()) }
}

/// The folder of the newest server's binaries: Debian's, or those that `pg_config` knows.
pub(crate) fn binaries() -> Outcome<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for entry in fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten() {
        let major = entry.file_name().to_string_lossy().parse().unwrap_or(0);
        found.push((major, entry.path().join("bin")));
    }
    if env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| folder.join("pg_config").exists())) {
        found.push((0, PathBuf::from(command("pg_config").arg("--bindir").read()?.trim())));
    }
    found.sort();
    let complete = |folder: &PathBuf| folder.join("initdb").exists() && folder.join("postgres").exists();
    let newest = found.into_iter().rev().map(|(_, folder)| folder).find(complete);
    newest.ok_or_else(|| "no PostgreSQL server is installed".into())
}

/// A server that ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Cluster {
    data: PathBuf,
    binaries: PathBuf,
    pub(crate) port: u16,
}

impl Cluster {
    /// Makes a cluster in the folder and starts it. `access` takes the place of `pg_hba.conf`.
    pub(crate) fn start(work: &Path, initdb: &[&str], access: Option<&str>, settings: &[String]) -> Outcome<Self> {
        let (binaries, port, home) = (binaries()?, ports::free()?, work.join("postgres"));
        fs::create_dir(&home)?;
        give(&home)?;
        let cluster = Self { data: home.join("data"), binaries, port };
        let mut make = not_as_root(cluster.binaries.join("initdb"))?;
        make.arg("--pgdata").arg(&cluster.data).args(["--encoding", "UTF8", "--no-sync"]).args(initdb);
        make.to_log(&work.join("initdb.log"))?.run()?;
        if let Some(access) = access {
            fs::write(cluster.data.join("pg_hba.conf"), access)?;
        }
        let log = work.join("postgres.log");
        fs::write(&log, "")?;
        give(&log)?;
        let mut options = format!("-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off");
        for setting in settings {
            let _infallible = write!(options, " -c {setting}");
        }
        let mut start = not_as_root(cluster.binaries.join("pg_ctl"))?;
        start.arg("--pgdata").arg(&cluster.data).args(["--wait", "--silent", "--options", &options]);
        start.arg("--log").arg(&log).arg("start").run()?;
        Ok(cluster)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if !self.data.join("postmaster.pid").exists() {
            return;
        }
        let _best_effort = not_as_root(self.binaries.join("pg_ctl")).and_then(|mut stop| {
            stop.arg("--pgdata").arg(&self.data).args(["--silent", "--wait", "--mode", "immediate", "stop"]).run()
        });
    }
}
