//! The state of a loan, read from the end of its fold.

mod transactions;

use jiff::Timestamp;
use jiff::civil::Date;

use super::conflict::Conflict;
use super::contract::Contract;
use super::events::Event;
use super::fold::{AppliedAmounts, FoldByDay, LoanFold, Split};
use super::history::History;
use super::in_currency::{ByComponent, InCurrency};
use super::rows::{Charge, LoanRow, LoanRows, OwedAmount};
use super::state::{Applied, Instalment, InstalmentTotals, Outlook, Owed, Standing, State};
use crate::calendar::days_between;
use crate::steps::steps;
use crate::terms::Component;
use transactions::transactions;

/// The loan as of the end of a business date, from events recorded by an instant. The order of
/// `events` does not matter.
///
/// A day that is not over, or in the future, has the events recorded so far: late fees arise and days
/// past due are counted, nothing else happens.
///
/// ```
/// use jiff::Timestamp;
/// use lending::{
///     Contract, Currency, Event, EventId, EventKind, Money, Standing, TermsPatch, fold, parse_date,
/// };
///
/// let euro = Currency::from_code("EUR")?;
/// let terms: TermsPatch =
///     serde_json::from_str(r#"{"interest_rate_apr": "12", "instalments": 2}"#)?;
/// let contract =
///     Contract { amount: Money::parse("1000.00", euro)?, terms: terms.complete(euro)? };
/// let event = |id, on: &str, kind| Event {
///     id: EventId(id),
///     on: parse_date(on).unwrap(),
///     recorded_at: Timestamp::UNIX_EPOCH,
///     kind,
/// };
/// let events = [
///     event(1, "2025-01-31", EventKind::Disbursement { first_due_on: None, calendar: None }),
///     event(2, "2025-02-28", EventKind::Repayment { amount: Money::parse("500.00", euro)? }),
/// ];
///
/// let state = fold(&contract, &events, parse_date("2025-03-02")?, Timestamp::UNIX_EPOCH)?;
/// assert_eq!(state.standing, Standing::Disbursed);
/// // The first instalment is 507.51: 10.00 interest, and 497.51 principal, of which 490.00 is paid.
/// assert_eq!(state.rows[0].outstanding.to_string(), "7.51");
/// assert_eq!(state.unpaid.principal.to_string(), "510.00");
/// assert_eq!(state.days_past_due, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// A [`Conflict`] naming the event that cannot stand.
pub fn fold(contract: &Contract, events: &[Event], as_of: Date, known_at: Timestamp) -> Result<State, Conflict> {
    let history = History::read(events, contract.amount.currency(), as_of, known_at)?;
    let mut fold = LoanFold::fold(contract, &history, as_of)?;
    Ok(state(contract, &history, &mut fold, as_of))
}

/// As [`fold`], and where that leads when nothing more is recorded.
///
/// # Errors
/// As [`fold`].
pub fn fold_on(
    contract: &Contract,
    events: &[Event],
    as_of: Date,
    known_at: Timestamp,
) -> Result<(State, Outlook), Conflict> {
    let history = History::read(events, contract.amount.currency(), as_of, known_at)?;
    let mut days = FoldByDay::new(contract, &history, as_of);
    while days.day()?.is_some() {}
    let state = state(contract, &history, &mut days.fold, as_of);
    days.go_on_to_the_end()?;
    Ok((state, outlook(contract, &mut days.fold)))
}

/// Calls `f` with each amount of a row, its component and its due date.
fn each_owed(rows: &LoanRows<'_>, line: &LoanRow, f: &mut impl FnMut(&OwedAmount, Component, Date)) {
    steps(3 + line.fee_charges.len() + line.penalty_charges.len());
    f(&line.principal, Component::Principal, line.due_on);
    f(&line.interest, Component::Interest, line.due_on);
    f(&line.fees, Component::Fee, line.due_on);
    for charge in line.fee_charges.iter().chain(&line.penalty_charges).map(|index| &rows.charges[*index]) {
        f(&charge.owed, charge.kind.component(), charge.due_on);
    }
}

