//! Random histories: loans on any terms, and commands tried on them one after the other, most of
//! them valid. What is refused is not recorded.

use std::sync::Arc;

use jiff::Span;
use jiff::civil::{Date, date};
use lending::{
    AllocationPreset, Amortization, Bucket, Calendar, CalendarRule, ChargeKind, Component, Conflict, Contract,
    DayCount, Event, EventId, EventKind, InterestAccrual, InterestMethod, InterestPeriod, Money, MonthEnd, Prepayment,
    RepayUnit, Rounding, State, Waivable, WeekDay, fold, levied_on, settlement,
};
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::{Loan, end, instant};

/// A command before it is known what the loan is like when it is given.
#[derive(Debug, Clone)]
pub(crate) struct Raw {
    kind: u8,
    /// Days since the command before.
    later: u8,
    /// Days that its value date lies before the day of its recording.
    earlier: u8,
    pick: u16,
    share: u16,
    other: u16,
}

fn raws(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Raw>> {
    let earlier = prop_oneof![3 => Just(0u8), 1 => 0u8..90];
    let later = prop_oneof![2 => 0u8..3, 2 => 0u8..30];
    let raw = (0u8..100, later, earlier, any::<u16>(), 0u16..1000, any::<u16>())
        .prop_map(|(kind, later, earlier, pick, share, other)| Raw { kind, later, earlier, pick, share, other });
    prop::collection::vec(raw, count)
}

/// A loan that can be disbursed on `START`, and commands.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    pub(crate) contract: Contract,
    pub(crate) raws: Vec<Raw>,
}

pub(crate) const START: Date = date(2024, 1, 31);

fn units() -> impl Strategy<Value = i64> {
    prop_oneof![
        2 => 1i64..100,
        6 => 1_000i64..10_000_000,
        1 => 10i64.pow(14)..=10i64.pow(15),
    ]
}

fn rate() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => Just("0".to_owned()),
        5 => (1u32..60).prop_map(|percent| percent.to_string()),
        1 => (0u32..1_000_000).prop_map(|millionths| format!("{}.{:06}", millionths % 300, millionths)),
    ]
}

