//! Who may call what: one row for each operation of the OpenAPI document.
//!
//! The document takes its security from here, and a test calls every operation as every kind of caller and sees that
//! the code agrees. An operation without a row, or a row without an operation, fails the tests.

use axum::http::Method;
use backend::domain::users::Role::{self, Admin, Agent, Customer};

/// Who may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Anyone, without a token.
    Anyone,
    /// Users with one of these roles and a valid session.
    Users(&'static [Role]),
}

/// Which things of others a caller may reach with an operation that names a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Callers may reach every thing it names, or it names no thing.
    All,
    /// A caller of this role reaches its own only; others' are not found.
    OwnOf(Role),
    /// A caller of this role reaches its own only; others' are forbidden.
    OnlySelf(Role),
}

/// One operation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The method.
    pub method: Method,
    /// The path, as the OpenAPI document writes it.
    pub path: &'static str,
    /// Who may call it.
    pub who: Who,
    /// The things they may reach.
    pub reach: Reach,
    /// The scope that a key needs, beside its role; none for people alone, and where nobody is asked.
    pub scope: Option<&'static str>,
}

const ANY: Who = Who::Users(&[Customer, Agent, Admin]);
const ADMIN: Who = Who::Users(&[Admin]);
const AGENT: Who = Who::Users(&[Agent]);
const STAFF: Who = Who::Users(&[Agent, Admin]);
const CUSTOMER_OR_ADMIN: Who = Who::Users(&[Customer, Admin]);
const APPLICANT: Who = Who::Users(&[Customer, Agent]);

