//! Everything that builds and CI fetch is pinned by its contents, not by a name that somebody can give to something
//! else: Python packages by version and SHA-256, npm packages by version and integrity, actions by the digest of their
//! commit. Crates are, by Cargo's lock file.

use std::fs;

use serde_json::Value;

use crate::kit::{
    command::{Outcome, Run as _, command},
    folders::root,
};

/// Clients of package registries, with what makes them take a package by its name.
const IN_PASSING: [&str; 9] = [
    "pip install",
    "pip3 install",
    "pipx install",
    "uv pip install",
    "npm install",
    "npm i",
    "npx",
    "yarn add",
    "pnpm add",
];

/// Looks at every file of the repository.
pub(crate) fn run(_: &[String]) -> Outcome {
    let mut found = Vec::new();
    let files = tracked()?;
    for path in &files {
        let text = String::from_utf8_lossy(&fs::read(root().join(path))?).into_owned();
        found.extend(unpinned(path, &text, &files));
    }
    if found.is_empty() { Ok(()) } else { Err(format!("not pinned:\n{}", found.join("\n")).into()) }
}

/// The paths of the files that are in the repository, or would be once they are added.
pub(crate) fn tracked() -> Outcome<Vec<String>> {
    let mut list = command("git");
    list.args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    let paths = list.read()?.lines().filter(|path| root().join(path).is_file()).map(str::to_owned).collect();
    Ok(paths)
}

/// The things that a file fetches without a pin.
fn unpinned(path: &str, text: &str, files: &[String]) -> Vec<String> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let is_workflow = path.starts_with(".github/") && ["yml", "yaml"].contains(&extension);
    let mut found = Vec::new();
    if name.starts_with("requirements") && extension == "txt" {
        found.extend(requirements(text));
    } else if name == "package-lock.json" {
        found.extend(packages(text));
    } else if name == "package.json" {
        let lock =
            if folder.is_empty() { "package-lock.json".to_owned() } else { format!("{folder}/package-lock.json") };
        found.extend(manifest(text, files.contains(&lock)));
    } else {
        if is_workflow {
            found.extend(actions(text));
        }
        let is_script = folder == ".ci" || text.starts_with("#!") || name.contains("Dockerfile");
        if is_script || is_workflow || path.starts_with("xtask/") && path != "xtask/src/checks/pins.rs" {
            found.extend(in_passing(text));
        }
    }
    found.into_iter().map(|what| format!("{path}: {what}")).collect()
}

/// Lines that are no pinned requirement; a line goes on behind a backslash.
fn requirements(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    let lines = joined.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.filter(|line| !is_pinned(line)).map(|line| line.chars().take(80).collect()).collect()
}

/// Recognises `name[extras]==version; marker --hash=sha256:... --hash=sha256:...`.
fn is_pinned(line: &str) -> bool {
    let mut parts = line.split("--hash=").map(str::trim);
    let requirement = parts.next().unwrap_or_default();
    let requirement = requirement.split_once(';').map_or(requirement, |(requirement, _)| requirement.trim());
    let Some((name, version)) = requirement.split_once("==") else { return false };
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    let (name, extras) = name.split_once('[').unwrap_or((name, "extra]"));
    let named = is_name(name) && extras.strip_suffix(']').is_some_and(|extras| extras.split(',').all(is_name));
    let versioned = !version.is_empty() && version.chars().all(|c| c.is_ascii_alphanumeric() || ".+!-".contains(c));
    let hashes: Vec<_> = parts.collect();
    let is_sum = |hash: &&str| hash.strip_prefix("sha256:").is_some_and(|digits| is_hexadecimal(digits, 64));
    named && versioned && !hashes.is_empty() && hashes.iter().all(is_sum)
}

fn is_hexadecimal(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Packages of a lock without integrity.
fn packages(text: &str) -> Vec<String> {
    let Ok(lock) = serde_json::from_str::<Value>(text) else { return vec!["no JSON".to_owned()] };
    let packages = lock["packages"].as_object().into_iter().flatten().filter(|(name, _)| !name.is_empty());
    let has_sum = |package: &Value| {
        let sum = package["integrity"].as_str().and_then(|sum| sum.strip_prefix("sha512-"));
        sum.is_some_and(|sum| sum.len() == 88 && sum.ends_with("=="))
    };
    packages.filter(|(_, package)| !has_sum(package)).map(|(name, _)| format!("{name} has no integrity")).collect()
}

/// Dependencies that are no versions, and a missing lock.
fn manifest(text: &str, has_lock: bool) -> Vec<String> {
    let Ok(manifest) = serde_json::from_str::<Value>(text) else { return vec!["no JSON".to_owned()] };
    let kinds = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];
    let dependencies = kinds.into_iter().filter_map(|kind| manifest[kind].as_object()).flatten();
    let is_version = |version: &Value| {
        let version = version.as_str().unwrap_or_default();
        let (numbers, _) = version.split_once('-').unwrap_or((version, ""));
        let numbers: Vec<_> = numbers.split('.').collect();
        numbers.len() == 3 && numbers.iter().all(|number| number.parse::<u32>().is_ok())
    };
    let loose = dependencies.filter(|(_, version)| !is_version(version));
    let mut found: Vec<_> = loose.map(|(name, version)| format!("{name} {version}")).collect();
    if !has_lock {
        found.push("it has no lock".to_owned());
    }
    found
}

