//! The second factor: begun, confirmed, asked for wherever a password lets somebody in, and taken away.

use std::{num::NonZeroU32, time::Duration};

use axum::http::Method;
use backend::{
    auth::{sealing::Sealing, totp::TotpSecret},
    config::{Limit, RequireTotp},
    domain::users::Role,
    secrets::SecretSource,
};
use data_encoding::BASE32;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use tests::{Api, ApiOptions, PASSWORD, Reply, SIGNING_KEY, User};

/// Another key that seals: base64url of 32 bytes.
const NEXT_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// An authenticator, with the recovery codes that its user wrote down.
struct Authenticator {
    secret: TotpSecret,
    recovery_codes: Vec<String>,
}

impl Authenticator {
    /// Begins and confirms a user's second factor.
    async fn of(user: &User) -> Self {
        let setup = user.post("/api/auth/totp").expect(200).await;
        let secret = TotpSecret::from(BASE32.decode(setup.text_of("secret").as_bytes()).unwrap());
        assert_eq!(setup["otpauth_url"], secret.otpauth_url(&user.username));
        let mut authenticator = Self { secret, recovery_codes: Vec::new() };
        let code = json!({"code": authenticator.code()});
        let confirmed = user.post("/api/auth/totp/confirm").json(code).expect(200).await;
        let codes = confirmed["recovery_codes"].as_array().unwrap();
        authenticator.recovery_codes = codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect();
        assert_eq!(authenticator.recovery_codes.len(), 10);
        authenticator
    }

    /// The code that it shows now.
    fn code(&self) -> String {
        self.secret.code(Timestamp::now().as_second() / 30)
    }

    /// A code that it does not show.
    fn wrong(&self) -> String {
        let now = Timestamp::now().as_second() / 30;
        let shown: Vec<String> = (now - 3..=now + 3).map(|step| self.secret.code(step)).collect();
        (0..10).map(|digit| digit.to_string().repeat(6)).find(|code| !shown.contains(code)).unwrap()
    }
}

/// Codes that were used are good again, as if half a minute had passed.
async fn a_moment_later(api: &Api) {
    api.owner.batch_execute("UPDATE second_factors SET last_step = 1").await.unwrap();
}

async fn log_in(api: &Api, user: &User, totp: Option<&str>) -> Reply {
    let mut body = json!({"username": user.username, "password": PASSWORD});
    if let Some(totp) = totp {
        body["totp"] = json!(totp);
    }
    api.anyone().post("/api/auth/login").json(body).send().await
}

/// A limit of so many attempts, then one an hour.
fn only(attempts: u32) -> Limit {
    Limit { burst: NonZeroU32::new(attempts).unwrap(), interval: Duration::from_hours(1) }
}

#[tokio::test]
async fn a_second_factor_is_asked_for_once_it_is_confirmed() {
    let api = Api::new().await;
    let asha = api.agent("asha").await;
    let before = api.session(asha.id, Role::Agent).await;
    let begun = asha.post("/api/auth/totp").expect(200).await.text_of("secret");
    assert_eq!(begun.len(), 32);
    assert_eq!(log_in(&api, &asha, None).await.status, 200, "it has begun alone");
    let confirm = |code: &str| asha.post("/api/auth/totp/confirm").json(json!({"code": code}));
    confirm("000 000 0").refused(401, "totp_invalid").await;
    asha.delete("/api/auth/totp").json(json!({"code": "000000"})).refused(404, "not_found").await;

    // Another begins in its place.
    let authenticator = Authenticator::of(&asha).await;
    assert_ne!(authenticator.secret.to_base32(), begun);
    before.get("/api/auth/me").expect(401).await;
    asha.get("/api/auth/me").expect(200).await;
    asha.post("/api/auth/totp").refused(409, "totp_enabled").await;
    confirm(&authenticator.code()).refused(409, "totp_enabled").await;

    assert_eq!(log_in(&api, &asha, None).await.code(), "totp_required");
    // The code that confirmed it was used.
    assert_eq!(log_in(&api, &asha, Some(&authenticator.code())).await.code(), "totp_invalid");
    a_moment_later(&api).await;
    let code = authenticator.code();
    assert_eq!(log_in(&api, &asha, Some(&format!("{} {}", &code[..3], &code[3..]))).await.status, 200);
    assert_eq!(log_in(&api, &asha, Some(&code)).await.code(), "totp_invalid", "good once");
    assert_eq!(log_in(&api, &asha, Some(&authenticator.wrong())).await.code(), "totp_invalid");
    // A wrong password says nothing about the second factor.
    let body = json!({"username": "asha", "password": "not the password", "totp": authenticator.code()});
    api.anyone().post("/api/auth/login").json(body).refused(401, "invalid_credentials").await;
}

