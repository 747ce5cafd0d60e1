//! What follows from a loan's events for every day at once: the postings of its ledger, and what the lender has out.

use jiff::Timestamp;
use jiff::civil::Date;

use super::Contract;
use super::allocation::Component;
use super::book::{Book, Until};
use super::conflict::Conflict;
use super::events::{ChargeKind, Event, EventKind, History};
use super::postings::Posting;
use super::read;
use super::state::{Standing, State};
use crate::Money;

/// What a lender has out in a loan from one day until the next one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exposure {
    /// The first day.
    pub on: Date,
    /// Where the loan stands.
    pub standing: Standing,
    /// Principal paid out, neither repaid nor written off.
    pub outstanding: Money,
    /// Principal written off.
    pub written_off: Money,
    /// Principal, interest and fees that fell due before this day and are unpaid. Penalties are not
    /// among them.
    pub past_due: Money,
}

/// What follows from a loan's events, for every day at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consequences {
    /// What moves on the ledger, by value date and account, nothing that is zero. For any day, those up to it are those of
    /// [`fold`](super::fold) as of that day.
    pub postings: Vec<Posting>,
    /// From the disbursement on, one for each day on which something differs from the day before, in the order of their
    /// days. For any day, the last of them up to it says what [`fold`](super::fold) says as of that day.
    pub exposures: Vec<Exposure>,
}

/// What follows from the events of a loan, as far as they are recorded by `known_at`.
///
/// Days to come are among it: what is unpaid falls due, and an overpayment that is held pays a charge on the charge's due
/// date, without another event and without a job that would have to run that day.
///
/// ```
/// use jiff::Timestamp;
/// use lending::{Contract, Currency, Event, EventId, EventKind, Money, TermsPatch, follow, parse_date};
///
/// let euro = Currency::from_code("EUR")?;
/// let terms: TermsPatch = serde_json::from_str(r#"{"interest_rate_apr": "0", "instalments": 2}"#)?;
/// let contract = Contract { amount: Money::parse("1000.00", euro)?, terms: terms.complete(euro)? };
/// let event = |id, on: &str, kind| Event {
///     id: EventId(id),
///     on: parse_date(on).unwrap(),
///     recorded_at: Timestamp::UNIX_EPOCH,
///     kind,
/// };
/// let events = [
///     event(1, "2025-01-31", EventKind::Disbursement),
///     event(2, "2025-03-10", EventKind::Repayment { amount: Money::parse("500.00", euro)? }),
/// ];
/// let exposures: Vec<String> = follow(&contract, &events, Timestamp::UNIX_EPOCH)?
///     .exposures
///     .iter()
///     .map(|it| format!("{} {} {}", it.on, it.outstanding, it.past_due))
///     .collect();
/// assert_eq!(
///     exposures,
///     ["2025-01-31 1000.00 0.00", "2025-03-01 1000.00 500.00", "2025-03-10 500.00 0.00", "2025-04-01 500.00 500.00"]
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`fold`](super::fold).
pub fn follow(contract: &Contract, events: &[Event], known_at: Timestamp) -> Result<Consequences, Conflict> {
    let Some(last) = last_day(events) else {
        return Ok(Consequences::default());
    };
    let history = History::read(events, contract.amount.currency(), last, known_at)?;
    let (book, exposures) = fold_exposures(contract, &history, last, &mut |_, _| ())?;
    Ok(Consequences { postings: book.postings, exposures })
}

/// The same, and the loan as of a day; as of the last value date if that is later. What [`follow`] and
/// [`fold`](super::fold) say, for little more than one of them costs.
///
/// # Errors
/// As [`fold`](super::fold).
pub fn follow_until(
    contract: &Contract,
    events: &[Event],
    as_of: Date,
    known_at: Timestamp,
) -> Result<(Consequences, State), Conflict> {
    let as_of = events.iter().map(|event| event.on).fold(as_of, Date::max);
    // A charge may fall due later.
    let last = last_day(events).map_or(as_of, |last| last.max(as_of));
    let history = History::read(events, contract.amount.currency(), last, known_at)?;
    let mut state = None;
    let (book, exposures) = fold_exposures(contract, &history, last, &mut |book, next| {
        if state.is_none() && next.is_none_or(|next| next > as_of) {
            state = Some(read::state(contract, &history, book, as_of));
        }
    })?;
    // Nothing happened on any day.
    let state = state.unwrap_or_else(|| read::state(contract, &history, &book, as_of));
    Ok((Consequences { postings: book.postings, exposures }, state))
}

