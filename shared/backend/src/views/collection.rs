//! Collections as lines of a table.

use crate::{domain::collection::Collection, table_line, values::table::Cell};

table_line! {
    Collection as loan {
        "loan_id": Cell::value(&loan.loan_id),
        "pay_ref": Cell::value(&loan.pay_ref),
        "customer": Cell::text(Some(&loan.customer)),
        "full_name": Cell::text(loan.full_name.as_deref()),
        "phone": Cell::text(Some(&loan.phone)),
        "currency": Cell::value(&loan.currency),
        "due": Cell::value(&loan.due),
        "overdue": Cell::value(&loan.overdue),
        "penalties": Cell::value(&loan.penalties),
        "due_since": Cell::value(&loan.due_since),
        "days_past_due": Cell::value(&loan.days_past_due),
    }
}
