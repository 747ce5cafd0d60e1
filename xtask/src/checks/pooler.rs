//! The tests of the whole system with the functions' connections through PgBouncer in transaction mode, as through RDS
//! Proxy: nothing may rest on a session.

use std::{fs, time::Duration};

use crate::kit::{
    command::{Outcome, Run as _, cargo},
    ports,
    postgres::{Cluster, not_as_root},
    scratch::with_folder,
    tools,
};

/// The arguments of `cargo test` by default.
const TESTS: [&str; 6] = ["--test", "accounts", "--test", "system", "--test", "servicing"];

/// The pooler's line on a connection of a test's functions.
const LOGIN: &str = "login attempt: db=microloans_test_";

/// From this version on, PgBouncer supports prepared statements in transaction mode.
const PREPARES: (u32, u32) = (1, 21);

/// Major and minor of the version that `pgbouncer --version` prints.
fn version(printed: &str) -> Option<(u32, u32)> {
    let mut numbers = printed.strip_prefix("PgBouncer ")?.split_whitespace().next()?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Runs the tests that are named as `cargo test` takes them.
pub(crate) fn run(tests: &[String]) -> Outcome {
    tools::postgres()?;
    with_folder(|work| {
        let initdb = ["--username", "postgres", "--auth", "trust", "--locale", "C"];
        let database = Cluster::start(work, &initdb, None, &["max_connections=400".to_owned()])?;
        let port = ports::free()?;
        let printed = not_as_root("pgbouncer")?.arg("--version").read()?;
        let prepares = version(&printed).is_some_and(|version| version >= PREPARES);
        let users = work.join("users");
        fs::write(&users, "\"postgres\" \"\"\n")?;
        let settings = work.join("pgbouncer.ini");
        fs::write(
            &settings,
            format!(
                "[databases]\n\
                 * = host=127.0.0.1 port={} auth_user=postgres\n\
                 [pgbouncer]\n\
                 listen_addr = 127.0.0.1\n\
                 listen_port = {port}\n\
                 unix_socket_dir =\n\
                 auth_type = trust\n\
                 auth_file = {}\n\
                 auth_query = SELECT usename, '' FROM pg_user WHERE usename = $1\n\
                 pool_mode = transaction\n\
                 max_client_conn = 2000\n\
                 default_pool_size = 20\n{}",
                database.port,
                users.display(),
                if prepares { "max_prepared_statements = 200\n" } else { "" }
            ),
        )?;
        let log = work.join("pgbouncer.log");
        let _pooler = not_as_root("pgbouncer")?.arg(&settings).to_log(&log)?.start()?;
        ports::wait_until_open(port, Duration::from_secs(20))?;

        for statements in if prepares { &["off", "on"][..] } else { &["off"] } {
            let mut test = cargo("test");
            test.arg("--locked");
            if tests.is_empty() {
                test.args(TESTS)
            } else {
                test.args(tests)
            };
            test.env("DATABASE_URL", format!("postgres://postgres@127.0.0.1:{}/postgres", database.port));
            test.env("MICROLOANS_TEST_POOLER", format!("127.0.0.1:{port}"));
            test.env("PREPARED_STATEMENTS", statements).run()?;
        }

        let logged = fs::read_to_string(log)?;
        let came = logged.lines().any(|line| line.contains(LOGIN) && line.contains(" user=microloans_test_"));
        if came { Ok(()) } else { Err("the tests did not come through the pooler".into()) }
    })
}
