//! Entries of payments in the journal: of a receipt, and of what was decided besides repayments.

use jiff::{Timestamp, civil::Date};
use lending::Money;
use uuid::Uuid;

use crate::{
    db::{Sql, Statement},
    domain::ledger::LedgerAccount,
    store::ledger::PostedRow,
};

/// Makes an entry of a payment, of its receipt or of a movement, with its two lines and the changes of both accounts.
pub const INSERT_PAYMENT_ENTRY: &str = "\
WITH lines AS (
    SELECT * FROM (VALUES ($6::text, $8::numeric, 0::numeric), ($7::text, 0::numeric, $8::numeric))
        AS line (account, debit, credit)),
entries AS (
    INSERT INTO journal_entries (id, payment_id, movement_id, currency, value_date, recorded_at)
    VALUES ($1, $2, $3,
        (SELECT currency FROM payment_sources WHERE code = (SELECT source FROM payments WHERE id = $2)), $4, $5)
    RETURNING currency),
accounts AS (
    INSERT INTO account_changes (on_date, currency, account, debit, credit)
    SELECT $4, currency, account, debit, credit FROM lines, entries)
INSERT INTO journal_lines (entry_id, account, debit, credit) SELECT $1, account, debit, credit FROM lines";

/// The sums posted for payments.
pub const OF_PAYMENTS: &str = "\
SELECT e.currency, e.value_date, l.account, sum(l.debit) AS debit, sum(l.credit) AS credit
FROM journal_entries e JOIN journal_lines l ON l.entry_id = e.id
WHERE e.payment_id IS NOT NULL GROUP BY e.currency, e.value_date, l.account";

/// The cause of an entry of a payment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cause {
    /// The payment.
    pub(super) payment: Uuid,
    /// A movement of it; its receipt where there is none.
    pub(super) movement: Option<Uuid>,
    /// The value date.
    pub(super) on: Date,
    /// When it is made.
    pub(super) at: Timestamp,
}

/// Money came in at a source, into suspense; an amount below zero did not.
#[must_use]
pub(super) fn received(cause: Cause, source: &str, amount: Money) -> Statement<()> {
    if amount.is_negative() {
        return paid_out(cause, source, Money::zero(amount.currency()).checked_sub(amount).unwrap_or(amount));
    }
    of_payment(cause, &LedgerAccount::CashAt(source.to_owned()), &LedgerAccount::UnappliedPayments, amount)
}

/// Money went out of suspense, to a source or from it.
#[must_use]
pub(super) fn paid_out(cause: Cause, source: &str, amount: Money) -> Statement<()> {
    of_payment(cause, &LedgerAccount::UnappliedPayments, &LedgerAccount::CashAt(source.to_owned()), amount)
}

fn of_payment(cause: Cause, debit: &LedgerAccount, credit: &LedgerAccount, amount: Money) -> Statement<()> {
    let Cause { payment, movement, on, at } = cause;
    Sql::new(INSERT_PAYMENT_ENTRY)
        .bind(Uuid::now_v7())
        .bind(payment)
        .bind(movement)
        .bind(on)
        .bind(at)
        .bind(debit.to_string())
        .bind(credit.to_string())
        .bind(amount.to_decimal())
        .execute()
}

/// The sums posted for payments.
#[must_use]
pub fn of_payments() -> Statement<Vec<PostedRow>> {
    Sql::new(OF_PAYMENTS).all()
}
