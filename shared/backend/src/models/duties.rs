//! Separation of duties: whoever set the password of an account could act as that account, so nobody decides on what such
//! an account has to do with, nor takes back what it recorded. The database's triggers refuse the same.

use tokio_postgres::Row;
use uuid::Uuid;

use super::{loans::Loan, transactions::Transaction};
use crate::{
    db::{DbError, FromRow, Sql, Statement, column},
    domain::refusal::Refusal,
};

/// Of those who have to do with a loan, the accounts whose password the caller set.
#[derive(Debug, Default)]
pub struct SameHand(Vec<Uuid>);

/// One of them.
pub struct Account(Uuid);

impl FromRow for Account {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self(column(row, "id")?))
    }
}

/// The accounts that have to do with a loan and whose password a user set.
pub const SAME_HAND: &str = "\
SELECT u.id FROM (
    SELECT unnest(ARRAY[borrower_id, created_by, edited_by, agent_id]) AS id FROM loans WHERE id = $1
    UNION SELECT recorded_by FROM transactions WHERE loan_id = $1
) involved JOIN users u ON u.id = involved.id AND u.password_set_by = $2";

/// The accounts that have to do with a loan and whose password this user set.
#[must_use]
pub fn same_hand(loan: Uuid, user: Uuid) -> Statement<Vec<Account>> {
    Sql::new(SAME_HAND).bind(loan).bind(user).all()
}

impl From<Vec<Account>> for SameHand {
    fn from(accounts: Vec<Account>) -> Self {
        Self(accounts.into_iter().map(|Account(id)| id).collect())
    }
}

impl SameHand {
    /// To approve, reject or pay a loan out.
    ///
    /// # Errors
    ///
    /// 403 where its borrower, creator, last editor or agent is such an account.
    pub fn may_decide(&self, loan: &Loan) -> Result<(), Refusal> {
        let parties = [Some(loan.borrower_id), Some(loan.created_by), Some(loan.edited_by), loan.agent_id];
        self.refuse(parties.into_iter().flatten())
    }

    /// To reverse a transaction.
    ///
    /// # Errors
    ///
    /// 403 where such an account recorded it.
    pub fn may_reverse(&self, transaction: &Transaction) -> Result<(), Refusal> {
        self.refuse([transaction.recorded_by])
    }

    /// To refund or write off.
    ///
    /// # Errors
    ///
    /// 403 where such an account made or last changed the loan, or recorded a transaction of it.
    pub fn may_give_up(&self, loan: &Loan, transactions: &[Transaction]) -> Result<(), Refusal> {
        let recorders = transactions.iter().map(|transaction| transaction.recorded_by);
        self.refuse(recorders.chain([loan.created_by, loan.edited_by]))
    }

    fn refuse(&self, accounts: impl IntoIterator<Item = Uuid>) -> Result<(), Refusal> {
        if accounts.into_iter().any(|id| self.0.contains(&id)) {
            return Err(Refusal::own_application());
        }
        Ok(())
    }
}
