//! Reading: any day as known at any instant, pages, CSV, settlement, and who may.

use serde_json::json;

use tests::Reply;

use crate::world::World;

#[tokio::test]
async fn a_loan_is_read_as_of_any_day_as_known_at_any_instant() {
    let world = World::new().await;
    let path = world.plain().await;
    let first = world.pay(&path, "200", "2024-02-15").await;
    let known_at = first.text_of("recorded_at");
    world.pay(&path, "300", "2024-02-10").await;
    let outstanding = async |query: &str| world.get(&format!("{path}?{query}")).await["outstanding"].clone();
    assert_eq!(outstanding("as_of=2024-02-09").await, "1200.00");
    assert_eq!(outstanding("as_of=2024-02-10").await, "900.00");
    assert_eq!(outstanding("as_of=2024-02-15").await, "700.00");
    assert_eq!(outstanding(&format!("as_of=2024-02-15&known_at={known_at}")).await, "1000.00");
    assert_eq!(outstanding(&format!("as_of=2024-02-10&known_at={known_at}")).await, "1200.00");
    assert_eq!(outstanding("as_of=2150-01-01").await, "700.00");
    // Today, whichever way it is asked for.
    let today = world.app.date_of(jiff::Timestamp::now());
    assert_eq!(world.get(&format!("{path}?as_of={today}")).await.body, world.get(&path).await.body);
    // Entered later than paid out: it is there from then on.
    for part in ["", "/schedule", "/transactions", "/ledger", "/statement", "/history", "/settlement"] {
        world.admin.get(&format!("{path}{part}?as_of=2024-01-14")).refused(404, "not_found").await;
        world.admin.get(&format!("{path}{part}?as_of=2024-01-15")).expect(200).await;
        let future = "known_at=2150-01-01T00:00:00Z";
        world.admin.get(&format!("{path}{part}?{future}")).invalid(&[("/known_at", "in_the_future")]).await;
        for none in ["2024-01-01T00:00:00.1234567890Z", "2024-01-01T00:00:00%2B18:01", "2024-01-01T00:00:00-19:00"] {
            let call = world.admin.get(&format!("{path}{part}?known_at={none}"));
            call.invalid(&[("/known_at", "not_an_instant")]).await;
        }
        let before = "known_at=2024-01-01T00:00:00Z";
        world.admin.get(&format!("{path}{part}?{before}")).refused(404, "not_found").await;
        world.admin.get(&format!("{path}{part}?as_of=2024-02-30")).invalid(&[("/as_of", "not_a_date")]).await;
    }
    let one = format!("{path}/transactions/{}", first.text_of("id"));
    let now = world.get(&one).await;
    assert_eq!([&now["id"], &now["allocation"]], [&first["id"], &first["allocation"]]);
    // Another payment of an earlier day was recorded since.
    assert_eq!([&first["balance"], &now["balance"]], [&json!("1000.00"), &json!("700.00")]);
    assert_eq!(world.get(&format!("{one}?known_at={known_at}")).await.body, first.body);
    world.admin.get(&format!("{one}?as_of=2024-02-14")).refused(404, "not_found").await;
}

