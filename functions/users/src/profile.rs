//! Profiles of customers, and whether it was verified who they are.

use axum::extract::State;
use backend::{
    app::App,
    auth::callers::{Admin, AnyUser, Staff},
    domain::{
        caller::Caller,
        kyc::{Kyc, KycStatus},
        profile::{self, Address, Income, NationalId, NextOfKin, Profile},
        refusal::Refusal,
        users::{Role, User, UserStatus},
    },
    http::{
        answer::Answer,
        body::{Input, require_version},
        command::{Outcome, conclude},
        headers::SeenVersion,
        path::PathParameter,
        problem::{Problem, duplicate_identity},
        query::QueryString,
    },
    store::{
        audit::{self, Subject},
        profiles::{self, Owner, VersionedProfile},
        users,
    },
    values::{
        number::NumberText,
        refusal::FieldError,
        text::{Country, Name, PersonalText, Phone, Reason},
        time::{BusinessDate, Instant},
    },
    views::user::UserView,
};
use jiff::civil::Date;
use lending::Currency;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

/// A profile as it is put: it takes the place of what was there, whole.
#[derive(Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewProfile, example = json!({
    "date_of_birth": "1991-05-17", "national_id": {"country": "IN", "kind": "pan", "number": "ABCPA1234F"},
    "address": {"line1": "12 Shivaji Road", "city": "Pune", "postal_code": "411002", "country": "IN"},
    "monthly_income": {"amount": "18000", "currency": "INR"}}))]
pub(crate) struct GivenProfile {
    /// The date of birth, not in the future.
    date_of_birth: Option<BusinessDate>,
    /// The gender, in the lender's words.
    gender: Option<PersonalText>,
    /// The identity given by an authority.
    national_id: Option<GivenNationalId>,
    /// Where the person lives.
    address: Option<GivenAddress>,
    /// The occupation.
    occupation: Option<PersonalText>,
    /// The income.
    monthly_income: Option<GivenIncome>,
    /// Whom to call.
    next_of_kin: Option<GivenNextOfKin>,
}

/// An identity: unique by country, kind and number, of which ASCII letters and digits alone count, without regard to
/// case.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewNationalId)]
struct GivenNationalId {
    /// The country of the authority.
    country: Country,
    /// The kind of identity, such as a passport.
    kind: PersonalText,
    /// The number. Sent back masked as it was read, it stays.
    number: PersonalText,
}

/// An address, of which any part may be missing.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAddress)]
struct GivenAddress {
    /// Street and house.
    line1: Option<Name>,
    /// A second line.
    line2: Option<Name>,
    /// The town.
    city: Option<Name>,
    /// State, county or province.
    region: Option<Name>,
    /// The postal code.
    postal_code: Option<PersonalText>,
    /// The country.
    country: Option<Country>,
}

/// A monthly income.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewIncome)]
struct GivenIncome {
    /// A string or a number, with no more decimals than the currency has.
    amount: NumberText,
    /// ISO 4217.
    currency: Currency,
}

/// Somebody close to the person.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewNextOfKin)]
struct GivenNextOfKin {
    /// The name.
    full_name: Option<Name>,
    /// The telephone number.
    phone: Option<Phone>,
    /// How they are related.
    relation: Option<PersonalText>,
}

/// Another customer has the identity.
pub(crate) fn duplicate(Owner(other): Owner) -> Problem {
    duplicate_identity().naming_customer(other)
}

impl GivenProfile {
    /// The profile that this makes of another. `at` is the pointer of the profile in the request.
    ///
    /// # Errors
    ///
    /// Every field that breaks a rule.
    pub(crate) fn over(self, before: &Profile, today: Date, at: &str) -> Result<Profile, Problem> {
        let mut errors = Vec::new();
        let date_of_birth = self.date_of_birth;
        if date_of_birth.is_some_and(|BusinessDate(on)| on > today) {
            errors.push(FieldError::new(format!("{at}/date_of_birth"), "in_the_future", "must not be in the future"));
        }
        let national_id =
            self.national_id.and_then(|given| given.over(before, at).map_err(|error| errors.push(error)).ok());
        let monthly_income = self.monthly_income.and_then(|GivenIncome { amount, currency }| {
            let amount = amount.money(&format!("{at}/monthly_income/amount"), currency);
            amount.map(Income::from).map_err(|error| errors.push(error)).ok()
        });
        if !errors.is_empty() {
            return Err(Problem::invalid(errors));
        }
        let text = |text: Option<PersonalText>| text.map(PersonalText::into_string);
        let line = |line: Option<Name>| line.map(Name::into_string);
        Ok(Profile {
            date_of_birth,
            gender: text(self.gender),
            national_id,
            address: self.address.map(|given| Address {
                line1: line(given.line1),
                line2: line(given.line2),
                city: line(given.city),
                region: line(given.region),
                postal_code: text(given.postal_code),
                country: given.country.map(Country::into_string),
            }),
            occupation: text(self.occupation),
            monthly_income,
            next_of_kin: self.next_of_kin.map(|given| NextOfKin {
                full_name: line(given.full_name),
                phone: given.phone.map(Phone::into_string),
                relation: text(given.relation),
            }),
        })
    }

