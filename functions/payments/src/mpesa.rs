//! Messages of M-Pesa: confirmations of payments to a paybill or a till, and callbacks of an STK push. Fields are read
//! by name, in any order, as texts or as numbers. Unknown fields are ignored, and optional ones may be missing.

use std::collections::HashMap;

use backend::domain::notices::{Payer, Told, ToldTime, Unusable};
use jiff::civil::DateTime;
use serde::Deserialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// The body of a validation and of a confirmation. All fields are texts; some senders write numbers.
#[derive(ToSchema)]
#[schema(as = MpesaNotice, example = json!({"TransactionType": "Pay Bill", "TransID": "RKTQDM7W6S",
    "TransTime": "20191122063845",
    "TransAmount": "10", "BusinessShortCode": "600638", "BillRefNumber": "A123", "InvoiceNumber": "",
    "OrgAccountBalance": "49197.00", "ThirdPartyTransID": "", "MSISDN": "2547*****149", "FirstName": "John"}))]
#[expect(non_snake_case, dead_code, reason = "describes what another system sends")]
pub(crate) struct MpesaNotice {
    /// `Pay Bill` or `Buy Goods`.
    TransactionType: Option<String>,
    /// Not used.
    InvoiceNumber: Option<String>,
    /// The balance of the account after it.
    OrgAccountBalance: Option<String>,
    /// Not used.
    ThirdPartyTransID: Option<String>,
    /// The receipt.
    TransID: String,
    /// When: `yyyyMMddHHmmss` in the source's zone.
    TransTime: String,
    /// How much.
    TransAmount: String,
    /// The account that was paid to.
    BusinessShortCode: String,
    /// The account number or text that the payer typed.
    BillRefNumber: Option<String>,
    /// The payer's telephone number; it may be masked.
    MSISDN: Option<String>,
    /// The payer's first name.
    FirstName: Option<String>,
    /// Another one.
    MiddleName: Option<String>,
    /// The family name.
    LastName: Option<String>,
}

/// The body of an STK callback.
#[derive(ToSchema)]
#[schema(as = MpesaCallback, example = json!({"Body": {"stkCallback": {"MerchantRequestID": "29115-34620561-1",
    "CheckoutRequestID": "ws_CO_191220191020363925", "ResultCode": 0,
    "ResultDesc": "The service request is processed successfully.",
    "CallbackMetadata": {"Item": [{"Name": "Amount", "Value": 1.00},
        {"Name": "MpesaReceiptNumber", "Value": "NLJ7RT61SV"},
        {"Name": "TransactionDate", "Value": 20_191_219_102_115_u64},
        {"Name": "PhoneNumber", "Value": 254_708_374_149_u64}]}}}}))]
#[expect(non_snake_case, dead_code, reason = "describes what another system sends")]
pub(crate) struct MpesaCallback {
    /// With a `stkCallback`.
    #[schema(value_type = Object)]
    Body: serde_json::Value,
}

type Fields = HashMap<String, Box<RawValue>>;

/// A text, or the digits of a number as they stand.
fn text(value: Option<&RawValue>) -> Option<String> {
    let raw = value?.get();
    let text = match raw.as_bytes().first()? {
        b'"' => serde_json::from_str(raw).ok()?,
        b'-' | b'0'..=b'9' => raw.to_owned(),
        _ => return None,
    };
    Some(text).filter(|text: &String| !text.trim().is_empty())
}

/// The refusal of a missing field, by its pointer.
fn missing(pointer: &'static str) -> Unusable {
    Unusable::new(pointer, "required", format!("has no {}", &pointer[1..]))
}

/// `yyyyMMddHHmmss`.
fn time(text: &str) -> Result<ToldTime, Unusable> {
    let unreadable = || Unusable::new("/paid_at", "not_an_instant", "is no time of the form yyyyMMddHHmmss");
    let text = text.trim();
    if text.len() != 14 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(unreadable());
    }
    let part = |range: std::ops::Range<usize>| text[range].parse::<i16>().unwrap_or_default();
    let short = |range| i8::try_from(part(range)).unwrap_or_default();
    let time = DateTime::new(part(0..4), short(4..6), short(6..8), short(8..10), short(10..12), short(12..14), 0);
    time.map(ToldTime::Local).map_err(|_| unreadable())
}

