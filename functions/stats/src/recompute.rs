//! The correct state of every loan, the journal and every figure, recomputed from the transactions.

use std::{collections::BTreeMap, fmt::Debug};

use backend::{
    db::{DbError, OfLoan, Tx},
    domain::{
        ledger::{self as ledger_rules, AccountKey, AccountSums, LedgerAccount, PostedSums},
        loan::Loan,
        loan_money,
        portfolio::{ApplicationStep, LoanInPortfolio, PortfolioDelta},
        transaction::Transaction,
    },
    store::{
        ledger::{self, PostedRow},
        loans, payments, portfolio, transactions,
    },
    telemetry,
    values::moment::Moment,
};
use jiff::Timestamp;
use lending::{Event, Posting};
use serde::Serialize;
use uuid::Uuid;

/// For work that grows with the book, instead of the limit of the functions' login.
pub const NO_TIME_LIMIT: &str = "SET LOCAL statement_timeout = 0";

/// A stored value that does not follow from the transactions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The subject.
    pub of: String,
    /// The stored value.
    pub kept: String,
    /// The recomputed value.
    pub follows: String,
}

impl Difference {
    pub(crate) fn new(of: String, kept: &(impl Debug + ?Sized), follows: &(impl Debug + ?Sized)) -> Self {
        Self { of, kept: format!("{kept:?}"), follows: format!("{follows:?}") }
    }
}

/// The values recomputed from all transactions.
#[derive(Default)]
pub(crate) struct Recomputed {
    /// How many loans there are.
    pub(crate) loans: u64,
    /// Their figures.
    pub(crate) figures: PortfolioDelta,
    /// The sums of the accounts, by the journal.
    pub(crate) accounts: BTreeMap<AccountKey, AccountSums>,
    /// Loans, and their parts of the journal, that differ from the recomputed ones.
    pub(crate) differences: Vec<Difference>,
}

/// Loans that are read at a time.
const AT_ONCE: i64 = 200;

/// Recomputes everything, as the transaction sees it.
pub(crate) async fn recompute(tx: &Tx, at: Moment<'_>) -> Result<Recomputed, DbError> {
    let mut recomputed = Recomputed::default();
    let mut last = Uuid::nil();
    loop {
        let loans = tx.run(&loans::after(last, AT_ONCE)).await?;
        let Some(newest) = loans.last() else { break };
        last = newest.id;
        let ids: Vec<Uuid> = loans.iter().map(|loan| loan.id).collect();
        let rest = (transactions::of_loans(ids.clone()), portfolio::steps_of_loans(ids.clone()), ledger::made(ids));
        let (transactions, steps, made) = tx.run(&rest).await?;
        let (mut transactions, mut steps, mut made) =
            (OfLoan::by_loan(transactions), OfLoan::by_loan(steps), OfLoan::by_loan(made));
        for loan in &loans {
            let transactions = transactions.remove(&loan.id).unwrap_or_default();
            let steps = steps.remove(&loan.id).unwrap_or_default();
            let made = made.remove(&loan.id).unwrap_or_default();
            recomputed.add(loan, &transactions, &steps, &made, at);
        }
    }
    for PostedRow(PostedSums(key, sums)) in tx.run(&payments::of_payments()).await? {
        *recomputed.accounts.entry(key).or_default() += sums;
    }
    Ok(recomputed)
}

impl Recomputed {
    fn add(
        &mut self,
        loan: &Loan,
        transactions: &[Transaction],
        steps: &[ApplicationStep],
        made: &[PostedRow],
        at: Moment<'_>,
    ) {
        self.loans += 1;
        for PostedRow(PostedSums(key, sums)) in made {
            *self.accounts.entry(key.clone()).or_default() += *sums;
        }
        if let Err(why) = self.add_figures(loan, transactions, steps, made, at) {
            self.differences.push(Difference::new(format!("loan {}", loan.id), "transactions that stand", &why));
        }
    }

    /// Checks a loan's row and its part of the journal, and adds its share to the figures; or returns why its
    /// transactions cannot stand.
    fn add_figures(
        &mut self,
        loan: &Loan,
        transactions: &[Transaction],
        steps: &[ApplicationStep],
        made: &[PostedRow],
        at: Moment<'_>,
    ) -> Result<(), String> {
        let expected = loan_money::recompute(loan, transactions, steps, at.today);
        let expected = expected.map_err(|refusal| telemetry::chain(&refusal))?;
        if expected != *loan {
            self.differences.push(Difference::new(format!("loan {}", loan.id), loan, &expected));
        }
        let events: Vec<Event> = transactions.iter().map(|transaction| transaction.event.clone()).collect();
        let follows = lending::follow(&loan.contract(), &events, Timestamp::MAX);
        let follows = follows.map_err(|conflict| format!("{conflict:?}"))?;
        let made: Option<Vec<Posting<LedgerAccount>>> = made.iter().map(|PostedRow(posted)| posted.posting()).collect();
        let made = made.ok_or("amounts in the journal that no loan has")?;
        let posted = ledger_rules::through_accounts(&follows.postings, transactions, None);
        let missing = lending::journal_entries(&posted, &made);
        if !missing.is_empty() {
            let of = format!("journal of the loan {}, entries that are missing", loan.id);
            self.differences.push(Difference::new(of, &made, &missing));
        }
        self.figures += PortfolioDelta::of(
            LoanInPortfolio { loan: &expected, steps, exposures: &follows.exposures, transactions },
            at,
        );
        Ok(())
    }
}
