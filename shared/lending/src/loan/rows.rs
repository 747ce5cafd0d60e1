//! The instalments of a loan while it is folded, in whole smallest units of its currency: what is
//! charged, what was waived, paid and given up; and how they are made anew.

use jiff::civil::Date;

use super::allocation::Component;
use super::events::ChargeKind;
use crate::calendar::days_between;
use crate::exact::{Ratio, round_div};
use crate::schedule::{Amortisation, Period, Plan, Shortfall, first_period, regular_period, whole_term};
use crate::terms::{Amortization, InterestMethod, Prepayment, Units};
use crate::{AnnualRate, MAX_INSTALMENTS, Percent, Refusal, Terms};

/// One amount that is owed, and what became of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cell {
    pub(super) charged: i128,
    pub(super) waived: i128,
    pub(super) paid: i128,
    /// Given up by a write-off.
    pub(super) lapsed: i128,
    /// The latest day on which some of it was paid or waived.
    pub(super) touched_on: Option<Date>,
}

impl Cell {
    pub(super) fn of(charged: i128) -> Self {
        Self { charged, ..Self::default() }
    }

    pub(super) fn unpaid(&self) -> i128 {
        self.charged - self.waived - self.paid - self.lapsed
    }

    /// As charged, waivers taken off.
    pub(super) fn asked(&self) -> i128 {
        self.charged - self.waived
    }

    /// Pays as much of it as `sum` reaches, and says how much.
    pub(super) fn pay(&mut self, sum: &mut i128, on: Date) -> i128 {
        let part = self.part(sum, on);
        self.paid += part;
        part
    }

    /// Waives as much of it as `sum` reaches, and says how much.
    pub(super) fn waive(&mut self, sum: &mut i128, on: Date) -> i128 {
        let part = self.part(sum, on);
        self.waived += part;
        part
    }

    fn part(&mut self, sum: &mut i128, on: Date) -> i128 {
        let part = self.unpaid().min(*sum);
        *sum -= part;
        if part > 0 {
            self.touched_on = self.touched_on.max(Some(on));
        }
        part
    }

    /// Gives up what is unpaid, and says how much.
    pub(super) fn lapse(&mut self) -> i128 {
        let part = self.unpaid();
        self.lapsed += part;
        part
    }
}

/// A fee or penalty with a due date of its own: charged by an event, or a late fee.
#[derive(Debug, Clone, Copy)]
pub(super) struct Charge {
    pub(super) kind: ChargeKind,
    pub(super) due_on: Date,
    /// The index of the row that it is shown in.
    pub(super) row: usize,
    pub(super) cell: Cell,
}

impl ChargeKind {
    pub(super) const fn component(self) -> Component {
        match self {
            Self::Fee => Component::Fee,
            Self::Penalty => Component::Penalty,
        }
    }
}

/// One instalment.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// The due date before, or the disbursement.
    pub(super) start: Date,
    pub(super) due_on: Date,
    /// The day from which it can be late: its due date, or the day it was made if that is later.
    pub(super) late_from: Date,
    pub(super) period: Period,
    /// The interest of the period, wherever it is paid.
    pub(super) arising: i128,
    /// What it is counted on from `since`: the balance, or what stands for it under flat interest.
    pub(super) base: i128,
    pub(super) since: Date,
    /// That times days, from `start` to `since`.
    pub(super) base_days: i128,
    pub(super) principal: Cell,
    pub(super) interest: Cell,
    pub(super) fees: Cell,
    /// Indices of the charges shown in it, by due date.
    pub(super) charges: Vec<usize>,
    /// How it got its due date.
    due_dates: DueDates,
}

impl Line {
    pub(super) fn days(&self) -> i128 {
        i128::from(days_between(self.start, self.due_on))
    }

    /// The interest of the period up to a day within it: the interest times days elapsed over days
    /// of the period; where the balance changed within the period, by the days on each balance.
    fn earned(&self, on: Date, of: i128, terms: &Terms, units: Units) -> i128 {
        if self.since == self.start {
            let elapsed = i128::from(days_between(self.start, on));
            return round_div(of * elapsed, self.days() * units.smallest, terms.rounding()) * units.smallest;
        }
        let base_days = self.base_days + self.base * i128::from(days_between(self.since, on));
        self.period.rate.of_parts(base_days, self.days(), units.smallest, terms.rounding())
    }
}

