//! Where money arrives: paybills, accounts at banks, tills, and any other system.

use axum::{Json, extract::State};
use backend::{
    app::App,
    auth::callers::{Admin, AdminInPerson},
    domain::sources::{Provider, Source, Validation},
    http::{
        answer::Answer,
        body::Input,
        command::{Outcome, conclude},
        pagination::{Page, PageQuery},
        path::PathParameter,
        problem::Problem,
        query::QueryString,
    },
    store::{
        audit::{self, Subject},
        sources::{self, RefusedNotice},
    },
    values::{
        network,
        number::Whole,
        page::Position,
        refusal::{FieldError, refusal},
        text::{Account, Name},
    },
    views::payment::SourceView,
};
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use lending::Currency;
use serde::{Deserialize, Deserializer};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::secrets::{BaseUrl, Secrets};

/// Words that no address of a hook may hold: providers never call such addresses, and do not say so.
const NEVER_CALLED: [&str; 7] = ["mpesa", "m-pesa", "safaricom", "exe", "cmd", "sql", "query"];

/// A source's code: 1 to 32 of `a-z0-9-`, without words that providers' filters refuse in an address.
#[derive(Clone, Debug, ToSchema)]
#[schema(value_type = String, pattern = "^[a-z0-9-]{1,32}$", example = "paybill-kenya")]
pub(crate) struct SourceCode(String);

impl<'de> Deserialize<'de> for SourceCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if !is_code(&text) {
            return Err(refusal("not_a_source_code", "must have 1 to 32 characters of a-z, 0-9 and -"));
        }
        match NEVER_CALLED.into_iter().find(|word| text.contains(word)) {
            Some(word) => {
                let detail = format!("must not hold {word}: providers silently never call an address with it");
                Err(refusal("never_called", detail))
            }
            None => Ok(Self(text)),
        }
    }
}

impl SourceCode {
    /// The code in a path.
    ///
    /// # Errors
    ///
    /// 404 if no source can have it.
    pub(crate) fn of(path: &PathParameter) -> Result<&str, Problem> {
        let text = path.text();
        if is_code(text) { Ok(text) } else { Err(Problem::not_found()) }
    }
}

/// True for a text of the form of a code.
fn is_code(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&text.len()) && text.bytes().all(allowed)
}

/// A network: an address, or one with the length of its prefix.
#[derive(Clone, Debug, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, example = "196.201.214.0/24")]
pub(crate) struct Network(String);

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if network::is_network(&text) {
            return Ok(Self(text));
        }
        Err(refusal(
            "not_a_network",
            "must be an address such as 196.201.214.206, or a network such as 196.201.214.0/24",
        ))
    }
}

/// The most networks of a source.
const MOST_NETWORKS: usize = 100;

fn networks(networks: Vec<Network>) -> Result<Vec<String>, FieldError> {
    if networks.len() > MOST_NETWORKS {
        return Err(FieldError::new("/addresses", "too_many", format!("must be at most {MOST_NETWORKS}")));
    }
    Ok(networks.into_iter().map(|Network(text)| text).collect())
}

/// A new source.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"code": "paybill-kenya", "name": "Paybill 600638", "provider": "mpesa", "account": "600638",
    "currency": "KES", "validation": "strict", "addresses": ["196.201.214.0/24"]}))]
pub(crate) struct NewSource {
    /// Names it.
    code: SourceCode,
    /// For people.
    name: Name,
    /// How it tells of money.
    provider: Provider,
    /// Its account, as the provider names it: a short code, an IBAN.
    account: Account,
    /// ISO 4217.
    currency: Currency,
    /// ISO 3166; default: the currency's country, where it has one.
    #[schema(pattern = "^[A-Z]{2}$")]
    country: Option<String>,
    /// The zone of times that do not say theirs; default: the currency's, where it has one, else the lender's.
    time_zone: Option<String>,
    /// The answer to validations.
    #[serde(default)]
    validation: Validation,
    /// Networks from which its hooks may be called; default: any.
    #[serde(default)]
    addresses: Vec<Network>,
}

