//! Bodies: all errors of a body are reported at once, an empty one counts as one without fields, 6.0 is a whole number.

use axum::http::Method;
use backend::domain::{loan::LoanStatus, users::Role};
use local::operations::OPERATIONS;
use serde_json::{Value, json};
use tests::document::{document, resolve};

use crate::{
    permissions::{Lender, Spoilt, refusal},
    world::{World, path},
};

#[tokio::test]
async fn all_that_is_wrong_with_a_body_is_told_at_once() {
    let world = World::new().await;
    let registration = json!({"username": "x", "password": "short", "email": "none", "phone": "1", "role": "admin",
        "full_name": " ", "colour": "red"});
    let errors = [
        ("/username", "not_a_username"),
        ("/password", "too_short"),
        ("/email", "not_an_email_address"),
        ("/phone", "not_a_phone_number"),
        ("/role", "unknown_value"),
        ("/full_name", "blank"),
        ("/colour", "unknown_field"),
    ];
    // Errors come in the order of the body, which `json!` sorts by name.
    let mut errors = errors;
    errors.sort_unstable();
    world.anyone().post("/api/auth/register").json(registration).invalid(&errors).await;

    let loan = r#"{"amount": "a", "currency": "XXX", "term_months": 0, "instalments": 601, "interest_rate_apr": 1001}"#;
    let errors = [
        ("/amount", "not_a_number"),
        ("/currency", "unknown_currency"),
        ("/term_months", "out_of_range"),
        ("/instalments", "out_of_range"),
        ("/interest_rate_apr", "too_large"),
    ];
    let with_role = [&errors[..], &[("/borrower_id", "required")]].concat();
    world.agent.post("/api/loans").raw_json(loan).invalid(&with_role).await;
    // A field that a customer may not set is reported once, at its place.
    world.customer.post("/api/loans").raw_json(loan).invalid(&errors).await;
    let rate = r#"{"amount": "a", "interest_rate_apr": 1}"#;
    let errors = [("/amount", "not_a_number"), ("/currency", "required"), ("/interest_rate_apr", "not_allowed")];
    world.customer.post("/api/loans").raw_json(rate).invalid(&errors).await;

    // Deep down too, and each thing of a list at its place.
    let quote = r#"{"amount": -1, "currency": "INR", "terms": {"interest_rate_apr": "x", "instalments": 6.5, "lost": 1,
        "grace": {"principal": -1, "interest_free": "1"}, "late_fee": {"value": 1, "max_times": 601},
        "fees": [{"code": "a", "amount": 1}, {"code": "", "amount": "1e3"}, 7], "repay_every": 0},
            "disbursed_on": "x"}"#;
    let errors = [
        ("/amount", "not_a_number"),
        ("/terms/interest_rate_apr", "not_a_number"),
        ("/terms/instalments", "wrong_type"),
        ("/terms/lost", "unknown_field"),
        ("/terms/grace/principal", "out_of_range"),
        ("/terms/grace/interest_free", "wrong_type"),
        ("/terms/late_fee/max_times", "out_of_range"),
        ("/terms/fees/1/code", "not_a_name"),
        ("/terms/fees/1/amount", "not_a_number"),
        ("/terms/fees/2", "wrong_type"),
        ("/terms/repay_every", "not_positive"),
        ("/disbursed_on", "not_a_date"),
    ];
    world.anyone().post("/api/quotes").raw_json(quote).invalid(&errors).await;

    let flows = r#"{"method": "none", "unit_period": {}, "advances": [{}, {"on": "1978-01-10"}], "payments": 1}"#;
    let errors = [
        ("/method", "unknown_value"),
        ("/unit_period/every", "required"),
        ("/unit_period/unit", "required"),
        ("/advances/0/on", "required"),
        ("/advances/0/amount", "required"),
        ("/advances/1/amount", "required"),
        ("/payments", "wrong_type"),
    ];
    world.anyone().post("/api/quotes/apr").raw_json(flows).invalid(&errors).await;
    let many = vec!["{}"; 1000].join(",");
    let many = format!(r#"{{"method": "eu", "unit_period": 1, "advances": [{many}], "payments": []}}"#);
    let told = world.anyone().post("/api/quotes/apr").raw_json(&many).refused(422, "validation_failed").await;
    assert_eq!(told.errors().len(), 100);
}

