//! Calendars and their versions.

use jiff::civil::Date;
use lending::WeekDay;
use uuid::Uuid;

use crate::{
    columns,
    db::{ALL, Columns as _, DbError, Field, List, Parameter, Reading, Sql, Statement, Stored, parameter},
    domain::calendars::{Covers, Holiday, HolidayCalendar},
    sql,
    values::{page::Limit, time::BusinessDate},
};

/// The columns that a version keeps.
const VERSION_KEEPS: u8 = 1;
/// The columns that a change writes.
const EDIT: u8 = 2;

columns! {
    HolidayCalendar {
        code: "code" in VERSION_KEEPS,
        version: "version" in VERSION_KEEPS | EDIT,
        name: "name" in VERSION_KEEPS | EDIT,
        weekend: "weekend" in VERSION_KEEPS | EDIT,
        holidays: "holidays_on" "holiday_names" in VERSION_KEEPS | EDIT,
        covers: "covers_from" "covers_to" in VERSION_KEEPS | EDIT,
        created_at: "created_at" in VERSION_KEEPS,
        updated_at: "updated_at" in EDIT,
    }
}

/// Days of the week by their names.
impl Stored for Vec<WeekDay> {
    type Bound = Vec<&'static str>;
    type Read = Vec<String>;

    fn bound(&self) -> Vec<&'static str> {
        self.iter().map(|day| day.as_str()).collect()
    }

    fn of(read: Vec<String>, _: &Reading<'_>) -> Result<Self, DbError> {
        let days: Option<Self> = read.iter().map(|day| WeekDay::from_name(day)).collect();
        days.ok_or_else(|| DbError::unexpected(format!("unknown days of the week: {read:?}")))
    }
}

/// Days, and the name of each.
impl Field<2> for Vec<Holiday> {
    fn parameters(&self) -> [Parameter; 2] {
        let days: Vec<Date> = self.iter().map(|holiday| holiday.on.0).collect();
        let names: Vec<String> = self.iter().map(|holiday| holiday.name.clone()).collect();
        [parameter(days), parameter(names)]
    }

    fn read(row: &Reading<'_>, [days, names]: [&'static str; 2]) -> Result<Self, DbError> {
        let (days, names): (Vec<Date>, Vec<String>) = (row.column(days)?, row.column(names)?);
        Ok(days.into_iter().zip(names).map(|(on, name)| Holiday { on: BusinessDate(on), name }).collect())
    }
}

impl Field<2> for Option<Covers> {
    fn parameters(&self) -> [Parameter; 2] {
        [parameter(self.map(|covers| covers.from.0)), parameter(self.map(|covers| covers.to.0))]
    }

    fn read(row: &Reading<'_>, [from, to]: [&'static str; 2]) -> Result<Self, DbError> {
        Ok(match (row.column(from)?, row.column(to)?) {
            (Some(from), Some(to)) => Some(Covers { from: BusinessDate(from), to: BusinessDate(to) }),
            _ => None,
        })
    }
}

/// One calendar.
pub const BY_CODE: &str = sql!("SELECT {} FROM calendars WHERE code = $1", List::Names(HolidayCalendar::COLUMNS));

/// One calendar, locked against changes of another transaction until this one ends.
pub const LOCK: &str =
    sql!("SELECT {} FROM calendars WHERE code = $1 FOR UPDATE", List::Names(HolidayCalendar::COLUMNS));

/// One version of a calendar.
pub const VERSION: &str = sql!(
    "SELECT {}, at AS updated_at FROM calendar_versions WHERE code = $1 AND version = $2",
    List::Group(HolidayCalendar::COLUMNS, VERSION_KEEPS),
);

/// All calendars.
pub const LIST: &str = sql!("SELECT {} FROM calendars WHERE true", List::Names(HolidayCalendar::COLUMNS));

/// Makes a calendar. Of two at once the second waits, and makes none.
pub const INSERT: &str = sql!(
    "INSERT INTO calendars ({}) VALUES ({})",
    List::Names(HolidayCalendar::COLUMNS),
    List::Parameters(HolidayCalendar::COLUMNS, 1),
);

/// Changes a calendar.
pub const UPDATE: &str = sql!("UPDATE calendars SET {} WHERE code = $1", List::Set(HolidayCalendar::COLUMNS, EDIT, 2));

/// Records the version that the calendar now has.
pub const RECORD_VERSION: &str = sql!(
    "INSERT INTO calendar_versions (at, by_id, {}) SELECT updated_at, $2, {} FROM calendars WHERE code = $1",
    List::Group(HolidayCalendar::COLUMNS, VERSION_KEEPS),
    List::Group(HolidayCalendar::COLUMNS, VERSION_KEEPS),
);

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
    vec![Sql::new(INSERT).bind_all(calendar.parameters(ALL)).execute(), record_version(calendar, by)]
}

/// Changes a calendar, with the version that makes.
#[must_use]
pub fn update(calendar: &HolidayCalendar, by: Uuid) -> Vec<Statement<()>> {
    let sql = Sql::new(UPDATE).bind(calendar.code.clone()).bind_all(calendar.parameters(EDIT));
    vec![sql.execute(), record_version(calendar, by)]
}

fn record_version(calendar: &HolidayCalendar, by: Uuid) -> Statement<()> {
    Sql::new(RECORD_VERSION).bind(calendar.code.clone()).bind(by).execute()
}
