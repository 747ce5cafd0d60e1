//! Login: both ways, what a refusal tells, limits on guessing, hashes of other forms.

use std::time::{Duration, Instant};

use backend::{config::Limits, domain::users::Role};
use base64::{Engine, engine::general_purpose::STANDARD};
use futures_util::future::join_all;
use serde_json::{Value, json};

use tests::{Api, ApiOptions, Call, PASSWORD, Reply};

use crate::support::{Meanwhile, is_open, limit, limited};

/// A password that nobody has.
const WRONG: &str = "staple of the battery";

fn json_login(api: &Api, username: &str, password: &str) -> Call {
    api.anyone().post("/api/auth/login").json(json!({"username": username, "password": password}))
}

fn basic_login(api: &Api, username: &str, password: &str) -> Call {
    let token = STANDARD.encode(format!("{username}:{password}"));
    api.anyone().post("/api/auth/login").header("authorization", &format!("Basic {token}"))
}

#[tokio::test]
async fn basic_and_json_open_a_session_for_an_hour() {
    let api = Api::new().await;
    let customer = api.customer("the.customer").await;
    for login in [
        json_login(&api, "the.customer", PASSWORD),
        json_login(&api, "The.Customer", PASSWORD),
        basic_login(&api, "the.customer", PASSWORD),
        basic_login(&api, "THE.CUSTOMER", PASSWORD),
        // With both, Basic counts, and the body is not looked at.
        basic_login(&api, "the.customer", PASSWORD).json(json!({"username": "other", "password": WRONG})),
        basic_login(&api, "the.customer", PASSWORD).body("text/plain", "{"),
        // Another scheme says nothing about who logs in.
        json_login(&api, "the.customer", PASSWORD).header("authorization", "Bearer of.no.meaning"),
    ] {
        let session = login.expect(200).await;
        assert_eq!(session["token_type"], "Bearer");
        assert_eq!(session["expires_in"], 3600);
        let expires_at: jiff::Timestamp = session["expires_at"].as_str().unwrap().parse().unwrap();
        let left = expires_at.duration_since(jiff::Timestamp::now()).as_secs();
        assert!((3590..=3600).contains(&left), "{left}");
        assert_eq!(session["user"]["id"], customer.id.to_string());
        assert_eq!(session.body.as_object().unwrap().len(), 5, "{session}");
        assert!(is_open(&api.as_(&session.text_of("access_token"))).await);
    }
}

#[tokio::test]
async fn basic_is_read_as_utf_8_then_latin_1() {
    let api = Api::new().await;
    let password = "пароль из слов: да";
    let body = json!({"username": "someone", "password": password, "email": "someone@example.com",
        "phone": "+919812345678", "role": "customer"});
    api.anyone().post("/api/auth/register").json(body).expect(201).await;
    basic_login(&api, "someone", password).expect(200).await;
    json_login(&api, "someone", password).expect(200).await;

    let password = "crème brûlée au café";
    let body = json!({"username": "another", "password": password, "email": "another@example.com",
        "phone": "+919812345678", "role": "customer"});
    api.anyone().post("/api/auth/register").json(body).expect(201).await;
    basic_login(&api, "another", password).expect(200).await;
    let latin_1: Vec<u8> = format!("another:{password}").chars().map(|c| u8::try_from(c).unwrap()).collect();
    let header = format!("Basic {}", STANDARD.encode(latin_1));
    api.anyone().post("/api/auth/login").header("authorization", &header).expect(200).await;
}

