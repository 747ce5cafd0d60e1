//! How long a fold takes: `cargo bench -p lending --bench loan`.

use divan::Bencher;
use jiff::civil::Date;
use jiff::{Span, Timestamp};
use lending::{
    AllocationPreset, ChargeKind, Contract, Currency, Event, EventId, EventKind, Money, Prepayment, TermsPatch, change,
    fold, journal_entries, parse_date,
};

/// A loan of 360 monthly instalments with late fees, and 700 events over its term: a repayment a
/// fortnight, a charge now and then, payments reversed and entered again.
struct Case {
    contract: Contract,
    events: Vec<Event>,
    as_of: Date,
}

/// How much of an instalment is paid a fortnight, in percent.
const ON_TIME: i64 = 50;
const TOO_LITTLE: i64 = 20;
const TOO_MUCH: i64 = 60;

fn case(allocation: AllocationPreset, prepayment: Prepayment, percent: i64) -> Option<Case> {
    case_of("", allocation, prepayment, percent)
}

/// With more terms, each after a comma.
fn case_of(more: &str, allocation: AllocationPreset, prepayment: Prepayment, percent: i64) -> Option<Case> {
    let euro = Currency::from_code("EUR").ok()?;
    let json = format!(
        r#"{{"interest_rate_apr": "9", "instalments": 360,
        "late_fee": {{"grace_days": 5, "kind": "percent_of_overdue", "value": "2", "max_times": 2}}{more}}}"#
    );
    let mut patch: TermsPatch = serde_json::from_str(&json).ok()?;
    patch.allocation = Some(allocation.into());
    patch.prepayment = Some(prepayment);
    let contract = Contract { amount: Money::parse("100000.00", euro).ok()?, terms: patch.complete(euro).ok()? };
    let start = parse_date("2025-01-31").ok()?;
    let mut events = Vec::new();
    let mut record = |on: Date, kind: EventKind| {
        let number = events.len();
        let id = EventId(u128::try_from(number).ok()?);
        let recorded_at = Timestamp::from_second(i64::try_from(number).ok()?).ok()?;
        events.push(Event { id, on, recorded_at, kind });
        Some(id)
    };
    record(start, EventKind::Disbursement { first_due_on: None, calendar: None })?;
    let mut on = start;
    // The instalment is 804.62.
    let amount = Money::from_units(80_462 * percent / 100, euro);
    for number in 0..690 {
        on = on.checked_add(Span::new().days(15)).ok()?;
        match number % 20 {
            7 => {
                let amount = Money::from_units(1_500, euro);
                record(on, EventKind::Charge { kind: ChargeKind::Fee, amount, due_on: on })?;
            }
            11 => {
                let of = record(on, EventKind::Repayment { amount })?;
                record(on, EventKind::Reversal { of })?;
            }
            12 => {}
            _ => {
                record(on, EventKind::Repayment { amount })?;
            }
        }
    }
    Some(Case { contract, events, as_of: on })
}

fn run(bencher: Bencher<'_, '_>, case: Option<Case>) {
    if let Some(Case { contract, events, as_of }) = case {
        bencher.bench(|| fold(divan::black_box(&contract), &events, as_of, Timestamp::MAX));
    }
}

#[divan::bench(args = [TOO_LITTLE, ON_TIME, TOO_MUCH])]
fn default_terms(bencher: Bencher<'_, '_>, percent: i64) {
    run(bencher, case(AllocationPreset::default(), Prepayment::default(), percent));
}

#[divan::bench(args = [TOO_LITTLE, ON_TIME, TOO_MUCH])]
fn overdue_interest_first(bencher: Bencher<'_, '_>, percent: i64) {
    run(bencher, case(AllocationPreset::OverdueInterestFirst, Prepayment::default(), percent));
}

#[divan::bench(args = [TOO_LITTLE, ON_TIME, TOO_MUCH])]
fn last_instalments(bencher: Bencher<'_, '_>, percent: i64) {
    run(bencher, case(AllocationPreset::default(), Prepayment::LastInstalments, percent));
}

/// Interest by calendar days, as the schedule has it.
const BY_DAYS: &str = r#", "interest_period": "daily", "day_count": "actual/365""#;
/// Interest that follows the balance of each day.
const BY_THE_BALANCE: &str = r#", "interest_period": "daily", "day_count": "actual/365", "interest_accrual": "daily""#;

#[divan::bench(args = [TOO_LITTLE, ON_TIME, TOO_MUCH])]
fn interest_by_days(bencher: Bencher<'_, '_>, percent: i64) {
    run(bencher, case_of(BY_DAYS, AllocationPreset::default(), Prepayment::default(), percent));
}

#[divan::bench(args = [TOO_LITTLE, ON_TIME, TOO_MUCH])]
fn interest_by_the_balance(bencher: Bencher<'_, '_>, percent: i64) {
    run(bencher, case_of(BY_THE_BALANCE, AllocationPreset::default(), Prepayment::default(), percent));
}

/// Every prepayment makes the rest of the rows again.
#[divan::bench(args = [ON_TIME, TOO_MUCH])]
fn reduce_term(bencher: Bencher<'_, '_>, percent: i64) {
    run(bencher, case(AllocationPreset::default(), Prepayment::ReduceTerm, percent));
}

/// Every prepayment makes the rest of the rows again, with a new instalment.
#[divan::bench(args = [ON_TIME, TOO_MUCH])]
fn reduce_instalment(bencher: Bencher<'_, '_>, percent: i64) {
    run(bencher, case(AllocationPreset::default(), Prepayment::ReduceInstalment, percent));
}

/// The changes and postings of one more event.
#[divan::bench]
fn one_more_event(bencher: Bencher<'_, '_>) {
    one_more(bencher, BY_DAYS);
}

#[divan::bench]
fn one_more_event_by_the_balance(bencher: Bencher<'_, '_>) {
    one_more(bencher, BY_THE_BALANCE);
}

fn one_more(bencher: Bencher<'_, '_>, more: &str) {
    let case = case_of(more, AllocationPreset::default(), Prepayment::default(), ON_TIME);
    let Some(Case { contract, events, .. }) = case else {
        return;
    };
    let Some((last, before)) = events.split_last() else {
        return;
    };
    bencher.bench(|| {
        let change = change(divan::black_box(&contract), before, last, last.on).ok()?;
        Some(journal_entries(&change.after.postings, &change.before.postings))
    });
}

fn main() {
    divan::main();
}
