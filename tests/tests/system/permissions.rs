//! Permissions: every operation of the document, called by every kind of caller and with every kind of invalid token.
//! The expectations come from the table of operations alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use axum::http::Method;
use backend::{
    auth::totp::TotpSecret,
    domain::{
        keys::{Area, Scope},
        users::Role,
    },
    store::second_factors::seal_of,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use local::operations::{OPERATIONS, Operation, Reach, Who};
use serde_json::{Value, json};
use tests::{Api, Call, PASSWORD, Reply, SIGNING_KEY, SIGNING_KEY_ID, Session, User, document};
use uuid::Uuid;

/// The secret of second factors here.
const SECRET: &[u8] = b"12345678901234567890";

/// A lender whose loans are all by one agent for one customer, and others who have nothing to do with them.
pub(crate) struct Lender {
    pub(crate) api: Api,
    customer: User,
    other_customer: User,
    agent: User,
    other_agent: User,
    admin: User,
    other_admin: User,
    /// What notices of sources are signed with.
    signing: Mutex<BTreeMap<String, String>>,
}

/// A request to an operation, valid for whoever may make it.
#[derive(Clone, Debug)]
pub(crate) struct Shot {
    method: Method,
    path: String,
    pub(crate) body: Option<Value>,
}

/// How a request is spoilt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Spoilt {
    Not,
    /// A body that is no JSON.
    Unreadable,
    /// A body that is not sent as JSON.
    AnotherType,
    /// A body with an unknown field, and no `If-Match`.
    UnknownField,
    /// A path with what is no id.
    BadId,
    /// A path with an id that names nothing.
    UnknownId,
}

impl Spoilt {
    const ALL: [Self; 6] =
        [Self::Not, Self::Unreadable, Self::AnotherType, Self::UnknownField, Self::BadId, Self::UnknownId];

    fn applies(self, row: &Operation) -> bool {
        match self {
            Self::Not => true,
            Self::Unreadable | Self::AnotherType | Self::UnknownField => has_body(row),
            Self::BadId | Self::UnknownId => row.path.contains('{'),
        }
    }
}

fn described(row: &Operation) -> &'static Value {
    &document::document()["paths"][row.path][row.method.as_str().to_ascii_lowercase()]
}

fn has_body(row: &Operation) -> bool {
    described(row).get("requestBody").is_some()
}

fn needs_version(row: &Operation) -> bool {
    document::parameters(described(row)).any(|it| it["name"] == "If-Match")
}

fn needs_key(row: &Operation) -> bool {
    document::parameters(described(row)).any(|it| it["name"] == "Idempotency-Key" && it["required"] == true)
}

/// The status of an operation's success.
fn success(row: &Operation) -> u16 {
    let responses = described(row)["responses"].as_object().unwrap();
    responses.keys().find(|status| status.starts_with('2')).unwrap().parse().unwrap()
}

/// The operations that ask for a token.
fn protected() -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter().filter(|row| row.who != Who::Anyone)
}

/// A loan may be withdrawn by its own agent, not by another: a rule of the loan, which the table of roles does not
/// know.
fn is_another_agents_withdrawal(row: &Operation, role: Role, owns: bool) -> bool {
    row.path == "/api/loans/{id}/withdraw" && role == Role::Agent && !owns
}

/// An agent hands out codes to its own customers, not to another's.
fn is_another_agents_customer(row: &Operation, role: Role, owns: bool) -> bool {
    row.path == "/api/users/{id}/activation" && role == Role::Agent && !owns
}

/// An admin changes the names of a loan alone: with a body that does not give them, the role is refused.
fn is_an_admins_edit(row: &Operation, role: Role, spoilt: Spoilt) -> bool {
    let gives_no_names = matches!(spoilt, Spoilt::Unreadable | Spoilt::AnotherType | Spoilt::UnknownField);
    (row.method.as_str(), row.path) == ("PATCH", "/api/loans/{id}") && role == Role::Admin && gives_no_names
}

/// The refusal that the table has for a caller of this role who owns what the request names, or not; `None` if it may.
pub(crate) fn refusal(row: &Operation, role: Role, owns: bool) -> Option<(u16, &'static str)> {
    let Who::Users(roles) = row.who else { return None };
    match row.reach {
        _ if !roles.contains(&role) => Some((403, "forbidden")),
        Reach::OwnOf(own) if own == role && !owns => Some((404, "not_found")),
        Reach::OnlySelf(own) if own == role && !owns => Some((403, "forbidden")),
        _ if is_another_agents_withdrawal(row, role, owns) => Some((403, "not_the_loans_agent")),
        _ if is_another_agents_customer(row, role, owns) => Some((403, "not_the_customers_agent")),
        _ => None,
    }
}

/// Paths that can be read without naming anything.
const PLAIN: [&str; 22] = [
    "/health",
    "/health/ready",
    "/openapi.json",
    "/docs",
    "/desk",
    "/api/auth/me",
    "/api/users",
    "/api/agents",
    "/api/customers",
    "/api/audit",
    "/api/keys",
    "/api/products",
    "/api/calendars",
    "/api/loans",
    "/api/stats",
    "/api/stats/history",
    "/api/portfolio/arrears",
    "/api/collections",
    "/api/payment-sources",
    "/api/payments",
    "/api/ledger/trial-balance",
    "/api/ledger/accounts",
];

impl Lender {
    pub(crate) async fn new() -> Self {
        let api = Api::new().await;
        Self {
            customer: api.customer("customer").await,
            other_customer: api.customer("other.customer").await,
            agent: api.agent("agent").await,
            other_agent: api.agent("other.agent").await,
            admin: api.admin("admin").await,
            other_admin: api.admin("other.admin").await,
            signing: Mutex::default(),
            api,
        }
    }

    /// Everybody with a role, and whether the loans, the customer and the agent of requests are theirs.
    pub(crate) fn callers(&self) -> [(&User, bool); 6] {
        [
            (&self.customer, true),
            (&self.other_customer, false),
            (&self.agent, true),
            (&self.other_agent, false),
            (&self.admin, true),
            (&self.other_admin, false),
        ]
    }

