//! Every published example, step by step, cell by cell. All that differ are listed.

use jiff::civil::Date;
use lending::{AllocationPreset, ChargeKind, EventKind, Money, State, TransactionKind, levied_on};
use serde_json::Value;

use crate::support::{Loan, day};

const EXAMPLES: &str = include_str!("../vectors/allocation.json");

/// When the steps of an example are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Recorded {
    /// On the business date that the example sets; a charge is levied then.
    OnTheDay,
    /// All on this date, so that the value date of a charge is worked out.
    On(Date),
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// How the terms give the allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// By its name.
    Name,
    /// As the list that the name stands for.
    List,
}

/// The allocation of an example, as JSON.
fn allocation_of(inputs: &Value, form: Form) -> String {
    let name = text(&inputs["allocation_strategy"]).to_lowercase();
    let preset = AllocationPreset::from_name(&name).unwrap();
    match form {
        Form::Name => serde_json::to_string(&preset).unwrap(),
        Form::List => serde_json::to_string(preset.groups()).unwrap(),
    }
}

/// A loan on the terms of an example. What this project has no word for is checked to be what it
/// takes for granted.
fn loan_of(inputs: &Value, form: Form) -> Loan {
    assert_eq!(inputs["interest_type"], "DECLINING_BALANCE");
    assert_eq!(inputs["interest_calculation_period"], "SAME_AS_REPAYMENT_PERIOD");
    assert_eq!(inputs["amortization"], "EQUAL_INSTALLMENTS");
    assert_eq!(inputs["repay_unit"], "MONTHS");
    assert_eq!(inputs["rounding"], "HALF_EVEN");
    assert_eq!(inputs["principal"], inputs["disbursed_amount"]);
    for grace in ["grace_principal", "grace_interest_payment", "interest_free_periods"] {
        assert_eq!(inputs[grace], 0);
    }
    let terms = format!(
        r#""interest_rate_apr": "{}", "instalments": {}, "repay_every": {}, "allocation": {}"#,
        text(&inputs["annual_rate_percent"]),
        inputs["number_of_repayments"],
        inputs["repay_every"],
        allocation_of(inputs, form),
    );
    Loan::new(text(&inputs["principal"]), text(&inputs["currency"]), &terms)
}

/// Differences between what is expected and what is computed.
struct Differences(Vec<String>);

impl Differences {
    fn compare(&mut self, place: &str, wanted: &Value, got: &dyn ToString) {
        let (wanted, got) = (wanted.as_str().map_or_else(|| wanted.to_string(), str::to_owned), got.to_string());
        if wanted != got {
            self.0.push(format!("{place}: expected {wanted}, got {got}"));
        }
    }
}

fn compare_transactions(state: &State, rows: &[Value], place: &str, found: &mut Differences) {
    let shown: Vec<_> = state.transactions.iter().filter(|it| it.kind != TransactionKind::Charge).collect();
    found.compare(&format!("{place}, transactions"), &Value::from(rows.len()), &shown.len());
    for (index, (wanted, got)) in rows.iter().zip(shown).enumerate() {
        let place = format!("{place}, transaction {}", index + 1);
        let zero = Money::zero(got.amount.currency());
        let kind = match got.kind {
            TransactionKind::Disbursement => "Disbursement",
            TransactionKind::Repayment => "Repayment",
            other => other.as_str(),
        };
        let share = |of: fn(&lending::Shares) -> Money| got.allocation.as_ref().map_or(zero, of);
        found.compare(&format!("{place}, type"), &wanted["type"], &kind);
        found.compare(&format!("{place}, date"), &wanted["date"], &got.on);
        found.compare(&format!("{place}, amount"), &wanted["amount"], &got.amount);
        found.compare(&format!("{place}, principal"), &wanted["principal"], &share(|it| it.principal));
        found.compare(&format!("{place}, interest"), &wanted["interest"], &share(|it| it.interest));
        found.compare(&format!("{place}, fees"), &wanted["fees"], &share(|it| it.fee));
        found.compare(&format!("{place}, penalties"), &wanted["penalties"], &share(|it| it.penalty));
        found.compare(&format!("{place}, balance"), &wanted["loan_balance"], &got.balance);
    }
}

