//! Calendars: for admins to enter, for everyone to read. Loans keep the version of their disbursement.

use axum::{Json, extract::State};
use backend::{
    app::App,
    auth::callers::Admin,
    domain::{
        calendars::{Covers, Holiday, HolidayCalendar, MAX_HOLIDAYS},
        caller::Caller,
    },
    http::{
        answer::Answer,
        body::{Input, require_version},
        command::{Outcome, conclude},
        pagination::{Page, PageQuery},
        path::PathParameter,
        problem::Problem,
        query::QueryString,
    },
    store::{
        audit::{self, Subject},
        calendars,
    },
    values::{
        page::Position,
        text::Name,
        time::{BusinessDate, Instant},
        version::Version,
    },
};
use lending::WeekDay;
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A calendar as it is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Kenya", "weekend": ["sat", "sun"],
    "holidays": [{"on": "2026-05-01", "name": "Labour Day"}, {"on": "2026-06-01", "name": "Madaraka Day"}],
    "covers": {"from": "2026-01-01", "to": "2026-12-31"}}))]
pub(crate) struct CalendarGiven {
    /// The name people see.
    name: Name,
    /// The days of the week that are no working days, each once; at most 6.
    #[schema(max_items = 6)]
    weekend: Vec<WeekDay>,
    /// The other days that are no working days, each once, in any order.
    #[schema(max_items = 1000)]
    holidays: Vec<HolidayGiven>,
    /// The dates for which holidays are entered; default: the whole years of the first and the last holiday.
    covers: Option<CoversGiven>,
}

/// A day that is no working day.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HolidayGiven {
    /// The day.
    on: BusinessDate,
    /// The name people see.
    name: Name,
}

/// A range of dates, both included.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CoversGiven {
    /// The first date.
    from: BusinessDate,
    /// The last date.
    to: BusinessDate,
}

impl CalendarGiven {
    /// The calendar, in its first version. The times are set when it is made.
    fn calendar(self, code: String) -> Result<HolidayCalendar, Problem> {
        if self.holidays.len() > MAX_HOLIDAYS {
            return Err(Problem::field("/holidays", "too_many", format!("must be at most {MAX_HOLIDAYS}")));
        }
        let mut weekend = self.weekend;
        weekend.sort_unstable();
        weekend.dedup();
        let mut holidays: Vec<(usize, HolidayGiven)> = self.holidays.into_iter().enumerate().collect();
        holidays.sort_by_key(|(place, holiday)| (holiday.on, *place));
        let places: Vec<usize> = holidays.iter().map(|(place, _)| *place).collect();
        let holiday = |(_, given): (usize, HolidayGiven)| Holiday { on: given.on, name: given.name.into_string() };
        let holidays: Vec<Holiday> = holidays.into_iter().map(holiday).collect();
        let given = self.covers.map(|CoversGiven { from, to }| Covers { from, to });
        let not_yet = Instant(jiff::Timestamp::UNIX_EPOCH);
        let calendar = HolidayCalendar {
            code,
            version: Version(1),
            name: self.name.into_string(),
            weekend,
            covers: given.or_else(|| Covers::years_of(&holidays)),
            holidays,
            created_at: not_yet,
            updated_at: not_yet,
        };
        let errors = calendar.broken_rules(&places);
        if errors.is_empty() { Ok(calendar) } else { Err(Problem::invalid(errors)) }
    }
}

fn answer(calendar: &HolidayCalendar) -> Result<Answer, Problem> {
    Ok(Answer::ok(calendar)?.with_version(calendar.version))
}

