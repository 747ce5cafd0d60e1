//! The code as it is written: generated files, format, lints, licences.

use crate::kit::{
    command::{Outcome, Run as _, cargo, command},
    tools,
};

/// What the tests generate is what is checked in. To be run after them.
pub(crate) fn generated(_: &[String]) -> Outcome {
    command("git").args(["diff", "--exit-code", "--", "Cargo.lock", "openapi.json"]).run()
}

/// The format.
pub(crate) fn format(_: &[String]) -> Outcome {
    cargo("fmt").args(["--all", "--check"]).run()
}

/// Clippy's lints, on everything.
pub(crate) fn clippy(_: &[String]) -> Outcome {
    cargo("clippy").args(["--locked", "--all-targets", "--", "--deny", "warnings"]).run()
}

/// What `deny.toml` says of licences, banned crates and sources; with names of cargo-deny's checks, those.
pub(crate) fn licences(checks: &[String]) -> Outcome {
    tools::python("venv")?;
    let mut deny = cargo("deny");
    deny.args(["--all-features", "check"]);
    if checks.is_empty() { deny.args(["licenses", "bans", "sources"]).run() } else { deny.args(checks).run() }
}