    /// Someone whom no other test of this lender knows.
    async fn fresh(&self, role: Role, status: &str) -> User {
        self.api.user(&format!("user.{}", Uuid::now_v7().simple()), role, status).await
    }

    /// The caller, or for what ends sessions someone like it.
    pub(crate) async fn stand_in(&self, row: &Operation, caller: &User) -> User {
        match row.path {
            "/api/auth/logout" | "/api/auth/password" => self.fresh(caller.role, "active").await,
            "/api/auth/totp/confirm" => {
                let user = self.fresh(caller.role, "active").await;
                self.begin_second_factor(&user).await;
                user
            }
            "/api/auth/totp" if row.method == Method::POST => self.fresh(caller.role, "active").await,
            "/api/auth/totp" => self.with_second_factor(caller.role).await,
            _ => caller.clone(),
        }
    }

    /// Someone who logs in with a second factor of [`SECRET`].
    async fn with_second_factor(&self, role: Role) -> User {
        let user = self.fresh(role, "active").await;
        self.begin_second_factor(&user).await;
        let confirm = "WITH codes AS (
                INSERT INTO recovery_codes (person_id, digest) VALUES ($1, sha256('a code')) RETURNING person_id),
            used AS (UPDATE second_factors SET last_step = 1 WHERE person_id IN (TABLE codes) RETURNING person_id)
            SELECT FROM used";
        self.api.owner.execute(confirm, &[&user.id]).await.unwrap();
        let need = "UPDATE users SET totp_since = now() WHERE id = $1";
        self.api.owner.execute(need, &[&user.id]).await.unwrap();
        user
    }

    /// Begins a second factor of [`SECRET`].
    async fn begin_second_factor(&self, user: &User) {
        let sealed = self.api.app.sealing.seal(&seal_of(user.id), SECRET).await.unwrap();
        let begin = "INSERT INTO second_factors (person_id, secret) VALUES ($1, $2)";
        self.api.owner.execute(begin, &[&user.id, &sealed]).await.unwrap();
    }

    /// A loan of the customer: by the agent, or by the customer itself.
    async fn loan(&self, by: &User) -> String {
        let body =
            json!({"borrower_id": self.customer.username, "amount": "1200", "currency": "INR", "instalments": 6});
        by.post("/api/loans").json(body).expect(201).await.text_of("id")
    }

    /// The id of a loan of the agent's that another admin has approved.
    async fn approved(&self) -> String {
        let id = self.loan(&self.agent).await;
        self.admin.post(&format!("/api/loans/{id}/approve")).if_match(1).expect(200).await;
        id
    }

    /// The ids of one that was paid out, and of that transaction.
    async fn disbursed(&self) -> (String, String) {
        let id = self.approved().await;
        let call = self.admin.post(&format!("/api/loans/{id}/disbursements")).key("disbursement");
        let transaction = call.json(json!({"disbursed_on": "2024-01-15"})).expect(201).await.text_of("id");
        (id, transaction)
    }

    async fn pay(&self, id: &str, amount: &str) {
        let call = self.admin.post(&format!("/api/loans/{id}/repayments")).key("payment");
        call.json(json!({"amount": amount, "paid_on": "2024-02-01"})).expect(201).await;
    }

    /// A request that succeeds when someone makes it who may: on things made for it where it changes them.
    pub(crate) async fn shot(&self, row: &Operation) -> Shot {
        let unique = Uuid::now_v7().simple().to_string();
        let reason = || Some(json!({"reason": "as agreed"}));
        let new_user = |role: &str| {
            let (username, email) = (format!("new.{unique}"), format!("{unique}@example.com"));
            let phone = "+15550100002";
            Some(json!({"username": username, "password": PASSWORD, "email": email, "phone": phone, "role": role}))
        };
        let (thing, body) = match (row.method.as_str(), row.path) {
            ("GET", path) if PLAIN.contains(&path) => (String::new(), None),
            ("POST", "/api/auth/logout") => (String::new(), None),
            ("POST", "/api/auth/register") => (String::new(), new_user("customer")),
            ("POST", "/api/auth/login") => {
                (String::new(), Some(json!({"username": self.customer.username, "password": PASSWORD})))
            }
            ("PATCH", "/api/auth/me") => (String::new(), Some(json!({"full_name": "Asha Patel"}))),
            ("PUT", "/api/auth/password") => {
                (String::new(), Some(json!({"current_password": PASSWORD, "new_password": "staple of the battery"})))
            }
            ("POST", "/api/users") => (String::new(), new_user("agent")),
            (
                "GET",
                "/api/users/{id}" | "/api/users/{id}/changes" | "/api/customers/{id}" | "/api/customers/{id}/export",
            ) => (self.customer.id.to_string(), None),
            ("POST", "/api/users/{id}/erase") => (self.fresh(Role::Customer, "active").await.id.to_string(), reason()),
            ("PATCH", "/api/users/{id}") => (self.customer.id.to_string(), Some(json!({"full_name": "Asha Patel"}))),
            ("PUT", "/api/users/{id}/password") => {
                let body = json!({"new_password": "staple of the battery"});
                (self.fresh(Role::Customer, "active").await.id.to_string(), Some(body))
            }
            ("POST", "/api/users/{id}/suspend") => (self.fresh(Role::Agent, "active").await.id.to_string(), reason()),
            ("POST", "/api/users/{id}/reactivate") => {
                (self.fresh(Role::Agent, "suspended").await.id.to_string(), reason())
            }
            ("GET", "/api/agents/{id}" | "/api/agents/{id}/requests" | "/api/agents/{id}/performance") => {
                (self.agent.id.to_string(), None)
            }
            ("POST", "/api/agents/{id}/approve" | "/api/agents/{id}/reject") => {
                (self.fresh(Role::Agent, "pending").await.id.to_string(), reason())
            }
            ("POST", "/api/products") => {
                let body = json!({
                    "code": unique, "name": "Dollars", "currency": "USD", "min_amount": "1", "max_amount": "9",
                    "min_instalments": 1, "max_instalments": 9, "min_rate_apr": "1", "max_rate_apr": "9",
                    "terms": {"interest_rate_apr": "5", "instalments": 5}});
                (String::new(), Some(body))
            }
            ("GET", "/api/products/{code}") => ("microloan-inr".to_owned(), None),
            ("PATCH", "/api/products/{code}") => ("microloan-inr".to_owned(), Some(json!({"name": unique}))),
            ("GET", "/api/calendars/{code}") => ("ke".to_owned(), None),
            ("PUT", "/api/calendars/{code}") => {
                ("ke".to_owned(), Some(json!({"name": unique, "weekend": ["sun"], "holidays": []})))
            }
            ("POST", "/api/quotes") => {
                (String::new(), Some(json!({"amount": "10", "currency": "INR", "product": "microloan-inr"})))
            }
            ("POST", "/api/quotes/apr") => {
                let flow = |on: &str, amount: &str| json!([{"on": on, "amount": amount}]);
                let body = json!({
                    "method": "eu", "unit_period": {"every": 1, "unit": "month"},
                    "advances": flow("2024-01-01", "100"), "payments": flow("2024-02-01", "110")});
                (String::new(), Some(body))
            }
            ("POST", "/api/loans") => (String::new(), Some(json!({"amount": "10", "currency": "INR"}))),
            (
                "GET",
                "/api/loans/{id}"
                | "/api/loans/{id}/schedule"
                | "/api/loans/{id}/history"
                | "/api/loans/{id}/transactions"
                | "/api/loans/{id}/ledger"
                | "/api/loans/{id}/statement",
            ) => (self.loan(&self.agent).await, None),
            ("PATCH", "/api/loans/{id}") => (self.loan(&self.agent).await, Some(json!({"external_id": unique}))),
            ("POST", "/api/loans/{id}/revert") => {
                (self.loan(&self.agent).await, Some(json!({"version": 1, "reason": "as agreed"})))
            }
            ("POST", "/api/loans/{id}/forward") => {
                (self.loan(&self.customer).await, Some(json!({"note": "known to us"})))
            }
            ("POST", "/api/loans/{id}/approve" | "/api/loans/{id}/reject" | "/api/loans/{id}/withdraw") => {
                (self.loan(&self.agent).await, reason())
            }
            ("POST", "/api/loans/{id}/undo-approval") => {
                let id = self.loan(&self.agent).await;
                self.admin.post(&format!("/api/loans/{id}/approve")).if_match(1).expect(200).await;
                (id, reason())
            }
            _ => self.people(row, unique).await,
        };
        // A blank separates two things.
        let (thing, part) = thing.split_once(' ').unwrap_or((&thing, ""));
        let path = row.path.replace("{id}", thing).replace("{code}", thing).replace("{tid}", part);
        let path = path.replace("{source}", thing).replace("{secret}", part);
        Shot { method: row.method.clone(), path, body }
    }

    /// The thing that a valid request about people names, and its body.
    async fn people(&self, row: &Operation, unique: String) -> (String, Option<Value>) {
        match (row.method.as_str(), row.path) {
            ("POST", "/api/auth/activate") => {
                let user = self.fresh(Role::Customer, "active").await;
                let code =
                    self.admin.post(&format!("/api/users/{}/activation", user.id)).expect(201).await.text_of("code");
                let body = json!({"username": user.username, "code": code, "new_password": "staple of the battery"});
                (String::new(), Some(body))
            }
            ("POST", "/api/auth/totp") => (String::new(), None),
            ("POST", "/api/auth/totp/confirm") | ("DELETE", "/api/auth/totp") => {
                let code = TotpSecret::from(SECRET.to_vec()).code(Timestamp::now().as_second() / 30);
                (String::new(), Some(json!({"code": code})))
            }
            ("DELETE", "/api/users/{id}/totp") => (self.with_second_factor(Role::Customer).await.id.to_string(), None),
            ("POST", "/api/customers") => (String::new(), Some(json!({"phone": "+15550100002", "full_name": "Asha"}))),
            ("GET", "/api/customers/{id}/profile" | "/api/customers/{id}/summary") => {
                (self.customer.id.to_string(), None)
            }
            ("PUT", "/api/customers/{id}/profile") => {
                (self.customer.id.to_string(), Some(json!({"occupation": "tailor"})))
            }
            ("POST", "/api/customers/{id}/kyc") => (self.customer.id.to_string(), Some(json!({"status": "verified"}))),
            ("POST", "/api/users/{id}/activation") => {
                let user = self.fresh(Role::Customer, "active").await;
                let sql = "UPDATE users SET agent_id = $2 WHERE id = $1";
                self.api.owner.execute(sql, &[&user.id, &self.agent.id]).await.unwrap();
                (user.id.to_string(), None)
            }
            ("POST", "/api/keys") => {
                (String::new(), Some(json!({"name": unique, "role": "admin", "scopes": ["loans:read"]})))
            }
            ("GET" | "DELETE", "/api/keys/{id}") => {
                let body = json!({"name": unique, "role": "agent", "scopes": ["loans:read"]});
                (self.admin.post("/api/keys").json(body).expect(201).await.text_of("id"), None)
            }
            ("POST", "/api/agents/{id}/reassign") => {
                let agent = self.fresh(Role::Agent, "active").await;
                (agent.id.to_string(), Some(json!({"to": self.agent.id})))
            }
            ("POST", "/api/loans/{id}/assign") => {
                (self.loan(&self.agent).await, Some(json!({"agent_id": self.other_agent.id})))
            }
            _ => self.money(row, unique).await,
        }
    }

    /// The path of a valid request that moves money, and its body.
    async fn money(&self, row: &Operation, unique: String) -> (String, Option<Value>) {
        match (row.method.as_str(), row.path) {
            ("POST", "/api/loans/{id}/disbursements") => {
                (self.approved().await, Some(json!({"disbursed_on": "2024-01-15"})))
            }
            ("GET", "/api/loans/{id}/settlement") => (self.disbursed().await.0, None),
            ("POST", "/api/loans/{id}/repayments") => {
                (self.disbursed().await.0, Some(json!({"amount": "10", "paid_on": "2024-02-15"})))
            }
            ("POST", "/api/loans/{id}/charges") => {
                let body = json!({"code": "c", "kind": "fee", "amount": "10", "due_on": "2024-02-15"});
                (self.disbursed().await.0, Some(body))
            }
            ("POST", "/api/loans/{id}/waivers") => {
                let body = json!({"component": "interest", "amount": "1", "on": "2024-02-15", "reason": "r"});
                (self.disbursed().await.0, Some(body))
            }
            ("POST", "/api/loans/{id}/refund") => {
                let id = self.disbursed().await.0;
                self.pay(&id, "5000").await;
                (id, Some(json!({"amount": "10", "paid_on": "2024-02-15"})))
            }
            ("POST", "/api/loans/{id}/write-off") => {
                (self.disbursed().await.0, Some(json!({"on": "2024-02-15", "reason": "gone"})))
            }
            ("POST", "/api/loans/{id}/reschedule") => {
                (self.disbursed().await.0, Some(json!({"from": "2024-04-15", "instalments": 9, "reason": "r"})))
            }
            ("GET", "/api/loans/{id}/transactions/{tid}") => {
                let (id, transaction) = self.disbursed().await;
                (format!("{id} {transaction}"), None)
            }
            ("POST", "/api/loans/{id}/transactions/{tid}/reversal") => {
                let (id, transaction) = self.disbursed().await;
                (format!("{id} {transaction}"), Some(json!({"reason": "as agreed"})))
            }
            ("POST", "/api/repayments/batch") => {
                let item = json!({"loan_id": self.disbursed().await.0, "amount": "10", "paid_on": "2024-02-15",
                    "idempotency_key": unique});
                (String::new(), Some(json!({"items": [item]})))
            }
            _ => self.arriving(row, unique).await,
        }
    }

    /// A source of payments: its code, and the secret of its hooks.
    async fn source(&self, provider: &str, unique: &str) -> (String, String) {
        let code = format!("s{}", &unique[unique.len() - 12..]);
        let body =
            json!({"code": code, "name": "A source", "provider": provider, "account": unique, "currency": "INR"});
        let source = self.admin.post("/api/payment-sources").json(body).expect(201).await;
        if let Some(secret) = source["signing_secret"].as_str() {
            self.signing.lock().unwrap().insert(code.clone(), secret.to_owned());
        }
        let hook = source["hook_url"].as_str().map_or("", |url| url.rsplit('/').next().unwrap());
        (code, hook.to_owned())
    }

    /// A payment in suspense.
    async fn payment(&self, unique: &str) -> String {
        let (source, _) = self.source("manual", unique).await;
        let body = json!({"source": source, "external_id": unique, "amount": "10", "currency": "INR",
            "paid_at": "2024-02-15"});
        self.admin.post("/api/payments").json(body).expect(201).await.text_of("id")
    }

    /// The path of a valid request about money that arrives, and its body.
    async fn arriving(&self, row: &Operation, unique: String) -> (String, Option<Value>) {
        let notice = |amount: &str| {
            json!({"TransID": &unique[..10], "TransTime": "20240215120000", "TransAmount": amount,
                "BusinessShortCode": unique, "BillRefNumber": "nothing"})
        };
        let hook = async |provider, body: Value| {
            let (source, secret) = self.source(provider, &unique).await;
            (format!("{source} {secret}"), Some(body))
        };
        match (row.method.as_str(), row.path) {
            ("POST", "/api/payment-sources") => {
                let code = format!("n{}", &unique[unique.len() - 12..]);
                let body = json!({"code": code, "name": "A source", "provider": "mpesa", "account": unique,
                    "currency": "INR"});
                (String::new(), Some(body))
            }
            ("GET", "/api/payment-sources/{code}" | "/api/payment-sources/{code}/refused") => {
                (self.source("mpesa", &unique).await.0, None)
            }
            ("GET", "/api/payment-sources/{code}/reconciliation") => (self.source("mpesa", &unique).await.0, None),
            // The one body that is not JSON: a file.
            ("POST", "/api/payment-sources/{code}/statements") => {
                let sheet = format!("external_id,paid_on,amount\n{unique},2024-02-15,10\n");
                (self.source("statement", &unique).await.0, Some(sheet.into()))
            }
            ("PATCH", "/api/payment-sources/{code}") => {
                (self.source("mpesa", &unique).await.0, Some(json!({"name": "Another name"})))
            }
            ("POST", "/api/payment-sources/{code}/rotate") => (self.source("mpesa", &unique).await.0, Some(json!({}))),
            ("POST", "/api/hooks/{source}/{secret}/validation" | "/api/hooks/{source}/{secret}/confirmation") => {
                hook("mpesa", notice("10")).await
            }
            ("POST", "/api/hooks/{source}/{secret}/stk") => {
                hook("mpesa", json!({"Body": {"stkCallback": {"ResultCode": 1032}}})).await
            }
            ("POST", "/api/hooks/{source}/{secret}/payment") => {
                let body = json!({"external_id": unique, "amount": "10", "currency": "INR", "paid_at": "2024-02-15"});
                hook("json", body).await
            }
            ("POST", "/api/payments") => {
                let (source, _) = self.source("manual", &unique).await;
                let body = json!({"source": source, "external_id": unique, "amount": "10", "currency": "INR",
                    "paid_at": "2024-02-15"});
                (String::new(), Some(body))
            }
            ("GET", "/api/payments/{id}" | "/api/payments/{id}/suggestions") => (self.payment(&unique).await, None),
            ("POST", "/api/payments/{id}/apply") => {
                (self.payment(&unique).await, Some(json!({"loan_id": self.disbursed().await.0})))
            }
            ("POST", "/api/payments/{id}/return") => {
                (self.payment(&unique).await, Some(json!({"paid_on": "2024-02-16", "reason": "as agreed"})))
            }
            ("POST", "/api/payments/{id}/transfer") => {
                let from = self.source("manual", &Uuid::now_v7().simple().to_string()).await.0;
                (self.payment(&unique).await, Some(json!({"from": from, "reason": "as agreed"})))
            }
            ("POST", "/api/payments/{id}/correction") => {
                (self.payment(&unique).await, Some(json!({"amount": "11", "reason": "as agreed"})))
            }
            (method, path) => panic!("no test knows a valid request for {method} {path}: add one here"),
        }
    }

    /// The request by a caller, spoilt or not.
    pub(crate) fn call(
        &self,
        row: &Operation,
        shot: &Shot,
        session: &Session,
        role: Option<Role>,
        spoilt: Spoilt,
    ) -> Call {
        let mut path = shot.path.clone();
        let replacement = match spoilt {
            Spoilt::BadId => Some("no-id".to_owned()),
            Spoilt::UnknownId => Some(Uuid::now_v7().to_string()),
            _ => None,
        };
        if let Some(replacement) = replacement {
            let path_of = row.path.replace("{id}", &replacement).replace("{code}", &replacement);
            path = path_of.replace("{tid}", &replacement);
        }
        let mut call = session.call(shot.method.clone(), &path);
        if needs_version(row) && spoilt != Spoilt::UnknownField {
            call = call.header("if-match", "*");
        }
        if needs_key(row) {
            call = call.key(&Uuid::now_v7().to_string());
        }
        let Some(mut body) = shot.body.clone() else { return call };
        if row.path == "/api/loans" && role != Some(Role::Customer) {
            body["borrower_id"] = json!(self.customer.username);
        }
        if row.path.ends_with("{secret}/payment") {
            let secret = self.signing.lock().unwrap().get(path.split('/').nth(3).unwrap()).cloned();
            let call = call.json(body.clone());
            return match secret {
                Some(secret) => tests::signed(call, &secret, "msg_1", &body.to_string()),
                None => call,
            };
        }
        if let Value::String(file) = &body {
            return match spoilt {
                Spoilt::Unreadable => call.body("application/xml", "<"),
                Spoilt::AnotherType => call.body("text/plain", "nothing"),
                Spoilt::UnknownField => call.body("text/csv", "nickname\nnone\n"),
                _ => call.body("text/csv", file),
            };
        }
        match spoilt {
            Spoilt::Unreadable => call.body("application/json", "{"),
            Spoilt::AnotherType => call.body("text/plain", "nothing"),
            Spoilt::UnknownField => call.json(json!({"nickname": "none"})),
            _ => call.json(body),
        }
    }

    /// Calls as it stands: as anyone, or with a token.
    async fn send(&self, row: &Operation, shot: &Shot, session: &Session, spoilt: Spoilt) -> Reply {
        self.call(row, shot, session, None, spoilt).send().await
    }

    /// Every kind of token that must not be taken, made of a good one of this user.
    async fn bad_tokens(&self, user: &User) -> Vec<(&'static str, Session)> {
        let now = Timestamp::now().as_second();
        let good = user.session.token();
        let [header, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("{good}") };
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
        let key = URL_SAFE_NO_PAD.decode(SIGNING_KEY).unwrap();
        let sign = |algorithm, kid: Option<&str>, key: &[u8], changes: &Value| {
            let mut header = Header::new(algorithm);
            header.kid = kid.map(str::to_owned);
            encode(&header, &changed(&claims, changes), &EncodingKey::from_secret(key)).unwrap()
        };
        let signed = |changes: Value| sign(Algorithm::HS256, Some(SIGNING_KEY_ID), &key, &changes);
        let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let none = encoded(&json!({"alg": "none", "typ": "JWT", "kid": SIGNING_KEY_ID}));
        let as_admin = encoded(&changed(&claims, &json!({"role": "admin"})));
        let later = encoded(&changed(&claims, &json!({"exp": now + 7200})));
        let other_signature =
            if signature.starts_with('A') { signature.replacen('A', "B", 1) } else { format!("A{}", &signature[1..]) };

        let ended = self.fresh(user.role, "active").await;
        let gone = self.api.session(user.id, user.role).await;
        let over = self.api.session(user.id, user.role).await;
        let logged_out = self.api.session(user.id, user.role).await;
        logged_out.post("/api/auth/logout").expect(204).await;
        let new_password = json!({"current_password": PASSWORD, "new_password": "staple of the battery"});
        let changing = self.api.session(ended.id, user.role).await;
        changing.put("/api/auth/password").json(new_password).expect(204).await;
        let end = |session: &Session, sql: &'static str| {
            let payload = URL_SAFE_NO_PAD.decode(session.token().split('.').nth(1).unwrap()).unwrap();
            let claims: Value = serde_json::from_slice(&payload).unwrap();
            let id: Uuid = claims["sid"].as_str().unwrap().parse().unwrap();
            async move { assert_eq!(self.api.owner.execute(sql, &[&id]).await.unwrap(), 1) }
        };
        end(&gone, "DELETE FROM sessions WHERE id = $1").await;
        end(&over, "UPDATE sessions SET expires_at = now() - interval '1 second' WHERE id = $1").await;

        // The signer is the service's own: what it signs without changes is taken.
        self.api.as_(&signed(json!({}))).get("/api/auth/me").expect(200).await;
        let mut tokens: Vec<(&str, Session)> = [
            ("expired", signed(json!({"iat": now - 7200, "exp": now - 3600}))),
            ("issued in the future", signed(json!({"iat": now + 3600, "exp": now + 7200}))),
            ("without an expiry", signed(json!({"exp": null}))),
            ("of another issuer", signed(json!({"iss": "someone"}))),
            ("with another user's session", signed(json!({"sub": self.other_admin.id}))),
            ("with a session that never was", signed(json!({"sid": Uuid::now_v7()}))),
            ("of a user who never was", signed(json!({"sub": Uuid::now_v7()}))),
            ("forged with another key", sign(Algorithm::HS256, Some(SIGNING_KEY_ID), &[7; 32], &json!({}))),
            ("forged with an empty key", sign(Algorithm::HS256, Some(SIGNING_KEY_ID), b"", &json!({}))),
            ("of an unknown key", sign(Algorithm::HS256, Some("another"), &key, &json!({}))),
            ("of no key", sign(Algorithm::HS256, None, &key, &json!({}))),
            ("signed by HS512", sign(Algorithm::HS512, Some(SIGNING_KEY_ID), &key, &json!({}))),
            ("signed by HS384", sign(Algorithm::HS384, Some(SIGNING_KEY_ID), &key, &json!({}))),
            ("of no algorithm", format!("{none}.{payload}.")),
            ("of no algorithm, yet signed", format!("{none}.{payload}.{signature}")),
            ("with another role", format!("{header}.{as_admin}.{signature}")),
            ("with a later expiry", format!("{header}.{later}.{signature}")),
            ("with another signature", format!("{header}.{payload}.{other_signature}")),
            ("without a signature", format!("{header}.{payload}.")),
            ("cut off", good[..good.len() - 1].to_owned()),
            ("of two parts", format!("{header}.{payload}")),
            ("of words", "not.a.token".to_owned()),
            ("empty", String::new()),
            ("too long", "x".repeat(8000)),
        ]
        .into_iter()
        .map(|(what, token)| (what, self.api.as_(&token)))
        .collect();
        // An admin whose own token says so must still be told from its forgery.
        tokens.retain(|(what, _)| *what != "with another role" || user.role != Role::Admin);
        tokens.extend([
            ("of a session that was logged out", logged_out),
            ("from before a new password", ended.session),
            ("of a session that is gone", gone),
            ("of a session that is over", over),
        ]);
        for status in ["suspended", "pending", "rejected"] {
            // Only agents wait for approval.
            if status == "suspended" || user.role == Role::Agent {
                tokens.push((status, self.fresh(user.role, status).await.session));
            }
        }
        tokens
    }
}

