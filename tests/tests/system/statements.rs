//! Every statement that functions send fits the migrated schema and the rights of their login.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use tests::Api;

macro_rules! statements {
    ($($statement:path,)*) => { [$((stringify!($statement), $statement)),*] };
}

/// All of them. A new one is a `pub const NAME: &str` with SQL in `shared/backend` or `functions`, and gets a line here:
/// the second test below fails until it has one.
fn statements() -> impl Iterator<Item = (String, &'static str)> {
    let all = of_the_shared_crate().into_iter().chain(of_the_scheduled_function());
    all.map(|(name, sql)| (name.replace(' ', ""), sql))
}

type Named = (&'static str, &'static str);

fn of_the_shared_crate() -> impl IntoIterator<Item = Named> {
    statements![
        backend::auth::callers::SESSION,
        backend::auth::limits::COUNT,
        backend::auth::limits::FAIL,
        backend::auth::limits::GIVE_BACK,
        backend::auth::limits::RESERVE,
        backend::http::idempotency::CLAIM,
        backend::http::idempotency::KEEP,
        backend::models::audit::LIST,
        backend::models::audit::RECORD,
        backend::models::duties::SAME_HAND,
        backend::models::ledger::ACCOUNTS,
        backend::models::ledger::AWAIT,
        backend::models::ledger::CHANGE_ACCOUNTS,
        backend::models::ledger::ENTRIES,
        backend::models::ledger::INSERT_ENTRIES,
        backend::models::ledger::KEPT_ACCOUNTS,
        backend::models::ledger::MADE,
        backend::models::ledger::TRIAL_BALANCE,
        backend::models::loans::BORROWER_BY_ID,
        backend::models::loans::BORROWER_BY_USERNAME,
        backend::models::loans::HISTORY,
        backend::models::loans::INSERT,
        backend::models::loans::NOTE_RULES,
        backend::models::loans::PENDING_BY_ID,
        backend::models::loans::PENDING_BY_USERNAME,
        backend::models::loans::RECORD_VERSION,
        backend::models::loans::SELECT,
        backend::models::loans::SHARE,
        backend::models::loans::TO_COLLECT,
        backend::models::loans::UPDATE,
        backend::models::loans::UPDATE_MONEY,
        backend::models::loans::VERSION,
        backend::models::portfolio::ARREARS,
        backend::models::portfolio::CHANGE_AGENTS,
        backend::models::portfolio::CHANGE_BOOK,
        backend::models::portfolio::CHANGE_EXPOSURES,
        backend::models::portfolio::KEPT_AGENTS,
        backend::models::portfolio::KEPT_BOOK,
        backend::models::portfolio::KEPT_EXPOSURES,
        backend::models::portfolio::PERFORMANCE,
        backend::models::portfolio::STEPS,
        backend::models::portfolio::STEPS_OF_LOANS,
        backend::models::products::BY_CODE,
        backend::models::products::DEFAULT,
        backend::models::products::FOR_LOAN,
        backend::models::products::INSERT,
        backend::models::products::LIST,
        backend::models::products::LOCK,
        backend::models::products::OF_VERSION,
        backend::models::products::RECORD_VERSION,
        backend::models::products::UPDATE,
        backend::models::rights::CHANGES,
        backend::models::rights::ENTRIES_ABOUT,
        backend::models::rights::ENTRIES_BY,
        backend::models::rights::ERASE,
        backend::models::rights::RECORD_CHANGES,
        backend::models::rights::SESSIONS,
        backend::models::rights::TRANSACTIONS,
        backend::models::rights::VERSIONS,
        backend::models::sessions::END,
        backend::models::sessions::END_ALL,
        backend::models::sessions::END_OTHERS,
        backend::models::sessions::FORGET_EXPIRED,
        backend::models::sessions::START,
        backend::models::stats::BOOK,
        backend::models::stats::FIRST_TO_KEEP,
        backend::models::stats::HISTORY,
        backend::models::stats::KEEP_SNAPSHOT,
        backend::models::transactions::BY_LOAN,
        backend::models::transactions::BY_LOANS,
        backend::models::transactions::INSERT,
        backend::models::users::BY_ID,
        backend::models::users::CREDENTIALS,
        backend::models::users::CREDENTIALS_BY_ID,
        backend::models::users::EMAIL_TAKEN,
        backend::models::users::INSERT,
        backend::models::users::LIST,
        backend::models::users::LOCK,
        backend::models::users::LOCK_CREDENTIALS,
        backend::models::users::LOCK_WITH_ADMINS,
        backend::models::users::NOTE_PASSWORD_SET_BY,
        backend::models::users::TAKEN,
        backend::models::users::UPDATE_PASSWORD,
        backend::models::users::UPDATE_PROFILE,
        backend::models::users::UPDATE_STATUS,
        backend::models::users::UPGRADE_HASH,
    ]
}

