//! Hooks: providers tell of money here. Public routes; the caller proves itself by a secret in the address. It is in no
//! log: the log has the route's pattern, the gateway's its key.

use aws_lc_rs::constant_time;
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use backend::{
    app::App,
    auth::{
        limits::{Bucket, address_part},
        sealing::Sealing,
    },
    domain::{
        notices::{Told, Unusable, Via},
        payments::Payment,
        sources::{Provider, Source, Validation},
    },
    http::{body::Input, path::PathParameter, problem::Problem, shape},
    store::{
        audit::{self, Subject},
        payments::{self, Readings},
        sources::{self, Secret, seal_of},
    },
    values::{address::ClientAddress, moment::Moment, network},
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    answers::{ACKNOWLEDGED, Code, MpesaAnswer},
    arrive::{Arrival, Known, Next, Refused},
    mpesa::{self, MpesaCallback, MpesaNotice},
    signed::{Signed, SignedPayment},
    sources::SourceCode,
};

/// The answer to another system.
#[derive(Serialize, ToSchema)]
pub(crate) struct Received {
    /// Names the payment.
    id: Uuid,
}

/// A call of a hook.
struct Call {
    app: App,
    address: ClientAddress,
    source: String,
    digest: [u8; 32],
}

impl Call {
    fn new(app: App, address: ClientAddress, path: &PathParameter) -> Self {
        let digest = Sha256::digest(path.nth(1).as_bytes()).into();
        // No source has an empty code.
        let source = SourceCode::of(path).unwrap_or_default().to_owned();
        Self { app, address, source, digest }
    }

    /// The source, if the secret is one of its own and the hook is of its provider.
    fn admit(&self, source: Option<Source>, secrets: &[Secret], provider: Provider) -> Option<Source> {
        // Of equal length: both are digests.
        let is_same = |secret: &Secret| constant_time::verify_slices_are_equal(&secret.digest, &self.digest).is_ok();
        let is_known = secrets.iter().filter(|secret| is_same(secret)).count() > 0;
        source.filter(|source| is_known && source.provider == provider)
    }

    /// Counts a wrong secret. Right ones are never counted, and never refused because of wrong ones.
    async fn unknown(&self) -> Problem {
        let bucket = Bucket::new("hook_address", &[&address_part(self.address.0)], self.app.limits.hook_address);
        let counted = async {
            let (tx, level) = self.app.db.begin(&bucket.count()).await?;
            match bucket.allow(level) {
                Ok(()) => tx.commit(Vec::new()).await?,
                Err(problem) => {
                    tx.rollback().await;
                    return Ok::<_, Problem>(problem);
                }
            }
            Ok(Problem::not_found())
        };
        counted.await.unwrap_or_else(|problem| problem)
    }

    /// Refuses an address outside the source's networks, if it has any.
    fn comes_from(&self, source: &Source) -> Result<(), Problem> {
        let is_in = |network: &String| self.address.0.is_some_and(|address| network::contains(network, address));
        if source.addresses.is_empty() || source.addresses.iter().any(is_in) {
            return Ok(());
        }
        let detail = "This address is outside the networks from which the source's hooks may be called.";
        Err(Problem::forbidden("address_refused", detail))
    }

    /// Keeps a notice that cannot become a payment. Where this fails, the provider has to send it again.
    async fn keep_refused(&self, via: Via, why: &Unusable, raw: &str) -> Result<(), Problem> {
        let (tx, ()) = self.app.db.begin(&()).await?;
        let detail = json!({"code": why.code, "via": via.as_str()});
        let subject = Subject::Source(self.source.clone());
        let logged = audit::record(None, &self.address, "payment.refuse", &subject, detail);
        Ok(tx.commit(vec![sources::refuse(&self.source, via, why, raw), logged]).await?)
    }

    /// Keeps a notice that cannot become a payment, and gives its refusal.
    async fn refuse(&self, via: Via, why: Unusable, raw: &str) -> Problem {
        let kept = self.keep_refused(via, &why, raw).await;
        kept.err().unwrap_or_else(|| Problem::field(why.pointer, why.code, why.detail))
    }

    /// Reads the source alone, where there is nothing to record.
    async fn source(&self, provider: Provider) -> Result<Source, Problem> {
        let (source, secrets) =
            self.app.db.read(&(sources::source(&self.source), sources::secrets(&self.source))).await?;
        match self.admit(source, &secrets, provider) {
            Some(source) => self.comes_from(&source).map(|()| source),
            None => Err(self.unknown().await),
        }
    }

