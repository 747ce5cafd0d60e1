//! The instalments of a loan while it is folded, in whole smallest units of its currency: what is
//! charged, what was waived, paid and given up; and how they are made anew.

use jiff::civil::Date;

use super::allocation::Component;
use super::events::{ChargeKind, EventId};
use crate::calendar::days_between;
use crate::number::rounding::{round_div, round_mul_div};
use crate::schedule::{Amortisation, Period, PeriodRate, Plan, Shortfall, first_period, regular_period, whole_term};
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

    /// Takes off what was paid of it beyond what it asks for, and says how much.
    pub(super) fn give_back(&mut self) -> i128 {
        let part = (-self.unpaid()).max(0);
        self.paid -= part;
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
    /// What charged it; nothing where it is a late fee, which arises by itself.
    pub(super) by: Option<EventId>,
    pub(super) due_on: Date,
    /// The index of the row that it is shown in.
    pub(super) row: usize,
    pub(super) cell: Cell,
}

impl Charge {
    /// Of a late fee, as charged, waivers taken off; of another charge nothing.
    pub(super) fn late_fee_asked(&self) -> i128 {
        if self.by.is_none() { self.cell.asked() } else { 0 }
    }
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
    base_days: i128,
    /// The interest and its base when the period began, or when a reschedule made the row.
    whole: WholePeriod,
    /// Its own fee.
    pub(super) fee: i128,
    /// The loan was closed before it was due: no interest arises any more, and no fee.
    pub(super) is_stopped: bool,
    pub(super) principal: Cell,
    pub(super) interest: Cell,
    pub(super) fees: Cell,
    /// Indices of the charges shown in it, by due date: fees and penalties apart.
    pub(super) fee_charges: Vec<usize>,
    pub(super) penalty_charges: Vec<usize>,
    /// How it got its due date.
    due_dates: DueDates,
}

/// The interest of a whole period, and what it is counted on.
#[derive(Debug, Clone, Copy, Default)]
struct WholePeriod {
    interest: i128,
    base: i128,
}

impl Line {
    /// With nothing in it.
    fn empty(start: Date, due_on: Date, period: Period, due_dates: DueDates) -> Self {
        Self {
            start,
            due_on,
            late_from: due_on,
            period,
            arising: 0,
            base: 0,
            since: start,
            base_days: 0,
            whole: WholePeriod::default(),
            fee: 0,
            is_stopped: false,
            principal: Cell::default(),
            interest: Cell::default(),
            fees: Cell::default(),
            fee_charges: Vec::new(),
            penalty_charges: Vec::new(),
            due_dates,
        }
    }

    /// The same period, with nothing in it but its fee.
    fn emptied(&self, fee: i128) -> Self {
        let mut line = Self::empty(self.start, self.due_on, self.period, self.due_dates);
        line.late_from = self.late_from;
        line.own_fee(fee);
        line
    }

    fn own_fee(&mut self, fee: i128) {
        self.fee = fee;
        self.fees = Cell::of(fee);
    }

    pub(super) fn days(&self) -> i128 {
        i128::from(days_between(self.start, self.due_on))
    }

    /// What interest is counted on, summed over the days of the period before a day within it.
    fn base_days_until(&self, on: Date) -> i128 {
        self.base_days + self.base * i128::from(days_between(self.since, on))
    }

    /// Interest for so many base days, rounded once: declining balance by the rate of the period,
    /// flat in proportion to the interest of the whole period.
    fn interest_for(&self, base_days: i128, terms: &Terms, units: Units) -> i128 {
        if terms.interest_method() != InterestMethod::Flat {
            return self.period.rate.of_parts(base_days, self.days(), units.smallest, terms.rounding());
        }
        if self.whole.base == 0 {
            return 0;
        }
        let interest = self.whole.interest / units.smallest;
        round_mul_div(interest, base_days, self.whole.base * self.days(), terms.rounding()) * units.smallest
    }

    /// The interest of the period that is earned before a day within it.
    pub(super) fn earned(&self, on: Date, terms: &Terms, units: Units) -> i128 {
        if self.is_stopped {
            return self.arising;
        }
        self.interest_for(self.base_days_until(on), terms, units).min(self.arising)
    }

