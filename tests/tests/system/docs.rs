//! The documents: their links lead somewhere, and their lines fit a page.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The longest line of a document, in characters.
const WIDTH: usize = 120;

/// Folders that hold no document of ours: what is installed, built or generated.
const OTHERS: [&str; 8] = [".git", ".data", "cache", "client", "node_modules", "results", "target", "uplot"];

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Every Markdown file of the project.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !OTHERS.contains(&name.as_str()) {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    assert!(found.len() > 10, "{found:?}");
    found
}

/// The lines of prose, each with its number: what is between fences is code.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let is_fence = line.trim_start().starts_with("```");
        fenced ^= is_fence;
        (!fenced && !is_fence).then_some((index + 1, line))
    })
}

/// The targets of a line's links.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
}

/// The anchors of a document's headings, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).map(|(_, line)| line).filter(|line| line.starts_with('#'));
    let headings = headings.map(|line| line.trim_start_matches('#').trim());
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    headings.map(|heading| heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let mut followed = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for (number, line) in prose(&text) {
            for target in targets(line).filter(|target| !target.contains("://") && !target.starts_with("mailto:")) {
                let at = format!("{}:{number}: {target}", document.display());
                let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
                let path = if path.is_empty() { document.clone() } else { document.parent().unwrap().join(path) };
                assert!(path.exists(), "{at} is not there");
                assert!(path.canonicalize().unwrap().starts_with(root()), "{at} is outside of the project");
                if !anchor.is_empty() {
                    let headings = anchors(&fs::read_to_string(&path).unwrap());
                    assert!(headings.contains(anchor), "{at}: there is no such heading");
                }
                followed += 1;
            }
        }
    }
    assert!(followed > 20, "{followed} links");
}

/// Folders whose files documents name. What the checks install is not among them.
const FOLDERS: [&str; 8] = [".ci/", ".github/", "docs/", "functions/", "local/", "migrations/", "shared/", "tests/"];

#[test]
fn every_file_that_a_document_names_is_there() {
    let mut named = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for (number, line) in prose(&text) {
            for name in line.split('`').skip(1).step_by(2) {
                let is_path = FOLDERS.iter().any(|folder| name.starts_with(folder));
                if !is_path
                    || name.starts_with(".ci/cache")
                    || name.contains(|c: char| c.is_whitespace() || "<*{$".contains(c))
                {
                    continue;
                }
                assert!(root().join(name).exists(), "{}:{number}: {name} is not there", document.display());
                named += 1;
            }
        }
    }
    assert!(named > 30, "{named} names");
}

/// A row of a table cannot be broken, and neither can an address.
#[test]
fn no_line_of_a_document_is_longer_than_the_page() {
    let mut long = Vec::new();
    for document in documents() {
        for (index, line) in fs::read_to_string(&document).unwrap().lines().enumerate() {
            let is_row = line.trim_start().starts_with('|');
            let is_address = line.split_whitespace().any(|word| word.contains("://") && word.chars().count() > 60);
            if !is_row && !is_address && line.chars().count() > WIDTH {
                long.push(format!("{}:{}", document.display(), index + 1));
            }
        }
    }
    assert!(long.is_empty(), "longer than {WIDTH} characters:\n{}", long.join("\n"));
}