/// The content of a confirmation or a validation.
pub(crate) fn confirmation(body: &str) -> Result<Told, Unusable> {
    let fields: Fields = serde_json::from_str(body).map_err(|_| Unusable::new("", "wrong_type", "is no object"))?;
    let field = |name: &str| text(fields.get(name).map(|value| &**value));
    let required = |pointer: &'static str| {
        let is_null = fields.get(&pointer[1..]).is_some_and(|value| value.get() == "null");
        let null = || Unusable::new(pointer, "wrong_type", "must be a text or a number");
        field(&pointer[1..]).ok_or_else(|| if is_null { null() } else { missing(pointer) })
    };
    let names: Vec<String> = ["FirstName", "MiddleName", "LastName"].into_iter().filter_map(field).collect();
    Ok(Told {
        external_id: required("/TransID")?.trim().to_ascii_uppercase(),
        amount: required("/TransAmount")?,
        currency: None,
        account: Some(required("/BusinessShortCode")?.trim().to_owned()),
        time: time(&required("/TransTime")?)?,
        reference: field("BillRefNumber"),
        payer: Payer {
            name: Some(names.join(" ")).filter(|name| !name.is_empty()),
            phone: field("MSISDN"),
            account: None,
        },
    })
}

#[derive(Deserialize)]
struct Callback {
    #[serde(rename = "Body")]
    body: CallbackBody,
}

#[derive(Deserialize)]
struct CallbackBody {
    #[serde(rename = "stkCallback")]
    callback: StkCallback,
}

#[derive(Deserialize)]
struct StkCallback {
    #[serde(rename = "ResultCode")]
    result_code: Box<RawValue>,
    #[serde(rename = "CallbackMetadata")]
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "Item", default)]
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "Value")]
    value: Option<Box<RawValue>>,
}

