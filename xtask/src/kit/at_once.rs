//! An environment that the runtime gives several requests at once, as Lambda managed instances do.

use std::{path::Path, process::Command, time::Duration};

use serde_json::{Value, json};

use super::{
    api::curl,
    command::{Outcome, Process, Run as _, command, wait_for},
    lambda::Emulator,
    postgres::binaries,
};

/// How many requests the environment takes at once.
const AT_ONCE: usize = 4;

/// The name under which the emulator has the environment. It takes names of programs alone: this is one that no other
/// environment of the check answers for.
const NAME: &str = "empty";

/// Has one environment of `products` answer so many requests at once: all of them wait for one lock, each on a
/// connection of its own.
pub(crate) fn answers_at_once(
    emulator: &Emulator,
    settings: &[(&'static str, String)],
    database: &Database,
    work: &Path,
) -> Outcome {
    let settings = [settings, &[("AWS_LAMBDA_MAX_CONCURRENCY", AT_ONCE.to_string())]].concat();
    let _environment = emulator.attach_as(NAME, "products", &settings, &work.join("at-once.log"))?;
    // The first answer shows that it is there, and connected.
    answered(&mut ask(emulator, &work.join("first.json"))?, &work.join("first.json"))?;
    let mut lock = database.sql("BEGIN; LOCK TABLE products; SELECT pg_sleep(20)");
    let _lock = lock.to_log(&work.join("lock.log"))?.start()?;
    let holds = "SELECT count(*) FROM pg_locks WHERE relation = 'products'::regclass AND granted \
        AND mode = 'AccessExclusiveLock'";
    wait_for("the lock", Duration::from_secs(5), || database.counts(holds, 1))?;
    let mut asked = Vec::new();
    for number in 0..AT_ONCE {
        let file = work.join(format!("at-once-{number}.json"));
        asked.push((ask(emulator, &file)?, file));
    }
    let wait = "SELECT count(*) FROM pg_locks WHERE relation = 'products'::regclass AND NOT granted";
    let came = wait_for("all requests at once", Duration::from_secs(1), || database.counts(wait, AT_ONCE));
    database.sql(&holds.replace("count(*)", "pg_terminate_backend(pid)")).read()?;
    came?;
    for (mut process, file) in asked {
        answered(&mut process, &file)?;
    }
    println!("one environment answered {AT_ONCE} requests at once");
    Ok(())
}

/// Invokes the environment; its answer goes to the file.
fn ask(emulator: &Emulator, file: &Path) -> Outcome<Process> {
    let http = json!({"method": "GET", "path": "/api/products", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.1"});
    let event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/api/products", "rawQueryString": "", "headers": {},
        "requestContext": {"http": http, "stage": "$default"}, "isBase64Encoded": false,
    });
    curl().args(["--data", &event.to_string(), &emulator.invocations(NAME)]).to_log(file)?.start()
}

/// Fails unless the answer is a list.
fn answered(process: &mut Process, file: &Path) -> Outcome {
    process.wait(Duration::from_secs(30))?;
    let text = std::fs::read_to_string(file)?;
    let is_list = serde_json::from_str(&text).is_ok_and(|answer: Value| answer["statusCode"] == 200);
    if is_list { Ok(()) } else { Err(format!("no list of products: {text}").into()) }
}

/// The database, as its owner.
pub(crate) struct Database<'a> {
    pub(crate) port: u16,
    pub(crate) owner: &'a str,
    pub(crate) password: &'a str,
    pub(crate) authority: &'a Path,
}

impl Database<'_> {
    fn sql(&self, text: &str) -> Command {
        let mut psql = command(binaries().map_or_else(|_| "psql".into(), |folder| folder.join("psql")));
        psql.args(["--host", "localhost", "--port", &self.port.to_string(), "--username", self.owner]);
        psql.args(["--dbname", "microloans", "--no-psqlrc", "--tuples-only", "--no-align", "--command", text]);
        psql.envs([("PGPASSWORD", self.password), ("PGSSLMODE", "verify-full")]);
        psql.env("PGSSLROOTCERT", self.authority);
        psql
    }

    fn counts(&self, query: &str, expected: usize) -> bool {
        self.sql(query).read().is_ok_and(|found| found.trim() == expected.to_string())
    }
}
