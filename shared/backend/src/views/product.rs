//! Products as the interface shows them, to staff and to anyone.

use lending::{AnnualRate, Currency, Money, Terms};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{products::Product, users::Role},
    values::{names::Metadata, time::Instant, version::Version},
    views::names::shown_to,
};

impl Product {
    /// The product as the interface shows it to a caller of this role, or to anyone.
    #[must_use]
    pub fn view(&self, viewer: Option<Role>) -> ProductView {
        let names = shown_to(&self.names, viewer);
        ProductView {
            code: self.code.clone(),
            version: self.version,
            name: self.name.clone(),
            currency: self.currency,
            min_amount: self.min_amount,
            max_amount: self.max_amount,
            min_instalments: self.min_instalments,
            max_instalments: self.max_instalments,
            min_rate_apr: self.min_rate_apr,
            max_rate_apr: self.max_rate_apr,
            is_default: self.is_default,
            active: self.active,
            requires_kyc: self.requires_kyc,
            terms: self.terms.clone(),
            external_id: names.external_id,
            metadata: names.metadata,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// A product.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Product, example = json!({
    "min_amount": "0.01", "max_amount": "50000.00", "min_rate_apr": "0.00", "max_rate_apr": "100.00"}))]
pub struct ProductView {
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
    pub currency: Currency,
    /// The smallest amount of a loan.
    pub min_amount: Money,
    /// The largest amount of a loan.
    pub max_amount: Money,
    /// The fewest instalments.
    #[schema(example = 1)]
    pub min_instalments: u32,
    /// The most instalments.
    #[schema(example = 60)]
    pub max_instalments: u32,
    /// The lowest rate, percent a year.
    pub min_rate_apr: AnnualRate,
    /// The highest rate, percent a year.
    pub max_rate_apr: AnnualRate,
    /// True if a loan in this currency that names no product is made with this one.
    pub is_default: bool,
    /// True if it can be applied for.
    #[schema(example = true)]
    pub active: bool,
    /// True if its loans are approved and paid out to verified customers only.
    pub requires_kyc: bool,
    /// The terms of its loans, except where an application gives others.
    pub terms: Terms,
    /// The id in another system of the lender's; null for everybody but staff.
    #[schema(example = "core-product-7")]
    pub external_id: Option<String>,
    /// Texts of the lender's other systems, under keys; empty for everybody but staff.
    #[schema(value_type = BTreeMap<String, String>, example = json!({"ledger": "4711"}))]
    pub metadata: Metadata,
    /// When it was made.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
}
