//! The faults, one after the other. Each begins the clients' work, does its harm, and has what came of it judged.

use std::{
    pin::Pin,
    time::{Duration, Instant},
};

use tokio::time::sleep;

use crate::{
    endpoint::Endpoint,
    lender::{Command, PATIENCE, Write},
    load::Outcome::{Busy, Silence, Unauthenticated, Unavailable},
    postgres::{Ballast, count},
    processes::{owner_of_port, signal, until},
    stage::{Expected, LOGIN, Stage},
};

/// Something that goes wrong.
pub(crate) type Fault = for<'a> fn(&'a mut Stage) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

/// All faults by their names, in the order in which they are done where none is chosen.
pub(crate) const ALL: [(&str, Fault); 12] = [
    ("crash", |stage| Box::pin(a_database_that_crashes(stage))),
    ("restart", |stage| Box::pin(a_database_that_is_restarted(stage))),
    ("silence", |stage| Box::pin(a_database_that_falls_silent(stage))),
    ("backends", |stage| Box::pin(backends_that_are_killed(stage))),
    ("freeze", |stage| Box::pin(a_function_that_is_frozen_and_thawed(stage))),
    ("kill", |stage| Box::pin(a_function_that_is_killed_within_a_request(stage))),
    ("connections", |stage| Box::pin(connections_that_are_used_up(stage))),
    ("lock", |stage| Box::pin(loans_that_somebody_else_locks(stage))),
    ("slow", |stage| Box::pin(a_database_that_is_slow(stage))),
    ("clock", |stage| Box::pin(clocks_that_are_wrong(stage))),
    ("disk", |stage| Box::pin(a_disk_that_is_full(stage))),
    ("failover", |stage| Box::pin(a_database_that_fails_over(stage))),
];

/// How long the database is away.
const AWAY: Duration = Duration::from_secs(2);

async fn a_database_that_crashes(stage: &mut Stage) {
    let load = stage.load().await;
    stage.postgres.stop("QUIT").await;
    sleep(AWAY).await;
    let returned = stage.postgres.start().await;
    let expected = Expected { returned, must: &[Unavailable], may: &[] };
    stage.conclude("Postgres crashed and started", load, expected).await;
}

async fn a_database_that_is_restarted(stage: &mut Stage) {
    let load = stage.load().await;
    stage.postgres.stop("INT").await;
    let returned = stage.postgres.start().await;
    let expected = Expected { returned, must: &[], may: &[Unavailable] };
    stage.conclude("Postgres restarted", load, expected).await;
}

/// All its processes are frozen, so that nothing is refused and nothing answered: those who wait have to give up.
async fn a_database_that_falls_silent(stage: &mut Stage) {
    let load = stage.load().await;
    let processes = stage.postgres.pids();
    for pid in &processes {
        signal(*pid, "STOP");
    }
    sleep(Duration::from_secs(9)).await;
    for pid in processes {
        signal(pid, "CONT");
    }
    let expected = Expected { returned: Instant::now(), must: &[Unavailable], may: &[Busy] };
    stage.conclude("Postgres silent for 9 s", load, expected).await;
}

async fn backends_that_are_killed(stage: &mut Stage) {
    let owner = stage.postgres.connect().await;
    let load = stage.load().await;
    let mut killed = 0;
    for _ in 0..10 {
        killed += terminate(&owner).await;
        sleep(Duration::from_millis(200)).await;
    }
    assert!(killed > 20, "there were only {killed} backends");
    let expected = Expected { returned: Instant::now(), must: &[], may: &[Unavailable] };
    stage.conclude(&format!("{killed} backends killed in 10 rounds"), load, expected).await;
}

