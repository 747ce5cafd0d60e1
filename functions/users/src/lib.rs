//! The route group `users`: users, agents, customers and the audit log.

mod agents;
mod audit_log;
mod customers;
mod lists;
mod status;
mod users;

use backend::app::App;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this group.
#[must_use]
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(users::list_users, users::create_user))
        .routes(routes!(users::get_user, users::update_user))
        .routes(routes!(users::reset_password))
        .routes(routes!(status::suspend_user))
        .routes(routes!(status::reactivate_user))
        .routes(routes!(agents::list_agents))
        .routes(routes!(agents::get_agent))
        .routes(routes!(agents::list_requests))
        .routes(routes!(status::approve_agent))
        .routes(routes!(status::reject_agent))
        .routes(routes!(customers::list_customers))
        .routes(routes!(customers::get_customer))
        .routes(routes!(audit_log::list_audit_entries))
}