/// Rows and their sums are as of the day. The amounts by due date are those that fall due if nothing more happens.
pub(super) fn state(contract: &Contract, history: &History<'_>, fold: &mut LoanFold<'_>, as_of: Date) -> State {
    let units = InCurrency(contract.amount.currency());
    let money = |amount: i128| units.money(amount);
    let Reading { rows, totals, unpaid, paid, owed, oldest_unpaid, .. } = Reading::of(contract, fold, as_of);
    let (owed, oldest_unpaid) = if fold.rows.as_ref().is_some_and(LoanRows::accrues_daily) {
        let Reading { owed, oldest_unpaid, .. } = Reading::of(contract, fold, Date::MAX);
        (owed, oldest_unpaid)
    } else {
        (owed, oldest_unpaid)
    };
    let owed = by_date(owed, units);
    let late_fees: i128 = fold.rows.iter().flat_map(|rows| &rows.charges).map(Charge::late_fee_asked).sum();
    State {
        standing: standing(fold, unpaid),
        disbursed_on: fold.rows.as_ref().map(|rows| rows.disbursed_on),
        totals: totals.in_currency(units),
        rows,
        instalment: money(fold.rows.as_ref().map_or(0, |rows| rows.instalment)),
        total_due: money(totals.asked.iter().sum::<i128>() - late_fees),
        unpaid: units.components(unpaid),
        past_due: units.components(past_due(&owed, as_of)),
        next_due_on: owed.iter().map(|owed| owed.due_on).find(|due_on| *due_on >= as_of),
        owed,
        oldest_unpaid_due_on: oldest_unpaid,
        days_past_due: oldest_unpaid.map_or(0, |due_on| u32::try_from(days_between(due_on, as_of)).unwrap_or(0)),
        paid: units.components(paid),
        overpayment: money(fold.held),
        refunded: money(fold.refunded),
        written_off_on: fold.written_off_on,
        written_off: units.components(fold.written_off),
        recovered: money(fold.recovered),
        transactions: transactions(history, fold, units),
        applied: applied(fold, units),
        postings: fold.postings.clone(),
        rescheduled: fold.rescheduled.clone(),
    }
}

/// The outlook of a fold that went on to the end.
pub(super) fn outlook(contract: &Contract, fold: &mut LoanFold<'_>) -> Outlook {
    let units = InCurrency(contract.amount.currency());
    let Reading { unpaid, owed, oldest_unpaid, .. } = Reading::of(contract, fold, Date::MAX);
    Outlook {
        standing: standing(fold, unpaid),
        owed: by_date(owed, units),
        oldest_unpaid_due_on: oldest_unpaid,
        overpayment: units.money(fold.held),
        applied: applied(fold, units),
        accruing: fold.rows.as_ref().and_then(LoanRows::accruing),
    }
}

fn applied(fold: &LoanFold<'_>, units: InCurrency) -> Vec<Applied> {
    steps(fold.applied.len());
    let applied = fold.applied.iter().map(|&AppliedAmounts { on, by, by_component }| {
        let split = Split { by_component, overpayment: -by_component.iter().sum::<i128>() };
        Applied { on, by, shares: units.shares(split) }
    });
    applied.collect()
}

fn standing(fold: &LoanFold<'_>, unpaid: ByComponent) -> Standing {
    if fold.rows.is_none() {
        Standing::Approved
    } else if fold.written_off_on.is_some() {
        Standing::Defaulted
    } else if unpaid == [0; 4] {
        Standing::Repaid
    } else {
        Standing::Disbursed
    }
}

/// The sums of what fell due before a day; `owed` is in the order of the due dates.
fn past_due(owed: &[Owed], as_of: Date) -> ByComponent {
    owed.iter().take_while(|owed| owed.due_on < as_of).fold([0; 4], |mut sums, owed| {
        sums[Component::Principal as usize] += owed.unpaid.principal.units();
        sums[Component::Interest as usize] += owed.unpaid.interest.units();
        sums[Component::Fee as usize] += owed.unpaid.fees.units();
        sums[Component::Penalty as usize] += owed.unpaid.penalties.units();
        sums
    })
}

/// In the order of dates, each once.
fn by_date(mut owed: Vec<(Date, ByComponent)>, units: InCurrency) -> Vec<Owed> {
    owed.sort_unstable_by_key(|(due_on, _)| *due_on);
    owed.dedup_by(|later, earlier| {
        let is_same = later.0 == earlier.0;
        if is_same {
            for (sum, amount) in earlier.1.iter_mut().zip(later.1) {
                *sum += amount;
            }
        }
        is_same
    });
    owed.into_iter().map(|(due_on, sums)| Owed { due_on, unpaid: units.components(sums) }).collect()
}