#[tokio::test]
async fn beside_basic_the_second_factor_is_in_the_body() {
    let api = Api::new().await;
    let asha = api.customer("asha").await;
    let authenticator = Authenticator::of(&asha).await;
    a_moment_later(&api).await;
    let basic = format!("Basic {}", base64_of(&format!("asha:{PASSWORD}")));
    let login = || api.anyone().post("/api/auth/login").header("authorization", &basic);
    let refused = login().refused(401, "totp_required").await;
    assert!(refused.header("www-authenticate").starts_with("Bearer"));
    login().json(json!({"totp": authenticator.code()})).expect(200).await;
}

fn base64_of(text: &str) -> String {
    data_encoding::BASE64.encode(text.as_bytes())
}

#[tokio::test]
async fn a_recovery_code_is_good_once_in_place_of_a_code() {
    let api = Api::new().await;
    let asha = api.customer("asha").await;
    let authenticator = Authenticator::of(&asha).await;
    let [first, second] = [&authenticator.recovery_codes[0], &authenticator.recovery_codes[1]];
    assert_eq!(log_in(&api, &asha, Some(&first.to_uppercase().replace('-', ""))).await.status, 200);
    assert_eq!(log_in(&api, &asha, Some(first)).await.code(), "totp_invalid");
    let other = api.customer("other").await;
    let others = Authenticator::of(&other).await;
    assert_eq!(log_in(&api, &asha, Some(&others.recovery_codes[0])).await.code(), "totp_invalid");
    asha.delete("/api/auth/totp").json(json!({"code": second})).expect(204).await;
    assert_eq!(log_in(&api, &asha, None).await.status, 200);
    assert_eq!(api.count("SELECT count(*) FROM recovery_codes").await, 10, "the other's");
}

#[tokio::test]
async fn of_logins_at_once_with_one_code_one_succeeds() {
    let api = Api::new().await;
    let asha = api.customer("asha").await;
    let authenticator = Authenticator::of(&asha).await;
    a_moment_later(&api).await;
    for typed in [authenticator.code(), authenticator.recovery_codes[0].clone()] {
        let typed = Some(typed.as_str());
        let (one, two, three) =
            tokio::join!(log_in(&api, &asha, typed), log_in(&api, &asha, typed), log_in(&api, &asha, typed));
        let mut statuses = [one.status, two.status, three.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401, 401]);
    }
}

#[tokio::test]
async fn wrong_codes_are_limited_over_all_addresses_and_missing_ones_cost_nothing() {
    let mut options = ApiOptions::default();
    options.limits.totp_user = only(3);
    options.limits.login_user = only(2);
    let api = Api::with(options).await;
    let asha = api.customer("asha").await;
    let authenticator = Authenticator::of(&asha).await;
    let own = asha.get(&format!("/api/customers/{}", asha.id)).expect(200).await;
    assert_eq!(own["totp_since"], asha.get("/api/auth/me").expect(200).await["totp_since"], "as the user sees it");
    assert!(own["totp_since"].is_string());
    a_moment_later(&api).await;
    for _ in 0..5 {
        assert_eq!(log_in(&api, &asha, None).await.code(), "totp_required");
    }
    let from = |address: &str, totp: &str| {
        let body = json!({"username": "asha", "password": PASSWORD, "totp": totp});
        api.anyone().post("/api/auth/login").json(body).from_address(address)
    };
    from("203.0.113.1", &authenticator.wrong()).refused(401, "totp_invalid").await;
    // A right one gives its try back.
    from("203.0.113.2", &authenticator.code()).expect(200).await;
    from("203.0.113.2", &authenticator.wrong()).refused(401, "totp_invalid").await;
    from("203.0.113.3", "not a code at all").refused(401, "totp_invalid").await;
    a_moment_later(&api).await;
    // Only those that were looked at are wrong ones in the audit.
    let audited = "SELECT count(*) FROM audit_log WHERE action IN ('auth.login_failed', 'auth.totp_failed')";
    assert_eq!(api.count(audited).await, 3);
    let refused = from("203.0.113.4", &authenticator.code()).refused(429, "too_many_attempts").await;
    assert!(refused.header("retry-after").parse::<u32>().unwrap() <= 3600);
    // For the other calls it is the same count, and a missing one is still free.
    let code = json!({"code": authenticator.code()});
    asha.delete("/api/auth/totp").json(code).refused(429, "too_many_attempts").await;
    assert_eq!(api.count(audited).await, 3);
    assert_eq!(log_in(&api, &asha, None).await.code(), "totp_required");
}

