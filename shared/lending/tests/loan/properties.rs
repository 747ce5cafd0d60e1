//! Properties of every history.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use lending::{
    Account, Change, Contract, Event, EventId, EventKind, Exposure, InterestAccrual, Money, Owed, Posting, Prepayment,
    Standing, State, TransactionKind, change, fold, fold_on, follow, journal_entries, parse_date, settlement,
};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::differential::histories;
use crate::histories::{History, START, Script, scripts};
use crate::support::{end, instant};

/// Everything but the order of recording and what it decides: how one day's payments share what
/// they paid.
fn apart_from_recording(mut state: State) -> (State, BTreeMap<Date, [i128; 4]>) {
    state.transactions.clear();
    state.rescheduled.clear();
    // Which of the charges of one day is paid first, too.
    let mut applied: BTreeMap<Date, [i128; 4]> = BTreeMap::new();
    for it in state.applied.drain(..) {
        let sums = applied.entry(it.on).or_default();
        let shares = [it.shares.penalty, it.shares.fee, it.shares.interest, it.shares.principal];
        for (sum, share) in sums.iter_mut().zip(shares) {
            *sum += share.units();
        }
    }
    (state, applied)
}

fn sum(amounts: impl IntoIterator<Item = Money>) -> i128 {
    amounts.into_iter().map(Money::units).sum()
}

fn amounts_of(state: &State, kind: TransactionKind) -> i128 {
    let standing = state.transactions.iter().filter(|it| it.kind == kind && it.reversed_by.is_none());
    sum(standing.map(|it| it.amount))
}

fn days_later(date: Date, days: i64) -> Date {
    date.checked_add(Span::new().days(days)).unwrap()
}

/// The changes by an event: the result with it, beside the result without it.
fn changes(contract: &Contract, known: &[Event], new: &Event, as_of: Date) -> Result<(), TestCaseError> {
    let all: Vec<Event> = known.iter().chain([new]).cloned().collect();
    let Change { before, after, state, outlook } = change(contract, known, new, as_of).unwrap();
    let last = all.iter().map(|event| event.on).fold(as_of, Date::max);
    prop_assert_eq!((state, outlook), fold_on(contract, &all, last, end()).unwrap());
    for (part, events) in [(before, known), (after, &all)] {
        let whole = follow(contract, events, end()).unwrap();
        let (_, postings) = whole.postings.split_at(whole.postings.partition_point(|it| it.on < new.on));
        prop_assert_eq!(&part.postings, postings);
        let (earlier, later) = whole.exposures.split_at(whole.exposures.partition_point(|it| it.on < new.on));
        let (begun, rest) = part.exposures.split_at(part.exposures.partition_point(|it| it.on < new.on));
        prop_assert_eq!(rest, later);
        let without_day = |exposure: &Exposure| Exposure { on: new.on, ..*exposure };
        prop_assert!(begun.len() <= 1);
        prop_assert_eq!(begun.last().map(without_day), earlier.last().map(without_day));
    }
    Ok(())
}

/// Where a history leads is the same from whatever day on, and says of each day what is unpaid that has fallen due by
/// then: late fees too, whether they have arisen or not.
fn outlooks(history: &History, days: [Date; 2]) -> Result<(), TestCaseError> {
    let last = history.events.iter().map(|event| event.on).max().unwrap_or(START);
    let [first, second] = days.map(|day| day.max(last));
    let fold_on = |day| fold_on(&history.contract, &history.events, day, end()).unwrap();
    let (state, outlook) = fold_on(first);
    prop_assert_eq!(&state, &fold(&history.contract, &history.events, first, end()).unwrap());
    prop_assert_eq!(&outlook, &fold_on(second).1);
    if outlook.standing == Standing::Disbursed && !outlook.applied.iter().any(|applied| applied.on > first) {
        let by_then = |owed: &[Owed]| owed.iter().filter(|owed| owed.due_on <= first).copied().collect::<Vec<_>>();
        prop_assert_eq!(by_then(&outlook.owed), by_then(&state.owed));
        prop_assert_eq!(outlook.oldest_unpaid_due_on, state.oldest_unpaid_due_on);
    }
    let after_all = parse_date("2200-12-31").unwrap();
    let end = fold_on(after_all).0;
    prop_assert_eq!((outlook.standing, outlook.owed), (end.standing, end.owed));
    prop_assert_eq!(outlook.overpayment, end.overpayment);
    Ok(())
}

