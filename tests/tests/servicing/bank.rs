//! Statements of banks and spreadsheets: each credit becomes a payment or is one, and the report compares both.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tests::Call;

use crate::{
    till::{Till, notice},
    world::World,
};

/// An entry of a statement.
struct Line<'a> {
    reference: &'a str,
    amount: &'a str,
    remittance: &'a str,
    more: &'a str,
}

const fn line<'a>(reference: &'a str, amount: &'a str, remittance: &'a str) -> Line<'a> {
    Line { reference, amount, remittance, more: "" }
}

/// A statement of 15 February 2024, as version 08 has it.
fn camt(opening: &str, closing: &str, lines: &[Line<'_>]) -> String {
    let mut entries = String::new();
    for Line { reference, amount, remittance, more } in lines {
        write!(
            entries,
            r#"<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd>{more}<Sts><Cd>BOOK</Cd></Sts>
            <BookgDt><Dt>2024-02-15</Dt></BookgDt><AcctSvcrRef>{reference}</AcctSvcrRef><NtryDtls><TxDtls>
            <Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs><RltdPties><Dbtr><Pty><Nm>John Kamau</Nm></Pty></Dbtr>
            <DbtrAcct><Id><IBAN>DE02120300000000202051</IBAN></Id></DbtrAcct></RltdPties>
            <RmtInf><Ustrd>{remittance}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"#
        )
        .unwrap();
    }
    let balance = |code: &str, amount: &str| {
        format!(
            r#"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{amount}</Amt>
            <CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2024-02-15</Dt></Dt></Bal>"#
        )
    };
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
        <Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt><Id>1</Id>
        <FrToDt><FrDtTm>2024-02-15T00:00:00</FrDtTm><ToDtTm>2024-02-15T23:59:59</ToDtTm></FrToDt>
        <Acct><Id><IBAN>DE89 3704 0044 0532 0130 00</IBAN></Id><Ccy>EUR</Ccy></Acct>{}{}{entries}
        </Stmt></BkToCstmrStmt></Document>"#,
        balance("OPBD", opening),
        balance("CLBD", closing)
    )
}

async fn bank(world: &World, provider: &str) -> Till {
    Till::with(world, "bank", provider, json!({"account": "DE89370400440532013000"})).await
}

fn send(world: &World, content_type: &str, text: &str) -> Call {
    world.admin.post("/api/payment-sources/bank/statements").body(content_type, text)
}

fn xml(world: &World, text: &str) -> Call {
    send(world, "application/xml", text)
}

fn counts(report: &Value) -> [u64; 5] {
    let list = |name: &str| report[name].as_array().unwrap().len() as u64;
    let number = |name: &str| report[name].as_u64().unwrap();
    [number("credits"), number("created"), number("matched"), list("differing"), list("only_here")]
}

#[tokio::test]
async fn credits_become_payments_and_pay_the_loans_that_they_name() {
    let world = World::new().await;
    bank(&world, "statement").await;
    let path = world.plain().await;
    let digits = world.pay_ref(&path).await;
    let debit = Line { more: "", ..line("D1", "5.00", "fee") };
    let text = camt("100.00", "295.00", &[line("E1", "150.00", &digits), line("E2", "50.00000", "nothing"), debit])
        .replacen("<Amt Ccy=\"EUR\">5.00</Amt><CdtDbtInd>CRDT", "<Amt Ccy=\"EUR\">5.00</Amt><CdtDbtInd>DBIT", 1);
    let report = xml(&world, &text).expect(201).await;
    assert_eq!(counts(&report.body), [2, 2, 0, 0, 0]);
    assert_eq!((&report["opening"], &report["closing"]), (&json!("100.00"), &json!("295.00")));
    assert_eq!((&report["from"], &report["to"]), (&json!("2024-02-15"), &json!("2024-02-15")));
    let paid = world.payment("E1").await;
    assert_eq!(
        (&paid["state"], &paid["matched_by"], &paid["paid_at"]),
        (&json!("applied"), &json!("pay_ref"), &Value::Null)
    );
    assert_eq!(paid["payer"], json!({"name": "John Kamau", "phone": null, "account": "DE02120300000000202051"}));
    assert_eq!(world.payment("E2").await["state"], "unapplied");
    assert_eq!(world.balance("cash.bank", "").await, "200.00");

    // The same file again: the same report, and nothing new.
    let again = xml(&world, &text).expect(201).await;
    assert_eq!(again.body, report.body);
    assert_eq!(again.header("location"), "/api/payment-sources/bank/reconciliation?from=2024-02-15&to=2024-02-15");
    // The same entries in another file: they are there already.
    let other = xml(&world, &text.replace("<Id>1</Id>", "<Id>2</Id>")).expect(201).await;
    assert_eq!(counts(&other.body), [2, 0, 2, 0, 0]);
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 2);
    world.is_consistent().await;
}