/// Every operation.
pub const OPERATIONS: &[Operation] = &[
    row(Method::GET, "/health", Who::Anyone, Reach::All, None),
    row(Method::GET, "/health/ready", Who::Anyone, Reach::All, None),
    row(Method::GET, "/openapi.json", Who::Anyone, Reach::All, None),
    row(Method::GET, "/docs", Who::Anyone, Reach::All, None),
    row(Method::GET, "/desk", Who::Anyone, Reach::All, None),
    row(Method::POST, "/api/auth/register", Who::Anyone, Reach::All, None),
    row(Method::POST, "/api/auth/login", Who::Anyone, Reach::All, None),
    row(Method::POST, "/api/auth/activate", Who::Anyone, Reach::All, None),
    row(Method::POST, "/api/auth/logout", ANY, Reach::All, None),
    row(Method::GET, "/api/auth/me", ANY, Reach::All, None),
    row(Method::PATCH, "/api/auth/me", ANY, Reach::All, None),
    row(Method::PUT, "/api/auth/password", ANY, Reach::All, None),
    row(Method::POST, "/api/auth/totp", ANY, Reach::All, None),
    row(Method::POST, "/api/auth/totp/confirm", ANY, Reach::All, None),
    row(Method::DELETE, "/api/auth/totp", ANY, Reach::All, None),
    row(Method::GET, "/api/users", ADMIN, Reach::All, Some("users:read")),
    row(Method::POST, "/api/users", ADMIN, Reach::All, None),
    row(Method::GET, "/api/users/{id}", ADMIN, Reach::All, Some("users:read")),
    row(Method::PATCH, "/api/users/{id}", ADMIN, Reach::All, Some("users:write")),
    row(Method::PUT, "/api/users/{id}/password", ADMIN, Reach::All, None),
    row(Method::POST, "/api/users/{id}/activation", STAFF, Reach::All, None),
    row(Method::POST, "/api/users/{id}/suspend", ADMIN, Reach::All, None),
    row(Method::POST, "/api/users/{id}/reactivate", ADMIN, Reach::All, None),
    row(Method::DELETE, "/api/users/{id}/totp", ADMIN, Reach::All, None),
    row(Method::GET, "/api/users/{id}/changes", ADMIN, Reach::All, Some("users:read")),
    row(Method::POST, "/api/users/{id}/erase", ADMIN, Reach::All, None),
    row(Method::GET, "/api/agents", ADMIN, Reach::All, Some("agents:read")),
    row(Method::GET, "/api/agents/{id}", ADMIN, Reach::All, Some("agents:read")),
    row(Method::POST, "/api/agents/{id}/approve", ADMIN, Reach::All, None),
    row(Method::POST, "/api/agents/{id}/reject", ADMIN, Reach::All, None),
    row(Method::GET, "/api/agents/{id}/requests", STAFF, Reach::OnlySelf(Agent), Some("agents:read")),
    row(Method::POST, "/api/agents/{id}/reassign", ADMIN, Reach::All, Some("agents:write")),
    row(Method::GET, "/api/customers", STAFF, Reach::All, Some("customers:read")),
    row(Method::POST, "/api/customers", STAFF, Reach::All, Some("customers:write")),
    row(Method::GET, "/api/customers/{id}", ANY, Reach::OwnOf(Customer), Some("customers:read")),
    row(Method::GET, "/api/customers/{id}/profile", ANY, Reach::OwnOf(Customer), Some("customers:read")),
    row(Method::PUT, "/api/customers/{id}/profile", STAFF, Reach::All, Some("customers:write")),
    row(Method::POST, "/api/customers/{id}/kyc", ADMIN, Reach::All, Some("customers:write")),
    row(Method::GET, "/api/customers/{id}/summary", ANY, Reach::OwnOf(Customer), Some("customers:read")),
    row(Method::GET, "/api/customers/{id}/export", CUSTOMER_OR_ADMIN, Reach::OwnOf(Customer), Some("customers:read")),
    row(Method::GET, "/api/audit", ADMIN, Reach::All, Some("audit:read")),
    row(Method::GET, "/api/keys", ADMIN, Reach::All, None),
    row(Method::POST, "/api/keys", ADMIN, Reach::All, None),
    row(Method::GET, "/api/keys/{id}", ADMIN, Reach::All, None),
    row(Method::DELETE, "/api/keys/{id}", ADMIN, Reach::All, None),
    row(Method::GET, "/api/products", Who::Anyone, Reach::All, None),
    row(Method::POST, "/api/products", ADMIN, Reach::All, Some("products:write")),
    row(Method::GET, "/api/products/{code}", Who::Anyone, Reach::All, None),
    row(Method::PATCH, "/api/products/{code}", ADMIN, Reach::All, Some("products:write")),
    row(Method::GET, "/api/calendars", Who::Anyone, Reach::All, None),
    row(Method::GET, "/api/calendars/{code}", Who::Anyone, Reach::All, None),
    row(Method::PUT, "/api/calendars/{code}", ADMIN, Reach::All, Some("products:write")),
    row(Method::POST, "/api/quotes", Who::Anyone, Reach::All, None),
    row(Method::POST, "/api/quotes/apr", Who::Anyone, Reach::All, None),
    row(Method::GET, "/api/loans", ANY, Reach::All, Some("loans:read")),
    row(Method::POST, "/api/loans", APPLICANT, Reach::All, Some("loans:write")),
    row(Method::GET, "/api/loans/{id}", ANY, Reach::OwnOf(Customer), Some("loans:read")),
    row(Method::PATCH, "/api/loans/{id}", STAFF, Reach::All, Some("loans:write")),
    row(Method::GET, "/api/loans/{id}/schedule", ANY, Reach::OwnOf(Customer), Some("servicing:read")),
    row(Method::GET, "/api/loans/{id}/history", ANY, Reach::OwnOf(Customer), Some("loans:read")),
    row(Method::POST, "/api/loans/{id}/revert", AGENT, Reach::All, Some("loans:write")),
    row(Method::POST, "/api/loans/{id}/forward", AGENT, Reach::All, Some("loans:write")),
    row(Method::POST, "/api/loans/{id}/approve", ADMIN, Reach::All, Some("loans:write")),
    row(Method::POST, "/api/loans/{id}/reject", ADMIN, Reach::All, Some("loans:write")),
    row(Method::POST, "/api/loans/{id}/withdraw", APPLICANT, Reach::OwnOf(Customer), Some("loans:write")),
    row(Method::POST, "/api/loans/{id}/undo-approval", ADMIN, Reach::All, Some("loans:write")),
    row(Method::POST, "/api/loans/{id}/assign", ADMIN, Reach::All, Some("loans:write")),
    row(Method::POST, "/api/loans/{id}/disbursements", ADMIN, Reach::All, Some("servicing:write")),
    row(Method::POST, "/api/loans/{id}/repayments", STAFF, Reach::All, Some("servicing:write")),
    row(Method::POST, "/api/loans/{id}/charges", ADMIN, Reach::All, Some("servicing:write")),
    row(Method::POST, "/api/loans/{id}/waivers", ADMIN, Reach::All, Some("servicing:write")),
    row(Method::POST, "/api/loans/{id}/transactions/{tid}/reversal", ADMIN, Reach::All, Some("servicing:write")),
    row(Method::POST, "/api/loans/{id}/refund", ADMIN, Reach::All, Some("servicing:write")),
    row(Method::POST, "/api/loans/{id}/write-off", ADMIN, Reach::All, Some("servicing:write")),
    row(Method::POST, "/api/loans/{id}/reschedule", ADMIN, Reach::All, Some("servicing:write")),
    row(Method::GET, "/api/loans/{id}/settlement", ANY, Reach::OwnOf(Customer), Some("servicing:read")),
    row(Method::GET, "/api/loans/{id}/transactions", ANY, Reach::OwnOf(Customer), Some("servicing:read")),
    row(Method::GET, "/api/loans/{id}/transactions/{tid}", ANY, Reach::OwnOf(Customer), Some("servicing:read")),
    row(Method::GET, "/api/loans/{id}/ledger", ANY, Reach::OwnOf(Customer), Some("servicing:read")),
    row(Method::GET, "/api/loans/{id}/statement", ANY, Reach::OwnOf(Customer), Some("servicing:read")),
    row(Method::POST, "/api/repayments/batch", STAFF, Reach::All, Some("servicing:write")),
    row(Method::GET, "/api/ledger/trial-balance", ADMIN, Reach::All, Some("servicing:read")),
    row(Method::GET, "/api/ledger/accounts", ADMIN, Reach::All, Some("servicing:read")),
    row(Method::POST, "/api/payment-sources", ADMIN, Reach::All, None),
    row(Method::GET, "/api/payment-sources", ADMIN, Reach::All, Some("payments:read")),
    row(Method::GET, "/api/payment-sources/{code}", ADMIN, Reach::All, Some("payments:read")),
    row(Method::PATCH, "/api/payment-sources/{code}", ADMIN, Reach::All, Some("payments:write")),
    row(Method::POST, "/api/payment-sources/{code}/rotate", ADMIN, Reach::All, None),
    row(Method::GET, "/api/payment-sources/{code}/refused", ADMIN, Reach::All, Some("payments:read")),
    row(Method::POST, "/api/payment-sources/{code}/statements", ADMIN, Reach::All, Some("payments:write")),
    row(Method::GET, "/api/payment-sources/{code}/reconciliation", ADMIN, Reach::All, Some("payments:read")),
    row(Method::POST, "/api/hooks/{source}/{secret}/validation", Who::Anyone, Reach::All, None),
    row(Method::POST, "/api/hooks/{source}/{secret}/confirmation", Who::Anyone, Reach::All, None),
    row(Method::POST, "/api/hooks/{source}/{secret}/stk", Who::Anyone, Reach::All, None),
    row(Method::POST, "/api/hooks/{source}/{secret}/payment", Who::Anyone, Reach::All, None),
    row(Method::POST, "/api/payments", ADMIN, Reach::All, Some("payments:write")),
    row(Method::GET, "/api/payments", STAFF, Reach::All, Some("payments:read")),
    row(Method::GET, "/api/payments/{id}", STAFF, Reach::All, Some("payments:read")),
    row(Method::GET, "/api/payments/{id}/suggestions", STAFF, Reach::All, Some("payments:read")),
    row(Method::POST, "/api/payments/{id}/apply", ADMIN, Reach::All, Some("payments:write")),
    row(Method::POST, "/api/payments/{id}/return", ADMIN, Reach::All, Some("payments:write")),
    row(Method::POST, "/api/payments/{id}/transfer", ADMIN, Reach::All, Some("payments:write")),
    row(Method::POST, "/api/payments/{id}/correction", ADMIN, Reach::All, Some("payments:write")),
    row(Method::GET, "/api/stats", STAFF, Reach::All, Some("portfolio:read")),
    row(Method::GET, "/api/stats/history", STAFF, Reach::All, Some("portfolio:read")),
    row(Method::GET, "/api/portfolio/arrears", STAFF, Reach::All, Some("portfolio:read")),
    row(Method::GET, "/api/collections", STAFF, Reach::All, Some("portfolio:read")),
    row(Method::GET, "/api/agents/{id}/performance", STAFF, Reach::OnlySelf(Agent), Some("portfolio:read")),
];

const fn row(method: Method, path: &'static str, who: Who, reach: Reach, scope: Option<&'static str>) -> Operation {
    Operation { method, path, who, reach, scope }
}

/// The row of an operation.
#[must_use]
pub fn find(method: &Method, path: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.method == *method && operation.path == path)
}
