//! Limits on attempts: token buckets in Postgres, so that they hold across environments and restarts.
//!
//! A bucket is one instant (the generic cell rate algorithm): the time at which it would be full again. An attempt is
//! allowed while that lies less than `(burst - 1)` intervals ahead; each one that counts moves it one interval on. An
//! attempt that finds the bucket empty rolls back, so a refused attempt makes nobody wait longer.
//!
//! A guess at a password is reserved before its hash and decided after it: given back if it was right, left in the
//! bucket if it was wrong. A reservation that nobody decides is a failure.

use std::net::IpAddr;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio_postgres::Row;

use crate::{
    config::{Limit, Limits},
    db::{DbError, FromRow, Sql, Statement, column},
    http::problem::Problem,
    values::address::ClientAddress,
};

/// One bucket: the action it limits, and the user or address it limits.
#[derive(Clone)]
pub struct Bucket {
    key: Vec<u8>,
    limit: Limit,
}

impl Bucket {
    /// `name` is the action, `parts` the user or address. The table holds only a hash of them: no name, no address.
    #[must_use]
    pub fn new(name: &str, parts: &[&str], limit: Limit) -> Self {
        let mut digest = Sha256::new();
        for part in std::iter::once(&name).chain(parts) {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part.as_bytes());
        }
        Self { key: digest.finalize().to_vec(), limit }
    }

    /// Counts one attempt; the level is the one before it.
    #[must_use]
    pub fn count(&self) -> Statement<Level> {
        Sql::new(COUNT).bind(self.key.clone()).bind(self.interval_s()).one()
    }

    /// As [`count`](Self::count), for an attempt that is decided later.
    fn reserve(&self) -> Statement<Reservations> {
        Sql::new(RESERVE).bind(self.key.clone()).bind(self.interval_s()).one()
    }

    /// A reserved attempt has failed: it stays counted.
    fn fail(&self) -> Statement<()> {
        Sql::new(FAIL).bind(self.key.clone()).execute()
    }

    /// Takes back a counted or reserved attempt that does not count after all.
    #[must_use]
    pub fn give_back(&self) -> Statement<()> {
        Sql::new(GIVE_BACK).bind(self.key.clone()).bind(self.interval_s()).execute()
    }

    fn interval_s(&self) -> f64 {
        self.limit.interval.as_secs_f64()
    }

    /// Allows one more attempt.
    ///
    /// # Errors
    ///
    /// 429 until the next attempt is allowed.
    pub fn allow(&self, level: Level) -> Result<(), Problem> {
        self.wait_s(level, 0).map_or(Ok(()), |seconds| Err(Problem::too_many(seconds)))
    }

    /// Seconds until the next attempt is allowed if `fewer` of the counted ones were not; `None` if it is allowed now.
    fn wait_s(&self, level: Level, fewer: u32) -> Option<u64> {
        let interval = i64::try_from(self.limit.interval.as_secs()).unwrap_or(i64::MAX);
        let allowance = interval.saturating_mul(i64::from(self.limit.burst.get()) - 1 + i64::from(fewer));
        let ahead = level.full_at.as_millisecond().saturating_sub(level.now.as_millisecond());
        let wait_ms = ahead.saturating_sub(allowance.saturating_mul(1000));
        u64::try_from(wait_ms).ok().filter(|wait| *wait > 0).map(|wait| wait.div_ceil(1000))
    }

    fn verdict(&self, before: Reservations) -> Verdict {
        match (self.wait_s(before.level, 0), self.wait_s(before.level, before.undecided)) {
            (None, _) => Verdict::Granted,
            (Some(_), None) => Verdict::Undecided,
            (Some(seconds), Some(_)) => Verdict::Refused(seconds),
        }
    }
}

/// The outcome of reserving an attempt. Of two buckets the greater outcome counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The guess may be made.
    Granted,
    /// The bucket is full of reservations that may still be given back.
    Undecided,
    /// Too many have failed: the next guess may be made in so many seconds.
    Refused(u64),
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

    /// Reserves a guess in both buckets. Always in this order, so that no two transactions wait for each other.
    #[must_use]
    pub fn reserve(&self) -> (Statement<Reservations>, Statement<Reservations>) {
        (self.username.reserve(), self.address.reserve())
    }

    /// Decides from both buckets if the reservation may stand.
    #[must_use]
    pub fn verdict(&self, (username, address): (Reservations, Reservations)) -> Verdict {
        self.username.verdict(username).max(self.address.verdict(address))
    }

    /// The guess was wrong.
    #[must_use]
    pub fn fail(&self) -> Vec<Statement<()>> {
        vec![self.username.fail(), self.address.fail()]
    }

    /// The guess was right.
    #[must_use]
    pub fn give_back(&self) -> Vec<Statement<()>> {
        vec![self.username.give_back(), self.address.give_back()]
    }
}

