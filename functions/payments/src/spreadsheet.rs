//! Statements from spreadsheets: CSV with a line for each credit, commas or semicolons between its cells.

use std::collections::BTreeMap;

use backend::{
    domain::{
        notices::{Payer, Unusable, kept, money},
        sources::Source,
        statements::{Detail, Entry, Statement},
    },
    http::problem::Problem,
    values::refusal::FieldError,
};
use csv::{ReaderBuilder, StringRecord, Trim};
use lending::{Money, parse_date};

/// The columns, in any order; the first three have to be there.
const COLUMNS: [&str; 7] = ["paid_on", "amount", "external_id", "currency", "reference", "payer_name", "payer_account"];
const REQUIRED: usize = 3;

/// The statement of a spreadsheet, as far as it is in the source's currency; `None` if nothing is.
///
/// # Errors
///
/// 422 for columns and cells that cannot be read, naming each by the number of its row; the first row has the names.
pub(crate) fn read(text: &str, source: &Source) -> Result<Option<Statement>, Problem> {
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().next().unwrap_or_default();
    let delimiter = if first.contains(';') { b';' } else { b',' };
    let mut reader = ReaderBuilder::new();
    reader.delimiter(delimiter).flexible(true).trim(Trim::All).has_headers(false);
    let mut rows = reader.from_reader(text.as_bytes()).into_records().enumerate();
    let header = rows.next().and_then(|(_, row)| row.ok()).unwrap_or_default();
    let places = places(&header)?;
    let mut sheet = Sheet { source, places, errors: Vec::new(), receipts: BTreeMap::new() };
    let mut entries = Vec::new();
    let mut is_empty = true;
    for (number, row) in rows {
        let place = format!("/rows/{}", number + 1);
        match row {
            Ok(row) if row.iter().all(str::is_empty) => {}
            Ok(row) => {
                is_empty = false;
                entries.extend(sheet.entry(&place, number + 1, &row));
            }
            Err(_) => sheet.errors.push(FieldError::new(place, "not_csv", "cannot be read as CSV")),
        }
    }
    if is_empty {
        sheet.errors.push(FieldError::new("/rows", "required", "must have one row at least, beside that of the names"));
    }
    if !sheet.errors.is_empty() {
        return Err(Problem::invalid(sheet.errors));
    }
    let days = || entries.iter().map(|entry: &Entry| entry.on);
    let (from, to) = (days().min(), days().max());
    Ok((!entries.is_empty()).then(|| Statement { from, to, entries, ..Statement::default() }))
}

/// Where each column is.
fn places(header: &StringRecord) -> Result<BTreeMap<&'static str, usize>, Problem> {
    let mut places = BTreeMap::new();
    let mut errors = Vec::new();
    for (place, name) in header.iter().enumerate() {
        match COLUMNS.into_iter().find(|column| *column == name) {
            Some(column) if places.insert(column, place).is_none() => {}
            Some(_) => {
                errors.push(FieldError::new(format!("/rows/1/{place}"), "repeated", format!("{name} is there twice")));
            }
            None => {
                let detail = format!("must be one of {}", COLUMNS.join(", "));
                errors.push(FieldError::new(format!("/rows/1/{place}"), "unknown_field", detail));
            }
        }
    }
    for column in COLUMNS.into_iter().take(REQUIRED).filter(|column| !places.contains_key(column)) {
        errors.push(FieldError::new(format!("/rows/1/{column}"), "required", "must be one of the columns"));
    }
    if errors.is_empty() { Ok(places) } else { Err(Problem::invalid(errors)) }
}

struct Sheet<'s> {
    source: &'s Source,
    places: BTreeMap<&'static str, usize>,
    errors: Vec<FieldError>,
    /// The row of each receipt.
    receipts: BTreeMap<String, usize>,
}

impl Sheet<'_> {
    /// The entry of a row; `None` for one in another currency, or one with errors.
    fn entry(&mut self, place: &str, number: usize, row: &StringRecord) -> Option<Entry> {
        let cell = |column: &str| {
            let text = self.places.get(column).and_then(|place| row.get(*place)).unwrap_or_default();
            (!text.is_empty()).then(|| text.to_owned())
        };
        let currency = self.source.currency;
        if cell("currency").is_some_and(|told| told != currency.code()) {
            return None;
        }
        let mut refuse = |code: &'static str, column: &str, detail: String| {
            self.errors.push(FieldError::new(format!("{place}{column}"), code, detail));
        };
        let on = parse_date(&cell("paid_on").unwrap_or_default());
        let on = on.map_err(|error| refuse(error.code(), "/paid_on", error.to_string())).ok();
        let amount = money(&cell("amount").unwrap_or_default(), currency);
        let amount = amount.map_err(|Unusable { code, detail, .. }| refuse(code, "/amount", detail)).ok();
        if amount.is_some_and(Money::is_zero) {
            refuse("not_positive", "/amount", "must be more than zero".into());
        }
        let receipt = cell("external_id");
        if receipt.as_ref().is_some_and(|receipt| receipt.chars().count() > 200) {
            refuse("not_a_receipt", "/external_id", "must have at most 200 characters".into());
        }
        let receipt = kept(receipt, 200);
        if let Some(earlier) = receipt.clone().and_then(|receipt| self.receipts.insert(receipt, number)) {
            refuse("repeated", "/external_id", format!("is that of row {earlier}, too"));
        }
        let payer =
            Payer { name: kept(cell("payer_name"), 200), phone: None, account: kept(cell("payer_account"), 64) };
        let remittance = kept(cell("reference"), 200);
        let (amount, on) = (amount?, on?);
        let raw = row.iter().collect::<Vec<_>>().join(",");
        let detail = Detail { amount, reference: receipt.clone(), end_to_end: None, remittance, payer, raw };
        Some(Entry { is_credit: true, is_reversal: false, amount, on, reference: receipt, details: vec![detail] })
    }
}