    /// Records what was told. The answer is given once it is committed.
    async fn record(
        &self,
        provider: Provider,
        via: Via,
        raw: &str,
        told: Told,
        signed: Option<&Signed>,
    ) -> Result<Payment, Problem> {
        let mut arrival = Arrival::new(self.source.clone(), via, raw.to_owned(), told);
        loop {
            let (tx, rows) = self.app.db.begin(&arrival.statements()).await?;
            let ((source, secrets), hit, loan, (turn, payment, by_hand, is_same)) = rows;
            let Some(source) = self.admit(source, &secrets, provider) else {
                tx.rollback().await;
                return Err(self.unknown().await);
            };
            let now = turn.0;
            let allowed = match self.comes_from(&source) {
                Ok(()) => is_signed(&self.app.sealing, &self.source, &secrets, signed, raw, now).await,
                refused => refused,
            };
            if let Err(problem) = allowed {
                tx.rollback().await;
                return Err(problem);
            }
            let at = Moment { now, today: self.app.date_of(now), zone: &self.app.zone };
            let known = Known { hit, loan, payment, by_hand, is_same };
            match arrival.decide(known, &source, source.id, (at, &self.address)) {
                Ok(Next::Again(reference)) => {
                    tx.rollback().await;
                    arrival.reference = reference;
                }
                Ok(Next::Arrived(arrived)) => return arrived.write(tx).await,
                Err(Refused::Unusable(why)) => {
                    tx.rollback().await;
                    return Err(self.refuse(via, why, raw).await);
                }
                Err(refused @ Refused::Defect(_)) => {
                    tx.rollback().await;
                    return Err(refused.into());
                }
            }
        }
    }
}

/// Refuses a message that is not signed by the source.
async fn is_signed(
    sealing: &Sealing,
    code: &str,
    secrets: &[Secret],
    signed: Option<&Signed>,
    raw: &str,
    now: Timestamp,
) -> Result<(), Problem> {
    let Some(signed) = signed else { return Ok(()) };
    let mut opened = Vec::new();
    for secret in secrets {
        if let Some(sealed) = &secret.signing {
            opened.push(sealing.open(&seal_of(code), sealed).await?);
        }
    }
    if signed.is_by(&opened, raw, now) { Ok(()) } else { Err(bad_signature()) }
}

fn bad_signature() -> Problem {
    let detail =
        "The message is not signed by the source's secret as Standard Webhooks 1.0 say, or not within five minutes.";
    Problem::unauthorized("bad_signature", detail)
}

/// A provider sends again whatever was not stored: a conflict with another request becomes 503.
fn to_be_sent_again(problem: Problem) -> Problem {
    if problem.status() == StatusCode::CONFLICT { Problem::unavailable().caused_by(problem.code()) } else { problem }
}

/// Validate a payment for M-Pesa.
///
/// Tells whether it is wanted, and stores nothing.
#[utoipa::path(
    post, path = "/api/hooks/{source}/{secret}/validation", tag = "payments", request_body = MpesaNotice,
    responses(
        (status = 200, description = "`C2B00012` if the payment is not wanted", body = MpesaAnswer),
        (status = 403, description = "The caller's address is outside the source's networks (`address_refused`)"),
        (status = 429, description = "There were too many wrong secrets from this address (`too_many_attempts`)"))
)]
pub(crate) async fn validate_mpesa(
    State(app): State<App>,
    address: ClientAddress,
    path: PathParameter,
    input: Input,
) -> Result<Json<MpesaAnswer>, Problem> {
    let call = Call::new(app, address, &path);
    let told = input.json_text().map(mpesa::confirmation);
    let reference = told.as_ref().ok().and_then(|told| told.as_ref().ok()).and_then(|told| told.reference.clone());
    let find = payments::find_loan(&call.source, Readings::of(reference.as_deref()));
    let read = (sources::source(&call.source), sources::secrets(&call.source), find);
    let (source, secrets, hit) = call.app.db.read(&read).await?;
    let Some(source) = call.admit(source, &secrets, Provider::Mpesa) else { return Err(call.unknown().await) };
    call.comes_from(&source)?;
    told?.map_err(|why| Problem::field(why.pointer, why.code, why.detail))?;
    let is_wanted = source.active && (source.validation == Validation::Open || hit.loan.is_some());
    Ok(Json(if is_wanted {
        MpesaAnswer { ResultCode: Code::Text("0"), ResultDesc: "Accepted" }
    } else {
        MpesaAnswer { ResultCode: Code::Text("C2B00012"), ResultDesc: "Rejected" }
    }))
}

/// Confirm a payment of M-Pesa.
///
/// The confirmation of a payment to a short code, as M-Pesa sends it.
#[utoipa::path(
    post, path = "/api/hooks/{source}/{secret}/confirmation", tag = "payments", request_body = MpesaNotice,
    responses(
        (status = 200, description = "The payment is recorded", body = MpesaAnswer),
        (status = 403, description = "The caller's address is outside the source's networks (`address_refused`)"),
        (status = 429, description = "There were too many wrong secrets from this address (`too_many_attempts`)"))
)]
pub(crate) async fn confirm_mpesa(
    State(app): State<App>,
    address: ClientAddress,
    path: PathParameter,
    input: Input,
) -> Result<Json<MpesaAnswer>, Problem> {
    let told = |raw: &str| mpesa::confirmation(raw).map(Some);
    confirm(&Call::new(app, address, &path), Via::Confirmation, &input, told).await
}