/// One process is frozen within a transaction, another one between two requests. Meanwhile the database closes their
/// connections.
async fn a_function_that_is_frozen_and_thawed(stage: &mut Stage) {
    let owner = stage.postgres.connect().await;
    stage.lender.admin.get("/api/users").expect(200).await;
    let load = stage.impatient_load().await;
    let holder = lock_aside(stage).await;
    let payment = stage.lender.payment(&stage.lender.aside);
    let attempt = tokio::spawn(payment.by(&stage.lender.agent).attempt(Duration::from_secs(2)));
    let connection = waiting(&owner).await;
    let busy = owner_of_port(&stage.functions.pids("servicing"), connection);
    let idle = stage.functions.pids("users")[0];
    signal(busy, "STOP");
    signal(idle, "STOP");
    holder.batch_execute("ROLLBACK").await.unwrap();
    sleep(stage.setting.freeze / 2).await;
    terminate(&owner).await;
    sleep(stage.setting.freeze / 2).await;
    signal(busy, "CONT");
    signal(idle, "CONT");
    let returned = Instant::now();
    attempt.await.unwrap().unwrap_err();
    let woken = stage.lender.admin.get("/api/users").attempt(PATIENCE).await.unwrap();
    assert_eq!(woken.status, 200, "after the freeze: {woken}");
    send_again(stage, payment, None).await;
    assert!(stage.functions.pids("servicing").contains(&busy), "the frozen process has ended");
    let expected = Expected { returned, must: &[], may: &[Unavailable, Busy, Silence] };
    stage.conclude(&format!("a function frozen for {:?}", stage.setting.freeze), load, expected).await;
}

/// A connection that holds the loan that nobody else pays.
async fn lock_aside(stage: &Stage) -> tokio_postgres::Client {
    let holder = stage.postgres.connect().await;
    let id = stage.lender.aside.strip_prefix("/api/loans/").unwrap();
    holder.batch_execute(&format!("BEGIN; SELECT FROM loans WHERE id = '{id}' FOR UPDATE")).await.unwrap();
    holder
}

/// Waits until a function waits for what the owner has locked. Returns the port of its connection.
async fn waiting(owner: &tokio_postgres::Client) -> u16 {
    let sql =
        "SELECT w.client_port FROM pg_stat_activity w JOIN pg_stat_activity h ON h.pid = ANY (pg_blocking_pids(w.pid))
        WHERE w.usename <> h.usename";
    let mut port = None;
    until("somebody waits for the lock", async || {
        port = owner.query(sql, &[]).await.unwrap().first().map(|row| row.get::<_, i32>(0));
        port.is_some()
    })
    .await;
    port.unwrap().try_into().unwrap()
}

/// All processes of the function, under load; among their requests are one that has not been committed and, the next
/// time, one that is being committed and takes effect though nobody is left to be told.
async fn a_function_that_is_killed_within_a_request(stage: &mut Stage) {
    let owner = stage.postgres.connect().await;
    let id = stage.lender.aside.strip_prefix("/api/loans/").unwrap().to_owned();
    let paid = format!("SELECT count(*) FROM transactions WHERE loan_id = '{id}' AND kind = 'repayment'");
    let before = count(&owner, &paid).await;
    let load = stage.impatient_load().await;

    let holder = lock_aside(stage).await;
    let payment = stage.lender.payment(&stage.lender.aside);
    let attempt = tokio::spawn(payment.by(&stage.lender.agent).attempt(Duration::from_secs(2)));
    waiting(&owner).await;
    stage.functions.kill("servicing");
    holder.batch_execute("ROLLBACK").await.unwrap();
    attempt.await.unwrap().unwrap_err();
    assert_eq!(count(&owner, &paid).await, before, "nobody has committed it");
    send_again(stage, payment, None).await;

    let linger = "CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER linger AFTER INSERT ON transactions DEFERRABLE INITIALLY DEFERRED FOR EACH ROW";
    let linger = format!("{linger} WHEN (NEW.loan_id = '{id}') EXECUTE FUNCTION linger()");
    owner.batch_execute(&linger).await.unwrap();
    let payment = stage.lender.payment(&stage.lender.aside);
    let attempt = tokio::spawn(payment.by(&stage.lender.agent).attempt(Duration::from_secs(2)));
    let commits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    until("the payment is being committed", async || count(&owner, commits).await > 0).await;
    stage.functions.kill("servicing");
    let returned = Instant::now();
    attempt.await.unwrap().unwrap_err();
    until("it takes effect", async || count(&owner, &paid).await == before + 2).await;
    owner.batch_execute("DROP TRIGGER linger ON transactions; DROP FUNCTION linger").await.unwrap();
    send_again(stage, payment, Some("true")).await;
    let expected = Expected { returned, must: &[], may: &[Busy, Silence] };
    stage.conclude("a function killed within requests, twice", load, expected).await;
}

