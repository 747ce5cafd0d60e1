//! Statements of banks: ISO 20022, camt.053.001.02 to .08. The parser takes no document type, so there are no entities
//! to resolve.

use backend::{
    domain::{
        notices::{Payer, kept, money},
        sources::Source,
        statements::{Detail, Entry, Statement},
    },
    http::problem::Problem,
    values::refusal::FieldError,
};
use jiff::civil::Date;
use lending::{Money, parse_date};
use roxmltree::{Document, Node, ParsingOptions};

/// The namespace of a statement up to its version.
const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.";
const VERSIONS: [&str; 7] = ["02", "03", "04", "05", "06", "07", "08"];

/// More than a file of 1 MiB needs.
const MOST_NODES: u32 = 500_000;

/// How much of an entry is kept as it was sent, in bytes.
const MOST_RAW: usize = 16 * 1024;

/// The statements of the source's account and currency.
///
/// # Errors
///
/// 400 for what is not XML; 422 for another document, and for amounts and dates that cannot be read, naming each.
pub(crate) fn read(xml: &str, source: &Source) -> Result<Vec<Statement>, Problem> {
    let options = ParsingOptions { nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(xml, options);
    let document =
        document.map_err(|error| Problem::bad_request("not_xml", format!("The body is not XML: {error}.")))?;
    let root = document.root_element();
    let namespace = root.tag_name().namespace().unwrap_or_default();
    if !namespace.strip_prefix(NAMESPACE).is_some_and(|version| VERSIONS.contains(&version)) {
        return Err(Problem::field("", "not_a_statement", "must be a statement of camt.053.001.02 to camt.053.001.08"));
    }
    let mut reader = Reader { xml, source, errors: Vec::new() };
    let statements = children(root, "BkToCstmrStmt").flat_map(|message| children(message, "Stmt"));
    let mut read = Vec::new();
    for (place, statement) in statements.enumerate() {
        if reader.is_ours(statement) {
            read.push(reader.statement(&format!("/BkToCstmrStmt/Stmt/{place}"), statement));
        }
    }
    if reader.errors.is_empty() { Ok(read) } else { Err(Problem::invalid(reader.errors)) }
}

fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.is_element() && child.tag_name().name() == name)
}

