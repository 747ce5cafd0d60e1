//! Statements of a source's account: the credits in them, their names, and how they compare with payments. Pure.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use jiff::civil::Date;
use lending::Money;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::notices::Payer;

/// A statement in the currency of its source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// The first day that it covers.
    pub from: Option<Date>,
    /// The last day that it covers.
    pub to: Option<Date>,
    /// The balance before its entries, where it says so.
    pub opening: Option<Money>,
    /// The balance after its entries, where it says so.
    pub closing: Option<Money>,
    /// Its booked entries.
    pub entries: Vec<Entry>,
}

/// A booked entry of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// True for money that came in.
    pub is_credit: bool,
    /// True where it takes back an earlier entry.
    pub is_reversal: bool,
    /// How much.
    pub amount: Money,
    /// The date of booking.
    pub on: Date,
    /// The bank's name of the entry.
    pub reference: Option<String>,
    /// Its parts; one at least.
    pub details: Vec<Detail>,
}

/// A part of an entry: one payment of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// How much.
    pub amount: Money,
    /// The bank's name of the part.
    pub reference: Option<String>,
    /// The payer's name of the payment.
    pub end_to_end: Option<String>,
    /// The payer's text.
    pub remittance: Option<String>,
    /// Who paid.
    pub payer: Payer,
    /// As it was sent.
    pub raw: String,
}

/// A credit of a statement, as it is compared with payments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credit {
    /// Names it: the receipt of the payment that it becomes.
    pub external_id: String,
    /// The date of booking.
    pub on: Date,
    /// True where it was taken back.
    pub is_reversed: bool,
    /// The rest.
    pub detail: Detail,
}

impl Statement {
    /// True unless it has both balances, and its entries do not lead from the one to the other.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        let (Some(opening), Some(closing)) = (self.opening, self.closing) else { return true };
        let signed = |entry: &Entry| if entry.is_credit { entry.amount.units() } else { -entry.amount.units() };
        opening.units() + self.entries.iter().map(signed).sum::<i128>() == closing.units()
    }
}

/// The credits of statements of one account, each with a name of its own; those that the bank took back come last. Of
/// these each has the name of the credit that it takes back, where the bank names both alike.
#[must_use]
pub fn credits(account: &str, statements: &[Statement]) -> Vec<Credit> {
    let (mut booked, mut reversed) = (Names::default(), Names::default());
    let mut credits = Vec::new();
    for entry in statements.iter().flat_map(|statement| &statement.entries) {
        if !entry.is_credit && !entry.is_reversal {
            continue;
        }
        let names = if entry.is_reversal { &mut reversed } else { &mut booked };
        for (place, detail) in entry.details.iter().enumerate() {
            let name = name(entry, place).unwrap_or_else(|| names.of_content(&about(account, entry.on, detail)));
            credits.push(Credit {
                external_id: names.unused(&name),
                on: entry.on,
                is_reversed: entry.is_reversal,
                detail: detail.clone(),
            });
        }
    }
    credits.sort_by_key(|credit| credit.is_reversed);
    credits
}

/// Names that are given already.
#[derive(Default)]
struct Names {
    given: BTreeSet<String>,
    equal: BTreeMap<String, usize>,
}

impl Names {
    /// A name made of the content, and of its count among equal ones.
    fn of_content(&mut self, about: &str) -> String {
        let count = self.equal.entry(about.to_owned()).or_default();
        *count += 1;
        digest(&format!("{about}{count}"))
    }

    /// Two entries of one name are two payments.
    fn unused(&mut self, name: &str) -> String {
        let mut unused = name.to_owned();
        let mut count = 1;
        while !self.given.insert(unused.clone()) {
            count += 1;
            unused = format!("{name}/{count}");
        }
        unused
    }
}

/// The name that the bank gives a part of an entry: the part's own, else the entry's with the part's place.
fn name(entry: &Entry, place: usize) -> Option<String> {
    let own = entry.details[place].reference.as_ref();
    let is_own = |own: &&String| entry.details.iter().filter(|it| it.reference.as_ref() == Some(*own)).count() == 1;
    if let Some(own) = own.filter(is_own) {
        return Some(own.clone());
    }
    // Some banks give each part the name of the whole.
    let whole = entry.reference.as_ref().or(own)?;
    Some(if entry.details.len() == 1 { whole.clone() } else { format!("{whole}/{}", place + 1) })
}

