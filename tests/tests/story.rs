//! The whole story of a lender, told over HTTP alone: people register, loans are applied for, forwarded, edited,
//! decided, listed and taken back, tokens end.
//!
//! Told in-process, to a system of its own. Where `STORY_BASE_URL` is set, to the server there, whose first admin
//! `STORY_ADMIN_USERNAME` and `STORY_ADMIN_PASSWORD` name: nobody else may be lending there meanwhile, since statistics
//! are compared; names are new in each run, so that the story can be told to one server again.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what goes wrong here is a test that fails")]

use std::env;

use axum::http::Method;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tests::{Api, ApiOptions, Client, Session};
use uuid::Uuid;

const PASSWORD: &str = "correct horse battery";

const FIRST_ADMIN: (&str, &str) = ("the.first", "a password for the first");

#[tokio::test]
async fn the_story() {
    if let Ok(base_url) = env::var("STORY_BASE_URL") {
        let variable = |name: &str| env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
        let (username, password) = (variable("STORY_ADMIN_USERNAME"), variable("STORY_ADMIN_PASSWORD"));
        return Story::new(Client::http(&base_url), &username, &password).await.tell().await;
    }
    let api = Api::with(ApiOptions { first_admin: Some(&FIRST_ADMIN), ..ApiOptions::default() }).await;
    Story::new(api.client.clone(), FIRST_ADMIN.0, FIRST_ADMIN.1).await.tell().await;
    // Visible only in the database: each step was recorded.
    assert!(api.count("SELECT count(*) FROM audit_log").await > 40);
}

/// Someone who has registered.
struct Person {
    id: String,
    username: String,
}

/// Code shared by the chapters.
struct Story {
    client: Client,
    anyone: Session,
    admin: Session,
    /// Makes this run's names new.
    tag: String,
}

impl Story {
    async fn new(client: Client, admin: &str, password: &str) -> Self {
        let anyone = client.anyone();
        let login = anyone.post("/api/auth/login").json(json!({"username": admin, "password": password}));
        let admin = client.as_(&login.expect(200).await.text_of("access_token"));
        let tag = Uuid::now_v7().simple().to_string()[20..].to_owned();
        Self { client, anyone, admin, tag }
    }

    async fn tell(&self) {
        self.the_service_describes_itself().await;
        let (customer, as_customer) = self.a_customer_registers("usr_india_999").await;
        let (other, as_other) = self.a_customer_registers("usr_india_998").await;
        let (agent, as_agent) = self.an_agent_is_approved().await;
        self.an_application_is_edited_and_approved(&customer, &as_customer, &agent, &as_agent, &as_other).await;
        self.a_customer_applies_and_takes_it_back(&customer, &as_customer, &agent, &as_agent).await;
        self.a_request_sent_twice_makes_one_loan(&customer, &as_agent).await;
        self.a_loan_is_paid_out_and_back(&customer, &as_customer, &as_agent, &as_other).await;
        self.lists_are_filtered_sorted_and_paged(&other, &as_other, &agent, &as_agent).await;
        self.products_have_versions().await;
        self.whatever_is_wrong_is_told_as_a_problem(&as_customer).await;
        self.tokens_end(&customer, &as_customer).await;
        self.a_suspended_agent_is_shut_out_at_once(&agent, &as_agent).await;
    }

