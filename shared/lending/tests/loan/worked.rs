//! The rules, with numbers worked out by hand.

use lending::{
    Account, ChargeKind, Event, EventId, EventKind, Money, Shares, Standing, State, TransactionKind, Waivable, change,
    fold, follow, journal_entries, levied_on, settlement,
};

use crate::support::{Loan, day, end, instant};

/// 300.00 at 1 % a month in three rows of 100.00 principal: due on 28 February, 31 March and 30
/// April with 3.00, 2.00 and 1.00 interest. `more` are more terms.
fn three(more: &str) -> Loan {
    let mut loan = Loan::new(
        "300.00",
        "EUR",
        &format!(r#""interest_rate_apr": "12", "instalments": 3, "amortization": "equal_principal"{more}"#),
    );
    loan.disburse("2025-01-31");
    loan
}

/// The same with 400.00 in four rows: 4.00, 3.00, 2.00 and 1.00 interest, the last due on 31 May.
fn four(more: &str) -> Loan {
    let mut loan = Loan::new(
        "400.00",
        "EUR",
        &format!(r#""interest_rate_apr": "12", "instalments": 4, "amortization": "equal_principal"{more}"#),
    );
    loan.disburse("2025-01-31");
    loan
}

/// `principal interest fees penalties | paid outstanding` of each row.
fn rows(state: &State) -> Vec<String> {
    let line = |row: &lending::Instalment| {
        let (principal, interest, fees, penalties) = (row.principal, row.interest, row.fees, row.penalties);
        format!("{principal} {interest} {fees} {penalties} | {} {}", row.paid, row.outstanding)
    };
    state.rows.iter().map(line).collect()
}

fn penalties(loan: &Loan, as_of: &str) -> Vec<String> {
    loan.state(as_of).rows.iter().map(|row| row.penalties.to_string()).collect()
}

fn shares(shares: &Shares) -> String {
    format!(
        "penalty {} fee {} interest {} principal {} over {}",
        shares.penalty, shares.fee, shares.interest, shares.principal, shares.overpayment
    )
}

fn settled(loan: &Loan, on: &str) -> String {
    let it = settlement(&loan.contract, &loan.events, day(on), end()).unwrap().unwrap();
    format!("{} {} {} {} = {}", it.principal, it.interest, it.fees, it.penalties, it.total)
}

fn applied(state: &State) -> Vec<String> {
    state.applied.iter().map(|it| format!("{} {}", it.on, shares(&it.shares))).collect()
}

fn posted(state: &State) -> Vec<String> {
    state.postings.iter().map(|it| format!("{} {} {}", it.on, it.account.as_str(), it.amount)).collect()
}

// Late fees.

#[test]
fn a_late_fee_is_due_the_day_after_the_grace_and_again_each_period() {
    let loan = three(r#", "late_fee": {"grace_days": 3, "kind": "flat", "value": "5.00", "max_times": 2}"#);
    // Due on 28 February, in grace until 3 March.
    assert_eq!(penalties(&loan, "2025-03-03"), ["0.00", "0.00", "0.00"]);
    assert_eq!(penalties(&loan, "2025-03-04"), ["5.00", "0.00", "0.00"]);
    assert_eq!(penalties(&loan, "2025-04-03"), ["5.00", "0.00", "0.00"]);
    // The second of the first row, a month later; the first of the second row, due on 31 March.
    assert_eq!(penalties(&loan, "2025-04-04"), ["10.00", "5.00", "0.00"]);
    // Not more than twice.
    assert_eq!(penalties(&loan, "2025-05-04"), ["10.00", "10.00", "5.00"]);
    assert_eq!(penalties(&loan, "2026-05-04"), ["10.00", "10.00", "10.00"]);
    // Each is due on its own day.
    let owed: Vec<String> = loan
        .state("2025-04-04")
        .owed
        .iter()
        .filter(|owed| !owed.unpaid.penalties.is_zero())
        .map(|owed| format!("{} {}", owed.due_on, owed.unpaid.penalties))
        .collect();
    assert_eq!(owed, ["2025-03-04 5.00", "2025-04-04 10.00"]);
}

#[test]
fn without_max_times_a_late_fee_arises_once() {
    let loan = three(r#", "late_fee": {"kind": "flat", "value": "5.00"}"#);
    assert_eq!(penalties(&loan, "2025-02-28"), ["0.00", "0.00", "0.00"]);
    assert_eq!(penalties(&loan, "2025-03-01"), ["5.00", "0.00", "0.00"]);
    assert_eq!(penalties(&loan, "2027-03-01"), ["5.00", "5.00", "5.00"]);
}

#[test]
fn paid_within_the_grace_there_is_no_late_fee_and_a_day_later_there_is() {
    let terms = r#", "late_fee": {"grace_days": 3, "kind": "flat", "value": "5.00", "max_times": 9}"#;
    let mut loan = three(terms);
    loan.repay("2025-03-03", "103.00");
    assert_eq!(penalties(&loan, "2025-03-30"), ["0.00", "0.00", "0.00"]);
    // On the day of the fee it is there, and due: what is past due comes first.
    let mut loan = three(terms);
    let paid = loan.repay("2025-03-04", "103.00");
    let state = loan.state("2025-03-04");
    let allocation = state.transaction(paid).unwrap().allocation.unwrap();
    assert_eq!(shares(&allocation), "penalty 0.00 fee 0.00 interest 3.00 principal 100.00 over 0.00");
    assert_eq!(rows(&state)[0], "100.00 3.00 0.00 5.00 | 103.00 5.00");
    // A day later it is past due as well, and a penalty comes before interest.
    let mut loan = three(terms);
    let paid = loan.repay("2025-03-05", "103.00");
    let allocation = loan.state("2025-03-05").transaction(paid).unwrap().allocation.unwrap();
    assert_eq!(shares(&allocation), "penalty 5.00 fee 0.00 interest 3.00 principal 95.00 over 0.00");
    // Paid in full before the next one: that is all.
    loan.repay("2025-04-03", "5.00");
    assert_eq!(penalties(&loan, "2025-04-03"), ["5.00", "0.00", "0.00"]);
    assert_eq!(penalties(&loan, "2025-04-04"), ["5.00", "5.00", "0.00"]);
}

#[test]
fn percent_of_overdue_is_of_what_is_unpaid_then_without_late_fees() {
    let terms = r#", "late_fee": {"kind": "percent_of_overdue", "value": "2.5", "max_times": 3}"#;
    let mut loan = three(terms);
    // 2.5 % of 103.00 is 2.575: half to even.
    assert_eq!(penalties(&loan, "2025-03-01"), ["2.58", "0.00", "0.00"]);
    // The penalty and 50.00 of the row; 2.5 % of the 53.00 left is 1.325. Late fees bear none.
    loan.repay("2025-03-15", "52.58");
    assert_eq!(penalties(&loan, "2025-04-01"), ["3.90", "2.55", "0.00"]);
    // In whole euros 2.575 is 3.00.
    let loan = three(&format!(r#"{terms}, "smallest_amount": "1""#));
    assert_eq!(penalties(&loan, "2025-03-01"), ["3.00", "0.00", "0.00"]);
}

#[test]
fn an_unpaid_fee_makes_an_instalment_late_and_an_unpaid_penalty_does_not() {
    let terms = r#", "late_fee": {"kind": "percent_of_overdue", "value": "10"}"#;
    let mut loan = three(terms);
    loan.charge("2025-02-28", ChargeKind::Fee, "7.00", "2025-02-28");
    loan.waive("2025-02-28", Waivable::Interest, "3.00");
    // Penalty and fee come first: paid are 107.00 less 7.00 of the fee.
    loan.repay("2025-02-28", "100.00");
    assert_eq!(rows(&loan.state("2025-02-28"))[0], "100.00 0.00 7.00 0.00 | 100.00 7.00");
    assert_eq!(penalties(&loan, "2025-03-01")[0], "0.70");

    let mut loan = three(terms);
    loan.repay("2025-02-28", "103.00");
    loan.charge("2025-02-28", ChargeKind::Penalty, "7.00", "2025-02-20");
    // The penalty, paid first, leaves 7.00 of the principal.
    assert_eq!(penalties(&loan, "2025-03-01")[0], "7.70");
    loan.repay("2025-02-28", "7.00");
    assert_eq!(penalties(&loan, "2025-03-01")[0], "7.00");
    // Unpaid alone: charged after the payment.
    let mut loan = three(terms);
    loan.repay("2025-02-27", "103.00");
    loan.charge("2025-02-28", ChargeKind::Penalty, "7.00", "2025-02-28");
    let state = loan.state("2025-03-30");
    assert_eq!(rows(&state)[0], "100.00 3.00 0.00 7.00 | 103.00 7.00");
    assert_eq!(state.days_past_due, 0);
}

#[test]
fn a_fee_due_on_the_day_of_the_late_fee_is_not_late() {
    let mut loan = three(r#", "late_fee": {"kind": "percent_of_overdue", "value": "10"}"#);
    loan.repay("2025-03-31", "215.30");
    // Shown in the last row, due on 30 April: 10 % of its 101.00, not of the fee of the day after.
    loan.charge("2025-04-01", ChargeKind::Fee, "7.00", "2025-05-01");
    assert_eq!(rows(&loan.state("2025-05-01"))[2], "100.00 1.00 7.00 10.10 | 0.00 118.10");
}

#[test]
fn an_instalments_own_fee_stands_among_charged_fees_by_its_due_date() {
    let terms = r#""interest_rate_apr": "0", "instalments": 1,
        "fees": [{"code": "a", "when": "instalment", "amount": "1.00"}],
        "late_fee": {"kind": "percent_of_overdue", "value": "10"}"#;
    let mut loan = Loan::new("100.00", "EUR", terms);
    loan.disburse("2025-01-31");
    for (amount, due_on) in [("2.00", "2025-02-20"), ("4.00", "2025-03-10"), ("8.00", "2025-03-20")] {
        loan.charge("2025-02-01", ChargeKind::Fee, amount, due_on);
    }
    // Late on 1 March are 100.00, 2.00 and the own 1.00, due on 28 February.
    assert_eq!(penalties(&loan, "2025-03-01"), ["10.30"]);
    let fees = |loan: &Loan| -> Vec<String> {
        let state = loan.state("2025-02-10");
        state.owed.iter().map(|owed| format!("{} {}", owed.due_on, owed.unpaid.fees)).collect()
    };
    loan.waive("2025-02-10", Waivable::Fee, "2.50");
    assert_eq!(fees(&loan), ["2025-02-28 0.50", "2025-03-10 4.00", "2025-03-20 8.00"]);
    loan.waive("2025-02-10", Waivable::Fee, "1.50");
    assert_eq!(fees(&loan), ["2025-02-28 0.00", "2025-03-10 3.00", "2025-03-20 8.00"]);
}

#[test]
fn no_late_fee_arises_after_a_write_off() {
    let mut loan = three(r#", "late_fee": {"kind": "flat", "value": "5.00", "max_times": 9}"#);
    loan.write_off("2025-04-01");
    // Those due on the day of the write-off are there, and lapse with the rest.
    let state = loan.state("2026-01-01");
    assert_eq!(penalties(&loan, "2026-01-01"), ["10.00", "5.00", "0.00"]);
    assert_eq!(state.written_off.penalties.to_string(), "15.00");
    assert_eq!(state.totals.outstanding.to_string(), "0.00");
}

// Days past due.

#[test]
fn what_is_due_today_is_not_past_due() {
    let mut loan = three("");
    loan.charge("2025-02-01", ChargeKind::Fee, "7.00", "2025-02-20");
    loan.charge("2025-02-01", ChargeKind::Penalty, "5.00", "2025-02-28");
    let past_due = |as_of: &str| {
        let it = loan.state(as_of).past_due;
        format!("{} {} {} {}", it.principal, it.interest, it.fees, it.penalties)
    };
    assert_eq!(past_due("2025-02-20"), "0.00 0.00 0.00 0.00");
    assert_eq!(past_due("2025-02-28"), "0.00 0.00 7.00 0.00");
    assert_eq!(past_due("2025-03-01"), "100.00 3.00 7.00 5.00");
    assert_eq!(past_due("2025-04-01"), "200.00 5.00 7.00 5.00");
}

#[test]
fn a_row_that_asks_for_nothing_is_paid_on_no_day() {
    let mut loan = three(r#", "grace": {"principal": 1}"#);
    loan.waive("2025-02-10", Waivable::Interest, "4.00");
    // Row 1 asked for 3.00 interest alone; row 2 still asks for 150.00 and 2.00.
    loan.repay("2025-03-31", "152.00");
    let state = loan.state("2025-03-31");
    assert_eq!(rows(&state)[..2], ["0.00 0.00 0.00 0.00 | 0.00 0.00", "150.00 2.00 0.00 0.00 | 152.00 0.00"]);
    let paid_on: Vec<_> = state.rows.iter().map(|row| row.paid_on).collect();
    assert_eq!(paid_on, [None, Some(day("2025-03-31")), None]);
}

#[test]
fn days_past_due_count_from_the_day_after_the_due_date() {
    let mut loan = three("");
    let late = |loan: &Loan, as_of: &str| loan.state(as_of).days_past_due;
    assert_eq!((late(&loan, "2025-02-28"), late(&loan, "2025-03-01"), late(&loan, "2025-04-09")), (0, 1, 40));
    loan.repay("2025-04-01", "103.00");
    // Now the second is the oldest, due on 31 March.
    assert_eq!((late(&loan, "2025-04-01"), late(&loan, "2025-04-09")), (1, 9));
    let state = loan.state("2025-04-09");
    assert_eq!(state.oldest_unpaid_due_on, Some(day("2025-03-31")));
    assert_eq!(state.next_due_on, Some(day("2025-04-30")));
    assert_eq!(state.past_due.principal.to_string(), "100.00");
    assert_eq!(state.past_due.interest.to_string(), "2.00");
    // A fee in the last row that is due after it: from its own day.
    loan.repay("2025-04-30", "203.00");
    loan.charge("2025-05-01", ChargeKind::Fee, "1.00", "2025-06-10");
    assert_eq!((late(&loan, "2025-06-10"), late(&loan, "2025-06-11")), (0, 1));
}

// Allocation.

#[test]
fn one_days_payments_are_one_sum_shared_in_the_order_of_recording() {
    let mut loan = three("");
    let first = loan.repay("2025-02-28", "2.00");
    let second = loan.repay("2025-02-28", "2.00");
    let third = loan.repay("2025-02-28", "99.00");
    let state = loan.state("2025-02-28");
    let of = |id| {
        let transaction = state.transaction(id).unwrap();
        format!("{} balance {}", shares(&transaction.allocation.unwrap()), transaction.balance)
    };
    assert_eq!(of(first), "penalty 0.00 fee 0.00 interest 2.00 principal 0.00 over 0.00 balance 300.00");
    assert_eq!(of(second), "penalty 0.00 fee 0.00 interest 1.00 principal 1.00 over 0.00 balance 299.00");
    assert_eq!(of(third), "penalty 0.00 fee 0.00 interest 0.00 principal 99.00 over 0.00 balance 200.00");
}

#[test]
fn the_four_orders_with_the_same_payment() {
    // On 15 April: past due are rows 1 and 2 with interest 3.00 and 2.00, a penalty of 4.00 due on
    // 1 March in row 2, a fee of 6.00 due that day and another of 8.00 due on 20 April in row 3.
    let pay = |allocation: &str, amount: &str| {
        let mut loan = three(&format!(r#", "allocation": "{allocation}""#));
        loan.charge("2025-03-01", ChargeKind::Penalty, "4.00", "2025-03-01");
        loan.charge("2025-04-10", ChargeKind::Fee, "6.00", "2025-04-15");
        loan.charge("2025-04-10", ChargeKind::Fee, "8.00", "2025-04-20");
        let paid = loan.repay("2025-04-15", amount);
        let state = loan.state("2025-04-15");
        shares(&state.transaction(paid).unwrap().allocation.unwrap())
    };
    // Row 1: 3.00 and 100.00; row 2: 4.00, 2.00, 1.00 of 100.00.
    let default = "penalty_fee_interest_principal";
    assert_eq!(pay(default, "110.00"), "penalty 4.00 fee 0.00 interest 5.00 principal 101.00 over 0.00");
    // All past due is 209.00; then the fee of the day, then in advance the other fee first.
    assert_eq!(pay(default, "217.00"), "penalty 4.00 fee 8.00 interest 5.00 principal 200.00 over 0.00");
    // In advance principal comes first.
    let principal_first = "due_penalty_fee_interest_principal_in_advance_principal_penalty_fee_interest";
    assert_eq!(pay(principal_first, "217.00"), "penalty 4.00 fee 6.00 interest 5.00 principal 202.00 over 0.00");
    // In a row principal comes before the fee, in advance too: 1.00 interest, then principal.
    let fee_last = "due_penalty_interest_principal_fee_in_advance_penalty_interest_principal_fee";
    assert_eq!(pay(fee_last, "217.00"), "penalty 4.00 fee 6.00 interest 6.00 principal 201.00 over 0.00");
    // 5.00 interest, then principal of both rows, then penalty and fee.
    let interest_first = "overdue_interest_first";
    assert_eq!(pay(interest_first, "110.00"), "penalty 0.00 fee 0.00 interest 5.00 principal 105.00 over 0.00");
    assert_eq!(pay(interest_first, "207.00"), "penalty 2.00 fee 0.00 interest 5.00 principal 200.00 over 0.00");
    // All due is 215.00; in advance 1.00 interest, then principal.
    assert_eq!(pay(interest_first, "217.00"), "penalty 4.00 fee 6.00 interest 6.00 principal 201.00 over 0.00");
}

// Settlement and overpayment.

#[test]
fn settlement_within_a_period() {
    let fees = r#", "fees": [{"code": "a", "when": "instalment", "amount": "1.00"}]"#;
    let mut loan = three(fees);
    // 15 of the 31 days from 28 February: 2.00 * 15/31 = 0.967...; row 1 with its fee in full.
    assert_eq!(settled(&loan, "2025-03-15"), "300.00 3.97 1.00 0.00 = 304.97");
    assert_eq!(settled(&loan, "2025-01-31"), "300.00 0.00 0.00 0.00 = 300.00");
    assert_eq!(settled(&loan, "2025-02-28"), "300.00 3.00 1.00 0.00 = 304.00");
    assert_eq!(settled(&loan, "2025-09-01"), "300.00 6.00 3.00 0.00 = 309.00");
    // A charge counts whether it is due or not.
    loan.charge("2025-03-10", ChargeKind::Fee, "2.50", "2025-04-20");
    assert_eq!(settled(&loan, "2025-03-15"), "300.00 3.97 3.50 0.00 = 307.47");
    // A payment of that day counts towards it, whatever else it would have paid.
    loan.repay("2025-03-15", "250.00");
    let rest = settlement(&loan.contract, &loan.events, day("2025-03-15"), end()).unwrap().unwrap();
    assert_eq!(rest.total.to_string(), "57.47");

    // Flat alike: 3.00 in each row.
    let loan = three(r#", "interest_method": "flat""#);
    assert_eq!(settled(&loan, "2025-03-15"), "300.00 4.45 0.00 0.00 = 304.45");
}

#[test]
fn what_was_waived_or_paid_of_the_running_rows_interest_is_not_settled_again() {
    // Half of the period of row 1: of its 3.00, of which 0.50 is paid in advance; or waived, whatever
    // is earned later.
    let mut paid = three("");
    paid.repay("2025-02-10", "0.50");
    assert_eq!(settled(&paid, "2025-02-14"), "300.00 1.00 0.00 0.00 = 301.00");
    let mut waived = three("");
    waived.waive("2025-02-10", Waivable::Interest, "1.00");
    assert_eq!(settled(&waived, "2025-02-14"), "300.00 0.50 0.00 0.00 = 300.50");
    // Of several periods that are paid with one row a waiver takes what was earned first: 4.00 and
    // 3.00 * 15/31 = 1.451..., less 2.00.
    let mut deferred = four(r#", "grace": {"interest_payment": 1}"#);
    deferred.waive("2025-02-10", Waivable::Interest, "2.00");
    assert_eq!(settled(&deferred, "2025-03-15"), "400.00 3.45 0.00 0.00 = 403.45");
}

#[test]
fn what_is_earned_within_a_period_is_a_multiple_of_the_smallest_amount() {
    // Of row 2's 2.00 are 0.967... earned.
    let whole = r#", "smallest_amount": "1""#;
    assert_eq!(settled(&three(whole), "2025-03-15"), "300.00 4.00 0.00 0.00 = 304.00");
    let deferred = format!(r#"{whole}, "grace": {{"interest_payment": 2}}"#);
    assert_eq!(settled(&three(&deferred), "2025-03-15"), "300.00 4.00 0.00 0.00 = 304.00");
    // Row 2 asks for 1 % of (300 * 10 + 120 * 21)/31, 1.7806...; up to the 20th it has earned 1 % of
    // (300 * 10 + 120 * 10)/31, 1.3548...
    let mut loan = four(&format!(r#"{whole}, "prepayment": "reduce_instalment""#));
    loan.repay("2025-02-28", "104.00");
    loan.repay("2025-03-10", "180.00");
    assert_eq!(
        rows(&loan.state("2025-03-10"))[1..],
        [
            "220.00 2.00 0.00 0.00 | 180.00 42.00",
            "40.00 1.00 0.00 0.00 | 0.00 41.00",
            "40.00 0.00 0.00 0.00 | 0.00 40.00"
        ]
    );
    assert_eq!(settled(&loan, "2025-03-20"), "120.00 1.00 0.00 0.00 = 121.00");
}

#[test]
fn interest_paid_with_a_later_row_is_earned_in_its_own_period() {
    // 3.00 of the first period and 2.00 of the second are paid with the third's 1.00.
    let loan = three(r#", "grace": {"interest_payment": 2}"#);
    assert_eq!(rows(&loan.state("2025-02-01"))[2], "100.00 6.00 0.00 0.00 | 0.00 106.00");
    assert_eq!(settled(&loan, "2025-02-14"), "300.00 1.50 0.00 0.00 = 301.50");
    assert_eq!(settled(&loan, "2025-03-15"), "300.00 3.97 0.00 0.00 = 303.97");
    assert_eq!(settled(&loan, "2025-04-15"), "300.00 5.50 0.00 0.00 = 305.50");
    // After the row that it is paid with interest is paid as it arises: 4.00 and 3.00 with row 2,
    // and half of row 3's 2.00.
    let loan = four(r#", "grace": {"interest_payment": 1}"#);
    assert_eq!(settled(&loan, "2025-04-15"), "400.00 8.00 0.00 0.00 = 408.00");
}

#[test]
fn closing_drops_what_is_unearned_and_holds_the_rest() {
    let mut loan = three(r#", "fees": [{"code": "a", "when": "instalment", "amount": "1.00"}]"#);
    // 10 of 28 days: 3.00 * 10/28 = 1.071...
    let paid = loan.repay("2025-02-10", "500.00");
    let state = loan.state("2025-02-10");
    assert_eq!(state.standing, Standing::Repaid);
    assert_eq!(
        rows(&state),
        [
            "100.00 1.07 0.00 0.00 | 101.07 0.00",
            "100.00 0.00 0.00 0.00 | 100.00 0.00",
            "100.00 0.00 0.00 0.00 | 100.00 0.00"
        ]
    );
    assert!(state.rows.iter().all(|row| row.paid_on == Some(day("2025-02-10"))));
    let allocation = state.transaction(paid).unwrap().allocation.unwrap();
    assert_eq!(shares(&allocation), "penalty 0.00 fee 0.00 interest 1.07 principal 300.00 over 198.93");
    assert_eq!(
        posted(&state)[3..],
        ["2025-02-10 cash 500.00", "2025-02-10 principal_receivable -300.00", "2025-02-10 interest_income -1.07"]
            .map(str::to_owned)
            .into_iter()
            .chain(["2025-02-10 overpayments_payable -198.93".to_owned()])
            .collect::<Vec<_>>()[1..]
    );

    // Back to the borrower, at most what is held.
    loan.refund("2025-02-12", "100.00");
    assert_eq!(loan.state("2025-02-12").overpayment.to_string(), "98.93");
    let mut too_much = loan.clone();
    let refund = too_much.refund("2025-02-12", "98.94");
    assert_eq!(too_much.conflict(), (refund, "above_held"));

    let mut all = loan.clone();
    all.refund("2025-02-12", "98.93");
    assert_eq!(all.state("2025-02-12").overpayment.to_string(), "0.00");

    // A later charge is paid on its due date, not before.
    loan.charge("2025-02-20", ChargeKind::Fee, "50.00", "2025-03-15");
    let state = loan.state("2025-03-14");
    assert_eq!((state.standing, state.overpayment.to_string()), (Standing::Disbursed, "98.93".to_owned()));
    let state = loan.state("2025-03-15");
    assert_eq!((state.standing, state.overpayment.to_string()), (Standing::Repaid, "48.93".to_owned()));
    assert_eq!(shares(&state.applied[0].shares), "penalty 0.00 fee 50.00 interest 0.00 principal 0.00 over -50.00");
    // The posting of that day follows at once.
    let all = follow(&loan.contract, &loan.events, end()).unwrap().postings;
    let future: Vec<String> = all
        .iter()
        .filter(|it| it.on == day("2025-03-15"))
        .map(|it| format!("{} {}", it.account.as_str(), it.amount))
        .collect();
    assert_eq!(future, ["fee_income -50.00", "overpayments_payable 50.00"]);
    // Now the repayment carries the refund: it cannot be reversed.
    let refunded = loan.events[2].id;
    loan.reverse(paid);
    assert_eq!(loan.conflict(), (refunded, "above_held"));
}

#[test]
fn a_charge_may_be_due_on_the_day_of_the_disbursement() {
    let mut loan = three("");
    let id = loan.charge("2025-01-31", ChargeKind::Fee, "7.00", "2025-01-31");
    let state = loan.state("2025-02-01");
    assert_eq!(state.transaction(id).unwrap().amount.to_string(), "7.00");
    assert_eq!(rows(&state)[0], "100.00 3.00 7.00 0.00 | 0.00 110.00");
    assert_eq!(state.past_due.fees.to_string(), "7.00");
}

#[test]
fn a_charge_counts_from_the_day_it_is_levied() {
    let mut loan = three("");
    let today = day("2025-04-20");
    let levied = |loan: &Loan, due_on: &str| {
        levied_on(day(due_on), today, &loan.events, &loan.state("2025-04-20").rows).to_string()
    };
    // Nothing was paid: from the first day of the period in which it falls due.
    assert_eq!(levied(&loan, "2025-02-28"), "2025-01-31");
    assert_eq!(levied(&loan, "2025-03-01"), "2025-03-01");
    assert_eq!(levied(&loan, "2025-03-31"), "2025-03-01");
    assert_eq!(levied(&loan, "2025-04-10"), "2025-04-01");
    // It falls due later: from today on.
    assert_eq!(levied(&loan, "2025-04-21"), "2025-04-20");
    assert_eq!(levied(&loan, "2027-01-01"), "2025-04-20");
    loan.repay("2025-03-05", "103.00");
    // From the day after the payment, so that it is not allocated again.
    assert_eq!(levied(&loan, "2025-03-31"), "2025-03-06");
    // It had fallen due by then.
    assert_eq!(levied(&loan, "2025-03-05"), "2025-03-05");
    assert_eq!(levied(&loan, "2025-02-15"), "2025-02-15");
    let paid = loan.repay("2025-04-20", "1.00");
    assert_eq!(levied(&loan, "2025-04-20"), "2025-04-20");
    loan.reverse(paid);
    assert_eq!(levied(&loan, "2025-03-31"), "2025-03-06");
}

// Waivers.

#[test]
fn waivers_take_the_oldest_first_whether_due_or_not() {
    let mut loan = three(r#", "fees": [{"code": "a", "when": "instalment", "amount": "1.00"}]"#);
    loan.charge("2025-02-01", ChargeKind::Fee, "2.00", "2025-02-20");
    loan.waive("2025-02-10", Waivable::Interest, "4.00");
    // The charge, due on the 20th, is older than the fee of the row, due on the 28th.
    let id = loan.waive("2025-02-10", Waivable::Fee, "2.50");
    let state = loan.state("2025-02-10");
    let waiver = state.transaction(id).unwrap();
    assert_eq!((waiver.kind, waiver.amount.to_string()), (TransactionKind::Waiver, "2.50".to_owned()));
    assert_eq!(shares(&waiver.allocation.unwrap()), "penalty 0.00 fee 2.50 interest 0.00 principal 0.00 over 0.00");
    assert_eq!(
        rows(&state),
        [
            "100.00 0.00 0.50 0.00 | 0.00 100.50",
            "100.00 1.00 1.00 0.00 | 0.00 102.00",
            "100.00 1.00 1.00 0.00 | 0.00 102.00"
        ]
    );
    // As charged is 6.00: 2.00 are left.
    let mut too_much = loan.clone();
    let waiver = too_much.waive("2025-02-10", Waivable::Interest, "2.01");
    assert_eq!(too_much.conflict(), (waiver, "above_unpaid"));
    // A waiver needs the charge that it waives.
    let mut loan = three("");
    let charge = loan.charge("2025-02-01", ChargeKind::Penalty, "2.00", "2025-02-20");
    let waiver = loan.waive("2025-02-10", Waivable::Penalty, "2.00");
    loan.reverse(charge);
    assert_eq!(loan.conflict(), (waiver, "above_unpaid"));
}

#[test]
fn a_waiver_of_all_that_is_left_closes_the_loan() {
    let order = "due_penalty_fee_interest_principal_in_advance_principal_penalty_fee_interest";
    let loan = |more: &str| {
        let terms = format!(r#""interest_rate_apr": "12", "instalments": 1, "allocation": "{order}"{more}"#);
        let mut loan = Loan::new("100.00", "EUR", &terms);
        loan.disburse("2025-01-31");
        // All the principal, but not the 0.50 earned in 14 of 28 days.
        loan.repay("2025-02-14", "100.00");
        loan
    };
    let mut plain = loan("");
    assert_eq!(rows(&plain.state("2025-02-14")), ["100.00 1.00 0.00 0.00 | 100.00 1.00"]);
    // 15 of 28 days: 1.00 * 15/28 = 0.54 earned. With 1.00 waived nothing is left at all.
    plain.waive("2025-02-15", Waivable::Interest, "1.00");
    assert_eq!(plain.state("2025-02-15").standing, Standing::Repaid);
    // The part of the row that would have fallen due later is dropped that day: its fee.
    let mut with_fee = loan(r#", "fees": [{"code": "a", "when": "instalment", "amount": "2.00"}]"#);
    with_fee.waive("2025-02-15", Waivable::Interest, "1.00");
    assert_eq!(rows(&with_fee.state("2025-02-14")), ["100.00 1.00 2.00 0.00 | 100.00 3.00"]);
    assert_eq!(rows(&with_fee.state("2025-02-15")), ["100.00 0.00 0.00 0.00 | 100.00 0.00"]);
    assert_eq!(with_fee.state("2025-02-15").standing, Standing::Repaid);
}

// Reversals.

/// Nothing happens on the due date of a charge before it is levied: what the charge's reversal changes begins on the
/// day of the charge.
#[test]
fn a_charge_due_before_it_was_levied_is_reversed() {
    let mut loan = three("");
    let charge = loan.charge("2025-04-05", ChargeKind::Fee, "7.00", "2025-03-10");
    let reversal = Event {
        id: EventId(99),
        on: day("2025-04-05"),
        recorded_at: instant(99),
        kind: EventKind::Reversal { of: charge },
    };
    let reversed = change(&loan.contract, &loan.events, &reversal, day("2025-04-10")).unwrap();
    let past_due = |exposures: &[lending::Exposure]| -> Vec<String> {
        exposures.iter().map(|it| format!("{} {}", it.on, it.past_due)).collect()
    };
    assert_eq!(past_due(&reversed.before.exposures), ["2025-04-01 205.00", "2025-04-05 212.00", "2025-05-01 313.00"]);
    assert_eq!(past_due(&reversed.after.exposures), ["2025-04-01 205.00", "2025-05-01 306.00"]);
}

#[test]
fn a_reversal_reopens_a_repaid_loan() {
    let mut loan = three("");
    loan.repay("2025-02-28", "103.00");
    loan.repay("2025-03-31", "102.00");
    let last = loan.repay("2025-04-30", "101.00");
    assert_eq!(loan.state("2025-05-02").standing, Standing::Repaid);
    let reversal = loan.reverse(last);
    let state = loan.state("2025-05-02");
    assert_eq!((state.standing, state.days_past_due), (Standing::Disbursed, 2));
    assert_eq!(state.unpaid.principal.to_string(), "100.00");
    let reversed = state.transaction(last).unwrap();
    assert_eq!((reversed.reversed_by, &reversed.allocation), (Some(reversal), &None));
    let transaction = state.transaction(reversal).unwrap();
    assert_eq!(transaction.kind, TransactionKind::Reversal);
    assert_eq!((transaction.reverses, transaction.amount.to_string()), (Some(last), "101.00".to_owned()));
    assert_eq!(transaction.balance.to_string(), "100.00");
    // Before the reversal was recorded it was repaid, and is so still for who asks about then.
    let before = fold(&loan.contract, &loan.events, day("2025-05-02"), instant(3)).unwrap();
    assert_eq!(before.standing, Standing::Repaid);
}

#[test]
fn a_reversal_lets_later_payments_move_up() {
    let mut loan = three("");
    let first = loan.repay("2025-02-28", "103.00");
    let second = loan.repay("2025-03-31", "102.00");
    let made = follow(&loan.contract, &loan.events, end()).unwrap().postings;
    loan.reverse(first);
    // 3.00 and 99.00 of the first row, past due.
    let state = loan.state("2025-03-31");
    assert_eq!(rows(&state)[..2], ["100.00 3.00 0.00 0.00 | 102.00 1.00", "100.00 2.00 0.00 0.00 | 0.00 102.00"]);
    let allocation = state.transaction(second).unwrap().allocation.unwrap();
    assert_eq!(shares(&allocation), "penalty 0.00 fee 0.00 interest 3.00 principal 99.00 over 0.00");
    // One entry for each value date that differs.
    let entries = journal_entries(&follow(&loan.contract, &loan.events, end()).unwrap().postings, &made);
    let lines: Vec<String> = entries
        .iter()
        .flat_map(|entry| {
            entry
                .lines
                .iter()
                .map(|it| format!("{} {} {} {}", entry.value_date, it.account.as_str(), it.debit, it.credit))
        })
        .collect();
    assert_eq!(
        lines,
        [
            "2025-02-28 cash 0.00 103.00",
            "2025-02-28 principal_receivable 100.00 0.00",
            "2025-02-28 interest_income 3.00 0.00",
            "2025-03-31 principal_receivable 1.00 0.00",
            "2025-03-31 interest_income 0.00 1.00",
        ]
    );
}

#[test]
fn a_reversed_disbursement_returns_the_loan_to_approved() {
    let mut loan = three("");
    let paid = loan.repay("2025-02-28", "103.00");
    let disbursement = loan.events[0].id;
    let mut refused = loan.clone();
    refused.reverse(disbursement);
    assert_eq!(refused.conflict(), (paid, "not_disbursed"));
    loan.reverse(paid);
    let reversal = loan.reverse(disbursement);
    let state = loan.state("2025-06-01");
    assert_eq!((state.standing, state.rows.len(), state.postings.len()), (Standing::Approved, 0, 0));
    // Both were about the amount of the loan.
    let about = |id| {
        let transaction = state.transaction(id).unwrap();
        (transaction.amount.to_string(), transaction.paid_out)
    };
    assert_eq!((about(disbursement), about(reversal)), (("300.00".into(), None), ("300.00".into(), None)));
    // And it can be disbursed again, on another day.
    loan.disburse("2025-03-05");
    assert_eq!(loan.state("2025-06-01").rows[0].due_on, day("2025-04-05"));
}

// Prepayment: 104.00 on the first due date, then 180.00 on 10 March, 10 of 31 days into the second
// period.

fn prepaid(prepayment: &str) -> Vec<String> {
    let mut loan = four(&format!(r#", "prepayment": "{prepayment}""#));
    loan.repay("2025-02-28", "104.00");
    loan.repay("2025-03-10", "180.00");
    let state = loan.state("2025-03-10");
    assert_eq!(state.unpaid.principal.units() + state.paid.principal.units(), 40_000);
    rows(&state)[1..].to_vec()
}

#[test]
fn next_instalments_fills_the_next_rows() {
    // Row 2: 3.00 and 100.00; row 3: 2.00 and 75.00.
    assert_eq!(
        prepaid("next_instalments"),
        [
            "100.00 3.00 0.00 0.00 | 103.00 0.00",
            "100.00 2.00 0.00 0.00 | 77.00 25.00",
            "100.00 1.00 0.00 0.00 | 0.00 101.00"
        ]
    );
}

#[test]
fn last_instalments_fills_from_the_last_row_backwards() {
    // Row 4: 1.00 and 100.00; row 3: 2.00 and 77.00.
    assert_eq!(
        prepaid("last_instalments"),
        [
            "100.00 3.00 0.00 0.00 | 0.00 103.00",
            "100.00 2.00 0.00 0.00 | 79.00 23.00",
            "100.00 1.00 0.00 0.00 | 101.00 0.00"
        ]
    );
}

#[test]
fn reduce_instalment_makes_as_many_rows() {
    // 300.00 less 180.00 is 120.00: 40.00 a row. Row 2: 1 % of (300 * 10 + 120 * 21)/31 = 1.7806...;
    // then 1 % of 80.00 and of 40.00. The 180.00 are shown in row 2.
    assert_eq!(
        prepaid("reduce_instalment"),
        [
            "220.00 1.78 0.00 0.00 | 180.00 41.78",
            "40.00 0.80 0.00 0.00 | 0.00 40.80",
            "40.00 0.40 0.00 0.00 | 0.00 40.40"
        ]
    );
}

#[test]
fn reduce_term_keeps_the_instalment() {
    // 100.00 and 20.00 of the 120.00; 1 % of the last 20.00.
    assert_eq!(prepaid("reduce_term"), ["280.00 1.78 0.00 0.00 | 180.00 101.78", "20.00 0.20 0.00 0.00 | 0.00 20.20"]);
}

#[test]
fn a_second_prepayment_within_a_period_counts_days_on_three_balances() {
    let mut loan = four(r#", "prepayment": "reduce_instalment""#);
    loan.repay("2025-02-28", "104.00");
    loan.repay("2025-03-10", "180.00");
    loan.repay("2025-03-20", "60.00");
    // 1 % of (300 * 10 + 120 * 10 + 60 * 11)/31 = 1.5677...; 20.00 a row.
    let state = loan.state("2025-03-20");
    assert_eq!(
        rows(&state)[1..],
        [
            "260.00 1.57 0.00 0.00 | 240.00 21.57",
            "20.00 0.40 0.00 0.00 | 0.00 20.40",
            "20.00 0.20 0.00 0.00 | 0.00 20.20"
        ]
    );
    // To settle on the 25th: 1 % of (300 * 10 + 120 * 10 + 60 * 5)/31 = 1.4516...
    assert_eq!(settled(&loan, "2025-03-25"), "60.00 1.45 0.00 0.00 = 61.45");
}

#[test]
fn waivers_count_towards_the_rows_that_a_prepayment_makes_anew() {
    let fees = r#", "fees": [{"code": "a", "when": "instalment", "amount": "1.00"}]"#;
    let mut loan = four(&format!(r#"{fees}, "prepayment": "reduce_instalment""#));
    loan.repay("2025-02-28", "105.00");
    loan.waive("2025-03-05", Waivable::Interest, "1.00");
    loan.waive("2025-03-05", Waivable::Fee, "0.50");
    loan.repay("2025-03-10", "180.00");
    // As above: 1.78 of interest, of which 1.00 is waived, and 0.50 of the fee.
    assert_eq!(
        rows(&loan.state("2025-03-10"))[1..],
        [
            "220.00 0.78 0.50 0.00 | 180.00 41.28",
            "40.00 0.80 1.00 0.00 | 0.00 41.80",
            "40.00 0.40 1.00 0.00 | 0.00 41.40"
        ]
    );
    // 1 % of (300 * 10 + 120 * 10)/31 is 1.3548... Of the fee that is due 0.50 was waived: so much of it is credit.
    assert_eq!(settled(&loan, "2025-03-20"), "120.00 0.35 0.00 0.00 = 119.85");
}

#[test]
fn a_prepayment_of_all_principal_leaves_the_interest_until_then() {
    // 1 % of 300 * 10/28; 300.00 alone does not close the loan.
    for (prepayment, more) in [("reduce_instalment", 2), ("reduce_term", 0)] {
        let mut loan = three(&format!(r#", "prepayment": "{prepayment}""#));
        loan.repay("2025-02-10", "300.00");
        let mut expected = vec!["300.00 1.07 0.00 0.00 | 300.00 1.07"];
        expected.extend(vec!["0.00 0.00 0.00 0.00 | 0.00 0.00"; more]);
        assert_eq!(rows(&loan.state("2025-02-10")), expected);
    }
}

#[test]
fn a_prepayment_keeps_interest_deferred_and_earned_before() {
    // 3.00 of the first period; 1 % of (200 * 10 + 150 * 21)/31 = 1.6612...; 0.75.
    let grace = r#", "grace": {"interest_payment": 2}"#;
    let mut loan = three(&format!(r#"{grace}, "prepayment": "reduce_instalment""#));
    loan.repay("2025-02-28", "100.00");
    loan.repay("2025-03-10", "50.00");
    assert_eq!(
        rows(&loan.state("2025-03-10"))[1..],
        ["125.00 0.00 0.00 0.00 | 50.00 75.00", "75.00 5.41 0.00 0.00 | 0.00 80.41"]
    );
    // A shorter term ends before the row that interest was deferred to: it is paid with the last.
    // 1 % of (300 * 10 + 150 * 18)/28 = 2.0357..., and 0.50.
    let mut loan = three(&format!(r#"{grace}, "prepayment": "reduce_term""#));
    loan.repay("2025-02-10", "150.00");
    assert_eq!(
        rows(&loan.state("2025-02-10")),
        ["250.00 0.00 0.00 0.00 | 150.00 100.00", "50.00 2.54 0.00 0.00 | 0.00 52.54"]
    );
}

#[test]
fn equal_instalments_are_made_anew_by_the_formula() {
    // 300.00 at 1 %: 300 / (1/1.01 + 1/1.01^2 + 1/1.01^3) = 102.006...
    let terms = |prepayment: &str| {
        let terms = format!(r#""interest_rate_apr": "12", "instalments": 3, "prepayment": "{prepayment}""#);
        let mut loan = Loan::new("300.00", "EUR", &terms);
        loan.disburse("2025-01-31");
        // On the due date: 3.00 and 99.01, and 100.00 of the remaining 200.99.
        loan.repay("2025-02-28", "202.01");
        rows(&loan.state("2025-02-28"))[1..].to_vec()
    };
    // 100.99 / (1/1.01 + 1/1.01^2) = 51.2537...; then 1 % of 50.75.
    assert_eq!(
        terms("reduce_instalment"),
        ["150.24 1.01 0.00 0.00 | 100.00 51.25", "50.75 0.51 0.00 0.00 | 0.00 51.26"]
    );
    // 102.01 is more than 100.99 with 1.01: one row, and less than an instalment.
    assert_eq!(terms("reduce_term"), ["200.99 1.01 0.00 0.00 | 100.00 102.00"]);
}

#[test]
fn a_prepayment_of_a_flat_loan_saves_interest_in_proportion() {
    // 4.00 in each row. On the first due date 100.00 of the remaining 300.00: two thirds remain.
    let mut loan = four(r#", "interest_method": "flat", "prepayment": "reduce_instalment""#);
    loan.repay("2025-02-28", "204.00");
    // 200.00 in three rows, 2.67 each, and 1 % of 266.67 three times is 8.00: 2.67, 2.67, 2.66.
    // The instalment is 200/3 + 2.67 = 69.34.
    assert_eq!(
        rows(&loan.state("2025-02-28"))[1..],
        [
            "166.67 2.67 0.00 0.00 | 100.00 69.34",
            "66.67 2.67 0.00 0.00 | 0.00 69.34",
            "66.66 2.66 0.00 0.00 | 0.00 69.32"
        ]
    );
}

#[test]
fn a_prepayment_of_a_flat_loan_in_whole_amounts() {
    let whole = r#", "interest_method": "flat", "smallest_amount": "1", "prepayment": "reduce_instalment""#;
    let mut loan = four(whole);
    // As good as nothing happened: 4.00 in each of four rows.
    loan.record(day("2025-02-10"), reschedule("2025-02-28", None, None, None));
    loan.repay("2025-02-28", "204.00");
    // 1 % of 266.67 is 3.00, of two more rows on 266 in all 5.32; (200 + 3 * 3)/3 = 69.66...
    assert_eq!(
        rows(&loan.state("2025-02-28"))[1..],
        [
            "167.00 3.00 0.00 0.00 | 100.00 70.00",
            "67.00 3.00 0.00 0.00 | 0.00 70.00",
            "66.00 2.00 0.00 0.00 | 0.00 68.00"
        ]
    );
}

// Write-off and recovery.

#[test]
fn recoveries_up_to_what_was_given_up_and_the_rest_is_held() {
    let mut loan = three("");
    loan.repay("2025-02-28", "103.00");
    let write_off = loan.write_off("2025-03-20");
    let first = loan.repay("2025-04-01", "150.00");
    let second = loan.repay("2025-04-02", "100.00");
    let state = loan.state("2025-04-02");
    assert_eq!((state.standing, state.unpaid.principal.to_string()), (Standing::Defaulted, "0.00".to_owned()));
    assert_eq!(state.days_past_due, 0);
    assert_eq!(rows(&state)[1], "100.00 2.00 0.00 0.00 | 0.00 0.00");
    assert_eq!(state.rows[1].written_off.to_string(), "102.00");
    // 200.00 principal and 3.00 interest were given up.
    let given_up = state.transaction(write_off).unwrap();
    assert_eq!(given_up.amount.to_string(), "200.00");
    assert_eq!(shares(&given_up.allocation.unwrap()), "penalty 0.00 fee 0.00 interest 3.00 principal 200.00 over 0.00");
    let recovered = |id| {
        let transaction = state.transaction(id).unwrap();
        (transaction.kind, transaction.recovered.map(|it| it.to_string()), transaction.allocation.unwrap().overpayment)
    };
    let euros = |amount: &str| loan.money(amount);
    assert_eq!(recovered(first), (TransactionKind::Recovery, Some("150.00".to_owned()), euros("0.00")));
    assert_eq!(recovered(second), (TransactionKind::Recovery, Some("53.00".to_owned()), euros("47.00")));
    assert_eq!(
        posted(&state)[5..],
        [
            "2025-03-20 principal_receivable -200.00",
            "2025-03-20 write_offs 200.00",
            "2025-04-01 cash 150.00",
            "2025-04-01 recoveries -150.00",
            "2025-04-02 cash 100.00",
            "2025-04-02 overpayments_payable -47.00",
            "2025-04-02 recoveries -53.00",
        ]
    );
    assert_eq!(settled(&loan, "2025-04-02"), "0.00 0.00 0.00 0.00 = 0.00");

    // A payment of the day of the write-off, entered later, reduces it: 2.00 interest is not due
    // yet, but paid in advance first.
    let late = loan.repay("2025-03-20", "50.00");
    let state = loan.state("2025-04-02");
    assert_eq!(state.transaction(late).unwrap().kind, TransactionKind::Repayment);
    assert_eq!((state.transaction(late).unwrap().recovered, state.transaction(late).unwrap().paid_out), (None, None));
    assert_eq!(state.written_off.principal.to_string(), "152.00");
    assert_eq!(state.written_off.interest.to_string(), "1.00");
    assert_eq!((state.recovered.to_string(), state.overpayment.to_string()), ("153.00".into(), "97.00".into()));
}

// Reschedule.

fn reschedule(from: &str, instalments: Option<u32>, rate: Option<&str>, first_due_on: Option<&str>) -> EventKind {
    EventKind::Reschedule {
        from: day(from),
        instalments,
        interest_rate_apr: rate.map(|rate| lending::AnnualRate::parse(rate).unwrap()),
        first_due_on: first_due_on.map(day),
        calendar: None,
    }
}

#[test]
fn a_reschedule_leaves_earlier_rows_unpaid_and_makes_the_others_anew() {
    let mut loan = four("");
    let id = loan.record(day("2025-03-10"), reschedule("2025-03-31", Some(2), Some("24"), None));
    let state = loan.state("2025-03-10");
    // 300.00 in two rows at 2 % a month; nothing of row 1 is capitalised.
    assert_eq!(
        rows(&state),
        [
            "100.00 4.00 0.00 0.00 | 0.00 104.00",
            "150.00 6.00 0.00 0.00 | 0.00 156.00",
            "150.00 3.00 0.00 0.00 | 0.00 153.00"
        ]
    );
    let due: Vec<String> = state.rows.iter().map(|row| row.due_on.to_string()).collect();
    // The seed day is still the 31st.
    assert_eq!(due, ["2025-02-28", "2025-03-31", "2025-04-30"]);
    assert_eq!((state.rescheduled[0].id, state.rescheduled[0].first_row), (id, 2));
    assert_eq!(state.transaction(id).unwrap().amount.to_string(), "300.00");
    assert_eq!(state.days_past_due, 10);
    // The old rows stay readable.
    assert_eq!(loan.state("2025-03-09").rows.len(), 4);
}

#[test]
fn a_new_first_due_date_gives_the_seed_and_an_irregular_period() {
    let mut loan = four("");
    loan.record(day("2025-03-10"), reschedule("2025-03-31", Some(2), Some("24"), Some("2025-04-15")));
    let state = loan.state("2025-03-10");
    let due: Vec<String> = state.rows.iter().map(|row| format!("{} {}", row.due_on, row.days)).collect();
    assert_eq!(due, ["2025-02-28 28", "2025-04-15 46", "2025-05-15 30"]);
    // 30/360 from the last of February to 15 April: 45 days, 3 % of 300.00; then 2 % of 150.00.
    assert_eq!(rows(&state)[1..], ["150.00 9.00 0.00 0.00 | 0.00 159.00", "150.00 3.00 0.00 0.00 | 0.00 153.00"]);
}

#[test]
fn what_was_paid_in_advance_stays_paid_when_rows_are_made_anew() {
    let mut loan = four("");
    // Row 1, and of row 2 the 3.00 interest and 50.00 principal.
    loan.repay("2025-02-28", "157.00");
    loan.record(day("2025-03-10"), reschedule("2025-03-31", None, Some("0"), None));
    let state = loan.state("2025-03-10");
    // Of the 250.00 unpaid the 3.00 interest, which no row asks for, pay as much; the rest is in three
    // rows without interest, of which the first shows what was paid before.
    assert_eq!(
        rows(&state)[1..],
        [
            "135.33 0.00 0.00 0.00 | 53.00 82.33",
            "82.33 0.00 0.00 0.00 | 0.00 82.33",
            "82.34 0.00 0.00 0.00 | 0.00 82.34"
        ]
    );
    assert_eq!(applied(&state), ["2025-03-10 penalty 0.00 fee 0.00 interest -3.00 principal 3.00 over 0.00"]);
    assert_eq!(settled(&loan, "2025-03-10"), "247.00 0.00 0.00 0.00 = 247.00");
}

#[test]
fn what_was_paid_before_rows_are_made_anew_keeps_its_day() {
    let mut loan = Loan::new("4", "VND", r#""interest_rate_apr": "0", "instalments": 4"#);
    loan.disburse("2025-01-31");
    loan.repay("2025-02-10", "2");
    loan.record(day("2025-02-20"), reschedule("2025-02-28", None, None, None));
    // 2 in four rows is nothing in the first three, and the first shows the 2 paid before.
    let state = loan.state("2025-02-20");
    assert_eq!(rows(&state), ["2 0 0 0 | 2 0", "0 0 0 0 | 0 0", "0 0 0 0 | 0 0", "2 0 0 0 | 0 2"]);
    assert_eq!(state.rows[0].paid_on, Some(day("2025-02-10")));
}

#[test]
fn a_shorter_term_keeps_the_instalment_of_the_reschedule() {
    // 300.00 in three rows of 100.00. On the first of their due dates, beside 104.00 and 103.00,
    // 98.00 of the 200.00: 100.00 and 2.00 are left.
    let mut loan = four(r#", "prepayment": "reduce_term""#);
    loan.record(day("2025-03-10"), reschedule("2025-03-31", None, None, None));
    loan.repay("2025-03-31", "305.00");
    assert_eq!(
        rows(&loan.state("2025-03-31"))[2..],
        ["198.00 1.02 0.00 0.00 | 98.00 101.02", "2.00 0.02 0.00 0.00 | 0.00 2.02"]
    );
    // 300 / (1/1.02 + 1/1.02^2 + 1/1.02^3) = 104.0264...: 6.00 and 98.03. Of the remaining 201.97
    // 100.97 more; 104.03 is more than 101.00 with 2.02.
    let terms = r#""interest_rate_apr": "12", "instalments": 3, "prepayment": "reduce_term""#;
    let mut loan = Loan::new("300.00", "EUR", terms);
    loan.disburse("2025-01-31");
    loan.record(day("2025-02-10"), reschedule("2025-02-28", None, Some("24"), None));
    loan.repay("2025-02-28", "205.00");
    assert_eq!(
        rows(&loan.state("2025-02-28")),
        ["98.03 6.00 0.00 0.00 | 104.03 0.00", "201.97 2.02 0.00 0.00 | 100.97 103.02"]
    );
}

#[test]
fn an_instalment_made_after_its_due_date_is_late_from_then_on() {
    let mut loan = four(r#", "late_fee": {"grace_days": 2, "kind": "flat", "value": "5.00"}"#);
    // Row 1 is due on 28 February and bears 5.00 on 3 March; replaced on 10 March, again due on 28
    // February, it is late after two more days.
    loan.record(day("2025-03-10"), reschedule("2025-02-28", None, None, None));
    assert_eq!(penalties(&loan, "2025-03-12"), ["0.00", "5.00", "0.00", "0.00"]);
    assert_eq!(penalties(&loan, "2025-03-13"), ["5.00", "5.00", "0.00", "0.00"]);
}

#[test]
fn a_reschedule_ends_the_late_fees_of_the_rows_that_it_replaces_and_of_no_other() {
    let mut loan = four(r#", "late_fee": {"grace_days": 2, "kind": "flat", "value": "5.00", "max_times": 3}"#);
    assert_eq!(penalties(&loan, "2025-04-03"), ["10.00", "5.00", "0.00", "0.00"]);
    loan.record(day("2025-04-10"), reschedule("2025-03-31", None, None, None));
    // The penalty due on 3 April is shown in the row due on the 30th.
    assert_eq!(penalties(&loan, "2025-04-12"), ["10.00", "0.00", "5.00", "0.00"]);
    assert_eq!(penalties(&loan, "2025-04-13"), ["10.00", "5.00", "5.00", "0.00"]);
    // The third of row 1, and the first of row 3; row 2, made on 10 April, bears its second on 13 May.
    assert_eq!(penalties(&loan, "2025-05-03"), ["15.00", "5.00", "10.00", "0.00"]);
    assert_eq!(penalties(&loan, "2025-05-13"), ["15.00", "10.00", "10.00", "0.00"]);
}

// The ledger.

#[test]
fn a_fee_larger_than_the_loan_is_paid_in_by_the_borrower() {
    let mut loan = Loan::new(
        "100.00",
        "EUR",
        r#""interest_rate_apr": "0", "instalments": 1,
            "fees": [{"code": "a", "when": "disbursement", "amount": "150.00"}]"#,
    );
    let id = loan.disburse("2025-01-31");
    let state = loan.state("2025-01-31");
    assert_eq!(state.transaction(id).unwrap().paid_out.unwrap().to_string(), "-50.00");
    assert_eq!(
        posted(&state),
        ["2025-01-31 cash 50.00", "2025-01-31 principal_receivable 100.00", "2025-01-31 fee_income -150.00"]
    );
    let entries = journal_entries(&state.postings, &[]);
    let lines: Vec<(Account, String, String)> =
        entries[0].lines.iter().map(|it| (it.account, it.debit.to_string(), it.credit.to_string())).collect();
    assert_eq!(
        lines,
        [
            (Account::Cash, "50.00".into(), "0.00".into()),
            (Account::PrincipalReceivable, "100.00".into(), "0.00".into()),
            (Account::FeeIncome, "0.00".into(), "150.00".into())
        ]
    );
}

// Conflicts.

#[test]
fn what_is_wrong_with_a_new_event() {
    let repayment = |loan: &Loan, amount: &str| EventKind::Repayment { amount: loan.money(amount) };
    let refused = |loan: &Loan, on: &str, kind: EventKind, code: &str| {
        let mut loan = loan.clone();
        let id = loan.record(day(on), kind);
        assert_eq!(loan.conflict(), (id, code), "{on}");
    };
    let empty = Loan::new("300.00", "EUR", r#""interest_rate_apr": "12", "instalments": 3"#);
    refused(&empty, "2025-02-01", repayment(&empty, "1.00"), "not_disbursed");
    refused(&empty, "2025-02-01", EventKind::WriteOff, "not_disbursed");

    let mut loan = three("");
    refused(&loan, "2025-02-28", EventKind::Disbursement { first_due_on: None, calendar: None }, "already_disbursed");
    refused(&loan, "2025-01-30", repayment(&loan, "1.00"), "before_disbursement");
    refused(&loan, "2025-02-28", repayment(&loan, "0.00"), "not_positive");
    let rupees = Money::parse("1.00", "INR".parse().unwrap()).unwrap();
    refused(&loan, "2025-02-28", EventKind::Repayment { amount: rupees }, "other_currency");
    let euro = loan.contract.amount.currency();
    let huge = Money::from_units(10i64.pow(15) + 1, euro);
    refused(&loan, "2025-02-28", EventKind::Repayment { amount: huge }, "too_large");
    refused(&loan, "2025-02-28", EventKind::Refund { amount: Money::from_units(-1, euro) }, "not_positive");
    let before = EventKind::Charge { kind: ChargeKind::Fee, amount: loan.money("1.00"), due_on: day("2025-01-30") };
    refused(&loan, "2025-02-28", before, "before_disbursement");
    refused(&loan, "2025-03-10", reschedule("2025-03-30", None, None, None), "not_a_due_date");
    refused(&loan, "2025-03-10", reschedule("2025-03-31", Some(0), None, None), "out_of_range");
    refused(&loan, "2025-03-10", reschedule("2025-03-31", Some(601), None, None), "out_of_range");
    let early = reschedule("2025-03-31", None, None, Some("2025-02-28"));
    refused(&loan, "2025-03-10", early, "not_after_due_date_before");
    let late = reschedule("2025-03-31", Some(3), None, Some("2200-11-30"));
    refused(&loan, "2025-03-10", late, "date_out_of_range");
    refused(&loan, "2025-02-28", EventKind::Reversal { of: lending::EventId(99) }, "unknown_transaction");
    let own = lending::EventId(loan.events.len() as u128 + 1);
    refused(&loan, "2025-02-28", EventKind::Reversal { of: own }, "unknown_transaction");
    let mut later = loan.clone();
    let next = lending::EventId(loan.events.len() as u128 + 2);
    let reversal = later.record(day("2025-02-28"), EventKind::Reversal { of: next });
    later.repay("2025-02-28", "1.00");
    assert_eq!(later.conflict(), (reversal, "unknown_transaction"));

    let paid = loan.repay("2025-02-28", "500.00");
    refused(&loan, "2025-03-01", EventKind::Reversal { of: paid }, "other_value_date");
    refused(&loan, "2025-03-01", EventKind::WriteOff, "nothing_to_write_off");
    refused(&loan, "2025-03-01", reschedule("2025-03-31", None, None, None), "nothing_to_reschedule");
    let reversal = loan.reverse(paid);
    refused(&loan, "2025-02-28", EventKind::Reversal { of: paid }, "already_reversed");
    refused(&loan, "2025-02-28", EventKind::Reversal { of: reversal }, "reversal_of_reversal");

    loan.write_off("2025-03-05");
    refused(&loan, "2025-03-06", EventKind::WriteOff, "already_written_off");
    refused(&loan, "2025-03-04", EventKind::WriteOff, "already_written_off");
    let charge = EventKind::Charge { kind: ChargeKind::Fee, amount: loan.money("1.00"), due_on: day("2025-03-07") };
    refused(&loan, "2025-03-06", charge, "already_written_off");
    refused(&loan, "2025-03-06", reschedule("2025-03-31", None, None, None), "already_written_off");

    let moved =
        Loan::new("300.00", "EUR", r#""interest_rate_apr": "12", "instalments": 3, "first_due_on": "2025-01-31""#);
    refused(
        &moved,
        "2025-01-31",
        EventKind::Disbursement { first_due_on: None, calendar: None },
        "not_after_disbursement",
    );
}

#[test]
fn an_older_event_that_could_no_longer_stand_is_named() {
    // A charge after the day of a write-off that is entered later.
    let mut loan = three("");
    let charge = loan.charge("2025-03-10", ChargeKind::Fee, "1.00", "2025-03-20");
    loan.write_off("2025-03-05");
    assert_eq!(loan.conflict(), (charge, "already_written_off"));
    // A refund that an earlier refund leaves nothing for.
    let mut loan = three("");
    loan.repay("2025-02-28", "403.00");
    let refund = loan.refund("2025-03-10", "100.00");
    loan.refund("2025-03-05", "1.00");
    assert_eq!(loan.conflict(), (refund, "above_held"));
}

#[test]
fn conflicts_say_whether_the_state_or_the_event_is_at_fault() {
    use lending::ConflictReason as Reason;

    let euros = |text: &str| Money::parse(text, "EUR".parse().unwrap()).unwrap();
    let schedule = {
        let moved =
            Loan::new("300.00", "EUR", r#""interest_rate_apr": "12", "instalments": 3, "first_due_on": "2025-01-31""#);
        lending::schedule(moved.contract.amount, day("2025-01-31"), &moved.contract.terms).unwrap_err()
    };
    for (reason, is_of_state, words) in [
        (Reason::NotDisbursed, true, "the loan is not disbursed"),
        (Reason::AlreadyDisbursed, true, "the loan is disbursed already"),
        (Reason::AlreadyWrittenOff, true, "the loan was written off before"),
        (Reason::NothingToWriteOff, true, "nothing is unpaid that day"),
        (Reason::NothingToReschedule, true, "no principal is left from that due date on"),
        (Reason::ReversalOfReversal, true, "a reversal cannot be reversed"),
        (Reason::AlreadyReversed, true, "is reversed already"),
        (Reason::RecordedTwice, true, "has the id of another transaction"),
        (Reason::BeforeDisbursement, false, "must not be before the disbursement"),
        (Reason::NotPositive, false, "must be more than zero"),
        (Reason::OtherCurrency, false, "must be in the currency of the loan"),
        (Reason::AboveUnpaid { unpaid: euros("2.00") }, false, "must be at most what is unpaid that day, 2.00"),
        (Reason::AboveHeld { held: euros("0.50") }, false, "must be at most what is held that day, 0.50"),
        (Reason::InstalmentsOutOfRange, false, "must be from 1 to 600"),
        (Reason::Schedule(schedule), false, "must be after the disbursement"),
        (Reason::UnknownEvent, false, "the loan has no such transaction"),
    ] {
        assert_eq!((reason.is_of_state(), reason.to_string().as_str()), (is_of_state, words));
    }
}

// Words.

#[test]
fn the_words_of_the_api() {
    use TransactionKind::{Charge, Disbursement, Recovery, Refund, Repayment, Reschedule, Reversal, Waiver, WriteOff};

    let standings = [Standing::Approved, Standing::Disbursed, Standing::Repaid, Standing::Defaulted];
    assert_eq!(standings.map(Standing::as_str), ["approved", "disbursed", "repaid", "defaulted"]);
    assert_eq!(serde_json::to_string(&standings[1]).unwrap(), r#""disbursed""#);
    let kinds = [Disbursement, Repayment, Recovery, Refund, Charge, Waiver, WriteOff, Reschedule, Reversal];
    assert_eq!(
        kinds.map(TransactionKind::as_str),
        ["disbursement", "repayment", "recovery", "refund", "charge", "waiver", "write_off", "reschedule", "reversal"]
    );
    assert_eq!(serde_json::to_string(&kinds[6]).unwrap(), r#""write_off""#);
    for account in Account::ALL {
        assert_eq!(Account::from_name(account.as_str()), Some(account));
        assert_eq!(serde_json::to_string(&account).unwrap(), format!("{:?}", account.as_str()));
    }
    assert_eq!(Account::from_name("Cash"), None);
}

// Limits.

#[test]
fn the_largest_loan_with_thousands_of_events() {
    for (method, prepayment) in [
        ("declining_balance", "next_instalments"),
        ("declining_balance", "reduce_term"),
        ("flat", "reduce_instalment"),
        ("flat", "last_instalments"),
    ] {
        let mut loan = Loan::new(
            "1000000000000000",
            "VND",
            &format!(
                r#""interest_rate_apr": "1000", "instalments": 600, "repay_unit": "day", "repay_every": 1,
                "interest_method": "{method}", "prepayment": "{prepayment}", "rounding": "up",
                "fees": [{{"code": "a", "when": "instalment", "percent": "1000"}}],
                "late_fee": {{"kind": "percent_of_overdue", "value": "1000", "max_times": 3}}"#
            ),
        );
        loan.disburse("2025-01-31");
        let mut on = day("2025-01-31");
        for number in 0..2000 {
            if number % 3 == 0 {
                on = on.tomorrow().unwrap();
            }
            let amount = loan.money("1000000000000000");
            match number % 5 {
                0 => loan.record(on, EventKind::Charge { kind: ChargeKind::Fee, amount, due_on: on }),
                _ => loan.record(on, EventKind::Repayment { amount }),
            };
        }
        let state = loan.state("2200-12-31");
        let paid = state.paid;
        let allocated = [paid.principal, paid.interest, paid.fees, paid.penalties, state.overpayment];
        let allocated: i128 = allocated.into_iter().map(Money::units).sum();
        assert_eq!(allocated, 1600 * 10i128.pow(15), "{method} {prepayment}");
    }
}
