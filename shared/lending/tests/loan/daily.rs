//! Interest that follows the balance of each day: published examples row by row, and what was worked out by hand.

use std::sync::Arc;

use jiff::ToSpan;
use lending::{
    AnnualRate, Calendar, ChargeKind, EventKind, Money, Standing, Waivable, WeekDay, change, fold_on, follow,
    settlement,
};
use serde_json::Value;

use crate::support::{Loan, day, end, instant};

const EXAMPLES: &str = include_str!("../vectors/daily-interest.json");

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// A published example's loan with its payments.
fn loan_of(example: &Value) -> Loan {
    let terms = example["terms"].to_string();
    let terms = terms.strip_prefix('{').and_then(|terms| terms.strip_suffix('}')).unwrap();
    let mut loan = Loan::new(text(&example["amount"]), text(&example["currency"]), terms);
    loan.disburse(text(&example["disbursed_on"]));
    for paid in example["payments"].as_array().unwrap() {
        loan.repay(text(&paid["on"]), text(&paid["amount"]));
    }
    loan
}

/// Adds up principal and interest by day, in smallest units.
fn by_day(parts: impl Iterator<Item = (String, Money, Money)>) -> Vec<(String, i128, i128)> {
    let mut days: Vec<(String, i128, i128)> = Vec::new();
    for (on, principal, interest) in parts {
        let (principal, interest) = (principal.units(), interest.units());
        match days.last_mut().filter(|(last, ..)| *last == on) {
            Some((_, of_principal, of_interest)) => {
                *of_principal += principal;
                *of_interest += interest;
            }
            None => days.push((on, principal, interest)),
        }
    }
    days
}