/// Claims with some of them changed, or taken away by null.
fn changed(claims: &Value, changes: &Value) -> Value {
    let mut claims = claims.clone();
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

fn expect(reply: &Reply, status: u16, code: &str, who: &str) {
    assert_eq!((reply.status, reply.code()), (status, code), "{who}: {reply}");
}

/// Whoever has no valid token is refused by every operation that asks for one, and learns nothing else: not that the
/// role, the id or the body is wrong.
#[tokio::test]
async fn without_a_valid_token_every_operation_that_asks_for_one_answers_401() {
    let lender = Lender::new().await;
    let mut tokens = Vec::new();
    for user in [&lender.customer, &lender.agent, &lender.admin] {
        tokens.push((user.role, lender.bad_tokens(user).await));
    }
    let anyone = lender.api.anyone();
    for row in protected() {
        let shot = lender.shot(row).await;
        for spoilt in Spoilt::ALL.into_iter().filter(|spoilt| spoilt.applies(row)) {
            expect(&lender.send(row, &shot, &anyone, spoilt).await, 401, "unauthenticated", "anyone");
            for (role, tokens) in &tokens {
                // If more is wrong, one token refused for its signature and one for its session stand for all.
                let stands_for_all = ["forged with another key", "of a session that was logged out"];
                let tokens = tokens.iter().filter(|(what, _)| spoilt == Spoilt::Not || stands_for_all.contains(what));
                for (what, session) in tokens {
                    let reply = lender.call(row, &shot, session, Some(*role), spoilt).send().await;
                    let who = format!("{spoilt:?}, a token {what} of role {}", role.as_str());
                    expect(&reply, 401, "unauthenticated", &who);
                }
            }
        }
        // A good token in another scheme does not count.
        let by_scheme = |scheme: &str| {
            let call = lender.call(row, &shot, &anyone, Some(lender.admin.role), Spoilt::Not);
            call.header("authorization", &format!("{scheme}{}", lender.admin.session.token()))
        };
        for scheme in ["Basic ", "Token ", "", "Bearer\t"] {
            expect(&by_scheme(scheme).send().await, 401, "unauthenticated", scheme);
        }
    }
}

/// The roles that the table does not name are refused by every operation, things of others are not there, and nobody
/// who may is refused: whatever else is wrong with the request.
#[tokio::test]
async fn every_operation_takes_the_callers_of_its_row_and_no_others() {
    let lender = Lender::new().await;
    let mut called = 0;
    for row in protected() {
        let shot = lender.shot(row).await;
        for (caller, owns) in lender.callers() {
            let who = format!("{} on {} {}", caller.username, row.method, row.path);
            let refused = refusal(row, caller.role, owns);
            for spoilt in Spoilt::ALL.into_iter().filter(|spoilt| spoilt.applies(row)) {
                let stand_in = lender.stand_in(row, caller).await;
                // A missing thing is not theirs.
                let refused = match spoilt {
                    Spoilt::UnknownId => refusal(row, caller.role, false),
                    _ => refused,
                };
                // A malformed id is nobody's; the check of the loan's agent comes after the errors of the body.
                let refused = match refused {
                    Some((404 | 403, _)) if spoilt == Spoilt::BadId && allows(row, caller.role) => None,
                    Some((_, "not_the_loans_agent" | "not_the_customers_agent")) if spoilt != Spoilt::Not => None,
                    refused => refused,
                };
                let is_edit = is_an_admins_edit(row, caller.role, spoilt);
                let refused = if is_edit { Some((403, "forbidden")) } else { refused };
                if let Some((status, code)) = refused {
                    let reply = lender.call(row, &shot, &stand_in.session, Some(caller.role), spoilt).send().await;
                    expect(&reply, status, code, &format!("{spoilt:?}, {who}"));
                    called += 1;
                    continue;
                }
                let shot = if spoilt == Spoilt::Not { lender.shot(row).await } else { shot.clone() };
                let reply = lender.call(row, &shot, &stand_in.session, Some(caller.role), spoilt).send().await;
                called += 1;
                match spoilt {
                    Spoilt::Not => assert_eq!(reply.status, success(row), "{who}: {reply}"),
                    Spoilt::Unreadable if row.path.ends_with("/statements") => expect(&reply, 400, "not_xml", &who),
                    Spoilt::Unreadable => expect(&reply, 400, "not_json", &who),
                    Spoilt::AnotherType => expect(&reply, 415, "unsupported_media_type", &who),
                    Spoilt::UnknownField if needs_version(row) => expect(&reply, 428, "if_match_required", &who),
                    Spoilt::UnknownField => expect(&reply, 422, "validation_failed", &who),
                    Spoilt::BadId if row.path.contains("{id}") => expect(&reply, 400, "bad_id", &who),
                    Spoilt::BadId | Spoilt::UnknownId => expect(&reply, 404, "not_found", &who),
                }
            }
        }
    }
    assert!(called > 500, "{called} calls");
}

fn allows(row: &Operation, role: Role) -> bool {
    matches!(row.who, Who::Users(roles) if roles.contains(&role))
}

/// A key of an admin other than those who make things for requests, with every scope but those given.
async fn key_without(lender: &Lender, maker: &User, role: Role, but: Option<&str>) -> Session {
    let scopes: Vec<String> =
        Scope::all().map(|scope| scope.to_string()).filter(|it| Some(it.as_str()) != but).collect();
    let body = json!({"name": "a machine", "role": role.as_str(), "scopes": scopes});
    lender.api.as_(&maker.post("/api/keys").json(body).expect(201).await.text_of("key"))
}

/// With the scope that its row names, a key may what its role may; without it, and where the row names none, nothing:
/// whatever else is wrong with the request.
#[tokio::test]
async fn a_key_needs_the_scope_of_the_row_and_its_role() {
    let lender = Lender::new().await;
    let maker = lender.api.admin("maker").await;
    let mut with = Vec::new();
    for role in [Role::Agent, Role::Admin] {
        with.push((role, key_without(&lender, &maker, role, None).await));
    }
    let mut called = 0;
    for row in protected() {
        let shot = lender.shot(row).await;
        for (role, key) in &with {
            let who = format!("a key of role {} on {} {}", role.as_str(), row.method, row.path);
            let without = key_without(&lender, &maker, *role, row.scope).await;
            for spoilt in Spoilt::ALL.into_iter().filter(|spoilt| spoilt.applies(row)) {
                let code = if row.scope.is_some() { "scope_missing" } else { "not_for_keys" };
                let call = |key| lender.call(row, &shot, key, Some(*role), spoilt);
                expect(&call(&without).send().await, 403, code, &format!("{spoilt:?}, {who} without its scope"));
                if row.scope.is_none() {
                    expect(&call(key).send().await, 403, code, &format!("{spoilt:?}, {who}"));
                }
            }
            if row.scope.is_none() {
                continue;
            }
            let shot = lender.shot(row).await;
            let reply = lender.call(row, &shot, key, Some(*role), Spoilt::Not).send().await;
            match refusal(row, *role, false) {
                Some((status, code)) => expect(&reply, status, code, &who),
                None => assert_eq!(reply.status, success(row), "{who}: {reply}"),
            }
            called += 1;
        }
    }
    assert!(called > 100, "{called} calls");
}

/// The scope of a row is the tag of its operation, with what its method does.
#[test]
fn a_scope_is_a_tag_of_the_document() {
    let areas: BTreeSet<_> = Area::ALL.iter().map(|area| area.as_str()).collect();
    let tags = document::document()["tags"].as_array().unwrap();
    assert_eq!(areas, tags.iter().map(|tag| tag["name"].as_str().unwrap()).collect());
    for row in OPERATIONS {
        if let Some(scope) = row.scope {
            let access = if row.method == Method::GET { "read" } else { "write" };
            let tag = described(row)["tags"][0].as_str().unwrap();
            assert_eq!(scope, format!("{tag}:{access}"), "{} {}", row.method, row.path);
        }
    }
}

/// Operations open to anyone accept any token, good or bad.
#[tokio::test]
async fn what_is_open_to_anyone_asks_for_no_token() {
    let lender = Lender::new().await;
    let suspended = lender.fresh(Role::Agent, "suspended").await;
    let sessions = [
        lender.api.anyone(),
        lender.api.as_("not.a.token"),
        suspended.session.clone(),
        lender.other_customer.session.clone(),
    ];
    for row in OPERATIONS.iter().filter(|row| row.who == Who::Anyone) {
        for session in &sessions {
            let reply = lender.send(row, &lender.shot(row).await, session, Spoilt::Not).await;
            assert_eq!(reply.status, success(row), "{reply}");
        }
    }
}

#[tokio::test]
async fn agents_who_are_not_approved_and_suspended_users_cannot_log_in() {
    let lender = Lender::new().await;
    let users = [
        (Role::Agent, "pending", "agent_not_approved"),
        (Role::Agent, "rejected", "agent_not_approved"),
        (Role::Agent, "suspended", "account_suspended"),
        (Role::Customer, "suspended", "account_suspended"),
        (Role::Admin, "suspended", "account_suspended"),
    ];
    for (role, status, code) in users {
        let user = lender.fresh(role, status).await;
        let sessions = format!("SELECT count(*) FROM sessions WHERE user_id = '{}'", user.id);
        let before = lender.api.count(&sessions).await;
        let body = json!({"username": user.username, "password": PASSWORD});
        let reply = lender.api.anyone().post("/api/auth/login").json(body).refused(403, code).await;
        assert!(!reply.text.contains("access_token"), "{reply}");
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("{}:{PASSWORD}", user.username));
        let basic = lender.api.anyone().post("/api/auth/login").header("authorization", &format!("Basic {basic}"));
        basic.refused(403, code).await;
        assert_eq!(lender.api.count(&sessions).await, before, "{status}");
    }
}

