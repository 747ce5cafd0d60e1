//! Unpaid amounts. Their sums are kept and adjusted, so that a day costs what happens on it.

use jiff::civil::Date;

use super::LoanRows;
use crate::loan::events::ChargeKind;
use crate::steps::steps;
use crate::terms::Component;

impl LoanRows<'_> {
    /// Notes an amount of a component in a row that is no longer unpaid.
    pub(crate) fn note_settled(&mut self, row: usize, component: Component, amount: i128) {
        self.note_paid(row, component, amount);
        if let Some(unpaid) = &mut self.unpaid {
            unpaid[component as usize] -= amount;
        }
        if let Some((rows, unpaid)) = &mut self.unpaid_before
            && component != Component::Penalty
            && row < *rows
        {
            *unpaid -= amount;
        }
    }

    /// Notes that rows were replaced, or their amounts: sums that are kept are added up again when they are next read.
    pub(crate) fn note_replaced(&mut self) {
        self.unpaid = None;
        self.unpaid_before = None;
        self.charged_before = (0, 0, 0);
        self.is_closed = false;
    }

    /// The unpaid amount of a component in a row.
    pub(crate) fn unpaid_in(&self, row: usize, component: Component) -> i128 {
        let line = &self.lines[row];
        steps(1);
        let of = |charges: &[usize]| -> i128 {
            steps(charges.len());
            charges.iter().map(|charge| self.charges[*charge].owed.unpaid()).sum()
        };
        match component {
            Component::Principal => line.principal.unpaid(),
            Component::Interest => line.interest.unpaid(),
            Component::Penalty => of(line.open_charges(ChargeKind::Penalty)),
            Component::Fee => line.fees.unpaid() + of(line.open_charges(ChargeKind::Fee)),
        }
    }

    /// The unpaid amount of a component in all rows.
    pub(crate) fn unpaid(&mut self, component: Component) -> i128 {
        self.unpaid_of_each()[component as usize]
    }

    /// The unpaid amount of all components.
    pub(crate) fn unpaid_in_all(&mut self) -> i128 {
        self.unpaid_of_each().iter().sum()
    }

    fn unpaid_of_each(&mut self) -> [i128; 4] {
        if let Some(unpaid) = self.unpaid {
            return unpaid;
        }
        let mut unpaid = [0; 4];
        for component in Component::ALL {
            let open = self.first_open(component)..self.lines.len();
            unpaid[component as usize] = open.map(|row| self.unpaid_in(row, component)).sum();
        }
        self.unpaid = Some(unpaid);
        unpaid
    }

    /// The unpaid principal, interest and fees of a number of first rows.
    pub(crate) fn unpaid_before(&mut self, rows: usize) -> i128 {
        const COUNTED: [Component; 3] = [Component::Principal, Component::Interest, Component::Fee];
        let known = self.unpaid_before.filter(|(known, _)| *known <= rows);
        let (known, mut unpaid) = known.unwrap_or_else(|| {
            let first = COUNTED.into_iter().map(|component| self.first_open(component)).min();
            (first.unwrap_or_default().min(rows), 0)
        });
        for row in known..rows {
            unpaid += COUNTED.into_iter().map(|component| self.unpaid_in(row, component)).sum::<i128>();
        }
        self.unpaid_before = Some((rows, unpaid));
        unpaid
    }

    /// The charges with an unpaid amount in the rows in which something may be due by a day, in the order in which they
    /// were charged.
    pub(crate) fn open_charges_until(&mut self, on: Date) -> Vec<usize> {
        let first = self.first_open(Component::Fee).min(self.first_open(Component::Penalty));
        let end = self.end_of_due(on);
        let mut open = Vec::new();
        for line in self.lines.get(first..end).unwrap_or_default() {
            let charges = [ChargeKind::Fee, ChargeKind::Penalty].into_iter().flat_map(|kind| line.open_charges(kind));
            open.extend(charges.copied().filter(|charge| self.charges[*charge].owed.unpaid() > 0));
        }
        steps(end.saturating_sub(first) + open.len());
        open.sort_unstable();
        open
    }

    /// True if an amount of a component is unpaid in a row.
    fn is_open(&self, row: usize, component: Component) -> bool {
        let line = &self.lines[row];
        steps(1);
        let of = |kind: ChargeKind| {
            line.open_charges(kind).iter().any(|charge| {
                steps(1);
                self.charges[*charge].owed.unpaid() != 0
            })
        };
        match component {
            Component::Principal => line.principal.unpaid() != 0,
            Component::Interest => line.interest.unpaid() != 0,
            Component::Penalty => of(ChargeKind::Penalty),
            Component::Fee => line.fees.unpaid() != 0 || of(ChargeKind::Fee),
        }
    }

    /// The first row with an unpaid amount of a component, else the number of rows. Settled rows are
    /// not visited again.
    pub(crate) fn first_open(&mut self, component: Component) -> usize {
        let mut row = self.open[component as usize];
        while row < self.lines.len() && !self.is_open(row, component) {
            row += 1;
        }
        self.open[component as usize] = row;
        row
    }
}