/// How the due dates go on: the n-th instalment is due `n - before` repayment periods after the
/// seed.
#[derive(Debug, Clone, Copy)]
struct DueDates {
    seed: Date,
    before: u32,
}

/// What a reschedule asks for, checked by [`Rows::reschedule`].
pub(super) struct NewRows {
    pub(super) from: Date,
    pub(super) instalments: Option<u32>,
    pub(super) interest_rate_apr: Option<AnnualRate>,
    pub(super) first_due_on: Option<Date>,
}

/// Why rows cannot be made anew as asked.
#[derive(Debug)]
pub(super) enum CannotReschedule {
    NotADueDate,
    NothingLeft,
    InstalmentsOutOfRange,
    NotAfterDueDateBefore,
    DateOutOfRange,
    Refused(Refusal),
}

/// The instalments and charges of a disbursed loan.
#[derive(Clone)]
pub(super) struct Rows<'a> {
    terms: &'a Terms,
    units: Units,
    pub(super) disbursed_on: Date,
    pub(super) lines: Vec<Line>,
    /// The due dates of the lines, close together: they are looked up all the time.
    due_on: Vec<Date>,
    pub(super) charges: Vec<Charge>,
    fees_each_row: i128,
    /// The rate in force.
    annual_rate: Percent,
    /// So many first rows repay no principal.
    interest_only: usize,
    /// The index of the row that the interest of the rows before it is paid with.
    deferred_to: usize,
    /// What `reduce_term` keeps, in smallest amounts: the instalment, or under equal principal the
    /// principal of a row.
    level: i128,
    /// For each component, a row before which nothing of it is unpaid.
    open: [usize; 4],
}

impl<'a> Rows<'a> {
    pub(super) fn new(disbursed_on: Date, terms: &'a Terms, units: Units, plan: &Plan) -> Self {
        let amount: i128 = plan.schedule.rows.iter().map(|row| row.principal.units()).sum();
        let mut start = disbursed_on;
        let mut balance = amount;
        let is_flat = terms.interest_method() == InterestMethod::Flat;
        let due_dates = match terms.first_due_on() {
            Some(first) => DueDates { seed: first, before: 1 },
            None => DueDates { seed: disbursed_on, before: 0 },
        };
        let mut lines = Vec::with_capacity(plan.schedule.rows.len());
        for (row, (period, arising)) in plan.schedule.rows.iter().zip(plan.periods.iter().zip(&plan.arising)) {
            lines.push(Line {
                start,
                due_on: row.due_on,
                late_from: row.due_on,
                period: *period,
                arising: *arising,
                base: if is_flat { amount } else { balance },
                since: start,
                base_days: 0,
                principal: Cell::of(row.principal.units()),
                interest: Cell::of(row.interest.units()),
                fees: Cell::of(row.fees.units()),
                charges: Vec::new(),
                due_dates,
            });
            start = row.due_on;
            balance = row.balance.units();
        }
        let interest_only = terms.grace().principal as usize;
        let repaying = (lines.len() - interest_only) as i128;
        let level = match (terms.interest_method(), terms.amortization()) {
            (InterestMethod::DecliningBalance, Amortization::EqualPrincipal) => {
                round_div(amount / units.smallest, repaying, terms.rounding())
            }
            _ => plan.schedule.instalment.units() / units.smallest,
        };
        Self {
            terms,
            units,
            disbursed_on,
            due_on: lines.iter().map(|line| line.due_on).collect(),
            lines,
            charges: Vec::new(),
            fees_each_row: plan.fees_each_row,
            annual_rate: terms.interest_rate_apr().percent(),
            interest_only,
            deferred_to: terms.grace().interest_payment as usize,
            level,
            open: [0; 4],
        }
    }

    /// The first row due after that day: the running one. The number of rows if there is none.
    pub(super) fn running(&self, on: Date) -> usize {
        self.due_on.partition_point(|due_on| *due_on <= on)
    }

    /// The first row that is not past due on that day. The number of rows if there is none.
    pub(super) fn first_not_past_due(&self, on: Date) -> usize {
        self.due_on.partition_point(|due_on| *due_on < on)
    }

    /// The row that a charge is shown in: the first due on or after its due date, else the last.
    fn row_of(&self, due_on: Date) -> usize {
        self.first_not_past_due(due_on).min(self.lines.len().saturating_sub(1))
    }

