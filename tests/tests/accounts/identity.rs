//! Profiles of customers, identities that are there once, and the verification of who somebody is.

use serde_json::{Value, json};
use tests::{Api, Reply, User};

/// Everybody, and the database, which goes with the last of its owners.
struct People {
    api: Api,
    admin: User,
    agent: User,
    asha: User,
    other: User,
}

impl People {
    async fn new() -> Self {
        let api = Api::new().await;
        Self {
            admin: api.admin("admin").await,
            agent: api.agent("agent").await,
            asha: api.customer("asha").await,
            other: api.customer("other").await,
            api,
        }
    }
}

fn path(user: &User) -> String {
    format!("/api/customers/{}/profile", user.id)
}

async fn put(by: &User, user: &User, version: i64, body: Value) -> Reply {
    by.put(&path(user)).if_match(version).json(body).send().await
}

fn pan(number: &str) -> Value {
    json!({"national_id": {"country": "in", "kind": "pan", "number": number}})
}

#[tokio::test]
async fn a_profile_is_put_whole_version_by_version() {
    let People { agent, asha, other, api, .. } = People::new().await;
    for reader in [&agent, &asha] {
        let none = reader.get(&path(&asha)).expect(200).await;
        assert_eq!((none.header("etag"), &none.body), ("\"0\"", &json!({})));
    }
    other.get(&path(&asha)).refused(404, "not_found").await;
    agent.get(&path(&agent)).refused(404, "not_found").await;
    asha.put(&path(&asha)).json(json!({})).refused(403, "forbidden").await;
    agent.put(&path(&asha)).json(json!({"gender": "female"})).refused(428, "if_match_required").await;
    let whole = json!({"date_of_birth": "1991-05-17", "gender": "female", "occupation": "tailor",
        "address": {"line1": "12 Shivaji Road", "city": "Pune", "country": "in"},
        "monthly_income": {"amount": 18000, "currency": "INR"},
        "next_of_kin": {"full_name": "Ravi", "phone": "+919812300000", "relation": "brother"}});
    let first = put(&agent, &asha, 0, whole.clone()).await;
    assert_eq!((first.status, first.header("etag")), (200, "\"1\""), "{first}");
    let mut shown = whole.clone();
    shown["address"]["country"] = json!("IN");
    shown["monthly_income"]["amount"] = json!("18000.00");
    assert_eq!(first.body, shown);
    assert_eq!(put(&agent, &asha, 0, json!({})).await.code(), "stale_version");
    // The same again is no version; what is left out is not known any more.
    assert_eq!(put(&agent, &asha, 1, whole).await.header("etag"), "\"1\"");
    let second = put(&agent, &asha, 1, json!({"occupation": "tailor"})).await;
    assert_eq!((second.header("etag"), &second.body), ("\"2\"", &json!({"occupation": "tailor"})));
    assert_eq!(asha.get(&path(&asha)).expect(200).await.body, second.body);
    assert_eq!(api.count("SELECT count(*) FROM profile_versions").await, 2);
}

#[tokio::test]
async fn an_identity_is_there_once_however_it_is_written() {
    let people = People::new().await;
    let People { agent, admin, asha, other, .. } = &people;
    assert_eq!(put(agent, asha, 0, pan("abc-pa 1234 f")).await.status, 200);
    for number in ["ABCPA1234F", "abcpa1234f", "ABC.PA.1234.F"] {
        let refused = put(agent, other, 0, pan(number)).await;
        assert_eq!((refused.code(), &refused["customer_id"]), ("duplicate_identity", &json!(asha.id)), "{refused}");
        let enrolment = json!({"phone": "+12", "profile": pan(number)});
        let refused = agent.post("/api/customers").json(enrolment).refused(409, "duplicate_identity").await;
        assert_eq!(refused["customer_id"], json!(asha.id));
    }
    let another_kind = json!({"national_id": {"country": "IN", "kind": "voter", "number": "ABCPA1234F"}});
    assert_eq!(put(agent, other, 0, another_kind).await.status, 200);
    // Given up, it is free.
    assert_eq!(put(admin, asha, 1, json!({})).await.status, 200);
    assert_eq!(put(admin, other, 1, pan("ABCPA1234F")).await.status, 200);
    let enrolment = json!({"phone": "+12", "profile": {"national_id": {"country": "KE", "kind": "id", "number": "7"}}});
    let new = agent.post("/api/customers").json(enrolment).expect(201).await;
    let profile = admin.get(&format!("/api/customers/{}/profile", new.text_of("id"))).expect(200).await;
    assert_eq!((profile.header("etag"), &profile["national_id"]["number"]), ("\"1\"", &json!("7")));
}

