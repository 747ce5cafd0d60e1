//! Lists of loans: every filter with every other and every sort, against the same done in memory; pages without gaps or
//! repeats; dates that include their whole last day.

use std::cmp::Ordering;
use std::fmt::Write as _;

use backend::domain::loan::{Loan, LoanStatus};
use jiff::{Timestamp, ToSpan, civil::date, tz::TimeZone};
use lending::Money;
use serde_json::Value;
use tests::{ApiOptions, User};

use crate::world::{NewLoan, World, currency};

/// A small generator of numbers that only look random (Knuth's MMIX), so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % u64::try_from(bound).unwrap()).unwrap()
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn ids(loans: &[Value]) -> Vec<String> {
    loans.iter().map(|loan| loan["id"].as_str().unwrap().to_owned()).collect()
}

async fn a_book_of_loans(world: &World, borrowers: &[User], agents: &[User], dice: &mut Dice) -> Vec<Loan> {
    let mut loans = Vec::new();
    for _ in 0..60 {
        let (product, amounts) = *dice.pick(&[
            ("microloan-inr", ["100", "100.50", "2500"]),
            ("home", ["100", "2500", "90000"]),
            ("microloan-kes", ["100", "100.50", "2500"]),
            ("microloan-vnd", ["100", "2500", "50000"]),
        ]);
        // Few moments, so that many loans share one and their ids decide.
        let at = instant("2026-03-01T00:00:00Z") + (12 * i64::try_from(dice.below(12)).unwrap()).hours();
        let agent = Some(dice.pick(agents)).filter(|_| at.as_second() % 5 != 0);
        let (borrower, amount) = (dice.pick(borrowers), *dice.pick(&amounts));
        let loan = world.insert(NewLoan { borrower, agent, product, amount, at }).await;
        let later = at + (24 * i64::try_from(dice.below(5)).unwrap()).hours();
        loans.push(match dice.below(4) {
            0 => world.decide(&loan, LoanStatus::Approved, later).await,
            1 => world.decide(&loan, LoanStatus::Rejected, later).await,
            _ => loan,
        });
    }
    loans
}

/// One way to narrow or sort a list: how it is asked for, and what it means.
type Keep = Box<dyn Fn(&Loan) -> bool>;

struct Query {
    text: String,
    keep: Vec<Keep>,
    has_currency: bool,
}

impl Query {
    fn add(&mut self, text: &str, keep: impl Fn(&Loan) -> bool + 'static) {
        self.text.push_str(text);
        self.keep.push(Box::new(keep));
    }

    fn random(dice: &mut Dice, borrowers: &[User], agents: &[User]) -> Self {
        let mut query = Self { text: "?".into(), keep: Vec::new(), has_currency: false };
        if dice.below(2) == 0 {
            let (text, wanted) = *dice.pick(&[
                ("approved", &[LoanStatus::Approved][..]),
                ("NEW", &[LoanStatus::Pending]),
                ("pending,Rejected", &[LoanStatus::Pending, LoanStatus::Rejected]),
                ("", &LoanStatus::ALL),
                ("repaid", &[LoanStatus::Repaid]),
            ]);
            query.add(&format!("status={text}&"), move |loan| wanted.contains(&loan.status));
        }
        if dice.below(3) == 0 {
            let borrower = dice.pick(borrowers).clone();
            let name = if dice.below(2) == 0 { borrower.id.to_string() } else { borrower.username.to_uppercase() };
            query.add(&format!("borrower_id={name}&"), move |loan| loan.borrower_id == borrower.id);
        }
        if dice.below(3) == 0 {
            // The list is read by the first agent.
            let agent = dice.pick(agents).clone();
            let name = if agent.id == agents[0].id { "me".into() } else { agent.username.clone() };
            query.add(&format!("agent_id={name}&"), move |loan| loan.agent_id == Some(agent.id));
        }
        if dice.below(4) == 0 {
            let product = *dice.pick(&["microloan-inr", "home", "none"]);
            query.add(&format!("product={product}&"), move |loan| loan.product == product);
        }
        let day = |dice: &mut Dice| date(2026, 3, 1) + i64::try_from(dice.below(10)).unwrap().days();
        let start = |day: jiff::civil::Date| day.to_zoned(TimeZone::UTC).unwrap().timestamp();
        for (name, of) in
            [("created", (|loan| loan.created_at) as fn(&Loan) -> Timestamp), ("updated", |loan| loan.updated_at)]
        {
            let from = day(dice);
            if dice.below(4) == 0 {
                query.add(&format!("{name}_from={from}&"), move |loan| of(loan) >= start(from));
            }
            if dice.below(4) == 0 {
                let to = from + i64::try_from(dice.below(5)).unwrap().days();
                query.add(&format!("{name}_to={to}&"), move |loan| of(loan) < start(to + 1.day()));
            }
        }
        if dice.below(2) == 0 {
            let code = *dice.pick(&["INR", "KES", "VND"]);
            query.has_currency = true;
            query.add(&format!("currency={code}&"), move |loan| loan.amount.currency().code() == code);
            let amount = |text: &str| Money::parse(text, currency(code)).unwrap();
            if dice.below(3) == 0 {
                let least = amount("101");
                query.add("min_amount=101&", move |loan| loan.amount >= least);
            }
            if dice.below(3) == 0 {
                let most = amount("2500");
                query.add("max_amount=2500&", move |loan| loan.amount <= most);
            }
        }
        query
    }
}

