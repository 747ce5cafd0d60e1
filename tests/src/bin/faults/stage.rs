//! The subject of a fault: a lender's functions and their database; and the verdict on the outcome.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use tests::Client;
use tokio::time::sleep;

use crate::{
    functions::{Clocks, Functions},
    lender::{Differences, Lender, PATIENCE, Write, books_are_right, differences},
    load::{Load, Outcome, Records},
    postgres::{Places, Postgres},
};

/// The functions' login.
pub(crate) const LOGIN: &str = "microloans_functions";
const PASSWORD: &str = "functions-password";

/// From the database's return until no request fails any more.
const RECOVERY: Duration = Duration::from_secs(1);
/// How long a function may take, whatever its database does: its timeout on Lambda.
const TIMEOUT: Duration = Duration::from_secs(15);

/// The settings of this run.
pub(crate) struct Setting {
    pub(crate) functions: PathBuf,
    pub(crate) places: Places,
    pub(crate) faketime: PathBuf,
    /// For how long processes are frozen.
    pub(crate) freeze: Duration,
}

/// Everything there is.
pub(crate) struct Stage {
    pub(crate) setting: Setting,
    pub(crate) postgres: Postgres,
    pub(crate) functions: Functions,
    pub(crate) lender: Arc<Lender>,
    written: Vec<Write>,
}

/// The possible and the required outcomes of a fault.
pub(crate) struct Expected {
    /// From when everything works again.
    pub(crate) returned: Instant,
    /// The answers besides success: at least one of each of these.
    pub(crate) must: &'static [Outcome],
    /// And any number of these.
    pub(crate) may: &'static [Outcome],
}

impl Stage {
    /// A database, migrated; functions; a lender with loans.
    pub(crate) async fn new(setting: Setting) -> Self {
        let postgres = Postgres::new(setting.places.clone()).await;
        let (folder, work, faketime) = (&setting.functions, &setting.places.work, &setting.faketime);
        let url = url(postgres.port());
        let functions =
            Functions::new(folder.clone(), work.clone(), faketime.clone(), postgres.owner_url(), &url).await;
        let (lender, written) = Lender::new(&Client::http(&functions.base_url())).await;
        Self { setting, postgres, functions, lender: Arc::new(lender), written }
    }

    /// How many commands were acknowledged.
    pub(crate) fn written(&self) -> usize {
        self.written.len()
    }

    /// Clients that wait for an answer longer than a function may take, so that silence is a hang.
    pub(crate) async fn load(&self) -> Load {
        Load::begin(&self.lender, PATIENCE).await
    }

    /// Clients that soon give up: where processes fail, their requests are never answered here.
    pub(crate) async fn impatient_load(&self) -> Load {
        Load::begin(&self.lender, Duration::from_secs(2)).await
    }

    /// Starts the functions again, with the database on this port.
    pub(crate) async fn restart(&mut self, port: u16, clocks: Clocks) {
        self.functions.start(&url(port), clocks).await;
    }

    /// Keeps what was acknowledged besides the load.
    pub(crate) fn keep(&mut self, write: Write) {
        self.written.push(write);
    }

    /// Lets the clients go on for a while, ends them, and judges.
    pub(crate) async fn conclude(&mut self, what: &str, load: Load, expected: Expected) {
        sleep(RECOVERY + Duration::from_millis(500)).await;
        let records = load.end().await;
        self.judge(what, records, &expected).await;
    }

    /// Judges what came of a fault, and prints a line.
    pub(crate) async fn judge(&mut self, what: &str, records: Records, expected: &Expected) {
        assert!(records.wrong.is_empty(), "{what}: {:#?}", records.wrong);
        for outcome in [Outcome::Unavailable, Outcome::Busy, Outcome::Unauthenticated, Outcome::Silence] {
            let count = records.count(outcome);
            let (must, may) = (expected.must.contains(&outcome), expected.may.contains(&outcome));
            assert!(count == 0 || must || may, "{what}: {count} times {outcome:?}");
            assert!(count > 0 || !must, "{what}: never {outcome:?}");
        }
        let heard = records.answers.iter().filter(|answer| answer.outcome != Outcome::Silence);
        let slowest = heard.map(|answer| answer.came - answer.sent).max().unwrap_or_default();
        assert!(slowest < TIMEOUT, "{what}: an answer took {slowest:?}");
        let late = expected.returned + RECOVERY;
        let refused_late =
            records.answers.iter().filter(|answer| answer.outcome != Outcome::Done && answer.sent > late);
        assert_eq!(refused_late.count(), 0, "{what}: refused longer than {RECOVERY:?} after the end of the fault");
        let done = records.answers.iter().filter(|answer| answer.outcome == Outcome::Done && answer.is_command);
        let first = done.map(|answer| answer.came).filter(|came| *came >= expected.returned).min();
        let recovery = first.unwrap_or_else(|| panic!("{what}: nothing was done after it")) - expected.returned;
        assert!(recovery < RECOVERY, "{what}: the first command was done after {recovery:?}");

        let counts = [Outcome::Unavailable, Outcome::Busy, Outcome::Unauthenticated, Outcome::Silence]
            .map(|outcome| records.count(outcome));
        let (answers, commands, found_done) = (records.answers.len(), records.written.len(), records.found_done);
        self.written.extend(records.written);
        self.lender.repeat(&self.written).await;
        let database = self.postgres.connect().await;
        let differences = differences(&database, &self.written).await;
        assert_eq!(differences, Differences { lost: 0, doubled: 0 }, "{what}");
        books_are_right(&database).await;
        // The figures are right before they are added up, and after.
        for task in [r#"{"task": "check"}"#, "{}", r#"{"task": "check"}"#] {
            let answer = self.functions.invoke("stats", task).await;
            assert!(task == "{}" || answer["differences"] == 0, "{what}: {answer}");
        }
        let [unavailable, busy, unauthenticated, silences] = counts;
        println!(
            "{what}: {answers} requests, {commands} commands acknowledged ({found_done} found done), \
             {unavailable} x 503, {busy} x 409, {unauthenticated} x 401, {silences} unanswered, slowest {} ms; \
             lost {}, doubled {}; first done {} ms after",
            slowest.as_millis(),
            differences.lost,
            differences.doubled,
            recovery.as_millis()
        );
    }
}

/// The address of the database for the functions.
fn url(port: u16) -> String {
    format!("postgres://{LOGIN}:{PASSWORD}@127.0.0.1:{port}/microloans?sslmode=disable")
}
