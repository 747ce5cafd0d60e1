//! The folder of the project, and the places in it (or for it) where data are kept.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Once;

use sha2::{Digest as _, Sha256};

use crate::account::Account;
use crate::{Error, say};

/// The project's folder, the one with `Cargo.lock`; or the folder given in its place.
#[derive(Clone, Debug)]
pub struct Project {
    root: PathBuf,
    /// Where data that last are kept.
    data: PathBuf,
}

impl Project {
    /// Finds the folder from where cargo runs us (`CARGO_MANIFEST_DIR`) or, for a program run by itself, from the
    /// current folder, upwards.
    ///
    /// # Errors
    ///
    /// There is no `Cargo.lock` on the way up.
    pub fn locate() -> Result<Self, Error> {
        let start = match std::env::var_os("CARGO_MANIFEST_DIR") {
            Some(folder) => PathBuf::from(folder),
            None => std::env::current_dir()
                .map_err(|source| Error::Io { what: "tell the current folder".to_owned(), source })?,
        };
        Self::above(&start)
    }

    fn above(start: &Path) -> Result<Self, Error> {
        match start.ancestors().find(|folder| folder.join("Cargo.lock").is_file()) {
            Some(root) => Ok(Self { root: root.to_owned(), data: root.join(".data") }),
            None => Err(Error::Setting(format!(
                "there is no Cargo.lock in {} or above: run this in the project's folder, say with --data DIR where \
                 data are to be kept, or set DATABASE_URL",
                start.display()
            ))),
        }
    }

    /// Where this folder is given, no project is needed.
    #[must_use]
    pub fn keeping_data_in(data: PathBuf) -> Self {
        Self { root: data.clone(), data }
    }

    /// Where data that last are kept: `.data`, unless another folder was given.
    pub(crate) fn data(&self, account: Account) -> Result<PathBuf, Error> {
        self.place(account, &self.data, "data")
    }

    /// Where the tests keep their servers from run to run: `MICROLOANS_TEST_DATA`, or below cargo's target folder.
    pub(crate) fn test_data(&self, account: Account) -> Result<PathBuf, Error> {
        let folder = std::env::var_os("MICROLOANS_TEST_DATA").map_or_else(
            || {
                let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
                self.root.join(target).join("test-postgres")
            },
            PathBuf::from,
        );
        self.place(account, &folder, "test-postgres")
    }

    /// The folder, or a stand-in below the system's temporary folder where root's unprivileged user cannot enter it
    /// (as when the project lies in root's own home).
    fn place(&self, account: Account, folder: &Path, name: &str) -> Result<PathBuf, Error> {
        static SAID: Once = Once::new();
        fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        if account == Account::Same || account.can_enter(folder) {
            return Ok(folder.to_owned());
        }
        let hash = hex(&Sha256::digest(self.root.as_os_str().as_encoded_bytes())[..8]);
        let stand_in = temporary(account)?.join(format!("microloans-{hash}"));
        make_own(account, &stand_in)?;
        let stand_in = stand_in.join(name);
        make_own(account, &stand_in)?;
        SAID.call_once(|| {
            say(format_args!(
                "the user who runs Postgres for root cannot enter {}: using {} instead",
                folder.display(),
                stand_in.display()
            ));
        });
        Ok(stand_in)
    }
}

/// The first temporary folder that the account can enter.
pub(crate) fn temporary(account: Account) -> Result<PathBuf, Error> {
    [std::env::temp_dir(), "/tmp".into(), "/var/tmp".into()]
        .into_iter()
        .find(|folder| account.can_enter(folder))
        .ok_or_else(|| Error::Setting("the user who runs Postgres cannot enter any temporary folder".to_owned()))
}

/// Makes a folder that others may enter and only we, root, may change. One that is already there must be such a
/// folder: anyone may write into the system's temporary folder, and could have laid a trap under the name.
fn make_own(account: Account, folder: &Path) -> Result<(), Error> {
    account.create_folder(folder)?;
    let metadata = folder.symlink_metadata().map_err(Error::io("look at", folder))?;
    if metadata.is_dir() && metadata.uid() == 0 && metadata.mode() & 0o022 == 0 {
        return Ok(());
    }
    Err(Error::Setting(format!("{} is not a folder that belongs to root alone: remove it", folder.display())))
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |four_bits: u8| char::from_digit(four_bits.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_two_digits_each() {
        assert_eq!(hex(&[0x00, 0x0f, 0xa5, 0xff]), "000fa5ff");
    }

    #[test]
    fn the_project_is_the_folder_with_the_lock_file() {
        let project = Project::locate().unwrap();
        assert!(project.root.join("local/src/project.rs").is_file());
        assert_eq!(Project::above(&project.root.join("local/src")).unwrap().root, project.root);
        assert!(Project::above(Path::new("/")).unwrap_err().to_string().contains("project's folder"));
    }
}
