//! `cargo dev`: the whole API on one local port, with its own Postgres.

use std::process::ExitCode;

fn main() -> ExitCode {
    local::run(std::env::args_os().skip(1))
}
