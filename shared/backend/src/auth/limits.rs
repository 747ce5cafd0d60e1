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
    config::{Limit, Limits},
    db::{DbError, FromRow, Sql, Statement, column},
    http::{address::ClientAddress, problem::Problem},
};

/// The longest debt beyond a full burst, so that nobody is locked out for good.
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
        let Limit { burst, interval } = self.limit;
        // A bucket whose burst is worth more than a day must still be able to run empty.
        let max_debt_s = interval.saturating_mul(burst.get()).as_secs_f64().max(MAX_DEBT_S);
        Sql::new(COUNT).bind(self.key.clone()).bind(interval.as_secs_f64()).bind(max_debt_s).one()
    }

    /// Whether one more attempt is allowed.
    ///
    /// # Errors
    ///
    /// 429 until it is.
    pub fn allow(&self, level: Option<&Level>) -> Result<(), Problem> {
        refuse(self.wait_s(level))
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

/// The two buckets that a guess at a password empties: one for the username from this address, one for the address.
pub struct Guesses {
    username: Bucket,
    address: Bucket,
}

impl Guesses {
    /// The buckets of this username, as typed or known, and this address.
    #[must_use]
    pub fn new(limits: &Limits, username: &str, address: &ClientAddress) -> Self {
        let address = address_part(address.0);
        Self {
            username: Bucket::new("login_user", &[&username.to_ascii_lowercase(), &address], limits.login_user),
            address: Bucket::new("login_address", &[&address], limits.login_address),
        }
    }

    /// As [`Bucket::look`].
    #[must_use]
    pub fn look(&self) -> (Statement<Option<Level>>, Statement<Option<Level>>) {
        (self.username.look(), self.address.look())
    }

    /// As [`Bucket::count`]. In this order, so that no two transactions wait for each other.
    #[must_use]
    pub fn count(&self) -> (Statement<Level>, Statement<Level>) {
        (self.username.count(), self.address.count())
    }

    /// Whether one more guess is allowed.
    ///
    /// # Errors
    ///
    /// 429 until both buckets allow it.
    pub fn allow(&self, username: Option<&Level>, address: Option<&Level>) -> Result<(), Problem> {
        refuse(self.username.wait_s(username).max(self.address.wait_s(address)))
    }
}

fn refuse(wait_s: Option<u64>) -> Result<(), Problem> {
    wait_s.map_or(Ok(()), |seconds| Err(Problem::too_many(seconds)))
}

/// The state of a bucket.
#[derive(Clone, Copy, Debug)]
pub struct Level {
    full_at: Timestamp,
    /// The database's clock when it was looked at.
    pub now: Timestamp,
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
        Some(IpAddr::V6(address)) => {
            if let Some(address) = address.to_ipv4_mapped() {
                return address.to_string();
            }
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{num::NonZeroU32, time::Duration};

    use super::*;

    const TEN_THEN_ONE_A_MINUTE: Limit =
        Limit { burst: NonZeroU32::new(10).unwrap(), interval: Duration::from_mins(1) };

    fn bucket() -> Bucket {
        Bucket::new("test", &["asha"], TEN_THEN_ONE_A_MINUTE)
    }

    /// A bucket that will be full again this many milliseconds after it is looked at.
    fn full_in_ms(ms: i64) -> Level {
        let now = Timestamp::from_millisecond(1_772_443_800_000).unwrap();
        Level { full_at: now + jiff::SignedDuration::from_millis(ms), now }
    }

    #[test]
    fn a_bucket_never_counted_on_allows() {
        assert_eq!(bucket().wait_s(None), None);
        assert!(bucket().allow(None).is_ok());
    }

    #[test]
    fn ten_attempts_are_allowed_and_the_eleventh_a_minute_later() {
        for counted in 0..10 {
            assert_eq!(bucket().wait_s(Some(&full_in_ms(counted * 60_000))), None, "{counted} counted before");
        }
        assert_eq!(bucket().wait_s(Some(&full_in_ms(10 * 60_000))), Some(60));
        assert_eq!(bucket().wait_s(Some(&full_in_ms(9 * 60_000 + 1))), Some(1), "rounded up: never told too early");
        assert_eq!(bucket().wait_s(Some(&full_in_ms(20 * 60_000))), Some(11 * 60));
        assert_eq!(bucket().allow(Some(&full_in_ms(10 * 60_000))).unwrap_err().status().as_u16(), 429);
    }

    #[test]
    fn buckets_are_told_apart_by_name_and_by_where_their_parts_end() {
        let key = |name: &str, parts: &[&str]| Bucket::new(name, parts, TEN_THEN_ONE_A_MINUTE).key;
        let keys = [
            key("a", &["b", "c"]),
            key("a", &["bc"]),
            key("ab", &["c"]),
            key("a", &["c", "b"]),
            key("a", &["b", "c", ""]),
        ];
        for (at, one) in keys.iter().enumerate() {
            assert_eq!(one.len(), 32);
            assert!(keys[at + 1..].iter().all(|other| other != one));
        }
    }

    #[test]
    fn a_username_has_one_bucket_however_it_is_written() {
        let limits = Limits {
            login_user: TEN_THEN_ONE_A_MINUTE,
            login_address: TEN_THEN_ONE_A_MINUTE,
            register_address: TEN_THEN_ONE_A_MINUTE,
        };
        let address = |text: &str| ClientAddress(Some(text.parse().unwrap()));
        let guesses = |name, from| Guesses::new(&limits, name, &address(from));
        let (one, other) = (guesses("Asha", "203.0.113.7"), guesses("asha", "203.0.113.7"));
        assert_eq!(one.username.key, other.username.key);
        assert_eq!(one.address.key, other.address.key);
        assert_ne!(one.username.key, guesses("asha", "203.0.113.8").username.key);
        assert_ne!(one.address.key, guesses("asha", "203.0.113.8").address.key);
        assert_ne!(one.username.key, guesses("ashb", "203.0.113.7").username.key);
    }

    #[test]
    fn the_longer_wait_of_the_two_buckets_is_told() {
        let guesses = Guesses { username: bucket(), address: bucket() };
        let wait = |username, address| {
            let refused = guesses.allow(Some(&full_in_ms(username)), Some(&full_in_ms(address))).err()?;
            Some(refused.render("id").headers()["retry-after"].to_str().unwrap().to_owned())
        };
        assert_eq!(wait(0, 0), None);
        assert_eq!(wait(10 * 60_000, 0).as_deref(), Some("60"));
        assert_eq!(wait(10 * 60_000, 12 * 60_000).as_deref(), Some("180"));
    }

    #[test]
    fn an_address_counts_as_what_one_subscriber_has() {
        let part = |text: &str| address_part(Some(text.parse().unwrap()));
        assert_eq!(part("203.0.113.7"), "203.0.113.7");
        assert_eq!(part("::ffff:203.0.113.7"), "203.0.113.7");
        assert_eq!(part("2001:db8:1:2:aaaa::1"), part("2001:db8:1:2:bbbb::9"));
        assert_ne!(part("2001:db8:1:2::1"), part("2001:db8:1:3::1"));
        assert_eq!(address_part(None), "");
    }
}
