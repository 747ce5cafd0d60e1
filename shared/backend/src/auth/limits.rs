//! Limits on attempts: token buckets in Postgres, so that they hold across environments and restarts.
//!
//! A bucket is one instant (the generic cell rate algorithm): the time at which it would be full again. An attempt is
//! allowed while that lies less than `(burst - 1)` intervals ahead; each one that counts moves it one interval on. Only
//! what failed counts, so attempts made at once may all be allowed; they are all counted, and the bucket stays in debt
//! for as long as they were worth, at most a day.

use std::net::IpAddr;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio_postgres::Row;

use crate::{
    config::Limit,
    db::{DbError, FromRow, Sql, Statement, column},
};

/// The longest debt, so that nobody is locked out for good.
pub const MAX_DEBT_S: f64 = 86_400.0;

/// One bucket: what it limits, for whom.
#[derive(Clone)]
pub struct Bucket {
    key: Vec<u8>,
    limit: Limit,
}

impl Bucket {
    /// `name` says what is limited, `parts` for whom. The table holds only a hash of them: no name, no address.
    #[must_use]
    pub fn new(name: &str, parts: &[&str], limit: Limit) -> Self {
        let mut digest = Sha256::new();
        for part in std::iter::once(&name).chain(parts) {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        }
        Self { key: digest.finalize().to_vec(), limit }
    }

    /// When the bucket will be full again, if it is not.
    #[must_use]
    pub fn look(&self) -> Statement<Option<Level>> {
        Sql::new(LOOK).bind(self.key.clone()).optional()
    }

    /// Counts one attempt; the level is the one before it.
    #[must_use]
    pub fn count(&self) -> Statement<Level> {
        let interval = self.limit.interval.as_secs_f64();
        Sql::new(COUNT).bind(self.key.clone()).bind(interval).bind(MAX_DEBT_S).one()
    }

    /// Seconds until the next attempt is allowed: `None` if it is now.
    #[must_use]
    pub fn wait_s(&self, level: Option<&Level>) -> Option<u64> {
        let level = level?;
        let interval = i64::try_from(self.limit.interval.as_secs()).unwrap_or(i64::MAX);
        let allowance = interval.saturating_mul(i64::from(self.limit.burst.get()) - 1);
        let ahead = level.full_at.as_millisecond().saturating_sub(level.now.as_millisecond());
        let wait_ms = ahead.saturating_sub(allowance.saturating_mul(1000));
        u64::try_from(wait_ms).ok().filter(|wait| *wait > 0).map(|wait| wait.div_ceil(1000))
    }
}

/// The state of a bucket.
#[derive(Clone, Copy, Debug)]
pub struct Level {
    full_at: Timestamp,
    now: Timestamp,
}

impl FromRow for Level {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self { full_at: column(row, "full_at")?, now: column(row, "now")? })
    }
}

/// Looks at a bucket.
pub const LOOK: &str = "SELECT full_at, clock_timestamp() AS now FROM rate_limits WHERE key = $1";

/// Counts one attempt: `$2` seconds an attempt, at most `$3` seconds of debt. Returns the level before it.
pub const COUNT: &str = "\
INSERT INTO rate_limits AS r (key, full_at) VALUES ($1, clock_timestamp() + $2 * interval '1 second')
ON CONFLICT (key) DO UPDATE SET full_at = least(
    greatest(r.full_at, clock_timestamp()) + $2 * interval '1 second',
    clock_timestamp() + $3 * interval '1 second')
RETURNING full_at - $2 * interval '1 second' AS full_at, clock_timestamp() AS now";

/// An address as a bucket's part. IPv6 addresses count by their /64, which is what one subscriber has.
#[must_use]
pub fn address_part(address: Option<IpAddr>) -> String {
    match address {
        None => String::new(),
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
            Some(address) => address.to_string(),
            None => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        },
    }
}
