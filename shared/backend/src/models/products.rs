//! Loan products: what may be applied for, and the terms a loan is made with. Every change makes a version.

use jiff::Timestamp;
use lending::{AnnualRate, Currency, Money, Terms};
use rust_decimal::Decimal;
use serde::Serialize;
use tokio_postgres::{Row, types::Json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{columns, terms::TermsSchema};
use crate::{
    db::{DbError, FromRow, Sql, Statement, column},
    domain::refusal::Refusal,
    http::idempotency::Fingerprinted,
    values::{
        page::{Limit, Position},
        refusal::FieldError,
        time::Instant,
        version::Version,
    },
};

/// A product as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Product {
    /// Names the product.
    #[schema(example = "microloan-inr")]
    pub code: String,
    /// Changes with every change of the product.
    #[schema(value_type = i32, example = 1)]
    pub version: Version,
    /// The name people see.
    #[schema(example = "Microloan INR")]
    pub name: String,
    /// ISO 4217.
    #[schema(value_type = String, example = "INR")]
    pub currency: Currency,
    /// The smallest amount of a loan.
    #[schema(value_type = String, example = "0.01")]
    pub min_amount: Money,
    /// The largest amount of a loan.
    #[schema(value_type = String, example = "50000.00")]
    pub max_amount: Money,
    /// The fewest instalments.
    #[schema(example = 1)]
    pub min_instalments: u32,
    /// The most instalments.
    #[schema(example = 60)]
    pub max_instalments: u32,
    /// The lowest rate, percent a year.
    #[schema(value_type = String, example = "0.00")]
    pub min_rate_apr: AnnualRate,
    /// The highest rate, percent a year.
    #[schema(value_type = String, example = "100.00")]
    pub max_rate_apr: AnnualRate,
    /// Whether a loan in this currency that names no product is made with this one.
    pub is_default: bool,
    /// Whether it can be applied for.
    #[schema(example = true)]
    pub active: bool,
    /// The terms of its loans, where an application says nothing else.
    #[schema(value_type = TermsSchema)]
    pub terms: Terms,
    /// When it was made.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
}

impl FromRow for Product {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let currency = columns::currency(row, "currency")?;
        Ok(Self {
            code: column(row, "code")?,
            version: Version(column(row, "version")?),
            name: column(row, "name")?,
            currency,
            min_amount: columns::money(row, "min_amount", currency)?,
            max_amount: columns::money(row, "max_amount", currency)?,
            min_instalments: columns::count(row, "min_instalments")?,
            max_instalments: columns::count(row, "max_instalments")?,
            min_rate_apr: columns::rate(row, "min_rate_apr")?,
            max_rate_apr: columns::rate(row, "max_rate_apr")?,
            is_default: column(row, "is_default")?,
            active: column(row, "active")?,
            terms: columns::terms(row, "terms")?,
            created_at: Instant(column(row, "created_at")?),
            updated_at: Instant(column(row, "updated_at")?),
        })
    }
}

/// The product that a request names.
///
/// # Errors
///
/// 422 if there is none of that code.
pub fn named(product: Option<Product>) -> Result<Product, Refusal> {
    product.ok_or_else(|| Refusal::field("/product", "product_not_found", "there is no product of this code"))
}

/// A new product, whose amounts are money by then.
impl Fingerprinted for Product {}

impl Product {
    /// The product, if it lends this currency.
    ///
    /// # Errors
    ///
    /// 422, at the pointer, if it lends another one.
    pub fn lending(self, pointer: &str, currency: Currency) -> Result<Self, Refusal> {
        if self.currency == currency {
            return Ok(self);
        }
        let detail = format!("{} lends {}, not {currency}", self.code, self.currency);
        Err(Refusal::field(pointer, "currency_mismatch", detail))
    }