    /// The identity that it may give, to be looked up: a mask stands for none.
    fn identity(&self) -> Option<profile::Identity> {
        let given = self.national_id.clone().filter(|given| !given.number.as_str().contains('*'))?;
        let NationalId { country, kind, number } = given.national_id();
        Some(profile::Identity { country, kind: profile::compared(&kind), number })
    }
}

impl GivenNationalId {
    fn national_id(self) -> NationalId {
        NationalId {
            country: self.country.into_string(),
            kind: self.kind.into_string(),
            number: profile::compared(self.number.as_str()),
        }
    }

    fn over(self, before: &Profile, at: &str) -> Result<NationalId, FieldError> {
        let typed = self.number.as_str().to_owned();
        let given = self.national_id();
        if typed.contains('*') {
            let kept = before.national_id.clone().filter(|kept| {
                profile::masked(&kept.number) == typed && (&kept.country, &kept.kind) == (&given.country, &given.kind)
            });
            let rule = "is masked, and not as it was read: give the whole number";
            return kept.ok_or_else(|| FieldError::new(format!("{at}/national_id/number"), "masked", rule));
        }
        for (name, text) in [("kind", profile::compared(&given.kind)), ("number", given.number.clone())] {
            if !(1..=40).contains(&text.len()) {
                let rule = "must have 1 to 40 letters a to z and digits";
                return Err(FieldError::new(format!("{at}/national_id/{name}"), "not_an_identity", rule));
            }
        }
        Ok(given)
    }
}

fn answer(current: &VersionedProfile, viewer: Role) -> Result<Answer, Problem> {
    Ok(Answer::ok(&current.profile.seen_by(viewer))?.with_version(current.version))
}

/// Get a customer's profile.
///
/// Where nothing is known yet it is an empty object of version 0. Agents and the customer see identity numbers masked.
#[utoipa::path(
    get, path = "/api/customers/{id}/profile", tag = "customers",
    responses((status = 200, description = "The profile", body = Profile,
        headers(("ETag" = String, description = "The profile's version, for If-Match"))))
)]
pub(crate) async fn get_customer_profile(
    user: AnyUser,
    path: PathParameter,
    query: QueryString,
) -> Result<Answer, Problem> {
    let id = user.check(path.uuid()).await?;
    let (caller, (customer, current)) = user.read((users::by_id(id), profiles::current(id))).await?;
    customer
        .filter(|customer| customer.role == Role::Customer)
        .filter(|customer| caller.role != Role::Customer || customer.id == caller.id)
        .ok_or_else(Problem::not_found)?;
    query.none()?;
    answer(&VersionedProfile::or_none(current), caller.role)
}

/// Change a customer's profile.
///
/// It takes the place of the one before, whole; every version is kept. Another date of birth or identity ends a
/// verification of who the customer is.
#[utoipa::path(
    put, path = "/api/customers/{id}/profile", tag = "customers", request_body = GivenProfile,
    params(SeenVersion),
    responses(
        (status = 200, description = "The profile as it now is", body = Profile,
            headers(("ETag" = String, description = "The profile's version, for If-Match"))),
        (status = 409, description = "Another customer, whom `customer_id` names, has this identity \
            (`duplicate_identity`), \
            or the customer is erased (`user_erased`)"))
)]
pub(crate) async fn change_customer_profile(
    staff: Staff,
    State(app): State<App>,
    path: PathParameter,
    input: Input,
) -> Result<Answer, Problem> {
    let id = staff.check(path.uuid()).await?;
    // Who has the identity is looked up with the customer, so the body is read early; its errors are reported in their
    // turn.
    let identity = input.read::<GivenProfile>().ok().and_then(|given| given.identity());
    let whose = identity.as_ref().map(profiles::whose);
    let (tx, caller, (user, current, whose)) = staff.begin((users::lock(id), profiles::current(id), whose)).await?;
    let today = app.date_of(caller.now);
    let outcome = put(&caller, user, &VersionedProfile::or_none(current), whose.flatten(), &input, today);
    conclude(tx, outcome).await
}

