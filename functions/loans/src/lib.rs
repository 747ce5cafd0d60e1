//! The route group `loans`: applications, decisions, history.

// A new kind of event, status or role must be handled in every match.
#![deny(clippy::wildcard_enum_match_arm)]

mod apply;
mod assign;
mod decide;
mod edit;
mod read;
mod shared;

backend::operations! {
    read::list_loans,
    apply::create_loan,
    read::get_loan,
    edit::update_loan,
    read::get_loan_history,
    edit::revert_loan,
    decide::forward_loan,
    decide::approve_loan,
    decide::reject_loan,
    decide::withdraw_loan,
    decide::undo_loan_approval,
    assign::assign_loan,
}
