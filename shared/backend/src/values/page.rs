//! A page of a list: how many things it holds, and where it ends.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use utoipa::ToSchema;
use uuid::Uuid;

use super::refusal::refusal;

/// How many things a page holds: 1 to 200, default 50.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(value_type = u8, minimum = 1, maximum = 200, default = 50)]
pub struct Limit(pub(crate) u16);

/// The most things a page of JSON holds.
pub(crate) const MOST: u16 = 200;

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

    /// One more than a page: if it comes back, there is a next page.
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

/// The last thing of a page, by what the list is sorted by and by its id: where the next page starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Position<K, I = Uuid>(pub K, pub I);

/// A part of a position. A right seal says that a function wrote the position, not that the database can hold it: both
/// are checked.
pub trait Part: Serialize + DeserializeOwned {
    /// True if the database can hold the value.
    fn is_storable(&self) -> bool;
}

/// The range of instants that the database is asked for: the years 1 to 9998 in any zone.
const INSTANTS: std::ops::Range<i64> = -62_135_510_400..253_370_678_400;

impl Part for Timestamp {
    fn is_storable(&self) -> bool {
        INSTANTS.contains(&self.as_second())
    }
}

impl Part for Date {
    fn is_storable(&self) -> bool {
        (lending::FIRST_YEAR..=lending::LAST_YEAR).contains(&self.year())
    }
}

impl Part for String {
    /// Postgres text holds no NUL.
    fn is_storable(&self) -> bool {
        !self.contains('\0')
    }
}

/// Parts of which every value can be held.
macro_rules! always_storable {
    ($($part:ty),+) => {
        $(impl Part for $part {
            fn is_storable(&self) -> bool {
                true
            }
        })+
    };
}

always_storable!(Uuid, i32, u8, ());

impl<A: Part, B: Part> Part for (A, B) {
    fn is_storable(&self) -> bool {
        self.0.is_storable() && self.1.is_storable()
    }
}

impl<A: Part, B: Part, C: Part> Part for (A, B, C) {
    fn is_storable(&self) -> bool {
        self.0.is_storable() && self.1.is_storable() && self.2.is_storable()
    }
}
