//! Programs that this run starts, and that end with it, however it ends.

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tokio::time::sleep;

/// How long anything may take that has to come.
const PATIENCE: Duration = Duration::from_mins(1);

/// A program that is killed when this is dropped.
pub(crate) struct Running(Child);

impl Running {
    /// Starts it; what it says goes to this file.
    pub(crate) fn start(command: &mut Command, log: &Path) -> Self {
        let log = File::options().create(true).append(true).open(log).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        Self(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    /// Waits for its end.
    pub(crate) async fn end(&mut self) {
        until("a program ends", async || self.has_ended()).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A program that the system ends by this signal when this run has ended, were it killed.
pub(crate) fn command(program: &Path, last_signal: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", last_signal]).arg(program);
    command
}

/// Sends a signal to a process that this run started.
pub(crate) fn signal(pid: u32, name: &str) {
    run(Command::new("kill").args(["-s", name, &pid.to_string()]));
}

/// Which of these processes has the connection that goes out from this port of this machine.
pub(crate) fn owner_of_port(pids: &[u32], port: u16) -> u32 {
    // A line of the kernel's: number, local address and port, remote ones, state, ..., and tenth the inode.
    let connections = fs::read_to_string("/proc/net/tcp").unwrap();
    let lines = connections.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let of_it = lines.filter(|line| line[1].ends_with(&format!(":{port:04X}")));
    let sockets: Vec<String> = of_it.map(|line| format!("socket:[{}]", line[9])).collect();
    let has = |pid: &&u32| {
        let mut open = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
        open.any(|file| {
            let target = fs::read_link(file.unwrap().path()).unwrap_or_default();
            sockets.iter().any(|socket| target.as_os_str() == socket.as_str())
        })
    };
    *pids.iter().find(has).expect("one of the processes has the connection")
}

/// Runs a program that has to succeed. Everything else of this run waits for it.
pub(crate) fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !is_so().await {
        assert!(started.elapsed() < PATIENCE, "waited in vain until {what}");
        sleep(Duration::from_millis(5)).await;
    }
}