/// The content of a credit without a name.
fn about(account: &str, on: Date, detail: &Detail) -> String {
    let Payer { name, phone: _, account: payer } = &detail.payer;
    let texts = [name, payer, &detail.remittance].map(|text| text.as_deref().unwrap_or_default());
    let mut about = String::new();
    for text in [account, &on.to_string(), &detail.amount.to_string()].into_iter().chain(texts) {
        // With its length before it, no text can look like two.
        let _ = write!(about, "{}:{text};", text.len());
    }
    about
}

fn digest(about: &str) -> String {
    let digest = Sha256::digest(about.as_bytes());
    digest.iter().take(16).fold(String::from("digest-"), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A payment that a credit may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The payment.
    pub payment_id: Uuid,
    /// Its receipt.
    pub external_id: String,
    /// How much.
    pub amount: Money,
    /// Its business date.
    pub paid_on: Date,
    /// The text that the payer typed.
    pub reference: Option<String>,
    /// The credit that it was found by, of this statement or an earlier one.
    pub found_by: Option<String>,
}

/// How far the date of booking may be from that of a payment with the same reference: banks book later, over weekends
/// and holidays too.
const DAYS: i32 = 5;

impl Credit {
    /// The texts by which a payment may be found: they may be its receipt, or what the payer typed.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let remittance = self.detail.remittance.as_deref();
        let words = remittance.into_iter().flat_map(str::split_whitespace);
        self.detail.end_to_end.as_deref().into_iter().chain(remittance).chain(words)
    }

    /// The payment of this credit: that of its name, else one of the same amount that no other credit has found. One
    /// that was taken back may have been found by that which came before.
    #[must_use]
    pub fn find<'r>(&self, recorded: &'r [Recorded]) -> Option<&'r Recorded> {
        let is_found = |it: &&Recorded| it.found_by.as_deref() == Some(self.external_id.as_str());
        let is_named = |it: &&Recorded| it.external_id == self.external_id && it.found_by.is_none();
        if let Some(named) = recorded.iter().find(is_found).or_else(|| recorded.iter().find(is_named)) {
            return Some(named);
        }
        let is_free = |it: &&Recorded| (self.is_reversed || it.found_by.is_none()) && it.amount == self.detail.amount;
        let is_receipt = |it: &&Recorded| is_free(it) && self.texts().any(|text| text == it.external_id);
        let days = |it: &Recorded| self.on.since(it.paid_on).map_or(i32::MAX, |span| span.get_days().saturating_abs());
        let is_reference = |it: &&Recorded| {
            is_free(it) && days(it) <= DAYS && self.texts().any(|text| Some(text) == it.reference.as_deref())
        };
        let nearest = || recorded.iter().filter(is_reference).min_by_key(|it| days(it));
        recorded.iter().find(is_receipt).or_else(nearest)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use jiff::civil::date;
    use lending::Currency;

    use super::*;

    fn euros(text: &str) -> Money {
        Money::parse(text, Currency::from_code("EUR").unwrap()).unwrap()
    }

    fn detail(amount: &str, reference: Option<&str>) -> Detail {
        Detail {
            amount: euros(amount),
            reference: reference.map(str::to_owned),
            end_to_end: None,
            remittance: None,
            payer: Payer::default(),
            raw: String::new(),
        }
    }

    fn entry(reference: Option<&str>, details: Vec<Detail>) -> Entry {
        Entry {
            is_credit: true,
            is_reversal: false,
            amount: euros("10"),
            on: date(2026, 3, 2),
            reference: reference.map(str::to_owned),
            details,
        }
    }

    fn names(entries: Vec<Entry>) -> Vec<String> {
        let statement = Statement { entries, ..Statement::default() };
        credits("DE02", &[statement]).into_iter().map(|credit| credit.external_id).collect()
    }

    #[test]
    fn a_credit_is_named_by_the_bank_where_it_does() {
        let own = entry(Some("E1"), vec![detail("4", Some("D1")), detail("6", None)]);
        let same = entry(Some("E2"), vec![detail("4", Some("E2")), detail("6", Some("E2"))]);
        let twice = entry(Some("E3"), vec![detail("10", None)]);
        let named = names(vec![own, same, twice.clone(), twice]);
        assert_eq!(named, ["D1", "E1/2", "E2/1", "E2/2", "E3", "E3/2"]);
    }

    #[test]
    fn a_credit_without_a_name_is_named_by_its_content_and_its_count_that_day() {
        let plain = || entry(None, vec![detail("10", None)]);
        let first = names(vec![plain(), plain(), entry(None, vec![detail("11", None)])]);
        assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 3);
        assert_eq!(names(vec![plain()])[0], first[0], "whatever comes after it");
        let later = Entry { on: date(2026, 3, 3), ..plain() };
        assert_ne!(names(vec![later])[0], first[0]);
    }

    #[test]
    fn a_debit_is_no_credit_and_what_was_taken_back_is_one_that_was_reversed() {
        let debit = Entry { is_credit: false, ..entry(Some("A"), vec![detail("10", None)]) };
        let back = Entry { is_reversal: true, ..debit.clone() };
        let statement = Statement { entries: vec![debit, back], ..Statement::default() };
        let found = credits("DE02", &[statement]);
        assert_eq!(found.len(), 1);
        assert!(found[0].is_reversed);
    }

    #[test]
    fn what_was_taken_back_comes_last_and_has_the_name_of_its_credit() {
        let credit = entry(Some("E1"), vec![detail("10", None)]);
        let back = Entry { is_credit: false, is_reversal: true, ..credit.clone() };
        let statement = Statement { entries: vec![back, credit], ..Statement::default() };
        let found: Vec<_> =
            credits("DE02", &[statement]).into_iter().map(|credit| (credit.external_id, credit.is_reversed)).collect();
        assert_eq!(found, [("E1".to_owned(), false), ("E1".to_owned(), true)]);
    }

    #[test]
    fn the_entries_lead_from_one_balance_to_the_other() {
        let debit = Entry { is_credit: false, amount: euros("4"), ..entry(None, vec![detail("4", None)]) };
        let entries = vec![entry(None, vec![detail("10", None)]), debit];
        let of = |closing: &str| Statement {
            opening: Some(euros("100")),
            closing: Some(euros(closing)),
            entries: entries.clone(),
            ..Statement::default()
        };
        assert!(of("106").is_balanced() && !of("106.01").is_balanced());
        assert!(Statement { opening: None, ..of("1") }.is_balanced(), "nothing to compare");
    }

    #[test]
    fn a_reference_finds_a_payment_of_the_same_amount_that_no_other_credit_has_found() {
        let recorded = |external_id: &str, paid_on: Date, found_by: Option<&str>| Recorded {
            payment_id: Uuid::from_u128(u128::from(external_id.as_bytes()[0])),
            external_id: external_id.into(),
            amount: euros("10"),
            paid_on,
            reference: Some("3141592659".into()),
            found_by: found_by.map(str::to_owned),
        };
        let day = date(2026, 3, 2);
        let credit = |amount: &str| Credit {
            external_id: "N".into(),
            on: day,
            is_reversed: false,
            detail: Detail { remittance: Some("loan 3141592659 TX9".into()), ..detail(amount, None) },
        };
        let all = [recorded("A", day, Some("M")), recorded("B", day, None), recorded("TX9", date(2026, 1, 2), None)];
        let found = |credit: &Credit, of: &[Recorded]| credit.find(of).map(|it| it.external_id.clone());
        assert_eq!(found(&credit("10"), &all).as_deref(), Some("TX9"), "a receipt first, however old");
        assert_eq!(found(&credit("10"), &all[..2]).as_deref(), Some("B"));
        assert_eq!(found(&credit("10"), &all[..1]), None, "another credit has found it");
        assert_eq!(found(&credit("10.01"), &all), None);
        let back = Credit { is_reversed: true, ..credit("10") };
        assert_eq!(found(&back, &all[..1]).as_deref(), Some("A"), "that which it takes back was found by its credit");
        let old = recorded("C", date(2026, 2, 20), None);
        assert_eq!(found(&credit("10"), &[old]), None, "another payment of the same borrower");
        let by_name = Recorded { amount: euros("9"), ..recorded("N", day, None) };
        assert_eq!(found(&credit("10"), &[by_name]).as_deref(), Some("N"), "its own name, whatever the amount");
    }
}
