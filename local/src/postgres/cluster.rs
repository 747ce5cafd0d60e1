//! A Postgres data folder of ours, made once by `initdb` and locked while it is used.
//!
//! The folder holds `data` (Postgres's own), `password` (the superuser's, readable by us alone), `log`, and two locks:
//! `owner.lock` is held by the process that uses the folder, `server.lock` by the server itself and everything that
//! it starts. A process that ends, however it ends, leaves the first at once and the second when its server is gone.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::binaries::Binaries;
use crate::account::Account;
use crate::options::Lifetime;
use crate::project::{hex, temporary};
use crate::{Error, say};

/// The superuser that `initdb` makes, who owns every database of ours.
pub(crate) const SUPERUSER: &str = "postgres";

/// How careful a server is with its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// As in production: for data that are kept.
    Full,
    /// They survive a crash of the server, but not one of the machine: for tests and throwaway databases.
    Fast,
}

impl Durability {
    /// The server's settings beyond those that every server of ours has.
    pub(crate) fn settings(self) -> &'static [&'static str] {
        match self {
            Self::Full => &[],
            Self::Fast => &["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200"],
        }
    }
}

/// A data folder that is ready and locked for us.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) folder: PathBuf,
    pub(crate) lifetime: Lifetime,
    pub(crate) durability: Durability,
    pub(crate) binaries: Binaries,
    pub(crate) account: Account,
    /// The superuser's password: hexadecimal digits.
    pub(crate) password: String,
    /// Given to the server as its standard output, so that the lock lasts as long as any process of the server.
    pub(crate) server_lock: File,
    /// Closed by the system when we end.
    _owner_lock: File,
}

impl Cluster {
    /// Opens the cluster in `folder`, making it if it is not there.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] at once if another process uses it.
    pub(crate) fn open(
        folder: PathBuf,
        durability: Durability,
        binaries: Binaries,
        account: Account,
    ) -> Result<Self, Error> {
        account.create_folder(&folder)?;
        // A folder of an earlier run may belong to another user than the one we would choose now.
        let account = account.for_data(&folder.join("data"));
        Self::prepare(folder, Lifetime::Kept, durability, binaries, account)
    }

    /// Makes a cluster in a new temporary folder, which is removed with the cluster.
    pub(crate) fn ephemeral(binaries: Binaries, account: Account) -> Result<Self, Error> {
        let folder = temporary(account)?.join(format!("microloans-{}", random()?));
        account.create_folder(&folder)?;
        Self::prepare(folder.clone(), Lifetime::Ephemeral, Durability::Fast, binaries, account).inspect_err(|_| {
            let _ = fs::remove_dir_all(&folder);
        })
    }