/// Create a payment source.
///
/// Its secrets are shown this once.
#[utoipa::path(
    post, path = "/api/payment-sources", tag = "payments", request_body = NewSource,
    responses(
        (status = 201, description = "The source", body = SourceView),
        (status = 409, description = "There is a source of this code (`source_code_taken`), or of this provider and \
            account (`source_exists`)"))
)]
pub(crate) async fn create_source(
    admin: AdminInPerson,
    State(app): State<App>,
    base: BaseUrl,
    input: Input,
) -> Result<Answer, Problem> {
    let body: NewSource = admin.check(input.read()).await?;
    let NewSource {
        code: SourceCode(code),
        name,
        provider,
        account,
        currency,
        country,
        time_zone,
        validation,
        addresses,
    } = body;
    let mut errors = Vec::new();
    let addresses = networks(addresses).unwrap_or_else(|error| {
        errors.push(error);
        Vec::new()
    });
    let home = sources::home(currency);
    let country = country.or_else(|| home.map(|(country, _)| country.to_owned()));
    let is_country = |country: &String| country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
    if country.as_ref().is_some_and(|country| !is_country(country)) {
        errors.push(FieldError::new("/country", "not_a_country", "must be two capital letters, as in ISO 3166"));
    }
    let zone = time_zone.or_else(|| home.map(|(_, zone)| zone.to_owned()));
    let zone = zone.or_else(|| app.zone.iana_name().map(str::to_owned)).unwrap_or_else(|| "UTC".to_owned());
    if zone.len() > 64 || TimeZone::get(&zone).is_err() {
        errors.push(FieldError::new("/time_zone", "not_a_time_zone", "must be a zone such as Africa/Nairobi"));
    }
    admin.check(if errors.is_empty() { Ok(()) } else { Err(Problem::invalid(errors)) }).await?;
    let secrets = admin.check(Secrets::new(&app, &code, provider).await).await?;
    let word = provider.as_str();
    let known = (sources::source(&code), sources::by_account(word, account.as_str()));
    let (tx, caller, (of_code, of_account)) = Box::pin(admin.begin(known)).await?;
    let outcome = || -> Result<Outcome, Problem> {
        taken(of_code.is_some(), of_account.is_some())?;
        let source = Source {
            code: code.clone(),
            id: Uuid::now_v7(),
            name: name.into_string(),
            provider,
            account: account.into_string(),
            currency,
            country,
            time_zone: zone,
            validation,
            active: true,
            addresses,
            created_at: caller.now,
            updated_at: caller.now,
        };
        let answer = Answer::created(format!("/api/payment-sources/{code}"), &secrets.shown(&source, &base))?;
        let mut writes = vec![sources::insert(&source, caller.id)];
        writes.extend(sources::rotate(&code, secrets.kept, caller.now, caller.now));
        let detail = json!({"provider": provider, "account": source.account, "currency": currency});
        writes.push(audit::by(&caller, "source.create", &Subject::Source(code), detail));
        Ok(Outcome::new(answer, writes))
    };
    conclude(tx, outcome()).await
}

fn taken(code: bool, account: bool) -> Result<(), Problem> {
    if code {
        return Err(Problem::conflict("source_code_taken", "A source with this code exists."));
    }
    if account {
        return Err(Problem::conflict("source_exists", "This account of the provider has a source."));
    }
    Ok(())
}

/// List payment sources.
///
/// The newest first.
#[utoipa::path(
    get, path = "/api/payment-sources", tag = "payments", params(PageQuery),
    responses((status = 200, description = "A page of sources", body = Page<SourceView>))
)]
pub(crate) async fn list_sources(admin: Admin, query: QueryString) -> Result<Json<Page<SourceView>>, Problem> {
    let binding = admin.binding(&query).await?;
    let page = query.read().and_then(|query: PageQuery| query.page::<Timestamp, String>(&binding));
    let (limit, after) = admin.check(page).await?;
    let (_, found) = admin.read(sources::list(after.as_ref(), limit)).await?;
    let found: Vec<SourceView> = found.iter().map(Source::view).collect();
    Ok(Json(Page::new(found, limit, &binding, |last| Position(last.created_at.0, last.code.clone()))))
}

/// Get a payment source.
///
/// Without its secrets.
#[utoipa::path(
    get, path = "/api/payment-sources/{code}", tag = "payments",
    responses((status = 200, description = "The source", body = SourceView))
)]
pub(crate) async fn get_source(
    admin: Admin,
    path: PathParameter,
    query: QueryString,
) -> Result<Json<SourceView>, Problem> {
    let code = admin.check(SourceCode::of(&path)).await?;
    let (_, source) = admin.read(sources::source(code)).await?;
    let source = source.ok_or_else(Problem::not_found)?;
    query.none()?;
    Ok(Json(source.view()))
}

/// Changes of a source. Omitted fields stay.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"active": false}))]
pub(crate) struct SourceEdit {
    /// For people.
    name: Option<Name>,
    /// An inactive one takes money into suspense and matches nothing.
    active: Option<bool>,
    /// The answer to validations.
    validation: Option<Validation>,
    /// Networks from which its hooks may be called; an empty list: any.
    addresses: Option<Vec<Network>>,
}

