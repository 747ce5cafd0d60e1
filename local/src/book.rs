//! Generated loan books: any number of loans, with their customers and agents, histories, payments and journals, as a
//! lender might have them after three years. For trying things out and for measuring.
//!
//! The same number of loans, seed, business date and time zone make the same rows, ids among them; only the salt of the
//! one password's hash differs. Loans and what happens to them are made by the same functions as the interface's, so
//! that the consistency check finds nothing to complain about; the rows are sent by `COPY`, all in one transaction: a
//! load that is broken off leaves nothing.

mod calendar;
mod catalogue;
mod copy;
mod dice;
mod impossible;
mod leavings;
mod life;
mod payer;
mod people;

use std::sync::Arc;
use std::thread;

use backend::{
    auth::passwords,
    db::{Batch as _, DbError},
    domain::portfolio::PortfolioDelta,
    store::{audit::Subject, products},
};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use migrate::DEMO_PASSWORD;
use secrecy::SecretString;
use serde_json::json;
use tokio::sync::mpsc;
use tokio_postgres::Client;

use crate::Error;
use calendar::Calendar;
use catalogue::Offer;
use dice::{Dice, Stream};
use impossible::Impossible;
use leavings::{Audit, Leavings, Posted};
use life::{Life, World};
use people::People;

/// The settings of a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How many loans, at least one.
    pub loans: u32,
    /// Which of all such books.
    pub seed: u64,
}

/// The result of a load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Loans.
    pub loans: u64,
    /// Their transactions.
    pub transactions: u64,
    /// Lines of the journal.
    pub lines: u64,
    /// Commands that were refused, as the interface would have, and left nothing.
    pub refused: u64,
}

/// Loans that are made and sent together.
const AT_ONCE: u64 = 2_000;

/// Rows of figures that are held in memory until they are sent.
const FIGURES_AT_ONCE: usize = 200_000;

/// Looks for a generated book.
const IS_LOADED: &str = "SELECT EXISTS (SELECT FROM users WHERE username = 'book-admin-1')";

/// These triggers check rows of a loan on its way; here rows come in their final state, and long after it. The tables'
/// constraints and the checks of the journal stay. So that those look rows up by their index rather than read whole
/// tables for every few thousand rows: no joins by hash or by sorting. The series of past days, which the book changes,
/// is stored again.
const PREPARE: &str = "\
ALTER TABLE loans DISABLE TRIGGER loans_check_creation;
ALTER TABLE loan_versions DISABLE TRIGGER loan_versions_check;
ALTER TABLE audit_log DISABLE TRIGGER audit_log_check_time;
ALTER TABLE transactions DISABLE TRIGGER transactions_check_time;
ALTER TABLE loans DISABLE TRIGGER loans_check_new_borrower;
ALTER TABLE transactions DISABLE TRIGGER transactions_check;
ALTER TABLE transactions DISABLE TRIGGER transactions_check_second_person;
ALTER TABLE transactions DISABLE TRIGGER transactions_check_recorder;
ALTER TABLE transactions DISABLE TRIGGER transactions_check_settlements;
ALTER TABLE transactions DISABLE TRIGGER transactions_count_applied;
ALTER TABLE users DISABLE TRIGGER users_keep_new_words;
DELETE FROM statistics_snapshots;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off";

const CONCLUDE: &str = "\
ALTER TABLE loans ENABLE TRIGGER loans_check_creation;
ALTER TABLE loan_versions ENABLE TRIGGER loan_versions_check;
ALTER TABLE audit_log ENABLE TRIGGER audit_log_check_time;
ALTER TABLE transactions ENABLE TRIGGER transactions_check_time;
ALTER TABLE loans ENABLE TRIGGER loans_check_new_borrower;
ALTER TABLE transactions ENABLE TRIGGER transactions_check;
ALTER TABLE transactions ENABLE TRIGGER transactions_check_second_person;
ALTER TABLE transactions ENABLE TRIGGER transactions_check_recorder;
ALTER TABLE transactions ENABLE TRIGGER transactions_check_settlements;
ALTER TABLE transactions ENABLE TRIGGER transactions_count_applied;
ALTER TABLE users ENABLE TRIGGER users_keep_new_words";

