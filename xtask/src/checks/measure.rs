//! Size, start and memory of the release builds beside an empty `lambda_http` function.
//!
//! Start is the time from the process's creation to its first request for work, at a runtime interface that this plays;
//! the median of twenty, the functions taking turns, so that a noisy machine disturbs all alike. One start follows the
//! other without a pause: after half a second of sleep the first touch of each page costs a virtual machine several
//! times as much, and the machine would be measured rather than the programs. For the same reason each program is a
//! copy written right before: one that was built half an hour ago lies in the page cache in smaller pieces, and takes
//! up to twice as long. Memory is the resident size half a second after a start of its own. Fails when a budget is
//! exceeded in three measurements.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, Read as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use crate::kit::{
    command::{Outcome, Process, Run as _, cargo, command},
    folders::{built, root},
    lambda::environment,
    scratch::with_folder,
    tools,
};

const ROUNDS: usize = 20;
const ATTEMPTS: usize = 3;

/// As an archive of Lambda's holds it.
const ZIPPED_MAX: u64 = 7_000_000;
const RESIDENT_MAX: u64 = 25_000_000;
/// In hundredths of the empty function's start.
const START_MAX: u128 = 200;

/// A function, and what is known of it.
struct Measured {
    name: String,
    program: PathBuf,
    bytes: u64,
    zipped: u64,
}

/// Measures what is built.
pub(crate) fn run(_: &[String]) -> Outcome {
    tools::python("venv")?;
    // As the functions are built, so that compiler and flags are the same.
    cargo("lambda").args(["build", "--quiet", "--locked", "--release", "--x86-64", "--package", "empty"]).run()?;
    let interface = Interface::open()?;
    hold(|| {
        with_folder(|work| {
            let functions = copies(work)?;
            if functions.len() == 1 {
                return Err("nothing is built: `cargo xtask build x86_64` does".into());
            }
            measure(&functions, &interface)
        })
    })
}

/// Copies of the empty function and of those that are built, in this order.
fn copies(work: &Path) -> Outcome<Vec<Measured>> {
    let mut functions = vec![Measured::new("empty", &root().join("target/lambda/empty/bootstrap"), work)?];
    let mut folders: Vec<_> = fs::read_dir(built()).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    folders.sort();
    for folder in folders.iter().filter(|folder| folder.join("bootstrap").exists()) {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().replace("Function", "").to_lowercase();
        functions.push(Measured::new(&name, &folder.join("bootstrap"), work)?);
    }
    Ok(functions)
}

/// Those that exceed a budget, and by what.
type Exceeded = BTreeMap<String, String>;

/// Holds functions to the budgets. A machine that does something else for a second makes any program look slow: over
/// budget means every time.
fn hold(measure: impl Fn() -> Outcome<Exceeded>) -> Outcome {
    let mut over = measure()?;
    for _ in 1..ATTEMPTS {
        if over.is_empty() {
            break;
        }
        let exceeded = measure()?;
        over.retain(|name, figures| {
            exceeded.get(name).is_some_and(|now| {
                figures.push_str("; ");
                figures.push_str(now);
                true
            })
        });
    }
    if over.is_empty() {
        return Ok(());
    }
    let over: Vec<_> = over.iter().map(|(name, figures)| format!("{name} ({figures})")).collect();
    Err(format!("over budget: {}", over.join(", ")).into())
}

impl Measured {
    fn new(name: &str, built: &Path, work: &Path) -> Outcome<Self> {
        let program = work.join(name);
        let bytes = fs::copy(built, &program)?;
        let zipped = zipped(&program)?;
        Ok(Self { name: name.to_owned(), program, bytes, zipped })
    }
}

/// How long a file is once deflated, which is what an archive does to it.
fn zipped(program: &Path) -> Outcome<u64> {
    let mut gzip = command("gzip").args(["--stdout", "-6"]).arg(program).stdout(Stdio::piped()).spawn()?;
    let mut output = gzip.stdout.take().ok_or("no output")?;
    let mut bytes = Vec::new();
    output.read_to_end(&mut bytes)?;
    if gzip.wait()?.success() { Ok(bytes.len().try_into()?) } else { Err("gzip failed".into()) }
}

