//! Lists as CSV: which there are, whose weight wins, how long a page is and where the next one is.

use backend::domain::loan::LoanStatus;
use tests::{
    Session, User,
    document::{operations, parameters, resolve},
};

use crate::world::World;

/// The pages of a list as CSV: the header line, and the other lines of each page.
async fn pages(user: &User, path: &str) -> (String, Vec<Vec<String>>) {
    let (mut pages, mut next) = (Vec::new(), path.to_owned());
    loop {
        let page = csv(user, &next, "text/csv").await;
        let mut lines = page.text.split_terminator("\r\n").map(str::to_owned);
        let header = lines.next().unwrap();
        pages.push(lines.collect());
        let Some(link) = page.optional_header("link") else { return (header, pages) };
        next = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")).map(str::to_owned).unwrap();
    }
}

async fn csv(user: &Session, path: &str, accept: &str) -> tests::Reply {
    user.get(path).header("accept", accept).expect(200).await
}

#[tokio::test]
async fn lists_of_loans_customers_collections_and_arrears_are_there_as_csv() {
    let world = World::new().await;
    for status in [LoanStatus::Pending, LoanStatus::Disbursed, LoanStatus::Rejected, LoanStatus::Disbursed] {
        world.loan(status).await;
    }
    world.applied("1000").await;
    world.applied("2000").await;
    world.api.customer("-second").await;
    for (path, id) in [
        ("/api/loans?", "id"),
        ("/api/loans?sort=-amount&currency=INR&", "id"),
        ("/api/loans?status=pending&", "id"),
        (&format!("/api/agents/{}/requests?", world.agent.id), "id"),
        ("/api/customers?", "id"),
        ("/api/collections?on=2200-12-31&", "loan_id"),
    ] {
        let expected: Vec<String> =
            world.admin.walk(path).await.iter().map(|row| row[id].as_str().unwrap().to_owned()).collect();
        assert!(expected.len() > 1, "{path}");
        let (header, pages) = pages(&world.admin, &format!("{path}limit=1")).await;
        assert!(header.starts_with(&format!("{id},")), "{header}");
        assert!(pages.iter().all(|page| page.len() == 1), "{path}");
        let ids: Vec<_> = pages.iter().flatten().map(|line| line.split(',').next().unwrap()).collect();
        assert_eq!(ids, expected, "{path}");
    }
    world.owner.execute("UPDATE users SET full_name = E'\\u200B＝1+1' WHERE username = '-second'", &[]).await.unwrap();
    let customers = csv(&world.admin, "/api/customers", "text/csv").await;
    assert!(customers.text.contains(",'-second,'-second@example.com,'+"), "{}", customers.text);
    assert!(customers.text.contains(",'\u{200b}＝1+1,customer,"), "{}", customers.text);
    // Every field that the list has as JSON is a column. Of a loan's terms there is the number of instalments.
    for path in ["/api/loans", "/api/customers", "/api/collections?on=2200-12-31"] {
        let table = csv(&world.admin, path, "text/csv").await;
        let fields = world.admin.get(path).expect(200).await.list()[0].as_object().unwrap().clone();
        let mut fields: Vec<_> = fields.keys().map(|name| name.replace("terms", "instalments")).collect();
        let mut columns: Vec<_> = table.text.split("\r\n").next().unwrap().split(',').collect();
        fields.sort();
        columns.sort_unstable();
        assert_eq!(columns, fields, "{path}");
    }
    let arrears = csv(&world.admin, "/api/portfolio/arrears", "text/csv").await;
    assert!(arrears.text.starts_with("group,currency,outstanding,loans,par1_amount,"), "{}", arrears.text);
    assert!(arrears.text.contains("\r\nINR,INR,2400.00,2,"), "{}", arrears.text);
}

#[tokio::test]
async fn accept_is_read_with_its_weights() {
    let world = World::new().await;
    let loan = world.loan(LoanStatus::Disbursed).await;
    for path in [
        "/api/loans",
        "/api/customers",
        "/api/collections",
        "/api/portfolio/arrears",
        "/api/ledger/trial-balance",
        &format!("{loan}/transactions"),
        &format!("{loan}/ledger"),
        &format!("{loan}/statement"),
    ] {
        for (accept, expected) in [
            ("application/json, text/csv;q=0.8", "application/json"),
            ("text/csv;q=0.8, application/json;q=0.9", "application/json"),
            ("application/xml", "application/json"),
            ("text/csv;q=0", "application/json"),
            ("text/csv;q=0.9, application/json;q=0.8", "text/csv; charset=utf-8"),
        ] {
            let reply = csv(&world.admin, path, accept).await;
            assert_eq!(reply.header("content-type"), expected, "{path}: {accept}");
        }
    }
}

#[tokio::test]
async fn a_page_of_csv_has_the_documented_length_and_stays_under_five_megabytes() {
    let world = World::new().await;
    let insert = "INSERT INTO users (id, username, email, phone, full_name, role, status, password_hash)
        SELECT gen_random_uuid(), 'user' || n, 'user' || n || repeat('x', 200) || '@example.com', '+15550100001',
            repeat(U&'\\+01F600', 200), 'customer', 'active', (SELECT min(password_hash) FROM users)
                FROM generate_series(1, 5000) n";
    world.owner.batch_execute(insert).await.unwrap();
    let length = |page: &tests::Reply| page.text.split_terminator("\r\n").count() - 1;
    assert_eq!(length(&csv(&world.admin, "/api/customers", "text/csv").await), 50);
    let largest = csv(&world.admin, "/api/customers?limit=5000", "text/csv").await;
    assert!(largest.text.len() < 5_000_000 && length(&largest) > 1000, "{}", length(&largest));
    let (_, pages) = pages(&world.admin, "/api/customers?limit=5000").await;
    assert_eq!((pages.len(), pages.iter().map(Vec::len).sum::<usize>()), (2, 5001));
    world.admin.get("/api/customers?limit=201").invalid(&[("/limit", "out_of_range")]).await;
    let too_many = world.admin.get("/api/customers?limit=5001").header("accept", "text/csv");
    too_many.invalid(&[("/limit", "out_of_range")]).await;
}

#[test]
fn a_paged_list_that_is_there_as_csv_says_where_the_next_page_is() {
    let mut tables = 0;
    for (method, path, operation) in operations() {
        let answer = resolve(&operation["responses"]["200"]);
        if answer["content"].get("text/csv").is_none() {
            continue;
        }
        let limit = parameters(operation).find(|parameter| parameter["name"] == "limit");
        assert_eq!(answer["headers"].get("Link").is_some(), limit.is_some(), "{method} {path}");
        if let Some(limit) = limit {
            let bounds = ["default", "maximum"].map(|name| limit["schema"][name].as_i64());
            // Few lenders have more groups than a page of arrears.
            let default = if path == "/api/portfolio/arrears" { 200 } else { 50 };
            assert_eq!(bounds, [Some(default), Some(5000)], "{path}");
        }
        tables += 1;
    }
    assert_eq!(tables, 10);
}
