//! Databases and roles that earlier runs left behind on a server.

use std::time::Duration;

use tokio_postgres::Client;

use crate::Error;
use crate::postgres::sql;

/// The prefix of the databases and roles that live as long as a run.
pub(super) const PREFIX: &str = "microloans_test_";

/// Names on a borrowed server are those of a run that was killed when they are this old and nobody is connected.
pub(super) const OLD: Duration = Duration::from_hours(1);

/// Removes databases and roles of runs that were killed, `age` or longer ago.
pub(super) async fn remove(client: &Client, now: u64, age: Duration) -> Result<(), Error> {
    let before = now.saturating_sub(age.as_secs());
    let what = "look for what earlier runs left behind";
    let names = "SELECT datname, true FROM pg_database d WHERE starts_with(datname, $1)
            AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname = d.datname)
        UNION ALL SELECT rolname, false FROM pg_roles WHERE starts_with(rolname, $1)";
    for row in client.query(names, &[&PREFIX]).await.map_err(Error::sql(what))? {
        let (name, is_database): (String, bool) = (row.get(0), row.get(1));
        if started(&name).is_none_or(|started| started > before) {
            continue;
        }
        let statement = if is_database { "DROP DATABASE IF EXISTS %I WITH (FORCE)" } else { "DROP ROLE IF EXISTS %I" };
        sql::execute(client, statement, &[&name]).await?;
    }
    Ok(())
}

/// When the run began that a database or role is named after, in seconds since 1970.
fn started(name: &str) -> Option<u64> {
    name.strip_prefix(PREFIX)?.split('_').next()?.parse().ok()
}

/// Drops the templates of a schema's earlier states, whose names begin so.
pub(super) async fn remove_templates(client: &Client, prefix: &str) -> Result<(), Error> {
    let names = "SELECT datname FROM pg_database WHERE starts_with(datname, $1)";
    for row in client.query(names, &[&prefix]).await.map_err(Error::sql("look for old templates"))? {
        sql::execute(client, "DROP DATABASE %I WITH (FORCE)", &[row.get(0)]).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_when_its_run_began() {
        assert_eq!(started("microloans_test_1700000000_42_7"), Some(1_700_000_000));
        assert_eq!(started("microloans_test_"), None);
        assert_eq!(started("microloans"), None);
    }
}