/// Starts each in turn and prints what came of it. Gives those that exceed a budget.
fn measure(functions: &[Measured], interface: &Interface) -> Outcome<Exceeded> {
    let mut resident = Vec::new();
    // First, as it also reads the programs from the disk.
    for function in functions {
        resident.push(interface.resident(&function.program)?);
    }
    let mut starts = vec![Vec::new(); functions.len()];
    for round in 0..=ROUNDS {
        for (at, function) in functions.iter().enumerate() {
            let (took, _process) = interface.start(&function.program)?;
            // The first round wakes the processor.
            if round > 0 {
                starts[at].push(took);
            }
        }
    }
    let medians: Vec<u128> = starts.into_iter().map(|times| median(times).as_micros()).collect();
    let mut exceeded = Exceeded::new();
    println!(
        "{:<10} {:>10} {:>10} {:>9} {:>6} {:>12}",
        "function", "bytes", "zipped", "start ms", "ratio", "resident MB"
    );
    for (at, function) in functions.iter().enumerate() {
        let ratio = medians[at] * 100 / medians[0].max(1);
        let (start, times, memory) =
            (hundredths(medians[at] / 10), hundredths(ratio), hundredths(u128::from(resident[at]) / 10_000));
        let Measured { name, bytes, zipped, .. } = function;
        println!("{name:<10} {bytes:>10} {zipped:>10} {start:>9} {times:>6} {memory:>12}");
        if *zipped > ZIPPED_MAX || resident[at] > RESIDENT_MAX || ratio > START_MAX {
            exceeded.insert(name.clone(), format!("{zipped} bytes zipped, {times} times the start, {memory} MB"));
        }
    }
    Ok(exceeded)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    let middle = times.len() / 2;
    (times[middle] + times[middle - 1]) / 2
}

fn hundredths(number: u128) -> String {
    format!("{}.{:02}", number / 100, number % 100)
}

/// A runtime interface that notes when the first request for work comes, and never has any.
struct Interface {
    address: String,
    polled: Receiver<Instant>,
}

impl Interface {
    fn open() -> Outcome<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?.to_string();
        let (sender, polled) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sender = sender.clone();
                thread::spawn(move || keep_waiting(&stream, &sender));
            }
        });
        Ok(Self { address, polled })
    }

    /// The time from creation to the first request for work, and the process, which ends when dropped.
    fn start(&self, program: &Path) -> Outcome<(Duration, Process)> {
        let nowhere = "postgres://nobody:nothing@127.0.0.1:9/nowhere?sslmode=disable";
        let keys = r#"{"current": "one", "keys": {"one": "bWVhc3VyZWQgd2l0aCBhIGtleSB0aGF0IGlzIG5vIHNlY3JldA"}}"#;
        let mut function = Command::new(program);
        // Nothing else: what the rest of this environment says is no part of what is measured.
        function.env_clear().envs(environment(&self.address, "measured"));
        function.envs([("DATABASE_URL", nowhere), ("OWNER_DATABASE_URL", nowhere)]);
        function.envs([("SIGNING_KEYS", keys), ("LOG_LEVEL", "error")]);
        function.stdout(Stdio::null()).stderr(Stdio::null());
        while self.polled.try_recv().is_ok() {}
        let began = Instant::now();
        let process = function.start()?;
        let polled = self.polled.recv_timeout(Duration::from_secs(10));
        let took = polled.map_err(|_| format!("{} asked for no work", program.display()))? - began;
        Ok((took, process))
    }

    /// The bytes that are resident half a second after the first request for work.
    fn resident(&self, program: &Path) -> Outcome<u64> {
        let (_, process) = self.start(program)?;
        thread::sleep(Duration::from_millis(500));
        let status = fs::read_to_string(format!("/proc/{}/status", process.id()))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no size in memory")?;
        let kilobytes: u64 = resident.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes * 1024)
    }
}

/// Reads a request, says when it was there, and lets it wait.
fn keep_waiting(stream: &TcpStream, polled: &Sender<Instant>) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let is_get = lines.next().is_some_and(|line| line.starts_with("GET "));
    if is_get && lines.any(|line| line.is_empty()) {
        let _over = polled.send(Instant::now());
        thread::sleep(Duration::from_secs(5));
    }
}
