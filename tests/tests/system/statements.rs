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

/// All of them. A new one is a `pub const NAME: &str` with SQL in `shared/backend` or `functions`, and gets a line
/// here: the second test below fails until it has one.
fn statements() -> impl Iterator<Item = (String, &'static str)> {
    let all = of_requests_and_loans().into_iter().chain(of_the_catalogue()).chain(of_people());
    let all = all.chain(of_the_scheduled_function());
    all.map(|(name, sql)| (name.replace(' ', ""), sql))
}

type Named = (&'static str, &'static str);

fn of_requests_and_loans() -> impl IntoIterator<Item = Named> {
    statements![
        backend::auth::callers::KEY,
        backend::auth::callers::SESSION,
        backend::auth::limits::COUNT,
        backend::auth::limits::FAIL,
        backend::auth::limits::GIVE_BACK,
        backend::auth::limits::RESERVE,
        backend::http::idempotency::CLAIM,
        backend::http::idempotency::KEEP,
        backend::store::audit::LIST,
        backend::store::audit::RECORD,
        backend::store::audit::RECORD_AT,
        backend::store::duties::SAME_HAND,
        backend::store::ledger::ACCOUNTS,
        backend::store::ledger::AWAIT,
        backend::store::ledger::CHANGE_ACCOUNTS,
        backend::store::ledger::ENTRIES,
        backend::store::ledger::INSERT_ENTRIES,
        backend::store::payments::INSERT_PAYMENT_ENTRY,
        backend::store::ledger::KEPT_ACCOUNTS,
        backend::store::ledger::MADE,
        backend::store::payments::OF_PAYMENTS,
        backend::store::ledger::TRIAL_BALANCE,
        backend::store::loans::ASSIGN,
        backend::store::loans::BORROWER_BY_ID,
        backend::store::loans::BORROWER_BY_USERNAME,
        backend::store::loans::HISTORY,
        backend::store::loans::INSERT,
        backend::store::loans::LOCK_BOOK,
        backend::store::loans::NEW_PAY_REF,
        backend::store::loans::NOTE_RULES,
        backend::store::loans::PENDING_BY_ID,
        backend::store::loans::PENDING_BY_USERNAME,
        backend::store::loans::RECORD_VERSION,
        backend::store::loans::SELECT,
        backend::store::loans::SELECT_FOR_CHANGE,
        backend::store::loans::SHARE,
        backend::store::loans::SUMMARY,
        backend::store::loans::TO_COLLECT,
        backend::store::loans::UPDATE,
        backend::store::loans::UPDATE_MONEY,
        backend::store::loans::UPDATE_NAMES,
        backend::store::loans::VERSION,
        backend::store::payments::BY_HAND,
        backend::store::payments::INSERT,
        backend::store::payments::INSERT_DETAILS,
        backend::store::payments::INSERT_MOVEMENT,
        backend::store::payments::INSERT_NOTICE,
        backend::store::payments::MATCH,
        backend::store::payments::NOTICES,
        backend::store::payments::OF_MATCHED,
        backend::store::payments::OF_RECEIPT,
        backend::store::payments::ONE_RECEIPT,
        backend::store::payments::SAME_NOTICE,
        backend::store::payments::SELECT,
        backend::store::payments::STEPS_OF_MATCHED,
        backend::store::payments::SUGGESTIONS,
        backend::store::payments::UPDATE_DETAILS,
        backend::store::statements::DAYS,
        backend::store::statements::INSERT_CREDITS,
        backend::store::statements::INSERT_STATEMENT,
        backend::store::statements::ONLY_HERE,
        backend::store::statements::RECORDED,
        backend::store::statements::REPORT,
        backend::store::portfolio::ADD_UP,
        backend::store::portfolio::ARREARS,
        backend::store::portfolio::ARREARS_OF_GROUP,
        backend::store::portfolio::CHANGE_AGENTS,
        backend::store::portfolio::CHANGE_BOOK,
        backend::store::portfolio::CHANGE_EXPOSURES,
        backend::store::portfolio::KEPT_AGENTS,
        backend::store::portfolio::KEPT_BOOK,
        backend::store::portfolio::KEPT_EXPOSURES,
        backend::store::portfolio::PERFORMANCE,
        backend::store::portfolio::STEPS,
        backend::store::portfolio::STEPS_OF_LOANS,
    ]
}

fn of_the_catalogue() -> impl IntoIterator<Item = Named> {
    statements![
        backend::store::calendars::BY_CODE,
        backend::store::calendars::INSERT,
        backend::store::calendars::LIST,
        backend::store::calendars::LOCK,
        backend::store::calendars::RECORD_VERSION,
        backend::store::calendars::UPDATE,
        backend::store::calendars::VERSION,
        backend::store::products::BY_CODE,
        backend::store::products::DEFAULT,
        backend::store::products::FOR_LOAN,
        backend::store::products::INSERT,
        backend::store::products::LIST,
        backend::store::products::LOCK,
        backend::store::products::OF_VERSION,
        backend::store::products::RECORD_VERSION,
        backend::store::products::UPDATE,
        backend::store::settling::LOCK,
        backend::store::settling::STEPS,
        backend::store::settling::TRANSACTIONS,
        backend::store::sources::ADD_SECRET,
        backend::store::sources::END_SECRETS,
        backend::store::sources::INSERT_SOURCE,
        backend::store::sources::REFUSE,
        backend::store::sources::REFUSED,
        backend::store::sources::SEALED,
        backend::store::sources::SEAL_AGAIN,
        backend::store::sources::SECRETS,
        backend::store::sources::SOURCES,
        backend::store::sources::SOURCE_OF_PAYMENT,
        backend::store::sources::UPDATE_SOURCE,
        backend::store::stats::BOOK,
        backend::store::stats::FIRST_TO_KEEP,
        backend::store::stats::HISTORY,
        backend::store::stats::KEEP_SNAPSHOT,
        backend::store::stats::MARK,
        backend::store::transactions::BY_LOAN,
        backend::store::transactions::BY_LOANS,
        backend::store::transactions::INSERT,
        backend::store::transactions::INSERT_WITH_CALENDAR,
    ]
}

