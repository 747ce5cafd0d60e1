//! Rows of `loans`: the columns, each once.

use jiff::{Timestamp, civil::Date};
use lending::Money;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    columns,
    db::{Columns as _, DbError, Field, List, Parameter, Reading, Stored as _, parameter},
    domain::loan::{self, AgentBefore, Decision, Due, Loan, ScheduleFigures},
    sql,
};

/// The columns that a step of the application writes.
pub(super) const STEP: u8 = 1;
/// The columns that money writes.
pub(super) const MONEY: u8 = 2;

columns! {
    Loan {
        id: "id",
        pay_ref: "pay_ref",
        borrower_id: "borrower_id",
        agent_id: "agent_id" in STEP,
        product: "product_code" in STEP,
        product_version: "product_version" in STEP,
        amount: "amount" in STEP,
        terms: "terms" in STEP,
        figures: "instalment" "total_interest" "total_due" in STEP | MONEY,
        disbursed_on: "disbursed_on" in MONEY,
        outstanding: "outstanding" in MONEY,
        accruing: "accruing" in MONEY,
        held: "held_on" "held" in MONEY,
        written_off: "written_off" in MONEY,
        owed: "owed_on" "owed" in MONEY,
        penalties: "penalties_on" "penalties" in MONEY,
        oldest_unpaid_due_on: "oldest_unpaid_due_on" in MONEY,
        status: "status" in STEP | MONEY,
        version: "version" in STEP,
        version_on: "version_on" in STEP,
        created_by: "created_by",
        edited_by: "edited_by" in STEP,
        created_at: "created_at",
        edited_at: "edited_at" in STEP,
        updated_at: "updated_at",
        decision: "decided_by" "decided_at" "decision_reason" in STEP,
        agents_before: "agents_until" "agents_before",
        names: "external_id" "metadata",
    }
    write { "currency": amount.currency(), }
    read { borrower_username: "borrower_username", }
    then projected
}

impl Field<3> for ScheduleFigures {
    fn parameters(&self) -> [Parameter; 3] {
        [self.instalment, self.total_interest, self.total_due].map(|amount| parameter(amount.to_decimal()))
    }

    fn read(row: &Reading<'_>, [instalment, total_interest, total_due]: [&'static str; 3]) -> Result<Self, DbError> {
        Ok(Self {
            instalment: Field::read(row, [instalment])?,
            total_interest: Field::read(row, [total_interest])?,
            total_due: Field::read(row, [total_due])?,
        })
    }
}

impl Field<3> for Option<Decision> {
    fn parameters(&self) -> [Parameter; 3] {
        let decision = self.as_ref();
        [
            parameter(decision.map(|decision| decision.by)),
            parameter(decision.map(|decision| decision.at)),
            parameter(decision.and_then(|decision| decision.reason.clone())),
        ]
    }

    fn read(row: &Reading<'_>, [by, at, reason]: [&'static str; 3]) -> Result<Self, DbError> {
        Ok(match (row.column(by)?, row.column(at)?) {
            (Some(by), Some(at)) => Some(Decision { by, at, reason: row.column(reason)? }),
            _ => None,
        })
    }
}

/// Days, and the amount of each.
impl Field<2> for Vec<Due> {
    fn parameters(&self) -> [Parameter; 2] {
        let days: Vec<Date> = self.iter().map(|due| due.on).collect();
        let amounts: Vec<Decimal> = self.iter().map(|due| due.amount.to_decimal()).collect();
        [parameter(days), parameter(amounts)]
    }

    fn read(row: &Reading<'_>, [days, amounts]: [&'static str; 2]) -> Result<Self, DbError> {
        let (days, amounts): (Vec<Date>, Vec<Decimal>) = (row.column(days)?, row.column(amounts)?);
        days.into_iter().zip(amounts).map(|(on, amount)| Ok(Due { on, amount: Money::of(amount, row)? })).collect()
    }
}

/// Instants, and the agent until each.
impl Field<2> for Vec<AgentBefore> {
    fn parameters(&self) -> [Parameter; 2] {
        let until: Vec<Timestamp> = self.iter().map(|before| before.until).collect();
        let agents: Vec<Option<Uuid>> = self.iter().map(|before| before.agent).collect();
        [parameter(until), parameter(agents)]
    }

    fn read(row: &Reading<'_>, [until, agents]: [&'static str; 2]) -> Result<Self, DbError> {
        let (until, agents): (Vec<Timestamp>, Vec<Option<Uuid>>) = (row.column(until)?, row.column(agents)?);
        Ok(until.into_iter().zip(agents).map(|(until, agent)| AgentBefore { until, agent }).collect())
    }
}

/// The loan; one that is not paid out with its figures by the newest version of its calendar, if it has one.
fn projected(loan: Loan) -> Loan {
    if loan.disbursed_on.is_some() || loan.terms.known_calendar().is_none() {
        return loan;
    }
    let schedule = loan::projection(loan.amount, loan.version_on, &loan.terms);
    Loan { figures: schedule.map_or(loan.figures, |schedule| ScheduleFigures::from(&schedule)), ..loan }
}

/// Loans with the borrower's name. It is looked up, not joined: that takes half as long to plan, and planning is most
/// of the time of reading one loan.
///
/// A loan that is not paid out has the newest version of the calendar that its terms name.
pub const SELECT: &str = sql!(
    "SELECT {}, (SELECT username FROM users WHERE id = l.borrower_id) AS borrower_username,
    CASE WHEN l.disbursed_on IS NULL THEN newest_calendar(l.terms) END AS calendar
FROM loans l",
    List::Of("l", Loan::COLUMNS)
);

/// The same for a change: a loan that is paid out has that version too.
pub const SELECT_FOR_CHANGE: &str = sql!(
    "SELECT {}, (SELECT username FROM users WHERE id = l.borrower_id) AS borrower_username,
    newest_calendar(l.terms) AS calendar
FROM loans l",
    List::Of("l", Loan::COLUMNS)
);
