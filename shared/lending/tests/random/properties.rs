//! Properties of every schedule, whatever its terms.

use std::collections::BTreeMap;

use lending::{
    Amortization, Currency, Given, InterestMethod, Money, Refusal, Rounding, Schedule, ScheduledInstalment, TermsPatch,
    schedule,
};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rust_decimal::Decimal;
use serde_json::json;

use crate::loans::{Loan, loans};

/// The rows of an equal-instalment schedule that must ask for exactly the instalment: those that
/// repay principal, bear their own interest alone, leave something to the rows after them, and are
/// not the last.
fn is_equal(loan: &Loan, row: &ScheduledInstalment) -> bool {
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
        let sum = |cell: fn(&ScheduledInstalment) -> i128| schedule.rows.iter().map(cell).sum::<i128>();
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
        if loan.terms.amortization() == Amortization::EqualInstalments {
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
            (_, Amortization::EqualPrincipal) => {
                let rows: Vec<_> = schedule.rows.iter().filter(|row| is_equal(&loan, row)).collect();
                prop_assert!(rows.windows(2).all(|pair| pair[0].principal == pair[1].principal));
            }
            // Flat: row by row to the multiple.
            (InterestMethod::Flat, Amortization::EqualInstalments) => {
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
    fn flat_interest_is_rounded_once(loan in loans(), rounding in select(&Rounding::ALL)) {
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

/// A request by its numbers, any of which may be impossible.
#[derive(Debug, Clone)]
struct Request {
    amount: i64,
    instalments: u32,
    grace: [u32; 3],
    smallest: Option<(i64, u32)>,
    multiple: Option<(i64, u32)>,
    fee: (i64, u32),
    first_after: Option<i64>,
    currency: &'static str,
}

fn requests() -> impl Strategy<Value = Request> {
    let number = || (0i64..=40, 0u32..=4);
    let grace = || prop_oneof![2 => Just(0u32), 1 => 0u32..=6];
    let sizes = (1i64..=100_000, 1u32..=6, [grace(), grace(), grace()]);
    let units = (prop::option::weighted(0.4, number()), prop::option::weighted(0.4, number()), number());
    let others = (prop::option::weighted(0.4, -3i64..=40), select(vec!["VND", "INR", "BHD", "CLF"]));
    (sizes, units, others).prop_map(
        |((amount, instalments, grace), (smallest, multiple, fee), (first_after, currency))| Request {
            amount,
            instalments,
            grace,
            smallest,
            multiple,
            fee,
            first_after,
            currency,
        },
    )
}

impl Request {
    /// True if the lending rules refuse it.
    fn is_refused(&self) -> bool {
        let decimals = self.currency.parse::<Currency>().unwrap().decimals();
        let [principal, interest_payment, interest_free] = self.grace;
        // Every number within the currency's decimals; then whole numbers of its smallest units.
        let units = |(digits, scale): (i64, u32)| Some(digits * 10i64.pow(decimals.checked_sub(scale)?));
        let is_number = |number: Option<(i64, u32)>| number.is_none_or(|it| units(it).is_some());
        if !is_number(self.smallest) || !is_number(self.multiple) || !is_number(Some(self.fee)) {
            return true;
        }
        let smallest = self.smallest.and_then(units).unwrap_or(1);
        let multiple = self.multiple.and_then(units).unwrap_or(smallest);
        principal >= self.instalments
            || interest_payment >= self.instalments
            || interest_free > self.instalments
            || self.first_after.is_some_and(|days| days <= 0)
            || smallest == 0
            || multiple == 0
            || multiple % smallest != 0
            || self.amount % smallest != 0
            || units(self.fee).is_some_and(|fee| fee % smallest != 0)
    }

    fn schedule(&self) -> Result<Schedule, String> {
        let currency: Currency = self.currency.parse().unwrap();
        let text = |(digits, scale): (i64, u32)| Decimal::new(digits, scale).to_string();
        let disbursed_on = jiff::civil::date(2025, 1, 31);
        let first = self.first_after.map(|days| disbursed_on.checked_add(jiff::Span::new().days(days)).unwrap());
        let terms = json!({
            "interest_rate_apr": "0", "instalments": self.instalments, "first_due_on": first,
            "smallest_amount": self.smallest.map(text), "instalment_multiple": self.multiple.map(text),
            "grace": {"principal": self.grace[0], "interest_payment": self.grace[1], "interest_free": self.grace[2]},
            "fees": [{"code": "fee", "when": "instalment", "amount": text(self.fee)}],
        });
        let terms: TermsPatch = serde_json::from_value(terms).map_err(|error| error.to_string())?;
        let told = |refusal: Refusal| format!("{} {}", refusal.pointer(), refusal.code());
        let terms = terms.complete(currency).map_err(told)?;
        schedule(Money::from_units(self.amount, currency), disbursed_on, &terms).map_err(told)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// Without interest, what the rules list is refused and nothing else.
    #[test]
    fn refused_is_what_the_rules_refuse(request in requests()) {
        let got = request.schedule();
        prop_assert_eq!(got.is_err(), request.is_refused(), "{:?}", got.err());
    }
}

/// The worth of the tests above depends on their input: a thousand loans have every outcome, most
/// of them a schedule.
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