fn of_people() -> impl IntoIterator<Item = Named> {
    statements![
        backend::store::activations::END,
        backend::store::activations::END_ALL,
        backend::store::activations::KEEP,
        backend::store::activations::LOCK,
        backend::store::activations::TAKE_BACK,
        backend::store::activations::TRY,
        backend::store::customers::ACTIVE_AGENT,
        backend::store::customers::FREE_USERNAME,
        backend::store::customers::GIVE,
        backend::store::customers::KYC_OF_LOAN,
        backend::store::customers::LOCK_CUSTOMERS,
        backend::store::keys::INSERT,
        backend::store::keys::INSERT_USER,
        backend::store::keys::KEYS,
        backend::store::keys::REVOKE,
        backend::store::profiles::CURRENT,
        backend::store::profiles::FORGET_IDENTITY,
        backend::store::profiles::INSERT,
        backend::store::profiles::KEEP_IDENTITY,
        backend::store::profiles::WHOSE,
        backend::store::rights::CHANGES,
        backend::store::rights::ENTRIES_ABOUT,
        backend::store::rights::ENTRIES_BY,
        backend::store::rights::ERASE,
        backend::store::rights::PROFILES,
        backend::store::rights::RECORD_CHANGES,
        backend::store::rights::SESSIONS,
        backend::store::rights::TRANSACTIONS,
        backend::store::rights::VERSIONS,
        backend::store::second_factors::BEGIN,
        backend::store::second_factors::FORGET,
        backend::store::second_factors::FORGET_RECOVERY_CODES,
        backend::store::second_factors::KEEP_RECOVERY_CODES,
        backend::store::second_factors::LOCK,
        backend::store::second_factors::NEED,
        backend::store::second_factors::SEAL_AGAIN,
        backend::store::second_factors::SEALED,
        backend::store::second_factors::USE_RECOVERY_CODE,
        backend::store::second_factors::USE_STEP,
        backend::store::sessions::END,
        backend::store::sessions::END_ALL,
        backend::store::sessions::END_OTHERS,
        backend::store::sessions::FORGET_EXPIRED,
        backend::store::sessions::START,
        backend::store::users::BY_ID,
        backend::store::users::CREDENTIALS,
        backend::store::users::CREDENTIALS_BY_ID,
        backend::store::users::EMAIL_TAKEN,
        backend::store::users::INSERT,
        backend::store::users::LIST,
        backend::store::users::LOCK,
        backend::store::users::LOCK_BOTH,
        backend::store::users::LOCK_CREDENTIALS,
        backend::store::users::LOCK_WITH_ADMINS,
        backend::store::users::NOTE_PASSWORD_SET_BY,
        backend::store::users::TAKEN,
        backend::store::users::UPDATE_PASSWORD,
        backend::store::users::UPDATE_PROFILE,
        backend::store::users::UPDATE_STATUS,
        backend::store::users::UPGRADE_HASH,
    ]
}

fn of_the_scheduled_function() -> impl IntoIterator<Item = Named> {
    statements![
        stats::ADD_UP,
        stats::CLEAR_IDEMPOTENCY_KEYS,
        stats::CLEAR_RATE_LIMITS,
        stats::DROP_NOTICES,
        stats::DROP_REFUSALS,
        stats::CLEAR_SESSIONS,
        stats::LOCK,
        stats::TIDY_EXPOSURES,
        stats::arrivals::SILENT,
        stats::arrivals::WAITING,
        stats::check::DIFFERENT_MONTHS,
        stats::check::DIFFERENT_PAYMENTS,
        stats::check::DIFFERENT_SUSPENSE,
        stats::check::DIFFERENT_TOTALS,
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
            // The module around a private module names its contents, since it exports them.
            let around = fs::read_to_string(file.with_file_name("mod.rs")).unwrap_or_default();
            let is_private = |segment: &str| around.contains(&format!("\nmod {segment};"));
            let segments =
                segments.filter(|segment| !matches!(*segment, "lib" | "main" | "mod") && !is_private(segment));
            let module = std::iter::once(name.as_str()).chain(segments).collect::<Vec<_>>().join("::");
            found.extend(constants(&fs::read_to_string(&file).unwrap(), &module));
        }
    }
    let listed: BTreeSet<String> = statements().map(|(name, _)| name).collect();
    assert_eq!(found, listed, "in the sources (left) and in the list of this test (right)");
}