    /// Money: paid out, paid back in part, closed by a settlement, read by whom it concerns and by nobody else.
    async fn a_loan_is_paid_out_and_back(
        &self,
        customer: &Person,
        as_customer: &Session,
        as_agent: &Session,
        as_other: &Session,
    ) {
        let body = json!({"borrower_id": customer.username, "amount": "1200", "currency": "INR", "term_months": 6,
            "interest_rate_apr": "24"});
        let loan = as_agent.post("/api/loans").json(body).expect(201).await;
        let path = format!("/api/loans/{}", loan.text_of("id"));
        let disburse = || {
            let call = self.admin.post(&format!("{path}/disbursements")).key("disbursement");
            call.json(json!({"disbursed_on": "2024-01-15"}))
        };
        disburse().refused(409, "not_approved").await;
        self.admin.post(&format!("{path}/approve")).if_match(1).expect(200).await;
        disburse().expect(201).await;
        let pay = |key: &str, amount: &str, on: &str| {
            let call = as_agent.post(&format!("{path}/repayments")).key(key);
            call.json(json!({"amount": amount, "paid_on": on, "channel": "cash"}))
        };
        let payment = pay("first", "214.23", "2024-02-15").expect(201).await;
        let nothing = "0.00";
        let allocation = json!({"penalty": nothing, "fee": nothing, "interest": "24.00", "principal": "190.23",
            "overpayment": nothing});
        assert_eq!((&payment["allocation"], &payment["balance"]), (&allocation, &json!("1009.77")));
        // Sent again it counts once.
        let again = pay("first", "214.23", "2024-02-15").expect(201).await;
        assert_eq!((again.header("idempotency-replayed"), &again.body), ("true", &payment.body));
        let settlement = as_customer.get(&format!("{path}/settlement?on=2024-02-15")).expect(200).await;
        assert_eq!(settlement["total"], "1009.77");
        pay("last", "1009.77", "2024-02-15").expect(201).await;
        assert_eq!(as_customer.get(&path).expect(200).await["status"], "repaid");
        let earlier = as_customer.get(&format!("{path}?as_of=2024-02-14")).expect(200).await;
        assert_eq!((&earlier["status"], &earlier["outstanding"]), (&json!("disbursed"), &json!("1200.00")));
        for part in ["transactions", "ledger", "statement"] {
            assert_eq!(as_customer.get(&format!("{path}/{part}")).expect(200).await.list().len(), 3, "{part}");
            as_other.get(&format!("{path}/{part}")).refused(404, "not_found").await;
            let csv = as_agent.get(&format!("{path}/{part}")).header("accept", "text/csv").expect(200).await;
            assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
        }
    }

    async fn the_service_describes_itself(&self) {
        let health = self.anyone.get("/health").expect(200).await;
        assert_eq!(health["status"], "ok");
        assert!(health["version"].is_string());
        assert_eq!(self.anyone.get("/health/ready").expect(200).await["checks"]["database"], "ok");
        let document = self.anyone.get("/openapi.json").expect(200).await;
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        assert!(document["paths"]["/api/loans/{id}/approve"]["post"].is_object());
        for page in ["/docs", "/desk"] {
            let page = self.anyone.get(page).expect(200).await;
            assert!(page.header("content-type").starts_with("text/html"));
        }
    }

    fn named(&self, name: &str) -> String {
        format!("{name}_{}", self.tag)
    }

    async fn register(&self, name: &str, role: &str, status: &str) -> Person {
        let username = self.named(name);
        let registration = json!({"username": username, "password": PASSWORD, "role": role, "full_name": "Asha Patel",
            "email": format!("{username}@example.com"), "phone": "+919812345678"});
        let user = self.anyone.post("/api/auth/register").json(registration).expect(201).await;
        assert_eq!(
            (&user["username"], &user["role"], &user["status"]),
            (&json!(username), &json!(role), &json!(status))
        );
        Person { id: user.text_of("id"), username }
    }