/// The words by which people are found, of all at once.
const FIND_PEOPLE: &str = "\
INSERT INTO user_words SELECT * FROM words_of_users WHERE person_id NOT IN (SELECT person_id FROM user_words)";

/// The constraints and indexes dropped while rows come, and how to make them again: foreign keys, which then look at
/// all rows at once, and indexes that belong to no constraint. Each costs more, row by row, than everything else.
const TAKEN_OFF: &str = "\
WITH written AS (
    SELECT unnest('{users, user_words, audit_log, loans, loan_versions, transactions, journal_entries,
        journal_lines}'::regclass[]) AS id)
SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS take_off,
    format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS put_back
FROM pg_constraint WHERE contype = 'f' AND conrelid IN (TABLE written)
UNION ALL
SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
FROM pg_index WHERE indrelid IN (TABLE written) AND indexrelid NOT IN (SELECT conindid FROM pg_constraint)
ORDER BY 1";

/// Whole tables are joined and sorted now.
const PUT_BACK: &str = "\
SET LOCAL enable_hashjoin = on;
SET LOCAL enable_mergejoin = on;
SET LOCAL work_mem = '256MB';
SET LOCAL maintenance_work_mem = '512MB'";

/// Loads a book into a migrated database without one, and reports the count after every few loans. `None`, without any
/// change, if there is a book.
///
/// `client` is the owner's. Nothing happens on `today` or later.
///
/// # Errors
///
/// A statement that fails; names of its people that others have. Then nothing is changed.
pub async fn load(
    client: &Client,
    plan: Plan,
    today: Date,
    zone: &TimeZone,
    progress: impl FnMut(u64),
) -> Result<Option<Loaded>, Error> {
    let known = client.query_one(IS_LOADED, &[]).await.map_err(Error::sql("look for a generated book"))?;
    if known.get(0) {
        return Ok(None);
    }
    let hash = passwords::hash(SecretString::from(DEMO_PASSWORD))
        .await
        .map_err(|problem| Impossible(problem.causes().unwrap_or_default()))?;
    let run = async |sql: &str| client.batch_execute(sql).await.map_err(Error::sql("load a generated book"));
    run("BEGIN").await?;
    let loaded = async {
        let taken_off = client.query(TAKEN_OFF, &[]).await.map_err(Error::sql("look at the indexes"))?;
        run(PREPARE).await?;
        for part in &taken_off {
            run(part.get("take_off")).await?;
        }
        let loaded = load_all(client, plan, today, zone, &hash, progress).await?;
        run(PUT_BACK).await?;
        run(FIND_PEOPLE).await?;
        for part in &taken_off {
            run(part.get("put_back")).await?;
        }
        run(CONCLUDE).await?;
        Ok(loaded)
    };
    let loaded = loaded.await;
    run(if loaded.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
    loaded.map(Some)
}

async fn load_all(
    client: &Client,
    plan: Plan,
    today: Date,
    zone: &TimeZone,
    hash: &str,
    mut progress: impl FnMut(u64),
) -> Result<Loaded, Error> {
    let (loans, seed) = (u64::from(plan.loans.max(1)), plan.seed);
    let calendar = Calendar::new(loans, today, zone.clone());
    let people = People::new(seed, loans, &calendar);
    let offers = catalogue::offers(seed, &calendar)?;
    let world = Arc::new(World { seed, calendar, people, offers });
    let sql = |what: &'static str| Error::sql(what);
    found(client, &world, hash).await?;
    client.batch_execute(copy::STAGE).await.map_err(sql("make room for entries"))?;

    let mut loaded = Loaded::default();
    let (mut figures, mut posted) = (PortfolioDelta::default(), Posted::new());
    let mut batches = batches(&world, loans);
    let mut next = 0;
    while loaded.loans < loans {
        // In the order of their numbers, whichever thread is first.
        let place = next % batches.len();
        let made = batches[place].recv().await;
        let made = made.ok_or_else(|| Impossible("a thread ended before its loans were made".to_owned()))??;
        next += 1;
        let Leavings { customers, profiles, loans, versions, transactions, lines, audit, refused, .. } = &made;
        copy::users(client, customers, hash).await.map_err(sql("load customers"))?;
        copy::profiles(client, profiles).await.map_err(sql("load profiles"))?;
        copy::identities(client, profiles).await.map_err(sql("load identities"))?;
        loaded.loans += copy::loans(client, loans).await.map_err(sql("load loans"))?;
        copy::versions(client, versions).await.map_err(sql("load versions of loans"))?;
        loaded.transactions += copy::transactions(client, transactions).await.map_err(sql("load transactions"))?;
        loaded.lines += copy::lines(client, lines).await.map_err(sql("load the journal"))?;
        copy::audit(client, audit).await.map_err(sql("load the audit log"))?;
        loaded.refused += refused;
        figures += made.figures;
        for (key, (debit, credit)) in made.posted {
            let sums = posted.entry(key).or_default();
            *sums = (sums.0 + debit, sums.1 + credit);
        }
        if figures.agents.len() > FIGURES_AT_ONCE {
            leave(client, std::mem::take(&mut figures)).await?;
        }
        progress(loaded.loans);
    }
    leave(client, figures).await?;
    copy::posted(client, &posted).await.map_err(sql("load what was posted to accounts"))?;
    Ok(loaded)
}

/// The lender: its staff and its products.
async fn found(client: &Client, world: &World, hash: &str) -> Result<(), Error> {
    let People { admins, agents, .. } = &world.people;
    let made_by = admins.first().map(|admin| admin.id);
    let mut audit = Vec::new();
    for (number, user) in (0_u64..).zip(admins.iter().chain(agents)) {
        let by = made_by.filter(|by| *by != user.id);
        let detail = json!({"role": user.role});
        let id = Dice::new(world.seed, Stream::StaffLog(number)).id(user.created_at.0);
        let (at, subject) = (user.created_at.0, Subject::User(user.id));
        audit.push(Audit::new(at, id, by, "user.create", &subject, detail));
    }
    let staff: Vec<_> = admins.iter().chain(agents).cloned().collect();
    copy::users(client, &staff, hash).await.map_err(Error::sql("load the staff"))?;
    for Offer { product, made, .. } in &world.offers {
        for write in products::insert(product, made_by) {
            write.run(client).await?;
        }
        let (id, at) = (*made, product.created_at.0);
        let (subject, detail) = (Subject::Product(product.code.clone()), json!({"version": product.version}));
        audit.push(Audit::new(at, id, made_by, "product.create", &subject, detail));
    }
    copy::audit(client, &audit).await.map_err(Error::sql("load the audit log"))?;
    Ok(())
}

/// Leaves figures as changes, as every command does.
async fn leave(client: &Client, figures: PortfolioDelta) -> Result<(), DbError> {
    for write in figures.changes() {
        write.run(client).await?;
    }
    Ok(())
}

type Made = Result<Leavings, Impossible>;

/// Has the threads of the machine make the loans. The first batch comes out of the first of these, the second out of
/// the second, and so on, again and again.
fn batches(world: &Arc<World>, loans: u64) -> Vec<mpsc::Receiver<Made>> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let make = |thread: usize| {
        let (sender, receiver) = mpsc::channel(1);
        let world = Arc::clone(world);
        let starts = (0..loans.div_ceil(AT_ONCE)).map(|batch| batch * AT_ONCE).skip(thread).step_by(threads);
        thread::spawn(move || {
            for start in starts {
                let made = batch(&world, start, loans.min(start + AT_ONCE));
                // The receiver is gone once the load has failed or was broken off.
                if sender.blocking_send(made).is_err() {
                    break;
                }
            }
        });
        receiver
    };
    (0..threads).map(make).collect()
}

fn batch(world: &World, start: u64, end: u64) -> Made {
    let mut leavings = Leavings::default();
    for number in start..end {
        live(world, number, &mut leavings).map_err(|Impossible(why)| Impossible(format!("loan {number}: {why}")))?;
    }
    Ok(leavings)
}

/// The life of one loan, from its application to the last day.
fn live(world: &World, number: u64, leavings: &mut Leavings) -> Result<(), Impossible> {
    let mut life = Life::begin(world, number, leavings)?;
    if life.decide()? {
        payer::repay(&mut life)?;
    }
    life.leave()
}