    /// Adds a charge where its due date puts it.
    pub(super) fn charge(&mut self, kind: ChargeKind, amount: i128, due_on: Date) {
        self.charge_row(self.row_of(due_on), kind, amount, due_on);
    }

    /// Adds a charge to a given row.
    pub(super) fn charge_row(&mut self, row: usize, kind: ChargeKind, amount: i128, due_on: Date) {
        self.charges.push(Charge { kind, due_on, row, cell: Cell::of(amount) });
        self.show(self.charges.len() - 1, row);
    }

    /// Shows a charge in a row, after those that are due before it or with it.
    fn show(&mut self, charge: usize, row: usize) {
        let due_on = self.charges[charge].due_on;
        self.charges[charge].row = row;
        let component = self.charges[charge].kind.component() as usize;
        self.open[component] = self.open[component].min(row);
        let charges = &self.charges;
        let shown = &mut self.lines[row].charges;
        let place = shown.partition_point(|other| charges[*other].due_on <= due_on);
        shown.insert(place, charge);
    }

    /// Calls `f` with each amount of a component in a row and its due date, the oldest first: the
    /// instalment's own fee stands before charges that are due with it or after it.
    pub(super) fn each_amount(&mut self, row: usize, component: Component, f: &mut impl FnMut(&mut Cell, Date)) {
        let line = &mut self.lines[row];
        match component {
            Component::Principal => f(&mut line.principal, line.due_on),
            Component::Interest => f(&mut line.interest, line.due_on),
            Component::Penalty => {
                for charge in &line.charges {
                    let charge = &mut self.charges[*charge];
                    if charge.kind == ChargeKind::Penalty {
                        f(&mut charge.cell, charge.due_on);
                    }
                }
            }
            Component::Fee => {
                let mut is_own_done = false;
                for charge in &line.charges {
                    let charge = &mut self.charges[*charge];
                    if charge.kind == ChargeKind::Fee {
                        if !is_own_done && charge.due_on >= line.due_on {
                            f(&mut line.fees, line.due_on);
                            is_own_done = true;
                        }
                        f(&mut charge.cell, charge.due_on);
                    }
                }
                if !is_own_done {
                    f(&mut line.fees, line.due_on);
                }
            }
        }
    }

    /// What is unpaid of a component in a row.
    pub(super) fn unpaid_in(&self, row: usize, component: Component) -> i128 {
        let line = &self.lines[row];
        let charges = |kind: ChargeKind| -> i128 {
            let shown = line.charges.iter().map(|charge| &self.charges[*charge]);
            shown.filter(|charge| charge.kind == kind).map(|charge| charge.cell.unpaid()).sum()
        };
        match component {
            Component::Principal => line.principal.unpaid(),
            Component::Interest => line.interest.unpaid(),
            Component::Penalty => charges(ChargeKind::Penalty),
            Component::Fee => line.fees.unpaid() + charges(ChargeKind::Fee),
        }
    }

    /// What is unpaid of a component in all rows.
    pub(super) fn unpaid(&mut self, component: Component) -> i128 {
        (self.first_open(component)..self.lines.len()).map(|row| self.unpaid_in(row, component)).sum()
    }

    /// The first row in which something of a component is unpaid; the number of rows if there is
    /// none. Settled rows are not looked at again.
    pub(super) fn first_open(&mut self, component: Component) -> usize {
        let mut row = self.open[component as usize];
        while row < self.lines.len() && self.unpaid_in(row, component) == 0 {
            row += 1;
        }
        self.open[component as usize] = row;
        row
    }

    /// Interest that is owed in a row if the loan is settled on that day, and unpaid: all of a row
    /// due by then; of the running row what is earned by then. Interest of the first periods that
    /// is paid with a later row is earned in its own period.
    pub(super) fn interest_to_settle(&self, row: usize, on: Date) -> i128 {
        let running = self.running(on);
        let line = &self.lines[row];
        if row < running {
            return line.interest.unpaid();
        }
        let Some(current) = self.lines.get(running) else {
            return 0;
        };
        let earned = if self.deferred_to == 0 || running > self.deferred_to {
            if row != running {
                return 0;
            }
            // Up to what the row asks for; what was paid before the row was made is no part of it.
            let before = line.interest.charged - line.arising;
            let asked = line.arising - line.interest.waived;
            before + current.earned(on, asked, self.terms, self.units)
                - if current.since == current.start { 0 } else { line.interest.waived }
        } else {
            if row != self.deferred_to {
                return 0;
            }
            let ended: i128 = self.lines[..running].iter().map(|line| line.arising).sum();
            let all: i128 = self.lines[..=self.deferred_to].iter().map(|line| line.arising).sum();
            let before = line.interest.charged - all;
            before + ended + current.earned(on, current.arising, self.terms, self.units) - line.interest.waived
        };
        (earned - line.interest.paid).clamp(0, line.interest.unpaid())
    }

