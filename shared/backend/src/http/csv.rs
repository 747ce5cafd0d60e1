//! Tables as CSV (RFC 4180), where a client asks for `text/csv`: a header line, a line for each thing, CRLF at each end.

use std::convert::Infallible;

use axum::{
    Json,
    body::Body,
    extract::FromRequestParts,
    http::{HeaderValue, header, request::Parts},
    response::{IntoResponse, Response},
};

use serde::Serialize;

use super::{pagination::Page, problem::Problem, query::QueryString};

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
        let csv = accepted.flat_map(|value| value.split(',')).any(is_csv);
        Ok(if csv { Self::Csv } else { Self::Json })
    }
}

/// Whether a media range of `Accept` is `text/csv`, and not with the quality 0, which refuses it.
fn is_csv(range: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let is_csv = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("text/csv"));
    let refused = parts.any(|parameter| {
        let quality = parameter.split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
        quality.is_some_and(|(_, value)| value.trim().chars().all(|digit| matches!(digit, '0' | '.')))
    });
    is_csv && !refused
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// A number, a date, an instant, an id or a word of ours: never a formula.
    Value(String),
    /// What a person wrote.
    Text(String),
}

impl Cell {
    /// A value of ours.
    pub fn value(value: &(impl ToString + ?Sized)) -> Self {
        Self::Value(value.to_string())
    }

    /// A value of ours, where there is one.
    #[must_use]
    pub fn optional(value: Option<&impl ToString>) -> Self {
        value.map_or(Self::Empty, |value| Self::value(value))
    }

    /// What a person wrote, where someone did.
    #[must_use]
    pub fn text(text: Option<&str>) -> Self {
        text.map_or(Self::Empty, |text| Self::Text(text.to_owned()))
    }

    fn into_text(self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Value(value) => value,
            // A spreadsheet would calculate it.
            Self::Text(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => format!("'{text}"),
            Self::Text(text) => text,
        }
    }
}

/// What can be a line of a table.
pub trait Line {
    /// The names of the columns.
    const COLUMNS: &'static [&'static str];

    /// The cells, one for each column.
    fn cells(&self) -> Vec<Cell>;
}

/// The lines as a table, in an answer; `next` is where the next page is.
///
/// # Errors
///
/// 500 for what memory does not take: a defect.
pub fn answer<L: Line>(lines: &[L], next: Option<String>) -> Result<Response, Problem> {
    let mut response = Response::new(Body::from(table(lines).map_err(Problem::internal)?));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    // Of ASCII by construction: a path, and a query that is encoded.
    if let Some(Ok(link)) = next.map(|next| HeaderValue::try_from(format!("<{next}>; rel=\"next\""))) {
        headers.insert(header::LINK, link);
    }
    Ok(response)
}

fn table<L: Line>(lines: &[L]) -> Result<Vec<u8>, csv::Error> {
    let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    table.write_record(L::COLUMNS)?;
    for line in lines {
        table.write_record(line.cells().into_iter().map(Cell::into_text))?;
    }
    table.into_inner().map_err(|error| error.into_error().into())
}

/// A page of a list in the format that the client wants.
///
/// # Errors
///
/// As of [`answer`].
pub fn page<L: Line + Serialize>(page: Page<L>, format: Format, query: &QueryString) -> Result<Response, Problem> {
    match format {
        Format::Json => Ok(Json(page).into_response()),
        Format::Csv => answer(&page.data, page.next_cursor.map(|cursor| query.with_cursor(&cursor))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Note(&'static str);

    impl Line for Note {
        const COLUMNS: &'static [&'static str] = &["n", "note"];

        fn cells(&self) -> Vec<Cell> {
            vec![Cell::value(&-1), Cell::text(Some(self.0))]
        }
    }

    fn text(lines: &[Note]) -> String {
        table(lines).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    #[test]
    fn what_a_person_wrote_is_never_a_formula_and_numbers_are_numbers() {
        for (written, shown) in [
            ("cash", "cash"),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "\"'\r=1\""),
            ("a,b", "\"a,b\""),
            ("say \"so\"", "\"say \"\"so\"\"\""),
            ("=\"a\",b", "\"'=\"\"a\"\",b\""),
            ("two\nlines", "\"two\nlines\""),
        ] {
            assert_eq!(text(&[Note(written)]), format!("n,note\r\n-1,{shown}\r\n"), "{written}");
        }
        assert_eq!(text(&[]), "n,note\r\n");
    }

    #[test]
    fn a_client_names_csv_among_what_it_accepts() {
        for range in ["text/csv", " Text/CSV ; q=0.5", "text/csv;header=present", "text/csv;q=0.01"] {
            assert!(is_csv(range), "{range}");
        }
        for range in ["application/json", "*/*", "text/*", "text/csv;q=0", "text/csv; q=0.000", "text/csvx"] {
            assert!(!is_csv(range), "{range}");
        }
    }
}
