//! The route group `auth`: registration, login, sessions, one's own profile and password.

mod activate;
mod login;
mod logout;
mod password;
mod profile;
mod register;
mod totp;

backend::operations! {
    register::register,
    login::login,
    activate::activate,
    logout::logout,
    profile::get_profile,
    profile::update_profile,
    password::change_password,
    totp::create_totp,
    totp::confirm_totp,
    totp::delete_totp,
}