#[tokio::test]
async fn no_new_password_goes_around_it() {
    let api = Api::new().await;
    let (admin, asha) = (api.admin("admin").await, api.customer("asha").await);
    let authenticator = Authenticator::of(&asha).await;
    a_moment_later(&api).await;
    let change = |totp: Value| {
        let body = json!({"current_password": PASSWORD, "new_password": "staple of the battery", "totp": totp});
        asha.put("/api/auth/password").json(body)
    };
    change(Value::Null).refused(401, "totp_required").await;
    change(json!(authenticator.wrong())).refused(401, "totp_invalid").await;
    change(json!(authenticator.code())).expect(204).await;

    let code = admin.post(&format!("/api/users/{}/activation", asha.id)).expect(201).await.text_of("code");
    let activate = |code: &str, totp: Value| {
        let body = json!({"username": "asha", "code": code, "new_password": PASSWORD, "totp": totp});
        api.anyone().post("/api/auth/activate").json(body)
    };
    a_moment_later(&api).await;
    activate("0000000000", json!(authenticator.code())).refused(401, "invalid_code").await;
    // The code is good for five tries, and these are none.
    for _ in 0..6 {
        activate(&code, Value::Null).refused(401, "totp_required").await;
        activate(&code, json!(authenticator.wrong())).refused(401, "totp_invalid").await;
    }
    activate(&code, json!(authenticator.code())).expect(204).await;

    a_moment_later(&api).await;
    let reset = json!({"new_password": "an admin's choice"});
    admin.put(&format!("/api/users/{}/password", asha.id)).json(reset).expect(204).await;
    let login = |totp: Value| {
        let body = json!({"username": "asha", "password": "an admin's choice", "totp": totp});
        api.anyone().post("/api/auth/login").json(body)
    };
    login(Value::Null).refused(401, "totp_required").await;
    login(json!(authenticator.code())).expect(200).await;
}

#[tokio::test]
async fn another_admin_takes_a_second_factor_away() {
    let api = Api::new().await;
    let (admin, asha, agent) = (api.admin("admin").await, api.admin("asha").await, api.agent("agent").await);
    let of = |user: &User| format!("/api/users/{}/totp", user.id);
    admin.delete(&of(&asha)).refused(404, "not_found").await;
    Authenticator::of(&asha).await;
    Authenticator::of(&agent).await;
    agent.delete(&of(&asha)).refused(403, "forbidden").await;
    asha.delete(&of(&asha)).refused(403, "own_account").await;
    admin.delete(&of(&asha)).expect(204).await;
    admin.delete(&of(&asha)).refused(404, "not_found").await;
    assert_eq!(log_in(&api, &asha, None).await.status, 200);
    assert_eq!(log_in(&api, &agent, None).await.code(), "totp_required");
    let log = admin.get("/api/audit?action=user.totp_remove").expect(200).await;
    assert_eq!((log.list().len(), &log.list()[0]["actor_id"]), (1, &json!(admin.id)));
}

#[tokio::test]
async fn who_has_to_have_one_does_nothing_else_before() {
    let api = Api::with(ApiOptions { require_totp: RequireTotp::Staff, ..ApiOptions::default() }).await;
    let (admin, agent, asha) = (api.admin("admin").await, api.agent("agent").await, api.customer("asha").await);
    asha.get("/api/loans").expect(200).await;
    for user in [&admin, &agent] {
        for (method, path) in [
            (Method::GET, "/api/loans"),
            (Method::POST, "/api/loans"),
            (Method::GET, "/api/users"),
            (Method::GET, "/api/customers"),
            (Method::POST, "/api/repayments/batch"),
        ] {
            user.call(method, path).refused(403, "totp_enrolment_required").await;
        }
        // What is open to anyone shows them no more than anyone.
        user.get("/api/products?external_id=x").invalid(&[("/external_id", "not_allowed")]).await;
        user.get("/api/auth/me").expect(200).await;
        Authenticator::of(user).await;
        user.get("/api/loans").expect(200).await;
    }
    let of_admins = Api::with(ApiOptions { require_totp: RequireTotp::Admin, ..ApiOptions::default() }).await;
    of_admins.agent("agent").await.get("/api/loans").expect(200).await;
    of_admins.admin("admin").await.get("/api/loans").refused(403, "totp_enrolment_required").await;
}

