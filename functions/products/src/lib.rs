//! The route group `products`: loan products, their versions, and the cost of a loan.

mod calendars;
mod edit;
mod quotes;
mod read;

use backend::{domain::refusal::Refusal, http::problem::Problem};

backend::operations! {
    read::list_products,
    edit::create_product,
    read::get_product,
    edit::update_product,
    quotes::create_quote,
    quotes::calculate_apr,
    calendars::list_calendars,
    calendars::get_calendar,
    calendars::change_calendar,
}

/// The engine's refusal of terms, at its place in a request that has them as `terms`.
fn refused(refusal: &lending::Refusal) -> Problem {
    Refusal::of_engine(refusal.pointer_under("/terms"), refusal).into()
}
