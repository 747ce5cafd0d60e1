//! Collections as lines of a table.

use crate::{
    domain::collection::Collection,
    values::table::{Cell, Line},
};

impl Line for Collection {
    const COLUMNS: &'static [&'static str] = &[
        "loan_id",
        "pay_ref",
        "customer",
        "full_name",
        "phone",
        "currency",
        "due",
        "overdue",
        "penalties",
        "due_since",
        "days_past_due",
    ];

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::value(&self.loan_id),
            Cell::value(&self.pay_ref),
            Cell::text(Some(&self.customer)),
            Cell::text(self.full_name.as_deref()),
            Cell::text(Some(&self.phone)),
            Cell::value(&self.currency),
            Cell::value(&self.due),
            Cell::value(&self.overdue),
            Cell::value(&self.penalties),
            Cell::value(&self.due_since),
            Cell::value(&self.days_past_due),
        ]
    }
}