/// A day from the disbursement to some time after everything.
fn any_day(history: &History, share: u16) -> Date {
    let days = i64::from(START.until(history.today).unwrap().get_days());
    days_later(START, i64::from(share) * (days + 100) / 1000 - 5)
}

fn balances<'a>(postings: impl IntoIterator<Item = &'a Posting>) -> BTreeMap<(Date, Account), i128> {
    let mut balances = BTreeMap::new();
    for posting in postings {
        *balances.entry((posting.on, posting.account)).or_default() += posting.amount.units();
    }
    balances.retain(|_, amount| *amount != 0);
    balances
}

/// A journal made one command at a time: the postings of each entry, and when it was recorded.
fn journal(history: &History) -> Result<Vec<(Timestamp, Posting)>, TestCaseError> {
    let mut lines: Vec<(Timestamp, Posting)> = Vec::new();
    for (index, event) in history.events.iter().enumerate() {
        let recorded = &history.events[..=index];
        let follows = follow(&history.contract, recorded, event.recorded_at).unwrap().postings;
        let made: Vec<Posting> = lines.iter().map(|(_, posting)| *posting).collect();
        let mut latest = None;
        for entry in journal_entries(&follows, &made) {
            prop_assert!(Some(entry.value_date) > latest, "one entry for a value date");
            latest = Some(entry.value_date);
            prop_assert!(entry.lines.len() >= 2);
            let (debit, credit) =
                (sum(entry.lines.iter().map(|line| line.debit)), sum(entry.lines.iter().map(|line| line.credit)));
            prop_assert_eq!(debit, credit, "event {:?}, value date {}", event.id, entry.value_date);
            for line in entry.lines {
                let (debit, credit) = (line.debit.units(), line.credit.units());
                prop_assert!((debit > 0) != (credit > 0) && debit >= 0 && credit >= 0);
                let amount = line.debit.checked_sub(line.credit).unwrap();
                let posting = Posting { on: entry.value_date, account: line.account, amount };
                lines.push((event.recorded_at, posting));
            }
        }
    }
    Ok(lines)
}

/// The same events recorded in another order; reversals still come after what they reverse.
fn recorded_otherwise(events: &[Event], order: &[Index]) -> Vec<Event> {
    let mut shuffled: Vec<Event> = events.to_vec();
    for (place, index) in order.iter().enumerate().take(shuffled.len()) {
        let other = index.index(shuffled.len());
        shuffled.swap(place, other);
    }
    let (mut reversals, mut others): (Vec<Event>, Vec<Event>) =
        shuffled.into_iter().partition(|event| matches!(event.kind, EventKind::Reversal { .. }));
    // Two reschedules of one day count in the order of recording: that one is kept.
    let mut reschedules: Vec<Event> =
        events.iter().filter(|event| matches!(event.kind, EventKind::Reschedule { .. })).cloned().collect();
    reschedules.reverse();
    for event in &mut others {
        if matches!(event.kind, EventKind::Reschedule { .. }) {
            *event = reschedules.pop().unwrap();
        }
    }
    others.append(&mut reversals);
    for (second, event) in others.iter_mut().enumerate() {
        event.recorded_at = instant(i64::try_from(second).unwrap());
    }
    others
}

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        max_global_rejects: u32::MAX,
        ..ProptestConfig::with_cases(histories(200))
    }
}

