//! Products, their limits, and the rules that hold between their fields.

use lending::{AnnualRate, Currency, Money, Terms};
use serde::Serialize;

use crate::{
    domain::refusal::Refusal,
    values::{names::Names, refusal::FieldError, time::Instant, version::Version},
};

/// A product as it is now. Its serialisation is the fingerprint of the command that makes it: newer fields are left out
/// at their defaults, so that keys of an earlier release still match.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Product {
    /// Names the product.
    pub code: String,
    /// Changes with every change of the product.
    pub version: Version,
    /// The name people see.
    pub name: String,
    /// ISO 4217.
    pub currency: Currency,
    /// The smallest amount of a loan.
    pub min_amount: Money,
    /// The largest amount of a loan.
    pub max_amount: Money,
    /// The fewest instalments.
    pub min_instalments: u32,
    /// The most instalments.
    pub max_instalments: u32,
    /// The lowest rate, percent a year.
    pub min_rate_apr: AnnualRate,
    /// The highest rate, percent a year.
    pub max_rate_apr: AnnualRate,
    /// True if a loan in this currency that names no product is made with this one.
    pub is_default: bool,
    /// True if it can be applied for.
    pub active: bool,
    /// The terms of its loans, except where an application gives others.
    pub terms: Terms,
    /// True if its loans are approved and paid out to verified customers only.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub requires_kyc: bool,
    /// The names that the lender's other systems have for the product.
    #[serde(flatten)]
    pub names: Names,
    /// When it was made.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
}

/// The product that a request names.
///
/// # Errors
///
/// An invalid field if no product has that code.
pub fn named(product: Option<Product>) -> Result<Product, Refusal> {
    product.ok_or_else(|| Refusal::field("/product", "product_not_found", "there is no product of this code"))
}

impl Product {
    /// The product, if it lends this currency.
    ///
    /// # Errors
    ///
    /// An invalid field, at the pointer, if it lends another currency.
    pub fn lending(self, pointer: &str, currency: Currency) -> Result<Self, Refusal> {
        if self.currency == currency {
            return Ok(self);
        }
        let detail = format!("{} lends {}, not {currency}", self.code, self.currency);
        Err(Refusal::field(pointer, "currency_mismatch", detail))
    }

    /// The product's limits that a loan with this amount and these terms breaks. `terms` is the JSON pointer of the
    /// object with `instalments` and `interest_rate_apr` in the request; `instalments` is the name there.
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

    /// Errors in the product's own limits: each pair must be in order, and its own terms within them.
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

/// Where a request has the fields that a product limits, as JSON pointers.
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
