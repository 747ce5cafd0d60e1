//! The ledger as CSV.

use crate::{
    store::ledger::{AccountBalance, Entry, EntryLine},
    table_line,
    values::table::{Cell, Lines},
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
                Cell::value(&line.account),
                Cell::value(&line.debit),
                Cell::value(&line.credit),
            ]
        };
        self.lines.iter().map(cells).collect()
    }
}

table_line! {
    AccountBalance as balance {
        "account": Cell::value(&balance.account),
        "currency": Cell::value(&balance.currency),
        "debit": Cell::value(&balance.debit),
        "credit": Cell::value(&balance.credit),
        "balance": Cell::value(&balance.balance),
    }
}