/// The first element on a way down.
fn at<'a, 'i>(node: Node<'a, 'i>, way: &[&'static str]) -> Option<Node<'a, 'i>> {
    way.iter().try_fold(node, |node, name| children(node, name).next())
}

/// The text of the first element on a way down; `None` for blanks.
fn text_at(node: Node<'_, '_>, way: &[&'static str]) -> Option<String> {
    at(node, way).and_then(|node| node.text()).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A reference of a bank or a payer, unless it says that there is none.
fn reference_at(node: Node<'_, '_>, way: &[&'static str]) -> Option<String> {
    text_at(node, way).filter(|text| text != "NOTPROVIDED").and_then(|text| kept(Some(text), 200))
}

/// An account, as an IBAN or otherwise.
fn account_at(node: Node<'_, '_>, name: &'static str) -> Option<String> {
    text_at(node, &[name, "Id", "IBAN"]).or_else(|| text_at(node, &[name, "Id", "Othr", "Id"]))
}

fn without_blanks(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect()
}

struct Reader<'x> {
    xml: &'x str,
    source: &'x Source,
    errors: Vec<FieldError>,
}

impl Reader<'_> {
    /// True for a statement of the source's account and currency.
    fn is_ours(&self, statement: Node<'_, '_>) -> bool {
        let account = account_at(statement, "Acct").unwrap_or_default();
        let mut amounts = ["Bal", "Ntry"].into_iter().flat_map(|name| children(statement, name));
        let told = || amounts.find_map(|node| at(node, &["Amt"])?.attribute("Ccy").map(str::to_owned));
        let currency = text_at(statement, &["Acct", "Ccy"]).or_else(told);
        without_blanks(&account) == without_blanks(&self.source.account)
            && currency.is_none_or(|currency| currency == self.source.currency.code())
    }

    fn statement(&mut self, place: &str, statement: Node<'_, '_>) -> Statement {
        let entries = children(statement, "Ntry").enumerate();
        let entries: Vec<Entry> =
            entries.filter_map(|(number, entry)| self.entry(&format!("{place}/Ntry/{number}"), entry)).collect();
        let balances: Vec<(Option<Money>, Option<Date>, String)> = children(statement, "Bal")
            .enumerate()
            .filter_map(|(number, balance)| {
                let code = text_at(balance, &["Tp", "CdOrPrtry", "Cd"])?;
                let place = format!("{place}/Bal/{number}");
                Some((self.balance(&place, balance), date(balance, "Dt"), code))
            })
            .collect();
        let balance = |codes: &[&str]| balances.iter().find(|(.., code)| codes.contains(&code.as_str()));
        let (opening, closing) = (balance(&["OPBD", "PRCD"]), balance(&["CLBD"]));
        // A statement without a period covers what it lists, up to the day of its last balance.
        let days = || entries.iter().map(|entry| entry.on).chain(closing.and_then(|(_, on, _)| *on));
        Statement {
            from: date_at(statement, &["FrToDt", "FrDtTm"]).or_else(|| days().min()),
            to: date_at(statement, &["FrToDt", "ToDtTm"]).or_else(|| days().max()),
            opening: opening.and_then(|(amount, ..)| *amount),
            closing: closing.and_then(|(amount, ..)| *amount),
            entries,
        }
    }

    /// A balance: what is owed to the bank is below zero.
    fn balance(&mut self, place: &str, balance: Node<'_, '_>) -> Option<Money> {
        let amount = self.amount(place, at(balance, &["Amt"]))?;
        let is_debit = text_at(balance, &["CdtDbtInd"]).as_deref() == Some("DBIT");
        if is_debit { Money::zero(amount.currency()).checked_sub(amount) } else { Some(amount) }
    }

    /// A booked entry; `None` for a pending one.
    fn entry(&mut self, place: &str, entry: Node<'_, '_>) -> Option<Entry> {
        let status = text_at(entry, &["Sts", "Cd"]).or_else(|| text_at(entry, &["Sts"]));
        if status.as_deref() != Some("BOOK") {
            return None;
        }
        let amount = self.amount(place, at(entry, &["Amt"]));
        let on = date(entry, "BookgDt").or_else(|| date(entry, "ValDt"));
        if on.is_none() {
            self.errors.push(FieldError::new(format!("{place}/BookgDt"), "not_a_date", "must have a date of booking"));
        }
        let direction = text_at(entry, &["CdtDbtInd"]);
        if !matches!(direction.as_deref(), Some("CRDT" | "DBIT")) {
            let detail = "must be CRDT or DBIT";
            self.errors.push(FieldError::new(format!("{place}/CdtDbtInd"), "invalid_value", detail));
        }
        let is_reversal = text_at(entry, &["RvslInd"]).is_some_and(|text| text == "true" || text == "1");
        let (amount, on) = (amount?, on?);
        Some(Entry {
            is_credit: direction.as_deref() == Some("CRDT"),
            is_reversal,
            amount,
            on,
            reference: reference_at(entry, &["AcctSvcrRef"]),
            details: self.details(entry, amount),
        })
    }

    /// The parts of an entry; the entry as a whole where its parts do not say how much they are, or other than it does.
    fn details(&self, entry: Node<'_, '_>, amount: Money) -> Vec<Detail> {
        let parts: Vec<Node<'_, '_>> =
            children(entry, "NtryDtls").flat_map(|details| children(details, "TxDtls")).collect();
        let amounts: Option<Vec<Money>> = parts.iter().map(|part| self.part_amount(*part)).collect();
        let add_up = |amounts: &Vec<Money>| {
            amounts.iter().map(|amount| amount.units()).sum::<i128>() == amount.units()
                && amounts.iter().all(|amount| !amount.is_zero())
        };
        match (parts.as_slice(), amounts.filter(add_up)) {
            ([], _) => vec![self.detail(entry, entry, amount)],
            ([part], _) => vec![self.detail(*part, entry, amount)],
            (parts, Some(amounts)) => {
                parts.iter().zip(amounts).map(|(part, amount)| self.detail(*part, *part, amount)).collect()
            }
            (_, None) => vec![Detail { reference: None, ..self.detail(parts[0], entry, amount) }],
        }
    }

    /// How much a part is, in the currency of the account.
    fn part_amount(&self, part: Node<'_, '_>) -> Option<Money> {
        let ways: [&[&str]; 3] = [&["Amt"], &["AmtDtls", "TxAmt", "Amt"], &["AmtDtls", "InstdAmt", "Amt"]];
        let amounts = ways.into_iter().filter_map(|way| at(part, way));
        let ours =
            amounts.filter(|it| it.attribute("Ccy") == Some(self.source.currency.code())).find_map(|it| it.text());
        ours.and_then(|text| money(text, self.source.currency).ok())
    }

    fn detail(&self, part: Node<'_, '_>, whole: Node<'_, '_>, amount: Money) -> Detail {
        let remittance = at(part, &["RmtInf"]);
        let structured = remittance.and_then(|it| text_at(it, &["Strd", "CdtrRefInf", "Ref"]));
        let free =
            remittance.map(|it| children(it, "Ustrd").filter_map(|line| line.text()).collect::<Vec<_>>().join(" "));
        let name = text_at(part, &["RltdPties", "Dbtr", "Pty", "Nm"]);
        let name = name.or_else(|| text_at(part, &["RltdPties", "Dbtr", "Nm"]));
        let account = at(part, &["RltdPties"]).and_then(|parties| account_at(parties, "DbtrAcct"));
        let raw = &self.xml[whole.range()];
        Detail {
            amount,
            reference: reference_at(part, &["Refs", "AcctSvcrRef"]),
            end_to_end: reference_at(part, &["Refs", "EndToEndId"]),
            remittance: kept(structured, 200).or_else(|| kept(free, 200)),
            payer: Payer { name: kept(name, 200), phone: None, account: kept(account, 64) },
            raw: raw[..raw.floor_char_boundary(MOST_RAW)].to_owned(),
        }
    }

    fn amount(&mut self, place: &str, amount: Option<Node<'_, '_>>) -> Option<Money> {
        let currency = self.source.currency;
        let text = amount.and_then(|amount| amount.text()).unwrap_or_default();
        let mut refuse = |code: &'static str, detail: String| {
            self.errors.push(FieldError::new(format!("{place}/Amt"), code, detail));
            None
        };
        if amount.and_then(|amount| amount.attribute("Ccy")).is_some_and(|told| told != currency.code()) {
            return refuse("currency_mismatch", format!("must be in {currency}, as the account is"));
        }
        money(text, currency).map_or_else(|error| refuse(error.code, error.detail), Some)
    }
}

/// A date, or the date of a time as it is written.
fn date(node: Node<'_, '_>, name: &'static str) -> Option<Date> {
    date_at(node, &[name, "Dt"]).or_else(|| date_at(node, &[name, "DtTm"]))
}

fn date_at(node: Node<'_, '_>, way: &[&'static str]) -> Option<Date> {
    parse_date(text_at(node, way)?.get(..10)?).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::{fmt::Write as _, time::Instant};

    use backend::domain::sources::{Provider, Validation};
    use jiff::Timestamp;
    use lending::Currency;

    use super::*;

    fn source() -> Source {
        Source {
            code: "bank".into(),
            id: uuid::Uuid::nil(),
            name: "Bank".into(),
            provider: Provider::Statement,
            account: "DE89370400440532013000".into(),
            currency: Currency::from_code("EUR").unwrap(),
            country: None,
            time_zone: "Europe/Berlin".into(),
            validation: Validation::Open,
            active: true,
            addresses: Vec::new(),
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn document(version: &str, statements: &str) -> String {
        format!("<Document xmlns=\"{NAMESPACE}{version}\"><BkToCstmrStmt>{statements}</BkToCstmrStmt></Document>")
    }

    const ACCOUNT: &str = "<Acct><Id><IBAN>DE89370400440532013000</IBAN></Id></Acct>";

    /// A batch of three, as version 02 has it: the name of a party and the status stand one level higher.
    const BATCH: &str = "<Ntry><Amt Ccy='EUR'>60.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>
        <BookgDt><DtTm>2026-03-02T09:00:00+01:00</DtTm></BookgDt><AcctSvcrRef>E1</AcctSvcrRef><NtryDtls>
        <TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>
            <AmtDtls><TxAmt><Amt Ccy='EUR'>10.00</Amt></TxAmt></AmtDtls>
            <RltdPties><Dbtr><Nm>Ann</Nm></Dbtr></RltdPties>
            <RmtInf><Ustrd>loan </Ustrd><Ustrd>7</Ustrd></RmtInf></TxDtls>
        <TxDtls><Refs><AcctSvcrRef>D2</AcctSvcrRef><EndToEndId>PAY-2</EndToEndId></Refs>
            <AmtDtls><InstdAmt><Amt Ccy='USD'>22.00</Amt></InstdAmt><TxAmt><Amt Ccy='EUR'>20.00</Amt></TxAmt></AmtDtls>
            <RmtInf><Strd><CdtrRefInf><Ref>3141592659</Ref></CdtrRefInf></Strd><Ustrd>x</Ustrd></RmtInf></TxDtls>
        <TxDtls><Amt Ccy='EUR'>30.00</Amt></TxDtls></NtryDtls></Ntry>";

    #[test]
    fn each_part_of_a_batch_is_a_detail() {
        for version in ["02", "08"] {
            let read = read(&document(version, &format!("<Stmt>{ACCOUNT}{BATCH}</Stmt>")), &source()).unwrap();
            let entry = &read[0].entries[0];
            assert_eq!((entry.on.to_string(), entry.reference.as_deref()), ("2026-03-02".into(), Some("E1")));
            let amounts: Vec<String> = entry.details.iter().map(|it| it.amount.to_string()).collect();
            assert_eq!(amounts, ["10.00", "20.00", "30.00"]);
            let [first, second, _] = &entry.details[..] else { panic!() };
            assert_eq!((first.payer.name.as_deref(), first.remittance.as_deref()), (Some("Ann"), Some("loan  7")));
            assert_eq!((first.end_to_end.as_deref(), second.end_to_end.as_deref()), (None, Some("PAY-2")));
            let second = (second.reference.as_deref(), second.remittance.as_deref());
            assert_eq!(second, (Some("D2"), Some("3141592659")));
        }
    }

    #[test]
    fn a_batch_whose_parts_do_not_add_up_is_one_detail() {
        let statement = format!("<Stmt>{ACCOUNT}{}</Stmt>", BATCH.replace("30.00", "31.00"));
        let read = read(&document("08", &statement), &source()).unwrap();
        assert_eq!(read[0].entries[0].details.len(), 1);
        assert_eq!(read[0].entries[0].details[0].amount.to_string(), "60.00");
    }

    #[test]
    fn pending_entries_and_statements_of_others_do_not_count() {
        let pending = BATCH.replace("BOOK", "PDNG");
        let other = ACCOUNT.replace("DE89", "DE88");
        let dollars = BATCH.replace("EUR", "USD");
        let all = format!("<Stmt>{ACCOUNT}{pending}</Stmt><Stmt>{other}{BATCH}</Stmt><Stmt>{ACCOUNT}{dollars}</Stmt>");
        let read = read(&document("04", &all), &source()).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].entries, []);
    }

    #[test]
    fn a_document_type_is_refused_and_deep_elements_are_no_harm() {
        let bomb = format!("<!DOCTYPE d [<!ENTITY a \"aaaa\">]>{}", document("08", "&a;"));
        assert_eq!(read(&bomb, &source()).unwrap_err().code(), "not_xml");
        let deep = format!("<Stmt>{}{}</Stmt>", "<a>".repeat(100_000), "</a>".repeat(100_000));
        assert!(read(&document("08", &deep), &source()).is_ok_and(|read| read.is_empty()));
    }

    #[test]
    fn a_file_of_one_mebibyte_is_read_in_less_than_half_a_second() {
        let mut entries = String::new();
        while entries.len() < 1024 * 1024 {
            write!(entries, "{BATCH}").unwrap();
        }
        let text = document("08", &format!("<Stmt>{ACCOUNT}{entries}</Stmt>"));
        let source = source();
        let began = Instant::now();
        let statements = read(&text, &source).unwrap();
        assert!(began.elapsed().as_millis() < 500, "{:?}", began.elapsed());
        assert!(statements[0].entries.len() > 800);
    }
}
