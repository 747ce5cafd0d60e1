//! The route group `users`: users, agents, customers, the audit log and keys.

mod activation;
mod agents;
mod audit_log;
mod customers;
mod enrol;
mod erase;
mod export;
mod keys;
mod lists;
mod profile;
mod reassign;
mod status;
mod summary;
mod totp;
mod users;

backend::operations! {
    users::list_users,
    users::create_user,
    users::get_user,
    users::update_user,
    users::reset_user_password,
    totp::delete_user_totp,
    activation::create_activation_code,
    status::suspend_user,
    status::reactivate_user,
    erase::list_user_changes,
    erase::erase_user,
    agents::list_agents,
    agents::get_agent,
    agents::list_agent_requests,
    reassign::reassign_agent,
    status::approve_agent,
    status::reject_agent,
    customers::list_customers,
    enrol::create_customer,
    customers::get_customer,
    profile::get_customer_profile,
    profile::change_customer_profile,
    profile::record_verification,
    summary::get_customer_summary,
    export::export_customer,
    audit_log::list_audit_entries,
    keys::list_keys,
    keys::create_key,
    keys::get_key,
    keys::delete_key,
}
