//! Who may call: one extractor type for each kind of caller, named in a handler's signature.
//!
//! The extractor checks the token's signature and role without a query. The session and the user's status are checked
//! by a query that travels with the handler's first one: [`Guard::read`] and [`Guard::begin`] are the ways to a
//! [`Caller`], and they return no part of the handler's answer if the session is over.
//!
//! A key has no signature. It is checked by a query that travels before the handler's first one, in one transaction
//! with it: with a key that is not good nothing is read and nothing is locked.

use std::marker::PhantomData;

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    api_keys::{PREFIX, SentKey},
    limits::Bucket,
    tokens::Tokens,
};
use crate::{
    app::App,
    config::RequireTotp,
    db::{Batch, Db, DbError, FromRow, Sql, Statement, Tx, column},
    domain::{caller::Caller, keys::Scope, users::Role},
    http::{layers::CallerId, operations::NeededScope, problem::Problem, query::QueryString, seal::Binding},
    values::address::ClientAddress,
};

/// A kind of caller: the roles it comprises.
pub trait Kind: Send + Sync + 'static {
    /// The roles.
    const ROLES: &'static [Role];
    /// False for people alone: no key may, whatever its scopes.
    const TAKES_KEYS: bool;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident, $marker:ident: $($role:ident),+; takes keys: $keys:literal;)*) => {
        $(
            #[doc = concat!("Marks [`", stringify!($name), "`].")]
            pub struct $marker;
            impl Kind for $marker {
                const ROLES: &'static [Role] = &[$(Role::$role),+];
                const TAKES_KEYS: bool = $keys;
            }
            $(#[$doc])*
            pub type $name = Guard<$marker>;
        )*
    };
}

kinds! {
    /// Any user with a valid session.
    AnyUser, IsAnyUser: Customer, Agent, Admin; takes keys: true;
    /// An agent whom an admin has approved.
    Agent, IsAgent: Agent; takes keys: true;
    /// An admin.
    Admin, IsAdmin: Admin; takes keys: true;
    /// An agent or an admin.
    Staff, IsStaff: Agent, Admin; takes keys: true;
    /// A customer or an admin.
    CustomerOrAdmin, IsCustomerOrAdmin: Customer, Admin; takes keys: true;
    /// A customer or an agent.
    Applicant, IsApplicant: Customer, Agent; takes keys: true;
    /// An admin who has logged in: for accounts, and for answers with a secret.
    AdminInPerson, IsAdminInPerson: Admin; takes keys: false;
    /// An agent or an admin who has logged in.
    StaffInPerson, IsStaffInPerson: Agent, Admin; takes keys: false;
}

/// A caller whose token we signed or whose key may be good, and whose role may call; neither session nor key has been
/// checked yet.
pub struct Guard<K> {
    id: Uuid,
    role: Role,
    credential: Credential,
    address: ClientAddress,
    db: Db,
    tokens: Tokens,
    /// A customer's commands are limited; staff's are not.
    writes: Option<Bucket>,
    /// True if a person of this role may do nothing here without a second factor. A key has none: who made it had one.
    needs_totp: bool,
    kind: PhantomData<K>,
}

/// What a caller calls with.
enum Credential {
    /// A session.
    Session(Uuid),
    /// A key.
    Key {
        digest: Vec<u8>,
        /// The scope that it needs; none where no key may call.
        needs: Option<Scope>,
        /// Where to note whose it is, once that is known.
        log: CallerId,
    },
}

/// The session's user, if the session is not over and the user is active.
pub const SESSION: &str = "\
SELECT u.username, NULL::text[] AS scopes, u.totp_since IS NOT NULL AS has_totp, clock_timestamp() AS now
FROM sessions s JOIN users u ON u.id = s.user_id
WHERE s.id = $1 AND s.user_id = $2 AND s.expires_at > now() AND u.status = 'active'";

/// The user that a key is, with its scopes; an error if the key is not good.
pub const KEY: &str = "SELECT username, scopes, false AS has_totp, clock_timestamp() AS now FROM use_key($1, $2, $3)";

/// Begins the transaction of a key's reads.
const BEGIN: &str = "BEGIN";

/// Ends it.
const COMMIT: &str = "COMMIT";

struct Session {
    username: String,
    scopes: Option<Vec<String>>,
    has_totp: bool,
    now: Timestamp,
}

