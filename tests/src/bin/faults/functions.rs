//! The functions as Lambda runs them: processes attached to cargo-lambda's emulator of the runtime, each with one
//! request at a time; what ends is started again.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::body::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::Value;
use tokio::{
    net::TcpStream,
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::{
    lender,
    processes::{Running, command, signal, until},
};

/// How many processes there are of each function: as many as clients may ask at once, since nobody waits on Lambda for
/// another request's environment.
const PROCESSES: [(&str, usize); 4] = [("auth", 2), ("users", 1), ("loans", 3), ("servicing", 6)];

/// The emulator and all processes. They end with this, and with us.
pub(crate) struct Functions {
    port: u16,
    folder: PathBuf,
    work: PathBuf,
    /// The library by which a process gets a clock of its own.
    faketime: PathBuf,
    owner_url: String,
    processes: Vec<Process>,
    _emulator: Running,
}

/// One process, or the next one in its place.
struct Process {
    name: &'static str,
    pid: Arc<AtomicU32>,
    supervisor: JoinHandle<()>,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.supervisor.abort();
    }
}

/// How far each process's clock is from this machine's, by its function and its number; as libfaketime writes it.
pub(crate) type Clocks = &'static [(&'static str, usize, &'static str)];

impl Functions {
    /// Starts the emulator, and migrates the database by its function.
    pub(crate) async fn new(folder: PathBuf, work: PathBuf, faketime: PathBuf, owner_url: String, url: &str) -> Self {
        let port = local::free_port().unwrap();
        let mut emulator = command(Path::new("cargo-lambda"), "KILL");
        emulator.args(["lambda", "watch", "--only-lambda-apis", "--ignore-changes", "--disable-cors"]);
        emulator.args(["--invoke-address", "127.0.0.1", "--invoke-port", &port.to_string()]);
        // The routes are in the workspace's manifest.
        emulator.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
        let emulator = Running::start(&mut emulator, &work.join("emulator.log"));
        until("the emulator listens", async || TcpStream::connect(("127.0.0.1", port)).await.is_ok()).await;
        let mut functions =
            Self { port, folder, work, faketime, owner_url, processes: Vec::new(), _emulator: emulator };
        functions.attach("migrate", 0, url, None);
        functions.invoke("migrate", "{}").await;
        functions.start(url, &[]).await;
        functions
    }

    /// Where the API is.
    pub(crate) fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Ends all processes, and starts them with the database at this address.
    pub(crate) async fn start(&mut self, url: &str, clocks: Clocks) {
        self.processes.clear();
        for (name, count) in PROCESSES.into_iter().chain([("stats", 1)]) {
            for number in 0..count {
                let clock = clocks.iter().find(|clock| (clock.0, clock.1) == (name, number)).map(|clock| clock.2);
                self.attach(name, number, url, clock);
            }
        }
        // Of each function one process answers.
        for path in ["/api/auth/me", "/api/users", "/api/loans", "/api/repayments/batch"] {
            until("the functions answer", async || {
                let answer =
                    timeout(Duration::from_secs(2), tests::Client::http(&self.base_url()).anyone().get(path).send());
                answer.await.is_ok()
            })
            .await;
        }
    }

    fn attach(&mut self, name: &'static str, number: usize, url: &str, clock: Option<&str>) {
        let deployed = self.folder.join(format!("{}{}Function/bootstrap", name[..1].to_uppercase(), &name[1..]));
        let program = if deployed.exists() { deployed } else { self.folder.join(name) };
        let log = self.work.join(format!("{name}-{number}.log"));
        let mut command: Command = command(&program, "KILL");
        command
            .env("AWS_LAMBDA_RUNTIME_API", format!("http://127.0.0.1:{}/.rt/{name}", self.port))
            .env("AWS_LAMBDA_FUNCTION_NAME", name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("DATABASE_URL", url)
            .env("OWNER_DATABASE_URL", &self.owner_url)
            .env("ADMIN", lender::ADMIN)
            .env("SIGNING_KEYS", format!(r#"{{"current": "one", "keys": {{"one": "{}"}}}}"#, tests::SIGNING_KEY))
            .env("BUSINESS_TIME_ZONE", "UTC")
            // The load applies for one borrower all the time.
            .env("MAX_PENDING", "1000000")
            .env("LOG_LEVEL", "INFO");
        if let Some(clock) = clock {
            // Its waits are as long as ever.
            command.env("LD_PRELOAD", &self.faketime).env("FAKETIME", clock).env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
        let pid = Arc::new(AtomicU32::new(0));
        let current = Arc::clone(&pid);
        // Dropped, it takes its process with it.
        let supervisor = tokio::spawn(async move {
            loop {
                let mut process = Running::start(&mut command, &log);
                current.store(process.pid(), Ordering::Relaxed);
                while !process.has_ended() {
                    sleep(Duration::from_millis(20)).await;
                }
            }
        });
        self.processes.push(Process { name, pid, supervisor });
    }

    /// The processes of a function, at this moment.
    pub(crate) fn pids(&self, name: &str) -> Vec<u32> {
        let of_it = self.processes.iter().filter(|process| process.name == name);
        of_it.map(|process| process.pid.load(Ordering::Relaxed)).collect()
    }

    /// Kills every process of a function. Others take their places.
    pub(crate) fn kill(&self, name: &str) {
        for pid in self.pids(name) {
            signal(pid, "KILL");
        }
    }

    /// A function's answer to an event, as JSON; it has to answer.
    pub(crate) async fn invoke(&self, name: &str, event: &'static str) -> Value {
        let url = format!("{}/2015-03-31/functions/{name}/invocations", self.base_url());
        let request = axum::http::Request::post(url).body(Full::<Bytes>::from(event)).unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let answer = timeout(Duration::from_mins(1), client.request(request)).await;
        let (parts, body) = answer.expect("the function answers").unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&body);
        assert!(parts.status.is_success(), "{name}: {} {text}", parts.status);
        serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{name}: {error}: {text}"))
    }
}
