//! The consequences of a loan's events for every day at once: the postings of its ledger and the lender's exposure.

use jiff::Timestamp;
use jiff::civil::Date;

use super::conflict::Conflict;
use super::contract::Contract;
use super::events::Event;
use super::fold::{FoldByDay, LoanFold};
use super::history::History;
use super::postings::Posting;
use super::project;
use super::state::{Outlook, Standing, State};
use crate::Money;
use crate::steps::steps;
use crate::terms::Component;

/// The lender's exposure in a loan from one day until the next exposure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exposure {
    /// The first day.
    pub on: Date,
    /// The standing of the loan. It is repaid also where a held overpayment will pay all that is left.
    pub standing: Standing,
    /// Outstanding principal: paid out, neither repaid nor written off.
    pub outstanding: Money,
    /// Principal written off.
    pub written_off: Money,
    /// Unpaid principal, interest and fees that fell due before this day; without penalties.
    pub past_due: Money,
}

/// The consequences of a loan's events, for every day at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consequences {
    /// The movements on the ledger other than zero, by value date and account. For any day, those up to it are those
    /// of [`fold`](super::fold) as of that day.
    pub postings: Vec<Posting>,
    /// From the disbursement on, one for each day that differs from the day before, in the order of days. For any
    /// day, the last of them up to it is that of [`fold`](super::fold) as of that day.
    pub exposures: Vec<Exposure>,
}

/// The consequences of the events of a loan that were recorded by `known_at`.
///
/// They include days to come: unpaid amounts fall due, and a held overpayment pays a charge on the charge's due date,
/// without another event and without a job on that day.
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
///     event(1, "2025-01-31", EventKind::Disbursement { first_due_on: None, calendar: None }),
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
    let mut following = FoldWithExposures::new(contract, &history, last);
    while following.day()? {}
    Ok(following.consequences(None))
}

/// The consequences of one more event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The consequences without it, from its value date on. The first exposure may be the one from before that day.
    pub before: Consequences,
    /// The consequences with it, as far back.
    pub after: Consequences,
    /// The loan with it.
    pub state: State,
    /// The outlook from there.
    pub outlook: Outlook,
}

/// The consequences of a new event, and the loan with it as of a day, or as of the last value date if that is later.
///
/// The same as [`follow`] without it, [`follow`] with it and [`fold_on`](super::fold_on) with it, of all that is
/// recorded. Everything before its value date is folded once for all three.
///
/// # Errors
/// As [`fold`](super::fold).
pub fn change(contract: &Contract, known: &[Event], new: &Event, as_of: Date) -> Result<Change, Conflict> {
    let events = || known.iter().chain([new]);
    let as_of = events().map(|event| event.on).fold(as_of, Date::max);
    let currency = contract.amount.currency();
    let without = History::read(known, currency, as_of, Timestamp::MAX)?;
    let with = History::read(events(), currency, as_of, Timestamp::MAX)?;
    let until = last_day(events()).map_or(as_of, |last| last.max(as_of));

    let mut shared = FoldWithExposures::new(contract, &with, until);
    shared.skip_to(new.on)?;
    let mut before = shared.fork(&without);
    before.begin(new.on);
    while before.day()? {}
    let mut after = shared;
    after.begin(new.on);
    while after.days.next().is_some_and(|next| next <= as_of) {
        after.day()?;
    }
    let state = project::state(contract, &with, &mut after.days.fold, as_of);
    while after.day()? {}
    after.days.go_on_to_the_end()?;
    let outlook = project::outlook(contract, &mut after.days.fold);
    Ok(Change { before: before.consequences(Some(new.on)), after: after.consequences(Some(new.on)), state, outlook })
}

/// The last day on which anything but the passing of time happens.
fn last_day<'a>(events: impl IntoIterator<Item = &'a Event>) -> Option<Date> {
    events.into_iter().map(|event| event.kind.due_on().map_or(event.on, |due_on| event.on.max(due_on))).max()
}

/// A fold, day by day, with the exposures on its days.
struct FoldWithExposures<'h, 'a> {
    days: FoldByDay<'h, 'a>,
    exposures: Vec<Exposure>,
    /// Empty between days; kept to reuse its memory.
    falling_due: Vec<(Date, i128)>,
}

impl<'h, 'a> FoldWithExposures<'h, 'a> {
    fn new(contract: &'a Contract, history: &'h History<'h>, until: Date) -> Self {
        Self { days: FoldByDay::new(contract, history, until), exposures: Vec::new(), falling_due: Vec::new() }
    }

