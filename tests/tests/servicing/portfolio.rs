//! Figures of the whole portfolio: of any day, while others write, and what the scheduled function makes of them.

use backend::store::portfolio::ADD_UP_EVERY;
use serde_json::{Value, json};
use tests::Reply;

use crate::world::World;

/// The statistics of a day, as the interface gives them.
async fn statistics(world: &World, as_of: &str) -> Reply {
    world.get(&format!("/api/stats?as_of={as_of}")).await
}

/// A lender with loans in every state that money leads to, entered late and out of order.
async fn book(world: &World) -> Vec<String> {
    let late_fee = json!({"grace_days": 3, "kind": "flat", "value": "5"});
    let terms = || json!({"interest_rate_apr": "24", "instalments": 6, "late_fee": late_fee});
    let mut paths = Vec::new();
    for (n, on) in ["2024-01-15", "2024-02-29", "2024-03-31", "2024-03-31", "2024-05-01"].into_iter().enumerate() {
        let path = world.disbursed("1200", terms(), on).await;
        if n != 0 {
            world.pay(&path, "214.23", "2024-06-10").await;
            world.pay(&path, "100", "2024-05-10").await;
        }
        paths.push(path);
    }
    let late = world.pay(&paths[1], "300", "2024-04-01").await;
    world.reverse(&paths[1], &late).expect(201).await;
    let settlement = world.get(&format!("{}/settlement?on=2024-07-01", paths[2])).await.text_of("total");
    world.pay(&paths[2], &settlement, "2024-07-01").await;
    world.send(&paths[3], "write-off", json!({"on": "2024-09-30", "reason": "gone"})).expect(201).await;
    world.pay(&paths[3], "50", "2024-10-15").await;
    let charge = json!({"code": "visit", "kind": "fee", "amount": "30", "due_on": "2024-08-20"});
    world.send(&paths[4], "charges", charge).expect(201).await;
    paths.push(world.approved("500", "EUR", json!({"interest_rate_apr": "0", "instalments": 5})).await);
    paths
}

/// For any day, past or to come, the statistics are what the loans are that day.
#[tokio::test]
async fn the_statistics_of_any_day_are_the_sums_of_its_loans() {
    let world = World::new().await;
    let paths = book(&world).await;
    let today = world.app.today().to_string();
    for folded in [false, true] {
        if folded {
            stats::run(&world.app.db, &world.app.zone).await.unwrap();
        }
        for day in [
            "2024-01-14",
            "2024-01-15",
            "2024-02-15",
            "2024-02-16",
            "2024-03-31",
            "2024-05-10",
            "2024-06-10",
            "2024-06-30",
            "2024-07-01",
            "2024-09-29",
            "2024-09-30",
            "2024-12-31",
            &today,
            "2100-01-01",
        ] {
            let (mut loans, mut outstanding, mut past_due) = (0, 0, 0);
            let mut by_status = std::collections::BTreeMap::new();
            for path in &paths {
                let loan = world.admin.get(&format!("{path}?as_of={day}")).send().await;
                if loan.status == 404 {
                    continue;
                }
                loans += 1;
                *by_status.entry(loan.text_of("status")).or_insert(0) += 1;
                outstanding += cents(&loan["outstanding"]);
                if loan["status"] == "disbursed" {
                    past_due += past_due_on(&world, path, day).await;
                }
            }
            let shown = statistics(&world, day).await;
            assert_eq!(shown["total_loans"], loans, "{day}");
            for (status, count) in &by_status {
                assert_eq!(shown["by_status"][status], *count, "{day} {status}");
            }
            let euro = &shown["by_currency"]["EUR"];
            if loans == 0 {
                assert_eq!(*euro, Value::Null, "{day}");
                continue;
            }
            assert_eq!(cents(&euro["outstanding"]), outstanding, "{day}");
            assert_eq!(cents(&euro["past_due"]), past_due, "{day}");
        }
    }
    crate::books::are_right(&world).await;
}

fn cents(amount: &Value) -> i64 {
    amount.as_str().unwrap().replace('.', "").parse().unwrap()
}