fn compare(sort: &str, a: &Loan, b: &Loan) -> Ordering {
    let ascending = match sort.trim_start_matches('-') {
        "created_at" => a.created_at.cmp(&b.created_at),
        "updated_at" => a.updated_at.cmp(&b.updated_at),
        _ => a.amount.to_decimal().cmp(&b.amount.to_decimal()),
    };
    let ascending = ascending.then(a.id.cmp(&b.id));
    if sort.starts_with('-') { ascending.reverse() } else { ascending }
}

#[tokio::test]
async fn filters_and_sorts_combine_in_every_way() {
    let world = World::new().await;
    let borrowers = [world.customer.clone(), world.api.customer("second").await, world.api.customer("third").await];
    let agents = [world.agent.clone(), world.api.agent("other.agent").await];
    let mut dice = Dice(20_261_121);
    let loans = a_book_of_loans(&world, &borrowers, &agents, &mut dice).await;
    let callers = [&agents[0], &agents[0], &borrowers[1]];
    let (mut found, mut several) = (0, 0);
    for _ in 0..250 {
        let mut query = Query::random(&mut dice, &borrowers, &agents);
        let sorts: &[&str] = &["", "-created_at", "created_at", "-updated_at", "updated_at", "-amount", "amount"];
        let sort = *dice.pick(&sorts[..if query.has_currency { 7 } else { 5 }]);
        if !sort.is_empty() {
            write!(query.text, "sort={sort}&").unwrap();
        }
        // Customers see their own, whatever else they ask for.
        let caller = *dice.pick(&callers);
        let own = caller.role == backend::domain::users::Role::Customer;
        if own && query.text.contains("agent_id=me") {
            continue;
        }
        let mut expected: Vec<&Loan> = loans.iter().filter(|loan| query.keep.iter().all(|keep| keep(loan))).collect();
        expected.retain(|loan| !own || loan.borrower_id == caller.id);
        let sort = if sort.is_empty() { "-created_at" } else { sort };
        expected.sort_by(|a, b| compare(sort, a, b));
        let expected: Vec<String> = expected.iter().map(|loan| loan.id.to_string()).collect();
        let limit = [1, 2, 7, 50][dice.below(4)];
        let path = format!("/api/loans{}limit={limit}", query.text);
        assert_eq!(ids(&caller.walk(&path).await), expected, "{path}");
        found += usize::from(!expected.is_empty());
        several += usize::from(expected.len() > limit);
    }
    // The dice must not have asked for nothing only.
    assert!(found > 90 && several > 50, "{found} lists with loans, {several} with pages");
}

