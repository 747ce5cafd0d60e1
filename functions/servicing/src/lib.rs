//! The route group `servicing`: the transactions of a loan, and the books.

// A new kind of event, status or role must be handled in every match.
#![deny(clippy::wildcard_enum_match_arm)]

mod adjust;
mod batch;
mod charge;
mod command;
mod disburse;
mod ledger;
mod read;
mod repay;
mod schedule;
mod statement;

backend::operations! {
    disburse::disburse_loan,
    repay::record_repayment,
    charge::charge_loan,
    charge::waive_charge,
    adjust::reverse_transaction,
    adjust::refund_overpayment,
    adjust::write_off_loan,
    adjust::reschedule_loan,
    batch::record_repayment_batch,
    read::get_loan_settlement,
    read::list_loan_transactions,
    read::get_loan_transaction,
    schedule::get_loan_schedule,
    ledger::get_loan_ledger,
    statement::get_loan_statement,
    ledger::get_trial_balance,
    ledger::get_chart_of_accounts,
}
