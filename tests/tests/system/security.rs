//! The tests that the security document names exist.

use std::{collections::BTreeSet, fs, path::Path};

/// The names of all functions in the Rust files below a folder.
fn functions(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            functions(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let found = text.lines().filter_map(|line| line.trim().trim_start_matches("async ").strip_prefix("fn "));
            names.extend(found.filter_map(|rest| rest.split_once(['(', '<'])).map(|(name, _)| name.to_owned()));
        }
    }
}

#[test]
fn every_test_that_the_security_document_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut there = BTreeSet::new();
    for folder in ["tests/tests", "tests/src/bin/faults", "shared", "functions", "local"] {
        functions(&root.join(folder), &mut there);
    }
    let document = fs::read_to_string(root.join("docs/security.md")).unwrap();
    let rows: Vec<Vec<&str>> = document
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| ---") && !line.starts_with("| threat"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert!(rows.len() > 10);
    for row in rows {
        let [threat, _, tests] = row[..] else { panic!("{row:?}") };
        let named: Vec<&str> = tests.split(' ').map(|name| name.trim_matches('`')).collect();
        assert!(!named.is_empty(), "{threat}");
        for name in named {
            assert!(there.contains(name), "{threat}: there is no test {name}");
        }
    }
}
