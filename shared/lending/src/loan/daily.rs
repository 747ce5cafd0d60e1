//! Interest that follows the balance of each day: what each row asks for, as of a day.
//!
//! A payment counts from its own day. Rows that have ended keep the sum of their days; the running one adds up days as
//! they pass; the rows to come are projected on the balance that is left if all that is due is paid. The instalment
//! stays, and the last row takes the difference. All in smallest units of the currency.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::calendar::{DayCount, YearFraction, days_between};
use crate::number::rounding::Rounding;
use crate::schedule::{Period, PeriodDates, PeriodRate};
use crate::steps::steps;
use crate::terms::Units;
use crate::{Percent, Terms};

/// Principal and interest of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct RowDue {
    pub(crate) principal: i128,
    pub(crate) interest: i128,
}

/// A row of a loan with daily interest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DailyRow {
    start: Date,
    due_on: Date,
    /// The rate of `parts` weighted days.
    rate: PeriodRate,
    parts: i128,
    /// The equal instalment; `None` for a row of interest alone, which takes no principal in advance.
    level: Option<i128>,
    /// Balance times weighted days, of the days that have passed.
    passed: i128,
    /// The interest of all its days, once they have passed; without what the row before carries over.
    arising: i128,
    principal_paid: i128,
    /// Interest paid or waived.
    interest_paid: i128,
}

impl DailyRow {
    /// A row with the rate of its period; or with that of a weighted day, where each day counts by its own year.
    pub(crate) fn new(dates: PeriodDates, rate: PeriodRate, by_years: Option<PeriodRate>, level: Option<i128>) -> Self {
        let PeriodDates { start, due_on, .. } = dates;
        let (rate, parts) = by_years.map_or_else(|| (rate, i128::from(dates.days())), |rate| (rate, 1));
        Self { start, due_on, rate, parts, level, passed: 0, arising: 0, principal_paid: 0, interest_paid: 0 }
    }
}

fn is_by_years(terms: &Terms) -> bool {
    terms.day_count() == DayCount::ActualActual
}

/// The rate of a weighted day, where each counts by its own year: its year's share is its weight.
pub(crate) fn rate_by_years(annual_rate: Percent, terms: &Terms) -> Option<PeriodRate> {
    let share = YearFraction { numerator: 1, denominator: 365 * 366 };
    is_by_years(terms).then(|| PeriodRate::new(annual_rate, share))
}

/// The sums of a number of first rows: what they ask for, and the interest that they carry over to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct FirstRows {
    count: usize,
    principal: i128,
    principal_paid: i128,
    interest: i128,
    carry: i128,
}

/// The rows of a loan with daily interest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DailyRows {
    rows: Vec<DailyRow>,
    is_by_years: bool,
    /// Principal that is not paid.
    balance: i128,
    /// The balance from a day on, for each day on which it changed: what rows made later bear interest on.
    #[serde(skip)]
    balances: Vec<(Date, i128)>,
    /// The days before this one have passed.
    passed_to: Date,
    /// The number of first rows all of whose days have passed, and the interest of those rows.
    ended: usize,
    arisen: i128,
    /// First rows that have ended and are paid: they ask for the same from then on.
    settled: FirstRows,
    /// Nothing accrues any more.
    is_stopped: bool,
    smallest: i128,
    rounding: Rounding,
}

impl DailyRows {
    /// The rows of a loan of `amount` with this equal instalment.
    pub(crate) fn new(
        (disbursed_on, amount, level): (Date, i128, i128),
        periods: &[(PeriodDates, Period)],
        terms: &Terms,
        units: Units,
    ) -> Self {
        let by_years = rate_by_years(terms.interest_rate_apr().percent(), terms);
        let interest_only = terms.grace().principal as usize;
        let level = |index: usize| (index >= interest_only).then_some(level);
        let row = |(index, (dates, period)): (usize, &(PeriodDates, Period))| {
            DailyRow::new(*dates, period.rate, by_years, level(index))
        };
        Self {
            rows: periods.iter().enumerate().map(row).collect(),
            is_by_years: is_by_years(terms),
            balance: amount,
            balances: vec![(disbursed_on, amount)],
            passed_to: disbursed_on,
            ended: 0,
            arisen: 0,
            settled: FirstRows::default(),
            is_stopped: false,
            smallest: units.smallest,
            rounding: terms.rounding(),
        }
    }

    /// Principal that is not paid.
    pub(crate) const fn balance(&self) -> i128 {
        self.balance
    }

    /// The number of first rows that ask for the same from now on: their days have passed, and they are paid.
    pub(crate) const fn settled(&self) -> usize {
        self.settled.count
    }