#[tokio::test]
async fn a_wrong_login_does_not_tell_whether_the_user_exists() {
    let api = Api::new().await;
    api.customer("the.customer").await;
    let told = |reply: Reply| (reply.status, reply.code().to_owned(), reply.body["detail"].clone());
    let names = ["the.customer", "nobody", "no name at all", "", "nul\0", &"x".repeat(10_000)];
    let mut answers = Vec::new();
    for name in names {
        let reply = json_login(&api, name, WRONG).send().await;
        assert_eq!(reply.header("www-authenticate"), "Bearer");
        answers.push(told(reply));
        let reply = basic_login(&api, name, WRONG).send().await;
        assert_eq!(reply.header("www-authenticate"), "Bearer, Basic realm=\"microloans\", charset=\"UTF-8\"");
        answers.push(told(reply));
    }
    assert_eq!((answers[0].0, answers[0].1.as_str()), (401, "invalid_credentials"));
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

#[tokio::test]
async fn a_wrong_login_takes_as_long_whether_or_not_the_user_exists() {
    let api = Api::new().await;
    api.customer("the.customer").await;
    let time = async |name| {
        let started = Instant::now();
        json_login(&api, name, WRONG).refused(401, "invalid_credentials").await;
        started.elapsed()
    };
    time("the.customer").await;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for _ in 0..7 {
        known.push(time("the.customer").await);
        unknown.push(time("nobody").await);
    }
    known.sort();
    unknown.sort();
    let (known, unknown) = (known[3], unknown[3]);
    // Wide enough for a busy machine; without the hash the answer comes in a twentieth of the time.
    assert!(known < 3 * unknown && unknown < 3 * known, "known {known:?}, unknown {unknown:?}");
}

#[tokio::test]
async fn malformed_basic_credentials_are_wrong_ones() {
    let api = Api::new().await;
    api.customer("the.customer").await;
    let latin_1 = STANDARD.encode(b"the.customer:\xe9");
    for value in ["Basic", "Basic ", "Basic ***", "Basic dGhlLmN1c3RvbWVy", &format!("Basic {latin_1}")] {
        let call = api.anyone().post("/api/auth/login").header("authorization", value);
        // Basic counts: a right body does not help.
        let call = call.json(json!({"username": "the.customer", "password": PASSWORD}));
        call.refused(401, "invalid_credentials").await;
    }
}

#[tokio::test]
async fn the_body_has_a_username_and_a_password() {
    let api = Api::new().await;
    let login = |body: Value| api.anyone().post("/api/auth/login").json(body);
    login(json!({"username": "someone"})).invalid(&[("/password", "required")]).await;
    login(json!({"username": "someone", "password": null})).invalid(&[("/password", "wrong_type")]).await;
    login(json!({"username": "someone", "password": "x", "otp": 1})).invalid(&[("/otp", "unknown_field")]).await;
    api.anyone().post("/api/auth/login").invalid(&[("/username", "required"), ("/password", "required")]).await;
}

#[tokio::test]
async fn who_may_not_log_in_is_told_why_only_with_the_right_password() {
    let api = Api::new().await;
    for (status, role, code) in [
        ("pending", Role::Agent, "agent_not_approved"),
        ("rejected", Role::Agent, "agent_not_approved"),
        ("suspended", Role::Agent, "account_suspended"),
        ("suspended", Role::Customer, "account_suspended"),
        ("suspended", Role::Admin, "account_suspended"),
    ] {
        let username = format!("{status}.{}", role.as_str());
        api.user(&username, role, status).await;
        json_login(&api, &username, PASSWORD).refused(403, code).await;
        json_login(&api, &username, WRONG).refused(401, "invalid_credentials").await;
    }
}

fn narrow() -> Limits {
    Limits { login_user: limit(10, 60), login_address: limit(12, 1), ..ApiOptions::default().limits }
}

#[tokio::test]
async fn ten_failures_for_a_username_and_address_and_then_one_a_minute() {
    let api = limited(narrow()).await;
    api.customer("the.customer").await;
    for _ in 0..12 {
        // Success does not count.
        json_login(&api, "the.customer", PASSWORD).expect(200).await;
    }
    for attempt in 0..10 {
        let name = if attempt % 2 == 0 { "the.customer" } else { "The.Customer" };
        json_login(&api, name, WRONG).refused(401, "invalid_credentials").await;
    }
    let refused = json_login(&api, "the.customer", PASSWORD).refused(429, "too_many_attempts").await;
    let seconds: u64 = refused.header("retry-after").parse().unwrap();
    assert!((50..=60).contains(&seconds), "{seconds}");
    // The same user from elsewhere, and another user from here, are not concerned.
    json_login(&api, "the.customer", PASSWORD).from_address("203.0.113.2").expect(200).await;
    json_login(&api, "someone.else", WRONG).refused(401, "invalid_credentials").await;
    // A minute later: one more.
    api.owner.execute("UPDATE rate_limits SET full_at = full_at - interval '60 seconds'", &[]).await.unwrap();
    json_login(&api, "the.customer", WRONG).refused(401, "invalid_credentials").await;
    json_login(&api, "the.customer", PASSWORD).refused(429, "too_many_attempts").await;
}

#[tokio::test]
async fn failures_from_one_address_are_limited_over_all_usernames() {
    let api = limited(Limits { login_address: limit(3, 60), ..narrow() }).await;
    api.customer("the.customer").await;
    for name in ["one", "two", "three"] {
        json_login(&api, name, WRONG).refused(401, "invalid_credentials").await;
    }
    json_login(&api, "the.customer", PASSWORD).refused(429, "too_many_attempts").await;
    // IPv6: the /64 is what one subscriber has.
    for host in ["2001:db8::1", "2001:db8::2", "2001:db8::3"] {
        json_login(&api, "the.customer", WRONG).from_address(host).refused(401, "invalid_credentials").await;
    }
    json_login(&api, "the.customer", PASSWORD).from_address("2001:db8::4").refused(429, "too_many_attempts").await;
    json_login(&api, "the.customer", PASSWORD).from_address("2001:db8:0:1::1").expect(200).await;
}

#[tokio::test]
async fn a_refused_attempt_costs_no_hash() {
    let api = limited(Limits { login_user: limit(1, 60), ..narrow() }).await;
    api.customer("the.customer").await;
    let started = Instant::now();
    json_login(&api, "the.customer", WRONG).refused(401, "invalid_credentials").await;
    let with_hash = started.elapsed();
    let mut quickest = Duration::MAX;
    for _ in 0..5 {
        let started = Instant::now();
        json_login(&api, "the.customer", WRONG).refused(429, "too_many_attempts").await;
        quickest = quickest.min(started.elapsed());
    }
    assert!(quickest * 3 < with_hash, "{quickest:?} against {with_hash:?}");
}

#[tokio::test]
async fn guesses_made_at_once_are_all_counted() {
    let api = limited(Limits { login_user: limit(4, 60), ..narrow() }).await;
    api.customer("the.customer").await;
    let guess = || json_login(&api, "the.customer", WRONG).send();
    let replies = tokio::join!(guess(), guess(), guess(), guess(), guess(), guess(), guess());
    let replies: [Reply; 7] = replies.into();
    let answered = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((answered(401), answered(429)), (4, 3));
}

fn seconds_to_wait(refused: &Reply) -> u64 {
    assert_eq!(refused.code(), "too_many_attempts");
    refused.header("retry-after").parse().unwrap()
}

#[tokio::test]
async fn refused_attempts_make_nobody_wait_longer() {
    let api = limited(Limits { login_address: limit(300, 1), ..narrow() }).await;
    api.customer("the.customer").await;
    let replies = join_all((0..250).map(|_| json_login(&api, "the.customer", WRONG).send())).await;
    let answered = |status| replies.iter().filter(|reply| reply.status == status).count();
    let wrong = answered(401);
    assert!((1..=10).contains(&wrong) && wrong + answered(429) == 250, "{wrong}");
    // A machine that has much to do refuses some for want of a turn to hash; what is left of the ten comes after.
    for _ in wrong..10 {
        json_login(&api, "the.customer", WRONG).refused(401, "invalid_credentials").await;
    }
    let refused = json_login(&api, "the.customer", PASSWORD).send().await;
    assert!((1..=60).contains(&seconds_to_wait(&refused)), "{refused}");
    api.owner.execute("UPDATE rate_limits SET full_at = full_at - interval '60 seconds'", &[]).await.unwrap();
    json_login(&api, "the.customer", PASSWORD).expect(200).await;
}

#[tokio::test]
async fn wrong_logins_of_many_users_at_once_are_all_counted() {
    let api = limited(Limits { login_address: limit(6, 60), ..narrow() }).await;
    let names: Vec<String> = (0..30).map(|n| format!("name.{n}")).collect();
    let replies = join_all(names.iter().map(|name| json_login(&api, name, WRONG).send())).await;
    let answered = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((answered(401), answered(429)), (6, 24));
    assert_eq!(api.count("SELECT count(*) FROM rate_limits WHERE undecided > 0").await, 0);
}

/// Logs in, and again whenever it is asked to come back a second later, as it may be while others are checked.
async fn in_the_end(api: &Api) {
    loop {
        let reply = json_login(api, "the.customer", PASSWORD).send().await;
        if reply.status == 200 {
            return;
        }
        assert_eq!(seconds_to_wait(&reply), 1, "{reply}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test]
async fn right_logins_at_once_never_refuse_each_other() {
    let api = limited(Limits { login_user: limit(2, 3_600), login_address: limit(3, 3_600), ..narrow() }).await;
    api.customer("the.customer").await;
    join_all((0..40).map(|_| in_the_end(&api))).await;
    assert_eq!(api.count("SELECT count(*) FROM rate_limits WHERE full_at > now() OR undecided > 0").await, 0);
}

#[tokio::test]
async fn a_reservation_that_is_never_given_back_is_a_failure() {
    let api = limited(Limits { login_user: limit(1, 60), ..narrow() }).await;
    api.customer("the.customer").await;
    let meanwhile = Meanwhile::begin(&api, "SELECT FROM users FOR UPDATE").await;
    tokio::select! {
        reply = json_login(&api, "the.customer", PASSWORD).send() => panic!("{reply}"),
        () = api.someone_waits() => (),
    }
    // The function has died. For a while nobody can tell: it might yet give back what it has reserved.
    let started = Instant::now();
    let refused = json_login(&api, "the.customer", PASSWORD).send().await;
    assert_eq!(seconds_to_wait(&refused), 1);
    assert!((3..10).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
    meanwhile.commit_now().await;
    api.owner.execute("UPDATE rate_limits SET reserved_at = reserved_at - interval '30 seconds'", &[]).await.unwrap();
    let refused = json_login(&api, "the.customer", PASSWORD).send().await;
    assert!((40..=60).contains(&seconds_to_wait(&refused)), "{refused}");
}

#[tokio::test]
async fn a_hash_of_a_flask_application_is_upgraded_at_login() {
    let api = Api::new().await;
    let customer = api.customer("the.customer").await;
    // Werkzeug's form; Python: hashlib.pbkdf2_hmac('sha256', b'flask-password', b'Zt3mPq8sLw0xYb1C', 260000).hex()
    let flask =
        "pbkdf2:sha256:260000$Zt3mPq8sLw0xYb1C$1ed368eeeb8b916ea0a3dfdcd751deca5aa222164f966c2567cc91b394e12857";
    api.owner.execute("UPDATE users SET password_hash = $1", &[&flask]).await.unwrap();
    let stored =
        async || -> String { api.owner.query_one("SELECT password_hash FROM users", &[]).await.unwrap().get(0) };
    let before = customer.get("/api/auth/me").expect(200).await.body;

    json_login(&api, "the.customer", WRONG).refused(401, "invalid_credentials").await;
    assert_eq!(stored().await, flask);
    // Two at once: one upgrades, the other finds it done.
    let login = || json_login(&api, "the.customer", "flask-password").expect(200);
    tokio::join!(login(), login());
    let upgraded = stored().await;
    assert!(upgraded.starts_with("$pbkdf2-sha256$i=600000,l=32$"), "{upgraded}");
    login().await;
    assert_eq!(stored().await, upgraded, "a hash of the current form stays");
    assert_eq!(customer.get("/api/auth/me").expect(200).await.body, before, "the user has not changed");
}

/// The same text from different keyboards: a letter with its accent, and the two apart; a space, and a no-break space.
const KEYBOARDS: [&str; 2] = ["caf\u{e9} of the corner", "cafe\u{301}\u{a0}of the corner"];

#[tokio::test]
async fn a_password_is_the_same_from_every_keyboard() {
    let api = Api::new().await;
    let admin = api.admin("the.admin").await;
    for (number, set) in KEYBOARDS.into_iter().enumerate() {
        let [registered, made, changed, given] =
            ["registered", "made", "changed", "given"].map(|who| format!("{who}.{number}"));
        let body = |username: &str| {
            json!({"username": username, "password": set, "email": format!("{username}@example.com"), "phone": "+12",
                "role": "customer"})
        };
        api.anyone().post("/api/auth/register").json(body(&registered)).expect(201).await;
        admin.post("/api/users").json(body(&made)).expect(201).await;
        let customer = api.customer(&changed).await;
        let change = json!({"current_password": PASSWORD, "new_password": set});
        customer.put("/api/auth/password").json(change).expect(204).await;
        let customer = api.customer(&given).await;
        let path = format!("/api/users/{}/password", customer.id);
        admin.put(&path).json(json!({"new_password": set})).expect(204).await;
        for username in [registered, made, changed, given] {
            for typed in KEYBOARDS {
                json_login(&api, &username, typed).expect(200).await;
                basic_login(&api, &username, typed).expect(200).await;
            }
            json_login(&api, &username, "cafe of the corner").refused(401, "invalid_credentials").await;
        }
    }
}

#[tokio::test]
async fn the_same_password_from_another_keyboard_is_still_known_to_whoever_set_it() {
    let api = Api::new().await;
    let (admin, customer) = (api.admin("the.admin").await, api.customer("the.customer").await);
    let [composed, decomposed] = KEYBOARDS;
    let path = format!("/api/users/{}/password", customer.id);
    admin.put(&path).json(json!({"new_password": composed})).expect(204).await;
    let customer = api.session(customer.id, Role::Customer).await;
    let known = "SELECT count(*) FROM users WHERE password_set_by IS NOT NULL";
    for (current, new, expected) in [(composed, decomposed, 1), (decomposed, PASSWORD, 0)] {
        let change = json!({"current_password": current, "new_password": new});
        customer.put("/api/auth/password").json(change).expect(204).await;
        assert_eq!(api.count(known).await, expected, "{new}");
    }
}

#[tokio::test]
async fn a_hash_of_a_password_as_it_was_typed_is_made_anew_at_login() {
    let api = Api::new().await;
    api.customer("the.customer").await;
    // Of `cafe\u{301} of the corner`, as Python's hashlib has them: our own form, with the salt `0123456789abcdef`, and
    // Werkzeug's.
    for old in [
        "$pbkdf2-sha256$i=600000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$A5xlsO1bJKP7vY4dSBU4Wez+TY8Dx3Gvunjf15mRxDQ",
        "pbkdf2:sha256:1000$Zt3mPq8sLw0xYb1C$ddd165e50ae8c2aba3790aa8b87d8a0d99462c4979c9b8d92682a0b806a12217",
    ] {
        api.owner.execute("UPDATE users SET password_hash = $1", &[&old]).await.unwrap();
        let stored =
            async || -> String { api.owner.query_one("SELECT password_hash FROM users", &[]).await.unwrap().get(0) };
        // Nobody knows what was typed but who types it again.
        json_login(&api, "the.customer", "caf\u{e9} of the corner").refused(401, "invalid_credentials").await;
        assert_eq!(stored().await, old);
        json_login(&api, "the.customer", "cafe\u{301} of the corner").expect(200).await;
        let again = stored().await;
        assert!(again.starts_with("$pbkdf2-sha256$i=600000,l=32$") && again != old, "{again}");
        for typed in ["caf\u{e9} of the corner", "cafe\u{301} of the corner"] {
            json_login(&api, "the.customer", typed).expect(200).await;
        }
        assert_eq!(stored().await, again, "once");
    }
}

/// A password from before is no new one, and goes on working.
#[tokio::test]
async fn a_password_with_a_control_character_is_refused_where_it_is_new() {
    let api = Api::new().await;
    let customer = api.customer("the.customer").await;
    // Of `tab\tof the corner`, as above.
    let old = "$pbkdf2-sha256$i=600000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$37VtWw9hZlImaFdALX2gTW9nmYoe9lx5y7YHFdgJKXQ";
    api.owner.execute("UPDATE users SET password_hash = $1", &[&old]).await.unwrap();
    let tab = "tab\tof the corner";
    json_login(&api, "the.customer", tab).expect(200).await;
    let change =
        |new: &str| customer.put("/api/auth/password").json(json!({"current_password": tab, "new_password": new}));
    change(tab).invalid(&[("/new_password", "control_character")]).await;
    change("zero\u{200b}width space").invalid(&[("/new_password", "disallowed_character")]).await;
    change(PASSWORD).expect(204).await;
}

/// A password is checked before the session is written; what becomes true in between must hold.
#[tokio::test]
async fn a_login_does_not_outlive_a_change_that_comes_while_it_is_checked() {
    let api = Api::new().await;
    let hash = backend::auth::passwords::hash(PASSWORD.into()).await.unwrap();
    let other_hash = backend::auth::passwords::hash(WRONG.into()).await.unwrap();
    let changes = [
        (format!("UPDATE users SET password_hash = '{other_hash}'"), 401, "invalid_credentials"),
        ("UPDATE users SET status = 'suspended'".to_owned(), 403, "account_suspended"),
    ];
    let customer = api.customer("the.customer").await;
    for (change, status, code) in changes {
        let meanwhile = Meanwhile::begin(&api, &change).await;
        let login = json_login(&api, "the.customer", PASSWORD).refused(status, code);
        tokio::join!(login, meanwhile.commit(&api));
        api.owner.execute("UPDATE users SET password_hash = $1", &[&hash]).await.unwrap();
    }
    let sessions = format!("SELECT count(*) FROM sessions WHERE user_id = '{}'", customer.id);
    assert_eq!(api.count(&sessions).await, 1, "only the one it had");
}

#[tokio::test]
async fn a_login_removes_the_users_expired_sessions() {
    let api = Api::new().await;
    api.customer("the.customer").await;
    api.owner.execute("UPDATE sessions SET expires_at = now()", &[]).await.unwrap();
    json_login(&api, "the.customer", PASSWORD).expect(200).await;
    assert_eq!(api.count("SELECT count(*) FROM sessions").await, 1);
}