#[tokio::test]
async fn what_a_hook_told_is_found_and_the_rest_is_reported() {
    let world = World::new().await;
    let till = bank(&world, "mpesa").await;
    for (receipt, amount) in [("AAA0000001", "10"), ("AAA0000002", "20"), ("AAA0000003", "30"), ("AAA0000004", "40")] {
        let mut body = notice(receipt, amount, &format!("ref {receipt}"));
        body["BusinessShortCode"] = json!("DE89370400440532013000");
        till.confirm(&world, &body).await;
    }
    let back = Line { more: "<RvslInd>true</RvslInd>", ..line("AAA0000004", "40.00", "") };
    let lines = [
        line("AAA0000001", "10.00", "x"),
        // By its remittance, since the bank names it otherwise.
        line("B2", "20.00", "ref AAA0000002"),
        line("AAA0000003", "33.00", "x"),
        back,
    ];
    let text = camt("0.00", "23.00", &lines)
        .replace("<CdtDbtInd>CRDT</CdtDbtInd><RvslInd>", "<CdtDbtInd>DBIT</CdtDbtInd><RvslInd>");
    let report = xml(&world, &text).expect(201).await;
    assert_eq!(counts(&report.body), [3, 0, 2, 2, 0]);
    let differing = report["differing"].as_array().unwrap();
    let told =
        |at: usize| ["external_id", "reason", "amount", "recorded"].map(|name| differing[at][name].as_str().unwrap());
    assert_eq!(told(0), ["AAA0000003", "amount", "33.00", "30.00"]);
    assert_eq!(told(1), ["AAA0000004", "reversed", "40.00", "40.00"]);
    let conflict = &world.payment("AAA0000003").await["conflicts"][0];
    assert_eq!(conflict, &json!({"field": "amount", "kept": "30.00", "told": "33.00"}));
    // A name that was missing is added.
    assert_eq!(world.payment("AAA0000001").await["payer"]["account"], "DE02120300000000202051");
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 4);

    let empty = camt("23.00", "23.00", &[]);
    let report = xml(&world, &empty).expect(201).await;
    assert_eq!(
        counts(&report.body),
        [0, 0, 0, 0, 1],
        "that which was taken back; the others are of the statement before"
    );
    assert_eq!(report["only_here"][0]["external_id"], "AAA0000004");
    world.is_consistent().await;
}

#[tokio::test]
async fn two_equal_credits_are_two_payments() {
    let world = World::new().await;
    bank(&world, "statement").await;
    let twice = || line("NOTPROVIDED", "10.00", "rent");
    let report = xml(&world, &camt("0", "20", &[twice(), twice()])).expect(201).await;
    assert_eq!(counts(&report.body), [2, 2, 0, 0, 0]);
    let more = xml(&world, &camt("0", "30", &[twice(), twice(), twice()])).expect(201).await;
    assert_eq!(counts(&more.body), [3, 1, 2, 0, 0]);
    world.is_consistent().await;
}

#[tokio::test]
async fn a_statement_has_to_add_up_and_to_be_of_the_account() {
    let world = World::new().await;
    bank(&world, "statement").await;
    let text = camt("0", "10", &[line("E1", "10.00", "x")]);
    xml(&world, &text.replace("10.00", "10.01")).breaks("", "not_balanced").await;
    xml(&world, &text.replace("DE89", "DE88")).breaks("", "another_account").await;
    xml(&world, &text.replace("EUR", "USD")).breaks("", "another_account").await;
    xml(&world, &text.replace(".08\"", ".09\"")).invalid(&[("", "not_a_statement")]).await;
    xml(&world, "<Document>").refused(400, "not_xml").await;
    let entity = format!("<!DOCTYPE d [<!ENTITY e \"x\">]>{}", text.split_once("?>").unwrap().1.trim());
    xml(&world, &entity).refused(400, "not_xml").await;
    let wrong = text.replace("10.00", "ten").replace("<BookgDt><Dt>2024-02-15", "<BookgDt><Dt>15.02.2024");
    let place = "/BkToCstmrStmt/Stmt/0/Ntry/0";
    let errors = [(format!("{place}/Amt"), "not_a_number"), (format!("{place}/BookgDt"), "not_a_date")];
    let errors: Vec<(&str, &str)> = errors.iter().map(|(pointer, code)| (pointer.as_str(), *code)).collect();
    xml(&world, &wrong).invalid(&errors).await;
    send(&world, "application/json", "{}").refused(415, "unsupported_media_type").await;
    let path = "/api/payment-sources/nothing/statements";
    world.admin.post(path).body("application/xml", &text).refused(404, "not_found").await;
    let large = format!("{}<!--{}-->", text, "x".repeat(1024 * 1024));
    xml(&world, &large).refused(413, "body_too_large").await;
    assert_eq!(world.count("SELECT count(*) FROM payments").await, 0);
}

