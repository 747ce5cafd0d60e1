//! The format a client wants: JSON or CSV, by the weights of `Accept`.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};

use crate::http::weights::weighted;

/// The format a client wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Every operation answers it.
    Json,
    /// Operations that list rows answer it too.
    Csv,
}

impl<S: Send + Sync> FromRequestParts<S> for Format {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let accepted = parts.headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        Ok(Self::wanted(accepted))
    }
}

impl Format {
    /// The format that the lines of `Accept` ask for (RFC 9110, 12.5.1). CSV if it has the greater weight, or the same
    /// weight by a more specific range; JSON otherwise, even if neither is acceptable.
    pub(super) fn wanted<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let (mut json, mut csv) = (Preference::default(), Preference::default());
        for (range, weight) in lines.flat_map(weighted) {
            for (preference, [subtype, kind]) in
                [(&mut json, ["application/json", "application/*"]), (&mut csv, ["text/csv", "text/*"])]
            {
                let closeness = [kind, subtype].into_iter().rposition(|known| range.eq_ignore_ascii_case(known));
                let closeness = closeness.map(|at| at + 2).or_else(|| (range == "*/*").then_some(1));
                // The most specific range decides, whatever its weight; of two equally specific ones, the weightier.
                *preference = closeness.map_or(*preference, |closeness| preference.closer(closeness, weight));
            }
        }
        if (csv.weight, csv.closeness) > (json.weight, json.closeness) && csv.weight > 0 {
            Self::Csv
        } else {
            Self::Json
        }
    }
}

/// How a format is accepted: how specific the range is, 0 for no range, and its weight in thousandths.
#[derive(Clone, Copy, Default)]
struct Preference {
    closeness: usize,
    weight: u16,
}

impl Preference {
    fn closer(self, closeness: usize, weight: u16) -> Self {
        if (closeness, weight) > (self.closeness, self.weight) { Self { closeness, weight } } else { self }
    }
}
