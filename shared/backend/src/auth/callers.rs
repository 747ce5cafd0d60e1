//! Who may call: one extractor type for each kind of caller, named in a handler's signature.
//!
//! The extractor checks the token's signature and role without a query. The session and the user's status are checked
//! by a query that travels with the handler's first one: [`Guard::read`] and [`Guard::begin`] are the ways to a
//! [`Caller`], and they return no part of the handler's answer if the session is over.

use std::marker::PhantomData;

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    limits::Bucket,
    tokens::{Claims, Tokens},
};
use crate::{
    app::App,
    config::RequireTotp,
    db::{Batch, Db, DbError, FromRow, Sql, Statement, Tx, column},
    domain::{caller::Caller, users::Role},
    http::{layers::CallerId, problem::Problem, query::QueryString, seal::Binding},
    values::address::ClientAddress,
};

/// A kind of caller: the roles it comprises.
pub trait Kind: Send + Sync + 'static {
    /// The roles.
    const ROLES: &'static [Role];
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident, $marker:ident: $($role:ident),+;)*) => {
        $(
            #[doc = concat!("Marks [`", stringify!($name), "`].")]
            pub struct $marker;
            impl Kind for $marker {
                const ROLES: &'static [Role] = &[$(Role::$role),+];
            }
            $(#[$doc])*
            pub type $name = Guard<$marker>;
        )*
    };
}

kinds! {
    /// Any user with a valid session.
    AnyUser, IsAnyUser: Customer, Agent, Admin;
    /// An agent whom an admin has approved.
    Agent, IsAgent: Agent;
    /// An admin.
    Admin, IsAdmin: Admin;
    /// An agent or an admin.
    Staff, IsStaff: Agent, Admin;
    /// A customer or an admin.
    CustomerOrAdmin, IsCustomerOrAdmin: Customer, Admin;
    /// A customer or an agent.
    Applicant, IsApplicant: Customer, Agent;
}

/// A caller whose token we signed and whose role may call; the session has not been checked yet.
pub struct Guard<K> {
    claims: Claims,
    address: ClientAddress,
    db: Db,
    tokens: Tokens,
    /// A customer's commands are limited; staff's are not.
    writes: Option<Bucket>,
    /// True if this caller may do nothing here without a second factor.
    needs_totp: bool,
    kind: PhantomData<K>,
}

/// The session's user, if the session is not over and the user is active.
pub const SESSION: &str = "\
SELECT u.username, u.totp_since IS NOT NULL AS has_totp, clock_timestamp() AS now
FROM sessions s JOIN users u ON u.id = s.user_id
WHERE s.id = $1 AND s.user_id = $2 AND s.expires_at > now() AND u.status = 'active'";

struct Session {
    username: String,
    has_totp: bool,
    now: Timestamp,
}

impl FromRow for Session {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self { username: column(row, "username")?, has_totp: column(row, "has_totp")?, now: column(row, "now")? })
    }
}

/// Where a second factor begins and is confirmed, and sessions begin and end.
const WITHOUT_TOTP: &str = "/api/auth/";

const fn must_have_totp(require: RequireTotp, role: Role) -> bool {
    match (require, role) {
        (RequireTotp::Admin | RequireTotp::Staff, Role::Admin) | (RequireTotp::Staff, Role::Agent) => true,
        (RequireTotp::None, Role::Customer | Role::Agent | Role::Admin)
        | (RequireTotp::Admin, Role::Customer | Role::Agent)
        | (RequireTotp::Staff, Role::Customer) => false,
    }
}

impl<K: Kind> FromRequestParts<App> for Guard<K> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let token = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or_else(Problem::unauthenticated)?;
        let claims = app.tokens.check(token).await?;
        CallerId::note(&parts.extensions, claims.sub);
        let Ok(address) = ClientAddress::from_request_parts(parts, app).await;
        let writes = (claims.role == Role::Customer)
            .then(|| Bucket::new("customer_writes", &[&claims.sub.to_string()], app.limits.customer_writes));
        let tokens = app.tokens.clone();
        let is_exempt = parts.uri.path().starts_with(WITHOUT_TOTP);
        let needs_totp = must_have_totp(app.require_totp, claims.role) && !is_exempt;
        let guard = Self { claims, address, db: app.db.clone(), tokens, writes, needs_totp, kind: PhantomData };
        if K::ROLES.contains(&claims.role) {
            return Ok(guard);
        }
        // 401 wins over 403: a session that is over learns nothing more.
        guard.refuse(Problem::forbidden("forbidden", "Your role does not allow this.")).await
    }
}

