//! Calendars and their versions.

use jiff::civil::Date;
use lending::WeekDay;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    db::{DbError, FromRow, Sql, Statement, column},
    domain::calendars::{Covers, Holiday, HolidayCalendar},
    values::{
        page::Limit,
        time::{BusinessDate, Instant},
        version::Version,
    },
};

impl FromRow for HolidayCalendar {
    fn from_row(row: &Row) -> Result<Self, DbError> {
        let weekend: Vec<String> = column(row, "weekend")?;
        let weekend: Option<Vec<WeekDay>> = weekend.iter().map(|day| WeekDay::from_name(day)).collect();
        let (days, names): (Vec<Date>, Vec<String>) = (column(row, "holidays_on")?, column(row, "holiday_names")?);
        let holidays = days.into_iter().zip(names).map(|(on, name)| Holiday { on: BusinessDate(on), name }).collect();
        let covers = match (column(row, "covers_from")?, column(row, "covers_to")?) {
            (Some(from), Some(to)) => Some(Covers { from: BusinessDate(from), to: BusinessDate(to) }),
            _ => None,
        };
        Ok(Self {
            code: column(row, "code")?,
            version: Version(column(row, "version")?),
            name: column(row, "name")?,
            weekend: weekend.ok_or_else(|| DbError::unexpected("unknown calendars.weekend"))?,
            holidays,
            covers,
            created_at: Instant(column(row, "created_at")?),
            updated_at: Instant(column(row, "updated_at")?),
        })
    }
}

/// One calendar.
pub const BY_CODE: &str = "SELECT * FROM calendars WHERE code = $1";

/// One calendar, locked against changes of another transaction until this one ends.
pub const LOCK: &str = "SELECT * FROM calendars WHERE code = $1 FOR UPDATE";

/// One version of a calendar.
pub const VERSION: &str = "\
SELECT *, at AS updated_at FROM calendar_versions WHERE code = $1 AND version = $2";

/// All calendars.
pub const LIST: &str = "SELECT * FROM calendars WHERE true";

/// Makes a calendar. Of two at once the second waits, and makes none.
pub const INSERT: &str = "\
INSERT INTO calendars (code, version, name, weekend, holidays_on, holiday_names, covers_from, covers_to, created_at,
    updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

/// Changes a calendar.
pub const UPDATE: &str = "\
UPDATE calendars SET version = $2, name = $3, weekend = $4, holidays_on = $5, holiday_names = $6, covers_from = $7,
    covers_to = $8, updated_at = $9
WHERE code = $1";

/// Records the version that the calendar now has.
pub const RECORD_VERSION: &str = "\
INSERT INTO calendar_versions (code, version, name, weekend, holidays_on, holiday_names, covers_from, covers_to,
    created_at, at,
    by_id)
SELECT code, version, name, weekend, holidays_on, holiday_names, covers_from, covers_to, created_at, updated_at, $2
FROM calendars WHERE code = $1";

/// A calendar as it is now.
#[must_use]
pub fn by_code(code: String) -> Statement<Option<HolidayCalendar>> {
    Sql::new(BY_CODE).bind(code).optional()
}

/// As [`by_code`], locked for a change.
#[must_use]
pub fn lock(code: String) -> Statement<Option<HolidayCalendar>> {
    Sql::new(LOCK).bind(code).optional()
}

/// A version of a calendar.
#[must_use]
pub fn version(code: String, version: i32) -> Statement<Option<HolidayCalendar>> {
    Sql::new(VERSION).bind(code).bind(version).optional()
}

/// A page of calendars, by their codes.
#[must_use]
pub fn list(after: Option<String>, limit: Limit) -> Statement<Vec<HolidayCalendar>> {
    let sql = Sql::new(LIST).push_if(" AND code > {}", after);
    sql.push(" ORDER BY code").push_bind(" LIMIT {}", limit.and_one()).all()
}

/// Makes a calendar, with its first version.
#[must_use]
pub fn insert(calendar: &HolidayCalendar, by: Uuid) -> Vec<Statement<()>> {
    let sql = bind_days(Sql::new(INSERT), calendar).bind(calendar.created_at.0).bind(calendar.updated_at.0);
    vec![sql.execute(), record_version(calendar, by)]
}

/// Changes a calendar, with the version that makes.
#[must_use]
pub fn update(calendar: &HolidayCalendar, by: Uuid) -> Vec<Statement<()>> {
    let sql = bind_days(Sql::new(UPDATE), calendar).bind(calendar.updated_at.0);
    vec![sql.execute(), record_version(calendar, by)]
}

fn bind_days(sql: Sql, calendar: &HolidayCalendar) -> Sql {
    sql.bind(calendar.code.clone())
        .bind(calendar.version.0)
        .bind(calendar.name.clone())
        .bind(calendar.weekend.iter().map(|day| day.as_str()).collect::<Vec<_>>())
        .bind(calendar.holidays.iter().map(|holiday| holiday.on.0).collect::<Vec<_>>())
        .bind(calendar.holidays.iter().map(|holiday| holiday.name.clone()).collect::<Vec<_>>())
        .bind(calendar.covers.map(|covers| covers.from.0))
        .bind(calendar.covers.map(|covers| covers.to.0))
}

fn record_version(calendar: &HolidayCalendar, by: Uuid) -> Statement<()> {
    Sql::new(RECORD_VERSION).bind(calendar.code.clone()).bind(by).execute()
}
