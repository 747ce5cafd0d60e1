//! Imports point one way: no two source files of a crate import each other, directly or through others.
//!
//! A re-export is a door: a path through it counts as an arrow to the file that defines the item, and it is an arrow of
//! its own file only where that uses the name. Unit tests are left out.
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The folders of the workspace whose crates are held to the rule.
const FOLDERS: [&str; 4] = ["shared", "functions", "local", "xtask"];

/// The module path of a file, from the crate's root.
type Module = Vec<String>;

/// One `use` or one path in the code.
struct Import {
    path: Vec<String>,
    /// The name under which a re-export shows the item; `None` for an import.
    exported_as: Option<String>,
}

/// The source files of a crate by their modules.
struct Sources(BTreeMap<Module, Vec<Import>>);

impl Sources {
    fn read(folder: &Path) -> Self {
        let mut files = Vec::new();
        collect(folder, folder, &mut files);
        Self::of(files.iter().map(|(name, text)| (name.as_str(), text.as_str())))
    }

    fn of<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        Self(files.map(|(name, text)| (module_of(name), imports(&tokens(text)))).collect())
    }

    /// The file that defines what a path names; `None` for other crates and local names.
    fn defining<'a>(&'a self, from: &'a Module, path: &[String]) -> Option<&'a Module> {
        let (mut at, rest) = match path.first()?.as_str() {
            "crate" => (Module::new(), &path[1..]),
            "self" => (from.clone(), &path[1..]),
            "super" => {
                let supers = path.iter().take_while(|part| *part == "super").count();
                (from[..from.len() - supers].to_vec(), &path[supers..])
            }
            _ => (from.clone(), path),
        };
        for (index, name) in rest.iter().enumerate() {
            let child: Module = at.iter().chain([name]).cloned().collect();
            if self.0.contains_key(&child) {
                at = child;
                continue;
            }
            let (at, imports) = self.0.get_key_value(&at)?;
            let door = imports.iter().find(|import| import.exported_as.as_ref() == Some(name));
            return match door {
                Some(door) if door.path != path => self.defining(at, &door.path).or(Some(at)),
                _ if index == 0 && rest.len() == path.len() => None,
                _ => Some(at),
            };
        }
        self.0.get_key_value(&at).map(|(module, _)| module)
    }

    /// For each file those that it imports, with the path that does it.
    fn arrows(&self) -> BTreeMap<&Module, BTreeMap<&Module, String>> {
        let arrows = |from, imports: &Vec<Import>| {
            let paths = imports.iter().filter(|import| import.exported_as.is_none());
            let to = paths.filter_map(|import| Some((self.defining(from, &import.path)?, import.path.join("::"))));
            (from, to.filter(|(to, _)| *to != from).collect())
        };
        self.0.iter().map(|(from, imports)| arrows(from, imports)).collect()
    }

    /// The arrows that lie on a circle, as text.
    fn circular(&self) -> Vec<String> {
        let arrows = self.arrows();
        let reaches = |from: &Module, to: &Module| {
            let mut seen = BTreeSet::from([from]);
            let mut open = vec![from];
            while let Some(module) = open.pop() {
                open.extend(arrows[module].keys().copied().filter(|next| seen.insert(next)));
            }
            seen.contains(to)
        };
        let mut circular = Vec::new();
        for (from, targets) in &arrows {
            for (to, path) in targets {
                if reaches(to, from) {
                    circular.push(format!("{} -> {} ({path})", from.join("::"), to.join("::")));
                }
            }
        }
        circular
    }
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) {
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            files.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
}

/// `loan/rows.rs` and `loan/rows/mod.rs` are `loan::rows`, `lib.rs` is the root.
fn module_of(name: &str) -> Module {
    let parts = name.strip_suffix(".rs").unwrap().split('/');
    let mut module: Module = parts.map(str::to_owned).collect();
    if module.last().is_some_and(|last| last == "mod" || last == "lib") {
        module.pop();
    }
    module
}

