//! Schemas of what JSON has as text: numbers and dates. Structs and words derive theirs.

use std::borrow::Cow;

use serde_json::json;
use utoipa::openapi::schema::{KnownFormat, RefBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{ObjectBuilder, Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::terms::{Fee, FeeWhen};
use crate::{AnnualRate, Currency, Money};

/// The schema of a business date.
#[derive(Debug)]
pub struct BusinessDate;

/// The schema of a number in a request.
#[derive(Debug)]
pub struct NumberText;

fn text(about: &str) -> ObjectBuilder {
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

/// As in JSON: flat, with one of the two values.
impl PartialSchema for Fee {
    fn schema() -> RefOr<Schema> {
        let of = |name: Cow<'_, str>, about: &str| {
            RefBuilder::new().ref_location_from_schema_name(name).description(Some(about)).build()
        };
        ObjectBuilder::new()
            .description(Some("A fee that is part of the terms: either `amount` or `percent`."))
            .property("code", text("The lender's name for it.").min_length(Some(1)).max_length(Some(64)))
            .property("when", Ref::from_schema_name(FeeWhen::name()))
            .property("amount", of(Money::name(), "Money of the loan's currency."))
            .property("percent", of(AnnualRate::name(), "Percent of the loan's amount."))
            .required("code")
            .required("when")
            .examples([json!({"code": "processing", "when": "disbursement", "amount": "400.00"})])
            .into()
    }
}

impl ToSchema for Fee {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((FeeWhen::name().into(), FeeWhen::schema()));
    }
}
