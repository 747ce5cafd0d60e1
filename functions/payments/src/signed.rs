//! Signed JSON, as Standard Webhooks 1.0 say: HMAC-SHA256 of id, time and body, five minutes' tolerance.

use aws_lc_rs::hmac;
use axum::http::HeaderMap;
use backend::domain::notices::{Payer, Told, ToldTime};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::{Timestamp, civil::DateTime};
use lending::Currency;
use serde::Deserialize;
use utoipa::ToSchema;

use backend::values::{number::NumberText, refusal::refusal};

/// How far the sender's clock may differ, in seconds.
const TOLERANCE_S: i64 = 300;

/// The prefix of a written secret.
pub(crate) const PREFIX: &str = "whsec_";

/// The headers of a signed message.
pub(crate) struct Signed {
    id: String,
    timestamp: String,
    signatures: Vec<Vec<u8>>,
}

impl Signed {
    /// The headers, if they are there.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
        let signatures = header("webhook-signature")?;
        let decode = |signature: &str| STANDARD.decode(signature.strip_prefix("v1,")?).ok();
        let signatures = signatures.split(' ').filter_map(decode).filter(|it| !it.is_empty()).collect();
        Some(Self { id: header("webhook-id")?, timestamp: header("webhook-timestamp")?, signatures })
    }

    /// True if one of these secrets signed the body within the tolerance.
    pub(crate) fn is_by(&self, secrets: &[Vec<u8>], body: &str, now: Timestamp) -> bool {
        let is_recent =
            self.timestamp.parse::<i64>().is_ok_and(|sent| now.as_second().abs_diff(sent) <= TOLERANCE_S as u64);
        let text = format!("{}.{}.{body}", self.id, self.timestamp);
        let is_signed = |secret: &Vec<u8>| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
            self.signatures.iter().any(|signature| hmac::verify(&key, text.as_bytes(), signature).is_ok())
        };
        is_recent && secrets.iter().any(is_signed)
    }
}

/// When money was paid: an instant, a time of the source's zone, or a date.
#[derive(Clone, Debug, ToSchema)]
#[schema(value_type = String, example = "2026-03-02T09:30:00Z")]
pub(crate) struct PaidAt(pub(crate) ToldTime);

impl<'de> Deserialize<'de> for PaidAt {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let instant = serde_json::from_value::<backend::values::time::Instant>(text.as_str().into());
        let time = match instant {
            Ok(instant) => Some(ToldTime::At(instant.0)),
            Err(_) if text.len() == 10 => lending::parse_date(&text).ok().map(ToldTime::On),
            Err(_) if text.as_bytes().get(10) == Some(&b'T') && text.len() <= 29 => {
                text.parse::<DateTime>().ok().map(ToldTime::Local)
            }
            Err(_) => None,
        };
        time.map(Self).ok_or_else(|| {
            refusal(
                "not_an_instant",
                "must be an instant such as 2026-03-02T09:30:00Z, the same without an offset, or a date",
            )
        })
    }
}

/// A payment that another system tells of. Fields that are unknown are kept with it and ignored.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(example = json!({"external_id": "TX-4711", "amount": "1500.00", "currency": "KES",
    "paid_at": "2026-03-02T09:30:00Z",
    "reference": "3141592659", "payer": {"name": "John Kamau", "phone": "+254708374149"}}))]
pub(crate) struct SignedPayment {
    /// The receipt: 1 to 200 characters, unique within the source.
    external_id: String,
    /// More than zero.
    amount: NumberText,
    /// ISO 4217: the source's.
    #[schema(value_type = Currency)]
    currency: String,
    /// When it was paid.
    paid_at: PaidAt,
    /// The account number or text that the payer typed.
    reference: Option<String>,
    /// Who paid.
    payer: Option<SignedPayer>,
}

/// Who paid.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub(crate) struct SignedPayer {
    /// The name.
    name: Option<String>,
    /// The telephone number.
    phone: Option<String>,
    /// The account.
    account: Option<String>,
}

impl From<SignedPayer> for Payer {
    fn from(SignedPayer { name, phone, account }: SignedPayer) -> Self {
        Self { name, phone, account }
    }
}

impl SignedPayment {
    pub(crate) fn told(self) -> Told {
        Told {
            external_id: self.external_id.trim().to_owned(),
            amount: self.amount.as_str().to_owned(),
            currency: Some(self.currency),
            account: None,
            time: self.paid_at.0,
            reference: self.reference,
            payer: self.payer.unwrap_or_default().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    /// The published vectors of the libraries of Standard Webhooks, in JavaScript and in Rust.
    const VECTORS: [[&str; 5]; 2] = [
        [
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            r#"{"test": 2432232314}"#,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ],
        [
            "C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            "1649367553",
            r#"{"email":"test@example.com","username":"test_user"}"#,
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        ],
    ];

    fn headers(id: &str, timestamp: &str, signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [("webhook-id", id), ("webhook-timestamp", timestamp), ("webhook-signature", signature)] {
            headers.insert(name, value.parse().unwrap());
        }
        headers
    }

    fn is_good([secret, id, timestamp, body, signature]: [&str; 5], seconds_later: i64) -> bool {
        let secret = STANDARD.decode(secret).unwrap();
        let now = Timestamp::from_second(timestamp.parse::<i64>().unwrap() + seconds_later).unwrap();
        Signed::of(&headers(id, timestamp, signature)).unwrap().is_by(&[vec![7; 32], secret], body, now)
    }

    #[test]
    fn the_published_vectors_are_good_for_five_minutes() {
        for vector in VECTORS {
            assert!(is_good(vector, 0) && is_good(vector, 300) && is_good(vector, -300));
            assert!(!is_good(vector, 301) && !is_good(vector, -301));
        }
    }

    #[test]
    fn another_signature_body_id_or_time_is_not() {
        let [secret, id, timestamp, body, signature] = VECTORS[0];
        let other = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";
        for wrong in [other, "v1,", "", "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="] {
            assert!(!is_good([secret, id, timestamp, body, wrong], 0), "{wrong}");
        }
        assert!(!is_good([secret, id, timestamp, "{}", signature], 0));
        assert!(!is_good([secret, "msg_other", timestamp, body, signature], 0));
        assert!(!is_good([secret, id, "1614265331", body, signature], 0));
        let among = format!("{other} {other} v1, {signature}");
        assert!(is_good([secret, id, timestamp, body, &among], 0));
    }

    #[test]
    fn a_time_is_an_instant_a_local_time_or_a_date() {
        let read = |text: &str| serde_json::from_value::<PaidAt>(text.into()).map(|paid_at| paid_at.0);
        assert!(matches!(read("2026-03-02T09:30:00Z").unwrap(), ToldTime::At(_)));
        assert!(matches!(read("2026-03-02T09:30:00").unwrap(), ToldTime::Local(_)));
        assert!(matches!(read("2026-03-02").unwrap(), ToldTime::On(_)));
        for text in ["", "2026-02-30", "20260302", "yesterday", "2026-03-02 09:30"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
