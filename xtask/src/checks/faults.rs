//! Faults under load, from outside: functions at the emulator of cargo-lambda, with a Postgres that crashes, fails
//! over, is full, slow or taken, processes that are frozen and killed, and clocks that are wrong. Everything
//! acknowledged has to be in the database once. The program is `tests/src/bin/faults`; this gives it what it needs.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::kit::{
    command::{Outcome, Run as _, cargo, command, tool},
    folders::{built, debug},
    postgres,
    scratch::with_folder,
    tools,
};

/// `[--functions FOLDER] [--long] [FAULT...]`. The folder is by default that of the release builds; `target/debug` will
/// do after `cargo build`.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let (functions, others) = match arguments {
        [option, folder, others @ ..] if option == "--functions" => (fs::canonicalize(folder)?, others),
        others => (built(), others),
    };
    tools::python("venv")?;
    tools::postgres()?;
    if faketime().is_err() {
        tools::install("libfaketime")?;
    }
    let faketime = faketime()?;
    // With the features that the tests have, so that what those have compiled serves here too.
    cargo("test").args(["--locked", "--quiet", "--no-run", "--test", "story"]).run()?;
    with_folder(|work| {
        // A disk that can be full without being anybody else's has to be mounted; Postgres is not run as root.
        let disk = Disk::mount(work.join("disk"))?;
        let mut faults = tool(debug("faults"));
        faults.arg("--functions").arg(&functions).arg("--postgres").arg(postgres::binaries()?);
        faults.arg("--disk").arg(&disk.0).arg("--work").arg(work).arg("--faketime").arg(&faketime);
        faults.args(others).run()
    })
}

fn faketime() -> Outcome<PathBuf> {
    let files = command("dpkg").args(["--listfiles", "libfaketime"]).stderr(std::process::Stdio::null()).read()?;
    let library = files.lines().find(|file| file.ends_with("/libfaketime.so.1"));
    Ok(Path::new(library.ok_or("the package has no library")?).to_owned())
}

/// A small disk in memory.
struct Disk(PathBuf);

impl Disk {
    fn mount(folder: PathBuf) -> Outcome<Self> {
        fs::create_dir(&folder)?;
        let options = ["-t", "tmpfs", "-o", "size=1g,mode=1777", "microloans-faults"];
        tools::as_root("mount")?.args(options).arg(&folder).run()?;
        Ok(Self(folder))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _best_effort = tools::as_root("umount").and_then(|mut umount| umount.arg(&self.0).run());
    }
}