fn compare_schedule(state: &State, rows: &[Value], place: &str, found: &mut Differences) {
    // The first row of an example is the disbursement.
    let (disbursement, rows) = rows.split_first().unwrap();
    found.compare(&format!("{place}, disbursed"), &disbursement["balance_after"], &state.totals.principal);
    let disbursed_on = state.disbursed_on.unwrap();
    found.compare(&format!("{place}, disbursed on"), &disbursement["due_date"], &disbursed_on);
    found.compare(&format!("{place}, rows"), &Value::from(rows.len()), &state.rows.len());
    for (wanted, got) in rows.iter().zip(&state.rows) {
        let place = format!("{place}, row {}", got.n);
        found.compare(&format!("{place}, n"), &wanted["n"], &got.n);
        found.compare(&format!("{place}, due_on"), &wanted["due_date"], &got.due_on);
        let paid_on = got.paid_on.map_or_else(|| "null".to_owned(), |date| date.to_string());
        found.compare(&format!("{place}, paid_on"), &wanted["paid_date"], &paid_on);
        for (cell, got) in [
            ("balance_after", got.balance),
            ("principal", got.principal),
            ("interest", got.interest),
            ("fees", got.fees),
            ("penalties", got.penalties),
            ("due", got.due),
            ("paid", got.paid),
            ("outstanding", got.outstanding),
        ] {
            found.compare(&format!("{place}, {cell}"), &wanted[cell], &got);
        }
    }
}

fn compare_totals(state: &State, wanted: &Value, place: &str, found: &mut Differences) {
    let totals = &state.totals;
    for (cell, got) in [
        ("Principal due", totals.principal),
        ("Interest", totals.interest),
        ("Fees", totals.fees),
        ("Penalties", totals.penalties),
        ("Due", totals.due),
        ("Paid", totals.paid),
        ("Outstanding", totals.outstanding),
    ] {
        found.compare(&format!("{place}, total {cell}"), &wanted[cell], &got);
    }
}

/// Goes through the steps, and gives how many expectations there were.
fn run(example: &Value, form: Form, recorded: Recorded, found: &mut Differences) -> usize {
    let id = text(&example["id"]);
    let mut loan = loan_of(&example["inputs"], form);
    let mut business_date = day(text(&example["inputs"]["disbursed_on"]));
    let mut expectations = 0;
    for (index, step) in example["steps"].as_array().unwrap().iter().enumerate() {
        let place = format!("{id} {form:?} {recorded:?}, step {}", index + 1);
        match step["event"].as_str() {
            Some("set_business_date") => business_date = day(text(&step["date"])),
            Some("disburse") => {
                loan.disburse(text(&step["date"]));
            }
            Some("repayment") => {
                loan.repay(text(&step["date"]), text(&step["amount"]));
            }
            Some("add_charge") => {
                let due_on = day(text(&step["due_date"]));
                let kind = match text(&step["charge_kind"]) {
                    "fee" => ChargeKind::Fee,
                    "penalty" => ChargeKind::Penalty,
                    other => panic!("{place}: {other}"),
                };
                let on = match recorded {
                    Recorded::OnTheDay => business_date,
                    Recorded::On(today) => levied_on(due_on, today, &loan.events, &loan.state(&today.to_string()).rows),
                };
                let amount = loan.money(text(&step["amount"]));
                loan.record(on, EventKind::Charge { kind, amount, due_on });
            }
            Some(other) => panic!("{place}: {other}"),
            None => {
                expectations += 1;
                let state = loan.state(&business_date.to_string());
                match text(&step["expect"]) {
                    "transactions" => {
                        compare_transactions(&state, step["rows"].as_array().unwrap(), &place, found);
                    }
                    "schedule" => compare_schedule(&state, step["rows"].as_array().unwrap(), &place, found),
                    "totals" => compare_totals(&state, &step["value"], &place, found),
                    other => panic!("{place}: {other}"),
                }
            }
        }
    }
    expectations
}

#[test]
fn every_published_example_step_by_step() {
    let examples: Vec<Value> = serde_json::from_str(EXAMPLES).unwrap();
    let mut found = Differences(Vec::new());
    let mut expectations = 0;
    for example in &examples {
        for recorded in [Recorded::OnTheDay, Recorded::On(day("2026-11-22"))] {
            for form in [Form::Name, Form::List] {
                expectations += run(example, form, recorded, &mut found);
            }
        }
    }
    assert!(found.0.is_empty(), "\n{}\n", found.0.join("\n"));
    assert_eq!((examples.len(), expectations), (10, 120));
}
