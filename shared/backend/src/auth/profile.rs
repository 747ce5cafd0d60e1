//! Changing a profile: one's own, or another's by an admin.

use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    domain::{
        caller::Caller,
        refusal::Refusal,
        users::{User, UserStatus},
    },
    http::{answer::Answer, command::Outcome, problem::Problem},
    store::{
        audit::{self, Subject},
        rights, users,
    },
    values::{
        patch::given,
        text::{Email, Name, Phone},
    },
};

/// Changes of a profile; a field that is left out stays. Username and role never change.
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
        if user.status == UserStatus::Erased {
            return Err(Refusal::user_erased().into());
        }
        let changed = User {
            email: self.email.map(Email::into_string).or_else(|| user.email.clone()),
            phone: self.phone.map(Phone::into_string).or_else(|| user.phone.clone()),
            full_name: self.full_name.map_or_else(|| user.full_name.clone(), |name| name.map(Name::into_string)),
            ..user.clone()
        };
        if changed == *user {
            return Ok(Outcome::unchanged(Answer::ok(user)?));
        }
        let differs = [
            ("email", changed.email != user.email),
            ("phone", changed.phone != user.phone),
            ("full_name", changed.full_name != user.full_name),
        ];
        let names: Vec<_> = differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect();
        let changed = changed.updated(caller.now);
        let writes = vec![
            users::update_profile(&changed),
            rights::record_changes(caller, user, &changed),
            audit::by(caller, "user.update", &Subject::User(changed.id), json!({"changed": names})),
        ];
        Ok(Outcome::new(Answer::ok(&changed)?, writes))
    }
}
