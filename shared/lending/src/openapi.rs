//! Schemas of what JSON has as text: numbers and dates. Structs and words derive theirs.

use serde_json::json;
use utoipa::openapi::schema::{KnownFormat, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{ObjectBuilder, Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::terms::{Fee, FeeWhen};
use crate::{AnnualRate, Money};

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

impl ToSchema for NumberText {}

impl PartialSchema for Money {
    fn schema() -> RefOr<Schema> {
        text("An amount, with exactly the decimals of its currency.").examples(["2142.40"]).into()
    }
}

impl ToSchema for Money {}

impl PartialSchema for AnnualRate {
    fn schema() -> RefOr<Schema> {
        text("Percent, 0 to 1000, with two to six decimals.").examples(["24.00"]).into()
    }
}

impl ToSchema for AnnualRate {
    fn name() -> std::borrow::Cow<'static, str> {
        "Percent".into()
    }
}

/// As in JSON: flat, with one of the two values.
impl PartialSchema for Fee {
    fn schema() -> RefOr<Schema> {
        let money = text("Money of the loan's currency.").examples(["400.00"]);
        let percent = text("Percent of the loan's amount.").examples(["2.00"]);
        ObjectBuilder::new()
            .description(Some("A fee that is part of the terms: either `amount` or `percent`."))
            .property("code", text("The lender's name for it.").min_length(Some(1)).max_length(Some(64)))
            .property("when", Ref::from_schema_name(FeeWhen::name()))
            .property("amount", money)
            .property("percent", percent)
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