fn of_the_scheduled_function() -> impl IntoIterator<Item = Named> {
    statements![
        stats::CLEAR_IDEMPOTENCY_KEYS,
        stats::CLEAR_RATE_LIMITS,
        stats::CLEAR_SESSIONS,
        stats::LOCK,
        stats::MOVE_ACCOUNTS,
        stats::MOVE_AGENTS,
        stats::MOVE_BOOK,
        stats::MOVE_EXPOSURES,
        stats::TIDY_EXPOSURES,
        stats::check::DIFFERENT_MONTHS,
        stats::check::DIFFERENT_VERSIONS,
        stats::check::LARGE_OBJECTS,
        stats::rebuild::BUILT,
        stats::rebuild::FORGET,
        stats::rebuild::KEEP_BUILD,
    ]
}

#[tokio::test]
async fn every_statement_fits_the_schema_and_the_logins_rights() {
    let api = Api::new().await;
    let application = api.application().await;
    for (name, sql) in statements() {
        let prepared = application.prepare(sql).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        // Rights are looked at when a statement is planned for execution, not when it is prepared.
        let nulls = vec!["NULL"; prepared.params().len()].join(", ");
        let arguments = if nulls.is_empty() { nulls } else { format!("({nulls})") };
        let explain = format!("PREPARE it AS {sql}; EXPLAIN EXECUTE it{arguments}; DEALLOCATE it");
        application.batch_execute(&explain).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
}

/// The names of the constants with SQL in a source file, as paths of its crate.
fn constants(source: &str, module: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (start, _) in source.match_indices("const ") {
        let rest = &source[start + "const ".len()..];
        let Some((name, rest)) = rest.split_once(": &str =") else { continue };
        let is_name = name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        let text = rest.split(";\n").next().unwrap();
        let is_sql =
            ["SELECT", "INSERT INTO", "UPDATE ", "DELETE FROM", " FROM "].iter().any(|word| text.contains(word));
        if is_name && is_sql {
            names.push(format!("{module}::{name}"));
        }
    }
    names
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn every_statement_is_in_the_list() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut crates = vec![("backend".to_owned(), root.join("shared/backend/src"))];
    for function in fs::read_dir(root.join("functions")).unwrap() {
        let function = function.unwrap();
        let name = function.file_name().into_string().unwrap();
        // That one runs as the owner, and its tests run what it sends.
        if name != "migrate" {
            crates.push((name, function.path().join("src")));
        }
    }
    let mut found = BTreeSet::new();
    for (name, folder) in crates {
        let mut files = Vec::new();
        rust_files(&folder, &mut files);
        for file in files {
            let module = file.strip_prefix(&folder).unwrap().with_extension("");
            let segments = module.iter().map(|segment| segment.to_str().unwrap());
            let segments = segments.filter(|segment| !matches!(*segment, "lib" | "main" | "mod"));
            let module = std::iter::once(name.as_str()).chain(segments).collect::<Vec<_>>().join("::");
            found.extend(constants(&fs::read_to_string(&file).unwrap(), &module));
        }
    }
    let listed: BTreeSet<String> = statements().map(|(name, _)| name).collect();
    assert_eq!(found, listed, "in the sources (left) and in the list of this test (right)");
}
