//! Keyset paging: a page, and the opaque cursor that says where the next one starts.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    format::Format,
    problem::Problem,
    query::{Shared, take},
    seal::Binding,
};
use crate::values::{
    page::{Limit, MOST, Part, Position},
    refusal::refusal,
};

/// The most things a page of CSV holds.
const MOST_IN_CSV: u16 = 5000;

/// The page size of a list that is also available as CSV: as [`Limit`], and up to 5,000 for CSV.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(minimum = 1, maximum = 5000, default = 50)]
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
            (None, _) => Ok(Limit::default()),
            (Some(Self(limit)), Format::Json) if limit > MOST => Err(Problem::field(
                "/limit",
                "out_of_range",
                "limit is a whole number from 1 to 200, or to 5000 as CSV",
            )),
            (Some(Self(limit)), _) => Ok(Limit(limit)),
        }
    }
}

/// The page that a query asks for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    limit: Option<Limit>,
    cursor: Option<String>,
}

impl PageQuery {
    /// The size of the page, and the position that it begins after; `None` for the first page.
    ///
    /// # Errors
    ///
    /// 400 for a cursor that is malformed, or was issued for another caller or query.
    pub fn page<K: Part, I: Part>(self, binding: &Binding) -> Result<(Limit, Option<Position<K, I>>), Problem> {
        let after = self.cursor.map(|cursor| Position::from_cursor(&cursor, binding)).transpose()?;
        Ok((self.limit.unwrap_or_default(), after))
    }
}

impl Shared for PageQuery {
    fn take(query: &mut String) -> Result<Self, Problem> {
        take(query, &["limit", "cursor"])
    }
}

/// The page that a query asks for of a list that is also available as CSV.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportPageQuery {
    limit: Option<ExportLimit>,
    cursor: Option<String>,
}

impl ExportPageQuery {
    /// As [`PageQuery::page`], for an answer in this format.
    ///
    /// # Errors
    ///
    /// 422 for more than a page of JSON holds; 400 as [`PageQuery::page`].
    pub fn page<K: Part, I: Part>(
        self,
        binding: &Binding,
        format: Format,
    ) -> Result<(Limit, Option<Position<K, I>>), Problem> {
        let limit = ExportLimit::of(self.limit, format)?;
        PageQuery { limit: Some(limit), cursor: self.cursor }.page(binding)
    }
}