#[tokio::test]
async fn what_is_wrong_between_fields_is_told_where_the_fields_are_right() {
    let world = World::new().await;
    let both =
        json!({"amount": "1.234", "currency": "INR", "instalments": 6, "term_months": 6, "interest_rate_apr": 1});
    let errors =
        [("/interest_rate_apr", "not_allowed"), ("/amount", "too_many_decimals"), ("/term_months", "either_or")];
    world.customer.post("/api/loans").json(both.clone()).invalid(&errors).await;
    let mut wrong = both;
    wrong["term_months"] = json!("6");
    let errors = [("/term_months", "wrong_type"), ("/interest_rate_apr", "not_allowed")];
    world.customer.post("/api/loans").json(wrong).invalid(&errors).await;

    let loan = world.loan(LoanStatus::Disbursed).await;
    let pay = |body: Value| world.agent.post(&format!("{loan}/repayments")).key("k").json(body);
    let errors = [("/amount", "too_many_decimals"), ("/paid_on", "in_the_future")];
    pay(json!({"amount": "1.234", "paid_on": "2200-01-01"})).invalid(&errors).await;
    pay(json!({"amount": "1.234", "paid_on": "x"})).invalid(&[("/paid_on", "not_a_date")]).await;
    let item = json!({"loan_id": "x", "amount": "", "paid_on": "x"});
    let batch = world.agent.post("/api/repayments/batch").json(json!({"items": [item]})).expect(200).await;
    let errors = batch["data"][0]["problem"]["errors"].as_array().unwrap();
    let pointers: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/amount", "/loan_id", "/paid_on", "/idempotency_key"]);

    let quote = json!({"amount": "1.234", "currency": "INR", "terms": {"interest_rate_apr": 1, "instalments": 2,
        "grace": {"principal": 2}}});
    let errors = [("/amount", "too_many_decimals"), ("/terms/grace/principal", "not_below_instalments")];
    world.anyone().post("/api/quotes").json(quote).invalid(&errors).await;
}

/// False for what a provider sends, which a hook takes as it is, and for a file.
fn is_ours(path: &str, body: &Value) -> bool {
    !path.starts_with("/api/hooks/") && body["content"].get("application/json").is_some()
}

/// Of every operation: the fields that the document says must be there are asked for at once.
#[tokio::test]
async fn all_fields_that_are_missing_are_asked_for_at_once() {
    let lender = Lender::new().await;
    for row in OPERATIONS {
        let operation = &document()["paths"][row.path][row.method.as_str().to_ascii_lowercase()];
        let Some(body) = operation.get("requestBody").filter(|body| is_ours(row.path, body)) else { continue };
        let schema = resolve(&body["content"]["application/json"]["schema"]);
        let mut callers = lender.callers().into_iter();
        let (caller, _) = callers.find(|(caller, owns)| refusal(row, caller.role, *owns).is_none()).unwrap();
        let required = schema["required"].as_array().into_iter().flatten();
        let mut expected: Vec<_> =
            required.map(|name| (format!("/{}", name.as_str().unwrap()), "required".to_owned())).collect();
        expected.push(("/no field".into(), "unknown_field".into()));
        if row.path == "/api/loans" && caller.role == Role::Agent {
            expected.push(("/borrower_id".into(), "required".into()));
        }
        expected.sort_unstable();
        let mut shot = lender.shot(row).await;
        shot.body = Some(json!({"no field": 1}));
        let stand_in = lender.stand_in(row, caller).await;
        let reply = lender.call(row, &shot, &stand_in.session, Some(caller.role), Spoilt::Not).send().await;
        let mut told: Vec<_> =
            reply.errors().into_iter().map(|(pointer, code)| (pointer.to_owned(), code.to_owned())).collect();
        told.sort_unstable();
        assert_eq!(told, expected, "{reply}");
    }
}