    /// The same, from here on with another history, which has the same events up to here.
    fn fork<'o>(&self, history: &'o History<'o>) -> FoldWithExposures<'o, 'a> {
        let exposures = self.exposures.clone();
        FoldWithExposures { days: self.days.fork(history), exposures, falling_due: Vec::new() }
    }

    /// Folds the next day on which something may happen, if there is one.
    fn day(&mut self) -> Result<bool, Conflict> {
        let Some(on) = self.days.day()? else {
            return Ok(false);
        };
        self.look(on, self.days.next());
        Ok(true)
    }

    /// Folds everything before a day, and keeps only the exposure with which that day begins.
    fn skip_to(&mut self, day: Date) -> Result<(), Conflict> {
        let mut last = None;
        while self.days.next().is_some_and(|next| next < day) {
            last = self.days.day()?;
        }
        if let Some(last) = last {
            self.look(last, Some(day));
        }
        self.exposures.drain(..self.exposures.len().saturating_sub(1));
        Ok(())
    }

    /// Adds the exposure of a day on which nothing happens.
    fn begin(&mut self, day: Date) {
        let next = self.days.next();
        if next != Some(day) {
            self.look(day, next);
        }
    }

    /// Adds the exposures from the end of a day until something may happen next.
    fn look(&mut self, on: Date, next: Option<Date>) {
        let fold = &mut self.days.fold;
        if let Some(rows) = &mut fold.rows {
            rows.ask_until(next);
        }
        let Some(standing) = fold.standing() else {
            return;
        };
        let mut past_due = fold.past_due(on, next, &mut self.falling_due);
        let currency = fold.currency();
        let exposure = Exposure {
            on,
            standing,
            outstanding: Money::computed(fold.balance, currency),
            written_off: Money::computed(fold.written_off[Component::Principal as usize], currency),
            past_due: Money::computed(past_due, currency),
        };
        push(&mut self.exposures, exposure);
        for (due_on, amount) in self.falling_due.drain(..) {
            past_due += amount;
            // An amount due on the last day of the calendar is never past due.
            let Ok(on) = due_on.tomorrow() else { break };
            push(&mut self.exposures, Exposure { on, past_due: Money::computed(past_due, currency), ..exposure });
        }
    }

    /// The consequences, with postings from a day on.
    fn consequences(self, from: Option<Date>) -> Consequences {
        let mut postings = self.days.fold.postings;
        postings.drain(..postings.partition_point(|posting| Some(posting.on) < from));
        Consequences { postings, exposures: self.exposures }
    }
}

/// Adds an exposure, if it differs from the last one.
fn push(exposures: &mut Vec<Exposure>, exposure: Exposure) {
    // A day may be looked at again.
    exposures.pop_if(|last| last.on == exposure.on);
    if exposures.last().is_none_or(|last| Exposure { on: exposure.on, ..*last } != exposure) {
        exposures.push(exposure);
    }
}

impl LoanFold<'_> {
    /// The standing of the loan; `None` before its disbursement. Held money will pay charges that fall due later: a
    /// loan with nothing else unpaid is repaid.
    fn standing(&mut self) -> Option<Standing> {
        let held = self.held;
        let rows = self.rows.as_mut()?;
        Some(if self.written_off_on.is_some() {
            Standing::Defaulted
        } else if self.balance > 0 {
            Standing::Disbursed
        } else if Component::ALL.into_iter().all(|component| rows.first_open(component) == rows.lines.len())
            || (held > 0 && rows.unpaid_in_all() <= held)
        {
            Standing::Repaid
        } else {
            Standing::Disbursed
        })
    }

    /// The unpaid principal, interest and fees that fell due before a day. Puts the amounts that fall due from then
    /// on, and before the day before `next` if there is one, into `falling_due`, in the order of their due dates.
    fn past_due(&mut self, on: Date, next: Option<Date>, falling_due: &mut Vec<(Date, i128)>) -> i128 {
        let Some(rows) = &mut self.rows else {
            return 0;
        };
        // An amount due on the day before `next` is past due on `next`, which has its own turn.
        let end = next.map(|next| next.yesterday().unwrap_or(next));
        // All of a row that is past due is past due, except charges that the last row shows for want of a later one.
        let first = rows.first_not_past_due(on).min(rows.lines.len().saturating_sub(1));
        let last = next.map_or(rows.lines.len(), |next| rows.end_of_due(next));
        let mut past_due = rows.unpaid_before(first);
        let mut add = |due_on: Date, amount: i128| {
            if due_on < on {
                past_due += amount;
            } else if amount != 0 && end.is_none_or(|end| due_on < end) {
                falling_due.push((due_on, amount));
            }
        };
        for line in rows.lines.get(first..last).unwrap_or_default() {
            steps(1 + line.fee_charges.len());
            add(line.due_on, line.principal.unpaid() + line.interest.unpaid() + line.fees.unpaid());
            for charge in line.fee_charges.iter().map(|index| &rows.charges[*index]) {
                add(charge.due_on, charge.owed.unpaid());
            }
        }
        falling_due.sort_unstable_by_key(|(due_on, _)| *due_on);
        past_due
    }
}
