//! Making and changing products: for admins. Loans keep the terms of the version they were made with.

use backend::{
    auth::callers::Admin,
    domain::{
        calendars::{HolidayCalendar, named, with_newest},
        caller::Caller,
        products::Product,
        users::Role,
    },
    http::{
        answer::Answer,
        body::{Input, require_version},
        command::{Outcome, conclude},
        headers::{OptionalKey, SeenVersion},
        idempotency::{Claim, Claimed, IdempotencyKey},
        path::PathParameter,
        problem::{Problem, both},
    },
    store::{
        audit::{self, Subject},
        calendars, products,
    },
    values::{
        names::{MetadataPatch, Names, NamesPatch},
        number::{Instalments, NumberText},
        patch::given,
        refusal::FieldError,
        text::{ExternalId, Name, ProductCode},
        time::Instant,
        version::Version,
    },
    views::product::ProductView,
};
use lending::{AnnualRate, Currency, Money, Terms, TermsPatch};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::refused;

/// The fields of a new product.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "code": "microloan-usd", "name": "Microloan USD", "currency": "USD", "min_amount": "10.00", "max_amount": "5000.00",
    "min_instalments": 1, "max_instalments": 24, "min_rate_apr": "10", "max_rate_apr": "36", "is_default": true,
    "terms": {"interest_rate_apr": "24", "instalments": 12}}))]
pub(crate) struct NewProduct {
    code: ProductCode,
    /// The name people see.
    name: Name,
    /// ISO 4217.
    currency: Currency,
    /// The smallest amount of a loan, more than zero.
    min_amount: NumberText,
    /// The largest amount of a loan.
    max_amount: NumberText,
    /// The fewest instalments.
    #[schema(value_type = u32, minimum = 1, maximum = 600)]
    min_instalments: Instalments,
    /// The most instalments.
    #[schema(value_type = u32, minimum = 1, maximum = 600)]
    max_instalments: Instalments,
    /// The lowest rate, percent a year, up to six decimals.
    #[schema(value_type = NumberText)]
    min_rate_apr: AnnualRate,
    /// The highest rate, percent a year, at most 1000.
    #[schema(value_type = NumberText)]
    max_rate_apr: AnnualRate,
    /// True if a loan in this currency that names no product is made with this one.
    #[serde(default)]
    is_default: bool,
    /// True if it can be applied for.
    #[serde(default = "yes")]
    #[schema(default = true)]
    active: bool,
    /// True if its loans are approved and paid out to verified customers only.
    #[serde(default)]
    requires_kyc: bool,
    /// The id in another system of the lender's, unique among products.
    external_id: Option<ExternalId>,
    /// Texts of the lender's other systems, under keys.
    metadata: Option<MetadataPatch>,
    /// The terms of its loans; must give a rate and a number of instalments.
    terms: TermsPatch,
}

/// Changes of a product; a field that is left out stays. Code and currency never change.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"max_amount": "75000.00", "terms": {"interest_rate_apr": "22.5"}}))]
pub(crate) struct ProductPatch {
    /// The name people see.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Name, required = false)]
    name: Option<Name>,
    /// The smallest amount of a loan, more than zero.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = NumberText, required = false)]
    min_amount: Option<NumberText>,
    /// The largest amount of a loan.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = NumberText, required = false)]
    max_amount: Option<NumberText>,
    /// The fewest instalments.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = u32, required = false, minimum = 1, maximum = 600)]
    min_instalments: Option<Instalments>,
    /// The most instalments.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = u32, required = false, minimum = 1, maximum = 600)]
    max_instalments: Option<Instalments>,
    /// The lowest rate, percent a year, up to six decimals.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = NumberText, required = false)]
    min_rate_apr: Option<AnnualRate>,
    /// The highest rate, percent a year, at most 1000.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = NumberText, required = false)]
    max_rate_apr: Option<AnnualRate>,
    /// True if a loan in this currency that names no product is made with this one.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool, required = false)]
    is_default: Option<bool>,
    /// True if it can be applied for.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool, required = false)]
    active: Option<bool>,
    /// True if its loans are approved and paid out to verified customers only.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool, required = false)]
    requires_kyc: Option<bool>,
    /// A new id in another system; null removes it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<ExternalId>, required = false)]
    #[allow(clippy::option_option)]
    external_id: Option<Option<ExternalId>>,
    /// Texts to set under keys.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = MetadataPatch, required = false)]
    metadata: Option<MetadataPatch>,
    /// The terms that change; the others stay.
    #[schema(required = false)]
    #[serde(default)]
    terms: TermsPatch,
}