#[tokio::test]
async fn a_date_includes_its_whole_last_day_in_the_lenders_zone() {
    // In Kolkata a day begins at 18:30 UTC; in New York, 8 March 2026 has 23 hours and 1 November 25.
    for (zone, day, first, last) in [
        ("UTC", "2026-03-02", "2026-03-02T00:00:00Z", "2026-03-02T23:59:59.999999Z"),
        ("Asia/Kolkata", "2026-03-02", "2026-03-01T18:30:00Z", "2026-03-02T18:29:59.999999Z"),
        ("America/New_York", "2026-03-08", "2026-03-08T05:00:00Z", "2026-03-09T03:59:59.999999Z"),
        ("America/New_York", "2026-11-01", "2026-11-01T04:00:00Z", "2026-11-02T04:59:59.999999Z"),
    ] {
        let world = World::with(ApiOptions { zone, ..ApiOptions::default() }).await;
        let (first, last) = (instant(first), instant(last));
        let mut made = Vec::new();
        for at in [first - 1.microsecond(), first, last, last + 1.microsecond()] {
            let (borrower, agent) = (&world.customer, Some(&world.agent));
            let new = NewLoan { borrower, agent, product: "microloan-inr", amount: "100", at };
            made.push(world.insert(new).await.id.to_string());
        }
        for time in ["created", "updated"] {
            let found =
                async |query: String| ids(&world.agent.walk(&format!("/api/loans?sort=created_at&{query}")).await);
            assert_eq!(found(format!("{time}_from={day}")).await, made[1..], "{zone}");
            assert_eq!(found(format!("{time}_to={day}")).await, made[..3], "{zone}");
            assert_eq!(found(format!("{time}_from={day}&{time}_to={day}")).await, made[1..3], "{zone}");
        }
        // The schedules count from the same dates: only the second and third loan were applied for on that day.
        let mut on_that_day = Vec::new();
        for id in &made {
            let schedule = world.agent.get(&format!("/api/loans/{id}/schedule")).expect(200).await;
            on_that_day.push(schedule["disbursed_on"] == day);
        }
        assert_eq!(on_that_day, [false, true, true, false], "{zone}");
    }
}

#[tokio::test]
async fn pages_have_neither_gaps_nor_repeats_while_loans_come_in() {
    let world = World::new().await;
    let at = instant("2026-03-02T10:00:00Z");
    let new = |at| NewLoan { borrower: &world.customer, agent: None, product: "microloan-kes", amount: "100", at };
    let mut before = Vec::new();
    for _ in 0..12 {
        // All at one moment: ids alone tell them apart.
        before.push(world.insert(new(at)).await.id.to_string());
    }
    for (sort, newer_come_first) in [("-created_at", true), ("created_at", false)] {
        let (mut seen, mut came_in) = (Vec::new(), Vec::new());
        let mut cursor = String::new();
        loop {
            let page = format!("/api/loans?sort={sort}&limit=5{cursor}");
            let page = world.agent.get(&page).expect(200).await;
            seen.extend(ids(page.list()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
            // One later than all, one at the same moment.
            if came_in.len() < 4 {
                came_in.push(world.insert(new(at + 1.hour())).await.id.to_string());
                came_in.push(world.insert(new(at)).await.id.to_string());
            }
        }
        let mut unique = seen.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), seen.len(), "a loan came twice by {sort}");
        assert!(before.iter().all(|id| seen.contains(id)), "a loan is missing by {sort}");
        let late = came_in.iter().filter(|id| seen.contains(id)).count();
        assert_eq!(late, if newer_come_first { 0 } else { came_in.len() }, "{sort}");
        before.extend(came_in);
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_its_list_only() {
    let world = World::new().await;
    for _ in 0..3 {
        world.loan(LoanStatus::Pending).await;
    }
    let page = world.agent.get("/api/loans?status=pending&currency=INR&limit=1").expect(200).await;
    let cursor = page.text_of("next_cursor");
    let list = |who: &User, query: &str| who.get(&format!("/api/loans?{query}&cursor={cursor}"));
    // The page may have another length, and the parameters another order.
    let next = list(&world.agent, "limit=7&currency=INR&status=pending").expect(200).await;
    assert_eq!(next.list().len(), 2);
    for (who, query) in [
        (&world.admin, "status=pending&currency=INR"),
        (&world.customer, "status=pending&currency=INR"),
        (&world.agent, "status=pending"),
        (&world.agent, "status=pending&currency=KES"),
        (&world.agent, "status=new&currency=INR"),
        (&world.agent, "status=pending&currency=INR&sort=created_at"),
        (&world.agent, "status=pending&currency=INR&created_from=2026-01-01"),
    ] {
        list(who, query).refused(400, "bad_cursor").await;
    }
    let loan = format!("/api/loans/{}/history?cursor={cursor}", ids(page.list())[0]);
    world.agent.get(&loan).refused(400, "bad_cursor").await;
    let mut tampered = cursor.clone();
    tampered.replace_range(4..5, if &cursor[4..5] == "A" { "B" } else { "A" });
    let query = format!("/api/loans?status=pending&currency=INR&cursor={tampered}");
    world.agent.get(&query).refused(400, "bad_cursor").await;
}
