//! Customers whom staff enrol: with what they have of e-mail address and telephone number, and without a password.

use axum::extract::State;
use backend::{
    app::App,
    auth::{
        callers::Staff,
        profile::{agent_not_found, reachable},
    },
    domain::{
        caller::Caller,
        profile::Profile,
        users::{NewUser, Role, UserStatus},
    },
    http::{
        answer::Answer,
        body::Input,
        command::{Outcome, conclude},
        problem::{Problem, both},
    },
    store::{
        audit::{self, Subject},
        customers, profiles, users,
    },
    values::{
        names::{MetadataPatch, Names, NamesPatch},
        patch::given,
        text::{Email, ExternalId, Name, Phone, Username},
    },
    views::user::UserView,
};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::profile::{GivenProfile, duplicate};

/// A customer as staff enrol one: at least one of `email`, `phone` and `external_id`.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "full_name": "Asha Patel", "phone": "+919812345678", "external_id": "crm-20417",
    "profile": {"date_of_birth": "1991-05-17",
        "national_id": {"country": "IN", "kind": "pan", "number": "ABCPA1234F"}}}))]
pub(crate) struct Enrolment {
    /// The name to log in with; one is made up where none is given: `c` and nine digits.
    username: Option<Username>,
    /// The e-mail address.
    email: Option<Email>,
    /// The telephone number.
    phone: Option<Phone>,
    /// The name people see.
    full_name: Option<Name>,
    /// The id in another system of the lender's, unique among users.
    external_id: Option<ExternalId>,
    /// Texts of the lender's other systems, under keys.
    metadata: Option<MetadataPatch>,
    /// The profile.
    profile: Option<GivenProfile>,
    /// The active agent whose customer it is: by default the agent who enrols, who may name no other.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Uuid>, required = false)]
    #[allow(clippy::option_option)]
    agent_id: Option<Option<Uuid>>,
}

/// How many usernames are made up at once: that all are taken does not happen.
const CANDIDATES: usize = 8;

impl Enrolment {
    /// The agent whose customer it is to be.
    fn agent(&self, staff: &Staff) -> Result<Option<Uuid>, Problem> {
        let caller = staff.id();
        match (staff.role(), self.agent_id) {
            // A key looks after nobody.
            (Role::Agent, None | Some(None)) => Ok((!staff.is_key()).then_some(caller)),
            (Role::Agent, Some(named)) if named != Some(caller) => {
                Err(Problem::field("/agent_id", "not_allowed", "an agent enrols customers of its own"))
            }
            (Role::Agent | Role::Admin | Role::Customer, named) => Ok(named.flatten()),
        }
    }

    /// The fields that rest on each other, and the profile on today.
    fn parse(&self, staff: &Staff, today: Date) -> Result<(Option<Uuid>, Names, Option<Profile>), Problem> {
        let has = (self.email.is_some(), self.phone.is_some(), self.external_id.is_some());
        let reachable = reachable(Role::Customer, has.0, has.1, has.2);
        let names = NamesPatch::new(self.external_id.clone(), self.metadata.clone()).over(&Names::default());
        let profile = self.profile.clone().map(|given| given.over(&Profile::default(), today, "/profile")).transpose();
        let fields = both(both(reachable, self.agent(staff)), both(names, profile));
        let (((), agent), (names, profile)) = fields?;
        Ok((agent, names, profile))
    }
}

/// Create a customer.
///
/// The customer is active at once and has no password yet. With a code (`POST /api/users/{id}/activation`) the customer
/// sets one. Nobody has to: an agent can act for the customer.
#[utoipa::path(
    post, path = "/api/customers", tag = "customers", request_body = Enrolment,
    responses(
        (status = 201, description = "The new customer", body = UserView),
        (status = 409, description = "The username (`username_taken`), the e-mail address (`email_taken`) or the \
            `external_id` (`external_id_taken`) is taken, or another customer, whom `customer_id` names, \
            has this identity \
            (`duplicate_identity`)"))
)]
pub(crate) async fn create_customer(staff: Staff, State(app): State<App>, input: Input) -> Result<Answer, Problem> {
    let enrolment: Enrolment = staff.check(input.read()).await?;
    let (agent_id, names, profile) = staff.check(enrolment.parse(&staff, app.today())).await?;
    let made_up = (0..CANDIDATES).map(|_| format!("c{:09}", Uuid::now_v7().as_u128() % 1_000_000_000));
    let free = enrolment.username.is_none().then(|| customers::free_username(made_up.collect()));
    let identity = profile.as_ref().and_then(Profile::identity);
    let batch = (free, agent_id.map(customers::active_agent), identity.as_ref().map(profiles::whose));
    let (tx, caller, (free, is_agent, whose)) = staff.begin(batch).await?;
    let decide = || {
        if is_agent == Some(false) {
            return Err(agent_not_found("/agent_id").into());
        }
        if let Some(other) = whose.flatten() {
            return Err(duplicate(other));
        }
        let free = free.flatten().and_then(|name| Username::parse(&String::from(name)));
        // All made-up names were taken: another try makes up others.
        let username = enrolment.username.or(free).ok_or_else(Problem::unavailable)?;
        let Enrolment { email, phone, full_name, .. } = enrolment;
        let (role, status) = (Role::Customer, UserStatus::Active);
        enrol(&caller, NewUser { username, email, phone, full_name, role, status, agent_id, names }, profile)
    };
    let outcome = decide();
    conclude(tx, outcome).await
}

fn enrol(caller: &Caller, new: NewUser, profile: Option<Profile>) -> Result<Outcome, Problem> {
    let user = new.made(caller.now);
    let location = format!("/api/customers/{}", user.id);
    let answer = Answer::created(location, &user.view(caller.role))?;
    let detail = json!({"agent": user.agent_id, "profile": profile.is_some()});
    let mut writes = vec![users::insert(&user, None)];
    if let Some(profile) = profile {
        writes.extend(profiles::insert(caller.id, user.id, None, &profile));
    }
    writes.push(audit::by(caller, "customer.enrol", &Subject::User(user.id), detail));
    Ok(Outcome::new(answer, writes))
}