    /// The limits of the product that a loan with this amount and these terms breaks. `terms` is the JSON pointer of what
    /// has `instalments` and `interest_rate_apr` in the request; `instalments` its name there.
    #[must_use]
    pub fn broken_limits(&self, amount: Money, terms: &Terms, at: LimitPointers) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if amount < self.min_amount || amount > self.max_amount {
            let rule = format!("{} lends {} to {} {}", self.code, self.min_amount, self.max_amount, self.currency);
            errors.push(FieldError::new(at.amount, "amount_out_of_range", rule));
        }
        if !(self.min_instalments..=self.max_instalments).contains(&terms.instalments()) {
            let rule = format!("{} has {} to {} instalments", self.code, self.min_instalments, self.max_instalments);
            errors.push(FieldError::new(at.instalments, "instalments_out_of_range", rule));
        }
        let rate = terms.interest_rate_apr().to_decimal();
        if rate < self.min_rate_apr.to_decimal() || rate > self.max_rate_apr.to_decimal() {
            let rule = format!("{} charges {} to {} percent a year", self.code, self.min_rate_apr, self.max_rate_apr);
            errors.push(FieldError::new(at.rate, "rate_out_of_range", rule));
        }
        errors
    }

    /// What is wrong with the product's own limits: each pair in order, and its own terms within them.
    #[must_use]
    pub fn broken_rules(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut order = |wrong: bool, pointer: &str, other: &str| {
            if wrong {
                errors.push(FieldError::new(pointer, "below_minimum", format!("must not be below {other}")));
            }
        };
        order(self.max_amount < self.min_amount, "/max_amount", "min_amount");
        order(self.max_instalments < self.min_instalments, "/max_instalments", "min_instalments");
        let (min_rate, max_rate) = (self.min_rate_apr.to_decimal(), self.max_rate_apr.to_decimal());
        order(max_rate < min_rate, "/max_rate_apr", "min_rate_apr");
        if self.min_amount.is_zero() {
            errors.push(FieldError::new("/min_amount", "not_positive", "must be more than zero"));
        }
        if errors.is_empty() {
            errors = self.broken_limits(self.min_amount, &self.terms, LimitPointers::PRODUCT);
        }
        errors
    }
}

/// Where a request has what a product limits, as JSON pointers.
#[derive(Clone, Copy, Debug)]
pub struct LimitPointers {
    /// The amount.
    pub amount: &'static str,
    /// The number of instalments, or the term in months.
    pub instalments: &'static str,
    /// The rate.
    pub rate: &'static str,
}

impl LimitPointers {
    /// In a product itself.
    pub const PRODUCT: Self =
        Self { amount: "/min_amount", instalments: "/terms/instalments", rate: "/terms/interest_rate_apr" };
}

/// One product, locked against changes of another transaction until this one ends.
pub const LOCK: &str = "SELECT * FROM products WHERE code = $1 FOR UPDATE";

/// One product.
pub const BY_CODE: &str = "SELECT * FROM products WHERE code = $1";

/// The open default product of a currency.
pub const DEFAULT: &str = "SELECT * FROM products WHERE currency = $1 AND is_default AND active";

/// The product of this code or, without one, that of this loan.
pub const FOR_LOAN: &str = "\
SELECT * FROM products WHERE code = coalesce($1, (SELECT product_code FROM loans WHERE id = $2))";

/// The product of one version of this loan.
pub const OF_VERSION: &str = "\
SELECT p.* FROM products p JOIN loan_versions v ON v.product_code = p.code WHERE v.loan_id = $1 AND v.version = $2";

/// All products.
pub const LIST: &str = "SELECT * FROM products WHERE true";

/// Makes a product.
pub const INSERT: &str = "\
INSERT INTO products (code, version, name, currency, min_amount, max_amount, min_instalments, max_instalments,
    min_rate_apr, max_rate_apr, is_default, active, terms, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";

/// Changes a product.
pub const UPDATE: &str = "\
UPDATE products SET version = $2, name = $3, min_amount = $4, max_amount = $5, min_instalments = $6,
    max_instalments = $7, min_rate_apr = $8, max_rate_apr = $9, is_default = $10, active = $11, terms = $12,
    updated_at = $13
