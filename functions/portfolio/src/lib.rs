//! The route group `portfolio`: statistics of the whole book.

mod statistics;

backend::operations! {
    statistics::get_statistics,
}