#[tokio::test]
async fn too_much_is_told_before_who_asks_and_no_route_and_no_method_before_that() {
    let lender = Lender::new().await;
    let anyone = lender.api.anyone();
    let too_much = "x".repeat(64 * 1024 + 1);
    let methods =
        [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS, Method::TRACE];
    let paths: BTreeSet<_> = OPERATIONS.iter().map(|row| row.path).collect();
    for path in paths {
        let rows: Vec<_> = OPERATIONS.iter().filter(|row| row.path == path).collect();
        let shot = lender.shot(rows[0]).await;
        for method in &methods {
            let takes_more = path == "/api/repayments/batch" || path.ends_with("/statements");
            let too_much = if takes_more { &"x".repeat(1024 * 1024 + 1) } else { &too_much };
            let call = anyone.call(method.clone(), &shot.path).body("text/plain", too_much);
            if rows.iter().any(|row| row.method == method) {
                call.refused(413, "body_too_large").await;
                continue;
            }
            let reply = call.refused(405, "method_not_allowed").await;
            let mut allowed: BTreeSet<_> = rows.iter().map(|row| row.method.as_str()).collect();
            if allowed.contains("GET") {
                allowed.insert("HEAD");
            }
            assert_eq!(reply.header("allow").split(',').map(str::trim).collect::<BTreeSet<_>>(), allowed, "{reply}");
        }
    }
    // One byte less is let through to the next check.
    let body = format!("\"{}\"", "x".repeat(64 * 1024 - 2));
    anyone.post("/api/loans").raw_json(&body).refused(401, "unauthenticated").await;
    for session in [&anyone, &lender.admin.session] {
        let post = |path| session.post(path).body("text/plain", &too_much);
        for path in ["/api", "/api/nothing", "/api/loans/1/2/3", "/API/loans", "/api//loans", "//"] {
            post(path).refused(404, "not_found").await;
        }
        post("/").refused(405, "method_not_allowed").await;
        for path in ["/api/", "/api/loans/", "/health/"] {
            post(path).expect(308).await;
        }
    }
}

