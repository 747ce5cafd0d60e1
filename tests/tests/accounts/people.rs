//! Users, agents and customers: who sees whom, filters, pages, creation by an admin.

use std::fmt::Write as _;

use serde_json::{Value, json};
use uuid::Uuid;

use backend::domain::users::Role;
use tests::{Api, PASSWORD, User};

use crate::support::usernames;

async fn everyone(api: &Api) -> (User, User, User) {
    let admin = api.admin("the.admin").await;
    api.user("agent.pending", Role::Agent, "pending").await;
    api.user("agent.rejected", Role::Agent, "rejected").await;
    api.user("usr_one", Role::Customer, "active").await;
    api.user("usrxtwo", Role::Customer, "suspended").await;
    (admin, api.agent("the.agent").await, api.customer("the.customer").await)
}

#[tokio::test]
async fn lists_are_narrowed_by_every_filter_newest_first() {
    let api = Api::new().await;
    let (admin, _, _) = everyone(&api).await;
    let all = ["the.customer", "the.agent", "usrxtwo", "usr_one", "agent.rejected", "agent.pending", "the.admin"];
    for (path, expected) in [
        ("/api/users", &all[..]),
        ("/api/users?role=&status=&q=", &all),
        ("/api/users?role=customer", &["the.customer", "usrxtwo", "usr_one"]),
        ("/api/users?role=agent&status=active", &["the.agent"]),
        ("/api/users?status=suspended", &["usrxtwo"]),
        ("/api/users?status=pending", &["agent.pending"]),
        ("/api/users?role=customer&status=pending", &[]),
        ("/api/users?q=USR", &["usrxtwo", "usr_one"]),
        ("/api/users?q=usr_", &["usr_one"]),
        ("/api/users?q=us%25", &[]),
        ("/api/users?q=us%5C", &[]),
        ("/api/users?q=sr_one", &[]),
        ("/api/users?q=Usr_One@Example", &["usr_one"]),
        ("/api/users?q=%2B1555&role=admin", &["the.admin"]),
        // A plus that a client did not escape is read as a blank; no prefix starts with one.
        ("/api/users?q=+1555&role=admin", &["the.admin"]),
        ("/api/users?q=%201555&role=admin", &["the.admin"]),
        ("/api/users?q=the.&role=agent", &["the.agent"]),
        ("/api/agents", &["the.agent", "agent.rejected", "agent.pending"]),
        ("/api/agents?status=pending", &["agent.pending"]),
        ("/api/agents?status=active&q=the", &["the.agent"]),
        ("/api/agents?q=usr", &[]),
        ("/api/customers", &["the.customer", "usrxtwo", "usr_one"]),
        ("/api/customers?q=usr", &["usrxtwo", "usr_one"]),
        ("/api/customers?q=the.a", &[]),
    ] {
        let page = admin.get(path).expect(200).await;
        assert_eq!(usernames(&page), expected, "{path}");
        assert_eq!(page["next_cursor"], Value::Null, "{path}");
    }
}

