//! Closing amounts of a loan, and how it is closed, with numbers worked out by hand.

use lending::{ChargeKind, EventKind, Settlement, Standing, State, TransactionKind, Waivable, settlement};

use crate::support::{Loan, day, end};

/// `amount` at 24 % in six monthly instalments, disbursed on 10 January 2026.
fn loan(amount: &str, rate: &str, more: &str) -> Loan {
    let mut loan = Loan::new(amount, "EUR", &format!(r#""interest_rate_apr": "{rate}", "instalments": 6{more}"#));
    loan.disburse("2026-01-10");
    loan
}

fn settle(loan: &Loan, on: &str) -> Settlement {
    settlement(&loan.contract, &loan.events, day(on), end()).unwrap().unwrap()
}

fn total(loan: &Loan, on: &str) -> String {
    settle(loan, on).total.to_string()
}

fn conserved(state: &State) {
    let sum = |amounts: &[lending::Money]| amounts.iter().map(|it| it.units()).sum::<i128>();
    let standing = state.transactions.iter().filter(|it| it.reversed_by.is_none());
    let standing = standing.filter(|it| it.kind == TransactionKind::Repayment);
    let allocated: i128 = standing
        .clone()
        .filter_map(|it| it.allocation)
        .map(|it| sum(&[it.penalty, it.fee, it.interest, it.principal]))
        .sum();
    let applied = state.applied.iter().map(|it| it.shares);
    let applied: i128 = applied.map(|it| sum(&[it.penalty, it.fee, it.interest, it.principal])).sum();
    let overpaid = standing.clone().filter_map(|it| it.allocation).map(|it| it.overpayment.units());
    let paid = sum(&[state.paid.principal, state.paid.interest, state.paid.fees, state.paid.penalties]);
    assert_eq!(allocated + applied, paid);
    assert_eq!(overpaid.sum::<i128>() - applied, state.overpayment.units() + state.refunded.units());
}

#[test]
fn what_closes_a_loan_is_what_the_settlement_says() {
    for prepayment in ["next_instalments", "last_instalments", "reduce_instalment", "reduce_term"] {
        let mut waived = loan("10000.00", "24", &format!(r#", "prepayment": "{prepayment}""#));
        waived.waive("2026-01-15", Waivable::Interest, "90.00");
        // 2 % for 15 of 31 days is 96.77.
        assert_eq!(total(&waived, "2026-01-25"), "10006.77");
        let mut short = waived.clone();
        short.repay("2026-01-25", "10006.76");
        assert_eq!(total(&short, "2026-01-25"), "0.01");
        assert_eq!(short.state("2026-01-25").standing, Standing::Disbursed);
        waived.repay("2026-01-25", "10006.77");
        assert_eq!(total(&waived, "2026-01-25"), "0.00");
        assert_eq!(waived.state("2026-01-25").standing, Standing::Repaid);
    }
}

#[test]
fn a_payment_lowers_the_settlement_by_what_it_is() {
    let mut waived = Loan::new("300.00", "EUR", r#""interest_rate_apr": "12", "instalments": 3"#);
    waived.disburse("2026-01-10");
    waived.waive("2026-01-12", Waivable::Interest, "1.00");
    let before = settle(&waived, "2026-01-25").total.units();
    waived.repay("2026-01-25", "0.01");
    assert_eq!(settle(&waived, "2026-01-25").total.units(), before - 1);
}

#[test]
fn money_paid_in_advance_counts_at_settlement() {
    let mut paid = loan("10000.00", "24", "");
    assert_eq!(total(&paid, "2026-01-25"), "10096.77");
    paid.repay("2026-01-25", "10096.76");
    // 0.01, and the interest of one day: 103.23 - 96.77 = 6.46.
    assert_eq!(total(&paid, "2026-01-26"), "6.47");
    let closing = paid.repay("2026-01-26", "6.47");
    let state = paid.state("2026-01-26");
    assert_eq!(state.standing, Standing::Repaid);
    assert_eq!(state.paid.interest.to_string(), "103.23");
    assert_eq!(state.rows[0].interest.to_string(), "103.23");
    // The interest given back has paid principal.
    let [applied] = state.applied.as_slice() else { panic!("{:?}", state.applied) };
    assert_eq!(applied.by, closing);
    assert_eq!(applied.shares.interest.units(), -applied.shares.principal.units());
    assert!(applied.shares.interest.is_negative() && applied.shares.overpayment.is_zero());
    conserved(&state);

    let mut early = loan("600.00", "12", "");
    assert_eq!(total(&early, "2026-01-25"), "602.90");
    early.repay("2026-01-20", "300.00");
    assert_eq!(total(&early, "2026-01-25"), "302.90");
}

#[test]
fn what_is_held_counts_at_settlement() {
    let mut loan = loan("300.00", "0", "");
    loan.repay("2026-01-20", "305.00");
    assert_eq!(settle(&loan, "2026-01-20").credit.to_string(), "5.00");
    loan.charge("2026-01-21", ChargeKind::Fee, "20.00", "2026-03-01");
    let owed = settle(&loan, "2026-01-22");
    assert_eq!(
        (owed.fees.to_string(), owed.credit.to_string(), owed.total.to_string()),
        ("20.00".into(), "5.00".into(), "15.00".into())
    );
    let closing = loan.repay("2026-01-22", "15.00");
    let state = loan.state("2026-01-22");
    assert_eq!((state.standing, total(&loan, "2026-01-22")), (Standing::Repaid, "0.00".to_owned()));
    assert_eq!(state.applied[0].by, closing);
    assert_eq!(state.applied[0].shares.fee.to_string(), "5.00");
    conserved(&state);
}

#[test]
fn interest_earned_is_rounded_once() {
    let mut loan = loan("1000.21", "30", r#", "prepayment": "reduce_instalment""#);
    // 2.5 % of 1000.21 for 17 of 31 days is 13.7125...
    assert_eq!(total(&loan, "2026-01-27"), "1013.92");
    loan.repay("2026-01-27", "1013.91");
    assert_eq!(total(&loan, "2026-01-27"), "0.01");
}

#[test]
fn a_reduction_changes_what_is_earned_from_its_day_on() {
    let mut loan = loan("10000.00", "24", r#", "prepayment": "reduce_instalment""#);
    loan.repay("2026-01-20", "5000.00");
    assert_eq!(total(&loan, "2026-01-20"), "5064.52");
    // 2 % of (10000 * 10 + 5000 * 5)/31.
    assert_eq!(total(&loan, "2026-01-25"), "5080.65");
}

#[test]
fn a_waiver_of_what_is_dropped_counts_towards_what_is_unpaid() {
    let mut loan = loan("600.00", "0", r#", "fees": [{"code": "a", "when": "instalment", "amount": "10.00"}]"#);
    loan.waive("2026-01-12", Waivable::Fee, "20.00");
    loan.charge("2026-01-13", ChargeKind::Fee, "30.00", "2026-07-01");
    assert_eq!(total(&loan, "2026-01-20"), "610.00");
    loan.repay("2026-01-20", "610.00");
    let state = loan.state("2026-01-20");
    assert_eq!((state.standing, state.total_due.to_string()), (Standing::Repaid, "610.00".to_owned()));
    conserved(&state);
}

#[test]
fn a_loan_that_a_waiver_closes_pays_what_is_left_with_what_was_paid_in_advance() {
    let mut loan = loan("600.00", "12", r#", "allocation": "overdue_interest_first""#);
    loan.charge("2026-01-12", ChargeKind::Fee, "5.00", "2026-07-10");
    loan.repay("2026-01-20", "602.50");
    // 600.00, 1 % of it for 11 of 31 days, and the charge, less what was paid.
    assert_eq!(total(&loan, "2026-01-21"), "4.63");
    let waiver = loan.waive("2026-01-21", Waivable::Fee, "5.00");
    let state = loan.state("2026-01-21");
    assert_eq!((state.standing, total(&loan, "2026-01-21")), (Standing::Repaid, "0.00".to_owned()));
    assert_eq!(state.overpayment.to_string(), "0.37");
    let [applied] = state.applied.as_slice() else { panic!("{:?}", state.applied) };
    assert_eq!((applied.by, applied.shares.overpayment.to_string()), (waiver, "0.37".to_owned()));
    conserved(&state);
}

#[test]
fn a_closed_loan_owes_nothing_and_shows_what_is_held() {
    let mut loan = loan("600.00", "12", "");
    loan.repay("2026-01-25", "650.00");
    for on in ["2026-01-25", "2026-02-10", "2027-01-01"] {
        let it = settle(&loan, on);
        let owed = [it.principal, it.interest, it.fees, it.penalties, it.total];
        assert!(owed.iter().all(|amount| amount.is_zero()), "{on} {it:?}");
        assert_eq!(it.credit.to_string(), "47.10");
    }
    assert_eq!(loan.state("2027-01-01").totals.interest.to_string(), "2.90");
}

#[test]
fn the_instalment_is_that_of_the_schedule_in_force() {
    for (prepayment, instalment) in
        [("reduce_instalment", "86.55"), ("reduce_term", "172.55"), ("next_instalments", "172.55")]
    {
        let mut loan = loan("1000.00", "12", &format!(r#", "prepayment": "{prepayment}""#));
        assert_eq!(loan.state("2026-01-10").instalment.to_string(), "172.55");
        loan.repay("2026-01-20", "500.00");
        assert_eq!(loan.state("2026-01-20").instalment.to_string(), instalment, "{prepayment}");
        assert_eq!(loan.state("2026-01-19").instalment.to_string(), "172.55", "{prepayment}");
    }
}

#[test]
fn total_due_is_what_is_allocated_and_unpaid_whatever_the_prepayment() {
    let mut totals = Vec::new();
    for prepayment in ["next_instalments", "last_instalments", "reduce_instalment", "reduce_term"] {
        let mut loan = loan("1000.00", "12", &format!(r#", "prepayment": "{prepayment}""#));
        let before = loan.state("2026-01-12");
        loan.waive("2026-01-12", Waivable::Interest, "3.00");
        loan.charge("2026-01-12", ChargeKind::Penalty, "7.00", "2026-01-12");
        let state = loan.state("2026-01-12");
        assert_eq!(before.totals.interest.units() - state.totals.interest.units(), 300);
        totals.push((state.total_due.to_string(), state.totals.interest.to_string()));
    }
    assert!(totals.windows(2).all(|pair| pair[0] == pair[1]), "{totals:?}");
}

#[test]
fn a_waiver_of_a_late_fee_changes_no_figure_and_one_of_a_charged_penalty_does() {
    let mut loan = loan("600.00", "12", r#", "late_fee": {"grace_days": 0, "kind": "flat", "value": "5.00"}"#);
    let agreed = loan.state("2026-01-10").total_due;
    assert_eq!(loan.state("2026-02-12").total_due, agreed);
    loan.waive("2026-02-12", Waivable::Penalty, "5.00");
    assert_eq!(loan.state("2026-02-12").total_due, agreed);
    loan.charge("2026-02-13", ChargeKind::Penalty, "8.00", "2026-02-13");
    loan.waive("2026-02-14", Waivable::Penalty, "3.00");
    assert_eq!(loan.state("2026-02-14").total_due.units(), agreed.units() + 500);
}

#[test]
fn a_refund_leaves_what_a_later_charge_takes() {
    let mut loan = loan("300.00", "0", "");
    loan.repay("2026-01-20", "320.00");
    loan.charge("2026-01-21", ChargeKind::Fee, "15.00", "2026-03-01");
    loan.refund("2026-01-22", "5.01");
    assert_eq!(loan.conflict().1, "above_held");
    loan.events.pop();
    loan.refund("2026-01-22", "5.00");
    assert_eq!(loan.state("2026-03-01").unpaid.fees.to_string(), "0.00");
    assert_eq!(loan.state("2026-03-01").overpayment.to_string(), "0.00");
}

#[test]
fn a_waiver_keeps_what_rows_made_anew_cannot_take_for_rows_made_later() {
    let mut loan = loan("600.00", "24", "");
    let interest = loan.state("2026-01-10").totals.interest;
    loan.waive("2026-01-10", Waivable::Interest, "40.00");
    assert!(interest.units() > 4000);
    let reschedule = |rate: &str| EventKind::Reschedule {
        from: day("2026-02-10"),
        instalments: None,
        interest_rate_apr: Some(lending::AnnualRate::parse(rate).unwrap()),
        first_due_on: None,
        calendar: None,
    };
    loan.record(day("2026-01-11"), reschedule("0"));
    assert_eq!(loan.state("2026-01-11").totals.interest.to_string(), "0.00");
    loan.record(day("2026-01-12"), reschedule("24"));
    assert_eq!(loan.state("2026-01-12").totals.interest.units(), interest.units() - 4000);
}

#[test]
fn flat_interest_is_earned_in_proportion_and_flat_rows_of_equal_principal_repay_equal_shares() {
    let terms = r#""interest_rate_apr": "36.5", "instalments": 24, "repay_every": 3, "interest_method": "flat",
        "amortization": "equal_principal""#;
    let mut loan = Loan::new("338587.32", "INR", terms);
    loan.disburse("2026-01-10");
    let state = loan.state("2026-01-10");
    assert!(state.rows[..23].iter().all(|row| row.principal.to_string() == "14107.80"));
    assert_eq!(state.rows[23].principal.to_string(), "14107.92");
    // 9.125 % of 338587.32.
    assert_eq!(state.rows[0].interest.to_string(), "30896.09");
    assert_eq!(state.instalment.to_string(), "45003.89");
    // 45 of 90 days.
    assert_eq!(settle(&loan, "2026-02-24").interest.to_string(), "15448.04");
}

#[test]
fn a_paper_loan_gets_its_first_due_date_with_the_disbursement() {
    let mut loan = Loan::new("600.00", "EUR", r#""interest_rate_apr": "12", "instalments": 6"#);
    let disbursement = loan
        .record(day("2026-01-10"), EventKind::Disbursement { first_due_on: Some(day("2026-02-28")), calendar: None });
    let state = loan.state("2026-01-10");
    assert_eq!(state.rows[0].due_on, day("2026-02-28"));
    assert_eq!(state.rows[1].due_on, day("2026-03-28"));
    assert_eq!(state.rows[0].days, 49);
    loan.reverse(disbursement);
    assert!(loan.state("2026-01-10").rows.is_empty());
    loan.disburse("2026-01-10");
    assert_eq!(loan.state("2026-01-10").rows[0].due_on, day("2026-02-10"));
}

#[test]
fn what_is_held_pays_charges_of_one_day_in_the_allocations_order_whatever_was_recorded_first() {
    for kinds in [[ChargeKind::Fee, ChargeKind::Penalty], [ChargeKind::Penalty, ChargeKind::Fee]] {
        let mut loan = loan("300.00", "0", "");
        loan.repay("2026-01-20", "305.00");
        let charges = kinds.map(|kind| loan.charge("2026-01-21", kind, "5.00", "2026-03-01"));
        let penalty = charges[kinds.iter().position(|kind| *kind == ChargeKind::Penalty).unwrap()];
        let state = loan.state("2026-03-01");
        let [applied] = state.applied.as_slice() else { panic!("{:?}", state.applied) };
        assert_eq!((applied.by, applied.shares.penalty.to_string()), (penalty, "5.00".to_owned()));
        assert_eq!(state.unpaid.fees.to_string(), "5.00");
    }
}