#[derive(Default)]
struct RowSums {
    asked: ByComponent,
    paid: i128,
    unpaid: i128,
    lapsed: i128,
}

impl RowSums {
    fn in_currency(&self, units: InCurrency) -> InstalmentTotals {
        InstalmentTotals {
            principal: units.money(self.asked[Component::Principal as usize]),
            interest: units.money(self.asked[Component::Interest as usize]),
            fees: units.money(self.asked[Component::Fee as usize]),
            penalties: units.money(self.asked[Component::Penalty as usize]),
            due: units.money(self.asked.iter().sum()),
            paid: units.money(self.paid),
            outstanding: units.money(self.unpaid),
            written_off: units.money(self.lapsed),
        }
    }
}

/// The rows read so far.
struct Reading {
    units: InCurrency,
    balance: i128,
    rows: Vec<Instalment>,
    totals: RowSums,
    unpaid: ByComponent,
    paid: ByComponent,
    /// Unpaid amounts in no order; a date may appear several times.
    owed: Vec<(Date, ByComponent)>,
    oldest_unpaid: Option<Date>,
}

impl Reading {
    /// All rows of a loan, as of a day.
    fn of(contract: &Contract, fold: &mut LoanFold<'_>, as_of: Date) -> Self {
        let mut reading = Self::new(contract, fold.rows.as_ref().map_or(0, |rows| rows.lines.len()));
        if let Some(rows) = &mut fold.rows {
            rows.ask_as_of(as_of);
            for line in &rows.lines {
                reading.line(rows, line);
            }
        }
        reading
    }

    fn new(contract: &Contract, rows: usize) -> Self {
        Self {
            units: InCurrency(contract.amount.currency()),
            balance: contract.amount.units(),
            rows: Vec::with_capacity(rows),
            totals: RowSums::default(),
            unpaid: [0; 4],
            paid: [0; 4],
            owed: Vec::new(),
            oldest_unpaid: None,
        }
    }

    fn line(&mut self, rows: &LoanRows<'_>, line: &LoanRow) {
        let mut row = RowSums::default();
        let mut touched_on = None;
        each_owed(rows, line, &mut |owed, component, due_on| {
            let component = component as usize;
            let unpaid = owed.unpaid();
            row.asked[component] += owed.asked();
            row.paid += owed.paid;
            row.unpaid += unpaid;
            row.lapsed += owed.lapsed;
            touched_on = touched_on.max(owed.touched_on);
            self.paid[component] += owed.paid;
            if unpaid == 0 {
                return;
            }
            self.unpaid[component] += unpaid;
            match self.owed.last_mut() {
                Some((date, sums)) if *date == due_on => sums[component] += unpaid,
                _ => {
                    let mut sums = [0; 4];
                    sums[component] = unpaid;
                    self.owed.push((due_on, sums));
                }
            }
            if component != Component::Penalty as usize {
                let since = due_on.max(line.due_on);
                self.oldest_unpaid = Some(self.oldest_unpaid.map_or(since, |oldest| oldest.min(since)));
            }
        });
        self.balance -= row.asked[Component::Principal as usize];
        let money = |amount: i128| self.units.money(amount);
        let due: i128 = row.asked.iter().sum();
        let is_paid = due > 0 && row.unpaid == 0 && row.lapsed == 0;
        self.rows.push(Instalment {
            n: u32::try_from(self.rows.len() + 1).unwrap_or(u32::MAX),
            due_on: line.due_on,
            days: u32::try_from(line.days()).unwrap_or(0),
            principal: money(row.asked[Component::Principal as usize]),
            interest: money(row.asked[Component::Interest as usize]),
            fees: money(row.asked[Component::Fee as usize]),
            penalties: money(row.asked[Component::Penalty as usize]),
            due: money(due),
            paid: money(row.paid),
            outstanding: money(row.unpaid),
            written_off: money(row.lapsed),
            paid_on: if is_paid { touched_on } else { None },
            balance: money(self.balance),
        });
        for (total, amount) in self.totals.asked.iter_mut().zip(row.asked) {
            *total += amount;
        }
        self.totals.paid += row.paid;
        self.totals.unpaid += row.unpaid;
        self.totals.lapsed += row.lapsed;
    }
}
