//! The instalments of a loan while it is folded, in whole smallest units of its currency: charges,
//! waivers, payments and write-offs.

mod amount;
mod closing;
mod daily;
mod reduce;
mod replace;
mod reschedule;
mod row;
mod unpaid;
mod visit;

use jiff::civil::Date;

pub(crate) use amount::OwedAmount;
pub(crate) use reschedule::{NewRows, RescheduledRows};
pub(crate) use row::{Charge, LoanRow};

use super::accruing::Accruing;
use super::daily::DailyRows;
use super::events::{ChargeKind, EventId};
use crate::number::rounding::round_div;
use crate::schedule::Plan;
use crate::terms::{Amortization, InterestMethod, Units};
use crate::{Percent, Terms};

/// The instalments and charges of a disbursed loan.
#[derive(Clone)]
pub(crate) struct LoanRows<'a> {
    pub(crate) terms: &'a Terms,
    pub(crate) units: Units,
    pub(crate) disbursed_on: Date,
    pub(crate) lines: Vec<LoanRow>,
    /// The due dates of the lines, close together: they are looked up all the time.
    due_on: Vec<Date>,
    pub(crate) charges: Vec<Charge>,
    /// The amount of the loan.
    pub(crate) amount: i128,
    fees_each_row: i128,
    /// The rate in force.
    annual_rate: Percent,
    /// The number of first rows that repay no principal.
    interest_only: usize,
    /// The index of the row with which the interest of the rows before it is paid.
    pub(crate) deferred_to: usize,
    /// The amount that `reduce_term` keeps, in smallest amounts: the instalment, or under equal
    /// principal the principal of a row.
    level: i128,
    /// Principal and interest of a regular row of the schedule in force.
    pub(crate) instalment: i128,
    /// The waivers by component.
    pub(crate) waived: [i128; 4],
    /// The part of the waivers that no row could take: it waits for rows made later.
    pub(crate) waiting: [i128; 4],
    /// Charges and late fees so far, by component.
    pub(crate) charged: [i128; 4],
    /// For each component, a row before which nothing of it is unpaid.
    pub(crate) open: [usize; 4],
    /// The unpaid amount of each component, if it was added up since the rows were made.
    unpaid: Option<[i128; 4]>,
    /// The unpaid principal, interest and fees of a number of first rows, if they were added up.
    unpaid_before: Option<(usize, i128)>,
    /// Interest and fees of a number of first rows.
    charged_before: (usize, i128, i128),
    /// Unearned amounts were dropped, and no row was made since.
    is_closed: bool,
    /// Where interest follows the balance of each day.
    daily: Option<DailyRows>,
    /// The same on the day of the last event.
    accruing: Option<Accruing>,
}

impl<'a> LoanRows<'a> {
    pub(crate) fn new(disbursed_on: Date, terms: &'a Terms, units: Units, plan: &Plan) -> Self {
        let amount: i128 = plan.schedule.rows.iter().map(|row| row.principal.units()).sum();
        let mut balance = amount;
        let is_flat = terms.interest_method() == InterestMethod::Flat;
        let mut lines = Vec::with_capacity(plan.schedule.rows.len());
        for (row, ((dates, period), arising)) in plan.schedule.rows.iter().zip(plan.periods.iter().zip(&plan.arising)) {
            let mut line = LoanRow::empty(*dates, *period, plan.seed);
            line.arising = *arising;
            line.principal = OwedAmount::of(row.principal.units());
            line.interest = OwedAmount::of(row.interest.units());
            line.own_fee(row.fees.units());
            line.count_on(if is_flat { amount } else { balance });
            lines.push(line);
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
            unpaid: None,
            unpaid_before: None,
            charged_before: (0, 0, 0),
            is_closed: false,
            daily: daily::daily_rows(disbursed_on, amount, terms, units, plan),
            accruing: None,
        }
    }

    /// The running row: the first due after that day, else the number of rows.
    pub(crate) fn running(&self, on: Date) -> usize {
        self.due_on.partition_point(|due_on| *due_on <= on)
    }

    /// The first row that is not past due on that day, else the number of rows.
    pub(crate) fn first_not_past_due(&self, on: Date) -> usize {
        self.due_on.partition_point(|due_on| *due_on < on)
    }

    /// The end of the rows in which something may be due by that day: a charge that is due stands at the latest in the
    /// first row that is not past due.
    pub(crate) fn end_of_due(&self, on: Date) -> usize {
        (self.first_not_past_due(on) + 1).min(self.lines.len())
    }

    /// The row that shows a charge: the first due on or after its due date, else the last.
    fn row_of(&self, due_on: Date) -> usize {
        self.first_not_past_due(due_on).min(self.lines.len().saturating_sub(1))
    }

    /// Adds a charge where its due date puts it.
    pub(crate) fn charge(&mut self, by: EventId, kind: ChargeKind, amount: i128, due_on: Date) {
        let row = self.row_of(due_on);
        self.add(Charge { kind, by: Some(by), due_on, row, owed: OwedAmount::of(amount) });
    }

    /// Adds a late fee to the row that is late.
    pub(crate) fn late_fee(&mut self, row: usize, amount: i128, due_on: Date) {
        self.add(Charge { kind: ChargeKind::Penalty, by: None, due_on, row, owed: OwedAmount::of(amount) });
    }

    fn add(&mut self, charge: Charge) {
        let component = charge.kind.component();
        self.charged[component as usize] += charge.owed.charged;
        self.note_settled(charge.row, component, -charge.owed.charged);
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
        let (shown, settled) = match charges[charge].kind {
            ChargeKind::Fee => (&mut line.fee_charges, &mut line.settled_fees),
            ChargeKind::Penalty => (&mut line.penalty_charges, &mut line.settled_penalties),
        };
        let place = shown.partition_point(|other| charges[*other].due_on <= due_on);
        shown.insert(place, charge);
        *settled = place.min(*settled);
    }
}
