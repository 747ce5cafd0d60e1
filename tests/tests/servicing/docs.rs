//! docs/ledger.md shows the entries that the books have.

use std::{fmt::Write as _, fs, path::Path};

use serde_json::{Value, json};
use tests::Reply;

use crate::world::World;

/// The entries that a transaction made, as a table of the document.
async fn entries(world: &World, path: &str, transaction: &Reply) -> String {
    let ledger = world.get(&format!("{path}/ledger?as_of=2200-12-31&limit=200")).await;
    let mut made: Vec<&Value> =
        ledger.list().iter().filter(|entry| entry["transaction_id"] == transaction["id"]).collect();
    made.sort_by_key(|entry| entry["value_date"].as_str().unwrap());
    if made.is_empty() {
        return "No entry.\n".into();
    }
    let mut table = String::from("| value date | account | debit | credit |\n| --- | --- | ---: | ---: |\n");
    for entry in made {
        for line in entry["lines"].as_array().unwrap() {
            let cell = |name: &str| match line[name].as_str().unwrap() {
                "0.00" => String::new(),
                amount => amount.to_owned(),
            };
            let [date, account] = [&entry["value_date"], &line["account"]].map(|value| value.as_str().unwrap());
            writeln!(table, "| {date} | {account} | {} | {} |", cell("debit"), cell("credit")).unwrap();
        }
    }
    table
}

/// The tables of the document, by their names.
async fn tables(world: &World) -> Vec<(&'static str, String)> {
    let terms = json!({"interest_rate_apr": "24", "instalments": 6,
        "fees": [{"code": "processing", "when": "disbursement", "amount": "30"}]});
    let path = world.approved("1200", "EUR", terms.clone()).await;
    let mut tables = Vec::new();
    let mut run = async |name: &'static str, path: &str, part: &str, body: Value| {
        let transaction = world.send(path, part, body).expect(201).await;
        tables.push((name, entries(world, path, &transaction).await));
        transaction
    };
    run("disbursement", &path, "disbursements", json!({"disbursed_on": "2024-01-15"})).await;
    let pay = |amount: &str, on: &str| json!({"amount": amount, "paid_on": on});
    let first = run("repayment", &path, "repayments", pay("214.23", "2024-02-15")).await;
    let charge = json!({"code": "bounced-cheque", "kind": "fee", "amount": "12", "due_on": "2024-03-01"});
    run("charge", &path, "charges", charge).await;
    run("repayment of a fee", &path, "repayments", pay("226.23", "2024-03-15")).await;
    run("reversal", &path, &format!("transactions/{}/reversal", first.text_of("id")), json!({"reason": "it bounced"}))
        .await;
    let waiver = json!({"component": "interest", "amount": "5", "on": "2024-04-01", "reason": "goodwill"});
    run("waiver", &path, "waivers", waiver).await;
    run("overpayment", &path, "repayments", pay("1200", "2024-04-15")).await;
    run("refund", &path, "refund", json!({"amount": "100", "paid_on": "2024-04-20"})).await;
    let later = json!({"code": "copy", "kind": "fee", "amount": "20", "due_on": "2199-01-01"});
    run("charge that is covered", &path, "charges", later).await;
    let lost = world.approved("1200", "EUR", terms).await;
    world.send(&lost, "disbursements", json!({"disbursed_on": "2024-01-15"})).expect(201).await;
    run("reschedule", &lost, "reschedule", json!({"from": "2024-04-15", "instalments": 9, "reason": "harvest"})).await;
    run("write-off", &lost, "write-off", json!({"on": "2024-06-30", "reason": "cannot be found"})).await;
    run("recovery", &lost, "repayments", pay("500", "2024-09-01")).await;
    tables
}

/// Writes the tables where `UPDATE_DOCS` is set.
#[tokio::test]
async fn the_document_shows_the_entries_of_each_event() {
    let world = World::new().await;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ledger.md");
    let text = fs::read_to_string(&path).unwrap();
    let mut expected = text.clone();
    for (name, table) in tables(&world).await {
        let start = format!("<!-- {name} -->\n");
        let (before, rest) = expected.split_once(&start).unwrap_or_else(|| panic!("no {name}"));
        let (_, after) = rest.split_once("<!-- end -->").unwrap();
        expected = format!("{before}{start}{table}<!-- end -->{after}");
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &expected).unwrap();
    } else {
        assert!(text == expected, "run with UPDATE_DOCS=1 and read what changed");
    }
    // The chart of accounts is whole.
    for account in world.get("/api/ledger/accounts").await.list() {
        let [code, name, class] = ["account", "name", "class"].map(|field| account[field].as_str().unwrap());
        assert!(text.contains(&format!("| `{code}` | {name} | {class} |")), "{code}");
    }
}