    /// Drops what is unearned if the loan is settled on that day: unpaid interest beyond
    /// [`Self::interest_to_settle`], and unpaid instalment fees of rows due later.
    pub(super) fn drop_unearned(&mut self, on: Date) {
        for row in self.running(on)..self.lines.len() {
            let owed = self.interest_to_settle(row, on);
            let line = &mut self.lines[row];
            line.interest.charged -= line.interest.unpaid() - owed;
            line.fees.charged -= line.fees.unpaid();
        }
    }

    /// The principal and charges unpaid, the interest and fees owed if the loan is settled on that
    /// day, together.
    pub(super) fn settlement_total(&mut self, on: Date) -> i128 {
        let running = self.running(on);
        let mut total = self.unpaid(Component::Principal) + self.unpaid(Component::Penalty);
        for row in self.first_open(Component::Fee)..self.lines.len() {
            total += self.unpaid_in(row, Component::Fee);
            if row >= running {
                total -= self.lines[row].fees.unpaid();
            }
        }
        for row in self.first_open(Component::Interest)..self.lines.len() {
            total += self.interest_to_settle(row, on);
            if row >= running.max(self.deferred_to) {
                break;
            }
        }
        total
    }

    /// Reduces principal that is not due by `reduction`, which is at most what is unpaid of it and
    /// more than zero, and makes the rows due after that day anew.
    ///
    /// The interest of the running period is counted by days on each balance. Flat interest is
    /// counted from then on on so much less as principal is: in proportion. The running row's rate
    /// becomes what makes its interest of the balance, so that the formula of a schedule holds as
    /// it stands. An instalment below a row's interest, which only a coarse `instalment_multiple`
    /// brings about, leaves that row with interest alone.
    ///
    /// # Errors
    /// None that terms can bring about which made a schedule.
    pub(super) fn reduce(&mut self, on: Date, reduction: i128) -> Result<(), Refusal> {
        let running = self.running(on);
        let balance: i128 = self.lines[running..].iter().map(|line| line.principal.unpaid()).sum();
        let left = balance - reduction;
        let is_flat = self.terms.interest_method() == InterestMethod::Flat;
        let (smallest, rounding) = (self.units.smallest, self.terms.rounding());

        let line = &self.lines[running];
        let base = if is_flat { round_div(line.base * left, balance, rounding) } else { left };
        let base_days = line.base_days + line.base * i128::from(days_between(line.since, on));
        let whole = base_days + base * i128::from(days_between(on, line.due_on));
        let first_interest = line.period.rate.of_parts(whole, line.days(), smallest, rounding);

        let mut fresh: Vec<Line> = self.lines[running..].iter().map(|line| line.emptied(self.fees_each_row)).collect();
        let principal = left / smallest;
        let periods: Vec<Period> = fresh.iter().map(|line| line.period).collect();
        let mut rates: Vec<Ratio> = periods.iter().map(|period| period.rate).collect();
        fresh[0].arising = first_interest;
        if principal > 0 {
            rates[0] = Ratio::of_whole(first_interest / smallest, principal);
            let amortisation = |rows: usize| Amortisation {
                terms: self.terms,
                units: self.units,
                principal,
                flat_base: base / smallest,
                rates: &rates[..rows],
                flat_term: whole_term(&periods[1..rows]),
                first_interest: Some(first_interest / smallest),
                first_repaying: self.interest_only.saturating_sub(running),
                shortfall: Shortfall::InterestOnly,
            };
            match self.terms.prepayment() {
                Prepayment::ReduceTerm => {
                    let all = amortisation(fresh.len());
                    let mut rows = 0;
                    all.fill_with(self.level, &mut |index, principal, _| {
                        if principal > 0 {
                            rows = index + 1;
                        }
                    })?;
                    fresh.truncate(rows);
                    amortisation(rows).fill_with(self.level, &mut put(&mut fresh, smallest))?;
                }
                _ => {
                    amortisation(fresh.len()).fill(&mut put(&mut fresh, smallest))?;
                }
            }
        } else if self.terms.prepayment() == Prepayment::ReduceTerm {
            fresh.truncate(1);
        }
        if let Some(last) = fresh.last_mut() {
            last.principal.charged += left % smallest;
        }
        count_on_balances(&mut fresh, if is_flat { Some(base) } else { None });
        fresh[0].base = base;
        fresh[0].base_days = base_days;
        fresh[0].since = on;
        self.replace(running, fresh, on, reduction);
        Ok(())
    }

