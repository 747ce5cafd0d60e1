//! What a client wants to read: JSON or CSV, by the weights of `Accept`.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};

use crate::http::weights::weighted;

/// What a client wants to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// What every operation answers.
    Json,
    /// What an operation that lists rows answers too.
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
    /// What the lines of `Accept` ask for (RFC 9110, 12.5.1). CSV where it has the greater weight, or the same by a range
    /// that names it more closely; JSON everywhere else, also where neither is acceptable.
    pub(super) fn wanted<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let (mut json, mut csv) = (Preference::default(), Preference::default());
        for (range, weight) in lines.flat_map(weighted) {
            for (preference, [subtype, kind]) in
                [(&mut json, ["application/json", "application/*"]), (&mut csv, ["text/csv", "text/*"])]
            {
                let closeness = [kind, subtype].into_iter().rposition(|known| range.eq_ignore_ascii_case(known));
                let closeness = closeness.map(|at| at + 2).or_else(|| (range == "*/*").then_some(1));
                // The closest range decides, whatever its weight; of two that are as close, the weightier.
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

/// How a format is accepted: by which range, 0 for none, and with which weight in thousandths.
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
