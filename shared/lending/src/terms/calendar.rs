//! The calendar that terms use.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::calendar::{Calendar, CalendarCode, CalendarRule};
use crate::json::objects_only;
use crate::refusal::{Reason, Refusal};

/// A calendar, and the effect on a due date that is no working day.
///
/// Two of them are equal if code and rule are, whatever is known of the calendar.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(description = "A calendar, and the effect on a due date that is no working day.")
)]
pub struct CalendarUse {
    /// The calendar's code.
    #[cfg_attr(feature = "openapi", schema(value_type = String, pattern = "^[a-z0-9-]{1,64}$", example = "ke"))]
    pub code: CalendarCode,
    /// The effect on the date.
    pub rule: CalendarRule,
    /// The calendar, once it is known: see [`Terms::with_calendar`](super::Terms::with_calendar). Not part of the JSON
    /// form.
    #[serde(skip)]
    pub(crate) days: Option<Arc<Calendar>>,
}

impl PartialEq for CalendarUse {
    fn eq(&self, other: &Self) -> bool {
        (&self.code, self.rule) == (&other.code, other.rule)
    }
}

impl Eq for CalendarUse {}

/// A calendar as a request has it, with its rule.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = CalendarUseInput))]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct CalendarPatch {
    /// The calendar's code. Must be given.
    #[serde(default, deserialize_with = "code")]
    #[cfg_attr(
        feature = "openapi",
        schema(value_type = String, required = true, pattern = "^[a-z0-9-]{1,64}$", example = "ke")
    )]
    pub code: Option<CalendarCode>,
    /// The effect on a due date that is no working day; `following` by default.
    #[serde(default)]
    pub rule: CalendarRule,
}

fn code<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<CalendarCode>, D::Error> {
    CalendarCode::deserialize(deserializer).map(Some)
}

objects_only! {
    CalendarPatch, "an object with a calendar and its rule";
}

impl CalendarUse {
    pub(super) fn make(patch: &CalendarPatch) -> Result<Self, Refusal> {
        let code = patch.code.clone().ok_or_else(|| Refusal::terms("/calendar/code", Reason::Required))?;
        Ok(Self { code, rule: patch.rule, days: None })
    }
}