#[tokio::test]
async fn a_spreadsheet_is_a_statement_too() {
    let world = World::new().await;
    bank(&world, "statement").await;
    let digits = world.pay_ref(&world.plain().await).await;
    let header = "external_id,paid_on,amount,currency,reference,payer_name,payer_account";
    let text = format!(
        "{header}\nX1,2024-02-15,100.00,EUR,{digits},\"Kamau, John\",DE02\n,2024-02-16,5,EUR,,,\n\
        X3,2024-02-16,9,USD,,,\n"
    );
    let report = send(&world, "text/csv", &text).expect(201).await;
    assert_eq!(counts(&report.body), [2, 2, 0, 0, 0], "the dollars are of another account");
    assert_eq!(
        (&report["opening"], &report["closing"], &report["to"]),
        (&Value::Null, &Value::Null, &json!("2024-02-16"))
    );
    let paid = world.payment("X1").await;
    assert_eq!((&paid["state"], &paid["payer"]["name"]), (&json!("applied"), &json!("Kamau, John")));
    // As European spreadsheets write it.
    let semicolons = format!("\u{feff}{}\r\nX1;2024-02-15;100.00;EUR;{digits};John;DE02\r\n", header.replace(',', ";"));
    let report = send(&world, "text/csv; charset=utf-8", &semicolons).expect(201).await;
    assert_eq!(counts(&report.body), [1, 0, 1, 0, 0]);

    let wrong = format!("{header}\nX5,15.02.2024,-1,EUR,,,\nX6,2024-02-15,0,EUR,,,\nX6,2024-02-15,1,EUR,,,\n");
    let errors = [
        ("/rows/2/paid_on", "not_a_date"),
        ("/rows/2/amount", "not_a_number"),
        ("/rows/3/amount", "not_positive"),
        ("/rows/4/external_id", "repeated"),
    ];
    send(&world, "text/csv", &wrong).invalid(&errors).await;
    let names = [("/rows/1/0", "unknown_field"), ("/rows/1/external_id", "required")];
    send(&world, "text/csv", "id,paid_on,amount\n1,2024-02-15,1\n").invalid(&names).await;
    let dollars = format!("{header}\nX3,2024-02-16,9,USD,,,\n");
    send(&world, "text/csv", &dollars).breaks("", "another_account").await;
    send(&world, "text/csv", header).invalid(&[("/rows", "required")]).await;
    world.is_consistent().await;
}

#[tokio::test]
async fn the_days_of_a_source_are_reconciled() {
    let world = World::new().await;
    bank(&world, "statement").await;
    let digits = world.pay_ref(&world.plain().await).await;
    xml(&world, &camt("0", "30", &[line("E1", "10", &digits), line("E2", "20", "x")])).expect(201).await;
    let waiting = world.payment("E2").await;
    let back = json!({"amount": "5", "paid_on": "2024-02-16", "reason": "too much"});
    world.decide(&waiting, "return", back).expect(201).await;
    let days = world.get("/api/payment-sources/bank/reconciliation?from=2024-02-14&to=2024-02-16").await;
    assert_eq!((&days["source"], &days["currency"]), (&json!("bank"), &json!("EUR")));
    let day = |on: &str, payments: u32, sums: [&str; 4], covered: bool| {
        let [received, applied, returned, unapplied] = sums;
        json!({"on": on, "payments": payments, "received": received, "applied": applied, "returned": returned,
            "unapplied": unapplied, "covered": covered})
    };
    let nothing = ["0.00"; 4];
    let expected = [
        day("2024-02-14", 0, nothing, false),
        day("2024-02-15", 2, ["30.00", "10.00", "5.00", "15.00"], true),
        day("2024-02-16", 0, nothing, false),
    ];
    assert_eq!(days["data"], json!(expected));
    let path = "/api/payment-sources/bank/reconciliation";
    assert_eq!(world.get(path).await["data"].as_array().unwrap().len(), 31);
    let call = |query: &str| world.admin.get(&format!("{path}?{query}"));
    call("from=2024-02-16&to=2024-02-15").invalid(&[("/from", "after_end")]).await;
    call("from=2023-01-01&to=2024-02-15").invalid(&[("/to", "too_many")]).await;
}
