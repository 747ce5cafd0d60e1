//! Editing the proposal of a loan: by agents, while nobody has approved it.

use crate::shared::{self, Months};
use axum::extract::State;
use backend::{
    app::App,
    auth::callers::{Agent, Staff},
    db::Statement,
    domain::{
        applications::{self, Proposal, Term},
        caller::Caller,
        loan::{Loan, Scope},
        loan_history::{Action, LoanState},
        products::{Product, named},
        users::Role,
    },
    http::{
        answer::Answer,
        body::{Input, require_version},
        command::{Outcome, conclude},
        headers::SeenVersion,
        path::PathParameter,
        problem::{Problem, both},
    },
    store::{
        audit::{self, Subject},
        loans, products,
    },
    values::{
        moment::Moment,
        names::{MetadataPatch, Names, NamesPatch},
        number::{Instalments, NumberText, Whole},
        patch::given,
        refusal::FieldError,
        text::{ExternalId, ProductCode, Reason},
    },
    views::loan::LoanView,
};
use lending::AnnualRate;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

/// Changes of an application; a field that is left out stays. Another product brings its own terms and rate; the number
/// of instalments stays.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": "15000.00", "term_months": 9, "reason": "income confirmed"}))]
pub(crate) struct LoanPatch {
    /// In the loan's currency.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = NumberText, required = false)]
    amount: Option<NumberText>,
    /// A product of the same currency.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = ProductCode, required = false)]
    product: Option<ProductCode>,
    /// For products with monthly instalments: instead of `instalments`.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = u32, required = false, minimum = 1)]
    term_months: Option<Months>,
    /// Number of instalments.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = u32, required = false, minimum = 1, maximum = 600)]
    instalments: Option<Instalments>,
    /// Percent a year, within the product's range.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = NumberText, required = false)]
    interest_rate_apr: Option<AnnualRate>,
    /// Why; kept in the history.
    reason: Option<Reason>,
    /// A new id in another system, unique among loans; null removes it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<ExternalId>, required = false)]
    #[allow(clippy::option_option)]
    external_id: Option<Option<ExternalId>>,
    /// Texts of the lender's other systems, to set under keys.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = MetadataPatch, required = false)]
    metadata: Option<MetadataPatch>,
}

/// The fields that change what is applied for, or submit it again.
const OF_APPLICATION: [&str; 6] = ["amount", "product", "term_months", "instalments", "interest_rate_apr", "reason"];

impl LoanPatch {
    /// The names with what the patch says of them.
    fn names(&self, loan: &Loan) -> Result<Names, FieldError> {
        NamesPatch { external_id: self.external_id.clone(), metadata: self.metadata.clone() }.over(&loan.names)
    }
}

/// Which version to go back to, and why.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"version": 1, "reason": "entered for the wrong customer"}))]
pub(crate) struct RevertRequest {
    /// A version of this loan.
    #[schema(value_type = u32, minimum = 1)]
    version: Whole<1, { u32::MAX }>,
    /// Why; kept in the history.
    reason: Reason,
}

/// Edit an application.
///
/// Agents edit it while it is pending or rejected; a rejected one becomes pending again. Omitted fields keep their
/// values. The names of other systems alone, `external_id` and `metadata`, are changed by agents and admins in every
/// status: that needs no `If-Match`, makes no version, and submits nothing again.
#[utoipa::path(
    patch, path = "/api/loans/{id}", tag = "loans", request_body = LoanPatch,
    params(("If-Match" = Option<String>, Header,
        description = "The ETag of the version you have seen; needed unless names alone change", example = "\"1\"")),
    responses(
        (status = 200, description = "The loan as it now is", body = LoanView),
        (status = 403, description = "An admin changes names alone (`forbidden`)"),
        (status = 409, description = "The loan is neither pending nor rejected (`not_editable`), or the `external_id` \
            is taken (`external_id_taken`)"),
        (status = 422, description = "The loan would never be repaid (`does_not_amortise`)"),
        (status = 428, description = "`If-Match` is missing, and more than names change (`if_match_required`)"))
)]
pub(crate) async fn update_loan(
    staff: Staff,
    State(app): State<App>,
    path: PathParameter,
    input: Input,
) -> Result<Answer, Problem> {
    let is_edit = OF_APPLICATION.iter().any(|name| input.has_field(name));
    let names_alone = !is_edit && ["external_id", "metadata"].iter().any(|name| input.has_field(name));
    if staff.role() == Role::Admin && !names_alone {
        let detail = "An admin changes the names of a loan, and decides on it; agents edit it.";
        return staff.check(Err(Problem::forbidden("forbidden", detail))).await;
    }
    let id = staff.check(path.uuid()).await?;
    if names_alone {
        let (tx, caller, loan) = staff.begin(loans::lock(id, Scope::All)).await?;
        let at = app.moment(&caller);
        return conclude(tx, rename(&caller, loan, &input, at)).await;
    }
    // The product travels with the loan, so the body is read early; its errors are reported in their turn.
    let product = input.read::<LoanPatch>().ok().and_then(|patch| patch.product).map(ProductCode::into_string);
    let batch = (loans::lock(id, Scope::All), products::named_or_of_loan(product, id));
    let (tx, caller, (loan, product)) = staff.begin(batch).await?;
    let at = app.moment(&caller);
    conclude(tx, update(&caller, loan, product, &input, at)).await
}

