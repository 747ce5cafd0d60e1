//! Code shared by the tests of accounts.

use std::{num::NonZeroU32, time::Duration};

use backend::config::{Limit, Limits};
use tests::{Api, ApiOptions, Reply, Session};
use tokio_postgres::{Client, NoTls};

/// A system with these limits on guessing and registering.
pub(crate) async fn limited(limits: Limits) -> Api {
    Api::with(ApiOptions { limits, ..ApiOptions::default() }).await
}

pub(crate) fn limit(burst: u32, seconds: u64) -> Limit {
    Limit { burst: NonZeroU32::new(burst).unwrap(), interval: Duration::from_secs(seconds) }
}

/// True if a session is still open.
pub(crate) async fn is_open(session: &Session) -> bool {
    let reply = session.get("/api/auth/me").send().await;
    match reply.status {
        200 => true,
        401 => false,
        _ => panic!("{reply}"),
    }
}

/// The usernames on a page, in its order.
pub(crate) fn usernames(page: &Reply) -> Vec<&str> {
    page.list().iter().map(|user| user["username"].as_str().unwrap()).collect()
}

/// A transaction of the owner that is open until [`commit`](Self::commit).
pub(crate) struct Meanwhile(Client);

impl Meanwhile {
    /// Opens it with this statement, whose locks it holds.
    pub(crate) async fn begin(api: &Api, sql: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(api.database.owner_url(), NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(&format!("BEGIN; {sql}")).await.unwrap();
        Self(client)
    }

    /// Commits as soon as a request waits for its locks.
    pub(crate) async fn commit(self, api: &Api) {
        api.someone_waits().await;
        self.commit_now().await;
    }

    /// Commits.
    pub(crate) async fn commit_now(self) {
        self.0.batch_execute("COMMIT").await.unwrap();
    }
}
