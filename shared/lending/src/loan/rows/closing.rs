//! The charges of a loan until a day, which are the price of closing it, and the closing itself.

use jiff::civil::Date;

use super::{LoanRow, LoanRows};
use crate::steps::steps;
use crate::terms::Component;

impl LoanRows<'_> {
    /// The charges of the loan until a day, less waivers, by component: the principal; the interest
    /// of the periods that ended by then, in whichever row it is paid, and the earned interest of the
    /// running one; the fees of the rows due by then, and all charges.
    pub(crate) fn charged_until(&mut self, on: Date) -> [i128; 4] {
        let running = self.running(on);
        let (interest, fees) = self.charged_before(running);
        let earned = || self.lines.get(running).map_or(0, |line| line.earned(on, self.terms, self.units));
        let mut charged = self.charged;
        charged[Component::Interest as usize] = match &self.daily {
            Some(daily) => daily.accrued(on),
            None => interest + earned(),
        };
        charged[Component::Fee as usize] += fees;
        for (charged, waived) in charged.iter_mut().zip(self.waived) {
            *charged = (*charged - waived).max(0);
        }
        charged[Component::Principal as usize] = self.amount;
        charged
    }

    /// Interest and fees of a number of first rows.
    fn charged_before(&mut self, rows: usize) -> (i128, i128) {
        let known = Some(self.charged_before).filter(|(known, ..)| *known <= rows);
        let (known, mut interest, mut fees) = known.unwrap_or_default();
        for line in self.lines.get(known..rows).unwrap_or_default() {
            steps(1);
            interest += line.arising;
            fees += line.fee;
        }
        self.charged_before = (rows, interest, fees);
        (interest, fees)
    }

    /// The payments by component.
    pub(crate) fn paid(&self) -> [i128; 4] {
        steps(self.lines.len() + self.charges.len());
        let mut paid = [0; 4];
        for line in &self.lines {
            paid[Component::Principal as usize] += line.principal.paid;
            paid[Component::Interest as usize] += line.interest.paid;
            paid[Component::Fee as usize] += line.fees.paid;
        }
        for charge in &self.charges {
            paid[charge.kind.component() as usize] += charge.owed.paid;
        }
        paid
    }

    /// Drops interest and instalment fees that are not earned by the day on which the loan closes.
    /// Returns the payments of them by component. Their waivers go to the amounts that are left.
    pub(crate) fn drop_unearned(&mut self, on: Date) -> [i128; 4] {
        // A payment that is held closes the loan again: nothing is left to be dropped.
        if self.is_closed && self.waiting == [0; 4] {
            return [0; 4];
        }
        steps(self.lines.len());
        let mut given_back = [0; 4];
        given_back[Component::Interest as usize] = self.ask_to_close(on);
        self.stop_earning(on);
        let mut arising = 0;
        for row in 0..self.lines.len() {
            let line = &mut self.lines[row];
            arising += line.arising;
            // Interest of each day's balance is asked for as it accrued: nothing of it is unearned.
            if self.daily.is_none() {
                line.interest.charged = if row < self.deferred_to { 0 } else { std::mem::take(&mut arising) };
            }
            line.fees.charged = line.fee;
            let amounts = [(&mut line.interest, Component::Interest), (&mut line.fees, Component::Fee)];
            for (owed, component) in amounts {
                let beyond = (owed.waived - owed.charged).max(0);
                owed.waived -= beyond;
                self.waiting[component as usize] += beyond;
                given_back[component as usize] += owed.give_back();
            }
        }
        for component in [Component::Interest, Component::Fee] {
            let mut waiting = std::mem::take(&mut self.waiting[component as usize]);
            let rows = 0..self.lines.len();
            for row in rows.clone() {
                self.each_amount(row, component, &mut |owed, _| {
                    owed.waive(&mut waiting, on);
                });
            }
            // Nothing is unpaid: what is left was paid before it was waived.
            for row in rows {
                self.each_amount(row, component, &mut |owed, _| {
                    let part = waiting.min(owed.paid);
                    owed.waived += part;
                    waiting -= part;
                    given_back[component as usize] += owed.give_back();
                });
            }
            self.waiting[component as usize] = waiting;
        }
        self.open = [0; 4];
        self.note_replaced();
        self.is_closed = true;
        given_back
    }

    /// From that day on the loan earns no interest and no instalment fee.
    fn stop_earning(&mut self, on: Date) {
        let running = self.running(on);
        for (index, line) in self.lines.iter_mut().enumerate().skip(running) {
            let earned = if index == running { line.earned(on, self.terms, self.units) } else { 0 };
            line.stop(earned);
        }
    }
}

impl LoanRow {
    fn stop(&mut self, earned: i128) {
        self.arising = earned;
        self.fee = 0;
        self.is_stopped = true;
    }
}
