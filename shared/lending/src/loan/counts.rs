//! The work of quotes, reads and commands at every extreme. A benchmark measures their time: `cargo
//! bench -p lending --bench extremes`.

#[path = "../../benches/extremes/cases.rs"]
mod cases;

use jiff::Timestamp;

use super::{Contract, Event, EventId, EventKind, fold};
use crate::steps::counted;
use crate::{Currency, Money, TermsPatch, parse_date, schedule};
use cases::{LARGEST, QUESTIONS, STORIES, Size, Story};

/// Half of the largest.
const HALF: Size = Size { rows: LARGEST.rows / 2, transactions: LARGEST.transactions / 2 };

/// The most that twice the size may cost, in percent of the cost of the single size.
const TWICE: u64 = 230;

/// True if each transaction may make all rows again.
fn replaces_rows(story: Story) -> bool {
    match story {
        Story::Prepaid(terms) => terms.contains("reduce") || story.accrues_daily(),
        // Each transaction looks at the rows that have fallen due and are not settled.
        Story::Paid(..) => story.accrues_daily(),
        Story::Reschedules(_) => true,
        Story::LateFees
        | Story::Charges
        | Story::ChargesOfOneDay
        | Story::ChargesPaidByHeld
        | Story::Waivers
        | Story::Reversals
        | Story::Closed
        | Story::WrittenOff => false,
    }
}

/// Twice the transactions cost at most twice as much and a bit, and so do twice the rows. Both together do as well,
/// unless each transaction makes all rows again.
#[test]
fn reads_and_commands_cost_what_a_loan_has_of_rows_and_transactions() {
    let far = parse_date("2200-12-31").unwrap();
    let mut wrong = Vec::new();
    for (name, story) in STORIES {
        let counts = [(1, 1), (1, 2), (2, 1), (2, 2)].map(|(rows, transactions)| {
            let case = story
                .case(Size { rows: HALF.rows * rows, transactions: HALF.transactions * transactions })
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            let mut asked = QUESTIONS.iter();
            [(); QUESTIONS.len()].map(|()| {
                let (question, asked) = asked.next().unwrap();
                let (answer, count) = counted(|| case.ask(*asked, far));
                answer.unwrap_or_else(|conflict| panic!("{name}, {question}: {conflict}"));
                count
            })
        });
        for (index, (question, _)) in QUESTIONS.iter().enumerate() {
            let [once, of_transactions, of_rows, both] = counts.map(|counts| counts[index]);
            let most = once * TWICE / 100;
            let most_of_both = if replaces_rows(*story) { 2 * most } else { most };
            if of_transactions > most || of_rows > most || both > most_of_both {
                wrong.push(format!("{name}, {question}: {once}, {of_transactions}, {of_rows}, {both}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every instalment is looked at a few times for a schedule, and for both of its rates.
#[test]
fn quotes_cost_their_instalments() {
    let euro = Currency::from_code("EUR").unwrap();
    let on = parse_date("2025-01-31").unwrap();
    for unit in ["month", "week", "day"] {
        for method in ["declining_balance", "flat"] {
            for amortization in ["equal_instalments", "equal_principal"] {
                let count = |instalments: u32| {
                    let terms = format!(
                        r#"{{"instalments": {instalments}, "repay_unit": "{unit}", "interest_method": "{method}",
                            "amortization": "{amortization}", "interest_period": "daily", "day_count": "actual/actual",
                            "interest_rate_apr": "3.987653"}}"#
                    );
                    let terms = serde_json::from_str::<TermsPatch>(&terms).unwrap().complete(euro).unwrap();
                    let amount = Money::parse("1234567.89", euro).unwrap();
                    counted(|| schedule(amount, on, &terms).unwrap().apr(&terms)).1
                };
                let (half, all) = (count(300), count(600));
                assert!(
                    all <= 40 * 600 && all <= half * TWICE / 100,
                    "{unit}, {method}, {amortization}: {half}, {all}"
                );
            }
        }
    }
}

/// The cost of a loan of 600 daily instalments of 1.00 with payments of 0.50 on the days after it
/// was paid out.
fn daily(max_times: u32, payments: u32) -> u64 {
    let euro = Currency::from_code("EUR").unwrap();
    let terms = format!(
        r#"{{"interest_rate_apr": "0", "instalments": 600, "repay_unit": "day",
            "late_fee": {{"grace_days": 0, "kind": "flat", "value": "0.01", "max_times": {max_times}}}}}"#
    );
    let terms = serde_json::from_str::<TermsPatch>(&terms).unwrap().complete(euro).unwrap();
    let contract = Contract { amount: Money::parse("600.00", euro).unwrap(), terms };
    let paid_out = parse_date("2020-01-01").unwrap();
    let event = |n: u32, kind| {
        let on = paid_out.checked_add(jiff::Span::new().days(n)).unwrap();
        let recorded_at = Timestamp::from_second(i64::from(n)).unwrap();
        Event { id: EventId(n.into()), on, recorded_at, kind }
    };
    let mut events = vec![event(0, EventKind::Disbursement { first_due_on: None, calendar: None })];
    let amount = Money::parse("0.50", euro).unwrap();
    events.extend((1..=payments).map(|n| event(n, EventKind::Repayment { amount })));
    let (state, count) = counted(|| fold(&contract, &events, parse_date("2200-12-31").unwrap(), Timestamp::MAX));
    assert!(state.is_ok());
    count
}

/// The most late fees that any loan can have: each costs the amounts of its row, not the late fees before it.
#[test]
fn late_fees_cost_their_number() {
    let most = 600 * 600;
    let count = daily(600, 0);
    assert!((most..6 * most).contains(&count), "{count}");
    let count = daily(6, 0);
    assert!(count < 6 * 3_600 + 10 * 600, "{count}");
}

/// A payment looks at most at each instalment and its late fees a few times.
#[test]
fn payments_cost_instalments_and_their_late_fees() {
    let count = daily(6, 1_000);
    assert!(count < 1_000 * 4 * (600 + 3_600), "{count}");
}
