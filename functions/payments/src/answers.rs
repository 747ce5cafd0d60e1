//! Answers that M-Pesa understands.

use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::{
        ObjectBuilder, RefOr, Schema,
        schema::{SchemaType, Type},
    },
};

/// An answer that M-Pesa understands.
#[derive(Serialize, ToSchema)]
#[schema(as = MpesaAnswer)]
#[expect(non_snake_case, reason = "named by M-Pesa")]
pub(crate) struct MpesaAnswer {
    /// 0 if taken: a number in answers to confirmations, a text in those to validations.
    #[schema(schema_with = result_code)]
    pub(crate) ResultCode: Code,
    /// In words.
    #[schema(example = "Accepted")]
    pub(crate) ResultDesc: &'static str,
}

/// A number in answers to confirmations, a text in those to validations, as M-Pesa documents them.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Code {
    Number(u8),
    Text(&'static str),
}

/// The schema of a result code, for the document.
fn result_code() -> RefOr<Schema> {
    let types = SchemaType::from_iter([Type::Integer, Type::String]);
    let about = "0: taken. A number in answers to confirmations, a text in those to validations.";
    ObjectBuilder::new().schema_type(types).description(Some(about)).examples([0]).into()
}

pub(crate) const ACKNOWLEDGED: MpesaAnswer = MpesaAnswer { ResultCode: Code::Number(0), ResultDesc: "Accepted" };
