//! The fold against the slow and obvious model: every cell of every row, every balance, every
//! posting, every transaction, every refusal.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use lending::{
    Account, Accruing, Component, Contract, Event, EventId, Money, Shares, Standing, State, fold, fold_on, settlement,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::histories::{Script, daily_scripts, scripts};
use crate::model::Model;
use crate::support::{end, instant};

/// `LENDING_HISTORIES` sets how many histories are compared.
pub(crate) fn histories(default: u32) -> u32 {
    std::env::var("LENDING_HISTORIES").ok().and_then(|count| count.parse().ok()).unwrap_or(default)
}

fn split(shares: &Shares) -> [i128; 5] {
    [shares.penalty, shares.fee, shares.interest, shares.principal, shares.overpayment].map(Money::units)
}

/// Rows as text, one a line, so that a difference is easy to see.
fn rows_of_state(state: &State) -> Vec<String> {
    let line = |row: &lending::Instalment| {
        let cells = [row.principal, row.interest, row.fees, row.penalties, row.paid, row.outstanding, row.written_off];
        let cells = cells.map(Money::units);
        format!("{} {} {} {cells:?} {:?} {}", row.n, row.due_on, row.days, row.paid_on, row.balance.units())
    };
    state.rows.iter().map(line).collect()
}

fn rows_of_model(contract: &Contract, model: &Model<'_>) -> Vec<String> {
    let mut balance = contract.amount.units();
    let mut lines = Vec::new();
    for (index, row) in model.rows.iter().enumerate() {
        let ours: Vec<_> = model.claims.iter().filter(|claim| claim.row == index).collect();
        let asked = |component: Component| -> i128 {
            ours.iter().filter(|it| it.component == component).map(|it| it.charged - it.waived).sum()
        };
        let [principal, interest, fees, penalties] =
            [Component::Principal, Component::Interest, Component::Fee, Component::Penalty].map(asked);
        let paid: i128 = ours.iter().map(|it| it.paid).sum();
        let outstanding: i128 = ours.iter().map(|it| it.unpaid()).sum();
        let lapsed: i128 = ours.iter().map(|it| it.lapsed).sum();
        balance -= principal;
        let is_paid = outstanding == 0 && lapsed == 0 && principal + interest + fees + penalties > 0;
        let touched_on = ours.iter().filter_map(|it| it.touched_on).max();
        let paid_on = if is_paid { touched_on } else { None };
        let days = row.start.until(row.due_on).unwrap().get_days();
        let cells = [principal, interest, fees, penalties, paid, outstanding, lapsed];
        lines.push(format!("{} {} {days} {cells:?} {paid_on:?} {balance}", index + 1, row.due_on));
    }
    lines
}