/// The state of a bucket.
#[derive(Clone, Copy, Debug)]
pub struct Level {
    full_at: Timestamp,
    /// The database's clock when the bucket was read.
    pub now: Timestamp,
}

impl FromRow for Level {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self { full_at: column(row, "full_at")?, now: column(row, "now")? })
    }
}

/// The state of a bucket before an attempt was reserved in it.
#[derive(Clone, Copy, Debug)]
pub struct Reservations {
    level: Level,
    /// The counted attempts that are reserved and not decided.
    undecided: u32,
}

impl FromRow for Reservations {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let undecided: i32 = column(row, "undecided")?;
        Ok(Self { level: Level::from_row(row)?, undecided: u32::try_from(undecided).unwrap_or(0) })
    }
}

/// Counts one attempt: `$2` seconds an attempt. Returns the level before it.
pub const COUNT: &str = "\
INSERT INTO rate_limits AS r (key, full_at) VALUES ($1, clock_timestamp() + $2 * interval '1 second')
ON CONFLICT (key) DO UPDATE SET full_at = greatest(r.full_at, clock_timestamp()) + $2 * interval '1 second'
RETURNING full_at - $2 * interval '1 second' AS full_at, clock_timestamp() AS now";

/// As [`COUNT`], for an attempt that is decided later. Half a minute after the last reservation none is open any more:
/// a request that old has been given up.
pub const RESERVE: &str = "\
INSERT INTO rate_limits AS r (key, full_at, undecided, reserved_at)
VALUES ($1, clock_timestamp() + $2 * interval '1 second', 1, clock_timestamp())
ON CONFLICT (key) DO UPDATE SET full_at = greatest(r.full_at, clock_timestamp()) + $2 * interval '1 second',
    undecided = CASE WHEN r.reserved_at > clock_timestamp() - interval '30 seconds' THEN r.undecided ELSE 0 END + 1,
    reserved_at = clock_timestamp()
RETURNING full_at - $2 * interval '1 second' AS full_at, undecided - 1 AS undecided, clock_timestamp() AS now";

/// Leaves a reserved attempt counted.
pub const FAIL: &str = "UPDATE rate_limits SET undecided = greatest(undecided - 1, 0) WHERE key = $1";

/// Takes a reserved attempt of `$2` seconds back.
pub const GIVE_BACK: &str = "\
UPDATE rate_limits SET full_at = full_at - $2 * interval '1 second', undecided = greatest(undecided - 1, 0)
WHERE key = $1";

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
    fn ten_attempts_are_allowed_and_the_eleventh_a_minute_later() {
        let wait_s = |level| bucket().wait_s(level, 0);
        for counted in 0..10 {
            assert_eq!(wait_s(full_in_ms(counted * 60_000)), None, "{counted} counted before");
        }
        assert_eq!(wait_s(full_in_ms(10 * 60_000)), Some(60));
        assert_eq!(wait_s(full_in_ms(9 * 60_000 + 1)), Some(1), "rounded up: never told too early");
        assert_eq!(wait_s(full_in_ms(20 * 60_000)), Some(11 * 60));
        assert_eq!(bucket().allow(full_in_ms(10 * 60_000)).unwrap_err().status().as_u16(), 429);
        assert!(bucket().allow(full_in_ms(-1)).is_ok());
    }

    fn reserved(counted: i64, undecided: u32) -> Reservations {
        Reservations { level: full_in_ms(counted * 60_000), undecided }
    }

    #[test]
    fn an_attempt_waits_for_reservations_only_where_they_could_make_room() {
        let verdict = |counted, undecided| bucket().verdict(reserved(counted, undecided));
        assert_eq!(verdict(9, 9), Verdict::Granted);
        assert_eq!(verdict(10, 10), Verdict::Undecided);
        assert_eq!(verdict(10, 1), Verdict::Undecided);
        assert_eq!(verdict(10, 0), Verdict::Refused(60));
        assert_eq!(verdict(12, 2), Verdict::Refused(180), "ten failures are left whatever the two are");
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
        let limit = TEN_THEN_ONE_A_MINUTE;
        let limits = Limits {
            login_user: limit,
            login_address: limit,
            totp_user: limit,
            register_address: limit,
            email_user: limit,
            email_address: limit,
            customer_writes: limit,
            hook_address: limit,
            max_pending: 20,
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
    fn the_stricter_of_the_two_buckets_counts() {
        let guesses = Guesses { username: bucket(), address: bucket() };
        let verdict = |username, address| guesses.verdict((username, address));
        assert_eq!(verdict(reserved(0, 0), reserved(0, 0)), Verdict::Granted);
        assert_eq!(verdict(reserved(10, 1), reserved(0, 0)), Verdict::Undecided);
        assert_eq!(verdict(reserved(10, 1), reserved(10, 0)), Verdict::Refused(60));
        assert_eq!(verdict(reserved(10, 0), reserved(12, 0)), Verdict::Refused(180));
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
