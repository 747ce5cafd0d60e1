//! The route group `payments`: money that arrives, and what is decided of it.

// Match every kind of event, status and role by name.
#![deny(clippy::wildcard_enum_match_arm)]

mod answers;
mod apply;
mod arrive;
mod camt;
mod hooks;
mod movements;
mod mpesa;
mod payments;
mod secrets;
mod signed;
mod sources;
mod spreadsheet;
mod statements;

backend::operations! {
    sources::create_source,
    sources::list_sources,
    sources::get_source,
    sources::update_source,
    sources::rotate_secret,
    sources::list_refused,
    statements::record_statement,
    statements::get_reconciliation,
    hooks::validate_mpesa,
    hooks::confirm_mpesa,
    hooks::confirm_stk,
    hooks::receive_payment,
    payments::create_payment,
    payments::list_payments,
    payments::get_payment,
    payments::list_suggestions,
    apply::apply_payment,
    movements::return_payment,
    movements::transfer_payment,
    movements::correct_payment,
}
