//! The fields of the terms that are one of a few fixed words.

use crate::words::words;

words! {
    /// The base of interest.
    #[derive(Default)]
    InterestMethod {
        /// The outstanding principal.
        #[default]
        DecliningBalance = "declining_balance",
        /// The whole principal for the whole term.
        Flat = "flat",
    }
}

words! {
    /// The amount that is equal from row to row.
    #[derive(Default)]
    Amortization {
        /// Principal and interest together.
        #[default]
        EqualInstalments = "equal_instalments",
        /// The principal alone.
        EqualPrincipal = "equal_principal",
    }
}

words! {
    /// The interest of a period.
    #[derive(Default)]
    InterestAccrual {
        /// The schedule's, whenever it is paid.
        #[default]
        Scheduled = "scheduled",
        /// By the balance of each day: a late payment costs more, an early one less.
        Daily = "daily",
    }
}

words! {
    /// The time when a fee is charged.
    #[derive(Default)]
    FeeWhen {
        /// Once, taken from what is paid out.
        #[default]
        Disbursement = "disbursement",
        /// With each instalment.
        Instalment = "instalment",
    }
}

words! {
    /// The treatment of a payment of more than is due.
    #[derive(Default)]
    Prepayment {
        /// It pays the next rows as scheduled.
        #[default]
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
    /// The meaning of a late fee's value.
    #[derive(Default)]
    LateFeeKind {
        /// Money.
        #[default]
        Flat = "flat",
        /// Percent of the instalment's unpaid principal, interest and fees.
        PercentOfOverdue = "percent_of_overdue",
    }
}
