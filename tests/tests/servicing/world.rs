//! A lender with people and loans that were paid out.

use std::ops::Deref;

use serde_json::{Value, json};
use tests::{Api, ApiOptions, Call, Reply, User};
use uuid::Uuid;

/// A system with people of each role.
pub(crate) struct World {
    pub(crate) api: Api,
    pub(crate) admin: User,
    pub(crate) agent: User,
    pub(crate) customer: User,
}

impl Deref for World {
    type Target = Api;

    fn deref(&self) -> &Api {
        &self.api
    }
}

/// A product of these tests, which allows anything.
fn product(code: &str, currency: &str, terms: &Value) -> Value {
    json!({"code": code, "name": code, "currency": currency, "min_amount": "1", "max_amount": "1000000",
        "min_instalments": 1, "max_instalments": 600, "min_rate_apr": "0", "max_rate_apr": "1000", "terms": terms})
}

impl World {
    pub(crate) async fn new() -> Self {
        let api = Api::with(ApiOptions::default()).await;
        let (admin, agent) = (api.admin("the.admin").await, api.agent("the.agent").await);
        let customer = api.customer("the.customer").await;
        Self { api, admin, agent, customer }
    }

    /// An approved loan of the customer on these terms; its path.
    pub(crate) async fn approved(&self, amount: &str, currency: &str, terms: Value) -> String {
        self.approved_for(&self.customer, amount, currency, terms).await
    }

    /// The same, of another customer.
    pub(crate) async fn approved_for(&self, customer: &User, amount: &str, currency: &str, terms: Value) -> String {
        let code = Uuid::now_v7().simple().to_string();
        self.admin.post("/api/products").json(product(&code, currency, &terms)).expect(201).await;
        let body = json!({"borrower_id": customer.id, "product": code, "amount": amount, "currency": currency});
        let loan = self.agent.post("/api/loans").json(body).expect(201).await;
        let path = format!("/api/loans/{}", loan.text_of("id"));
        self.admin.post(&format!("{path}/approve")).if_match(1).expect(200).await;
        path
    }

    /// The same, paid out.
    pub(crate) async fn disbursed(&self, amount: &str, terms: Value, on: &str) -> String {
        let path = self.approved(amount, "EUR", terms).await;
        self.send(&path, "disbursements", json!({"disbursed_on": on})).expect(201).await;
        path
    }

    /// 1200 EUR in six months without interest, paid out on 15 January 2024: 200 a month.
    pub(crate) async fn plain(&self) -> String {
        self.disbursed("1200", json!({"interest_rate_apr": "0", "instalments": 6}), "2024-01-15").await
    }

    /// A command of the admin's with a key of its own.
    pub(crate) fn send(&self, path: &str, part: &str, body: Value) -> Call {
        self.admin.post(&format!("{path}/{part}")).key(&Uuid::now_v7().to_string()).json(body)
    }

    pub(crate) async fn pay(&self, path: &str, amount: &str, on: &str) -> Reply {
        self.send(path, "repayments", json!({"amount": amount, "paid_on": on})).expect(201).await
    }

    pub(crate) fn reverse(&self, path: &str, transaction: &Reply) -> Call {
        let part = format!("transactions/{}/reversal", transaction.text_of("id"));
        self.send(path, &part, json!({"reason": "as the test wants"}))
    }

    /// The admin's reading of it.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.admin.get(path).expect(200).await
    }
}
