//! The profile of a customer: date of birth, identity, address, income, next of kin.

use lending::{Currency, Money};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{domain::users::Role, values::time::BusinessDate};

/// The characters of a number that a mask leaves.
const SHOWN: usize = 4;

/// The profile of a customer. Everything in it is optional; what is not known is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Profile {
    /// The date of birth.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub date_of_birth: Option<BusinessDate>,
    /// The gender, in the lender's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "female")]
    pub gender: Option<String>,
    /// The identity given by an authority.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub national_id: Option<NationalId>,
    /// Where the person lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub address: Option<Address>,
    /// The occupation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "tailor")]
    pub occupation: Option<String>,
    /// The income.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub monthly_income: Option<Income>,
    /// Whom to call.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next_of_kin: Option<NextOfKin>,
}

/// An identity that an authority has given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NationalId {
    /// The country of the authority, ISO 3166.
    #[schema(example = "IN")]
    pub country: String,
    /// The kind of identity, such as a passport.
    #[schema(example = "pan")]
    pub kind: String,
    /// The number, in upper-case letters and digits. Agents and the customer see its last four characters alone.
    #[schema(example = "******234F")]
    pub number: String,
}

/// Where somebody lives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Address {
    /// Street and house.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "12 Shivaji Road")]
    pub line1: Option<String>,
    /// A second line.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub line2: Option<String>,
    /// The town.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "Pune")]
    pub city: Option<String>,
    /// State, county or province.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub region: Option<String>,
    /// The postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "411002")]
    pub postal_code: Option<String>,
    /// The country, ISO 3166.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "IN")]
    pub country: Option<String>,
}

/// A monthly income.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"amount": "18000.00"}))]
pub struct Income {
    /// How much, with the decimals of the currency.
    #[schema(value_type = Money)]
    pub amount: String,
    /// ISO 4217.
    #[schema(value_type = Currency)]
    pub currency: String,
}

impl From<Money> for Income {
    fn from(money: Money) -> Self {
        let currency: Currency = money.currency();
        Self { amount: money.to_string(), currency: currency.code().to_owned() }
    }
}

/// Somebody close to the person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NextOfKin {
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "Ravi Patel")]
    pub full_name: Option<String>,
    /// The telephone number, E.164.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "+919812300000")]
    pub phone: Option<String>,
    /// How they are related.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "brother")]
    pub relation: Option<String>,
}

/// An identity in the one form in which two are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The country.
    pub country: String,
    /// The kind, in upper-case letters and digits.
    pub kind: String,
    /// The number, as the kind.
    pub number: String,
}

/// A text in upper case, of which ASCII letters and digits alone count.
#[must_use]
pub fn compared(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

/// A number of which the last four characters can be read, if it has more.
#[must_use]
pub fn masked(number: &str) -> String {
    let hidden = match number.len() {
        length if length <= SHOWN => length,
        length => length - SHOWN,
    };
    "*".repeat(hidden) + number.get(hidden..).unwrap_or_default()
}

impl Profile {
    /// The identity in it, as it is compared.
    #[must_use]
    pub fn identity(&self) -> Option<Identity> {
        let NationalId { country, kind, number } = self.national_id.as_ref()?;
        Some(Identity { country: country.clone(), kind: compared(kind), number: compared(number) })
    }

    /// The profile as a caller of this role sees it: admins see numbers whole.
    #[must_use]
    pub fn seen_by(&self, viewer: Role) -> Self {
        match viewer {
            Role::Admin => self.clone(),
            Role::Customer | Role::Agent => {
                let mask = |id: &NationalId| NationalId { number: masked(&id.number), ..id.clone() };
                Self { national_id: self.national_id.as_ref().map(mask), ..self.clone() }
            }
        }
    }

    /// The names of what differs.
    #[must_use]
    pub fn differing(&self, other: &Self) -> Vec<&'static str> {
        let differs = [
            ("date_of_birth", self.date_of_birth != other.date_of_birth),
            ("gender", self.gender != other.gender),
            ("national_id", self.national_id != other.national_id),
            ("address", self.address != other.address),
            ("occupation", self.occupation != other.occupation),
            ("monthly_income", self.monthly_income != other.monthly_income),
            ("next_of_kin", self.next_of_kin != other.next_of_kin),
        ];
        differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }

    /// True if it says somebody else: what was verified of the other does not hold for this one.
    #[must_use]
    pub fn is_another_person(&self, other: &Self) -> bool {
        self.date_of_birth != other.date_of_birth || self.identity() != other.identity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_leaves_the_last_four_characters_of_more() {
        for (number, mask) in [("ABCPA1234F", "******234F"), ("12345", "*2345"), ("1234", "****"), ("1", "*"), ("", "")]
        {
            assert_eq!(masked(number), mask);
        }
    }

    #[test]
    fn identities_are_compared_by_letters_and_digits_alone() {
        assert_eq!(compared("ab-c 12/3.x"), "ABC123X");
        assert_eq!(compared("é*٣"), "");
    }
}
