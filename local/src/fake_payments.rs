//! `cargo dev --fake-payments`: payments that arrive at the hooks as if M-Pesa told of them. A client of the interface
//! and nothing more.

use std::{collections::BTreeMap, convert::Infallible, future::pending, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode, header},
};
use jiff::{Timestamp, tz::TimeZone};
use migrate::DEMO_PASSWORD;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::{Error, options::Arrivals, postgres::random, say};

/// How long nothing arrives, in seconds.
const PAUSE_S: std::ops::RangeInclusive<u64> = 2..=8;

/// The most of an answer that is read.
const LONGEST_ANSWER: usize = 4 * 1024 * 1024;

const NAMES: [&str; 6] = ["John", "Wanjiru", "Otieno", "Amina", "Joseph", "Grace"];

/// References that are no account number.
const WORDS: [&str; 4] = ["loan", "school fees", "my loan", "march"];

/// Sends payments for ever, if they are asked for.
pub(crate) async fn run(router: Router, arrivals: Arrivals) -> Infallible {
    if arrivals == Arrivals::Real {
        return pending().await;
    }
    loop {
        let Err(error) = stream(router.clone()).await;
        say(error);
        tokio::time::sleep(Duration::from_secs(*PAUSE_S.end())).await;
    }
}

async fn stream(router: Router) -> Result<Infallible, Error> {
    let seed = u64::from_str_radix(&random()?[..16], 16).unwrap_or_default();
    let mut fake = FakePayments::start(router, seed).await?;
    say("fake payments arrive every few seconds, at sources whose codes begin with fake-");
    loop {
        tokio::time::sleep(Duration::from_secs(fake.dice.random_range(PAUSE_S))).await;
        match fake.send().await? {
            Some(sent) => say(format_args!("fake payment {sent}")),
            None => say("fake payments wait for a loan that is disbursed"),
        }
    }
}

/// A paybill that the interface knows.
struct Paybill {
    /// The path of its hooks, with the secret.
    hooks: String,
    account: String,
    zone: TimeZone,
}

/// A provider that is made up.
pub struct FakePayments {
    router: Router,
    token: String,
    dice: ChaCha8Rng,
    /// By currency.
    paybills: BTreeMap<String, Paybill>,
}

/// An answer of the interface.
type Answer = (StatusCode, Value);

fn refused(what: &str, (status, body): &Answer) -> Error {
    let code = body["code"].as_str().unwrap_or_default();
    Error::FakePayments(format!("{what} was answered with {} {code}", status.as_u16()))
}

/// A text of an answer.
fn text(body: &Value, name: &str) -> String {
    body[name].as_str().unwrap_or_default().to_owned()
}

impl FakePayments {
    /// Logs in as the admin of the demo data.
    ///
    /// # Errors
    ///
    /// The admin has another password.
    pub async fn start(router: Router, seed: u64) -> Result<Self, Error> {
        let dice = ChaCha8Rng::seed_from_u64(seed);
        let mut fake = Self { router, token: String::new(), dice, paybills: BTreeMap::new() };
        let login = json!({"username": "admin", "password": DEMO_PASSWORD});
        let answer = fake.call(Method::POST, "/api/auth/login", Some(&login)).await?;
        if answer.0 != StatusCode::OK {
            return Err(refused("the login of admin", &answer));
        }
        fake.token = text(&answer.1, "access_token");
        Ok(fake)
    }

    /// Tells of a payment for one of the newest loans that are disbursed; `None` without such a loan.
    ///
    /// # Errors
    ///
    /// The interface refuses it.
    pub async fn send(&mut self) -> Result<Option<String>, Error> {
        let answer = self.call(Method::GET, "/api/loans?status=disbursed&limit=200", None).await?;
        if answer.0 != StatusCode::OK {
            return Err(refused("the list of loans", &answer));
        }
        let loans = answer.1["data"].as_array().cloned().unwrap_or_default();
        if loans.is_empty() {
            return Ok(None);
        }
        let loan = &loans[self.dice.random_range(0..loans.len())];
        let currency = text(loan, "currency");
        if !self.paybills.contains_key(&currency) {
            let paybill = self.paybill(&currency).await?;
            self.paybills.insert(currency.clone(), paybill);
        }
        let (amount, reference) = (self.amount(loan), self.reference(&text(loan, "pay_ref")));
        let receipt = self.receipt();
        let mut notices = self.notices(&currency, [&receipt, &amount, &reference]);
        if self.dice.random_range(0..10) == 0 {
            // Providers send again what they are not sure of.
            notices.extend(notices.last().cloned());
        }
        for (path, notice) in notices {
            let answer = self.call(Method::POST, &path, Some(&notice)).await?;
            if answer.0 != StatusCode::OK {
                return Err(refused("a notice", &answer));
            }
        }
        Ok(Some(format!("{receipt}: {amount} {currency} for {reference:?}")))
    }

