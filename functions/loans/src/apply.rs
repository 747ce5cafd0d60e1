//! Applying for a loan: a customer for itself, an agent for a customer.

use crate::shared::{self, Months};
use axum::extract::State;
use backend::{
    app::App,
    auth::callers::Applicant,
    domain::{
        applications::{self, Pointers, Proposal, Term},
        caller::Caller,
        loan::{Borrower, Loan},
        loan_history::Action,
        products::{Product, named},
        refusal::Refusal,
        users::Role,
    },
    http::{
        answer::Answer,
        body::Input,
        command::{Outcome, conclude},
        headers::OptionalKey,
        idempotency::{Claim, Claimed, Fingerprinted, IdempotencyKey},
        problem::{Problem, both},
    },
    store::{
        audit::{self, Subject},
        loans::{self, NewPayRef},
        products,
    },
    telemetry::Count,
    values::{
        moment::Moment,
        names::{MetadataPatch, Names, NamesPatch},
        number::{Instalments, NumberText},
        pay_ref::PayRef,
        refusal::FieldError,
        text::{ExternalId, ProductCode},
        user_ref::UserRef,
    },
    views::loan::LoanView,
};
use lending::{AnnualRate, Currency, Money};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

/// An application. A field that is left out has the product's value.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "borrower_id": "usr_india_999", "amount": 12000.50, "currency": "INR", "term_months": 6,
    "interest_rate_apr": 24.0}))]
pub(crate) struct NewLoan {
    /// The customer's id or username. A customer may leave it out; an agent may not.
    borrower_id: Option<UserRef>,
    /// The product's code; default: the currency's default product.
    #[schema(example = "microloan-inr")]
    product: Option<ProductCode>,
    /// A string or a number, with no more decimals than the currency has.
    amount: NumberText,
    /// ISO 4217.
    currency: Currency,
    /// For products with monthly instalments: instead of `instalments`.
    #[schema(value_type = Option<u32>, minimum = 1)]
    term_months: Option<Months>,
    /// Number of instalments.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 600)]
    instalments: Option<Instalments>,
    /// Percent a year; for agents only, within the product's range.
    #[schema(value_type = Option<NumberText>)]
    interest_rate_apr: Option<AnnualRate>,
    /// The id in another system of the lender's, unique among loans; for agents only.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<ExternalId>,
    /// Texts of the lender's other systems, under keys; for agents only.
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<MetadataPatch>,
}

impl Fingerprinted for NewLoan {
    fn amount(&mut self) -> Option<&mut NumberText> {
        Some(&mut self.amount)
    }
}

/// An application whose fields are values.
struct Application {
    body: NewLoan,
    names: Names,
    amount: Money,
    term: Option<Term>,
    pointers: Pointers,
}

impl NewLoan {
    /// Which of [`FOR_STAFF`] it gives.
    fn given(&self) -> [bool; 3] {
        [self.interest_rate_apr.is_some(), self.external_id.is_some(), self.metadata.is_some()]
    }

    fn parse(self, role: Role) -> Result<Application, Problem> {
        let allowed = is_allowed(role, self.given(), self.borrower_id.is_some());
        let names = NamesPatch::new(self.external_id.clone(), self.metadata.clone()).over(&Names::default());
        let allowed = both(allowed, names);
        let amount = self.amount.money("/amount", self.currency);
        let fields = both(amount, shared::term(self.term_months, self.instalments));
        let (((), names), (amount, (term, pointers))) = both(allowed, fields)?;
        Ok(Application { body: self, names, amount, term, pointers })
    }
}

/// The fields that staff alone give.
const FOR_STAFF: [&str; 3] = ["interest_rate_apr", "external_id", "metadata"];

/// Checks that a caller of this role gives only what it may, and names the borrower if it must.
fn is_allowed(role: Role, given: [bool; 3], names_borrower: bool) -> Result<(), Problem> {
    match role {
        Role::Customer => {
            let given = FOR_STAFF.into_iter().zip(given).filter(|(_, is_given)| *is_given);
            let error = |(name, _)| FieldError::new(format!("/{name}"), "not_allowed", "is not a customer's to give");
            let errors: Vec<FieldError> = given.map(error).collect();
            if errors.is_empty() { Ok(()) } else { Err(Problem::invalid(errors)) }
        }
        Role::Agent if !names_borrower => {
            Err(Problem::field("/borrower_id", "required", "an agent names the customer"))
        }
        Role::Agent | Role::Admin => Ok(()),
    }
}