    /// Makes the rows from a due date on anew. Gives the index of the first of them and the
    /// principal that is amortised.
    ///
    /// It is the unpaid principal of those rows. The graces of the terms are over. Without a new
    /// first due date the due dates go on as they were, with their seed day, and the first period
    /// is the one it was.
    pub(super) fn reschedule(&mut self, on: Date, new: &NewRows) -> Result<(usize, i128), CannotReschedule> {
        use CannotReschedule::{
            DateOutOfRange, InstalmentsOutOfRange, NotADueDate, NotAfterDueDateBefore, NothingLeft, Refused,
        };

        let first = self.due_on.binary_search(&new.from).map_err(|_| NotADueDate)?;
        let left: i128 = self.lines[first..].iter().map(|line| line.principal.unpaid()).sum();
        if left == 0 {
            return Err(NothingLeft);
        }
        let count = match new.instalments {
            None => self.lines.len() - first,
            Some(count) if (1..=MAX_INSTALMENTS).contains(&count) => count as usize,
            Some(_) => return Err(InstalmentsOutOfRange),
        };
        let start = self.lines[first].start;
        let number = u32::try_from(first + 1).unwrap_or(u32::MAX);
        let (due_dates, first_fraction) = match new.first_due_on.filter(|date| *date != new.from) {
            None => (self.lines[first].due_dates, self.lines[first].period.fraction),
            Some(date) if date <= start => return Err(NotAfterDueDateBefore),
            Some(date) => (DueDates { seed: date, before: number }, first_period(self.terms, start, date)),
        };
        let annual_rate = new.interest_rate_apr.map_or(self.annual_rate, AnnualRate::percent);

        let mut fresh: Vec<Line> = Vec::with_capacity(count);
        let mut previous = start;
        for n in (number..).take(count) {
            let due_on = n
                .checked_sub(due_dates.before)
                .and_then(|periods| self.terms.frequency().after(due_dates.seed, periods))
                .ok_or(DateOutOfRange)?;
            let fraction = if n == number { first_fraction } else { regular_period(self.terms, previous, due_on) };
            fresh.push(Line {
                start: previous,
                due_on,
                late_from: due_on.max(on),
                period: Period::new(annual_rate, fraction),
                arising: 0,
                base: 0,
                since: previous,
                base_days: 0,
                principal: Cell::default(),
                interest: Cell::default(),
                fees: Cell::of(self.fees_each_row),
                charges: Vec::new(),
                due_dates,
            });
            previous = due_on;
        }

        let smallest = self.units.smallest;
        let principal = left / smallest;
        let is_flat = self.terms.interest_method() == InterestMethod::Flat;
        let mut level = 0;
        if principal > 0 {
            let periods: Vec<Period> = fresh.iter().map(|line| line.period).collect();
            let rates: Vec<Ratio> = periods.iter().map(|period| period.rate).collect();
            let amortisation = Amortisation {
                terms: self.terms,
                units: self.units,
                principal,
                flat_base: principal,
                rates: &rates,
                flat_term: whole_term(&periods),
                first_interest: None,
                first_repaying: 0,
                shortfall: Shortfall::Refuse,
            };
            level = amortisation.fill(&mut put(&mut fresh, smallest)).map_err(Refused)?;
            if !is_flat && self.terms.amortization() == Amortization::EqualPrincipal {
                level = round_div(principal, count as i128, self.terms.rounding());
            }
        }
        if let Some(last) = fresh.last_mut() {
            last.principal.charged += left % smallest;
        }
        count_on_balances(&mut fresh, if is_flat { Some(principal * smallest) } else { None });
        self.level = level;
        self.annual_rate = annual_rate;
        self.interest_only = 0;
        // Interest of earlier periods that was to be paid with a row made anew is paid with the
        // first of them.
        self.deferred_to = self.deferred_to.min(first);
        self.replace(first, fresh, on, 0);
        Ok((first, left))
    }

