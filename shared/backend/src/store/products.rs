//! Products and their versions.

use jiff::Timestamp;
use lending::{AnnualRate, Currency};
use rust_decimal::Decimal;
use tokio_postgres::{Row, types::Json};
use uuid::Uuid;

use crate::{
    db::{DbError, FromRow, Sql, Statement, column},
    domain::products::Product,
    store::columns,
    values::{
        page::{Limit, Position},
        time::Instant,
        version::Version,
    },
};

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

/// One product with the newest version of the calendar that its terms name, locked against changes of another
/// transaction until this one ends.
pub const LOCK: &str =
    "SELECT p.*, newest_calendar(p.terms) AS calendar FROM products p WHERE p.code = $1 FOR UPDATE OF p";

/// One product.
pub const BY_CODE: &str = "SELECT p.*, newest_calendar(p.terms) AS calendar FROM products p WHERE p.code = $1";

/// The open default product of a currency.
pub const DEFAULT: &str = "\
SELECT p.*, newest_calendar(p.terms) AS calendar FROM products p WHERE p.currency = $1 AND p.is_default AND p.active";

/// The product of this code or, without one, that of this loan.
pub const FOR_LOAN: &str = "\
SELECT p.*, newest_calendar(p.terms) AS calendar FROM products p
WHERE p.code = coalesce($1, (SELECT product_code FROM loans WHERE id = $2))";

/// The product of one version of this loan.
pub const OF_VERSION: &str = "\
SELECT p.*, newest_calendar(p.terms) AS calendar FROM products p
    JOIN loan_versions v ON v.product_code = p.code WHERE v.loan_id = $1 AND v.version = $2";

/// All products.
pub const LIST: &str = "SELECT p.*, newest_calendar(p.terms) AS calendar FROM products p WHERE true";

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