    /// True if nothing accrues any more.
    pub(crate) const fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// The same without what only rows made later need, and as far as anybody could have looked by the day that days
    /// have passed to.
    pub(crate) fn without_history(mut self) -> Self {
        self.dues(self.passed_to, self.rows.len(), &mut |_, _| ());
        self.balances = Vec::new();
        self
    }

    /// From the day that days have passed to on, nothing accrues.
    pub(crate) const fn stop(&mut self) {
        self.is_stopped = true;
    }

    /// Days from `from` to the day before `to`; of a leap year and of others by their shares of their years.
    fn weighted_days(&self, from: Date, to: Date) -> i128 {
        if from >= to || self.is_stopped {
            return 0;
        }
        if self.is_by_years {
            return i128::from(YearFraction::by_days(DayCount::ActualActual, from, to).numerator);
        }
        i128::from(days_between(from, to))
    }

    /// Interest of weighted days on balances, rounded once.
    fn interest(&self, row: &DailyRow, base_days: i128) -> i128 {
        if base_days == 0 {
            return 0;
        }
        row.rate.of_parts(base_days, row.parts, self.smallest, self.rounding)
    }

    /// Lets the days before `day` pass on the present balance.
    pub(crate) fn pass_to(&mut self, day: Date) {
        for index in self.ended..self.rows.len() {
            steps(1);
            let DailyRow { start, due_on, .. } = self.rows[index];
            if start >= day {
                break;
            }
            self.rows[index].passed += self.balance * self.weighted_days(start.max(self.passed_to), due_on.min(day));
            self.end(index, day);
        }
        self.passed_to = self.passed_to.max(day);
    }

    /// Fixes the interest of a row all of whose days are before a day.
    fn end(&mut self, index: usize, day: Date) {
        let row = &self.rows[index];
        if row.due_on <= day {
            let arising = self.interest(row, row.passed);
            self.rows[index].arising = arising;
            self.arisen += arising;
            self.ended = index + 1;
        }
    }

    /// Pays or waives part of a row, on the day that days have passed to.
    pub(crate) fn pay(&mut self, row: usize, part: RowDue) {
        self.rows[row].principal_paid += part.principal;
        self.rows[row].interest_paid += part.interest;
        // The rest of a waiver may come off a row that is paid: it asks for as much more interest.
        if row < self.settled.count {
            self.settled = FirstRows::default();
        }
        if part.principal != 0 {
            self.balance -= part.principal;
            self.balances.pop_if(|(from, _)| *from == self.passed_to);
            self.balances.push((self.passed_to, self.balance));
        }
    }

    /// Calls `put` with what each of a number of first rows asks for as of a day, at the earliest the one that days
    /// have passed to. Leaves out those that are settled.
    pub(crate) fn dues(&mut self, as_of: Date, rows: usize, put: &mut impl FnMut(usize, RowDue)) -> FirstRows {
        let mut first = self.settled;
        while first.count < rows {
            let index = first.count;
            let due = self.next_due(&mut first, as_of);
            put(index, due);
            let DailyRow { principal_paid, interest_paid, .. } = self.rows[index];
            if index == self.settled.count
                && index < self.ended
                && due == (RowDue { principal: principal_paid, interest: interest_paid })
            {
                self.settled = first;
            }
        }
        first
    }

    /// Principal that the rows after the first ones ask for and that is not paid.
    pub(crate) const fn left_after(&self, first: FirstRows) -> i128 {
        self.balance - first.principal + first.principal_paid
    }

    /// The amounts that the row after the first ones asks for; it is then one of them.
    fn next_due(&self, first: &mut FirstRows, as_of: Date) -> RowDue {
        steps(1);
        let index = first.count;
        let row = &self.rows[index];
        // The amount less what the rows before ask for and what is paid on the rows after.
        let left = self.left_after(*first) + row.principal_paid;
        let arising = first.carry
            + if index < self.ended { row.arising } else { self.interest(row, self.base_days(row, as_of, left)) };
        let due = self.due(index, left, arising);
        first.count += 1;
        first.principal += due.principal;
        first.principal_paid += row.principal_paid;
        first.interest += due.interest;
        first.carry = arising - due.interest;
        due
    }

    /// The balance times weighted days of a whole row: as of a day the days to come have the balance that is left if
    /// all that is due is paid.
    fn base_days(&self, row: &DailyRow, as_of: Date, left: i128) -> i128 {
        let DailyRow { start, due_on, .. } = *row;
        let known = self.weighted_days(start.max(self.passed_to), due_on.min(as_of));
        let to_come = self.weighted_days(start.max(as_of), due_on);
        row.passed + self.balance * known + (left - row.principal_paid) * to_come
    }

