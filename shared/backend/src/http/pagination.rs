//! Keyset paging: a page, and the opaque cursor that says where the next one starts.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{body::refusal, csv::Format, problem::Problem};

/// How many things a page holds: 1 to 200, 50 where nothing is said.
#[derive(Clone, Copy, Debug)]
pub struct Limit(u16);

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl Limit {
    /// The most that a page holds.
    pub const MOST: Self = Self(MOST);

    /// How many a page holds.
    #[must_use]
    pub fn of_page(self) -> usize {
        usize::from(self.0)
    }

    /// One more than a page: whether that one comes back says whether there is a next page.
    #[must_use]
    pub fn and_one(self) -> i64 {
        i64::from(self.0) + 1
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.parse() {
            Ok(limit) if (1..=MOST).contains(&limit) => Ok(Self(limit)),
            _ => Err(refusal("out_of_range", "limit is a whole number from 1 to 200")),
        }
    }
}

/// The most things a page of JSON holds.
const MOST: u16 = 200;
/// The most things a page of CSV holds.
const MOST_IN_CSV: u16 = 5000;

/// How many things a page of a list holds that is there as CSV too: as [`Limit`], and up to 5,000 of CSV, which is what
/// one of CSV holds where nothing is said.
#[derive(Clone, Copy, Debug)]
pub struct ExportLimit(u16);

impl<'de> Deserialize<'de> for ExportLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.parse() {
            Ok(limit) if (1..=MOST_IN_CSV).contains(&limit) => Ok(Self(limit)),
            _ => Err(refusal("out_of_range", "limit is a whole number from 1 to 200, or to 5000 as CSV")),
        }
    }
}

impl ExportLimit {
    /// The limit for an answer in this format.
    ///
    /// # Errors
    ///
    /// 422 for more than a page of JSON holds.
    pub fn of(limit: Option<Self>, format: Format) -> Result<Limit, Problem> {
        match (limit, format) {
            (None, Format::Json) => Ok(Limit::default()),
            (None, Format::Csv) => Ok(Limit(MOST_IN_CSV)),
            (Some(Self(limit)), Format::Json) if limit > MOST => Err(Problem::field(
                "/limit",
                "out_of_range",
                "limit is a whole number from 1 to 200, or to 5000 as CSV",
            )),
            (Some(Self(limit)), _) => Ok(Limit(limit)),
        }
    }
}

/// One page of a list.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The things on this page, in the list's order.
    pub data: Vec<T>,
    /// Send it as `cursor` for the next page; null on the last one.
    pub next_cursor: Option<String>,
}

/// The last thing of a page, by what the list is sorted by and by its id: where the next page starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Position<K, I = Uuid>(pub K, pub I);

impl<K: Serialize + DeserializeOwned, I: Serialize + DeserializeOwned> Position<K, I> {
    /// Reads a cursor.
    ///
    /// # Errors
    ///
    /// 400 for a cursor that is none, or that another caller or another query was given.
    pub fn from_cursor(cursor: &str, binding: [u8; 16]) -> Result<Self, Problem> {
        let parse = || {
            let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
            let (bound_to, position) = bytes.split_at_checked(16)?;
            (bound_to == seal(binding, position)).then_some(())?;
            serde_json::from_slice(position).ok()
        };
        parse().ok_or_else(|| {
            let detail = "The cursor is not one that was given for this list, with these filters, to this caller.";
            Problem::bad_request("bad_cursor", detail)
        })
    }

    /// Writes the cursor.
    #[must_use]
    pub fn to_cursor(&self, binding: [u8; 16]) -> String {
        // A pair of plain values always serialises.
        let position = serde_json::to_vec(self).unwrap_or_default();
        let mut bytes = seal(binding, &position).to_vec();
        bytes.extend(position);
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

/// What tells a cursor that was given from one that was not: it holds the position to what the cursor is bound to.
fn seal(binding: [u8; 16], position: &[u8]) -> [u8; 16] {
    let digest: [u8; 32] = Sha256::new().chain_update(binding).chain_update(position).finalize().into();
    let mut seal = [0; 16];
    seal.copy_from_slice(&digest[..16]);
    seal
}

impl<T> Page<T> {
    /// Makes a page of what [`Limit::and_one`] brought: the last row, if there is one too many, only shows that there is
    /// a next page.
    #[must_use]
    pub fn new<K: Serialize + DeserializeOwned, I: Serialize + DeserializeOwned>(
        mut data: Vec<T>,
        limit: Limit,
        binding: [u8; 16],
        position: impl Fn(&T) -> Position<K, I>,
    ) -> Self {
        let more = data.len() > usize::from(limit.0);
        data.truncate(usize::from(limit.0));
        let next_cursor = data.last().filter(|_| more).map(|last| position(last).to_cursor(binding));
        Self { data, next_cursor }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_is_read_as_it_was_written(number in any::<i64>(), id in any::<u128>(), binding in any::<[u8; 16]>()) {
            let position = Position(number, Uuid::from_u128(id));
            prop_assert_eq!(Position::from_cursor(&position.to_cursor(binding), binding).unwrap(), position);
        }

        /// Text that nobody was given, also where it is a cursor with one byte changed.
        #[test]
        fn no_other_text_is_a_cursor(
            text in any::<String>(),
            bytes in any::<Vec<u8>>(),
            binding in any::<[u8; 16]>(),
            at in any::<prop::sample::Index>(),
            change in 1..=u8::MAX,
        ) {
            let cursor = Position(7_u64, Uuid::from_u128(1)).to_cursor(binding);
            let mut changed = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
            let at = at.index(changed.len());
            changed[at] ^= change;
            for text in [text, URL_SAFE_NO_PAD.encode(bytes), URL_SAFE_NO_PAD.encode(changed)] {
                let refused = Position::<u64>::from_cursor(&text, binding).unwrap_err();
                prop_assert_eq!((refused.status().as_u16(), refused.code()), (400, "bad_cursor"));
            }
        }
    }

    #[test]
    fn a_cursor_holds_its_position_to_what_it_is_bound_to() {
        let (binding, position) = ([7; 16], Position(20_261_122_u64, Uuid::from_u128(1)));
        let cursor = position.to_cursor(binding);
        assert_eq!(Position::from_cursor(&cursor, binding).unwrap(), position);
        Position::<u64>::from_cursor(&cursor, [8; 16]).unwrap_err();

        // Another position that is as well formed, behind the same seal.
        let mut bytes = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
        let digit = bytes.iter().rposition(|byte| *byte == b'1').unwrap();
        bytes[digit] = b'2';
        serde_json::from_slice::<Position<u64>>(&bytes[16..]).unwrap();
        Position::<u64>::from_cursor(&URL_SAFE_NO_PAD.encode(&bytes), binding).unwrap_err();

        // Nor is one read that is cut short anywhere, or is not one at all.
        for length in 0..cursor.len() {
            Position::<u64>::from_cursor(&cursor[..length], binding).unwrap_err();
        }
        Position::<u64>::from_cursor("no cursor", binding).unwrap_err();
    }
}
