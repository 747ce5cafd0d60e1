//! Every published example of allocation, step by step through the interface, cell by cell.

use lending::AllocationPreset;
use serde_json::{Value, json};
use tests::Reply;

use crate::world::World;

const EXAMPLES: &str = include_str!("../../../shared/lending/tests/vectors/allocation.json");

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn compare(place: &str, wanted: &Value, got: &Value, found: &mut Vec<String>) {
    if wanted != got {
        found.push(format!("{place}: expected {wanted}, got {got}"));
    }
}

fn compare_transactions(reply: &Reply, rows: &[Value], place: &str, found: &mut Vec<String>) {
    let zero = json!("0.00");
    // Newest first, and charges are not part of the example.
    let shown: Vec<&Value> = reply.list().iter().rev().filter(|row| row["kind"] != "charge").collect();
    compare(&format!("{place}, transactions"), &json!(rows.len()), &json!(shown.len()), found);
    for (wanted, got) in rows.iter().zip(shown) {
        compare(place, &json!(text(&wanted["type"]).to_lowercase()), &got["kind"], found);
        for (cell, name) in [("date", "on"), ("amount", "amount"), ("loan_balance", "balance")] {
            compare(&format!("{place}, {cell}"), &wanted[cell], &got[name], found);
        }
        for (cell, name) in
            [("principal", "principal"), ("interest", "interest"), ("fees", "fee"), ("penalties", "penalty")]
        {
            let share = if got["allocation"].is_null() { &zero } else { &got["allocation"][name] };
            compare(&format!("{place}, {cell}"), &wanted[cell], share, found);
        }
    }
}

fn compare_schedule(reply: &Reply, rows: &[Value], place: &str, found: &mut Vec<String>) {
    let (disbursement, rows) = rows.split_first().unwrap();
    compare(place, &disbursement["due_date"], &reply["disbursed_on"], found);
    let shown = reply["rows"].as_array().unwrap();
    compare(&format!("{place}, rows"), &json!(rows.len()), &json!(shown.len()), found);
    for (wanted, got) in rows.iter().zip(shown) {
        for (cell, name) in [
            ("n", "n"),
            ("due_date", "due_on"),
            ("paid_date", "paid_on"),
            ("balance_after", "balance"),
            ("principal", "principal"),
            ("interest", "interest"),
            ("fees", "fees"),
            ("penalties", "penalties"),
            ("due", "due"),
            ("paid", "paid"),
            ("outstanding", "outstanding"),
        ] {
            compare(&format!("{place}, row {}, {cell}", got["n"]), &wanted[cell], &got[name], found);
        }
    }
}

fn compare_totals(reply: &Reply, wanted: &Value, place: &str, found: &mut Vec<String>) {
    for (cell, name) in [
        ("Principal due", "principal"),
        ("Interest", "interest"),
        ("Fees", "fees"),
        ("Penalties", "penalties"),
        ("Due", "due"),
        ("Paid", "paid"),
        ("Outstanding", "outstanding"),
    ] {
        compare(&format!("{place}, {cell}"), &wanted[cell], &reply["totals"][name], found);
    }
}

/// The allocation in an example's terms: a name, or the list that the name stands for.
fn allocations(inputs: &Value) -> [Value; 2] {
    let name = text(&inputs["allocation_strategy"]).to_lowercase();
    let list = AllocationPreset::from_name(&name).unwrap().groups();
    [json!(name), json!(list)]
}

async fn run(world: &World, example: &Value, allocation: &Value, found: &mut Vec<String>) -> usize {
    let inputs = &example["inputs"];
    let terms = json!({
        "interest_rate_apr": inputs["annual_rate_percent"], "instalments": inputs["number_of_repayments"],
        "repay_every": inputs["repay_every"], "allocation": allocation});
    let path = world.approved(text(&inputs["principal"]), text(&inputs["currency"]), terms).await;
    let mut business_date = text(&inputs["disbursed_on"]).to_owned();
    let mut expectations = 0;
    for (index, step) in example["steps"].as_array().unwrap().iter().enumerate() {
        let place = format!("{}, {allocation}, step {}", text(&example["id"]), index + 1);
        let (part, body) = match step["event"].as_str() {
            Some("set_business_date") => {
                text(&step["date"]).clone_into(&mut business_date);
                continue;
            }
            Some("disburse") => ("disbursements", json!({"disbursed_on": step["date"]})),
            Some("repayment") => ("repayments", json!({"amount": step["amount"], "paid_on": step["date"]})),
            Some("add_charge") => {
                let body = json!({"code": step["charge"], "kind": step["charge_kind"], "amount": step["amount"],
                    "due_on": step["due_date"]});
                ("charges", body)
            }
            Some(other) => panic!("{place}: {other}"),
            None => {
                expectations += 1;
                let read = async |part: &str| world.get(&format!("{path}/{part}?as_of={business_date}")).await;
                match text(&step["expect"]) {
                    "transactions" => {
                        compare_transactions(
                            &read("transactions").await,
                            step["rows"].as_array().unwrap(),
                            &place,
                            found,
                        );
                    }
                    "schedule" => {
                        compare_schedule(&read("schedule").await, step["rows"].as_array().unwrap(), &place, found);
                    }
                    "totals" => compare_totals(&read("schedule").await, &step["value"], &place, found),
                    other => panic!("{place}: {other}"),
                }
                continue;
            }
        };
        world.send(&path, part, body).expect(201).await;
    }
    expectations
}

#[tokio::test]
async fn every_published_example_of_allocation_is_met_cell_by_cell() {
    let world = World::new().await;
    let examples: Vec<Value> = serde_json::from_str(EXAMPLES).unwrap();
    let (mut found, mut expectations) = (Vec::new(), 0);
    for example in &examples {
        for allocation in allocations(&example["inputs"]) {
            expectations += run(&world, example, &allocation, &mut found).await;
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(expectations >= 6 * examples.len(), "{expectations} expectations");
    crate::books::are_right(&world).await;
}
