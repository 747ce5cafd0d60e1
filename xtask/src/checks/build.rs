//! The functions as they are deployed.

use std::fs;

use crate::kit::{
    command::{Outcome, Run as _, cargo, tool},
    folders::built,
    lambda::{OTHERS, http_functions},
    tools,
};

/// Builds the stack for `arm64` or `x86_64` into `.aws-sam/build`, and says how large the functions are.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let architecture = arguments.first().map(String::as_str);
    let target = match architecture {
        Some("arm64") => "--arm64",
        Some("x86_64") => "--x86-64",
        _ => return Err("for which architecture, arm64 or x86_64?".into()),
    };
    tools::python("venv")?;
    // `sam build` builds one function after the other, each for the most part in one linker. Built here first, all that
    // have the same features in their dependencies are linked on all cores at once, and `sam build` finds them done.
    // `migrate` has more features, which the others shall not get: it is left to `sam build`.
    let mut build = cargo("lambda");
    build.args(["build", "--locked", "--release", target]);
    for name in http_functions()?.iter().map(String::as_str).chain(OTHERS).filter(|name| *name != "migrate") {
        build.args(["--package", name]);
    }
    build.run()?;
    let parameter = format!("Architecture={}", architecture.unwrap_or_default());
    tool("sam").args(["build", "--parameter-overrides", &parameter]).run()?;
    let mut sizes = Vec::new();
    for entry in fs::read_dir(built())? {
        let bootstrap = entry?.path().join("bootstrap");
        if let Ok(file) = fs::metadata(&bootstrap) {
            sizes.push(format!("{:>10} {}", file.len(), bootstrap.display()));
        }
    }
    sizes.sort();
    println!("{}", sizes.join("\n"));
    Ok(())
}
