//! The route group `portfolio`: statistics of the whole book, arrears, collections, agents' performance.

mod arrears;
mod collections;
mod performance;
mod statistics;

backend::operations! {
    statistics::get_statistics,
    statistics::list_statistics,
    arrears::get_arrears,
    collections::list_collections,
    performance::get_agent_performance,
}