fn put(
    caller: &Caller,
    user: Option<User>,
    current: &VersionedProfile,
    whose: Option<Owner>,
    input: &Input,
    today: Date,
) -> Result<Outcome, Problem> {
    let user = user.filter(|user| user.role == Role::Customer).ok_or_else(Problem::not_found)?;
    let (if_match, given) = input.read_versioned::<GivenProfile>()?;
    let profile = given.over(&current.profile, today, "")?;
    require_version(&if_match, current.version)?;
    if user.status == UserStatus::Erased {
        return Err(Refusal::user_erased().into());
    }
    if let Some(owner) = whose.filter(|Owner(owner)| *owner != user.id) {
        return Err(duplicate(owner));
    }
    let changed = profile.differing(&current.profile);
    if changed.is_empty() {
        return Ok(Outcome::unchanged(answer(current, caller.role)?));
    }
    let mut writes = profiles::insert(caller.id, user.id, Some(current), &profile);
    if profile.is_another_person(&current.profile) && user.kyc != Kyc::default() {
        writes.push(users::update_profile(&User { kyc: Kyc::default(), ..user.clone() }.updated(caller.now)));
    }
    let next = VersionedProfile { version: current.version.next(), profile };
    let detail = json!({"version": next.version, "changed": changed});
    writes.push(audit::by(caller, "customer.profile", &Subject::User(user.id), detail));
    Ok(Outcome::new(answer(&next, caller.role)?, writes))
}

/// The finding of an admin.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Finding {
    /// The customer is who they say.
    Verified,
    /// The customer is not taken for who they say.
    Refused,
}

/// An admin's finding about a customer's identity.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"status": "verified", "reason": "passport seen", "expires_on": "2031-05-16"}))]
pub(crate) struct Verification {
    /// The finding.
    status: Finding,
    /// Why.
    reason: Option<Reason>,
    /// Of a verification: the last business date on which it holds.
    expires_on: Option<BusinessDate>,
}

/// Record a customer's verification.
///
/// It holds until name, date of birth or identity change, or until the day that is given. Products with `requires_kyc`
/// are lent to customers alone of whom it holds that day.
#[utoipa::path(
    post, path = "/api/customers/{id}/kyc", tag = "customers", request_body = Verification,
    responses(
        (status = 201, description = "The customer as it now is, with `kyc`", body = UserView),
        (status = 409, description = "The customer is erased (`user_erased`)"))
)]
pub(crate) async fn record_verification(admin: Admin, path: PathParameter, input: Input) -> Result<Answer, Problem> {
    let id = admin.check(path.uuid()).await?;
    let (tx, caller, user) = admin.begin(users::lock(id)).await?;
    conclude(tx, verify(&caller, user, &input)).await
}

fn verify(caller: &Caller, user: Option<User>, input: &Input) -> Result<Outcome, Problem> {
    let user = user.filter(|user| user.role == Role::Customer).ok_or_else(Problem::not_found)?;
    let Verification { status, reason, expires_on } = input.read()?;
    let status = match status {
        Finding::Refused if expires_on.is_some() => {
            return Err(Problem::field("/expires_on", "not_allowed", "only a verification expires"));
        }
        Finding::Verified => KycStatus::Verified,
        Finding::Refused => KycStatus::Refused,
    };
    if user.status == UserStatus::Erased {
        return Err(Refusal::user_erased().into());
    }
    let reason = reason.map(Reason::into_string);
    let detail = json!({"from": user.kyc.status, "status": status, "reason": reason, "expires_on": expires_on});
    let (by, at) = (Some(caller.id), Some(Instant(caller.now)));
    let user = User { kyc: Kyc { status, by, at, reason, expires_on }, ..user }.updated(caller.now);
    let answer = Answer::created(format!("/api/customers/{}", user.id), &user.view(caller.role))?;
    let entry = audit::by(caller, "customer.kyc", &Subject::User(user.id), detail);
    Ok(Outcome::new(answer, vec![users::update_profile(&user), entry]))
}
