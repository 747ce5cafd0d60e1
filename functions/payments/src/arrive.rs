//! The way of a notice of money: it becomes a new payment or merges with a known one, and the repayment to which its
//! reference leads is recorded. One round trip for locks and rows, one for the commit.

use backend::{
    app::App,
    auth::callers::Admin,
    db::{Statement, Tx},
    domain::{
        loan::{Loan, LoanStatus},
        notices::{self, Notice, Told, Unusable, Via},
        payments::{Application, Payment},
        portfolio::ApplicationStep,
        refusal::Refusal,
        servicing::{self, LockedLoan, NewTransaction, Recorded},
        sources::Source,
        transaction::Transaction,
    },
    http::{command, problem::Problem},
    store::{
        audit::{self, Subject},
        payments::{self, Hit, Id, MatchedLoan, Readings, Turn},
        sources::{self, Secret},
    },
    telemetry::Count,
    values::{address::ClientAddress, moment::Moment},
};
use lending::EventKind;
use serde_json::json;
use uuid::Uuid;

/// A notice on its way.
pub(crate) struct Arrival {
    /// The source's code.
    pub(crate) source: String,
    /// How it came.
    pub(crate) via: Via,
    /// As it was sent.
    pub(crate) raw: String,
    /// Its content.
    pub(crate) told: Told,
    /// The reference by which a loan is looked up: its own, or that of a payment which is known already.
    pub(crate) reference: Option<String>,
}

/// The first round trip.
pub(crate) type Statements = (
    (Statement<Option<Source>>, Statement<Vec<Secret>>),
    Statement<Hit>,
    MatchedLoan,
    (Statement<Turn>, Statement<Option<Payment>>, Statement<Option<Id>>, Statement<bool>),
);

type LoanRows = (Option<Loan>, Vec<Transaction>, Vec<ApplicationStep>);

/// The rows, once the source is known.
pub(crate) struct Known {
    pub(crate) hit: Hit,
    pub(crate) loan: LoanRows,
    pub(crate) payment: Option<Payment>,
    pub(crate) by_hand: Option<Id>,
    pub(crate) is_same: bool,
}

/// The decision.
pub(crate) enum Next {
    /// The loan has to be looked up by another reference, in a new transaction.
    Again(Option<String>),
    /// It is decided.
    Arrived(Box<Arrived>),
}

/// A payment as it now is, and what makes it so. No writes: nothing changes.
pub(crate) struct Arrived {
    pub(crate) payment: Payment,
    pub(crate) writes: Vec<Statement<()>>,
    pub(crate) count: Option<Count>,
}

impl Arrival {
    pub(crate) fn new(source: String, via: Via, raw: String, told: Told) -> Self {
        let external_id = notices::kept(Some(told.external_id), 200).unwrap_or_default();
        let reference = notices::kept(told.reference, 200);
        let told = Told { external_id, reference: reference.clone(), ..told };
        Self { source, via, raw, told, reference }
    }

    /// The first round trip. Locks are taken in one order everywhere: the loan, the receipt's turn, the payment.
    pub(crate) fn statements(&self) -> Statements {
        let receipt = &self.told.external_id;
        (
            (sources::source(&self.source), sources::secrets(&self.source)),
            payments::find_loan(&self.source, Readings::of(self.reference.as_deref())),
            payments::lock_matched(),
            (
                payments::turn(receipt),
                payments::lock_receipt(&self.source, receipt),
                payments::by_hand(receipt, &self.source),
                payments::same_notice(&self.source, receipt, self.via, &self.raw),
            ),
        )
    }

