//! Cursors are sealed: nobody but the functions can make one, on any list, and a position that no database holds is
//! refused behind a right seal too.

use backend::{
    app::App,
    auth::tokens::Tokens,
    domain::loan::LoanStatus,
    http::{
        layers,
        query::QueryString,
        seal::{Binding, CursorKeys},
    },
    secrets::SecretSource,
    values::page::{Part, Position},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::SecretString;
use serde_json::json;
use sha2::{Digest, Sha256};
use tests::{Client, SIGNING_KEY, SIGNING_KEY_ID, Session};
use uuid::Uuid;

use crate::world::World;

/// Another key than the tests', as base64url.
const ANOTHER_KEY: &str = "YW5vdGhlciBrZXkgdGhhbiB0aGUgb25lIG9mIHRoZSB0ZXN0cw";

/// Keys of positions that a function never writes, or that no database holds.
const POSITIONS: [&str; 8] = [
    "-009999-01-02T01:59:59Z",
    "-005000-01-01T00:00:00Z",
    "9999-12-30T22:00:00Z",
    "-009999-01-02",
    "9999-12-31",
    "79228162514264337593543950335",
    "-1",
    "",
];

/// Every list, and who may read it.
async fn lists(world: &World) -> Vec<(Session, Uuid, String)> {
    let loan = world.loan(LoanStatus::Approved).await;
    let loan = loan.trim_start_matches("/api/loans/");
    let mut lists = vec![(world.api.anyone(), Uuid::nil(), "/api/products?".to_owned())];
    for list in [
        "loans?",
        "loans?sort=updated_at&",
        "loans?currency=INR&sort=-amount&",
        &format!("loans/{loan}/history?"),
        &format!("loans/{loan}/transactions?"),
        &format!("loans/{loan}/ledger?"),
        &format!("loans/{loan}/statement?"),
        "users?",
        "agents?",
        "customers?",
        &format!("agents/{}/requests?", world.agent.id),
        "audit?",
        "collections?",
        "stats/history?",
    ] {
        lists.push((world.admin.session.clone(), world.admin.id, format!("/api/{list}")));
    }
    lists
}

fn binding(path: &str, keys: &CursorKeys, caller: Uuid) -> Binding {
    QueryString::of(&path.parse().unwrap()).binding(keys.clone(), caller)
}

/// As cursors were before they were sealed with a key.
fn digest_cursor(path: &str, caller: Uuid, position: &str) -> String {
    let (path, _) = path.split_once('?').unwrap();
    let length = u64::try_from(path.len()).unwrap().to_be_bytes();
    let scope = Sha256::new().chain_update(caller.as_bytes()).chain_update(length).chain_update(path).finalize();
    let seal = Sha256::new().chain_update(&scope[..16]).chain_update(position).finalize();
    URL_SAFE_NO_PAD.encode([&seal[..16], position.as_bytes()].concat())
}

#[tokio::test]
async fn a_cursor_that_no_function_has_sealed_is_a_400_on_every_list() {
    let world = World::new().await;
    let another = CursorKeys::derive([URL_SAFE_NO_PAD.decode(ANOTHER_KEY).unwrap()]).unwrap();
    for (caller, id, list) in lists(&world).await {
        for key in POSITIONS {
            let position = Position(key.to_owned(), Uuid::nil());
            let digest = digest_cursor(&list, id, &serde_json::to_string(&position).unwrap());
            let sealed = position.to_cursor(&binding(&list, &another, id));
            for cursor in [digest, sealed, format!("{}A", "A".repeat(80))] {
                caller.get(&format!("{list}cursor={cursor}")).refused(400, "bad_cursor").await;
            }
        }
    }
}

#[tokio::test]
async fn a_right_seal_is_never_a_500_whatever_the_position() {
    let world = World::new().await;
    let keys = world.api.app.tokens.cursor_keys().await.unwrap();
    for (caller, id, list) in lists(&world).await {
        let binding = binding(&list, &keys, id);
        let of_text = POSITIONS.map(|key| Position(key.to_owned(), "a\0b".to_owned()).to_cursor(&binding));
        let of_ids = POSITIONS.map(|key| Position(key.to_owned(), Uuid::max()).to_cursor(&binding));
        let numbers = [i32::MIN, 0, i32::MAX].map(|number| Position(number, Uuid::nil()).to_cursor(&binding));
        for cursor in of_text.into_iter().chain(of_ids).chain(numbers) {
            let reply = caller.get(&format!("{list}cursor={cursor}")).send().await;
            assert!(reply.status == 200 || reply.code() == "bad_cursor", "{reply}");
        }
    }
    assert!(!"a\0b".to_owned().is_storable());
}

/// The same system with these keys.
fn with_keys(app: &App, keys: &serde_json::Value) -> Session {
    let tokens = Tokens::new(SecretSource::fixed(SecretString::from(keys.to_string())));
    Client::in_process(layers::serve(local::api::router(), App { tokens, ..app.clone() })).anyone()
}

#[tokio::test]
async fn cursors_of_both_keys_are_good_during_a_rotation() {
    let world = World::new().await;
    let both = json!({SIGNING_KEY_ID: SIGNING_KEY, "next": ANOTHER_KEY});
    let next = |from: &str| json!({"kid": "next", "from": from});
    let app = &world.api.app;
    let announced =
        with_keys(app, &json!({"current": SIGNING_KEY_ID, "keys": both, "next": next("2200-01-01T00:00:00Z")}));
    let rotated =
        with_keys(app, &json!({"current": SIGNING_KEY_ID, "keys": both, "next": next("2020-01-01T00:00:00Z")}));
    let dropped = with_keys(app, &json!({"current": "next", "keys": {"next": ANOTHER_KEY}}));
    let of = async |who: &Session| who.get("/api/products?limit=1").expect(200).await.text_of("next_cursor");
    let page = |who: &Session, cursor: &str| who.get(&format!("/api/products?limit=1&cursor={cursor}"));
    let before = world.api.anyone();
    let (old, new) = (of(&before).await, of(&rotated).await);
    assert_eq!((of(&announced).await, of(&dropped).await), (old.clone(), new.clone()));
    for who in [&announced, &rotated] {
        page(who, &old).expect(200).await;
        page(who, &new).expect(200).await;
    }
    page(&before, &new).refused(400, "bad_cursor").await;
    page(&dropped, &old).refused(400, "bad_cursor").await;
}