/// Sends a command that nobody has acknowledged again, and expects to be told whether it had taken effect.
async fn send_again(stage: &mut Stage, command: Command, replayed: Option<&str>) {
    let reply = command.by(&stage.lender.agent).expect(201).await;
    assert_eq!(reply.optional_header("idempotency-replayed"), replayed, "{reply}");
    stage.keep(Write::new(command, reply));
}

/// Others take every connection that there may be.
async fn connections_that_are_used_up(stage: &mut Stage) {
    let owner = stage.postgres.connect().await;
    let others = "CREATE ROLE others LOGIN PASSWORD 'others'; GRANT CONNECT ON DATABASE microloans TO others";
    owner.batch_execute(others).await.unwrap();
    let load = stage.load().await;
    let mut taken = Vec::new();
    // The functions try to get back what they lost.
    until("the functions have none", async || {
        while let Ok(connection) = stage.postgres.connect_as("others", "others").await {
            taken.push(connection);
        }
        terminate(&owner).await == 0
    })
    .await;
    sleep(AWAY).await;
    let connections = taken.len();
    drop(taken);
    let left = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'others'";
    until("the others are gone", async || count(&owner, left).await == 0).await;
    let expected = Expected { returned: Instant::now(), must: &[Unavailable], may: &[] };
    stage.conclude(&format!("all {connections} connections taken by others"), load, expected).await;
    let no_others = "REVOKE CONNECT ON DATABASE microloans FROM others; DROP ROLE others";
    stage.postgres.connect().await.batch_execute(no_others).await.unwrap();
}

/// Longer than a function waits for a lock.
async fn loans_that_somebody_else_locks(stage: &mut Stage) {
    let holder = stage.postgres.connect().await;
    let load = stage.load().await;
    holder.batch_execute("BEGIN; SELECT FROM loans WHERE status = 'disbursed' FOR UPDATE").await.unwrap();
    sleep(Duration::from_secs(6)).await;
    holder.batch_execute("ROLLBACK").await.unwrap();
    let expected = Expected { returned: Instant::now(), must: &[Busy], may: &[] };
    stage.conclude("loans locked by somebody else for 6 s", load, expected).await;
}

/// A statement that takes longer than the functions' login may.
async fn a_database_that_is_slow(stage: &mut Stage) {
    let owner = stage.postgres.connect().await;
    let sleeping = |seconds: u32| {
        format!(
            "CREATE OR REPLACE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_sleep({seconds}); RETURN NULL; END $$"
        )
    };
    owner.batch_execute(&sleeping(0)).await.unwrap();
    let trigger = "CREATE TRIGGER slow AFTER INSERT ON transactions FOR EACH STATEMENT EXECUTE FUNCTION slow()";
    owner.batch_execute(trigger).await.unwrap();
    let load = stage.load().await;
    owner.batch_execute(&sleeping(60)).await.unwrap();
    sleep(Duration::from_secs(11)).await;
    owner.batch_execute(&sleeping(0)).await.unwrap();
    // Started statements would go on until their time is over.
    let asleep = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
    until("nothing is slow any more", async || count(&owner, asleep).await == 0).await;
    let expected = Expected { returned: Instant::now(), must: &[Unavailable], may: &[Busy] };
    stage.conclude("statements that take a minute, for 11 s", load, expected).await;
    owner.batch_execute("DROP TRIGGER slow ON transactions; DROP FUNCTION slow").await.unwrap();
}

