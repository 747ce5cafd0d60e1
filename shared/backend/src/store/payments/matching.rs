//! The loan to which a payment belongs: the one that its reference leads to, and those to which it may belong.

use lending::Money;
use tokio_postgres::Row;
use uuid::Uuid;

use super::rows::Id;
use crate::{
    columns,
    db::{Columns as _, DbError, FromRow, List, Reading, Sql, Statement},
    domain::{loan::Loan, payments::MatchedBy, portfolio::ApplicationStep, transaction::Transaction},
    sql,
    store::{loans, transactions::TransactionRow},
    values::{
        pay_ref::PayRef,
        phone,
        text::{ExternalId, Username},
    },
};

/// Looks up the loan to which a reference leads: the open loan of a `pay_ref`; else the one open loan of the one
/// customer with a telephone number, a username or an `external_id`. Notes it for the statements after this one.
pub const MATCH: &str = "\
WITH source AS (SELECT currency, calling_code FROM payment_sources WHERE code = $1 AND active),
by_ref AS (
    SELECT l.id, l.currency, l.status FROM loans l WHERE l.pay_ref = $2),
people AS (
    SELECT id, 'phone' AS matched_by FROM users
    WHERE phone = ANY (phones_of($3, $5, (SELECT calling_code FROM source))) AND role = 'customer'
    UNION SELECT id, 'username' FROM users WHERE username = $4 AND role = 'customer'
    UNION SELECT id, 'external_id' FROM users WHERE external_id = $6 AND role = 'customer'),
by_person AS (
    SELECT l.id FROM loans l, source
    WHERE NOT EXISTS (TABLE by_ref) AND (SELECT count(DISTINCT id) FROM people) = 1
        AND l.borrower_id = (SELECT id FROM people LIMIT 1) AND l.status IN ('disbursed', 'defaulted')
        AND l.currency = source.currency
    LIMIT 2),
hit AS (
    SELECT b.id, 'pay_ref' AS matched_by FROM by_ref b, source
    WHERE b.currency = source.currency AND b.status IN ('disbursed', 'defaulted')
    UNION ALL
    SELECT (array_agg(id))[1], (SELECT min(matched_by) FROM people) FROM by_person HAVING count(*) = 1)
SELECT (SELECT id FROM hit) AS loan_id, (SELECT matched_by FROM hit) AS matched_by,
    set_config('microloans.matched_loan', coalesce((SELECT id::text FROM hit), ''), true) AS noted";

/// A standing repayment by hand whose reference is a receipt.
pub const BY_HAND: &str = "\
SELECT t.loan_id FROM transactions t
WHERE t.reference = $1 AND t.kind = 'repayment' AND t.payment_id IS NULL
    AND t.currency = (SELECT currency FROM payment_sources WHERE code = $2)
    AND NOT EXISTS (SELECT FROM transactions r WHERE r.reverses = t.id)
ORDER BY t.recorded_at LIMIT 1";

/// Loans to which a payment may belong, with the reason, the best first.
pub const SUGGESTIONS: &str = "\
WITH payment AS (
    SELECT p.external_id, p.currency, s.calling_code, d.*
    FROM payments p JOIN payment_details d ON d.payment_id = p.id
        JOIN payment_sources s ON s.code = p.source WHERE p.id = $1),
found AS (
    SELECT t.loan_id, 1 AS rank, 'recorded_by_hand' AS reason FROM payment, transactions t
    WHERE t.reference = payment.external_id AND t.kind = 'repayment' AND t.payment_id IS NULL
        AND t.currency = payment.currency
        AND NOT EXISTS (SELECT FROM transactions r WHERE r.reverses = t.id)
    UNION ALL SELECT l.id, 2, 'pay_ref' FROM loans l WHERE l.pay_ref = $2
    UNION ALL SELECT l.id, 3, 'applied_before' FROM payment, transactions t JOIN loans l ON l.id = t.loan_id
        WHERE t.payment_id = payment.payment_id
    UNION ALL SELECT l.id, 4, 'reference' FROM users u JOIN loans l ON l.borrower_id = u.id
        WHERE u.phone = ANY (phones_of($3, $4, (SELECT calling_code FROM payment))) AND u.role = 'customer'
    UNION ALL SELECT l.id, 4, 'reference' FROM payment JOIN users u ON u.username = lower(payment.reference)
        JOIN loans l ON l.borrower_id = u.id
    UNION ALL SELECT l.id, 4, 'reference' FROM payment JOIN users u ON u.external_id = btrim(payment.reference)
        JOIN loans l ON l.borrower_id = u.id WHERE u.role = 'customer'
    UNION ALL SELECT l.id, 5, 'payer_phone' FROM payment JOIN users u ON u.phone = payment.payer_phone
        JOIN loans l ON l.borrower_id = u.id
    UNION ALL SELECT l.id, 6, 'paid_before' FROM payment JOIN payment_details o
            ON o.payer_phone = payment.payer_phone AND o.payment_id <> payment.payment_id
        JOIN transactions t ON t.payment_id = o.payment_id JOIN loans l ON l.id = t.loan_id
    UNION ALL SELECT l.id, 6, 'paid_before' FROM payment JOIN payment_details o
            ON o.payer_account = payment.payer_account AND o.payment_id <> payment.payment_id
        JOIN transactions t ON t.payment_id = o.payment_id JOIN loans l ON l.id = t.loan_id
    UNION ALL SELECT l.id, 7, 'payer_name' FROM payment JOIN users u ON lower(u.full_name) = lower(payment.payer_name)
        JOIN loans l ON l.borrower_id = u.id WHERE u.role = 'customer')
