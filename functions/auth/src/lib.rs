//! The route group `auth`: registration, login, sessions, one's own profile and password.

mod login;
mod logout;
mod password;
mod profile;
mod register;

use backend::app::App;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of this group.
#[must_use]
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(register::register))
        .routes(routes!(login::login))
        .routes(routes!(logout::logout))
        .routes(routes!(profile::get_me, profile::update_me))
        .routes(routes!(password::change_password))
}
