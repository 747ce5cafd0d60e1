//! What a lender has out in a loan, from day to day.

use jiff::Timestamp;
use jiff::civil::Date;

use super::Contract;
use super::allocation::Component;
use super::book::{Book, Until};
use super::conflict::Conflict;
use super::events::{ChargeKind, Event, History, last_date};
use super::state::Standing;
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

/// The exposures of a loan from its disbursement on, as far as its events are recorded by `known_at`:
/// one for each day on which something differs from the day before, in the order of their days. None
/// before the disbursement.
///
/// For any day, the last of them up to it says what [`fold`](super::fold) says as of that day. Days to
/// come are among them: what is unpaid falls due, and what is held pays a charge on its due date,
/// without another event.
///
/// ```
/// use jiff::Timestamp;
/// use lending::{Contract, Currency, Event, EventId, EventKind, Money, TermsPatch, exposures, parse_date};
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
/// let exposures: Vec<String> = exposures(&contract, &events, Timestamp::UNIX_EPOCH)?
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
pub fn exposures(contract: &Contract, events: &[Event], known_at: Timestamp) -> Result<Vec<Exposure>, Conflict> {
    let Some(last) = last_date(events) else {
        return Ok(Vec::new());
    };
    let currency = contract.amount.currency();
    let history = History::read(events, currency, last, known_at)?;
    let mut exposures: Vec<Exposure> = Vec::new();
    let mut fallen_due = Vec::new();
    Book::fold_day_by_day(contract, &history, Until::EndOf(last), &mut |book, on, next| {
        let Some(standing) = book.standing() else {
            return;
        };
        let mut exposure = Exposure {
            on,
            standing,
            outstanding: Money::computed(book.balance, currency),
            written_off: Money::computed(book.written_off[Component::Principal as usize], currency),
            past_due: Money::zero(currency),
        };
        book.falling_due_before(next, &mut fallen_due);
        let mut past_due = 0;
        let mut fall = fallen_due.drain(..).peekable();
        while let Some((_, amount)) = fall.next_if(|(due_on, _)| *due_on < on) {
            past_due += amount;
        }
        exposure.past_due = Money::computed(past_due, currency);
        push(&mut exposures, exposure);
        for (due_on, amount) in fall {
            past_due += amount;
            // Unpaid on the last day that there is: there is no day on which it is past due.
            let Ok(on) = due_on.tomorrow() else { break };
            push(&mut exposures, Exposure { on, past_due: Money::computed(past_due, currency), ..exposure });
        }
    })?;
    Ok(exposures)
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