impl<K: Kind> Guard<K> {
    /// The id that the token names. Use it to build the first queries: only a valid session gets their answers.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.claims.sub
    }

    /// The role that the token names: as [`id`](Self::id).
    #[must_use]
    pub fn role(&self) -> Role {
        self.claims.role
    }

    /// Where the request came from.
    #[must_use]
    pub fn address(&self) -> &ClientAddress {
        &self.address
    }

    /// Binds the cursors of a list to this caller and this query.
    ///
    /// # Errors
    ///
    /// 503 if the keys cannot be read.
    pub async fn binding(&self, query: &QueryString) -> Result<Binding, Problem> {
        Ok(query.binding(self.tokens.cursor_keys().await?, self.id()))
    }

    fn session(&self) -> Statement<Option<Session>> {
        Sql::new(SESSION).bind(self.claims.sid).bind(self.claims.sub).optional()
    }

    fn admit(&self, session: Option<Session>) -> Result<Caller, Problem> {
        let Session { username, has_totp, now } = session.ok_or_else(Problem::unauthenticated)?;
        if self.needs_totp && !has_totp {
            let detail = "Your role needs a second factor: begin one with POST /api/auth/totp.";
            return Err(Problem::forbidden("totp_enrolment_required", detail));
        }
        let Claims { sub: id, sid: session, role, .. } = self.claims;
        Ok(Caller { id, session, username, role, address: self.address.clone(), now })
    }

    /// Checks the session and runs statements that write nothing, in one round trip.
    ///
    /// # Errors
    ///
    /// 401 if the session is over, and 403 if the caller has to have a second factor first, whatever the statements
    /// returned; 503 without a database.
    pub async fn read<B: Batch + Sync>(&self, batch: B) -> Result<(Caller, B::Answer), Problem>
    where
        B::Answer: Send,
    {
        let (session, answer) = self.db.read_after(&self.session(), &batch).await?;
        Ok((self.admit(session)?, answer))
    }

    /// Opens a transaction, runs its first statements and checks the session, in one round trip.
    ///
    /// The session comes last, so that [`Caller::now`] is read when every lock is held: of two commands on one thing,
    /// the one that takes effect later has the later time.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), and 429 where a customer writes too often; nothing is written then.
    pub async fn begin<B: Batch + Sync>(&self, batch: B) -> Result<(Tx, Caller, B::Answer), Problem>
    where
        B::Answer: Send,
    {
        // A command that is refused rolls back, and does not count.
        let counted = self.writes.as_ref().map(Bucket::count);
        let (tx, (answer, counted, session)) = self.db.begin(&(batch, counted, self.session())).await?;
        let admitted = self.admit(session).and_then(|caller| {
            if let (Some(bucket), Some(level)) = (&self.writes, counted) {
                bucket.allow(level)?;
            }
            Ok(caller)
        });
        match admitted {
            Ok(caller) => Ok((tx, caller, answer)),
            Err(problem) => {
                tx.rollback().await;
                Err(problem)
            }
        }
    }

    /// Passes on a value that was read from the request before the session was checked, or its refusal. Only a valid
    /// session sees either.
    ///
    /// # Errors
    ///
    /// 401 if the session is over, else the refusal.
    pub async fn check<T, E: Into<Problem>>(&self, value: Result<T, E>) -> Result<T, Problem> {
        match value {
            Ok(value) => Ok(value),
            Err(refusal) => self.refuse(refusal.into()).await,
        }
    }

    async fn refuse<T>(&self, problem: Problem) -> Result<T, Problem> {
        self.read(()).await?;
        Err(problem)
    }
}

/// Who reads what is open to anyone: a user, whose role may show more, or somebody without a token that is valid.
pub struct Visitor(Option<Guard<IsAnyUser>>);

impl FromRequestParts<App> for Visitor {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        Ok(Self(AnyUser::from_request_parts(parts, app).await.ok()))
    }
}

impl Visitor {
    /// True if the token names a member of staff: as [`Guard::role`].
    #[must_use]
    pub fn is_staff(&self) -> bool {
        self.0.as_ref().is_some_and(|guard| IsStaff::ROLES.contains(&guard.role()))
    }

    /// Runs statements that write nothing, in one round trip; with the role of a user whose session is not over.
    ///
    /// # Errors
    ///
    /// 503 without a database.
    pub async fn read<B: Batch + Sync>(&self, db: &Db, batch: B) -> Result<(Option<Role>, B::Answer), Problem>
    where
        B::Answer: Send,
    {
        let Some(guard) = &self.0 else { return Ok((None, db.read(&batch).await?)) };
        let (session, answer) = db.read_after(&guard.session(), &batch).await?;
        Ok((guard.admit(session).ok().map(|caller| caller.role), answer))
    }
}
