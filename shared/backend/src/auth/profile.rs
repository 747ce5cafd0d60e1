//! Changing a profile: one's own, or another's by an admin.

use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    domain::{
        caller::Caller,
        kyc::Kyc,
        refusal::Refusal,
        users::{Role, User, UserStatus},
    },
    http::{answer::Answer, command::Outcome, problem::Problem},
    store::{
        activations,
        audit::{self, Subject},
        rights, users,
    },
    values::{
        names::{MetadataPatch, NamesPatch},
        patch::given,
        refusal::FieldError,
        text::{Email, ExternalId, Name, Phone},
    },
};

/// Changes of one's own profile; a field that is left out stays. Username and role never change.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "asha.patel@example.com", "full_name": "Asha Patel"}))]
pub struct ProfilePatch {
    /// A new e-mail address.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Email, required = false)]
    email: Option<Email>,
    /// A new telephone number.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Phone, required = false)]
    phone: Option<Phone>,
    /// A new full name; null removes it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Name>, required = false)]
    #[allow(clippy::option_option)]
    full_name: Option<Option<Name>>,
}

/// Changes of a user by an admin; a field that is left out stays. Username and role never change.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "asha.patel@example.com", "external_id": "crm-20417",
    "metadata": {"branch": "pune-2"}}))]
#[allow(clippy::option_option)]
pub struct UserPatch {
    /// A new e-mail address; null removes a customer's.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Email>, required = false)]
    email: Option<Option<Email>>,
    /// A new telephone number; null removes a customer's.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Phone>, required = false)]
    phone: Option<Option<Phone>>,
    /// A new full name; null removes it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Name>, required = false)]
    full_name: Option<Option<Name>>,
    /// A new id in another system; null removes it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<ExternalId>, required = false)]
    external_id: Option<Option<ExternalId>>,
    /// Texts to set under keys.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = MetadataPatch, required = false)]
    metadata: Option<MetadataPatch>,
    /// Of a customer: the active agent whose customer it is from now on; null for none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Uuid>, required = false)]
    agent_id: Option<Option<Uuid>>,
}

/// Changes of a user, by the user or by an admin.
#[allow(clippy::option_option)]
struct Change {
    email: Option<Option<Email>>,
    phone: Option<Option<Phone>>,
    full_name: Option<Option<Name>>,
    names: NamesPatch,
    agent_id: Option<Option<Uuid>>,
}

impl ProfilePatch {
    /// The new e-mail address, if one is given.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        self.email.as_ref().map(Email::as_str)
    }

    /// Changes the profile of a user who is locked. Where nothing differs, nothing is written.
    ///
    /// # Errors
    ///
    /// 409 for a user who is erased; 500 if the answer does not serialise: a defect.
    pub fn apply(self, caller: &Caller, user: &User) -> Result<Outcome, Problem> {
        let Self { email, phone, full_name } = self;
        let (email, phone, names) = (email.map(Some), phone.map(Some), NamesPatch::default());
        Change { email, phone, full_name, names, agent_id: None }.apply(caller, user)
    }
}

impl UserPatch {
    /// The agent that a customer is given to, if one is named.
    #[must_use]
    pub fn agent(&self) -> Option<Uuid> {
        self.agent_id.flatten()
    }

    /// Changes a user who is locked. Where nothing differs, nothing is written. `is_agent` says whether
    /// [`agent`](Self::agent) is an active agent.
    ///
    /// # Errors
    ///
    /// 409 for a user who is erased; 422 for what a user of this role cannot have or has to keep; 500 if the answer
    /// does not serialise: a defect.
    pub fn apply(self, caller: &Caller, user: &User, is_agent: bool) -> Result<Outcome, Problem> {
        if self.agent_id.is_some() && user.role != Role::Customer {
            return Err(Problem::field("/agent_id", "not_a_customer", "customers alone have an agent"));
        }
        if self.agent().is_some() && !is_agent {
            return Err(agent_not_found("/agent_id").into());
        }
        let Self { email, phone, full_name, external_id, metadata, agent_id } = self;
        let names = NamesPatch { external_id, metadata };
        Change { email, phone, full_name, names, agent_id }.apply(caller, user)
    }
}

/// There is no active agent of the id at `pointer`.
#[must_use]
pub fn agent_not_found(pointer: &str) -> FieldError {
    FieldError::new(pointer, "agent_not_found", "there is no active agent of this id")
}

/// Checks that a user can be reached as the role demands.
///
/// # Errors
///
/// An invalid field where an address is missing.
pub fn reachable(role: Role, email: bool, phone: bool, external_id: bool) -> Result<(), Problem> {
    let is_customer = role == Role::Customer;
    if is_customer && !(email || phone || external_id) {
        let detail = "a customer has at least one of email, phone and external_id";
        return Err(Problem::field("/email", "contact_required", detail));
    }
    let missing = [("/email", email), ("/phone", phone)].into_iter().filter(|(_, is_there)| !is_customer && !is_there);
    let detail = "who works for the lender has an e-mail address and a telephone number";
    let errors: Vec<_> = missing.map(|(pointer, _)| FieldError::new(pointer, "contact_required", detail)).collect();
    if errors.is_empty() { Ok(()) } else { Err(Problem::invalid(errors)) }
}

impl Change {
    fn over(self, user: &User) -> Result<User, Problem> {
        let Self { email, phone, full_name, names, agent_id } = self;
        let changed = User {
            email: email.map_or_else(|| user.email.clone(), |email| email.map(Email::into_string)),
            phone: phone.map_or_else(|| user.phone.clone(), |phone| phone.map(Phone::into_string)),
            full_name: full_name.map_or_else(|| user.full_name.clone(), |name| name.map(Name::into_string)),
            agent_id: agent_id.unwrap_or(user.agent_id),
            names: names.over(&user.names)?,
            ..user.clone()
        };
        let has = [changed.email.is_some(), changed.phone.is_some(), changed.names.external_id.is_some()];
        reachable(user.role, has[0], has[1], has[2])?;
        // The verification was of the earlier name.
        let kyc = if changed.full_name == user.full_name { user.kyc.clone() } else { Kyc::default() };
        Ok(User { kyc, ..changed })
    }

    fn apply(self, caller: &Caller, user: &User) -> Result<Outcome, Problem> {
        if user.status == UserStatus::Erased {
            return Err(Refusal::user_erased().into());
        }
        let changed = self.over(user)?;
        if changed == *user {
            return Ok(Outcome::unchanged(Answer::ok(&user.view_for(caller))?));
        }
        let is_given = changed.agent_id != user.agent_id;
        let differs = [
            ("email", changed.email != user.email),
            ("phone", changed.phone != user.phone),
            ("full_name", changed.full_name != user.full_name),
            ("external_id", changed.names.external_id != user.names.external_id),
            ("metadata", changed.names.metadata != user.names.metadata),
            ("agent_id", is_given),
        ];
        let names: Vec<_> = differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect();
        let mut detail = json!({"changed": names});
        if is_given {
            detail["agent"] = json!({"from": user.agent_id, "to": changed.agent_id});
        }
        let changed = changed.updated(caller.now);
        let mut writes = vec![
            users::update_profile(&changed),
            rights::record_changes(caller, user, &changed),
            audit::by(caller, "user.update", &Subject::User(changed.id), detail),
        ];
        // A code was handed out by, or for, the agent before.
        writes.extend(is_given.then(|| activations::end(changed.id)));
        Ok(Outcome::new(Answer::ok(&changed.view_for(caller))?, writes))
    }
}
