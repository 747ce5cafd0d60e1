//! The route group `users`: users, agents, customers and the audit log.

mod agents;
mod audit_log;
mod customers;
mod erase;
mod export;
mod lists;
mod status;
mod users;

backend::operations! {
    users::list_users,
    users::create_user,
    users::get_user,
    users::update_user,
    users::reset_user_password,
    status::suspend_user,
    status::reactivate_user,
    erase::list_user_changes,
    erase::erase_user,
    agents::list_agents,
    agents::get_agent,
    agents::list_agent_requests,
    status::approve_agent,
    status::reject_agent,
    customers::list_customers,
    customers::get_customer,
    export::export_customer,
    audit_log::list_audit_entries,
}