/// Change a calendar.
///
/// Creates it, or its next version. Loans that were paid out keep theirs.
#[utoipa::path(
    put, path = "/api/calendars/{code}", tag = "products", request_body = CalendarGiven,
    params(("If-Match" = Option<String>, Header, description = "The `ETag` of the version that the caller has seen; \
        required once there is a calendar of this code", example = "\"1\"")),
    responses(
        (status = 200, description = "The calendar as it now is", body = HolidayCalendar),
        (status = 201, description = "The new calendar", body = HolidayCalendar),
        (status = 409, description = "Another request made it meanwhile (`calendar_code_taken`)"))
)]
pub(crate) async fn change_calendar(admin: Admin, path: PathParameter, input: Input) -> Result<Answer, Problem> {
    let code = admin.check(path.calendar_code()).await?;
    let (tx, caller, calendar) = admin.begin(calendars::lock(code.clone())).await?;
    conclude(tx, put(&caller, code, calendar, &input)).await
}

fn put(caller: &Caller, code: String, known: Option<HolidayCalendar>, input: &Input) -> Result<Outcome, Problem> {
    let now = Instant(caller.now);
    let (calendar, mut writes, answered) = match known {
        // Who names a version believes that there is one.
        None if input.names_version() => return Err(Problem::not_found()),
        None => {
            let calendar = input.read::<CalendarGiven>()?.calendar(code)?;
            let calendar = HolidayCalendar { created_at: now, updated_at: now, ..calendar };
            let location = format!("/api/calendars/{}", calendar.code);
            let answered = Answer::created(location, &calendar)?.with_version(calendar.version);
            let writes = calendars::insert(&calendar, caller.id);
            (calendar, writes, answered)
        }
        Some(known) => {
            let (if_match, given) = input.read_versioned::<CalendarGiven>()?;
            let calendar = given.calendar(code)?;
            require_version(&if_match, known.version)?;
            if calendar.has_same_days(&known) {
                return Ok(Outcome::unchanged(answer(&known)?));
            }
            let (version, created_at) = (known.version.next(), known.created_at);
            let calendar = HolidayCalendar { version, created_at, updated_at: now, ..calendar };
            let answered = answer(&calendar)?;
            let writes = calendars::update(&calendar, caller.id);
            (calendar, writes, answered)
        }
    };
    let subject = Subject::Calendar(calendar.code.clone());
    writes.push(audit::by(caller, "calendar.put", &subject, json!({"version": calendar.version})));
    Ok(Outcome::new(answered, writes))
}

/// List calendars.
///
/// By their codes.
#[utoipa::path(
    get, path = "/api/calendars", tag = "products", params(PageQuery),
    responses((status = 200, description = "A page of calendars", body = Page<HolidayCalendar>))
)]
pub(crate) async fn list_calendars(
    State(app): State<App>,
    query: QueryString,
) -> Result<Json<Page<HolidayCalendar>>, Problem> {
    let binding = query.binding(app.tokens.cursor_keys().await?, Uuid::nil());
    let (limit, after) = query.read::<PageQuery>()?.page(&binding)?;
    let calendars = app.db.read(&calendars::list(after.map(|Position(code, ())| code), limit)).await?;
    Ok(Json(Page::new(calendars, limit, &binding, |last| Position(last.code.clone(), ()))))
}

/// The query of one calendar.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct VersionQuery {
    /// An earlier version; default: the newest.
    #[param(minimum = 1)]
    version: Option<u32>,
}

/// Get a calendar.
///
/// Its newest version, or an earlier one.
#[utoipa::path(
    get, path = "/api/calendars/{code}", tag = "products", params(VersionQuery),
    responses((status = 200, description = "The calendar", body = HolidayCalendar))
)]
pub(crate) async fn get_calendar(
    State(app): State<App>,
    path: PathParameter,
    query: QueryString,
) -> Result<Answer, Problem> {
    let code = path.calendar_code()?;
    let VersionQuery { version } = query.read()?;
    let statement = match version {
        None => calendars::by_code(code),
        // No version is as high.
        Some(version) => calendars::version(code, i32::try_from(version).unwrap_or(i32::MAX)),
    };
    answer(&app.db.read(&statement).await?.ok_or_else(Problem::not_found)?)
}