/// A preset, or a list that has the bucket with each component in a random order, and puts together what follows each
/// other: JSON.
fn allocations() -> impl Strategy<Value = String> {
    let preset = select(&AllocationPreset::ALL).prop_map(|preset| format!("\"{}\"", preset.as_str()));
    let places: Vec<(Bucket, Component)> =
        Bucket::ALL.into_iter().flat_map(|bucket| Component::ALL.map(|component| (bucket, component))).collect();
    let single = Just(places).prop_shuffle().prop_map(|places| {
        let group = |(bucket, component): &(Bucket, Component)| {
            format!(r#"{{"buckets": ["{}"], "components": ["{}"]}}"#, bucket.as_str(), component.as_str())
        };
        format!("[{}]", places.iter().map(group).collect::<Vec<_>>().join(", "))
    });
    // Buckets in one or more groups, each with all components, or with half of them and the other half later.
    let words =
        |words: &[Component]| words.iter().map(|it| format!("\"{}\"", it.as_str())).collect::<Vec<_>>().join(", ");
    let orders = (
        Just(Bucket::ALL.to_vec()).prop_shuffle(),
        Just(Component::ALL.to_vec()).prop_shuffle(),
        1usize..=3,
        0usize..=3,
    );
    let wide = orders.prop_map(move |(buckets, components, together, split)| {
        let mut groups = Vec::new();
        let (early, late) = components.split_at(split);
        for components in [early, late] {
            for buckets in buckets.chunks(together).filter(|_| !components.is_empty()) {
                let buckets: Vec<_> = buckets.iter().map(|it| format!("\"{}\"", it.as_str())).collect();
                groups.push(format!(
                    r#"{{"buckets": [{}], "components": [{}]}}"#,
                    buckets.join(", "),
                    words(components)
                ));
            }
        }
        format!("[{}]", groups.join(", "))
    });
    prop_oneof![4 => preset, 1 => single, 3 => wide]
}

type Words =
    (InterestMethod, Amortization, InterestPeriod, DayCount, Rounding, MonthEnd, RepayUnit, String, Prepayment);
type Graces = Option<(u8, u8, u8)>;

/// The nearest terms that go with interest by the balance of each day.
fn goes_with_daily(words: Words, grace: Graces) -> (Words, Graces) {
    let (_, _, _, day_count, rounding, month_end, unit, allocation, prepayment) = words;
    let prepayment = match prepayment {
        Prepayment::NextInstalments | Prepayment::ReduceInstalment => Prepayment::NextInstalments,
        Prepayment::LastInstalments | Prepayment::ReduceTerm => Prepayment::LastInstalments,
    };
    let (method, amortization) = (InterestMethod::DecliningBalance, Amortization::EqualInstalments);
    let words =
        (method, amortization, InterestPeriod::Daily, day_count, rounding, month_end, unit, allocation, prepayment);
    (words, grace.map(|(principal, ..)| (principal, 0, 0)))
}

/// Contracts of every kind.
pub(crate) fn contracts() -> impl Strategy<Value = Contract> {
    contracts_of(prop_oneof![2 => Just(InterestAccrual::Scheduled), 1 => Just(InterestAccrual::Daily)], 0.4)
}

/// Contracts whose interest accrues in one of these ways, and how many of them have a calendar, from 0 to 1.
fn contracts_of(
    accruals: impl Strategy<Value = InterestAccrual>,
    with_calendar: f64,
) -> impl Strategy<Value = Contract> {
    let words = (
        select(&InterestMethod::ALL),
        select(&Amortization::ALL),
        select(&InterestPeriod::ALL),
        select(&DayCount::ALL),
        select(&Rounding::ALL),
        select(&MonthEnd::ALL),
        select(&RepayUnit::ALL),
        allocations(),
        select(&Prepayment::ALL),
    );
    let sizes = (units(), rate(), 1u32..=12, 1u32..=2, prop::option::weighted(0.3, 1i64..60));
    let steps = (prop::option::weighted(0.2, select(vec![5i64, 10])), prop::option::weighted(0.2, select(vec![1, 10])));
    let grace = prop::option::weighted(0.3, (any::<u8>(), any::<u8>(), any::<u8>()));
    let fees = (prop::option::weighted(0.3, 0i64..500), prop::option::weighted(0.3, 0u32..5));
    let weekends = vec!["none", "sat-sun", "fri-sat", "sun", "mon-tue-wed-thu-fri-sat"];
    let calendars = prop::option::weighted(with_calendar, (select(weekends), select(&CalendarRule::ALL)));
    let late_fee = prop::option::weighted(0.6, (0u32..10, any::<bool>(), 1i64..50, 1u32..4));
    (words, sizes, steps, grace, fees, (late_fee, accruals), calendars)
        .prop_map(|(words, sizes, steps, grace, fees, (late_fee, accrual), calendar)| {
            let is_daily = accrual == InterestAccrual::Daily;
            let (words, grace) = if is_daily { goes_with_daily(words, grace) } else { (words, grace) };
            let (method, amortization, period, day_count, rounding, month_end, unit, allocation, prepayment) = words;
            let (units, rate, instalments, every, first_after) = sizes;
            let smallest = steps.0.unwrap_or(1);
            let every = if unit == RepayUnit::Day { every * 10 } else { every };
            let mut terms = format!(
                r#""interest_rate_apr": "{rate}", "instalments": {instalments}, "repay_every": {every},
                "interest_method": "{}", "amortization": "{}", "interest_period": "{}", "day_count": "{}",
                "rounding": "{}", "month_end": "{}", "repay_unit": "{}", "allocation": {allocation}, "prepayment": "{}",
                "smallest_amount": "{smallest}", "interest_accrual": "{}""#,
                method.as_str(),
                amortization.as_str(),
                period.as_str(),
                day_count.as_str(),
                rounding.as_str(),
                month_end.as_str(),
                unit.as_str(),
                prepayment.as_str(),
                accrual.as_str(),
            );
            let mut add = |more: String| {
                terms.push_str(", ");
                terms.push_str(&more);
            };
            if let Some(times) = steps.1 {
                add(format!(r#""instalment_multiple": "{}""#, times * smallest));
            }
            if let Some((principal, payment, free)) = grace {
                add(format!(
                    r#""grace": {{"principal": {}, "interest_payment": {}, "interest_free": {}}}"#,
                    u32::from(principal) % instalments,
                    u32::from(payment) % instalments,
                    u32::from(free) % (instalments + 1),
                ));
            }
            if let Some(days) = first_after {
                let first = START.checked_add(Span::new().days(days)).unwrap();
                add(format!(r#""first_due_on": "{first}""#));
            }
            if let Some((weekend, rule)) = calendar {
                let is_month = unit == RepayUnit::Month && rule == CalendarRule::Extend;
                let rule = if is_month { CalendarRule::Following } else { rule };
                add(format!(r#""calendar": {{"code": "{weekend}", "rule": "{}"}}"#, rule.as_str()));
            }
            let mut items = Vec::new();
            if let Some(amount) = fees.0 {
                let amount = amount * smallest;
                items.push(format!(r#"{{"code": "a", "when": "instalment", "amount": "{amount}"}}"#));
            }
            if let Some(percent) = fees.1 {
                items.push(format!(r#"{{"code": "b", "when": "disbursement", "percent": "{percent}"}}"#));
            }
            add(format!(r#""fees": [{}]"#, items.join(", ")));
            if let Some((grace_days, is_flat, value, max_times)) = late_fee {
                let (kind, value) = if is_flat { ("flat", value * smallest) } else { ("percent_of_overdue", value) };
                add(format!(
                    r#""late_fee": {{"grace_days": {grace_days}, "kind": "{kind}", "value": "{value}",
                    "max_times": {max_times}}}"#
                ));
            }
            let amount = (units / smallest).max(1) * smallest;
            Loan::new(&amount.to_string(), "VND", &terms).contract
        })
        .prop_filter("can be disbursed", |contract| {
            let terms = contract.terms.clone().with_calendar(calendar(contract, 0));
            lending::schedule(contract.amount, START, &terms).is_ok()
        })
}

pub(crate) fn scripts(count: std::ops::Range<usize>) -> impl Strategy<Value = Script> {
    (contracts(), raws(count)).prop_map(|(contract, raws)| Script { contract, raws })
}

/// Those of loans whose interest follows the balance of each day, most of them with a calendar.
pub(crate) fn daily_scripts(count: std::ops::Range<usize>) -> impl Strategy<Value = Script> {
    (contracts_of(Just(InterestAccrual::Daily), 0.7), raws(count))
        .prop_map(|(contract, raws)| Script { contract, raws })
}

/// A version of the calendar that the terms name, if they do: the later ones know other holidays.
pub(crate) fn calendar(contract: &Contract, version: u16) -> Option<Arc<Calendar>> {
    contract.terms.calendar()?;
    // The weekend is the code: days of the week by their initials.
    let weekend = contract.terms.calendar()?.code.as_str();
    let weekend = weekend.split('-').filter_map(WeekDay::from_name);
    let version = i64::from(version % 3);
    let holidays = (0..120).map(|n| days_later(START, n * (7 + version) + n * n % 11 + version));
    Some(Arc::new(Calendar::new(u32::try_from(version).unwrap() + 1, weekend, holidays)))
}

/// One command that was tried.
pub(crate) struct Tried<'a> {
    /// The events recorded before.
    pub(crate) before: &'a [Event],
    pub(crate) event: &'a Event,
    /// The business date of the recording.
    pub(crate) today: Date,
    /// The result.
    pub(crate) result: &'a Result<State, Conflict>,
}

/// The recorded events, and the last business date.
#[derive(Debug, Clone)]
pub(crate) struct History {
    pub(crate) contract: Contract,
    pub(crate) events: Vec<Event>,
    pub(crate) today: Date,
}

impl History {
    pub(crate) fn state(&self, as_of: Date) -> State {
        fold(&self.contract, &self.events, as_of, end()).unwrap()
    }
}

fn days_later(date: Date, days: i64) -> Date {
    date.checked_add(Span::new().days(days)).unwrap()
}

impl Script {
    /// Tries the commands one after the other.
    pub(crate) fn play(&self, mut observe: impl FnMut(Tried<'_>)) -> History {
        let mut history = History { contract: self.contract.clone(), events: Vec::new(), today: START };
        let disburse = EventKind::Disbursement { first_due_on: None, calendar: calendar(&self.contract, 0) };
        let first = Event { id: EventId(1), on: START, recorded_at: instant(1), kind: disburse };
        history.events.push(first);
        for (index, raw) in self.raws.iter().enumerate() {
            history.today = days_later(history.today, i64::from(raw.later));
            let Some((on, kind)) = raw.command(&history) else {
                continue;
            };
            let number = i64::try_from(index).unwrap() + 2;
            let id = EventId(u128::try_from(number).unwrap());
            let event = Event { id, on, recorded_at: instant(number), kind };
            let mut tried = history.events.clone();
            tried.push(event.clone());
            let result = fold(&self.contract, &tried, history.today, end());
            observe(Tried { before: &history.events, event: &event, today: history.today, result: &result });
            if result.is_ok() {
                history.events.push(event);
            }
        }
        history
    }
}

impl Raw {
    fn command(&self, history: &History) -> Option<(Date, EventKind)> {
        let contract = &history.contract;
        let currency = contract.amount.currency();
        let on = days_later(history.today, -i64::from(self.earlier));
        let state = history.state(on.max(START));
        let money = |units: i128| Money::from_units(i64::try_from(units.clamp(1, 10i128.pow(15))).unwrap(), currency);
        let share_of = |amount: i128| money(amount * i128::from(self.share) / 900);
        let outstanding = state.totals.outstanding.units();
        let kind = match self.kind {
            0..=54 => {
                let past_due = &state.past_due;
                let overdue = past_due.principal.units()
                    + past_due.interest.units()
                    + past_due.fees.units()
                    + past_due.penalties.units();
                let due_soon =
                    state.rows.iter().find(|row| !row.outstanding.is_zero()).map_or(0, |row| row.outstanding.units());
                let amount = match self.pick % 8 {
                    0 => money(overdue),
                    1 => money(due_soon),
                    2 => share_of(outstanding),
                    3 => {
                        let settlement = settlement(contract, &history.events, on, end()).unwrap();
                        let total = settlement.map_or(1, |settlement| settlement.total.units());
                        money(total + i128::from(self.share % 3) - 1)
                    }
                    4 => money(i128::from(self.share)),
                    _ => share_of(due_soon),
                };
                EventKind::Repayment { amount }
            }
            55..=64 => {
                let due_on = days_later(on, i64::from(self.other % 60) - 10);
                let kind = if self.pick.is_multiple_of(2) { ChargeKind::Fee } else { ChargeKind::Penalty };
                let on = match self.pick / 2 % 3 {
                    0 => on,
                    _ => levied_on(due_on, history.today, &history.events, &state.rows),
                };
                let amount = share_of(contract.amount.units() / 10);
                return Some((on, EventKind::Charge { kind, amount, due_on }));
            }
            65..=72 => {
                let (component, unpaid) = match self.pick % 3 {
                    0 => (Waivable::Penalty, state.unpaid.penalties),
                    1 => (Waivable::Fee, state.unpaid.fees),
                    _ => (Waivable::Interest, state.unpaid.interest),
                };
                let amount =
                    if self.other.is_multiple_of(4) { money(unpaid.units()) } else { share_of(unpaid.units()) };
                EventKind::Waiver { component, amount }
            }
            73..=77 => EventKind::Refund { amount: share_of(state.overpayment.units()) },
            78..=82 => {
                let row = state.rows.get(usize::from(self.pick) % state.rows.len().max(1))?;
                let rate = match self.other % 3 {
                    0 => None,
                    _ => Some(lending::AnnualRate::parse(&(self.other % 50).to_string()).unwrap()),
                };
                EventKind::Reschedule {
                    from: row.due_on,
                    instalments: (!self.share.is_multiple_of(3)).then(|| u32::from(self.share % 12)),
                    interest_rate_apr: rate,
                    first_due_on: (self.other / 3)
                        .is_multiple_of(3)
                        .then(|| days_later(row.due_on, i64::from(self.share % 70) - 20)),
                    calendar: calendar(contract, self.other),
                }
            }
            83 => EventKind::WriteOff,
            84 if self.pick.is_multiple_of(4) => {
                EventKind::Disbursement { first_due_on: None, calendar: calendar(contract, self.other) }
            }
            _ => {
                let target = history.events.get(usize::from(self.pick) % history.events.len())?;
                // The disbursement but rarely: nothing could follow it.
                if matches!(target.kind, EventKind::Disbursement { .. }) && self.share > 100 {
                    return None;
                }
                return Some((target.on, EventKind::Reversal { of: target.id }));
            }
        };
        Some((on, kind))
    }
}