#[test]
fn every_published_example_row_by_row() {
    let examples: Vec<Value> = serde_json::from_str(EXAMPLES).unwrap();
    assert_eq!(examples.len(), 17);
    let mut wrong = Vec::new();
    for example in &examples {
        let (id, loan) = (text(&example["id"]), loan_of(example));
        let state = loan.state(text(&example["read_on"]));
        let wanted = example["repayments"].as_array().unwrap().iter().map(|paid| {
            let money = |name: &str| loan.money(text(&paid[name]));
            (text(&paid["on"]).to_owned(), money("principal"), money("interest"))
        });
        let paid = state.transactions.iter().filter(|it| matches!(it.kind, lending::TransactionKind::Repayment));
        let got = paid.map(|it| {
            let shares = it.allocation.unwrap();
            (it.on.to_string(), shares.principal, shares.interest)
        });
        assert_eq!(by_day(got), by_day(wanted), "{id}");
        // There each of three payments of a day sees the one before.
        if id == "F2-A1-072" {
            continue;
        }
        let wanted_rows = example["rows"].as_array().unwrap();
        assert_eq!(wanted_rows.len(), state.rows.len(), "{id}");
        for (wanted, got) in wanted_rows.iter().zip(&state.rows) {
            let cells = ["principal", "interest", "due", "paid", "outstanding", "balance"];
            let wanted_cells = cells.map(|cell| text(&wanted[cell]).to_owned());
            let got_cells = [got.principal, got.interest, got.due, got.paid, got.outstanding, got.balance];
            let got_cells = got_cells.map(|cell| cell.to_string());
            if (got_cells.clone(), got.due_on) != (wanted_cells.clone(), day(text(&wanted["due_on"]))) {
                wrong.push(format!("{id}, row {}: {got_cells:?}, expected {wanted_cells:?}", got.n));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// 1,000.00 at 36.5 % by calendar days over 365: 1.00 a day on the whole of it. Three instalments, each of 353.02.
fn by_the_day() -> Loan {
    let mut loan = Loan::new(
        "1000.00",
        "EUR",
        r#""interest_rate_apr": "36.5", "instalments": 3, "interest_period": "daily", "day_count": "actual/365",
        "repay_every": 30, "repay_unit": "day", "interest_accrual": "daily""#,
    );
    loan.disburse("2026-01-01");
    loan
}

/// Principal and interest of each row.
fn rows(loan: &Loan, as_of: &str) -> Vec<String> {
    loan.state(as_of).rows.iter().map(|row| format!("{} {} {}", row.due_on, row.principal, row.interest)).collect()
}

fn settled(loan: &Loan, on: &str) -> String {
    settlement(&loan.contract, &loan.events, day(on), end()).unwrap().unwrap().total.to_string()
}

#[test]
fn a_late_payment_costs_and_an_early_one_saves_from_its_own_day_on() {
    let loan = by_the_day();
    let scheduled = ["2026-01-31 323.53 30.00", "2026-03-02 333.24 20.29", "2026-04-01 343.23 10.30"];
    assert_eq!(rows(&loan, "2026-01-31"), scheduled);
    assert_eq!(loan.state("2026-01-31").instalment.to_string(), "353.53");
    // Ten days later 1.00 a day is counted on what should have been repaid too: 0.32353 a day.
    let late = rows(&loan, "2026-02-10");
    assert_eq!(late, ["2026-01-31 323.53 30.00", "2026-03-02 330.00 23.53", "2026-04-01 346.47 10.39"]);
    assert_eq!(loan.state("2026-02-10").totals.interest.to_string(), "63.92");

    // Paid ten days early, the balance of those days is less: 10 * 1.00 - 10 * 0.33353.
    let mut early = by_the_day();
    early.repay("2026-01-21", "353.53");
    let early_rows = rows(&early, "2026-01-31");
    assert_eq!(early_rows[0], "2026-01-31 333.53 20.00");
    assert_eq!(early_rows[1], "2026-03-02 326.88 26.65");
    assert_eq!(early.state("2026-01-31").rows[0].outstanding.to_string(), "0.00");
}

#[test]
fn the_settlement_is_what_has_accrued_and_closes_the_loan() {
    let mut loan = by_the_day();
    assert_eq!(settled(&loan, "2026-01-01"), "1000.00");
    assert_eq!(settled(&loan, "2026-01-16"), "1015.00");
    assert_eq!(settled(&loan, "2026-02-10"), "1040.00");
    // After the last due date nothing accrues.
    assert_eq!(settled(&loan, "2026-04-01"), "1090.00");
    assert_eq!(settled(&loan, "2027-04-01"), "1090.00");
    loan.repay("2026-02-10", "1039.99");
    assert_eq!(loan.state("2026-02-10").standing, Standing::Disbursed);
    assert_eq!(settled(&loan, "2026-02-10"), "0.01");
    loan.repay("2026-02-10", "0.01");
    let state = loan.state("2026-02-10");
    assert_eq!(state.standing, Standing::Repaid);
    assert_eq!(
        (state.totals.interest.to_string(), state.unpaid.principal.to_string()),
        ("40.00".into(), "0.00".into())
    );
    assert_eq!(loan.state("2030-01-01").totals, state.totals);
}

#[test]
fn nothing_accrues_from_a_write_off_on() {
    let mut loan = by_the_day();
    loan.write_off("2026-02-10");
    let state = loan.state("2026-12-31");
    let lapsed = [state.written_off.principal, state.written_off.interest].map(|amount| amount.to_string());
    assert_eq!(lapsed, ["1000.00", "40.00"]);
    assert_eq!(state.totals.interest.to_string(), "40.00");
}

#[test]
fn a_waiver_takes_what_has_accrued_and_no_more() {
    let mut loan = by_the_day();
    loan.waive("2026-02-10", Waivable::Interest, "40.00");
    assert_eq!(settled(&loan, "2026-02-10"), "1000.00");
    let state = loan.state("2026-02-10");
    assert_eq!(state.rows[0].interest.to_string(), "0.00");
    // The running row asks for the 20 days to come, on the balance that is left if the first is paid.
    assert_eq!(state.rows[1].interest.to_string(), "13.53");
    loan.waive("2026-02-10", Waivable::Interest, "0.01");
    assert_eq!(loan.conflict().1, "above_unpaid");
}

#[test]
fn a_waiver_that_a_payment_entered_later_leaves_too_large_comes_off_the_rows_after() {
    let mut loan = by_the_day();
    loan.waive("2026-01-21", Waivable::Interest, "20.00");
    // 500.00 from the 11th on: 10.00 less has accrued.
    loan.repay("2026-01-11", "500.00");
    // The payment took ten days at 1.00; ten at 0.51 followed. The waiver takes these, and is credit for more.
    let state = loan.state("2026-01-21");
    assert_eq!(state.unpaid.principal.to_string(), "510.00");
    assert_eq!(settled(&loan, "2026-01-21"), "500.00");
    assert_eq!(settled(&loan, "2026-01-31"), "500.20");
    assert_eq!(settled(&loan, "2026-02-20"), "510.40");
}

#[test]
fn a_waiver_that_a_payment_entered_later_leaves_nothing_of_is_credit_and_no_less_interest() {
    let mut loan = Loan::new(
        "1000.00",
        "EUR",
        r#""interest_rate_apr": "36.5", "instalments": 3, "interest_period": "daily", "day_count": "actual/365",
        "repay_every": 30, "repay_unit": "day", "interest_accrual": "daily", "allocation": "overdue_interest_first""#,
    );
    loan.disburse("2026-01-01");
    loan.charge("2026-04-01", ChargeKind::Fee, "5.00", "2026-04-01");
    loan.waive("2026-04-11", Waivable::Interest, "3.00");
    loan.repay("2026-04-05", "1090.00");
    let (state, outlook) = fold_on(&loan.contract, &loan.events, day("2026-04-11"), end()).unwrap();
    let unpaid = [state.unpaid.principal, state.unpaid.interest, state.unpaid.fees].map(|amount| amount.to_string());
    assert_eq!(unpaid, ["0.00", "0.00", "5.00"]);
    assert_eq!(settled(&loan, "2026-04-11"), "2.00");
    // The last row asks for 3.00 more, which are waived.
    assert_eq!(state.totals.interest.to_string(), "90.00");
    assert_eq!(outlook.accruing.unwrap().total_interest(day("2026-04-11"), state.total_due), state.totals.interest);
    // The settlement closes the loan: the interest that was paid and is waived pays the rest of the fee.
    loan.repay("2026-04-11", "2.00");
    let state = loan.state("2026-04-11");
    let paid = [state.paid.interest, state.paid.fees, state.overpayment].map(|amount| amount.to_string());
    assert_eq!((state.standing, paid), (Standing::Repaid, ["87.00", "5.00", "0.00"].map(String::from)));
}

#[test]
fn a_row_asks_for_no_less_principal_than_was_paid_in_advance_whatever_is_waived() {
    let mut loan = by_the_day();
    loan.waive("2026-01-21", Waivable::Interest, "20.00");
    // 10.00 of interest and 343.53 of principal: the row is paid. Of what accrues until the waiver, 6.56 are the next
    // row's, and the other 13.44 of the waiver come off this one.
    loan.repay("2026-01-11", "353.53");
    assert_eq!(rows(&loan, "2026-01-21")[0], "2026-01-31 343.53 10.00");
}

/// 365.00 a day in 2024, and 366.00 a day in 2025.
#[test]
fn by_actual_actual_each_day_counts_by_the_length_of_its_own_year() {
    let mut loan = Loan::new(
        "133590.00",
        "EUR",
        r#""interest_rate_apr": "100", "instalments": 2, "interest_period": "daily", "day_count": "actual/actual",
        "repay_every": 30, "repay_unit": "day", "interest_accrual": "daily""#,
    );
    loan.disburse("2024-12-16");
    assert_eq!(settled(&loan, "2025-01-01"), "139430.00");
    assert_eq!(settled(&loan, "2025-01-02"), "139796.00");
}

/// Saturday, 31 January, is after the start of the row, which was moved to Friday, and before the Sunday of its rhythm.
#[test]
fn a_row_whose_new_first_date_is_before_its_start_by_the_rhythm_bears_no_interest_by_30_360() {
    let mut loan = Loan::new(
        "1200.00",
        "EUR",
        r#""interest_rate_apr": "12", "instalments": 2, "interest_period": "daily", "day_count": "30/360",
        "interest_accrual": "daily", "calendar": {"code": "ke", "rule": "preceding"}"#,
    );
    let calendar = Some(Arc::new(Calendar::new(1, [WeekDay::Saturday, WeekDay::Sunday], [])));
    loan.record(day("2026-01-01"), EventKind::Disbursement { first_due_on: None, calendar: calendar.clone() });
    assert_eq!(rows(&loan, "2026-01-05"), ["2026-01-30 597.01 12.00", "2026-02-27 602.99 6.03"]);
    let (from, first_due_on) = (day("2026-02-27"), Some(day("2026-01-31")));
    let kind = EventKind::Reschedule { from, instalments: None, interest_rate_apr: None, first_due_on, calendar };
    loan.record(day("2026-01-05"), kind);
    assert_eq!(rows(&loan, "2026-01-05"), ["2026-01-30 597.01 12.00", "2026-02-02 602.99 0.00"]);
}

/// Replaces the rows from 2 March on by a single one.
fn reschedule(loan: &mut Loan, on: &str, rate: &str) {
    let interest_rate_apr = Some(AnnualRate::parse(rate).unwrap());
    let (from, instalments) = (day("2026-03-02"), Some(1));
    let kind = EventKind::Reschedule { from, instalments, interest_rate_apr, first_due_on: None, calendar: None };
    loan.record(day(on), kind);
}

#[test]
fn a_reschedule_counts_the_days_that_passed_at_the_new_rate() {
    let mut loan = by_the_day();
    loan.repay("2026-01-31", "353.53");
    reschedule(&mut loan, "2026-02-10", "18.25");
    // 676.47 for 30 days at 0.05 % a day.
    assert_eq!(rows(&loan, "2026-02-10")[1], "2026-03-02 676.47 10.15");
    assert_eq!(settled(&loan, "2026-02-20"), "683.23");
}

/// The days that have passed cost nothing at the new rate, and the interest that they were paid is more than is owed.
#[test]
fn interest_that_a_reschedule_leaves_too_large_pays_principal_and_no_more_than_there_is() {
    let mut loan = by_the_day();
    loan.repay("2026-01-31", "353.53");
    // Ten days at 0.67647 are 6.76, which are paid first; 4.00 of principal are left.
    loan.repay("2026-02-10", "679.23");
    assert_eq!(settled(&loan, "2026-02-10"), "4.00");
    reschedule(&mut loan, "2026-02-11", "0");
    let state = loan.state("2026-02-11");
    let moved = state.rescheduled.len();
    assert_eq!(
        (moved, state.unpaid.principal.to_string(), state.paid.interest.to_string()),
        (1, "0.00".into(), "32.76".into())
    );
    // The other 2.76 are credit, and the next payment gives them back.
    assert_eq!(settled(&loan, "2026-02-11"), "0.00");
    loan.repay("2026-02-12", "1.00");
    let state = loan.state("2026-02-12");
    assert_eq!(state.standing, Standing::Repaid);
    assert_eq!((state.paid.interest.to_string(), state.overpayment.to_string()), ("30.00".into(), "3.76".into()));
}

#[test]
fn what_will_fall_due_is_known_from_the_events_alone() {
    let mut loan = by_the_day();
    loan.repay("2026-02-10", "100.00");
    let exposures = follow(&loan.contract, &loan.events, end()).unwrap().exposures;
    for exposure in &exposures {
        let state = loan.state(&exposure.on.to_string());
        let past_due = state.past_due.principal.units() + state.past_due.interest.units() + state.past_due.fees.units();
        assert_eq!((exposure.standing, exposure.outstanding), (state.standing, state.unpaid.principal));
        assert_eq!(exposure.past_due.units(), past_due, "{}", exposure.on);
    }
    assert_eq!(exposures.len(), 5);
    // The order of recording does not matter.
    let late = loan.events.pop().unwrap();
    let early = lending::Event { id: lending::EventId(9), on: day("2026-01-20"), ..late.clone() };
    let recorded = |event: &lending::Event, second| lending::Event { recorded_at: instant(second), ..event.clone() };
    let one =
        change(&loan.contract, &[loan.events[0].clone(), recorded(&late, 5)], &recorded(&early, 6), late.on).unwrap();
    let other =
        change(&loan.contract, &[loan.events[0].clone(), recorded(&early, 5)], &recorded(&late, 6), late.on).unwrap();
    assert_eq!(
        (one.state.rows, one.state.owed, one.state.postings),
        (other.state.rows, other.state.owed, other.state.postings)
    );
}

/// For a year in which nothing is recorded: what is stored of the loan stays right on every day.
#[test]
fn nothing_that_is_stored_moves_with_the_day() {
    let mut loan = by_the_day();
    loan.contract.terms = Loan::new(
        "1000.00",
        "EUR",
        r#""interest_rate_apr": "36.5", "instalments": 9, "interest_period": "daily", "day_count": "actual/actual",
        "interest_accrual": "daily", "late_fee": {"grace_days": 3, "kind": "flat", "value": "5.00", "max_times": 2}"#,
    )
    .contract
    .terms;
    loan.repay("2026-02-05", "100.00");
    loan.waive("2026-02-20", Waivable::Interest, "3.00");
    let (first, last) = (day("2026-02-20"), day("2027-02-20"));
    let stored = fold_on(&loan.contract, &loan.events, first, end()).unwrap().1;
    let accruing = stored.accruing.clone().unwrap();
    let exposures = follow(&loan.contract, &loan.events, end()).unwrap().exposures;
    // Nothing is known of days before: they read as the day itself.
    let total = loan.state("2026-02-20").totals;
    assert_eq!(accruing.total_interest(day("2026-02-01"), total.due), total.interest);
    let mut totals = Vec::new();
    for on in first.series(1.day()).take_while(|on| *on <= last) {
        let (state, outlook) = fold_on(&loan.contract, &loan.events, on, end()).unwrap();
        assert_eq!(outlook, stored, "{on}");
        assert_eq!(accruing.total_interest(on, state.total_due), state.totals.interest, "{on}");
        let exposure = exposures.iter().rev().find(|exposure| exposure.on <= on).unwrap();
        let past_due = [state.past_due.principal, state.past_due.interest, state.past_due.fees];
        assert_eq!(exposure.past_due.units(), past_due.iter().map(|part| part.units()).sum(), "{on}");
        totals.push(state.totals.interest);
    }
    // They moved with most days, and stopped with the last due date.
    totals.dedup();
    assert!(totals.len() > 200, "{}", totals.len());
    assert_eq!(accruing.total_interest(day("2026-10-01"), totals[0]), *totals.last().unwrap());
}