/// Of every operation: where no field must be there, an empty body is taken whatever its content type, as generated
/// clients send it; elsewhere it is refused.
#[tokio::test]
async fn an_empty_body_has_no_fields_whatever_its_content_type() {
    let lender = Lender::new().await;
    let mut taken = 0;
    for row in OPERATIONS {
        let operation = &document()["paths"][row.path][row.method.as_str().to_ascii_lowercase()];
        let Some(body) = operation.get("requestBody").filter(|body| is_ours(row.path, body)) else { continue };
        let schema = resolve(&body["content"]["application/json"]["schema"]);
        let is_optional = schema["required"].as_array().is_none_or(Vec::is_empty);
        let mut callers = lender.callers().into_iter();
        let (caller, _) = callers.find(|(caller, owns)| refusal(row, caller.role, *owns).is_none()).unwrap();
        for (content_type, status) in [
            ("application/json", 400),
            ("application/x-www-form-urlencoded", 415),
            ("text/plain; charset=utf-8", 415),
            ("multipart/form-data; boundary=x", 415),
            ("", 415),
        ] {
            let mut shot = lender.shot(row).await;
            shot.body = None;
            let stand_in = lender.stand_in(row, caller).await;
            let call = lender.call(row, &shot, &stand_in.session, Some(caller.role), Spoilt::Not);
            let reply = call.body(content_type, "").send().await;
            if (row.method.as_str(), row.path) == ("POST", "/api/customers") {
                // Each field may be missing, but not all ways to reach somebody.
                assert_eq!(reply.errors(), [("/email", "contact_required")], "{content_type}: {reply}");
            } else if is_optional {
                assert!((200..300).contains(&reply.status), "{content_type}: {reply}");
                taken += 1;
            } else {
                assert_eq!(reply.status, status, "{content_type}: {reply}");
            }
        }
    }
    assert!(taken > 20, "{taken}");
}

