//! `cargo xtask`: every check of the project, alone or in the order of continuous integration.
//!
//! A check is a file of `checks`; what checks share is in `kit`. Without a name it lists them.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "what a check finds is printed")]

mod checks;
mod ci;
mod kit;
mod steps;

use std::{env, process::ExitCode};

use crate::{
    checks::{
        browser, build, calendars, clients, code, emulator, faults, fuzz, image, measure, openapi, pins, pooler,
        readme, sam_local, sbom, templates, workflows,
    },
    kit::{command::Outcome, signals, tools},
};

/// A check: its name, what it takes, what it proves in a line, and what it does with its arguments.
type Check = (&'static str, &'static str, &'static str, fn(&[String]) -> Outcome);

const CHECKS: [Check; 23] = [
    ("ci", "", "every check, in the order of continuous integration", ci::run),
    ("pooler", "[--test NAME...]", "the whole-system tests through PgBouncer in transaction mode", pooler::run),
    ("generated", "", "what the tests generate is checked in", code::generated),
    ("format", "", "the format", code::format),
    ("clippy", "", "Clippy's lints, pedantic ones too", code::clippy),
    ("fuzz", "[REQUESTS]", "requests at random get what openapi.json promises", fuzz::run),
    ("openapi", "", "Redocly and Spectral find nothing in openapi.json", openapi::run),
    ("clients", "", "generated clients in TypeScript and Python tell the story", clients::run),
    ("calendars", "", "calendars and due dates agree with PyPI's holidays", calendars::run),
    ("browser", "[ARGUMENTS]", "the pages in Chromium: figures, decisions, accessibility, policy", browser::run),
    ("readme", "", "the commands of the README work as they stand there", readme::run),
    ("licences", "[CHECK...]", "licences, banned crates, sources; as cargo-deny names them", code::licences),
    ("templates", "", "the CloudFormation templates, and a deployment into a simulation", templates::run),
    ("workflows", "", "GitHub workflows and shell scripts; all that they fetch is pinned", workflows::run),
    ("pins", "", "everything that is fetched is pinned by its hash", pins::run),
    ("build", "arm64|x86_64", "the release build of the functions, into .aws-sam/build", build::run),
    ("measure", "", "size, start and memory of the release build are within their budgets", measure::run),
    ("emulator", "", "the release build tells the story on the Lambda runtime emulator", emulator::run),
    ("faults", "[--long] [FAULT...]", "nothing acknowledged is lost while databases and functions fail", faults::run),
    ("sam-local", "", "the release build tells the story in SAM's containers", sam_local::run),
    ("image", "[built]", "docker compose serves the whole API", image::run),
    ("sbom", "", "a bill of materials of each function, into .ci/cache/sbom", sbom::run),
    ("tools", "", "installs what the checks need, below .ci/cache and from Debian", |_| tools::all()),
];

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let Some(name) = arguments.next().filter(|name| !["help", "-h", "--help"].contains(&name.as_str())) else {
        list();
        return ExitCode::SUCCESS;
    };
    let Some((.., check)) = CHECKS.iter().find(|(known, ..)| *known == name) else {
        eprintln!("there is no check {name}\n");
        list();
        return ExitCode::from(2);
    };
    let arguments: Vec<String> = arguments.collect();
    let done = signals::listen().map_err(Into::into).and_then(|()| check(&arguments));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn list() {
    println!("cargo xtask CHECK\n");
    for (name, arguments, line, _) in CHECKS {
        println!("  {:<28} {line}", format!("{name} {arguments}"));
    }
}