    /// Decides.
    pub(crate) fn decide(
        &self,
        known: Known,
        source: &Source,
        by: Uuid,
        (at, address): (Moment<'_>, &ClientAddress),
    ) -> Result<Next, Refused> {
        let notice = Notice::of(self.told.clone(), source, at)?;
        let Known { hit, loan, payment, by_hand, is_same } = known;
        if let (Some(payment), true) = (&payment, is_same) {
            return Ok(Next::Arrived(Box::new(Arrived { payment: payment.clone(), writes: Vec::new(), count: None })));
        }
        let is_new = payment.is_none();
        let (payment, adds) = match payment {
            None => (Payment::new(source, notice, at), true),
            Some(mut payment) => {
                let adds = payment.merge(&notice);
                (payment, adds)
            }
        };
        let may_match = source.active && by_hand.is_none() && !payment.decided && adds;
        if may_match && Readings::of(payment.details.reference.as_deref()) != Readings::of(self.reference.as_deref()) {
            return Ok(Next::Again(payment.details.reference));
        }
        let recorded = if may_match { repayment(&payment, source, &hit, loan, at)? } else { None };
        let id = payment.id;
        let (payment, count) = match (&recorded, hit.loan) {
            (Some(recorded), Some((loan_id, matched_by))) => {
                let application = Application {
                    loan_id,
                    transaction_id: recorded.transaction(),
                    amount: payment.amount,
                    reversed_by: None,
                };
                let count = Count::Collected(payment.amount);
                (payment.with_application(application, matched_by), Some(count))
            }
            _ => (payment, None),
        };
        let mut writes = if is_new { payments::insert(&payment, by) } else { vec![payments::update_details(&payment)] };
        writes.push(payments::insert_notice(id, self.via, &self.raw));
        let actor = (by != source.id).then_some(by);
        if is_new {
            let detail = json!({"source": source.code, "via": self.via.as_str(), "amount": payment.amount});
            writes.push(audit::record(actor, address, "payment.receive", &Subject::Payment(id), detail));
        }
        if let (Some(recorded), Some((loan, _))) = (recorded, hit.loan) {
            let transaction = recorded.transaction();
            writes.extend(recorded.writes());
            let detail = json!({"transaction": transaction, "payment": id, "on": payment.paid_on.to_string(),
                "amount": payment.amount});
            writes.push(audit::record(actor, address, "loan.repay", &Subject::Loan(loan), detail));
        }
        Ok(Next::Arrived(Box::new(Arrived { payment, writes, count })))
    }
}

/// A payment that an admin brought.
pub(crate) struct Entered {
    pub(crate) payment: Payment,
    /// True if it was not there before.
    pub(crate) is_new: bool,
}

/// Records a notice that an admin brings, of a source that may have it.
///
/// # Errors
///
/// 422 for another source, and for what cannot become a payment.
pub(crate) async fn enter(
    admin: &Admin,
    app: &App,
    mut arrival: Arrival,
    may_have: fn(&Source) -> bool,
) -> Result<Entered, Problem> {
    loop {
        let (tx, caller, rows) = Box::pin(admin.begin(arrival.statements())).await?;
        let ((source, _), hit, loan, (_, payment, by_hand, is_same)) = rows;
        let Some(source) = source.filter(may_have) else {
            tx.rollback().await;
            let detail = "must be the code of a source whose provider is manual";
            return Err(Problem::field("/source", "unknown_source", detail));
        };
        let is_new = payment.is_none();
        let known = Known { hit, loan, payment, by_hand, is_same };
        match arrival.decide(known, &source, caller.id, (app.moment(&caller), &caller.address)) {
            Ok(Next::Again(reference)) => {
                tx.rollback().await;
                arrival.reference = reference;
            }
            Ok(Next::Arrived(arrived)) => return Ok(Entered { payment: arrived.write(tx).await?, is_new }),
            Err(refused) => {
                tx.rollback().await;
                return Err(refused.into());
            }
        }
    }
}

impl Arrived {
    /// Ends the transaction.
    pub(crate) async fn write(self, tx: Tx) -> Result<Payment, Problem> {
        let Self { payment, writes, count } = self;
        command::write(tx, writes, count).await?;
        Ok(payment)
    }
}

/// Why a notice is not recorded.
pub(crate) enum Refused {
    /// It cannot become a payment.
    Unusable(Unusable),
    /// A defect.
    Defect(Refusal),
}

impl From<Unusable> for Refused {
    fn from(unusable: Unusable) -> Self {
        Self::Unusable(unusable)
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Unusable(unusable) => Refusal::from(unusable).into(),
            Refused::Defect(refusal) => refusal.into(),
        }
    }
}

/// The repayment of all of a payment, where its reference leads to a loan that can take it; in suspense else.
fn repayment(
    payment: &Payment,
    source: &Source,
    hit: &Hit,
    (loan, transactions, steps): LoanRows,
    at: Moment<'_>,
) -> Result<Option<Recorded>, Refused> {
    let (Some(loan), Some(_)) = (loan, &hit.loan) else { return Ok(None) };
    let is_open = matches!(loan.status, LoanStatus::Disbursed | LoanStatus::Defaulted);
    if !is_open || loan.disbursed_on.is_none_or(|disbursed_on| payment.paid_on < disbursed_on) {
        return Ok(None);
    }
    let new = NewTransaction {
        kind: EventKind::Repayment { amount: payment.amount },
        on: payment.paid_on,
        notes: payment.notes(source),
    };
    match servicing::record(LockedLoan { loan, transactions, steps }, new, source.id, at, "") {
        Ok(recorded) => Ok(Some(recorded)),
        Err(refusal @ Refusal::Defect(_)) => Err(Refused::Defect(refusal)),
        // It could not stand beside what is there: for a person to look at.
        Err(
            Refusal::NotFound
            | Refusal::Forbidden { .. }
            | Refusal::Conflict { .. }
            | Refusal::Invalid(_)
            | Refusal::Rule(..),
        ) => Ok(None),
    }
}