/// Names, `::` and single signs, without comments, literals and unit tests.
fn tokens(source: &str) -> Vec<String> {
    let chars: Vec<char> = source.chars().collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or('\n');
    let is_of_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut tokens: Vec<String> = Vec::new();
    let mut index = 0;
    while index < chars.len() {
        let begin = index;
        let end_of = |mut index: usize, is_end: &dyn Fn(usize) -> bool| {
            while index < chars.len() && !is_end(index) {
                index += if at(index) == '\\' { 2 } else { 1 };
            }
            index
        };
        match (at(index), at(index + 1)) {
            ('/', '/') => index = end_of(index, &|index| at(index) == '\n'),
            ('/', '*') => index = end_of(index, &|index| at(index) == '*' && at(index + 1) == '/') + 2,
            ('r', '"' | '#') => {
                let hashes = chars[index + 1..].iter().take_while(|c| **c == '#').count();
                let closes = |index: usize| at(index) == '"' && (1..=hashes).all(|n| at(index + n) == '#');
                index += hashes + 2;
                while index < chars.len() && !closes(index) {
                    index += 1;
                }
                index += hashes + 1;
            }
            ('"', _) => index = end_of(index + 1, &|index| at(index) == '"') + 1,
            ('\'', '\\') => index = end_of(index + 1, &|index| at(index) == '\'') + 1,
            ('\'', _) if at(index + 2) == '\'' => index += 3,
            (':', ':') => index += 2,
            (c, _) if is_of_name(c) => index = end_of(index, &|index| !is_of_name(at(index))),
            _ => index += 1,
        }
        let text: String = chars[begin..index.min(chars.len())].iter().collect();
        if text == "::" || text.chars().all(is_of_name) || (text.len() == 1 && !text.trim().is_empty()) {
            tokens.push(text);
        }
    }
    let test = ["mod", "tests", "{"];
    if let Some(place) = tokens.windows(test.len()).position(|window| window == test) {
        tokens.truncate(place);
    }
    tokens
}

/// The `use` declarations, and the paths elsewhere that begin with `crate`, `self` or `super`.
fn imports(tokens: &[String]) -> Vec<Import> {
    let mut imports = Vec::new();
    let mut index = 0;
    while let Some(token) = tokens.get(index) {
        let before = index.checked_sub(1).map_or(";", |before| tokens[before].as_str());
        if token == "use" && [";", "}", "]", "{", "pub", ")"].contains(&before) {
            let length = tokens[index..].iter().take_while(|token| *token != ";").count();
            let is_export = ["pub", ")"].contains(&before);
            let first = imports.len();
            use_tree(&tokens[index + 1..index + length], &[], is_export, &mut imports);
            let (before, after) = (&tokens[..index], &tokens[index + length..]);
            let is_used = |name: &String| before.iter().chain(after).any(|token| token == name);
            let used = imports[first..].iter().filter(|import| import.exported_as.as_ref().is_some_and(is_used));
            let used: Vec<Import> =
                used.map(|import| Import { path: import.path.clone(), exported_as: None }).collect();
            imports.extend(used);
            index += length;
        } else if ["crate", "self", "super"].contains(&token.as_str()) && before != "(" && before != "::" {
            let path = path(&tokens[index..]);
            index += path.len() * 2 - 1;
            if path.len() > 1 {
                imports.push(Import { path, exported_as: None });
            }
        } else {
            index += 1;
        }
    }
    imports
}

/// Names with `::` between them.
fn path(tokens: &[String]) -> Vec<String> {
    let mut path = vec![tokens[0].clone()];
    let mut rest = &tokens[1..];
    while let [colons, name, ..] = rest
        && colons == "::"
        && name.starts_with(|c: char| c.is_alphabetic() || c == '_')
    {
        path.push(name.clone());
        rest = &rest[2..];
    }
    path
}

fn use_tree(tokens: &[String], prefix: &[String], is_export: bool, imports: &mut Vec<Import>) {
    let mut depth = 0;
    let is_comma = |token: &String| {
        match token.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => (),
        }
        token == "," && depth == 0
    };
    for tree in tokens.split(is_comma).filter(|tree| !tree.is_empty()) {
        let own = path(tree);
        let group = own.len() * 2;
        let full: Vec<String> = prefix.iter().chain(&own).filter(|part| !part.is_empty()).cloned().collect();
        if tree.get(group).is_some_and(|token| token == "{") {
            use_tree(&tree[group + 1..tree.len() - 1], &full, is_export, imports);
            continue;
        }
        let shown = tree.iter().position(|token| token == "as").map_or(full.last(), |place| tree.get(place + 1));
        let exported_as = shown.filter(|_| is_export).cloned();
        imports.push(Import { path: full, exported_as });
    }
}

