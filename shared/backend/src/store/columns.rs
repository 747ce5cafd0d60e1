//! How columns hold values: money of the row's currency, rates, terms, the words of enums.
//!
//! A value that the schema's constraints let through and these refuse would be a defect of ours: an internal error.

use std::{error::Error, sync::Arc};

use jiff::{Timestamp, civil::Date};
use lending::{Account, Accruing, AnnualRate, Calendar, Component, Currency, Money, Terms, TransactionKind, WeekDay};
use rust_decimal::Decimal;
use serde::Deserialize;
use tokio_postgres::types::{FromSql, Json, Type};

use crate::{
    db::{DbError, Field, Parameter, Reading, Stored, parameter},
    domain::ledger::LedgerAccount,
    values::{
        names::Names,
        pay_ref::PayRef,
        time::{BusinessDate, Instant},
        version::Version,
        words::Words,
    },
};

fn unexpected(error: impl Error + Send + Sync + 'static) -> DbError {
    DbError::Unexpected(Box::new(error))
}

/// Implements [`Stored`] for types that wrap what the database has.
macro_rules! wrapped {
    ($($rust:ident($column:ty)),* $(,)?) => {
        $(impl Stored for $rust {
            type Bound = $column;
            type Read = $column;

            fn bound(&self) -> $column {
                self.0
            }

            fn of(read: $column, _: &Reading<'_>) -> Result<Self, DbError> {
                Ok(Self(read))
            }
        })*
    };
}

wrapped! { Version(i32), Instant(Timestamp), BusinessDate(Date) }

/// An amount in the currency of its row.
impl Stored for Money {
    type Bound = Decimal;
    type Read = Decimal;

    fn bound(&self) -> Decimal {
        self.to_decimal()
    }

    fn of(read: Decimal, row: &Reading<'_>) -> Result<Self, DbError> {
        Self::from_decimal(read, row.currency()?).map_err(unexpected)
    }
}

impl Stored for AnnualRate {
    type Bound = Decimal;
    type Read = Decimal;

    fn bound(&self) -> Decimal {
        self.to_decimal()
    }

    fn of(read: Decimal, _: &Reading<'_>) -> Result<Self, DbError> {
        Self::from_decimal(read).map_err(unexpected)
    }
}

/// Complete terms, with the version of their calendar that is in the column `calendar`.
impl Stored for Terms {
    type Bound = Json<Self>;
    type Read = Json<Self>;

    fn bound(&self) -> Json<Self> {
        Json(self.clone())
    }

    fn of(Json(terms): Json<Self>, row: &Reading<'_>) -> Result<Self, DbError> {
        Ok(terms.with_calendar(calendar(row)?))
    }
}

impl Stored for Accruing {
    type Bound = Json<Self>;
    type Read = Json<Self>;

    fn bound(&self) -> Json<Self> {
        Json(self.clone())
    }

    fn of(Json(accruing): Json<Self>, _: &Reading<'_>) -> Result<Self, DbError> {
        Ok(accruing)
    }
}

impl Stored for PayRef {
    type Bound = String;
    type Read = String;

    fn bound(&self) -> String {
        self.to_string()
    }

    fn of(read: String, _: &Reading<'_>) -> Result<Self, DbError> {
        Self::parse(&read).ok_or_else(|| DbError::unexpected("a stored pay_ref has a wrong check digit"))
    }
}

impl Stored for LedgerAccount {
    type Bound = String;
    type Read = String;

    fn bound(&self) -> String {
        self.to_string()
    }

    fn of(read: String, _: &Reading<'_>) -> Result<Self, DbError> {
        Self::from_name(&read).ok_or_else(|| DbError::unexpected(format!("unknown account {read:?}")))
    }
}

/// The days of a version of a calendar: what the functions `newest_calendar` and `calendar_of_version` give.
#[derive(Debug, Deserialize)]
struct CalendarDays {
    version: u32,
    weekend: Vec<WeekDay>,
    holidays: Vec<BusinessDate>,
}

/// The column `calendar`: the days of a version of a calendar, or null.
///
/// # Errors
///
/// When the column is missing or does not hold one.
pub fn calendar(row: &Reading<'_>) -> Result<Option<Arc<Calendar>>, DbError> {
    let days: Option<Json<CalendarDays>> = row.beside("calendar")?;
    Ok(days.map(|Json(CalendarDays { version, weekend, holidays })| {
        Arc::new(Calendar::new(version, weekend, holidays.into_iter().map(|BusinessDate(date)| date)))
    }))
}

/// The names that other systems have for a thing: an id, and texts under keys.
impl Field<2> for Names {
    fn parameters(&self) -> [Parameter; 2] {
        [parameter(self.external_id.clone()), parameter(Json(self.metadata.clone()))]
    }

    fn read(row: &Reading<'_>, [external_id, metadata]: [&'static str; 2]) -> Result<Self, DbError> {
        let (external_id, Json(metadata)) = (row.column(external_id)?, row.column(metadata)?);
        Ok(Self { external_id, metadata })
    }
}

/// A whole number that is never negative.
impl Stored for u32 {
    type Bound = i32;
    type Read = i32;

    fn bound(&self) -> i32 {
        self.cast_signed()
    }

    fn of(read: i32, _: &Reading<'_>) -> Result<Self, DbError> {
        Self::try_from(read).map_err(unexpected)
    }
}

/// A value as its word. Read strictly: other names that the interface takes are unknown.
pub struct Word<T>(T);

impl<'a, T: Words> FromSql<'a> for Word<T> {
    fn from_sql(type_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let word = <&str as FromSql>::from_sql(type_, raw)?;
        let unknown = || format!("unknown {}: {word:?}", std::any::type_name::<T>());
        T::of_word(word).map(Self).ok_or_else(|| unknown().into())
    }

    fn accepts(type_: &Type) -> bool {
        <&str as FromSql>::accepts(type_)
    }
}

impl<T: Words> Stored for T {
    type Bound = &'static str;
    type Read = Word<Self>;

    fn bound(&self) -> &'static str {
        self.word()
    }

    fn of(Word(value): Word<Self>, _: &Reading<'_>) -> Result<Self, DbError> {
        Ok(value)
    }
}

/// Implements [`Words`] for enums of `lending`.
macro_rules! lending_words {
    ($($rust:ty),*) => {
        $(impl Words for $rust {
            fn word(self) -> &'static str {
                self.as_str()
            }

            fn of_word(word: &str) -> Option<Self> {
                Self::from_name(word)
            }
        })*
    };
}

lending_words! { Account, Component, TransactionKind }

impl Words for Currency {
    fn word(self) -> &'static str {
        self.code()
    }

    fn of_word(word: &str) -> Option<Self> {
        Self::from_code(word).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::loan::LoanStatus;

    /// The interface takes `new` for pending, and any case.
    #[test]
    fn a_stored_status_is_read_strictly() {
        for (stored, status) in [("pending", Some(LoanStatus::Pending)), ("new", None), ("Pending", None), ("", None)] {
            let read = Word::<LoanStatus>::from_sql(&Type::TEXT, stored.as_bytes());
            assert_eq!(read.ok().map(|Word(status)| status), status, "{stored}");
        }
    }
}
