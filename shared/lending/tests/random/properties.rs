//! What holds for every schedule, whatever its terms.

use std::collections::BTreeMap;

use lending::{Amortization, Given, InterestMethod, Rounding, Row, TermsPatch};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::loans::{Loan, loans};

/// The rows of an equal-instalment schedule that must ask for exactly the instalment: those that
/// repay principal, bear their own interest alone, leave something to the rows after them, and are
/// not the last.
fn is_equal(loan: &Loan, row: &Row) -> bool {
    let grace = loan.terms.grace();
    row.n > grace.principal
        && (grace.interest_payment == 0 || row.n > grace.interest_payment + 1)
        && row.n < loan.terms.instalments()
        && !row.balance.is_zero()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Nothing overflows or panics, and nothing is refused but for its dates or an instalment
    /// below its interest.
    #[test]
    fn only_dates_and_interest_refuse(loan in loans()) {
        if let Err(code) = loan.schedule() {
            prop_assert!(["date_out_of_range", "does_not_amortise"].contains(&code), "{}", code);
        }
    }

    #[test]
    fn amounts_add_up(loan in loans()) {
        let Ok(schedule) = loan.schedule() else { return Ok(()) };
        let sum = |cell: fn(&Row) -> i128| schedule.rows.iter().map(cell).sum::<i128>();
        let amount = loan.amount.units();
        prop_assert_eq!(sum(|row| row.principal.units()), amount);
        prop_assert_eq!(sum(|row| row.interest.units()), schedule.total_interest.units());
        prop_assert_eq!(sum(|row| row.due.units()), schedule.total_due.units());
        let at_disbursement = amount - schedule.paid_out.units();
        let fees = sum(|row| row.fees.units()) + at_disbursement;
        prop_assert_eq!(fees, schedule.total_fees.units());
        for row in &schedule.rows {
            let parts = row.principal.units() + row.interest.units() + row.fees.units();
            prop_assert_eq!(parts, row.due.units(), "row {}", row.n);
        }
    }

    #[test]
    fn the_balance_falls_to_zero_and_no_cell_is_negative(loan in loans()) {
        let Ok(schedule) = loan.schedule() else { return Ok(()) };
        let mut balance = loan.amount.units();
        for row in &schedule.rows {
            for cell in [row.principal, row.interest, row.fees, row.due, row.balance] {
                prop_assert!(!cell.is_negative(), "row {}", row.n);
            }
            balance -= row.principal.units();
            prop_assert_eq!(row.balance.units(), balance, "row {}", row.n);
            if row.n <= loan.terms.grace().principal {
                prop_assert!(row.principal.is_zero(), "row {}", row.n);
            }
        }
        prop_assert_eq!(balance, 0);
    }

    #[test]
    fn due_dates_follow_each_other(loan in loans()) {
        let Ok(schedule) = loan.schedule() else { return Ok(()) };
        let mut before = loan.disbursed_on;
        for (index, row) in schedule.rows.iter().enumerate() {
            prop_assert_eq!(row.n as usize, index + 1);
            prop_assert!(row.due_on > before, "row {}", row.n);
            let days = before.until(row.due_on).unwrap().get_days();
            prop_assert_eq!(i64::from(row.days), i64::from(days), "row {}", row.n);
            before = row.due_on;
        }
        if let Some(first) = loan.terms.first_due_on() {
            prop_assert_eq!(schedule.rows[0].due_on, first);
        }
        prop_assert_eq!(schedule.rows.len(), loan.terms.instalments() as usize);
    }

    #[test]
    fn every_amount_is_a_multiple_of_its_unit(loan in loans()) {
        let Ok(schedule) = loan.schedule() else { return Ok(()) };
        for row in &schedule.rows {
            for cell in [row.principal, row.interest, row.fees, row.due, row.balance] {
                prop_assert_eq!(cell.units() % loan.smallest(), 0, "row {}", row.n);
            }
        }
        let is_level = loan.terms.amortization() == Amortization::EqualInstalments
            || loan.terms.interest_method() == InterestMethod::Flat;
        if is_level {
            prop_assert_eq!(schedule.instalment.units() % loan.multiple(), 0);
        }
    }

    #[test]
    fn instalments_are_equal_where_they_should_be(loan in loans()) {
        let Ok(schedule) = loan.schedule() else { return Ok(()) };
        match (loan.terms.interest_method(), loan.terms.amortization()) {
            (InterestMethod::DecliningBalance, Amortization::EqualInstalments) => {
                for row in schedule.rows.iter().filter(|row| is_equal(&loan, row)) {
                    let instalment = row.principal.units() + row.interest.units();
                    prop_assert_eq!(instalment, schedule.instalment.units(), "row {}", row.n);
                }
            }
            (InterestMethod::DecliningBalance, Amortization::EqualPrincipal) => {
                let rows: Vec<_> = schedule.rows.iter().filter(|row| is_equal(&loan, row)).collect();
                prop_assert!(rows.windows(2).all(|pair| pair[0].principal == pair[1].principal));
            }
            // Flat: row by row to the multiple.
            (InterestMethod::Flat, _) => {
                for row in schedule.rows.iter().filter(|row| is_equal(&loan, row)) {
                    let instalment = row.principal.units() + row.interest.units();
                    prop_assert_eq!(instalment % loan.multiple(), 0, "row {}", row.n);
                }
            }
        }
    }

    #[test]
    fn no_interest_without_a_rate_or_in_interest_free_periods(loan in loans()) {
        let Ok(schedule) = loan.schedule() else { return Ok(()) };
        let grace = loan.terms.grace();
        let bears_none = loan.terms.interest_rate_apr() == lending::AnnualRate::ZERO
            || grace.interest_free == loan.terms.instalments();
        if bears_none {
            prop_assert!(schedule.total_interest.is_zero());
        }
        for row in &schedule.rows {
            if row.n <= grace.interest_free.max(grace.interest_payment)
                && row.n != grace.interest_payment + 1
            {
                prop_assert!(row.interest.is_zero(), "row {}", row.n);
            }
        }
    }

    /// However it is rounded, flat interest is the same up to one unit: it is rounded once, and
    /// the last row takes what the others left.
    #[test]
    fn flat_interest_is_rounded_once(loan in loans(), rounding in select(Rounding::ALL)) {
        let loan = loan.with(&TermsPatch {
            interest_method: Some(InterestMethod::Flat),
            instalment_multiple: Given::Null,
            ..TermsPatch::default()
        });
        let other = loan.with(&TermsPatch { rounding: Some(rounding), ..TermsPatch::default() });
        let (Ok(schedule), Ok(other)) = (loan.schedule(), other.schedule()) else { return Ok(()) };
        let gap = schedule.total_interest.units() - other.total_interest.units();
        prop_assert!(gap.abs() <= loan.smallest(), "{}", gap);
    }
}