/// The content of an STK callback; `None` for one without money.
pub(crate) fn stk(body: &str) -> Result<Option<Told>, Unusable> {
    let callback = serde_json::from_str::<Callback>(body).map(|callback| callback.body.callback);
    let StkCallback { result_code, metadata } =
        callback.map_err(|_| Unusable::new("/Body", "wrong_type", "is no STK callback"))?;
    if text(Some(&result_code)).as_deref() != Some("0") {
        return Ok(None);
    }
    let items = metadata.map(|metadata| metadata.items).unwrap_or_default();
    let item = |name: &str| items.iter().find(|item| item.name == name).and_then(|item| text(item.value.as_deref()));
    let required = |name: &'static str| {
        item(name).ok_or_else(|| Unusable::new("/Body", "required", format!("has no item {name}")))
    };
    Ok(Some(Told {
        external_id: required("MpesaReceiptNumber")?.trim().to_ascii_uppercase(),
        amount: required("Amount")?,
        currency: None,
        account: None,
        time: time(&required("TransactionDate")?)?,
        reference: None,
        payer: Payer { phone: item("PhoneNumber"), ..Payer::default() },
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use jiff::civil::date;

    use super::*;

    /// From a comment in `PaybillRequestDTO.java` of the repository openMF/ph-ee-connector-mpesa.
    const PAYBILL: &str = r#"{"TransactionType":"Pay Bill","TransID":"RKTQDM7W6S","TransTime":"20191122063845",
        "TransAmount":"10","BusinessShortCode":"600638","BillRefNumber":"A123","InvoiceNumber":"",
        "OrgAccountBalance":"49197.00","ThirdPartyTransID":"","MSISDN":"2547*****149","FirstName":"John"}"#;

    /// From docs2.m-pay.co.ke/test-mock-ipns, which leaves out two fields.
    const ALL_NAMES: &str = r#"{"LastName":"Manuel","MiddleName":"Olives","FirstName":"Sam","MSISDN":254721606206,
        "OrgAccountBalance":"3.98","BillRefNumber":"0721679732","BusinessShortCode":40798,"TransAmount":2000,
        "TransTime":20200615153245,"TransID":"PHBGTH675","TransactionType":"Pay Bill"}"#;

    /// The sample of the Daraja documents.
    const STK: &str = r#"{"Body":{"stkCallback":{"MerchantRequestID":"29115-34620561-1",
        "CheckoutRequestID":"ws_CO_191220191020363925","ResultCode":0,
        "ResultDesc":"The service request is processed successfully.","CallbackMetadata":{"Item":[
        {"Name":"Amount","Value":1.00},{"Name":"MpesaReceiptNumber","Value":"NLJ7RT61SV"},
        {"Name":"TransactionDate","Value":20191219102115},{"Name":"PhoneNumber","Value":254708374149}]}}}}"#;

    fn local(year: i16, month: i8, day: i8, hour: i8, minute: i8, second: i8) -> ToldTime {
        ToldTime::Local(date(year, month, day).at(hour, minute, second, 0))
    }

    #[test]
    fn a_confirmation_says_who_paid_what_when_for_what() {
        let told = confirmation(PAYBILL).unwrap();
        assert_eq!((told.external_id.as_str(), told.amount.as_str()), ("RKTQDM7W6S", "10"));
        assert_eq!((told.account.as_deref(), told.reference.as_deref()), (Some("600638"), Some("A123")));
        assert_eq!(told.time, local(2019, 11, 22, 6, 38, 45));
        assert_eq!((told.payer.name.as_deref(), told.payer.phone.as_deref()), (Some("John"), Some("2547*****149")));
    }

    #[test]
    fn numbers_are_as_good_as_texts_and_fields_may_be_missing_or_in_another_order() {
        let told = confirmation(ALL_NAMES).unwrap();
        assert_eq!((told.external_id.as_str(), told.amount.as_str()), ("PHBGTH675", "2000"));
        assert_eq!(told.payer.name.as_deref(), Some("Sam Olives Manuel"));
        assert_eq!(told.payer.phone.as_deref(), Some("254721606206"));
        assert_eq!(told.time, local(2020, 6, 15, 15, 32, 45));
    }

    #[test]
    fn what_a_payment_needs_must_be_there() {
        for field in ["TransID", "TransTime", "TransAmount", "BusinessShortCode"] {
            let without = PAYBILL.replace(&format!("\"{field}\""), "\"Other\"");
            assert_eq!(confirmation(&without).unwrap_err().code, "required", "{field}");
        }
        for time in ["2019112206384", "20191322063845", "20190230000000", "2019-11-22 06:38", "x0191122063845"] {
            let changed = PAYBILL.replace("20191122063845", time);
            assert_eq!(confirmation(&changed).unwrap_err().code, "not_an_instant", "{time}");
        }
    }

    #[test]
    fn a_callback_is_read_by_the_names_of_its_items() {
        let told = stk(STK).unwrap().unwrap();
        assert_eq!((told.external_id.as_str(), told.amount.as_str()), ("NLJ7RT61SV", "1.00"));
        assert_eq!(told.payer.phone.as_deref(), Some("254708374149"));
        assert_eq!(told.time, local(2019, 12, 19, 10, 21, 15));
        // A real one has an item without a value in the middle.
        let real = STK.replace(r#"{"Name":"TransactionDate""#, r#"{"Name":"Balance"},{"Name":"TransactionDate""#);
        assert_eq!(stk(&real).unwrap(), Some(told));
    }

    #[test]
    fn a_callback_without_money_says_so() {
        let cancelled = r#"{"Body":{"stkCallback":{"MerchantRequestID":"8555-67195-1",
            "CheckoutRequestID":"ws_CO_27072017151044001","ResultCode":1032,
            "ResultDesc":"Request cancelled by user"}}}"#;
        assert_eq!(stk(cancelled).unwrap(), None);
        assert_eq!(stk(&STK.replace("\"ResultCode\":0", "\"ResultCode\":\"1\"")).unwrap(), None);
        assert_eq!(stk("{}").unwrap_err().code, "wrong_type");
    }
}
