//! Payments as the interface shows them.

use lending::{Currency, Money};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    domain::{
        notices::Payer,
        payments::{Application, Contradiction, Details, MatchedBy, Movement, MovementKind, Payment, PaymentState},
        sources::{Provider, Source, Validation},
    },
    store::payments::{RawNotice, SuggestedLoan},
    table_line,
    values::{
        pay_ref::PayRef,
        table::Cell,
        time::{BusinessDate, Instant},
    },
};

/// Money that arrived.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Payment, example = json!({
    "amount": "1500.00", "currency": "KES", "applied": "1500.00", "returned": "0.00", "unapplied": "0.00"}))]
pub struct PaymentView {
    /// Names the payment.
    pub id: Uuid,
    /// The code of the source where it arrived.
    #[schema(example = "paybill-kenya")]
    pub source: String,
    /// The provider's receipt.
    #[schema(example = "RKTQDM7W6S")]
    pub external_id: String,
    /// How much arrived, corrections included.
    pub amount: Money,
    /// ISO 4217.
    pub currency: Currency,
    /// When it was paid; null where only the date is known.
    pub paid_at: Option<Instant>,
    /// The business date on which it was paid, at most that on which it arrived.
    pub paid_on: BusinessDate,
    /// Who paid, as far as that was told.
    pub payer: Payer,
    /// The account number or text that the payer typed.
    #[schema(example = "3141592659")]
    pub reference: Option<String>,
    /// Where it stands.
    pub state: PaymentState,
    /// The sum of its repayments that stand.
    pub applied: Money,
    /// The sum that went back to the payer, or was the lender's own money.
    pub returned: Money,
    /// The part in suspense.
    pub unapplied: Money,
    /// How its loan was found; null where nothing was found.
    pub matched_by: Option<MatchedBy>,
    /// Repayments of it, reversed ones too.
    pub applications: Vec<ApplicationView>,
    /// Other decisions on it.
    pub movements: Vec<MovementView>,
    /// Contradictions of later notices of the receipt. The first notice stands.
    pub conflicts: Vec<Contradiction>,
    /// When the first notice came.
    pub received_at: Instant,
    /// The notices as they were sent, for admins, where one payment is read; none after 13 months.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<RawView>, required = false)]
    pub raw: Option<Vec<RawView>>,
}

/// A repayment of a payment.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PaymentApplication, example = json!({"amount": "1500.00"}))]
pub struct ApplicationView {
    /// The loan.
    pub loan_id: Uuid,
    /// The repayment.
    pub transaction_id: Uuid,
    /// How much of the payment.
    pub amount: Money,
    /// The reversal of the repayment, which puts the money into suspense again.
    pub reversed_by: Option<Uuid>,
}

/// A decision on a payment besides repayments.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PaymentMovement, example = json!({"amount": "500.00"}))]
pub struct MovementView {
    /// Names it.
    pub id: Uuid,
    /// Its kind.
    pub kind: MovementKind,
    /// How much; of a correction by how much the amount is more, or less than zero.
    pub amount: Money,
    /// The business date.
    pub on: BusinessDate,
    /// Of a transfer: the source that the money came from.
    pub from: Option<String>,
    /// Of a return: how the other side names it.
    pub reference: Option<String>,
    /// Why.
    pub reason: String,
    /// When it was recorded.
    pub recorded_at: Instant,
    /// Who recorded it.
    pub recorded_by: Uuid,
}

/// A notice as it was sent.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = RawNotice)]
pub struct RawView {
    /// How it came.
    #[schema(example = "confirmation")]
    pub via: String,
    /// When it came.
    pub received_at: Instant,
    /// The body; null after 13 months.
    pub body: Option<String>,
}

impl From<RawNotice> for RawView {
    fn from(RawNotice { via, received_at, raw }: RawNotice) -> Self {
        Self { via, received_at: Instant(received_at), body: raw }
    }
}

impl From<&Movement> for MovementView {
    fn from(movement: &Movement) -> Self {
        let Movement { id, kind, amount, on, from, reference, reason, recorded_at, recorded_by } = movement.clone();
        let (on, recorded_at) = (BusinessDate(on), Instant(recorded_at));
        Self { id, kind, amount, on, from, reference, reason, recorded_at, recorded_by }
    }
}

impl Payment {
    /// The payment as the interface shows it.
    #[must_use]
    pub fn view(&self) -> PaymentView {
        let Details { reference, payer, matched_by, conflicts } = self.details.clone();
        let application = |it: &Application| ApplicationView {
            loan_id: it.loan_id,
            transaction_id: it.transaction_id,
            amount: it.amount,
            reversed_by: it.reversed_by,
        };
        PaymentView {
            id: self.id,
            source: self.source.clone(),
            external_id: self.external_id.clone(),
            amount: self.amount,
            currency: self.amount.currency(),
            paid_at: self.paid_at.map(Instant),
            paid_on: BusinessDate(self.paid_on),
            payer,
            reference,
            state: self.state(),
            applied: self.applied,
            returned: self.returned,
            unapplied: self.unapplied(),
            matched_by,
            applications: self.applications.iter().map(application).collect(),
            movements: self.movements.iter().map(MovementView::from).collect(),
            conflicts,
            received_at: Instant(self.received_at),
            raw: None,
        }
    }
}

