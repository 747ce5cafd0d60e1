//! Tables as CSV (RFC 4180), where a client asks for `text/csv`: a header line, a line for each thing, CRLF at each
//! end.

use axum::{
    Json,
    body::Body,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{
    http::{format::Format, pagination::Page, problem::Problem, query::QueryString, seal::Binding},
    values::{
        page::{Limit, Part, Position},
        table::{Cell, Lines},
    },
};

/// The largest table, in bytes, as text in the JSON that a function answers with: Lambda accepts 6 MB of it, with the
/// headers.
const LARGEST: usize = 4_900_000;

/// How many bytes of JSON a text becomes.
fn bytes_of_json(text: &[u8]) -> usize {
    let bytes = text.iter().map(|byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
        0..=0x1f => 6,
        _ => 1,
    });
    bytes.sum()
}

/// Lines as CSV.
fn written(lines: Vec<Vec<String>>) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for line in lines {
        writer.write_record(line)?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

/// The table of as many things as fit, of one at least, and how many those are.
fn table<L: Lines>(things: &[L]) -> Result<(Vec<u8>, usize), csv::Error> {
    let mut table = written(vec![L::COLUMNS.iter().map(ToString::to_string).collect()])?;
    let mut size = bytes_of_json(&table);
    for (taken, thing) in things.iter().enumerate() {
        let texts = |cells: Vec<Cell>| cells.into_iter().map(Cell::into_text).collect();
        let lines = written(thing.lines().into_iter().map(texts).collect())?;
        size += bytes_of_json(&lines);
        if size > LARGEST && taken > 0 {
            return Ok((table, taken));
        }
        table.extend(lines);
    }
    Ok((table, things.len()))
}

fn answer_with(table: Vec<u8>, next: Option<String>) -> Response {
    let mut response = Response::new(Body::from(table));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    link(response, next)
}

/// The answer with the address of the next page in `Link`, if there is one.
fn link(mut response: Response, next: Option<String>) -> Response {
    // Of ASCII by construction: a path, and a query that is encoded.
    if let Some(Ok(link)) = next.map(|next| HeaderValue::try_from(format!("<{next}>; rel=\"next\""))) {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

/// All things as a table, for lists short enough to fit always.
///
/// # Errors
///
/// 500 for a table that does not fit: a defect.
pub fn answer<L: Lines>(things: &[L]) -> Result<Response, Problem> {
    match table(things).map_err(Problem::internal)? {
        (table, taken) if taken == things.len() => Ok(answer_with(table, None)),
        _ => Err(Problem::internal("a table without pages is too large")),
    }
}

/// A page whose JSON is a bare array, in the format that the client wants. In both, `Link` leads to the page after a
/// position.
///
/// # Errors
///
/// 500 for a table that does not fit: a defect.
pub fn bare_page<L: Lines + Serialize, K: Part, I: Part>(
    things: Vec<L>,
    more_after: Option<Position<K, I>>,
    format: Format,
    (query, binding): (&QueryString, &Binding),
) -> Result<Response, Problem> {
    let response = match format {
        Format::Csv => answer(&things)?,
        Format::Json => Json(things).into_response(),
    };
    Ok(link(response, more_after.map(|last| query.with_cursor(&last.to_cursor(binding)))))
}

/// A page of a list in the format that the client wants, from the rows of [`Limit::and_one`]. A page of CSV ends early
/// where the table would become too large; `Link` leads to the next one.
///
/// # Errors
///
/// 500 if the table cannot be written: a defect.
pub fn page<L: Lines + Serialize, K: Part, I: Part>(
    rows: Vec<L>,
    limit: Limit,
    format: Format,
    (query, binding): (&QueryString, &Binding),
    position: impl Fn(&L) -> Position<K, I>,
) -> Result<Response, Problem> {
    let page = Page::new(rows, limit, binding, &position);
    if format == Format::Json {
        return Ok(Json(page).into_response());
    }
    let (table, taken) = table(&page.data).map_err(Problem::internal)?;
    let next = match page.data.get(..taken).and_then(<[L]>::last) {
        Some(last) if taken < page.data.len() => Some(position(last).to_cursor(binding)),
        _ => page.next_cursor,
    };
    Ok(answer_with(table, next.map(|cursor| query.with_cursor(&cursor))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::table::Line;

    struct Note(&'static str);

    impl Line for Note {
        const COLUMNS: &'static [&'static str] = &["n", "note"];

        fn cells(&self) -> Vec<Cell> {
            vec![Cell::value(&-1), Cell::text(Some(self.0))]
        }
    }

    fn text(lines: &[Note]) -> String {
        table(lines).map(|(bytes, _)| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
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
    fn a_sign_of_a_formula_is_one_at_full_width_and_behind_what_does_not_show() {
        for sign in ["=", "+", "-", "@", "＝", "＋", "－", "＠"] {
            for before in ["", " ", "\u{a0}", "\u{200b}", "\u{feff}", "\u{2060}\u{ad}", "\u{3164}", "\u{202e}", "\u{1}"]
            {
                let text = format!("{before}{sign}1");
                assert_eq!(Cell::Text(text.clone()).into_text(), format!("'{text}"), "{text:?}");
                let inside = format!("a{text}");
                assert_eq!(Cell::Text(inside.clone()).into_text(), inside, "{inside:?}");
            }
        }
    }

    #[test]
    fn accept_is_read_with_its_weights_and_json_wins_where_nothing_else_does() {
        for accept in [
            "text/csv",
            " Text/CSV ; q=0.5",
            "text/csv;header=present",
            "text/csv;q=0.01",
            "text/*",
            "text/csv, application/json;q=0.9",
            "application/json;q=0.1, text/csv;q=0.101",
            "text/csv, */*",
            "text/csv, */*;q=0.1",
            "application/json;q=0, */*",
        ] {
            assert_eq!(Format::wanted([accept].into_iter()), Format::Csv, "{accept}");
        }
        for accept in [
            "",
            "application/json",
            "application/json, text/csv;q=0.8",
            "text/csv;q=0.8, application/json",
            "text/csv, application/json",
            "application/json, text/plain, */*",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "text/csv;q=0.5, */*",
            "*/*",
            "image/png",
            "text/csv;q=0",
            "text/csv; q=0.000",
            "text/csv;q=2",
            "text/csv;q=x",
            "text/*, text/csv;q=0",
            "text/csvx",
            "application/json;q=0",
        ] {
            assert_eq!(Format::wanted([accept].into_iter()), Format::Json, "{accept}");
        }
        // Several lines are one list.
        assert_eq!(Format::wanted(["application/json;q=0.5", "text/csv"].into_iter()), Format::Csv);
    }

    #[test]
    fn a_table_stays_under_five_megabytes_whatever_its_lines_hold() {
        for (text, fits) in [("x".repeat(4_000), 1_000), ("\u{1}".repeat(4_000), 200), ("\"".repeat(4_000), 300)] {
            let notes: Vec<Note> = std::iter::repeat_with(|| Note(text.clone().leak())).take(2_000).collect();
            let (bytes, taken) = table(&notes).unwrap_or_default();
            assert!(taken > fits && taken < notes.len(), "{taken}");
            let json = serde_json::to_string(&String::from_utf8_lossy(&bytes)).unwrap_or_default();
            assert!(json.len() < 5_000_000 && json.len() > 4_800_000, "{}", json.len());
        }
        // At least one thing is sent, or nobody would ever get past it.
        let (_, taken) = table(&[Note("x".repeat(6_000_000).leak()), Note("y")]).unwrap_or_default();
        assert_eq!(taken, 1);
    }
}