    /// The source of a currency, with secrets of this run.
    async fn paybill(&self, currency: &str) -> Result<Paybill, Error> {
        let code = format!("fake-{}", currency.to_ascii_lowercase());
        let rotate = format!("/api/payment-sources/{code}/rotate");
        let mut answer = self.call(Method::POST, &rotate, Some(&json!({"overlap_hours": 0}))).await?;
        if answer.0 == StatusCode::NOT_FOUND {
            let source = json!({"code": code, "name": format!("Fake paybill in {currency}"), "provider": "mpesa",
                "account": format!("fake-{currency}"), "currency": currency});
            answer = self.call(Method::POST, "/api/payment-sources", Some(&source)).await?;
        }
        let url = text(&answer.1, "hook_url");
        let (Some(start), Ok(zone)) = (url.find("/api/hooks/"), TimeZone::get(&text(&answer.1, "time_zone"))) else {
            return Err(refused("the source", &answer));
        };
        Ok(Paybill { hooks: url[start..].to_owned(), account: text(&answer.1, "account"), zone })
    }

    /// An instalment, or what somebody has of it.
    fn amount(&mut self, loan: &Value) -> String {
        let instalment = text(loan, "instalment");
        let whole = instalment.split('.').next().and_then(|whole| whole.parse::<u64>().ok()).unwrap_or(2);
        if self.dice.random_range(0..6) == 0 { (whole / 2).max(1).to_string() } else { instalment }
    }

    /// The reference that a payer types: the account number as it is, with blanks, with two digits exchanged, or
    /// something else.
    fn reference(&mut self, pay_ref: &str) -> String {
        match self.dice.random_range(0..10) {
            0 => format!("{} {}", &pay_ref[..4], &pay_ref[4..]),
            1 => {
                let mut digits: Vec<char> = pay_ref.chars().collect();
                if let Some(place) = digits.windows(2).position(|pair| pair[0] != pair[1]) {
                    digits.swap(place, place + 1);
                }
                digits.into_iter().collect()
            }
            2 => WORDS[self.dice.random_range(0..WORDS.len())].to_owned(),
            _ => pay_ref.to_owned(),
        }
    }

    /// As M-Pesa writes receipts.
    fn receipt(&mut self) -> String {
        const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        (0..10).map(|_| char::from(DIGITS[self.dice.random_range(0..DIGITS.len())])).collect()
    }

    /// The notices of a payment, each with the path of its hook: a confirmation, and now and then a callback before it.
    fn notices(&mut self, currency: &str, [receipt, amount, reference]: [&str; 3]) -> Vec<(String, Value)> {
        let Some(Paybill { hooks, account, zone }) = self.paybills.get(currency) else { return Vec::new() };
        let time = zone.to_datetime(Timestamp::now()).strftime("%Y%m%d%H%M%S").to_string();
        let name = NAMES[self.dice.random_range(0..NAMES.len())];
        let last: u32 = self.dice.random_range(100..1000);
        let confirmation = json!({"TransactionType": "Pay Bill", "TransID": receipt, "TransTime": time,
            "TransAmount": amount, "BusinessShortCode": account, "BillRefNumber": reference, "InvoiceNumber": "",
            "OrgAccountBalance": "", "ThirdPartyTransID": "", "MSISDN": format!("2547*****{last}"),
            "FirstName": name, "MiddleName": "", "LastName": ""});
        let item = |name: &str, value: &str| json!({"Name": name, "Value": value});
        let items = [item("Amount", amount), item("MpesaReceiptNumber", receipt), item("TransactionDate", &time)];
        let callback = json!({"Body": {"stkCallback": {"MerchantRequestID": receipt, "CheckoutRequestID": receipt,
            "ResultCode": 0, "ResultDesc": "Accepted", "CallbackMetadata": {"Item": items}}}});
        let mut notices = vec![(format!("{hooks}/confirmation"), confirmation)];
        if self.dice.random_range(0..6) == 0 {
            notices.insert(0, (format!("{hooks}/stk"), callback));
        }
        notices
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, Error> {
        let broken = |what: &str| Error::FakePayments(format!("{path}: {what}"));
        let request = Request::builder()
            .method(method)
            .uri(format!("http://localhost{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())));
        let request = request.map_err(|_| broken("not a request"))?;
        let Ok(response) = self.router.clone().oneshot(request).await;
        let status = response.status();
        let bytes = to_bytes(response.into_body(), LONGEST_ANSWER).await.map_err(|_| broken("an answer too long"))?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }
}