/// The last day on which something happens of itself but time passing.
fn last_day(events: &[Event]) -> Option<Date> {
    let days = events.iter().map(|event| match event.kind {
        EventKind::Charge { due_on, .. } => event.on.max(due_on),
        _ => event.on,
    });
    days.max()
}

/// Folds up to a day, and notes what the lender has out; `look` sees each day's end, with the next day on which something
/// may happen.
fn fold_exposures<'a>(
    contract: &'a Contract,
    history: &History<'a>,
    last: Date,
    look: &mut impl FnMut(&Book<'a>, Option<Date>),
) -> Result<(Book<'a>, Vec<Exposure>), Conflict> {
    let currency = contract.amount.currency();
    let mut exposures: Vec<Exposure> = Vec::new();
    let mut falling_due = Vec::new();
    let book = Book::fold_day_by_day(contract, history, Until::EndOf(last), &mut |book, on, next| {
        look(book, next);
        let Some(standing) = book.standing() else {
            return;
        };
        book.falling_due_before(next, &mut falling_due);
        let mut falling_due = falling_due.drain(..).peekable();
        let mut past_due = 0;
        while let Some((_, amount)) = falling_due.next_if(|(due_on, _)| *due_on < on) {
            past_due += amount;
        }
        let exposure = Exposure {
            on,
            standing,
            outstanding: Money::computed(book.balance, currency),
            written_off: Money::computed(book.written_off[Component::Principal as usize], currency),
            past_due: Money::computed(past_due, currency),
        };
        push(&mut exposures, exposure);
        for (due_on, amount) in falling_due {
            past_due += amount;
            // What is due on the last day that there is is never past due.
            let Ok(on) = due_on.tomorrow() else { break };
            push(&mut exposures, Exposure { on, past_due: Money::computed(past_due, currency), ..exposure });
        }
    })?;
    Ok((book, exposures))
}

/// Adds an exposure, if it differs from the last one.
fn push(exposures: &mut Vec<Exposure>, exposure: Exposure) {
    // A day may be looked at again.
    exposures.pop_if(|last| last.on == exposure.on);
    if exposures.last().is_none_or(|last| Exposure { on: exposure.on, ..*last } != exposure) {
        exposures.push(exposure);
    }
}

impl Book<'_> {
    /// Where the loan stands; `None` before its disbursement.
    fn standing(&mut self) -> Option<Standing> {
        let rows = self.rows.as_mut()?;
        Some(if self.written_off_on.is_some() {
            Standing::Defaulted
        } else if Component::ALL.into_iter().all(|component| rows.first_open(component) == rows.lines.len()) {
            Standing::Repaid
        } else {
            Standing::Disbursed
        })
    }

    /// What is unpaid of principal, interest and fees that fall due before the day before `next`, or
    /// ever: due dates with amounts, in the order of the dates.
    fn falling_due_before(&mut self, next: Option<Date>, due: &mut Vec<(Date, i128)>) {
        const COUNTED: [Component; 3] = [Component::Principal, Component::Interest, Component::Fee];
        let Some(rows) = &mut self.rows else {
            return;
        };
        // What falls due on the day before `next` is past due on `next`, which looks for itself.
        let is_before = |due_on: Date| next.is_none_or(|next| due_on.tomorrow().is_ok_and(|after| after < next));
        let first = COUNTED.into_iter().map(|component| rows.first_open(component)).min().unwrap_or_default();
        // A charge is shown in the first row that is due with it or after it.
        let end = next.map_or(rows.lines.len(), |next| (rows.first_not_past_due(next) + 1).min(rows.lines.len()));
        let mut add = |due_on: Date, amount: i128| {
            if amount != 0 && is_before(due_on) {
                due.push((due_on, amount));
            }
        };
        for line in rows.lines.get(first..end).unwrap_or_default() {
            add(line.due_on, line.principal.unpaid() + line.interest.unpaid() + line.fees.unpaid());
            for charge in line.charges.iter().map(|index| &rows.charges[*index]) {
                if charge.kind == ChargeKind::Fee {
                    add(charge.due_on, charge.cell.unpaid());
                }
            }
        }
        due.sort_unstable_by_key(|(due_on, _)| *due_on);
    }
}
