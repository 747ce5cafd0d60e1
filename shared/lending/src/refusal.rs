//! Refusals of terms, or of a loan on them: a field, a stable code, a sentence for people.

use std::borrow::Cow;
use std::fmt;

use crate::{MoneyError, RateError};

/// A refusal that names the field at fault.
///
/// ```
/// use lending::{Currency, TermsPatch};
///
/// let patch: TermsPatch = serde_json::from_str(
///     r#"{"interest_rate_apr": "24", "instalments": 6, "grace": {"principal": 6}}"#,
/// )?;
/// let refusal = patch.complete(Currency::from_code("EUR")?).unwrap_err();
/// assert_eq!(refusal.pointer(), "/grace/principal");
/// assert_eq!(refusal.pointer_under("/terms"), "/terms/grace/principal");
/// assert_eq!(refusal.code(), "not_below_instalments");
/// assert_eq!(refusal.to_string(), "must be below the number of instalments");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    field: Field,
    reason: Reason,
}

/// The field at fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// The amount of the loan.
    Amount,
    /// The day the loan is paid out.
    DisbursedOn,
    /// A field of the terms, by its JSON pointer within them, such as `/grace/principal`.
    Terms(Cow<'static, str>),
}

/// The reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It must be given, and was not.
    Required,
    /// It must be more than zero.
    NotPositive,
    /// A whole number outside its range.
    OutOfRange {
        /// The minimum.
        least: u32,
        /// The maximum.
        most: u32,
    },
    /// A list of more things than this.
    TooMany {
        /// The maximum.
        most: usize,
    },
    /// More late fees than a loan may bear: instalments times `max_times`.
    TooManyLateFees {
        /// The maximum.
        most: u32,
    },
    /// A text that is blank or has more than this many characters.
    NotAName {
        /// The maximum number of characters.
        longest: usize,
    },
    /// A fee has either `amount` or `percent`.
    AmountOrPercent,
    /// A grace as long as the loan, or longer.
    NotBelowInstalments,
    /// A grace longer than the loan.
    AboveInstalments,
    /// An amount that is no multiple of `smallest_amount`.
    NotAMultipleOfSmallestAmount,
    /// The first due date is not after the disbursement.
    NotAfterDisbursement,
    /// A date outside the years 1900 to 2200, or terms under which an instalment falls due outside.
    DateOutOfRange,
    /// Months cannot skip a due date: the rhythm of the terms is not days or weeks.
    ExtendNeedsDaysOrWeeks,
    /// A value that does not go with interest by the balance of each day.
    NotWithDailyInterest,
    /// Every due date of the rhythm is on a day of the weekend.
    NeverAWorkingDay,
    /// An instalment is below the interest of its row: the loan would never be repaid.
    DoesNotAmortise,
    /// Not an amount of money in this currency.
    Money(MoneyError),
    /// Not a percentage.
    Rate(RateError),
}

impl Reason {
    /// The stable, `snake_case` code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::NotPositive => "not_positive",
            Self::OutOfRange { .. } => "out_of_range",
            Self::TooMany { .. } => "too_many",
            Self::TooManyLateFees { .. } => "too_many_late_fees",
            Self::NotAName { .. } => "not_a_name",
            Self::AmountOrPercent => "amount_or_percent",
            Self::NotBelowInstalments => "not_below_instalments",
            Self::AboveInstalments => "above_instalments",
            Self::NotAMultipleOfSmallestAmount => "not_a_multiple",
            Self::NotAfterDisbursement => "not_after_disbursement",
            Self::DateOutOfRange => "date_out_of_range",
            Self::ExtendNeedsDaysOrWeeks => "extend_needs_days_or_weeks",
            Self::NotWithDailyInterest => "not_with_daily_interest",
            Self::NeverAWorkingDay => "never_a_working_day",
            Self::DoesNotAmortise => "does_not_amortise",
            Self::Money(error) => error.code(),
            Self::Rate(error) => error.code(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Required => f.write_str("must be given"),
            Self::NotPositive => f.write_str("must be more than zero"),
            Self::OutOfRange { least, most } => write!(f, "must be from {least} to {most}"),
            Self::TooMany { most } => write!(f, "must be at most {most}"),
            Self::TooManyLateFees { most } => write!(f, "times the instalments must be at most {most}"),
            Self::NotAName { longest } => {
                write!(f, "must not be blank and have at most {longest} characters")
            }
            Self::AmountOrPercent => f.write_str("must have either an amount or a percent"),
            Self::NotBelowInstalments => f.write_str("must be below the number of instalments"),
            Self::AboveInstalments => f.write_str("must not be above the number of instalments"),
            Self::NotAMultipleOfSmallestAmount => f.write_str("must be a multiple of smallest_amount"),
            Self::NotAfterDisbursement => f.write_str("must be after the disbursement"),
            Self::DateOutOfRange => f.write_str("leads to a date outside the years 1900 to 2200"),
            Self::ExtendNeedsDaysOrWeeks => f.write_str("extend needs repayment by days or weeks"),
            Self::NotWithDailyInterest => f.write_str("does not go with interest by the balance of each day"),
            Self::NeverAWorkingDay => f.write_str("never finds a working day: the weekday is one of the weekend's"),
            Self::DoesNotAmortise => f.write_str(
                "makes an instalment lower than the interest of its period: the loan would never \
                 be repaid",
            ),
            Self::Money(error) => error.fmt(f),
            Self::Rate(error) => error.fmt(f),
        }
    }
}

impl Refusal {
    pub(crate) const fn amount(reason: Reason) -> Self {
        Self { field: Field::Amount, reason }
    }

    pub(crate) const fn disbursed_on(reason: Reason) -> Self {
        Self { field: Field::DisbursedOn, reason }
    }

    /// A field of the terms, by its pointer within them.
    pub(crate) fn terms(pointer: impl Into<Cow<'static, str>>, reason: Reason) -> Self {
        Self { field: Field::Terms(pointer.into()), reason }
    }

    /// The field at fault.
    #[must_use]
    pub const fn field(&self) -> &Field {
        &self.field
    }

    /// The reason.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }

    /// The stable, `snake_case` code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.reason.code()
    }

    /// `/amount`, `/disbursed_on`, or the JSON pointer of the field within the terms.
    #[must_use]
    pub fn pointer(&self) -> &str {
        match &self.field {
            Field::Amount => "/amount",
            Field::DisbursedOn => "/disbursed_on",
            Field::Terms(pointer) => pointer,
        }
    }

    /// The same for a document that has the terms at `terms`: `/terms` makes
    /// `/terms/grace/principal` of `/grace/principal` and leaves `/amount` as it is.
    #[must_use]
    pub fn pointer_under(&self, terms: &str) -> String {
        match &self.field {
            Field::Terms(pointer) => format!("{terms}{pointer}"),
            Field::Amount | Field::DisbursedOn => self.pointer().to_owned(),
        }
    }
}