/// A machine has no authenticator. Who makes its key has one where the lender requires it, and nobody gets round that
/// with a key: no key makes another or touches an account.
#[tokio::test]
async fn a_key_is_asked_for_none_and_only_who_has_one_makes_it() {
    let api = Api::with(ApiOptions { require_totp: RequireTotp::Staff, ..ApiOptions::default() }).await;
    let (admin, other) = (api.admin("admin").await, api.admin("other").await);
    let create = |role: &str| {
        let body = json!({"name": "Warehouse", "role": role, "scopes": ["loans:read", "users:write"]});
        admin.post("/api/keys").json(body)
    };
    create("admin").refused(403, "totp_enrolment_required").await;
    for user in [&admin, &other] {
        Authenticator::of(user).await;
    }
    for role in ["agent", "admin"] {
        let machine = api.as_(&create(role).expect(201).await.text_of("key"));
        machine.get("/api/loans").expect(200).await;
        for (method, path) in [
            (Method::POST, "/api/keys".to_owned()),
            (Method::POST, "/api/auth/totp".to_owned()),
            (Method::DELETE, format!("/api/users/{}/totp", admin.id)),
        ] {
            machine.call(method, &path).refused(403, "not_for_keys").await;
        }
    }
    // It is not the maker's login: it stays when the maker has none any more, and the maker makes no other.
    let made = create("admin").expect(201).await;
    let machine = api.as_(&made.text_of("key"));
    other.delete(&format!("/api/users/{}/totp", admin.id)).expect(204).await;
    create("admin").refused(403, "totp_enrolment_required").await;
    machine.get("/api/loans").expect(200).await;
    other.delete(&format!("/api/users/{}/totp", made.text_of("id"))).refused(404, "not_found").await;
}

#[tokio::test]
async fn secrets_are_sealed_each_for_its_user_and_go_with_the_user() {
    let api = Api::new().await;
    let (admin, asha, other) = (api.admin("admin").await, api.customer("asha").await, api.customer("other").await);
    let authenticator = Authenticator::of(&asha).await;
    Authenticator::of(&other).await;
    let stored = "SELECT secret FROM second_factors WHERE person_id = $1";
    let sealed: Vec<u8> = api.owner.query_one(stored, &[&asha.id]).await.unwrap().get(0);
    let secret = authenticator.secret.bytes();
    assert!(!sealed.windows(secret.len()).any(|bytes| bytes == secret));
    // Another's, put in its place by somebody who can write to the database, opens nothing.
    let swap = "UPDATE second_factors SET last_step = 1,
        secret = (SELECT secret FROM second_factors WHERE person_id = $1) WHERE person_id = $2";
    api.owner.execute(swap, &[&asha.id, &other.id]).await.unwrap();
    assert_eq!(log_in(&api, &other, Some(&authenticator.code())).await.status, 500);

    admin.post(&format!("/api/users/{}/erase", asha.id)).json(json!({"reason": "asked for it"})).expect(200).await;
    assert_eq!(api.count("SELECT count(*) FROM second_factors").await, 1);
    assert_eq!(api.count("SELECT count(*) FROM recovery_codes").await, 10);
}

#[tokio::test]
async fn secrets_are_sealed_again_with_the_current_key() {
    let api = Api::new().await;
    let (asha, other) = (api.customer("asha").await, api.customer("other").await);
    let source = json!({"code": "till", "name": "The till", "provider": "json", "account": "1", "currency": "KES"});
    api.admin("admin").await.post("/api/payment-sources").json(source).expect(201).await;
    let (authenticator, _) = (Authenticator::of(&asha).await, Authenticator::of(&other).await);
    let keys = |current: &str| {
        let keys = json!({"current": current, "keys": {"generated": SIGNING_KEY, "next": NEXT_KEY}});
        Sealing::new(Some(SecretSource::fixed(SecretString::from(keys.to_string()))))
    };
    assert_eq!(stats::seal(&api.app.db, &keys("generated")).await.unwrap(), 0);
    assert_eq!(stats::seal(&api.app.db, &keys("next")).await.unwrap(), 3);
    assert_eq!(stats::seal(&api.app.db, &keys("next")).await.unwrap(), 0);
    // The old key alone opens them no more, and the new one does.
    a_moment_later(&api).await;
    assert_eq!(log_in(&api, &asha, Some(&authenticator.code())).await.status, 500);
    assert_eq!(stats::seal(&api.app.db, &keys("generated")).await.unwrap(), 3);
    assert_eq!(log_in(&api, &asha, Some(&authenticator.code())).await.status, 200);
}