#[tokio::test]
async fn head_answers_as_get_does_without_the_body() {
    let lender = Lender::new().await;
    for row in OPERATIONS.iter().filter(|row| row.method == Method::GET) {
        let shot = lender.shot(row).await;
        for session in [&lender.api.anyone(), &lender.other_customer.session, &lender.admin.session] {
            let get = session.get(&shot.path).send().await;
            let head = session.call(Method::HEAD, &shot.path).send().await;
            assert_eq!((head.status, head.text.as_str()), (get.status, ""), "{head}");
            assert_eq!(head.optional_header("etag"), get.optional_header("etag"), "{head}");
            assert_eq!(head.optional_header("content-type"), get.optional_header("content-type"), "{head}");
        }
    }
}

/// A customer learns nothing of other customers' loans: not by lists, filters, pages, histories, nor by another's
/// cursor or Idempotency-Key.
#[tokio::test]
async fn a_customer_sees_no_loan_of_another() {
    let lender = Lender::new().await;
    let (mine, theirs) = (&lender.customer, &lender.other_customer);
    let body = json!({"amount": "1200", "currency": "INR", "instalments": 6});
    let mut own = BTreeSet::new();
    for _ in 0..3 {
        lender.loan(&lender.agent).await;
        own.insert(theirs.post("/api/loans").json(body.clone()).expect(201).await.text_of("id"));
    }
    let id_of = |loan: &Value| loan["id"].as_str().unwrap().to_owned();
    let name = &mine.username;
    let filters = [
        String::new(),
        "status=pending".into(),
        "currency=INR&sort=-amount".into(),
        "sort=updated_at".into(),
        "product=microloan-inr".into(),
        "min_amount=1&currency=INR".into(),
    ];
    for filter in filters {
        for limit in [1, 2, 200] {
            let found = theirs.walk(&format!("/api/loans?{filter}&limit={limit}")).await;
            assert_eq!(found.iter().map(id_of).collect::<BTreeSet<_>>(), own, "{filter}, {limit}");
            assert_eq!(found.len(), 3, "{filter}, {limit}");
        }
    }
    for filter in
        [format!("borrower_id={name}"), format!("borrower_id={}", mine.id), format!("agent_id={}", lender.agent.id)]
    {
        let page = theirs.get(&format!("/api/loans?{filter}")).expect(200).await;
        assert_eq!((page.list().len(), page["next_cursor"].is_null()), (0, true), "{filter}: {page}");
    }

    let path = "/api/loans?limit=1";
    for other in [mine, &lender.agent, &lender.admin] {
        let cursor = other.get(path).expect(200).await.text_of("next_cursor");
        theirs.get(&format!("{path}&cursor={cursor}")).refused(400, "bad_cursor").await;
        // It is the caller's own that is bound, not the cursor that is broken.
        other.get(&format!("{path}&cursor={cursor}")).expect(200).await;
    }

    let first = mine.post("/api/loans").key("the same key").json(body.clone()).expect(201).await;
    let second = theirs.post("/api/loans").key("the same key").json(body.clone()).expect(201).await;
    assert_ne!(first["id"], second["id"]);
    assert_eq!(second["borrower_id"], json!(theirs.id));
    assert_eq!(second.optional_header("idempotency-replayed"), None);

    // Nor is an answer given again to whom it would not be given now.
    let repeat = || mine.post("/api/loans").key("the same key").json(body.clone());
    assert_eq!(repeat().expect(201).await["id"], first["id"]);
    lender.admin.post(&format!("/api/users/{}/suspend", mine.id)).expect(200).await;
    repeat().refused(401, "unauthenticated").await;
}