/// Confirm an STK push.
///
/// A callback as M-Pesa sends it. One without money is answered and leaves nothing.
#[utoipa::path(
    post, path = "/api/hooks/{source}/{secret}/stk", tag = "payments", request_body = MpesaCallback,
    responses(
        (status = 200, description = "The payment is recorded, or there is none", body = MpesaAnswer),
        (status = 403, description = "The caller's address is outside the source's networks (`address_refused`)"),
        (status = 429, description = "There were too many wrong secrets from this address (`too_many_attempts`)"))
)]
pub(crate) async fn confirm_stk(
    State(app): State<App>,
    address: ClientAddress,
    path: PathParameter,
    input: Input,
) -> Result<Json<MpesaAnswer>, Problem> {
    confirm(&Call::new(app, address, &path), Via::Stk, &input, mpesa::stk).await
}

/// Records the payment of a notice of M-Pesa, if it tells of one.
async fn confirm(
    call: &Call,
    via: Via,
    input: &Input,
    told: impl FnOnce(&str) -> Result<Option<Told>, Unusable>,
) -> Result<Json<MpesaAnswer>, Problem> {
    let told = input.json_text().map(|raw| (raw, told(raw)));
    let recorded = match told {
        Ok((raw, Ok(Some(told)))) => Box::pin(call.record(Provider::Mpesa, via, raw, told, None)).await.map(|_| ()),
        Ok((_, Ok(None))) => call.source(Provider::Mpesa).await.map(|_| ()),
        Ok((raw, Err(why))) => match call.source(Provider::Mpesa).await {
            Ok(_) => Err(call.refuse(via, why, raw).await),
            Err(problem) => Err(problem),
        },
        Err(problem) => call.source(Provider::Mpesa).await.and(Err(problem)),
    };
    recorded.map(|()| Json(ACKNOWLEDGED)).map_err(to_be_sent_again)
}

/// Receive a signed payment.
///
/// From any system, signed as Standard Webhooks 1.0 say.
#[utoipa::path(
    post, path = "/api/hooks/{source}/{secret}/payment", tag = "payments", request_body = SignedPayment,
    params(
        ("webhook-id" = Option<String>, Header, description = "Names the message"),
        ("webhook-timestamp" = Option<String>, Header, description = "When it was sent, seconds since 1970"),
        ("webhook-signature" = Option<String>, Header,
            description = "`v1,` and the signature in base64; several with blanks between")),
    responses(
        (status = 200, description = "The payment is recorded", body = Received),
        (status = 401, description = "The signature is missing, wrong or older than five minutes (`bad_signature`)"),
        (status = 403, description = "The caller's address is outside the source's networks (`address_refused`)"),
        (status = 429, description = "There were too many wrong secrets from this address (`too_many_attempts`)"))
)]
pub(crate) async fn receive_payment(
    State(app): State<App>,
    address: ClientAddress,
    path: PathParameter,
    headers: HeaderMap,
    input: Input,
) -> Result<Json<Received>, Problem> {
    let call = Call::new(app, address, &path);
    // Read before anything is locked: it may come from far away.
    call.app.sealing.warm_up().await?;
    let signed = Signed::of(&headers);
    let raw = match input.json_text() {
        Ok(raw) => raw,
        Err(problem) => return Err(call.source(Provider::Json).await.err().unwrap_or(problem)),
    };
    let recorded = match (shape::deserialize::<SignedPayment>(raw), &signed) {
        (Ok(body), Some(signed)) => {
            Box::pin(call.record(Provider::Json, Via::Payment, raw, body.told(), Some(signed))).await
        }
        (body, signed) => {
            let read = (sources::source(&call.source), sources::secrets(&call.source));
            let (source, secrets) = call.app.db.read(&read).await?;
            let Some(source) = call.admit(source, &secrets, Provider::Json) else { return Err(call.unknown().await) };
            call.comes_from(&source)?;
            let signed = signed.as_ref().ok_or_else(bad_signature)?;
            is_signed(&call.app.sealing, &call.source, &secrets, Some(signed), raw, Timestamp::now()).await?;
            let Err(problem) = body else { return Err(bad_signature()) };
            let first = problem.errors().first();
            let code = first.map_or_else(|| "invalid_value".to_owned(), |error| error.code.to_string());
            let code = backend::http::codes::known(&code);
            let why = Unusable::new("", code, first.map_or_else(String::new, |error| error.detail.clone()));
            Err(call.keep_refused(Via::Payment, &why, raw).await.err().unwrap_or(problem))
        }
    };
    recorded.map(|payment| Json(Received { id: payment.id })).map_err(to_be_sent_again)
}
