//! The fields of the terms that are one of a few fixed words.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Makes an enum whose variants are the fixed words of one field; the first is the default.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$meaning:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$meaning])* $variant,)+
        }

        impl $name {
            /// Every value, the default first.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word of the JSON form.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::ALL[0]
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        /// From a string alone: what serde derives would take `{"month": null}` too.
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                match String::deserialize(deserializer)?.as_str() {
                    $($word => Ok(Self::$variant),)+
                    other => Err(serde::de::Error::unknown_variant(other, &[$($word,)+])),
                }
            }
        }
    };
}

pub(crate) use words;

words! {
    /// What a repayment period is counted in.
    RepayUnit {
        /// Calendar months.
        Month = "month",
        /// Seven days.
        Week = "week",
        /// Calendar days.
        Day = "day",
    }
}

words! {
    /// What interest is charged on.
    InterestMethod {
        /// On what is still owed.
        DecliningBalance = "declining_balance",
        /// On the whole principal for the whole term.
        Flat = "flat",
    }
}

words! {
    /// What is equal from row to row.
    Amortization {
        /// Principal and interest together.
        EqualInstalments = "equal_instalments",
        /// The principal alone.
        EqualPrincipal = "equal_principal",
    }
}

words! {
    /// How a regular period becomes a part of a year.
    InterestPeriod {
        /// One of 12 months or 52 weeks, whatever the calendar says.
        RepaymentPeriod = "repayment_period",
        /// By the day count.
        Daily = "daily",
    }
}

words! {
    /// How days become a part of a year.
    DayCount {
        /// Months of 30 days, years of 360.
        Thirty360 = "30/360",
        /// Calendar days over 360.
        Actual360 = "actual/360",
        /// Calendar days over 364.
        Actual364 = "actual/364",
        /// Calendar days over 365.
        Actual365 = "actual/365",
        /// Calendar days of each year over that year's own length (ISDA).
        ActualActual = "actual/actual",
    }
}

words! {
    /// How an exact value becomes a whole number of units.
    Rounding {
        /// To the nearest; halfway, to the even one.
        HalfEven = "half_even",
        /// To the nearest; halfway, away from zero.
        HalfUp = "half_up",
        /// Away from zero.
        Up = "up",
        /// Towards zero.
        Down = "down",
    }
}

words! {
    /// What becomes of a due date on a day that its month does not have.
    MonthEnd {
        /// The last day of that month.
        Clamp = "clamp",
        /// The first day of the next.
        Roll = "roll",
    }
}

words! {
    /// When a fee is charged.
    FeeWhen {
        /// Once, taken from what is paid out.
        Disbursement = "disbursement",
        /// With each instalment.
        Instalment = "instalment",
    }
}

words! {
    /// In which order a payment pays what is owed.
    Allocation {
        /// Past due, then due, then in advance; in each: penalty, fee, interest, principal.
        PenaltyFeeInterestPrincipal = "penalty_fee_interest_principal",
        /// Past due and due together: penalty, fee, interest, principal; then in advance:
        /// principal, penalty, fee, interest.
        DuePenaltyFeeInterestPrincipalInAdvancePrincipalPenaltyFeeInterest =
            "due_penalty_fee_interest_principal_in_advance_principal_penalty_fee_interest",
        /// Past due and due together: penalty, interest, principal, fee; then in advance:
        /// penalty, interest, principal, fee.
        DuePenaltyInterestPrincipalFeeInAdvancePenaltyInterestPrincipalFee =
            "due_penalty_interest_principal_fee_in_advance_penalty_interest_principal_fee",
        /// Interest past due, interest due, principal past due, principal due, then penalties and
        /// fees past due and due, then in advance: interest, principal, fee, penalty.
        OverdueInterestFirst = "overdue_interest_first",
    }
}

words! {
    /// What a payment of more than is due does.
    Prepayment {
        /// It pays the next rows as scheduled.
        NextInstalments = "next_instalments",
        /// It pays from the last row backwards.
        LastInstalments = "last_instalments",
        /// It reduces principal; as many rows remain, with a lower instalment.
        ReduceInstalment = "reduce_instalment",
        /// It reduces principal; the instalment remains, for fewer rows.
        ReduceTerm = "reduce_term",
    }
}

words! {
    /// What the value of a late fee counts.
    LateFeeKind {
        /// Money.
        Flat = "flat",
        /// Percent of the instalment's unpaid principal, interest and fees.
        PercentOfOverdue = "percent_of_overdue",
    }
}