    fn prepare(
        folder: PathBuf,
        lifetime: Lifetime,
        durability: Durability,
        binaries: Binaries,
        account: Account,
    ) -> Result<Self, Error> {
        let owner_lock = lock_owner(&folder)?;
        let server_lock = lock_server(&folder)?;
        let password = password(&folder, account)?;
        let cluster =
            Self { folder, lifetime, durability, binaries, account, password, server_lock, _owner_lock: owner_lock };
        cluster.initialise()?;
        Ok(cluster)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Where the server writes its log, emptied.
    pub(crate) fn empty_log(&self) -> Result<File, Error> {
        let path = self.log();
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let log = options.open(&path).map_err(Error::io("write", &path))?;
        self.account.own_file(&log).map_err(Error::io("change the owner of", &path))?;
        Ok(log)
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Runs `initdb` where it has not run yet.
    fn initialise(&self) -> Result<(), Error> {
        let data = self.data();
        if let Ok(major) = fs::read_to_string(data.join("PG_VERSION")) {
            if major.trim() == self.binaries.version.major.to_string() {
                return Ok(());
            }
            return Err(Error::Setting(format!(
                "{} was made by Postgres {}, not {}",
                data.display(),
                major.trim(),
                self.binaries.version
            )));
        }
        say(format_args!("making a Postgres {} database in {} ...", self.binaries.version, self.folder.display()));
        // Older systems have no C.UTF-8. In both locales text is sorted by code point.
        match self.initdb("C.UTF-8") {
            Err(Error::Program { output, .. }) if output.contains("locale") => self.initdb("C"),
            other => other,
        }
    }

    /// Makes `data`: in `data.part` first, so that an interrupted `initdb` leaves nothing that looks finished.
    fn initdb(&self, locale: &str) -> Result<(), Error> {
        let part = self.folder.join("data.part");
        if part.exists() {
            fs::remove_dir_all(&part).map_err(Error::io("remove", &part))?;
        }
        DirBuilder::new().mode(0o700).create(&part).map_err(Error::io("create", &part))?;
        self.account.own(&part).map_err(Error::io("change the owner of", &part))?;

        let program = self.binaries.program("initdb");
        let lock = self.server_lock.try_clone().map_err(Error::io("share", &self.folder.join("server.lock")))?;
        let output = self
            .account
            .command(&program)
            .arg("--pgdata")
            .arg(&part)
            .arg("--pwfile")
            .arg(self.folder.join("password"))
            .args(["--username", SUPERUSER, "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", locale])
            // Its thousand files are written out soon enough; waiting for each takes seconds.
            .args(["--no-instructions", "--no-sync"])
            .current_dir(&part)
            // Should we end now, this keeps the folder locked until initdb has ended too.
            .stdin(lock)
            .output()
            .map_err(Error::io("run", &program))?;
        if !output.status.success() {
            let output = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(Error::Program { program: program.display().to_string(), output });
        }
        fs::rename(&part, self.data()).map_err(Error::io("rename", &part))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.lifetime == Lifetime::Ephemeral {
            // If even we cannot, the system's temporary folder has one more.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// Takes `owner.lock` and writes our number into it, for the message that another process gives.
fn lock_owner(folder: &Path) -> Result<File, Error> {
    let path = folder.join("owner.lock");
    let mut file = open_lock(&path)?;
    match file.try_lock() {
        Ok(()) => {
            let write = |file: &mut File| {
                file.set_len(0)?;
                file.rewind()?;
                write!(file, "process {}", std::process::id())
            };
            write(&mut file).map_err(Error::io("write", &path))?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let known = file.read_to_string(&mut holder).is_ok() && !holder.is_empty();
            Err(Error::Busy { folder: folder.to_owned(), holder: known.then_some(holder) })
        }
        Err(TryLockError::Error(error)) => Err(Error::io("lock", &path)(error)),
    }
}

/// Takes `server.lock`, waiting for the server of a process that has just ended.
fn lock_server(folder: &Path) -> Result<File, Error> {
    const PATIENCE: Duration = Duration::from_mins(1);
    let path = folder.join("server.lock");
    let file = open_lock(&path)?;
    let start = Instant::now();
    let mut said = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if start.elapsed() < PATIENCE => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Busy {
                    folder: folder.to_owned(),
                    holder: Some("a Postgres server that does not end".to_owned()),
                });
            }
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path)(error)),
        }
        if !said && start.elapsed() > Duration::from_secs(1) {
            said = true;
            say("waiting for the server of the last run to end ...");
        }
        sleep(Duration::from_millis(20));
    }
}

fn open_lock(path: &Path) -> Result<File, Error> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(Error::io("open", path))
}

/// The password in the folder's file, made at the first time.
fn password(folder: &Path, account: Account) -> Result<String, Error> {
    let path = folder.join("password");
    match fs::read_to_string(&path) {
        Ok(password) if !password.is_empty() => return Ok(password),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(Error::io("read", &path)(error)),
    }
    if folder.join("data").exists() {
        return Err(Error::Setting(format!("{} is missing: remove the folder to start afresh", path.display())));
    }
    let password = random()?;
    let write = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        // initdb reads it.
        account.own_file(&file)?;
        file.write_all(password.as_bytes())
    };
    write().map_err(Error::io("write", &path))?;
    Ok(password)
}

/// 128 bits from the system's source of randomness, as hexadecimal digits.
pub(crate) fn random() -> Result<String, Error> {
    let path = Path::new("/dev/urandom");
    let mut bytes = [0; 16];
    File::open(path).and_then(|mut file| file.read_exact(&mut bytes)).map_err(Error::io("read", path))?;
    Ok(hex(&bytes))
}