#[tokio::test]
async fn a_whole_number_may_be_written_with_a_point_and_zeros() {
    let world = World::new().await;
    let apply = |term: &str| {
        let body = format!(r#"{{"borrower_id": "the.customer", "amount": 10, "currency": "INR", {term}}}"#);
        world.agent.post("/api/loans").raw_json(&body)
    };
    let loan = apply(r#""term_months": 6.0"#).expect(201).await;
    assert_eq!(loan["term_months"], 6);
    apply(r#""instalments": 6.00"#).expect(201).await;
    for (number, code) in
        [("6.5", "wrong_type"), ("\"6\"", "wrong_type"), ("61e0", "wrong_type"), ("0.0", "out_of_range")]
    {
        apply(&format!(r#""instalments": {number}"#)).invalid(&[("/instalments", code)]).await;
    }
    let loan = path(&loan);
    world.agent.patch(&loan).if_match(1).raw_json(r#"{"instalments": 9.0}"#).expect(200).await;
    let revert = world.agent.post(&format!("{loan}/revert")).if_match(2);
    revert.raw_json(r#"{"version": 1.0, "reason": "r"}"#).expect(200).await;

    let terms = r#"{"interest_rate_apr": 24.0, "instalments": 6.0, "repay_every": 1.0, "grace": {"principal": 1.0},
        "late_fee": {"value": 1, "grace_days": 2.0, "max_times": 3.0}}"#;
    let quote = format!(r#"{{"amount": 100, "currency": "INR", "terms": {terms}}}"#);
    world.anyone().post("/api/quotes").raw_json(&quote).expect(200).await;
    let product = format!(
        r#"{{"code": "whole", "name": "W", "currency": "INR", "min_amount": 1, "max_amount": 2, "min_instalments": 1.0,
            "max_instalments": 12.0, "min_rate_apr": 0, "max_rate_apr": 100, "terms": {terms}}}"#
    );
    world.admin.post("/api/products").raw_json(&product).expect(201).await;
    let changed = r#"{"max_instalments": 9.0}"#;
    world.admin.patch("/api/products/whole").if_match(1).raw_json(changed).expect(200).await;
    let flows = r#"{"method": "reg_z", "unit_period": {"every": 1.0, "unit": "month"},
        "advances": [{"on": "1978-01-10", "amount": "5000.00"}],
            "payments": [{"on": "1978-02-10", "amount": "5100"}]}"#;
    world.anyone().post("/api/quotes/apr").raw_json(flows).expect(200).await;
    let paid = world.loan(LoanStatus::Disbursed).await;
    let due = world.agent.get(&format!("{paid}/schedule")).expect(200).await["rows"][5]["due_on"].clone();
    let rest = format!(r#"{{"from": {due}, "instalments": 2.0, "reason": "r"}}"#);
    world.admin.call(Method::POST, &format!("{paid}/reschedule")).key("k").raw_json(&rest).expect(201).await;
}

/// Text that shows nothing is blank, wherever a person reads it; what turns the direction of writing, and what breaks
/// the line, is refused where a text is one line.
#[tokio::test]
async fn text_that_shows_nothing_is_blank_and_one_line_runs_one_way() {
    let world = World::new().await;
    let loan = world.loan(LoanStatus::Disbursed).await;
    let repay = |field: &str, text: &str| {
        let mut body = json!({"amount": "1", "paid_on": "2024-02-15"});
        body[field] = json!(text);
        world.agent.post(&format!("{loan}/repayments")).key("k").json(body)
    };
    let charge = |text: &str| {
        let body = json!({"code": text, "kind": "fee", "amount": "1", "due_on": "2024-02-15"});
        world.admin.post(&format!("{loan}/charges")).key("k").json(body)
    };
    let name = |text: &str| world.customer.patch("/api/auth/me").json(json!({"full_name": text}));
    let product = |text: &str| world.admin.patch("/api/products/home").if_match(1).json(json!({"name": text}));
    let fee = |text: &str| {
        let terms = json!({"interest_rate_apr": 1, "instalments": 1, "fees": [{"code": text, "amount": 1}]});
        world.anyone().post("/api/quotes").json(json!({"amount": "10", "currency": "INR", "terms": terms}))
    };
    for blank in ["\u{200b}", "\u{3164}\u{3164}", "\u{2800}", "\u{ad}\u{feff}", " \u{2060} ", "\u{e0020}", "\u{ffa0}"] {
        for field in ["reference", "channel"] {
            repay(field, blank).invalid(&[(&format!("/{field}"), "blank")]).await;
        }
        charge(blank).invalid(&[("/code", "blank")]).await;
        name(blank).invalid(&[("/full_name", "blank")]).await;
        product(blank).invalid(&[("/name", "blank")]).await;
        fee(blank).invalid(&[("/terms/fees/0/code", "not_a_name")]).await;
        let reason = world.admin.post(&format!("/api/users/{}/suspend", world.agent.id)).json(json!({"reason": blank}));
        reason.invalid(&[("/reason", "blank")]).await;
    }
    let marks = ["\u{61c}", "\u{200e}", "\u{200f}", "\u{202a}", "\u{202e}", "\u{2066}", "\u{2069}"];
    for c in marks.into_iter().chain(["\u{2028}", "\u{2029}", "\u{85}", "\n", "\u{b}"]) {
        for text in [format!("a{c}b"), format!("ab{c}"), format!("{c}ab")] {
            for field in ["reference", "channel"] {
                repay(field, &text).invalid(&[(&format!("/{field}"), "control_character")]).await;
            }
            charge(&text).invalid(&[("/code", "control_character")]).await;
            name(&text).invalid(&[("/full_name", "control_character")]).await;
            product(&text).invalid(&[("/name", "control_character")]).await;
            fee(&text).invalid(&[("/terms/fees/0/code", "not_a_name")]).await;
        }
    }
    // Text stays as written: right to left, with joiners, in any script.
    for text in ["علي حسن", "क्\u{200d}ष", "می\u{200c}خواهم", "O\u{2019}Brien", "👩\u{200d}🌾"] {
        assert_eq!(name(text).expect(200).await["full_name"], text);
    }
    // A reason may have lines.
    let reason = json!({"reason": "one\ntwo"});
    world.admin.post(&format!("/api/users/{}/suspend", world.agent.id)).json(reason).expect(200).await;
}