#[tokio::test]
async fn two_at_once_who_give_one_identity_to_two_customers_leave_it_with_one() {
    let People { agent, admin, asha, other, api } = People::new().await;
    for round in 0..5 {
        let number = format!("N{round}");
        let (one, two) =
            tokio::join!(put(&agent, &asha, round, pan(&number)), put(&admin, &other, round, pan(&number)),);
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{one} {two}");
        // Both have as many versions for the next round.
        let loser = if one.status == 409 { &asha } else { &other };
        assert_eq!(put(&admin, loser, round, pan(&format!("X{round}"))).await.status, 200);
    }
    assert_eq!(api.count("SELECT count(*) FROM identities").await, 2);
}

#[tokio::test]
async fn numbers_are_masked_for_all_but_admins_and_a_mask_changes_nothing() {
    let people = People::new().await;
    let People { agent, admin, asha, .. } = &people;
    assert_eq!(put(agent, asha, 0, pan("ABCPA1234F")).await["national_id"]["number"], "******234F");
    for (reader, number) in [(agent, "******234F"), (asha, "******234F"), (admin, "ABCPA1234F")] {
        assert_eq!(reader.get(&path(asha)).expect(200).await["national_id"]["number"], number);
    }
    let mut read = agent.get(&path(asha)).expect(200).await.body;
    read["occupation"] = json!("tailor");
    assert_eq!(put(agent, asha, 1, read).await.status, 200);
    assert_eq!(admin.get(&path(asha)).expect(200).await["national_id"]["number"], "ABCPA1234F");
    for number in ["******9999", "*****234F", "****"] {
        let refused = put(agent, asha, 2, pan(number)).await;
        assert_eq!(refused.errors(), [("/national_id/number", "masked")], "{refused}");
    }
    assert_eq!(put(agent, asha, 2, pan("12-34")).await["national_id"]["number"], "****");
    let held = asha.get(&format!("/api/customers/{}/export", asha.id)).expect(200).await;
    assert!(!held.text.contains("ABCPA1234F") && held["profiles"].as_array().unwrap().len() == 3, "{held}");
    let held = admin.get(&format!("/api/customers/{}/export", asha.id)).expect(200).await;
    assert!(held.text.contains("ABCPA1234F"), "{held}");
}

#[tokio::test]
async fn every_field_of_a_profile_that_breaks_a_rule_is_named() {
    let people = People::new().await;
    let People { agent, asha, .. } = &people;
    let body = json!({"date_of_birth": "2200-01-01", "national_id": {"country": "IN", "kind": "--", "number": "1"},
        "monthly_income": {"amount": "1.001", "currency": "INR"}});
    let refused = put(agent, asha, 0, body).await;
    let expected = [
        ("/date_of_birth", "in_the_future"),
        ("/national_id/kind", "not_an_identity"),
        ("/monthly_income/amount", "too_many_decimals"),
    ];
    assert_eq!(refused.errors(), expected, "{refused}");
    let body = json!({"gender": "", "address": {"country": "India"}, "next_of_kin": {"phone": "1"}, "shoe_size": 7});
    let refused = put(agent, asha, 0, body).await;
    let expected = [
        ("/gender", "blank"),
        ("/address/country", "not_a_country"),
        ("/next_of_kin/phone", "not_a_phone_number"),
        ("/shoe_size", "unknown_field"),
    ];
    let mut errors = refused.errors();
    errors.sort_unstable();
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(errors, expected, "{refused}");
    let enrolment = json!({"phone": "+12", "profile": {"date_of_birth": "2200-01-01"}});
    let enrolment = agent.post("/api/customers").json(enrolment);
    enrolment.invalid(&[("/profile/date_of_birth", "in_the_future")]).await;
}