proptest! {
    #![proptest_config(config())]

    /// Recording the same events late or in another order gives the same loan.
    #[test]
    fn the_order_of_recording_does_not_matter(
        script in scripts(1..40),
        order in prop::collection::vec(any::<Index>(), 40),
    ) {
        let history = script.play(|_| ());
        let others = recorded_otherwise(&history.events, &order);
        let other = History { events: others, ..history.clone() };
        prop_assert_eq!(
            apart_from_recording(history.state(history.today)),
            apart_from_recording(other.state(history.today))
        );
    }

    /// The order in which the events are handed over does not matter at all.
    #[test]
    fn the_order_of_the_list_does_not_matter(
        script in scripts(1..40),
        order in prop::collection::vec(any::<Index>(), 40),
    ) {
        let history = script.play(|_| ());
        let mut shuffled = history.clone();
        for (place, index) in order.iter().enumerate().take(shuffled.events.len()) {
            let other = index.index(shuffled.events.len());
            shuffled.events.swap(place, other);
        }
        prop_assert_eq!(history.state(history.today), shuffled.state(history.today));
    }

    /// Payments reversed and entered again, with the same dates, change nothing.
    #[test]
    fn reversed_and_entered_again_is_the_same(script in scripts(1..40), which in any::<Index>()) {
        let history = script.play(|_| ());
        let state = history.state(history.today);
        let standing: Vec<&Event> = history
            .events
            .iter()
            .filter(|event| matches!(event.kind, EventKind::Repayment { .. }))
            .filter(|event| state.transaction(event.id).unwrap().reversed_by.is_none())
            .collect();
        if standing.is_empty() {
            return Ok(());
        }
        let old = standing[which.index(standing.len())];
        let mut again = history.clone();
        let reversal = Event {
            id: EventId(1000),
            recorded_at: instant(1000),
            kind: EventKind::Reversal { of: old.id },
            ..old.clone()
        };
        again.events.push(reversal);
        again.events.push(Event { id: EventId(1001), recorded_at: instant(1001), ..old.clone() });
        prop_assert_eq!(apart_from_recording(state), apart_from_recording(again.state(history.today)));
    }

    #[test]
    fn money_is_conserved(script in scripts(1..40), share in 0u16..=1000) {
        let history = script.play(|_| ());
        let state = history.state(any_day(&history, share));
        let paid_in = amounts_of(&state, TransactionKind::Repayment) + amounts_of(&state, TransactionKind::Recovery);
        let paid = state.paid;
        let allocated = sum([paid.principal, paid.interest, paid.fees, paid.penalties]);
        prop_assert_eq!(
            paid_in,
            allocated + state.recovered.units() + state.overpayment.units() + state.refunded.units()
        );
        let by_transactions: i128 = state
            .transactions
            .iter()
            .filter(|it| it.kind == TransactionKind::Repayment)
            .filter_map(|it| it.allocation)
            .map(|it| sum([it.penalty, it.fee, it.interest, it.principal]))
            .sum();
        let applied = state.applied.iter().map(|it| it.shares);
        let applied: i128 = applied.map(|it| sum([it.penalty, it.fee, it.interest, it.principal])).sum();
        prop_assert_eq!(allocated, by_transactions + applied);
        for shares in state.applied.iter().map(|it| it.shares) {
            let paid = sum([shares.penalty, shares.fee, shares.interest, shares.principal]);
            prop_assert_eq!(paid, -shares.overpayment.units());
        }
        let lapsed = sum([state.written_off.interest, state.written_off.fees, state.written_off.penalties]);
        let owed = sum([state.unpaid.principal, state.unpaid.interest, state.unpaid.fees, state.unpaid.penalties]);
        prop_assert_eq!(state.totals.due.units(), allocated + owed + lapsed + state.written_off.principal.units());
        prop_assert_eq!(state.refunded.units(), amounts_of(&state, TransactionKind::Refund));
        let disbursed = amounts_of(&state, TransactionKind::Disbursement);
        let principal = sum([paid.principal, state.unpaid.principal, state.written_off.principal]);
        prop_assert_eq!(disbursed, principal);
    }

    /// On every day on which something differs, and on the days around it, the exposure is what the fold says.
    #[test]
    fn exposures_are_the_state_of_each_day(script in scripts(1..40), share in 0u16..=1000) {
        let history = script.play(|_| ());
        let exposures = follow(&history.contract, &history.events, end()).unwrap().exposures;
        let days = exposures.iter().flat_map(|exposure| [-1, 0, 1].map(|days| days_later(exposure.on, days)));
        let mut differ = 0;
        for day in days.chain([any_day(&history, share)]) {
            let place = exposures.partition_point(|exposure| exposure.on <= day);
            let state = history.state(day);
            let Some(exposure) = place.checked_sub(1).map(|last| exposures[last]) else {
                prop_assert_eq!(state.standing, Standing::Approved);
                continue;
            };
            let past_due = [state.past_due.principal, state.past_due.interest, state.past_due.fees];
            let unpaid = [state.unpaid.principal, state.unpaid.interest, state.unpaid.fees, state.unpaid.penalties];
            let standing = match state.standing {
                Standing::Disbursed if state.overpayment.units() >= sum(unpaid) => Standing::Repaid,
                standing => standing,
            };
            prop_assert_eq!(exposure.standing, standing, "{}", day);
            prop_assert_eq!(exposure.outstanding, state.unpaid.principal, "{}", day);
            prop_assert_eq!(exposure.written_off, state.written_off.principal, "{}", day);
            prop_assert_eq!(exposure.past_due.units(), sum(past_due), "{}", day);
            differ += usize::from(exposure.on == day);
        }
        prop_assert!(differ >= exposures.len());
        for pair in exposures.windows(2) {
            let is_new = pair[0] != Exposure { on: pair[0].on, ..pair[1] };
            prop_assert!(pair[0].on < pair[1].on && is_new, "{:?}", pair);
        }
    }

    #[test]
    fn where_a_loan_leads_is_the_same_from_every_day_on(script in scripts(1..40), share in any::<[u16; 2]>()) {
        let history = script.play(|_| ());
        outlooks(&history, share.map(|share| any_day(&history, share % 2000)))?;
    }

    /// Of the last event that is recorded, and of one among others.
    #[test]
    fn what_an_event_changes_is_what_follows_from_it(script in scripts(0..40), share in 0u16..=1000) {
        let history = script.play(|_| ());
        let as_of = any_day(&history, share);
        for (index, new) in history.events.iter().enumerate() {
            changes(&history.contract, &history.events[..index], new, as_of)?;
            let others: Vec<Event> = history.events.iter().filter(|event| event.id != new.id).cloned().collect();
            // Some of those that are recorded after it may be unable to stand without it.
            if follow(&history.contract, &others, end()).is_ok() {
                changes(&history.contract, &others, new, as_of)?;
            } else {
                prop_assert!(change(&history.contract, &others, new, as_of).is_err());
            }
        }
    }

    /// The parts of a row, of the totals and of the transactions add up, and nothing is negative.
    #[test]
    fn rows_add_up(script in scripts(1..40), share in 0u16..=1000) {
        let history = script.play(|_| ());
        let state = history.state(any_day(&history, share));
        for row in &state.rows {
            let due = [row.principal, row.interest, row.fees, row.penalties];
            let cells = due.into_iter().chain([row.paid, row.outstanding, row.written_off]).collect::<Vec<_>>();
            prop_assert!(cells.iter().all(|cell| !cell.is_negative()), "{:?}", row);
            prop_assert_eq!(sum([row.principal, row.interest, row.fees, row.penalties]), row.due.units());
            prop_assert_eq!(sum([row.paid, row.outstanding, row.written_off]), row.due.units());
        }
        let totals = &state.totals;
        for (total, cell) in [
            (totals.principal, (|row| row.principal) as fn(&lending::Instalment) -> Money),
            (totals.interest, |row| row.interest),
            (totals.fees, |row| row.fees),
            (totals.penalties, |row| row.penalties),
            (totals.due, |row| row.due),
            (totals.paid, |row| row.paid),
            (totals.outstanding, |row| row.outstanding),
            (totals.written_off, |row| row.written_off),
        ] {
            prop_assert_eq!(total.units(), sum(state.rows.iter().map(cell)));
        }
        if state.standing != Standing::Approved {
            prop_assert_eq!(totals.principal, history.contract.amount);
            prop_assert!(state.rows.last().unwrap().balance.is_zero());
        }
        let owed = |of: fn(&lending::Components) -> Money| sum(state.owed.iter().map(|owed| of(&owed.unpaid)));
        prop_assert_eq!(owed(|it| it.principal), state.unpaid.principal.units());
        // What is owed is what will fall due: interest of each day's balance goes on.
        if history.contract.terms.interest_accrual() == InterestAccrual::Scheduled {
            prop_assert_eq!(owed(|it| it.interest), state.unpaid.interest.units());
        }
        prop_assert_eq!(owed(|it| it.fees), state.unpaid.fees.units());
        prop_assert_eq!(owed(|it| it.penalties), state.unpaid.penalties.units());
        for transaction in state.transactions.iter().filter(|it| it.kind == TransactionKind::Repayment) {
            if let Some(it) = transaction.allocation {
                let parts = [it.penalty, it.fee, it.interest, it.principal, it.overpayment];
                prop_assert_eq!(sum(parts), transaction.amount.units());
                prop_assert!(parts.iter().all(|part| !part.is_negative()));
            }
        }
        let due_dates: Vec<Date> = state.rows.iter().map(|row| row.due_on).collect();
        prop_assert!(due_dates.windows(2).all(|pair| pair[0] < pair[1]));
    }

    /// Knowledge at an instant never changes as events are added.
    #[test]
    fn what_was_known_never_changes(script in scripts(1..30)) {
        let mut known: Vec<(Date, Timestamp, State)> = Vec::new();
        let history = script.play(|tried| {
            if let Ok(state) = tried.result {
                known.push((tried.today, tried.event.recorded_at, state.clone()));
            }
        });
        for (today, known_at, state) in known {
            let read = fold(&history.contract, &history.events, today, known_at).unwrap();
            prop_assert_eq!(read, state);
        }
    }

    /// The state at the end of a day does not depend on events after it.
    #[test]
    fn later_events_change_no_earlier_day(script in scripts(1..40), share in 0u16..=1000) {
        let history = script.play(|_| ());
        let as_of = any_day(&history, share);
        let mut earlier = history.clone();
        earlier.events.retain(|event| event.on <= as_of);
        prop_assert_eq!(history.state(as_of), earlier.state(as_of));
    }

    /// For any day and instant, the lines of a journal made one command at a time sum to what the
    /// state posts.
    #[test]
    fn the_journal_is_the_state(script in scripts(1..30), share in 0u16..=1000, last in any::<Index>()) {
        let history = script.play(|_| ());
        let lines = journal(&history)?;
        let known_at = history.events[last.index(history.events.len())].recorded_at;
        for (as_of, known_at) in
            [(any_day(&history, share), known_at), (days_later(history.today, 1000), end()), (history.today, known_at)]
        {
            let read: Vec<Posting> = lines
                .iter()
                .filter(|(recorded_at, posting)| *recorded_at <= known_at && posting.on <= as_of)
                .map(|(_, posting)| *posting)
                .collect();
            let state = fold(&history.contract, &history.events, as_of, known_at).unwrap();
            prop_assert_eq!(balances(&read), balances(&state.postings), "{} {}", as_of, known_at);
            prop_assert_eq!(sum(read.iter().map(|posting| posting.amount)), 0);
            let of = |account: Account| -> i128 {
                sum(read.iter().filter(|posting| posting.account == account).map(|posting| posting.amount))
            };
            prop_assert_eq!(of(Account::PrincipalReceivable), state.unpaid.principal.units());
            prop_assert_eq!(of(Account::OverpaymentsPayable), -state.overpayment.units());
            prop_assert_eq!(of(Account::InterestIncome), -state.paid.interest.units());
            prop_assert_eq!(of(Account::PenaltyIncome), -state.paid.penalties.units());
            prop_assert_eq!(of(Account::WriteOffs), state.written_off.principal.units());
            prop_assert_eq!(of(Account::Recoveries), -state.recovered.units());
        }
    }

    /// Reversing everything recorded after a point, the latest first, gives the state of that point.
    #[test]
    fn reversing_everything_returns_to_the_state_before(script in scripts(1..30), keep in any::<Index>()) {
        let history = script.play(|_| ());
        let keep = keep.index(history.events.len()) + 1;
        let before = History { events: history.events[..keep].to_vec(), ..history.clone() };
        let mut after = history.clone();
        // An event reversed after that point and recorded before it stays reversed: left out here.
        let reverses_earlier = history.events[keep..].iter().any(|event| match event.kind {
            EventKind::Reversal { of } => before.events.iter().any(|earlier| earlier.id == of),
            _ => false,
        });
        prop_assume!(!reverses_earlier);
        let mut second = 1000;
        for event in history.events[keep..].iter().rev() {
            let is_reversed = after.events.iter().any(|it| it.kind == EventKind::Reversal { of: event.id });
            if !is_reversed && !matches!(event.kind, EventKind::Reversal { .. }) {
                second += 1;
                after.events.push(Event {
                    id: EventId(u128::try_from(second).unwrap()),
                    on: event.on,
                    recorded_at: instant(second),
                    kind: EventKind::Reversal { of: event.id },
                });
            }
        }
        let state = after.state(history.today);
        prop_assert_eq!(
            apart_from_recording(state.clone()),
            apart_from_recording(before.state(history.today))
        );
        for transaction in before.state(history.today).transactions {
            prop_assert_eq!(state.transaction(transaction.id), Some(&transaction));
        }
        if let Some(disbursement) = after.events.iter().find(|it| matches!(it.kind, EventKind::Disbursement { .. }))
            && before.events.len() == 1
        {
            let reversal = EventKind::Reversal { of: disbursement.id };
            after.events.push(Event { id: EventId(5000), on: START, recorded_at: instant(5000), kind: reversal });
            let state = after.state(history.today);
            prop_assert_eq!(state.standing, Standing::Approved);
            prop_assert!(state.postings.is_empty() && state.rows.is_empty());
        }
    }

    /// On a payment's own day the settlement becomes exactly what it was less the payment, never below zero: all of it
    /// closes the loan, with nothing left over, one unit less does not.
    #[test]
    fn a_payment_lowers_the_settlement_by_what_it_is(
        script in scripts(0..30),
        later in 0i64..60,
        share in 0i128..1000,
    ) {
        let history = script.play(|_| ());
        let on = days_later(history.today, later);
        let Some(settled) = settlement(&history.contract, &history.events, on, end()).unwrap() else {
            return Ok(());
        };
        let state = history.state(on);
        let total = settled.total.units();
        if state.standing != Standing::Disbursed || total == 0 {
            prop_assert_ne!(state.standing, Standing::Approved);
            return Ok(());
        }
        prop_assume!(total + 7 <= Money::MAX_REQUEST_UNITS);
        for units in [1, total * share / 1000, total - 1, total, total + 7].into_iter().filter(|units| *units > 0) {
            let amount = Money::from_units(i64::try_from(units).unwrap(), settled.total.currency());
            let mut paid = history.clone();
            let id = EventId(1000);
            paid.events.push(Event { id, on, recorded_at: instant(1000), kind: EventKind::Repayment { amount } });
            let state = paid.state(on);
            let left = settlement(&paid.contract, &paid.events, on, end()).unwrap().unwrap();
            prop_assert_eq!(left.total.units(), (total - units).max(0));
            let standing = if units >= total { Standing::Repaid } else { Standing::Disbursed };
            prop_assert_eq!(state.standing, standing, "{} of {}", units, total);
            if standing == Standing::Repaid {
                prop_assert_eq!(left.credit, state.overpayment);
                prop_assert!([left.principal, left.interest, left.fees, left.penalties].iter().all(|it| it.is_zero()));
            }
        }
    }

    /// Without an event what settles a loan never falls from day to day.
    #[test]
    fn the_settlement_never_falls_by_itself(script in scripts(0..30)) {
        let history = script.play(|_| ());
        let mut before = 0;
        for later in 0..90 {
            let on = days_later(history.today, later);
            let Some(settled) = settlement(&history.contract, &history.events, on, end()).unwrap() else {
                return Ok(());
            };
            prop_assert!(settled.total.units() >= before, "{}", on);
            before = settled.total.units();
        }
    }

    /// However much is paid early, a prepayment makes nobody owe more.
    #[test]
    fn a_prepayment_costs_nothing(script in scripts(0..1), share in 1i128..100, later in 0i64..100) {
        let reduces = [Prepayment::ReduceInstalment, Prepayment::ReduceTerm];
        if !reduces.contains(&script.contract.terms.prepayment()) {
            return Ok(());
        }
        let mut history = script.play(|_| ());
        let on = days_later(START, later);
        let before = history.state(on);
        let units = (script.contract.amount.units() * share / 100).max(1);
        let amount = Money::from_units(i64::try_from(units).unwrap(), script.contract.amount.currency());
        let kind = EventKind::Repayment { amount };
        history.events.push(Event { id: EventId(2), on, recorded_at: instant(2), kind });
        let after = history.state(on);
        // Each row is rounded once: a unit more may be asked for.
        let smallest = script.contract.terms.smallest_amount().map_or(1, |it| {
            Money::from_decimal(it.get(), amount.currency()).unwrap().units()
        });
        let rounding = smallest * i128::try_from(before.rows.len()).unwrap() * 2;
        prop_assert!(after.totals.interest.units() <= before.totals.interest.units() + rounding);
        prop_assert!(after.rows.len() <= before.rows.len());
    }
}

/// Hundreds of events on one loan: what was accepted is as the model has it, and balanced.
#[test]
fn long_histories() {
    use proptest::strategy::{Strategy, ValueTree};
    use proptest::test_runner::{Config, TestRunner};

    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    let mut longest = 0;
    for _ in 0..histories(60).div_ceil(30) {
        let script: Script = scripts(300..400).new_tree(&mut runner).unwrap().current();
        let history = script.play(|_| ());
        longest = longest.max(history.events.len());
        crate::differential::compare(&history.contract, &history.events, history.today, end()).unwrap();
        let lines = journal(&history).unwrap();
        let state = history.state(days_later(history.today, 1000));
        let read: Vec<Posting> = lines.iter().map(|(_, posting)| *posting).collect();
        assert_eq!(balances(&read), balances(&state.postings));
    }
    assert!(longest > 100, "{longest}");
}
