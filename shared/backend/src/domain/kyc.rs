//! The verification of a customer's identity (know your customer).

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    domain::refusal::Refusal,
    values::{
        time::{BusinessDate, Instant},
        words::words,
    },
};

words! {
    /// The state of a verification.
    #[derive(Default)]
    KycStatus {
        /// Not verified since name, date of birth or identity last changed.
        #[default]
        Unverified = "unverified",
        /// Verified by an admin.
        Verified = "verified",
        /// Refused by an admin.
        Refused = "refused",
    }
}

/// The verification of a customer's identity: by whom, and until when it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Kyc {
    /// The state.
    pub status: KycStatus,
    /// The admin who looked; null while nobody has.
    pub by: Option<Uuid>,
    /// When that was.
    pub at: Option<Instant>,
    /// Why.
    #[schema(example = "passport seen")]
    pub reason: Option<String>,
    /// The last business date on which a verification holds; null: for good.
    pub expires_on: Option<BusinessDate>,
}

/// The verification of a loan's borrower, and whether the product requires one.
#[derive(Clone, Copy, Debug)]
pub struct KycOfLoan {
    /// True if the product requires a verification.
    pub is_required: bool,
    /// The state of the borrower's verification.
    pub status: KycStatus,
    /// The last day on which a verification holds.
    pub expires_on: Option<Date>,
}

impl KycOfLoan {
    /// To approve a loan or pay it out.
    ///
    /// # Errors
    ///
    /// A conflict where the product asks for a verification that does not hold today.
    pub fn require(self, today: Date) -> Result<(), Refusal> {
        let holds = self.status == KycStatus::Verified && self.expires_on.is_none_or(|last| today <= last);
        if !self.is_required || holds {
            return Ok(());
        }
        let detail = "The loan's product asks for a verified customer; verify this one first.";
        Err(Refusal::conflict("kyc_required", detail))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_verification_holds_to_the_end_of_its_last_day() {
        let today = date(2026, 3, 2);
        let may = |status, expires_on| KycOfLoan { is_required: true, status, expires_on }.require(today).is_ok();
        assert!(may(KycStatus::Verified, None) && may(KycStatus::Verified, Some(today)));
        assert!(!may(KycStatus::Verified, Some(date(2026, 3, 1))));
        assert!(!may(KycStatus::Unverified, None) && !may(KycStatus::Refused, None));
        let free = KycOfLoan { is_required: false, status: KycStatus::Refused, expires_on: None };
        assert!(free.require(today).is_ok());
    }
}