WHERE code = $1";

/// Records the version that the product now has.
pub const RECORD_VERSION: &str = "\
INSERT INTO product_versions (code, version, name, currency, min_amount, max_amount, min_instalments, max_instalments,
    min_rate_apr, max_rate_apr, is_default, active, terms, at, by_id)
SELECT code, version, name, currency, min_amount, max_amount, min_instalments, max_instalments,
    min_rate_apr, max_rate_apr, is_default, active, terms, updated_at, $2
FROM products WHERE code = $1";

/// One product by its code.
#[must_use]
pub fn by_code(code: String) -> Statement<Option<Product>> {
    Sql::new(BY_CODE).bind(code).optional()
}

/// As [`by_code`], locked for a change.
#[must_use]
pub fn lock(code: String) -> Statement<Option<Product>> {
    Sql::new(LOCK).bind(code).optional()
}

/// The product of a new loan: the one named, or the currency's open default.
#[must_use]
pub fn named_or_default(code: Option<String>, currency: Currency) -> Statement<Option<Product>> {
    match code {
        Some(code) => by_code(code),
        None => Sql::new(DEFAULT).bind(currency.code()).optional(),
    }
}

/// The product of a loan that is edited: the one named, or the one it has.
#[must_use]
pub fn named_or_of_loan(code: Option<String>, loan: Uuid) -> Statement<Option<Product>> {
    Sql::new(FOR_LOAN).bind(code).bind(loan).optional()
}

/// The product that a version of a loan named.
#[must_use]
pub fn of_version(loan: Uuid, version: i32) -> Statement<Option<Product>> {
    Sql::new(OF_VERSION).bind(loan).bind(version).optional()
}

/// A page of products, newest first.
#[must_use]
pub fn list(after: Option<Position<Timestamp, String>>, limit: Limit) -> Statement<Vec<Product>> {
    let mut sql = Sql::new(LIST);
    if let Some(Position(created_at, code)) = after {
        sql = sql.push_bind(" AND (created_at, code) < ({}, ", created_at).push_bind("{})", code);
    }
    sql.push(" ORDER BY created_at DESC, code DESC").push_bind(" LIMIT {}", limit.and_one()).all()
}

/// Makes a product, with its first version.
#[must_use]
pub fn insert(product: &Product, by: Option<Uuid>) -> Vec<Statement<()>> {
    let sql = Sql::new(INSERT)
        .bind(product.code.clone())
        .bind(product.version.0)
        .bind(product.name.clone())
        .bind(product.currency.code());
    let sql = bind_limits(sql, product).bind(product.created_at.0).bind(product.updated_at.0);
    vec![sql.execute(), record_version(product, by)]
}

/// Changes a product, with the version that makes.
#[must_use]
pub fn update(product: &Product, by: Uuid) -> Vec<Statement<()>> {
    let sql = Sql::new(UPDATE).bind(product.code.clone()).bind(product.version.0).bind(product.name.clone());
    let sql = bind_limits(sql, product).bind(product.updated_at.0);
    vec![sql.execute(), record_version(product, Some(by))]
}

fn bind_limits(sql: Sql, product: &Product) -> Sql {
    let rate = |rate: AnnualRate| -> Decimal { rate.to_decimal() };
    sql.bind(product.min_amount.to_decimal())
        .bind(product.max_amount.to_decimal())
        .bind(product.min_instalments.cast_signed())
        .bind(product.max_instalments.cast_signed())
        .bind(rate(product.min_rate_apr))
        .bind(rate(product.max_rate_apr))
        .bind(product.is_default)
        .bind(product.active)
        .bind(Json(product.terms.clone()))
}

fn record_version(product: &Product, by: Option<Uuid>) -> Statement<()> {
    Sql::new(RECORD_VERSION).bind(product.code.clone()).bind(by).execute()
}