#[tokio::test]
async fn lists_come_in_pages_and_as_csv() {
    let world = World::new().await;
    let path = world.plain().await;
    for (amount, reference) in [("10", "=1+1"), ("20", "a,b"), ("30", "plain")] {
        let body = json!({"amount": amount, "paid_on": "2024-02-15", "reference": reference});
        world.send(&path, "repayments", body).expect(201).await;
    }
    let all = world.get(&format!("{path}/transactions")).await;
    let references: Vec<_> = all.list().iter().map(|row| row["reference"].clone()).collect();
    assert_eq!(references, [json!("plain"), json!("a,b"), json!("=1+1"), json!(null)]);
    for part in ["transactions", "ledger", "statement"] {
        let walked = world.admin.walk(&format!("{path}/{part}?limit=1")).await;
        assert_eq!(walked, world.get(&format!("{path}/{part}")).await.list(), "{part}");
        assert_eq!(walked.len(), 4);
        world.admin.get(&format!("{path}/{part}?limit=201")).invalid(&[("/limit", "out_of_range")]).await;
        let csv = |query: &str| world.admin.get(&format!("{path}/{part}{query}")).header("accept", "text/csv");
        csv("?limit=5001").invalid(&[("/limit", "out_of_range")]).await;
        let whole = csv("?limit=5000").expect(200).await;
        assert_eq!(whole.header("content-type"), "text/csv; charset=utf-8");
        assert_eq!(whole.optional_header("link"), None);
        let mut pages = String::new();
        let mut next = format!("{path}/{part}?limit=3");
        loop {
            let page = world.admin.get(&next).header("accept", "text/csv").expect(200).await;
            let (header, lines) = page.text.split_once("\r\n").unwrap();
            assert!(whole.text.starts_with(header));
            pages.push_str(lines);
            let Some(link) = page.optional_header("link") else { break };
            next = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned();
        }
        assert_eq!(pages, whole.text.split_once("\r\n").unwrap().1, "{part}");
        if part != "ledger" {
            assert!(whole.text.contains(",'=1+1,") && whole.text.contains(",\"a,b\","), "{}", whole.text);
        }
    }
    let balance = world.admin.get("/api/ledger/trial-balance").header("accept", "text/csv").expect(200).await;
    assert_eq!(
        balance.text,
        "account,currency,debit,credit,balance\r\ncash,EUR,60.00,1200.00,-1140.00\r\n\
        principal_receivable,EUR,1200.00,60.00,1140.00\r\n"
    );
    let accounts = world.get("/api/ledger/accounts").await;
    assert_eq!(accounts.list().len(), 9);
    let statement = world.get(&format!("{path}/statement?from=2024-02-01&to=2024-02-28")).await;
    assert_eq!([&statement["opening_balance"], &statement["closing_balance"]], [&json!("1200.00"), &json!("1140.00")]);
    assert_eq!(statement.list().len(), 3);
    world
        .admin
        .get(&format!("{path}/statement?from=2024-02-01&to=2024-01-31"))
        .invalid(&[("/from", "after_end")])
        .await;
}

#[tokio::test]
async fn a_settlement_closes_the_loan_that_day() {
    let world = World::new().await;
    let path = world.disbursed("1200", json!({"interest_rate_apr": "24", "instalments": 6}), "2024-01-15").await;
    world.admin.get(&format!("{path}/settlement?on=2024-01-14")).refused(404, "not_found").await;
    let settlement = world.get(&format!("{path}/settlement?on=2024-01-30")).await;
    assert_eq!(settlement["principal"], "1200.00");
    world.pay(&path, &settlement.text_of("total"), "2024-01-30").await;
    let loan = world.get(&path).await;
    assert_eq!([&loan["status"], &loan["outstanding"]], [&json!("repaid"), &json!("0.00")]);
    assert_eq!(world.get(&format!("{path}/settlement")).await["total"], "0.00");
    let approved = world.approved("100", "EUR", json!({"interest_rate_apr": "0", "instalments": 1})).await;
    world.admin.get(&format!("{approved}/settlement")).refused(409, "not_disbursed").await;
}

/// Held money pays a charge when it falls due: nobody has to do anything until then or from then on.
#[tokio::test]
async fn what_is_held_pays_what_falls_due_later_without_a_job() {
    let world = World::new().await;
    let path = world.plain().await;
    world.pay(&path, "1250", "2024-02-15").await;
    let charge = json!({"code": "c", "kind": "fee", "amount": "30", "due_on": "2100-01-01"});
    world.send(&path, "charges", charge).expect(201).await;
    for query in ["", "?as_of=2024-12-31", "?as_of=2099-12-31", "?as_of=2100-01-01", "?as_of=2100-06-01"] {
        let loan = world.get(&format!("{path}{query}")).await;
        assert_eq!([&loan["status"], &loan["days_past_due"]], [&json!("repaid"), &json!(0)], "{query}");
        assert_eq!(loan["next_due_on"], json!(null), "{query}");
        let statistics = world.get(&format!("/api/stats{query}")).await;
        assert_eq!(statistics["by_status"]["repaid"], 1, "{query}");
    }
    let held = async |as_of: &str| {
        let balance = world.get(&format!("/api/ledger/trial-balance?as_of={as_of}")).await;
        let held = balance.list().iter().find(|row| row["account"] == "overpayments_payable").unwrap();
        held["balance"].clone()
    };
    assert_eq!((held("2099-12-31").await, held("2100-01-01").await), (json!("-50.00"), json!("-20.00")));
    crate::books::are_right(&world).await;
}

