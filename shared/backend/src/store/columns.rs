//! Columns read as the values they hold: money of the row's currency, rates, terms.
//!
//! The schema's constraints imply that these accept every stored value; a refusal is a defect of ours, an internal
//! error.

use std::sync::Arc;

use lending::{AnnualRate, Calendar, Currency, Money, Terms, WeekDay};
use rust_decimal::Decimal;
use serde::{
    Deserialize,
    de::{IntoDeserializer, value},
};
use tokio_postgres::{Row, types::Json};

use crate::{
    db::{DbError, column},
    values::{pay_ref::PayRef, time::BusinessDate},
};

/// A currency by its code.
///
/// # Errors
///
/// When the column is missing or is not a currency.
pub fn currency(row: &Row, name: &str) -> Result<Currency, DbError> {
    let code: &str = column(row, name)?;
    Currency::from_code(code).map_err(|error| DbError::Unexpected(Box::new(error)))
}

/// An amount in `currency`.
///
/// # Errors
///
/// When the column is missing or is not an amount of the currency.
pub fn money(row: &Row, name: &str, currency: Currency) -> Result<Money, DbError> {
    let amount: Decimal = column(row, name)?;
    Money::from_decimal(amount, currency).map_err(|error| DbError::Unexpected(Box::new(error)))
}

/// Percent a year.
///
/// # Errors
///
/// When the column is missing or is not a rate.
pub fn rate(row: &Row, name: &str) -> Result<AnnualRate, DbError> {
    let rate: Decimal = column(row, name)?;
    AnnualRate::from_decimal(rate).map_err(|error| DbError::Unexpected(Box::new(error)))
}

/// Complete terms, with the version of their calendar that is in the column `calendar`.
///
/// # Errors
///
/// When a column is missing or does not hold them.
pub fn terms(row: &Row, name: &str) -> Result<Terms, DbError> {
    let Json(terms) = column::<Json<Terms>>(row, name)?;
    Ok(terms.with_calendar(calendar(row)?))
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
pub fn calendar(row: &Row) -> Result<Option<Arc<Calendar>>, DbError> {
    let days = column::<Option<Json<CalendarDays>>>(row, "calendar")?;
    Ok(days.map(|Json(CalendarDays { version, weekend, holidays })| {
        Arc::new(Calendar::new(version, weekend, holidays.into_iter().map(|BusinessDate(date)| date)))
    }))
}

/// The column `pay_ref`.
///
/// # Errors
///
/// When the column is missing or holds none.
pub fn pay_ref(row: &Row) -> Result<PayRef, DbError> {
    PayRef::parse(column(row, "pay_ref")?)
        .ok_or_else(|| DbError::unexpected("a stored pay_ref has a wrong check digit"))
}

/// A whole number that is never negative.
///
/// # Errors
///
/// When the column is missing or holds a negative number.
pub fn count(row: &Row, name: &str) -> Result<u32, DbError> {
    let count: i32 = column(row, name)?;
    u32::try_from(count).map_err(|error| DbError::Unexpected(Box::new(error)))
}

/// One of the words that an enum without data is written as.
///
/// # Errors
///
/// When the column is missing or holds another word.
pub fn word<'r, T: Deserialize<'r>>(row: &'r Row, name: &str) -> Result<T, DbError> {
    let text: &'r str = column(row, name)?;
    T::deserialize(text.into_deserializer()).map_err(|error: value::Error| DbError::Unexpected(Box::new(error)))
}
