//! The words by which people are found: those of all who were there before, of all who change, and of nobody else.

use std::collections::BTreeSet;

use jiff::Timestamp;
use local::{
    book::{self, Plan},
    testing::Database,
};
use tests::Api;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::rights::{Before, connect, migration};

const SEARCH: u32 = 18;

/// Rows that are kept and not what they are to be, or the other way round.
const DIFFERENT: &str = "\
SELECT (SELECT count(*) FROM (TABLE user_words EXCEPT TABLE words_of_users) x)
    + (SELECT count(*) FROM (TABLE words_of_users EXCEPT TABLE user_words) x)";

async fn different(owner: &Client) -> i64 {
    // By name: the table and the view have the same columns in the same order.
    owner.query_one(DIFFERENT, &[]).await.unwrap().get(0)
}

async fn words_of(owner: &Client, id: Uuid) -> BTreeSet<String> {
    let words = owner.query("SELECT word FROM user_words WHERE person_id = $1", &[&id]).await.unwrap();
    words.iter().map(|row| row.get(0)).collect()
}

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[tokio::test]
async fn people_who_were_there_before_are_found_and_those_whom_the_release_before_makes_and_changes() {
    let database = Database::fresh(&Before { name: "before_search", number: SEARCH }).await.unwrap();
    let owner = connect(database.owner_url()).await;
    let insert = async |name: &str, full_name: Option<&str>| {
        let id = Uuid::now_v7();
        let sql = "INSERT INTO users (id, username, email, phone, full_name, role, status, password_hash)
            VALUES ($1, $2, $2 || '@Example.com', '+2547', $3, 'customer', 'active', '$pbkdf2-sha256$')";
        owner.execute(sql, &[&id, &name, &full_name]).await.unwrap();
        id
    };
    let nguyen = insert("usr_1", Some("Nguyễn  Anne-Marie")).await;
    let [erased, nameless] = [insert("usr_2", Some("Zuhura")).await, insert("usr_3", None).await];
    owner.execute("SELECT erase_person($1, 'erased-000000000001')", &[&erased]).await.unwrap();
    owner.batch_execute(&migration(SEARCH)).await.unwrap();

    let expected = ["usr_1", "1", "usr_1@example.com", "+2547", "nguyen", "anne-marie", "marie"];
    assert_eq!(words_of(&owner, nguyen).await, set(&expected));
    assert_eq!(words_of(&owner, nameless).await, set(&["usr_3", "3", "usr_3@example.com", "+2547"]));
    assert_eq!(words_of(&owner, erased).await, set(&["erased-000000000001", "000000000001"]));

    let late = insert("usr_4", Some("Late")).await;
    assert!(words_of(&owner, late).await.contains("late"));
    owner.execute("UPDATE users SET full_name = 'Later', phone = '+255' WHERE id = $1", &[&late]).await.unwrap();
    assert_eq!(words_of(&owner, late).await, set(&["usr_4", "4", "usr_4@example.com", "+255", "later"]));
    owner.execute("SELECT erase_person($1, 'erased-000000000002')", &[&late]).await.unwrap();
    assert_eq!(words_of(&owner, late).await, set(&["erased-000000000002", "000000000002"]));
    assert_eq!(different(&owner).await, 0);
}

#[tokio::test]
async fn the_people_of_a_generated_book_are_found() {
    let api = Api::new().await;
    api.agent("the.agent").await;
    let today = api.app.date_of(Timestamp::now());
    book::load(&api.owner, Plan { loans: 50, seed: 1 }, today, &api.app.zone, |_| {}).await.unwrap().unwrap();
    let found = api.count("SELECT count(DISTINCT person_id) FROM user_words").await;
    assert_eq!(found, api.count("SELECT count(*) FROM users").await);
    assert_eq!(different(&api.owner).await, 0);
}

/// A name of the longest kind, of characters that are taken apart into eighteen, is stored and found.
#[tokio::test]
async fn no_name_is_too_long_for_the_index() {
    let api = Api::new().await;
    let customer = api.customer("the.customer").await;
    for name in ["\u{fdfa}".repeat(200), "\u{1d7ce}".repeat(200), "a-".repeat(100), "김".repeat(200)] {
        customer.patch("/api/auth/me").json(serde_json::json!({"full_name": name})).expect(200).await;
    }
    assert_eq!(different(&api.owner).await, 0);
}

/// 12,000 customers of one name, 200 of each of 60 months.
#[tokio::test]
async fn a_page_of_those_who_have_a_common_word_costs_what_its_months_have() {
    let api = Api::new().await;
    let agent = api.agent("the.agent").await;
    let sql = "INSERT INTO users (id, username, email, phone, full_name, role, status, password_hash, created_at)
        SELECT gen_random_uuid(), 'common.' || n, 'common.' || n || '@example.com', '+1' || n, 'Common Name',
            'customer', 'active',
            '$pbkdf2-sha256$', timestamptz '2021-01-15T12:00:00Z' + n % 60 * interval '1 month'
        FROM generate_series(1, 12000) n";
    api.owner.batch_execute(sql).await.unwrap();
    // An index alone answers where its pages are known to be seen by all.
    api.owner.batch_execute("VACUUM (ANALYZE) user_words").await.unwrap();
    let first = agent.get("/api/customers?q=common").expect(200).await;
    let last = format!("/api/customers?q=common&cursor={}", first.text_of("next_cursor"));
    for (path, found, most) in [
        ("/api/customers?q=common", 50, 2_000),
        (&last, 50, 2_000),
        ("/api/customers?q=common+name", 50, 4_000),
        ("/api/customers?q=name+nobody", 0, 4_000),
        ("/api/customers?q=nobody", 0, 200),
    ] {
        let before = entries_read(&api).await;
        assert_eq!(agent.get(path).expect(200).await.list().len(), found, "{path}");
        let read = entries_read(&api).await - before;
        assert!(read <= most, "{path}: {read} entries");
    }
}

/// How many entries of indexes on the words were read so far.
async fn entries_read(api: &Api) -> i64 {
    api.database.break_connections().await.unwrap();
    let owner = connect(api.database.owner_url()).await;
    let gone = "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
        AND pid <> pg_backend_pid())";
    while !owner.query_one(gone, &[]).await.unwrap().get::<_, bool>(0) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let sql = "SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes WHERE relname = 'user_words'";
    owner.query_one(sql, &[]).await.unwrap().get(0)
}
