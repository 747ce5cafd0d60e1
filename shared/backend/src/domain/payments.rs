//! Money that arrived: how notices of one receipt merge, and where a payment stands. Pure.

use jiff::{Timestamp, civil::Date};
use lending::Money;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    domain::{
        notices::{Notice, Payer},
        refusal::Refusal,
        sources::Source,
        transaction::Notes,
    },
    values::{moment::Moment, words::words},
};

words! {
    /// How the loan of a payment was found.
    MatchedBy {
        /// The reference is the loan's `pay_ref`.
        PayRef = "pay_ref",
        /// The reference is the telephone number of the one customer who has it.
        Phone = "phone",
        /// The reference is a customer's username.
        Username = "username",
        /// The reference is a customer's `external_id`.
        ExternalId = "external_id",
        /// An admin applied it.
        Manual = "manual",
    }
}

/// Something that a later notice said otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = PaymentConflict)]
pub struct Contradiction {
    /// The field of the payment.
    #[schema(example = "amount")]
    pub field: String,
    /// The value that stays.
    #[schema(example = "10.00")]
    pub kept: String,
    /// The value of the later notice.
    #[schema(example = "100.00")]
    pub told: String,
}

/// The details that later notices may add to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// The account number or text that the payer typed.
    pub reference: Option<String>,
    /// Who paid.
    pub payer: Payer,
    /// How the loan was found.
    pub matched_by: Option<MatchedBy>,
    /// Contradictions of later notices.
    pub conflicts: Vec<Contradiction>,
}

/// A repayment of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// The loan.
    pub loan_id: Uuid,
    /// The repayment.
    pub transaction_id: Uuid,
    /// How much of the payment.
    pub amount: Money,
    /// The reversal of the repayment.
    pub reversed_by: Option<Uuid>,
}

words! {
    /// The decisions on a payment besides repayments.
    MovementKind {
        /// Money went back.
        Return = "return",
        /// It was our own, from another source.
        Transfer = "transfer",
        /// Its amount was wrong.
        Correction = "correction",
    }
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// Names it.
    pub id: Uuid,
    /// Its kind.
    pub kind: MovementKind,
    /// How much; of a correction by how much the amount is more, or less than zero.
    pub amount: Money,
    /// The business date.
    pub on: Date,
    /// Of a transfer: the source that the money came from.
    pub from: Option<String>,
    /// Of a return: how the other side names it.
    pub reference: Option<String>,
    /// Why.
    pub reason: String,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Who recorded it.
    pub recorded_by: Uuid,
}

words! {
    /// Where a payment stands.
    PaymentState {
        /// All of it is in suspense.
        Unapplied = "unapplied",
        /// Some of it is.
        PartlyApplied = "partly_applied",
        /// None is, and something was applied.
        Applied = "applied",
        /// None is, and nothing was applied.
        Returned = "returned",
    }
}

/// A payment with what was decided of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Names it.
    pub id: Uuid,
    /// The source.
    pub source: String,
    /// The receipt.
    pub external_id: String,
    /// How much, corrections included.
    pub amount: Money,
    /// When, if more than the date is known.
    pub paid_at: Option<Timestamp>,
    /// The business date.
    pub paid_on: Date,
    /// When the first notice came.
    pub received_at: Timestamp,
    /// The sum of its repayments that stand.
    pub applied: Money,
    /// The sum that went back or was our own.
    pub returned: Money,
    /// True once anything was applied or returned.
    pub decided: bool,
    /// The details that later notices may add to.
    pub details: Details,
    /// Repayments of it.
    pub applications: Vec<Application>,
    /// Other decisions.
    pub movements: Vec<Movement>,
}

impl Payment {
    /// The notes of a repayment from it: they say where the money came from.
    #[must_use]
    pub fn notes(&self, source: &Source) -> Notes {
        Notes {
            reference: Some(self.external_id.clone()),
            channel: Some(source.code.clone()),
            payment: Some(self.id),
            ..Notes::default()
        }
    }

    /// A new one.
    #[must_use]
    pub fn new(source: &Source, notice: Notice, at: Moment<'_>) -> Self {
        let Notice { external_id, amount, paid_at, paid_on, reference, payer } = notice;
        let zero = Money::zero(source.currency);
        Self {
            id: Uuid::now_v7(),
            source: source.code.clone(),
            external_id,
            amount,
            paid_at,
            paid_on,
            received_at: at.now,
            applied: zero,
            returned: zero,
            decided: false,
            details: Details { reference, payer, ..Details::default() },
            applications: Vec::new(),
            movements: Vec::new(),
        }
    }