const fn yes() -> bool {
    true
}

/// The product as the answer to a caller of this role, or to anyone.
pub(crate) fn answer(product: &Product, viewer: Option<Role>) -> Result<Answer, Problem> {
    Ok(Answer::ok(&product.view(viewer))?.with_version(product.version))
}

/// Collects the errors of a product's parts.
struct Errors(Vec<FieldError>);

impl Errors {
    fn money(&mut self, pointer: &str, text: &NumberText, currency: Currency) -> Money {
        Money::parse(text.as_str(), currency).unwrap_or_else(|error| {
            self.0.push(FieldError::new(pointer, error.code(), error.to_string()));
            Money::zero(currency)
        })
    }

    fn none_or_refuse(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::invalid(self.0)) }
    }
}

impl NewProduct {
    fn product(self) -> Result<Product, Problem> {
        let bears_late_fees = |terms: Terms| terms.check_late_fees(terms.instalments()).map(|()| terms);
        let terms = self.terms.complete(self.currency).and_then(bears_late_fees).map_err(|refusal| refused(&refusal));
        let mut errors = Errors(Vec::new());
        // The times are set when it is made.
        let not_yet = Instant(jiff::Timestamp::UNIX_EPOCH);
        let min_amount = errors.money("/min_amount", &self.min_amount, self.currency);
        let max_amount = errors.money("/max_amount", &self.max_amount, self.currency);
        let names = NamesPatch::new(self.external_id, self.metadata).over(&Names::default());
        let (((), names), terms) = both(both(errors.none_or_refuse(), names), terms)?;
        checked(Product {
            code: self.code.into_string(),
            version: Version(1),
            name: self.name.into_string(),
            currency: self.currency,
            min_amount,
            max_amount,
            min_instalments: self.min_instalments.get(),
            max_instalments: self.max_instalments.get(),
            min_rate_apr: self.min_rate_apr,
            max_rate_apr: self.max_rate_apr,
            is_default: self.is_default,
            active: self.active,
            requires_kyc: self.requires_kyc,
            names,
            terms,
            created_at: not_yet,
            updated_at: not_yet,
        })
    }
}

impl ProductPatch {
    /// The product with these changes, whose own rules are not checked yet.
    fn over(self, product: &Product) -> Result<Product, Problem> {
        let before = (product.terms.instalments(), product.terms.late_fee());
        let bears_late_fees = |terms: Terms| match (terms.instalments(), terms.late_fee()) {
            kept if kept == before => Ok(terms),
            (instalments, _) => terms.check_late_fees(instalments).map(|()| terms),
        };
        let terms = self.terms.over(&product.terms, product.currency);
        let terms = terms.and_then(bears_late_fees).map_err(|refusal| refused(&refusal));
        let mut errors = Errors(Vec::new());
        let mut money = |pointer: &str, text: Option<NumberText>, now: Money| {
            text.map_or(now, |text| errors.money(pointer, &text, product.currency))
        };
        let min_amount = money("/min_amount", self.min_amount, product.min_amount);
        let max_amount = money("/max_amount", self.max_amount, product.max_amount);
        let names = NamesPatch { external_id: self.external_id, metadata: self.metadata }.over(&product.names);
        let (((), names), terms) = both(both(errors.none_or_refuse(), names), terms)?;
        Ok(Product {
            name: self.name.map_or_else(|| product.name.clone(), Name::into_string),
            min_amount,
            max_amount,
            min_instalments: self.min_instalments.map_or(product.min_instalments, Instalments::get),
            max_instalments: self.max_instalments.map_or(product.max_instalments, Instalments::get),
            min_rate_apr: self.min_rate_apr.unwrap_or(product.min_rate_apr),
            max_rate_apr: self.max_rate_apr.unwrap_or(product.max_rate_apr),
            is_default: self.is_default.unwrap_or(product.is_default),
            active: self.active.unwrap_or(product.active),
            requires_kyc: self.requires_kyc.unwrap_or(product.requires_kyc),
            names,
            terms,
            ..product.clone()
        })
    }
}

