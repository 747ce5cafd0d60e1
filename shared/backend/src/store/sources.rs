//! Where money arrives: sources, the digests of their hooks' secrets, and notices that could not become a payment.

use jiff::Timestamp;
use lending::Currency;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    columns,
    db::{ALL, Columns as _, List, Sql, Statement},
    domain::{
        notices::{Unusable, Via},
        sources::Source,
    },
    sql,
    values::{
        page::{Limit, Position},
        phone,
        time::Instant,
    },
};

/// The columns that a change writes.
const EDIT: u8 = 1;

columns! {
    Source {
        code: "code",
        id: "id",
        name: "name" in EDIT,
        provider: "provider",
        account: "account",
        currency: "currency",
        country: "country",
        time_zone: "time_zone",
        validation: "validation" in EDIT,
        active: "active" in EDIT,
        addresses: "addresses" in EDIT,
        created_at: "created_at",
        updated_at: "updated_at" in EDIT,
    }
}

/// Every source.
pub const SOURCES: &str = sql!("SELECT {} FROM payment_sources", List::Names(Source::COLUMNS));

/// Makes a source.
pub const INSERT_SOURCE: &str = sql!(
    "INSERT INTO payment_sources (created_by, calling_code, {}) VALUES ($1, $2, {})",
    List::Names(Source::COLUMNS),
    List::Parameters(Source::COLUMNS, 3),
);

/// Changes what may change of a source.
pub const UPDATE_SOURCE: &str =
    sql!("UPDATE payment_sources SET {} WHERE code = $1", List::Set(Source::COLUMNS, EDIT, 2));

/// Adds a secret.
pub const ADD_SECRET: &str =
    "INSERT INTO payment_source_secrets (source, digest, signing, created_at) VALUES ($1, $2, $3, $4)";

/// Lets the secrets that are good end, at the latest then.
pub const END_SECRETS: &str = "\
UPDATE payment_source_secrets SET expires_at = $2 WHERE source = $1 AND (expires_at IS NULL OR expires_at > $2)";

/// The secrets of a source that are good.
pub const SECRETS: &str = sql!(
    "SELECT {} FROM payment_source_secrets
WHERE source = $1 AND (expires_at IS NULL OR expires_at > clock_timestamp()) ORDER BY created_at DESC",
    List::Names(Secret::COLUMNS),
);

/// Keeps a notice that could not become a payment.
pub const REFUSE: &str = "\
INSERT INTO payment_refusals (id, source, via, received_at, code, detail, raw)
VALUES ($1, $2, $3, clock_timestamp(), $4, $5, $6)";

/// Notices of a source that could not become a payment.
pub const REFUSED: &str =
    sql!("SELECT {} FROM payment_refusals WHERE source = $1", List::Names(RefusedNotice::COLUMNS));

/// A source.
#[must_use]
pub fn source(code: &str) -> Statement<Option<Source>> {
    Sql::new(SOURCES).push_bind(" WHERE code = {}", code.to_owned()).optional()
}

/// A source, locked for a change.
#[must_use]
pub fn lock(code: &str) -> Statement<Option<Source>> {
    Sql::new(SOURCES).push_bind(" WHERE code = {} FOR NO KEY UPDATE", code.to_owned()).optional()
}

/// The source of a payment.
pub const SOURCE_OF_PAYMENT: &str = sql!(
    "SELECT {} FROM payment_sources WHERE code = (SELECT p.source FROM payments p WHERE p.id = $1)",
    List::Names(Source::COLUMNS),
);

/// The source of a payment.
#[must_use]
pub fn of_payment(payment: Uuid) -> Statement<Option<Source>> {
    Sql::new(SOURCE_OF_PAYMENT).bind(payment).optional()
}

/// The source of a provider's account.
#[must_use]
pub fn by_account(provider: &'static str, account: &str) -> Statement<Option<Source>> {
    let sql = Sql::new(SOURCES).push_bind(" WHERE provider = {}", provider);
    sql.push_bind(" AND account = {}", account.to_owned()).optional()
}

/// A page of sources, the newest first.
#[must_use]
pub fn list(after: Option<&Position<Timestamp, String>>, limit: Limit) -> Statement<Vec<Source>> {
    let mut sql = Sql::new(SOURCES).push(" WHERE true");
    if let Some(Position(at, code)) = after {
        sql = sql.push_bind(" AND (created_at, code) < ({}, ", *at).push_bind("{})", code.clone());
    }
    sql.push(" ORDER BY created_at DESC, code DESC").push_bind(" LIMIT {}", limit.and_one()).all()
}

/// Makes a source.
#[must_use]
pub fn insert(source: &Source, by: Uuid) -> Statement<()> {
    let calling_code = source.country.as_deref().and_then(phone::calling_code);
    Sql::new(INSERT_SOURCE).bind(by).bind(calling_code).bind_all(source.parameters(ALL)).execute()
}

/// Changes a source to this.
#[must_use]
pub fn update(source: &Source) -> Statement<()> {
    Sql::new(UPDATE_SOURCE).bind(source.code.clone()).bind_all(source.parameters(EDIT)).execute()
}

/// A secret of a source.
pub struct Secret {
    /// SHA-256 of what is in the hook's address.
    pub digest: Vec<u8>,
    /// The secret that signs notices, sealed.
    pub signing: Option<Vec<u8>>,
}

columns! {
    Secret {
        digest: "digest",
        signing: "signing",
    }
}

/// The purpose that a signing secret of a source is sealed for.
#[must_use]
pub fn seal_of(code: &str) -> String {
    format!("payment_source_secrets:{code}")
}