/// What the tests above see is what they are worth: a thousand loans have every outcome, most of
/// them a schedule.
#[test]
fn random_loans_have_every_outcome() {
    let mut runner = TestRunner::deterministic();
    let mut outcomes: BTreeMap<&str, u32> = BTreeMap::new();
    let mut count = |outcome| *outcomes.entry(outcome).or_default() += 1;
    for _ in 0..1000 {
        let loan = loans().new_tree(&mut runner).unwrap().current();
        match loan.schedule() {
            Ok(schedule) => {
                count("schedule");
                if schedule.rows.len() >= 360 {
                    count("long");
                }
                if schedule.rows.len() >= 12 && loan.amount.units() < 12 {
                    count("fewer units than rows");
                }
                if loan.amount.units() >= 10i128.pow(14) {
                    count("large");
                }
                if schedule.paid_out.is_negative() {
                    count("fees above the amount");
                }
            }
            Err(refusal) => count(refusal),
        }
    }
    for (outcome, least) in [
        ("schedule", 700),
        ("long", 10),
        ("fewer units than rows", 10),
        ("large", 50),
        ("fees above the amount", 10),
        ("date_out_of_range", 10),
        ("does_not_amortise", 10),
    ] {
        assert!(outcomes.get(outcome).is_some_and(|seen| *seen >= least), "{outcomes:?}");
    }
}
