//! Files stay under 400 lines and functions under 70, so that each is read at one go.
//!
//! Tests, benchmarks and tables of data may be longer. Functions are found by the form that rustfmt gives them.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::{
    fs,
    path::{Path, PathBuf},
};

const LONGEST_FILE: usize = 400;
const LONGEST_FUNCTION: usize = 70;

/// The folders of the workspace with code, each crate's in its `src`.
const FOLDERS: [&str; 5] = ["shared", "functions", "local", "tests", "xtask"];

/// A longer file: a table of data.
const LONGER: [&str; 1] = ["shared/backend/src/http/codes.rs"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The Rust files below a folder that are in a `src`, by their paths from the root.
fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let place = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !["target", "node_modules"].iter().any(|other| path.ends_with(other)) {
                sources(&path, found);
            }
        } else if place.contains("/src/") && path.extension().is_some_and(|extension| extension == "rs") {
            found.push((place, fs::read_to_string(&path).unwrap()));
        }
    }
}

fn all_sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in FOLDERS {
        sources(&root().join(folder), &mut found);
    }
    assert!(found.len() > 100, "{} files", found.len());
    found
}

/// The name and the number of lines of each function in a text.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (first, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let Some(name) = name_of_function(code) else { continue };
        let end = format!("{}}}", &line[..line.len() - code.len()]);
        let is_of_one_line = code.ends_with('}') || code.ends_with(';');
        let length = lines[first..].iter().position(|line| *line == end).map_or(1, |rest| rest + 1);
        found.push((name.to_owned(), if is_of_one_line { 1 } else { length }));
    }
    found
}

/// The function's name, if a line of code begins one.
fn name_of_function(code: &str) -> Option<&str> {
    const BEFORE: [&str; 6] = ["pub", "pub(crate)", "pub(super)", "const", "async", "default"];
    let (before, rest) = code.strip_prefix("fn ").map_or_else(|| code.split_once(" fn "), |rest| Some(("", rest)))?;
    let is_before = |word: &str| word.is_empty() || word.starts_with("pub(in") || BEFORE.contains(&word);
    let is_function = before.split(' ').all(|word| is_before(word) || word.starts_with("crate::"));
    is_function.then(|| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next())?
}

#[test]
fn files_stay_short() {
    let mut long = Vec::new();
    for (place, text) in all_sources() {
        let lines = text.lines().count();
        if lines > LONGEST_FILE && !LONGER.contains(&place.as_str()) {
            long.push(format!("{place}: {lines} lines"));
        }
    }
    assert!(long.is_empty(), "split by job:\n{}", long.join("\n"));
}

#[test]
fn functions_stay_short() {
    let mut long = Vec::new();
    let mut count = 0;
    for (place, text) in all_sources() {
        for (name, lines) in functions(&text) {
            count += 1;
            if lines > LONGEST_FUNCTION {
                long.push(format!("{place}: {name}, {lines} lines"));
            }
        }
    }
    assert!(count > 1000, "{count} functions");
    assert!(long.is_empty(), "split by step:\n{}", long.join("\n"));
}

#[test]
fn a_function_is_measured_from_its_name_to_its_end() {
    let text = "impl A {\n    pub(in crate::b) const fn one() {\n        if c {\n        }\n    }\n\n    fn two();\n}\n\
        \nasync fn three(\n) {\n}\n// fn four() {\n";
    let expected = [("one", 4), ("two", 1), ("three", 3)].map(|(name, lines)| (name.to_owned(), lines));
    assert_eq!(functions(text), expected);
}