/// Compares everything at one `as_of` and `known_at`.
pub(crate) fn compare(
    contract: &Contract,
    events: &[Event],
    as_of: Date,
    known_at: Timestamp,
) -> Result<(), TestCaseError> {
    let state = fold(contract, events, as_of, known_at).map_err(|it| (it.event, it.reason.code()));
    let model = Model::run(contract, events, as_of, known_at);
    let (state, model) = match (state, model) {
        (Ok(state), Ok(model)) => (state, model),
        (Err(got), Err(wanted)) => {
            prop_assert_eq!(got, wanted);
            return Ok(());
        }
        (state, model) => {
            return Err(TestCaseError::fail(format!("{:?} against {:?}", state.err(), model.err())));
        }
    };
    prop_assert_eq!(rows_of_state(&state), rows_of_model(contract, &model));
    let unpaid = [state.unpaid.penalties, state.unpaid.fees, state.unpaid.interest, state.unpaid.principal];
    prop_assert_eq!(unpaid.map(Money::units), Component::ALL.map(|component| model.unpaid(component)));
    prop_assert_eq!(state.overpayment.units(), model.held);
    prop_assert_eq!(state.refunded.units(), model.refunded);
    prop_assert_eq!(state.recovered.units(), model.recovered);
    let given_up =
        [state.written_off.penalties, state.written_off.fees, state.written_off.interest, state.written_off.principal];
    prop_assert_eq!(given_up.map(Money::units), model.given_up);
    let standing = match () {
        () if model.disbursed_on.is_none() => Standing::Approved,
        () if model.written_off_on.is_some() => Standing::Defaulted,
        () if model.claims.iter().all(|claim| claim.unpaid() == 0) => Standing::Repaid,
        () => Standing::Disbursed,
    };
    prop_assert_eq!(state.standing, standing);

    // Figures.
    prop_assert_eq!(state.instalment.units(), model.instalment);
    let outlook = fold_on(contract, events, as_of, known_at).unwrap().1;
    if let Some(accruing) = &outlook.accruing {
        let stored: Accruing = serde_json::from_str(&serde_json::to_string(accruing).unwrap()).unwrap();
        prop_assert_eq!(stored.total_interest(as_of, state.total_due), state.totals.interest);
    }
    prop_assert_eq!(state.total_due.units(), state.totals.due.units() - model.late_fees_asked());
    let got: Vec<(Date, EventId, [i128; 4])> = state
        .applied
        .iter()
        .map(|it| (it.on, it.by, [it.shares.penalty, it.shares.fee, it.shares.interest, it.shares.principal]))
        .map(|(on, by, amounts)| (on, by, amounts.map(Money::units)))
        .collect();
    prop_assert_eq!(&got, &model.applied);

    // Arrears: what falls due if nothing more happens.
    let ahead = model.ahead();
    let open = || ahead.claims.iter().filter(|claim| claim.unpaid() > 0);
    let oldest = open()
        .filter(|claim| claim.component != Component::Penalty)
        .map(|claim| claim.due_on.max(ahead.rows[claim.row].due_on))
        .min();
    prop_assert_eq!(state.oldest_unpaid_due_on, oldest);
    let days = oldest.map_or(0, |oldest| oldest.until(as_of).unwrap().get_days().max(0));
    prop_assert_eq!(i64::from(state.days_past_due), i64::from(days));
    let next = open().map(|claim| claim.due_on).filter(|due_on| *due_on >= as_of).min();
    prop_assert_eq!(state.next_due_on, next);
    let mut owed: BTreeMap<Date, [i128; 4]> = BTreeMap::new();
    for claim in open() {
        owed.entry(claim.due_on).or_default()[claim.component as usize] += claim.unpaid();
    }
    let got: BTreeMap<Date, [i128; 4]> = state
        .owed
        .iter()
        .map(|it| (it.due_on, [it.unpaid.penalties, it.unpaid.fees, it.unpaid.interest, it.unpaid.principal]))
        .map(|(due_on, amounts)| (due_on, amounts.map(Money::units)))
        .collect();
    prop_assert_eq!(got, owed);

    // The ledger.
    let got: BTreeMap<(Date, Account), i128> =
        state.postings.iter().map(|it| ((it.on, it.account), it.amount.units())).collect();
    let mut wanted = model.postings.clone();
    wanted.retain(|_, amount| *amount != 0);
    prop_assert_eq!(got, wanted);

    // Each event.
    for transaction in &state.transactions {
        let Some(done) = model.done.get(&transaction.id) else {
            // The model starts with the disbursement: before it there is only what was reversed.
            prop_assert!(model.disbursed_on.is_none_or(|disbursed_on| transaction.on < disbursed_on));
            prop_assert!(transaction.allocation.is_none() && transaction.balance.is_zero());
            continue;
        };
        prop_assert_eq!(transaction.allocation.as_ref().map(split), done.allocation, "{:?}", transaction.id);
        prop_assert_eq!(transaction.balance.units(), done.balance, "{:?}", transaction.id);
    }
    Ok(())
}

fn compare_settlement(contract: &Contract, events: &[Event], on: Date) -> Result<(), TestCaseError> {
    let got = settlement(contract, events, on, end()).map_err(|it| TestCaseError::fail(it.to_string()))?;
    let model = Model::run(contract, events, on, end()).map_err(|it| TestCaseError::fail(it.1))?;
    let Some(got) = got else {
        prop_assert!(model.disbursed_on.is_none());
        return Ok(());
    };
    let parts = [got.penalties, got.fees, got.interest, got.principal, got.credit, got.total];
    prop_assert_eq!(parts.map(Money::units), model.settlement(on));
    Ok(())
}

fn check(script: &Script) -> Result<(), TestCaseError> {
    let mut verdict = Ok(());
    let history = script.play(|tried| {
        if verdict.is_ok() && tried.event.id.0 % 4 == 0 {
            let mut events = tried.before.to_vec();
            events.push(tried.event.clone());
            verdict = compare(&script.contract, &events, tried.today, end());
        }
    });
    verdict?;
    let (contract, events) = (&script.contract, history.events.as_slice());
    let end_of_rows = history.state(history.today).rows.last().map_or(history.today, |row| row.due_on);
    let middle = events.get(events.len() / 2).map_or(history.today, |event| event.on);
    for as_of in [history.today, middle, history.today.max(end_of_rows)] {
        compare(contract, events, as_of, end())?;
        compare_settlement(contract, events, as_of)?;
    }
    let known_at = instant(i64::try_from(events.len() / 2).unwrap());
    compare(contract, events, history.today, known_at)
}

fn compare_all(count: u32, scripts: &impl Strategy<Value = Script>) {
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(histories(count)) });
    runner.run(scripts, |script| check(&script)).unwrap();
}

#[test]
fn the_fold_is_the_model() {
    compare_all(200, &scripts(1..40));
}

#[test]
fn the_fold_is_the_model_under_daily_interest() {
    compare_all(100, &daily_scripts(1..40));
}
