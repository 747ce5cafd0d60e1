//! Schemas of what JSON has as text: numbers and dates. Structs and words derive theirs.

use std::borrow::Cow;

use utoipa::openapi::schema::{KnownFormat, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::{AnnualRate, Currency, Money};

/// The schema of a business date.
#[derive(Debug)]
pub struct BusinessDate;

/// The schema of a number in a request.
#[derive(Debug)]
pub struct NumberText;

/// The schema of a text.
pub(crate) fn text(about: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(about))
}

impl PartialSchema for BusinessDate {
    fn schema() -> RefOr<Schema> {
        let schema = text("A business date: `YYYY-MM-DD` in the lender's time zone, years 1900 to 2200.");
        schema.format(Some(SchemaFormat::KnownFormat(KnownFormat::Date))).examples(["2026-03-02"]).into()
    }
}

impl ToSchema for BusinessDate {}

impl PartialSchema for NumberText {
    fn schema() -> RefOr<Schema> {
        let about = "A decimal number without sign or exponent, as a string or as a JSON number; taken digit by digit.";
        let schema = text(about).schema_type(SchemaType::from_iter([Type::String, Type::Number]));
        schema.pattern(Some(r"^[0-9]+(\.[0-9]+)?$")).minimum(Some(0)).examples(["12000.50"]).into()
    }
}

impl ToSchema for NumberText {
    fn name() -> Cow<'static, str> {
        "DecimalInput".into()
    }
}

impl PartialSchema for Money {
    fn schema() -> RefOr<Schema> {
        let schema = text("An amount, with exactly the decimals of its currency.");
        schema.pattern(Some(r"^-?[0-9]+(\.[0-9]+)?$")).examples(["2142.40"]).into()
    }
}

impl ToSchema for Money {}

impl PartialSchema for Currency {
    fn schema() -> RefOr<Schema> {
        text("A currency, by its ISO 4217 code.").pattern(Some("^[A-Z]{3}$")).examples(["INR"]).into()
    }
}

impl ToSchema for Currency {}

impl PartialSchema for AnnualRate {
    fn schema() -> RefOr<Schema> {
        let schema = text("Percent, with two to six decimals.");
        schema.pattern(Some(r"^-?[0-9]+\.[0-9]{2,6}$")).examples(["24.00"]).into()
    }
}

impl ToSchema for AnnualRate {
    fn name() -> Cow<'static, str> {
        "Percent".into()
    }
}
