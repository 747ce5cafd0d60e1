//! The list of payments: filters and pages.

use jiff::civil::Date;

use super::rows::SELECT;
use crate::{
    db::{Sql, Statement},
    domain::payments::{Payment, PaymentState},
    values::page::{Limit, Position},
};

/// The filters of a list of payments.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Payments in this state.
    pub state: Option<PaymentState>,
    /// Of this source.
    pub source: Option<String>,
    /// With this reference.
    pub reference: Option<String>,
    /// Of this receipt.
    pub external_id: Option<String>,
    /// Paid by someone with this telephone number, account or name.
    pub payer: Option<String>,
    /// Not before this business date.
    pub from: Option<Date>,
    /// Not after this business date.
    pub to: Option<Date>,
}

/// A page of payments, the latest first by the day on which they were paid.
#[must_use]
pub fn list(filter: Filter, after: Option<&Position<Date>>, limit: Limit) -> Statement<Vec<Payment>> {
    let Filter { state, source, reference, external_id, payer, from, to } = filter;
    // Any of the filters may leave the fewest.
    let mut sql = Sql::new(SELECT)
        .planned_for_its_values()
        .push(" WHERE true")
        .push_if(" AND p.state = {}", state.map(PaymentState::as_str))
        .push_if(" AND p.source = {}", source)
        .push_if(" AND d.reference = {}", reference)
        .push_if(" AND p.external_id = {}", external_id)
        .push_if(" AND (d.payer_phone = {} OR d.payer_account = {} OR lower(d.payer_name) = lower({}))", payer)
        .push_if(" AND p.paid_on >= {}", from)
        .push_if(" AND p.paid_on <= {}", to);
    if let Some(Position(paid_on, id)) = after {
        sql = sql.push_bind(" AND (p.paid_on, p.id) < ({}, ", *paid_on).push_bind("{})", *id);
    }
    sql.push(" ORDER BY p.paid_on DESC, p.id DESC").push_bind(" LIMIT {}", limit.and_one()).all()
}
