//! The second factor of a user who typed it: checked in the transaction that it lets through, so that a code is good
//! once. Wrong ones are counted by user, whatever address they come from.

use secrecy::SecretString;
use uuid::Uuid;

use super::{
    limits::{Bucket, Level},
    totp::{TotpSecret, Typed},
};
use crate::{
    app::App,
    db::Statement,
    domain::users::User,
    http::problem::Problem,
    store::second_factors::{self, SecondFactor, seal_of},
};

/// The refusal of somebody whose password is right, and who typed no second factor.
fn missing() -> Problem {
    Problem::unauthorized("totp_required", "Send a code of your authenticator, or a recovery code, as totp too.")
}

fn wrong() -> Problem {
    Problem::unauthorized("totp_invalid", "The second factor is wrong, or was used before.")
}

/// A second factor that was typed, and is not checked yet.
pub struct Presented<'a> {
    app: &'a App,
    user: Uuid,
    typed: Typed,
    bucket: Bucket,
}

/// A second factor that does not let its transaction through.
pub struct Refused {
    /// The answer, to be given once the transaction is committed.
    pub problem: Problem,
    /// True if it was looked at, and is wrong.
    pub is_wrong: bool,
    /// The writes that the refusal leaves: none where it was wrong, so that its try stays counted; else the one that
    /// takes the try back.
    pub writes: Vec<Statement<()>>,
}

/// The answers of [`Presented::statements`].
type Found = (Option<SecondFactor>, Level);

/// Lets a user through whose row is locked: without a second factor, or with the one that was presented. Gives the
/// writes that use it up.
///
/// # Errors
///
/// As [`Presented::check`], and 401 where one is needed by now and none was presented.
pub async fn admit(user: &User, presented: Option<(Presented<'_>, Found)>) -> Result<Vec<Statement<()>>, Refused> {
    match (user.totp_since, presented) {
        (None, None) => Ok(Vec::new()),
        (None, Some((presented, _))) => Ok(vec![presented.give_back()]),
        (Some(_), None) => Err(Refused { problem: missing(), is_wrong: false, writes: Vec::new() }),
        (Some(_), Some((presented, found))) => presented.check(found).await,
    }
}

impl<'a> Presented<'a> {
    /// As it was typed for this user.
    #[must_use]
    pub fn new(app: &'a App, user: Uuid, typed: &SecretString) -> Self {
        let bucket = Bucket::new("totp_user", &[&user.to_string()], app.limits.totp_user);
        Self { app, user, typed: Typed::read(typed), bucket }
    }

    /// As [`new`](Self::new), where the user needs a second factor.
    ///
    /// # Errors
    ///
    /// 401 where one is needed and none was typed.
    pub fn of(app: &'a App, user: &User, typed: Option<&SecretString>) -> Result<Option<Self>, Problem> {
        match (user.totp_since, typed) {
            (None, _) => Ok(None),
            (Some(_), None) => Err(missing()),
            (Some(_), Some(typed)) => Ok(Some(Self::new(app, user.id, typed))),
        }
    }

    /// Locks what it is held against and counts a try, among the first statements of a transaction.
    #[must_use]
    pub fn statements(&self) -> (Statement<Option<SecondFactor>>, Statement<Level>) {
        (second_factors::lock(self.user), self.bucket.count())
    }

    /// Holds it against the answers of its [`statements`](Self::statements). Gives the writes that use it up.
    ///
    /// # Errors
    ///
    /// 401 if it is wrong or was used before; 429 after too many wrong ones; 500 or 503 if the secret cannot be opened.
    pub async fn check(&self, (factor, level): Found) -> Result<Vec<Statement<()>>, Refused> {
        let not_counted = |problem| Refused { problem, is_wrong: false, writes: vec![self.give_back()] };
        self.bucket.allow(level).map_err(not_counted)?;
        let used = match &factor {
            Some(factor) => self.used(factor).await.map_err(not_counted)?,
            None => None,
        };
        let used = used.ok_or_else(|| Refused { problem: wrong(), is_wrong: true, writes: Vec::new() })?;
        Ok(vec![used, self.give_back()])
    }

    /// The write that uses it up, if it is right.
    async fn used(&self, factor: &SecondFactor) -> Result<Option<Statement<()>>, Problem> {
        match &self.typed {
            Typed::Code(code) => {
                let secret = TotpSecret::from(self.app.sealing.open(&seal_of(self.user), &factor.secret).await?);
                let step = secret.step_of(code, factor.now, factor.last_step);
                Ok(step.map(|step| second_factors::use_step(self.user, step)))
            }
            Typed::Recovery(digest) => {
                let is_left = factor.recovery_codes.contains(digest);
                Ok(is_left.then(|| second_factors::use_recovery_code(self.user, digest.clone())))
            }
        }
    }

    /// Takes back a try that was not needed.
    #[must_use]
    pub fn give_back(&self) -> Statement<()> {
        self.bucket.give_back()
    }
}
