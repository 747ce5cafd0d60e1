//! Products and their versions.

use jiff::Timestamp;
use lending::Currency;
use uuid::Uuid;

use crate::{
    columns,
    db::{ALL, Columns as _, List, Sql, Statement},
    domain::products::Product,
    sql,
    values::page::{Limit, Position},
};

/// The columns that a version keeps.
const VERSION: u8 = 1;
/// The columns that a change writes.
const EDIT: u8 = 2;

columns! {
    Product {
        code: "code" in VERSION,
        version: "version" in VERSION | EDIT,
        name: "name" in VERSION | EDIT,
        currency: "currency" in VERSION,
        min_amount: "min_amount" in VERSION | EDIT,
        max_amount: "max_amount" in VERSION | EDIT,
        min_instalments: "min_instalments" in VERSION | EDIT,
        max_instalments: "max_instalments" in VERSION | EDIT,
        min_rate_apr: "min_rate_apr" in VERSION | EDIT,
        max_rate_apr: "max_rate_apr" in VERSION | EDIT,
        is_default: "is_default" in VERSION | EDIT,
        active: "active" in VERSION | EDIT,
        terms: "terms" in VERSION | EDIT,
        requires_kyc: "requires_kyc" in VERSION | EDIT,
        names: "external_id" "metadata" in EDIT,
        created_at: "created_at",
        updated_at: "updated_at" in EDIT,
    }
}

/// One product with the newest version of the calendar that its terms name, locked against changes of another
/// transaction until this one ends.
pub const LOCK: &str = sql!(
    "SELECT {}, newest_calendar(terms) AS calendar FROM products WHERE code = $1 FOR UPDATE",
    List::Names(Product::COLUMNS)
);

/// One product.
pub const BY_CODE: &str =
    sql!("SELECT {}, newest_calendar(terms) AS calendar FROM products WHERE code = $1", List::Names(Product::COLUMNS));

/// The open default product of a currency.
pub const DEFAULT: &str = sql!(
    "SELECT {}, newest_calendar(terms) AS calendar FROM products WHERE currency = $1 AND is_default AND active",
    List::Names(Product::COLUMNS)
);

/// The product of this code or, without one, that of this loan.
pub const FOR_LOAN: &str = sql!(
    "SELECT {}, newest_calendar(terms) AS calendar FROM products
        WHERE code = coalesce($1, (SELECT product_code FROM loans WHERE id = $2))",
    List::Names(Product::COLUMNS),
);

/// The product of one version of this loan.
pub const OF_VERSION: &str = sql!(
    "SELECT {}, newest_calendar(p.terms) AS calendar FROM products p
        JOIN loan_versions v ON v.product_code = p.code WHERE v.loan_id = $1 AND v.version = $2",
    List::Of("p", Product::COLUMNS),
);

/// All products.
pub const LIST: &str =
    sql!("SELECT {}, newest_calendar(terms) AS calendar FROM products WHERE true", List::Names(Product::COLUMNS));

/// Makes a product.
pub const INSERT: &str = sql!(
    "INSERT INTO products ({}) VALUES ({})",
    List::Names(Product::COLUMNS),
    List::Parameters(Product::COLUMNS, 1),
);

/// Changes a product.
pub const UPDATE: &str = sql!("UPDATE products SET {} WHERE code = $1", List::Set(Product::COLUMNS, EDIT, 2));

/// Records the version that the product now has.
pub const RECORD_VERSION: &str = sql!(
    "INSERT INTO product_versions (at, by_id, {}) SELECT updated_at, $2, {} FROM products WHERE code = $1",
    List::Group(Product::COLUMNS, VERSION),
    List::Group(Product::COLUMNS, VERSION),
);

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

/// A page of products, newest first: all, or the one that another system has under an id.
#[must_use]
pub fn list(
    external_id: Option<String>,
    after: Option<Position<Timestamp, String>>,
    limit: Limit,
) -> Statement<Vec<Product>> {
    let mut sql = Sql::new(LIST).push_if(" AND external_id = {}", external_id);
    if let Some(Position(created_at, code)) = after {
        sql = sql.push_bind(" AND (created_at, code) < ({}, ", created_at).push_bind("{})", code);
    }
    sql.push(" ORDER BY created_at DESC, code DESC").push_bind(" LIMIT {}", limit.and_one()).all()
}

/// Makes a product, with its first version.
#[must_use]
pub fn insert(product: &Product, by: Option<Uuid>) -> Vec<Statement<()>> {
    let insert = Sql::new(INSERT).bind_all(product.parameters(ALL)).execute();
    vec![insert, record_version(product, by)]
}

/// Changes a product, with the version that makes.
#[must_use]
pub fn update(product: &Product, by: Uuid) -> Vec<Statement<()>> {
    let update = Sql::new(UPDATE).bind(product.code.clone()).bind_all(product.parameters(EDIT)).execute();
    vec![update, record_version(product, Some(by))]
}

fn record_version(product: &Product, by: Option<Uuid>) -> Statement<()> {
    Sql::new(RECORD_VERSION).bind(product.code.clone()).bind(by).execute()
}
