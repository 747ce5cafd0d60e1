//! The account number that a borrower types to pay a loan.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::refusal::refusal;

/// Names a loan in payments: ten digits, the first 1 to 5, the last a check digit, as many people can type without a
/// mistake that goes unnoticed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[schema(value_type = String, pattern = "^[1-5][0-9]{9}$", example = "3141592659")]
pub struct PayRef(String);

/// The quasigroup of order 10 of H. Michael Damm's thesis (Marburg, 2004), by which every wrong digit and every two
/// that are swapped are found.
const QUASIGROUP: [[u8; 10]; 10] = [
    [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
    [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
    [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
    [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
    [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
    [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
    [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
    [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
    [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
    [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
];

/// The check digit of digits; 0 where the last one is it already.
fn damm(digits: &[u8]) -> u8 {
    digits.iter().fold(0, |state, digit| QUASIGROUP[usize::from(state)][usize::from(digit - b'0')])
}

impl PayRef {
    /// How many there are.
    pub const COUNT: u64 = 500_000_000;

    /// The one with this number, counted from 0 up to [`COUNT`](Self::COUNT), and on from the first.
    #[must_use]
    pub fn of_number(number: u64) -> Self {
        let digits = (100_000_000 + number % Self::COUNT).to_string();
        let check = damm(digits.as_bytes());
        Self(format!("{digits}{check}"))
    }

    /// Reads what the interface and the database write.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let has_form = bytes.len() == 10 && bytes.iter().all(u8::is_ascii_digit) && (b'1'..=b'5').contains(&bytes[0]);
        (has_form && damm(bytes) == 0).then(|| Self(text.to_owned()))
    }

    /// Reads what a person typed: blanks and hyphens anywhere, and a leading `#`, are dropped.
    #[must_use]
    pub fn typed(text: &str) -> Option<Self> {
        let text = text.trim_start();
        let kept = |c: &char| !(c.is_whitespace() || *c == '-');
        // Longer than anybody would type: not read further.
        let digits: String = text.strip_prefix('#').unwrap_or(text).chars().filter(kept).take(11).collect();
        Self::parse(&digits)
    }

    /// The ten digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PayRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PayRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::typed(&text)
            .ok_or_else(|| refusal("not_a_pay_ref", "must have ten digits, the first 1 to 5, the last the check digit"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_check_digit_of_572_is_4() {
        assert_eq!(damm(b"572"), 4);
        assert_eq!(damm(b"5724"), 0);
    }

    #[test]
    fn blanks_hyphens_and_a_leading_sign_are_dropped() {
        let one = PayRef::of_number(0);
        let (a, b) = one.as_str().split_at(4);
        for text in [format!("{a}{b}"), format!(" #{a}-{b} "), format!("# {a} {b}"), format!("{a}\u{a0}{b}")] {
            assert_eq!(PayRef::typed(&text), Some(one.clone()), "{text:?}");
        }
        for text in [format!("{a}#{b}"), format!("##{one}"), format!("{one}0"), format!("+{one}"), String::new()] {
            assert_eq!(PayRef::typed(&text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn each_number_has_one_of_its_own(number in 0..PayRef::COUNT) {
            let one = PayRef::of_number(number);
            prop_assert_eq!(PayRef::parse(one.as_str()), Some(one.clone()));
            prop_assert_eq!(&one.as_str()[..9], (100_000_000 + number).to_string());
        }

        #[test]
        fn a_wrong_digit_and_two_that_are_swapped_are_found(
            number in 0..PayRef::COUNT, place in 0_usize..10, digit in 0_u8..10, first in 0_usize..9,
        ) {
            let right = PayRef::of_number(number);
            let mut wrong = right.as_str().as_bytes().to_vec();
            wrong[place] = b'0' + digit;
            let is_same = wrong == right.as_str().as_bytes();
            prop_assert_eq!(PayRef::parse(std::str::from_utf8(&wrong).unwrap()).is_some(), is_same);
            let mut swapped = right.as_str().as_bytes().to_vec();
            swapped.swap(first, first + 1);
            let is_same = swapped == right.as_str().as_bytes();
            prop_assert_eq!(PayRef::parse(std::str::from_utf8(&swapped).unwrap()).is_some(), is_same);
        }

        #[test]
        fn any_text_is_read_or_is_none(text in any::<String>()) {
            if let Some(read) = PayRef::typed(&text) {
                prop_assert_eq!(PayRef::parse(read.as_str()), Some(read));
            }
        }
    }
}
