//! The ledger as CSV.

use crate::{
    store::ledger::{AccountBalance, Entry, EntryLine},
    values::table::{Cell, Line, Lines},
};

impl Lines for Entry {
    const COLUMNS: &'static [&'static str] =
        &["id", "value_date", "recorded_at", "transaction_id", "currency", "account", "debit", "credit"];

    fn lines(&self) -> Vec<Vec<Cell>> {
        let cells = |line: &EntryLine| {
            vec![
                Cell::value(&self.id),
                Cell::value(&self.value_date),
                Cell::value(&self.recorded_at),
                Cell::value(&self.transaction_id),
                Cell::value(&self.currency),
                Cell::value(&line.account.as_str()),
                Cell::value(&line.debit),
                Cell::value(&line.credit),
            ]
        };
        self.lines.iter().map(cells).collect()
    }
}

impl Line for AccountBalance {
    const COLUMNS: &'static [&'static str] = &["account", "currency", "debit", "credit", "balance"];

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::value(&self.account.as_str()),
            Cell::value(&self.currency),
            Cell::value(&self.debit),
            Cell::value(&self.credit),
            Cell::value(&self.balance),
        ]
    }
}