    /// Puts rows in the place of those from `first` on, and `principal` paid with them.
    ///
    /// What was paid of the old rows stays paid: interest and fees count towards the new ones, the
    /// oldest first; principal, and what the new rows do not ask for, is shown as asked for and
    /// paid in the first of them. Waivers of interest and fees count towards the new ones as well.
    fn replace(&mut self, first: usize, mut fresh: Vec<Line>, on: Date, principal: i128) {
        let old = self.lines.split_off(first);
        let sum = |cell: fn(&Line) -> Cell| {
            let cells = old.iter().map(cell);
            cells.fold((0, 0, None), |(paid, waived, touched_on), cell| {
                (paid + cell.paid, waived + cell.waived, touched_on.max(cell.touched_on))
            })
        };
        let (principal_paid, _, principal_on) = sum(|line| line.principal);
        let principal_on = if principal > 0 { Some(on) } else { principal_on };
        let interest = sum(|line| line.interest);
        let fees = sum(|line| line.fees);

        // Interest is paid where it arises, or with the row it is deferred to.
        self.deferred_to = self.deferred_to.min(first + fresh.len() - 1);
        let before: i128 = self.lines.iter().take(self.deferred_to).map(|line| line.arising).sum();
        let mut deferred = if first <= self.deferred_to { before } else { 0 };
        for (row, line) in (first..).zip(&mut fresh) {
            deferred += line.arising;
            if row >= self.deferred_to {
                line.interest.charged = std::mem::take(&mut deferred);
            }
        }
        carry(&mut fresh, (principal_paid + principal, 0, principal_on), |line| &mut line.principal, Counts::Apart);
        carry(&mut fresh, interest, |line| &mut line.interest, Counts::Towards);
        carry(&mut fresh, fees, |line| &mut line.fees, Counts::Towards);

        self.lines.append(&mut fresh);
        self.due_on.truncate(first);
        self.due_on.extend(self.lines[first..].iter().map(|line| line.due_on));
        for open in &mut self.open {
            *open = (*open).min(first);
        }
        for charge in 0..self.charges.len() {
            if self.charges[charge].row >= first {
                let row = self.row_of(self.charges[charge].due_on);
                self.show(charge, row);
            }
        }
    }
}

/// Whether what was paid of old rows counts towards what new ones ask for, or is apart from it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counts {
    Towards,
    Apart,
}

/// Puts what was paid and waived of a component of old rows, and when, into new ones.
fn carry(
    rows: &mut [Line],
    (mut paid, mut waived, touched_on): (i128, i128, Option<Date>),
    cell: impl Fn(&mut Line) -> &mut Cell,
    counts: Counts,
) {
    let Some(touched_on) = touched_on else {
        return;
    };
    if counts == Counts::Towards {
        for line in rows.iter_mut() {
            let cell = cell(line);
            cell.pay(&mut paid, touched_on);
            cell.waive(&mut waived, touched_on);
        }
    }
    if let Some(first) = rows.first_mut() {
        let cell = cell(first);
        cell.charged += paid;
        cell.pay(&mut paid, touched_on);
    }
}

impl Line {
    /// The same period, with nothing in it but its fees.
    fn emptied(&self, fees: i128) -> Self {
        Self {
            arising: 0,
            principal: Cell::default(),
            interest: Cell::default(),
            fees: Cell::of(fees),
            charges: Vec::new(),
            ..*self
        }
    }
}

/// Puts principal and interest, in smallest amounts, into rows.
fn put(rows: &mut [Line], smallest: i128) -> impl FnMut(usize, i128, i128) {
    move |index, principal, interest| {
        if let Some(line) = rows.get_mut(index) {
            line.principal.charged = principal * smallest;
            line.arising = interest * smallest;
        }
    }
}

/// Notes on what each row's interest is counted: the balance before it, or the given flat base.
fn count_on_balances(rows: &mut [Line], flat_base: Option<i128>) {
    let mut balance = 0;
    for line in rows.iter_mut().rev() {
        balance += line.principal.charged;
        line.base = flat_base.unwrap_or(balance);
        line.base_days = 0;
        line.since = line.start;
    }
}
