//! Postgres server binaries on this machine: where they may be, which version they are, which are the newest.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::account::Account;

/// The oldest major version that the schema works with.
pub(crate) const OLDEST: u32 = 15;

/// A version of Postgres, such as 18.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    /// The part that data folders depend on.
    pub(crate) major: u32,
    /// The part that brings corrections; 0 for a development version.
    pub(crate) minor: u32,
}

impl Version {
    /// Reads what `postgres --version` prints: `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, or `18beta1`
    /// in the number's place.
    fn parse(text: &str) -> Option<Self> {
        let number = text.strip_prefix("postgres (PostgreSQL) ")?.split_whitespace().next()?;
        let (major, rest) = number.split_at(number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len()));
        let minor = rest.strip_prefix('.').map_or(Some(0), |minor| minor.parse().ok())?;
        Some(Self { major: major.parse().ok()?, minor })
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// A folder with the programs of one Postgres server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binaries {
    /// The folder.
    folder: PathBuf,
    /// The version of the programs in it.
    pub(crate) version: Version,
}

impl Binaries {
    /// The programs in a folder, if `account` can run them.
    pub(crate) fn at(folder: &Path, account: Account) -> Result<Self, Error> {
        let program = folder.join("postgres");
        let output =
            account.command(&program).arg("--version").current_dir("/").output().map_err(Error::io("run", &program))?;
        let text = String::from_utf8_lossy(&output.stdout);
        match Version::parse(&text) {
            Some(version) => Ok(Self { folder: folder.to_owned(), version }),
            None => Err(Error::Program {
                program: format!("{} --version", program.display()),
                output: format!("{text}{}", String::from_utf8_lossy(&output.stderr)),
            }),
        }
    }

    /// The newest on this machine that is new enough, if there is one.
    pub(crate) fn installed(account: Account) -> Option<Self> {
        let path = std::env::var_os("PATH");
        newest(candidates(path.as_deref(), PLACES).iter().filter_map(|folder| Self::at(folder, account).ok()))
    }

    /// The path of one of the programs.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// A place with a folder for each version: any folder of `parent` whose name begins with `prefix` and that has a
/// folder `bin`.
struct Place {
    parent: &'static str,
    prefix: &'static str,
}

/// Where packages put server binaries without putting them on PATH.
const PLACES: &[Place] = &[
    // Debian, Ubuntu and the PostgreSQL apt repository.
    Place { parent: "/usr/lib/postgresql", prefix: "" },
    // The PostgreSQL yum repository.
    Place { parent: "/usr", prefix: "pgsql-" },
    // Homebrew on Apple silicon, on Intel, on Linux.
    Place { parent: "/opt/homebrew/opt", prefix: "postgresql" },
    Place { parent: "/usr/local/opt", prefix: "postgresql" },
    Place { parent: "/home/linuxbrew/.linuxbrew/opt", prefix: "postgresql" },
    Place { parent: "/Applications/Postgres.app/Contents/Versions", prefix: "" },
];

/// The folders of `path` and `places` that hold a server's programs, each folder once (links resolved).
fn candidates(path: Option<&OsStr>, places: &[Place]) -> Vec<PathBuf> {
    let on_path = path.map(|path| std::env::split_paths(path).collect::<Vec<_>>()).unwrap_or_default();
    let in_places = places.iter().flat_map(|place| {
        let folders = fs::read_dir(place.parent).into_iter().flatten().flatten();
        folders
            .filter(|folder| folder.file_name().as_encoded_bytes().starts_with(place.prefix.as_bytes()))
            .map(|folder| folder.path().join("bin"))
    });
    let mut found: Vec<PathBuf> = Vec::new();
    for folder in on_path.into_iter().chain(in_places) {
        // A folder with a client alone has neither.
        if !folder.join("postgres").is_file() || !folder.join("initdb").is_file() {
            continue;
        }
        if let Ok(folder) = folder.canonicalize()
            && !found.contains(&folder)
        {
            found.push(folder);
        }
    }
    found
}

/// The newest that is new enough; of equals the first.
fn newest(all: impl Iterator<Item = Binaries>) -> Option<Binaries> {
    all.filter(|binaries| binaries.version.major >= OLDEST)
        .reduce(|best, next| if next.version > best.version { next } else { best })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn versions_are_read_as_the_server_prints_them() {
        for (text, expected) in [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Some((15, 18))),
            ("postgres (PostgreSQL) 18.6\n", Some((18, 6))),
            ("postgres (PostgreSQL) 19beta1\n", Some((19, 0))),
            ("postgres (PostgreSQL) 20devel\n", Some((20, 0))),
            ("postgres (PostgreSQL) \n", None),
            ("psql (PostgreSQL) 15.18\n", None),
            ("", None),
        ] {
            let expected = expected.map(|(major, minor)| Version { major, minor });
            assert_eq!(Version::parse(text), expected, "{text:?}");
        }
    }

    fn binaries(folder: &str, major: u32, minor: u32) -> Binaries {
        Binaries { folder: folder.into(), version: Version { major, minor } }
    }

    #[test]
    fn the_newest_wins_and_of_equals_the_first() {
        let all = [binaries("a", 16, 9), binaries("b", 18, 2), binaries("c", 18, 11), binaries("d", 18, 11)];
        assert_eq!(newest(all.into_iter()), Some(binaries("c", 18, 11)));
    }

    #[test]
    fn what_is_older_than_15_does_not_count() {
        assert_eq!(newest([binaries("a", 14, 20)].into_iter()), None);
        let all = [binaries("a", 14, 20), binaries("b", 15, 0)];
        assert_eq!(newest(all.into_iter()), Some(binaries("b", 15, 0)));
    }

    #[test]
    fn only_folders_with_a_server_are_candidates_and_links_count_once() {
        let root = std::env::temp_dir().join(format!("microloans-candidates-{}", std::process::id()));
        let make = |folder: &str, programs: &[&str]| {
            let folder = root.join(folder);
            fs::create_dir_all(&folder).unwrap();
            for program in programs {
                let file = folder.join(program);
                fs::write(&file, "#!/bin/sh\necho 'postgres (PostgreSQL) 17.4'\n").unwrap();
                fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
            }
            folder.canonicalize().unwrap()
        };
        let server = make("server", &["postgres", "initdb"]);
        let client = make("client", &["psql"]);
        let versioned = make("opt/postgresql@17/bin", &["postgres", "initdb"]);
        let other = make("opt/mysql/bin", &["postgres", "initdb"]);
        symlink(&server, root.join("link")).unwrap();

        let path = std::env::join_paths([&client, &server, &root.join("link"), &root.join("none")]).unwrap();
        let parent = root.join("opt").to_str().unwrap().to_owned().leak();
        let found = candidates(Some(&path), &[Place { parent, prefix: "postgresql" }]);
        let version = Binaries::at(&versioned, Account::Same).map(|binaries| binaries.version);
        fs::remove_dir_all(&root).unwrap();

        assert_eq!(found, [server, versioned]);
        assert!(!found.contains(&other));
        assert_eq!(version.unwrap(), Version { major: 17, minor: 4 });
    }
}
