//! Messages signed as Standard Webhooks 1.0 say.

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;

use crate::Call;

/// The call with the headers of a message of this id, signed now by a secret (`whsec_...`) for this body.
pub fn signed(call: Call, secret: &str, id: &str, body: &str) -> Call {
    let secret = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let timestamp = Timestamp::now().as_second();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    let signature = STANDARD.encode(hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes()));
    let call = call.header("webhook-id", id).header("webhook-timestamp", &timestamp.to_string());
    call.header("webhook-signature", &format!("v1,{signature}"))
}