/// Principal, interest and fees of a loan that have fallen due before a day and are unpaid then. Only what has fallen
/// due has penalties.
async fn past_due_on(world: &World, path: &str, day: &str) -> i64 {
    let schedule = world.get(&format!("{path}/schedule?as_of={day}")).await;
    let rows = schedule["rows"].as_array().unwrap();
    let unpaid = rows.iter().filter(|row| row["due_on"].as_str().unwrap() < day).map(|row| cents(&row["outstanding"]));
    let transactions = world.get(&format!("{path}/transactions?as_of={day}&limit=200")).await;
    let paid =
        transactions.list().iter().filter(|paid| paid["reversed_by"].is_null() && paid["allocation"].is_object());
    let penalties = rows.iter().map(|row| cents(&row["penalties"])).sum::<i64>()
        - paid.map(|paid| cents(&paid["allocation"]["penalty"])).sum::<i64>();
    unpaid.sum::<i64>() - penalties
}

/// Whoever writes while the scheduled function adds up is counted once, before and after.
#[tokio::test]
async fn what_commits_after_the_scheduled_function_began_is_counted_once() {
    let world = World::new().await;
    let path = world.plain().await;
    let today = world.app.today().to_string();
    let loans = async || statistics(&world, &today).await["total_loans"].clone();
    let late = world.application().await;
    let change =
        "INSERT INTO book_changes (on_date, currency, status, loans, amount, disbursed, repaid, outstanding, past_due)
        VALUES ('2024-01-15', 'EUR', 'disbursed', 1, 100, 100, 0, 100, 0)";
    late.batch_execute(&format!("BEGIN; {change}")).await.unwrap();
    stats::run(&world.app.db, &world.app.zone).await.unwrap();
    assert_eq!(loans().await, 1);
    // One that begins later and ends before.
    world.plain().await;
    stats::run(&world.app.db, &world.app.zone).await.unwrap();
    assert_eq!(loans().await, 2);
    late.batch_execute("COMMIT").await.unwrap();
    assert_eq!(loans().await, 3);
    // Two at once, and once more: nothing is counted twice.
    let (a, b) = tokio::join!(stats::run(&world.app.db, &world.app.zone), stats::run(&world.app.db, &world.app.zone));
    a.and(b).unwrap();
    stats::run(&world.app.db, &world.app.zone).await.unwrap();
    assert_eq!(loans().await, 3);
    // The change that no loan stands behind is what the check finds, in the day it was left for.
    let found = stats::check(&world.app.db, &world.app.zone).await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].of.contains("2024-01-15"), "{found:?}");
    world.get(&path).await;
}

