//! When things happen in a generated book: which loan is applied for on which day, and at which instants of a day
//! people work.

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};

use super::dice::Dice;

/// How many days the book goes back: about three years.
const DAYS: i64 = 1095;

/// A billion: how fine parts of the book's time are.
const WHOLE: u64 = 1_000_000_000;

/// Customers make loans in this pattern: of five loans, these are the first ones of new customers.
const FIRST_LOANS: [u64; 3] = [0, 2, 3];
const PATTERN: u64 = 5;

/// The days of a book of so many loans that ends the day before `today`.
pub(super) struct Calendar {
    loans: u64,
    /// The business date on which the book is loaded; nothing has happened on it yet, so that no instant is in the
    /// future.
    today: Date,
    zone: TimeZone,
}

impl Calendar {
    pub(super) const fn new(loans: u64, today: Date, zone: TimeZone) -> Self {
        Self { loans, today, zone }
    }

    pub(super) const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The first day on which a loan may be applied for.
    pub(super) fn first_day(&self) -> Date {
        self.today - DAYS.days()
    }

    /// The last day on which anything happened.
    pub(super) fn last_day(&self) -> Date {
        self.today - 1.day()
    }

    /// The day on which a loan is applied for, by its number. There are four times as many a day at the end as at the
    /// beginning: of `x`, the part of the time that has passed, the part of the loans is `0.4 x + 0.6 x²`.
    pub(super) fn applied_on(&self, loan: u64) -> Date {
        let part = u64::try_from(u128::from(loan) * u128::from(WHOLE) / u128::from(self.loans)).unwrap_or(WHOLE);
        // x = (sqrt(0.16 + 2.4 part) - 0.4) / 1.2
        let root = ((WHOLE * 16 / 100 + part * 24 / 10) * WHOLE).isqrt();
        let passed = (root - WHOLE * 4 / 10) * 10 / 12;
        let days = i64::try_from(passed).unwrap_or_default() * DAYS / 1_000_000_000;
        (self.first_day() + days.days()).min(self.last_day())
    }

    /// An instant within the hours of a day in which people work.
    pub(super) fn at(&self, day: Date, dice: &mut Dice) -> Timestamp {
        let time = day.at(8, 0, 0, 0) + dice.between(0..=10 * 3_600_000_000 - 1).microseconds();
        // A day without some hour is a day all the same.
        let instant = self.zone.to_ambiguous_timestamp(time).compatible();
        instant.unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// How many customers the loans up to one, this one not among them, have.
    pub(super) fn customers_before(loan: u64) -> u64 {
        let in_pattern = FIRST_LOANS.iter().filter(|first| **first < loan % PATTERN).count();
        loan / PATTERN * 3 + u64::try_from(in_pattern).unwrap_or_default()
    }

    /// True if a loan is the first one of a new customer, by its number.
    pub(super) fn is_first(loan: u64) -> bool {
        FIRST_LOANS.contains(&(loan % PATTERN))
    }

    /// The number of a customer's first loan.
    pub(super) fn first_loan(customer: u64) -> u64 {
        let place = usize::try_from(customer % 3).unwrap_or_default();
        customer / 3 * PATTERN + FIRST_LOANS[place]
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::dice::Stream;
    use super::*;

    fn calendar(loans: u64) -> Calendar {
        Calendar::new(loans, "2026-11-22".parse().unwrap(), TimeZone::get("Africa/Nairobi").unwrap())
    }

    #[test]
    fn loans_are_applied_for_in_order_ever_more_of_them_and_none_today() {
        let calendar = calendar(10_000);
        let days: Vec<Date> = (0..10_000).map(|loan| calendar.applied_on(loan)).collect();
        assert!(days.is_sorted());
        assert_eq!(days[0].to_string(), "2023-11-23");
        assert_eq!(days[9_999].to_string(), "2026-11-21");
        let in_year = |year| days.iter().filter(|day| day.year() == year).count();
        assert!(in_year(2024) * 3 < in_year(2026) * 2, "{} {}", in_year(2024), in_year(2026));
    }

    #[test]
    fn an_instant_is_of_its_day() {
        let calendar = calendar(1);
        let mut dice = Dice::new(1, Stream::Loan(0));
        for _ in 0..100 {
            let at = calendar.at("2026-03-01".parse().unwrap(), &mut dice);
            assert_eq!(calendar.zone().to_datetime(at).date().to_string(), "2026-03-01");
        }
    }

    #[test]
    fn customers_are_new_with_their_first_loan() {
        let mut customers = 0;
        for loan in 0..1000 {
            assert_eq!(Calendar::customers_before(loan), customers, "{loan}");
            if Calendar::is_first(loan) {
                assert_eq!(Calendar::first_loan(customers), loan);
                customers += 1;
            }
        }
        assert_eq!(customers, 600);
    }
}