fn checked(product: Product) -> Result<Product, Problem> {
    let errors = product.broken_rules();
    if errors.is_empty() { Ok(product) } else { Err(Problem::invalid(errors)) }
}

/// Create a product.
///
/// A product gives loans their terms, and limits for amount, instalments and rate.
#[utoipa::path(
    post, path = "/api/products", tag = "products", request_body = NewProduct, params(OptionalKey),
    responses(
        (status = 201, description = "The new product", body = ProductView),
        (status = 409, description = "A product with this code (`product_code_taken`) or this `external_id` \
            (`external_id_taken`) exists, or the currency has an open default product (`default_product_exists`)"))
)]
pub(crate) async fn create_product(admin: Admin, key: IdempotencyKey, input: Input) -> Result<Answer, Problem> {
    let key = admin.check(key.read()).await?;
    let product = admin.check(input.read::<NewProduct>().and_then(NewProduct::product)).await?;
    let claim = admin.check(key.claim(admin.id(), &product)).await?;
    let named = product.terms.calendar().map(|calendar| calendar.code.as_str().to_owned());
    let (tx, caller, (claimed, calendar)) = admin.begin((claim.take(), named.map(calendars::by_code))).await?;
    conclude(tx, create(&caller, product, calendar.flatten().as_ref(), claim, claimed)).await
}

fn create(
    caller: &Caller,
    product: Product,
    calendar: Option<&HolidayCalendar>,
    claim: Claim,
    claimed: Option<Claimed>,
) -> Result<Outcome, Problem> {
    if let Some(answer) = claim.earlier_answer(claimed)? {
        return Ok(Outcome::unchanged(answer));
    }
    let now = Instant(caller.now);
    let terms = with_newest(product.terms.clone(), calendar)?;
    let product = Product { terms, created_at: now, updated_at: now, ..product };
    let location = format!("/api/products/{}", product.code);
    let answer = Answer::created(location, &product.view(Some(caller.role)))?.with_version(product.version);

    let mut writes = products::insert(&product, Some(caller.id));
    let subject = Subject::Product(product.code.clone());
    writes.push(audit::by(caller, "product.create", &subject, json!({"version": product.version})));
    writes.extend(claim.keep(&answer));
    Ok(Outcome::new(answer, writes))
}

/// Update a product.
///
/// Existing loans keep their terms. Omitted fields keep their values.
#[utoipa::path(
    patch, path = "/api/products/{code}", tag = "products", request_body = ProductPatch, params(SeenVersion),
    responses(
        (status = 200, description = "The product as it now is", body = ProductView),
        (status = 409, description = "The currency has an open default product (`default_product_exists`), or the \
            `external_id` is taken (`external_id_taken`)"))
)]
pub(crate) async fn update_product(admin: Admin, path: PathParameter, input: Input) -> Result<Answer, Problem> {
    let code = admin.check(path.product_code()).await?;
    // Errors of the body are reported later.
    let named = input.read_versioned::<ProductPatch>().ok().and_then(|(_, patch)| named(&patch.terms));
    let batch = (products::lock(code.into_string()), named.map(calendars::by_code));
    let (tx, caller, (product, calendar)) = admin.begin(batch).await?;
    conclude(tx, update(&caller, product, calendar.flatten().as_ref(), &input)).await
}

fn update(
    caller: &Caller,
    product: Option<Product>,
    calendar: Option<&HolidayCalendar>,
    input: &Input,
) -> Result<Outcome, Problem> {
    let product = product.ok_or_else(Problem::not_found)?;
    let (if_match, patch) = input.read_versioned::<ProductPatch>()?;
    let changed = patch.over(&product)?;
    let changed = Product { terms: with_newest(changed.terms.clone(), calendar)?, ..changed };
    require_version(&if_match, product.version)?;
    let changed = checked(changed)?;
    if changed == product {
        return Ok(Outcome::unchanged(answer(&product, Some(caller.role))?));
    }
    let changed = Product { version: product.version.next(), updated_at: Instant(caller.now), ..changed };

    let mut writes = products::update(&changed, caller.id);
    let subject = Subject::Product(changed.code.clone());
    writes.push(audit::by(caller, "product.update", &subject, json!({"version": changed.version})));
    Ok(Outcome::new(answer(&changed, Some(caller.role))?, writes))
}