    async fn log_in(&self, person: &Person) -> Session {
        let login = json!({"username": person.username, "password": PASSWORD});
        let answer = self.anyone.post("/api/auth/login").json(login).expect(200).await;
        assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("Bearer"), &json!(3600)));
        assert_eq!(answer["user"]["id"], person.id);
        self.client.as_(&answer.text_of("access_token"))
    }

    async fn a_customer_registers(&self, name: &str) -> (Person, Session) {
        let person = self.register(name, "customer", "active").await;
        let session = self.log_in(&person).await;
        assert_eq!(session.get("/api/auth/me").expect(200).await["username"], person.username);
        (person, session)
    }

    async fn an_agent_is_approved(&self) -> (Person, Session) {
        let agent = self.register("agent", "agent", "pending").await;
        let login = || self.anyone.post("/api/auth/login");
        let credentials = json!({"username": agent.username, "password": PASSWORD});
        login().json(credentials).refused(403, "agent_not_approved").await;
        let basic = STANDARD.encode(format!("{}:{PASSWORD}", agent.username));
        login().header("authorization", &format!("Basic {basic}")).refused(403, "agent_not_approved").await;

        let pending = format!("/api/agents?status=pending&q={}", agent.username);
        let agents = self.admin.get(&pending).expect(200).await;
        assert_eq!(agents.list()[0]["id"], agent.id);
        let approve = format!("/api/agents/{}/approve", agent.id);
        assert_eq!(self.admin.post(&approve).expect(200).await["status"], "active");
        assert!(self.admin.get(&pending).expect(200).await.list().is_empty());
        self.admin.post(&approve).refused(409, "agent_not_pending").await;

        let answer = login().header("authorization", &format!("Basic {basic}")).expect(200).await;
        let session = self.client.as_(&answer.text_of("access_token"));
        (agent, session)
    }

    /// Loans and their sum in INR, in hundredths, and all loans by status.
    async fn statistics(&self) -> (i64, i64, Value) {
        let statistics = self.admin.get("/api/stats").expect(200).await;
        let inr = &statistics["by_currency"]["INR"];
        let sum = inr["total_amount"].as_str().unwrap_or("0.00").replace('.', "").parse().unwrap();
        (inr["loans"].as_i64().unwrap_or(0), sum, statistics["by_status"].clone())
    }

    async fn an_application_is_edited_and_approved(
        &self,
        customer: &Person,
        as_customer: &Session,
        agent: &Person,
        as_agent: &Session,
        as_other: &Session,
    ) {
        let (loans, sum, by_status) = self.statistics().await;
        let body = format!(
            r#"{{"borrower_id":"{}","amount":12000.50,"currency":"INR","term_months":6,"interest_rate_apr":24.0}}"#,
            customer.username
        );
        let loan = as_agent.post("/api/loans").raw_json(&body).expect(201).await;
        let path = format!("/api/loans/{}", loan.text_of("id"));
        assert_eq!(loan.header("location"), path);
        assert_eq!(loan.version(), 1);
        for (field, value) in [
            ("status", "pending"),
            ("amount", "12000.50"),
            ("currency", "INR"),
            ("interest_rate_apr", "24.00"),
            ("product", "microloan-inr"),
            ("borrower_id", &customer.id),
            ("borrower_username", &customer.username),
            ("agent_id", &agent.id),
            ("created_by", &agent.id),
            // 12,000.50 at 2 % a month in 6 instalments: 12,000.50 x 0.02 / (1 - 1.02^-6) = 2,142.40, the last a cent
            // less.
            ("instalment", "2142.40"),
            ("total_interest", "853.89"),
            ("total_due", "12854.39"),
        ] {
            assert_eq!(loan[field], value, "{field} of {loan}");
        }
        assert_eq!(loan["term_months"], 6);

        let edit = || as_agent.patch(&path);
        let change = json!({"amount": "15000.25", "term_months": 9, "reason": "income confirmed"});
        edit().json(change.clone()).refused(428, "if_match_required").await;
        let edited = edit().if_match(1).json(change).expect(200).await;
        assert_eq!((edited.version(), &edited["amount"]), (2, &json!("15000.25")));
        assert_ne!(edited["instalment"], loan["instalment"]);
        edit().if_match(1).json(json!({"amount": "1"})).refused(412, "stale_version").await;

        self.the_schedule_is_a_projection(&path, as_customer).await;
        self.the_history_shows_both_versions(&path, as_customer).await;
        assert_eq!(as_customer.get(&path).expect(200).await.version(), 2);
        for part in ["", "/history", "/schedule"] {
            as_other.get(&format!("{path}{part}")).refused(404, "not_found").await;
        }

        let approve = || self.admin.post(&format!("{path}/approve"));
        approve().refused(428, "if_match_required").await;
        approve().if_match(1).refused(412, "stale_version").await;
        let approved = approve().if_match(2).json(json!({"reason": "known to us"})).expect(200).await;
        assert_eq!((approved.version(), &approved["status"]), (3, &json!("approved")));
        assert_eq!(approved["decision_reason"], "known to us");
        edit().if_match(3).json(json!({"amount": "1"})).refused(409, "not_editable").await;
        approve().if_match(3).refused(409, "not_pending").await;

        let (more_loans, larger_sum, now_by_status) = self.statistics().await;
        assert_eq!((more_loans - loans, larger_sum - sum), (1, 1_500_025));
        let of = |by_status: &Value, status: &str| by_status[status].as_i64().unwrap();
        assert_eq!(of(&now_by_status, "approved") - of(&by_status, "approved"), 1);
        assert_eq!(of(&now_by_status, "pending"), of(&by_status, "pending"));
        assert_eq!(by_status.as_object().unwrap().len(), 7);
        as_customer.get("/api/stats").refused(403, "forbidden").await;
    }

    async fn the_schedule_is_a_projection(&self, path: &str, as_customer: &Session) {
        let schedule = as_customer.get(&format!("{path}/schedule")).expect(200).await;
        assert_eq!(schedule["projection"], true);
        let rows = schedule["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 9);
        let hundredths = |value: &Value| value.as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
        for (sum, part) in [("principal", "principal"), ("interest", "interest"), ("due", "due")] {
            let rows: i64 = rows.iter().map(|row| hundredths(&row[part])).sum();
            assert_eq!(hundredths(&schedule["totals"][sum]), rows, "{sum}");
        }
        assert_eq!(schedule["totals"]["principal"], "15000.25");
        assert_eq!(rows[8]["balance"], "0.00");
    }

    async fn the_history_shows_both_versions(&self, path: &str, as_customer: &Session) {
        let history = as_customer.get(&format!("{path}/history")).expect(200).await;
        let [second, first] = history.list() else { panic!("{history}") };
        assert_eq!((&first["version"], &first["action"]), (&json!(1), &json!("create")));
        assert_eq!(first["state"]["amount"], "12000.50");
        assert_eq!((&second["version"], &second["action"]), (&json!(2), &json!("edit")));
        assert_eq!(second["changed"], json!(["amount", "term_months"]));
        assert_eq!(second["reason"], "income confirmed");
        assert_eq!((&second["state"]["amount"], &second["state"]["term_months"]), (&json!("15000.25"), &json!(9)));
    }

    async fn a_customer_applies_and_takes_it_back(
        &self,
        customer: &Person,
        as_customer: &Session,
        agent: &Person,
        as_agent: &Session,
    ) {
        let apply = |body: Value| as_customer.post("/api/loans").json(body);
        let body = json!({"amount": "5000", "currency": "KES", "instalments": 3});
        apply(json!({"amount": "5000", "currency": "KES", "interest_rate_apr": "1"}))
            .invalid(&[("/interest_rate_apr", "not_allowed")])
            .await;
        apply(json!({"amount": "5000", "currency": "KES", "borrower_id": agent.username}))
            .refused(403, "not_yourself")
            .await;
        self.admin.post("/api/loans").json(body.clone()).refused(403, "forbidden").await;
        let loan = apply(body).expect(201).await;
        assert_eq!((&loan["borrower_id"], &loan["agent_id"]), (&json!(customer.id), &Value::Null));
        assert_eq!((&loan["product"], &loan["interest_rate_apr"]), (&json!("microloan-kes"), &json!("24.00")));
        let path = format!("/api/loans/{}", loan.text_of("id"));
        let step = |who: &Session, action: &str| who.post(&format!("{path}/{action}"));

        let forwarded = step(as_agent, "forward").json(json!({"note": "known to us for years"})).expect(200).await;
        assert_eq!((forwarded.version(), &forwarded["agent_id"]), (2, &json!(agent.id)));
        step(as_agent, "forward").refused(409, "already_forwarded").await;

        step(&self.admin, "reject").if_match(2).invalid(&[("/reason", "required")]).await;
        let reason = |reason: &str| json!({"reason": reason});
        let rejected = step(&self.admin, "reject").if_match(2).json(reason("income too low")).expect(200).await;
        assert_eq!((&rejected["status"], &rejected["decision_reason"]), (&json!("rejected"), &json!("income too low")));
        let resubmitted = as_agent.patch(&path).if_match(3).json(json!({})).expect(200).await;
        assert_eq!((resubmitted.version(), &resubmitted["status"]), (4, &json!("pending")));
        assert_eq!(resubmitted["decided_by"], Value::Null);

        as_agent.patch(&path).if_match(4).json(json!({"amount": "6000"})).expect(200).await;
        let back = json!({"version": 1, "reason": "entered by mistake"});
        let reverted = step(as_agent, "revert").if_match(5).json(back).expect(200).await;
        assert_eq!((reverted.version(), &reverted["amount"]), (6, &json!("5000.00")));

        step(&self.admin, "approve").if_match(6).expect(200).await;
        let undone = step(&self.admin, "undo-approval").json(reason("entered twice")).expect(200).await;
        assert_eq!((undone.version(), &undone["status"]), (8, &json!("pending")));
        let withdrawn = step(as_customer, "withdraw").json(reason("not needed any more")).expect(200).await;
        assert_eq!((withdrawn.version(), &withdrawn["status"]), (9, &json!("withdrawn")));
        step(as_agent, "withdraw").refused(409, "not_withdrawable").await;

        let history = as_customer.walk(&format!("{path}/history?limit=4")).await;
        let actions: Vec<_> = history.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
        let all = ["withdraw", "undo_approval", "approve", "revert", "edit", "edit", "reject", "forward", "create"];
        assert_eq!(actions, all);
    }

    async fn a_request_sent_twice_makes_one_loan(&self, customer: &Person, as_agent: &Session) {
        let key = self.named("key");
        let apply = |amount: &str| {
            let body = json!({"borrower_id": customer.id, "amount": amount, "currency": "PHP", "term_months": 6});
            as_agent.post("/api/loans").key(&key).json(body)
        };
        let first = apply("21000").expect(201).await;
        let second = apply("21000").expect(201).await;
        assert_eq!(first.optional_header("idempotency-replayed"), None);
        assert_eq!(second.header("idempotency-replayed"), "true");
        assert_eq!((&first.text, first.header("location")), (&second.text, second.header("location")));
        assert_eq!(second.version(), 1);
        apply("22000").refused(422, "idempotency_key_reused").await;
        let list = as_agent.get(&format!("/api/loans?borrower_id={}&currency=PHP", customer.username));
        assert_eq!(list.expect(200).await.list().len(), 1);
    }

    async fn lists_are_filtered_sorted_and_paged(
        &self,
        customer: &Person,
        as_customer: &Session,
        agent: &Person,
        as_agent: &Session,
    ) {
        assert!(as_customer.get("/api/loans").expect(200).await.list().is_empty());
        let mut newest_first = Vec::new();
        for amount in ["8400", "8400", "9000", "100", "50000"] {
            let body = json!({"borrower_id": customer.username, "amount": amount, "currency": "VND", "term_months": 4});
            newest_first.insert(0, as_agent.post("/api/loans").json(body).expect(201).await.text_of("id"));
        }
        let ids = |loans: &[Value]| -> Vec<String> {
            loans.iter().map(|loan| loan["id"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(ids(&as_customer.walk("/api/loans?limit=2").await), newest_first);
        let name = &customer.username;
        let oldest_first = as_agent.walk(&format!("/api/loans?borrower_id={name}&sort=created_at&limit=3")).await;
        assert_eq!(ids(&oldest_first).into_iter().rev().collect::<Vec<_>>(), newest_first);
        let query = format!("/api/loans?borrower_id={name}&agent_id=me&status=NEW,approved&currency=VND");
        let largest_first = as_agent.walk(&format!("{query}&min_amount=8400&sort=-amount&limit=2")).await;
        let amounts: Vec<_> = largest_first.iter().map(|loan| loan["amount"].as_str().unwrap()).collect();
        assert_eq!(amounts, ["50000", "9000", "8400", "8400"]);
        for empty in ["status=rejected", "currency=INR", "created_to=2020-01-01", "product=home"] {
            let list = as_agent.get(&format!("/api/loans?borrower_id={name}&{empty}")).expect(200).await;
            assert!(list.list().is_empty(), "{list}");
        }
        let page = as_agent.get(&format!("/api/loans?borrower_id={name}&limit=2")).expect(200).await;
        let cursor = page.text_of("next_cursor");
        self.admin.get(&format!("/api/loans?borrower_id={name}&cursor={cursor}")).refused(400, "bad_cursor").await;

        let requests = self.admin.walk(&format!("/api/agents/{}/requests?limit=3", agent.id)).await;
        assert_eq!(ids(&requests)[..5], newest_first);
    }

    async fn products_have_versions(&self) {
        let catalogue = self.anyone.walk("/api/products?limit=4").await;
        for code in ["microloan-kes", "microloan-inr", "microloan-ngn", "microloan-vnd", "microloan-php", "home"] {
            assert!(catalogue.iter().any(|product| product["code"] == code), "{code}");
        }
        let code = self.named("school-fees").replace('_', "-");
        let product = json!({"code": code, "name": "School fees", "currency": "KES", "min_amount": "100",
            "max_amount": "20000", "min_instalments": 1, "max_instalments": 12, "min_rate_apr": "10",
            "max_rate_apr": "30", "terms": {"interest_rate_apr": "18", "instalments": 3}});
        let made = self.admin.post("/api/products").json(product.clone()).expect(201).await;
        assert_eq!((made.version(), made.header("location")), (1, &*format!("/api/products/{code}")));
        self.admin.post("/api/products").json(product).refused(409, "product_code_taken").await;
        let path = format!("/api/products/{code}");
        let change = json!({"max_amount": "25000"});
        self.admin.patch(&path).json(change.clone()).refused(428, "if_match_required").await;
        assert_eq!(self.admin.patch(&path).if_match(1).json(change.clone()).expect(200).await.version(), 2);
        self.admin.patch(&path).if_match(1).json(change).refused(412, "stale_version").await;
        assert_eq!(self.anyone.get(&path).expect(200).await["max_amount"], "25000.00");
    }

    async fn whatever_is_wrong_is_told_as_a_problem(&self, as_customer: &Session) {
        for path in ["/nothing", "/api", "/api/nothing", "/api/auth", "/api/loans/a/b/c", "/health/x"] {
            self.anyone.get(path).refused(404, "not_found").await;
        }
        for (method, path) in [
            (Method::DELETE, "/api/loans"),
            (Method::PUT, "/api/products"),
            (Method::GET, "/api/auth/login"),
            (Method::POST, "/health"),
        ] {
            let refused = self.anyone.call(method, path).refused(405, "method_not_allowed").await;
            assert!(!refused.header("allow").is_empty());
        }
        as_customer.get("/api/loans/not-an-id").refused(400, "bad_id").await;
        as_customer.get(&format!("/api/loans/{}", Uuid::now_v7())).refused(404, "not_found").await;
        self.anyone.get("/api/products/no%20such%20product").refused(404, "not_found").await;
        for (query, error) in [
            ("limit=0", ("/limit", "out_of_range")),
            ("colour=red", ("/colour", "unknown_field")),
            ("status=none", ("/status", "unknown_value")),
            ("status=%FF%zz%26", ("/status", "unknown_value")),
            ("created_from=2026-02-30", ("/created_from", "not_a_date")),
            ("created_from=2026-03-02&created_to=2026-03-01", ("/created_from", "after_end")),
        ] {
            as_customer.get(&format!("/api/loans?{query}")).invalid(&[error]).await;
        }
        let apply = || as_customer.post("/api/loans");
        apply().raw_json(r#"{"amount": 1"#).refused(400, "not_json").await;
        apply().body("text/plain", "{}").refused(415, "unsupported_media_type").await;
        let compressed = apply().json(json!({})).header("content-encoding", "gzip");
        compressed.refused(415, "unsupported_media_type").await;
        let body = json!({"amount": "1.234", "currency": "INR"});
        apply().json(body).invalid(&[("/amount", "too_many_decimals")]).await;
        apply()
            .json(json!({"amount": "1", "currency": "INR", "colour": 1}))
            .invalid(&[("/colour", "unknown_field")])
            .await;
        apply().json(json!({"amount": "x".repeat(70_000)})).refused(413, "body_too_large").await;
        self.anyone.post("/api/loans").raw_json("{").refused(401, "unauthenticated").await;
        let mut forged = as_customer.token().to_owned();
        forged.truncate(forged.len() - 4);
        self.client.as_(&forged).get("/api/loans").refused(401, "unauthenticated").await;
    }

    async fn tokens_end(&self, customer: &Person, as_customer: &Session) {
        let (second, third) = (self.log_in(customer).await, self.log_in(customer).await);
        let me = "/api/auth/me";
        second.post("/api/auth/logout").expect(204).await;
        second.get(me).refused(401, "unauthenticated").await;
        as_customer.get(me).expect(200).await;
        let new_password = json!({"current_password": PASSWORD, "new_password": "another horse battery"});
        third.put("/api/auth/password").json(new_password).expect(204).await;
        third.get(me).expect(200).await;
        as_customer.get(me).refused(401, "unauthenticated").await;
        let old = json!({"username": customer.username, "password": PASSWORD});
        self.anyone.post("/api/auth/login").json(old).refused(401, "invalid_credentials").await;
        third.post("/api/auth/logout?all=true").expect(204).await;
        third.get(me).refused(401, "unauthenticated").await;
    }

    async fn a_suspended_agent_is_shut_out_at_once(&self, agent: &Person, as_agent: &Session) {
        as_agent.get("/api/loans?limit=1").expect(200).await;
        let user = format!("/api/users/{}", agent.id);
        let reason = json!({"reason": "under investigation"});
        let suspended = self.admin.post(&format!("{user}/suspend")).json(reason).expect(200).await;
        assert_eq!(suspended["status"], "suspended");
        as_agent.get("/api/loans?limit=1").refused(401, "unauthenticated").await;
        let login = json!({"username": agent.username, "password": PASSWORD});
        self.anyone.post("/api/auth/login").json(login).refused(403, "account_suspended").await;
        self.admin.post(&format!("{user}/reactivate")).expect(200).await;
        as_agent.get("/api/loans?limit=1").refused(401, "unauthenticated").await;
        self.log_in(agent).await.get("/api/loans?limit=1").expect(200).await;
        let entries = format!("/api/audit?subject=user:{}&action=user.suspend", agent.id);
        let entries = self.admin.get(&entries).expect(200).await;
        assert_eq!(entries.list().len(), 1, "{entries}");
        assert_eq!(entries.list()[0]["detail"]["reason"], "under investigation");
    }
}