    /// The amounts that a row asks for, given its interest with the interest that was carried into it.
    fn due(&self, index: usize, left: i128, arising: i128) -> RowDue {
        let &DailyRow { level, principal_paid, interest_paid, .. } = &self.rows[index];
        if index + 1 == self.rows.len() {
            return RowDue { principal: left, interest: arising.max(interest_paid) };
        }
        let level = level.unwrap_or(arising);
        let interest = if principal_paid > (level - arising).max(0) {
            interest_paid
        } else {
            arising.min(level).max(interest_paid)
        };
        let principal = (level - interest).max(principal_paid);
        if principal > left {
            return RowDue { principal: left, interest: arising.min(level - left).max(interest_paid) };
        }
        RowDue { principal, interest }
    }

    /// Calls `put` with what can be paid in advance of each row after the first ones, which are those due by the day
    /// that days have passed to: before that day's money. Where the rows before it take all of `money`, the principal
    /// of the last row is not worked out.
    pub(crate) fn in_advance(&self, first: FirstRows, money: i128, put: &mut impl FnMut(usize, RowDue)) {
        let on = self.passed_to;
        let mut carry = first.carry;
        let mut taken_before = 0;
        for (index, row) in self.rows.iter().enumerate().skip(first.count) {
            steps(1);
            let accrued = carry + self.interest(row, row.passed);
            let is_last = index + 1 == self.rows.len();
            let level = match row.level {
                Some(level) if is_last && taken_before < money => level.max(self.asked_of_last(first, on)),
                Some(level) => level,
                None => accrued.max(row.interest_paid) + row.principal_paid,
            };
            let most = if is_last { accrued } else { level - row.principal_paid };
            let interest = accrued.min(most).max(row.interest_paid);
            carry = accrued - interest;
            let principal = (level - interest - row.principal_paid).max(0);
            taken_before += principal;
            put(index, RowDue { principal, interest: interest - row.interest_paid });
        }
    }

    /// The interest of all rows as of a day, at the earliest the one that days have passed to.
    pub(crate) fn interest_of_all(&self, as_of: Date) -> i128 {
        let mut first = self.settled;
        while first.count < self.rows.len() {
            self.next_due(&mut first, as_of);
        }
        first.interest
    }

    /// Principal and interest of the last row together, as of a day.
    fn asked_of_last(&self, mut first: FirstRows, as_of: Date) -> i128 {
        let mut due = RowDue::default();
        while first.count < self.rows.len() {
            due = self.next_due(&mut first, as_of);
        }
        due.principal + due.interest
    }

    /// The interest of all days before a day, at the earliest the one that days have passed to, each row rounded once.
    pub(crate) fn accrued(&self, on: Date) -> i128 {
        let begun = self.rows[self.ended..].iter().take_while(|row| row.start < on);
        let of = |row: &DailyRow| {
            steps(1);
            let known = self.weighted_days(row.start.max(self.passed_to), row.due_on.min(on));
            self.interest(row, row.passed + self.balance * known)
        };
        self.arisen + begun.map(of).sum::<i128>()
    }

    /// Puts new rows in the place of those from `first` on, whose principal is no longer paid, on the day that days
    /// have passed to. The new ones had the balances of the days that have passed.
    pub(crate) fn replace(&mut self, first: usize, fresh: impl Iterator<Item = DailyRow>) {
        let paid: i128 = self.rows[first..].iter().map(|row| row.principal_paid).sum();
        self.balance += paid;
        self.rows.truncate(first);
        self.rows.extend(fresh);
        self.ended = self.ended.min(first);
        self.arisen = self.rows[..self.ended].iter().map(|row| row.arising).sum();
        if self.settled.count > first {
            self.settled = FirstRows::default();
        }
        for index in first..self.rows.len() {
            steps(1);
            let DailyRow { start, due_on, .. } = self.rows[index];
            if start >= self.passed_to {
                break;
            }
            self.rows[index].passed = self.base_days_between(start, due_on.min(self.passed_to));
            self.end(index, self.passed_to);
        }
    }

    /// The balance times weighted days of days that have passed.
    fn base_days_between(&self, from: Date, to: Date) -> i128 {
        let begun = self.balances.partition_point(|(since, _)| *since <= from).saturating_sub(1);
        let mut sum = 0;
        for (place, (since, balance)) in self.balances.iter().enumerate().skip(begun) {
            steps(1);
            if *since >= to {
                break;
            }
            let until = self.balances.get(place + 1).map_or(to, |(until, _)| (*until).min(to));
            sum += balance * self.weighted_days((*since).max(from), until);
        }
        sum
    }
}
