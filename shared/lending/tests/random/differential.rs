//! Cell by cell the same as the reference, refusals included.

use proptest::prelude::*;

use crate::loans::{Loan, loans};
use crate::reference::{reference, units};

fn same(loan: &Loan) -> Result<(), TestCaseError> {
    let (ours, theirs) = match (loan.schedule(), reference(loan)) {
        (Ok(ours), Ok(theirs)) => (ours, theirs),
        (ours, theirs) => {
            let (ours, theirs) = (ours.map(|_| "a schedule"), theirs.map(|_| "a schedule"));
            prop_assert_eq!(ours, theirs);
            return Ok(());
        }
    };
    prop_assert_eq!(ours.instalment.units(), units(&theirs.instalment), "instalment");
    prop_assert_eq!(ours.paid_out.units(), units(&theirs.paid_out), "paid_out");
    prop_assert_eq!(ours.rows.len(), theirs.rows.len());
    for (row, wanted) in ours.rows.iter().zip(&theirs.rows) {
        let n = row.n;
        prop_assert_eq!(row.due_on, wanted.due_on, "row {}, due_on", n);
        prop_assert_eq!(i64::from(row.days), wanted.days, "row {}, days", n);
        prop_assert_eq!(row.principal.units(), units(&wanted.principal), "row {}, principal", n);
        prop_assert_eq!(row.interest.units(), units(&wanted.interest), "row {}, interest", n);
        prop_assert_eq!(row.fees.units(), units(&wanted.fees), "row {}, fees", n);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn schedules_are_those_of_the_reference(loan in loans()) {
        same(&loan)?;
    }
}
