//! Code shared by the commands of this group: the term of a request, the end of a step.

use backend::{
    domain::{
        applications::{Pointers, Term},
        caller::Caller,
        loan::Loan,
        loan_history::Action,
        users::Role,
    },
    http::{answer::Answer, command::Outcome, problem::Problem},
    store::{
        audit::{self, Subject},
        loans,
    },
    telemetry::Count,
    values::{
        moment::Moment,
        number::{Instalments, Whole},
    },
};
use serde_json::json;

/// The range of allowed dates, in months: a longer term falls due outside of it.
const MAX_TERM_MONTHS: u32 = 12 * (lending::LAST_YEAR - lending::FIRST_YEAR + 1).unsigned_abs() as u32;

/// The loan as an answer, with its version.
pub(crate) fn answer(loan: &Loan, viewer: Role, at: Moment<'_>) -> Result<Answer, Problem> {
    Ok(Answer::ok(&loan.view(at.today, viewer))?.with_version(loan.version))
}

/// A term in months.
pub(crate) type Months = Whole<1, MAX_TERM_MONTHS>;

/// The term that a request gives: `term_months` or `instalments`, not both.
pub(crate) fn term(
    months: Option<Months>,
    instalments: Option<Instalments>,
) -> Result<(Option<Term>, Pointers), Problem> {
    match (months.map(Whole::get), instalments.map(Whole::get)) {
        (Some(_), Some(_)) => {
            Err(Problem::field("/term_months", "either_or", "give either term_months or instalments, not both"))
        }
        (Some(months), None) => Ok((Some(Term::Months(months)), Pointers { instalments: "/term_months" })),
        (None, instalments) => Ok((instalments.map(Term::Instalments), Pointers::PLAIN)),
    }
}

/// Ends a step: the loan as it now is, its version in the history, an entry in the audit log.
pub(crate) fn step(
    before: &Loan,
    after: &Loan,
    action: Action,
    caller: &Caller,
    reason: Option<String>,
    at: Moment<'_>,
) -> Result<Outcome, Problem> {
    let mut writes = loans::step(before, after, action, caller.id, reason, at);
    let detail = json!({"version": after.version, "status": after.status});
    writes.push(audit::by(caller, action.audit(), &Subject::Loan(after.id), detail));
    let count = matches!(action, Action::Approve).then_some(Count::Approval);
    Ok(Outcome::new(answer(after, caller.role, at)?, writes).counting(count))
}