/// Changes the names that other systems have for a loan, and nothing else.
fn rename(caller: &Caller, loan: Option<Loan>, input: &Input, at: Moment<'_>) -> Result<Outcome, Problem> {
    let loan = loan.ok_or_else(Problem::not_found)?;
    let (if_match, patch) = input.read_perhaps_versioned::<LoanPatch>()?;
    let names = patch.names(&loan)?;
    if let Some(if_match) = if_match {
        require_version(&if_match, loan.version)?;
    }
    let renamed = Loan { names, ..loan.clone() };
    Ok(Outcome::new(shared::answer(&renamed, caller.role, at)?, renaming(caller, &loan, &renamed)))
}

/// The writes of a change of names; none if nothing differs.
fn renaming(caller: &Caller, before: &Loan, after: &Loan) -> Vec<Statement<()>> {
    let differs = [
        ("external_id", before.names.external_id != after.names.external_id),
        ("metadata", before.names.metadata != after.names.metadata),
    ];
    let changed: Vec<_> = differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect();
    if changed.is_empty() {
        return Vec::new();
    }
    let entry = audit::by(caller, "loan.rename", &Subject::Loan(after.id), json!({"changed": changed}));
    vec![loans::update_names(after), entry]
}

fn update(
    caller: &Caller,
    loan: Option<Loan>,
    product: Option<Product>,
    input: &Input,
    at: Moment<'_>,
) -> Result<Outcome, Problem> {
    let loan = loan.ok_or_else(Problem::not_found)?;
    let (if_match, patch) = input.read_versioned::<LoanPatch>()?;
    let currency = loan.amount.currency();
    let amount = match &patch.amount {
        None => Ok(loan.amount),
        Some(text) => text.money("/amount", currency),
    };
    let fields = both(amount, shared::term(patch.term_months, patch.instalments));
    let ((amount, (term, pointers)), names) = both(fields, patch.names(&loan))?;
    require_version(&if_match, loan.version)?;
    applications::editable(&loan)?;

    let product = named(product)?.lending("/product", currency)?;
    let rate = patch.interest_rate_apr;
    let proposal = if product.code == loan.product {
        Proposal::changing(&loan, product, amount, term, rate, pointers)?
    } else {
        let term = term.unwrap_or(Term::Instalments(loan.terms.instalments()));
        Proposal::new(product, amount, Some(term), rate, pointers)?
    };
    let renamed = Loan { names, ..loan.clone() };
    let renaming = renaming(caller, &loan, &renamed);
    let mut outcome = match applications::edit(&renamed, proposal, caller.id, at, pointers)? {
        None => Outcome::unchanged(shared::answer(&renamed, caller.role, at)?),
        Some(edited) => {
            shared::step(&renamed, &edited, Action::Edit, caller, patch.reason.map(Reason::into_string), at)?
        }
    };
    outcome.writes.extend(renaming);
    Ok(outcome)
}

/// Revert an application to an earlier version.
///
/// Amount, product, instalments and rate become those of that version. This is a new version, and the loan is pending.
#[utoipa::path(
    post, path = "/api/loans/{id}/revert", tag = "loans", request_body = RevertRequest, params(SeenVersion),
    responses(
        (status = 200, description = "The loan as it now is", body = LoanView),
        (status = 409, description = "The loan is neither pending nor rejected (`not_editable`)"),
        (status = 422, description = "The loan would never be repaid (`does_not_amortise`)"))
)]
pub(crate) async fn revert_loan(
    agent: Agent,
    State(app): State<App>,
    path: PathParameter,
    input: Input,
) -> Result<Answer, Problem> {
    let id = agent.check(path.uuid()).await?;
    // As in `update_loan`.
    let version = input.read::<RevertRequest>().map_or(0, |revert| i32::try_from(revert.version.get()).unwrap_or(0));
    let batch = (loans::lock(id, Scope::All), loans::version(id, version), products::of_version(id, version));
    let (tx, caller, (loan, earlier, product)) = Box::pin(agent.begin(batch)).await?;
    let at = app.moment(&caller);
    conclude(tx, revert(&caller, loan, earlier.zip(product), &input, at)).await
}

fn revert(
    caller: &Caller,
    loan: Option<Loan>,
    earlier: Option<(LoanState, Product)>,
    input: &Input,
    at: Moment<'_>,
) -> Result<Outcome, Problem> {
    let loan = loan.ok_or_else(Problem::not_found)?;
    let (if_match, revert) = input.read_versioned::<RevertRequest>()?;
    require_version(&if_match, loan.version)?;
    applications::editable(&loan)?;
    let (earlier, product) =
        earlier.ok_or_else(|| Problem::field("/version", "version_not_found", "this loan has no such version"))?;
    let reverted = applications::revert(&loan, earlier, product, caller.id, at)?;
    shared::step(&loan, &reverted, Action::Revert, caller, Some(revert.reason.into_string()), at)
}
