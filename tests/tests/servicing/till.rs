//! A source of payments for tests, and notices as M-Pesa sends them.

use serde_json::{Value, json};
use tests::{Call, Reply};
use uuid::Uuid;

use crate::world::World;

/// A source, and the path of its hooks.
pub(crate) struct Till {
    pub(crate) hooks: String,
    pub(crate) signing: Option<String>,
}

impl Till {
    /// A source in euros, open, from any address.
    pub(crate) async fn of(world: &World, code: &str, provider: &str) -> Self {
        Self::with(world, code, provider, json!({})).await
    }

    pub(crate) async fn with(world: &World, code: &str, provider: &str, more: Value) -> Self {
        let mut body = json!({"code": code, "name": format!("The {code}"), "provider": provider, "account": "600638",
            "currency": "EUR", "country": "KE", "time_zone": "Africa/Nairobi"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let source = world.admin.post("/api/payment-sources").json(body).expect(201).await;
        Self::shown(&source)
    }

    /// A source as it is shown once.
    pub(crate) fn shown(source: &Reply) -> Self {
        let hooks = source["hook_url"].as_str().and_then(|url| url.find("/api/").map(|at| url[at..].to_owned()));
        let signing = source["signing_secret"].as_str().map(str::to_owned);
        Self { hooks: hooks.unwrap_or_default(), signing }
    }

    /// A call of a hook, as a provider makes it.
    pub(crate) fn call(&self, world: &World, hook: &str, body: &Value) -> Call {
        world.anyone().post(&format!("{}/{hook}", self.hooks)).json(body.clone())
    }

    /// A confirmation that is acknowledged.
    pub(crate) async fn confirm(&self, world: &World, notice: &Value) -> Reply {
        let answer = self.call(world, "confirmation", notice).expect(200).await;
        assert_eq!((&answer["ResultCode"], &answer["ResultDesc"]), (&json!(0), &json!("Accepted")));
        answer
    }
}

/// A confirmation, of noon on 15 February 2024 in Nairobi.
pub(crate) fn notice(receipt: &str, amount: &str, reference: &str) -> Value {
    json!({"TransactionType": "Pay Bill", "TransID": receipt, "TransTime": "20240215120000", "TransAmount": amount,
        "BusinessShortCode": "600638", "BillRefNumber": reference, "InvoiceNumber": "", "OrgAccountBalance": "49197.00",
        "ThirdPartyTransID": "", "MSISDN": "2547*****149", "FirstName": "John", "LastName": "Kamau"})
}

/// The STK callback of the same.
pub(crate) fn callback(receipt: &str, amount: f64) -> Value {
    json!({"Body": {"stkCallback": {"MerchantRequestID": "29115-34620561-1", "CheckoutRequestID": "ws_CO_1",
        "ResultCode": 0, "ResultDesc": "The service request is processed successfully.", "CallbackMetadata": {"Item": [
            {"Name": "Amount", "Value": amount}, {"Name": "MpesaReceiptNumber", "Value": receipt}, {"Name": "Balance"},
            {"Name": "TransactionDate", "Value": 20_240_215_120_000_u64},
            {"Name": "PhoneNumber", "Value": 254_708_374_149_u64}]}}}})
}

impl World {
    pub(crate) async fn pay_ref(&self, path: &str) -> String {
        self.get(path).await.text_of("pay_ref")
    }

    /// The one payment of a receipt.
    pub(crate) async fn payment(&self, receipt: &str) -> Value {
        let found = self.get(&format!("/api/payments?external_id={receipt}")).await;
        assert_eq!(found.list().len(), 1, "{found}");
        found.list()[0].clone()
    }

    /// A command on a payment.
    pub(crate) fn decide(&self, payment: &Value, part: &str, body: Value) -> Call {
        let path = format!("/api/payments/{}/{part}", payment["id"].as_str().unwrap());
        self.admin.post(&path).key(&Uuid::now_v7().to_string()).json(body)
    }

    /// The kept figures are those that follow: loans, journal, accounts, payments, suspense.
    pub(crate) async fn is_consistent(&self) {
        assert_eq!(stats::check(&self.app.db, &self.app.zone).await.unwrap(), []);
    }

    /// The balance of an account in euros, debits less credits.
    pub(crate) async fn balance(&self, account: &str, query: &str) -> String {
        let balances = self.get(&format!("/api/ledger/trial-balance?{query}")).await;
        let data = balances["data"].as_array().unwrap();
        let found = data.iter().find(|it| it["account"] == account && it["currency"] == "EUR");
        found.map_or("0.00".to_owned(), |it| it["balance"].as_str().unwrap().to_owned())
    }
}
