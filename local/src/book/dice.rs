//! Numbers that look random and are determined by a seed.

use std::ops::RangeInclusive;

use backend::values::pay_ref::PayRef;
use jiff::Timestamp;
use rand::{Rng as _, RngCore as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;

/// The purpose of a stream of numbers. Each has its own, so that everything can be made in any order, on any thread.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stream {
    /// A loan, by its number.
    Loan(u64),
    /// A customer, by its number.
    Customer(u64),
    /// An agent, by its number.
    Agent(u64),
    /// An admin, by its number.
    Admin(u64),
    /// A product, by its number.
    Product(u64),
    /// The audit log's entry of someone of the staff, by their number.
    StaffLog(u64),
}

impl Stream {
    /// Six streams to a number: no two things share one.
    const fn number(self) -> u64 {
        match self {
            Self::Loan(number) => number * 6,
            Self::Customer(number) => number * 6 + 1,
            Self::Agent(number) => number * 6 + 2,
            Self::Admin(number) => number * 6 + 3,
            Self::Product(number) => number * 6 + 4,
            Self::StaffLog(number) => number * 6 + 5,
        }
    }
}

/// One stream of numbers.
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    pub(super) fn new(seed: u64, stream: Stream) -> Self {
        let mut numbers = ChaCha8Rng::seed_from_u64(seed);
        numbers.set_stream(stream.number());
        Self(numbers)
    }

    /// True in so many cases of a hundred.
    pub(super) fn percent(&mut self, chance: u32) -> bool {
        self.0.random_range(0..100) < chance
    }

    /// One of these numbers, each as likely as the others.
    pub(super) fn between(&mut self, range: RangeInclusive<i64>) -> i64 {
        self.0.random_range(range)
    }

    /// A number below this one.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0.random_range(0..end)
    }

    /// One of these, each as likely as the others.
    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.0.random_range(0..of.len())]
    }

    /// One of these, as likely as its weight says.
    pub(super) fn weigh<'a, T>(&mut self, of: &'a [T], weight: impl Fn(&T) -> u32) -> &'a T {
        let mut left = self.0.random_range(0..of.iter().map(&weight).sum());
        let chosen = of.iter().position(|it| {
            let is_here = left < weight(it);
            left = left.saturating_sub(weight(it));
            is_here
        });
        &of[chosen.unwrap_or_default()]
    }

    /// A UUID of version 7: of this instant, the rest of it random.
    pub(super) fn id(&mut self, at: Timestamp) -> Uuid {
        let mut random = [0; 10];
        self.0.fill_bytes(&mut random);
        // Nothing here is from before 1970.
        let milliseconds = u64::try_from(at.as_millisecond()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid()
    }
}

/// The `pay_ref` of the loan with this number: each has its own, neighbours far from each other.
pub(super) fn pay_ref(seed: u64, number: u64) -> PayRef {
    // A power of 3, and so without a divisor in common with how many there are.
    const STEP: u64 = 387_420_489;
    PayRef::of_number(seed.wrapping_mul(STEP) % PayRef::COUNT + number * STEP % PayRef::COUNT)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn first_of(seed: u64, stream: Stream) -> i64 {
        Dice::new(seed, stream).between(0..=i64::MAX)
    }

    #[test]
    fn numbers_follow_from_the_seed_and_differ_from_stream_to_stream() {
        assert_eq!(first_of(1, Stream::Loan(7)), first_of(1, Stream::Loan(7)));
        let others = [(2, Stream::Loan(7)), (1, Stream::Loan(8)), (1, Stream::Customer(7)), (1, Stream::Product(7))];
        for (seed, stream) in others {
            assert_ne!(first_of(1, Stream::Loan(7)), first_of(seed, stream), "{seed} {stream:?}");
        }
    }

    #[test]
    fn an_id_is_of_its_instant() {
        let at: Timestamp = "2025-05-06T07:08:09.123456Z".parse().unwrap();
        let id = Dice::new(1, Stream::Loan(0)).id(at);
        assert_eq!((id.get_version_num(), id.get_variant()), (7, uuid::Variant::RFC4122));
        assert_eq!(id.get_timestamp().unwrap().to_unix(), (1_746_515_289, 123_000_000));
    }

    #[test]
    fn what_has_weight_comes_up_in_proportion_and_the_rest_never() {
        let mut dice = Dice::new(1, Stream::Agent(0));
        let mut counts = [0; 3];
        for _ in 0..4000 {
            counts[*dice.weigh(&[0, 1, 2], |it| [1, 0, 3][*it])] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((900..1100).contains(&counts[0]), "{counts:?}");
    }
}