/// Update a payment source.
///
/// Omitted fields stay.
#[utoipa::path(
    patch, path = "/api/payment-sources/{code}", tag = "payments", request_body = SourceEdit,
    responses((status = 200, description = "The source", body = SourceView))
)]
pub(crate) async fn update_source(admin: Admin, path: PathParameter, input: Input) -> Result<Answer, Problem> {
    let code = admin.check(SourceCode::of(&path)).await?;
    let (tx, caller, source) = Box::pin(admin.begin(sources::lock(code))).await?;
    let outcome = || -> Result<Outcome, Problem> {
        let source = source.ok_or_else(Problem::not_found)?;
        let SourceEdit { name, active, validation, addresses } = input.read()?;
        let edited = Source {
            name: name.map_or_else(|| source.name.clone(), Name::into_string),
            active: active.unwrap_or(source.active),
            validation: validation.unwrap_or(source.validation),
            addresses: addresses.map(networks).transpose()?.unwrap_or_else(|| source.addresses.clone()),
            ..source.clone()
        };
        if edited == source {
            return Ok(Outcome::unchanged(Answer::ok(&source.view())?));
        }
        let edited = Source { updated_at: caller.now.max(source.updated_at), ..edited };
        let detail = json!({"active": edited.active, "validation": edited.validation, "addresses": edited.addresses});
        let logged = audit::by(&caller, "source.edit", &Subject::Source(edited.code.clone()), detail);
        Ok(Outcome::new(Answer::ok(&edited.view())?, vec![sources::update(&edited), logged]))
    };
    conclude(tx, outcome()).await
}

/// How secrets are replaced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"overlap_hours": 24}))]
pub(crate) struct Rotation {
    /// How long the ones before stay good: 0 to 168.
    #[schema(value_type = Option<u32>, minimum = 0, maximum = 168, default = 24)]
    overlap_hours: Option<Whole<0, 168>>,
}

/// Rotate the secrets of a payment source.
///
/// The new ones are shown this once; those before stay good for a while.
#[utoipa::path(
    post, path = "/api/payment-sources/{code}/rotate", tag = "payments", request_body = Rotation,
    responses((status = 200, description = "The source with its new secrets", body = SourceView))
)]
pub(crate) async fn rotate_secret(
    admin: AdminInPerson,
    State(app): State<App>,
    path: PathParameter,
    base: BaseUrl,
    input: Input,
) -> Result<Answer, Problem> {
    let code = admin.check(SourceCode::of(&path)).await?;
    let (_, source) = admin.read(sources::source(code)).await?;
    let source = source.ok_or_else(Problem::not_found)?;
    let Rotation { overlap_hours } = input.read()?;
    let hours = overlap_hours.map_or(24, Whole::get);
    let secrets = Secrets::new(&app, &source.code, source.provider).await?;
    let (tx, caller, source) = Box::pin(admin.begin(sources::lock(&source.code))).await?;
    let outcome = || -> Result<Outcome, Problem> {
        let source = source.ok_or_else(Problem::not_found)?;
        let answer = Answer::ok(&secrets.shown(&source, &base))?;
        let until = caller.now.checked_add(i64::from(hours).hours()).map_err(Problem::internal)?;
        let mut writes = sources::rotate(&source.code, secrets.kept, caller.now, until);
        let detail = json!({"overlap_hours": hours});
        writes.push(audit::by(&caller, "source.rotate", &Subject::Source(source.code), detail));
        Ok(Outcome::new(answer, writes))
    };
    conclude(tx, outcome()).await
}

/// List refused notices of a payment source.
///
/// Notices that could not become a payment, the latest first. They are kept for 13 months.
#[utoipa::path(
    get, path = "/api/payment-sources/{code}/refused", tag = "payments", params(PageQuery),
    responses((status = 200, description = "A page of notices", body = Page<RefusedNotice>))
)]
pub(crate) async fn list_refused(
    admin: Admin,
    path: PathParameter,
    query: QueryString,
) -> Result<Json<Page<RefusedNotice>>, Problem> {
    let code = admin.check(SourceCode::of(&path)).await?;
    let binding = admin.binding(&query).await?;
    let page = query.read().and_then(|query: PageQuery| query.page::<Timestamp, Uuid>(&binding));
    let refused = page.as_ref().ok().map(|(limit, after)| sources::refused(code, after.as_ref(), *limit));
    let (_, (source, found)) = admin.read((sources::source(code), refused)).await?;
    source.ok_or_else(Problem::not_found)?;
    let (limit, _) = page?;
    let found = found.unwrap_or_default();
    Ok(Json(Page::new(found, limit, &binding, |last| Position(last.received_at.0, last.id))))
}