/// Apply for a loan.
///
/// It starts as `pending`. A customer applies for itself, an agent for a customer. The product gives the values of
/// omitted fields.
#[utoipa::path(
    post, path = "/api/loans", tag = "loans", request_body = NewLoan, params(OptionalKey),
    responses(
        (status = 201, description = "The new loan", body = LoanView),
        (status = 403, description = "A customer named another borrower (`not_yourself`)"),
        (status = 409, description = "The borrower has as many pending applications as allowed \
            (`too_many_pending`), or the `external_id` is taken (`external_id_taken`)"),
        (status = 422, description = "There is no active customer of this name (`borrower_not_found`), or the loan \
            would never be repaid (`does_not_amortise`)"),
        (status = 429, description = "There were too many commands of this customer (`too_many_attempts`)"))
)]
pub(crate) async fn create_loan(
    applicant: Applicant,
    State(app): State<App>,
    key: IdempotencyKey,
    input: Input,
) -> Result<Answer, Problem> {
    let key = applicant.check(key.read()).await?;
    let by_agent = applicant.role() == Role::Agent;
    let body = match input.read::<NewLoan>() {
        Ok(body) => body,
        Err(problem) => {
            // A refused borrower takes precedence over other errors of the body.
            let named = input.text_field("borrower_id").filter(|_| !by_agent).map(|text| UserRef::parse(&text));
            let (caller, ()) = applicant.read(()).await?;
            itself(&caller, named.as_ref())?;
            let (given, borrower) = (FOR_STAFF.map(|name| input.has_field(name)), input.has_field("borrower_id"));
            return both(Err(problem), is_allowed(caller.role, given, borrower)).map(|(never, ())| never);
        }
    };
    let product = products::named_or_default(body.product.clone().map(ProductCode::into_string), body.currency);
    let own = UserRef::Id(applicant.id());
    let named = body.borrower_id.as_ref().filter(|_| by_agent).unwrap_or(&own);
    let borrower = (loans::borrower(named), loans::pending(named, app.limits.max_pending), loans::new_pay_ref());
    let claim = applicant.check(key.claim(applicant.id(), &body)).await?;

    let (tx, caller, (claimed, product, borrower)) = applicant.begin((claim.take(), product, borrower)).await?;
    let at = app.moment(&caller);
    let (borrower, pending, NewPayRef(pay_ref)) = borrower;
    let room = pending.room(app.limits.max_pending);
    conclude(tx, create(&caller, body, product, (borrower, pay_ref, room), at, claim, claimed)).await
}

fn create(
    caller: &Caller,
    body: NewLoan,
    product: Option<Product>,
    (borrower, pay_ref, room): (Option<Borrower>, PayRef, Result<(), Refusal>),
    at: Moment<'_>,
    claim: Claim,
    claimed: Option<Claimed>,
) -> Result<Outcome, Problem> {
    let borrower = match caller.role {
        Role::Customer => Some(itself(caller, body.borrower_id.as_ref())?),
        Role::Agent | Role::Admin => borrower,
    };
    if let Some(answer) = claim.earlier_answer(claimed)? {
        return Ok(Outcome::unchanged(answer));
    }
    let Application { body, names, amount, term, pointers } = body.parse(caller.role)?;
    let borrower = borrower.ok_or_else(|| {
        Refusal::rule("/borrower_id", "borrower_not_found", "there is no active customer of this name")
    })?;
    room?;
    let product = product_of(&body, product)?;
    let proposal = Proposal::new(product, amount, term, body.interest_rate_apr, pointers)?;
    let agent_id = (caller.role == Role::Agent).then_some(caller.id);
    let loan = applications::create((borrower, pay_ref), proposal, caller.id, agent_id, at, pointers)?;
    let loan = Loan { names, ..loan };

    let location = format!("/api/loans/{}", loan.id);
    let answer = Answer::created(location, &loan.view(at.today, caller.role))?.with_version(loan.version);
    let mut writes = loans::insert(&loan, None, at);
    let detail = json!({"version": loan.version, "status": loan.status});
    writes.push(audit::by(caller, Action::Create.audit(), &Subject::Loan(loan.id), detail));
    writes.extend(claim.keep(&answer));
    Ok(Outcome::new(answer, writes).counting(Some(Count::Application)))
}

/// A customer applies for itself only. Naming anyone else is refused in the same way, whether or not that customer
/// exists.
fn itself(caller: &Caller, named: Option<&UserRef>) -> Result<Borrower, Problem> {
    let is_caller = match named {
        None => true,
        Some(UserRef::Id(id)) => *id == caller.id,
        Some(UserRef::Username(name)) => *name == caller.username,
    };
    if is_caller {
        return Ok(Borrower { id: caller.id, username: caller.username.clone() });
    }
    Err(Problem::forbidden("not_yourself", "A customer applies for a loan of its own only."))
}

fn product_of(body: &NewLoan, product: Option<Product>) -> Result<Product, Refusal> {
    if product.is_none() && body.product.is_none() {
        let detail = format!("{} has no default product; name one", body.currency);
        return Err(Refusal::field("/product", "no_default_product", detail));
    }
    named(product)?.lending("/currency", body.currency)
}
