//! Notices of money that arrived, held against their source. Pure.

use jiff::{Timestamp, civil::Date, civil::DateTime, tz::TimeZone};
use lending::{Currency, Money, is_blank};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{refusal::Refusal, sources::Source},
    values::{moment::Moment, phone},
};

/// How a notice came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// A confirmation of M-Pesa.
    Confirmation,
    /// A callback of M-Pesa's STK push.
    Stk,
    /// Signed JSON.
    Payment,
    /// An admin.
    Manual,
    /// A statement of the account.
    Statement,
}

impl Via {
    /// As the database writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmation => "confirmation",
            Self::Stk => "stk",
            Self::Payment => "payment",
            Self::Manual => "manual",
            Self::Statement => "statement",
        }
    }
}

/// When money was paid, as it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToldTime {
    /// An instant.
    At(Timestamp),
    /// A time of the source's zone.
    Local(DateTime),
    /// A date alone.
    On(Date),
}

/// A notice as it was told, not held against its source yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The receipt.
    pub external_id: String,
    /// The amount as text.
    pub amount: String,
    /// The currency, where it was told.
    pub currency: Option<String>,
    /// The account that was paid to, where it was told.
    pub account: Option<String>,
    /// When.
    pub time: ToldTime,
    /// The account number or text that the payer typed.
    pub reference: Option<String>,
    /// Who paid.
    pub payer: Payer,
}

/// Who paid, as far as that was told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Payer)]
pub struct Payer {
    /// The name.
    #[schema(example = "John Kamau")]
    pub name: Option<String>,
    /// The telephone number; some providers mask it.
    #[schema(example = "+254708374149")]
    pub phone: Option<String>,
    /// The account.
    pub account: Option<String>,
}

/// Why a notice cannot become a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// A pointer to the field of a payment that is at fault.
    pub pointer: &'static str,
    /// Stable code.
    pub code: &'static str,
    /// The reason in words, without anything personal.
    pub detail: String,
}

impl Unusable {
    /// A reason.
    #[must_use]
    pub fn new(pointer: &'static str, code: &'static str, detail: impl Into<String>) -> Self {
        Self { pointer, code, detail: detail.into() }
    }
}

impl From<Unusable> for Refusal {
    fn from(Unusable { pointer, code, detail }: Unusable) -> Self {
        Self::field(pointer, code, detail)
    }
}

/// A notice of money that can be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The receipt.
    pub external_id: String,
    /// How much.
    pub amount: Money,
    /// When, if more than the date was told.
    pub paid_at: Option<Timestamp>,
    /// The business date, at most today.
    pub paid_on: Date,
    /// The account number or text that the payer typed.
    pub reference: Option<String>,
    /// Who paid.
    pub payer: Payer,
}

/// Text of a notice: outer blanks do not count, nothing that shows nothing is kept, and what is too long is cut.
#[must_use]
pub fn kept(text: Option<String>, longest: usize) -> Option<String> {
    let text: String = text?.chars().filter(|c| !c.is_control()).take(longest).collect();
    let text = text.trim();
    (!is_blank(text)).then(|| text.to_owned())
}

/// An amount as notices and statements write it: zeros beyond the decimals of the currency say nothing.
///
/// # Errors
///
/// Why the text is no amount of the currency.
pub fn money(text: &str, currency: Currency) -> Result<Money, Unusable> {
    let decimals = currency.decimals() as usize;
    let text = text.trim();
    let shortened = match text.split_once('.') {
        Some((whole, fraction)) if fraction.len() > decimals && fraction.is_ascii() => {
            let (kept, zeros) = fraction.split_at(decimals);
            let is_zero = zeros.bytes().all(|digit| digit == b'0');
            match (is_zero, decimals) {
                (false, _) => text.to_owned(),
                (true, 0) => whole.to_owned(),
                (true, _) => format!("{whole}.{kept}"),
            }
        }
        _ => text.to_owned(),
    };
    Money::parse(&shortened, currency).map_err(|error| Unusable::new("/amount", error.code(), error.to_string()))
}

impl Notice {
    /// The notice, held against its source.
    ///
    /// # Errors
    ///
    /// Why it cannot become a payment: another account or currency, no amount, no time, no receipt.
    pub fn of(told: Told, source: &Source, at: Moment<'_>) -> Result<Self, Unusable> {
        let Told { external_id, amount: told_amount, currency, account, time, reference, payer } = told;
        if account.is_some_and(|account| account != source.account) {
            return Err(Unusable::new("", "another_account", "was paid to another account"));
        }
        if currency.is_some_and(|currency| currency != source.currency.code()) {
            let detail = format!("must be {}", source.currency);
            return Err(Unusable::new("/currency", "currency_mismatch", detail));
        }
        let amount = money(&told_amount, source.currency)?;
        if amount.is_zero() {
            return Err(Unusable::new("/amount", "not_positive", "must be more than zero"));
        }
        let external_id = Some(external_id).filter(|id| id.chars().count() <= 200).and_then(|id| kept(Some(id), 200));
        let external_id = external_id
            .ok_or_else(|| Unusable::new("/external_id", "not_a_receipt", "must have 1 to 200 characters"))?;
        let (paid_at, told_on) = match time {
            ToldTime::On(date) => (None, date),
            ToldTime::At(instant) => (Some(instant), at.date_of(instant)),
            ToldTime::Local(local) => {
                let zone = TimeZone::get(&source.time_zone);
                let zoned = zone.and_then(|zone| local.to_zoned(zone));
                let zoned = zoned
                    .map_err(|_| Unusable::new("/paid_at", "not_an_instant", "is no time in the source's zone"))?;
                (Some(zoned.timestamp()), at.date_of(zoned.timestamp()))
            }
        };
        if !(lending::FIRST_YEAR..=lending::LAST_YEAR).contains(&told_on.year()) {
            return Err(Unusable::new("/paid_at", "date_out_of_range", "must be of the years 1900 to 2200"));
        }
        let country = source.country.as_deref();
        let phone =
            kept(payer.phone, 64).map(|text| phone::candidates(&text, country).into_iter().next().unwrap_or(text));
        Ok(Self {
            external_id,
            amount,
            paid_at,
            paid_on: told_on.min(at.today),
            reference: kept(reference, 200),
            payer: Payer { name: kept(payer.name, 200), phone, account: kept(payer.account, 64) },
        })
    }
}