#[test]
fn no_two_files_import_each_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let (mut crates, mut circular) = (0, Vec::new());
    for folder in FOLDERS.map(|name| root.join(name)) {
        let below = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
        for source in below.chain([folder.clone()]).map(|path| path.join("src")).filter(|source| source.is_dir()) {
            let of = source.display().to_string();
            circular.extend(Sources::read(&source).circular().into_iter().map(|arrow| format!("{of}: {arrow}")));
            crates += 1;
        }
    }
    assert!(circular.is_empty(), "arrows on a circle:\n{}", circular.join("\n"));
    assert!(crates > 10, "{crates}");
}

/// The parts of `backend` that each other part may import.
const MAY_IMPORT: [(&str, &[&str]); 4] = [
    ("values", &["values"]),
    ("domain", &["domain", "values"]),
    ("store", &["store", "domain", "values", "db"]),
    ("views", &["views", "store", "domain", "values", "db"]),
];

/// Rules can be read, tested and used without SQL and HTTP, statements without HTTP.
#[test]
fn rules_know_no_statements_and_neither_knows_http() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let sources = Sources::read(&root.join("shared/backend/src"));
    for (part, allowed) in MAY_IMPORT {
        let mut files = 0;
        for (from, targets) in sources.arrows() {
            if from.first().is_none_or(|first| first != part) {
                continue;
            }
            files += 1;
            for (to, path) in targets {
                let is_allowed = to.first().is_none_or(|first| allowed.contains(&first.as_str()));
                assert!(is_allowed, "{} -> {} ({path})", from.join("::"), to.join("::"));
            }
        }
        assert!(files > 3, "{part} has no files");
    }
}

/// Settings stand in `config`, not in the part that they are for: that part reads them, and the two would need each
/// other.
#[test]
fn config_imports_no_part_that_it_configures() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let sources = Sources::read(&root.join("shared/backend/src"));
    let config: Module = vec!["config".to_owned()];
    let arrows = sources.arrows();
    let targets: Vec<String> = arrows[&config].keys().map(|to| to.join("::")).collect();
    assert_eq!(targets, ["secrets"]);
}

/// Through a re-export, by way of a third file, and in a path within the code; comments, texts and tests do not count.
#[test]
fn a_circle_is_found_and_named() {
    let circular = |files: &[(&str, &str)]| Sources::of(files.iter().copied()).circular();
    let lib = ("lib.rs", "mod a; mod b; mod c; pub use a::{One, inner::Two as Second}; use std::fmt;");
    let inner = ("a/inner.rs", "pub struct Two;");
    let one_way = [
        lib,
        ("a.rs", "mod inner; use crate::b::Three; pub struct One;"),
        inner,
        (
            "b.rs",
            "// use crate::a::One;\nconst A: &str = \"crate::a::One\"; use crate::{Second, c};\n\
            #[cfg(test)] mod tests { use crate::a::One; }",
        ),
        ("c.rs", "pub fn f() {}"),
    ];
    assert_eq!(circular(&one_way), [""; 0]);
    let mut by_code = one_way;
    by_code[4].1 = "fn f<'a>(_: &'a str) -> char { crate::One::new(); 'a' }";
    assert_eq!(circular(&by_code), ["a -> b (crate::b::Three)", "b -> c (crate::c)", "c -> a (crate::One::new)"]);
    let mut by_use = one_way;
    by_use[1].1 = "mod inner; pub use inner::Two; pub struct One(Two);";
    by_use[2].1 = "use super::One; pub struct Two;";
    assert_eq!(circular(&by_use), ["a -> a::inner (inner::Two)", "a::inner -> a (super::One)"]);
    let mut by_parent = one_way;
    by_parent[2].1 = "use super::super::b;";
    assert_eq!(circular(&by_parent), ["a::inner -> b (super::super::b)", "b -> a::inner (crate::Second)"]);
}