/// Actions that are neither of this repository nor named by the digest of a commit.
fn actions(text: &str) -> Vec<String> {
    let used = text.lines().filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("uses:"));
    let used =
        used.map(|action| action.trim().trim_matches(['"', '\'']).split([' ', '#', '"', '\'']).next().unwrap_or(""));
    let is_pinned = |action: &str| {
        let commit = action.split_once('@').filter(|(name, _)| name.contains('/')).map(|(_, commit)| commit);
        action.starts_with("./") || commit.is_some_and(|commit| is_hexadecimal(commit, 40))
    };
    used.filter(|action| !is_pinned(action)).map(str::to_owned).collect()
}

/// Lines that give a package's name to its client.
fn in_passing(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let code = line.trim_start();
        if code.starts_with('#') || code.starts_with("//") || line.contains("--require-hashes") {
            continue;
        }
        // A command in Rust is words in quotes, between the names of methods.
        let words = code.split(|c: char| !(c.is_ascii_alphanumeric() || "-_=.@/".contains(c)));
        let words = words.filter(|word| !["", "arg", "args", ".arg", ".args"].contains(word));
        let line = format!(" {} ", words.collect::<Vec<_>>().join(" "));
        if IN_PASSING
            .iter()
            .any(|client| line.contains(&format!(" {client} ")) || line.contains(&format!("/{client} ")))
        {
            found.push(format!("line {}: {}", index + 1, code.chars().take(80).collect::<String>()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        unpinned(path, text, &["x/package-lock.json".to_owned()]).len()
    }

    #[test]
    fn a_python_package_has_a_version_and_a_sha256() {
        let digest = "0".repeat(64);
        let file = "requirements-a.txt";
        assert_eq!(found(file, &format!("# why\na[b,c]==1.0 \\\n    --hash=sha256:{digest}\n")), 0);
        assert_eq!(found(file, &format!("a==1.0 ; python_version < \"3.13\" --hash=sha256:{digest}\n")), 0);
        let wrong = ["a==1.0", "a>=1.0 HASH", "a==1.* HASH", "a==1.0 --hash=md5:00", "a==1.0 HASH --hash=md5:00"];
        for line in wrong.into_iter().chain(["--index-url https://example.com", "-r other.txt"]) {
            let line = line.replace("HASH", &format!("--hash=sha256:{digest}"));
            assert_eq!(found(file, &line), 1, "{line}");
        }
    }

    #[test]
    fn an_npm_package_has_a_version_and_an_integrity() {
        let sum = format!("sha512-{}==", "A".repeat(86));
        let lock = |sum: &str| format!(r#"{{"packages": {{"": {{}}, "node_modules/a": {{"integrity": "{sum}"}}}}}}"#);
        assert_eq!(found("x/package-lock.json", &lock(&sum)), 0);
        assert_eq!(found("x/package-lock.json", &lock("sha1-A=")), 1);
        assert_eq!(found("x/package-lock.json", r#"{"packages": {"node_modules/a": {}}}"#), 1);
        assert_eq!(
            found("x/package.json", r#"{"dependencies": {"a": "1.0.0"}, "devDependencies": {"b": "1.0.0-a.1"}}"#),
            0
        );
        assert_eq!(found("x/package.json", r#"{"dependencies": {"a": "^1.0.0"}}"#), 1);
        assert_eq!(found("x/package.json", r#"{"devDependencies": {"a": "latest"}}"#), 1);
        assert_eq!(found("y/package.json", "{}"), 1);
    }

    #[test]
    fn an_action_is_of_this_repository_or_has_the_digest_of_a_commit() {
        let commit = "a".repeat(40);
        let file = ".github/workflows/a.yml";
        assert_eq!(found(file, &format!("- uses: a/b@{commit} # v1\n- uses: ./.github/workflows/b.yml\n")), 0);
        assert_eq!(found(file, "- uses: a/b@v1\n"), 1);
        assert_eq!(found(file, "    uses: \"a/b/c@main\"\n"), 1);
        assert_eq!(found(file, "- run: npx a\n"), 1);
    }

    #[test]
    fn no_script_names_a_package_to_its_client() {
        let pinned = "pip install --quiet --require-hashes -r requirements.txt\n# npm install a\nnpm ci\n";
        assert_eq!(found(".ci/a", pinned), 0);
        assert_eq!(found(".ci/a", "x=$(venv/bin/pip install a==1.0)\n"), 1);
        assert_eq!(found("docker/Dockerfile", "RUN npm i a\n"), 1);
        assert_eq!(found("tests/a", "#!/bin/sh\npnpm add a\n"), 1);
        assert_eq!(found("xtask/src/a.rs", "command(\"npm\").arg(\"ci\").run()\n"), 0);
        assert_eq!(found("xtask/src/a.rs", "command(\"npm\").args([\"install\", \"a\"]).run()\n"), 1);
    }
}
