//! The work of `cargo dev`.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::options::{self, HELP, Options, Request};
use crate::postgres::Postgres;
use crate::{Error, Signals, say, serve};
use stats::Difference;

/// The exit code for a command line that is not understood.
const USAGE: u8 = 2;

/// Does the work that the arguments behind the program's name ask for.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let outcome = match options::parse(arguments) {
        Ok(Request::Serve(options)) => serve(&options),
        Ok(Request::Check(options)) => check(&options),
        Ok(Request::Help) => {
            // A reader that has gone needs no help.
            let _ = io::stdout().write_all(HELP.as_bytes());
            return ExitCode::SUCCESS;
        }
        Ok(Request::Version) => {
            let _ = writeln!(io::stdout(), "microloans {}", env!("CARGO_PKG_VERSION"));
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            say(format_args!("error: {error}\n`cargo dev --help` lists the options"));
            return ExitCode::from(USAGE);
        }
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            say(format_args!("error: {error}"));
            match error {
                Error::Busy { .. } => {
                    say("stop that one first, or add --ephemeral (and another --port) to run beside it");
                }
                Error::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                    say("it may be another user's, from a run as root: remove it as that user, or add --ephemeral");
                }
                _ => {}
            }
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn serve(options: &Options) -> Result<ExitCode, Error> {
    serve::check_address(options)?;
    let serve = async |postgres: &Postgres, signals: &mut Signals| {
        serve::serve(postgres, options, signals.received()).await.map(|()| ExitCode::SUCCESS)
    };
    with_postgres(options, serve).await
}

#[tokio::main]
async fn check(options: &Options) -> Result<ExitCode, Error> {
    let check = async |postgres: &Postgres, signals: &mut Signals| {
        tokio::select! {
            differences = serve::check(postgres, options) => {
                let differences = differences?;
                say(format_args!("{} differences", differences.len()));
                let mut output = io::stdout();
                for Difference { of, kept, follows } in &differences {
                    // A reader that has gone has read enough.
                    let _ = writeln!(output, "{of}: {kept}, not {follows}");
                }
                Ok(if differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
            }
            () = signals.received() => Ok(ExitCode::FAILURE),
        }
    };
    with_postgres(options, check).await
}

/// Does something with a Postgres, and stops it if it is ours.
async fn with_postgres(
    options: &Options,
    work: impl AsyncFnOnce(&Postgres, &mut Signals) -> Result<ExitCode, Error>,
) -> Result<ExitCode, Error> {
    let mut signals = Signals::listen()?;
    let postgres = tokio::select! {
        opened = Postgres::open(options.data.clone(), options.lifetime) => opened?,
        () = signals.received() => {
            // Every process that we started ends with us.
            say("stopping ...");
            return Ok(ExitCode::SUCCESS);
        }
    };
    let outcome = work(&postgres, &mut signals).await;
    say("stopping ...");
    postgres.stop().await.and(outcome)
}