    /// The part in suspense.
    #[must_use]
    pub fn unapplied(&self) -> Money {
        let left = self.amount.checked_sub(self.applied).and_then(|left| left.checked_sub(self.returned));
        // The database keeps it from going below zero.
        left.unwrap_or_else(|| Money::zero(self.amount.currency()))
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> PaymentState {
        match (self.unapplied().is_zero(), self.applied.is_zero(), self.returned.is_zero()) {
            (false, true, true) => PaymentState::Unapplied,
            (false, ..) => PaymentState::PartlyApplied,
            (true, true, _) => PaymentState::Returned,
            (true, false, _) => PaymentState::Applied,
        }
    }

    /// Adds the details that were missing from another notice of the receipt, and notes contradictions. Returns true if
    /// anything was added.
    pub fn merge(&mut self, notice: &Notice) -> bool {
        let mut adds = false;
        let mut differ = Vec::new();
        let mut note =
            |field: &str, kept: String, told: String| differ.push(Contradiction { field: field.into(), kept, told });
        if notice.amount != self.amount {
            note("amount", self.amount.to_string(), notice.amount.to_string());
        }
        match (self.paid_at, notice.paid_at) {
            (Some(kept), Some(told)) if kept != told => note("paid_at", kept.to_string(), told.to_string()),
            (None, _) | (_, None) if self.paid_on != notice.paid_on => {
                note("paid_on", self.paid_on.to_string(), notice.paid_on.to_string());
            }
            _ => {}
        }
        let Details { reference, payer, conflicts, .. } = &mut self.details;
        let Payer { name, phone, account } = payer;
        let is_masked = |text: &String| !text.trim_start_matches('+').bytes().all(|byte| byte.is_ascii_digit());
        if phone.as_ref().is_some_and(is_masked) && notice.payer.phone.as_ref().is_some_and(|told| !is_masked(told)) {
            *phone = None;
        }
        for (field, kept, told) in [
            ("reference", reference, &notice.reference),
            ("payer.name", name, &notice.payer.name),
            ("payer.phone", phone, &notice.payer.phone),
            ("payer.account", account, &notice.payer.account),
        ] {
            match (&kept, told) {
                (None, Some(told)) => {
                    *kept = Some(told.clone());
                    adds = true;
                }
                // A number that is masked says nothing that the whole one does not.
                (Some(_), Some(told)) if field == "payer.phone" && is_masked(told) => {}
                (Some(kept), Some(told)) if kept != told => note(field, kept.clone(), told.clone()),
                _ => {}
            }
        }
        for contradiction in differ {
            if !conflicts.contains(&contradiction) {
                conflicts.push(contradiction);
            }
        }
        adds
    }

    /// How much of what is in suspense is meant: all of it where nothing is said.
    ///
    /// # Errors
    ///
    /// A field for more than is unapplied, or nothing.
    pub fn part(&self, amount: Option<Money>) -> Result<Money, Refusal> {
        let unapplied = self.unapplied();
        let amount = amount.unwrap_or(unapplied);
        if amount.is_zero() && !unapplied.is_zero() {
            return Err(Refusal::field("/amount", "not_positive", "must be more than zero"));
        }
        if amount.is_zero() || amount > unapplied {
            let detail = format!("must be at most what is unapplied: {unapplied}");
            return Err(Refusal::rule("/amount", "above_unapplied", detail));
        }
        Ok(amount)
    }

    /// The payment once a repayment of it is recorded.
    #[must_use]
    pub fn with_application(mut self, application: Application, matched_by: MatchedBy) -> Self {
        self.applied = self.applied.checked_add(application.amount).unwrap_or(self.applied);
        self.decided = true;
        self.details.matched_by = Some(matched_by);
        self.applications.push(application);
        self
    }

    /// The payment once a movement of it is recorded.
    #[must_use]
    pub fn with_movement(mut self, movement: Movement) -> Self {
        let counted = match movement.kind {
            MovementKind::Correction => &mut self.amount,
            MovementKind::Return | MovementKind::Transfer => &mut self.returned,
        };
        *counted = counted.checked_add(movement.amount).unwrap_or(*counted);
        self.decided |= movement.kind != MovementKind::Correction;
        self.movements.push(movement);
        self
    }
}