impl Shared for ExportPageQuery {
    fn take(query: &mut String) -> Result<Self, Problem> {
        take(query, &["limit", "cursor"])
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

/// The refusal of a cursor.
#[must_use]
pub fn bad_cursor() -> Problem {
    let detail = "The cursor is malformed, or was issued for another list, other filters or another caller.";
    Problem::bad_request("bad_cursor", detail)
}

impl<K: Part, I: Part> Position<K, I> {
    /// Reads a cursor.
    ///
    /// # Errors
    ///
    /// 400 if malformed, or issued for another caller or query.
    pub fn from_cursor(cursor: &str, binding: &Binding) -> Result<Self, Problem> {
        let parse = || {
            let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
            serde_json::from_slice(binding.open(&bytes)?).ok()
        };
        let position: Option<Self> = parse();
        position.filter(|Self(key, id)| key.is_storable() && id.is_storable()).ok_or_else(bad_cursor)
    }

    /// Writes the cursor.
    #[must_use]
    pub fn to_cursor(&self, binding: &Binding) -> String {
        // A pair of plain values always serialises.
        let position = serde_json::to_vec(self).unwrap_or_default();
        URL_SAFE_NO_PAD.encode(binding.seal(&position))
    }
}

impl<T> Page<T> {
    /// Makes a page of the rows of [`Limit::and_one`]: a row too many only shows that there is a next page.
    #[must_use]
    pub fn new<K: Part, I: Part>(
        mut data: Vec<T>,
        limit: Limit,
        binding: &Binding,
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

    use jiff::{Timestamp, civil::Date};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    use crate::http::seal::CursorKeys;

    fn binding(scope: [u8; 32]) -> Binding {
        Binding::new(CursorKeys::derive([vec![7; 32]]).unwrap(), scope)
    }

    proptest! {
        #[test]
        fn a_cursor_is_read_as_it_was_written(number in any::<i32>(), id in any::<u128>(), scope in any::<[u8; 32]>()) {
            let (position, binding) = (Position(number, Uuid::from_u128(id)), binding(scope));
            prop_assert_eq!(Position::from_cursor(&position.to_cursor(&binding), &binding).unwrap(), position);
        }

        /// Text that was issued to nobody, including a cursor with one byte changed.
        #[test]
        fn no_other_text_is_a_cursor(
            text in any::<String>(),
            bytes in any::<Vec<u8>>(),
            scope in any::<[u8; 32]>(),
            at in any::<prop::sample::Index>(),
            change in 1..=u8::MAX,
        ) {
            let binding = binding(scope);
            let cursor = Position(7, Uuid::from_u128(1)).to_cursor(&binding);
            let mut changed = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
            let at = at.index(changed.len());
            changed[at] ^= change;
            for text in [text, URL_SAFE_NO_PAD.encode(bytes), URL_SAFE_NO_PAD.encode(changed)] {
                let refused = Position::<i32>::from_cursor(&text, &binding).unwrap_err();
                prop_assert_eq!((refused.status().as_u16(), refused.code()), (400, "bad_cursor"));
            }
        }
    }

    #[test]
    fn a_cursor_holds_its_position_to_what_it_is_bound_to() {
        let (binding, other, position) = (binding([7; 32]), binding([8; 32]), Position(20_261_122, Uuid::from_u128(1)));
        let cursor = position.to_cursor(&binding);
        assert_eq!(Position::from_cursor(&cursor, &binding).unwrap(), position);
        Position::<i32>::from_cursor(&cursor, &other).unwrap_err();

        // Another position, equally well formed, behind the same seal.
        let mut bytes = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
        let digit = bytes.iter().rposition(|byte| *byte == b'1').unwrap();
        bytes[digit] = b'2';
        serde_json::from_slice::<Position<i32>>(&bytes[32..]).unwrap();
        Position::<i32>::from_cursor(&URL_SAFE_NO_PAD.encode(&bytes), &binding).unwrap_err();

        // Neither is a truncated cursor accepted, nor other text.
        for length in 0..cursor.len() {
            Position::<i32>::from_cursor(&cursor[..length], &binding).unwrap_err();
        }
        Position::<i32>::from_cursor("no cursor", &binding).unwrap_err();
    }

    #[test]
    fn a_position_that_the_database_cannot_hold_is_refused_behind_a_right_seal() {
        let binding = binding([7; 32]);
        let sealed = |position: &str| URL_SAFE_NO_PAD.encode(binding.seal(position.as_bytes()));
        let id = Uuid::nil();
        for instant in ["-009999-01-02T01:59:59Z", "-000001-01-01T00:00:00Z", "9999-12-30T22:00:00Z", "now", ""] {
            let cursor = sealed(&format!(r#"["{instant}","{id}"]"#));
            assert_eq!(Position::<Timestamp>::from_cursor(&cursor, &binding).unwrap_err().code(), "bad_cursor");
        }
        for date in ["-009999-01-02", "0000-01-01", "1899-12-31", "2201-01-01", "9999-12-31"] {
            let cursor = sealed(&format!(r#"["{date}","{id}"]"#));
            assert_eq!(Position::<Date>::from_cursor(&cursor, &binding).unwrap_err().code(), "bad_cursor");
            let cursor = sealed(&format!(r#"[["{date}",1,"2026-01-01T00:00:00Z"],"{id}"]"#));
            assert!(Position::<(Date, u8, Timestamp)>::from_cursor(&cursor, &binding).is_err());
        }
        for position in [r#"["2026-01-01T00:00:00Z","a\u0000"]"#, r#"["2026-01-01T00:00:00Z","\ud800"]"#] {
            assert!(Position::<Timestamp, String>::from_cursor(&sealed(position), &binding).is_err());
        }
        assert!(Position::<i32>::from_cursor(&sealed(&format!(r#"[2147483648,"{id}"]"#)), &binding).is_err());
        let good = sealed(&format!(r#"["2026-01-01T00:00:00Z","{id}"]"#));
        assert!(Position::<Timestamp>::from_cursor(&good, &binding).is_ok());
    }
}