/// A lender whose scheduled function does not run has fast figures all the same.
#[tokio::test]
async fn one_of_so_many_commands_adds_up_what_the_others_left() {
    let world = World::new().await;
    let path = world.plain().await;
    let summed = async || world.count("SELECT count(*) FROM book_days").await;
    let mut commands = 0;
    while summed().await == 0 {
        world.pay(&path, "1", "2024-02-15").await;
        commands += 1;
        assert!(commands <= ADD_UP_EVERY, "none of {commands} commands has added up");
    }
    assert!(commands > ADD_UP_EVERY / 2, "{commands}");
    // All that was there, and what the command itself left.
    for table in ["book_changes", "exposure_changes", "agent_changes", "account_changes"] {
        assert_eq!(world.count(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
    crate::books::are_right(&world).await;
}

/// Whoever makes the figures again holds their tables, and whoever adds up holds a lock: a command waits for neither.
#[tokio::test]
async fn a_command_that_adds_up_waits_for_nobody() {
    let world = World::new().await;
    world.plain().await;
    let (holder, command) = (world.application().await, world.application().await);
    let more = async || command.query_one("SELECT add_up(1)", &[]).await.unwrap().get::<_, bool>(0);
    for lock in ["LOCK TABLE book_days IN EXCLUSIVE MODE", stats::LOCK] {
        holder.batch_execute(&format!("BEGIN; {lock}")).await.unwrap();
        assert!(!more().await, "{lock}");
        assert_eq!(world.count("SELECT count(*) FROM book_days").await, 0, "{lock}");
        holder.batch_execute("ROLLBACK").await.unwrap();
    }
    assert!(more().await, "there is more than one change");
    assert_eq!(world.count("SELECT count(*) FROM book_days").await, 1);
}

/// A figure of any day is that of its days alone, with marks and without, also after changes of days long past.
#[tokio::test]
async fn totals_before_a_mark_follow_changes_of_days_before_it() {
    let world = World::new().await;
    let path = world.plain().await;
    stats::run(&world.app.db, &world.app.zone).await.unwrap();
    let marks = "SELECT count(*) FROM book_marks";
    assert!(world.count(marks).await > 50, "every eighth day since January 2024");
    world.pay(&path, "100", "2024-02-20").await;
    world.plain().await;
    stats::run(&world.app.db, &world.app.zone).await.unwrap();
    crate::books::are_right(&world).await;
    let days = ["2024-01-14", "2024-01-15", "2024-02-19", "2024-02-20", "2024-02-21", "2025-03-01", "2090-01-01"];
    let mut with_marks = Vec::new();
    for day in days {
        with_marks.push(statistics(&world, day).await.body);
    }
    world.owner.batch_execute("DELETE FROM book_marks").await.unwrap();
    for (day, expected) in days.into_iter().zip(with_marks) {
        assert_eq!(statistics(&world, day).await.body, expected, "{day}");
    }
}

/// Removes all figures, as in a database that had loans before it had figures.
const NO_FIGURES: &str = "TRUNCATE book_changes, book_days, book_months, exposure_changes, exposures, agent_changes,
    agent_days, account_changes, account_days, account_months, figures_builds";

#[tokio::test]
async fn the_first_run_on_an_old_database_makes_the_figures() {
    let world = World::new().await;
    book(&world).await;
    let today = world.app.today().to_string();
    let before = statistics(&world, &today).await.body;
    world.owner.batch_execute(NO_FIGURES).await.unwrap();
    assert_eq!(statistics(&world, &today).await["total_loans"], 0);
    assert!(!stats::check(&world.app.db, &world.app.zone).await.unwrap().is_empty());
    // Two deliveries at once, too.
    let (a, b) = tokio::join!(stats::run(&world.app.db, &world.app.zone), stats::run(&world.app.db, &world.app.zone));
    a.and(b).unwrap();
    assert_eq!(statistics(&world, &today).await.body, before);
    crate::books::are_right(&world).await;
    // Later runs do not make them again.
    let builds = world.count("SELECT count(*) FROM figures_builds").await;
    stats::run(&world.app.db, &world.app.zone).await.unwrap();
    assert_eq!(world.count("SELECT count(*) FROM figures_builds").await, builds);
}

/// Changes by commands during a rebuild of the figures count once: visible commands with their effects, and later
/// commits with theirs.
#[tokio::test]
async fn figures_are_made_anew_while_others_write() {
    let world = World::new().await;
    world.plain().await;
    let today = world.app.today().to_string();
    let loans = async || statistics(&world, &today).await["total_loans"].clone();
    let change =
        "INSERT INTO book_changes (on_date, currency, status, loans, amount, disbursed, repaid, outstanding, past_due)
        VALUES ('2024-01-15', 'EUR', 'disbursed', 1, 100, 100, 0, 100, 0)";
    // A change that no loan stands behind goes, be it moved into the sums or not.
    let (wrong, late) = (world.application().await, world.application().await);
    wrong.batch_execute(change).await.unwrap();
    stats::run(&world.app.db, &world.app.zone).await.unwrap();
    wrong.batch_execute(change).await.unwrap();
    assert_eq!(loans().await, 3);
    // One that is open all the while stays.
    late.batch_execute(&format!("BEGIN; {change}")).await.unwrap();
    assert_eq!(stats::rebuild(&world.app.db, &world.app.zone).await.unwrap(), 1);
    assert_eq!(loans().await, 1);
    late.batch_execute("COMMIT").await.unwrap();
    assert_eq!(loans().await, 2);

    // Loans are made and paid, changes are moved and figures rebuilt, all at once.
    let write = async || {
        for _ in 0..4 {
            let path = world.plain().await;
            world.pay(&path, "200", "2024-02-15").await;
        }
    };
    let rebuild = async || {
        for _ in 0..4 {
            stats::rebuild(&world.app.db, &world.app.zone).await.unwrap();
            stats::run(&world.app.db, &world.app.zone).await.unwrap();
        }
    };
    tokio::join!(write(), write(), rebuild(), rebuild());
    crate::books::are_right(&world).await;
}

/// Each day that was missed is kept, as the book was that day; what is kept stays when more becomes known of it.
#[tokio::test]
async fn the_series_has_every_day_since_the_first_and_is_not_rewritten() {
    let world = World::new().await;
    let path = world.plain().await;
    world.pay(&path, "200", "2024-02-15").await;
    let report = stats::run(&world.app.db, &world.app.zone).await.unwrap();
    let days = world.count("SELECT count(*) FROM statistics_snapshots").await;
    assert_eq!(i64::try_from(report.days).unwrap(), days);
    assert_eq!(days, world.count("SELECT (current_date - '2024-01-15')::bigint + 1").await);
    let of = async |query: &str| world.get(&format!("/api/stats/history?{query}")).await;
    let outstanding = |reply: &Reply| {
        let figures = |day: &Value| {
            format!("{} {}", day["as_of"].as_str().unwrap(), day["by_currency"]["EUR"]["outstanding"].as_str().unwrap())
        };
        reply.list().iter().map(figures).collect::<Vec<_>>()
    };
    assert_eq!(outstanding(&of("from=2024-02-14&to=2024-02-15").await), ["2024-02-15 1000.00", "2024-02-14 1200.00"]);
    let months = of("from=2024-01-01&to=2024-03-10&interval=month").await;
    assert_eq!(outstanding(&months), ["2024-03-10 1000.00", "2024-02-29 1000.00", "2024-01-31 1200.00"]);
    let weeks = of("from=2024-02-05&to=2024-02-20&interval=week").await;
    assert_eq!(outstanding(&weeks), ["2024-02-20 1000.00", "2024-02-18 1000.00", "2024-02-11 1200.00"]);
    for interval in ["day", "week", "month"] {
        let query = format!("/api/stats/history?from=2024-01-15&to=2024-04-20&interval={interval}");
        assert_eq!(
            world.admin.walk(&format!("{query}&limit=7")).await,
            world.get(&format!("{query}&limit=200")).await.list()
        );
    }
    world.admin.get("/api/stats/history?from=2024-02-01&to=2024-01-01").invalid(&[("/from", "after_end")]).await;
    world.admin.get("/api/stats/history?interval=year").invalid(&[("/interval", "unknown_value")]).await;

    world.pay(&path, "200", "2024-02-14").await;
    let again = stats::run(&world.app.db, &world.app.zone).await.unwrap();
    assert!(again.days <= 2, "{}", again.days);
    assert_eq!(outstanding(&of("from=2024-02-14&to=2024-02-15").await), ["2024-02-15 1000.00", "2024-02-14 1200.00"]);
    assert_eq!(statistics(&world, "2024-02-14").await["by_currency"]["EUR"]["outstanding"], "1000.00");
}

#[tokio::test]
async fn arrears_age_by_the_oldest_unpaid_instalment() {
    let world = World::new().await;
    let today = world.app.today();
    for days in [0, 1, 29, 30, 60, 89, 90] {
        // Due one day after the disbursement, and that so many days ago.
        let terms = json!({"interest_rate_apr": "0", "instalments": 2, "repay_unit": "day"});
        let on = today.checked_sub(jiff::Span::new().days(days + 1)).unwrap();
        let path = world.disbursed("100", terms, &on.to_string()).await;
        if days == 0 {
            continue;
        }
        // The second instalment is a day younger.
        world.pay(&path, "10", &on.to_string()).await;
    }
    for folded in [false, true] {
        if folded {
            stats::run(&world.app.db, &world.app.zone).await.unwrap();
        }
        let arrears = world.get("/api/portfolio/arrears").await;
        let group = &arrears.body[0];
        assert_eq!([&group["group"], &group["currency"], &group["outstanding"]], ["EUR", "EUR", "640.00"]);
        assert_eq!(group["loans"], 7);
        let of = |name: &str| json!([group[name]["loans"], group[name]["amount"], group[name]["share"]]);
        assert_eq!(of("par1"), json!([6, "540.00", "0.8438"]));
        assert_eq!(of("par30"), json!([4, "360.00", "0.5625"]));
        assert_eq!(of("par60"), json!([3, "270.00", "0.4219"]));
        assert_eq!(of("par90"), json!([1, "90.00", "0.1406"]));
        let by_agent = world.get("/api/portfolio/arrears?group_by=agent").await;
        assert_eq!(by_agent.body[0]["group"], world.agent.id.to_string());
        assert_eq!(world.get("/api/portfolio/arrears?group_by=product").await.body.as_array().unwrap().len(), 7);
    }
    world.customer.get("/api/portfolio/arrears").refused(403, "forbidden").await;
}

#[tokio::test]
async fn arrears_come_a_page_of_groups_at_a_time() {
    let world = World::new().await;
    let terms = json!({"interest_rate_apr": "0", "instalments": 1, "repay_unit": "day"});
    for _ in 0..5 {
        world.disbursed("100", terms.clone(), "2024-01-02").await;
    }
    let path = "/api/portfolio/arrears?group_by=product";
    let all = world.get(path).await;
    assert_eq!(all.body.as_array().unwrap().len(), 5);
    assert!(all.optional_header("link").is_none());
    for accept in ["application/json", "text/csv"] {
        let (mut next, mut pages, mut groups) = (format!("{path}&limit=2"), 0, Vec::new());
        loop {
            let page = world.admin.get(&next).header("accept", accept).expect(200).await;
            if accept == "text/csv" {
                groups.extend(page.text.lines().skip(1).map(|line| line.split(',').next().unwrap().to_owned()));
            } else {
                groups.extend(
                    page.body.as_array().unwrap().iter().map(|group| group["group"].as_str().unwrap().to_owned()),
                );
            }
            pages += 1;
            let Some(link) = page.optional_header("link") else { break };
            next = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned();
        }
        let expected: Vec<_> =
            all.body.as_array().unwrap().iter().map(|group| group["group"].as_str().unwrap()).collect();
        assert_eq!((pages, groups), (3, expected.into_iter().map(str::to_owned).collect()), "{accept}");
    }
    world.admin.get("/api/portfolio/arrears?limit=201").invalid(&[("/limit", "out_of_range")]).await;
    world.admin.get("/api/portfolio/arrears?cursor=none").refused(400, "bad_cursor").await;
}

#[tokio::test]
async fn collections_are_what_is_due_then_or_was_before() {
    let world = World::new().await;
    let (first, second) = (world.plain().await, world.plain().await);
    world.pay(&second, "250", "2024-02-15").await;
    let id = |path: &str| json!(path.strip_prefix("/api/loans/").unwrap());
    let list = async |query: &str| {
        let list = world.get(&format!("/api/collections?{query}")).await;
        let row = |row: &Value| json!([row["loan_id"], row["due"], row["overdue"], row["days_past_due"]]);
        list.list().iter().map(row).collect::<Vec<_>>()
    };
    assert_eq!(list("on=2024-02-14").await, [] as [Value; 0]);
    assert_eq!(list("on=2024-02-15").await, [json!([id(&first), "200.00", "0.00", 0])]);
    assert_eq!(
        list("on=2024-03-15").await,
        [json!([id(&second), "150.00", "0.00", 0]), json!([id(&first), "200.00", "200.00", 29])]
    );
    assert_eq!(list("on=2024-03-16").await[1], json!([id(&second), "0.00", "150.00", 1]));
    let query = "/api/collections?on=2024-03-15";
    assert_eq!(world.admin.walk(&format!("{query}&limit=1")).await, world.get(query).await.list());
    // An agent collects its own; nobody else's.
    assert_eq!(world.agent.get(query).expect(200).await.list().len(), 2);
    let other = world.api.agent("other.agent").await;
    assert_eq!(other.get(query).expect(200).await.list().len(), 0);
    other.get(&format!("{query}&agent_id={}", world.agent.id)).refused(403, "forbidden").await;
    assert_eq!(world.get(&format!("{query}&agent_id={}", other.id)).await.list().len(), 0);
    assert_eq!(world.get(&format!("{query}&agent_id={}", world.agent.id)).await.list().len(), 2);
    world.customer.get(query).refused(403, "forbidden").await;
}

/// First-time collections come first, then the late ones, the longest first; page by page, too.
#[tokio::test]
async fn collections_are_those_that_are_due_and_then_the_longest_overdue() {
    let world = World::new().await;
    // Paid up to the day before, not paid at all, paid up to the second instalment.
    let mut expected: [Vec<Value>; 3] = Default::default();
    for number in 0..12 {
        let path = world.plain().await;
        let group = match number % 12 {
            0 | 3 | 6 | 8 | 10 => 2,
            1 | 4 | 7 | 9 | 11 => 0,
            _ => 1,
        };
        let paid = [400, 0, 200][group];
        if paid > 0 {
            world.pay(&path, &paid.to_string(), "2024-02-15").await;
        }
        expected[group].push(json!(path.strip_prefix("/api/loans/").unwrap()));
    }
    for ids in &mut expected {
        ids.sort_by_key(|id| id.as_str().unwrap().to_owned());
    }
    let on = "/api/collections?on=2024-04-15";
    let ids = |rows: &[Value]| rows.iter().map(|row| row["loan_id"].clone()).collect::<Vec<_>>();
    let list = world.get(on).await;
    assert_eq!(ids(list.list()), expected.concat());
    let row = &list.list()[0];
    assert_eq!((&row["full_name"], &row["phone"]), (&Value::Null, &json!("+15550100001")), "{row}");
    for (bucket, expected) in [("due", expected[0].clone()), ("overdue", expected[1..].concat())] {
        let query = format!("{on}&bucket={bucket}");
        assert_eq!(ids(world.get(&query).await.list()), expected, "{bucket}");
        for limit in [1, 2, 5, 7] {
            assert_eq!(ids(&world.admin.walk(&format!("{query}&limit={limit}")).await), expected, "{bucket} {limit}");
        }
    }
    for limit in [1, 2, 4, 5, 6, 11, 12] {
        let walked = world.admin.walk(&format!("{on}&limit={limit}")).await;
        assert_eq!(ids(&walked), expected.concat(), "{limit}");
    }
    world.admin.get(&format!("{on}&bucket=late")).expect(422).await;
}

/// The fields of a page that these tests compare.
async fn collected(world: &World, query: &str) -> Vec<Value> {
    let list = world.get(&format!("/api/collections?{query}")).await;
    let row = |row: &Value| {
        json!([row["loan_id"], row["due"], row["overdue"], row["penalties"], row["due_since"], row["days_past_due"]])
    };
    list.list().iter().map(row).collect()
}

/// Late fees are collected from the day on which they fall due, though nobody does anything that day.
#[tokio::test]
async fn collections_bring_late_fees_as_they_arise() {
    let world = World::new().await;
    let terms = json!({"interest_rate_apr": "0", "instalments": 3,
        "late_fee": {"grace_days": 5, "kind": "percent_of_overdue", "value": "2", "max_times": 2}});
    let path = world.disbursed("600", terms, "2024-01-15").await;
    let id = path.strip_prefix("/api/loans/").unwrap();
    let is = async |on: &str, due: &str, overdue: &str, penalties: &str, days: u32| {
        let expected = json!([id, due, overdue, penalties, "2024-02-15", days]);
        assert_eq!(collected(&world, &format!("on={on}")).await, [expected], "{on}");
    };
    // 200.00 on 15 February, March and April; of each 4.00 six days later, and once more a month after that.
    is("2024-02-20", "0.00", "200.00", "0.00", 5).await;
    is("2024-02-21", "4.00", "200.00", "4.00", 6).await;
    is("2024-02-22", "0.00", "204.00", "4.00", 7).await;
    is("2024-03-15", "200.00", "204.00", "4.00", 29).await;
    is("2024-03-21", "8.00", "404.00", "12.00", 35).await;
    is("2030-01-01", "0.00", "624.00", "24.00", 2147).await;
    // A waived amount is not owed, and payments in time bear no more.
    let waiver = json!({"component": "penalty", "amount": "1.50", "on": "2024-02-22", "reason": "r"});
    world.send(&path, "waivers", waiver).expect(201).await;
    is("2024-02-22", "0.00", "202.50", "2.50", 7).await;
    let charge = json!({"code": "c", "kind": "penalty", "amount": "7", "due_on": "2024-02-23"});
    world.send(&path, "charges", charge).expect(201).await;
    is("2024-02-23", "7.00", "202.50", "9.50", 8).await;
    world.pay(&path, "202.50", "2024-02-22").await;
    assert_eq!(collected(&world, "on=2024-02-22").await, [] as [Value; 0]);
    assert_eq!(collected(&world, "on=2024-02-23").await, [json!([id, "7.00", "0.00", "7.00", "2024-02-23", 0])]);
    crate::books::are_right(&world).await;
}

/// A loan of which nothing but a penalty is unpaid is collected, and no day past due; page by page with the others.
#[tokio::test]
async fn a_loan_that_owes_nothing_but_a_penalty_is_collected() {
    let world = World::new().await;
    let terms = json!({"interest_rate_apr": "0", "instalments": 1, "allocation": "overdue_interest_first",
        "late_fee": {"grace_days": 5, "kind": "flat", "value": "4", "max_times": 1}});
    let path = world.disbursed("200", terms, "2024-01-15").await;
    world.pay(&path, "200", "2024-02-22").await;
    assert_eq!(world.get(&path).await["days_past_due"], 0);
    let id = path.strip_prefix("/api/loans/").unwrap();
    let (before, after) = (world.plain().await, world.plain().await);
    world.pay(&after, "200", "2024-02-15").await;
    let ids = [&before, &path, &after].map(|path| json!(path.strip_prefix("/api/loans/").unwrap()));
    for agent in [String::new(), format!("&agent_id={}", world.agent.id)] {
        let due = collected(&world, &format!("on=2024-02-21&bucket=due{agent}")).await;
        assert_eq!(due, [json!([id, "4.00", "0.00", "4.00", "2024-02-21", 0])]);
        let overdue = collected(&world, &format!("on=2024-02-22&bucket=overdue{agent}")).await;
        assert_eq!(overdue[1], json!([id, "0.00", "4.00", "4.00", "2024-02-21", 0]));
        assert_eq!(collected(&world, &format!("on=2024-02-22&bucket=due{agent}")).await, [] as [Value; 0]);
        let walked = world.admin.walk(&format!("/api/collections?on=2024-04-16&limit=1{agent}")).await;
        assert_eq!(walked.iter().map(|row| row["loan_id"].clone()).collect::<Vec<_>>(), ids);
    }
    world.pay(&path, "4", "2024-02-23").await;
    assert_eq!(world.get(&path).await["status"], "repaid");
    assert_eq!(collected(&world, "on=2024-02-22&bucket=overdue").await.len(), 1);
    crate::books::are_right(&world).await;
}

#[tokio::test]
async fn an_agents_performance_is_its_loans() {
    let world = World::new().await;
    let path = world.plain().await;
    let paid = world.pay(&path, "200", "2024-02-15").await;
    world.pay(&path, "150", "2024-03-15").await;
    let reject = async |amount: &str| {
        let body = json!({"borrower_id": world.customer.id, "amount": amount, "currency": "INR", "term_months": 6});
        let loan = world.agent.post("/api/loans").json(body).expect(201).await.text_of("id");
        world
            .admin
            .post(&format!("/api/loans/{loan}/reject"))
            .if_match(1)
            .json(json!({"reason": "no"}))
            .expect(200)
            .await;
    };
    reject("1000").await;
    let today = world.app.today();
    let of = async |query: &str| world.agent.get(&format!("/api/agents/me/performance{query}")).expect(200).await;
    for folded in [false, true] {
        if folded {
            stats::run(&world.app.db, &world.app.zone).await.unwrap();
        }
        let all = of("").await;
        assert_eq!(
            [&all["agent_id"], &all["requests"], &all["approval_rate"]],
            [&json!(world.agent.id), &json!(2), &json!("0.5000")]
        );
        let euro = &all["by_currency"]["EUR"];
        assert_eq!([&euro["disbursed"], &euro["collected"], &euro["approval_rate"]], ["1200.00", "350.00", "1.0000"]);
        assert_eq!(euro["par30"], json!({"amount": "850.00", "share": "1.0000", "loans": 1}));
        assert_eq!(all["by_currency"]["INR"]["approval_rate"], "0.0000");
        let march = of("?from=2024-03-01&to=2024-03-31").await;
        assert_eq!([&march["requests"], &march["approval_rate"]], [&json!(0), &json!(null)]);
        let euro = &march["by_currency"]["EUR"];
        assert_eq!([&euro["disbursed"], &euro["collected"]], ["0.00", "150.00"]);
    }
    world.reverse(&path, &paid).expect(201).await;
    assert_eq!(of("").await["by_currency"]["EUR"]["collected"], "150.00");
    let tomorrow = today.tomorrow().unwrap();
    world.agent.get(&format!("/api/agents/me/performance?from={tomorrow}")).invalid(&[("/from", "after_end")]).await;
    let other = world.api.agent("other.agent").await;
    other.get(&format!("/api/agents/{}/performance", world.agent.id)).refused(403, "forbidden").await;
    let empty = other.get("/api/agents/me/performance").expect(200).await;
    assert_eq!([&empty["requests"], &empty["by_currency"]], [&json!(0), &json!({})]);
    world.admin.get("/api/agents/me/performance").refused(404, "not_found").await;
    world.admin.get(&format!("/api/agents/{}/performance", world.customer.id)).refused(404, "not_found").await;
    world.get(&format!("/api/agents/{}/performance", world.agent.id)).await;
    crate::books::are_right(&world).await;
}
