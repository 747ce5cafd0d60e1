//! Plain English, as far as it can be counted: forbidden phrases, openings of doc comments, the width of lines.

use std::{fs, path::PathBuf};

use crate::docs::root;

/// The longest line, in characters.
const WIDTH: usize = 120;

/// Phrases that are not English as engineers write it.
const FORBIDDEN: [&str; 11] = [
    " it is none",
    " that is none",
    " is none of ",
    " is told",
    " are told",
    " anew",
    " may know of",
    " may be known of",
    " that there is.",
    " that there is,",
    " lets it not",
];

/// The most doc comments that may open with "What" or "Whether".
const OPENINGS: usize = 100;

/// Released migrations are never edited; this file names the phrases.
const EXEMPT: [&str; 2] = ["migrations/V", "tests/tests/system/words.rs"];

/// Every text of ours, by its path from the root.
fn texts(extensions: &[&str]) -> Vec<(String, String)> {
    const OTHERS: [&str; 6] = [".git", ".data", "cache", "node_modules", "target", "vendor"];
    let root = root();
    let (mut found, mut folders) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !OTHERS.contains(&name.as_str()) {
                    folders.push(path);
                }
                continue;
            }
            let is_ours = path.extension().is_some_and(|extension| extensions.iter().any(|known| extension == *known));
            let place = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
            if is_ours && !EXEMPT.iter().any(|exempt| place.starts_with(exempt)) {
                found.push((place, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(found.len() > 30, "{} files", found.len());
    found
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

#[test]
fn no_text_has_a_forbidden_phrase() {
    let mut found = Vec::new();
    for (place, text) in texts(&["rs", "md", "yaml", "sql", "toml", "html", "css"]) {
        for (index, line) in text.lines().enumerate() {
            // The end of a line may be the end of a phrase.
            let line = format!(" {} ", line.trim_start_matches(|c: char| c.is_whitespace() || "/!-#*".contains(c)));
            for phrase in FORBIDDEN {
                if line.contains(phrase) {
                    found.push(format!("{place}:{}: \"{}\"", index + 1, phrase.trim()));
                }
            }
        }
    }
    assert!(found.is_empty(), "write it in plain English:\n{}", found.join("\n"));
}

#[test]
fn few_doc_comments_open_with_what_or_whether() {
    let mut opened = Vec::new();
    let mut doc_comments = 0;
    for (place, text) in texts(&["rs"]) {
        let mut was_doc = false;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_start();
            let words = line.strip_prefix("/// ").or_else(|| line.strip_prefix("//! "));
            if let Some(words) = words
                && !was_doc
            {
                doc_comments += 1;
                if words.starts_with("What ") || words.starts_with("Whether ") {
                    opened.push(format!("{place}:{}: {words}", index + 1));
                }
            }
            was_doc = words.is_some();
        }
    }
    assert!(doc_comments > 1000, "{doc_comments} doc comments");
    assert!(opened.len() <= OPENINGS, "{} of {doc_comments}:\n{}", opened.len(), opened.join("\n"));
}

/// rustfmt keeps code within the width; it leaves comments, texts and macros alone.
#[test]
fn no_line_is_longer_than_the_page() {
    let mut long = Vec::new();
    for (place, text) in texts(&["rs"]) {
        for (index, line) in text.lines().enumerate() {
            // An address stands alone in a comment.
            let is_address = is_comment(line) && line.contains("://");
            if !is_address && line.chars().count() > WIDTH {
                long.push(format!("{place}:{}", index + 1));
            }
        }
    }
    assert!(long.is_empty(), "longer than {WIDTH} characters:\n{}", long.join("\n"));
}
