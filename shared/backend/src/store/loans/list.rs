//! The list of loans: filters, sorting, pages.

use jiff::Timestamp;
use lending::Currency;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, schema::Type},
};

use super::rows::SELECT;
use crate::{
    db::{Sql, Statement},
    domain::loan::{Loan, LoanStatus, Scope},
    values::{
        page::{Limit, Part, Position},
        pay_ref::PayRef,
        refusal::refusal,
        time::Period,
        user_ref::UserRef,
    },
};

/// The filters of a list of loans; all of them must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Any of these; empty means all.
    pub status: Vec<LoanStatus>,
    /// The borrower.
    pub borrower: Option<UserRef>,
    /// The agent.
    pub agent: Option<UserRef>,
    /// The one that this names.
    pub pay_ref: Option<PayRef>,
    /// The product's code.
    pub product: Option<String>,
    /// The currency.
    pub currency: Option<Currency>,
    /// The id in another system.
    pub external_id: Option<String>,
    /// When it was applied for.
    pub created: Period,
    /// When it last changed.
    pub updated: Period,
    /// At least this much.
    pub min_amount: Option<Decimal>,
    /// At most this much.
    pub max_amount: Option<Decimal>,
}

impl Filter {
    /// True where one index has the page, whatever the value: by borrower, agent, status, currency or payment reference
    /// alone, in any order. Where several filter, the values decide which index has the fewest rows.
    fn is_indexed(&self, scope: Scope) -> bool {
        let Self { status, borrower, agent, product, pay_ref, currency, external_id, .. } = self;
        let Self { created, updated, min_amount, max_amount, .. } = self;
        let with_index = [
            scope.borrower().is_some(),
            status.len() == 1,
            borrower.is_some(),
            agent.is_some(),
            pay_ref.is_some(),
            currency.is_some(),
            external_id.is_some(),
        ];
        let others = [product.is_some(), status.len() > 1, min_amount.is_some(), max_amount.is_some()];
        with_index.into_iter().filter(|is_given| *is_given).count() <= 1
            && !others.contains(&true)
            && [created, updated] == [&Period::default(); 2]
    }
}

/// How a list of loans is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Newest first.
    #[default]
    CreatedDescending,
    /// Oldest first.
    Created,
    /// Last changed first.
    UpdatedDescending,
    /// Last changed last.
    Updated,
    /// Largest first.
    AmountDescending,
    /// Smallest first.
    Amount,
}

/// In the OpenAPI document: the names that the interface has.
impl PartialSchema for Sort {
    fn schema() -> RefOr<utoipa::openapi::Schema> {
        let names = Self::ALL.map(|(name, _)| name);
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names)).default(Some(names[0].into())).into()
    }
}

impl ToSchema for Sort {}

impl Sort {
    /// Every sort, as the interface names it.
    pub const ALL: [(&'static str, Self); 6] = [
        ("-created_at", Self::CreatedDescending),
        ("created_at", Self::Created),
        ("-updated_at", Self::UpdatedDescending),
        ("updated_at", Self::Updated),
        ("-amount", Self::AmountDescending),
        ("amount", Self::Amount),
    ];

    /// True if it compares amounts, which makes sense in one currency only.
    #[must_use]
    pub const fn is_by_amount(self) -> bool {
        matches!(self, Self::Amount | Self::AmountDescending)
    }

    /// Narrows to what comes after a position, and sorts.
    fn apply(self, sql: Sql, after: Option<Position<String>>) -> Option<Sql> {
        let sql = match after {
            None => sql,
            Some(Position(key, id)) => {
                let instant = || key.parse().ok().filter(Timestamp::is_storable);
                let amount = || key.parse::<Decimal>().ok();
                let sql = match self {
                    Self::CreatedDescending => sql.push_bind(" AND (l.created_at, l.id) < ({}, ", instant()?),
                    Self::Created => sql.push_bind(" AND (l.created_at, l.id) > ({}, ", instant()?),
                    Self::UpdatedDescending => sql.push_bind(" AND (l.updated_at, l.id) < ({}, ", instant()?),
                    Self::Updated => sql.push_bind(" AND (l.updated_at, l.id) > ({}, ", instant()?),
                    Self::AmountDescending => sql.push_bind(" AND (l.amount, l.id) < ({}, ", amount()?),
                    Self::Amount => sql.push_bind(" AND (l.amount, l.id) > ({}, ", amount()?),
                };
                sql.push_bind("{})", id)
            }
        };
        Some(sql.push(match self {
            Self::CreatedDescending => " ORDER BY l.created_at DESC, l.id DESC",
            Self::Created => " ORDER BY l.created_at, l.id",
            Self::UpdatedDescending => " ORDER BY l.updated_at DESC, l.id DESC",
            Self::Updated => " ORDER BY l.updated_at, l.id",
            Self::AmountDescending => " ORDER BY l.amount DESC, l.id DESC",
            Self::Amount => " ORDER BY l.amount, l.id",
        }))
    }
}

impl<'de> Deserialize<'de> for Sort {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let found = Self::ALL.into_iter().find(|(name, _)| *name == text);
        found.map(|(_, sort)| sort).ok_or_else(|| {
            refusal("unknown_value", "is one of -created_at, created_at, -updated_at, updated_at, -amount, amount")
        })
    }
}

/// A page of loans; `None` for a position in a list with another sort.
pub fn list(
    filter: Filter,
    scope: Scope,
    sort: Sort,
    after: Option<Position<String>>,
    limit: Limit,
) -> Option<Statement<Vec<Loan>>> {
    let begin = Sql::new(SELECT);
    let begin = if filter.is_indexed(scope) { begin } else { begin.planned_for_its_values() };
    let sql = begin.push(" WHERE true").push_if(" AND l.borrower_id = {}", scope.borrower());
    let sql = match filter.status.as_slice() {
        [] => sql,
        [status] => sql.push_bind(" AND l.status = {}", status.as_str()),
        several => {
            let several: Vec<&'static str> = several.iter().map(|status| status.as_str()).collect();
            sql.push_bind(" AND l.status = ANY ({})", several)
        }
    };
    let sql = match filter.borrower {
        None => sql,
        Some(UserRef::Id(id)) => sql.push_bind(" AND l.borrower_id = {}", id),
        Some(UserRef::Username(name)) => {
            sql.push_bind(" AND l.borrower_id = (SELECT id FROM users WHERE username = {})", name)
        }
    };
    let sql = match filter.agent {
        None => sql,
        Some(UserRef::Id(id)) => sql.push_bind(" AND l.agent_id = {}", id),
        Some(UserRef::Username(name)) => {
            sql.push_bind(" AND l.agent_id = (SELECT id FROM users WHERE username = {})", name)
        }
    };
    let sql = sql
        .push_if(" AND l.pay_ref = {}", filter.pay_ref.map(|pay_ref| pay_ref.to_string()))
        .push_if(" AND l.product_code = {}", filter.product)
        .push_if(" AND l.currency = {}", filter.currency.map(Currency::code))
        .push_if(" AND l.external_id = {}", filter.external_id)
        .push_if(" AND l.created_at >= {}", filter.created.from)
        .push_if(" AND l.created_at < {}", filter.created.before)
        .push_if(" AND l.updated_at >= {}", filter.updated.from)
        .push_if(" AND l.updated_at < {}", filter.updated.before)
        .push_if(" AND l.amount >= {}", filter.min_amount)
        .push_if(" AND l.amount <= {}", filter.max_amount);
    Some(sort.apply(sql, after)?.push_bind(" LIMIT {}", limit.and_one()).all())
}
