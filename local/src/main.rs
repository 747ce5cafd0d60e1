//! `cargo dev`: the whole API on one local port, with its own Postgres.

use std::io::{self, Write as _};
use std::process::ExitCode;

use local::options::{self, HELP, Options, Request};
use local::postgres::Postgres;
use local::{Error, Project, Signals, say, serve};

/// The exit code for a command line that is not understood.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let options = match options::parse(std::env::args_os().skip(1)) {
        Ok(Request::Serve(options)) => options,
        Ok(Request::Help) => {
            // A reader that has gone needs no help.
            let _ = io::stdout().write_all(HELP.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            say(format_args!("error: {error}\n`cargo dev --help` lists the options"));
            return ExitCode::from(USAGE);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
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
async fn run(options: &Options) -> Result<(), Error> {
    let mut signals = Signals::listen()?;
    let project = Project::locate()?;
    serve::check_port(options.port)?;
    let postgres = tokio::select! {
        opened = Postgres::open(&project, options.lifetime) => opened?,
        () = signals.received() => {
            // What has been started ends with us.
            say("stopping ...");
            return Ok(());
        }
    };
    let served = serve::serve(&postgres, options, signals.received()).await;
    say("stopping ...");
    postgres.stop().await.and(served)
}
