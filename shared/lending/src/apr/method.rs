//! How an annual percentage rate is computed, and for which period.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::{objects_only, whole_number};
use crate::words::words;

words! {
    /// How an annual percentage rate is computed from dated flows.
    AprMethod {
        /// 12 CFR 1026 (Regulation Z), Appendix J: the actuarial method. The rate of a unit period
        /// times the unit periods in a year; simple interest for a part of one.
        RegZ = "reg_z",
        /// Directive 2008/48/EC, Annex I: the growth of a year, with compound interest for any part
        /// of one.
        Eu = "eu",
        /// The rate of a unit period times the unit periods in a year, with compound interest for a
        /// part of one.
        Nominal = "nominal",
    }
}

words! {
    /// The unit of a unit period.
    PeriodUnit {
        /// Calendar months.
        Month = "month",
        /// Fifteen days, 24 of them a year.
        HalfMonth = "half_month",
        /// Seven days.
        Week = "week",
        /// Calendar days.
        Day = "day",
    }
}

/// The period that a rate is for: a number of months, half months, weeks or days.
///
/// ```
/// use lending::{PeriodUnit, UnitPeriod};
///
/// let quarter: UnitPeriod = serde_json::from_str(r#"{"every": 3, "unit": "month"}"#)?;
/// assert_eq!((quarter.every(), quarter.unit()), (3, PeriodUnit::Month));
/// assert_eq!(UnitPeriod::new(0, PeriodUnit::Day).unwrap_err().code(), "out_of_range");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(description = "The period that a rate is for: a number of months, half months, weeks or days.")
)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct UnitPeriod {
    /// The number of units in it.
    #[serde(deserialize_with = "every")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 366, example = 1))]
    every: u32,
    /// The unit.
    unit: PeriodUnit,
}

/// A unit period of no units, or of too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be from 1 to {}", UnitPeriod::MAX_EVERY)]
pub struct UnitPeriodError;

impl UnitPeriodError {
    /// The stable code of this refusal.
    #[must_use]
    pub const fn code(self) -> &'static str {
        "out_of_range"
    }
}

impl UnitPeriod {
    /// The most units a period may have: as many as a year has days.
    pub const MAX_EVERY: u32 = 366;

    /// A period of `every` units.
    ///
    /// # Errors
    /// [`UnitPeriodError`] unless `every` is from 1 to [`Self::MAX_EVERY`].
    pub const fn new(every: u32, unit: PeriodUnit) -> Result<Self, UnitPeriodError> {
        match every {
            1..=Self::MAX_EVERY => Ok(Self { every, unit }),
            _ => Err(UnitPeriodError),
        }
    }

    /// The number of units.
    #[must_use]
    pub const fn every(self) -> u32 {
        self.every
    }

    /// The unit.
    #[must_use]
    pub const fn unit(self) -> PeriodUnit {
        self.unit
    }
}

fn every<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    whole_number(deserializer, 1..=UnitPeriod::MAX_EVERY)
}

impl Serialize for UnitPeriod {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The derived function, which `remote = "Self"` puts beside the trait's.
        Self::serialize(self, serializer)
    }
}

objects_only! {
    UnitPeriod, "an object with a unit period";
}