#[tokio::test]
async fn a_verification_holds_until_name_birth_or_identity_change() {
    let people = People::new().await;
    let People { agent, admin, asha, .. } = &people;
    let kyc = format!("/api/customers/{}/kyc", asha.id);
    let customer = format!("/api/customers/{}", asha.id);
    let status = async || agent.get(&customer).expect(200).await["kyc"]["status"].as_str().unwrap().to_owned();
    let verify = async || {
        admin.post(&kyc).json(json!({"status": "verified"})).expect(201).await;
        assert_eq!(status().await, "verified");
    };
    assert_eq!(status().await, "unverified");
    agent.post(&kyc).json(json!({"status": "verified"})).refused(403, "forbidden").await;
    let body = json!({"status": "verified", "reason": "passport seen", "expires_on": "2031-05-16"});
    let verified = admin.post(&kyc).json(body).expect(201).await;
    let found = &verified["kyc"];
    assert_eq!((&found["status"], &found["by"]), (&json!("verified"), &json!(admin.id)));
    assert_eq!((&found["reason"], &found["expires_on"]), (&json!("passport seen"), &json!("2031-05-16")));
    assert_eq!(agent.get("/api/customers?kyc=verified").expect(200).await.list().len(), 1);
    assert_eq!(agent.get("/api/customers?kyc=unverified").expect(200).await.list().len(), 1);

    assert_eq!(put(agent, asha, 0, json!({"occupation": "tailor"})).await.status, 200);
    assert_eq!(status().await, "verified");
    assert_eq!(put(agent, asha, 1, json!({"date_of_birth": "1991-05-17"})).await.status, 200);
    assert_eq!(status().await, "unverified");
    verify().await;
    assert_eq!(put(agent, asha, 2, pan("ABCPA1234F")).await.status, 200);
    assert_eq!(status().await, "unverified");
    verify().await;
    asha.patch("/api/auth/me").json(json!({"phone": "+12"})).expect(200).await;
    assert_eq!(status().await, "verified");
    asha.patch("/api/auth/me").json(json!({"full_name": "Asha Patel"})).expect(200).await;
    assert_eq!(status().await, "unverified");
    let refused = json!({"status": "refused", "reason": "the photograph is another's"});
    admin.post(&kyc).json(refused).expect(201).await;
    assert_eq!(status().await, "refused");
    let body = json!({"status": "refused", "expires_on": "2031-05-16"});
    admin.post(&kyc).json(body).invalid(&[("/expires_on", "not_allowed")]).await;
    admin.post(&kyc).json(json!({"status": "unverified"})).invalid(&[("/status", "unknown_value")]).await;
    admin.post(&format!("/api/customers/{}/kyc", agent.id)).json(json!({"status": "verified"})).expect(404).await;
}

#[tokio::test]
async fn an_erasure_leaves_neither_profile_nor_identity_nor_names() {
    let People { agent, admin, asha, other, api } = People::new().await;
    assert_eq!(put(&agent, &asha, 0, pan("ABCPA1234F")).await.status, 200);
    let names = json!({"external_id": "crm-1", "metadata": {"a": "b"}, "agent_id": agent.id});
    admin.patch(&format!("/api/users/{}", asha.id)).json(names).expect(200).await;
    admin.post(&format!("/api/users/{}/activation", asha.id)).expect(201).await;
    let kyc = json!({"status": "refused", "reason": "looks like Asha's sister"});
    admin.post(&format!("/api/customers/{}/kyc", asha.id)).json(kyc).expect(201).await;
    let loan = json!({"borrower_id": "asha", "amount": "10", "currency": "INR", "metadata": {"note": "of Asha"}});
    let loan = agent.post("/api/loans").json(loan).key("one").expect(201).await.text_of("id");
    agent.post(&format!("/api/loans/{loan}/withdraw")).expect(200).await;

    let erasure = json!({"reason": "asked for it"});
    let erased = admin.post(&format!("/api/users/{}/erase", asha.id)).json(erasure).expect(200).await;
    assert_eq!((&erased["external_id"], &erased["metadata"]), (&Value::Null, &json!({})));
    assert_eq!((&erased["agent_id"], &erased["kyc"]["status"]), (&Value::Null, &json!("unverified")));
    let read = admin.get(&format!("/api/users/{}", asha.id)).expect(200).await;
    assert_eq!(read.body, erased.body);
    for table in ["profile_versions", "identities", "activations"] {
        assert_eq!(api.count(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
    assert_eq!(admin.get(&format!("/api/loans/{loan}")).expect(200).await["metadata"], json!({}));
    let kept = "SELECT count(*) FROM idempotency_keys WHERE body LIKE '%of Asha%'";
    assert_eq!(api.count(kept).await, 0);
    assert_eq!(admin.get(&path(&asha)).expect(200).await.body, json!({}));
    assert_eq!(put(&admin, &asha, 0, json!({"gender": "x"})).await.code(), "user_erased");
    // The identity and the names are free.
    assert_eq!(put(&admin, &other, 0, pan("ABCPA1234F")).await.status, 200);
    admin.patch(&format!("/api/users/{}", other.id)).json(json!({"external_id": "crm-1"})).expect(200).await;
}