    /// Notes the interest of the whole period, and what it is counted on from its first day.
    fn count_on(&mut self, base: i128) {
        self.base = base;
        self.base_days = 0;
        self.since = self.start;
        self.whole = WholePeriod { interest: self.arising, base };
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
    pub(super) terms: &'a Terms,
    pub(super) units: Units,
    pub(super) disbursed_on: Date,
    pub(super) lines: Vec<Line>,
    /// The due dates of the lines, close together: they are looked up all the time.
    due_on: Vec<Date>,
    pub(super) charges: Vec<Charge>,
    /// The amount of the loan.
    pub(super) amount: i128,
    fees_each_row: i128,
    /// The rate in force.
    annual_rate: Percent,
    /// So many first rows repay no principal.
    interest_only: usize,
    /// The index of the row that the interest of the rows before it is paid with.
    pub(super) deferred_to: usize,
    /// What `reduce_term` keeps, in smallest amounts: the instalment, or under equal principal the
    /// principal of a row.
    level: i128,
    /// Principal and interest of a regular row of the schedule in force.
    pub(super) instalment: i128,
    /// What was waived, by component.
    pub(super) waived: [i128; 4],
    /// Of that, what no row has taken: it waits for rows made later.
    pub(super) waiting: [i128; 4],
    /// Charges and late fees so far, by component.
    pub(super) charged: [i128; 4],
    /// For each component, a row before which nothing of it is unpaid.
    pub(super) open: [usize; 4],
    /// How many amounts were looked at: what a fold costs.
    pub(super) looked_at: u64,
}

impl<'a> Rows<'a> {
    pub(super) fn new(
        disbursed_on: Date,
        first_due_on: Option<Date>,
        terms: &'a Terms,
        units: Units,
        plan: &Plan,
    ) -> Self {
        let amount: i128 = plan.schedule.rows.iter().map(|row| row.principal.units()).sum();
        let mut start = disbursed_on;
        let mut balance = amount;
        let is_flat = terms.interest_method() == InterestMethod::Flat;
        let due_dates = match first_due_on {
            Some(first) => DueDates { seed: first, before: 1 },
            None => DueDates { seed: disbursed_on, before: 0 },
        };
        let mut lines = Vec::with_capacity(plan.schedule.rows.len());
        for (row, (period, arising)) in plan.schedule.rows.iter().zip(plan.periods.iter().zip(&plan.arising)) {
            let mut line = Line::empty(start, row.due_on, *period, due_dates);
            line.arising = *arising;
            line.principal = Cell::of(row.principal.units());
            line.interest = Cell::of(row.interest.units());
            line.own_fee(row.fees.units());
            line.count_on(if is_flat { amount } else { balance });
            lines.push(line);
            start = row.due_on;
            balance = row.balance.units();
        }
        let interest_only = terms.grace().principal as usize;
        let repaying = (lines.len() - interest_only) as i128;
        let instalment = plan.schedule.instalment.units();
        let level = match terms.amortization() {
            Amortization::EqualPrincipal => round_div(amount / units.smallest, repaying, terms.rounding()),
            Amortization::EqualInstalments => instalment / units.smallest,
        };
        Self {
            terms,
            units,
            disbursed_on,
            due_on: lines.iter().map(|line| line.due_on).collect(),
            lines,
            charges: Vec::new(),
            amount,
            fees_each_row: plan.fees_each_row,
            annual_rate: terms.interest_rate_apr().percent(),
            interest_only,
            deferred_to: terms.grace().interest_payment as usize,
            level,
            instalment,
            waived: [0; 4],
            waiting: [0; 4],
            charged: [0; 4],
            open: [0; 4],
            looked_at: 0,
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
    pub(super) fn charge(&mut self, by: EventId, kind: ChargeKind, amount: i128, due_on: Date) {
        let row = self.row_of(due_on);
        self.add(Charge { kind, by: Some(by), due_on, row, cell: Cell::of(amount) });
    }

    /// Adds a late fee to the row that is late.
    pub(super) fn late_fee(&mut self, row: usize, amount: i128, due_on: Date) {
        self.add(Charge { kind: ChargeKind::Penalty, by: None, due_on, row, cell: Cell::of(amount) });
    }

    fn add(&mut self, charge: Charge) {
        self.charged[charge.kind.component() as usize] += charge.cell.charged;
        self.charges.push(charge);
        self.show(self.charges.len() - 1, charge.row);
    }

    /// Shows a charge in a row, after those that are due before it or with it.
    fn show(&mut self, charge: usize, row: usize) {
        let due_on = self.charges[charge].due_on;
        self.charges[charge].row = row;
        let component = self.charges[charge].kind.component() as usize;
        self.open[component] = self.open[component].min(row);
        let charges = &self.charges;
        let line = &mut self.lines[row];
        let shown = match charges[charge].kind {
            ChargeKind::Fee => &mut line.fee_charges,
            ChargeKind::Penalty => &mut line.penalty_charges,
        };
        let place = shown.partition_point(|other| charges[*other].due_on <= due_on);
        shown.insert(place, charge);
    }

    /// Calls `f` with each amount of a component in a row and its due date, the oldest first: the
    /// instalment's own fee stands before charges that are due with it or after it.
    pub(super) fn each_amount(&mut self, row: usize, component: Component, f: &mut impl FnMut(&mut Cell, Date)) {
        let line = &mut self.lines[row];
        self.looked_at += 1;
        match component {
            Component::Principal => f(&mut line.principal, line.due_on),
            Component::Interest => f(&mut line.interest, line.due_on),
            Component::Penalty => {
                self.looked_at += line.penalty_charges.len() as u64;
                for charge in &line.penalty_charges {
                    let charge = &mut self.charges[*charge];
                    f(&mut charge.cell, charge.due_on);
                }
            }
            Component::Fee => {
                self.looked_at += line.fee_charges.len() as u64;
                let mut is_own_done = false;
                for charge in &line.fee_charges {
                    let charge = &mut self.charges[*charge];
                    if !is_own_done && charge.due_on >= line.due_on {
                        f(&mut line.fees, line.due_on);
                        is_own_done = true;
                    }
                    f(&mut charge.cell, charge.due_on);
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
        let of = |charges: &[usize]| -> i128 { charges.iter().map(|charge| self.charges[*charge].cell.unpaid()).sum() };
        match component {
            Component::Principal => line.principal.unpaid(),
            Component::Interest => line.interest.unpaid(),
            Component::Penalty => of(&line.penalty_charges),
            Component::Fee => line.fees.unpaid() + of(&line.fee_charges),
        }
    }

    /// What is unpaid of a component in all rows.
    pub(super) fn unpaid(&mut self, component: Component) -> i128 {
        (self.first_open(component)..self.lines.len()).map(|row| self.unpaid_in(row, component)).sum()
    }

    /// What is unpaid of everything.
    pub(super) fn unpaid_in_all(&mut self) -> i128 {
        Component::ALL.into_iter().map(|component| self.unpaid(component)).sum()
    }

    /// The first row in which something of a component is unpaid; the number of rows if there is
    /// none. Settled rows are not looked at again.
    pub(super) fn first_open(&mut self, component: Component) -> usize {
        let mut row = self.open[component as usize];
        while row < self.lines.len() && self.unpaid_in(row, component) == 0 {
            row += 1;
            self.looked_at += 1;
        }
        self.open[component as usize] = row;
        row
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
        let whole = line.whole;
        // What is no multiple of the smallest amount bears no interest, in this row as in the later ones.
        let base = if is_flat { round_div(line.base * left, balance, rounding) } else { left - left % smallest };
        let base_days = line.base_days_until(on);
        let all_days = base_days + base * i128::from(days_between(on, line.due_on));
        let first_interest = line.interest_for(all_days, self.terms, self.units);

        let mut fresh: Vec<Line> = self.lines[running..].iter().map(|line| line.emptied(self.fees_each_row)).collect();
        let principal = left / smallest;
        let periods: Vec<Period> = fresh.iter().map(|line| line.period).collect();
        let mut rates: Vec<PeriodRate> = periods.iter().map(|period| period.rate).collect();
        fresh[0].arising = first_interest;
        if principal > 0 {
            rates[0] = PeriodRate::of_whole(first_interest / smallest, principal);
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
                    self.level = amortisation(fresh.len()).fill(&mut put(&mut fresh, smallest))?;
                }
            }
        } else if self.terms.prepayment() == Prepayment::ReduceTerm {
            fresh.truncate(1);
        }
        if let Some(last) = fresh.last_mut() {
            last.principal.charged += left % smallest;
        }
        match (self.terms.prepayment(), fresh.as_slice()) {
            (Prepayment::ReduceTerm, [only]) => self.instalment = only.principal.charged + only.arising,
            (Prepayment::ReduceTerm, _) => (),
            _ if principal == 0 => self.instalment = 0,
            (_, rows) => self.instalment = self.regular(rows, self.interest_only.saturating_sub(running)),
        }
        count_on_balances(&mut fresh, left % smallest, if is_flat { Some(base) } else { None });
        fresh[0].base = base;
        fresh[0].base_days = base_days;
        fresh[0].since = on;
        fresh[0].whole = whole;
        self.replace(running, fresh, on, reduction, 0);
        Ok(())
    }

    /// Principal and interest of a regular one of these rows: the instalment that was just fixed; under equal
    /// principal, where rows differ, that of the first row that repays principal.
    fn regular(&self, rows: &[Line], first_repaying: usize) -> i128 {
        match (self.terms.amortization(), rows.get(first_repaying)) {
            (Amortization::EqualPrincipal, Some(row)) => row.principal.charged + row.arising,
            _ => self.level * self.units.smallest,
        }
    }

    /// Makes the rows from a due date on anew.
    ///
    /// It is the unpaid principal of those rows that is amortised. Interest paid beyond what the rows
    /// ask for pays principal before: the less principal is left, the less they ask for, until what
    /// they ask for is what is paid of it. The graces of the terms are over. Without a new first due
    /// date the due dates go on as they were, with their seed day, and the first period is the one it
    /// was.
    pub(super) fn reschedule(&mut self, on: Date, new: &NewRows) -> Result<MadeAnew, CannotReschedule> {
        let first = self.due_on.binary_search(&new.from).map_err(|_| CannotReschedule::NotADueDate)?;
        let left: i128 = self.lines[first..].iter().map(|line| line.principal.unpaid()).sum();
        if left == 0 {
            return Err(CannotReschedule::NothingLeft);
        }
        let annual_rate = new.interest_rate_apr.map_or(self.annual_rate, AnnualRate::percent);
        let empty = self.rows_made_from(first, on, new, annual_rate)?;
        let mut excess = 0;
        let (fresh, instalment) = loop {
            let mut fresh = empty.clone();
            let instalment = self.amortise_anew(&mut fresh, left - excess).map_err(CannotReschedule::Refused)?;
            let beyond = self.interest_beyond(first, &fresh, excess).min(left - excess);
            if beyond == 0 {
                break (fresh, instalment);
            }
            excess += beyond;
        };
        let principal = (left - excess) / self.units.smallest;
        self.level = instalment;
        self.instalment = self.regular(&fresh, 0);
        if self.terms.amortization() == Amortization::EqualPrincipal {
            self.level = round_div(principal, fresh.len() as i128, self.terms.rounding());
        }
        self.annual_rate = annual_rate;
        self.interest_only = 0;
        // Interest of earlier periods that was to be paid with a row made anew is paid with the
        // first of them.
        self.deferred_to = self.deferred_to.min(first);
        self.replace(first, fresh, on, excess, excess);
        Ok(MadeAnew { first, amortised: left - excess, excess })
    }

    /// The rows of a reschedule, with their dates and nothing in them but their fees.
    fn rows_made_from(
        &self,
        first: usize,
        on: Date,
        new: &NewRows,
        annual_rate: Percent,
    ) -> Result<Vec<Line>, CannotReschedule> {
        use CannotReschedule::{DateOutOfRange, InstalmentsOutOfRange, NotAfterDueDateBefore};

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
        let mut fresh: Vec<Line> = Vec::with_capacity(count);
        let mut previous = start;
        for n in (number..).take(count) {
            let due_on = n
                .checked_sub(due_dates.before)
                .and_then(|periods| self.terms.frequency().after(due_dates.seed, periods))
                .ok_or(DateOutOfRange)?;
            let fraction = if n == number { first_fraction } else { regular_period(self.terms, previous, due_on) };
            let mut line = Line::empty(previous, due_on, Period::new(annual_rate, fraction), due_dates);
            line.late_from = due_on.max(on);
            line.own_fee(self.fees_each_row);
            fresh.push(line);
            previous = due_on;
        }
        Ok(fresh)
    }

    /// Puts principal and interest into the rows of a reschedule. Gives the instalment, in smallest
    /// amounts.
    fn amortise_anew(&self, fresh: &mut [Line], left: i128) -> Result<i128, Refusal> {
        let smallest = self.units.smallest;
        let principal = left / smallest;
        let is_flat = self.terms.interest_method() == InterestMethod::Flat;
        let mut instalment = 0;
        if principal > 0 {
            let periods: Vec<Period> = fresh.iter().map(|line| line.period).collect();
            let rates: Vec<PeriodRate> = periods.iter().map(|period| period.rate).collect();
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
            instalment = amortisation.fill(&mut put(fresh, smallest))?;
        }
        if let Some(last) = fresh.last_mut() {
            last.principal.charged += left % smallest;
        }
        count_on_balances(fresh, left % smallest, if is_flat { Some(principal * smallest) } else { None });
        Ok(instalment)
    }

    /// Interest paid beyond what the rows before `first` and those that are to replace the others ask
    /// for, less what of it pays principal already.
    fn interest_beyond(&self, first: usize, fresh: &[Line], excess: i128) -> i128 {
        let (kept, replaced) = self.lines.split_at(first);
        let paid: i128 = replaced.iter().map(|line| line.interest.paid).sum();
        let waived: i128 = replaced.iter().map(|line| line.interest.waived).sum();
        let unpaid_before: i128 = kept.iter().map(|line| line.interest.unpaid()).sum();
        let before = if first <= self.deferred_to { kept.iter().map(|line| line.arising).sum() } else { 0 };
        let arising: i128 = fresh.iter().map(|line| line.arising).sum();
        let asked = (before + arising - waived - self.waiting[Component::Interest as usize]).max(0);
        (paid - excess - unpaid_before - asked).max(0)
    }

    /// Puts rows in the place of those from `first` on, with `principal` paid in them, of which
    /// `from_interest` had paid interest.
    ///
    /// What was paid of the old rows stays paid: interest and fees count towards the new ones, the
    /// oldest first, then interest towards the rows before; principal, and what no row asks for, is
    /// shown as asked for and paid in the first of them. Waivers of interest and fees count towards
    /// the new ones as well; what these cannot take waits for rows made later.
    fn replace(&mut self, first: usize, mut fresh: Vec<Line>, on: Date, principal: i128, from_interest: i128) {
        let old = self.lines.split_off(first);
        let taken = |cell: fn(&Line) -> Cell| {
            let cells = old.iter().map(cell);
            cells.fold(Taken::default(), |sum, cell| Taken {
                paid: sum.paid + cell.paid,
                waived: sum.waived + cell.waived,
                touched_on: sum.touched_on.max(cell.touched_on),
            })
        };
        let mut principal_taken = taken(|line| line.principal);
        principal_taken.paid += principal;
        if principal > 0 {
            principal_taken.touched_on = Some(on);
        }
        let mut interest = taken(|line| line.interest);
        interest.paid -= from_interest;
        let fees = taken(|line| line.fees);

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
        put_in_first(&mut fresh, principal_taken, |line| &mut line.principal);
        let interest = self.carry(&mut fresh, Component::Interest, interest, on, |line| &mut line.interest);
        let interest = self.pay_interest_before(interest, on);
        put_in_first(&mut fresh, interest, |line| &mut line.interest);
        let fees = self.carry(&mut fresh, Component::Fee, fees, on, |line| &mut line.fees);
        put_in_first(&mut fresh, fees, |line| &mut line.fees);

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

    /// Puts what was paid and waived of old rows into new ones; waivers that these cannot take wait.
    /// Gives what was paid beyond what they ask for.
    fn carry(
        &mut self,
        fresh: &mut [Line],
        component: Component,
        mut taken: Taken,
        on: Date,
        cell: fn(&mut Line) -> &mut Cell,
    ) -> Taken {
        let waiting = &mut self.waiting[component as usize];
        taken.waived += std::mem::take(waiting);
        let touched_on = taken.touched_on.unwrap_or(on);
        for line in fresh {
            let cell = cell(line);
            cell.pay(&mut taken.paid, touched_on);
            cell.waive(&mut taken.waived, touched_on);
        }
        *waiting = std::mem::take(&mut taken.waived);
        taken
    }

    /// Pays interest of the rows that are left. Gives what is too much.
    fn pay_interest_before(&mut self, mut taken: Taken, on: Date) -> Taken {
        for line in &mut self.lines {
            line.interest.pay(&mut taken.paid, on);
        }
        taken
    }
}

/// What a reschedule did.
pub(super) struct MadeAnew {
    /// The index of the first row that it made.
    pub(super) first: usize,
    /// The principal that was amortised.
    pub(super) amortised: i128,
    /// Interest paid that now pays principal.
    pub(super) excess: i128,
}

/// What was paid and waived of rows that are replaced, and when the last of it.
#[derive(Clone, Copy, Default)]
struct Taken {
    paid: i128,
    waived: i128,
    touched_on: Option<Date>,
}

/// Shows what was paid of old rows as asked for and paid in the first new one.
fn put_in_first(fresh: &mut [Line], mut taken: Taken, cell: fn(&mut Line) -> &mut Cell) {
    if let (Some(first), Some(touched_on)) = (fresh.first_mut(), taken.touched_on) {
        let cell = cell(first);
        cell.charged += taken.paid;
        cell.pay(&mut taken.paid, touched_on);
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

/// Notes on what each row's interest is counted: the balance before it, less what is no multiple of the smallest amount,
/// or the given flat base.
fn count_on_balances(rows: &mut [Line], rest: i128, flat_base: Option<i128>) {
    let mut balance = -rest;
    for line in rows.iter_mut().rev() {
        balance += line.principal.charged;
        line.count_on(flat_base.unwrap_or(balance));
    }
}
