//! The loans beside that of a command: those that its disbursement settles, by their ids, or that a recorded
//! disbursement settled, by its id.

use uuid::Uuid;

use crate::{
    db::{Columns as _, List, OfLoan, Sql, Statement},
    domain::{loan::Loan, portfolio::ApplicationStep, servicing::LockedLoan, transaction::Transaction},
    sql,
    store::{loans, transactions::TransactionRow},
};

/// Locks the loans of a command, in the order of their ids.
pub const LOCK: &str = "\
SELECT id FROM loans
WHERE id IN (SELECT unnest($1::uuid[]) UNION SELECT loan_id FROM transactions WHERE settled_by = $2)
ORDER BY id FOR UPDATE";

/// The transactions of the other loans.
pub const TRANSACTIONS: &str = sql!(
    "SELECT {}, calendar_of_version(calendar_code, calendar_version) AS calendar FROM transactions
WHERE loan_id IN (SELECT unnest($1::uuid[]) UNION SELECT loan_id FROM transactions WHERE settled_by = $2)
ORDER BY loan_id, recorded_at",
    List::Names(TransactionRow::COLUMNS),
);

/// The steps of their applications.
pub const STEPS: &str = sql!(
    "SELECT loan_id, {} FROM loan_versions
WHERE loan_id IN (SELECT unnest($1::uuid[]) UNION SELECT loan_id FROM transactions WHERE settled_by = $2)
ORDER BY loan_id, version",
    List::Names(ApplicationStep::COLUMNS),
);

/// Statements that lock loans and read them.
pub type LockOthers =
    (Statement<()>, Statement<Vec<Loan>>, Statement<Vec<OfLoan<Transaction>>>, Statement<Vec<OfLoan<ApplicationStep>>>);

/// The rows of the other loans.
pub type OtherLoans = ((), Vec<Loan>, Vec<OfLoan<Transaction>>, Vec<OfLoan<ApplicationStep>>);

/// Locks the loan of a command and others at once, in the order of their ids, and reads the others.
#[must_use]
pub fn lock(loan: Uuid, settles: &[Uuid], disbursement: Option<Uuid>) -> LockOthers {
    let all: Vec<Uuid> = settles.iter().copied().chain([loan]).collect();
    let others = |sql: Sql| sql.bind(settles.to_vec()).bind(disbursement);
    let rows = Sql::new(loans::SELECT_FOR_CHANGE).push(
        " WHERE l.id IN (SELECT unnest($1::uuid[]) UNION SELECT loan_id FROM transactions WHERE settled_by = $2)
ORDER BY l.id",
    );
    (
        Sql::new(LOCK).bind(all).bind(disbursement).execute(),
        others(rows).all(),
        others(Sql::new(TRANSACTIONS)).all(),
        others(Sql::new(STEPS)).all(),
    )
}

/// The other loans, each with its transactions and steps.
#[must_use]
pub fn locked(((), loans, transactions, steps): OtherLoans) -> Vec<LockedLoan> {
    let (mut transactions, mut steps) = (OfLoan::by_loan(transactions), OfLoan::by_loan(steps));
    let locked = |loan: Loan| LockedLoan {
        transactions: transactions.remove(&loan.id).unwrap_or_default(),
        steps: steps.remove(&loan.id).unwrap_or_default(),
        loan,
    };
    loans.into_iter().map(locked).collect()
}