SELECT f.loan_id, l.pay_ref, (SELECT username FROM users WHERE id = l.borrower_id) AS borrower_username,
    l.status, l.currency,
    l.outstanding, array_agg(DISTINCT f.reason) AS reasons
FROM payment, found f JOIN loans l ON l.id = f.loan_id
WHERE l.currency = payment.currency AND l.status IN ('disbursed', 'defaulted', 'repaid')
GROUP BY f.loan_id, l.id ORDER BY l.status = 'repaid', min(f.rank), l.created_at DESC LIMIT 20";

/// The readings of a reference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readings {
    /// A loan's name in payments.
    pub pay_ref: Option<PayRef>,
    /// A telephone number that says its country, in E.164.
    pub e164: Option<String>,
    /// The digits of one that does not.
    pub digits: Option<String>,
    /// A customer's username.
    pub username: Option<String>,
    /// A customer's name in another system.
    pub external_id: Option<String>,
}

impl Readings {
    /// The readings of a reference.
    #[must_use]
    pub fn of(reference: Option<&str>) -> Self {
        let Some(text) = reference else { return Self::default() };
        let (e164, digits) = phone::typed(text);
        let username = Username::parse(text.trim()).map(Username::into_string);
        let external_id = ExternalId::parse(text.trim()).map(ExternalId::into_string);
        Self { pay_ref: PayRef::typed(text), e164, digits, username, external_id }
    }
}

/// The loan to which a reference leads.
pub struct Hit {
    /// The loan, and how it was found.
    pub loan: Option<(Uuid, MatchedBy)>,
}

impl FromRow for Hit {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let row = Reading::new(row);
        let (loan, by): (Option<Uuid>, Option<MatchedBy>) = (row.get("loan_id")?, row.get("matched_by")?);
        Ok(Self { loan: loan.zip(by) })
    }
}

/// Looks a loan up for a reference that is read so.
#[must_use]
pub fn find_loan(source: &str, readings: Readings) -> Statement<Hit> {
    let Readings { pay_ref, e164, digits, username, external_id } = readings;
    let sql = Sql::new(MATCH).bind(source.to_owned()).bind(pay_ref.map(|it| it.to_string()));
    sql.bind(e164).bind(username).bind(digits).bind(external_id).one()
}

/// The rows for a repayment of the loan that was looked up: the loan, locked, with its transactions and steps.
pub type MatchedLoan = (Statement<Option<Loan>>, Statement<Vec<Transaction>>, Statement<Vec<ApplicationStep>>);

/// Locks the loan that was looked up, and reads what happened to it.
#[must_use]
pub fn lock_matched() -> MatchedLoan {
    let loan = Sql::new(loans::SELECT_FOR_CHANGE).push(" WHERE l.id = matched_loan() FOR UPDATE").optional();
    let transactions = Sql::new(OF_MATCHED).all();
    (loan, transactions, Sql::new(STEPS_OF_MATCHED).all())
}

/// The transactions of the loan that was looked up.
pub const OF_MATCHED: &str = sql!(
    "SELECT {}, calendar_of_version(calendar_code, calendar_version) AS calendar FROM transactions
WHERE loan_id = matched_loan() ORDER BY recorded_at",
    List::Names(TransactionRow::COLUMNS),
);

/// The steps of its application.
pub const STEPS_OF_MATCHED: &str =
    "SELECT at, status, currency, amount FROM loan_versions WHERE loan_id = matched_loan() ORDER BY version";

/// The loan of a standing repayment by hand that names a receipt.
#[must_use]
pub fn by_hand(external_id: &str, source: &str) -> Statement<Option<Id>> {
    Sql::new(BY_HAND).bind(external_id.to_owned()).bind(source.to_owned()).optional()
}

/// A loan to which a payment may belong.
pub struct SuggestedLoan {
    /// The loan.
    pub loan_id: Uuid,
    /// Its name in payments.
    pub pay_ref: PayRef,
    /// Who borrowed.
    pub borrower_username: String,
    /// Where it stands.
    pub status: String,
    /// Principal outstanding.
    pub outstanding: Money,
    /// Why it may be.
    pub reasons: Vec<String>,
}

columns! {
    SuggestedLoan {
        loan_id: "loan_id",
        pay_ref: "pay_ref",
        borrower_username: "borrower_username",
        status: "status",
        outstanding: "outstanding",
        reasons: "reasons",
    }
}

/// Loans to which a payment may belong, the likeliest first.
#[must_use]
pub fn suggestions(payment: Uuid, readings: Readings) -> Statement<Vec<SuggestedLoan>> {
    let Readings { pay_ref, e164, digits, .. } = readings;
    Sql::new(SUGGESTIONS).bind(payment).bind(pay_ref.map(|it| it.to_string())).bind(e164).bind(digits).all()
}
