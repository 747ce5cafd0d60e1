//! Rows of `loans`.

use jiff::{Timestamp, civil::Date};
use lending::{Currency, Money, Terms};
use rust_decimal::Decimal;
use tokio_postgres::Row;

use crate::{
    db::{DbError, FromRow, column},
    domain::loan::{self, Decision, Due, Loan, LoanStatus, ScheduleFigures},
    store::columns,
    values::version::Version,
};

impl FromRow for Loan {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let currency = columns::currency(row, "currency")?;
        let created_at = column(row, "created_at")?;
        let decision = match (column(row, "decided_by")?, column(row, "decided_at")?) {
            (Some(by), Some(at)) => Some(Decision { by, at, reason: column(row, "decision_reason")? }),
            _ => None,
        };
        let (amount, terms) = (columns::money(row, "amount", currency)?, columns::terms(row, "terms")?);
        let (disbursed_on, version_on) = (column(row, "disbursed_on")?, column(row, "version_on")?);
        Ok(Self {
            id: column(row, "id")?,
            pay_ref: columns::pay_ref(row)?,
            borrower_id: column(row, "borrower_id")?,
            borrower_username: column(row, "borrower_username")?,
            agent_id: column(row, "agent_id")?,
            product: column(row, "product_code")?,
            product_version: Version(column(row, "product_version")?),
            amount,
            figures: projected(amount, disbursed_on, version_on, &terms).map_or_else(|| figures(row, currency), Ok)?,
            terms,
            disbursed_on,
            outstanding: columns::money(row, "outstanding", currency)?,
            written_off: columns::money(row, "written_off", currency)?,
            owed: dues(row, "owed_on", "owed", currency)?,
            penalties: dues(row, "penalties_on", "penalties", currency)?,
            held: dues(row, "held_on", "held", currency)?,
            oldest_unpaid_due_on: column(row, "oldest_unpaid_due_on")?,
            status: status(row)?,
            version: Version(column(row, "version")?),
            version_on,
            created_by: column(row, "created_by")?,
            edited_by: column(row, "edited_by")?,
            created_at,
            edited_at: column::<Option<Timestamp>>(row, "edited_at")?.unwrap_or(created_at),
            updated_at: column(row, "updated_at")?,
            decision,
        })
    }
}

pub(super) fn dues(row: &Row, days: &str, amounts: &str, currency: Currency) -> Result<Vec<Due>, DbError> {
    let (days, amounts): (Vec<Date>, Vec<Decimal>) = (column(row, days)?, column(row, amounts)?);
    let due = |(on, amount)| {
        let amount = Money::from_decimal(amount, currency).map_err(|error| DbError::Unexpected(Box::new(error)))?;
        Ok(Due { on, amount })
    };
    days.into_iter().zip(amounts).map(due).collect()
}

/// The figures of a loan that is not paid out by the newest version of its calendar, if it has one.
fn projected(amount: Money, disbursed_on: Option<Date>, version_on: Date, terms: &Terms) -> Option<ScheduleFigures> {
    terms.known_calendar().filter(|_| disbursed_on.is_none())?;
    loan::projection(amount, version_on, terms).ok().map(|schedule| ScheduleFigures::from(&schedule))
}

pub(super) fn figures(row: &Row, currency: Currency) -> Result<ScheduleFigures, DbError> {
    Ok(ScheduleFigures {
        instalment: columns::money(row, "instalment", currency)?,
        total_interest: columns::money(row, "total_interest", currency)?,
        total_due: columns::money(row, "total_due", currency)?,
    })
}

pub(super) fn status(row: &Row) -> Result<LoanStatus, DbError> {
    let text: &str = column(row, "status")?;
    text.parse().map_err(|()| DbError::unexpected(format!("unknown loans.status {text:?}")))
}

/// Loans with the borrower's name. It is looked up, not joined: that takes half as long to plan, and planning is most
/// of the time of reading one loan.
///
/// A loan that is not paid out has the newest version of the calendar that its terms name.
pub const SELECT: &str = "\
SELECT l.*, (SELECT username FROM users WHERE id = l.borrower_id) AS borrower_username,
    CASE WHEN l.disbursed_on IS NULL THEN newest_calendar(l.terms) END AS calendar
FROM loans l";

/// The same for a change: a loan that is paid out has that version too.
pub const SELECT_FOR_CHANGE: &str = "\
SELECT l.*, (SELECT username FROM users WHERE id = l.borrower_id) AS borrower_username,
    newest_calendar(l.terms) AS calendar
FROM loans l";