/// A transaction being recorded right now may have been recorded before an instant that has just passed.
#[tokio::test]
async fn a_reading_of_a_moment_ago_waits_for_whoever_holds_the_loan() {
    let world = World::new().await;
    let path = world.plain().await;
    let known_at = world.pay(&path, "10", "2024-02-15").await.text_of("recorded_at");
    let holder = world.application().await;
    let id = path.strip_prefix("/api/loans/").unwrap();
    holder.batch_execute(&format!("BEGIN; SELECT FROM loans WHERE id = '{id}' FOR UPDATE")).await.unwrap();
    // Everything that is there is read at once.
    for query in ["", "?as_of=2024-02-15"] {
        assert_eq!(world.get(&format!("{path}{query}")).await["outstanding"], "1190.00", "{query}");
    }
    // Who may not know of the loan does not learn that somebody is at work on it.
    let other = world.api.customer("somebody.else").await;
    other.get(&format!("{path}?known_at={known_at}")).refused(404, "not_found").await;
    for part in ["", "/schedule", "/transactions", "/ledger", "/statement", "/history", "/settlement"] {
        let waiting = tokio::spawn(world.admin.get(&format!("{path}{part}?known_at={known_at}")).send());
        world.someone_waits().await;
        holder.batch_execute("COMMIT").await.unwrap();
        assert_eq!(waiting.await.unwrap().status, 200, "{part}");
        holder.batch_execute(&format!("BEGIN; SELECT FROM loans WHERE id = '{id}' FOR UPDATE")).await.unwrap();
    }
    let balance = format!("/api/ledger/trial-balance?known_at={known_at}");
    let waiting = tokio::spawn(world.admin.get(&balance).send());
    world.someone_waits().await;
    assert!(!waiting.is_finished());
    holder.batch_execute("COMMIT").await.unwrap();
    assert_eq!(waiting.await.unwrap().status, 200);
}

/// Charges are shown on their own day, with the balance of that day; the balance of the loan is the statement's.
#[tokio::test]
async fn a_statement_with_charges_ends_with_the_balance_of_the_loan() {
    let world = World::new().await;
    let path = world.plain().await;
    let charge = json!({"code": "visit", "kind": "fee", "amount": "30", "due_on": "2024-08-20"});
    let charge = world.send(&path, "charges", charge).expect(201).await;
    world.pay(&path, "200", "2024-02-15").await;
    world.pay(&path, "200", "2024-03-15").await;
    let shown = |reply: &Reply| [reply.text_of("on"), reply.text_of("amount"), reply.text_of("balance")];
    assert_eq!(shown(&charge), ["2024-08-20", "30.00", "1200.00"]);
    let statement = world.get(&format!("{path}/statement")).await;
    let lines: Vec<_> = statement.list().iter().map(|line| [&line["on"], &line["kind"], &line["balance"]]).collect();
    assert_eq!(lines[3], [&json!("2024-08-20"), &json!("charge"), &json!("800.00")]);
    assert_eq!(statement["closing_balance"], "800.00");
    assert_eq!(world.get(&path).await["outstanding"], "800.00");
    // Its reversal is on the same day.
    let reversal = world.reverse(&path, &charge).expect(201).await;
    assert_eq!(shown(&reversal), ["2024-08-20", "30.00", "800.00"]);
}

#[tokio::test]
async fn a_page_of_a_statement_goes_on_where_a_line_was_that_is_gone() {
    let world = World::new().await;
    let path = world.plain().await;
    let mut payments = Vec::new();
    for day in 15..19 {
        payments.push(world.pay(&path, "10", &format!("2024-02-{day}")).await);
    }
    let first = world.get(&format!("{path}/statement?limit=3")).await;
    world.reverse(&path, &payments[1]).expect(201).await;
    let cursor = first.text_of("next_cursor");
    let next = world.get(&format!("{path}/statement?limit=3&cursor={cursor}")).await;
    let days: Vec<_> = next.list().iter().map(|line| line["on"].clone()).collect();
    assert_eq!(days, [json!("2024-02-17"), json!("2024-02-18")]);
}

/// A fee that is charged within a period is late with its instalment.
#[tokio::test]
async fn days_past_due_count_from_the_instalment_that_a_fee_belongs_to() {
    let world = World::new().await;
    let path = world.plain().await;
    let charge = json!({"code": "visit", "kind": "fee", "amount": "30", "due_on": "2024-01-25"});
    world.send(&path, "charges", charge).expect(201).await;
    let days = async |as_of: &str| world.get(&format!("{path}?as_of={as_of}")).await["days_past_due"].clone();
    assert_eq!([days("2024-02-10").await, days("2024-02-15").await, days("2024-02-16").await], [0, 0, 1]);
    crate::books::are_right(&world).await;
}