#[tokio::test]
async fn queries_that_are_not_understood_are_refused() {
    let api = Api::new().await;
    let admin = api.admin("the.admin").await;
    let long = format!("/api/users?q={}", "x".repeat(255));
    for (path, pointer, code) in [
        ("/api/users?role=boss", "/role", "unknown_value"),
        ("/api/users?status=asleep", "/status", "unknown_value"),
        ("/api/users?colour=red", "/colour", "unknown_field"),
        ("/api/users?role=admin&role=agent", "/role", "repeated"),
        ("/api/users?limit=0", "/limit", "out_of_range"),
        ("/api/users?limit=201", "/limit", "out_of_range"),
        ("/api/users?q=%00", "/q", "control_character"),
        (&long, "/q", "too_long"),
        ("/api/users?q=a", "/q", "too_short"),
        ("/api/customers?q=a+b", "/q", "too_short"),
        ("/api/agents?q=aa+b+c+d+e+f+g+h+i+j+k", "/q", "too_many_words"),
        ("/api/agents?role=agent", "/role", "unknown_field"),
        ("/api/customers?status=active", "/status", "unknown_field"),
    ] {
        admin.get(path).invalid(&[(pointer, code)]).await;
    }
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repetition() {
    let api = Api::new().await;
    let admin = api.admin("the.admin").await;
    // All at the same instant: the id decides.
    let sql = "INSERT INTO users (id, username, email, phone, role, status, password_hash, created_at)
        SELECT gen_random_uuid(), 'user.' || n, 'user.' || n || '@example.com', '+12', 'customer', 'active',
            '$pbkdf2-sha256$', '2026-01-01T00:00:00.000001Z' FROM generate_series(1, 7) n";
    api.owner.execute(sql, &[]).await.unwrap();

    let whole = admin.get("/api/customers").expect(200).await;
    let (mut found, mut path, mut pages) = (Vec::new(), "/api/customers?limit=3".to_owned(), 0);
    loop {
        let page = admin.get(&path).expect(200).await;
        found.extend(page["data"].as_array().unwrap().clone());
        pages += 1;
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/customers?limit=3&cursor={cursor}");
    }
    assert_eq!((pages, found.len()), (3, 7));
    assert_eq!(json!(found), whole["data"]);
}

#[tokio::test]
async fn a_cursor_belongs_to_its_list_filters_and_caller() {
    let api = Api::new().await;
    let (admin, agent, _) = everyone(&api).await;
    let page = agent.get("/api/customers?q=us&limit=1").expect(200).await;
    let cursor = page["next_cursor"].as_str().unwrap();
    let get = |who: &User, query: &str| who.get(&format!("/api/{query}&cursor={cursor}"));
    assert_eq!(usernames(&get(&agent, "customers?limit=5&q=us").expect(200).await), ["usr_one"]);
    get(&admin, "customers?q=us").refused(400, "bad_cursor").await;
    get(&agent, "customers?q=usr").refused(400, "bad_cursor").await;
    get(&admin, "users?q=us").refused(400, "bad_cursor").await;
    agent.get("/api/customers?cursor=nonsense").refused(400, "bad_cursor").await;
}

/// Makes an active customer, who came in at this time.
async fn named(api: &Api, username: &str, full_name: &str, created_at: &str) {
    let sql = "INSERT INTO users (id, username, email, phone, full_name, role, status, password_hash, created_at)
        VALUES (gen_random_uuid(), $1, $1 || '@example.com', '+12', $2, 'customer', 'active', '$pbkdf2-sha256$',
            $3::text::timestamptz)";
    api.owner.execute(sql, &[&username, &full_name, &created_at]).await.unwrap();
}

#[tokio::test]
async fn a_search_finds_the_beginning_of_any_word_without_case_and_accents() {
    let api = Api::new().await;
    let agent = api.agent("the.agent").await;
    for (number, full_name) in [
        "Asha Patel",
        "Mwanaisha binti Juma",
        "Nguyễn Thị Đào",
        "आशा ज़ैनब पटेल",
        "Anne-Marie O’Brien",
        "ŁUKASZ Straßer",
        "ΑΘΗΝΆ Жұлдыз",
        // The same letters, with accents of their own.
        "Nguye\u{302}\u{303}n Van A",
        // An accent where an apostrophe belongs.
        "Rita D´Souza",
    ]
    .iter()
    .enumerate()
    {
        named(&api, &format!("usr_{number}.in-pune"), full_name, &format!("2026-01-0{}T00:00:00Z", number + 1)).await;
    }
    for (q, expected) in [
        ("pat", &[0][..]),
        ("PATEL", &[0]),
        ("patel asha", &[0]),
        ("ash p", &[0]),
        ("patel juma", &[]),
        ("atel", &[]),
        ("juma mwana", &[1]),
        ("aisha", &[]),
        ("nguyen", &[7, 2]),
        ("Nguyễn", &[7, 2]),
        ("nguyen dao", &[2]),
        ("đào", &[2]),
        ("आशा", &[3]),
        ("जैनब", &[3]),
        ("marie", &[4]),
        ("anne-m", &[4]),
        ("o'brien", &[4]),
        ("brien anne", &[4]),
        ("lukasz", &[5]),
        ("strasser", &[5]),
        ("αθηνα", &[6]),
        ("ЖҰЛ", &[6]),
        ("in-pune nguyen", &[7, 2]),
        ("pune marie", &[4]),
        ("usr_3", &[3]),
        ("3.in", &[3]),
        ("usr_3.in-pune@example.c", &[3]),
        // Of a telephone number and an e-mail address the whole begins so.
        ("example", &[]),
        ("d´souza", &[8]),
        ("d'souza rita", &[8]),
        ("souza", &[8]),
        // Marks alone are nothing to look for.
        ("\u{301}\u{301}", &[]),
        ("ـــ", &[]),
        ("rita \u{301}\u{301}", &[]),
        ("+12 straß", &[5]),
        (" 12 straß", &[5]),
    ] {
        let mut escaped = String::new();
        q.bytes().for_each(|byte| write!(escaped, "%{byte:02X}").unwrap());
        let page = agent.get(&format!("/api/customers?q={escaped}")).expect(200).await;
        let expected: Vec<_> = expected.iter().map(|number| format!("usr_{number}.in-pune")).collect();
        assert_eq!(usernames(&page), expected, "{q}");
    }
}

#[tokio::test]
async fn a_search_is_paged_in_the_order_of_its_list_over_months_and_moments() {
    let api = Api::new().await;
    let agent = api.agent("the.agent").await;
    for number in 0..12 {
        // Three at each moment, in months that others lie between; the name has both words that begin so.
        let at =
            ["2025-11-30T23:59:59.999999Z", "2025-12-01T00:00:00Z", "2026-02-28T12:00:00Z", "2019-01-01T00:00:00Z"];
        named(&api, &format!("weaver.{number}"), "Wea Weaver", at[number % 4]).await;
        named(&api, &format!("other.{number}"), "Nobody", at[number % 4]).await;
    }
    let sql = "SELECT array_agg(username ORDER BY created_at DESC, id DESC) FROM users WHERE full_name = 'Wea Weaver'";
    let expected: Vec<String> = api.owner.query_one(sql, &[]).await.unwrap().get(0);
    for (q, limit) in [("wea", 1), ("wea", 5), ("wea+weaver", 2), ("we", 12), ("we", 200)] {
        let found = agent.walk(&format!("/api/customers?q={q}&limit={limit}")).await;
        let found: Vec<_> = found.iter().map(|user| user["username"].as_str().unwrap()).collect();
        assert_eq!(found, expected, "{q}, {limit} on a page");
    }
}

#[tokio::test]
async fn a_search_finds_what_somebody_is_called_now() {
    let api = Api::new().await;
    let (admin, _, customer) = everyone(&api).await;
    let found = async |query: &str| {
        let page = admin.get(&format!("/api/users?{query}")).expect(200).await;
        usernames(&page).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let customers = |many| vec!["the.customer".to_owned(); many];
    for name in ["Zuhura Kamau", "Zuhura Otieno"] {
        admin.patch(&format!("/api/users/{}", customer.id)).json(json!({"full_name": name})).expect(200).await;
    }
    assert_eq!((found("q=otieno").await, found("q=kamau").await), (customers(1), customers(0)));
    customer.patch("/api/auth/me").json(json!({"email": "new@example.com", "full_name": null})).expect(200).await;
    assert_eq!((found("q=new@").await, found("q=zuhura").await), (customers(1), customers(0)));
    admin.post(&format!("/api/users/{}/suspend", customer.id)).expect(200).await;
    assert_eq!(found("q=new@&status=suspended").await, ["the.customer"]);
    assert!(found("q=new@&status=active").await.is_empty());
}

#[tokio::test]
async fn agents_and_customers_are_found_only_where_they_are_such() {
    let api = Api::new().await;
    let (admin, agent, customer) = everyone(&api).await;
    let other = api.user("another.one", Role::Customer, "suspended").await;
    let get = |who: &User, group: &str, id: Uuid| who.get(&format!("/api/{group}/{id}"));

    for (group, one) in [("users", &admin), ("users", &customer), ("agents", &agent), ("customers", &customer)] {
        let user = get(&admin, group, one.id).expect(200).await;
        assert_eq!(user["username"], one.username.as_str());
    }
    for (group, one) in [("agents", &customer), ("agents", &admin), ("customers", &agent), ("customers", &admin)] {
        get(&admin, group, one.id).refused(404, "not_found").await;
        admin.get(&format!("/api/{group}/nobody")).refused(400, "bad_id").await;
        get(&admin, group, Uuid::now_v7()).refused(404, "not_found").await;
    }
    get(&agent, "customers", other.id).expect(200).await;
    get(&customer, "customers", customer.id).expect(200).await;
    get(&customer, "customers", other.id).refused(404, "not_found").await;
    get(&customer, "customers", agent.id).refused(404, "not_found").await;
    // An agent does not see itself among the customers.
    get(&agent, "customers", agent.id).refused(404, "not_found").await;
}

#[tokio::test]
async fn only_those_who_may_see_lists_do() {
    let api = Api::new().await;
    let (_, agent, customer) = everyone(&api).await;
    for path in ["/api/users", "/api/agents", "/api/audit"] {
        agent.get(path).refused(403, "forbidden").await;
        customer.get(path).refused(403, "forbidden").await;
        api.anyone().get(path).refused(401, "unauthenticated").await;
    }
    customer.get("/api/customers").refused(403, "forbidden").await;
    agent.get("/api/customers").expect(200).await;
    agent.get(&format!("/api/agents/{}", agent.id)).refused(403, "forbidden").await;
}

#[tokio::test]
async fn an_admin_creates_users_of_any_role_who_are_active_at_once() {
    let api = Api::new().await;
    let admin = api.admin("the.admin").await;
    for role in ["customer", "agent", "admin"] {
        let username = format!("New.{role}");
        let body = json!({"username": username, "password": PASSWORD, "email": format!("{role}@example.com"),
            "phone": "+919812345678", "role": role, "full_name": "Someone"});
        let create = || admin.post("/api/users").header("idempotency-key", "one").json(body.clone());
        let reply = create().send().await;
        assert_eq!((reply.status, &reply.body["status"], &reply.body["role"]), (201, &json!("active"), &json!(role)));
        let location = reply.header("location");
        assert_eq!(location, format!("/api/users/{}", reply.body["id"].as_str().unwrap()));
        assert_eq!(admin.get(location).expect(200).await.body, reply.body);
        api.anyone()
            .post("/api/auth/login")
            .json(json!({"username": username, "password": PASSWORD}))
            .expect(200)
            .await;
        create().refused(409, "username_taken").await;
    }
    assert_eq!(api.count("SELECT count(*) FROM idempotency_keys").await, 0, "never stored for users");
    let body = json!({"username": "a.long.username", "password": "a.long.username", "email": "a@example.com",
        "phone": "+12", "role": "agent"});
    admin.post("/api/users").json(body).invalid(&[("/password", "password_is_username")]).await;
}

#[tokio::test]
async fn lists_read_an_index_however_many_users_there_are() {
    let api = Api::new().await;
    let sql = "INSERT INTO users (id, username, email, phone, role, status, password_hash, created_at)
        SELECT gen_random_uuid(), 'user.' || n, 'user.' || n || '@example.com', '+1' || n,
            CASE WHEN n % 50 = 0 THEN 'agent' ELSE 'customer' END,
            CASE WHEN n % 1000 = 0 THEN 'pending' WHEN n % 999 = 0 THEN 'suspended' ELSE 'active' END,
            '$pbkdf2-sha256$', now() - n * interval '1 minute'
        FROM generate_series(1, 20000) n; ANALYZE users";
    api.owner.batch_execute(sql).await.unwrap();
    for (filter, index) in [
        ("", "users_by_time"),
        (" AND role = 'agent'", "users_by_role "),
        (" AND role = 'agent' AND status = 'pending'", "users_by_role_and_status"),
        (" AND status = 'suspended'", "users_by_status"),
    ] {
        let list = backend::store::users::LIST;
        let sql = format!("EXPLAIN {list}{filter} ORDER BY created_at DESC, id DESC LIMIT 51");
        let plan = api.owner.query(&sql, &[]).await.unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
        let plan = plan.join("\n");
        assert!(plan.contains(index) && !plan.contains("Seq Scan"), "{filter}:\n{plan}");
    }
}

#[tokio::test]
async fn an_agents_requests_are_what_it_created_or_forwarded() {
    let api = Api::new().await;
    let (admin, agent, customer) = everyone(&api).await;
    let other = api.agent("other.agent").await;
    let apply = async |who: &User, amount: &str| {
        let mut body = json!({"amount": amount, "currency": "INR", "term_months": 6});
        if who.id != customer.id {
            body["borrower_id"] = json!(customer.username);
        }
        who.post("/api/loans").json(body).expect(201).await.text_of("id")
    };
    let created = apply(&agent, "1000").await;
    apply(&other, "2000").await;
    let forwarded = apply(&customer, "3000").await;
    apply(&customer, "4000").await;
    agent.post(&format!("/api/loans/{forwarded}/forward")).expect(200).await;

    let path = format!("/api/agents/{}/requests", agent.id);
    for (who, path) in [(&agent, "/api/agents/me/requests"), (&agent, &path), (&admin, &path)] {
        let page = who.get(path).expect(200).await;
        let ids: Vec<_> = page.list().iter().map(|loan| loan["id"].as_str().unwrap()).collect();
        assert_eq!(ids, [&forwarded, &created], "{path}");
        let walked = who.walk(&format!("{path}?limit=1")).await;
        assert_eq!(walked, page.list());
    }
    let get = |who: &User, id: &str| who.get(&format!("/api/agents/{id}/requests"));
    get(&agent, &other.id.to_string()).refused(403, "forbidden").await;
    get(&agent, &Uuid::now_v7().to_string()).refused(403, "forbidden").await;
    get(&customer, "me").refused(403, "forbidden").await;
    // An admin is no agent, and neither is a customer.
    get(&admin, "me").refused(404, "not_found").await;
    get(&admin, &customer.id.to_string()).refused(404, "not_found").await;
    get(&admin, "nobody").refused(400, "bad_id").await;
    admin.get(&format!("/api/agents/{}/requests?colour=red", customer.id)).refused(404, "not_found").await;
    admin.get(&format!("{path}?colour=red")).invalid(&[("/colour", "unknown_field")]).await;
    agent.get("/api/agents/me/requests?cursor=nonsense").refused(400, "bad_cursor").await;
}