/// Some processes are ten minutes ahead or behind. Those behind take tokens for issued in the future and refuse them;
/// nothing is recorded at a time that is wrong. Then all are replaced at once, as by a deployment.
async fn clocks_that_are_wrong(stage: &mut Stage) {
    let port = stage.postgres.port();
    let (ahead, behind) = ("+10m", "-10m");
    let clocks = &[("servicing", 0, "+10m"), ("servicing", 1, "-10m"), ("loans", 0, "+10m"), ("loans", 1, "-10m")];
    stage.restart(port, clocks).await;
    let load = stage.impatient_load().await;
    sleep(Duration::from_secs(3)).await;
    stage.restart(port, &[]).await;
    let expected = Expected { returned: Instant::now(), must: &[Unauthenticated], may: &[Silence] };
    stage.conclude(&format!("processes with clocks {ahead} and {behind}"), load, expected).await;
    // Ids begin with the milliseconds by the clock of the process that chose them.
    let chosen_ahead = "SELECT count(*) FROM transactions WHERE
        ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint
            > 1000 * extract(epoch FROM clock_timestamp() + interval '5 minutes')";
    let owner = stage.postgres.connect().await;
    assert!(count(&owner, chosen_ahead).await > 0, "no process was ahead");
}

/// First until a table cannot grow, then until the write-ahead log cannot, which makes Postgres crash.
async fn a_disk_that_is_full(stage: &mut Stage) {
    let ballast = Ballast::on(&stage.setting.places.disk);
    let load = stage.load().await;
    let began = Instant::now();
    while load.count(Unavailable) == 0 || began.elapsed() < AWAY {
        assert!(began.elapsed() < Duration::from_mins(1), "the disk is full, and nobody minds");
        ballast.fill();
        sleep(Duration::from_millis(50)).await;
    }
    ballast.remove();
    let returned = stage.postgres.start().await;
    let expected = Expected { returned, must: &[Unavailable], may: &[] };
    stage.conclude("the disk full", load, expected).await;

    let owner = stage.postgres.connect().await;
    let load = stage.load().await;
    let began = Instant::now();
    while !owner.is_closed() {
        assert!(began.elapsed() < Duration::from_mins(1), "the log always finds room");
        ballast.fill();
        // It fails at last, with the server.
        let _ = owner.batch_execute("SELECT pg_switch_wal()").await;
        sleep(Duration::from_millis(50)).await;
    }
    sleep(AWAY).await;
    ballast.remove();
    let returned = stage.postgres.start().await;
    let expected = Expected { returned, must: &[Unavailable], may: &[] };
    stage.conclude("the disk full, and Postgres crashed for want of log", load, expected).await;
}

/// The server crashes; its follower, on another port, first answers without taking writes, and then takes over.
async fn a_database_that_fails_over(stage: &mut Stage) {
    let follower = stage.postgres.follower().await;
    let endpoint = Endpoint::to(stage.postgres.port()).await;
    stage.restart(endpoint.port(), &[]).await;
    let load = stage.load().await;
    stage.postgres.stop("QUIT").await;
    sleep(AWAY / 2).await;
    endpoint.lead_to(follower.port());
    sleep(AWAY / 2).await;
    let returned = follower.promote().await;
    std::mem::replace(&mut stage.postgres, follower).remove();
    let expected = Expected { returned, must: &[Unavailable], may: &[] };
    stage.conclude("Postgres failed over to another port", load, expected).await;
}

/// Ends every connection of the functions; returns how many there were.
async fn terminate(owner: &tokio_postgres::Client) -> i64 {
    let sql = format!("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = '{LOGIN}'");
    count(owner, &sql).await
}
