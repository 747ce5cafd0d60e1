//! The route group `loans`: applications, decisions, history.

mod apply;
mod decide;
mod edit;
mod read;
mod shared;

use backend::app::App;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this group.
#[must_use]
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read::list_loans, apply::create_loan))
        .routes(routes!(read::get_loan, edit::update_loan))
        .routes(routes!(read::get_schedule))
        .routes(routes!(read::get_history))
        .routes(routes!(edit::revert_loan))
        .routes(routes!(decide::forward_loan))
        .routes(routes!(decide::approve_loan))
        .routes(routes!(decide::reject_loan))
        .routes(routes!(decide::withdraw_loan))
        .routes(routes!(decide::undo_approval))
}