/// A sealed signing secret, and the source whose it is.
pub struct Sealed {
    /// The source.
    pub source: String,
    /// The digest of the secret beside it.
    pub digest: Vec<u8>,
    /// The secret.
    pub signing: Vec<u8>,
}

columns! {
    Sealed {
        source: "source",
        digest: "digest",
        signing: "signing",
    }
}

/// Every signing secret: a source has a few.
pub const SEALED: &str =
    sql!("SELECT {} FROM payment_source_secrets WHERE signing IS NOT NULL", List::Names(Sealed::COLUMNS));

/// Puts a secret that was sealed again in place of the same one, if that is still there.
pub const SEAL_AGAIN: &str = "SELECT seal_source_secret_again($1, $2, $3, $4)";

/// Every signing secret.
#[must_use]
pub fn sealed() -> Statement<Vec<Sealed>> {
    Sql::new(SEALED).all()
}

/// Puts a secret that was sealed again in place of what it was.
#[must_use]
pub fn seal_again(secret: Sealed, again: Vec<u8>) -> Statement<()> {
    let Sealed { source, digest, signing } = secret;
    Sql::new(SEAL_AGAIN).bind(source).bind(digest).bind(signing).bind(again).execute()
}

/// The secrets of a source that are good.
#[must_use]
pub fn secrets(code: &str) -> Statement<Vec<Secret>> {
    Sql::new(SECRETS).bind(code.to_owned()).all()
}

/// Adds a secret; those before it are good until then.
#[must_use]
pub fn rotate(code: &str, secret: Secret, now: Timestamp, until: Timestamp) -> Vec<Statement<()>> {
    let Secret { digest, signing } = secret;
    let add = Sql::new(ADD_SECRET).bind(code.to_owned()).bind(digest).bind(signing).bind(now).execute();
    vec![Sql::new(END_SECRETS).bind(code.to_owned()).bind(until).execute(), add]
}

/// Keeps a notice that could not become a payment.
#[must_use]
pub fn refuse(code: &str, via: Via, why: &Unusable, raw: &str) -> Statement<()> {
    Sql::new(REFUSE)
        .bind(Uuid::now_v7())
        .bind(code.to_owned())
        .bind(via.as_str())
        .bind(why.code)
        .bind(why.detail.clone())
        .bind(raw.replace('\0', ""))
        .execute()
}

/// A notice that could not become a payment.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RefusedNotice {
    /// Names it.
    pub id: Uuid,
    /// The hook that it came to.
    #[schema(example = "confirmation")]
    pub via: String,
    /// When it came.
    pub received_at: Instant,
    /// Why it could not: a stable code.
    #[schema(example = "another_account")]
    pub code: String,
    /// The reason in words.
    #[schema(example = "was paid to another account")]
    pub detail: String,
    /// The notice as it was sent; kept for 13 months.
    #[schema(example = "{\"TransID\": \"RKTQDM7W6S\"}")]
    pub raw: String,
}

columns! {
    RefusedNotice {
        id: "id",
        via: "via",
        received_at: "received_at",
        code: "code",
        detail: "detail",
        raw: "raw",
    }
}

/// A page of notices of a source that could not become a payment, the latest first.
#[must_use]
pub fn refused(code: &str, after: Option<&Position<Timestamp>>, limit: Limit) -> Statement<Vec<RefusedNotice>> {
    let mut sql = Sql::new(REFUSED).bind(code.to_owned());
    if let Some(Position(at, id)) = after {
        sql = sql.push_bind(" AND (received_at, id) < ({}, ", *at).push_bind("{})", *id);
    }
    sql.push(" ORDER BY received_at DESC, id DESC").push_bind(" LIMIT {}", limit.and_one()).all()
}

/// The zone and the country of a currency that has one of each: what a source is in where nothing is said.
#[must_use]
pub fn home(currency: Currency) -> Option<(&'static str, &'static str)> {
    Some(match currency.code() {
        "KES" => ("KE", "Africa/Nairobi"),
        "TZS" => ("TZ", "Africa/Dar_es_Salaam"),
        "UGX" => ("UG", "Africa/Kampala"),
        "RWF" => ("RW", "Africa/Kigali"),
        "ETB" => ("ET", "Africa/Addis_Ababa"),
        "GHS" => ("GH", "Africa/Accra"),
        "NGN" => ("NG", "Africa/Lagos"),
        "ZAR" => ("ZA", "Africa/Johannesburg"),
        "ZMW" => ("ZM", "Africa/Lusaka"),
        "MWK" => ("MW", "Africa/Blantyre"),
        "MZN" => ("MZ", "Africa/Maputo"),
        "EGP" => ("EG", "Africa/Cairo"),
        "INR" => ("IN", "Asia/Kolkata"),
        "BDT" => ("BD", "Asia/Dhaka"),
        "PKR" => ("PK", "Asia/Karachi"),
        "NPR" => ("NP", "Asia/Kathmandu"),
        "LKR" => ("LK", "Asia/Colombo"),
        "VND" => ("VN", "Asia/Ho_Chi_Minh"),
        "PHP" => ("PH", "Asia/Manila"),
        "THB" => ("TH", "Asia/Bangkok"),
        "KHR" => ("KH", "Asia/Phnom_Penh"),
        "JPY" => ("JP", "Asia/Tokyo"),
        "GBP" => ("GB", "Europe/London"),
        "CHF" => ("CH", "Europe/Zurich"),
        "PLN" => ("PL", "Europe/Warsaw"),
        _ => return None,
    })
}
