//! Interest by the balance of each day, once more: the rules as they stand, one day after the other. It remembers what
//! principal was paid on which day; the rest is in the claims.

use jiff::civil::Date;
use lending::{Component, DayCount, EventId, InterestAccrual};
use num_rational::BigRational;

use super::{Claim, Model, Row, Spread, whole};
use crate::reference::{days, rational};

/// Amounts asked of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Asked {
    principal: i128,
    interest: i128,
    /// Interest that the next row has to ask for.
    carry: i128,
}

/// The model's record of a loan whose interest follows the balance of each day.
#[derive(Debug, Clone, Default)]
pub(super) struct Daily {
    /// The annual rate and the equal instalment of each row; none of a row of interest alone.
    rows: Vec<(BigRational, Option<i128>)>,
    /// The day and the amount of each payment of principal.
    principal: Vec<(Date, i128)>,
    /// The loan was given up: nothing accrues from then on.
    given_up_on: Option<Date>,
    /// Rows ask for nothing else any more.
    is_over: bool,
}

impl Model<'_> {
    pub(super) fn is_daily(&self) -> bool {
        self.terms.interest_accrual() == InterestAccrual::Daily
    }

    fn is_changing(&self) -> bool {
        self.is_daily() && self.disbursed_on.is_some() && !self.daily.is_over
    }

    /// Every row from `first` on has this rate and this instalment.
    pub(super) fn fix_instalment(&mut self, first: usize, annual: &BigRational, instalment: i128) {
        self.daily.rows.truncate(first);
        for row in first..self.rows.len() {
            self.daily.rows.push((annual.clone(), (row >= self.interest_only).then_some(instalment)));
        }
    }

    pub(super) fn note_principal(&mut self, today: Date, amount: i128) {
        self.daily.principal.push((today, amount));
    }

    fn own(&self, row: usize, component: Component) -> usize {
        let is_it = |claim: &Claim| claim.is_own && claim.row == row && claim.component == component;
        self.claims.iter().position(is_it).unwrap()
    }

    fn principal_paid(&self, row: usize) -> i128 {
        self.claims[self.own(row, Component::Principal)].paid
    }

    /// Interest paid or waived.
    fn interest_paid(&self, row: usize) -> i128 {
        let claim = &self.claims[self.own(row, Component::Interest)];
        claim.paid + claim.waived
    }

    fn amount(&self) -> i128 {
        self.contract.amount.units()
    }

    /// The balance at the end of a day that has passed.
    fn balance_of(&self, day: Date) -> i128 {
        let paid = self.daily.principal.iter().filter(|(on, _)| *on <= day);
        self.amount() - paid.map(|(_, amount)| amount).sum::<i128>()
    }

    /// The interest of a row on the balances of its days before `until`, rounded once.
    fn interest_of(&self, index: usize, until: Date, balance_of: impl Fn(Date) -> i128) -> i128 {
        let row = &self.rows[index];
        let annual = &self.daily.rows[index].0;
        // Days of leap years and of others.
        let mut sums = [0, 0];
        let mut day = row.start;
        while day < row.due_on && day < until {
            if self.daily.given_up_on.is_none_or(|given_up_on| day < given_up_on) {
                sums[usize::from(day.in_leap_year())] += balance_of(day);
            }
            day = day.tomorrow().unwrap();
        }
        let exact = if self.terms.day_count() == DayCount::ActualActual {
            annual * (rational(1, 365) * whole(sums[0]) + rational(1, 366) * whole(sums[1]))
        } else {
            annual * &row.years / rational(days(row.start, row.due_on), 1) * whole(sums[0] + sums[1])
        };
        self.to_smallest(&exact)
    }

    /// Rules 2 to 5: what every row asks for as of a day.
    fn dues(&self, as_of: Date) -> Vec<Asked> {
        let count = self.rows.len();
        let paid: Vec<(i128, i128)> =
            (0..count).map(|row| (self.principal_paid(row), self.interest_paid(row))).collect();
        let mut asked: Vec<Asked> = Vec::new();
        for k in 0..count {
            let balance_of = |day: Date| {
                if day < as_of {
                    return self.balance_of(day);
                }
                let is_due = |row: usize| self.rows[row].due_on <= as_of || self.rows[row].due_on <= day;
                let of_row = |row: usize| if is_due(row) { asked[row].principal } else { paid[row].0 };
                self.amount() - (0..count).map(of_row).sum::<i128>()
            };
            let carried = asked.last().map_or(0, |before| before.carry);
            let arising = self.interest_of(k, self.rows[k].due_on, balance_of) + carried;
            let level = self.daily.rows[k].1.unwrap_or(arising);
            let (principal_paid, interest_paid) = paid[k];
            let mut interest = if principal_paid > 0.max(level - arising) {
                interest_paid
            } else {
                interest_paid.max(arising.min(level))
            };
            let mut principal = principal_paid.max(level - interest);
            let before: i128 = asked.iter().map(|asked| asked.principal).sum();
            let after: i128 = paid[k + 1..].iter().map(|paid| paid.0).sum();
            let left = self.amount() - before - after;
            if k + 1 == count {
                (principal, interest) = (left, interest_paid.max(arising));
            } else if principal > left {
                (principal, interest) = (left, interest_paid.max(arising.min(level - left)));
            }
            asked.push(Asked { principal, interest, carry: arising - interest });
        }
        asked
    }

    /// Rule 6: what can be paid of each row that is not due, principal and interest, on a day before its money.
    fn in_advance(&self, today: Date) -> Vec<(usize, i128, i128)> {
        let dues = self.dues(today);
        let running = self.running(today);
        let mut carry = running.checked_sub(1).map_or(0, |row| dues[row].carry);
        let mut rows = Vec::new();
        for (k, due) in dues.iter().enumerate().skip(running) {
            let accrued = carry + self.interest_of(k, today, |day| self.balance_of(day));
            let (principal_paid, interest_paid) = (self.principal_paid(k), self.interest_paid(k));
            let is_last = k + 1 == self.rows.len();
            let is_interest_only = self.daily.rows[k].1.is_none();
            let mut level = self.daily.rows[k].1.unwrap_or(0);
            if is_last {
                level = level.max(due.principal + due.interest);
            }
            let most = if is_last || is_interest_only { accrued } else { accrued.min(level - principal_paid) };
            let interest = most.max(interest_paid);
            carry = accrued - interest;
            let principal = if is_interest_only { 0 } else { 0.max(level - interest - principal_paid) };
            rows.push((k, principal, interest - interest_paid));
        }
        rows
    }

    fn ask(&mut self, row: usize, component: Component, charged: i128) {
        let claim = self.own(row, component);
        self.claims[claim].charged = charged;
    }

    /// A number of first rows ask for what they ask for as of a day.
    fn ask_first(&mut self, as_of: Date, count: usize) {
        let dues = self.dues(as_of);
        for (row, asked) in dues.into_iter().enumerate().take(count) {
            self.ask(row, Component::Principal, asked.principal);
            self.ask(row, Component::Interest, asked.interest);
        }
    }

    /// Rows that are due by a day ask for what fell due.
    pub(super) fn ask_due(&mut self, today: Date) {
        if self.is_changing() {
            self.ask_first(today, self.running(today));
        }
    }

    /// All rows ask for what they do as of a day.
    pub(crate) fn ask_all(&mut self, as_of: Date) {
        if self.is_changing() {
            self.ask_first(as_of, self.rows.len());
        }
    }

    /// Rows that are not due ask for what can be paid in advance.
    pub(super) fn ask_in_advance(&mut self, today: Date) {
        if !self.is_changing() {
            return;
        }
        self.ask_due(today);
        for (row, principal, interest) in self.in_advance(today) {
            self.ask(row, Component::Principal, self.principal_paid(row) + principal);
            self.ask(row, Component::Interest, self.interest_paid(row) + interest);
        }
    }

    /// All interest until a day, each row rounded once.
    pub(super) fn accrued(&self, today: Date) -> i128 {
        (0..self.rows.len()).map(|row| self.interest_of(row, today, |day| self.balance_of(day))).sum()
    }

    /// Before the payment that closes the loan: interest paid beyond what has accrued and is not waived is given back,
    /// the last first.
    pub(super) fn ask_to_close(&mut self, today: Date) -> i128 {
        if !self.is_changing() {
            return 0;
        }
        self.ask_in_advance(today);
        let paid: i128 = (0..self.rows.len()).map(|row| self.claims[self.own(row, Component::Interest)].paid).sum();
        let asked = 0.max(self.accrued(today) - self.waived[Component::Interest as usize]);
        let back = 0.max(paid - asked);
        let mut left = back;
        for row in (0..self.rows.len()).rev() {
            let claim = self.own(row, Component::Interest);
            let claim = &mut self.claims[claim];
            let part = claim.paid.min(left);
            claim.paid -= part;
            claim.charged -= part;
            left -= part;
        }
        back
    }

    /// The last row of a loan that closes asks for all principal that is left.
    pub(super) fn ask_for_the_rest(&mut self) {
        if self.is_changing() {
            let (last, balance) = (self.own(self.rows.len() - 1, Component::Principal), self.balance());
            let last = &mut self.claims[last];
            last.charged = last.charged.max(last.paid + balance);
        }
    }

    /// A loan that has closed asks for nothing more.
    pub(super) fn end_daily(&mut self) {
        if self.is_changing() {
            for claim in self.claims.iter_mut().filter(|claim| claim.is_own && claim.component != Component::Fee) {
                claim.charged = claim.paid + claim.waived;
            }
            self.daily.is_over = true;
        }
    }

    /// A loan that is given up asks for all principal and for the interest until then.
    pub(super) fn give_up_daily(&mut self, today: Date) {
        if self.is_changing() {
            self.daily.given_up_on = Some(today);
            self.ask_all(Date::MAX);
            self.daily.is_over = true;
        }
    }

    /// Waives interest that has not accrued.
    pub(super) fn waive_ahead(&mut self, today: Date, amount: i128) {
        let row = self.running(today).min(self.rows.len() - 1);
        let claim = self.own(row, Component::Interest);
        let claim = &mut self.claims[claim];
        claim.charged += amount;
        claim.waived += amount;
        claim.touched_on = claim.touched_on.max(Some(today));
    }

    /// Rule 8: the rows from `first` on are `fresh` ones, at another rate.
    pub(super) fn reschedule_daily(
        &mut self,
        id: EventId,
        today: Date,
        first: usize,
        fresh: Vec<Row>,
        annual: &BigRational,
    ) -> Result<(), &'static str> {
        let scheduled: i128 = self.dues(today)[first..].iter().map(|asked| asked.principal).sum();
        let rest = scheduled % self.smallest;
        let spread = Spread {
            principal: scheduled - rest,
            flat_base: scheduled - rest,
            periods: fresh.iter().map(|row| (row.years.clone(), row.rate.clone())).collect(),
            first_interest: None,
            interest_only: 0,
            given: None,
            is_strict: true,
        };
        let (level, _) = self.spread(&spread).ok_or("does_not_amortise")?;
        let mut taken = self.take_away(first);
        self.rows.extend(fresh);
        self.annual = annual.clone();
        self.instalment = level;
        self.interest_only = 0;
        self.fix_instalment(first, annual, level);
        for row in first..self.rows.len() {
            let due_on = self.rows[row].due_on;
            self.claims.push(Claim::own(row, Component::Principal, due_on, 0));
            self.claims.push(Claim::own(row, Component::Interest, due_on, 0));
            self.claims.push(Claim::own(row, Component::Fee, due_on, self.fee_each_row));
        }
        let fees = taken.split_off(2);
        self.give_back(today, first, fees);
        self.ask_in_advance(today);

        let asked: i128 =
            (first..self.rows.len()).map(|row| self.claims[self.own(row, Component::Interest)].charged).sum();
        let (_, mut principal, _, principal_on) = taken[0];
        let (_, mut interest, mut waived, interest_on) = taken[1];
        let excess = 0.max(interest - 0.max(asked - waived)).min(self.balance_of(today));
        interest -= excess;
        principal += excess;
        self.note_principal(today, excess);
        self.move_paid(today, id, [0, 0, -excess, excess]);
        let principal_on = if excess > 0 { Some(today) } else { principal_on };
        for row in first..self.rows.len() {
            let claim = self.own(row, Component::Interest);
            let claim = &mut self.claims[claim];
            let part = claim.unpaid().min(interest);
            claim.paid += part;
            interest -= part;
            let part_waived = claim.unpaid().min(waived);
            claim.waived += part_waived;
            waived -= part_waived;
            if part + part_waived > 0 {
                claim.touched_on = interest_on.or(Some(today));
            }
            let claim = self.own(row, Component::Principal);
            let is_last = row + 1 == self.rows.len();
            let claim = &mut self.claims[claim];
            let part = if is_last { principal } else { claim.unpaid().min(principal) };
            claim.charged = claim.charged.max(part);
            claim.paid += part;
            principal -= part;
            if part > 0 {
                claim.touched_on = principal_on;
            }
        }
        // All principal is paid: the rest stays paid as interest.
        let claim = self.own(first, Component::Interest);
        self.claims[claim].charged += interest;
        self.claims[claim].paid += interest;
        if waived > 0 {
            self.waive_ahead(today, waived);
        }
        Ok(())
    }

    /// The same loan as it will be on each due date if nothing more happens.
    pub(crate) fn ahead(&self) -> Self {
        let mut ahead = self.clone();
        ahead.ask_all(Date::MAX);
        ahead
    }
}
