//! The account that runs Postgres. Postgres refuses to run as root, so where we are root its programs run as an
//! unprivileged user, who must be able to reach its files; everywhere else they simply run as us.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Error;

/// Who runs Postgres.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Account {
    /// Ourselves: we are not root.
    Same,
    /// We are root, and this user does.
    Other {
        /// The user's number.
        uid: u32,
        /// The number of the user's first group.
        gid: u32,
    },
}

impl Account {
    /// Ourselves or, for root, the user `postgres` if there is one, else `nobody`.
    pub(crate) fn detect() -> Result<Self, Error> {
        if id(&["-u"])? != Some(0) {
            return Ok(Self::Same);
        }
        for user in ["postgres", "nobody"] {
            if let (Some(uid), Some(gid)) = (id(&["-u", user])?, id(&["-g", user])?) {
                return Ok(Self::Other { uid, gid });
            }
        }
        Err(Error::NoPostgres(
            "Postgres refuses to run as root, and there is neither a user `postgres` nor a user `nobody` to run it as"
                .to_owned(),
        ))
    }

    /// For root, the owner of data that are already there: another user may have made them before.
    pub(crate) fn for_data(self, data: &Path) -> Self {
        match (self, data.metadata()) {
            (Self::Other { .. }, Ok(metadata)) if metadata.uid() != 0 => {
                Self::Other { uid: metadata.uid(), gid: metadata.gid() }
            }
            _ => self,
        }
    }

    /// A command that runs as this account, outside our process group's Ctrl-C, free of the `PG...` variables with
    /// which the caller's shell may point Postgres programs elsewhere, and with messages in English.
    pub(crate) fn command(self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        if let Self::Other { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
        command.process_group(0);
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"PG") {
                command.env_remove(name);
            }
        }
        command.env("LC_ALL", "C").stdin(Stdio::null());
        command
    }

    /// Makes a folder that we alone may change and this account may enter, whatever our umask says. An existing folder
    /// stays unchanged.
    pub(crate) fn create_folder(self, folder: &Path) -> Result<(), Error> {
        let mode = match self {
            Self::Same => 0o700,
            Self::Other { .. } => 0o755,
        };
        match DirBuilder::new().mode(0o700).create(folder) {
            Ok(()) => {
                let permissions = fs::Permissions::from_mode(mode);
                fs::set_permissions(folder, permissions).map_err(Error::io("set the permissions of", folder))
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(Error::io("create", folder)(error)),
        }
    }

    /// Makes this account the owner of a folder.
    pub(crate) fn own(self, path: &Path) -> io::Result<()> {
        match self {
            Self::Same => Ok(()),
            Self::Other { uid, gid } => std::os::unix::fs::lchown(path, Some(uid), Some(gid)),
        }
    }

    /// Makes this account the owner of an open file.
    pub(crate) fn own_file(self, file: &File) -> io::Result<()> {
        match self {
            Self::Same => Ok(()),
            Self::Other { uid, gid } => std::os::unix::fs::fchown(file, Some(uid), Some(gid)),
        }
    }

    /// True if this account can enter the folder: asked of the system itself, which alone knows every rule (permissions
    /// of each folder above, access lists, mount options).
    pub(crate) fn can_enter(self, folder: &Path) -> bool {
        self.command("/bin/sh")
            .args(["-c", "cd -- \"$1\"", "sh"])
            .arg(folder)
            .current_dir("/")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}

/// The output of the system's `id` for these arguments; `None` if it does not know the user.
fn id(arguments: &[&str]) -> Result<Option<u32>, Error> {
    let output = Command::new("id")
        .args(arguments)
        .output()
        .map_err(|source| Error::Io { what: "run `id` to learn the user".to_owned(), source })?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse().ok())
}