table_line! {
    PaymentView as payment {
        "id": Cell::value(&payment.id),
        "source": Cell::value(&payment.source),
        "external_id": Cell::text(Some(&payment.external_id)),
        "amount": Cell::value(&payment.amount),
        "currency": Cell::value(&payment.currency),
        "paid_at": Cell::optional(payment.paid_at.as_ref()),
        "paid_on": Cell::value(&payment.paid_on),
        "payer_name": Cell::text(payment.payer.name.as_deref()),
        "payer_phone": Cell::text(payment.payer.phone.as_deref()),
        "payer_account": Cell::text(payment.payer.account.as_deref()),
        "reference": Cell::text(payment.reference.as_deref()),
        "state": Cell::value(&payment.state.as_str()),
        "applied": Cell::value(&payment.applied),
        "returned": Cell::value(&payment.returned),
        "unapplied": Cell::value(&payment.unapplied),
        "matched_by": Cell::optional(payment.matched_by.map(MatchedBy::as_str).as_ref()),
        "loans": Cell::value(&payment.paid_loans()),
        "conflicts": Cell::value(&payment.conflicts.len()),
        "received_at": Cell::value(&payment.received_at),
    }
}

impl PaymentView {
    /// The loans of the repayments that stand, with blanks between.
    fn paid_loans(&self) -> String {
        let standing = self.applications.iter().filter(|it| it.reversed_by.is_none());
        standing.map(|it| it.loan_id.to_string()).collect::<Vec<_>>().join(" ")
    }
}

/// Where money arrives.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PaymentSource, example = json!({"currency": "KES"}))]
pub struct SourceView {
    /// Names the source. Its cash account is `cash.` and this.
    #[schema(example = "paybill-kenya")]
    pub code: String,
    /// The id in `recorded_by` of the repayments that the source records.
    pub recorder_id: Uuid,
    /// For people.
    #[schema(example = "Paybill 600638")]
    pub name: String,
    /// How it tells of money.
    pub provider: Provider,
    /// Its account, as the provider names it.
    #[schema(example = "600638")]
    pub account: String,
    /// Its one currency.
    pub currency: Currency,
    /// ISO 3166: the country of telephone numbers that do not say theirs.
    #[schema(example = "KE")]
    pub country: Option<String>,
    /// The zone of times that do not say theirs.
    #[schema(example = "Africa/Nairobi")]
    pub time_zone: String,
    /// The answer to validations.
    pub validation: Validation,
    /// An inactive one takes money into suspense and matches nothing.
    pub active: bool,
    /// Networks from which its hooks may be called; any where there is none.
    #[schema(example = json!(["196.201.214.0/24"]))]
    pub addresses: Vec<String>,
    /// When it was made.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
    /// The address of its hooks, without the name of the hook at its end. Shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "https://api.example.com/api/hooks/paybill-kenya/0123")]
    pub hook_url: Option<String>,
    /// The secret that signs its notices, of provider `json`. Shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub signing_secret: Option<String>,
}

impl Source {
    /// The source as the interface shows it.
    #[must_use]
    pub fn view(&self) -> SourceView {
        let Self { code, id, name, provider, account, currency, country, time_zone, validation, active, .. } =
            self.clone();
        SourceView {
            code,
            recorder_id: id,
            name,
            provider,
            account,
            currency,
            country,
            time_zone,
            validation,
            active,
            addresses: self.addresses.clone(),
            created_at: Instant(self.created_at),
            updated_at: Instant(self.updated_at),
            hook_url: None,
            signing_secret: None,
        }
    }
}

/// A loan to which a payment may belong.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SuggestedLoan, example = json!({"currency": "KES", "outstanding": "12500.00"}))]
pub struct SuggestionView {
    /// The loan.
    pub loan_id: Uuid,
    /// Its name in payments.
    pub pay_ref: PayRef,
    /// Who borrowed.
    #[schema(example = "usr_kenya_001")]
    pub borrower_username: String,
    /// Where it stands.
    #[schema(example = "disbursed")]
    pub status: String,
    /// ISO 4217.
    pub currency: Currency,
    /// Principal outstanding.
    pub outstanding: Money,
    /// The reasons: `recorded_by_hand`, `pay_ref`, `applied_before`, `reference`, `payer_phone`, `paid_before`,
    /// `payer_name`.
    #[schema(example = json!(["payer_phone"]))]
    pub reasons: Vec<String>,
}

impl From<SuggestedLoan> for SuggestionView {
    fn from(it: SuggestedLoan) -> Self {
        let SuggestedLoan { loan_id, pay_ref, borrower_username, status, outstanding, reasons } = it;
        let currency = outstanding.currency();
        Self { loan_id, pay_ref, borrower_username, status, currency, outstanding, reasons }
    }
}