impl FromRow for Session {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        Ok(Self {
            username: column(row, "username")?,
            scopes: column(row, "scopes")?,
            has_totp: column(row, "has_totp")?,
            now: column(row, "now")?,
        })
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
        let log = CallerId::of(&parts.extensions);
        let (id, role, credential) = if token.starts_with(PREFIX) {
            let key = SentKey::parse(token).ok_or_else(Problem::unauthenticated)?;
            let scope = parts.extensions.get().map(|NeededScope(scope)| *scope);
            let needs = scope.filter(|scope| K::TAKES_KEYS && scope.area.takes_keys());
            (key.id, key.role.into(), Credential::Key { digest: key.digest, needs, log })
        } else {
            let claims = app.tokens.check(token).await?;
            log.note(claims.sub);
            (claims.sub, claims.role, Credential::Session(claims.sid))
        };
        let Ok(address) = ClientAddress::from_request_parts(parts, app).await;
        let writes = (role == Role::Customer)
            .then(|| Bucket::new("customer_writes", &[&id.to_string()], app.limits.customer_writes));
        let tokens = app.tokens.clone();
        let is_exempt = parts.uri.path().starts_with(WITHOUT_TOTP);
        let needs_totp = must_have_totp(app.require_totp, role) && !is_exempt;
        let guard =
            Self { id, role, credential, address, db: app.db.clone(), tokens, writes, needs_totp, kind: PhantomData };
        if matches!(guard.credential, Credential::Key { needs: None, .. }) {
            let detail = "No key may do this, whatever its scopes: log in as a person.";
            return guard.refuse(Problem::forbidden("not_for_keys", detail)).await;
        }
        if K::ROLES.contains(&role) {
            return Ok(guard);
        }
        // 401 wins over 403: a session that is over learns nothing more.
        guard.refuse(Problem::forbidden("forbidden", "Your role does not allow this.")).await
    }
}

impl<K: Kind> Guard<K> {
    /// The id that the token or the key names. Use it to build the first queries: only a valid session and a good key
    /// get their answers.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// The role that the token or the key names: as [`id`](Self::id).
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// True for a key.
    #[must_use]
    pub fn is_key(&self) -> bool {
        matches!(self.credential, Credential::Key { .. })
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
        match &self.credential {
            Credential::Session(session) => Sql::new(SESSION).bind(*session).bind(self.id).optional(),
            Credential::Key { digest, .. } => {
                Sql::new(KEY).bind(self.id).bind(digest.clone()).bind(self.role.as_str()).optional()
            }
        }
    }

    fn admit(&self, session: Option<Session>) -> Result<Caller, Problem> {
        let Session { username, scopes, has_totp, now } = session.ok_or_else(Problem::unauthenticated)?;
        let (session, is_key) = match &self.credential {
            Credential::Session(_) if self.needs_totp && !has_totp => {
                let detail = "Your role needs a second factor: begin one with POST /api/auth/totp.";
                return Err(Problem::forbidden("totp_enrolment_required", detail));
            }
            Credential::Session(session) => (*session, false),
            Credential::Key { needs, log, .. } => {
                log.note(self.id);
                if let Some(needed) = needs.map(|scope| scope.to_string())
                    && !scopes.is_some_and(|scopes| scopes.contains(&needed))
                {
                    let detail = format!("The key lacks the scope {needed}, which this asks for.");
                    return Err(Problem::forbidden("scope_missing", detail));
                }
                (self.id, true)
            }
        };
        Ok(Caller { id: self.id, session, is_key, username, role: self.role, address: self.address.clone(), now })
    }

    async fn read_with_session<B: Batch + Sync>(&self, batch: B) -> Result<(Option<Session>, B::Answer), DbError>
    where
        B::Answer: Send,
    {
        match &self.credential {
            Credential::Session(_) => self.db.read_after(&self.session(), &batch).await,
            Credential::Key { .. } => {
                // A key that is not good ends the transaction: nothing behind it is executed.
                let first = (Sql::new(BEGIN).execute(), self.session());
                let rest = (batch, Sql::new(COMMIT).execute());
                let (((), session), (answer, ())) = self.db.read_after(&first, &rest).await?;
                Ok((session, answer))
            }
        }
    }

    /// Checks the session and runs statements that write nothing, in one round trip.
    ///
    /// # Errors
    ///
    /// 401 if the session is over, and 403 if the caller has to have a second factor first or is a key without the
    /// scope, whatever the statements returned; 503 without a database.
    pub async fn read<B: Batch + Sync>(&self, batch: B) -> Result<(Caller, B::Answer), Problem>
    where
        B::Answer: Send,
    {
        let (session, answer) = self.read_with_session(batch).await?;
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
        // A key comes first as well: only a good one locks anything.
        let key = self.is_key().then(|| self.session());
        let (tx, (_, answer, counted, session)) = self.db.begin(&(key, batch, counted, self.session())).await?;
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
        // Whose session is over, and a key that may not read here, see what anybody sees.
        let is_key = guard.is_key();
        match guard.read_with_session(&batch).await {
            Ok((session, answer)) => Ok((guard.admit(session).ok().map(|caller| caller.role), answer)),
            Err(DbError::Refused { .. }) if is_key => Ok((None, db.read(&batch).await?)),
            Err(error) => Err(error.into()),
        }
    }
}
